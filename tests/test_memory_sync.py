"""The script `memory_sync.py` as a user runs it: flags, exit codes, what it prints and writes."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.world import ROOT, World
from utils.errors import BUSY, OK, PROBLEMS, UNAVAILABLE, USAGE
from utils.files import hold_lock

CLOSING = re.compile(
    r"memory_sync: (would be: )?(\d+) copied, (\d+) merged, (\d+) retired, (\d+) held, (\d+) flagged, (\d+) failed; "
    r"(\d+) requests to Notion and (\d+) to the vault; \d+\.\d s"
)


def sync(world: World, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The script with its arguments."""
    return world.script("memory_sync.py", *arguments, **env)


def closing(told: str) -> list[int]:
    """The numbers of the closing line, which is the last one."""
    found = CLOSING.fullmatch(told.splitlines()[-1])
    assert found, told
    return [int(number) for number in found.groups()[1:]]


@pytest.mark.parametrize("flags", [[], ["--sync-decisions"]], ids=["no flag", "--sync-decisions"])
def test_both_sides_become_equal_and_one_closing_line_says_so(world: World, flags: Sequence[str]) -> None:
    world.sandbox.control.add_property("Decision ID", "rich_text")
    world.insert("From the vault", type="process")
    page = world.add_page(decision="From Notion")
    ended = sync(world, *flags)
    assert (ended.returncode, ended.stderr) == (OK, "")
    assert closing(ended.stdout)[:6] == [2, 0, 0, 0, 0, 0]
    assert len(ended.stdout.splitlines()) == 1
    assert world.sandbox.control.values(page)["Decision ID"]
    world.assert_equal()
    world.assert_silent()


def test_json_is_one_document_and_all_else_goes_to_stderr(world: World) -> None:
    world.insert("One")
    ended = sync(world, "--json", "--export", "csv")
    said = json.loads(ended.stdout)
    assert (said["copied"], said["failed"], said["problems"]) == (1, 0, [])
    assert said["requests"]["notion"] > 0
    assert closing(ended.stderr)[0] == 1
    assert (world.folder / "export" / "decisions.csv").is_file()


def test_a_failure_with_json_is_a_document_with_the_exit_code(world: World) -> None:
    ended = sync(world, "--json", NOTION_TOKEN="ntn_wrong")
    assert json.loads(ended.stdout)["exit_code"] == ended.returncode == UNAVAILABLE
    assert "refuses the token" in ended.stderr


def test_a_dry_run_says_every_line_of_the_plan_and_changes_nothing(world: World) -> None:
    kept = world.insert("Kept", type="process", comment="old")
    gone = world.insert("Gone", type="process")
    sync(world)
    world.update(kept, comment="new")
    world.delete(gone)
    world.insert("New \x9b31m row")
    world.add_page(decision="New page")
    rows, pages = world.rows(), world.pages()
    ended = sync(world, "--dry-run")
    assert ended.returncode == OK
    lines = ended.stdout.splitlines()
    assert sorted(line.partition(":")[0] for line in lines[:-1]) == [
        "copy to Notion",
        "copy to Supabase",
        "merge",
        "trash",
    ]
    assert "comment: new" in ended.stdout
    assert "\x9b" not in ended.stdout
    assert closing(ended.stdout)[:3] == [2, 1, 1]
    assert (world.rows(), world.pages()) == (rows, pages)
    assert closing(sync(world).stdout)[:3] == [2, 1, 1]
    world.assert_equal()


def test_test_looks_at_both_sides_and_changes_nothing(world: World) -> None:
    ended = sync(world, "--test")
    assert ended.returncode == OK
    assert "vault: reachable, its schema is in place, 0 decisions are linked" in ended.stdout
    assert "notion: database 'Decisions' is reachable" in ended.stdout
    assert "notion: property 'Date' is missing; the first sync makes it" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "memory_sync: both sides are ready; nothing was changed"
    assert list(world.sandbox.control.schema()) == ["Decision"]
    sync(world)
    again = sync(world, "--test", "--json")
    assert json.loads(again.stdout) == {"exit_code": OK, "vault": "ok", "notion": "ok"}
    assert "notion: id is property 'Decision ID' (rich_text)" in again.stderr


