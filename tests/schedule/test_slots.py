"""Slots are arithmetic: whatever the clock shows, a slot is a multiple of its period; and what a look at it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given as anything
from hypothesis import strategies as st

from utils.schedule import slots
from utils.schedule.jobs import JOBS
from utils.schedule.slots import EPOCH, Miss, Open, Past, Run, Wait, decide, last_due, next_due

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MOMENTS = st.integers(86_400, 4_800_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
PERIODS = st.integers(1, 60 * 24 * 31).map(lambda minutes: timedelta(minutes=minutes))


@dataclass(frozen=True)
class Cadence:
    """A cadence without a job."""

    period: timedelta = HOUR
    offset: timedelta = timedelta(0)
    grace: timedelta = HOUR / 2


def at(text: str) -> datetime:
    """A time of one day."""
    return datetime.fromisoformat(f"2028-02-29T{text}:00+00:00")


def past(
    settled: Sequence[datetime] = (),
    cut: Open | None = None,
    started: datetime | None = None,
    elapsed: timedelta | None = None,
) -> Past:
    """Slots that were settled in this boot, two hours before now."""
    return Past(dict.fromkeys(settled, 0.0), cut, started, elapsed, 7200.0)


HOURLY = Cadence()


@anything(moment=MOMENTS, period=PERIODS, offset=PERIODS)
def test_a_slot_is_the_offset_and_whole_periods_and_the_next_one_follows_it(
    moment: datetime, period: timedelta, offset: timedelta
) -> None:
    cadence = Cadence(period, offset)
    slot = last_due(cadence, moment)
    assert (slot - EPOCH - offset) % period == timedelta(0)
    assert slot <= moment < next_due(cadence, moment) == slot + period
    assert last_due(cadence, slot) == slot


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("monitor", "2028-02-29T12:00"),
        ("sync", "2028-02-29T12:00"),
        ("files", "2028-02-29T12:00"),
        ("backup", "2028-02-29T02:00"),
        ("restore-test", "2028-02-27T03:00"),
    ],
)
def test_the_table_says_what_the_readme_says(name: str, slot: str) -> None:
    job = next(each for each in JOBS if each.name == name)
    assert last_due(job, at("12:34")) == datetime.fromisoformat(f"{slot}:00+00:00")


@pytest.mark.parametrize(
    ("given", "now", "verdict"),
    [
        pytest.param(past(), "12:10", Run(at("12:00")), id="the very first slot runs"),
        pytest.param(past(), "12:40", Wait(at("13:00")), id="before the first look nothing was missed"),
        pytest.param(past([at("12:00")]), "12:10", Wait(at("13:00")), id="settled"),
        pytest.param(past([at("11:00")]), "12:00", Run(at("12:00")), id="on time"),
        pytest.param(past([at("07:00")]), "12:10", Run(at("12:00"), missed=4), id="one coalesced run"),
        pytest.param(past([at("07:00")]), "12:31", Miss(at("12:00"), 5, "later than its grace"), id="beyond the grace"),
        pytest.param(
            past([at("11:00")], Open(at("12:00"), 1, "r")), "12:10", Run(at("12:00"), 2, 0, "r"), id="cut off: goes on"
        ),
        pytest.param(
            past([at("10:00")], Open(at("11:00"), 1, "r")), "12:10", Run(at("12:00"), 1, 1), id="cut off long ago"
        ),
        pytest.param(
            past([at("11:00"), at("12:00"), at("13:00")], None, at("13:00"), 59 * MINUTE),
            "11:10",
            Wait(at("12:00")),
            id="set back, not yet an hour",
        ),
        pytest.param(
            past([at("11:00"), at("12:00"), at("13:00")], None, at("13:00"), 60 * MINUTE),
            "11:10",
            Run(at("11:00")),
            id="set back, an hour of silence",
        ),
        pytest.param(
            past([at("11:00"), at("12:00")], None, at("12:00"), 61 * MINUTE),
            "11:50",
            Wait(at("12:00")),
            id="set back, the next slot is near",
        ),
        pytest.param(
            past([at("12:00")], None, at("12:00"), 60 * MINUTE + timedelta(seconds=2)),
            "12:59",
            Wait(at("13:00")),
            id="slewed",
        ),
        pytest.param(
            Past({at("12:00"): 7000.0}, None, at("11:00"), 60 * MINUTE, 7200.0),
            "12:10",
            Wait(at("13:00")),
            id="skipped only just now",
        ),
        pytest.param(
            Past({at("12:00"): None}, None, at("11:00"), 60 * MINUTE, 7200.0),
            "12:10",
            Wait(at("13:00")),
            id="settled before this boot",
        ),
        pytest.param(
            past([at("12:00")], None, at("12:00"), 5 * MINUTE),
            "18:05",
            Miss(at("18:00"), 6, "the clock was set, and the next slot is soon enough after the last run"),
            id="set ahead at once",
        ),
        pytest.param(
            past([at("12:00")], None, at("12:00"), 50 * MINUTE),
            "18:05",
            Run(at("18:00"), missed=5),
            id="set ahead, the next slot is too late",
        ),
        pytest.param(
            past([at("11:00")], None, at("11:55"), 5 * MINUTE), "12:00", Run(at("12:00")), id="a late run skips no slot"
        ),
    ],
)
def test_a_look_at_the_clock(given: Past, now: str, verdict: Run | Miss | Wait) -> None:
    assert decide(HOURLY, given, at(now)) == verdict


def test_with_jitter_a_host_begins_that_much_later() -> None:
    given, jitter = past([at("11:00")]), timedelta(minutes=2)
    assert decide(HOURLY, given, at("12:01"), jitter) == Wait(at("12:02"))
    assert decide(HOURLY, given, at("12:02"), jitter) == Run(at("12:00"))
    assert decide(HOURLY, given, at("12:32"), jitter) == Run(at("12:00"))


def test_jitter_is_stable_bounded_and_spread() -> None:
    drawn = [slots.jitter(f"host {number}", "sync", timedelta(seconds=30)) for number in range(200)]
    assert drawn == [slots.jitter(f"host {number}", "sync", timedelta(seconds=30)) for number in range(200)]
    assert all(timedelta(0) <= each <= timedelta(seconds=30) for each in drawn)
    assert len({each // timedelta(seconds=5) for each in drawn}) >= 6
    assert slots.jitter("host", "sync", timedelta(0)) == timedelta(0)


@pytest.mark.parametrize(
    ("text", "period", "offset"),
    [
        ("30m", 30 * MINUTE, 0 * MINUTE),
        ("6h", 6 * HOUR, 0 * MINUTE),
        ("1h 00:15", HOUR, 15 * MINUTE),
        ("1d 02:00", 24 * HOUR, 2 * HOUR),
        ("7d Sun 03:00", 168 * HOUR, 75 * HOUR),
        ("7d thu", 168 * HOUR, 0 * MINUTE),
        ("5H", 5 * HOUR, 0 * MINUTE),
    ],
)
def test_a_cadence_in_words(text: str, period: timedelta, offset: timedelta) -> None:
    assert slots.parse_every(text) == (period, offset)


@pytest.mark.parametrize(
    "text", ["", "0m", "h", "32d", "6 h", "1d 24:00", "1d 02:60", "1d Sun 02:00", "7d Son 02:00", "-1h", "1h 1", "1w"]
)
def test_what_is_no_cadence_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).*"):
        slots.parse_every(text)


@anything(period=PERIODS, offset=PERIODS)
def test_a_cadence_is_spelled_as_it_is_read(period: timedelta, offset: timedelta) -> None:
    cadence = Cadence(period, offset % min(period, timedelta(days=1)))
    assert slots.parse_every(slots.spell_every(cadence)) == (cadence.period, cadence.offset)
    weekly = Cadence(timedelta(days=7), offset % timedelta(days=7))
    assert slots.parse_every(slots.spell_every(weekly)) == (weekly.period, weekly.offset)


@pytest.mark.parametrize(
    ("text", "now", "until"),
    [
        ("01:00-05:00", "2026-11-25T01:00", "2026-11-25T05:00"),
        ("01:00-05:00", "2026-11-25T05:00", None),
        ("01:00-05:00", "2026-11-25T00:59", None),
        ("23:00-01:30", "2026-11-25T23:30", "2026-11-26T01:30"),
        ("23:00 - 01:30", "2026-11-25T01:00", "2026-11-25T01:30"),
        ("Sun 23:00-01:30", "2026-11-30T01:00", "2026-11-30T01:30"),
        ("sun 23:00-01:30", "2026-11-29T01:00", None),
        ("00:00-00:00", "2026-11-25T12:00", "2026-11-26T00:00"),
    ],
)
def test_a_maintenance_window(text: str, now: str, until: str | None) -> None:
    window = slots.parse_window(text)
    end = datetime.fromisoformat(f"{until}:00+00:00") if until else None
    assert slots.maintenance([window], datetime.fromisoformat(f"{now}:00+00:00")) == end


@pytest.mark.parametrize("text", ["", "1-5", "01:00", "25:00-26:00", "Sonntag 01:00-02:00", "Son 01:00-02:00"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).*"):
        slots.parse_window(text)
