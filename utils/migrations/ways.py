"""How a database's schema may be reached and changed: DATABASE_URL, else the Management API, else by a person."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from utils.config import Settings, VaultSettings
from utils.errors import AnglesError, ConfigError
from utils.migrations import remote, runner, statements
from utils.migrations.drift import Difference
from utils.migrations.files import Migration, Status, names_in, plan
from utils.migrations.folder import MIGRATIONS, read_folder
from utils.migrations.statements import MigrationReport
from utils.migrations.verify import verify
from utils.stores.base import Transport
from utils.stores.management import Management

EDITOR = "https://supabase.com/dashboard/project/{project}/sql/new"
RELOAD_SECONDS = 3.0
"""How long the REST API may take to read its schema again."""


class Way(Protocol):
    """A way in that executes SQL."""

    def status(self) -> Status:
        """What is applied and what is pending."""

    def migrate(self, *, dry_run: bool, now: datetime) -> MigrationReport:
        """Applies what is pending, or executes it and rolls back."""

    def verify(self, *, now: datetime) -> list[Difference]:
        """Where the schema differs from the files."""


@dataclass(frozen=True)
class ByConnection:
    """PostgreSQL's own protocol."""

    dsn: str

    def status(self) -> Status:
        """See `Way`."""
        return runner.status(self.dsn)

    def migrate(self, *, dry_run: bool, now: datetime) -> MigrationReport:
        """See `Way`."""
        return runner.migrate(self.dsn, dry_run=dry_run, now=now)

    def verify(self, *, now: datetime) -> list[Difference]:
        """See `Way`."""
        with runner.connected(self.dsn) as connection:
            return verify(lambda text: runner.rows_of(connection, text), now=now)


@dataclass(frozen=True)
class ByManagementApi:
    """Supabase's Management API."""

    api: Management

    def status(self) -> Status:
        """See `Way`."""
        return remote.status(self.api)

    def migrate(self, *, dry_run: bool, now: datetime) -> MigrationReport:
        """See `Way`."""
        return remote.migrate(self.api, dry_run=dry_run, now=now)

    def verify(self, *, now: datetime) -> list[Difference]:
        """See `Way`."""
        return verify(self.api.rows, now=now)


@contextmanager
def way_in(settings: Settings) -> Iterator[Way | None]:
    """The first way in that is configured; None when only a person can execute SQL there."""
    schema = settings.schema
    dsn = schema.dsn or (settings.vault.dsn if settings.vault else "")
    if dsn:
        yield ByConnection(dsn)
    elif schema.token and schema.project:
        api = Management(schema.token, schema.project, schema.api_url)
        try:
            yield ByManagementApi(api)
        finally:
            api.close()
    elif schema.project or settings.need_vault():
        yield None


@dataclass(frozen=True)
class ByHand:
    """What a person has to execute: the files, their SQL with all checks in it; `known` is whether the history is."""

    pending: tuple[Migration, ...]
    text: str
    known: bool


def by_hand(settings: Settings, *, now: datetime, folder: Path = MIGRATIONS) -> ByHand:
    """What is pending by what the REST API tells of the history; everything where that is not known.

    Raises:
        SafetyError: what the REST API tells of the history does not fit the files.
    """
    files = read_folder(folder)
    versions = _versions_by_rest(settings.vault)
    where = plan(files, dict.fromkeys(versions or []))
    text = statements.pasted(where.pending, max(where.applied, default=None), names_in(files), now)
    return ByHand(where.pending, text, versions is not None)


def probe(vault: VaultSettings | None) -> str:
    """What is wrong with the REST API after a migration, in a line; empty where nothing is, or none is configured."""
    if vault is None or not vault.url:
        return ""
    from utils.stores.supabase import RestTransport

    transport = RestTransport(vault.url, vault.key)
    try:
        found = _answer_once_reloaded(transport)
    except AnglesError as error:
        return f"the REST API does not answer for the new schema yet: {error}"
    finally:
        transport.close()
    if not found.get("same"):
        return (
            "the schema that SUPABASE_URL shows is not the one of the last migration: check that it is of the project"
            " that was migrated, then run: python run_migration.py --verify"
        )
    return ""


def _answer_once_reloaded(transport: Transport) -> dict[str, object]:
    """The fingerprint; asked again while the API still has its old schema in mind."""
    end = time.monotonic() + RELOAD_SECONDS
    while True:
        try:
            return dict(transport.call("schema_fingerprint", {}))
        except ConfigError:
            if time.monotonic() > end:
                raise
        time.sleep(0.25)


def _versions_by_rest(vault: VaultSettings | None) -> list[str] | None:
    """The versions that the REST API tells of; None where it is not configured, or does not know."""
    if vault is None or not vault.url:
        return None
    from utils.stores.supabase import RestTransport

    transport = RestTransport(vault.url, vault.key)
    try:
        versions = transport.call("schema_fingerprint", {}).get("versions")
        return None if versions is None else [str(each) for each in versions]
    except AnglesError:
        return None
    finally:
        transport.close()
