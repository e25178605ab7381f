"""The scheduler as a process: the loop around the engine, signals, the configuration read again, the dashboard."""

from __future__ import annotations

import contextlib
import queue
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Self

from utils import config, errors, script, sections, services, state
from utils.config import Mode, Settings
from utils.errors import AnglesError
from utils.schedule.carrier import Carrier, Report, child_runner
from utils.schedule.claims import Claims
from utils.schedule.engine import Engine
from utils.schedule.history import History, Memory, read_clocks
from utils.schedule.jobs import Job
from utils.schedule.messenger import Messenger
from utils.schedule.supervisor import Served, Supervisor
from utils.schedule.tell import Teller, closing_line
from utils.schedule.ticks import ticks
from utils.script import Run, Unheard
from utils.sections import ScheduleSettings
from utils.variables import Variables

Section = Callable[[Variables, Path], ScheduleSettings]

_SIGNALS = {signal.SIGTERM: "stop", signal.SIGINT: "stop", signal.SIGHUP: "reload"}


@dataclass
class Service:
    """The engine and what it stands on.

    Args:
        run: the script's run.
        engine: what begins the jobs.
        teller: what tells of them.
        read: reads the configuration.
        dashboard: looks after the dashboard.
    """

    run: Run
    engine: Engine
    teller: Teller
    read: Callable[[], ScheduleSettings]
    dashboard: Supervisor = field(default_factory=lambda: Supervisor(_page))
    told: int = 0
    _events: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)

    @classmethod
    @contextmanager
    def opened(
        cls, run: Run, settings: Settings, plan: ScheduleSettings, section: Section = sections.schedule
    ) -> Iterator[Self]:
        """A service in this process; in local mode the embedded services run as long."""
        redact = run.redactor.redact
        with services.database(settings) as filled:
            if settings.mode is Mode.LOCAL:
                _migrate(run)
            messenger = Messenger()
            transport = None if "vault" in settings.missing else messenger
            teller = Teller(settings.home, run.log, plan.alerts, redact, transport)
            memory = Memory(History(settings.home / state.STATE_FILE))
            carrier = Carrier(settings.home, memory, child_runner(settings.home, redact))
            engine = Engine(plan, carrier)
            if plan.shared:
                filled.need_vault()
                carrier.claims = Claims(messenger, engine.holder)
            service = cls(run, engine, teller, lambda: config.load_with(section)[1])
            carrier.tell, engine.wake = service.tell, lambda: service._events.put("")
            try:
                yield service
            finally:
                teller.close()
                messenger.close()

    def until_stopped(self) -> None:
        """Begins what is due until a signal says to stop; answers when nothing runs any more."""
        self.run.log.info("started; %d jobs", len(self.engine.plan.jobs))
        self.run.say(f"{self.run.component}: {len(self.engine.plan.jobs)} jobs; Ctrl-C stops it")
        beat = ticks()
        with self._heard():
            while True:
                self._handle(_next(self._events, beat.seconds()))
                if self.engine.carrier.stopping and (self.engine.carrier.overdue or not self.engine.busy):
                    break
                if beat.due():
                    moment = read_clocks()
                    self.engine.tick(moment)
                    if not self.engine.carrier.stopping:
                        self.dashboard.look(moment.seconds)
        self.dashboard.stop()
        self.run.log.info("stopped")
        self.run.say(f"{self.run.component}: stopped")

    def until_nothing_is_due(self) -> None:
        """Runs everything that is due now."""
        self.engine.replan(replace(self.engine.plan, jitter=timedelta(0)))
        with self._heard():
            while self.engine.tick(read_clocks()) or self.engine.busy:
                self._handle(_next(self._events, 1.0))
                if self.engine.carrier.stopping and not self.engine.busy:
                    break
            while not self._events.empty():
                self._handle(_next(self._events, 0.0))
        self.run.say(f"{self.run.component}: {self.told} runs were due")

    def tell(self, report: Report) -> None:
        """Tells a run; stderr and the log have what failed, stdout has the others, by the thread that owns it."""
        self.told += 1
        self.teller.tell(report)
        if report.outcome.well is not False:
            self._events.put(closing_line(report))

    def run_now(self, job: Job) -> Report:
        """Runs a job for a person; Ctrl-C ends it."""
        found: list[Report | AnglesError] = []

        def work() -> None:
            try:
                found.append(self.engine.carrier.run_now(job))
            except AnglesError as error:
                found.append(error)
            finally:
                self.engine.wake()

        with self._heard():
            self.engine.begin(work)
            while not found:
                if _next(self._events, 1.0) == "stop":
                    self.engine.carrier.stop(0)
        if isinstance(found[0], AnglesError):
            raise found[0]
        return found[0]

    def _handle(self, event: str) -> None:
        if event == "stop":
            again = self.engine.carrier.stopping
            busy = ", ".join(self.engine.busy)
            seconds = 0 if again else self.engine.plan.stop_seconds
            self.engine.carrier.stop(seconds)
            if busy:
                told = "is ended now" if again else f"gets {seconds:g} s"
                self.run.note(f"stopping: {busy} {told}")
        elif event == "reload":
            self._reload()
        elif event:
            with contextlib.suppress(AnglesError, Unheard):  # the jobs go on, whether anybody reads this or not
                self.run.say(event)

    def _reload(self) -> None:
        """Reads the configuration again; where it is wrong, the old one stays."""
        try:
            plan = self.read()
        except errors.ConfigError as problem:
            for line in problem.lines:
                self.run.note(f"the configuration is not taken: {line}")
            return
        if plan.shared != self.engine.plan.shared:
            self.run.note("SCHEDULER_COORDINATION is taken with the next start")
        self.engine.replan(replace(plan, shared=self.engine.plan.shared))
        self.teller.alerts = plan.alerts
        self.dashboard.renew()
        self.run.log.info("configuration read again; %d jobs", len(plan.jobs))

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Signals become events; a queue bears being filled by a signal's handler."""

        def hear(number: int, _frame: FrameType | None) -> None:
            self._events.put(_SIGNALS[signal.Signals(number)])

        before = {number: signal.signal(number, hear) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _next(events: queue.SimpleQueue[str], seconds: float) -> str:
    """The next event, or '' when none comes in time."""
    try:
        return events.get(timeout=seconds) if seconds > 0 else events.get_nowait()
    except queue.Empty:
        return ""


def _migrate(run: Run) -> None:
    """Brings the embedded database, which nobody else looks after, to the schema of this version."""
    command = script.child("run_migration.py", ())
    env = config.child_environment(RUN_ID=run.id)
    quiet = subprocess.DEVNULL
    ended = subprocess.run(command, env=env, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        run.note(f"the schema is not brought up to date; the jobs say what they lack: {ended.stderr.strip()[-500:]}")


def _page() -> Served:
    """The dashboard, in this process."""
    from utils import dashboard

    return dashboard.start()
