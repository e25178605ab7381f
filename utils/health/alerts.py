"""Alerts: what is remembered of every subject, the queue of what is to be told, and the child that tells it.

Two kinds of observers, which share one memory in `state.db`: `backend_monitor.py` observes what its checks find
(subjects are the names of checks), the scheduler how its jobs end (subjects `job <name>`):

    fired = alerts.observe(home, settings, [Event("job backup", ok=False, at=now, error="…", at_once=True)], redact)
    alerts.send(home)

For the job `monitor` 0, 1 and 2 are successes: the monitor tells itself what it found. `ping` is the monitor's own too:
it runs under any engine, and whatever ends the cadence ends the pings.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from utils import state
from utils.config import ROOT
from utils.health.firing import Alert, Event, Kind, Memory, step
from utils.sections import AlertSettings

KEEP = timedelta(days=90)
GIVE_UP = timedelta(hours=24)
"""How long a message that nobody takes is tried."""

PING_SECONDS = 3.0
_RUNS = uuid.UUID("5f3ff7a6-4f0c-4d5a-9a57-2f5b2b0a7c11")
"""What makes a run's id the uuid that a ping's `rid` has to be."""


def observe(
    home: Path, settings: AlertSettings, events: Sequence[Event], redact: Callable[[str], str] = str
) -> list[Alert]:
    """Takes events in; answers the alerts that they were worth, which are queued where there is an address.

    Args:
        home: the home folder.
        settings: where alerts go.
        events: in the order in which they were seen.
        redact: takes secrets out of a text.

    Raises:
        AnglesError: the state cannot be written.
    """
    fired: list[Alert] = []
    with _writing(home) as db:
        for each in events:
            event = replace(each, error=redact(each.error), hint=redact(each.hint))
            memory, alert = step(_memory(db, event.subject), event)
            _remember(db, event.subject, memory)
            if alert is not None and _queued(db, alert, settings):
                fired.append(alert)
    return fired


def send(home: Path) -> subprocess.Popen[bytes] | None:
    """Starts the child that tells what is queued, if anything is; nobody has to wait for it.

    It waits until the group is complete, and leaves at once where another one is at it already.
    """
    with state.open_state(home / state.STATE_FILE) as db:
        (waiting,) = db.execute("select count(*) from alerts where outcome in ('queued', 'sending')").fetchone()
    if not waiting:
        return None
    nothing = subprocess.DEVNULL
    return subprocess.Popen(sender(), cwd=ROOT, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)


def sender(*arguments: str) -> list[str]:
    """The command line of the child."""
    return [sys.executable, "-m", "utils.health.send", *arguments]


def queued(db: sqlite3.Connection) -> list[tuple[int, datetime, Alert]]:
    """What is to be told: id, when it was queued, the alert; the oldest first."""
    rows = db.execute(
        "select id, queued, kind, subject, text, at, since from alerts"
        " where outcome in ('queued', 'sending') order by id"
    )
    return [
        (
            number,
            datetime.fromisoformat(when),
            Alert(Kind(kind), subject, text, datetime.fromisoformat(at), _time(since)),
        )
        for number, when, kind, subject, text, at, since in rows
    ]


def settle(db: sqlite3.Connection, numbers: Sequence[int], outcome: str, now: datetime) -> None:
    """Says of queued alerts how they stand: `sending`, `sent`, `queued` again, or `undelivered` for good."""
    db.executemany(
        "update alerts set outcome = ?, settled = ? where id = ?",
        [(outcome, now.isoformat(), each) for each in numbers],
    )


def open_incidents(db: sqlite3.Connection) -> list[tuple[str, datetime, str]]:
    """What fails now and was told: subject, since when, the last text."""
    rows = db.execute(
        "select m.subject, m.since, (select text from alerts a where a.subject = m.subject order by id desc limit 1)"
        " from alert_memory m where m.told is not null order by m.since"
    )
    return [(subject, datetime.fromisoformat(since), text or "") for subject, since, text in rows]


def ping(url: str, end: str, run_id: str, text: str = "") -> str:
    """Pings the dead man's switch; answers what went wrong, or ''.

    Args:
        url: HEALTHCHECK_PING_URL, which is a secret.
        end: `start`, or an exit code.
        run_id: joins the two pings of a run.
        text: what is shown beside it, redacted.
    """
    import requests

    base, _, query = url.partition("?")
    address = f"{base.rstrip('/')}/{end}?{query}{'&' if query else ''}rid={uuid.uuid5(_RUNS, run_id)}"
    try:
        answer = requests.post(address, data=text.encode()[:10_000], timeout=PING_SECONDS)
    except requests.RequestException as error:
        return f"HEALTHCHECK_PING_URL: cannot be reached ({type(error).__name__})"
    return "" if answer.ok else f"HEALTHCHECK_PING_URL: answers {answer.status_code}; copy it again"


@contextmanager
def _writing(home: Path) -> Iterator[sqlite3.Connection]:
    """The state in one transaction: two observers never read the same memory."""
    with state.open_state(home / state.STATE_FILE) as db:
        db.execute("begin immediate")
        with db:
            yield db


def _memory(db: sqlite3.Connection, subject: str) -> Memory:
    row = db.execute(
        "select failures, successes, since, told, errors from alert_memory where subject = ?", (subject,)
    ).fetchone()
    if row is None:
        return Memory()
    failures, successes, since, told, errors = row
    return Memory(failures, successes, _time(since), _time(told), tuple(json.loads(errors)))


def _remember(db: sqlite3.Connection, subject: str, memory: Memory) -> None:
    if memory == Memory():
        db.execute("delete from alert_memory where subject = ?", (subject,))
        return
    db.execute(
        "insert or replace into alert_memory(subject, failures, successes, since, told, errors)"
        " values (?, ?, ?, ?, ?, ?)",
        (
            *(subject, memory.failures, memory.successes, _text(memory.since), _text(memory.told)),
            json.dumps(memory.errors),
        ),
    )


def _queued(db: sqlite3.Connection, alert: Alert, settings: AlertSettings) -> bool:
    """Queues an alert, and answers whether it counts: what is over before it was told is not told at all."""
    outcome = "queued" if settings.urls else "nowhere"
    if alert.kind is Kind.RESOLVED:
        db.execute("update alerts set outcome = 'over' where subject = ? and outcome = 'queued'", (alert.subject,))
        told = "select 1 from alerts where subject = ? and since = ? and outcome in ('sent', 'sending')"
        if settings.urls and not db.execute(told, (alert.subject, _text(alert.since))).fetchone():
            outcome = "over"
    now = datetime.now(UTC)
    db.execute(
        "insert into alerts(queued, kind, subject, text, at, since, outcome) values (?, ?, ?, ?, ?, ?, ?)",
        (
            *(now.isoformat(), alert.kind.value, alert.subject, alert.text),
            *(alert.at.isoformat(), _text(alert.since), outcome),
        ),
    )
    db.execute("delete from alerts where queued < ?", ((now - KEEP).isoformat(),))
    return outcome != "over"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
