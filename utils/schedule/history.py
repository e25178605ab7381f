"""What the scheduler remembers in `state.db`: slots, attempts, pauses, its heartbeat."""

from __future__ import annotations

import logging
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from utils import state
from utils.errors import AnglesError
from utils.schedule.slots import Open, Past
from utils.sync import lease

SLOTS_KEPT = 400
"""Of each job, by when they were settled and not by their time: a clock that was far ahead drives nothing out."""

ATTEMPTS_KEPT = 1000
T = TypeVar("T")
_log = logging.getLogger(__name__)
_BEAT, _HOST, _PAUSED = "heartbeat", "host", "paused "


@dataclass(frozen=True)
class Moment:
    """One look at the clocks: the time, and the seconds of a clock that nobody sets, which counts from a boot."""

    now: datetime
    boot: str
    seconds: float


def read_clocks() -> Moment:
    """The time, and the clock that nobody sets."""
    return Moment(datetime.now(UTC), _boot(), lease.boot_clock())


@cache
def _boot() -> str:
    """No process outlives a boot."""
    return str(lease.holder("")["boot_id"])


@dataclass(frozen=True)
class Began:
    """When a job's last run began, by both clocks."""

    started: datetime
    boot: str
    seconds: float

    def elapsed(self, moment: Moment) -> timedelta | None:
        """How long ago that was; None after a boot."""
        same = self.boot and self.boot == moment.boot
        return timedelta(seconds=moment.seconds - self.seconds) if same else None


@dataclass(frozen=True)
class Attempt:
    """One run: of a slot, or of a person (slot None). `lateness` is how many seconds after its slot it began."""

    run_id: str
    job: str
    slot: datetime | None
    attempt: int
    started: datetime
    ended: datetime | None = None
    outcome: str = "running"
    code: int | None = None
    seconds: float | None = None
    lateness: float | None = None
    detail: str = ""


@dataclass(frozen=True)
class Beat:
    """The last sign of life: when, of which process, and whether that lives (None: not to be told)."""

    at: datetime
    pid: int
    alive: bool | None


