"""A month of the engine in seconds: its clocks are played, its history is the real one, its runs take no time."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from utils import state
from utils.schedule import process
from utils.schedule.carrier import Carrier, Report
from utils.schedule.engine import Engine
from utils.schedule.history import History, Memory, Moment
from utils.schedule.jobs import JOBS, Job
from utils.sections import ScheduleSettings

START = datetime(2027, 2, 27, tzinfo=UTC)
HOUR = timedelta(hours=1)


class HeldHistory(History):
    """The history over one connection that stays open: a month has many minutes."""

    @cached_property
    def connection(self) -> sqlite3.Connection:
        with state.open_state(self.path):
            db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        db.execute("pragma synchronous = off")
        return db

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        yield self.connection


@dataclass
class Simulation:
    """`really` is the time that passed, `wrong` how far the host's clock is off."""

    home: Path
    jobs: tuple[Job, ...] = JOBS
    step: timedelta = timedelta(minutes=1)
    code: Callable[[Job, int], int] = lambda _job, _number: 0
    really: timedelta = timedelta(0)
    wrong: timedelta = timedelta(0)
    boot: int = 1
    runs: dict[str, list[timedelta]] = field(default_factory=lambda: defaultdict(list))
    reports: list[Report] = field(default_factory=list)
    plan: ScheduleSettings = field(init=False)
    history: HeldHistory = field(init=False)
    carrier: Carrier = field(init=False)
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.plan = ScheduleSettings(self.jobs)
        self.history = HeldHistory(self.home / "state.db")
        self.restart()

    def restart(self) -> None:
        """The scheduler's process ends, and another one begins."""
        memory = Memory(self.history)
        self.carrier = Carrier(self.home, memory, self.run, self.reports.append, clocks=self.clocks, pause=self.wait)
        self.engine = Engine(self.plan, self.carrier, begin=lambda work: work())

    @property
    def now(self) -> datetime:
        """What the host's clock says."""
        return START + self.really + self.wrong

    def clocks(self) -> Moment:
        """Both clocks."""
        return Moment(self.now, f"boot {self.boot}", self.really.total_seconds())

    def run(self, job: Job, _run_id: str, _lock: int | None, _asked: Callable[[], str]) -> process.Ended:
        """A run that takes no time."""
        self.runs[job.name].append(self.really)
        return process.Ended(self.code(job, len(self.runs[job.name])), 0.0)

    def wait(self, seconds: float) -> bool:
        """Time passes between two tries."""
        self.really += timedelta(seconds=seconds)
        return False

    def go(self, until: timedelta) -> None:
        """Time passes; the engine looks at the clock."""
        while self.really < until:
            self.engine.tick(self.clocks())
            self.really += self.step

    def down(self, duration: timedelta) -> None:
        """Time passes without a scheduler."""
        self.really += duration
        self.restart()