def test_test_tells_the_failures_of_both_sides(world: World) -> None:
    ended = sync(world, "--test", DATABASE_URL="postgresql://nobody:wrong@127.0.0.1:1/none", NOTION_TOKEN="ntn_no")
    assert ended.returncode == UNAVAILABLE
    assert "database 127.0.0.1:1: cannot be reached" in ended.stderr
    assert "notion: refuses the token" in ended.stderr
    assert ended.stdout.splitlines()[-1] == "memory_sync: not ready; nothing was changed"


def test_test_with_a_wrong_database_lists_those_that_the_token_can_see(world: World) -> None:
    ended = sync(world, "--test", NOTION_DATABASE_ID="0123456789abcdef0123456789abcdef")
    assert ended.returncode == USAGE
    assert "not found" in ended.stderr
    assert f"Decisions ({world.sandbox.database_id})" in ended.stderr
    assert "vault: reachable" in ended.stdout


def test_conflicts_are_listed_and_resolved_by_id(world: World) -> None:
    one = world.insert("One", comment="base", type="base")
    sync(world)
    page = world.page_of(one)
    world.sandbox.control.advance(240)
    world.update(one, comment="ours", type="ours")
    world.edit(page, comment="theirs", type="theirs")
    held = sync(world, "--prefer", "hold")
    assert held.returncode == PROBLEMS
    assert closing(held.stdout)[3] == 2
    assert held.stderr.count("is held") == 2
    listed = sync(world, "--conflicts")
    assert listed.returncode == PROBLEMS
    assert f"{one} comment: Supabase has 'ours', Notion has 'theirs'" in listed.stdout
    assert len(json.loads(sync(world, "--conflicts", "--json").stdout)) == 2
    rehearsed = sync(world, "--resolve", one, "--take", "notion", "--dry-run")
    assert "comment: theirs" in rehearsed.stdout
    assert closing(rehearsed.stdout)[:6] == [0, 1, 0, 0, 0, 0]
    assert world.row(one)["comment"] == "ours"
    partly = sync(world, "--resolve", one, "--field", "comment", "--take", "notion")
    assert world.row(one)["comment"] == "theirs"
    assert partly.returncode == PROBLEMS
    settled = sync(world, "--resolve", one.upper(), "--take", "supabase")
    assert settled.returncode == OK, settled.stderr
    assert world.sandbox.control.values(page)["Type"] == "ours"
    assert sync(world, "--conflicts").returncode == OK
    world.assert_equal()


