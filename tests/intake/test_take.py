"""Outputs into the vault: each decision once, with its source, whatever is dropped and whenever a run is killed."""

from __future__ import annotations

import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.world import ROOT, World
from utils.errors import OK, PROBLEMS, USAGE
from utils.intake import rules
from utils.intake.keep import AGENTS, Terms
from utils.intake.model import Found, Message
from utils.intake.report import Report
from utils.intake.take import Find, Taker

BINARY = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("world", ["postgres"], indirect=True)


def take(world: World, *texts: str, find: Find = rules.find, run: str = "run1", dry_run: bool = False) -> Report:
    """Takes in outputs that come by stdin, in one run."""
    vault = world.vault()
    taker = Taker(vault, run, Terms(0.6, lambda text: text.replace("hunter22", "[REDACTED]"), dry_run), find)
    for text in texts:
        taker.process(["-"], io.BytesIO(text.encode()), NOW)
    vault.close()
    return taker.report


def drop(world: World, name: str, text: str | bytes, age: float = 3600) -> Path:
    """A file in the drop folder, which rested so many seconds."""
    path = world.folder / "inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(path, (time.time() - age,) * 2)
    return path


def inbox(world: World) -> dict[str, str]:
    """The files of the drop folder by their paths in it."""
    folder = world.folder / "inbox"
    found = [path for path in folder.rglob("*") if path.is_file() or path.is_symlink()]
    return {
        str(path.relative_to(folder)): "link" if path.is_symlink() else path.read_text(errors="replace")
        for path in found
    }