@dataclass(frozen=True)
class History:
    """The state file of a home folder."""

    path: Path

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """The file, for one transaction or a few."""
        with state.open_state(self.path) as db:
            yield db

    def past(self, job: str, boot: str) -> tuple[Past, Began | None]:
        """What is remembered of a job, without what really elapsed in this boot, and when its last run began."""
        with self.opened() as db:
            rows = db.execute(
                "select slot, state, attempt, run_id, started, boot, at_boot from job_slots where job = ?"
                " order by rowid desc limit ?",
                (job, SLOTS_KEPT),
            ).fetchall()
        settled = {
            datetime.fromisoformat(row[0]): row[6] if row[5] == boot else None
            for row in reversed(rows)
            if row[1] != "running"
        }
        running = [row for row in rows if row[1] == "running"]
        cut = Open(datetime.fromisoformat(running[0][0]), running[0][2], running[0][3]) if running else None
        began = next((Began(datetime.fromisoformat(row[4]), row[5], row[6]) for row in rows if row[4]), None)
        return Past(settled, cut, began.started if began else None), began

    def begin(self, attempt: Attempt, missed: int, began: Began) -> None:
        """Writes down, before it is started, that a run begins."""
        with self.opened() as db, db:
            db.execute("begin immediate")
            if attempt.slot is not None:
                db.execute(
                    "insert or replace into job_slots values (?, ?, 'running', ?, ?, ?, ?, ?, ?, null)",
                    (
                        *(attempt.job, attempt.slot.isoformat(), attempt.attempt, attempt.run_id, missed),
                        *(began.started.isoformat(), began.boot, began.seconds),
                    ),
                )
            self._put(db, attempt)

    def end(self, attempt: Attempt) -> None:
        """Writes down how a run ended."""
        with self.opened() as db:
            self._put(db, attempt)

    def settle(self, job: str, slot: datetime, outcome: str, missed: int, moment: Moment) -> None:
        """Settles a slot, run or not; forgets the oldest."""
        with self.opened() as db, db:
            db.execute("begin immediate")
            db.execute(
                "insert into job_slots(job, slot, state, attempt, run_id, missed, boot, at_boot, settled)"
                " values (?, ?, ?, 0, '', ?, ?, ?, ?)"
                " on conflict (job, slot) do update set state = excluded.state, settled = excluded.settled,"
                " missed = excluded.missed",
                (job, slot.isoformat(), outcome, missed, moment.boot, moment.seconds, moment.now.isoformat()),
            )
            for table, kept in (("job_slots", SLOTS_KEPT), ("job_attempts", ATTEMPTS_KEPT), ("runs", ATTEMPTS_KEPT)):
                newest = f"select rowid from {table} where job = ?1 order by rowid desc limit ?2"  # noqa: S608 - our names
                db.execute(f"delete from {table} where job = ?1 and rowid not in ({newest})", (job, kept))  # noqa: S608

    def told_by_itself(self, run_id: str, job: str) -> state.RunRecord | None:
        """What a script wrote down of its own run, if it ended: its scheduler may not have lived to see that."""
        with self.opened() as db:
            return next((run for run in state.runs(db, job) if run.run_id == run_id and run.ended), None)

    def attempts(self, job: str, count: int = 1) -> list[Attempt]:
        """The last runs of a job, the newest first."""
        with self.opened() as db:
            rows = db.execute(
                "select run_id, job, slot, attempt, started, ended, outcome, code, seconds, lateness, detail"
                " from job_attempts where job = ? order by rowid desc limit ?",
                (job, count),
            ).fetchall()
        return [
            Attempt(row[0], row[1], _time(row[2]), row[3], datetime.fromisoformat(row[4]), _time(row[5]), *row[6:])
            for row in rows
        ]

    def last_state(self, job: str) -> tuple[datetime, str] | None:
        """The slot of a job that was dealt with last, and how it stands."""
        with self.opened() as db:
            row = db.execute(
                "select slot, state from job_slots where job = ? order by rowid desc limit 1", (job,)
            ).fetchone()
        return (datetime.fromisoformat(row[0]), row[1]) if row else None

    def pause(self, job: str, now: datetime) -> None:
        """Begins nothing of a job until `resume`."""
        self._note(f"{_PAUSED}{job}", job, now)

    def resume(self, job: str) -> bool:
        """Ends a pause; answers whether there was one."""
        with self.opened() as db:
            return db.execute("delete from scheduler_notes where name = ?", (f"{_PAUSED}{job}",)).rowcount > 0

    def paused(self) -> dict[str, datetime]:
        """The jobs that are paused, since when."""
        with self.opened() as db:
            rows = db.execute("select value, at from scheduler_notes where name glob ?", (f"{_PAUSED}*",)).fetchall()
        return {job: datetime.fromisoformat(at) for job, at in rows}

    def host(self, now: datetime) -> str:
        """The name of this home folder among all hosts, made once."""
        with self.opened() as db:
            db.execute("insert or ignore into scheduler_notes values (?, ?, ?)", (_HOST, _new_host(), now.isoformat()))
            (name,) = db.execute("select value from scheduler_notes where name = ?", (_HOST,)).fetchone()
        return str(name)

    def beat(self, now: datetime) -> None:
        """A sign of life of this process."""
        self._note(_BEAT, f"{os.getpid()} {lease.process_started(os.getpid())}", now)

    def last_beat(self) -> Beat | None:
        """The last sign of life."""
        with self.opened() as db:
            row = db.execute("select value, at from scheduler_notes where name = ?", (_BEAT,)).fetchone()
        if row is None:
            return None
        pid, _, started = row[0].partition(" ")
        found = lease.process_started(int(pid))
        return Beat(datetime.fromisoformat(row[1]), int(pid), None if found is None else found == started)

    def _note(self, name: str, value: str, now: datetime) -> None:
        with self.opened() as db:
            db.execute("insert or replace into scheduler_notes values (?, ?, ?)", (name, value, now.isoformat()))

    @staticmethod
    def _put(db: sqlite3.Connection, each: Attempt) -> None:
        db.execute(
            "insert or replace into job_attempts values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(each.run_id, each.job, each.slot and each.slot.isoformat(), each.attempt, each.started.isoformat()),
                *(each.ended and each.ended.isoformat(), each.outcome, each.code, each.seconds, each.lateness),
                each.detail,
            ),
        )


@dataclass
class Memory:
    """A history that may be out of use: that is told once, and who asks goes on with what it knows."""

    history: History
    _lost: bool = False

    def kept(self, work: Callable[[History], T], otherwise: T) -> T:
        """What the history answers, or `otherwise`."""
        try:
            found = work(self.history)
        except AnglesError as error:
            if not self._lost:
                _log.warning("goes on without writing down what it does: %s", error)
            self._lost = True
            return otherwise
        self._lost = False
        return found


def _new_host() -> str:
    import socket

    return f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
