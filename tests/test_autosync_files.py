"""The script `autosync_files.py`: a process of its own on real folders, with a real vault or none."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.autosync.place import Place, tree
from tests.conftest import forget_local
from tests.world import ROOT, World
from utils.autosync.session import scanning
from utils.errors import BUSY, INTERRUPTED, OK, PROBLEMS, UNAVAILABLE, USAGE


class Vaulted:
    """A place with a vault.

    Args:
        place: the watched folder.
        dsn: of the vault.
    """

    def __init__(self, place: Place, dsn: str) -> None:
        self.place, self.dsn = place, dsn

    def said(self, *arguments: str, **env: str) -> dict[str, Any]:
        """What the script says, with this vault unless `env` names another."""
        return self.place.said(*arguments, **{"DATABASE_URL": self.dsn, **env})

    def decisions(self) -> list[str]:
        """The decisions in the vault."""
        with psycopg.connect(self.dsn) as db:
            return [text for (text,) in db.execute("select decision from decision_vault order by decision").fetchall()]

    def activity(self) -> list[tuple[str, str | None]]:
        """The lines in agent_activity: action and path."""
        with psycopg.connect(self.dsn) as db:
            return db.execute("select action, details ->> 'path' from agent_activity order by action, 2").fetchall()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A watched folder and a home, both empty."""
    return Place.at(tmp_path / "a place")


@pytest.fixture
def vaulted(place: Place, dsn: str) -> Vaulted:
    """Such a place with a key file and another, scanned once, and an empty vault."""
    place.write("README.md", "one")
    place.write("src/main.py", "one")
    assert place.said("--no-deliver")["baselines"] == {str(place.root): 2}
    return Vaulted(place, dsn)


def until(holds: Callable[[], Any], what: str) -> None:
    """Waits until something holds."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


# --- from change to vault


def test_a_key_file_becomes_a_decision_and_every_change_a_line(vaulted: Vaulted) -> None:
    place = vaulted.place
    place.write("README.md", "two")
    place.write("src/main.py", "two")
    said = vaulted.said()
    assert (said["changes"], said["modified"], said["delivered"], said["waiting"]) == (2, 2, 3, 0)
    assert vaulted.decisions() == ["README.md was modified"]
    changed = [("file modified", "README.md"), ("file modified", "src/main.py")]
    assert vaulted.activity() == [*changed, ("files baseline", None)]
    again = vaulted.said()
    assert (again["changes"], again["hashed"] <= 2, again["delivered"]) == (0, True, 0)
    assert len(vaulted.activity()) == 3


def test_rows_wait_while_the_vault_is_down_for_three_scans(vaulted: Vaulted) -> None:
    down = f"postgresql://nobody@127.0.0.1:{closed_port()}/none"
    for number in range(3):
        vaulted.place.write("README.md", f"change {number}")
        said = vaulted.said(DATABASE_URL=down)
        assert (said["exit_code"], said["changes"], said["waiting"]) == (UNAVAILABLE, 1, number + 2)
    assert "cannot be reached" in vaulted.place.run(DATABASE_URL=down).stderr
    assert vaulted.said()["delivered"] == 4
    assert vaulted.decisions() == ["README.md was modified"] * 3
    assert len(vaulted.activity()) == 4


def test_a_vault_that_is_not_configured_is_named_and_the_rows_wait(vaulted: Vaulted) -> None:
    vaulted.place.write("README.md", "two")
    said = vaulted.said(DATABASE_URL="", NOTION_TOKEN="ntn_" + "x1" * 20)
    assert (said["exit_code"], said["changes"], said["waiting"]) == (USAGE, 1, 2)
    assert vaulted.said()["delivered"] == 2


@pytest.mark.parametrize("table", ["decision_vault", "agent_activity"])
def test_a_run_killed_between_state_and_delivery_loses_and_doubles_nothing(vaulted: Vaulted, table: str) -> None:
    """Killed while it waits for the first of the vault's tables, and for the second when the first has its row."""
    vaulted.place.write("README.md", "two")
    vaulted.place.write("src/main.py", "two")
    waits = "select 1 from pg_locks where not granted"
    with psycopg.connect(vaulted.dsn) as locking, psycopg.connect(vaulted.dsn, autocommit=True) as looking:
        locking.execute(f"lock table {table}".encode())
        with vaulted.place.start(DATABASE_URL=vaulted.dsn) as child:
            until(lambda: looking.execute(waits).fetchone(), "it does not deliver")
            child.send_signal(signal.SIGKILL)
            child.wait()
        locking.rollback()
        until(lambda: not looking.execute(waits).fetchone(), "the vault still waits")
    said = vaulted.said()
    assert (said["changes"], said["delivered"]) == (0, 3)
    assert vaulted.decisions() == ["README.md was modified"]
    assert len(vaulted.activity()) == 3


