"""What a check finds, and what all findings together mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Any

SCHEMA = 1
"""The version of the document that the monitor writes."""

OK, WARNING, CRITICAL, UNKNOWN = range(4)
"""The exit codes of monitoring plugins (https://nagios-plugins.org/doc/guidelines.html)."""


class State(Enum):
    """How it stands. `SKIPPED` is not configured, or not due; `UNKNOWN` could not be told."""

    UP = "up"
    WARN = "warn"
    DOWN = "down"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


FROM_BAD_TO_GOOD = (State.DOWN, State.WARN, State.UNKNOWN, State.UP, State.SKIPPED)
CODES = {
    State.UP: OK,
    State.SKIPPED: OK,
    State.WARN: WARNING,
    State.DOWN: CRITICAL,
    State.UNKNOWN: UNKNOWN,
}
WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


@dataclass(frozen=True)
class Limits:
    """From which value on it is a warning, and from which on it is down (`inf`: from none)."""

    warn: float
    down: float

    def state(self, value: float) -> State:
        """How a value stands."""
        if value >= self.down:
            return State.DOWN
        return State.WARN if value >= self.warn else State.UP


@dataclass(frozen=True)
class Finding:
    """What a rule makes of a fact.

    Args:
        state: how it stands.
        fact: what was seen, one line.
        hint: what to do, one line; a command where there is one.
        value: the number behind it, in `unit` (base units; empty is a count).
        limits: those that the value was held against.
        details: more of it, by name.
    """

    state: State
    fact: str
    hint: str = ""
    value: float | None = None
    unit: str = ""
    limits: Limits | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def up(fact: str, **more: Any) -> Finding:
    """All is well."""
    return Finding(State.UP, fact, **more)


def warn(fact: str, hint: str, **more: Any) -> Finding:
    """Something should be looked at."""
    return Finding(State.WARN, fact, hint, **more)


def down(fact: str, hint: str, **more: Any) -> Finding:
    """It does not work."""
    return Finding(State.DOWN, fact, hint, **more)


def skipped(fact: str, hint: str) -> Finding:
    """It is not looked at, and what would have it looked at."""
    return Finding(State.SKIPPED, fact, hint)


def graded(value: float, limits: Limits, fact: str, hint: str, unit: str = "") -> Finding:
    """A value held against its limits; the hint is told where one is reached."""
    state = limits.state(value)
    return Finding(state, fact, "" if state is State.UP else hint, value, unit, limits)


@dataclass(frozen=True)
class Result:
    """A check's finding. `seconds` is how long the look took, None where it took none of its own."""

    name: str
    component: str
    finding: Finding
    seconds: float | None = None

    @property
    def state(self) -> State:
        """How it stands."""
        return self.finding.state

    def json(self) -> dict[str, Any]:
        """As documents have it."""
        found = self.finding
        return {
            "name": self.name,
            "component": self.component,
            "state": found.state.value,
            "fact": found.fact,
            "hint": found.hint,
            "value": found.value,
            "unit": found.unit,
            "warn": found.limits.warn if found.limits else None,
            "down": found.limits.down if found.limits and found.limits.down < inf else None,
            "seconds": None if self.seconds is None else round(self.seconds, 4),
            "details": dict(found.details),
        }


def verdict(results: Sequence[Result]) -> State:
    """The worst state; what is skipped does not count, and nothing at all is unknown."""
    states = {result.state for result in results}
    return next((state for state in FROM_BAD_TO_GOOD if state in states), State.UNKNOWN)


def exit_code(results: Sequence[Result]) -> int:
    """The plugin's exit code."""
    return CODES[verdict(results)]


def summary(results: Sequence[Result]) -> str:
    """All of it in a line: what is not well by name, else how much is."""
    told = []
    for state in (State.DOWN, State.WARN, State.UNKNOWN):
        names = [result.name for result in results if result.state is state]
        if names:
            told.append(f"{len(names)} {state.value}: {', '.join(names)}")
    well = sum(result.state is State.UP for result in results)
    left = sum(result.state is State.SKIPPED for result in results)
    return "; ".join([*told, f"{well} up" + (f", {left} skipped" if left else "")])


def plugin_line(results: Sequence[Result]) -> str:
    """One line for a monitoring system: the word, the summary, and the values as performance data."""
    head = f"{WORDS[exit_code(results)]} - {summary(results)}".replace("|", "/")
    measured = [_perfdata(result) for result in results if result.finding.value is not None]
    return f"{head} | {' '.join(measured)}" if measured else head


def _perfdata(result: Result) -> str:
    found = result.finding
    unit = found.unit if found.unit in {"s", "%", "B"} else ""
    bounds = (found.limits.warn, found.limits.down) if found.limits else ()
    told = "".join(f";{_number(bound)}" for bound in bounds if bound < inf)
    return f"'{result.name}'={_number(found.value or 0)}{unit}{told}"


def _number(value: float) -> str:
    """Digits and a point alone, as plugins may write them."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
