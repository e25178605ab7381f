"""Proves a backup: restores it into a scratch PostgreSQL, reads it back, and holds it against the live vault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from utils.backup.apply import batches
from utils.backup.clean import as_backed_up
from utils.backup.direct import columns, read_database, transaction
from utils.backup.plan import as_of
from utils.backup.snapshot import BY_NAME, TABLES, Row, Snapshot, has_mark, moment
from utils.decision import FIELDS
from utils.local.postgres import scratch
from utils.migrations import migrate
from utils.redact import Redactor
from utils.stores.postgres import STATEMENT_SECONDS

REPORT = Path("logs", "active", "restore_test.json")
SHOWN = 50
"""How many differences the report names."""


@dataclass
class Proof:
    """What a restore test found.

    Args:
        commit: the snapshot's.
        taken: when it was taken.
        restored: rows by table that came back from the scratch database as the snapshot has them.
        compared: decisions held against the live vault as it was then.
        differences: a line each; none is a pass.
        notes: what could not be compared, a line each.
    """

    run: str
    at: datetime
    commit: str = ""
    taken: str = ""
    restored: dict[str, int] = field(default_factory=dict)
    compared: int = 0
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def json(self) -> dict[str, Any]:
        """As `restore_test.json` has it."""
        count = len(self.differences)
        told = {**vars(self), "at": self.at.isoformat(), "differences": self.differences[:SHOWN]}
        return {"schema": 1, "passed": not count, "differences_count": count, **told}

    def closing_line(self) -> str:
        """What the person who waits reads."""
        rows = sum(self.restored.values())
        if self.differences:
            return f"restore test failed: {len(self.differences)} differences; {self.differences[0]}"
        return (
            f"restore test passed: {rows} rows of {self.commit[:12]} restored, {self.compared} held against the vault"
        )


def restored(snapshot: Snapshot, parent: Path, now: datetime) -> tuple[dict[str, list[Row]], dict[str, set[str]]]:
    """A snapshot's rows as a scratch database gives them back, by table, and the columns that it has.

    Args:
        snapshot: verified.
        parent: where the scratch database's folder goes.
        now: the time, for the scratch database's history of migrations.
    """
    with scratch(parent) as dsn:
        migrate(dsn, now=now)
        with transaction(dsn) as one:
            for table in TABLES:
                for some in batches(snapshot.rows(table.name)):
                    one.call("restore_add", {"run": "restore test", "table": table.name, "rows": some})
        return read_database(dsn)[1], {table.name: columns(dsn, table.name) for table in TABLES}


def compare_restored(
    snapshot: Snapshot, found: Mapping[str, Sequence[Row]], known: Mapping[str, set[str]], proof: Proof
) -> None:
    """Holds what came back against the snapshot, row by row and column by column."""
    for table in TABLES:
        back = {row[table.key]: row for row in found[table.name]}
        rows = snapshot.rows(table.name)
        if lacking := sorted({name for row in rows for name in row} - known[table.name]):
            proof.notes.append(f"{table.name}: this version has no column {', '.join(lacking)}")
        same = 0
        for row in rows:
            wrong = list(_differing(row, back.get(row[table.key]), known[table.name]))
            proof.differences += [f"{table.name} {row[table.key]}: {each} after the restore" for each in wrong]
            same += not wrong
        told = snapshot.manifest["rows"].get(table.name, 0)
        if len(back) != told:
            proof.differences.append(f"{table.name}: {len(back)} rows came back, the manifest says {told}")
        proof.restored[table.name] = same


def compare_live(
    snapshot: Snapshot, live: Mapping[str, Sequence[Row]], taken: datetime, redactor: Redactor, proof: Proof
) -> None:
    """Holds the snapshot's decisions against the live vault's as they were when it was taken; markers aside."""
    known = {row["id"] for row in snapshot.rows("decision_history")}
    rows = {row["id"]: row for row in snapshot.rows("decision_vault")}
    then = {
        name: row
        for name, row in as_of(live["decision_vault"], live["decision_history"], known).items()
        if name in rows or moment(row.get("created_at")) <= taken
    }
    unsure = _unsure(snapshot, live, then, rows, taken)
    if unsure:
        proof.notes.append(f"{len(unsure)} decisions were being written while the snapshot was taken: not compared")
    for name in sorted((rows.keys() - then.keys()) - unsure):
        proof.differences.append(f"decision_vault {name}: is in the snapshot, and was not in the vault then")
    for name in sorted((then.keys() - rows.keys()) - unsure):
        proof.differences.append(f"decision_vault {name}: was in the vault then, and is not in the snapshot")
    both = (rows.keys() & then.keys()) - unsure
    for name in sorted(both):
        proof.differences += [
            f"decision_vault {name}: {field_} is not what it was in the vault then"
            for field_ in FIELDS
            if rows[name][field_] != then[name][field_] and not _is_marked(rows[name], then[name], field_, redactor)
        ]
    proof.compared = len(both)


def _unsure(
    snapshot: Snapshot,
    live: Mapping[str, Sequence[Row]],
    then: Mapping[str, Row],
    rows: Mapping[str, Row],
    taken: datetime,
) -> set[str]:
    """Decisions of which it cannot be told whether a snapshot should have them as it does.

    A row is stamped when its transaction begins, and seen by others when that ends; and what was read page by page may
    have changed between two pages.
    """
    early = taken - timedelta(seconds=STATEMENT_SECONDS)
    unsure = {name for name in then.keys() - rows.keys() if moment(then[name].get("created_at")) > early}
    if not isinstance(window := snapshot.manifest["read"], str):
        began, ended = moment(window["began"]), moment(window["ended"])
        unsure |= {
            row["decision_id"] for row in live["decision_history"] if began <= moment(row["changed_at"]) <= ended
        }
        unsure |= {row["id"] for row in live["decision_vault"] if began <= moment(row["created_at"]) <= ended}
    return unsure


def _is_marked(row: Row, live: Row, name: str, redactor: Redactor) -> bool:
    """Whether a field differs only by what was redacted in it."""
    return has_mark(row[name]) and as_backed_up(live, BY_NAME["decision_vault"], redactor)[name] == row[name]


def _differing(row: Row, back: Row | None, known: set[str]) -> Iterator[str]:
    if back is None:
        yield "is missing"
        return
    yield from (f"{name} differs" for name in sorted(known & row.keys()) if back[name] != row[name])
