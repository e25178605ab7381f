"""The script `run_all.py`: from nothing to a synced vault in local mode, and what it says when a step fails."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import forget_local
from tests.world import ROOT, World
from utils.errors import OK, UNAVAILABLE, USAGE

STEPS = ["migrate", "check", "files", "sync", "export", "backup", "restore", "monitor"]


def run_all(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The script in a home of its own, local mode unless `env` says otherwise."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run_all.py"), *arguments],
        env={"PATH": os.environ["PATH"], "ANGLES_HOME": str(home), **env},
        cwd="/",
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder with a blank in its name, and a path longer than a socket's may be."""
    folder = tmp_path / "a home" / ("long " * 30)
    folder.mkdir(parents=True)
    yield folder
    forget_local(folder)


def test_local_mode_goes_from_nothing_to_a_synced_vault_and_says_where_to_look(home: Path) -> None:
    first = run_all(home)
    assert first.returncode == OK, first.stderr
    lines = first.stdout.splitlines()
    assert [line.split()[:2] for line in lines[: len(STEPS)]] == [[step, "done"] for step in STEPS]
    assert "8 copied, 0 merged, 0 retired, 0 held, 0 flagged, 0 failed" in lines[3]
    assert "no secret in it" in lines[5]
    assert "restore test passed" in lines[6]
    assert "local mode: embedded PostgreSQL and the Notion sandbox in .local/" in first.stderr
    assert "8 example decisions added" in first.stderr
    assert " -m utils.local.notion" in first.stdout
    assert "DATABASE_URL, NOTION_TOKEN and NOTION_DATABASE_ID" in first.stdout
    assert "Keep every decision in one vault" in (home / "export" / "decisions.md").read_text(encoding="utf-8")
    assert (home / ".local").stat().st_mode & 0o777 == 0o700

    again = run_all(home, "--json")
    said = json.loads(again.stdout)
    assert said["exit_code"] == again.returncode == OK
    assert [step["outcome"] for step in said["steps"]] == ["done"] * len(STEPS)
    assert "0 copied, 0 merged" in said["steps"][3]["said"]
    assert "example decisions" not in again.stderr


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_on_a_terminal_the_results_are_a_table(world: World) -> None:
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, str(ROOT / "run_all.py")],
        env=world.environment(TERM="xterm", COLUMNS="120"),
        stdout=slave,
        stderr=subprocess.DEVNULL,
    )
    os.close(slave)
    shown = b""
    while part := _read(master):
        shown += part
    os.close(master)
    assert child.wait(60) == OK
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
    assert re.search(r"^step +outcome +seconds +result", text, re.MULTILINE)
    assert re.search(r"^sync +done +\d", text, re.MULTILINE)
    assert re.search(r"^backup +skipped +\D", text, re.MULTILINE)


def test_what_needs_a_failed_step_is_skipped_and_the_worst_code_is_the_exit_code(home: Path) -> None:
    ended = run_all(
        home,
        "--json",
        DATABASE_URL="postgresql://a:b@127.0.0.1:1/c",
        NOTION_TOKEN="ntn_1234567890",
        NOTION_DATABASE_ID="0" * 32,
    )
    said = json.loads(ended.stdout)
    assert said["exit_code"] == ended.returncode == UNAVAILABLE
    outcomes = {step["step"]: step["outcome"] for step in said["steps"]}
    assert outcomes["migrate"] == "service unavailable"
    assert outcomes["monitor"] == "done"
    assert "down: " in said["steps"][-1]["said"]
    assert {outcomes[name] for name in STEPS[1:-1]} == {"skipped"}
    assert "127.0.0.1:1: cannot be reached" in said["steps"][0]["said"]


def test_without_notion_it_does_what_the_vault_allows_and_names_what_is_missing(world: World) -> None:
    ended = world.script("run_all.py", NOTION_TOKEN="", NOTION_DATABASE_ID="")
    assert ended.returncode == USAGE
    outcomes = dict(re.split(r" {2,}", line)[0:2] for line in ended.stdout.splitlines())
    assert outcomes["check"] == "configuration"
    assert [name for name, outcome in outcomes.items() if outcome == "skipped"] == ["sync", "backup", "restore"]
    assert "REPO_URL is not set" in ended.stdout
    assert "Set NOTION_TOKEN and NOTION_DATABASE_ID" in ended.stderr
    assert not (world.folder / ".local").exists()


def test_with_the_real_services_set_no_example_is_added(world: World) -> None:
    ended = world.script("run_all.py")
    outcomes = dict(re.split(r" {2,}", line)[0:2] for line in ended.stdout.splitlines())
    assert outcomes.pop("backup") == outcomes.pop("restore") == "skipped"
    assert set(outcomes.values()) == {"done"}, ended.stderr
    assert "0 copied" in ended.stdout
    assert not world.rows()


def _read(master: int) -> bytes:
    try:
        return os.read(master, 4096)
    except OSError:
        return b""
