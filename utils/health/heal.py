"""Mends what is proven to be broken and can be mended without a doubt; everything else is a hint of a check.

Each action finds wounds (a target with its proof), mends one, and is asked again whether it is healed. All of it under
one lock; what was done in three rounds within ten minutes is not done a fourth time, but told. Before and after it is
written to `agent_activity`. Never touched: the schema, credentials, rows of decisions, a remote's history, live data,
and conflicting versions of a file.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from utils import state
from utils.errors import AnglesError
from utils.files import hold_lock
from utils.health.firing import Event
from utils.stores.base import Activity

LOCK = Path("logs", "active", "heal.lock")
ROUNDS = 3
WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Wound:
    """What is broken: the target, why that is certain, and what mends it."""

    target: str
    proof: str
    remedy: str


@dataclass(frozen=True)
class Action:
    """What can be mended.

    Args:
        name: as it is told.
        find: the wounds; whatever is in doubt is none.
        mend: mends one.
        checks: whose results it changes.
    """

    name: str
    find: Callable[[], Iterable[Wound]]
    mend: Callable[[Wound], None]
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Healed:
    """What became of a wound: `mended`, `would be mended`, `failed`, or `given up` after too many rounds."""

    action: str
    wound: Wound
    outcome: str
    detail: str = ""

    def line(self) -> str:
        """In words."""
        told = f": {self.detail}" if self.detail else ""
        return f"{self.action} {self.wound.target} ({self.wound.proof}): {self.wound.remedy}: {self.outcome}{told}"


Record = Callable[[Sequence[Activity]], object]


def heal(
    home: Path, actions: Iterable[Action], now: datetime, record: Record, *, dry_run: bool = False
) -> list[Healed]:
    """Carries the actions out.

    Args:
        home: the home folder.
        actions: in this order.
        now: the time of the run.
        record: writes activities to the vault; what it raises as an AnglesError keeps nothing from being mended.
        dry_run: only says what would be mended.

    Raises:
        BusyError: another one is at it. AnglesError: the lock or the state cannot be used.
    """
    if dry_run:
        return [Healed(each.name, wound, "would be mended") for each in actions for wound in _wounds(each)]
    done: list[Healed] = []
    with hold_lock(home / LOCK):
        for action in actions:
            if wounds := _wounds(action):
                done += _round(home, action, wounds, now, record)
    return done


def _wounds(action: Action) -> list[Wound]:
    """What an action finds; nothing where it cannot look, which a check tells."""
    try:
        return list(action.find())
    except (AnglesError, OSError, sqlite3.Error):
        return []


def _round(home: Path, action: Action, wounds: Sequence[Wound], now: datetime, record: Record) -> Iterator[Healed]:
    """Mends the wounds of one action, unless it was at it too often."""
    with _ledger(home) as db:
        since = int((now - WITHIN).timestamp())
        (rounds,) = db.execute(
            "select count(distinct at) from heals where action = ? and at > ? and outcome in ('mended', 'failed')",
            (action.name, since),
        ).fetchone()
    for wound in wounds:
        if rounds >= ROUNDS:
            healed = Healed(action.name, wound, "given up", f"it came back {rounds} times within 10 minutes")
        else:
            healed = _mended(action, wound, record)
        with _ledger(home) as db:
            db.execute(
                "insert into heals(at, action, target, outcome, detail) values (?, ?, ?, ?, ?)",
                (int(now.timestamp()), action.name, wound.target, healed.outcome, healed.line()),
            )
        yield healed


def _mended(action: Action, wound: Wound, record: Record) -> Healed:
    """Mends one wound, and looks again."""
    details = {"target": wound.target, "proof": wound.proof, "remedy": wound.remedy}
    activity = Activity(str(uuid.uuid4()), "backend_monitor", f"heal {action.name}", details, "running")
    unwritten = _written(record, activity)
    try:
        action.mend(wound)
        still = next((each for each in action.find() if each.target == wound.target), None)
        outcome, detail = ("failed", f"it is still so: {still.proof}") if still else ("mended", "")
    except (AnglesError, OSError, sqlite3.Error) as error:
        outcome, detail = "failed", str(error)
    after = replace(activity, details={**details, "detail": detail}, status=outcome)
    unwritten = _written(record, after) or unwritten
    return Healed(action.name, wound, outcome, "; ".join(filter(None, (detail, unwritten))))


def _written(record: Record, activity: Activity) -> str:
    """Writes an activity; answers why that was not possible, or ''."""
    try:
        record([activity])
    except AnglesError as error:
        return f"not written to agent_activity ({error.where}: {error.what})"
    return ""


@contextmanager
def _ledger(home: Path) -> Iterator[sqlite3.Connection]:
    with state.open_state(home / state.STATE_FILE) as db:
        yield db


def events(names: Iterable[str], healed: Sequence[Healed], now: datetime) -> list[Event]:
    """What alerts are to know, one event an action: not well where something could not be mended; told at once."""
    bad = {each.action: each for each in healed if each.outcome in {"failed", "given up"}}
    return [
        Event(
            f"heal {name}",
            name not in bad,
            now,
            bad[name].line() if name in bad else "",
            "Look at it by hand.",
            at_once=True,
        )
        for name in names
    ]
