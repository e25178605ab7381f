"""When an alert is fired, repeated and resolved, and how it is told. Pure.

The rules are those of the monitoring systems that people know: fired after `FAILURES` failures in a row (at once where
an event says so), once more for an error that was not told yet, as a reminder every `REMIND`, and resolved after
`SUCCESSES` successes in a row, only where a failure was told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

FAILURES = 3
SUCCESSES = 2
REMIND = timedelta(hours=24)

_AGE = r"\d+ (?:d|h|min|s)\b"
_VARYING = re.compile(rf"{_AGE}(?: {_AGE})*|\b[0-9a-f]{{8,}}(?:-[0-9a-f]+)*\b|\d+(?:[.:,]\d+)*")


class Kind(Enum):
    """What an alert says."""

    FIRED = "failing"
    CHANGED = "failing otherwise"
    REMINDER = "still failing"
    RESOLVED = "well again"


@dataclass(frozen=True)
class Event:
    """What was seen of a subject.

    Args:
        subject: a check or a job, such as `database` or `job backup`; what alerts are counted by.
        ok: whether it is well.
        at: when it was seen, aware.
        error: what is wrong, one line; numbers in it do not make it another error. Of what is well, a remark.
        hint: what to do about it, one line.
        at_once: fire at the first failure.
    """

    subject: str
    ok: bool
    at: datetime
    error: str = ""
    hint: str = ""
    at_once: bool = False


@dataclass(frozen=True)
class Memory:
    """What is remembered of a subject: how often in a row, since when it fails, when and what was told."""

    failures: int = 0
    successes: int = 0
    since: datetime | None = None
    told: datetime | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alert:
    """What a person is told. `at` is the time of the event, `since` that of the first failure."""

    kind: Kind
    subject: str
    text: str
    at: datetime
    since: datetime | None = None


def step(memory: Memory, event: Event) -> tuple[Memory, Alert | None]:
    """What is remembered after an event, and the alert that it is worth."""
    return _well(memory, event) if event.ok else _failing(memory, event)


def _well(memory: Memory, event: Event) -> tuple[Memory, Alert | None]:
    if memory.told is None:
        return Memory(), None
    if memory.successes + 1 < SUCCESSES:
        return replace(memory, successes=memory.successes + 1), None
    return Memory(), Alert(Kind.RESOLVED, event.subject, event.error, event.at, memory.since)


def _failing(memory: Memory, event: Event) -> tuple[Memory, Alert | None]:
    error = fingerprint(event.error)
    now = replace(memory, failures=memory.failures + 1, successes=0, since=memory.since or event.at)
    if memory.told is None:
        kind = Kind.FIRED if event.at_once or now.failures >= FAILURES else None
    elif error not in memory.errors:
        kind = Kind.CHANGED
    else:  # a clock that was set back does not silence either
        kind = None if timedelta(0) <= event.at - memory.told < REMIND else Kind.REMINDER
    if kind is None:
        return now, None
    text = f"{event.error} {event.hint}".strip()
    told = replace(now, told=event.at, errors=tuple(dict.fromkeys((*now.errors, error))))
    return told, Alert(kind, event.subject, text, event.at, now.since)


def fingerprint(error: str) -> str:
    """An error without what varies from time to time: numbers and ids."""
    return _VARYING.sub("#", error)


def message(alerts: Sequence[Alert], host: str) -> tuple[str, str]:
    """The title and the text of one message about several alerts."""
    failing = [alert for alert in alerts if alert.kind is not Kind.RESOLVED]
    named = ", ".join(dict.fromkeys(alert.subject for alert in failing or alerts))
    verdict = "failing" if failing else "well again"
    return f"Angles on {host}: {verdict}: {_cut(named, 120)}", "\n".join(line(alert) for alert in alerts)


def line(alert: Alert) -> str:
    """An alert as a line: when, what, how, since when."""
    since = f", since {_utc(alert.since)}" if alert.since and alert.since != alert.at else ""
    told = f": {alert.text}" if alert.text else ""
    return f"{_utc(alert.at)} {alert.subject} is {alert.kind.value}{since}{told}"


def _utc(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
