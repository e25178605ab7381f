"""The rules: each fact is judged as the table says, and every failure comes with what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.health import rules
from utils.health.model import Finding, Limits, State
from utils.health.rules import (
    Answer,
    Backup,
    Beat,
    Ended,
    Environment,
    Job,
    Machine,
    Notion,
    Packages,
    Ran,
    Remote,
    Seen,
    Vault,
    fits,
    hours_to_full,
    spell,
)
from utils.sections import LIMITS

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SEEN = Seen(NOW, {name: Limits(warn, down or float("inf")) for name, (warn, down, _, _) in LIMITS.items()})
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

LOOK: dict[str, Any] = {
    "rows": {"total": 5, "active": 4, "unsynced": 0, "oldest_unsynced": None},
    "types": {"Process": 5},
    "weeks": [],
    "conflicts": 0,
    "lacking": [],
    "open": [],
    "unprotected": [],
}
VAULT = Vault(0.01, {"same": True, "versions": ["20261101000100", "20261125000100"]}, LOOK)
MACHINE = Machine(load=10, memory=20, disk=30, free=10**10, inodes=5)


def look(**changed: Any) -> Vault:
    return replace(VAULT, look={**LOOK, **changed})


def ran(hours: float, *, good: bool = True, flawed: bool = False) -> Ran:
    return Ran(NOW - hours * HOUR, "done" if good else "service unavailable", "what it said", good, flawed)


def job(first: float | None, last: Ran | None, good: Ran | None, **more: Any) -> Job:
    given: dict[str, Any] = {
        "period": 6 * HOUR,
        "first": None if first is None else ran(first),
        "last": last,
        "good": good,
        **more,
    }
    return Job("sync", "python memory_sync.py", **given)


CASES: list[Any] = [
    # environment
    (rules.environment, Environment("local", ["A", "B"], ["A"]), State.UP, "1 of 2 variables set"),
    (rules.environment, Environment("local", ["A"], [], problems=["A is no URL; copy it"]), State.DOWN, "A is no URL"),
    (rules.environment, Environment("incomplete", ["A"], [], missing={"notion": "A"}), State.WARN, "set A"),
    (rules.environment, Environment("configured", ["A"], ["A"], warnings=["A is old"]), State.WARN, "A is old"),
    (rules.environment, Environment("configured", ["AB"], [], strange={"AC": "AB"}), State.WARN, "nobody, AB is"),
    (rules.environment, Environment("configured", ["AB"], [], strange={"ZZ": ""}), State.WARN, "ZZ is read by nobody"),
    (rules.python, Packages((3, 11, 7), []), State.UP, "Python 3.11.7"),
    (rules.python, Packages((3, 10, 9), []), State.DOWN, "Python 3.10.9"),
    (rules.packages, Packages((3, 11, 7), [("rich", ">=13,<16", "15.0")]), State.UP, "1 packages"),
    (rules.packages, Packages((3, 11, 7), [("rich", ">=13,<16", "16.1")]), State.DOWN, "rich 16.1 (wanted >=13,<16)"),
    (rules.packages, Packages((3, 11, 7), [("rich", ">=13,<16", "")]), State.DOWN, "rich is missing"),
    # the vault
    (rules.database, VAULT, State.UP, "answers in 10 ms"),
    (rules.database, replace(VAULT, seconds=2.0), State.WARN, "2000 ms"),
    (rules.database, replace(VAULT, seconds=6.0), State.DOWN, "6000 ms"),
    (rules.schema, VAULT, State.UP, "version 20261125000100"),
    (rules.schema, replace(VAULT, pending=["a.sql"]), State.DOWN, "a.sql"),
    (rules.schema, replace(VAULT, fingerprint=None), State.SKIPPED, "no schema_fingerprint()"),
    (rules.schema, replace(VAULT, fingerprint={"same": None}), State.SKIPPED, "no fingerprint was kept"),
    (rules.schema, replace(VAULT, fingerprint={"same": False}), State.WARN, "differs"),
    (rules.schema, replace(VAULT, fingerprint={"same": True}), State.UP, "unknown"),
    (rules.privileges, VAULT, State.UP, "nothing"),
    (rules.privileges, replace(VAULT, look=None), State.SKIPPED, "health_look"),
    (rules.privileges, look(lacking=["insert on x"]), State.DOWN, "insert on x"),
    (rules.privileges, look(open=["anon on x"]), State.DOWN, "anon on x"),
    (rules.privileges, look(unprotected=["x"]), State.DOWN, "no row-level security on x"),
    (rules.write_probe, VAULT, State.UP, "written, read and deleted"),
    (rules.write_probe, replace(VAULT, probe="read-only"), State.DOWN, "read-only"),
    (rules.write_probe, replace(VAULT, look=None), State.SKIPPED, "health_probe"),
    (rules.decisions, VAULT, State.UP, "5 decisions, 4 active"),
    (rules.decisions, replace(VAULT, look=None), State.SKIPPED, "health_look"),
    (rules.backlog, VAULT, State.UP, "0 of 5 rows"),
    (rules.backlog, replace(VAULT, synced=False), State.SKIPPED, "no Notion side"),
    (rules.backlog, replace(VAULT, look=None), State.SKIPPED, "health_look"),
    (rules.backlog, look(rows={"total": 900, "unsynced": 200, "oldest_unsynced": "2026-11-25T11:00:00+00:00"}),
     State.WARN, "200 of 900 rows are not synced, the oldest for 1 h"),
    (rules.conflicts, VAULT, State.UP, "nothing is held"),
    (rules.conflicts, look(conflicts=2), State.WARN, "2 decisions are held"),
    (rules.conflicts, replace(VAULT, look=None), State.SKIPPED, "health_look"),
    # Notion
    (rules.notion, Notion(0.6, "Decisions", [], 3, 3, 0), State.UP, "'Decisions' answers in 200 ms"),
    (rules.notion, Notion(9, "Decisions", [], 3, 3, 0), State.WARN, "3000 ms"),
    (rules.notion_properties, Notion(1, "D", [], 3, 3, 0), State.UP, "all are there"),
    (rules.notion_properties, Notion(1, "D", ["Type"], 3, 3, 0), State.WARN, "missing: Type"),
    (rules.notion_properties, Notion(1, "D", None, 3, 3, 0), State.SKIPPED, "does not answer"),
    (rules.notion_budget, Notion(1, "D", [], 3, 3, 0), State.UP, "3 a second"),
    (rules.notion_budget, Notion(1, "D", [], 3, 0, 5), State.WARN, "unlimited by us, told to wait 5 s"),
    # endpoints
    (rules.rest_api, Answer("host", 200, 0.1), State.UP, "host answers in 100 ms"),
    (rules.rest_api, Answer("host", 540, 0.1), State.DOWN, "paused"),
    (rules.rest_api, Answer("host", 401, 0.1), State.DOWN, "refuses the key"),
    (rules.rest_api, Answer("host", 404, 0.1), State.DOWN, "no decision_vault"),
    (rules.rest_api, Answer("host", 503, 0.1), State.DOWN, "answers 503"),
    (rules.dashboard, Answer("host", 200, 0.1), State.UP, "host answers"),
    (rules.dashboard, Answer("host", 500, 0.1), State.DOWN, "answers 500"),
    (rules.clock, Answer("host", 200, 0.1, timedelta(seconds=0.9)), State.UP, "that of host"),
    (rules.clock, Answer("host", 200, 0.1, timedelta(seconds=61)), State.WARN, "60 s behind host"),
    (rules.clock, Answer("host", 200, 0.1, timedelta(seconds=-3601)), State.DOWN, "3600 s ahead of host"),
    (rules.clock, Answer("host", 200, 0.1), State.SKIPPED, "tells no time"),
    (rules.github, Remote(0.4), State.UP, "0.4 s"),
    (rules.github_push, Remote(0.4), State.UP, "would be accepted"),
    (rules.github_push, Remote(0.4, "denied"), State.DOWN, "denied"),
    # freshness: the cadence is six hours
    (rules.fresh, job(90, ran(1), ran(1)), State.UP, "last good run 1 h ago"),
    (rules.fresh, job(90, ran(8.9), ran(8.9)), State.UP, "8 h 54 min"),
    (rules.fresh, job(90, ran(9.1), ran(9.1)), State.DOWN, "last good run 9 h 6 min ago, due every 6 h"),
    (rules.fresh, job(90, ran(1, good=False), ran(10)), State.DOWN, "10 h ago, due every 6 h; the last run: service"),
    (rules.fresh, job(90, ran(1, good=False), ran(7)), State.WARN, "7 h ago; the last run: service unavailable, what"),
    (rules.fresh, job(90, ran(1, flawed=True), ran(1, flawed=True)), State.WARN, "the last run: done"),
    (rules.fresh, job(3, ran(1, good=False), None), State.WARN, "no good run since the first, 3 h ago"),
    (rules.fresh, job(30, ran(1, good=False), None), State.DOWN, "no good run since the first, 1 d 6 h ago"),
    (rules.fresh, job(1, None, None), State.UP, "its first run began 1 h ago"),
    (rules.fresh, job(None, None, None), State.SKIPPED, "not due yet"),
    (rules.fresh, job(None, None, None, due=NOW + HOUR), State.SKIPPED, "next slot is 2026-11-25 13:00 UTC"),
    (rules.fresh, job(90, ran(1), ran(1), unset="REPO_URL"), State.SKIPPED, "not configured"),
    (rules.fresh, job(90, ran(99), ran(99), period=None), State.SKIPPED, "switched off"),
    (rules.fresh, job(90, ran(99), ran(99), paused=NOW - HOUR), State.WARN, "paused for 1 h"),
    # the backup against the one before
    (rules.backup_size, Backup(None, None), State.SKIPPED, "no backup"),
    (rules.backup_size, Backup(100, 5000), State.UP, "100 rows, 5000 bytes; nothing to compare"),
    (rules.backup_size, Backup(100, None, 90), State.UP, "100 rows; before: 90 rows"),
    (rules.backup_size, Backup(79, 5000, 100, 5000), State.WARN, "79 rows"),
    (rules.backup_size, Backup(79, 5000, None, 5000), State.UP, "before: 5000 bytes"),
    (rules.backup_size, Backup(100, 100, 100, 5000), State.DOWN, "before: 100 rows, 5000 bytes"),
    (rules.scheduler, Beat(None), State.SKIPPED, "has not run here"),
    (rules.scheduler, Beat(NOW - timedelta(seconds=5), alive=True), State.UP, "heartbeat 5 s ago"),
    (rules.scheduler, Beat(NOW - timedelta(minutes=5), alive=True), State.WARN, "5 min"),
    (rules.scheduler, Beat(NOW - timedelta(hours=5), alive=None), State.DOWN, "5 h"),
    (rules.scheduler, Beat(NOW - timedelta(seconds=5), alive=False), State.DOWN, "its process is gone"),
    # the machine
    (rules.cpu, MACHINE, State.UP, "10 %"),
    (rules.cpu, replace(MACHINE, load=500), State.WARN, "500 %"),
    (rules.memory, replace(MACHINE, memory=98), State.DOWN, "98 %"),
    (rules.disk, MACHINE, State.UP, "30.0 % used, 10.0 GB free"),
    (rules.disk, replace(MACHINE, disk_hours=5), State.WARN, "full in 5 h"),
    (rules.disk, replace(MACHINE, disk_hours=500), State.UP, "full in 20 d 20 h"),
    (rules.disk, replace(MACHINE, disk=96, disk_hours=500), State.DOWN, "96.0 %"),
    (rules.inodes, MACHINE, State.UP, "5.0 %"),
    (rules.inodes, replace(MACHINE, inodes=None), State.SKIPPED, "no fixed number"),
    (rules.open_files, MACHINE, State.SKIPPED, "not told"),
    (rules.open_files, replace(MACHINE, files=[("a", 10, 100), ("b", 80, 100)]), State.WARN, "b has 80 of 100"),
    (rules.processes, replace(MACHINE, processes=[(7, "memory_sync", HOUR, 10**6, "sleeping")]), State.UP, "1, 1 MB"),
    (rules.processes, replace(MACHINE, processes=[(7, "child of x", HOUR, 0, "zombie")]), State.WARN, "zombies: child"),
    (rules.processes, replace(MACHINE, processes=[(7, "child of x", SECOND, 0, "zombie")]), State.UP, "1, 0 MB"),
    (rules.processes, replace(MACHINE, processes=[(7, "memory_sync", 3 * HOUR, 0, "sleeping")]), State.WARN, "for 3 h"),
    (rules.processes, replace(MACHINE, processes=[(7, "scheduler", 99 * HOUR, 0, "sleeping")]), State.UP, "1, 0 MB"),
    # the siblings
    (rules.sibling, Ended("a.py --test", 0, "ready", 0.5), State.UP, "a.py --test: ended with 0, 0.5 s: ready"),
    (rules.sibling, Ended("a.py --test", 1, "", 0.5), State.WARN, "ended with 1"),
    (rules.sibling, Ended("a.py --test", 2, "", 0.5), State.SKIPPED, "ended with 2"),
    (rules.sibling, Ended("a.py --test", 70, "", 0.5), State.DOWN, "ended with 70"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "fact", "state", "told"), CASES, ids=lambda value: getattr(value, "__name__", None) or ""
)
def test_a_rule_judges_a_fact(rule: Any, fact: Any, state: State, told: str) -> None:
    found: Finding = rule(fact, SEEN)
    assert (found.state, told in found.fact) == (state, True), found
    if state in {State.DOWN, State.WARN, State.SKIPPED}:
        assert found.hint, "every finding that is not well says what to do"


def test_the_environment_tells_each_variable_and_never_a_value() -> None:
    fact = Environment("configured", ["A", "B", "C"], ["A", "B"], ["B is no URL; copy it"], ["A is old"])
    assert rules.environment(fact, SEEN).details == {
        "A": "warning: A is old",
        "B": "wrong: B is no URL; copy it",
        "C": "not set",
    }


@pytest.mark.parametrize(
    ("version", "wanted", "fitting"),
    [
        ("3.2", ">=3.2,<4", True),
        ("3.2.0", "==3.2", True),
        ("3.1.9", ">=3.2,<4", False),
        ("4.0", ">=3.2,<4", False),
        ("4.0rc1", "<4", False),
        ("10.0", ">9", True),
        ("9.0", "<=9.0", True),
        ("9.0.post1", ">=9", True),
        ("1.0", "", True),
        ("1.0", "~=1.0", True),
    ],
)
def test_a_version_fits_its_range(version: str, wanted: str, fitting: bool) -> None:
    assert fits(version, wanted) is fitting


@pytest.mark.parametrize(
    ("samples", "hours"),
    [
        ([], None),
        ([(0, 50), (7200, 60)], None),
        ([(0, 50), (60, 60), (120, 70)], None),
        ([(0, 50), (3600, 50), (7200, 50)], None),
        ([(0, 60), (3600, 55), (7200, 50)], None),
        ([(0, 50), (3600, 60), (7200, 70)], 3.0),
        ([(0, 98), (3600, 99), (7200, 100)], 0.0),
    ],
)
def test_the_time_until_a_disk_is_full(samples: list[tuple[float, float]], hours: float | None) -> None:
    assert hours_to_full(samples) == (None if hours is None else pytest.approx(hours))


@given(st.floats(0.01, 10), st.integers(4, 50))
def test_a_disk_that_fills_evenly_is_full_when_its_line_says_so(percent_an_hour: float, count: int) -> None:
    samples = [(number * 3600.0, number * percent_an_hour) for number in range(count)]
    left = max(100 - samples[-1][1], 0)
    assert hours_to_full(samples) == pytest.approx(left / percent_an_hour, abs=1e-6)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (-5, "0 s"), (59, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (90061, "1 d 1 h"), (86400, "1 d")],
)
def test_a_time_in_its_two_largest_units(seconds: float, told: str) -> None:
    assert spell(timedelta(seconds=seconds)) == told
