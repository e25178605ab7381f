"""The scheduler itself: looks at the clock, begins what is due, and carries each run through to its settled slot.

Deciding is `slots.decide`. Every run has a thread that waits for its child; a job has one run at a time here. What
cannot be written down is noted and ends nothing: the memory of this process goes on.
"""

from __future__ import annotations

import hashlib
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from utils import script
from utils.errors import BUG, AnglesError, BusyError, ServiceError
from utils.files import hold_lock
from utils.schedule import process, slots
from utils.schedule.claims import Claim, Claims, Keeper
from utils.schedule.history import SLOTS_KEPT, Attempt, Began, History, Moment
from utils.schedule.jobs import TRIES, Job, Outcome, outcome
from utils.schedule.slots import Miss, Open, Past, Run, Wait
from utils.sections import ScheduleSettings
from utils.sync import lease

MOST_ATTEMPTS = 2 * TRIES
"""Of a slot, over restarts: a job that takes the machine down with it is not begun for ever."""

BACKOFF_SECONDS = (30.0, 120.0)
REST_SECONDS = 5.0
"""After which a job is looked at again that another run, or another host, is at."""

ORPHAN_SECONDS = 1.0
"""The same where its own run goes on without the scheduler that began it."""

BEAT_SECONDS = 60.0
_STEP = timedelta(seconds=60)
"""From which on a change of the clock is told."""

