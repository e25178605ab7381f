"""Both services as they were at a moment, to begin from again and again, and what a run left, to be compared."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.world import TABLES, World
from utils.local.notion import serve

_NUMBER = itertools.count(1)


@dataclass(frozen=True)
class Snapshot:
    """The tables' rows as JSON, the sandbox's file, and the ids of the pages that there were."""

    tables: Mapping[str, str]
    file: Path
    pages: frozenset[str]


def taken(world: World) -> Snapshot:
    """Both services as they are now."""
    file = world.folder / f"snapshot-{next(_NUMBER)}.db"
    with closing(sqlite3.connect(world.folder / "notion.db")) as source, closing(sqlite3.connect(file)) as copy:
        source.backup(copy)
    rows = sql.SQL("select coalesce(jsonb_agg(to_jsonb(t)), '[]')::text as rows from {} t")
    tables = {}
    for name in TABLES:
        found = world.db.execute(rows.format(sql.Identifier(name))).fetchone()
        assert found is not None
        tables[name] = found["rows"]
    shown = [*world.sandbox.control.pages(), *world.sandbox.control.pages(in_trash=True)]
    return Snapshot(tables, file, frozenset(page["id"] for page in shown))


@contextmanager
def restored(snapshot: Snapshot, world: World, workers: int = 1) -> Iterator[World]:
    """A world that begins as the snapshot has it; it takes the database of the one given."""
    world.watch.excuse(1, "others went on in its database")
    fill(world.dsn, snapshot)
    folder = world.folder / f"again-{next(_NUMBER)}"
    folder.mkdir()
    with closing(sqlite3.connect(snapshot.file)) as source, closing(sqlite3.connect(folder / "notion.db")) as copy:
        source.backup(copy)
    with (
        serve(folder / "notion.db") as sandbox,
        World(world.dsn, sandbox, folder, world.project, workers, lender=world.lender) as again,
    ):
        yield again


def fill(dsn: str, snapshot: Snapshot) -> None:
    """Puts the tables back, past all triggers; links are as fresh as they were, however long ago that is."""
    with psycopg.connect(dsn) as db:
        db.execute("set session_replication_role = replica")
        for name in TABLES:  # quicker than to truncate
            db.execute(sql.SQL("delete from {}").format(sql.Identifier(name)))
        for name, rows in snapshot.tables.items():
            table = sql.Identifier(name)
            statement = sql.SQL(
                "insert into {} overriding system value select * from jsonb_populate_recordset(null::{}, %s::jsonb)"
            )
            db.execute(statement.format(table, table), (rows,))
        db.execute("update sync_links set updated_at = clock_timestamp()")


def end(world: World, snapshot: Snapshot) -> dict[str, Any]:
    """What both sides have and what the sync knows of it, but for times, runs and the ids of new pages."""
    known = snapshot.pages

    def page_name(page_id: str) -> str:
        return page_id if page_id in known else "a new page"

    pages = [*world.sandbox.control.pages(), *world.sandbox.control.pages(in_trash=True)]
    shown = [
        (repr(sorted(world.sandbox.control.values(page["id"]).items())), page["in_trash"], page_name(page["id"]))
        for page in pages
    ]
    links = world.db.execute(
        "select decision_id::text as id, page_id::text as page, state, base_row, base_page, intent, todo"
        " from sync_links order by 1"
    ).fetchall()
    log = world.db.execute("select decision_id::text, field, before, after, winner from sync_log").fetchall()
    history = world.db.execute("select was - 'updated_at' - 'synced' as was from decision_history").fetchall()
    return {
        "rows": world.rows(),
        "unsynced": world.db.execute("select id from decision_vault where not synced order by id").fetchall(),
        "pages": sorted(shown),
        "links": [{**link, "page": page_name(link["page"] or "")} for link in links],
        "log": sorted({repr(sorted(row.items())) for row in log}),
        "history": sorted({repr(sorted(row["was"].items())) for row in history}),
    }


def standing(found: Mapping[str, Any]) -> dict[str, Any]:
    """Of an end, all but the history."""
    return {name: part for name, part in found.items() if name != "history"}
