"""Reads the vault for a backup: in one transaction where PostgreSQL is reached directly, else in counted pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from utils.backup.direct import read_database
from utils.backup.snapshot import TABLES, Row
from utils.config import VaultSettings
from utils.errors import ServiceError
from utils.stores.base import Vault

TRIES = 3
"""How often a table is read that changes while it is read through REST."""


@dataclass(frozen=True)
class Reading:
    """What was read.

    Args:
        rows: by table, as JSON has them.
        at: the database's clock when reading began.
        window: when reading began and ended, where it was no single transaction.
    """

    rows: Mapping[str, list[Row]]
    at: datetime
    window: tuple[str, str] | None = None


def read(settings: VaultSettings, vault: Vault) -> Reading:
    """Reads all tables of a backup: by DATABASE_URL where it is set.

    Raises:
        ServiceError: unreachable, or it changed too fast to be counted.
    """
    if settings.dsn:
        at, rows = read_database(settings.dsn)
        return Reading(rows, at)
    began = vault.call("backup_counts", {})["at"]
    rows = {table.name: _counted(vault, table.name) for table in TABLES}
    ended = vault.call("backup_counts", {})["at"]
    return Reading(rows, datetime.fromisoformat(began), (began, ended))


def source(settings: VaultSettings) -> str:
    """Which vault this is: its host, and the database where it is reached directly; no user, port or password."""
    parts = urlsplit(settings.dsn or settings.url)
    return f"{parts.hostname or 'localhost'}{parts.path if settings.dsn else ''}"


def _counted(vault: Vault, name: str) -> list[Row]:
    """A table read page by page: as many rows as were counted before or after, or it is read again."""
    for _ in range(TRIES):
        before = vault.call("backup_counts", {})["rows"][name]
        rows = list(vault.paged("backup_read", {"table": name}))
        after = vault.call("backup_counts", {})["rows"][name]
        if min(before, after) <= len(rows) <= max(before, after):
            return rows
    raise ServiceError("vault", f"{name}: {len(rows)} rows were read, {after} were counted", "Run again")
