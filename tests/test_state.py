"""The operational state opens whatever lies there, loses nothing that can be read, and says what it did."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from utils import state
from utils.errors import USAGE, AnglesError, BusyError, ConfigError
from utils.state import MIGRATIONS, RunRecord, last_run, open_state, record_run

ROOT = Path(__file__).resolve().parents[1]
NOON = datetime(2026, 11, 24, 12, 0, 0, 5, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs with spaces" / "active" / "state.db"


def a_run(number: int = 1, **changes: object) -> RunRecord:
    started = NOON + timedelta(hours=number)
    fields = {"run_id": f"r{number}", "job": "memory_sync", "started": started, "ended": None, "outcome": "running"}
    return RunRecord(**(fields | changes))  # type: ignore[arg-type]


def filled(path: Path, runs: int = 500) -> None:
    with open_state(path) as db:
        db.execute("begin")
        for number in range(runs):
            record_run(db, a_run(number, detail="x" * 200))
        db.execute("commit")


def set_aside(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.glob("*.corrupt-*"))


def test_a_run_is_written_down_when_it_starts_and_again_when_it_ends(path: Path) -> None:
    ended = a_run(1, ended=NOON + timedelta(hours=1, seconds=3), outcome="ok", detail="12 copied")
    with open_state(path) as db:
        assert last_run(db, "memory_sync") is None
        record_run(db, a_run(0, outcome="failed"))
        record_run(db, a_run(1))
        assert last_run(db, "memory_sync") == a_run(1)
        record_run(db, ended)
    with open_state(path) as db:
        assert last_run(db, "memory_sync") == ended
        assert last_run(db, "backup") is None
        assert db.execute("select count(*) from runs").fetchone() == (2,)


def test_the_last_run_is_the_one_that_started_last_in_whatever_zone(path: Path) -> None:
    east = timezone(timedelta(hours=9))
    with open_state(path) as db:
        record_run(db, a_run(1, run_id="later", started=NOON))
        record_run(db, a_run(1, run_id="earlier", started=(NOON - timedelta(minutes=1)).astimezone(east)))
        found = last_run(db, "memory_sync")
    assert found is not None
    assert (found.run_id, found.started.utcoffset()) == ("later", timedelta(0))


def test_a_naive_time_is_refused(path: Path) -> None:
    with open_state(path) as db, pytest.raises(ValueError, match="naive"):
        record_run(db, a_run(started=NOON.replace(tzinfo=None)))


def test_the_file_is_in_wal_mode_and_waits_for_other_writers(path: Path) -> None:
    with open_state(path) as db:
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)
        assert db.execute("pragma busy_timeout").fetchone() == (10_000,)


def test_each_migration_is_applied_once_and_later_ones_follow(path: Path) -> None:
    filled(path, 3)
    second = "create table more(x) -- a comment at the end"
    third = "insert into more values (1); insert into more select count(*) from runs"
    for migrations in ([*MIGRATIONS, second], [*MIGRATIONS, second, third], [*MIGRATIONS, second, third]):
        with open_state(path, migrations) as db:
            assert db.execute("pragma user_version").fetchone() == (len(migrations),)
    with open_state(path, [*MIGRATIONS, second, third]) as db:
        assert db.execute("select x from more order by x").fetchall() == [(1,), (3,)]


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    filled(path, 3)
    broken = "create table more(x); insert into nothing values (1)"
    with pytest.raises(sqlite3.OperationalError, match="nothing"), open_state(path, [*MIGRATIONS, broken]):
        pass
    with open_state(path) as db:
        assert db.execute("select count(*) from sqlite_master where name = 'more'").fetchone() == (0,)
        assert db.execute("select count(*) from runs").fetchone() == (3,)


def test_a_file_of_a_newer_version_is_refused_and_left(path: Path) -> None:
    with open_state(path, [*MIGRATIONS, "create table more(x)"]):
        pass
    before = path.read_bytes()
    ours = len(MIGRATIONS)
    told = rf"state\.db: a newer version .*schema {ours + 1}.*knows {ours}.*Update"
    with pytest.raises(ConfigError, match=told) as caught, open_state(path):
        pass
    assert caught.value.exit_code == USAGE
    assert (path.read_bytes(), set_aside(path)) == (before, [])


def foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("create table runs(a)")
    db.close()


def flipped(path: Path) -> None:
    """Noise over pages in the middle, where the rows are; the first ones, of the tables, are left whole."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 8192 * 4096
    data[middle : middle + 32768] = random.Random(1).randbytes(32768)
    path.write_bytes(data)


