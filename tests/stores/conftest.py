"""What the tests of the Notion adapter share: a sandbox, adapters on it, and waits that are short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from utils.config import NotionSettings
from utils.local.notion import Sandbox, serve
from utils.stores.notion import Notion

OpenNotion = Callable[..., Notion]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A Notion of the test's own; a bug of its own fails the test."""
    with serve(tmp_path / "notion.db") as running:
        yield running
        assert running.control.bugs() == []


@pytest.fixture
def open_notion(sandbox: Sandbox) -> Iterator[OpenNotion]:
    """Opens adapters on the sandbox; what is not said is right."""
    opened: list[Notion] = []

    def opening(*, token: str = "", database_id: str = "", base_url: str = "", rate: float = 0) -> Notion:
        settings = NotionSettings(
            token or sandbox.token,
            database_id or sandbox.database_id,
            base_url or sandbox.base_url,
            requests_per_second=rate,
        )
        opened.append(Notion(settings))
        return opened[-1]

    yield opening
    for each in opened:
        each.close()


@pytest.fixture
def notion(open_notion: OpenNotion) -> Notion:
    """An adapter that is bound to a database with all properties."""
    made = open_notion()
    made.bind(made.source(), {})
    made.make_properties(made.schema.missing)
    return made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits before repeating and looking up, made short; their number stays."""
    monkeypatch.setattr("utils.stores.notion_calls.BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("utils.stores.notion.LOOK_UP_AFTER", (0.0, 0.01, 0.02))