def test_a_run_killed_while_it_scans_leaves_the_changes_to_the_next(vaulted: Vaulted) -> None:
    place = vaulted.place
    with place.write("large").open("wb") as file:
        file.truncate(8_000_000_000)
    place.write("README.md", "two")
    with place.start("--no-deliver") as child:
        until(lambda: b"large" in b"".join(_open_files(child.pid)), "it does not read")
        child.kill()
        child.wait()
    (place.root / "large").unlink()
    assert vaulted.said()["changes"] == 1
    assert vaulted.decisions() == ["README.md was modified"]


def _open_files(pid: int) -> list[bytes]:
    folder = Path(f"/proc/{pid}/fd")
    if not folder.is_dir():
        pytest.skip("needs /proc")
    found = []
    for each in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.fsencode(each.readlink()))
    return found


def test_at_most_fifty_rows_and_a_summary_reach_the_vault(vaulted: Vaulted) -> None:
    for number in range(130):
        vaulted.place.write(f"p{number}.prompt.md", str(number))
    assert vaulted.said()["changes"] == 130
    assert len(vaulted.decisions()) == 51
    assert "80 more key files changed" in vaulted.decisions()[0]
    assert len(vaulted.activity()) == 52


def test_through_supabase_too(place: Place, rest: tuple[str, Any]) -> None:
    dsn, project = rest
    env = {"SUPABASE_URL": project.url, "SUPABASE_KEY": project.secret}
    place.said("--no-deliver")
    place.write("CLAUDE.md", "be kind")
    assert place.said(**env)["delivered"] == 2
    with psycopg.connect(dsn) as db:
        found = db.execute("select type from decision_vault where decision = 'CLAUDE.md was created'").fetchall()
    assert found == [("process",)]


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_what_is_told_of_a_key_file_is_a_page_in_notion_after_the_next_sync(place: Place, world: World) -> None:
    place.write("README.md", "one")
    place.said("--no-deliver")
    place.write("README.md", "two words")
    assert place.said(DATABASE_URL=world.dsn)["delivered"] == 2
    world.sync()
    (page,) = world.pages()
    assert (page.content.decision, page.content.type) == ("README.md was modified", "product")
    told = "Before: 3 bytes, SHA-256 7692c3ad3540…. Now: 9 bytes, SHA-256 a03f1d611645…. Seen 20"
    assert f"Key file in {place.root}. {told}" in str(page.content.comment)


def test_local_mode_delivers_into_the_embedded_database(place: Place) -> None:
    home = place.options.home
    try:
        env = place.environment()
        subprocess.run([sys.executable, ROOT / "run_migration.py"], env=env, check=True, capture_output=True)
        place.write("README.md", "one")
        ended = place.run()
        assert (ended.returncode, "1 rows delivered" in ended.stdout) == (OK, True)
        assert "local mode: embedded PostgreSQL" in ended.stderr
    finally:
        forget_local(home)


def test_without_delivery_no_database_is_started(place: Place) -> None:
    place.write("README.md", "one")
    assert place.said("--no-deliver")["waiting"] == 1
    assert not (place.options.home / ".local").exists()


# --- the flags


def test_a_dry_run_writes_nothing_at_all(place: Place) -> None:
    place.write("README.md", "one")
    said = place.said("--dry-run")
    assert (said["dry_run"], said["baselines"]) == (True, {str(place.root): 1})
    assert tree(place.options.home) == {}
    place.said("--no-deliver")
    place.write("README.md", "two")
    before = tree(place.folder)
    ended = place.run("--dry-run")
    assert ended.stdout.splitlines()[0] == f"modified README.md in {place.root}"
    assert tree(place.folder) == before


