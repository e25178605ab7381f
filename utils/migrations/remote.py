"""Migrating by Supabase's Management API: each file one transaction in one request, believed only when seen after."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from utils.errors import BusyError, ConfigError, ServiceError
from utils.migrations import statements
from utils.migrations.files import Migration, Status, names_in, plan
from utils.migrations.folder import MIGRATIONS, read_folder
from utils.migrations.runner import NO_MEMBER, TRIES, applied_by
from utils.migrations.statements import MigrationReport
from utils.stores.management import Management, QueryError

WAIT_SECONDS = 20.0
"""How long a request waits for another runner: the API cuts long ones."""

_PASSING = {"55P03", "40P01"}


def status(api: Management, *, folder: Path = MIGRATIONS) -> Status:
    """Where a project's database stands, changing nothing."""
    return plan(read_folder(folder), applied_by(api.rows))


def migrate(api: Management, *, folder: Path = MIGRATIONS, dry_run: bool = False, now: datetime) -> MigrationReport:
    """Applies what is pending; a dry run executes everything and rolls back. See `runner.migrate`."""
    started = time.monotonic()
    files = read_folder(folder)
    where = plan(files, applied_by(api.rows))
    notes = _rehearse(api, files, where, now) if dry_run else []
    done = [each.file for each in where.pending] if dry_run else _apply(api, where, now)
    if not dry_run:
        if done:
            api.rows(statements.RELOAD)
        notes = _check_access(api, files)
        names = names_in(files)
        if statements.may_keep(names) and (done or not api.rows(statements.KEPT)):
            api.rows(statements.keep(names))
    already = tuple(each.version for each in files if each.file not in done)
    return MigrationReport(tuple(done), already, time.monotonic() - started, dry_run, tuple(notes))


def _apply(api: Management, where: Status, now: datetime) -> list[str]:
    done = []
    before = max(where.applied, default=None)
    for migration in where.pending:
        if _bring(api, migration, before, now):
            done.append(migration.file)
        before = migration.version
    return done


def _bring(api: Management, migration: Migration, before: str | None, now: datetime) -> bool:
    """Applies a file; answers whether it was this run that did.

    Raises:
        ServiceError: the API's answer does not fit what the history says.
    """
    _ask(api, statements.one_statement(migration, before, now, seconds=WAIT_SECONDS), migration)
    rows = api.rows(statements.applied_then(migration.version, now))
    if not rows:
        raise ServiceError(
            "Management API",
            f"{migration.file} is not in the history after it was sent",
            "Run again, or set DATABASE_URL",
        )
    return bool(rows[0]["ours"])


def _rehearse(api: Management, files: Sequence[Migration], where: Status, now: datetime) -> list[str]:
    """Executes everything in one transaction and rolls it back; a failure names its file."""
    before = max(where.applied, default=None)
    parts = []
    for migration in where.pending:
        parts.append(statements.one_statement(migration, before, now))
        before = migration.version
    names = names_in(files)
    text = "\n".join(["begin;", *parts, f"{statements.access(names)};", f"{statements.ACTING_AS};", "rollback;"])
    return _notes(_ask(api, text))


def _check_access(api: Management, files: Sequence[Migration]) -> list[str]:
    text = f"begin; {statements.access(names_in(files))}; {statements.ACTING_AS}; rollback;"
    return _notes(_ask(api, text))


def _notes(rows: Sequence[dict[str, object]]) -> list[str]:
    return [NO_MEMBER] if rows and rows[0].get("role") != "service_role" else []


def _ask(api: Management, text: str, migration: Migration | None = None) -> list[dict[str, object]]:
    """Asks, again after a lock timeout or a deadlock.

    Raises:
        BusyError: another runner holds the lock. ConfigError: the file fails. ServiceError: the checks do.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return api.rows(text)
        except QueryError as error:
            if error.sqlstate == "55P03" and "another runner" in error.message:
                raise BusyError("migrations", error.message, "Wait for it, then run again") from error
            if error.sqlstate == statements.LACKING:
                raise ServiceError("database", error.message, "Run: python run_migration.py --verify") from error
            if error.sqlstate not in _PASSING or attempt == TRIES:
                place = migration.file if migration else "supabase/migrations"
                line = f":{error.line}" if migration and error.line else ""
                raise ConfigError(f"{place}{line}", error.message, "Nothing of it was applied") from error
        time.sleep(attempt * random.uniform(0.5, 1.5))  # noqa: S311 jitter is no secret
    raise AssertionError("unreachable")
