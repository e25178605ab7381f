"""PostgreSQL itself, for what has to be one transaction: reading all tables at one moment, and restoring."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from utils.backup.snapshot import TABLES, Row, Table
from utils.stores.postgres import CONNECT_SECONDS, check_dsn, explained

_LOCAL = "set local timezone = 'UTC'; set local statement_timeout = '120s'; set local lock_timeout = '10s'"


def read_database(dsn: str) -> tuple[datetime, dict[str, list[Row]]]:
    """All tables of a backup as they were at one moment, which is the database's.

    Raises:
        ServiceError: it is unreachable or refuses.
    """
    with _connected(dsn, reading=True) as connection:
        row = connection.execute("select now()").fetchone() or [None]
        return row[0], {table.name: _rows(connection, table) for table in TABLES}


class Transaction:
    """Calls functions of the database in one transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        """Calls a function that takes one JSON text and answers one jsonb value."""
        statement = sql.SQL("select public.{}(%s::text)").format(sql.Identifier(function))
        row = self._connection.execute(statement, (json.dumps(payload),)).fetchone()
        return row[0] if row else None


@contextmanager
def transaction(dsn: str) -> Iterator[Transaction]:
    """One transaction, committed at the end of the block, and rolled back where it raises.

    Raises:
        ServiceError: it is unreachable or refuses; nothing was written.
    """
    with _connected(dsn) as connection:
        yield Transaction(connection)


def columns(dsn: str, table: str) -> set[str]:
    """The columns of a table."""
    with _connected(dsn) as connection:
        found = connection.execute(
            "select attname from pg_attribute where attrelid = format('public.%%I', %s::text)::regclass"
            " and attnum > 0 and not attisdropped",
            (table,),
        )
        return {name for (name,) in found}


@contextmanager
def _connected(dsn: str, *, reading: bool = False) -> Iterator[psycopg.Connection[Any]]:
    """One transaction on a connection of its own; to read, all of it at one moment."""
    check_dsn(dsn)
    try:
        with psycopg.connect(dsn, connect_timeout=CONNECT_SECONDS, prepare_threshold=None) as connection:
            if reading:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
            connection.execute(_LOCAL)
            yield connection
    except psycopg.Error as error:
        raise explained(error, dsn) from error


def _rows(connection: psycopg.Connection[Any], table: Table) -> list[Row]:
    statement = sql.SQL("select to_jsonb(t) as item from public.{} t order by {}").format(
        sql.Identifier(table.name), sql.Identifier(table.key)
    )
    return [item for (item,) in connection.execute(statement)]
