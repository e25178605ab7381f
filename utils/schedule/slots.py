"""When a job is due: slots by UTC arithmetic, and what a look at the clock means. Pure.

A slot is one due time: the epoch plus `offset` plus a whole number of periods, whatever the zone of the host, its
restarts, or how long a run took. A slot is settled once; the clock may be set, and the machine may sleep.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LEAST_PERIOD, MOST_PERIOD = timedelta(minutes=1), timedelta(days=31)

_FIRST_MONDAY = timedelta(days=4)
"""From the epoch, which was a Thursday."""

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_EVERY = re.compile(r"(\d{1,5})([mhd])(?:\s+([a-z]{3}))?(?:\s+(\d{1,2}):(\d\d))?", re.IGNORECASE)
_WINDOW = re.compile(r"(?:([a-z]{3})\s+)?(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)", re.IGNORECASE)


class Cadence(Protocol):
    """How often, from when on (counted from the epoch), and for how long a slot that was missed is caught up."""

    @property
    def period(self) -> timedelta: ...  # noqa: D102
    @property
    def offset(self) -> timedelta: ...  # noqa: D102
    @property
    def grace(self) -> timedelta: ...  # noqa: D102


@dataclass(frozen=True)
class Open:
    """A slot that was begun and not settled: `attempt` runs were started, the last one as `run_id`."""

    slot: datetime
    attempt: int
    run_id: str


@dataclass(frozen=True)
class Past:
    """What is remembered of a job.

    Args:
        settled: the slots that need nothing any more, each with when that came to be on the clock that nobody sets
            (None where that is not known); the last few hundred will do.
        open: the slot whose run was cut off with its scheduler.
        started: the clock's time when the last run began.
        elapsed: how long ago that really was; None where that is not known.
        seconds: now, on the clock that nobody sets.
    """

    settled: Mapping[datetime, float | None] = field(default_factory=dict)
    open: Open | None = None
    started: datetime | None = None
    elapsed: timedelta | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """Run this slot now. `missed` slots before it are done with by this run; `after` is the run it goes on from."""

    slot: datetime
    attempt: int = 1
    missed: int = 0
    after: str = ""


@dataclass(frozen=True)
class Miss:
    """Settle this slot without a run; `missed` counts it and those before it that nobody ran."""

    slot: datetime
    missed: int
    why: str


@dataclass(frozen=True)
class Wait:
    """Nothing is due before `until`."""

    until: datetime


def last_due(cadence: Cadence, now: datetime) -> datetime:
    """The newest slot that is not after `now`."""
    since = now - EPOCH - cadence.offset
    return now - since % cadence.period


def next_due(cadence: Cadence, now: datetime) -> datetime:
    """The first slot after `now`."""
    return last_due(cadence, now) + cadence.period


def between(cadence: Cadence, after: datetime, slot: datetime) -> int:
    """How many slots lie between two moments, neither counted."""
    return max(0, -((after - slot) // cadence.period) - 1)


def decide(cadence: Cadence, past: Past, now: datetime, jitter: timedelta = timedelta(0)) -> Run | Miss | Wait:
    """What a job wants at this moment; `jitter` is how long after its slot this host begins."""
    slot = last_due(cadence, now - jitter)
    if slot in past.settled:
        return Run(slot) if _stands_still(cadence, past, now - jitter) else Wait(slot + cadence.period + jitter)
    before = max((each for each in past.settled if each < slot), default=None)
    missed = between(cadence, before, slot) if before else 0
    if now - slot > cadence.grace + jitter:  # what was due before the very first look was not missed
        return Miss(slot, missed + 1, "later than its grace") if before else Wait(slot + cadence.period + jitter)
    if past.open and past.open.slot == slot:
        return Run(slot, past.open.attempt + 1, missed, past.open.run_id)
    if _soon_enough(cadence, past, now - jitter):
        return Miss(slot, missed + 1, "the clock was set, and the next slot is soon enough after the last run")
    return Run(slot, missed=missed)


def _stands_still(cadence: Cadence, past: Past, now: datetime) -> bool:
    """Whether the clock was set back so far that waiting for the next slot would be silence.

    More than a period has really passed since the last run, the slot was settled long ago, and the next one is not
    near: so a clock that is slewed makes no run, nor does a slot that was skipped, and no gap exceeds one and a half
    periods.
    """
    half = cadence.period / 2
    settled = past.settled[last_due(cadence, now)]
    if past.elapsed is None or settled is None or next_due(cadence, now) - now < half:
        return False
    return past.elapsed >= cadence.period and timedelta(seconds=past.seconds - settled) >= half


def _soon_enough(cadence: Cadence, past: Past, now: datetime) -> bool:
    """Whether the clock was set since the last run, and the next slot is soon enough after that run.

    Ahead or back, a slot that only the setting made due would be a second run at once.
    """
    if past.elapsed is None or past.started is None:
        return False
    set_by = abs(now - past.started - past.elapsed)
    return set_by > cadence.period / 10 and past.elapsed + (next_due(cadence, now) - now) <= 1.5 * cadence.period


def jitter(host: str, job: str, most: timedelta) -> timedelta:
    """How long after its slot a host begins a job: always the same, spread evenly over the hosts."""
    drawn = int.from_bytes(hashlib.sha256(f"{host}\0{job}".encode()).digest()[:8], "big")
    return timedelta(milliseconds=drawn % (most // timedelta(milliseconds=1) + 1))


def parse_every(text: str) -> tuple[timedelta, timedelta]:
    """Period and offset of `6h`, `30m`, `1h 00:15`, `1d 02:00`, `7d Sun 03:00`: how often, and from when on, in UTC.

    Raises:
        ValueError: it says something else.
    """
    found = _EVERY.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    count, unit, day, hour, minute = found.groups()
    period = int(count) * _UNITS[unit.lower()]
    offset = _at(hour or "0", minute or "0")
    if day:
        offset += _FIRST_MONDAY + timedelta(days=_day(day))
    weekly = period % timedelta(days=7) == timedelta(0)
    if not LEAST_PERIOD <= period <= MOST_PERIOD or (day and not weekly):
        raise ValueError(text)
    return period, offset % period


def spell_every(cadence: Cadence) -> str:
    """A cadence as `parse_every` reads it."""
    period, offset = cadence.period, cadence.offset
    unit = next(name for name in ("d", "h", "m") if period % _UNITS[name] == timedelta(0))
    spelled = f"{period // _UNITS[unit]}{unit}"
    if not offset:
        return spelled
    if period % timedelta(days=7) == timedelta(0):
        spelled += f" {DAYS[(offset - _FIRST_MONDAY).days % 7]}"
    hours, minutes = divmod(offset % timedelta(days=1) // timedelta(minutes=1), 60)
    return f"{spelled} {hours:02}:{minutes:02}"


@dataclass(frozen=True)
class Window:
    """A time of the day in UTC in which nothing is begun, on one day of the week (0 is Monday) or on all (None)."""

    day: int | None
    start: timedelta
    end: timedelta

    def until(self, now: datetime) -> datetime | None:
        """When it ends, if `now` lies in it; it may reach over midnight."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for first in (midnight, midnight - timedelta(days=1)):
            end = first + self.end + (timedelta(days=1) if self.end <= self.start else timedelta(0))
            if self.day in {None, first.weekday()} and first + self.start <= now < end:
                return end
        return None


def parse_window(text: str) -> Window:
    """A window of `01:00-05:00` or `Sun 23:00-01:30`.

    Raises:
        ValueError: it says something else.
    """
    found = _WINDOW.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    day, *times = found.groups()
    return Window(_day(day) if day else None, _at(*times[:2]), _at(*times[2:]))


def maintenance(windows: Sequence[Window], now: datetime) -> datetime | None:
    """When the maintenance that `now` lies in ends; None outside of one."""
    return max((end for each in windows if (end := each.until(now))), default=None)


def _at(hour: str, minute: str) -> timedelta:
    if int(hour) > 23 or int(minute) > 59:
        raise ValueError(f"{hour}:{minute}")
    return timedelta(hours=int(hour), minutes=int(minute))


def _day(text: str) -> int:
    return DAYS.index(text.capitalize())