Runner = Callable[[Job, str, "int | None", Callable[[], str]], process.Ended]
"""Runs a job: with a run id, a lock to hand over, and what is asked why it should end."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


def read_clocks() -> Moment:
    """The time, and the clock that nobody sets."""
    return Moment(datetime.now(UTC), str(lease.holder("")["boot_id"]), lease.boot_clock())


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


@dataclass
class Engine:
    """Begins what is due at each `tick`.

    Args:
        plan: what is to be done.
        home: the home folder; locks and logs of the jobs are in it.
        history: what is remembered.
        run: runs a job.
        tell: is told of every run that ended.
        claims: of a host among several; None where this is the only one.
        clocks: reads the clocks.
        begin: begins what takes a while, in a thread.
        pause: waits so many seconds; true when it was cut short by the end. None is the real one.
        wake: is called when a run has ended.
    """

    plan: ScheduleSettings
    home: Path
    history: History
    run: Runner
    tell: Callable[[Report], None] = lambda _report: None
    claims: Claims | None = None
    clocks: Callable[[], Moment] = read_clocks
    begin: Callable[[Callable[[], None]], None] = lambda work: threading.Thread(target=work, daemon=True).start()
    pause: Callable[[float], bool] | None = None
    wake: Callable[[], None] = lambda: None
    failed: bool = False
    _desks: dict[str, Desk] = field(default_factory=dict)
    _at_work: set[str] = field(default_factory=set)
    _halt: threading.Event = field(default_factory=threading.Event)
    _end_at: float | None = None
    _paused: frozenset[str] = frozenset()
    _beaten: float = -BEAT_SECONDS
    _last: Moment | None = None
    _host: str = ""
    _forgetful: bool = False

    def __post_init__(self) -> None:
        self._host = self._kept(lambda: self.history.host(self.clocks().now), "")
        self.replan(self.plan)

    @property
    def busy(self) -> list[str]:
        """The jobs that run now."""
        return sorted(self._at_work)

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._halt.is_set()

    @property
    def overdue(self) -> bool:
        """Whether what runs should long have ended: it hangs on something that is no child."""
        most = process.KILL_SECONDS + REST_SECONDS
        return self._end_at is not None and time.monotonic() > self._end_at + most

    @property
    def holder(self) -> str:
        """This host, in this boot, as claims name it."""
        boot = hashlib.sha256(self.clocks().boot.encode()).hexdigest()[:8]
        return f"{self._host}:{boot}"

    def replan(self, plan: ScheduleSettings) -> None:
        """Takes a new plan; what runs goes on."""
        desks = {}
        for job in plan.jobs:
            jitter = slots.jitter(self._host, job.name, min(plan.jitter, job.period / 10))
            if desk := self._desks.get(job.name):
                desk.job, desk.jitter = job, jitter
            else:
                desk = self._desk(job, jitter)
            desks[job.name] = desk
        self.plan, self._desks = plan, desks

    def _desk(self, job: Job, jitter: timedelta) -> Desk:
        nothing: tuple[Past, Began | None] = (Past(), None)
        boot = self.clocks().boot
        past, began = self._kept(lambda: self.history.past(job.name, boot), nothing)
        return Desk(job, jitter, dict(past.settled), past.open, began)

    def stop(self, seconds: float | None = None) -> None:
        """Begins nothing more; what runs gets so many seconds."""
        self._end_at = time.monotonic() + (self.plan.stop_seconds if seconds is None else seconds)
        self._halt.set()

    def tick(self, moment: Moment) -> int:
        """Begins what is due; answers how many runs that were."""
        self._note_steps(moment)
        if moment.seconds - self._beaten >= BEAT_SECONDS or moment.seconds < self._beaten:
            self._beaten = moment.seconds
            self._kept(lambda: self.history.beat(moment.now), None)
            self._paused = self._kept(lambda: frozenset(self.history.paused()), self._paused)
        closed = self._halt.is_set() or slots.maintenance(self.plan.windows, moment.now) is not None
        return sum(self._look(desk, moment, closed=closed) for desk in self._desks.values())

    def _look(self, desk: Desk, moment: Moment, *, closed: bool) -> bool:
        """Whether a job was begun."""
        job, running = desk.job, desk.busy
        past = desk.past(moment, shared=self._shared(job))
        if running is not None:
            past = replace(past, settled={**past.settled, running.slot: None}, open=None, elapsed=None)
        elif moment.seconds < desk.rest_until:
            return False
        verdict = slots.decide(job, past, moment.now, desk.jitter)
        if running is None and desk.open and not isinstance(verdict, Wait) and desk.open.slot != verdict.slot:
            self._close(desk, desk.open)
        if isinstance(verdict, Miss):
            self._miss(desk, verdict)
        if not isinstance(verdict, Run) or closed:
            return False
        if running is not None:
            if not job.queue:
                _log.warning("%s: slot %s skipped: an earlier run is still at it", job.name, _utc(verdict.slot))
                self._settle(desk, verdict.slot, "skipped", verdict.missed)
            return False
        if self._is_paused(job.name):
            desk.rest_until = moment.seconds + REST_SECONDS
            return False
        desk.busy = verdict
        self._at_work.add(job.name)
        self.begin(lambda: self._carry(desk, verdict))
        return True

    def _miss(self, desk: Desk, miss: Miss) -> None:
        """Settles a slot that is not run; what passes in a pause is counted at its end."""
        name = desk.job.name
        if name not in self._paused:
            told = "%s: slot %s missed (%s), %d in all since the last run"
            _log.warning(told, name, _utc(miss.slot), miss.why, miss.missed)
            self._settle(desk, miss.slot, "missed", miss.missed)

    def _close(self, desk: Desk, cut: Open) -> None:
        """Settles a slot whose run was cut off with its scheduler, once another slot has come."""
        record = self._kept(lambda: self.history.told_by_itself(cut.run_id, desk.job.name), None)
        word = "missed" if record is None or record.code is None else outcome(desk.job, record.code).word
        self._settle(desk, cut.slot, word, 0)

    def _is_paused(self, name: str) -> bool:
        """Whether a job is paused, read anew where it is about to begin: another process pauses and resumes."""
        self._paused = self._kept(lambda: frozenset(self.history.paused()), self._paused)
        return name in self._paused

    def _carry(self, desk: Desk, due: Run) -> None:
        """Carries a slot through, in a thread; a bug ends that thread alone."""
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
        finally:
            desk.busy = None
            self._at_work.discard(desk.job.name)
            self.wake()

    def _overlap(self, desk: Desk, due: Run) -> None:
        """Somebody else runs this job here: a person, or what an earlier scheduler left."""
        if desk.job.queue or due.after:
            desk.rest_until = self.clocks().seconds + (ORPHAN_SECONDS if due.after else REST_SECONDS)
            return
        _log.warning("%s: slot %s skipped: another run is at it", desk.job.name, _utc(due.slot))
        self._settle(desk, due.slot, "skipped", due.missed)

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
        if self.claims is not None and self._shared(desk.job):
            answer = self.claims.claim(desk.job, due.slot)
            if not isinstance(answer, Claim):
                if answer.settled:
                    self._settle(desk, due.slot, "elsewhere", 0)
                else:
                    desk.rest_until = self.clocks().seconds + min(REST_SECONDS, self.claims.ttl / 3)
                return
            claim = answer
            due = replace(due, slot=claim.slot, attempt=claim.attempt)
        desk.troubled = False
        if due.missed:
            _log.warning("%s: %d slots before %s were missed", desk.job.name, due.missed, _utc(due.slot))
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
        record = self._kept(lambda: self.history.told_by_itself(due.after, desk.job.name), None)
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
        self._kept(lambda: self.history.end(attempt), None)
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
        self._kept(lambda: self.history.begin(attempt, due.missed, began), None)
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
        self._kept(lambda: self.history.end(attempt), None)
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
        self._settle(desk, due.slot, word, due.missed)
        self.failed = self.failed or report.outcome.well is False
        self.tell(report)

    def _give_back(self, claim: Claim | None) -> None:
        """Lets another host take the slot at once."""
        if claim is not None and self.claims is not None:
            try:
                self.claims.settle(claim, "running", "given back")
            except ServiceError as error:
                _log.info("%s: its claim is not given back, it expires: %s", claim.job, error)

    def _settle(self, desk: Desk, slot: datetime, word: str, missed: int) -> None:
        moment = self.clocks()
        others = [(each, since) for each, since in desk.settled.items() if each != slot]
        desk.settled = {**dict(others[1 - SLOTS_KEPT :]), slot: moment.seconds}  # anew: another thread may read the old
        if desk.open and desk.open.slot == slot:
            desk.open = None
        self._kept(lambda: self.history.settle(desk.job.name, slot, word, missed, moment), None)

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

    def _shared(self, job: Job) -> bool:
        return self.claims is not None and not job.everywhere

    def _note_steps(self, moment: Moment) -> None:
        """Tells what happened to the clock since the last look."""
        last, self._last = self._last, moment
        if last is None or last.boot != moment.boot:
            return
        really = timedelta(seconds=moment.seconds - last.seconds)
        step = moment.now - last.now - really
        if abs(step) > _STEP:
            _log.warning("the clock was set %s by %s", "ahead" if step > timedelta(0) else "back", abs(step))
        if really > 5 * _STEP:
            _log.warning(
                "this machine, or the scheduler, stood still for %s", timedelta(seconds=round(really.total_seconds()))
            )

    def _kept(self, work: Callable[[], T], otherwise: T) -> T:
        """What the state answers; where it cannot be used, that is told once, and this goes on."""
        try:
            found = work()
        except AnglesError as error:
            if not self._forgetful:
                _log.warning("goes on without writing down what it does: %s", error)
            self._forgetful = True
            return otherwise
        self._forgetful = False
        return found


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


def _utc(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
