"""Migrating by PostgreSQL's own protocol: one transaction a file, one runner at a time, errors told with their line."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from utils.errors import BusyError, ConfigError, ServiceError
from utils.migrations import statements
from utils.migrations.files import Migration, Status, names_in, plan, split_statements
from utils.migrations.folder import MIGRATIONS, read_folder
from utils.migrations.statements import MigrationReport
from utils.stores.postgres import CONNECT_SECONDS, check_dsn, explained

_Result = TypeVar("_Result")

WAIT_SECONDS = 60.0
"""How long to wait for another runner."""

TRIES = 4
_PASSING = {"55P03", "40P01"}
"""SQLSTATEs after which a whole file is tried again: lock timeout, deadlock."""

NO_MEMBER = "service_role was checked by its privileges only: this login is no member of it"


def status(dsn: str, *, folder: Path = MIGRATIONS) -> Status:
    """Where a database stands, changing nothing."""
    files = read_folder(folder)
    with connected(dsn) as connection:
        return plan(files, applied_in(connection))


def migrate(
    dsn: str, *, folder: Path = MIGRATIONS, dry_run: bool = False, now: datetime, wait: float = WAIT_SECONDS
) -> MigrationReport:
    """Applies what is pending; a dry run executes everything and rolls back.

    Raises:
        BusyError: another runner holds the lock. SafetyError: see `plan`. ConfigError: a file fails.
        ServiceError: the database cannot be reached or refuses.
    """
    return migrate_files(dsn, read_folder(folder), now, dry_run=dry_run, wait=wait)


def migrate_files(
    dsn: str, files: Sequence[Migration], now: datetime, *, dry_run: bool = False, wait: float = WAIT_SECONDS
) -> MigrationReport:
    """The same with files that were read."""
    started = time.monotonic()
    with connected(dsn) as connection:
        runner = _Runner(connection, files, now, started + wait)
        applied = runner.rehearse() if dry_run else runner.apply()
        already = tuple(each.version for each in files if each.file not in applied)
    return MigrationReport(tuple(applied), already, time.monotonic() - started, dry_run, tuple(runner.notes))


@dataclass
class _Runner:
    connection: psycopg.Connection[Any]
    files: Sequence[Migration]
    now: datetime
    deadline: float
    notes: list[str] = field(default_factory=list)

    def apply(self) -> list[str]:
        """Applies pending files one by one, each in a transaction that looks again at what is pending."""
        done: list[str] = []
        while self._with_retries(lambda: self._next(done)):
            pass
        if done:
            self.connection.execute(statements.RELOAD)
        self._check_access()
        self._keep_fingerprint(anew=bool(done))
        return done

    def rehearse(self) -> list[str]:
        """Executes everything in one transaction and rolls it back."""
        return self._with_retries(self._rehearsed)

    def _rehearsed(self) -> list[str]:
        with self.connection.transaction(force_rollback=True):
            self._lock()
            pending = plan(self.files, applied_in(self.connection)).pending
            for migration in pending:
                self._bring(migration)
            self._check_access()
        return [each.file for each in pending]

    def _next(self, done: list[str]) -> bool:
        """Applies the first file that is pending; answers whether there are more."""
        with self.connection.transaction():
            self._lock()
            pending = plan(self.files, applied_in(self.connection)).pending
            if not pending:
                return False
            self._bring(pending[0])
        done.append(pending[0].file)
        return len(pending) > 1

    def _bring(self, migration: Migration) -> None:
        """Executes a file and enters it into the history."""
        self.connection.execute("set local lock_timeout = '5s'; set local statement_timeout = '10min'")
        self.connection.execute(statements.HISTORY.encode())
        started = time.monotonic()
        parts = split_statements(migration.sql)
        for line, statement in parts:
            self._execute(migration, line, statement)
        self.connection.execute(
            "insert into supabase_migrations.schema_migrations (version, name, statements) values (%s, %s, %s)",
            (migration.version, migration.name, [statement for _, statement in parts]),
        )
        self.connection.execute(
            "insert into supabase_migrations.angles_applied values (%s, %s, %s, %s, %s)",
            (migration.version, migration.sha256, self.now, time.monotonic() - started, statements.TOOL),
        )

    def _execute(self, migration: Migration, line: int, statement: str) -> None:
        """Executes one statement, which begins at a line of the file.

        Raises:
            ConfigError: the server refuses it; names file and line.
        """
        try:
            self.connection.execute(statement.encode())
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            position = int(error.diag.statement_position or 1)
            place = f"{migration.file}:{line + statement.count(chr(10), 0, position - 1)}"
            raise ConfigError(place, error.diag.message_primary or str(error), "Nothing of it was applied") from error

    def _check_access(self) -> None:
        """Makes sure that the role of the REST API may use every table and function of ours, by acting as it.

        Raises:
            ServiceError: one is missing, a privilege is, or one does not answer.
        """
        try:
            with self.connection.transaction(force_rollback=True):
                self.connection.execute("set local lock_timeout = '5s'; set local statement_timeout = '1min'")
                self.connection.execute(statements.access(names_in(self.files)).encode())
                acting = rows_of(self.connection, statements.ACTING_AS)[0]["role"]
        except psycopg.errors.ObjectNotInPrerequisiteState as error:
            raise ServiceError(
                "database", error.diag.message_primary or "", "Run: python run_migration.py --verify"
            ) from error
        if acting != "service_role":
            self.notes.append(NO_MEMBER)

    def _keep_fingerprint(self, *, anew: bool) -> None:
        """Keeps the schema's fingerprint for later comparison: after a migration, or where none was kept."""
        names = names_in(self.files)
        if statements.may_keep(names) and (anew or not rows_of(self.connection, statements.KEPT)):
            self.connection.execute(statements.keep(names).encode())

    def _lock(self) -> None:
        """Waits for the lock that ends with the transaction.

        Raises:
            BusyError: it was not free in time; names its holder.
        """
        taken = f"select pg_try_advisory_xact_lock({statements.LOCK}) as taken"
        while not rows_of(self.connection, taken)[0]["taken"]:
            if time.monotonic() > self.deadline:
                holder = "".join(row["format"] for row in rows_of(self.connection, statements.HOLDER))
                raise BusyError(
                    "migrations", f"another runner holds the lock ({holder})", "Wait for it, then run again"
                )
            time.sleep(0.1)

    def _with_retries(self, work: Callable[[], _Result]) -> _Result:
        for attempt in range(1, TRIES):
            try:
                return work()
            except psycopg.Error as error:
                if error.sqlstate not in _PASSING:
                    raise
            time.sleep(attempt * random.uniform(0.5, 1.5))  # noqa: S311 jitter is no secret
        return work()


