"""When an alert is fired, repeated and resolved: rules as tables, and what holds for any history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.health.firing import REMIND, Alert, Event, Kind, Memory, fingerprint, line, message, step

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(history: str, *, at_once: bool = False, every: timedelta = HOUR) -> list[tuple[int, Kind]]:
    """What a history is worth, and at which event: `.` is well, any letter an error of its own."""
    memory, found = Memory(), []
    for number, sign in enumerate(history):
        event = Event("sync", sign == ".", START + number * every, f"error {sign}", at_once=at_once)
        memory, alert = step(memory, event)
        if alert:
            found.append((number, alert.kind))
    return found


@pytest.mark.parametrize(
    ("history", "at_once", "expected"),
    [
        pytest.param("aa", False, [], id="two failures are none yet"),
        pytest.param("aaa", False, [(2, Kind.FIRED)], id="three in a row fire"),
        pytest.param("aa.aa.aa", False, [], id="a success between starts the count anew"),
        pytest.param("aba", False, [(2, Kind.FIRED)], id="three different errors are three failures"),
        pytest.param("a", True, [(0, Kind.FIRED)], id="at once"),
        pytest.param("aaaaaa", False, [(2, Kind.FIRED)], id="silence after that"),
        pytest.param("aaab", False, [(2, Kind.FIRED), (3, Kind.CHANGED)], id="another error breaks the silence"),
        pytest.param("aaababa", False, [(2, Kind.FIRED), (3, Kind.CHANGED)], id="each error breaks it once"),
        pytest.param("aaa.", False, [(2, Kind.FIRED)], id="one success is none yet"),
        pytest.param("aaa..", False, [(2, Kind.FIRED), (4, Kind.RESOLVED)], id="two resolve"),
        pytest.param("aaa.a..", False, [(2, Kind.FIRED), (6, Kind.RESOLVED)], id="a failure between counts anew"),
        pytest.param("aa..", False, [], id="nothing is resolved that was not told"),
        pytest.param("....", False, [], id="nothing is said of what is well"),
        pytest.param("aaa..aaa", False, [(2, Kind.FIRED), (4, Kind.RESOLVED), (7, Kind.FIRED)], id="and again"),
    ],
)
def test_what_a_history_is_worth(history: str, at_once: bool, expected: list[tuple[int, Kind]]) -> None:
    assert told(history, at_once=at_once) == expected


def test_what_is_skipped_now_is_over_and_says_so() -> None:
    memory, _ = step(Memory(), Event("notion", ok=False, at=START, error="down", at_once=True))
    skipped = Event("notion", ok=True, at=START + HOUR, error="it is skipped now: not configured")
    memory, _ = step(memory, skipped)
    _, alert = step(memory, skipped)
    assert alert is not None
    assert line(alert).endswith(
        "notion is well again, since 2026-11-25 12:00:00 UTC: it is skipped now: not configured"
    )


def test_a_reminder_comes_every_day() -> None:
    assert told("a" * 52, at_once=True) == [(0, Kind.FIRED), (24, Kind.REMINDER), (48, Kind.REMINDER)]


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    memory, _ = step(Memory(), Event("sync", ok=False, at=START, error="a", at_once=True))
    _, alert = step(memory, Event("sync", ok=False, at=START - 48 * HOUR, error="a"))
    assert alert is not None
    assert alert.kind is Kind.REMINDER


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("last good run 3 d ago", "last good run 4 d 1 h ago", True),
        ("last good run 59 s ago", "last good run 1 min 1 s ago", True),
        ("process 4711 is gone", "process 12 is gone", True),
        ("12.5 % used", "99 % used", True),
        ("page 0123abcd-4567 is gone", "page 89abcdef-0123 is gone", True),
        ("database: refuses the password", "database: cannot be reached", False),
    ],
)
def test_numbers_make_no_other_error(one: str, other: str, same: bool) -> None:
    assert (fingerprint(one) == fingerprint(other)) is same


def test_a_message_names_what_fails_and_tells_each_with_its_time() -> None:
    alerts = [
        Alert(Kind.FIRED, "backup", "refused. Do this.", START, START),
        Alert(Kind.REMINDER, "sync", "late.", START, START - 30 * HOUR),
        Alert(Kind.RESOLVED, "notion", "", START, START - HOUR),
    ]
    title, text = message(alerts, "host")
    assert title == "Angles on host: failing: backup, sync"
    assert text.splitlines() == [
        "2026-11-25 12:00:00 UTC backup is failing: refused. Do this.",
        "2026-11-25 12:00:00 UTC sync is still failing, since 2026-11-24 06:00:00 UTC: late.",
        "2026-11-25 12:00:00 UTC notion is well again, since 2026-11-25 11:00:00 UTC",
    ]


def test_a_title_of_good_news_says_so_and_a_long_one_is_cut() -> None:
    assert message([Alert(Kind.RESOLVED, "notion", "", START)], "host")[0] == "Angles on host: well again: notion"
    many = [Alert(Kind.FIRED, f"check {number}", "", START) for number in range(40)]
    assert message(many, "host")[0].endswith("…")


def test_a_line_says_utc_whatever_the_zone() -> None:
    there = START.astimezone(datetime.now().astimezone().tzinfo)
    assert line(Alert(Kind.FIRED, "sync", "", there)).startswith("2026-11-25 12:00:00 UTC")


@given(st.lists(st.tuples(st.sampled_from(".ab"), st.integers(0, 30)), max_size=60))
def test_whatever_happens_failures_and_ends_alternate(steps: Sequence[tuple[str, int]]) -> None:
    memory, now, is_open, last = Memory(), START, False, START
    for sign, hours in steps:
        now += hours * HOUR
        memory, alert = step(memory, Event("x", sign == ".", now, sign))
        if alert is None:
            continue
        assert (alert.kind is Kind.FIRED) is not is_open
        if alert.kind is Kind.REMINDER:
            assert now - last >= REMIND
        is_open, last = alert.kind is not Kind.RESOLVED, now
        assert (memory.told is not None) is is_open
