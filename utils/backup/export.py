"""Reads the vault for a backup: in one transaction where PostgreSQL is reached directly, else in counted pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from utils.backup.direct import read_database
from utils.backup.snapshot import TABLES, UNREADABLE, Row, Table, is_deep
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
        left_out: rows that cannot be read, a line each.
    """

    rows: Mapping[str, list[Row]]
    at: datetime
    window: tuple[str, str] | None = None
    left_out: Sequence[str] = ()


def read(settings: VaultSettings, vault: Vault) -> Reading:
    """Reads all tables of a backup: by DATABASE_URL where it is set.

    Raises:
        ServiceError: unreachable, or it changed too fast to be counted.
    """
    if settings.dsn:
        at, rows, left_out = read_database(settings.dsn)
        return Reading(rows, at, left_out=left_out)
    began = vault.call("backup_counts", {})["at"]
    rows = {table.name: _counted(vault, table.name) for table in TABLES}
    ended = vault.call("backup_counts", {})["at"]
    left_out = [line for table in TABLES if table.documents for line in _taken_out(table, rows[table.name])]
    return Reading(rows, datetime.fromisoformat(began), (began, ended), left_out)


def source(settings: VaultSettings) -> str:
    """Which vault this is: its host, and the database where it is reached directly; no user, port or password."""
    parts = urlsplit(settings.dsn or settings.url)
    return f"{parts.hostname or 'localhost'}{parts.path if settings.dsn else ''}"


def _counted(vault: Vault, name: str) -> list[Row]:
    """A table read page by page: as many rows as were counted before or after, or it is read again."""
    for _ in range(TRIES):
        before = vault.call("backup_counts", {})["rows"][name]
        rows = _paged(vault, name)
        after = vault.call("backup_counts", {})["rows"][name]
        if min(before, after) <= len(rows) <= max(before, after):
            return rows
    raise ServiceError("vault", f"{name}: {len(rows)} rows were read, {after} were counted", "Run again")


def _paged(vault: Vault, name: str) -> list[Row]:
    try:
        return list(vault.paged("backup_read", {"table": name}))
    except RecursionError:
        raise ServiceError("vault", f"{name}: the JSON of a row is too deep to be read", "Take it out") from None


def _taken_out(table: Table, rows: list[Row]) -> Iterator[str]:
    """Takes the rows out that are too deep, and names them."""
    for row in [row for row in rows if is_deep(row)]:
        rows.remove(row)
        yield f"{table.name} {row[table.key]} is left out: {UNREADABLE}"
