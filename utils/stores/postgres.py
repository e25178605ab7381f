"""The vault over PostgreSQL's own protocol: psycopg 3, a pool, timeouts, a total deadline."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, LiteralString

from utils.errors import AnglesError, BusyError, ConfigError, ServiceError

if TYPE_CHECKING:
    import psycopg
    import psycopg_pool

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 60
DEADLINE_SECONDS = 90.0
POOL_SIZE = 6

_SESSION: LiteralString = (
    "set statement_timeout = '60s'; set lock_timeout = '10s'; set idle_in_transaction_session_timeout = '60s'; "
    "set timezone = 'UTC'"
)
_PASSING = {"40001", "40P01", "55P03", "53300", "57P01", "57P02", "57P03", "08000", "08003", "08006", "08P01"}
"""SQLSTATEs that pass by themselves: serialization, deadlock, lock timeout, full house, restart, cut connection."""

_LEASE_LOST = "AL001"


class PostgresTransport:
    """Calls functions through a pool. Thread-safe.

    Args:
        dsn: a libpq URL. Statements are never prepared, so that a transaction pooler may stand between.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: psycopg_pool.ConnectionPool[Any] | None = None

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        """Calls a function; repeats it after failures that pass, within the deadline. See `Transport.call`."""
        import psycopg
        import psycopg_pool

        end = time.monotonic() + DEADLINE_SECONDS
        pause = 0.1
        while True:
            try:
                return self._once(function, payload)
            except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
                if not _passes(error) or time.monotonic() + pause > end:
                    raise explained(error, self._dsn) from error
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 jitter is no secret
            pause = min(pause * 2, 5.0)

    def close(self) -> None:
        """Closes the pool."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _once(self, function: str, payload: Mapping[str, Any]) -> Any:
        from psycopg import sql

        statement = sql.SQL("select public.{}(%s::text)").format(sql.Identifier(function))
        text = json.dumps(payload, ensure_ascii=True, default=str)
        with self._open().connection(timeout=CONNECT_SECONDS) as connection:
            row = connection.execute(statement, (text,)).fetchone()
            return row[0] if row else None

    def _open(self) -> psycopg_pool.ConnectionPool[Any]:
        """The pool, opened at first use, after one plain connection that says why it fails, if it does."""
        if self._pool is None:
            import psycopg
            import psycopg_pool

            keep = {"keepalives_idle": 30, "keepalives_interval": 10, "tcp_user_timeout": STATEMENT_SECONDS * 1000}
            options = {"connect_timeout": CONNECT_SECONDS, "prepare_threshold": None, "autocommit": True, **keep}
            psycopg.connect(self._dsn, **options).close()  # type: ignore[arg-type]
            self._pool = psycopg_pool.ConnectionPool(
                self._dsn, kwargs=options, min_size=1, max_size=POOL_SIZE, configure=_configure, open=True
            )
        return self._pool


def explained(error: Exception, dsn: str) -> AnglesError:
    """The error that says what to do about a failure of psycopg; never holds the password."""
    import psycopg

    where = f"database {_place(dsn)}"
    state = getattr(error, "sqlstate", None) or ""
    message = _first_line(error)
    if state == _LEASE_LOST:
        return BusyError("sync", message, "It goes on with what this one left")
    if state in {"42883", "42P01", "42703", "3F000"}:
        return ConfigError(
            where, f"its schema is not the one of this version ({message})", "Run: python run_migration.py"
        )
    if state == "42501":
        return ServiceError(where, f"the role lacks a privilege ({message})", "Use the owner's or service_role's login")
    if state == "57014":
        return ServiceError(where, f"a statement took over {STATEMENT_SECONDS} s", "Look for a long transaction there")
    if "password authentication failed" in message or state.startswith("28"):
        return ServiceError(where, "refuses the user or password", "Check DATABASE_URL")
    if state == "3D000" or ('database "' in message and "does not exist" in message):
        return ServiceError(where, "there is no database of this name", "Check the path of DATABASE_URL")
    if isinstance(error, psycopg.OperationalError):
        return ServiceError(where, f"cannot be reached ({message})", "Check that it runs and DATABASE_URL is right")
    return ServiceError(where, f"failed ({state or type(error).__name__}: {message})", "The log has the details")


def _passes(error: Exception) -> bool:
    """Whether a failure may pass by itself: a statement or a connection that was cut, never a refused login."""
    import psycopg

    state = getattr(error, "sqlstate", None)
    if state is not None:
        return state in _PASSING
    if isinstance(error, psycopg.OperationalError):
        text = str(error)
        return "connection failed" not in text and "could not translate" not in text and "failed to resolve" not in text
    return False


def _configure(connection: psycopg.Connection[Any]) -> None:
    connection.execute(_SESSION)


def _place(dsn: str) -> str:
    """Host and port of a connection string."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.Error:
        return "of DATABASE_URL"
    return f"{parts.get('host') or 'localhost'}:{parts.get('port') or 5432}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip().rstrip(".") if "connection failed" in lines[0] else lines[0].strip().rstrip(".")
