"""The script `restore_from_github.py`: what it shows, what it writes, what it never does, and the weekly proof."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.backup.conftest import Place
from tests.backup.test_clean import HALVES
from tests.conftest import empty
from tests.world import ROOT, World
from utils.backup import apply
from utils.backup.snapshot import MANIFEST
from utils.errors import BUSY, OK, PROBLEMS, REFUSED, USAGE
from utils.files import hold_lock


@pytest.fixture(params=["place", "rest_place"])
def both(request: pytest.FixtureRequest) -> Place:
    """Each way to the vault in turn."""
    place: Place = request.getfixturevalue(request.param)
    return place


def sealed(files: dict[str, bytes]) -> dict[str, str | bytes | None]:
    """Files with a manifest that vouches for them, as somebody who forges a backup would make it."""
    manifest = json.loads(files[MANIFEST])
    told: dict[str, dict[str, Any]] = {}
    for path, data in files.items():
        if path != MANIFEST:
            told[path] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            if path.startswith("tables/"):
                told[path]["rows"] = data.count(b"\n")
    rows = dict.fromkeys(manifest["rows"], 0)
    for path, each in told.items():
        if "rows" in each:
            rows[path.split("/")[1]] += each["rows"]
    made: dict[str, str | bytes | None] = dict(files)
    made[MANIFEST] = json.dumps({**manifest, "files": told, "rows": rows})
    return made


def backed_up(place: Place, *arguments: str) -> None:
    said = place.backup(*arguments)
    assert said.code == OK, said.err


def test_by_itself_it_shows_a_plan_and_writes_nothing(both: Place) -> None:
    kept, gone = both.insert("kept"), both.insert("gone")
    backed_up(both)
    both.db.execute("delete from decision_vault where id = %s", (gone,))
    both.db.execute("update decision_vault set comment = 'since' where id = %s", (kept,))
    before = both.rows()
    said = both.restore()
    assert said.code == OK, said.err
    assert "decision_vault: 1 live is newer: leave" in said.out
    assert "decision_vault: 1 new: add" in said.out
    assert "would add 1 rows and overwrite 0; nothing was written" in said.out
    assert both.restore("--restore-decisions", "--dry-run").code == OK
    assert both.rows() == before
    assert not list((both.home / ".local").glob("restore/*"))


def test_a_lost_row_comes_back_with_its_id_and_stamps_and_undo_takes_it_away(both: Place) -> None:
    both.insert("stays")
    gone = both.insert("gone", type="product", comment="ü \U0001f600 \\", created_at="2020-01-02T03:04:05.678901+00:00")
    row = next(row for row in both.rows() if row["id"] == gone)
    backed_up(both)
    both.db.execute("delete from decision_vault where id = %s", (gone,))
    before = both.rows()
    said = both.restore("--restore-decisions")
    assert said.code == OK, said.err
    assert "1 decision_vault added; 0 files; to undo it: python restore_from_github.py --undo" in said.out
    assert next(each for each in both.rows() if each["id"] == gone) == row
    looked = both.restore("--undo", "--dry-run")
    assert (looked.code, len(both.rows())) == (OK, 2)
    assert both.restore("--undo").code == OK
    assert both.rows() == before
    assert both.restore("--undo").code == USAGE, "nothing is left to undo"
    assert {row["action"] for row in both.rows("agent_activity")} == {"backup", "restore", "undo restore"}


@pytest.mark.parametrize(
    ("on_collision", "newer", "expected"),
    [
        ("keep", "live", "live"), ("keep", "backup", "live"),
        ("backup", "live", "backup"), ("backup", "backup", "backup"),
        ("newest", "live", "live"), ("newest", "backup", "backup"),
    ],
)  # fmt: skip
def test_on_a_collision(place: Place, on_collision: str, newer: str, expected: str) -> None:
    decision = place.insert("x", comment="backup")
    backed_up(place)
    stamp = "2030-01-01T00:00:00+00:00" if newer == "live" else "2001-01-01T00:00:00+00:00"
    place.db.execute("update decision_vault set comment = 'live' where id = %s", (decision,))
    place.db.execute("update decision_vault set updated_at = %s where id = %s", (stamp, decision))
    (live,) = place.rows()
    said = place.restore("--restore-decisions", "--on-collision", on_collision)
    assert said.code == OK, said.err
    (row,) = place.rows()
    assert row["comment"] == expected
    if expected == "backup":
        assert row["updated_at"] != live["updated_at"], "the backup's stamp comes along"
        assert place.rows("decision_history")[-1]["was"]["comment"] == "live", "what it replaced is in the history"
    assert place.restore("--undo").code == (OK if expected == "backup" else USAGE), "where nothing was written"
    assert place.rows() == [live]


def test_undo_leaves_what_was_changed_since(place: Place) -> None:
    decision = place.insert("x", comment="backup")
    backed_up(place)
    place.db.execute("delete from decision_vault")
    assert place.restore("--restore-decisions").code == OK
    place.db.execute("update decision_vault set comment = 'a person' where id = %s", (decision,))
    said = place.restore("--undo")
    assert said.code == PROBLEMS
    assert f"decision {decision} was changed meanwhile and is left as it is" in said.err
    assert place.rows()[0]["comment"] == "a person"


def test_a_row_that_somebody_adds_meanwhile_stays_theirs(place: Place) -> None:
    def late(*arguments: Any) -> apply.Done:
        place.insert("theirs", id=gone)
        return restore_rows(*arguments)

    gone, restore_rows = place.insert("gone"), apply.restore_rows
    backed_up(place)
    place.db.execute("delete from decision_vault")
    with place.patch.context() as patch:
        patch.setattr(apply, "restore_rows", late)
        said = place.restore("--restore-decisions")
    assert said.code == PROBLEMS
    assert f"decision_vault {gone} was added meanwhile and is left as it is" in said.err
    assert [row["decision"] for row in place.rows()] == ["theirs"]


def test_an_empty_vault_gets_everything_back_and_its_next_backup_is_the_same(both: Place) -> None:
    for number in range(30):
        both.insert(f"decision {number}", comment="c" * number)
    both.db.execute("update decision_vault set comment = 'changed' where decision like '%1%'")
    both.db.execute("delete from decision_vault where decision = 'decision 7'")
    both.db.execute("insert into sync_log (id, run, reason) values (gen_random_uuid(), 'r', 'why')")
    both.db.execute("insert into agent_activity (agent_name, action, details) values ('a', 'b', '{\"x\": [1, null]}')")
    backed_up(both)
    tables = ("decision_vault", "decision_history", "sync_log")
    before = {table: both.rows(table) for table in tables}
    empty(both.dsn)
    said = both.restore("--restore-decisions")
    assert said.code == OK, said.err
    assert {table: both.rows(table) for table in tables} == before
    both.db.execute("update decision_vault set comment = 'later' where decision = 'decision 3'")
    assert len(both.rows("decision_history")) == len(before["decision_history"]) + 1, "its numbers go on"


def test_everything_is_one_transaction(place: Place) -> None:
    for number in range(3):
        place.insert(f"decision {number}")
    backed_up(place)
    empty(place.dsn)
    place.db.execute("alter table decision_vault add constraint no_two check (decision <> 'decision 2')")
    said = place.restore("--restore-decisions")
    assert said.code != OK
    place.db.execute("alter table decision_vault drop constraint no_two")
    assert "no_two" in said.err
    assert place.rows() == []


def test_table_id_at_and_commit_choose(place: Place) -> None:
    first, second = place.insert("first"), place.insert("second")
    backed_up(place)
    old = place.github.tip()
    place.db.execute("update decision_vault set comment = 'later' where id = %s", (first,))
    backed_up(place)
    empty(place.dsn)
    assert place.restore("--restore-decisions", "--id", first, "--commit", old[:10]).code == OK
    assert [(row["id"], row["comment"]) for row in place.rows()] == [(first, None)]
    assert place.restore("--restore-decisions", "--table", "sync_log").code == OK
    assert len(place.rows()) == 1
    empty_of_links = place.restore("--restore-decisions", "--table", "decision_history")
    assert "decision_history: is restored into an empty vault alone" in empty_of_links.out
    assert place.restore("--at", "2000-01-01").code == USAGE
    assert place.restore("--commit", "abcd").code == USAGE
    assert place.restore("--restore-decisions", "--at", "2999-01-01").code == OK
    assert {row["id"] for row in place.rows()} == {first, second}
    listed = place.restore("--list", "--json").json
    assert [each["commit"] for each in listed] == [place.github.tip(), old]


def test_a_marker_never_overwrites_a_live_value_and_is_added_only_when_accepted(both: Place) -> None:
    token = both.github.token
    live, gone = both.insert("title one", comment=f"key {token}"), both.insert("two", comment=f"{token}!")
    backed_up(both)
    same = both.restore()
    assert "decision_vault: 2 same: leave" in same.out, "what would be redacted to it is the same"
    both.db.execute("delete from decision_vault where id = %s", (gone,))
    both.db.execute("update decision_vault set decision = 'renamed' where id = %s", (live,))
    said = both.restore("--restore-decisions", "--on-collision", "backup")
    assert said.code == OK, said.err
    assert f"decision_vault {live} keeps its live comment: redacted in the backup" in said.out
    assert f"decision_vault {gone} holds a redacted value in comment" in said.out
    (row,) = both.rows()
    assert (row["decision"], row["comment"]) == ("title one", f"key {token}")
    accepted = both.restore("--restore-decisions", "--accept-redacted")
    assert accepted.code == OK
    assert {row["comment"] for row in both.rows()} == {f"key {token}", "[REDACTED:configured]!"}


def test_a_sync_that_runs_is_not_met(place: Place) -> None:
    place.insert("x")
    backed_up(place)
    place.db.execute(
        "insert into leases (name, holder, host, boot_id, pid, fence, expires_at)"
        " values ('memory_sync', 'r', 'elsewhere', 'b', 1, 1, now() + interval '1 hour')"
    )
    assert place.restore("--restore-decisions").code == BUSY
    with hold_lock(place.home / "logs" / "active" / "backup.lock"):
        assert place.restore("--restore-files").code == BUSY


# --- files


def test_files_land_beside_what_is_there_and_undo_takes_them_away(place: Place) -> None:
    folder = place.home / "export"
    folder.mkdir()
    for name in ("same", "edited", "deleted"):
        (folder / f"{name}.txt").write_text("backup")
    backed_up(place)
    (folder / "edited.txt").write_text("live")
    (folder / "deleted.txt").unlink()
    suffix = place.github.tip()[:8]
    said = place.restore("--restore-files")
    assert said.code == OK, said.err
    found = {path.name: path.read_text() for path in folder.iterdir()}
    assert found == {
        "same.txt": "backup", "edited.txt": "live", "deleted.txt": "backup",
        f"edited.txt.restored-{suffix}": "backup",
    }  # fmt: skip
    again = place.restore("--restore-files")
    assert again.code == OK
    assert {path.name for path in folder.iterdir()} == set(found), "what landed already does not land again"
    assert place.restore("--restore-files", "--overwrite").code == OK
    assert (folder / "edited.txt").read_text() == "backup"
    assert place.restore("--undo").code == OK
    assert (folder / "edited.txt").read_text() == "live"


def test_files_go_where_they_are_told(place: Place, tmp_path: Path) -> None:
    (place.home / "export").mkdir()
    (place.home / "export" / "a.txt").write_text("a")
    backed_up(place)
    assert place.restore("--restore-files", "--to", str(tmp_path / "there")).code == OK
    assert (tmp_path / "there" / "export" / "a.txt").read_text() == "a"


def test_a_file_with_a_marker_lands_beside_even_with_overwrite(place: Place) -> None:
    (place.home / "export").mkdir()
    path = place.home / "export" / "a.txt"
    path.write_text(f"key {place.github.token}")
    backed_up(place)
    said = place.restore("--restore-files", "--overwrite")
    assert said.code == OK, said.err
    assert path.read_text() == f"key {place.github.token}"
    assert path.with_name(f"a.txt.restored-{place.github.tip()[:8]}").read_text() == "key [REDACTED:configured]"


@pytest.mark.parametrize(
    "name",
    ["files/../../outside.txt", "files//etc/x", "files/a\\..\\b", "files/.git/config", "files/.local/x", "files/~/x"],
)
def test_tricks_with_paths_are_refused(place: Place, tmp_path: Path, name: str) -> None:
    from utils.backup.apply import landing
    from utils.backup.plan import refused

    path = name.removeprefix("files/")
    target, why = landing(path, b"x", place.home, "s", overwrite=True)
    assert target is None or path.startswith("~/") is False or target.is_relative_to(place.home)
    assert refused(path)
    assert "refused" in why


def test_a_link_in_the_way_of_a_file_is_not_followed(place: Place, tmp_path: Path) -> None:
    (place.home / "export").mkdir()
    (place.home / "export" / "a.txt").write_text("a")
    backed_up(place)
    outside = tmp_path / "outside"
    outside.mkdir()
    target = tmp_path / "there"
    target.mkdir()
    (target / "export").symlink_to(outside)
    said = place.restore("--restore-files", "--to", str(target))
    assert said.code == PROBLEMS
    assert "a link in its way leads out of the folder" in said.err
    assert list(outside.iterdir()) == []
    (target / "export").unlink()
    (target / "export").mkdir()
    (target / "export" / "a.txt").symlink_to(outside / "new")
    assert place.restore("--restore-files", "--to", str(target), "--overwrite").code == OK
    assert list(outside.iterdir()) == []


# --- damage


def shard(place: Place) -> str:
    return next(path for path in place.github.contents() if path.startswith("tables/decision_vault/"))


def without_shard(place: Place) -> None:
    place.github.put({shard(place): None})


def with_flipped_byte(place: Place) -> None:
    data = bytearray(place.github.contents()[shard(place)])
    data[20] ^= 1
    place.github.put({shard(place): bytes(data)})


def without_row(place: Place) -> None:
    """Whoever does it makes the manifest anew: only the vault knows that a row is gone."""
    files = place.github.contents()
    path = shard(place)
    files[path] = files[path].split(b"\n", 1)[1]
    place.github.put(sealed(files))


def with_other_value(place: Place) -> None:
    files = place.github.contents()
    files[shard(place)] = files[shard(place)].replace(b"decision one", b"decision two")
    place.github.put(sealed(files))


def with_unknown_row(place: Place) -> None:
    files = place.github.contents()
    path = shard(place)
    row = json.loads(files[path].split(b"\n")[0])
    row["id"] = row["id"][:-4] + "0000"
    files[path] += json.dumps(row).encode() + b"\n"
    place.github.put(sealed(files))


def with_row_that_no_database_takes(place: Place) -> None:
    files = place.github.contents()
    files[shard(place)] = files[shard(place)].replace(b'"type":"other"', b'"type":"' + b"x" * 51 + b'"')
    place.github.put(sealed(files))


def with_deep_row(place: Place) -> None:
    files = place.github.contents()
    files["tables/agent_activity/aa.jsonl"] = b'{"id":"aa","details":' + b"[" * 9999 + b"]" * 9999 + b"}\n"
    place.github.put(sealed(files))


def with_link_for_a_file(place: Place) -> None:
    """Git keeps a link as a blob of another mode."""
    blob = place.github.git("rev-parse", f"angles-backup:{shard(place)}")
    lines = (
        f"commit refs/heads/angles-backup\ncommitter p <p@x> 1700000000 +0000\ndata 1\nx\nfrom {place.github.tip()}\n"
    )
    place.github.git("fast-import", "--quiet", "--force", data=f"{lines}M 120000 {blob} {shard(place)}\n")


def with_extra_file(place: Place) -> None:
    place.github.put({"tables/decision_vault/zz.jsonl": "{}\n"})


def without_manifest(place: Place) -> None:
    place.github.put({MANIFEST: "not json"})


DAMAGE: dict[str, tuple[Callable[[Place], None], str]] = {
    "a shard is missing": (without_shard, "is missing"),
    "a byte is flipped": (with_flipped_byte, "is not what the manifest says"),
    "a row is dropped": (without_row, "was in the vault then, and is not in the snapshot"),
    "a value is another": (with_other_value, "decision is not what it was in the vault then"),
    "a row was never there": (with_unknown_row, "is in the snapshot, and was not in the vault then"),
    "a row is none of this database": (with_row_that_no_database_takes, "it cannot be restored: database"),
    "a row is too deep": (with_deep_row, "agent_activity/aa.jsonl line 1: is no row of this table"),
    "a file became a link": (with_link_for_a_file, "is missing"),
    "a file too many": (with_extra_file, "is not in the manifest"),
    "no manifest": (without_manifest, "manifest.json: cannot be read"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_weekly_test_fails_when(place: Place, damage: str) -> None:
    place.insert("decision one", created_at="2026-01-02T03:04:05+00:00")
    backed_up(place)
    meddle, told = DAMAGE[damage]
    meddle(place)
    said = place.restore("--test-restore")
    assert said.code == PROBLEMS, said.err
    assert told in said.err
    report = place.report("restore_test")
    assert report["passed"] is False
    assert report["differences_count"] >= 1
    assert told in " ".join(report["differences"])
    assert "restore test failed" in said.out


def test_a_damaged_snapshot_is_not_restored(place: Place) -> None:
    place.insert("decision one")
    backed_up(place)
    with_flipped_byte(place)
    empty(place.dsn)
    said = place.restore("--restore-decisions")
    assert said.code == REFUSED
    assert "is damaged: tables/decision_vault/" in said.err
    assert place.rows() == []
    assert place.restore("--restore-decisions", "--commit", place.github.git("rev-parse", "angles-backup~1")).code == OK
    assert len(place.rows()) == 1


def test_the_weekly_test_passes_whatever_happened_in_the_vault_since(both: Place) -> None:
    token = both.github.token
    ids = [both.insert(f"decision {number}", comment=f"{token} {number}") for number in range(5)]
    both.insert(**HALVES)
    both.db.execute("update decision_vault set type = 'before' where id = %s", (ids[0],))
    both.db.execute("insert into sync_log (id, run, after) values (gen_random_uuid(), 'r', '[1.5, \"x\"]')")
    backed_up(both)
    both.db.execute("update decision_vault set comment = 'a' where id = any(%s)", (ids[:2],))
    both.db.execute("update decision_vault set comment = 'b' where id = %s", (ids[1],))
    both.db.execute("delete from decision_vault where id = %s", (ids[2],))
    later = both.insert("made later")
    both.db.execute("update decision_vault set comment = 'and changed' where id = %s", (later,))
    said = both.restore("--test-restore")
    assert said.code == OK, said.err
    report: Any = both.report("restore_test")
    assert (report["passed"], report["compared"], report["differences"]) == (True, 6, [])
    assert report["restored"]["decision_vault"] == 6
    assert "restore test passed: " in said.out
    assert not list((both.home / ".local" / "backup").glob("check-*")), "nothing is left behind"


# --- and then the sync


@pytest.mark.parametrize(
    ("world", "tables"),
    [("postgres", ()), ("postgres", ("--table", "decision_vault")), ("supabase", ())],
    ids=["with links", "rows alone", "by REST"],
    indirect=["world"],
)
def test_after_a_restore_into_an_empty_vault_the_sync_adopts_the_pages(
    world: World, tmp_path: Path, tables: tuple[str, ...]
) -> None:
    from utils.git_helpers import make_bare

    make_bare(tmp_path / "backups.git")
    env = {"REPO_URL": str(tmp_path / "backups.git")}
    for number in range(12):
        world.insert(f"decision {number}", comment=f"about {number}")
    world.sync()
    made = world.script("run_backup_now.py", **env)
    assert made.returncode == OK, made.stderr
    pages = {page.id for page in world.pages()}
    empty(world.dsn)
    command = [sys.executable, str(ROOT / "restore_from_github.py"), "--restore-decisions", *tables]
    restored = subprocess.run(command, env=world.environment(**env), capture_output=True, text=True, check=False)
    assert restored.returncode == OK, restored.stderr
    assert len(world.rows()) == 12
    world.watch.forget()
    report = world.sync()
    assert {page.id for page in world.pages()} == pages, report.lines
    world.assert_equal()
    world.assert_silent()


def test_a_row_that_was_being_added_while_the_snapshot_was_taken_is_no_difference(place: Place) -> None:
    place.insert("decision one")
    with psycopg.connect(place.dsn) as slow:
        slow.execute("insert into decision_vault (decision) values ('not seen yet')")
        backed_up(place)
    said = place.restore("--test-restore")
    assert said.code == OK, said.err
    assert "1 decisions were being written while the snapshot was taken: not compared" in said.err


def test_before_the_first_backup_there_is_nothing_to_list_and_nothing_to_restore(place: Place) -> None:
    listed = place.restore("--list")
    assert (listed.code, "0 snapshots on angles-backup" in listed.out) == (OK, True)
    said = place.restore()
    assert said.code == PROBLEMS
    assert "no backup was made yet" in said.err
    assert "Run: python run_backup_now.py" in said.err


def test_a_restore_test_that_fails_is_an_alert(place: Place) -> None:
    from utils import state

    place.insert("decision one")
    backed_up(place)
    without_shard(place)
    assert place.restore("--test-restore").code == PROBLEMS
    with state.open_state(place.home / state.STATE_FILE) as db:
        (told,) = db.execute("select failures, errors from alert_memory where subject = 'restore-test'").fetchall()
        ran = state.last_run(db, "restore-test")
    assert told[0] == 1
    assert "restore test failed" in told[1]
    assert ran is not None
    assert (ran.code, "restore test failed" in ran.detail) == (PROBLEMS, True)