def replaced(old: bytes, new: bytes) -> Callable[[Path], object]:
    """Puts other bytes in the place of the first ones that are these, as a flipped bit does."""
    return lambda path: path.write_bytes(path.read_bytes().replace(old, new, 1))


def versioned(version: int) -> Callable[[Path], object]:
    """Puts another version into the header."""
    return lambda path: path.write_bytes(
        (data := path.read_bytes())[:60] + version.to_bytes(4, "big", signed=True) + data[64:]
    )


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "one byte": lambda path: path.write_bytes(b"S"),
    "half a header": lambda path: os.truncate(path, 50),
    "header only": lambda path: os.truncate(path, 100),
    "cut within a page": lambda path: os.truncate(path, 10_000),
    "cut at a page": lambda path: os.truncate(path, 8192),
    "random": lambda path: path.write_bytes(random.Random(2).randbytes(20_000)),
    "text": lambda path: path.write_text("not a database " * 1000),
    "noise inside": flipped,
    "foreign": foreign,
    "version lost": versioned(0),
    "older version": versioned(1),
    "negative version": versioned(-(2**31) + len(MIGRATIONS)),
    "other column": replaced(b"outcome text", b"outcole text"),
    "schema no text": replaced(b"CREATE TABLE runs", b"CREATE\xa0TABLE runs"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_an_unusable_file_is_set_aside_and_a_new_one_begun_with_a_warning(
    path: Path, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    filled(path)
    damage(path)
    before = path.read_bytes()
    with open_state(path) as db:
        assert db.execute("select count(*) from runs").fetchone() == (0,)
        record_run(db, a_run())
    (aside,) = set_aside(path)
    assert (path.parent / aside).read_bytes() == before
    (warning,) = caplog.messages
    assert str(path) in warning
    assert aside in warning
    with open_state(path) as db:
        assert last_run(db, "memory_sync") == a_run()
    assert len(caplog.messages) == 1


def test_the_log_of_an_unusable_file_goes_with_it(path: Path) -> None:
    filled(path)
    with open_state(path) as db:
        record_run(db, a_run())
        wal = Path(f"{path}-wal").read_bytes()
    path.write_bytes(b"not a database" * 1000)
    Path(f"{path}-wal").write_bytes(wal)
    with open_state(path) as db:
        assert last_run(db, "memory_sync") is None
    assert {"", "-wal"} <= {name.rpartition("Z")[2] for name in set_aside(path)}


def test_what_was_committed_before_a_kill_is_there(path: Path) -> None:
    code = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from utils.state import RunRecord, open_state, record_run
with open_state(Path(sys.argv[1])) as db:
    record_run(db, RunRecord("r", "job", datetime.now(UTC), None, "running"))
    db.execute("begin")
    record_run(db, RunRecord("lost", "job", datetime.now(UTC), None, "running"))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, check=False, timeout=20)
    with open_state(path) as db:
        assert db.execute("select run_id from runs").fetchall() == [("r",)]
    assert set_aside(path) == []


@pytest.mark.parametrize("damaged", [False, True], ids=["new", "damaged"])
def test_processes_that_open_it_at_once_share_one_file(path: Path, damaged: bool) -> None:
    code = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from utils.state import RunRecord, open_state, record_run
input()
for turn in range(20):
    with open_state(Path(sys.argv[1])) as db:
        record_run(db, RunRecord(f"{os.getpid()}-{turn}", "job", datetime.now(UTC), None, "ok"))
"""
    if damaged:
        filled(path)
        flipped(path)
    command = [sys.executable, "-c", code, str(path)]
    children = [subprocess.Popen(command, cwd=ROOT, stdin=-1, stderr=-1) for _ in range(4)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.flush()
    assert [child.communicate(timeout=30)[1].count(b"Error") for child in children] == [0] * 4
    with open_state(path) as db:
        assert db.execute("select count(*) from runs").fetchone() == (80,)
    assert len(set_aside(path)) == int(damaged)


def test_a_link_to_the_file_is_followed(path: Path, tmp_path: Path) -> None:
    filled(path, 3)
    flipped_link = tmp_path / "link.db"
    flipped_link.symlink_to(path)
    path.write_bytes(b"")
    with open_state(flipped_link) as db:
        record_run(db, a_run())
    assert flipped_link.is_symlink()
    assert len(set_aside(path)) == 1


def test_a_folder_in_its_place_is_told_in_one_line(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(AnglesError, match=r"state\.db: cannot be used \(unable to open"), open_state(path):
        pass


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AnglesError, match="file/"), open_state(tmp_path / "file" / "state.db"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_told_and_left(path: Path) -> None:
    filled(path, 3)
    path.chmod(0o400)
    with pytest.raises(AnglesError, match="Make the file and its folder writable"), open_state(path) as db:
        record_run(db, a_run())
    assert set_aside(path) == []


def record_into_a_full_file(path: Path) -> None:
    with open_state(path) as db:
        (pages,) = db.execute("pragma page_count").fetchone()
        db.execute(f"pragma max_page_count = {pages}")
        for number in range(1000):
            record_run(db, a_run(number, detail="x" * 500))


def test_a_full_disk_is_told_in_one_line(path: Path) -> None:
    with pytest.raises(AnglesError, match=r"full\)\. Free some space"):
        record_into_a_full_file(path)


def record_impatiently(path: Path) -> None:
    with open_state(path) as db:
        db.execute("pragma busy_timeout = 50")
        record_run(db, a_run())


def test_a_writer_that_never_ends_makes_another_give_up_in_words(path: Path) -> None:
    with open_state(path) as holder:
        holder.execute("begin immediate")
        with pytest.raises(BusyError, match="another process keeps it locked"):
            record_impatiently(path)


def test_a_file_that_another_keeps_to_itself_is_busy_and_never_taken_for_damaged(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path, 3)
    monkeypatch.setattr(state, "_BUSY_SECONDS", 0.05)
    with contextlib.closing(sqlite3.connect(path)) as holder:
        holder.execute("pragma locking_mode = exclusive")
        holder.execute("begin exclusive")
        with pytest.raises(BusyError, match="keeps it locked"), open_state(path):
            pass
    assert set_aside(path) == []
    with open_state(path) as db:
        assert db.execute("select count(*) from runs").fetchone() == (3,)


def read_while_it_is_damaged(path: Path) -> None:
    with open_state(path) as db:
        flipped(path)
        db.execute("pragma shrink_memory")
        db.execute("select sum(length(detail)) from runs").fetchone()


def test_damage_met_while_working_is_told_in_one_line(path: Path) -> None:
    filled(path)
    with pytest.raises(AnglesError, match=r"is damaged \(.+\)\. Start again"):
        read_while_it_is_damaged(path)


def test_a_wrong_statement_is_a_bug_and_not_the_users_affair(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), open_state(path) as db:
        db.execute("select * from absent")


def test_the_connection_is_closed_after_the_block(path: Path) -> None:
    with open_state(path) as db:
        pass
    with pytest.raises(sqlite3.ProgrammingError):
        db.execute("select 1")