def test_resolving_what_is_not_held_is_told(world: World) -> None:
    one = world.insert("One")
    sync(world)
    ended = sync(world, "--resolve", one, "--take", "notion")
    assert ended.returncode == USAGE
    assert ended.stderr == f"memory_sync: --resolve: nothing of {one} is held. See --conflicts.\n"


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_history_explain_and_undo_need_only_the_vault(world: World) -> None:
    world.furnish()
    one = world.insert("Kept", comment="base")
    sync(world)
    world.sandbox.control.advance(240)
    world.edit(world.page_of(one), comment="theirs\x9b31m")
    run = json.loads(sync(world, "--json").stdout)["run"]
    alone = {"NOTION_TOKEN": "", "NOTION_DATABASE_ID": ""}
    told = sync(world, "--history", one.upper(), **alone)
    assert (told.returncode, told.stderr) == (OK, "")
    lines = told.stdout.splitlines()
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  run {run}  comment: 'base' -> 'theirs.*", lines[-2])
    assert lines[-1] == f"memory_sync: 2 changes and 0 lost values of {one}, newest last; times are UTC"
    assert "\x9b" not in told.stdout
    assert [each["run"] for each in json.loads(sync(world, "--history", one, "--json").stdout)["events"]] == [None, run]

    why = sync(world, "--explain", one, **alone)
    assert (why.returncode, why.stderr) == (OK, "")
    assert "as only Notion had changed it" in why.stdout
    assert json.loads(sync(world, "--explain", one, "--json").stdout)["last_run"]["run"] == run

    rehearsed = sync(world, "--undo", run, "--dry-run", **alone)
    assert rehearsed.stdout.splitlines()[0].startswith(f"put back: 'Kept' [{one}] (comment: 'theirs")
    assert rehearsed.stdout.splitlines()[1] == (
        f"memory_sync: would be: undo of run {run}: 1 put back, 0 skipped, 0 inserted rows left"
    )
    assert world.row(one)["comment"].startswith("theirs")
    done = sync(world, "--undo", run, **alone)
    assert (done.returncode, done.stderr) == (OK, "")
    assert done.stdout.splitlines()[0] == rehearsed.stdout.splitlines()[0]
    back = re.search(r"recorded as run (\w+); Notion follows with the next sync$", done.stdout.strip())
    assert back
    assert world.row(one)["comment"] == "base"
    assert closing(sync(world).stdout)[1] == 1
    world.assert_equal()
    undone = sync(world, "--undo", back[1], "--json", **alone)
    document = json.loads(undone.stdout)
    assert (document["undo"], document["put_back"][0]["id"], document["problems"]) == (back[1], one, [])
    assert world.row(one)["comment"].startswith("theirs")


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_an_undo_that_leaves_something_ends_with_1_and_names_it(world: World) -> None:
    world.furnish()
    one = world.insert("Kept", comment="base")
    sync(world)
    world.sandbox.control.advance(240)
    world.edit(world.page_of(one), comment="theirs")
    run = json.loads(sync(world, "--json").stdout)["run"]
    world.update(one, comment="newer")
    ended = sync(world, "--undo", run)
    assert ended.returncode == PROBLEMS
    assert ended.stderr == f"memory_sync: {one} 'Kept': comment was changed since, from 'theirs' -> 'newer'\n"


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_what_the_ledger_does_not_know_is_refused_with_what_it_knows(world: World) -> None:
    run = json.loads(sync(world, "--json").stdout)["run"]
    assert "No run has written anything yet" in sync(world, "--undo", run).stderr, "a silent run leaves no trace"
    world.insert("One")
    run = json.loads(sync(world, "--json").stdout)["run"]
    ended = sync(world, "--undo", "nope")
    assert ended.returncode == USAGE
    first, second = ended.stderr.splitlines()
    assert first == "memory_sync: --undo: run 'nope' is not known. These are the last ones that wrote."
    assert second.startswith(f"memory_sync:   {run}  ")
    assert second.endswith("  1 copied, 0 merged, 0 retired")
    never = sync(world, "--history", "0123456789abcdef0123456789abcdef")
    assert never.returncode == USAGE
    assert "there is no decision 01234567-89ab-cdef-0123-456789abcdef, and never was" in never.stderr
    with hold_lock(world.folder / "logs" / "active" / "memory_sync.lock"):
        assert sync(world, "--undo", run).returncode == BUSY
        assert sync(world, "--undo", run, "--dry-run").returncode == OK


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--history", "x"], "'x' is no decision's id"),
        (["--explain", "x"], "'x' is no decision's id"),
        (["--undo", ""], "--undo: '' is no run's id"),
        (["--undo"], "expected one argument"),
        (["--undo", "r", "--resolve", "0123456789abcdef0123456789abcdef"], "not allowed with"),
        (["--undo", "r", "--export", "csv"], "--export goes with a sync"),
        (["--undo", "r", "--prefer", "notion"], "--prefer goes with a sync"),
        (["--explain", "0123456789abcdef0123456789abcdef", "--dry-run"], "--dry-run goes with a sync"),
        (["--history", "0123456789abcdef0123456789abcdef", "--export"], "--export goes with a sync"),
        (["--history", "0123456789abcdef0123456789abcdef", "--take", "notion"], "go together"),
        (["--resolve", "x", "--take", "notion"], "'x' is no decision's id"),
        (["--resolve", "0123456789abcdef0123456789abcdef"], "--resolve ID and --take supabase|notion go together"),
        (["--take", "notion"], "--resolve ID and --take supabase|notion go together"),
        (["--field", "date"], "--field goes with --resolve"),
        (["--max-delete-percent", "101"], "'101' is no whole number from 0 to 100"),
        (["--max-delete-percent", "-1"], "--max-delete-percent"),
        (["--direction", "up"], "invalid choice: 'up'"),
        (["--export", "xls"], "invalid choice: 'xls'"),
        (["--full-sync"], "unrecognized arguments: --full-sync"),
        (["--test", "--conflicts"], "not allowed with"),
        (["--export-only", "--dry-run"], "--dry-run goes with a sync"),
        (["--test", "--full"], "--full goes with a sync"),
        (["--test", "--dry-run"], "--dry-run goes with a sync"),
        (["--conflicts", "--export"], "--export goes with a sync"),
        (["--conflicts", "--max-delete-percent", "5"], "--max-delete-percent goes with a sync"),
        (["--json", "--bogus"], "unrecognized arguments: --bogus"),
        (["--process"], "expected at least one argument"),
        (["--process", "a.md", "--review"], "not allowed with"),
        (["--process", "a.md", "--export", "csv"], "--export goes with a sync"),
        (["--process", "a.md", "--full"], "--full goes with a sync"),
        (["--review", "--dry-run"], "--dry-run goes with a sync, --process"),
        (["--accept"], "expected at least one argument"),
        (["--accept", "abcd", "--test"], "--accept and --reject go with --review alone"),
        (["--reject", "abcd", "--process", "a.md"], "--accept and --reject go with --review alone"),
        (["--accept", "abcd", "--dry-run"], "--dry-run goes with a sync"),
        (["--accept", "abcd", "--prefer", "notion"], "--prefer goes with a sync"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_usage_errors_are_one_line_and_2(tmp_path: Path, arguments: Sequence[str], told: str) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "memory_sync.py"), *arguments],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "ANGLES_HOME": str(tmp_path)},
        check=False,
    )
    assert ended.returncode == USAGE
    assert told in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_plain_sync_takes_in_what_was_dropped_before_it_syncs(world: World) -> None:
    dropped = {
        "notes.md": b"Decision: Use PostgreSQL",
        "sub/chat.md": b"Decision: Ship on Tuesdays",
        "broken.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "later.md.part": b"Decision: Later",
    }
    inbox = world.folder / "inbox"
    for name, data in dropped.items():
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_bytes(data)
    ended = sync(world)
    assert ended.returncode == PROBLEMS
    assert ended.stderr.startswith("memory_sync: broken.png: is ")
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout.splitlines()[0] == (
        "memory_sync: 2 decisions taken in, 0 to review, 0 known already; 2 messages in 3 files, "
        "1 file still being written"
    )
    assert closing(ended.stdout)[0] == 2
    assert sorted(str(path.relative_to(inbox)) for path in inbox.rglob("*") if path.is_file()) == [
        "error/broken.png",
        "error/broken.png.error",
        "later.md.part",
        "processed/notes.md",
        "processed/sub/chat.md",
    ]
    assert (inbox / "error" / "broken.png.error").read_text(encoding="utf-8").startswith("broken.png: is ")
    world.assert_equal()
    again = sync(world, "--json")
    assert again.returncode == OK
    assert json.loads(again.stdout)["intake"]["waiting"] == ["later.md.part"]


