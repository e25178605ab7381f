"""Brings a database to the schema of `supabase/migrations`: one transaction a file, one runner at a time.

The history is the one of Supabase's own CLI (`supabase_migrations.schema_migrations`), so that what either applied is
known to the other; a table beside it keeps each file's checksum, which the CLI does not.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from utils.config import ROOT
from utils.errors import BusyError, ConfigError, SafetyError, ServiceError
from utils.stores.postgres import CONNECT_SECONDS, check_dsn, explained

_Result = TypeVar("_Result")

MIGRATIONS = ROOT / "supabase" / "migrations"
TOOL = "run_migration.py"
WAIT_SECONDS = 60.0
"""How long to wait for another runner."""

LOCK = 0x416E676C6573
"""The advisory lock's key."""

TRIES = 4
_NAME = re.compile(r"(\d{14})_(\w+)\.sql")
_CONTROL = re.compile(r"(begin|start\s+transaction|commit|end|rollback|abort|prepare\s+transaction)\b", re.IGNORECASE)
_PASSING = {"55P03", "40P01"}
"""SQLSTATEs after which a whole file is tried again: lock timeout, deadlock."""

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?\*/)|(?P<end>;)"""
    r"""|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|\b[eE]'(?:[^'\\]|\\.|'')*'|'[^']*'|"[^"]*"|\w+|.""",
    re.DOTALL,
)
"""What a statement is made of, as far as finding its end takes."""

_HISTORY = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations
  (version text not null primary key, statements text[], name text);
alter table supabase_migrations.schema_migrations add column if not exists statements text[];
alter table supabase_migrations.schema_migrations add column if not exists name text;
create table if not exists supabase_migrations.angles_applied
  (version text not null primary key, sha256 text not null, applied_at timestamptz not null, seconds real not null,
   tool text not null);
"""


@dataclass(frozen=True)
class Migration:
    """One file. `sha256` is of its text with line ends normalised."""

    version: str
    name: str
    sql: str
    sha256: str

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.version}_{self.name}.sql"


@dataclass(frozen=True)
class Status:
    """Where a database stands: versions applied, and files still to be applied, in their order."""

    applied: tuple[str, ...]
    pending: tuple[Migration, ...]


@dataclass(frozen=True)
class MigrationReport:
    """What a run did, or in a dry run would do."""

    applied: tuple[str, ...]
    already: tuple[str, ...]
    seconds: float
    dry_run: bool


def read_folder(folder: Path = MIGRATIONS) -> list[Migration]:
    """The migrations of a folder, in their order.

    Raises:
        ConfigError: the folder cannot be read, is empty, or holds a name that is none.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".sql")
        files = [(path.name, path.read_text(encoding="utf-8")) for path in paths]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(folder), f"cannot be read ({error})", "Check out the project again") from error
    if not files:
        raise ConfigError(str(folder), "holds no migration", "Check out the project again")
    return parse_files(files)


def parse_files(files: Sequence[tuple[str, str]]) -> list[Migration]:
    """Migrations out of (name, text) pairs. Pure.

    Raises:
        ConfigError: a name is no migration's, two have one version, or a file ends the transaction that it runs in.
    """
    found: dict[str, Migration] = {}
    for name, text in files:
        match = _NAME.fullmatch(name)
        if match is None:
            raise ConfigError(name, "is no migration's name", "Call it <14 digits>_<name>.sql")
        if match[1] in found:
            raise ConfigError(name, f"has the version of {found[match[1]].file}", "Give it a later one")
        for line, statement in split_statements(text):
            if _CONTROL.match(statement):
                raise ConfigError(
                    f"{name}:{line}", "begins or ends a transaction", "Take it out: a file is one by itself"
                )
        found[match[1]] = Migration(match[1], match[2], text, checksum(text))
    return [found[version] for version in sorted(found)]


def checksum(text: str) -> str:
    """SHA-256 of a text, the same whatever its line ends."""
    return hashlib.sha256(text.replace("\r\n", "\n").replace("\r", "\n").encode()).hexdigest()


