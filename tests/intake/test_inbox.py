"""The drop folder: what is taken, what waits, what is refused, and where files go."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.world import ROOT
from utils.errors import AnglesError
from utils.intake import inbox
from utils.intake.inbox import DEEPEST, Changed, Entry, dropped

BEFORE = time.time() - 3600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty drop folder."""
    made = tmp_path / "inbox"
    made.mkdir()
    return made


def drop(folder: Path, name: str, text: str = "Decision: x", age: float = 3600) -> Path:
    """A file that was dropped so many seconds ago."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time.time() - age,) * 2)
    return path


def names(folder: Path) -> list[str]:
    """What is ready."""
    return [entry.name for entry in dropped(folder).ready]


def only(folder: Path) -> Entry:
    """The one entry that is ready."""
    (entry,) = dropped(folder).ready
    return entry


def test_files_come_oldest_first_those_in_folders_too(folder: Path) -> None:
    drop(folder, "late.md", age=100)
    drop(folder, "sub/deep/early.json", age=300)
    drop(folder, "middle", age=200)
    assert names(folder) == ["sub/deep/early.json", "middle", "late.md"]


def test_hidden_files_and_what_was_done_are_left_alone(folder: Path) -> None:
    for name in (".DS_Store", ".git/config", "processed/old.md", "error/bad.md", "error/bad.md.error"):
        drop(folder, name)
    drop(folder, "sub/processed/new.md")
    assert names(folder) == ["sub/processed/new.md"]


def test_folders_are_entered_so_deep_and_no_deeper(folder: Path) -> None:
    drop(folder, "/".join("d" * DEEPEST) + "/last.md")
    drop(folder, "/".join("d" * (DEEPEST + 1)) + "/deeper.md")
    assert only(folder).name.endswith("d/last.md")
    (told,) = dropped(folder).problems
    assert told.endswith("/d: holds folders that lie too deep. Drop their files.")


def test_a_folder_that_a_person_names_is_taken_whole(folder: Path) -> None:
    drop(folder, "error/one.md")
    drop(folder, "two.md.tmp", age=0)
    assert {entry.name for entry in inbox.files(folder).ready} == {"error/one.md", "two.md.tmp"}


def test_a_folder_that_is_not_there_holds_nothing(folder: Path) -> None:
    assert dropped(folder / "none") == inbox.Listing([], [], [])


@pytest.mark.parametrize("name", ["a.part", "A.TMP", "b.json.crdownload", "c.md~", "d.partial", "e.download"])
def test_a_name_that_says_unfinished_waits(folder: Path, name: str) -> None:
    drop(folder, name)
    assert (names(folder), dropped(folder).waiting) == ([], [name])


def test_a_file_that_grows_waits_and_one_that_rests_does_not(folder: Path) -> None:
    drop(folder, "rests.md", age=0)
    grows = drop(folder, "grows.md", age=0)
    code = "import sys, time\nfor _ in range(30): open(sys.argv[1], 'a').write('x'); time.sleep(0.05)"
    writer = subprocess.Popen([sys.executable, "-c", code, str(grows)])
    found = dropped(folder)
    writer.wait()
    assert ([entry.name for entry in found.ready], found.waiting) == (["rests.md"], ["grows.md"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
def test_a_file_that_is_open_for_writing_waits(folder: Path) -> None:
    path = drop(folder, "open.md")
    with path.open("a", encoding="utf-8"):
        assert dropped(folder).waiting == ["open.md"]
    with path.open(encoding="utf-8"):
        assert names(folder) == ["open.md"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
def test_who_opens_a_file_while_it_is_looked_at_does_not_end_us(folder: Path) -> None:
    path = drop(folder, "busy.md")
    opens = "import os, sys\nfor _ in range(20_000): os.close(os.open(sys.argv[1], os.O_WRONLY))"
    looks = (
        "import subprocess, sys; from pathlib import Path; from utils.intake.inbox import dropped\n"
        "writer = subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]])\n"
        "while writer.poll() is None:\n    dropped(Path(sys.argv[2]).parent)"
    )
    ended = subprocess.run([sys.executable, "-c", looks, opens, str(path)], cwd=ROOT, check=False)
    assert ended.returncode == 0


def test_a_file_with_a_time_to_come_is_taken(folder: Path) -> None:
    drop(folder, "future.md", age=-86400)
    assert names(folder) == ["future.md"]


def test_what_is_no_plain_file_is_refused_and_never_opened(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("Decision: leak", encoding="utf-8")
    (folder / "link").symlink_to(secret)
    (folder / "folder link").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "socket"))
        kinds = {}
        for entry in dropped(folder).ready:
            with pytest.raises(AnglesError) as refused, entry.open():
                pass
            kinds[entry.name] = refused.value.what
    assert kinds == {
        "link": "is a symbolic link",
        "folder link": "is a symbolic link",
        "pipe": "is a pipe",
        "socket": "is a socket",
    }


def test_a_file_that_became_a_link_after_it_was_listed_is_not_followed(folder: Path, tmp_path: Path) -> None:
    path = drop(folder, "swapped.md")
    entry = only(folder)
    path.unlink()
    path.symlink_to(tmp_path)
    with pytest.raises(OSError, match=r".") as refused, entry.open():
        pass
    assert refused.value.errno == errno.ELOOP
    path.unlink()
    drop(folder, "swapped.md", "another")
    with pytest.raises(Changed), entry.open():
        pass


def test_a_file_moves_under_its_path_and_empty_folders_go(folder: Path) -> None:
    drop(folder, "sub/deep/a.md", "text")
    place = inbox.put_away(folder, only(folder))
    assert place == folder / "processed" / "sub" / "deep" / "a.md"
    assert place.read_text(encoding="utf-8") == "text"
    assert sorted(each.name for each in folder.iterdir()) == ["processed"]


def test_nothing_in_processed_is_ever_overwritten(folder: Path) -> None:
    for text in ("one", "two", "three"):
        drop(folder, "a.tar.gz", text)
        inbox.put_away(folder, only(folder))
    done = {each.name: each.read_text(encoding="utf-8") for each in (folder / "processed").iterdir()}
    assert done == {"a.tar.gz": "one", "a.tar-2.gz": "two", "a.tar-3.gz": "three"}


def test_what_cannot_be_read_has_its_reason_beside_it(folder: Path) -> None:
    for text in ("one", "two"):
        drop(folder, "bad.json", text)
        inbox.put_aside(folder, only(folder), f"{text} is wrong. Write it again.\n")
    aside = {each.name: each.read_text(encoding="utf-8") for each in (folder / "error").iterdir()}
    assert aside == {
        "bad.json": "one",
        "bad.json.error": "one is wrong. Write it again.\n",
        "bad-2.json": "two",
        "bad-2.json.error": "two is wrong. Write it again.\n",
    }


@pytest.mark.parametrize(
    "name", ["new\nline.md", "x" * 255, "ü" * 127, "a." + "b" * 250, os.fsdecode(b"caf\xe9.md"), "-rf", "a b;c"]
)
def test_names_of_all_kinds_move(folder: Path, name: str) -> None:
    try:
        drop(folder, name, "one")
    except OSError as error:
        pytest.skip(f"this file system refuses the name ({error})")
    only(folder).name.encode("utf-8")
    inbox.put_aside(folder, only(folder), "why\n")
    drop(folder, name, "two")
    inbox.put_aside(folder, only(folder), "why\n")
    texts = [each.read_text(encoding="utf-8") for each in (folder / "error").iterdir()]
    assert sorted(texts) == ["one", "two", "why\n", "why\n"]
    assert not dropped(folder).ready


def test_links_and_pipes_move_as_they_are(folder: Path) -> None:
    (folder / "link").symlink_to("/nowhere")
    os.mkfifo(folder / "pipe")
    for entry in dropped(folder).ready:
        inbox.put_aside(folder, entry, "why\n")
    assert (folder / "error" / "link").readlink() == Path("/nowhere")
    assert stat.S_ISFIFO((folder / "error" / "pipe").stat().st_mode)


def test_a_file_that_may_not_be_read_moves_all_the_same(somebody_else: int) -> None:
    reads = (
        "import sys; from pathlib import Path; from utils.intake.inbox import dropped, put_aside\n"
        "folder = Path(sys.argv[1]); (entry,) = dropped(folder).ready\n"
        "try:\n    entry.open().__enter__()\nexcept PermissionError:\n    put_aside(folder, entry, 'why')"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        drop(folder, "closed.md").chmod(0)
        subprocess.run([sys.executable, "-c", reads, name], user=somebody_else, cwd=ROOT, check=True)
        assert {each.name for each in folder.rglob("*")} == {"error", "closed.md", "closed.md.error"}


def test_a_move_that_was_cut_is_finished_and_not_made_twice(folder: Path) -> None:
    path = drop(folder, "a.md")
    (folder / "processed").mkdir()
    (folder / "processed" / "a.md").hardlink_to(path)
    inbox.put_away(folder, only(folder))
    assert [each.name for each in (folder / "processed").iterdir()] == ["a.md"]
    assert not dropped(folder).ready


@pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV, errno.EMLINK])
def test_where_there_can_be_no_links_a_file_is_renamed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    for text in ("one", "two"):
        drop(folder, "a.md", text)
        inbox.put_away(folder, only(folder))
    done = {each.name: each.read_text(encoding="utf-8") for each in (folder / "processed").iterdir()}
    assert done == {"a.md": "one", "a-2.md": "two"}


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no second file system")
def test_processed_may_lie_on_another_file_system(folder: Path, request: pytest.FixtureRequest) -> None:
    other = Path("/dev/shm") / f".angles-{os.getpid()}"
    other.mkdir()
    request.addfinalizer(lambda: subprocess.run(["rm", "-r", str(other)], check=True))
    (folder / "processed").symlink_to(other)
    for text in ("one", "two"):
        drop(folder, "a.md", text)
        inbox.put_away(folder, only(folder))
    done = {each.name: each.read_text(encoding="utf-8") for each in other.iterdir()}
    assert done == {"a.md": "one", "a-2.md": "two"}
    assert not dropped(folder).ready


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_is_one_line_and_the_file_stays(folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    drop(folder, "a.md")
    with pytest.raises(AnglesError, match=r"a\.md: is taken in, and cannot be moved to processed/ \(.+\)\. Make room"):
        inbox.put_away(folder, only(folder))
    assert names(folder) == ["a.md"]
    assert not list((folder / "processed").iterdir())


def test_a_file_in_the_place_of_processed_is_one_line(folder: Path) -> None:
    drop(folder, "a.md")
    (folder / "processed").write_text("", encoding="utf-8")
    with pytest.raises(AnglesError, match="cannot be moved to processed/"):
        inbox.put_away(folder, only(folder))
    assert (folder / "a.md").is_file()


def test_a_file_that_another_run_has_moved_is_no_problem(folder: Path) -> None:
    drop(folder, "a.md")
    entry = only(folder)
    place = inbox.put_away(folder, entry)
    assert inbox.put_away(folder, entry) == place
    assert [each.name for each in (folder / "processed").iterdir()] == ["a.md"]
