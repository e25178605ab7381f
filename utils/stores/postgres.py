"""The vault over PostgreSQL's own protocol: psycopg 3, a pool, timeouts, a total deadline."""

from __future__ import annotations

import json
import math
import random
import re
import threading
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, LiteralString, TypeVar
from urllib.parse import urlsplit

import psycopg
import psycopg_pool
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from utils.errors import AnglesError, ConfigError, ServiceError

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 60
DEADLINE_SECONDS = 90.0
POOL_SIZE = 6

_SESSION: LiteralString = (
    "set statement_timeout = '60s'; set lock_timeout = '10s'; set idle_in_transaction_session_timeout = '60s'; "
    "set timezone = 'UTC'"
)
_PASSING = ("40001", "40P01", "55P03", "53300", "57P", "08")
"""How SQLSTATEs begin that pass by themselves: serialization, deadlock, lock timeout, full house, restart, cut."""

_PASSING_LOGIN = re.compile(r"the database system is|too many clients|remaining connection slots")
"""What a server says that cannot take a connection just now (a failed connection shows no SQLSTATE)."""

_SCHEMA = {"42883", "42P01", "42703", "3F000"}
_BAD_TEXT = {"22021", "22P05", "22P02"}
_AS_JSON: Mapping[str, LiteralString] = {
    **dict.fromkeys(("text", "character varying", "boolean", "smallint", "integer", "bigint", "jsonb"), "{}"),
    **dict.fromkeys(("uuid", "date"), "{}::text"),
    "timestamp with time zone": "to_json({}) #>> '{{}}'",
}
"""How a column of a type is asked for so that it arrives as JSON has it; any other is made JSON by the server."""

T = TypeVar("T")
_HOST = re.compile(r"[\w.,:%-]*", re.ASCII)