def plan(files: Sequence[Migration], applied: Mapping[str, str | None]) -> Status:
    """What is applied and what is to be done. Pure.

    Args:
        files: in their order.
        applied: checksum by version; None where only the version is known.

    Raises:
        SafetyError: an applied file was edited, one is unknown, or a new one is older than an applied one.
    """
    known = {each.version: each for each in files}
    for version, sha256 in sorted(applied.items()):
        if version not in known:
            raise SafetyError(
                "migrations", f"the database has {version}, which is no file here", "Check out that version"
            )
        if sha256 is not None and sha256 != known[version].sha256:
            raise SafetyError(
                "migrations",
                f"{known[version].file} was edited after it was applied",
                "Put it back; add a new file instead",
            )
    pending = tuple(each for each in files if each.version not in applied)
    newest = max(applied, default="")
    if pending and pending[0].version < newest:
        raise SafetyError(
            "migrations", f"{pending[0].file} is older than {newest}, which is applied", "Give it a later version"
        )
    return Status(tuple(sorted(applied)), pending)


def split_statements(text: str) -> list[tuple[int, str]]:
    """The statements of a file, each with the line that it begins at. Pure.

    Quotes, comments and $-quoted bodies are kept whole. A body in the form BEGIN ATOMIC … END would be cut at its
    semicolons (which the server then refuses): write RETURN or a $-quoted one.
    """
    found: list[tuple[int, str]] = []
    start: int | None = None
    for token in _TOKEN.finditer(text):
        if token["end"]:
            if start is not None:
                found.append((text.count("\n", 0, start) + 1, text[start : token.start()]))
            start = None
        elif start is None and not token["blank"]:
            start = token.start()
    if start is not None:
        found.append((text.count("\n", 0, start) + 1, text[start:].rstrip()))
    return found


def status(dsn: str, *, folder: Path = MIGRATIONS) -> Status:
    """Where a database stands, changing nothing."""
    files = read_folder(folder)
    with _connection(dsn) as connection:
        return plan(files, _applied(connection))


def migrate(
    dsn: str, *, folder: Path = MIGRATIONS, dry_run: bool = False, now: datetime, wait: float = WAIT_SECONDS
) -> MigrationReport:
    """Applies what is pending; a dry run executes everything and rolls back.

    Raises:
        BusyError: another runner holds the lock. SafetyError: see `plan`. ConfigError: a file fails.
        ServiceError: the database cannot be reached or refuses.
    """
    started = time.monotonic()
    files = read_folder(folder)
    with _connection(dsn) as connection:
        runner = _Runner(connection, files, now, started + wait)
        applied = runner.rehearse() if dry_run else runner.apply()
        already = tuple(each.version for each in files if each.file not in applied)
    return MigrationReport(tuple(applied), already, time.monotonic() - started, dry_run)


