"""What a restore would do to the vault and to files, decided row by row. Pure.

A redaction marker never gets into the place of a live value, and where nothing is live only when that is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from utils.backup.snapshot import BY_NAME, TABLES, Row, Snapshot, Table, has_mark, is_kept_out, moment
from utils.decision import FIELDS

Redact = Callable[[Any], Any]


class Kind(Enum):
    """How a row of the backup stands to the vault's."""

    NEW = "new"
    SAME = "same"
    LIVE_NEWER = "live is newer"
    BACKUP_NEWER = "backup is newer"
    BOTH = "both differ from what was agreed"
    TAKEN = "another row has its number"


class Action(Enum):
    """What becomes of it."""

    ADD = "add"
    OVERWRITE = "overwrite"
    LEAVE = "leave"


@dataclass(frozen=True)
class Step:
    """One row, and what a restore does with it.

    Args:
        table, id: the row's.
        kind, action: how it stands, what is done.
        row: as it will be.
        expect: the live image that it takes the place of; None where there is none.
        live: the live row, for the undo.
        kept: fields that stay as they are live, since the backup has a marker there.
        why: why nothing is done, where that is not plain.
    """

    table: str
    id: str
    kind: Kind
    action: Action
    row: Row
    expect: Row | None = None
    live: Row | None = None
    kept: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Args:
        tables: those to restore; none means all that may be.
        ids: of decisions; none means all.
        on_collision: `keep`, `backup` or `newest`.
        accept_redacted: also add rows that hold a marker.
    """

    tables: Collection[str] = ()
    ids: Collection[str] = ()
    on_collision: str = "keep"
    accept_redacted: bool = False


@dataclass(frozen=True)
class Plan:
    """All steps, and what is left out, a line each."""

    steps: tuple[Step, ...]
    left_out: tuple[str, ...] = ()

    @property
    def acts(self) -> list[Step]:
        """Those that write."""
        return [step for step in self.steps if step.action is not Action.LEAVE]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many rows stand how, by table."""
        found = Counter((step.table, f"{step.kind.value}: {step.action.value}") for step in self.steps)
        return {
            table.name: {what: count for (name, what), count in sorted(found.items()) if name == table.name}
            for table in TABLES
            if any(name == table.name for name, _ in found)
        }


def plan(backup: Snapshot, live: Mapping[str, list[Row]], wanted: Wanted, redact: Redact) -> Plan:
    """What a restore would do.

    Args:
        backup: verified.
        live: the vault's rows by table.
        wanted: what is asked for.
        redact: takes secrets out of a JSON value, as the backup did.
    """
    goes_whole = not (live["decision_vault"] or live["sync_links"]) or _holds_nothing_else(backup, live, redact)
    agreed = {link["decision_id"]: link["base_row"] for link in live["sync_links"]}
    rows = {row["id"]: row for row in live["decision_vault"]}
    steps = [
        _decision(row, rows.get(row["id"]), agreed.get(row["id"]), wanted, redact)
        for row in backup.rows("decision_vault")
        if not wanted.ids or row["id"] in wanted.ids
    ]
    present = set(rows) | {step.id for step in steps if step.action is Action.ADD}
    left_out = [
        f"decision {name}: is not in the backup" for name in sorted({*wanted.ids} - {each.id for each in steps})
    ]
    if wanted.tables and "decision_vault" not in wanted.tables:
        steps, present = [], set(rows)
    for table in TABLES[1:]:
        asked = table.name in wanted.tables or (goes_whole and not wanted.tables)
        if asked and not goes_whole and table.name in _ONLY_EMPTY:
            left_out.append(f"{table.name}: is restored into an empty vault alone")
        elif asked:
            there = {row[table.key]: row for row in live[table.name]}
            steps += [
                _addition(table, row, there.get(row[table.key]), wanted, redact)
                for row in backup.rows(table.name)
                if _belongs(table.name, row, wanted, present)
            ]
    return Plan(tuple(steps), tuple(left_out))


def _holds_nothing_else(backup: Snapshot, live: Mapping[str, list[Row]], redact: Redact) -> bool:
    """Whether all that the vault has is in the backup too: a restore into an empty one was cut off, and goes on."""
    for name, names in (("decision_vault", FIELDS), ("sync_links", ()), ("decision_history", ())):
        key = BY_NAME[name].key
        kept = {row[key]: row for row in backup.rows(name)} if live[name] else {}
        if not all(_alike(row, kept.get(row[key], {}), redact, names or row) for row in live[name]):
            return False
    return True


