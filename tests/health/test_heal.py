"""Healing: each action mends what was broken for real, and leaves alone what is not certainly broken."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.world import ROOT
from utils import state
from utils.errors import BusyError, ServiceError
from utils.files import hold_lock
from utils.health import heal, store, wounds
from utils.health.heal import Action, Healed, Wound
from utils.health.model import Finding, Limits, Result, State
from utils.state import RunRecord
from utils.stores.base import Activity, Vault
from utils.stores.postgres import PostgresTransport

NOW = datetime.now(UTC)


def mend(home: Path, *actions: Action, now: datetime = NOW) -> list[Healed]:
    return heal.heal(home, actions, now, lambda _: None)


def outcomes(healed: Sequence[Healed]) -> list[tuple[str, str]]:
    return [(each.wound.target, each.outcome) for each in healed]


@pytest.fixture
def active(tmp_path: Path) -> Path:
    folder = tmp_path / "logs" / "active"
    folder.mkdir(parents=True)
    return folder


# --- folders


def test_a_missing_folder_is_made(tmp_path: Path, active: Path) -> None:
    shutil.rmtree(active.parent)
    found = mend(tmp_path, wounds.missing_folders(tmp_path))
    assert outcomes(found) == [("export", "mended")], "the lock made the others"
    assert (tmp_path / "export").is_dir()
    assert list(wounds.missing_folders(tmp_path).find()) == []


def test_a_folder_behind_a_link_is_not_made(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    (home / "logs").symlink_to(elsewhere)
    (home / "export").symlink_to(tmp_path / "nowhere")
    assert list(wounds.missing_folders(home).find()) == []


# --- the disk


def test_a_low_disk_loses_old_rotated_logs_and_nothing_else(tmp_path: Path, active: Path) -> None:
    kept = ["sync.log", "sync.log.1", "decisions.json.3", "other.log.2.txt"]
    for age, name in enumerate([*kept, "sync.log.2", "sync.log.3", "sync.log.4"]):
        (active / name).write_text("x" * 100)
        os.utime(active / name, (1e9 - age, 1e9 - age))
    (active / "linked.log.2").symlink_to(active / "sync.log")
    left = [2]

    def is_low() -> str:
        left[0] -= 0 if (active / "sync.log.4").exists() else 1
        return "97 % used" if left[0] > 0 else ""

    assert outcomes(mend(tmp_path, wounds.rotated_logs(tmp_path, is_low))) == [("logs", "mended")]
    assert not (active / "sync.log.4").exists(), "the oldest goes first"
    assert (active / "sync.log.2").exists(), "and no more than it takes"
    mend(tmp_path, wounds.rotated_logs(tmp_path, lambda: "97 % used"))
    names = {path.name for path in active.iterdir() if not path.name.startswith(("state.db", "heal.lock"))}
    assert names == {*kept, "linked.log.2"}, "the newest rotated one of each log stays"


def test_how_low_the_disk_is_is_told_by_its_limits(tmp_path: Path) -> None:
    assert wounds.low(tmp_path, {"disk": Limits(0, 0), "inodes": Limits(0, 0)}).endswith("% of the disk used")
    assert wounds.low(tmp_path, {"disk": Limits(101, 101), "inodes": Limits(101, 101)}) == ""


# --- state


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\x00"])
def test_a_damaged_document_is_set_aside(tmp_path: Path, active: Path, damage: bytes) -> None:
    (active / "system_health.json").write_bytes(damage)
    (active / "backup_report.json").write_text("{}")
    found = mend(tmp_path, wounds.damaged_documents(tmp_path, NOW))
    assert outcomes(found) == [("system_health.json", "mended")]
    (aside,) = active.glob("system_health.json.corrupt-*")
    assert aside.read_bytes() == damage
    assert not (active / "system_health.json").exists()


def test_a_damaged_state_gets_back_what_its_last_good_copy_has(tmp_path: Path) -> None:
    path = tmp_path / state.STATE_FILE
    sample = Result("disk", "machine", Finding(State.UP, "x", value=1))
    with state.open_state(path) as db:
        state.record_run(db, RunRecord("before", "sync", NOW, NOW, "done", code=0))
        store.keep(db, [sample], NOW)
        store.copy(tmp_path, db, NOW)
    path.write_bytes(b"x" * 9000)
    Path(f"{path}-wal").unlink(missing_ok=True)
    with state.open_state(path) as db:  # whoever opens it first sets it aside
        state.record_run(db, RunRecord("after", "sync", NOW, NOW, "done", code=0))
    ((target, outcome),) = outcomes(mend(tmp_path, wounds.lost_state(tmp_path)))
    assert (target.startswith("state.db.corrupt-"), outcome) == (True, "mended")
    with state.open_state(path) as db:
        assert {run.run_id for run in state.runs(db, "sync")} == {"before", "after"}
        assert "disk" in store.days(db)
        db.execute("delete from runs where run_id = 'before'")
    assert list(wounds.lost_state(tmp_path).find()) == [], "it is done once"


def test_a_damaged_copy_is_no_good_copy(tmp_path: Path) -> None:
    path = tmp_path / state.STATE_FILE
    with state.open_state(path):
        pass
    path.with_name("state.db.corrupt-20261125T000000.000000Z").write_text("x")
    store.good_copy(tmp_path).write_bytes(b"y" * 9000)
    assert list(wounds.lost_state(tmp_path).find()) == []


# --- runs


def started(home: Path, run_id: str, pid: int, when: datetime) -> None:
    with state.open_state(home / state.STATE_FILE) as db:
        state.record_run(db, RunRecord(run_id, "sync", when, None, "running", pid=pid))


def test_a_run_whose_process_is_gone_was_interrupted(tmp_path: Path) -> None:
    with sleeper() as gone, sleeper() as zombie, sleeper() as alive:
        gone.kill()
        gone.wait()
        zombie.kill()
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        now = datetime.now(UTC)
        for name, child in (("gone", gone), ("zombie", zombie), ("alive", alive)):
            started(tmp_path, name, child.pid, now)
        started(tmp_path, "reused", alive.pid, now - timedelta(hours=1))
        found = mend(tmp_path, wounds.orphaned_runs(tmp_path, now))
        assert sorted(outcomes(found)) == [(f"sync {name}", "mended") for name in ("gone", "reused", "zombie")]
    with state.open_state(tmp_path / state.STATE_FILE) as db:
        runs = {run.run_id: run for run in state.runs(db, "sync")}
    assert {name: run.outcome for name, run in runs.items()} == {
        **dict.fromkeys(("gone", "zombie", "reused"), "interrupted"),
        "alive": "running",
    }
    assert (runs["gone"].code, runs["gone"].ended) == (130, now)


@contextmanager
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing; ended afterwards."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        child.wait()


# --- git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a file that was changed."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "file").write_text("one")
    git(folder, "add", "file")
    git(folder, "commit", "-q", "-m", "one")
    (folder / "file").write_text("two")
    return folder


GIT = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]


def git(folder: Path, *arguments: str) -> None:
    subprocess.run([*GIT, *arguments], cwd=folder, check=True, capture_output=True)


@contextmanager
def committing(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A git that holds the lock for as long as its editor is open."""
    editor = folder.parent / "editor"
    editor.write_text(f"#!/bin/sh\ntouch {folder.parent}/open\nexec sleep 60\n")
    editor.chmod(0o755)
    env = {**os.environ, "GIT_EDITOR": str(editor)}
    child = subprocess.Popen([*GIT, "commit", "-a"], cwd=folder, env=env, start_new_session=True,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        while not (folder.parent / "open").exists():
            assert child.poll() is None
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def age(lock: Path) -> None:
    os.utime(lock, (1e9, 1e9))


def test_the_lock_of_a_git_that_was_killed_is_removed(tmp_path: Path, repository: Path) -> None:
    lock = repository / ".git" / "index.lock"
    with committing(repository):
        assert lock.exists()
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "add", "file")
    action = wounds.index_locks([repository], datetime.now(UTC))
    assert list(action.find()) == [], "it is too young to be sure"
    age(lock)
    assert outcomes(mend(tmp_path, action)) == [(str(lock), "mended")]
    git(repository, "add", "file")


