"""Watch mode: the script as a process, told of real events."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.autosync.place import Place
from utils.autosync import hints
from utils.autosync.store import Store
from utils.errors import BUSY, INTERRUPTED, MEANINGS, OK, UNAVAILABLE
from utils.state import STATE_FILE, open_state, runs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")


def until(holds: Callable[[], bool], what: Callable[[], object], seconds: float = 30) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what()
        time.sleep(0.01)


def waits(place: Place, wanted: list[str]) -> None:
    """Waits until what was told since the baseline is this, in any order."""
    until(lambda: told(place) == sorted(wanted), lambda: told(place))


def told(place: Place) -> list[str]:
    """What was told since the baseline: event and path."""
    found = [row["activity"] for row in place.outbox()]
    return sorted(
        f"{row['details']['event']} {row['details']['path']}" for row in found if row["action"].startswith("file ")
    )


@contextmanager
def watching(place: Place, *arguments: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """A watch whose watches stand."""
    with place.start("--watch", *arguments, **env) as child:

        def stands() -> bool:
            assert child.poll() is None, child.communicate()
            watched = watches_of(child.pid)
            return place.state.exists() and watched > 0 and watched >= len(place.folders() if known(place) else [1, 1])

        until(stands, lambda: "no watch stands")
        time.sleep(0.3)
        yield child


def watches_of(pid: int) -> int:
    """How many folders a process watches."""
    watched = 0
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        with suppress(FileNotFoundError):  # closed since
            watched += path.read_text(encoding="utf-8").count("inotify wd:")
    return watched


def known(place: Place) -> bool:
    """Whether the root was scanned."""
    with Store(place.state, read_only=True) as store:
        return store.root(str(place.root)) is not None


def test_each_change_is_told_once_and_soon(place: Place) -> None:
    place.write("a", "one")
    place.write("d/b", "one")
    with watching(place, "--no-deliver"):
        place.write("a", "two")
        waits(place, ["modified a"])
        place.write("d/new", "1").rename(place.root / "d/b")
        waits(place, ["modified a", "modified d/b"])
        (place.root / "a").rename(place.root / "d/c")
        waits(place, ["modified a", "modified d/b", "renamed d/c"])
        (place.root / "d/c").unlink()
        waits(place, ["modified a", "modified d/b", "renamed d/c", "deleted d/c"])
    assert place.told() == []


def test_folders_made_and_written_into_at_once_are_seen_and_watched(place: Place) -> None:
    with watching(place, "--no-deliver"):
        place.write("x/y/z/file", "1")
        waits(place, ["created x/y/z/file"])
        place.write("x/y/z/file", "2")
        place.write("x/y/other", "3")
        waits(place, ["created x/y/z/file", "modified x/y/z/file", "created x/y/other"])
        (place.root / "x").rename(place.root / "w")
        moved = ["renamed w/y/z/file", "renamed w/y/other"]
        waits(place, ["created x/y/z/file", "modified x/y/z/file", "created x/y/other", *moved])
        place.write("w/y/z/file", "4")
        shutil.rmtree(place.root / "w" / "y" / "z")
        until(lambda: "deleted w/y/z/file" in told(place), lambda: told(place))
    assert place.told() == []


def test_what_is_written_while_the_watcher_is_stopped_is_told_though_hints_are_lost(
    place: Place, pytestconfig: pytest.Config
) -> None:
    """More events than the system keeps: 30,000 files with `--long`, else as many as overflow its queue."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text(encoding="utf-8"))
    many = 30_000 if pytestconfig.getoption("--long") else limit // 3
    if not pytestconfig.getoption("--long") and many > 10_000:
        pytest.skip(f"the system keeps {limit} events; with --long")
    (place.root / "d").mkdir()
    with watching(place, "--no-deliver") as child:
        child.send_signal(signal.SIGSTOP)
        for number in range(many):
            place.write("d/new", "").rename(place.root / "d" / str(number))  # four events
        place.write("last", "1")
        child.send_signal(signal.SIGCONT)
        until(lambda: len(told(place)) + summed(place) == many + 1, place.actions, 60)
        child.send_signal(signal.SIGTERM)
        assert "overflowed" in child.communicate()[1]
    assert place.told() == []


def summed(place: Place) -> int:
    """How many changes were summed up."""
    rows = [row["activity"] for row in place.outbox()]
    return sum(row["details"]["changes"] for row in rows if row["action"] == "files summarized")


def test_a_root_removed_and_made_again_is_watched_again(place: Place) -> None:
    place.write("a", "1")
    place.write("b", "2")
    with watching(place, "--no-deliver") as child:
        place.root.rename(place.folder / "away")
        time.sleep(1.5)
        assert told(place) == []
        place.root.mkdir()
        place.write("b", "2")
        waits(place, ["deleted a"])
        time.sleep(1.2)
        place.write("b", "3")
        waits(place, ["deleted a", "modified b"])
        child.send_signal(signal.SIGTERM)
        assert "what is known of its files is kept" in child.communicate()[1]


