"""The README is true: its commands run, their options exist, its files are there, its exit codes are the code's."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest

from tests.conftest import forget_local
from utils import errors
from utils.errors import INTERRUPTED, OK
from utils.local.postgres import running

ROOT = Path(__file__).resolve().parents[1]
README = re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
"""Without the code of "Adding a component", which a test of its own follows."""

CODES = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}
SCRIPTS = sorted(path.name for path in ROOT.glob("*.py"))
SANDBOX = "utils.local.notion"
MODULES = (SANDBOX, "utils.redact")
MONITOR = "backend_monitor.py"


def block_lines() -> list[str]:
    """The lines of the code blocks."""
    return [line.strip() for line in README.splitlines() if line.startswith("    ")]


def commands() -> list[list[str]]:
    """Every command line of ours, in the blocks, the sentences and the tables, as words after `python`."""
    quoted = re.findall(r"`([^`]+)`", README)
    parts = [part.strip() for text in (*block_lines(), *quoted) for part in text.split("&&")]
    return [shlex.split(part)[1:] for part in parts if re.match(r"(\.venv/bin/)?python \S", part)]


@cache
def help_of(name: str) -> str:
    """What a script, or the sandbox, answers to --help."""
    target = ["-m", name] if name in MODULES else [str(ROOT / name)]
    command = [sys.executable, *target, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def known(option: str, *names: str) -> bool:
    """Whether one of them has an option of exactly this name."""
    return any(re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help_of(name)) for name in names)


def test_the_first_commands_are_the_two_that_do_everything() -> None:
    line = "python3 -m venv .venv && .venv/bin/pip install -q -r {} && .venv/bin/python {}"
    assert block_lines()[:2] == [
        line.format("requirements.txt", "run_all.py"),
        line.format("requirements-dev.txt", "tests/test_all.py"),
    ]


def test_every_command_names_a_script_and_options_that_there_are() -> None:
    found = commands()
    assert len(found) > 10
    for words in found:
        if words[0] == "-m":
            name, arguments = words[1], words[2:]
            assert name in MODULES
        else:
            name, arguments = words[0], words[1:]
            assert (ROOT / name).is_file(), words
        if name != "tests/test_all.py":
            assert all(known(word, name) for word in arguments if word.startswith("-")), words


def test_every_option_that_is_spoken_of_is_one_of_the_right_script() -> None:
    for row in re.findall(r"^\| `python (?:-m )?(\S+)` \|(.*)\|$", README, re.MULTILINE):
        assert all(known(option, row[0]) for option in re.findall(r"--[a-z-]+", row[1])), row
    of_the_tests = re.findall(r'addoption\("(--[a-z-]+)"', (ROOT / "tests" / "conftest.py").read_text())
    for option in set(re.findall(r"(?<=[` ])--[a-z][a-z-]*", README)) - {*of_the_tests, "--hypothesis-seed"}:
        assert known(option, *SCRIPTS, "tests/bench/bench_sync.py", "tests/bench/bench_backup.py"), option


def test_every_script_is_in_the_table() -> None:
    for name in SCRIPTS:
        assert f"| `python {name}` |" in README


def test_every_file_that_is_listed_is_there() -> None:
    section = README.partition("## Files\n")[2].partition("\nLogs are in")[0]
    listed = [line.strip() for line in section.splitlines() if re.match(r"    \S", line)]
    assert len(listed) > 10
    for line in listed:
        names = re.split(r" {2,}", line)[0].split()
        folder = Path(names[0]).parent if len(names) > 1 else Path()
        for name in names:
            if name not in {".local/", "inbox/"}:  # made by the first run
                assert (ROOT / name).exists() or (ROOT / folder / name).exists(), name


def test_every_variable_and_link_that_is_named_exists() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name in re.findall(r"\b[A-Z]+_[A-Z_]+\b", README):
        assert f"{name}=" in example, name
    for table in re.findall(r"`(\w+_(?:log|history|vault))`", README):
        assert any(table in path.read_text() for path in (ROOT / "supabase" / "migrations").glob("*.sql")), table


def test_the_exit_codes_of_readme_and_docstrings_are_those_of_the_code() -> None:
    told = re.search(r"end with (0 done;.*?interrupted);", README, re.DOTALL)
    assert told
    assert {int(code) for code in re.findall(r"(?:^|;\s)(\d+)\s", told[1])} == CODES
    for name in SCRIPTS:
        told = re.search(r"Exit codes?[^:]*: (.*)", help_of(name), re.DOTALL)
        assert told, name
        listed = {int(code) for code in re.findall(r"(?:^|;\s)(\d+)\s", told[1].partition("\n\n")[0])}
        assert OK in listed
        assert listed <= ({0, 1, 2, 3, errors.INTERRUPTED} if name == MONITOR else CODES), name


def test_the_licence_is_mit() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("MIT License\n\nCopyright (c) 2026 Angles AI Universe contributors\n")


# --- the main commands, really run in local mode


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which `run_all.py` was run once; its server runs on, so that each command starts quickly."""
    folder = tmp_path_factory.mktemp("a home")
    try:
        with running(folder / ".local"):
            ended = start(folder, "run_all.py")
            assert ended.returncode == OK, ended.stderr
            yield folder
    finally:
        forget_local(folder)


