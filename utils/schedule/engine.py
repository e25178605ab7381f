"""The scheduler itself: looks at the clock, and has begun what is due. Deciding is `slots.decide`."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from utils.schedule import slots
from utils.schedule.carrier import REST_SECONDS, Carrier, Desk, utc
from utils.schedule.history import Began, Moment
from utils.schedule.jobs import Job
from utils.schedule.slots import Miss, Past, Run, Wait
from utils.sections import ScheduleSettings

BEAT_SECONDS = 60.0
_STEP = timedelta(seconds=60)
"""From which on a change of the clock is told."""

_log = logging.getLogger(__name__)


@dataclass
class Engine:
    """Begins what is due at each `tick`.

    Args:
        plan: what is to be done.
        carrier: what does it.
        begin: begins what takes a while, in a thread.
        wake: is called when a run has ended.
    """

    plan: ScheduleSettings
    carrier: Carrier
    begin: Callable[[Callable[[], None]], None] = lambda work: threading.Thread(target=work, daemon=True).start()
    wake: Callable[[], None] = lambda: None
    _desks: dict[str, Desk] = field(default_factory=dict)
    _at_work: set[str] = field(default_factory=set)
    _paused: frozenset[str] = frozenset()
    _beaten: float = -BEAT_SECONDS
    _last: Moment | None = None
    _host: str = ""

    def __post_init__(self) -> None:
        now = self.carrier.clocks().now
        self._host = self.carrier.memory.kept(lambda it: it.host(now), "")
        self.replan(self.plan)

    @property
    def busy(self) -> list[str]:
        """The jobs that run now."""
        return sorted(self._at_work)

    @property
    def holder(self) -> str:
        """This host, in this boot, as claims name it."""
        boot = hashlib.sha256(self.carrier.clocks().boot.encode()).hexdigest()[:8]
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
        boot = self.carrier.clocks().boot
        past, began = self.carrier.memory.kept(lambda it: it.past(job.name, boot), nothing)
        return Desk(job, jitter, dict(past.settled), past.open, began)

    def tick(self, moment: Moment) -> int:
        """Begins what is due; answers how many runs that were."""
        self._note_steps(moment)
        if moment.seconds - self._beaten >= BEAT_SECONDS or moment.seconds < self._beaten:
            self._beaten = moment.seconds
            self.carrier.memory.kept(lambda it: it.beat(moment.now), None)
            self._paused = self.carrier.memory.kept(lambda it: frozenset(it.paused()), self._paused)
        closed = self.carrier.stopping or slots.maintenance(self.plan.windows, moment.now) is not None
        return sum(self._look(desk, moment, closed=closed) for desk in self._desks.values())

    def _look(self, desk: Desk, moment: Moment, *, closed: bool) -> bool:
        """Whether a job was begun."""
        job, running = desk.job, desk.busy
        past = desk.past(moment, shared=self.carrier.shared(job))
        if running is not None:
            past = replace(past, settled={**past.settled, running.slot: None}, open=None, elapsed=None)
        elif moment.seconds < desk.rest_until:
            return False
        verdict = slots.decide(job, past, moment.now, desk.jitter)
        if running is None and desk.open and not isinstance(verdict, Wait) and desk.open.slot != verdict.slot:
            self.carrier.close(desk, desk.open)
        if isinstance(verdict, Miss):
            self._miss(desk, verdict)
        if not isinstance(verdict, Run) or closed:
            return False
        if running is not None:
            if not job.queue:
                _log.warning("%s: slot %s skipped: an earlier run is still at it", job.name, utc(verdict.slot))
                self.carrier.settle(desk, verdict.slot, "skipped", verdict.missed)
            return False
        if self._is_paused(job.name):
            desk.rest_until = moment.seconds + REST_SECONDS
            return False
        self._begin(desk, verdict)
        return True

    def _miss(self, desk: Desk, miss: Miss) -> None:
        """Settles a slot that is not run; what passes in a pause is counted at its end."""
        name = desk.job.name
        if name not in self._paused:
            told = "%s: slot %s missed (%s), %d in all since the last run"
            _log.warning(told, name, utc(miss.slot), miss.why, miss.missed)
            self.carrier.settle(desk, miss.slot, "missed", miss.missed)

    def _is_paused(self, name: str) -> bool:
        """Whether a job is paused, read anew where it is about to begin: another process pauses and resumes."""
        self._paused = self.carrier.memory.kept(lambda it: frozenset(it.paused()), self._paused)
        return name in self._paused

    def _begin(self, desk: Desk, due: Run) -> None:
        """Has a slot carried through, in a thread."""

        def work() -> None:
            try:
                self.carrier.carry(desk, due)
            finally:
                desk.busy = None
                self._at_work.discard(desk.job.name)
                self.wake()

        desk.busy = due
        self._at_work.add(desk.job.name)
        self.begin(work)

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