def empty(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A plain sync without Notion: it empties the drop folder and names what is missing."""
    return world.script("memory_sync.py", *arguments, NOTION_TOKEN="", NOTION_DATABASE_ID="")


def decided(world: World) -> list[str]:
    """The decisions in the vault."""
    return sorted(content.decision for content in world.rows().values())


def activity(world: World) -> list[dict[str, Any]]:
    """What intake says of itself."""
    return world.db.execute(
        "select agent_name, action, status, details from agent_activity where action = 'intake'"
        " order by agent_name, created_at"
    ).fetchall()


def each_line(message: Message) -> list[Found]:
    """Every line of a message as a decision; the sign after a bar says how sure, and the rest what it replaces."""
    found = []
    for line in message.text.splitlines():
        text, _, revises = line.partition(" | ")
        found.append(Found(text.strip("?"), "", "other", "", 0.4 if "?" in text else 0.9, message, revises=revises))
    return found


# --- what becomes of a decision


def test_a_decision_arrives_with_its_date_source_and_reason(world: World) -> None:
    chat = {
        "model": "gpt-4o",
        "created": 1767225600,
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{"message": {"role": "assistant", "content": "Decision: Use PostgreSQL for billing."}}],
    }
    report = take(world, json.dumps(chat))
    assert (report.taken, report.review, report.known, report.problems) == (1, 0, 0, [])
    ((decision_id, content),) = world.rows().items()
    assert (content.decision.rstrip("."), content.date) == ("Use PostgreSQL for billing", "2026-01-01")
    item = world.db.execute("select id::text, state, source, confidence from intake_items").fetchone()
    assert item is not None
    assert (item["id"], item["state"]) == (decision_id, "accepted")
    assert item["source"]["file"] == "stdin"
    assert item["source"]["agent"] == "gpt-4o"
    assert item["source"]["run"] == "run1"
    assert [(row["agent_name"], row["status"], row["details"]["taken"]) for row in activity(world)] == [
        ("gpt-4o", "completed", 1)
    ]


def test_the_same_words_said_again_are_one_row(world: World) -> None:
    report = take(world, "Use PostgreSQL\nuse  postgresql!", "USE PostgreSQL.", find=each_line)
    assert (report.taken, report.known) == (1, 2)
    assert take(world, "Use PostgreSQL", find=each_line, run="run2").known == 1
    assert len(world.rows()) == 1


def test_what_people_wrote_is_not_compared(world: World) -> None:
    world.insert("Use PostgreSQL")
    assert take(world, "Use PostgreSQL", find=each_line).taken == 1
    assert decided(world) == ["Use PostgreSQL", "Use PostgreSQL"]


def test_what_is_uncertain_waits_and_stays_out_of_the_vault(world: World) -> None:
    report = take(world, "Sure\nUnsure?", find=each_line)
    assert (report.taken, report.review) == (1, 1)
    assert decided(world) == ["Sure"]
    assert "1 to review (see --review)" in report.closing_line()


@pytest.mark.parametrize("dry_run", [True, False], ids=["rehearsed", "done"])
def test_what_is_said_more_clearly_later_no_longer_waits(world: World, dry_run: bool) -> None:
    take(world, "Ship on Tuesdays?", find=each_line)
    report = take(world, "Ship on Tuesdays", "One?\nOne\nOne?", find=each_line, run="run2", dry_run=dry_run)
    assert (report.taken, report.review, report.known) == (2, 0, 2)
    assert decided(world) == ([] if dry_run else ["One", "Ship on Tuesdays"])


def test_what_was_deleted_or_retired_does_not_come_back(world: World) -> None:
    take(world, "One\nTwo", find=each_line)
    ids = {content.decision: key for key, content in world.rows().items()}
    world.delete(ids["One"])
    world.update(ids["Two"], active=False)
    assert take(world, "One\nTwo", find=each_line, run="run2").known == 2
    assert {content.decision: content.active for content in world.rows().values()} == {"Two": False}


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("Use SQLite | Use MySQL for the billing service", "exact"),
        ("Use SQLite | mysql for billing service", "words of it"),
        ("Use SQLite | Use Oracle for everything", None),
        ("Use SQLite | it", None),
    ],
    ids=["by its words", "by some of its words", "one that is not known", "a pronoun"],
)
def test_a_revision_links_to_what_it_replaces_and_retires_nothing(
    world: World, later: str, earlier: str | None
) -> None:
    take(world, "Use MySQL for the billing service", find=each_line)
    report = take(world, later, find=each_line, run="run2")
    old = next(key for key, content in world.rows().items() if "MySQL" in content.decision)
    new = world.db.execute("select id, supersedes::text from intake_items where id <> %s", (old,)).fetchone()
    assert new is not None
    assert new["supersedes"] == (old if earlier else None)
    assert all(content.active for content in world.rows().values())
    assert str(world.row(str(new["id"]))["comment"]).startswith("Supersedes: ")
    assert (f"supersedes {old[:8]}" in next(report.lines)) is bool(earlier)


def test_a_revision_of_the_same_output_is_linked_too(world: World) -> None:
    take(world, "Use MySQL\nUse PostgreSQL instead | Use MySQL", find=each_line)
    linked = world.db.execute("select content ->> 'decision' as d from intake_items where supersedes is not null")
    assert [row["d"] for row in linked] == ["Use PostgreSQL instead"]


def test_a_record_is_named_by_its_number(world: World, tmp_path: Path) -> None:
    old, new = tmp_path / "0007-use-mysql.md", tmp_path / "0012-use-postgres.md"
    old.write_text("Use MySQL", encoding="utf-8")
    new.write_text("Use PostgreSQL | ADR-0007", encoding="utf-8")
    vault = world.vault()
    Taker(vault, "run", Terms(0.6, str), each_line).process([str(old), str(new)], io.BytesIO(), NOW)
    vault.close()
    row = world.db.execute("select supersedes from intake_items where supersedes is not null").fetchone()
    first = world.db.execute("select id from intake_items where content ->> 'decision' = 'Use MySQL'").fetchone()
    assert row
    assert first
    assert row["supersedes"] == first["id"]


def test_a_secret_does_not_reach_the_vault(world: World) -> None:
    take(world, "Use the password hunter22 | hunter22 of old", find=each_line)
    kept = json.dumps(world.db.execute("select content, source from intake_items").fetchall())
    assert "hunter22" not in kept
    assert decided(world) == ["Use the password [REDACTED]"]


def test_a_rehearsal_says_the_same_and_writes_nothing(world: World) -> None:
    take(world, "One", find=each_line)
    rehearsed = take(world, "One\nTwo\ntwo\nThree?", find=each_line, run="run2", dry_run=True)
    assert len(world.rows()) == 1
    done = take(world, "One\nTwo\ntwo\nThree?", find=each_line, run="run3")
    assert (rehearsed.taken, rehearsed.review, rehearsed.known) == (done.taken, done.review, done.known) == (1, 1, 2)
    assert rehearsed.closing_line().startswith("would be: 1 decision taken in")
    assert [row["details"]["run"] for row in activity(world)] == ["run1", "run3"]


def test_agents_are_told_apart_up_to_a_number(world: World) -> None:
    def by_agent(message: Message) -> list[Found]:
        names = message.text.split()
        return [Found(f"By {name}", "", "other", "", 1, Message("", agent=name.rstrip("0"))) for name in names]

    take(world, " ".join(f"agent-{number}" for number in range(AGENTS + 5)), find=by_agent)
    rows = activity(world)
    assert len(rows) <= AGENTS + 1
    assert sum(row["details"].get("taken", 0) for row in rows) == AGENTS + 5
    assert "intake" in {row["agent_name"] for row in rows}


# --- paths


def test_files_folders_and_stdin_are_taken_and_stay_where_they_are(world: World, tmp_path: Path) -> None:
    (tmp_path / "notes" / "deep").mkdir(parents=True)
    for place, text in (
        ("a.md", "Decision: Use plan A"),
        ("notes/b.md", "Decision: Use plan B"),
        ("notes/deep/c.md", "Decision: Use plan C"),
    ):
        (tmp_path / place).write_text(text, encoding="utf-8")
    vault = world.vault()
    taker = Taker(vault, "run", Terms(0.6, str), rules.find)
    taker.process([str(tmp_path / "a.md"), str(tmp_path / "notes"), "-"], io.BytesIO(b"Decision: Use plan D"), NOW)
    vault.close()
    assert (taker.report.files, taker.report.problems) == (4, [])
    assert decided(world) == [f"Use plan {name}" for name in "ABCD"]
    assert (tmp_path / "notes" / "deep" / "c.md").is_file()


def test_a_file_that_goes_while_its_folder_is_read_is_left_out(world: World, tmp_path: Path) -> None:
    for number, name in enumerate("abc"):
        (tmp_path / f"{name}.md").write_text(f"Decision: Use plan {name}", encoding="utf-8")
        os.utime(tmp_path / f"{name}.md", (number, number))

    def find(message: Message) -> list[Found]:
        (tmp_path / "b.md").unlink(missing_ok=True)
        return rules.find(message)

    vault = world.vault()
    taker = Taker(vault, "run", Terms(0.6, str), find)
    taker.process([str(tmp_path)], io.BytesIO(), NOW)
    vault.close()
    assert decided(world) == ["Use plan a", "Use plan c"]


def test_a_path_that_is_not_there_is_named_and_the_rest_goes_on(world: World, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Decision: Use plan A", encoding="utf-8")
    ended = world.script("memory_sync.py", "--process", "none.md", str(tmp_path / "a.md"), "x" * 300)
    assert ended.returncode == PROBLEMS
    assert "memory_sync: none.md: is not there. Give the path of an output, or - for stdin.\n" in ended.stderr
    assert "cannot be read (File name too long)" in ended.stderr
    assert decided(world) == ["Use plan A"]


# --- the drop folder


def test_without_notion_the_folder_is_emptied_and_what_is_missing_is_named(world: World) -> None:
    drop(world, "notes.md", "Decision: Use PostgreSQL")
    ended = empty(world)
    assert ended.returncode == USAGE
    assert ended.stdout.startswith("memory_sync: 1 decision taken in")
    assert ended.stderr == (
        "memory_sync: notion: not configured. Set NOTION_TOKEN and NOTION_DATABASE_ID (see .env.example).\n"
    )
    assert decided(world) == ["Use PostgreSQL"]
    assert set(inbox(world)) == {"processed/notes.md"}


def test_a_dry_run_tells_and_moves_nothing(world: World) -> None:
    drop(world, "notes.md", "Decision: Use PostgreSQL")
    drop(world, "empty.md", "")
    before = inbox(world)
    ended = empty(world, "--dry-run")
    assert ended.returncode == USAGE
    assert "taken in: " in ended.stdout
    assert "memory_sync: would be: 1 decision taken in" in ended.stdout
    assert "empty.md: is empty" in ended.stderr
    assert inbox(world) == before
    assert (decided(world), activity(world)) == ([], [])


def test_a_folder_that_is_missing_is_made_and_costs_nothing(world: World) -> None:
    world.furnish()
    world.insert("One")
    world.script("memory_sync.py")
    assert list((world.folder / "inbox").iterdir()) == []
    elsewhere = world.folder / "drop"
    assert world.script("memory_sync.py", "--dry-run", INBOX_DIR="drop").returncode == OK
    assert not elsewhere.exists()
    world.sandbox.control.advance(240)
    quiet = world.script("memory_sync.py", "--json", INBOX_DIR=str(elsewhere))
    assert json.loads(quiet.stdout)["requests"] == {"notion": 3, "vault": 5}
    assert "intake" not in json.loads(quiet.stdout)
    assert elsewhere.is_dir()


def test_a_file_dropped_again_under_the_same_name_adds_nothing_and_overwrites_nothing(world: World) -> None:
    for _ in range(2):
        drop(world, "notes.md", "Decision: Use PostgreSQL")
        empty(world)
    assert decided(world) == ["Use PostgreSQL"]
    assert set(inbox(world)) == {"processed/notes.md", "processed/notes-2.md"}


def test_where_processed_cannot_be_the_decisions_are_in_and_the_file_stays(world: World) -> None:
    drop(world, "notes.md", "Decision: Use PostgreSQL")
    drop(world, "processed", "in the way")
    ended = empty(world)
    assert "notes.md: is taken in, and cannot be moved to processed/ (" in ended.stderr
    assert "Make room or let this user write there; the next run moves it" in ended.stderr
    (world.folder / "inbox" / "processed").unlink()
    assert "0 decisions taken in, 0 to review, 1 known already" in empty(world).stdout
    assert (decided(world), set(inbox(world))) == (["Use PostgreSQL"], {"processed/notes.md"})


def test_a_vault_that_fails_is_no_fault_of_a_file(world: World) -> None:
    drop(world, "notes.md", "Decision: Use plan A\n" * 3)
    world.db.execute("alter function intake_take(text) rename to intake_taken")
    try:
        ended = empty(world)
    finally:
        world.db.execute("alter function intake_taken(text) rename to intake_take")
    assert ended.returncode == USAGE
    assert "its schema is not the one of this version" in ended.stderr
    assert set(inbox(world)) == {"notes.md"}


@pytest.mark.parametrize("where", ["utils.intake.rules:find", "utils.intake.take:read"])
def test_a_bug_in_one_output_keeps_no_other_out(world: World, where: str) -> None:
    drop(world, "bad.md", "Decision: poison", age=300)
    drop(world, "good.md", "Decision: Use plan A", age=200)
    ended = subprocess.run(
        [sys.executable, "-c", POISONED, *where.split(":")],
        cwd=ROOT,
        env=world.environment(NOTION_TOKEN="", NOTION_DATABASE_ID=""),
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"bad\.md.*: cannot be read, by a bug of ours \(ZeroDivisionError\)", ended.stderr)
    assert "Traceback" not in ended.stderr
    assert "ZeroDivisionError: poison" in (world.folder / "logs" / "active" / "memory_sync.log").read_text()
    assert decided(world) == ["Use plan A"]
    assert not (world.folder / "inbox" / "bad.md").exists()


@pytest.mark.parametrize("folder", [".", "/", ".."])
def test_a_folder_that_holds_the_program_is_refused(world: World, folder: str) -> None:
    ended = world.script("memory_sync.py", INBOX_DIR=folder)
    assert ended.returncode == USAGE
    assert "INBOX_DIR holds this program's own files" in ended.stderr


def test_tricks_in_the_folder_are_named_once_and_the_rest_goes_on(world: World) -> None:
    folder = drop(world, "new\nline \x1b[31m.md", "Decision: Use plan A").parent
    (folder / "link").symlink_to(drop(world, "../outside.md", "Decision: Outside"))
    os.mkfifo(folder / "pipe")
    (folder / "hollow").mkdir()
    ended = empty(world)
    assert "memory_sync: link: is a symbolic link. Drop the file itself.\n" in ended.stderr
    assert "memory_sync: pipe: is a pipe. Drop the file itself.\n" in ended.stderr
    assert "\x1b" not in ended.stderr + ended.stdout
    assert decided(world) == ["Use plan A"]
    assert "Outside" not in "".join(decided(world))
    assert not [line for line in empty(world).stderr.splitlines() if "notion" not in line], "each is named once"


# --- killed at any moment

POISONED = """
import importlib, sys
home = importlib.import_module(sys.argv[1])
real = getattr(home, sys.argv[2])
def poisoned(first, *more):
    if "poison" in getattr(first, "text", "") or more == ("bad.md",):
        raise ZeroDivisionError("poison")
    return real(first, *more)
setattr(home, sys.argv[2], poisoned)
import memory_sync
memory_sync.main([])
"""

DYING = """
import importlib, os, signal, sys
module, name, when = sys.argv[1:4]
home = importlib.import_module(module)
real = getattr(home, name)
def dying(*arguments, **named):
    if when == "after":
        real(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(home, name, dying)
import memory_sync
memory_sync.main([])
"""


@pytest.mark.parametrize(
    ("module", "name", "when"),
    [
        ("utils.intake.take", "read", "before"),
        ("utils.intake.book", "take", "before"),
        ("utils.intake.book", "take", "after"),
        ("utils.intake.inbox", "_claimed", "before"),
        ("utils.intake.inbox", "_claimed", "after"),
        ("utils.intake.inbox", "write_atomic", "after"),
        ("utils.intake.inbox", "_finish", "after"),
    ],
    ids=str,
)
def test_killed_at_a_step_the_next_run_neither_loses_nor_doubles(
    world: World, module: str, name: str, when: str
) -> None:
    drop(world, "one.md", "Decision: One", age=300)
    drop(world, "bad.bin", BINARY, age=200)
    drop(world, "two.md", "Decision: Two", age=100)
    killed = subprocess.run(
        [sys.executable, "-c", DYING, module, name, when],
        cwd=ROOT,
        env=world.environment(NOTION_TOKEN="", NOTION_DATABASE_ID=""),
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    empty(world)
    assert decided(world) == ["One", "Two"]
    assert set(inbox(world)) == {"processed/one.md", "processed/two.md", "error/bad.bin", "error/bad.bin.error"}


def test_killed_at_any_moment_the_next_run_neither_loses_nor_doubles(
    world: World, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    chance, kills = random.Random(6), 0
    for number in range(60 if request.config.getoption("--long") else 4):
        for file in range(10):
            drop(world, f"{number}-{file}.md", f"Decision: Number {number} of file {file}\n" * 3)
        child = world.start("memory_sync.py", NOTION_TOKEN="", NOTION_DATABASE_ID="")
        try:
            child.communicate(timeout=chance.uniform(0.15, 0.6))
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            kills += 1
        empty(world)
        assert len(decided(world)) == len(set(decided(world))) == 10 * (number + 1)
    assert len(inbox(world)) == 10 * (number + 1)
    assert all(name.startswith("processed/") for name in inbox(world))
    figure(f"intake: killed {kills} times at random moments, nothing lost or doubled")
