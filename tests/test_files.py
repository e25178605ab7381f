"""Files are whole or untouched, and locks free themselves."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from utils.errors import BUSY, AnglesError, BusyError
from utils.files import TEMPORARY, hold_lock, write_atomic

ROOT = Path(__file__).resolve().parents[1]
LIMITED = """
import resource, sys
from pathlib import Path
from utils.files import write_atomic
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
write_atomic(Path(sys.argv[1]), b"n" * 1_000_000)
"""
HOLDER = """
import sys, time
from pathlib import Path
from utils.files import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "a folder with spaces"
    path.mkdir()
    return path


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python code in a child that is gone after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object, **options: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        child = subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1, text=True, **options)  # type: ignore[call-overload]
        started.append(child)
        return child  # type: ignore[no-any-return]

    yield start
    for child in started:
        with child:
            child.kill()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("data", "expected"),
    [("é\r\n", b"\xc3\xa9\r\n"), (b"\0\xff", b"\0\xff"), ("", b"")],
    ids=["text", "bytes", "empty"],
)
def test_a_file_holds_exactly_what_was_given(folder: Path, data: str | bytes, expected: bytes) -> None:
    path = folder / "new" / "deep" / "report.json"
    write_atomic(path, data)
    write_atomic(path, data)
    assert path.read_bytes() == expected
    assert names(path.parent) == ["report.json"]


def test_a_new_file_gets_the_mode_asked_for_and_an_old_one_keeps_its_own(folder: Path) -> None:
    write_atomic(folder / "token", "x", mode=0o600)
    assert mode(folder / "token") == 0o600
    (folder / "token").chmod(0o640)
    write_atomic(folder / "token", "y", mode=0o600)
    assert mode(folder / "token") == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_written_by_root_keeps_its_owner(folder: Path) -> None:
    path = folder / "report"
    path.write_text("old")
    os.chown(path, 12345, 54321)
    write_atomic(path, "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


def test_a_link_stays_a_link_and_its_target_is_replaced(folder: Path) -> None:
    target, link = folder / "elsewhere" / "target", folder / "link"
    link.symlink_to("elsewhere/target")
    write_atomic(link, "one")
    write_atomic(link, "two")
    assert link.is_symlink()
    assert target.read_text() == "two"
    assert names(target.parent) == ["target"]


def test_a_name_of_the_greatest_length_can_be_written(folder: Path) -> None:
    write_atomic(folder / ("n" * 255), "x")
    assert (folder / ("n" * 255)).read_text() == "x"


def test_what_is_no_regular_file_is_refused_and_left(folder: Path) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, folder, Path(os.devnull)):
        with pytest.raises(AnglesError, match="no regular file"):
            write_atomic(path, "x")
    assert names(folder) == ["pipe"]


