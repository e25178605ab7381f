"""How a slot is carried through: outcomes, retries, overlaps, pauses, restarts, a state that cannot be written."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.schedule.host import job
from tests.schedule.simulation import HOUR, START, HeldHistory, Simulation
from utils import state
from utils.errors import ServiceError
from utils.files import hold_lock
from utils.schedule import process
from utils.schedule.carrier import Carrier, job_lock
from utils.schedule.claims import Claims
from utils.schedule.engine import Engine
from utils.schedule.history import History, Memory, Moment
from utils.schedule.jobs import Job
from utils.schedule.slots import parse_window
from utils.sections import ScheduleSettings

MINUTE = timedelta(minutes=1)
HOURLY = job("count", "none.py", grace=50 * MINUTE, everywhere=True)


def codes(*given: int) -> Callable[[Job, int], int]:
    """A job that ends with these, one after the other, and then with the last of them."""
    return lambda _job, number: given[min(number, len(given)) - 1]


def day(tmp_path: Path, *given: int, jobs: tuple[Job, ...] = (HOURLY,)) -> Simulation:
    """Days of which every run ends with the codes given."""
    return Simulation(tmp_path, jobs, code=codes(*(given or (0,))))


@pytest.mark.parametrize(
    ("given", "runs", "outcome"),
    [
        pytest.param((0,), 1, "ok", id="0"),
        pytest.param((1,), 1, "with problems", id="1"),
        pytest.param((2,), 1, "configuration", id="2"),
        pytest.param((4,), 1, "refused", id="4"),
        pytest.param((75,), 1, "skipped", id="75"),
        pytest.param((3,), 3, "service unavailable", id="3 to the end"),
        pytest.param((70, 0), 2, "ok", id="70, then 0"),
        pytest.param((-9, 3, 1), 3, "with problems", id="killed, 3, then 1"),
        pytest.param((3, 4), 2, "refused", id="3, then 4"),
    ],
)
def test_a_slot_is_tried_again_only_where_that_may_help(
    given: tuple[int, ...], runs: int, outcome: str, tmp_path: Path
) -> None:
    it = day(tmp_path, *given)
    it.go(10 * MINUTE)
    assert len(it.runs["count"]) == runs
    assert [report.final for report in it.reports] == [False] * (runs - 1) + [True]
    assert it.reports[-1].outcome.word == outcome
    assert it.history.last_state("count") == (START, outcome)
    assert [attempt.attempt for attempt in it.history.attempts("count", 9)] == list(range(runs, 0, -1))


def test_tries_are_apart_and_inside_the_grace(tmp_path: Path) -> None:
    it = day(tmp_path, 3)
    it.go(10 * MINUTE)
    first, second, third = it.runs["count"]
    assert timedelta(seconds=22) <= second - first <= timedelta(seconds=38)
    assert timedelta(seconds=90) <= third - second <= timedelta(seconds=150)
    short = replace(HOURLY, name="short", grace=timedelta(seconds=1), period=timedelta(seconds=60))
    again = Simulation(tmp_path / "short", (short,), step=timedelta(seconds=1), code=codes(3))
    again.go(timedelta(seconds=50))
    assert all(run <= timedelta(seconds=1.25) for run in again.runs["short"])


def test_downtime_is_caught_up_by_one_run_and_the_missed_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    it = day(tmp_path)
    it.go(HOUR / 2)
    it.down(5 * HOUR)
    it.go(6 * HOUR)
    assert it.runs["count"] == [timedelta(0), 5.5 * HOUR]
    assert "count: 4 slots before 2027-02-27 05:00:00 UTC were missed" in caplog.text


def test_a_restart_does_not_repeat_a_slot(tmp_path: Path) -> None:
    it = day(tmp_path)
    for minutes in range(0, 300, 7):
        it.go(minutes * MINUTE)
        it.restart()
    assert len(it.runs["count"]) == 5


def test_a_job_that_is_switched_off_or_on_by_a_new_plan(tmp_path: Path) -> None:
    it = day(tmp_path)
    it.go(HOUR)
    it.engine.replan(ScheduleSettings(()))
    it.go(3 * HOUR)
    it.engine.replan(ScheduleSettings((replace(HOURLY, period=2 * HOUR),)))
    it.go(5 * HOUR)
    assert it.runs["count"] == [timedelta(0), 4 * HOUR]


def test_a_pause_holds_until_it_ends_and_one_run_follows(tmp_path: Path) -> None:
    it = day(tmp_path)
    it.history.pause("count", it.now)
    it.go(3.2 * HOUR)
    assert not it.runs
    assert list(it.history.paused()) == ["count"]
    assert it.history.resume("count")
    assert not it.history.resume("count")
    it.go(4 * HOUR)
    assert len(it.runs["count"]) == 1
    assert it.runs["count"][0] < 3.3 * HOUR


def test_in_a_maintenance_window_nothing_is_begun_and_afterwards_one_run_follows(tmp_path: Path) -> None:
    it = day(tmp_path)
    it.engine.replan(replace(it.plan, windows=(parse_window("00:30-03:30"),)))
    it.go(5 * HOUR)
    assert it.runs["count"] == [timedelta(0), 3.5 * HOUR, 4 * HOUR]


def test_a_stopped_engine_begins_nothing(tmp_path: Path) -> None:
    it = day(tmp_path)
    it.carrier.stop(0.1)
    it.go(3 * HOUR)
    assert not it.runs


def test_a_run_that_was_cut_off_goes_on_with_the_next_try(tmp_path: Path) -> None:
    it = day(tmp_path)

    def cut(*_: Any) -> process.Ended:
        raise KeyboardInterrupt

    it.carrier.run = cut
    with pytest.raises(KeyboardInterrupt):
        it.engine.tick(it.clocks())
    it.down(5 * MINUTE)
    it.go(HOUR)
    assert [(each.attempt, each.outcome) for each in it.history.attempts("count", 9)] == [(2, "ok"), (1, "running")]


@pytest.mark.parametrize(("code", "runs", "outcome"), [(0, 0, "ok"), (4, 0, "refused"), (3, 1, "ok")])
def test_how_a_run_ended_whose_scheduler_died_is_told_by_the_run(
    code: int, runs: int, outcome: str, tmp_path: Path
) -> None:
    it = day(tmp_path)

    def orphaned(job: Job, run_id: str, *_: Any) -> process.Ended:
        with state.open_state(tmp_path / "state.db") as db:
            state.record_run(db, state.RunRecord(run_id, job.name, it.now, it.now + MINUTE, "x", "said", code))
        raise KeyboardInterrupt

    it.carrier.run = orphaned
    with pytest.raises(KeyboardInterrupt):
        it.engine.tick(it.clocks())
    it.down(5 * MINUTE)
    it.go(HOUR)
    assert len(it.runs["count"]) == runs
    assert it.history.last_state("count") == (START, outcome)


def test_a_job_that_takes_its_scheduler_down_is_given_up(tmp_path: Path) -> None:
    it = day(tmp_path)

    def down(*_: Any) -> process.Ended:
        raise KeyboardInterrupt

    for _ in range(6):
        it.carrier.run = down
        with pytest.raises(KeyboardInterrupt):
            it.engine.tick(it.clocks())
        it.restart()
    it.carrier.run = down
    it.engine.tick(it.clocks())
    assert it.reports[-1].outcome.word == "given up"
    assert it.history.last_state("count") == (START, "given up")


class Held:
    """An engine in threads, whose runs last until they are let go."""

    def __init__(self, home: Path, *jobs: Job) -> None:
        self.now = START
        self.begun: list[str] = []
        self.asked: list[str] = []
        self.go = threading.Event()
        self.started = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.history = HeldHistory(home / "state.db")
        self.carrier = Carrier(home, Memory(self.history), self.run, clocks=self.clocks)
        self.engine = Engine(ScheduleSettings(jobs), self.carrier, wake=self.ended.release)

    def clocks(self) -> Moment:
        return Moment(self.now, "boot", (self.now - START).total_seconds())

    def run(self, job: Job, _run_id: str, _lock: int | None, asked: Callable[[], str]) -> process.Ended:
        self.begun.append(job.name)
        self.started.release()
        while not self.go.wait(0.01):
            if why := asked():
                self.asked.append(why)
                return process.Ended(-15, 0.0, why)
        return process.Ended(0, 0.0)

    def tick(self, after: timedelta = timedelta(0)) -> int:
        self.now += after
        return self.engine.tick(self.clocks())


@pytest.mark.parametrize("queue", [False, True], ids=["skip", "queue one"])
def test_a_slot_that_comes_while_an_earlier_run_is_at_it(queue: bool, tmp_path: Path) -> None:
    it = Held(tmp_path, replace(HOURLY, queue=queue))
    assert it.tick() == 1
    assert it.started.acquire(timeout=10)
    assert [it.tick(HOUR), it.tick(MINUTE)] == [0, 0]
    assert it.engine.busy == ["count"]
    it.go.set()
    assert it.ended.acquire(timeout=10)
    assert it.tick(MINUTE) == (1 if queue else 0)
    if queue:
        assert it.ended.acquire(timeout=10)
    assert it.history.last_state("count") is not None
    assert it.tick(57 * MINUTE + timedelta(minutes=1)) == 1


def test_running_jobs_get_their_time_when_all_ends_and_their_slot_stays_open(tmp_path: Path) -> None:
    it = Held(tmp_path, HOURLY)
    it.tick()
    assert it.started.acquire(timeout=10)
    it.carrier.stop(0.1)
    assert it.ended.acquire(timeout=10)
    assert it.asked == ["stopped"]
    assert it.history.last_state("count") == (START, "running")


@pytest.mark.parametrize("queue", [False, True], ids=["skip", "queue one"])
def test_a_run_by_hand_is_an_overlap_too(queue: bool, tmp_path: Path) -> None:
    it = Held(tmp_path, replace(HOURLY, queue=queue))
    it.go.set()
    with hold_lock(job_lock(tmp_path, "count")):
        it.tick()
        assert it.ended.acquire(timeout=10)
        assert not it.begun
    it.tick(timedelta(seconds=10))
    if queue:
        assert it.ended.acquire(timeout=10)
    assert it.begun == (["count"] if queue else [])


def test_a_bug_in_one_job_ends_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    it = day(tmp_path, jobs=(HOURLY, replace(HOURLY, name="other")))
    real = it.carrier.run

    def broken(job: Job, *rest: Any) -> process.Ended:
        if job.name == "count":
            raise RuntimeError("broken")
        return real(job, *rest)

    it.carrier.run = broken
    it.go(2 * HOUR)
    assert len(it.runs["other"]) == 2
    assert "count: a bug of the scheduler" in caplog.text


def test_what_cannot_be_started_is_a_failed_run(tmp_path: Path) -> None:
    it = day(tmp_path)

    def missing(*_: Any) -> process.Ended:
        raise FileNotFoundError(2, "No such file or directory")

    it.carrier.run = missing
    it.go(HOUR / 2)
    assert it.reports[-1].outcome.word == "bug"
    assert it.reports[-1].attempt.detail == "cannot be started (No such file or directory)"


def test_without_a_state_the_jobs_go_on_and_that_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    it = day(tmp_path)
    (tmp_path / "folder").mkdir()
    it.history = History(tmp_path / "folder")  # type: ignore[assignment]
    it.restart()
    it.step = 10 * MINUTE
    it.go(3 * HOUR)
    assert len(it.runs["count"]) == 3
    assert caplog.text.count("goes on without writing down what it does") == 1


class Down:
    """A database that is not to be reached."""

    def call(self, *_: Any) -> Any:
        raise ServiceError("vault", "cannot be reached")


def test_with_the_database_down_the_jobs_of_each_host_run_on_and_that_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    it = day(tmp_path, jobs=(HOURLY, replace(HOURLY, name="shared", everywhere=False)))
    it.carrier.claims = Claims(Down(), "one")  # type: ignore[arg-type]
    it.go(3 * HOUR)
    assert {name: len(runs) for name, runs in it.runs.items()} == {"count": 3}
    assert caplog.text.count("shared: no run, since its claim cannot be made") == 1


def test_what_happened_to_the_clock_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    it = day(tmp_path)
    it.go(HOUR)
    it.wrong = -6 * HOUR
    it.go(1.1 * HOUR)
    it.really += 3 * HOUR
    it.go(4.2 * HOUR)
    told = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert "the clock was set back by 6:00:00" in told
    assert any(line.startswith("this machine, or the scheduler, stood still for 3:0") for line in told)


def test_the_history_keeps_to_its_size_whatever_the_clock_said(tmp_path: Path) -> None:
    history = HeldHistory(tmp_path / "state.db")
    far = datetime(2037, 1, 1, tzinfo=UTC)
    for number in range(450):
        history.settle("count", (far if number < 10 else START) + number * HOUR, "ok", 0, Moment(START, "boot", 0.0))
    past, began = history.past("count", "boot")
    assert (len(past.settled), began) == (400, None)
    assert max(past.settled) == START + 449 * HOUR, "the oldest by when they were settled went first"


def test_a_stop_between_two_tries_leaves_the_slot_open(tmp_path: Path) -> None:
    it = day(tmp_path, 3, 0)
    it.carrier.pause = lambda _seconds: it.carrier.stop(0) or True  # type: ignore[func-returns-value]
    it.engine.tick(it.clocks())
    assert it.history.last_state("count") == (START, "running")
    it.restart()
    it.go(5 * MINUTE)
    assert [(each.attempt, each.outcome) for each in it.history.attempts("count", 9)] == [
        (2, "ok"),
        (1, "service unavailable"),
    ]


def test_a_long_pause_tells_what_was_missed_once_at_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    it = day(tmp_path)
    it.go(HOUR / 2)
    it.history.pause("count", it.now)
    it.go(9.2 * HOUR)
    it.history.resume("count")
    it.go(9.5 * HOUR)
    assert [record.message for record in caplog.records] == [
        "count: 8 slots before 2027-02-27 09:00:00 UTC were missed"
    ]


def test_a_job_that_a_new_plan_switches_off_is_waited_for(tmp_path: Path) -> None:
    it = Held(tmp_path, HOURLY)
    it.tick()
    assert it.started.acquire(timeout=10)
    it.engine.replan(ScheduleSettings(()))
    assert it.engine.busy == ["count"]
    it.go.set()
    assert it.ended.acquire(timeout=10)
    assert it.engine.busy == []
    assert it.history.last_state("count") == (START, "ok")


def test_a_claim_is_kept_while_its_slot_runs_and_given_up_when_it_is_lost(tmp_path: Path) -> None:
    calls: list[str] = []

    class Database:
        def call(self, function: str, payload: Any) -> Any:
            calls.append(function)
            granted = {"granted": True, "slot": START.isoformat(), "fence": 1, "attempt": 1}
            return {"job_claim": granted, "job_keep": {"held": calls.count("job_keep") < 3}}.get(
                function, {"held": False}
            )

    it = Held(tmp_path, replace(HOURLY, everywhere=False))
    it.carrier.claims = Claims(Database(), "one", ttl=0.06)  # type: ignore[arg-type]
    it.tick()
    assert it.ended.acquire(timeout=10)
    assert it.asked == ["taken over by another host"]
    assert calls == ["job_claim", "job_keep", "job_keep", "job_keep", "job_settle"]
