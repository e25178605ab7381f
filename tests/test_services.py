"""What the settings name is opened; what they lack is said; nothing but local mode starts what stands in for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import World
from utils import services
from utils.config import Mode, NotionSettings, Settings, VaultSettings
from utils.errors import ConfigError


@pytest.mark.parametrize("mode", [Mode.CONFIGURED, Mode.INCOMPLETE])
def test_settings_that_are_not_local_pass_untouched_and_start_nothing(tmp_path: Path, mode: Mode) -> None:
    settings = Settings(tmp_path, mode, missing={"vault": "DATABASE_URL", "notion": "NOTION_TOKEN"})
    for opening in (services.database, services.local_services):
        with opening(settings) as filled:
            assert filled is settings
    assert not list(tmp_path.iterdir())


def test_what_is_not_configured_is_said_with_its_variables(tmp_path: Path) -> None:
    settings = Settings(tmp_path, Mode.INCOMPLETE, missing={"vault": "DATABASE_URL", "notion": "NOTION_TOKEN"})
    with pytest.raises(ConfigError, match=r"vault: not configured\. Set DATABASE_URL"), services.vault(settings):
        pass
    with pytest.raises(ConfigError, match=r"notion: not configured\. Set NOTION_TOKEN"), services.notion(settings):
        pass


def test_both_services_are_opened_as_the_settings_say(world: World) -> None:
    settings = Settings(
        world.folder,
        Mode.CONFIGURED,
        VaultSettings(dsn=world.dsn),
        NotionSettings(world.sandbox.token, world.database_id, world.sandbox.base_url, requests_per_second=0),
    )
    world.insert("One")
    with services.vault(settings) as vault, services.notion(settings) as notion:
        assert [row["decision"] for row in vault.rows()] == ["One"]
        assert notion.source()


@pytest.mark.parametrize(
    ("rate", "workers"),
    [(0, 4), (0.1, 2), (1, 2), (3, 4), (5, services.WORKERS_AT_MOST), (1000, services.WORKERS_AT_MOST)],
)
def test_threads_are_enough_for_the_rate_and_no_more(rate: float, workers: int) -> None:
    assert services.workers_for(rate) == workers