def test_a_dry_run_writes_nothing_in_a_fresh_clone_that_it_looks_at_either(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "utils", clone / "utils", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "autosync_files.py", clone)
    (clone / "logs" / "active").mkdir(parents=True)
    (clone / "logs" / "active" / ".gitkeep").touch()
    before = tree(clone)
    command = [sys.executable, str(clone / "autosync_files.py"), "--dry-run"]
    ended = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True)
    assert f"; {clone} taken as it is; " in ended.stdout
    assert tree(clone) == before


def test_the_document_says_how_many_of_each(place: Place) -> None:
    for name in ("changed", "gone", "moved"):
        place.write(name, name)
    place.said("--no-deliver")
    place.write("changed", "other")
    (place.root / "gone").unlink()
    (place.root / "moved").rename(place.root / "there")
    place.write("new", "new")
    said = place.said("--no-deliver")
    events = ("created", "modified", "deleted", "renamed", "unreadable", "unstable", "corrupted")
    assert [said[name] for name in ("changes", *events)] == [4, 1, 1, 1, 1, 0, 0, 0]
    assert {"root": str(place.root), "event": "renamed", "path": "there", "from": "moved"} in said["listed"]


def test_more_than_the_limit_is_summed_up(place: Place) -> None:
    place.said("--no-deliver")
    for number in range(5):
        place.write(f"f{number}")
    ended = place.run("--no-deliver", "--limit", "2")
    assert ended.stdout.splitlines()[:3] == [*(f"created f{n} in {place.root}" for n in (0, 1)), "and 3 more"]
    assert place.actions().count("files summarized") == 1


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--watch", "--json"], "--json, --verify and --reset-baseline go with one scan"),
        (["--watch", "--dry-run"], "not allowed with argument"),
        (["--dry-run", "--reset-baseline"], "--reset-baseline goes with a scan"),
        (["--yes"], "--yes goes with --reset-baseline"),
        (["--limit", "few"], "'few' is no whole number"),
        (["--reset-baseline"], "asks first, and nobody can answer here. Add --yes."),
    ],
)
def test_flags_that_make_no_sense_are_refused(place: Place, arguments: list[str], what: str) -> None:
    ended = place.run(*arguments)
    assert (ended.returncode, what in ended.stderr) == (USAGE, True), ended.stderr


def test_a_new_baseline_is_taken_when_a_person_says_yes(place: Place) -> None:
    place.write("a", "one")
    place.said("--no-deliver")
    place.write("a", "two")
    ours, theirs = pty.openpty()
    for answer, code in ((b"n\n", USAGE), (b"y\n", OK)):
        os.write(ours, answer)
        child = subprocess.run(
            place.command("--no-deliver", "--reset-baseline"),
            check=False,
            env=place.environment(),
            stdin=theirs,
            capture_output=True,
            text=True,
        )
        assert child.returncode == code, child.stderr
        assert "take them as they are? What changed is not told. [y/N]" in child.stderr
    os.close(ours)
    os.close(theirs)
    assert place.said("--no-deliver")["changes"] == 0
    assert place.actions() == ["files baseline", "files baseline"]


def test_verify_finds_other_content_behind_the_same_stat(place: Place) -> None:
    place.write("README.md", "one")
    place.said("--no-deliver")
    place.settle()
    known = place.folders()[""]
    place.forge("", type(known)(known.names, known.kinds, known.stats, b"\1" * 32, known.rules, known.seen))
    assert place.said("--no-deliver")["changes"] == 0
    said = place.said("--no-deliver", "--verify")
    assert (said["exit_code"], said["corrupted"]) == (PROBLEMS, 1)
    assert place.outbox()[-1]["decision"]["decision"] == "README.md was corrupted"
    assert place.said("--no-deliver", "--verify")["exit_code"] == OK


def test_the_status_says_what_is_known_and_what_waits(place: Place, tmp_path: Path) -> None:
    assert f"{place.root}: never scanned" in place.run("--status").stdout
    assert tree(place.options.home) == {}
    place.write("d/a")
    place.said("--no-deliver")
    lines = place.run("--status").stdout.splitlines()
    assert lines[0] == f"{place.root}: 1 files in 2 folders"
    assert lines[1].startswith("last run: done, 20")
    assert lines[2] == "1 rows wait for delivery; a watch is not running"
    said = json.loads(place.run("--status", "--json").stdout)
    assert (said["roots"], said["waiting"]) == ({str(place.root): {"folders": 2, "files": 1}}, 1)


