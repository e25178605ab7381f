"""What counts as seen: real trees, scanned in this process."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.autosync.place import DEFAULT, OLD, Place, tree
from utils.autosync import hashing, rules
from utils.autosync.hashing import stat_of
from utils.autosync.index import File, pack


def test_the_first_scan_takes_all_as_it_is_in_one_row(place: Place) -> None:
    place.write("README.md")
    place.write("a/b/c.txt")
    report = place.scan()
    assert (len(report.changes), report.files, report.baselines) == (0, 2, {str(place.root): 2})
    (row,) = place.outbox()
    assert row["decision"] is None
    assert row["activity"]["details"]["files"] == 2


def test_nothing_changed_is_nothing_hashed_and_nothing_written(place: Place) -> None:
    place.write("a/b.txt")
    place.scan()
    place.settle()
    before = place.state.stat().st_mtime_ns
    report = place.scan()
    assert (report.hashed, report.files, report.lines(999), report.queued) == (0, 1, [], 0)
    assert place.state.stat().st_mtime_ns == before


def test_each_kind_of_change_is_seen_once(place: Place) -> None:
    for name in ("kept", "changed", "gone", "moved"):
        place.write(f"d/{name}", name)
    place.scan()
    place.write("d/changed", "otherly")
    (place.root / "d/gone").unlink()
    (place.root / "d/moved").rename(place.root / "elsewhere")
    place.write("new/one", "1")
    assert place.told() == ["modified d/changed", "deleted d/gone", "renamed d/moved -> elsewhere", "created new/one"]
    assert place.told() == []


def test_an_edit_of_the_same_size_with_its_mtime_put_back_is_seen(place: Place) -> None:
    file = place.write("a", "one")
    os.utime(file, (OLD, OLD))
    place.scan()
    place.settle()
    file.write_text("two", encoding="utf-8")
    os.utime(file, (OLD, OLD))
    assert place.told() == ["modified a"]


@pytest.mark.parametrize(("later", "told"), [(0, ["modified a"]), (1.9, ["modified a"]), (2.1, [])])
def test_a_stat_proves_nothing_where_the_change_was_within_two_seconds_before_the_scan(
    place: Place, later: float, told: list[str]
) -> None:
    """Forged: the state has the stat that the file has now, and the hash of what was in it before."""
    file = place.write("a", "one")
    place.scan()
    known = place.folders()[""]
    file.write_text("two", encoding="utf-8")
    now = File(stat_of(file.stat()), known.files()["a"].digest)
    seen = file.stat().st_ctime_ns + int(later * 1e9)
    place.forge("", pack({"a": 0}, {"a": now}, known.rules, seen))
    assert place.told() == told


def test_there_and_back_between_scans_is_nothing_and_two_changes_are_one(place: Place) -> None:
    back, on = place.write("back", "A"), place.write("on", "A")
    place.scan()
    for text in ("B", "A"):
        back.write_text(text, encoding="utf-8")
    for text in ("B", "C"):
        on.write_text(text, encoding="utf-8")
    assert place.told() == ["modified on"]


def test_a_save_by_rename_is_a_modification(place: Place) -> None:
    file = place.write("a", "one")
    place.scan()
    place.write("a.new", "two").rename(file)
    assert place.told() == ["modified a"]


def test_a_rename_is_one_change_only_where_the_content_is_unique_on_both_sides(place: Place) -> None:
    place.write("twin-1", "same")
    place.write("twin-2", "same")
    place.scan()
    for name in ("twin-1", "twin-2"):
        (place.root / name).rename(place.root / f"new-{name}")
    assert place.told() == ["created new-twin-1", "created new-twin-2", "deleted twin-1", "deleted twin-2"]


def test_a_renamed_folder_is_a_rename_of_each_file(place: Place) -> None:
    for name in ("x", "y"):
        place.write(f"old/sub/{name}", name)
    place.scan()
    (place.root / "old").rename(place.root / "new")
    assert place.told() == ["renamed old/sub/x -> new/sub/x", "renamed old/sub/y -> new/sub/y"]


def test_rights_alone_are_no_change(place: Place) -> None:
    place.write("a").chmod(0o600)
    place.scan()
    (place.root / "a").chmod(0o640)
    report = place.scan()
    assert (report.lines(999), report.hashed) == ([], 1)


def test_a_file_in_place_of_a_folder_and_the_other_way_round(place: Place) -> None:
    place.write("x/inner", "1")
    place.write("y", "2")
    place.scan()
    shutil.rmtree(place.root / "x")
    (place.root / "y").unlink()
    place.write("x", "3")
    place.write("y/inner", "4")
    assert place.told() == ["created x", "deleted x/inner", "deleted y", "created y/inner"]


# --- what cannot be read


def test_what_cannot_be_read_is_neither_deleted_nor_modified(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here as root too, to whom the system shows everything; test_autosync_files has it with real rights."""
    place.write("shut/inner", "1")
    place.write("a", "1")
    place.scan()
    place.write("a", "2")
    shut = {"a", "shut"}
    really = os.open

    def deny(path: str, flags: int, *arguments: int, **named: int) -> int:
        if Path(path).name in shut:
            raise PermissionError(13, "Permission denied")
        return really(path, flags, *arguments, **named)

    monkeypatch.setattr(os, "open", deny)
    for _ in range(2):
        report = place.scan()
        assert report.lines(999) == []
        assert sorted(report.unreadable) == [f"{place.root}/a", f"{place.root}/shut"]
        assert report.problems == [f"{place.root}/shut, {place.root}/a cannot be read."]
    shut.clear()
    assert place.told() == ["modified a"]