def test_process_takes_in_a_file_and_stdin_with_the_vault_alone(world: World) -> None:
    (world.folder / "notes.md").write_text("Decision: Use PostgreSQL for billing", encoding="utf-8")
    alone = world.environment(NOTION_TOKEN="", NOTION_DATABASE_ID="")
    command = [sys.executable, str(ROOT / "memory_sync.py"), "--process"]

    def process(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments],
            input=stdin,
            env=alone,
            cwd=world.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    rehearsed = process("notes.md", "--dry-run")
    assert (rehearsed.returncode, rehearsed.stderr, world.rows()) == (OK, "", {})
    done = process("notes.md")
    assert (done.returncode, done.stderr) == (OK, "")
    first, last = done.stdout.splitlines()
    ((decision_id, content),) = world.rows().items()
    assert first == f"taken in: {content.date} {content.type}: Use PostgreSQL for billing [{decision_id[:8]}]"
    assert last == "memory_sync: 1 decision taken in, 0 to review, 0 known already; 1 message in 1 file"
    assert rehearsed.stdout.splitlines() == [first, last.replace("sync: ", "sync: would be: ")]
    piped = process("-", "none.md", "--json", stdin="Decision: Use PostgreSQL for billing\nDecision: Ship on Tuesdays")
    assert piped.returncode == PROBLEMS
    said = json.loads(piped.stdout)
    assert (said["taken"], said["known"], said["files"]) == (1, 1, 1)
    assert said["problems"] == ["none.md: is not there. Give the path of an output, or - for stdin."]
    assert said["items"][0]["content"]["decision"] == "Ship on Tuesdays"
    assert said["items"][0]["source"]["file"] == "stdin"