def test_the_lock_of_a_live_git_is_left(repository: Path) -> None:
    with committing(repository):
        lock = repository / ".git" / "index.lock"
        age(lock)
        assert list(wounds.index_locks([repository], NOW).find()) == []
        assert lock.exists()


# --- leases


def test_the_lease_of_a_process_that_is_gone_is_given_back(tmp_path: Path, dsn: str) -> None:
    code = (
        "import sys, time; from utils.sync import lease; from utils.stores.base import Vault;"
        "from utils.stores.postgres import PostgresTransport;"
        f"print(Vault(PostgresTransport({dsn!r})).begin(lease.holder('run')).fence, flush=True); time.sleep(60)"
    )

    @contextmanager
    def vault() -> Iterator[Vault]:
        opened = Vault(PostgresTransport(dsn))
        yield opened
        opened.close()

    action = wounds.stale_leases(vault)
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        assert list(action.find()) == [], "its holder lives"
    finally:
        child.kill()
        child.wait()
    assert outcomes(mend(tmp_path, action)) == [("memory_sync 1", "mended")]
    with psycopg.connect(dsn) as db:
        assert db.execute("select holder, expires_at <= now() from leases").fetchall() == [("", True)]
        db.execute("update leases set holder = 'x', host = 'another-host', expires_at = now() + interval '1 hour'")
    assert list(action.find()) == [], "of another host nothing is certain"


