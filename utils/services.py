"""Opens the services that the settings name; in local mode, what stands in for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from utils.config import Mode, NotionSettings, Settings, VaultSettings
from utils.stores.base import Transport, Vault
from utils.stores.notion import Notion

WORKERS_AT_MOST = 8


@contextmanager
def database(settings: Settings) -> Iterator[Settings]:
    """The settings with a vault in them: in local mode the embedded PostgreSQL's, which runs meanwhile."""
    if settings.mode is not Mode.LOCAL:
        yield settings
        return
    from utils.local.postgres import running

    with running(settings.home / ".local") as dsn:
        yield replace(settings, vault=VaultSettings(dsn=dsn))


@contextmanager
def local_services(settings: Settings) -> Iterator[Settings]:
    """The settings with both services in them: in local mode the embedded ones', which run meanwhile."""
    if settings.mode is not Mode.LOCAL:
        yield settings
        return
    with database(settings) as filled, sandbox(filled) as both:
        yield both


@contextmanager
def sandbox(settings: Settings) -> Iterator[Settings]:
    """The settings with the Notion sandbox of local mode in them, which is served meanwhile."""
    from utils.local.notion import serve

    with serve(settings.home / ".local" / "notion.db") as served:
        notion = NotionSettings(served.token, served.database_id, served.base_url, requests_per_second=0)
        yield replace(settings, notion=notion)


@contextmanager
def vault(settings: Settings, *, deadline: float | None = None) -> Iterator[Vault]:
    """The decision vault: by Supabase's REST API where SUPABASE_URL is set, else by PostgreSQL's own protocol.

    Args:
        settings: name it.
        deadline: seconds after which a call is given up; None is the usual one.

    Raises:
        ConfigError: it is not configured.
    """
    opened = Vault(_transport(settings.need_vault(), deadline))
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def notion(settings: Settings) -> Iterator[Notion]:
    """The Notion side.

    Raises:
        ConfigError: it is not configured.
    """
    wanted = settings.need_notion()
    opened = Notion(wanted, workers_for(wanted.requests_per_second))
    try:
        yield opened
    finally:
        opened.close()


def _transport(wanted: VaultSettings, deadline: float | None) -> Transport:
    if wanted.url:
        from utils.stores.supabase import RestTransport

        return RestTransport(wanted.url, wanted.key, deadline=deadline)
    from utils.stores.postgres import PostgresTransport

    return PostgresTransport(wanted.dsn, **({} if deadline is None else {"deadline": deadline}))


def workers_for(requests_per_second: float) -> int:
    """Threads enough to use a rate with answers that take up to 1.5 s; 4 without a limit, where the service limits."""
    if not requests_per_second:
        return 4
    return max(2, min(WORKERS_AT_MOST, round(requests_per_second * 1.5)))