def test_a_file_that_grows_while_it_is_read_is_taken_the_next_time(place: Place) -> None:
    place.write("still", "1")
    place.scan()
    growing = place.write("log", b"x" * 50_000_000)
    code = "import sys; file = open(sys.argv[1], 'ab', 0); print(); exec('while True: file.write(b\\'x\\')')"
    with subprocess.Popen([sys.executable, "-uc", code, str(growing)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        writer.stdout.readline()
        report = place.scan()
        writer.kill()
    assert (report.unstable, report.lines(999)) == ([f"{place.root}/log"], [])
    assert place.told() == ["created log"]


# --- roots


def test_a_root_that_is_gone_is_no_deletion(place: Place) -> None:
    place.write("a")
    place.scan()
    place.root.rename(place.folder / "away")
    for _ in range(2):
        report = place.scan()
        assert report.lines(999) == []
        assert "what is known of its files is kept" in report.problems[0]
    (place.folder / "away").rename(place.root)
    assert place.told() == []


def test_another_folder_where_a_disk_was_mounted_is_no_deletion(place: Place) -> None:
    place.write("a")
    place.scan()
    place.root.rename(place.folder / "disk")
    place.root.mkdir()
    place.write("not mounted")
    for _ in range(2):
        report = place.scan()
        assert report.lines(999) == []
        assert "is another folder than before" in report.problems[0]
    shutil.rmtree(place.root)
    (place.folder / "disk").rename(place.root)
    assert place.told() == []


def test_a_root_removed_and_made_again_is_compared_by_content(place: Place) -> None:
    for name in ("same", "other", "gone"):
        place.write(name, name)
    place.scan()
    shutil.rmtree(place.root)
    place.root.mkdir()
    place.write("same", "same")
    place.write("other", "changed")
    place.write("new", "new")
    assert place.told() == ["deleted gone", "created new", "modified other"]


def test_one_root_that_is_gone_hides_nothing_of_another(tmp_path: Path) -> None:
    one, two = tmp_path / "place" / "files", tmp_path / "two"
    two.mkdir()
    place = Place.at(tmp_path / "place", roots=(str(one), str(two)))
    place.scan()
    one.rmdir()
    (two / "a").write_text("1", encoding="utf-8")
    report = place.scan()
    assert (len(report.problems), report.lines(999)) == (1, [f"created a in {two}"])


def test_a_root_within_another_is_told_once(tmp_path: Path) -> None:
    outer, inner = tmp_path / "place" / "files", tmp_path / "place" / "files" / "inner"
    place = Place.at(tmp_path / "place", roots=(str(outer), str(inner)))
    inner.mkdir()
    place.scan()
    place.write("inner/a")
    assert place.scan().lines(999) == [f"created a in {inner}"]


# --- odd things


@pytest.mark.parametrize("kind", ["fifo", "socket"])
def test_what_has_no_content_neither_stops_a_scan_nor_is_told(place: Place, kind: str) -> None:
    place.scan()
    if kind == "fifo":
        os.mkfifo(place.root / "odd")
    else:
        os.chdir(place.root)
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as made:
            made.bind("odd")
    assert place.told() == []
    (place.root / "odd").unlink()
    assert place.told() == []
    os.mkfifo(place.root / "odd")
    place.scan()
    (place.root / "odd").unlink()
    place.write("odd")
    assert place.told() == ["created odd"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a device")
def test_a_device_is_not_opened(place: Place) -> None:
    os.mknod(place.root / "device", 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero, which never ends
    place.scan()
    assert place.told() == []


def test_a_symbolic_link_is_where_it_points_to_and_loops_end_nothing(place: Place) -> None:
    link = place.root / "link"
    link.symlink_to("target-1")
    (place.root / "loop").symlink_to(".")
    (place.root / "self").symlink_to("self")
    place.scan()
    link.unlink()
    link.symlink_to("target-2")
    assert place.told() == ["modified link"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"caf\xe9.txt", "caf\\xe9.txt"),
        (b"two\nlines", "two\\nlines"),
        ("naïve 😀".encode(), "naïve 😀"),
        (b"tab\t", "tab\\t"),
    ],
    ids=["no UTF-8", "newline", "emoji", "tab"],
)
def test_any_name_is_taken(place: Place, name: bytes, shown: str) -> None:
    place.scan()
    file = os.fsencode(place.root) + b"/" + name
    Path(os.fsdecode(file)).write_text("1", encoding="utf-8")
    assert place.told() == [f"created {shown}"]
    assert place.told() == []
    Path(os.fsdecode(file)).write_text("2", encoding="utf-8")
    assert place.told() == [f"modified {shown}"]


def test_a_path_longer_than_the_system_takes_at_once_is_taken(place: Place) -> None:
    place.scan()
    here = os.open(place.root, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=here)
        here, above = os.open("d" * 200, os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(os.open("deep", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    (line,) = place.told()
    assert line.startswith("created ddd")
    assert line.endswith("ddd/deep")
    assert place.told() == []
    os.unlink("deep", dir_fd=here)
    os.close(here)
    assert len(place.told()) == 1


def test_three_gigabytes_are_read_in_blocks(place: Place, pytestconfig: pytest.Config) -> None:
    size = 3_000_000_000 if pytestconfig.getoption("--long") else 30_000_000
    place.scan()
    with place.write("large").open("wb") as file:
        file.truncate(size)
    assert place.told() == ["created large"]
    assert place.folders()[""].files()["large"].size == size


# --- many files


def test_workers_take_what_one_process_takes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(900):
        place.write(f"d{number % 3}/f{number}", f"content {number}")
    monkeypatch.setattr(hashing, "MANY", 500)
    place.scan()
    forked = place.folders()
    monkeypatch.undo()
    report = place.scan(verify=True)
    assert (report.hashed, report.lines(999)) == (900, [])
    assert {path: folder.digests for path, folder in place.folders().items()} == {
        path: folder.digests for path, folder in forked.items()
    }


def test_what_a_worker_that_died_did_not_take_is_taken_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(900):
        place.write(f"f{number}", f"content {number}")
    parent = os.getpid()
    really = hashing.take

    def die(name: str, folder: int) -> hashing.Taken:
        if os.getpid() != parent and name.endswith("77"):
            os._exit(9)
        return really(name, folder)

    monkeypatch.setattr(hashing, "MANY", 500)
    monkeypatch.setattr(hashing, "take", die)
    assert place.scan().files == 900
    assert len(set(place.folders()[""].files().values())) == 900


# --- verify


def test_other_content_behind_the_same_stat_is_corrupted(place: Place) -> None:
    place.write("rotten", "one")
    place.write("edited", "one")
    place.scan()
    place.settle()
    known = place.folders()[""]
    files = known.files()
    files["rotten"] = File(files["rotten"].stat, b"\1" * 32)
    place.forge("", pack(known.kind_of(), files, known.rules, known.seen))
    place.write("edited", "two")
    assert place.told() == ["modified edited"]
    place.settle()
    report = place.scan(verify=True)
    assert report.lines(999) == [f"corrupted rotten in {place.root}"]
    assert "other content behind the same stat" in report.problems[0]
    assert place.told(verify=True) == []


# --- what is left out


def test_what_is_always_left_out(place: Place) -> None:
    home = replace(place.options, home=place.root, state=place.root / "logs" / "active" / "files.db")
    place.options = home
    for path in (".git/HEAD", "sub/.git/HEAD", ".local/x", "logs/active/a.log", "env/pyvenv.cfg", "env/lib/x.py"):
        place.write(path)
    place.write("kept")
    place.scan()
    assert set(place.folders()) == {"", "sub", "env"}
    assert place.scan().files == 1
    for path in (".git/HEAD", "env/lib/y.py", "env/z", "logs/new"):
        place.write(path, "other")
    assert place.told() == []


def test_a_state_within_the_root_is_left_out_with_its_companions(place: Place) -> None:
    place.options = replace(place.options, state=place.root / "my state")
    place.scan()
    assert place.told() == []
    place.write("my state too")
    assert place.told() == ["created my state too"]


def test_new_rules_tell_of_no_file(place: Place) -> None:
    place.write("a.dat", "1")
    place.write("tree/b.txt", "2")
    place.scan()
    fewer = replace(DEFAULT, ignore=("*.dat", "tree/"))
    assert place.told(rules=fewer) == []
    assert place.scan(rules=fewer).files == 0
    assert place.told(rules=DEFAULT) == []
    assert place.scan(rules=DEFAULT).files == 2
    place.write("tree/b.txt", "3")
    assert place.told(rules=DEFAULT) == ["modified tree/b.txt"]


def test_gitignore_files_are_obeyed_on_request(place: Place) -> None:
    place.write(".gitignore", "*.dat\n!kept.dat\n")
    place.write("sub/.gitignore", "!sub.dat\n/own\n")
    place.scan()
    for path in ("a.dat", "kept.dat", "sub/a.dat", "sub/sub.dat", "sub/own", "own"):
        place.write(path, path)
    obeyed = replace(DEFAULT, gitignore=True)
    dry = place.told(rules=DEFAULT, dry_run=True)
    assert len(dry) == 6
    assert place.told(rules=obeyed) == ["created kept.dat", "created own", "created sub/sub.dat"]
    place.write("sub/.gitignore", "/own\n")
    assert place.told(rules=obeyed) == ["modified sub/.gitignore"]
    place.write("sub/sub.dat", "other")
    assert place.told(rules=obeyed) == []


def test_a_warm_scan_asks_the_rules_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("a", "x.log", "d/b"):
        place.write(path)
    place.scan()
    place.settle()

    def refuse(*_arguments: object, **_named: object) -> bool:
        raise AssertionError("asked")

    monkeypatch.setattr(rules.Ignoring, "leaves_out", refuse)
    assert place.told() == []
    place.write("a", "2")
    assert place.told() == ["modified a"]


# --- rows


def test_at_most_fifty_rows_a_scan_and_one_that_sums_up(place: Place) -> None:
    place.scan()
    for number in range(200):
        place.write(f"f{number:03}", str(number))
    for number in range(60):
        place.write(f"p{number:02}.prompt.md", f"prompt {number}")
    assert place.scan().queued == 51
    found = place.outbox()[1:]
    assert sum(row["decision"] is not None for row in found) == 51
    last = found[-1]
    assert last["activity"]["action"] == "files summarized"
    assert last["activity"]["details"]["changes"] == 210
    assert last["decision"]["decision"] == f"10 more key files changed in {place.root}"


def test_a_dry_run_leaves_no_trace(place: Place) -> None:
    place.write("a")
    place.scan()
    time.sleep(0.01)
    place.write("a", "other")
    before = tree(place.folder)
    assert place.told(dry_run=True) == ["modified a"]
    assert tree(place.folder) == before
