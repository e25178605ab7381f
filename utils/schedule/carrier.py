"""Carries one slot of a job through: its lock, its claim, its runs and the waits between them, and how it is settled.

A job has one run at a time on a host. What cannot be written down is noted and ends nothing.
"""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from utils import script
from utils.errors import BUG, AnglesError, BusyError, ServiceError
from utils.files import hold_lock
from utils.schedule import process
from utils.schedule.claims import Claim, Claims, Keeper
from utils.schedule.history import SLOTS_KEPT, Attempt, Began, Memory, Moment, read_clocks
from utils.schedule.jobs import TRIES, Job, Outcome, outcome
from utils.schedule.slots import Open, Past, Run

MOST_ATTEMPTS = 2 * TRIES
"""Of a slot, over restarts: a job that takes the machine down with it is not begun for ever."""

BACKOFF_SECONDS = (30.0, 120.0)
REST_SECONDS = 5.0
"""After which a job is looked at again that another run, or another host, is at."""

ORPHAN_SECONDS = 1.0
"""The same where its own run goes on without the scheduler that began it."""

Runner = Callable[[Job, str, "int | None", Callable[[], str]], process.Ended]
"""Runs a job: with a run id, a lock to hand over, and what is asked why it should end."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """What is told of a run: its last one where there were several, and what that means for its slot."""

    attempt: Attempt
    outcome: Outcome
    final: bool


@dataclass
class Desk:
    """What is at hand of one job."""

    job: Job
    jitter: timedelta
    settled: dict[datetime, float | None]
    open: Open | None
    began: Began | None
    busy: Run | None = None
    rest_until: float = 0.0
    troubled: bool = False

    def past(self, moment: Moment, *, shared: bool) -> Past:
        """What `decide` needs; the claims of a shared job have a clock of their own."""
        if self.began is None or shared:
            return Past(self.settled, self.open)
        return Past(self.settled, self.open, self.began.started, self.began.elapsed(moment), moment.seconds)

    def settle(self, slot: datetime, seconds: float) -> None:
        """Remembers that a slot needs nothing any more."""
        others = [(each, since) for each, since in self.settled.items() if each != slot]
        self.settled = {**dict(others[1 - SLOTS_KEPT :]), slot: seconds}  # anew: another thread may read the old one
        if self.open and self.open.slot == slot:
            self.open = None


@dataclass
class Carrier:
    """Runs what is due, in whichever thread it is told to.

    Args:
        home: the home folder; locks and logs of the jobs are in it.
        memory: what is remembered.
        run: runs a job.
        tell: is told of every run that ended.
        claims: of a host among several; None where this is the only one.
        clocks: reads the clocks.
        pause: waits so many seconds; true when it was cut short by the end. None is the real one.
    """

    home: Path
    memory: Memory
    run: Runner
    tell: Callable[[Report], None] = lambda _report: None
    claims: Claims | None = None
    clocks: Callable[[], Moment] = read_clocks
    pause: Callable[[float], bool] | None = None
    failed: bool = False
    _halt: threading.Event = field(default_factory=threading.Event)
    _end_at: float | None = None

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._halt.is_set()

    @property
    def overdue(self) -> bool:
        """Whether what runs should long have ended: it hangs on something that is no child."""
        most = process.KILL_SECONDS + REST_SECONDS
        return self._end_at is not None and time.monotonic() > self._end_at + most

    def stop(self, seconds: float) -> None:
        """Begins nothing more; what runs gets so many seconds."""
        self._end_at = time.monotonic() + seconds
        self._halt.set()

    def shared(self, job: Job) -> bool:
        """Whether one host runs a job's slot for all."""
        return self.claims is not None and not job.everywhere

    def carry(self, desk: Desk, due: Run) -> None:
        """Carries a slot through; a bug is logged, and ends nothing."""
        try:
            with hold_lock(job_lock(self.home, desk.job.name)) as lock:
                self._claimed(desk, due, lock)
        except BusyError:
            self._overlap(desk, due)
        except ServiceError as error:
            self._trouble(desk, f"no run, since its claim cannot be made: {error}")
        except AnglesError as error:
            self._trouble(desk, f"cannot be begun: {error}")
        except Exception:  # noqa: BLE001 - a loop that outlives one item
            _log.exception("%s: a bug of the scheduler; the slot is tried again", desk.job.name)
            desk.rest_until = self.clocks().seconds + REST_SECONDS

    def _overlap(self, desk: Desk, due: Run) -> None:
        """Somebody else runs this job here: a person, or what an earlier scheduler left."""
        if desk.job.queue or due.after:
            desk.rest_until = self.clocks().seconds + (ORPHAN_SECONDS if due.after else REST_SECONDS)
            return
        _log.warning("%s: slot %s skipped: another run is at it", desk.job.name, utc(due.slot))
        self.settle(desk, due.slot, "skipped", due.missed)

    def _trouble(self, desk: Desk, why: str) -> None:
        """What passes by itself is told once."""
        desk.rest_until = self.clocks().seconds + REST_SECONDS
        self.failed = True
        if not desk.troubled:
            desk.troubled = True
            _log.warning("%s: %s", desk.job.name, why)

    def _claimed(self, desk: Desk, due: Run, lock: int) -> None:
        """Runs a slot, where it is shared once it is ours."""
        claim = None
        if self.claims is not None and self.shared(desk.job):
            answer = self.claims.claim(desk.job, due.slot)
            if not isinstance(answer, Claim):
                if answer.settled:
                    self.settle(desk, due.slot, "elsewhere", 0)
                else:
                    desk.rest_until = self.clocks().seconds + min(REST_SECONDS, self.claims.ttl / 3)
                return
            claim = answer
            due = replace(due, slot=claim.slot, attempt=claim.attempt)
        desk.troubled = False
        if due.missed:
            _log.warning("%s: %d slots before %s were missed", desk.job.name, due.missed, utc(due.slot))
        self._tries(desk, due, lock, claim)

    def _tries(self, desk: Desk, due: Run, lock: int, claim: Claim | None) -> None:
        """Runs a slot until it is well, or tried often enough, or its time is over; settles it."""
        if report := self._told_before(desk, due):
            self._finish(desk, due, claim, report)
            return
        attempt = due.attempt
        last = min(attempt + TRIES - 1, MOST_ATTEMPTS)
        while True:
            keeper = Keeper(self.claims, claim and replace(claim, attempt=attempt))
            report = self._once(desk, replace(due, attempt=attempt), lock, keeper)
            again = report.outcome.again
            if keeper.lost or (again and self._halt.is_set()):
                self.tell(replace(report, final=False))
                self._give_back(claim)
                return
            seconds = self._backoff(desk.job, due, attempt - due.attempt) if again and attempt < last else None
            if seconds is None:
                break
            self.tell(replace(report, final=False))
            if not self._wait(seconds, keeper):
                self._give_back(claim)
                return
            attempt += 1
        self._finish(desk, due, claim, report)

    def _told_before(self, desk: Desk, due: Run) -> Report | None:
        """How the run ended whose scheduler died, by its own word; None where it was cut off too."""
        if not due.after:
            return None
        record = self.memory.kept(lambda it: it.told_by_itself(due.after, desk.job.name), None)
        if record is None or record.code is None:
            if due.attempt <= MOST_ATTEMPTS:
                return None
            verdict = Outcome("given up", well=False, at_once=True)
            now = self.clocks().now
            return Report(Attempt(due.after, desk.job.name, due.slot, due.attempt - 1, now, now), verdict, final=True)
        verdict = outcome(desk.job, record.code)
        if verdict.again:
            return None
        seconds = (record.ended - record.started).total_seconds() if record.ended else None
        late = (record.started - due.slot).total_seconds()
        attempt = Attempt(
            *(due.after, desk.job.name, due.slot, due.attempt - 1, record.started, record.ended, verdict.word),
            *(record.code, seconds, late, record.detail),
        )
        self.memory.kept(lambda it: it.end(attempt), None)
        return Report(attempt, verdict, final=True)

    def _once(self, desk: Desk, due: Run, lock: int | None, keeper: Keeper, *, slotless: bool = False) -> Report:
        """One run, written down when it begins and when it has ended."""
        job, moment = desk.job, self.clocks()
        run_id = uuid.uuid4().hex[:12]
        began = Began(moment.now, moment.boot, moment.seconds)
        late = None if slotless else (moment.now - due.slot).total_seconds()
        attempt = Attempt(run_id, job.name, None if slotless else due.slot, due.attempt, moment.now, lateness=late)
        if not slotless:
            desk.began, desk.open = began, Open(due.slot, due.attempt, run_id)
        self.memory.kept(lambda it: it.begin(attempt, due.missed, began), None)
        try:
            ended = self.run(job, run_id, lock, lambda: keeper.look() or self._asked())
        except OSError as error:
            ended = process.Ended(BUG, 0.0, said=f"cannot be started ({error.strerror})")
        verdict = outcome(job, ended.code)
        if ended.why:
            verdict = replace(verdict, word=ended.why, well=False, again=True)
        attempt = replace(
            attempt,
            ended=moment.now + timedelta(seconds=ended.seconds),
            outcome=verdict.word,
            code=ended.code,
            seconds=ended.seconds,
            detail=ended.said,
        )
        self.memory.kept(lambda it: it.end(attempt), None)
        return Report(attempt, verdict, final=True)

    def _asked(self) -> str:
        """Why a run should end now."""
        return "stopped" if self._end_at is not None and time.monotonic() >= self._end_at else ""

    def _backoff(self, job: Job, due: Run, tried: int) -> float | None:
        """Seconds before a slot's next try; None where that would begin after its grace."""
        seconds = BACKOFF_SECONDS[min(tried, len(BACKOFF_SECONDS) - 1)]
        seconds = min(seconds, job.grace.total_seconds() / 4) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        begins = self.clocks().now + timedelta(seconds=seconds)
        return seconds if begins - due.slot <= min(job.grace, job.period) else None

    def _wait(self, seconds: float, keeper: Keeper) -> bool:
        """Waits, and keeps the claim meanwhile; false where all is ending, or the claim was lost."""
        wait = self.pause or self._halt.wait
        while seconds > 0:
            part = min(seconds, keeper.every)
            if wait(part) or keeper.look():
                return False
            seconds -= part
        return True

    def _finish(self, desk: Desk, due: Run, claim: Claim | None, report: Report) -> None:
        """Settles a slot with the outcome of its last run, where it is still ours, and tells it."""
        word = report.outcome.word
        if claim is not None and self.claims is not None:
            state = "failed" if report.outcome.well is False else "done"
            try:
                if not self.claims.settle(claim, state, word):
                    word = "elsewhere"
            except ServiceError as error:
                _log.warning(
                    "%s: its end cannot be told to the other hosts, one runs it again: %s", desk.job.name, error
                )
        self.settle(desk, due.slot, word, due.missed)
        self.failed = self.failed or report.outcome.well is False
        self.tell(report)

    def _give_back(self, claim: Claim | None) -> None:
        """Lets another host take the slot at once."""
        if claim is not None and self.claims is not None:
            try:
                self.claims.settle(claim, "running", "given back")
            except ServiceError as error:
                _log.info("%s: its claim is not given back, it expires: %s", claim.job, error)

    def close(self, desk: Desk, cut: Open) -> None:
        """Settles a slot whose run was cut off with its scheduler, once another slot has come."""
        record = self.memory.kept(lambda it: it.told_by_itself(cut.run_id, desk.job.name), None)
        word = "missed" if record is None or record.code is None else outcome(desk.job, record.code).word
        self.settle(desk, cut.slot, word, 0)

    def settle(self, desk: Desk, slot: datetime, word: str, missed: int) -> None:
        """Settles a slot, run or not."""
        moment = self.clocks()
        desk.settle(slot, moment.seconds)
        self.memory.kept(lambda it: it.settle(desk.job.name, slot, word, missed, moment), None)

    def run_now(self, job: Job) -> Report:
        """Runs a job for a person, beside its slots.

        Raises:
            BusyError: a run is at it.
        """
        desk = Desk(job, timedelta(0), {}, None, None)
        with hold_lock(job_lock(self.home, job.name)) as lock:
            report = self._once(desk, Run(self.clocks().now), lock, Keeper(None, None), slotless=True)
        self.tell(report)
        return report


def job_lock(home: Path, job: str) -> Path:
    """What a job's run holds, and its child with it."""
    return home / "logs" / "active" / "jobs" / f"{job}.lock"


def child_runner(home: Path, redact: Callable[[str], str]) -> Runner:
    """Runs jobs as child processes."""
    from utils import config

    def run(job: Job, run_id: str, lock: int | None, asked: Callable[[], str]) -> process.Ended:
        command = process.Command(
            script.child(job.script, job.arguments),
            config.child_environment(RUN_ID=run_id),
            home / "logs" / "active" / "jobs" / job.name / f"{run_id}.log",
            job.limit.total_seconds(),
            lock,
        )
        return process.run(command, redact, asked)

    return run


def utc(time: datetime) -> str:
    """As logs have it."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