def test_one_direction_writes_one_side_only(world: World) -> None:
    row = world.insert("Row")
    assert closing(sync(world, "--direction", "to-notion").stdout)[0] == 1
    page = world.add_page(decision="Page", active=True)
    assert closing(sync(world, "--direction", "to-notion").stdout)[0] == 0
    assert set(world.rows()) == {row}
    assert closing(sync(world, "--direction", "to-supabase").stdout)[0] == 1
    assert world.sandbox.control.values(page)["Decision ID"] == ""
    sync(world)
    world.assert_equal()
    world.assert_silent()


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "md"])
def test_an_export_needs_only_the_vault(world: World, form: str) -> None:
    world.insert("Exported", comment="a | b\n<c>")
    ended = sync(world, "--export-only", "--export", form, NOTION_TOKEN="", NOTION_DATABASE_ID="")
    assert ended.returncode == OK, ended.stderr
    path = world.folder / "export" / f"decisions.{form}"
    assert ended.stdout == f"memory_sync: 1 decisions exported to {path}\n"
    assert "Exported" in path.read_text(encoding="utf-8")


def test_a_second_run_leaves_with_75_and_names_the_first(world: World) -> None:
    with hold_lock(world.folder / "logs" / "active" / "memory_sync.lock"):
        ended = sync(world)
    assert ended.returncode == BUSY
    assert f"pid {os.getpid()}" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"NOTION_TOKEN": ""}, "notion: not configured. Set NOTION_TOKEN"),
        ({"NOTION_DATABASE_ID": ""}, "notion: not configured. Set NOTION_DATABASE_ID"),
        ({"DATABASE_URL": "", "SUPABASE_URL": ""}, "vault: not configured. Set DATABASE_URL"),
        (
            {"DATABASE_URL": "", "SUPABASE_URL": "http://x", "SUPABASE_KEY": ""},
            "vault: not configured. Set SUPABASE_KEY",
        ),
    ],
    ids=["no token", "no database id", "no vault", "no key"],
)
def test_what_is_not_configured_is_named_and_never_replaced_by_local_mode(
    world: World, env: dict[str, str], told: str
) -> None:
    ended = sync(world, **env)
    assert ended.returncode == USAGE
    assert told in ended.stderr
    assert not (world.folder / ".local").exists()


def test_test_checks_the_side_that_is_configured(world: World) -> None:
    ended = sync(world, "--test", NOTION_TOKEN="")
    assert ended.returncode == USAGE
    assert "vault: reachable" in ended.stdout
    assert "Set NOTION_TOKEN" in ended.stderr


def test_a_terminal_sees_a_progress_bar_that_leaves_nothing_behind(world: World) -> None:
    for number in range(30):
        world.insert(f"Decision {number}")
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, str(ROOT / "memory_sync.py")],
        env={**world.environment(), "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    )
    os.close(slave)
    drawn = b""
    while part := _read(master):
        drawn += part
    out, _ = child.communicate(timeout=60)
    os.close(master)
    assert child.returncode == OK
    assert "30/30" in drawn.decode()
    assert "\x1b[3" not in drawn.decode(), "NO_COLOR is obeyed"
    assert closing(out)[0] == 30


def test_the_log_tells_what_was_done(world: World) -> None:
    one = world.insert("Noted")
    sync(world)
    log = (world.folder / "logs" / "active" / "memory_sync.log").read_text(encoding="utf-8")
    assert f"copy to Notion: Noted [{one}]" in log
    assert "1 copied, 0 merged" in log
    assert world.sandbox.token not in log


def _read(master: int) -> bytes:
    try:
        return os.read(master, 4096)
    except OSError:
        return b""