_ONLY_EMPTY = {"sync_links", "decision_history"}
"""Links say what both sides agreed on last, and history has numbers: beside live ones, either would be wrong."""


def _belongs(table: str, row: Row, wanted: Wanted, present: Collection[str]) -> bool:
    """Whether a row goes along: with some decisions only what is theirs, and no link without its decision.

    The sync would take such a link for the deletion of a row, and trash its page.
    """
    owner = row.get("decision_id")
    if wanted.ids and owner not in wanted.ids:
        return False
    return table != "sync_links" or owner in present


def _addition(table: Table, row: Row, there: Row | None, wanted: Wanted, redact: Redact) -> Step:
    key = str(row[table.key])
    if there is not None:
        is_same = _alike(there, row, redact, row)
        kind = Kind.SAME if is_same else Kind.TAKEN if table.name == "decision_history" else Kind.LIVE_NEWER
        return Step(table.name, key, kind, Action.LEAVE, row)
    if has_mark(row) and not wanted.accept_redacted:
        return Step(table.name, key, Kind.NEW, Action.LEAVE, row, why="holds a redacted value")
    return Step(table.name, key, Kind.NEW, Action.ADD, row)


def _decision(row: Row, live: Row | None, agreed: Row | None, wanted: Wanted, redact: Redact) -> Step:
    marked = tuple(name for name in FIELDS if has_mark(row.get(name)))
    if live is None:
        if marked and not wanted.accept_redacted:
            why = f"holds a redacted value in {', '.join(marked)}"
            return Step("decision_vault", row["id"], Kind.NEW, Action.LEAVE, row, why=why)
        return Step("decision_vault", row["id"], Kind.NEW, Action.ADD, row)
    kind = _kind(row, live, agreed, redact)
    if kind is Kind.SAME or not _overwrites(kind, row, live, wanted.on_collision):
        return Step("decision_vault", row["id"], kind, Action.LEAVE, row, live=live)
    kept = tuple(name for name in marked if live[name] != row[name])
    made = {**row, **{name: live[name] for name in kept}}
    return Step("decision_vault", row["id"], kind, Action.OVERWRITE, made, _image(live), live, kept)


def _kind(row: Row, live: Row, agreed: Row | None, redact: Redact) -> Kind:
    if _alike(live, row, redact):
        return Kind.SAME
    if agreed is not None and not _alike(live, agreed, redact) and not _alike(agreed, row, redact):
        return Kind.BOTH
    return Kind.BACKUP_NEWER if _stamp(row) > _stamp(live) else Kind.LIVE_NEWER


def _overwrites(kind: Kind, row: Row, live: Row, on_collision: str) -> bool:
    if on_collision == "newest":
        return kind is not Kind.LIVE_NEWER and _stamp(row) > _stamp(live)
    return on_collision == "backup"


def _alike(live: Row, row: Row, redact: Redact, names: Iterable[str] = FIELDS) -> bool:
    """Whether two rows have one content; a marker is alike to what would be redacted to it."""
    return all(
        live.get(name) == row.get(name) or (has_mark(row.get(name)) and redact(live.get(name)) == row[name])
        for name in names
    )


def _image(row: Row) -> Row:
    return {name: row[name] for name in FIELDS}


def _stamp(row: Row) -> datetime:
    return moment(row.get("updated_at"))


def refused(path: str) -> str:
    """Why a file of a backup may not be written at such a path, or ''."""
    parts = path.split("/")
    if path.startswith(("/", "~")) or ":" in parts[0]:
        return "is absolute"
    if ".." in parts or "\\" in path:
        return "leads out of the folder"
    if not path.isprintable() or {"", "."}.intersection(parts):
        return "is no path of a file"
    return "is of a kind that no backup holds" if is_kept_out(path) else ""


def as_of(live: Iterable[Row], history: Iterable[Row], known: Collection[int]) -> dict[str, Row]:
    """The decisions as they were when a snapshot was taken, from what is live now and the history since.

    Args:
        live: today's rows; those made since stay among them, which the history does not tell.
        history: today's rows of `decision_history`.
        known: the ids of history that the snapshot has: the others came later.
    """
    then = {row["id"]: row for row in live}
    for event in sorted((row for row in history if row["id"] not in known), key=lambda row: -int(row["id"])):
        then[event["decision_id"]] = event["was"]
    return then
