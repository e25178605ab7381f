"""Thirty days of restarts, outages, clocks that are set and a machine that sleeps: slots run against slots due."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.schedule.simulation import HOUR, START, Simulation
from utils.schedule.jobs import JOBS, Job
from utils.schedule.slots import last_due

DAY = timedelta(days=1)
STEP = timedelta(minutes=5)


def go(simulation: Simulation, until: timedelta) -> None:
    """Time passes with a restart every 5 hours."""
    while simulation.really < until:
        simulation.go(min(simulation.really + 5 * HOUR, until))
        simulation.restart()


def gaps(runs: list[timedelta]) -> list[timedelta]:
    """What lies between one run and the next."""
    return [later - earlier for earlier, later in itertools.pairwise(runs)]


def due(job: Job, begin: timedelta, end: timedelta) -> int:
    """How many slots of a job lie between two moments."""
    return (last_due(job, START + end) - last_due(job, START + begin)) // job.period


def test_thirty_days(tmp_path: Path, figure: Callable[[str], None]) -> None:
    month = Simulation(tmp_path, step=STEP)
    go(month, 3 * DAY + timedelta(hours=1, minutes=50))
    month.down(HOUR)  # over 02:00
    go(month, 5 * DAY + 13 * HOUR)
    month.wrong = 6 * HOUR
    go(month, 8 * DAY + 15 * HOUR)
    month.wrong = timedelta(0)
    go(month, 10 * DAY + 13 * HOUR)
    month.wrong = -6 * HOUR
    go(month, 12 * DAY + 9 * HOUR)
    month.wrong = timedelta(0)
    go(month, 15 * DAY + 11 * HOUR)
    month.wrong = 3653 * DAY
    go(month, 16 * DAY + 18 * HOUR)
    month.wrong = timedelta(0)
    go(month, 20 * DAY + 7 * HOUR)
    slept = month.really
    month.really += 3 * DAY  # the clock that nobody sets goes on meanwhile
    go(month, 30 * DAY)

    for job in JOBS:
        runs = month.runs[job.name]
        asleep = due(job, slept, slept + 3 * DAY)
        wanted = due(job, timedelta(0), 30 * DAY) - asleep + bool(asleep)
        figure(
            f"scheduler, 30 days: {job.name} ran {len(runs)} slots, {wanted} were due while it was awake or just after"
        )
        assert abs(len(runs) - wanted) <= max(1, wanted // 100), job.name
        awake = [gap for run, gap in zip(runs, gaps(runs), strict=False) if not run <= slept < run + gap]
        assert max(awake) <= 1.5 * job.period + HOUR + STEP, f"{job.name}: silence"
        assert all(gap >= job.period / 6 for gap in gaps(runs)), f"{job.name}: two at once"
    assert min(gaps(month.runs["backup"])) > DAY / 2, "no double backup"
    assert not [report for report in month.reports if report.outcome.word != "ok"]


@pytest.mark.parametrize("restarted", [False, True], ids=["awake", "restarted"])
@pytest.mark.parametrize("hours", [-6, 6, 24 * 3653], ids=["back 6 h", "ahead 6 h", "ahead 10 years"])
def test_after_the_clock_was_set_no_backup_comes_twice_and_nothing_is_silent(
    hours: int, restarted: bool, tmp_path: Path
) -> None:
    for minutes in range(0, 24 * 60, 9 * 60 + 20):
        folder = tmp_path / str(minutes)
        folder.mkdir()
        week = Simulation(folder, step=timedelta(minutes=30))
        for moment, wrong in ((DAY + timedelta(minutes=minutes), hours * HOUR), (2.7 * DAY, timedelta(0))):
            week.go(moment)
            week.wrong = wrong
            if restarted:
                week.restart()
        week.go(5 * DAY)
        assert min(gaps(week.runs["backup"])) > 0.5 * DAY
        assert max(gaps(week.runs["backup"])) <= 1.5 * DAY + HOUR
        assert max(gaps(week.runs["monitor"])) <= 1.5 * HOUR + week.step
        assert max(gaps(week.runs["sync"])) <= 9 * HOUR + week.step


def test_a_reboot_with_a_clock_at_the_epoch_harms_nothing(tmp_path: Path) -> None:
    days = Simulation(tmp_path, step=timedelta(minutes=10))
    days.go(1.5 * DAY)
    days.boot, days.wrong = 2, -57 * 365 * DAY
    days.restart()
    days.go(days.really + HOUR)
    days.wrong = timedelta(0)
    days.go(3 * DAY)
    assert [round(run / HOUR) for run in days.runs["backup"] if run > 1.6 * DAY] == [50]


def test_a_zone_of_the_host_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    days = Simulation(tmp_path, step=timedelta(minutes=10))
    days.really = timedelta(days=14)  # 2027-03-14: the hour from 02:00 is left out there
    days.restart()
    days.go(timedelta(days=16))
    monkeypatch.undo()
    time.tzset()
    assert [round(run / HOUR) for run in days.runs["backup"]] == [14 * 24 + 2, 15 * 24 + 2]