def test_a_second_scan_leaves_with_a_line(place: Place) -> None:
    place.said("--no-deliver")
    with scanning(place.state):
        ended = place.run("--no-deliver")
    assert ended.returncode == BUSY
    (line,) = [line for line in ended.stderr.splitlines() if "lock" in line]
    assert "another run holds this lock" in line


# --- which folders


def test_folders_come_from_the_flag_else_the_variable_else_the_project(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("home", "one", "two", "home/sub"):
        (tmp_path / name).mkdir()

    def scanned(*arguments: str, **env: str) -> list[str]:
        ended = subprocess.run(
            [sys.executable, ROOT / "autosync_files.py", "--json", "--dry-run", *arguments],
            env={"PATH": os.environ["PATH"], "ANGLES_HOME": str(home), **env},
            capture_output=True,
            text=True,
            check=True,
        )
        return list(json.loads(ended.stdout)["baselines"])

    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert scanned() == [str(home)]
    assert scanned(AUTOSYNC_PATHS=f"{one}:sub") == [one, str(home / "sub")]
    assert scanned("--root", two, "--root", one, "--root", two, AUTOSYNC_PATHS=one) == [two, one]


def test_a_folder_that_never_was_is_refused_and_one_that_is_gone_is_a_problem(place: Place) -> None:
    place.root.rmdir()
    ended = place.run("--no-deliver")
    assert (ended.returncode, f"{place.root}: is no folder." in ended.stderr) == (USAGE, True)
    place.root.mkdir()
    place.said("--no-deliver")
    place.root.rmdir()
    said = place.said("--no-deliver")
    assert (said["exit_code"], said["changes"], len(said["problems"])) == (PROBLEMS, 0, 1)


def test_rules_come_from_the_variable_else_from_the_home_folder(place: Place) -> None:
    home = place.options.home
    place.said("--no-deliver")
    (home / "autosync.toml").write_text("[[key]]\npattern = 'a'\ntype = 'process'\n", encoding="utf-8")
    place.write("a")
    place.said("--no-deliver")
    assert place.outbox()[-1]["decision"]["type"] == "process"
    (home / "wrong.toml").write_text("ignored = 1", encoding="utf-8")
    ended = place.run("--no-deliver", AUTOSYNC_RULES="wrong.toml")
    assert (ended.returncode, "wrong.toml: ignored is no setting" in ended.stderr) == (USAGE, True)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, to be somebody else")
def test_what_this_user_may_not_read_is_named_and_kept(tmp_path: Path, somebody_else: int) -> None:
    place = Place.at(tmp_path / "place")
    place.write("open", "1")
    shut, folder = place.write("shut", "1"), place.write("folder/inner", "1").parent
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_mode & 0o001 == 0:
            path.chmod(path.stat().st_mode | 0o111)
    for path in (place.folder, *place.folder.rglob("*")):
        os.chown(path, somebody_else, somebody_else)
    other = ["setpriv", f"--reuid={somebody_else}", f"--regid={somebody_else}", "--clear-groups"]

    def said() -> dict[str, Any]:
        ended = subprocess.run(
            [*other, *place.command("--json", "--no-deliver")],
            env=place.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    assert said()["baselines"] == {str(place.root): 3}
    shut.chmod(0)
    folder.chmod(0)
    for _ in range(2):
        now = said()
        assert (now["exit_code"], now["changes"], now["unreadable"]) == (PROBLEMS, 0, 2)
    shut.chmod(0o600)
    folder.chmod(0o700)
    assert said()["changes"] == 0


def test_ctrl_c_ends_a_scan_cleanly(place: Place) -> None:
    with place.write("large").open("wb") as file:
        file.truncate(8_000_000_000)
    with place.start("--no-deliver") as child:
        until(lambda: b"large" in b"".join(_open_files(child.pid)), "it does not read")
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == INTERRUPTED
    (place.root / "large").unlink()
    assert place.said("--no-deliver")["baselines"] == {str(place.root): 0}