def start(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the README, from another folder."""
    return subprocess.run(
        [sys.executable, str(ROOT / words[0]), *words[1:]],
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def environment(home: Path) -> dict[str, str]:
    """Nothing but what finds the home."""
    return {"PATH": os.environ["PATH"], "ANGLES_HOME": str(home)}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("run_migration.py", "0 applied, "),
        ("run_migration.py --status", "applied, 0 pending"),
        ("memory_sync.py --test", "both sides are ready; nothing was changed"),
        ("memory_sync.py --dry-run", "would be: 0 copied"),
        ("memory_sync.py", "0 copied, 0 merged"),
        ("memory_sync.py --conflicts", "0 held"),
        ("memory_sync.py --export-only --export csv", "decisions exported to "),
    ],
)
def test_a_command_in_local_mode_ends_with_0_and_one_closing_line(home: Path, command: str, told: str) -> None:
    ended = start(home, *command.split())
    assert ended.returncode == OK, ended.stderr
    assert told in ended.stdout.splitlines()[-1]
    assert ended.stderr.endswith(": local mode: embedded PostgreSQL and the Notion sandbox in .local/\n")


def test_the_sandbox_says_where_its_page_is_and_a_page_trashed_there_is_retired_by_the_next_sync(home: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", SANDBOX], env=environment(home), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        lines = list(itertools.takewhile(lambda line: "=" in line, iter(child.stdout.readline, "")))
        told = dict(line.strip().split("=", 1) for line in lines)
        assert {"NOTION_TOKEN", "NOTION_DATABASE_ID", "NOTION_BASE_URL"} <= set(told)
        shown = httpx.get(told["NOTION_BASE_URL"]).text
        assert "Keep every decision in one vault" in shown
        form = {name: re.findall(rf'name="{name}" value="([^"]+)"', shown)[0] for name in ("token", "page")}
        headers = {"Origin": told["NOTION_BASE_URL"]}
        assert httpx.post(f"{told['NOTION_BASE_URL']}/trash", data=form, headers=headers).status_code == 303
        synced = start(home, "memory_sync.py")
        assert (synced.returncode, "0 merged, 1 retired" in synced.stdout) == (OK, True), synced.stderr
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=20) == INTERRUPTED


def test_everything_lies_in_the_home(home: Path) -> None:
    assert {path.name for path in home.iterdir()} == {".local", "export", "inbox", "logs"}
    logs = {path.name for path in (home / "logs" / "active").glob("*.log")}
    assert logs == {f"{name}.log" for name in ("autosync", "memory_sync", "migration", "run_all", "system_health")}
    assert all(f"`{name}`" in README for name in logs)
