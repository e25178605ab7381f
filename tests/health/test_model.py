"""What all findings together mean: the verdict, the exit code, the plugin's line."""

from __future__ import annotations

from math import inf

import pytest

from utils.health.model import (
    Finding,
    Limits,
    Result,
    State,
    exit_code,
    graded,
    plugin_line,
    skipped,
    summary,
    up,
    verdict,
)


def results(*states: State) -> list[Result]:
    return [Result(f"check-{number}", "part", Finding(state, "seen")) for number, state in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "worst", "code"),
    [
        ((), State.UNKNOWN, 3),
        ((State.SKIPPED,), State.SKIPPED, 0),
        ((State.UP, State.SKIPPED), State.UP, 0),
        ((State.UP, State.UNKNOWN), State.UNKNOWN, 3),
        ((State.UNKNOWN, State.WARN), State.WARN, 1),
        ((State.WARN, State.DOWN, State.UNKNOWN), State.DOWN, 2),
    ],
)
def test_the_worst_state_is_the_verdict(states: tuple[State, ...], worst: State, code: int) -> None:
    found = results(*states)
    assert (verdict(found), exit_code(found)) == (worst, code)


@pytest.mark.parametrize(("value", "state"), [(84.9, State.UP), (85, State.WARN), (95, State.DOWN)])
def test_a_value_is_held_against_its_limits(value: float, state: State) -> None:
    found = graded(value, Limits(85, 95), "fact", "hint", "%")
    assert (found.state, found.hint) == (state, "" if state is State.UP else "hint")


def test_the_summary_names_what_is_not_well() -> None:
    found = results(State.UP, State.DOWN, State.WARN, State.SKIPPED, State.DOWN)
    assert summary(found) == "2 down: check-1, check-4; 1 warn: check-2; 1 up, 1 skipped"
    assert summary(results(State.UP)) == "1 up"


def test_the_plugins_line_has_the_word_and_the_performance_data() -> None:
    found = [
        Result("disk", "machine", graded(85.25, Limits(85, 95), "full", "hint", "%")),
        Result("backlog", "sync", up("none", value=0, unit="rows")),
        Result("backup-size", "backup", up("large", value=12345678901, unit="B")),
        Result("cpu", "machine", graded(90, Limits(150, inf), "busy", "hint", "%")),
        Result("a|b", "part", skipped("not configured", "Set it")),
        Result("odd|name", "part", Finding(State.DOWN, "x")),
    ]
    assert plugin_line(found) == (
        "CRITICAL - 1 down: odd/name; 1 warn: disk; 3 up, 1 skipped |"
        " 'disk'=85.25%;85;95 'backlog'=0 'backup-size'=12345678901B 'cpu'=90%;150"
    )
    assert plugin_line(results(State.UP)) == "OK - 1 up"


def test_a_result_as_documents_have_it() -> None:
    found = Result("disk", "machine", graded(91, Limits(85, 95), "full", "Free it", "%"), 0.12345)
    assert found.json() == {
        "name": "disk",
        "component": "machine",
        "state": "warn",
        "fact": "full",
        "hint": "Free it",
        "value": 91,
        "unit": "%",
        "warn": 85,
        "down": 95,
        "seconds": 0.1235,
        "details": {},
    }
    assert Result("x", "y", up("z")).json()["seconds"] is None