class PostgresTransport:
    """Calls functions through a pool. Thread-safe.

    Args:
        dsn: a libpq URL. Statements are never prepared, so that a transaction pooler may stand between.
        deadline: seconds after which a call gives up, whatever it waits for.
    """

    def __init__(self, dsn: str, *, deadline: float = DEADLINE_SECONDS) -> None:
        self._dsn = dsn
        self._deadline = deadline
        self._opening = threading.Lock()
        self._pool: psycopg_pool.ConnectionPool[_Connection] | None = None
        self._columns: dict[str, sql.Composable] = {}

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        """Calls a function; repeats it after failures that pass, within the deadline. See `Transport.call`."""
        statement = sql.SQL("select public.{}(%s::text)").format(sql.Identifier(function))
        text = json.dumps(payload, ensure_ascii=True, default=str)
        rows = self._ask(lambda connection: connection.execute(statement, (text,)).fetchall())
        return rows[0][0] if rows else None

    def read(self, table: str, after: str | None, limit: int) -> list[dict[str, Any]]:
        """Reads rows of a table. See `Transport.read`."""
        if table not in self._columns:
            self._columns[table] = self._ask(lambda connection: _columns(connection, table))
        condition = sql.SQL("where t.id > {}").format(sql.Literal(after)) if after is not None else sql.SQL("")
        statement = sql.SQL("select {} from public.{} t {} order by t.id limit {}").format(
            self._columns[table], sql.Identifier(table), condition, sql.Literal(limit)
        )
        return self._ask(lambda connection: _json_rows(connection, statement))

    def close(self) -> None:
        """Closes the pool."""
        with self._opening:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def _ask(self, question: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Asks; asks again after failures that pass, within the deadline."""
        end = time.monotonic() + self._deadline
        pause = 0.0  # what was cut while it was idle is repeated at once
        while True:
            try:
                return self._once(question, end)
            except psycopg.Error as error:
                if not _passes(error) or time.monotonic() + pause > end:
                    raise explained(error, self._dsn) from error
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 jitter is no secret
            pause = min(max(pause * 2, 0.1), 5.0)

    def _once(self, question: Callable[[psycopg.Connection[Any]], T], end: float) -> T:
        pool = self._open(end)
        try:
            with pool.connection(timeout=_seconds(end)) as connection:
                connection.end = end
                return question(connection)
        except psycopg_pool.PoolTimeout:
            self._connect(end).close()  # it says what the pool cannot
            raise
        except psycopg.OperationalError:
            pool.check()  # what cut this connection may have cut the others
            raise

    def _open(self, end: float) -> psycopg_pool.ConnectionPool[_Connection]:
        """The pool, opened at first use, after one plain connection that says why it fails, if it does."""
        with self._opening:
            if self._pool is None:
                check_dsn(self._dsn)
                self._connect(end).close()
                self._pool = psycopg_pool.ConnectionPool(
                    self._dsn,
                    connection_class=_Connection,
                    kwargs=_options(CONNECT_SECONDS),
                    min_size=1,
                    max_size=POOL_SIZE,
                    configure=_configure,
                    open=True,
                )
            return self._pool

    def _connect(self, end: float) -> psycopg.Connection[Any]:
        return psycopg.connect(self._dsn, **_options(_seconds(end)))


def _columns(connection: psycopg.Connection[Any], table: str) -> sql.Composable:
    """What to select of a table: what psycopg reads as JSON has it by itself, all else made JSON by the server."""
    found = connection.execute(
        "select attname, format_type(atttypid, null) from pg_attribute"
        " where attrelid = format('public.%%I', %s::text)::regclass and attnum > 0 and not attisdropped"
        " order by attnum",
        (table,),
    ).fetchall()
    return sql.SQL(", ").join(_column(sql.Identifier(name), kind) for name, kind in found)


def _column(name: sql.Identifier, kind: str) -> sql.Composable:
    return sql.SQL(_AS_JSON.get(kind, "to_jsonb({})") + " as {}").format(name, name)


def _json_rows(connection: psycopg.Connection[Any], statement: sql.Composed) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement).fetchall()


class _Connection(psycopg.Connection[Any]):
    """A connection on which nothing is waited for after `end` (of the monotonic clock)."""

    end = math.inf

    def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **options: Any) -> Any:
        """Waits as psycopg does, and no longer than `end`."""
        try:
            return super().wait(_until(self.end, gen), *arguments, **options)
        except _LateError:
            self.close()
            raise


class _LateError(psycopg.OperationalError):
    """The deadline passed before the answer came."""


def check_dsn(dsn: str) -> None:
    """Refuses what is no connection URL before libpq repeats pieces of it, which may be of the password.

    Raises:
        ConfigError: it cannot be read, or its password holds a character that has to be written in percent form.
    """
    try:
        parts = conninfo_to_dict(dsn)
        urlsplit(dsn).port  # noqa: B018 raises for what stands in its place
    except (psycopg.Error, ValueError):
        parts = {"host": "@"}
    hosts = str(parts.get("host") or "")
    if not (_HOST.fullmatch(hosts) or hosts.startswith("/")):
        raise ConfigError(
            "DATABASE_URL",
            "is no connection URL",
            "Write postgresql://user:password@host:5432/database, and in the password %40 for @, %2F for /, %25 for %",
        )


def explained(error: Exception, dsn: str) -> AnglesError:
    """The error that says what to do about a failure of psycopg; never holds the password."""
    where = f"database {_place(dsn)}"
    state = getattr(error, "sqlstate", None) or ""
    message = _first_line(error)
    if state in _SCHEMA:
        return ConfigError(
            where, f"its schema is not the one of this version ({message})", "Run: python run_migration.py"
        )
    if state in _BAD_TEXT:
        return ServiceError(where, f"refuses a text ({message})", "Take NUL and broken characters out of it")
    if state == "42501":
        return ServiceError(where, f"the role lacks a privilege ({message})", "Use the owner's or service_role's login")
    if state == "57014":
        return ServiceError(where, f"a statement took too long ({message})", "Look for a long transaction there")
    if "password authentication failed" in message or state.startswith("28"):
        return ServiceError(where, "refuses the user or password", "Check DATABASE_URL")
    if state == "3D000" or ('database "' in message and "does not exist" in message):
        return ServiceError(where, "there is no database of this name", "Check the path of DATABASE_URL")
    if isinstance(error, psycopg.OperationalError) and (not state or state.startswith(("08", "57P"))):
        return ServiceError(where, f"cannot be reached ({message})", "Check that it runs and DATABASE_URL is right")
    return ServiceError(where, f"failed ({state or type(error).__name__}: {message})", "The log has the details")


def _until(end: float, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """A generator of psycopg, given up when the time is over: it is resumed ten times a second at least."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() >= end:
                raise _LateError("no answer in time")
            wanted = gen.send(ready)
    except StopIteration as finished:
        return finished.value


def _options(connect_seconds: float) -> dict[str, Any]:
    return {
        "connect_timeout": math.ceil(connect_seconds),
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "tcp_user_timeout": STATEMENT_SECONDS * 1000,
        "prepare_threshold": None,
        "autocommit": True,
    }


def _seconds(end: float) -> float:
    """How long to wait for a connection."""
    return max(0.1, min(CONNECT_SECONDS, end - time.monotonic()))


def _passes(error: psycopg.Error) -> bool:
    """Whether a failure may pass by itself: a statement or a connection that was cut, never a refused login."""
    if error.sqlstate is not None:
        return error.sqlstate.startswith(_PASSING)
    text = str(error)
    if "connection failed" in text:
        return _PASSING_LOGIN.search(text) is not None
    unresolved = "could not translate" in text or "failed to resolve" in text
    return isinstance(error, psycopg.OperationalError) and not unresolved


def _configure(connection: _Connection) -> None:
    connection.execute(_SESSION)
    connection.end = time.monotonic() + CONNECT_SECONDS  # for what the pool does with it before its first call


def _place(dsn: str) -> str:
    """Host and port of a connection string that was checked."""
    try:
        check_dsn(dsn)
    except ConfigError:
        return "of DATABASE_URL"
    parts = conninfo_to_dict(dsn)
    return f"{parts.get('host') or 'localhost'}:{parts.get('port') or 5432}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip().rstrip(".") if "connection failed" in lines[0] else lines[0].strip().rstrip(".")
