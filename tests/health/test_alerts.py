"""Alerts told for real: the queue, the child that empties it, and the pings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.health.conftest import Receiver
from tests.world import ROOT
from utils import state
from utils.health import alerts
from utils.health.firing import Event, Kind
from utils.redact import Redactor
from utils.sections import AlertSettings

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DEAD = "json://127.0.0.1:9/nobody"


@pytest.fixture
def settings(home: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> AlertSettings:
    """Alerts go to the receiver, gathered for no time."""
    monkeypatch.setenv("ALERT_URLS", receiver.alerts_url)
    monkeypatch.setenv("ALERT_GROUP_SECONDS", "0")
    return AlertSettings((receiver.alerts_url,), group_seconds=0)


def failures(subject: str = "database", count: int = 3, error: str = "is down") -> list[Event]:
    return [Event(subject, ok=False, at=NOW + timedelta(hours=each), error=error) for each in range(count)]


def successes(subject: str = "database", count: int = 2) -> list[Event]:
    return [Event(subject, ok=True, at=NOW + timedelta(hours=9 + each)) for each in range(count)]


def send(home: Path) -> int:
    child = alerts.send(home)
    return child.wait() if child else -1


def outcomes(home: Path) -> list[str]:
    with state.open_state(home / state.STATE_FILE) as db:
        return [outcome for (outcome,) in db.execute("select outcome from alerts order by id")]


def test_a_failure_and_its_end_are_told_once_each(home: Path, settings: AlertSettings, receiver: Receiver) -> None:
    for event in failures():  # each by another process, in truth
        alerts.observe(home, settings, [event])
    assert send(home) == 0
    alerts.observe(home, settings, [*failures(), *successes()])
    assert send(home) == 0
    assert send(home) == -1, "nothing is queued any more"
    texts = [message["message"] for message in receiver.messages]
    assert texts == [
        "2026-11-25 14:00:00 UTC database is failing, since 2026-11-25 12:00:00 UTC: is down",
        "2026-11-25 22:00:00 UTC database is well again, since 2026-11-25 12:00:00 UTC",
    ]
    with state.open_state(home / state.STATE_FILE) as db:
        assert alerts.open_incidents(db) == []


def test_what_comes_within_the_time_of_a_group_is_one_message(
    home: Path, settings: AlertSettings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_GROUP_SECONDS", "2")
    alerts.observe(home, settings, failures("database"))
    first = alerts.send(home)
    alerts.observe(home, settings, failures("notion"))
    second = alerts.send(home)
    assert first is not None
    assert second is not None
    assert (first.wait(), second.wait()) == (0, 0)
    assert [message["title"].partition("failing: ")[2] for message in receiver.messages] == ["database, notion"]


def test_what_is_over_before_it_was_told_is_not_told(home: Path, settings: AlertSettings, receiver: Receiver) -> None:
    fired = alerts.observe(home, settings, failures())
    assert [alert.kind for alert in fired] == [Kind.FIRED]
    assert alerts.observe(home, settings, successes()) == []
    assert send(home) == -1
    assert outcomes(home) == ["over", "over"]
    assert receiver.messages == []


def test_what_nobody_takes_is_kept_and_told_later(home: Path, settings: AlertSettings, receiver: Receiver) -> None:
    receiver.status = 500
    alerts.observe(home, settings, failures())
    assert child(home, receiver.alerts_url, test=False).returncode == 3
    assert outcomes(home) == ["queued"]
    receiver.status = 200
    receiver.requests.clear()
    assert send(home) == 0
    assert len(receiver.messages) == 1


def test_a_child_that_was_killed_while_it_told_leaves_its_alerts_to_the_next(
    home: Path, settings: AlertSettings, receiver: Receiver
) -> None:
    alerts.observe(home, settings, failures())
    with state.open_state(home / state.STATE_FILE) as db:
        alerts.settle(db, [number for number, _, _ in alerts.queued(db)], "sending", NOW)
    assert send(home) == 0
    assert len(receiver.messages) == 1


def test_without_an_address_nothing_is_queued_and_incidents_are_known(home: Path) -> None:
    assert [each.kind for each in alerts.observe(home, AlertSettings(), failures())] == [Kind.FIRED]
    assert alerts.send(home) is None
    with state.open_state(home / state.STATE_FILE) as db:
        assert alerts.open_incidents(db) == [("database", NOW, "is down")]


def test_secrets_are_in_no_message_and_no_state(home: Path, settings: AlertSettings, receiver: Receiver) -> None:
    redact = Redactor(["the-password-of-it"]).redact
    alerts.observe(home, settings, failures(error="cannot log in as the-password-of-it"), redact)
    send(home)
    assert "REDACTED" in receiver.messages[0]["message"]
    kept = b"".join(path.read_bytes() for path in (home / "logs" / "active").iterdir() if path.is_file())
    assert b"the-password-of-it" not in kept
    assert b"a-secret-hook" not in kept


@pytest.mark.parametrize(
    ("urls", "code", "told"),
    [
        ([""], 2, "ALERT_URLS: not set."),
        (["nosuch://x"], 2, "holds no address that apprise knows"),
        (["just-a-word"], 2, "address 1 is no URL"),
        ([DEAD], 3, "no address takes messages"),
    ],
)
def test_a_test_message_that_cannot_go_says_why(home: Path, urls: Sequence[str], code: int, told: str) -> None:
    ended = child(home, " ".join(urls))
    assert (ended.returncode, told in ended.stderr) == (code, True), ended.stderr
    assert "nobody" not in ended.stderr.replace("takes", ""), "an address is a secret"


def test_a_test_message_goes_to_those_that_take_it(home: Path, receiver: Receiver) -> None:
    ended = child(home, f"{receiver.alerts_url} {DEAD}")
    assert ended.returncode == 0
    assert "a test message went to 1 of 2 addresses" in ended.stdout
    assert "address 2 (json) does not take messages" in ended.stderr
    assert len(receiver.messages) == 1


def child(home: Path, urls: str, *, test: bool = True) -> subprocess.CompletedProcess[str]:
    """The child, without its patience."""
    arguments = ["--test"] if test else []
    code = f"import sys; from utils.health import send; send.PAUSES = (); sys.exit(send.main({arguments}))"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"ANGLES_HOME": str(home), "ALERT_URLS": urls, "ALERT_GROUP_SECONDS": "0"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


# --- the dead man's switch


def test_a_ping_joins_start_and_end_by_a_uuid(receiver: Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.port}/ping/secret"
    assert alerts.ping(url, "start", "run-1") == ""
    assert alerts.ping(f"{url}?create=1", "2", "run-1", "all of it") == ""
    (start, _), (end, text) = receiver.requests
    rid = start.partition("rid=")[2]
    assert (start, end, text) == (f"/ping/secret/start?rid={rid}", f"/ping/secret/2?create=1&rid={rid}", "all of it")
    assert len(rid) == 36


def test_a_ping_that_fails_is_told_without_its_address(receiver: Receiver) -> None:
    receiver.status = 404
    assert alerts.ping(f"http://127.0.0.1:{receiver.port}/secret", "0", "run") == (
        "HEALTHCHECK_PING_URL: answers 404; copy it again"
    )
    assert alerts.ping("http://127.0.0.1:9/secret", "0", "run").startswith("HEALTHCHECK_PING_URL: cannot be reached (")
