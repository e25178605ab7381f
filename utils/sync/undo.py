"""Puts back into the vault what a run overwrote: a run of its own, recorded, and undone alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from utils.decision import Decision, Value, same, unfit_for_vault
from utils.errors import ConfigError
from utils.stores.base import BATCH_ITEMS, Vault, Write
from utils.sync.lease import leased
from utils.sync.ledger import LAST_RUNS, Change, Lost, activity_id, arrow, quoted, read_events, row_changes, run_line
from utils.sync.model import Side

ROUNDS = 3
"""How often an undo looks again at a row that is edited meanwhile."""


@dataclass(frozen=True, slots=True)
class Put:
    """A row and the values that go back into it."""

    id: str
    row: Decision
    values: Mapping[str, Value]

    def line(self) -> str:
        """What it does, in words."""
        parts = "; ".join(f"{name}: {arrow(self.row[name], value)}" for name, value in self.values.items())
        return f"put back: {quoted(self.row.decision)} [{self.id}] ({parts})"


@dataclass
class Undone:
    """What an undo did, or in a dry run would do.

    Args:
        run: its own id, by which it can be undone.
        of: the run that was undone.
        problems: what could not be put back, a line each.
        made: the rows that the run had inserted, which stay: titles by their ids.
    """

    run: str
    of: str
    dry_run: bool
    put: list[Put] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    made: Mapping[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """What was put back and what stays, a line each."""
        stay = [
            f"left: {quoted(title)} [{row_id}] (inserted by that run; set active to false to retire it)"
            for row_id, title in self.made.items()
        ]
        return [*(put.line() for put in self.put), *stay]

    @property
    def open_problems(self) -> bool:
        """Whether anything could not be put back."""
        return bool(self.problems)

    def closing_line(self) -> str:
        """The one line that ends it."""
        numbers = f"{len(self.put)} put back, {len(self.problems)} skipped, {len(self.made)} inserted rows left"
        if self.dry_run:
            return f"would be: undo of run {self.of}: {numbers}"
        follows = f"; recorded as run {self.run}; Notion follows with the next sync" if self.put else ""
        return f"undo of run {self.of}: {numbers}{follows}"

    def json(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {
            "run": self.run,
            "undo": self.of,
            "dry_run": self.dry_run,
            "put_back": [
                {
                    "id": put.id,
                    "fields": {name: {"from": put.row[name], "to": value} for name, value in put.values.items()},
                }
                for put in self.put
            ],
            "left": [{"id": row_id, "decision": title} for row_id, title in self.made.items()],
            "problems": self.problems,
        }


class UnknownRunError(ConfigError):
    """No run of that id left a trace; the last runs are told with it."""

    def __init__(self, run: str, last: Sequence[Mapping[str, Any]]) -> None:
        remedy = "These are the last ones that wrote" if last else "No run has written anything yet"
        super().__init__("--undo", f"run {run!r} is not known", remedy)
        self.last = [run_line(each) for each in last]

    @property
    def lines(self) -> tuple[str, ...]:
        """The refusal, and the last runs."""
        return (str(self), *self.last)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a run did to one field: the value before, and the one that it left."""

    put: Value
    left: Value


def undo(vault: Vault, run: str, of: str, *, dry_run: bool) -> Undone:
    """Puts every value back into the vault that a run overwrote, unless it was changed since; Notion follows by a sync.

    Raises:
        ConfigError: no such run is known. BusyError: another run is at it.
    """
    if of == run:
        raise ConfigError("--undo", f"{of} is this very run's id", "Unset RUN_ID, which gives every run the same")
    answer = vault.call("ledger_runs", {"run": of, "activities": [], "last": LAST_RUNS})
    if not answer["known"]:
        raise UnknownRunError(of, answer["runs"])
    undone = Undone(run, of, dry_run)
    with leased(vault, run, dry_run=dry_run) as held:
        events: defaultdict[str, list[Change | Lost]] = defaultdict(list)
        for event in read_events(vault, run=of):
            events[event.decision_id].append(event)
        undone.made = {each["id"]: each["title"] for each in vault.paged("ledger_made", {"run": of})}
        rows = {item.id: item.row.content for item in vault.lookup(decisions=list(events)) if item.row}
        puts = [put for each in events if (put := _put(each, rows.get(each), events[each], undone.problems))]
        if held.fence is None:
            undone.put = puts
        else:
            _carry_out(vault, held.fence, undone, puts, events)
    return undone


