"""The script `scheduler.py`: its options, its signals, and a day of its life with scratch jobs."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.conftest import forget_local
from tests.schedule.host import free_port, job, to_json
from tests.world import ROOT, World
from utils import state
from utils.errors import BUSY, OK, USAGE
from utils.schedule.history import History
from utils.schedule.jobs import Job

HOST = ROOT / "tests" / "schedule" / "host.py"
OFTEN: dict[str, Any] = {"period": timedelta(seconds=1), "grace": timedelta(seconds=30)}
NOWHERE = "postgresql://nobody:nothing@127.0.0.1:1/none"


class Home:
    """A home folder whose database is nowhere, unless `env` says otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(folder), "DATABASE_URL": NOWHERE}
        self.env["SCHEDULER_JITTER_SECONDS"] = "0"
        self.history = History(folder / state.STATE_FILE)
        self.started: list[subprocess.Popen[str]] = []

    def script(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs `scheduler.py`."""
        command = [sys.executable, str(ROOT / "scheduler.py"), *arguments]
        return subprocess.run(
            command, env={**self.env, **env}, cwd="/", capture_output=True, text=True, timeout=60, check=False
        )

    def job(self, code: str, name: str = "scratch", **other: Any) -> Job:
        """A job out of a line of Python."""
        path = self.folder / f"{name}.py"
        path.write_text(code, encoding="utf-8")
        return job(name, path, **other)

    def start(self, jobs: Sequence[Job], *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Starts the scheduler with a table of its own."""
        table = self.folder / "jobs.json"
        table.write_text(to_json(jobs), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, str(HOST), str(table), *arguments],
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    @property
    def log(self) -> str:
        """`scheduler.log`."""
        path = self.folder / "logs" / "active" / "scheduler.log"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def outcomes(self, name: str = "scratch") -> list[str]:
        """Of the runs of a job, the newest first."""
        return [attempt.outcome for attempt in self.history.attempts(name, 99)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home folder; what was started in it is ended."""
    made = Home(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Waits until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def answers(address: str) -> bool:
    """Whether somebody serves there."""
    try:
        return httpx.get(address, timeout=5).is_success
    except httpx.HTTPError:
        return False


def test_the_list_shows_the_cadence_of_all_jobs(home: Home) -> None:
    ended = home.script("--list", SCHEDULE_SYNC="30m", SCHEDULE_FILES="off")
    assert ended.returncode == OK, ended.stderr
    rows = [line.split()[:2] for line in ended.stdout.splitlines()]
    assert rows == [["monitor", "1h"], ["sync", "30m"], ["backup", "1d"], ["restore-test", "7d"], ["scheduler:", "is"]]
    assert "never ran" in ended.stdout
    assert "is not running" in ended.stdout
    said = json.loads(home.script("--list", "--json").stdout)
    assert said["scheduler"] is False
    assert [row["job"] for row in said["jobs"]] == ["monitor", "sync", "files", "backup", "restore-test"]
    assert {row["job"]: row["every"] for row in said["jobs"]}["restore-test"] == "7d Sun 03:00"
    assert all(datetime.fromisoformat(row["next"]).tzinfo for row in said["jobs"])


def test_check_names_everything_that_is_wrong(home: Home) -> None:
    assert home.script("--check").returncode == OK
    ended = home.script("--check", SCHEDULE_SYNC="often", MAINTENANCE_WINDOW="night", SCHEDULER_COORDINATION="etcd")
    assert ended.returncode == USAGE
    for name in ("SCHEDULE_SYNC", "MAINTENANCE_WINDOW", "SCHEDULER_COORDINATION"):
        assert f"configuration: {name} " in ended.stderr


@pytest.mark.parametrize("option", ["--run-now", "--pause", "--resume"])
def test_a_job_that_is_none_is_refused_by_name(option: str, home: Home) -> None:
    ended = home.script(option, "lunch")
    assert ended.returncode == USAGE
    assert (
        "lunch: is no job that is switched on. The jobs are: monitor, sync, files, backup, restore-test" in ended.stderr
    )


def test_options_that_make_no_sense_together_are_refused(home: Home) -> None:
    assert home.script("--once", "--list").returncode == USAGE
    assert home.script("--once", "--json").returncode == USAGE


def test_a_pause_is_shown_and_ended(home: Home) -> None:
    assert home.script("--pause", "sync").returncode == OK
    rows = {row["job"]: row["state"] for row in json.loads(home.script("--list", "--json").stdout)["jobs"]}
    assert rows["sync"] == "paused"
    assert "sync goes on" in home.script("--resume", "sync").stdout
    assert "sync was not paused" in home.script("--resume", "sync").stdout


def test_run_now_runs_a_job_beside_its_slots_and_ends_with_its_code(home: Home) -> None:
    ended = home.script("--run-now", "sync")
    assert ended.returncode == USAGE, "NOTION_TOKEN is not set"
    assert re.search(r"sync by hand: configuration, \d+\.\d s \(run \w+\): .*NOTION_TOKEN", ended.stdout)
    (attempt,) = home.history.attempts("sync", 9)
    assert (attempt.slot, attempt.code) == (None, USAGE)
    with state.open_state(home.history.path) as db:
        run = state.last_run(db, "sync")
    assert run is not None
    assert (run.run_id, run.code) == (attempt.run_id, USAGE), "the script's own record has the scheduler's RUN_ID"
    assert (home.folder / "logs" / "active" / "jobs" / "sync" / f"{attempt.run_id}.log").read_text(encoding="utf-8")


def test_once_runs_what_is_due_and_leaves(home: Home) -> None:
    good = home.job("import os; print('run', os.environ['RUN_ID'])")
    bad = home.job("raise SystemExit(4)", name="bad")
    process = home.start([good, bad], "--once")
    said, noted = process.communicate(timeout=60)
    assert process.returncode == OK
    assert re.search(
        r"scratch slot .* UTC: ok, \d+\.\d s, \d+\.\d s late, attempt 1 of 3 \(run (\w+)\): run \1\n", said
    )
    assert re.search(r"bad slot .*: refused, ", noted)
    assert home.outcomes("bad") == ["refused"]
    again = home.start([good, bad], "--once")
    assert "0 runs were due" in again.communicate(timeout=60)[0]


def test_jobs_run_slot_after_slot_and_each_run_has_one_closing_line(home: Home) -> None:
    process = home.start([home.job("print('hello')", **OFTEN)])
    until(lambda: home.outcomes().count("ok") >= 3)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == OK
    assert said.count(" UTC: ok, ") == len(home.outcomes()), "and one on stdout"
    lines = re.findall(
        r"INFO scheduler \w+ scratch slot (\S+ \S+) UTC: ok, .* late, attempt 1 of 3 .*: hello", home.log
    )
    assert len(lines) == len(set(lines)) == len(home.outcomes())
    assert re.search(r" stopped$", home.log, re.MULTILINE)
    beat = home.history.last_beat()
    assert beat is not None
    assert (beat.pid, beat.alive) == (process.pid, False)


def test_with_the_database_down_jobs_run_on_and_that_is_told_once(home: Home) -> None:
    process = home.start([home.job("print('hello')", **OFTEN)])
    until(lambda: home.outcomes().count("ok") >= 2 and "agent_activity is not written for now" in home.log, 60)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == OK
    assert home.log.count("agent_activity is not written for now") == 1


@pytest.mark.parametrize("world", ["postgres", "supabase"], indirect=True)
def test_every_run_is_a_row_of_agent_activity(world: World, home: Home) -> None:
    process = home.start([home.job("raise SystemExit(1)")], "--once", **world.environment(ANGLES_HOME=str(home.folder)))
    process.communicate(timeout=60)
    (row,) = world.db.execute("select * from agent_activity where agent_name = 'scheduler'").fetchall()
    (attempt,) = home.history.attempts("scratch", 9)
    assert (row["action"], row["status"], row["details"]["run"]) == ("job scratch", "with problems", attempt.run_id)


def test_a_reader_of_stdout_that_is_gone_stops_no_job(home: Home) -> None:
    process = home.start([home.job("print('hello')", **OFTEN)])
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    until(lambda: home.outcomes().count("ok") >= 3)
    assert process.poll() is None


def test_one_scheduler_at_a_time(home: Home) -> None:
    home.start([home.job("import time; time.sleep(60)")])
    until(lambda: home.outcomes() == ["running"])
    second = home.start([])
    _, noted = second.communicate(timeout=60)
    assert second.returncode == BUSY
    assert "scheduler.lock: another run holds this lock" in noted


def test_running_jobs_get_their_time_and_are_ended_then(home: Home) -> None:
    slow = home.job("import time; print('up', flush=True); time.sleep(60)", name="slow")
    quick = home.job("import time; time.sleep(0.7)", name="quick")
    process = home.start([slow, quick], SCHEDULER_STOP_SECONDS="1.5")
    until(lambda: home.outcomes("slow") == home.outcomes("quick") == ["running"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == OK
    assert (home.outcomes("quick"), home.outcomes("slow")) == (["ok"], ["stopped"])
    assert not [
        child for child in psutil.process_iter(["cmdline"]) if str(slow.script) in (child.info["cmdline"] or ())
    ]
    assert home.history.last_state("slow") is not None
    again = home.start([replace(slow, script=str(home.folder / "quick.py")), quick], "--once")
    again.communicate(timeout=60)
    assert home.outcomes("slow") == ["ok", "stopped"], "its slot was left open"


def test_a_second_signal_ends_them_at_once(home: Home) -> None:
    process = home.start([home.job("import time; time.sleep(60)")], SCHEDULER_STOP_SECONDS="50")
    until(lambda: home.outcomes() == ["running"])
    process.send_signal(signal.SIGTERM)
    until(lambda: "gets 50 s" in home.log)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == OK


def test_a_killed_scheduler_leaves_no_overlap_and_its_run_is_known_by_its_own_word(home: Home) -> None:
    code = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from utils import script
def body(run):
    time.sleep(1)
    return 1
sys.exit(script.run('scratch', body, job='scratch'))
"""
    work = home.job(code)
    process = home.start([work])
    until(lambda: home.outcomes() == ["running"])
    process.kill()
    process.wait()
    again = home.start([work])
    until(lambda: home.outcomes() != ["running"])
    assert home.outcomes() == ["with problems"]
    again.send_signal(signal.SIGTERM)
    assert again.wait(20) == OK
    assert len(home.outcomes()) == 1


def test_sighup_takes_a_new_configuration_and_keeps_the_old_one_where_that_is_wrong(home: Home) -> None:
    work = home.job("print('hello')")
    process = home.start([work])
    until(lambda: home.outcomes() == ["ok"])
    dot_env = home.folder / ".env"
    dot_env.write_text("SCHEDULE_SCRATCH=often\n", encoding="utf-8")
    process.send_signal(signal.SIGHUP)
    until(lambda: "the configuration is not taken: configuration: SCHEDULE_SCRATCH is 'often'" in home.log)
    assert process.poll() is None
    dot_env.write_text("SCHEDULE_SCRATCH=off\n", encoding="utf-8")
    process.send_signal(signal.SIGHUP)
    until(lambda: "configuration read again; 0 jobs" in home.log)


def test_failures_are_alerts_by_the_rules_of_the_health_package(home: Home) -> None:
    process = home.start([home.job("raise SystemExit(4)")], "--once")
    process.communicate(timeout=60)
    with state.open_state(home.history.path) as db:
        rows = db.execute("select kind, subject, text from alerts").fetchall()
    assert [(kind, subject) for kind, subject, _ in rows] == [("failing", "job scratch")]
    assert re.search(r"^refused See logs/active/jobs/scratch/\w+\.log$", rows[0][2])


def test_a_wrong_configuration_starts_nothing(home: Home) -> None:
    ended = home.script(SCHEDULE_BACKUP="1d 99:00")
    assert ended.returncode == USAGE
    assert "SCHEDULE_BACKUP is '1d 99:00'" in ended.stderr
    assert not (home.folder / "logs" / "active" / "scheduler.lock").exists()


def test_shared_slots_need_a_database(home: Home) -> None:
    ended = home.script("--once", DATABASE_URL="", NOTION_TOKEN="ntn_123456789012", SCHEDULER_COORDINATION="database")
    assert ended.returncode == USAGE
    assert "vault: not configured" in ended.stderr


def test_exports_name_their_files(home: Home) -> None:
    ended = home.script("--export", "crontab")
    assert ended.returncode == OK
    text = (home.folder / "export" / "scheduler" / "crontab" / "crontab").read_text(encoding="utf-8")
    assert str(ROOT / "memory_sync.py") in text
    refused = home.script("--export", "systemd", SCHEDULE_SYNC="5h")
    assert refused.returncode == USAGE
    assert "SCHEDULE_SYNC: every 5h is nothing that a calendar has" in refused.stderr


def test_the_page_is_served_beside_the_jobs_and_ends_with_them(home: Home) -> None:
    address = f"http://127.0.0.1:{free_port()}/ping"
    process = home.start([home.job("print('hello')", **OFTEN)], "--page", DASHBOARD_PORT=address.split(":")[2][:-5])
    until(lambda: answers(address) and "ok" in home.outcomes())
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == OK
    assert not answers(address)


def test_jobs_run_on_where_the_page_cannot_be_served(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        home.start([home.job("print('hello')", **OFTEN)], "--page", DASHBOARD_PORT=port)
        until(lambda: home.outcomes().count("ok") >= 2)
    assert home.log.count(f"dashboard: not started: port {port}") == 1


def test_in_a_fresh_folder_without_configuration_it_works(home: Home) -> None:
    try:
        ended = home.script("--run-now", "sync", DATABASE_URL="")
    finally:
        forget_local(home.folder)
    assert (ended.returncode, home.outcomes("sync")) == (OK, ["ok"]), ended.stderr


def test_ctrl_c_ends_a_run_by_hand(home: Home) -> None:
    process = home.start([home.job("import time; time.sleep(60)")], "--run-now")
    until(lambda: home.outcomes() == ["running"])
    process.send_signal(signal.SIGINT)
    process.wait(20)
    assert home.outcomes() == ["stopped"]
    assert home.history.last_state("scratch") is None, "a run by hand is no slot's"
