"""PostgreSQL itself, for what has to be one transaction: reading all tables at one moment, and restoring."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from utils.backup.snapshot import TABLES, UNREADABLE, Row, Table, is_deep
from utils.stores.postgres import CONNECT_SECONDS, check_dsn, explained

_LOCAL = "set local timezone = 'UTC'; set local statement_timeout = '120s'; set local lock_timeout = '10s'"


def read_database(dsn: str) -> tuple[datetime, dict[str, list[Row]], list[str]]:
    """All tables of a backup as they were at one moment, which is the database's; and the rows left out, a line each.

    Raises:
        ServiceError: it is unreachable or refuses.
    """
    with _connected(dsn, reading=True) as connection:
        row = connection.execute("select now()").fetchone() or [None]
        left_out: list[str] = []
        return row[0], {table.name: _rows(connection, table, left_out) for table in TABLES}, left_out


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


def _rows(connection: psycopg.Connection[Any], table: Table, left_out: list[str]) -> list[Row]:
    """A table's rows; those with JSON that cannot be read are left out."""
    statement = sql.SQL("select {0}::text, to_jsonb(t)::text from public.{1} t order by {0}").format(
        sql.Identifier(table.key), sql.Identifier(table.name)
    )
    rows = []
    for key, text in connection.execute(statement):
        try:
            row = json.loads(text)
            if table.documents and is_deep(row):
                raise RecursionError  # noqa: TRY301 - as the parser's own, which sees it later
            rows.append(row)
        except (ValueError, RecursionError):
            left_out.append(f"{table.name} {key} is left out: {UNREADABLE}")
    return rows