def _put(row_id: str, row: Decision | None, events: Sequence[Change | Lost], problems: list[str]) -> Put | None:
    """What goes back into a row; adds a line for each thing that cannot."""
    wanted, why_not = _overwritten(events)
    if row is None:
        if wanted:
            problems.append(f"{row_id}: the row is not there any more; --history {row_id} shows what it had")
        return None
    about = f"{row_id} {quoted(row.decision)}"
    problems += [f"{about}: {name}: {why}" for name, why in why_not.items()]
    values: dict[str, Value] = {}
    for name, each in wanted.items():
        if same(name, row[name], each.put):
            continue
        if same(name, row[name], each.left):
            values[name] = each.put
        else:
            problems.append(f"{about}: {name} was changed since, from {arrow(each.left, row[name])}")
    return Put(row_id, row, values) if values else None


def _overwritten(events: Sequence[Change | Lost]) -> tuple[dict[str, _Wanted], dict[str, str]]:
    """What a run overwrote of one decision, by field; and what of it cannot go back into a row, with the reason."""
    wanted: dict[str, _Wanted] = {}
    why_not: dict[str, str] = {}
    for change in row_changes(events):
        for name, (was, left) in change.fields().items():
            before = wanted.get(name)
            chained = before is not None and same(name, before.left, was)
            wanted[name] = _Wanted(before.put if before and chained else was, left)
    for lost in events:
        if not isinstance(lost, Lost) or lost.winner is Side.NOTION:
            continue
        if lost.raw:
            why_not[lost.field] = f"only Notion can hold what it had: see --history {lost.decision_id}"
        elif why := unfit_for_vault(lost.field, lost.before):
            why_not[lost.field] = why
        elif lost.field not in wanted:
            wanted[lost.field] = _Wanted(lost.before, lost.after)
    return wanted, why_not


def _carry_out(
    vault: Vault, fence: int, undone: Undone, puts: Sequence[Put], events: Mapping[str, Sequence[Change | Lost]]
) -> None:
    """Writes, each row only as it was looked at; one that moved is looked at again."""
    for _ in range(ROUNDS):
        results = vault.write(undone.run, fence, [Write(put.id, expect=put.row, set=put.values) for put in puts])
        told, moved = set(undone.problems), list[Put]()
        for put, result in zip(puts, results, strict=True):
            problems: list[str] = []
            if result.error:
                problems.append(f"{put.id} {quoted(put.row.decision)}: Supabase refuses it: {result.error}")
            elif not result.moved:
                undone.put.append(put)
            elif again := _put(put.id, result.row.content if result.row else None, events[put.id], problems):
                moved.append(again)
            undone.problems += [line for line in problems if line not in told]
        puts = moved
    undone.problems += [f"{put.id} {quoted(put.row.decision)}: kept changing meanwhile" for put in puts]
    if undone.put:
        _untick(vault, [put.id for put in undone.put])
        vault.confirm(undone.run, fence, None, _activity(undone))


def _untick(vault: Vault, ids: Sequence[str]) -> None:
    """Nobody may take a row for synced that Notion is still behind of."""
    for start in range(0, len(ids), BATCH_ITEMS):
        vault.call("ledger_untick", {"decisions": ids[start : start + BATCH_ITEMS]})


def _activity(undone: Undone) -> dict[str, Any]:
    status = "completed with problems" if undone.problems else "completed"
    counts = {"put_back": len(undone.put), "skipped": len(undone.problems), "left": len(undone.made)}
    return {
        "id": activity_id(undone.run),
        "status": status,
        "details": {"run": undone.run, "undo": undone.of, **counts},
    }