@contextmanager
def connected(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection on which locks and settings hold; failures of psycopg come out of it in words.

    Raises:
        ConfigError: the DSN is none, or is the transaction pooler's. ServiceError: the database fails.
    """
    check_dsn(dsn)
    if str(conninfo_to_dict(dsn).get("port")) == "6543":
        raise ConfigError(
            "DATABASE_URL",
            "port 6543 is the transaction pooler, behind which locks and settings do not hold",
            "Use the session pooler or the direct connection, port 5432",
        )
    name = f"run_migration on {socket.gethostname()[:30]}, process {os.getpid()}"
    try:
        with psycopg.connect(
            dsn, connect_timeout=CONNECT_SECONDS, prepare_threshold=None, autocommit=True, application_name=name
        ) as connection:
            connection.execute(statements.LET_GO)
            yield connection
    except psycopg.Error as error:
        raise explained(error, dsn) from error


def rows_of(connection: psycopg.Connection[Any], text: str) -> list[dict[str, Any]]:
    """The rows that a text of SQL answers last, as the Management API gives them."""
    found: list[dict[str, Any]] = []
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(text.encode())
        for result in cursor.results():
            found = result.fetchall() if result.description else found
    return found


def applied_in(connection: psycopg.Connection[Any]) -> dict[str, str | None]:
    """Checksums by applied version; none where there is no history yet."""
    return applied_by(lambda text: rows_of(connection, text))


def applied_by(ask: Callable[[str], list[dict[str, Any]]]) -> dict[str, str | None]:
    """The same from whatever answers a text of SQL with rows."""
    (there,) = ask(statements.TABLES_OF_HISTORY)
    if not there["versions"]:
        return {}
    found = ask(statements.VERSIONS_WITH_SUMS if there["sums"] else statements.VERSIONS)
    return {row["version"]: row["sha256"] for row in found}
