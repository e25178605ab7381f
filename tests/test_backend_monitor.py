"""The script `backend_monitor.py` against real services that are well, broken, refusing or away."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import git_server
from tests.conftest import at, forget_local
from tests.health.conftest import Receiver, receiver
from tests.rest_faults import RestFaults
from tests.world import ROOT, World
from utils import state
from utils.health import alerts, store
from utils.health.firing import Event
from utils.local.postgres import is_running
from utils.sections import AlertSettings
from utils.state import RunRecord

__all__ = ["receiver"]

postgres = pytest.mark.parametrize("world", ["postgres"], indirect=True)
SCRIPT = "backend_monitor.py"
QUIET = {
    **{f"HEALTH_{name}_{word}": "100" for name in ("MEMORY", "DISK", "INODES") for word in ("WARN", "DOWN")},
    **dict.fromkeys(("HEALTH_LATENCY_WARN", "HEALTH_LATENCY_DOWN"), "600"),
    "HEALTH_CPU_WARN": "1000000",
}
"""How busy and how full the machine is that the tests run on is none of their business."""


def monitor(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The script in a home of its own, local mode unless `env` says otherwise."""
    return subprocess.run(
        [sys.executable, str(ROOT / SCRIPT), *arguments],
        env={"PATH": os.environ["PATH"], "ANGLES_HOME": str(home), **QUIET, **env},
        cwd="/",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def results(ended: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """The results of a run with --json, by name."""
    return {each["name"]: each for each in json.loads(ended.stdout)["results"]}


def script(world: World, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The script with both services."""
    return world.script(SCRIPT, *arguments, **{**QUIET, **env})


def looked(world: World, *arguments: str, **env: str) -> dict[str, dict[str, Any]]:
    return results(script(world, "--json", *arguments, **env))


# --- what it says


def test_with_nothing_configured_all_is_well_or_says_what_to_set_and_nothing_is_started(tmp_path: Path) -> None:
    ended = monitor(tmp_path, "--json")
    assert ended.returncode == 0, ended.stdout
    found = results(ended)
    assert {each["state"] for each in found.values()} == {"up", "skipped"}
    assert {name for name, each in found.items() if each["state"] == "up"} >= {"environment", "packages", "disk", "cpu"}
    assert "is not started to be looked at" in found["database"]["fact"]
    assert not (tmp_path / ".local").exists()
    assert "local mode" in ended.stderr


def test_local_mode_is_well_whether_its_server_runs_or_not(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(tmp_path), "LANG": "C.UTF-8"}
    try:
        for name in ("run_migration.py", "memory_sync.py"):
            subprocess.run([sys.executable, str(ROOT / name)], env=env, capture_output=True, check=True)
        idle, deep = monitor(tmp_path, "--json"), monitor(tmp_path, "--json", "--deep", "--check", "database")
        assert (idle.returncode, deep.returncode) == (0, 0), idle.stdout + deep.stdout
        assert {name: results(idle)[name]["state"] for name in ("database", "notion", "sync")} == {
            "database": "skipped",
            "notion": "up",
            "sync": "up",
        }
        assert {each["state"] for each in results(deep).values()} == {"up"}
        assert not is_running(tmp_path / ".local"), "what was started to be looked at is stopped"
    finally:
        forget_local(tmp_path)


@postgres
def test_services_that_are_well_are_up(world: World) -> None:
    world.insert("One")
    assert world.script("memory_sync.py").returncode == 0
    ended = script(world, "--json")
    found = results(ended)
    well = {name for name, each in found.items() if each["state"] == "up"}
    assert well >= {"database", "privileges", "write-probe", "notion", "notion-properties", "sync", "backlog"}
    assert not [name for name, each in found.items() if each["state"] in {"down", "unknown"}], ended.stdout
    assert not world.db.execute("select from agent_activity where action = 'probe'").fetchall(), "nothing is left"
    kept = store.read(world.folder)
    assert kept is not None
    assert kept["decisions"]["total"] == 1
    assert kept == {**json.loads(ended.stdout), "decisions": kept["decisions"]}
    with state.open_state(world.folder / state.STATE_FILE) as db:
        assert {name for name, days in store.days(db).items() if days[0].up} >= well
        (run,) = state.runs(db, "monitor")
    assert (run.code, run.outcome) == (ended.returncode, "done")


def test_the_rest_api_is_looked_at_and_a_paused_project_is_called_so(
    rest: tuple[str, Any], tmp_path: Path, one_tls_context: None
) -> None:
    _, project = rest
    with RestFaults(project.url) as faults:
        env = {"SUPABASE_URL": faults.url, "SUPABASE_KEY": project.secret}
        found = results(monitor(tmp_path, "--json", "--check", "database", "--check", "endpoints", **env))
        assert {name: found[name]["state"] for name in ("database", "write-probe", "rest-api")} == {
            "database": "up",
            "write-probe": "up",
            "rest-api": "up",
        }
        faults.arm(540, times=50)
        found = results(monitor(tmp_path, "--json", "--check", "database", "--check", "endpoints", **env))
    assert found["rest-api"]["fact"] == "the project is paused (540)"
    assert "the project is paused" in found["database"]["fact"]
    assert "Resume it" in found["database"]["hint"]
    assert found["schema"]["state"] == "unknown"


@pytest.mark.parametrize(
    ("statement", "check", "told"),
    [
        ("alter table decision_vault add column strange text", "schema", "warn: differs from what the last migration"),
        ("grant select on decision_vault to anon", "privileges", "down: open to others: anon on decision_vault"),
        ("alter table leases disable row level security", "privileges", "down: open to others: no row-level security"),
        ("drop function health_look(text)", "backlog", "skipped: the database has no health_look()"),
        ("alter table agent_activity add check (action <> 'probe')", "write-probe", "down: "),
        (
            "insert into sync_links(decision_id, state, todo)"
            " values (gen_random_uuid(), 'linked', '{\"held\": [\"x\"]}')",
            "conflicts",
            "warn: 1 decisions are held",
        ),
        ("insert into decision_vault(decision) select 'x' from generate_series(1, 120)", "backlog", "warn: 120 of 120"),
    ],
)
def test_what_is_wrong_in_the_vault_is_found(dsn: str, tmp_path: Path, statement: str, check: str, told: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute(statement.encode())
    env = {"DATABASE_URL": dsn, "NOTION_TOKEN": "ntn_x", "NOTION_DATABASE_ID": "0" * 32}
    found = results(monitor(tmp_path, "--json", "--check", "database", "--check", "sync", **env))
    assert f"{found[check]['state']}: {found[check]['fact']}".startswith(told)
    assert found[check]["hint"]


def test_the_schema_as_migrated_is_well(dsn: str, tmp_path: Path) -> None:
    found = results(monitor(tmp_path, "--json", "--check", "database", DATABASE_URL=dsn))
    assert {name: each["state"] for name, each in found.items()} == dict.fromkeys(found, "up")
    assert "version 2026" in found["schema"]["fact"]


def test_a_database_without_our_schema_says_what_to_run(server: str, tmp_path: Path) -> None:
    with psycopg.connect(server, autocommit=True) as db:
        db.execute("drop database if exists bare")
        db.execute("create database bare")
    found = results(monitor(tmp_path, "--json", "--check", "database", DATABASE_URL=at(server, "bare")))
    assert (found["database"]["state"], found["schema"]["state"]) == ("up", "down")
    assert found["schema"]["hint"] == "Run: python run_migration.py"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://u:a-secret-word@127.0.0.1:9/x", "cannot be reached"),
        ("postgresql://u:a-secret-word@[::1", "no URL"),
        ("mysql://u:a-secret-word@host/x", "no URL"),
    ],
)
def test_a_database_that_cannot_be_used_is_down_and_its_password_unsaid(tmp_path: Path, url: str, told: str) -> None:
    ended = monitor(tmp_path, "--json", DATABASE_URL=url)
    found = results(ended)
    assert ended.returncode == 2
    assert found["database"]["state"] == "down"
    assert told in ended.stdout
    assert (found["schema"]["state"], found["notion"]["state"]) == ("unknown", "skipped")
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "a-secret-word" not in ended.stdout + ended.stderr
    assert b"a-secret-word" not in left


@postgres
def test_a_notion_that_refuses_or_was_changed_is_down(world: World) -> None:
    world.insert("One")
    world.script("memory_sync.py")
    found = looked(world, "--check", "notion", NOTION_TOKEN="ntn_00000000000000000000000000000000")
    assert (found["notion"]["state"], found["notion-properties"]["state"]) == ("down", "unknown")
    world.sandbox.control.remove_property("Type")
    found = looked(world, "--check", "notion")
    assert "'Type' was removed" in found["notion"]["fact"]


def test_a_misspelt_variable_and_a_wrong_one_are_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NOTON_TOKEN=x\nHEALTH_CLOCK_WARN=many\nSELF_HEAL=perhaps\n")
    found = results(monitor(tmp_path, "--json", "--check", "environment"))["environment"]
    assert found["state"] == "down"
    assert "HEALTH_CLOCK_WARN is 'many'" in found["fact"]
    assert found["details"]["SELF_HEAL"].startswith("wrong: SELF_HEAL is 'perhaps'")
    (tmp_path / ".env").write_text("NOTON_TOKEN=x\n")
    found = results(monitor(tmp_path, "--json", "--check", "environment"))["environment"]
    assert "NOTON_TOKEN is read by nobody, NOTION_TOKEN is" in found["fact"]


@postgres
def test_the_age_of_the_last_good_run_counts_not_that_of_the_last(world: World) -> None:
    now = datetime.now(UTC)
    with state.open_state(world.folder / state.STATE_FILE) as db:
        for hours, code in ((10, 0), (4, 3), (1, 3), (0, 75)):
            when = now - timedelta(hours=hours)
            state.record_run(db, RunRecord(f"run{hours}", "sync", when, when, "service unavailable", "why", code))
    found = looked(world, "--check", "sync")["sync"]
    assert (found["state"], found["hint"]) == ("down", "Run: python memory_sync.py")
    assert found["fact"] == "last good run 10 h ago, due every 6 h; the last run: service unavailable, why"


# --- GitHub


@pytest.mark.parametrize(
    ("writable", "token", "reached", "pushed"),
    [
        (True, "a-token-of-the-tests", "up", "up"),
        (False, "a-token-of-the-tests", "up", "down"),
        (True, "", "down", "unknown"),
    ],
    ids=["all is allowed", "it may only be read", "no token"],
)
def test_the_repository_and_the_right_to_push_are_looked_at(
    tmp_path: Path, writable: bool, token: str, reached: str, pushed: str
) -> None:
    with git_server.serve(tmp_path / "one.git", "a-token-of-the-tests") as server:
        server.git("config", "http.receivepack", str(writable).lower())
        env = {"REPO_URL": server.url, "GITHUB_TOKEN": token}
        ended = monitor(tmp_path, "--json", "--check", "github", "--check", "clock", **env)
        assert server.git("for-each-ref") == "", "nothing was pushed"
    found = results(ended)
    assert (found["github"]["state"], found["github-push"]["state"]) == (reached, pushed), found
    assert found["clock"]["state"] == "up", "the Date header was read"
    assert "a-token" not in ended.stdout + ended.stderr


# --- its forms


def test_the_plugin_form_is_one_line(tmp_path: Path) -> None:
    ended = monitor(tmp_path, "--nagios")
    (line,) = ended.stdout.splitlines()
    assert re.match(r"OK - \d+ up, \d+ skipped \| .*'disk'=[\d.]+%;100;100 ", line)


def test_plain_lines_have_the_hint_below(tmp_path: Path) -> None:
    lines = monitor(tmp_path, "--check", "github").stdout.splitlines()
    assert lines[0].split()[:2] == ["skipped", "github"]
    assert lines[1].strip() == "Run: python run_backup_now.py"
    assert lines[-1].startswith("backend_monitor: 0 up, 2 skipped; ")


def test_a_terminal_gets_a_table(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(tmp_path), "COLUMNS": "100", "TERM": "xterm", **QUIET}
    child = subprocess.Popen([sys.executable, str(ROOT / SCRIPT), "--check", "machine"], env=env, stdout=theirs,
                             stderr=subprocess.DEVNULL)  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass
    os.close(ours)
    assert child.wait() == 0
    assert b"what is seen, and what to do" in shown
    assert b"\x1b[" in shown


@pytest.mark.parametrize(
    "arguments",
    [["--bogus"], ["--watch", "0"], ["--port", "x"], ["--watch", "--json"], ["--json", "--nagios"], ["--check", "no"]],
    ids=" ".join,
)
def test_bad_usage_is_unknown_to_a_plugin(tmp_path: Path, arguments: list[str]) -> None:
    ended = monitor(tmp_path, *arguments)
    assert ended.returncode == 3
    assert ended.stderr.splitlines()[-1].startswith("backend_monitor: ")


def test_bad_usage_with_json_has_its_document(tmp_path: Path) -> None:
    assert json.loads(monitor(tmp_path, "--json", "--bogus").stdout)["exit_code"] == 3


def test_a_failure_of_its_own_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("no folder")
    ended = monitor(tmp_path)
    assert ended.returncode == 3
    assert "cannot be" in ended.stderr


def test_looking_leaves_no_history(tmp_path: Path) -> None:
    for arguments in (["--check", "machine"], ["--heal", "--dry-run"]):
        assert monitor(tmp_path, *arguments).returncode == 0
    assert store.read(tmp_path) is None
    with state.open_state(tmp_path / state.STATE_FILE) as db:
        assert (list(state.runs(db, "monitor")), store.days(db)) == ([], {})


def test_it_is_watched_until_somebody_stops_it(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(tmp_path)}
    child = subprocess.Popen([sys.executable, str(ROOT / SCRIPT), "--watch", "1", "--check", "disk"], env=env,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(4)]
    child.send_signal(signal.SIGINT)
    assert child.wait() == 130
    assert [line.split()[0] for line in lines] == ["up", "backend_monitor:"] * 2


@postgres
def test_deep_tries_the_siblings(world: World) -> None:
    found = looked(world, "--deep", "--check", "memory_sync.py", "--check", "run_migration.py")
    assert [each["state"] for each in found.values()] == ["up", "up"], found
    assert "both sides are ready" in found["memory_sync.py"]["fact"]


def test_the_page_is_looked_at_where_it_is_served_and_its_trouble_is_told(tmp_path: Path) -> None:
    said = tmp_path / "logs" / "active" / "dashboard.json"

    def page() -> tuple[str, str]:
        found = results(monitor(tmp_path, "--json", "--check", "dashboard"))["dashboard"]
        return found["state"], found["fact"]

    assert page() == ("skipped", "is not served")
    env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(tmp_path)}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = [sys.executable, str(ROOT / SCRIPT), "--serve", "--port", str(port)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert "the page is at http://127.0.0.1:" in child.stdout.readline()
        assert page()[0] == "up"
        trouble = json.dumps({"port": 5000, "error": "port 5000: is taken", "pid": child.pid})
        child.kill()
        child.wait()
    assert page()[0] == "down", "whoever served it was killed"
    said.write_text(trouble)
    assert page() == ("skipped", "is not served"), "who had the trouble is gone"
    said.write_text(trouble.replace(str(child.pid), str(os.getpid())))
    assert page() == ("down", "dashboard: port 5000: is taken")


# --- what it does


@postgres
def test_it_heals_on_request_and_writes_that_down_in_the_vault(world: World) -> None:
    with state.open_state(world.folder / state.STATE_FILE) as db:
        state.record_run(db, RunRecord("lost", "sync", datetime.now(UTC), None, "running", pid=2**22 + 1))
    shown = script(world, "--heal", "--dry-run").stdout
    assert "run sync lost (process 4194305 is gone): mark it interrupted: would be mended" in shown
    off = script(world, "--heal", SELF_HEAL="0")
    assert "SELF_HEAL=0: nothing is mended" in off.stderr
    with state.open_state(world.folder / state.STATE_FILE) as db:
        assert [run.outcome for run in state.runs(db, "sync")] == ["running"]
    ended = script(world, "--heal", "--json")
    document = json.loads(ended.stdout)
    assert ("run", "mended") in [(each["action"], each["outcome"]) for each in document["healed"]]
    rows = world.db.execute("select action, status from agent_activity order by action").fetchall()
    assert {"action": "heal run", "status": "mended"} in rows
    assert results(ended)["sync"]["state"] == "warn", "it was looked at again"


@postgres
def test_a_low_disk_is_healed_of_old_logs(world: World) -> None:
    active = world.folder / "logs" / "active"
    active.mkdir(parents=True)
    for number in (1, 2, 3):
        (active / f"memory_sync.log.{number}").write_text("x")
        os.utime(active / f"memory_sync.log.{number}", (1e9 - number, 1e9 - number))
    script(world, "--heal", HEALTH_DISK_WARN="0.0001", HEALTH_DISK_DOWN="0.001")
    assert [path.name for path in active.glob("memory_sync.log.*")] == ["memory_sync.log.1"]


@postgres
def test_three_failures_are_told_and_their_end_is(world: World, receiver: Receiver) -> None:
    env = {"ALERT_URLS": receiver.alerts_url, "ALERT_GROUP_SECONDS": "0"}
    settings, now = AlertSettings((receiver.alerts_url,)), datetime.now(UTC)
    failing = Event("database", ok=False, at=now, error="cannot be reached")
    alerts.observe(world.folder, settings, [failing, failing])  # as two runs before did
    script(world, **{**env, "DATABASE_URL": "postgresql://nobody:nothing-at-all@127.0.0.1:9/x"})
    settle(world)
    alerts.observe(world.folder, settings, [replace(failing, ok=True)])
    script(world, **env)
    settle(world)
    titles = [message["title"].partition(": ")[2] for message in receiver.messages]
    assert titles == ["failing: database", "well again: database"]
    assert "cannot be" in receiver.messages[0]["message"]


def settle(world: World) -> None:
    """Waits until nothing is queued: the child tells on its own."""
    for _ in range(1000):
        with state.open_state(world.folder / state.STATE_FILE) as db:
            if not alerts.queued(db):
                return
        time.sleep(0.02)


def test_a_full_run_pings_at_its_start_and_its_end(tmp_path: Path, receiver: Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.port}/ping"
    assert monitor(tmp_path, HEALTHCHECK_PING_URL=url).returncode == 0
    monitor(tmp_path, "--check", "disk", HEALTHCHECK_PING_URL=url)
    paths = [path.partition("?") for path, _ in receiver.requests]
    assert [path for path, _, _ in paths] == ["/ping/start", "/ping/0"]
    assert paths[0][2] == paths[1][2]
    assert receiver.requests[1][1].startswith("backend_monitor: ")


def test_a_test_alert_is_sent_or_says_why_not(tmp_path: Path, receiver: Receiver) -> None:
    assert monitor(tmp_path, "--test-alert", ALERT_URLS=receiver.alerts_url).returncode == 0
    assert [message["title"].endswith("a test") for message in receiver.messages] == [True]
    ended = monitor(tmp_path, "--test-alert")
    assert (ended.returncode, "ALERT_URLS: not set" in ended.stdout) == (3, True)


@pytest.fixture
def hanging() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    import socket

    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def test_with_everything_hanging_it_ends_and_says_so(
    tmp_path: Path, hanging: int, request: pytest.FixtureRequest
) -> None:
    wanted = [] if request.config.getoption("--long") else ["--check", "rest-api", "--check", "dashboard"]
    (tmp_path / store.DOCUMENT.parent).mkdir(parents=True)
    (tmp_path / "logs/active/dashboard.json").write_text(json.dumps({"host": "127.0.0.1", "port": hanging, "pid": 1}))
    address = f"127.0.0.1:{hanging}"
    ended = monitor(
        tmp_path,
        *("--json", *wanted),
        SUPABASE_URL=f"http://{address}",
        SUPABASE_KEY="sb_secret_0123456789abcdef",
        NOTION_TOKEN="ntn_00000000000000000000000000000000",
        NOTION_DATABASE_ID="0123456789abcdef0123456789abcdef",
        NOTION_BASE_URL=f"http://{address}",
        **({} if wanted else {"HEALTHCHECK_PING_URL": f"http://{address}/ping"}),
    )
    found = results(ended)
    assert ended.returncode == 2
    assert {found[name]["state"] for name in ("rest-api", "dashboard")} == {"down"}
    assert all(each["state"] == "down" for name, each in found.items() if name in {"database", "notion"})
    assert json.loads(ended.stdout)["seconds"] < 20