def test_a_loop_of_links_is_refused(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    with pytest.raises(AnglesError, match="cannot be written"):
        write_atomic(folder / "a", "x")


def test_text_that_is_no_utf8_leaves_the_old_file(folder: Path) -> None:
    path = folder / "report"
    path.write_text("old")
    with pytest.raises(AnglesError, match="no UTF-8 at character 2"):
        write_atomic(path, "ab\ud800")
    assert path.read_text() == "old"


def test_a_parent_that_is_a_file_is_told_in_one_line(folder: Path) -> None:
    (folder / "file").write_text("x")
    with pytest.raises(AnglesError, match=r"file/report: cannot be written \(.+\)\.") as caught:
        write_atomic(folder / "file" / "report", "x")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_leaves_the_old_file(folder: Path) -> None:
    path = folder / "report"
    path.write_text("old")
    folder.chmod(0o500)
    try:
        with pytest.raises(AnglesError, match="Make its folder writable"):
            write_atomic(path, "new")
        assert (path.read_text(), names(folder)) == ("old", ["report"])
    finally:
        folder.chmod(0o700)


def test_a_write_that_is_cut_off_leaves_the_old_file_and_nothing_else(
    folder: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    path = folder / "report"
    path.write_text("old")
    _, told = start(LIMITED, path, "limit").communicate(timeout=20)
    assert "cannot be written (File too large). Free some space" in told
    assert (path.read_text(), names(folder)) == ("old", ["report"])


def test_a_full_disk_leaves_the_old_file_and_nothing_else(folder: Path) -> None:
    script = f"""
mount -t tmpfs -o size=64k none "$1" || exit 99
echo old >"$1/report"
"$2" -c '{LIMITED}' "$1/report" full; echo "$(ls -A "$1") $(cat "$1/report")"
"""
    if not shutil.which("unshare"):
        pytest.skip("no unshare here to make a small disk")
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", str(folder), sys.executable]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("no small disk may be mounted here")
    assert done.stdout == "report old\n"
    assert "No space left on device" in done.stderr


def test_a_writer_that_is_killed_leaves_the_old_file_or_the_new_one(
    folder: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    code = """
import sys
from pathlib import Path
from utils.files import write_atomic
print("on", flush=True)
for turn in range(100_000):
    write_atomic(Path(sys.argv[1]), f"{turn:06d}" * 20_000)
"""
    path = folder / "report"
    for delay in (0.0, 0.013, 0.031):
        child = start(code, path)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.02 + delay)
        child.kill()
        child.wait()
        text = path.read_text()
        assert text == text[:6] * 20_000
    assert all(name == "report" or name.startswith(TEMPORARY) for name in names(folder))


def test_a_held_lock_names_its_holder_and_is_free_afterwards(
    folder: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    path = folder / "locks" / "sync.lock"
    child = start(HOLDER, path)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(BusyError, match=rf"sync\.lock: .*\(pid {child.pid}: .*python") as caught, hold_lock(path):
        pass
    assert caught.value.exit_code == BUSY
    assert "\n" not in str(caught.value)
    child.kill()
    child.wait()
    with hold_lock(path):
        pass
    with hold_lock(path):
        pass


def test_a_lock_is_not_held_twice_in_one_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with hold_lock(path), pytest.raises(BusyError, match=f"pid {os.getpid()}"), hold_lock(path):
        pass


@pytest.mark.parametrize(
    "text",
    [b"", b"\xff\xfe", b"12 \x1b[31m\nred\n", b"no pid", b"1 " + b"x" * 9000],
    ids=["", "bytes", "escape", "words", "long"],
)
def test_what_a_lock_file_says_is_never_trusted(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "lock"
    path.write_bytes(text)
    with hold_lock(path):
        path.write_bytes(text)
        with pytest.raises(BusyError) as caught, hold_lock(path):
            pass
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_wait_ends_when_the_lock_comes_free(folder: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    path = folder / "lock"
    child = start(HOLDER.replace("60", "0.3"), path)
    assert child.stdout is not None
    child.stdout.readline()
    with hold_lock(path, wait=20):
        assert child.wait(timeout=5) == 0


def test_a_wait_has_an_end(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "lock"), pytest.raises(BusyError), hold_lock(tmp_path / "lock", wait=0.1):
        pass


def test_a_child_that_was_given_the_lock_keeps_it_when_its_parent_dies(
    folder: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    code = """
import subprocess, sys, time
from pathlib import Path
from utils.files import hold_lock
with hold_lock(Path(sys.argv[1])) as descriptor:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=0, pass_fds=(descriptor,))
    print(child.pid, flush=True)
    time.sleep(60)
"""
    path = folder / "lock"
    parent = start(code, path, stdin=-1)
    assert parent.stdout is not None
    assert parent.stdin is not None
    assert int(parent.stdout.readline()) > 0
    parent.kill()
    parent.wait()
    with pytest.raises(BusyError), hold_lock(path):
        pass
    parent.stdin.close()
    with hold_lock(path, wait=20):
        pass


def test_a_child_that_was_not_given_the_lock_does_not_keep_it(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "lock"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, stderr=-1, close_fds=False)
    with hold_lock(tmp_path / "lock", wait=20):
        child.communicate()


@pytest.mark.parametrize("again", [False, True], ids=["removed", "replaced"])
def test_a_lock_file_that_vanished_before_it_was_locked_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    path, lock, first = tmp_path / "lock", fcntl.flock, iter([True])

    def late(descriptor: int, operation: int) -> None:
        if next(first, False):
            path.unlink()
            if again:
                path.write_text("")
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with hold_lock(path) as descriptor:
        assert os.path.samestat(os.fstat(descriptor), path.stat())


def test_a_file_system_without_locks_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none_left)
    before = len(names(Path("/dev/fd")))
    with pytest.raises(AnglesError, match="cannot be locked"), hold_lock(tmp_path / "lock"):
        pass
    assert len(names(Path("/dev/fd"))) == before


def test_a_lock_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "lock", tmp_path):
        with pytest.raises(AnglesError, match="cannot be locked"), hold_lock(path):
            pass
