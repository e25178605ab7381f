"""The library's beat and our own give the same slots, over a year with a leap day and a host that changes its zone."""

from __future__ import annotations

import datetime as real
import sys
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from utils.schedule import ticks
from utils.schedule.jobs import JOBS
from utils.schedule.slots import Past, Run, decide
from utils.schedule.ticks import LibraryTicks, OwnTicks, Ticks

EVERY = 30 * 60
START = datetime(2028, 1, 1, tzinfo=UTC)


class Played:
    """A clock that is played: what the library reads as the host's local time, and what ours counts by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, zone: str = "Europe/Berlin") -> None:
        self.now = START
        schedule = pytest.importorskip("schedule")
        played = self

        class Local(real.datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return real.datetime.fromtimestamp(played.now.timestamp(), tz)

        monkeypatch.setenv("TZ", zone)
        time.tzset()
        monkeypatch.setattr(schedule, "datetime", SimpleNamespace(**{**vars(real), "datetime": Local}))
        self.library = schedule

    def seconds(self) -> float:
        """Ours."""
        return (self.now - START).total_seconds()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A played clock in a zone with summer time."""
    yield Played(monkeypatch)
    monkeypatch.undo()
    time.tzset()


def a_year(played: Played, beat: Ticks) -> list[tuple[str, datetime]]:
    """Every slot that a year of ticks begins, in order."""
    settled: dict[str, dict[datetime, float | None]] = {job.name: {} for job in JOBS}
    begun = []
    while played.now < datetime(2029, 1, 1, tzinfo=UTC):
        if beat.due():
            for job in JOBS:
                recent = dict.fromkeys(list(settled[job.name])[-3:], 0.0)
                verdict = decide(job, Past(recent), played.now)
                if isinstance(verdict, Run):
                    settled[job.name] = {**recent, verdict.slot: 0.0}
                    begun.append((job.name, verdict.slot))
        played.now += timedelta(seconds=max(beat.seconds(), 1.0))
    return begun


def test_over_a_year_the_library_and_our_own_beat_give_the_same_slots(played: Played) -> None:
    by_library = a_year(played, LibraryTicks(EVERY, played.library))
    played.now = START
    by_own = a_year(played, OwnTicks(EVERY, played.seconds))
    assert by_library == by_own
    counts = {job.name: sum(name == job.name for name, _ in by_own) for job in JOBS}
    assert counts == {"monitor": 366 * 24, "sync": 366 * 4, "files": 366 * 24, "backup": 366, "restore-test": 53}
    assert ("backup", datetime(2028, 2, 29, 2, tzinfo=UTC)) in by_own
    assert {slot.hour for name, slot in by_own if name == "backup"} == {2}


def test_the_library_goes_on_when_the_clock_is_set_back(played: Played) -> None:
    beat = LibraryTicks(EVERY, played.library)
    played.now += timedelta(seconds=EVERY)
    assert beat.due()
    played.now -= timedelta(hours=6)
    assert beat.seconds() <= EVERY
    assert beat.due()
    assert not beat.due()
    played.now += timedelta(seconds=EVERY)
    assert beat.due()


def test_without_the_library_there_is_our_own_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(ticks.ticks(), LibraryTicks)
    monkeypatch.setitem(sys.modules, "schedule", None)
    assert isinstance(ticks.ticks(), OwnTicks)