@dataclass
class _Runner:
    connection: psycopg.Connection[Any]
    files: Sequence[Migration]
    now: datetime
    deadline: float

    def apply(self) -> list[str]:
        """Applies pending files one by one, each in a transaction that looks again at what is pending."""
        done: list[str] = []
        while self._with_retries(lambda: self._next(done)):
            pass
        if done:
            self.connection.execute("notify pgrst, 'reload schema'")
        self._check_access()
        return done

    def rehearse(self) -> list[str]:
        """Executes everything in one transaction and rolls it back."""
        return self._with_retries(self._rehearsed)

    def _rehearsed(self) -> list[str]:
        with self.connection.transaction(force_rollback=True):
            self._lock()
            pending = plan(self.files, _applied(self.connection)).pending
            for migration in pending:
                self._bring(migration)
            self._check_access()
        return [each.file for each in pending]

    def _next(self, done: list[str]) -> bool:
        """Applies the first file that is pending; answers whether there are more."""
        with self.connection.transaction():
            self._lock()
            pending = plan(self.files, _applied(self.connection)).pending
            if not pending:
                return False
            self._bring(pending[0])
        done.append(pending[0].file)
        return len(pending) > 1

    def _bring(self, migration: Migration) -> None:
        """Executes a file and enters it into the history."""
        self.connection.execute("set local lock_timeout = '5s'; set local statement_timeout = '10min'")
        self.connection.execute(_HISTORY)
        started = time.monotonic()
        statements = split_statements(migration.sql)
        for line, statement in statements:
            self._execute(migration, line, statement)
        self.connection.execute(
            "insert into supabase_migrations.schema_migrations (version, name, statements) values (%s, %s, %s)",
            (migration.version, migration.name, [statement for _, statement in statements]),
        )
        self.connection.execute(
            "insert into supabase_migrations.angles_applied values (%s, %s, %s, %s, %s)",
            (migration.version, migration.sha256, self.now, time.monotonic() - started, TOOL),
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
        """Makes sure that the role of the REST API may use every table and function of ours.

        Raises:
            ServiceError: a privilege is missing.
        """
        lacking = self.connection.execute(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = 'public' and c.relkind = 'r' and c.relname = any (%s)"
            " and not (has_table_privilege('service_role', c.oid, 'select')"
            " and has_table_privilege('service_role', c.oid, 'insert')"
            " and has_table_privilege('service_role', c.oid, 'update')"
            " and has_table_privilege('service_role', c.oid, 'delete'))"
            " union all select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
            " where n.nspname = 'public' and p.proname = any (%s)"
            " and not has_function_privilege('service_role', p.oid, 'execute')",
            (_names(self.files, "table if not exists"), _names(self.files, "or replace function")),
        ).fetchall()
        if lacking:
            names = ", ".join(name for (name,) in lacking)
            raise ServiceError(
                "database", f"service_role lacks privileges on {names}", "Apply the migrations as the owner"
            )

    def _lock(self) -> None:
        """Waits for the lock that ends with the transaction.

        Raises:
            BusyError: it was not free in time; names its holder.
        """
        while not self._value("select pg_try_advisory_xact_lock(%s)", LOCK):
            if time.monotonic() > self.deadline:
                holder = self._value(
                    "select format('%%s, as %%s', coalesce(nullif(a.application_name, ''), 'server process ' || a.pid),"
                    " a.usename) from pg_locks l join pg_stat_activity a on a.pid = l.pid"
                    " where l.locktype = 'advisory' and l.granted and a.datname = current_database()"
                    " and (l.classid::bigint << 32) | l.objid::bigint = %s",
                    LOCK,
                )
                raise BusyError(
                    "migrations", f"another runner holds the lock ({holder})", "Wait for it, then run again"
                )
            time.sleep(0.1)

    def _value(self, statement: Any, *arguments: Any) -> Any:
        row = self.connection.execute(statement, arguments).fetchone()
        return row[0] if row else None

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
def _connection(dsn: str) -> Iterator[psycopg.Connection[Any]]:
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
            yield connection
    except psycopg.Error as error:
        raise explained(error, dsn) from error


def _applied(connection: psycopg.Connection[Any]) -> dict[str, str | None]:
    """Checksums by applied version; none where there is no history yet."""
    there = connection.execute(
        "select to_regclass('supabase_migrations.schema_migrations'), to_regclass('supabase_migrations.angles_applied')"
    ).fetchone()
    if there is None or there[0] is None:
        return {}
    versions = connection.execute("select version from supabase_migrations.schema_migrations").fetchall()
    found: dict[str, str | None] = {version: None for (version,) in versions}
    if there[1] is not None:
        sums = connection.execute("select version, sha256 from supabase_migrations.angles_applied").fetchall()
        found.update((version, sha256) for version, sha256 in sums if version in found)
    return found


def _names(files: Sequence[Migration], what: str) -> list[str]:
    """The names of the public things that files make."""
    pattern = re.compile(rf"^create {what} public\.(\w+)", re.MULTILINE)
    return sorted({name for each in files for name in pattern.findall(each.sql)})
