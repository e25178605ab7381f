"""What the vault remembers of the sync: earlier contents of its rows, values that gave way, and runs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from utils.decision import FIELDS, Decision, Value, from_image
from utils.errors import ConfigError
from utils.stores.base import Vault
from utils.sync.model import EPOCH, Side, parse_stamp

LAST_RUNS = 10
"""How many runs are looked at, and listed where an id is unknown."""


@dataclass(frozen=True, slots=True)
class Change:
    """An earlier content of a row and what it gave way to: `left` is None where the row went, `run` where no sync did.

    Args:
        number: its place in `decision_history`.
        made: when the row had been inserted.
    """

    number: int
    decision_id: str
    at: datetime
    run: str | None
    made: datetime
    was: Decision
    left: Decision | None

    def fields(self) -> dict[str, tuple[Value, Value]]:
        """The fields that changed, from what to what."""
        if self.left is None:
            return {}
        return {name: (self.was[name], self.left[name]) for name in FIELDS if self.was[name] != self.left[name]}


@dataclass(frozen=True, slots=True)
class Lost:
    """A value that gave way in a merge: a row of `sync_log`."""

    decision_id: str
    at: datetime
    run: str
    field: str
    before: Any
    after: Any
    base: Any
    winner: Side
    reason: str

    @property
    def raw(self) -> bool:
        """Whether it is what only Notion can hold: formatting, a time of day."""
        return isinstance(self.before, (dict, list))

    def line(self) -> str:
        """Who lost what to whom, and why."""
        winner, loser = self.winner.service, self.winner.other.service
        if self.raw:
            what = f"{raw_words(self.before)} was overwritten, {self.reason}"
            return f"{self.field}: {what}; --history ID --json has it whole"
        won = f"{winner}'s {short(self.after)} won over {loser}'s {short(self.before)}"
        had = f", both had {short(self.base)}" if self.base is not None else ""
        return f"{self.field}: {won}{had}: {self.reason}"


def read_events(vault: Vault, **of: str) -> list[Change | Lost]:
    """The ledger of one `decision` or one `run`, in the order of time."""
    return [_parse(data) for data in vault.paged("ledger_events", of)]


def moment(text: str | None) -> datetime:
    """A moment of the database's, in UTC."""
    return (parse_stamp(text) or EPOCH).astimezone(UTC)


def _parse(data: Mapping[str, Any]) -> Change | Lost:
    at = moment(data["at"])
    if data["kind"] == "loss":
        names = ("decision_id", "run", "field", "before", "after", "base")
        values = {name: data[name] for name in names}
        return Lost(at=at, winner=Side(data["winner"]), reason=data["reason"] or "", **values)
    left = None if data["left"] is None else from_image(data["left"])
    made = moment(data["made"]) if data["made"] else at
    return Change(data["number"], data["decision_id"], at, data["run"], made, from_image(data["was"]), left)


def row_changes(events: Iterable[Change | Lost]) -> list[Change]:
    """The changes in the order in which the row took them, whatever the clock did."""
    return sorted((event for event in events if isinstance(event, Change)), key=lambda change: change.number)


def read_decision(vault: Vault, flag: str, decision_id: str) -> tuple[list[Change | Lost], Mapping[str, Any]]:
    """The ledger of a decision, and its row and link as they are.

    Raises:
        ConfigError: there is none of it.
    """
    pair: Mapping[str, Any] = vault.call("ledger_pair", {"decision": decision_id})
    events = read_events(vault, decision=decision_id)
    if not (events or pair["row"] or pair["link"]):
        raise ConfigError(flag, f"there is no decision {decision_id}, and never was", "--export-only lists all")
    return events, pair


def read_runs(vault: Vault, runs: Iterable[str | None], last: int = 0) -> dict[str, Any]:
    """The activity rows of runs, and of so many of the last ones: {at, status, details} by run, newest first."""
    ids = [activity_id(run) for run in sorted({run for run in runs if run})]
    answer = vault.call("ledger_runs", {"activities": ids, "last": last})
    return {each["run"]: each for each in answer["runs"]}


def undone_by(run: str | None, runs: Mapping[str, Any]) -> str | None:
    """The run that this one undid, if it did."""
    undone: str | None = runs[run]["details"].get("undo") if run and run in runs else None
    return undone


def activity_id(run: str) -> str:
    """The id of a run's row in `agent_activity`."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"sync/{run}"))


def run_line(each: Mapping[str, Any]) -> str:
    """A line of a run that wrote."""
    details = each["details"]
    if details.get("undo"):
        what = f"undo of {details['undo']}: {details.get('put_back')} put back"
    else:
        what = ", ".join(f"{details.get(name)} {name}" for name in ("copied", "merged", "retired"))
    return f"  {each['run']}  {clock(moment(each['at']))}  {what}"


def clock(at: datetime) -> str:
    """A moment as a person reads it, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def quoted(text: str) -> str:
    """The text of a decision, short, in quotes."""
    text = " ".join(text.split()) or "(untitled)"
    return repr(text if len(text) <= 60 else text[:59] + "…")


def raw_words(value: Any) -> str:
    """What only Notion can hold, in words."""
    if isinstance(value, list):
        text = "".join(str(part.get("plain_text", "")) for part in value if isinstance(part, dict))
        return f"Notion's formatting of {short(text)}"
    span = [str(value[name]) for name in ("start", "end", "time_zone") if value.get(name)]
    return f"Notion's {' to '.join(span[:2])}{' ' + span[2] if len(span) > 2 else ''}"


def short(value: Any) -> str:
    """A value, short."""
    text = "(empty)" if value is None else repr(value)
    return text if len(text) <= 50 else text[:49] + "…"


def arrow(was: Value, now: Value) -> str:
    """From what to what; of two long texts, from where they part."""
    if not (isinstance(was, str) and isinstance(now, str)) or max(len(was), len(now)) <= 48:
        return f"{short(was)} -> {short(now)}"
    same_for = next((place for place, (one, two) in enumerate(zip(was, now, strict=False)) if one != two), None)
    start = max((min(len(was), len(now)) if same_for is None else same_for) - 12, 0)
    mark = "…" if start else ""
    return f"{short(mark + was[start:])} -> {short(mark + now[start:])}"