# --- how


def broken(*, mends: bool = True) -> tuple[Action, list[str]]:
    """An action whose wound is there again each time that it is asked for."""
    done: list[str] = []

    def find() -> Iterator[Wound]:
        if not (mends and len(done) % 2):
            yield Wound("thing", "is broken", "mend it")
        else:
            done.append("found well")

    return Action("thing", find, lambda _: done.append("mended")), done


def test_what_comes_back_is_mended_three_times_in_ten_minutes_and_then_told(tmp_path: Path) -> None:
    action, done = broken()
    minutes = [0, 1, 2, 3, 4, 20]
    found = [mend(tmp_path, action, now=NOW + timedelta(minutes=minute))[0] for minute in minutes]
    assert [each.outcome for each in found] == ["mended"] * 3 + ["given up"] * 2 + ["mended"]
    assert done.count("mended") == 4
    events = heal.events(["thing", "other"], found[3:4], NOW)
    assert [(each.subject, each.ok, each.at_once) for each in events] == [
        ("heal thing", False, True),
        ("heal other", True, True),
    ]
    assert "it came back 3 times within 10 minutes" in events[0].error


def test_what_is_still_broken_afterwards_failed(tmp_path: Path) -> None:
    action, _ = broken(mends=False)
    (found,) = mend(tmp_path, action)
    assert (found.outcome, found.detail) == ("failed", "it is still so: is broken")
    assert [event.ok for event in heal.events(["thing"], [found], NOW)] == [False]


def test_who_cannot_look_finds_nothing_and_holds_up_nobody(tmp_path: Path) -> None:
    def find() -> Iterator[Wound]:
        raise ServiceError("database", "cannot be reached")

    found = mend(tmp_path, Action("lease", find, lambda _: None), broken()[0])
    assert outcomes(found) == [("thing", "mended")]


def test_what_cannot_be_mended_failed_with_the_reason(tmp_path: Path) -> None:
    action = Action("thing", lambda: [Wound("x", "y", "z")], lambda _: (tmp_path / "nothing").unlink())
    (found,) = mend(tmp_path, action)
    assert (found.outcome, "No such file" in found.detail) == ("failed", True)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    action, done = broken()
    found = heal.heal(tmp_path, [action], NOW, lambda _: None, dry_run=True)
    assert [each.line() for each in found] == ["thing thing (is broken): mend it: would be mended"]
    assert done == []
    assert list(tmp_path.iterdir()) == []
    assert [event.ok for event in heal.events(["thing"], found, NOW)] == [True]


def test_two_do_not_mend_at_once(tmp_path: Path) -> None:
    with hold_lock(tmp_path / heal.LOCK), pytest.raises(BusyError):
        mend(tmp_path, broken()[0])


def test_it_is_written_to_agent_activity_before_and_after(tmp_path: Path, dsn: str) -> None:
    vault = Vault(PostgresTransport(dsn))
    seen: list[tuple[str, str]] = []

    def record(activities: Sequence[Activity]) -> None:
        vault.record(activities)
        with psycopg.connect(dsn) as db:
            seen.extend(db.execute("select action, status from agent_activity").fetchall())

    heal.heal(tmp_path, [broken()[0]], NOW, record)
    vault.close()
    assert seen == [("heal thing", "running"), ("heal thing", "mended")]
    with psycopg.connect(dsn) as db:
        ((agent, details),) = db.execute("select agent_name, details from agent_activity").fetchall()
    assert (agent, details["target"], details["proof"]) == ("backend_monitor", "thing", "is broken")


def test_a_vault_that_does_not_answer_keeps_nothing_from_being_mended(tmp_path: Path) -> None:
    def record(_: Sequence[Activity]) -> None:
        raise ServiceError("database", "cannot be reached")

    (found,) = heal.heal(tmp_path, [broken()[0]], NOW, record)
    assert (found.outcome, found.detail) == (
        "mended",
        "not written to agent_activity (database: cannot be reached)",
    )
    with state.open_state(tmp_path / state.STATE_FILE) as db:
        ((outcome, detail),) = db.execute("select outcome, detail from heals").fetchall()
    assert (outcome, json.dumps(detail)) == ("mended", json.dumps(found.line()))
