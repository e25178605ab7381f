"""Drift: what a database's schema is, held against what the files make in a scratch database."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from utils.migrations import statements
from utils.migrations.drift import Difference, differences
from utils.migrations.files import Migration, Names, names_in, plan
from utils.migrations.folder import MIGRATIONS, read_folder
from utils.migrations.runner import applied_by, connected, migrate_files, rows_of

Ask = Callable[[str], list[dict[str, Any]]]
"""Executes a text of SQL and answers the rows of its last statement."""


_BODY = "select prosrc from pg_proc where oid = to_regprocedure('public.schema_description(text)')"


def verify(ask: Ask, *, folder: Path = MIGRATIONS, now: datetime) -> list[Difference]:
    """The differences of a database from what the applied files make, and the files that are not applied.

    Where there is none, the schema's fingerprint is kept for the monitor.

    Raises:
        SafetyError: its history does not fit the files, see `plan`. ServiceError: it, or the scratch server, fails.
    """
    files = read_folder(folder)
    where = plan(files, applied_by(ask))
    pending = [
        Difference(f"migration {each.file}", "not applied", f"python {statements.TOOL}") for each in where.pending
    ]
    if not where.applied:
        return pending
    done = [each for each in files if each.version in where.applied]
    names = names_in(done)
    body, wanted = made(files, done, names, now)
    found = [*pending, *differences(wanted, described(ask, body, names), names)]
    if not found and statements.may_keep(names):
        ask(statements.keep(names))
    return found


def made(files: Sequence[Migration], done: Sequence[Migration], names: Names, now: datetime) -> tuple[str, list[Any]]:
    """The text that describes a schema, and what it says of a scratch database that the files `done` made."""
    from utils.local.postgres import scratch

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="verify-"))
        dsn = stack.enter_context(scratch(Path(folder)))
        connection = stack.enter_context(connected(dsn))
        migrate_files(dsn, done, now)
        complete = connection
        if len(done) < len(files):
            connection.execute("create database whole")
            whole = f"{dsn.rpartition('/')[0]}/whole"
            migrate_files(whole, files, now)
            complete = stack.enter_context(connected(whole))
        (row,) = rows_of(complete, _BODY)
        return row["prosrc"], described(lambda text: rows_of(connection, text), row["prosrc"], names)


def described(ask: Ask, body: str, names: Names) -> list[Any]:
    """What a schema is, by a text of ours: the function there may be another one by now."""
    (row,) = ask(f"set local search_path = ''; {body.replace('$1', statements.literal(names.json()))}")
    (described,) = row.values()
    return list(described or [])