def test_sigterm_takes_in_what_just_happened_within_two_seconds(place: Place) -> None:
    place.write("a", "1")
    with watching(place, "--no-deliver") as child:
        place.write("a", "2")
        time.sleep(0.02)
        started = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == INTERRUPTED
        assert time.monotonic() - started < 2
    assert told(place) == ["modified a"]


def test_a_vault_that_hangs_does_not_hold_up_the_end(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none"
        with watching(place, DATABASE_URL=dsn) as child:
            place.write("a", "2")
            waits(place, ["created a"])
            time.sleep(0.2)
            started = time.monotonic()
            child.send_signal(signal.SIGTERM)
            assert child.wait(10) == INTERRUPTED
            assert time.monotonic() - started < 3
    assert place.actions() == ["files baseline", "file created"]


def test_a_second_watch_leaves_with_a_line_and_a_scan_beside_it_doubles_nothing(place: Place, dsn: str) -> None:
    place.write("README.md", "0")
    with watching(place, DATABASE_URL=dsn):
        second = place.run("--watch", "--no-deliver")
        assert (second.returncode, second.stderr.count("another run holds this lock")) == (BUSY, 1)
        for number in range(1, 6):
            place.write("README.md", str(number))
            time.sleep(0.12)
            assert place.run("--once", DATABASE_URL=dsn).returncode in {OK, BUSY}
            until(lambda number=number: rows(dsn) == number, lambda: rows(dsn))  # type: ignore[misc]
    time.sleep(0.2)
    assert rows(dsn) == 5


def rows(dsn: str) -> int:
    """How many changes of the file reached the vault, in both tables alike."""
    with psycopg.connect(dsn) as db:
        (decisions,) = db.execute("select count(*) from decision_vault").fetchone() or (0,)
        (lines,) = db.execute("select count(*) from agent_activity where action like 'file %'").fetchone() or (0,)
    return int(decisions) if decisions == lines else -1


@pytest.mark.parametrize(("vault", "code"), [(False, OK), (True, UNAVAILABLE)], ids=["well", "vault down"])
def test_the_state_knows_of_a_whole_scan_as_of_any_run_of_the_job(place: Place, vault: bool, code: int) -> None:
    place.write("a")
    closed = "postgresql://nobody@127.0.0.1:1/none"
    with watching(place, *([] if vault else ["--no-deliver"]), DATABASE_URL=closed):
        until(lambda: "last run: none yet" not in place.run("--status").stdout, lambda: "nothing is written down")
    with open_state(place.options.home / STATE_FILE) as db:
        (run,) = runs(db, "files")
    assert (run.code, run.outcome, run.ended is not None and run.ended >= run.started) == (code, MEANINGS[code], True)
    assert ("cannot be reached" if vault else f"watching {place.root}") in run.detail


def test_where_watches_run_out_it_scans_again_and_names_the_limit(place: Place) -> None:
    """In a user namespace of its own, with a limit of its own."""
    for number in range(20):
        place.write(f"d{number}/f", str(number))
    limited = ["unshare", "--user", "--map-root-user", "sh", "-c"]
    script = 'echo 5 > /proc/sys/user/max_inotify_watches && exec "$@"'
    if subprocess.run([*limited, script, "sh", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not make a namespace")
    child = subprocess.Popen(
        [*limited, script, "sh", *place.command("--watch", "--no-deliver")],
        env=place.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stderr is not None
        line = next(line for line in child.stderr if "can be watched" in line)
        assert "fs.inotify.max_user_watches is reached; raise it: sysctl -w" in line
        place.write("d19/f", "other")
        waits(place, ["modified d19/f"])
        child.kill()


@pytest.mark.parametrize(
    ("root", "kind"),
    [("/mnt/share/deep", "nfs4"), ("/mnt/a b", "fuse.sshfs"), ("/mnt/disk", ""), ("/mnt/sharex", ""), ("/", "")],
)
def test_a_network_file_system_is_known_by_its_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str, kind: str
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/vda / ext4 rw 0 0\nhost:/x /mnt/share nfs4 rw 0 0\nme@host: /mnt/a\\040b fuse.sshfs rw 0 0\n"
        "/dev/vdb /mnt/disk xfs rw 0 0\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(hints, "_MOUNTS", str(mounts))
    assert hints.network_system(root) == kind


def test_without_inotify_it_says_so_and_covers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from watchdog.observers.inotify_c import InotifyFD

    def refuse(_self: object) -> None:
        raise OSError(24, os.strerror(24))

    monkeypatch.setattr(InotifyFD, "__init__", refuse)
    without = hints.Hints(lambda _root, _path, _folder: False)
    assert "fs.inotify.max_user_instances" in without.lacking
    assert without.cover("/tmp", ["", "a"]) == set()
    without.close()
