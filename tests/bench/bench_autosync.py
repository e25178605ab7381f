"""Prints the figures of the file autosync, each beside a well-known tool in the same run. No test: nothing here fails.

    python tests/bench/bench_autosync.py                  100,000 files of 1-8 KB, one of 2 GiB, the watch's latency
    python tests/bench/bench_autosync.py --files 20000    fewer files
    python tests/bench/bench_autosync.py --times 3        how often each is run; the median counts
    python tests/bench/bench_autosync.py --only warm      cold, warm, changed, large or watch alone

Each run is a child process with --no-deliver and a state of its own; seconds are from its start to its exit, memory is
the peak of its resident set. The tools take turns, so that both meet the same load.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402

from utils.local.postgres import scratch  # noqa: E402
from utils.migrations import migrate  # noqa: E402

PER_FOLDER = 200
MEASURE = """
import os, sys, time
started = time.monotonic()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
sys.stderr.write(f"\\n{time.monotonic() - started} {used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}")
sys.exit(os.waitstatus_to_exitcode(status))
"""
NOTHING = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@dataclass(frozen=True)
class Ran:
    """One child process with its own: seconds, seconds of a processor, peak resident megabytes."""

    seconds: float
    worked: float
    megabytes: float


@dataclass(frozen=True)
class Place:
    """A tree, and what lies beside it."""

    folder: Path

    @property
    def tree(self) -> Path:
        """The files."""
        return self.folder / "tree"

    def autosync(self, *arguments: str) -> Ran:
        """One scan of the tree."""
        command = [
            sys.executable,
            str(ROOT / "autosync_files.py"),
            "--no-deliver",
            "--root",
            str(self.tree),
            *arguments,
        ]
        return run(command, {"ANGLES_HOME": str(self.folder / "home")})

    def git(self, *arguments: str) -> list[str]:
        """A git command on the tree, whose repository lies beside it."""
        return [
            "git",
            "-c",
            "gc.auto=0",
            "-c",
            "maintenance.auto=false",
            f"--git-dir={self.folder / 'git'}",
            f"--work-tree={self.tree}",
            *arguments,
        ]

    def forget(self) -> None:
        """Removes the state."""
        shutil.rmtree(self.folder / "home", ignore_errors=True)
        (self.folder / "home").mkdir()


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", choices=["cold", "warm", "changed", "large", "watch"])
    options = parser.parse_args()
    asked = {options.only} if options.only else {"cold", "warm", "changed", "large", "watch"}
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name))
        if asked & {"cold", "warm", "changed"}:
            make(place, options.files)
            many(place, asked, options.times)
            shutil.rmtree(place.tree)
        if "large" in asked:
            large(place, options.times)
        if "watch" in asked:
            watch(place)


def make(place: Place, files: int) -> None:
    """Writes the tree, and takes it into a repository of git."""
    chance = random.Random(1)
    for number in range(files):
        folder = place.tree / f"d{number // PER_FOLDER // 20}" / f"e{number // PER_FOLDER % 20}"
        if number % PER_FOLDER == 0:
            folder.mkdir(parents=True)
        (folder / f"file-{number}.txt").write_bytes(chance.randbytes(chance.randint(1000, 8000)))
    place.forget()
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "b"]):
        subprocess.run(place.git(*command), check=True, **NOTHING)  # type: ignore[call-overload]
    time.sleep(3)


def many(place: Place, asked: set[str], times: int) -> None:
    """The runs over many files."""
    find = ["find", str(place.tree), "-printf", "%T@ %s %i %C@ %m %p\n"]
    shell = ["sh", "-c", f"find '{place.tree}' -type f -print0 | xargs -0 -P2 -n 500 sha256sum"]
    status = place.git("status", "--porcelain")

    def cold() -> Ran:
        place.forget()
        return place.autosync()

    if "cold" in asked:
        beside("cold / xargs -P2 sha256sum", times, cold, lambda: run(shell))
    if asked & {"warm", "changed"}:
        cold()
        time.sleep(3)
        place.autosync()
    if "warm" in asked:
        beside("warm / find -printf", times, place.autosync, lambda: run(find))
        beside("warm / git status", times, place.autosync, lambda: run(status))
    if "changed" in asked:
        beside("1 % changed / git status", times, place.autosync, lambda: run(status), lambda: change(place))


def change(place: Place) -> None:
    """Writes one file of a hundred anew."""
    files = sorted(place.tree.rglob("*.txt"))
    for file in random.Random(time.monotonic_ns()).sample(files, len(files) // 100):
        file.write_bytes(random.randbytes(4000))
    time.sleep(2.5)


def large(place: Place, times: int) -> None:
    """One file of 2 GiB."""
    place.tree.mkdir(exist_ok=True)
    file = place.tree / "large"
    with file.open("wb") as written:
        block = random.randbytes(1 << 20)
        for _ in range(2048):
            written.write(block)

    def scan() -> Ran:
        place.forget()
        return place.autosync()

    beside("2 GiB / openssl dgst -sha256", times, scan, lambda: run(["openssl", "dgst", "-sha256", str(file)]))
    file.unlink()


def watch(place: Place, times: int = 40) -> None:
    """From a key file's last byte to its row in the vault, while it is watched."""
    place.forget()
    place.tree.mkdir(exist_ok=True)
    file = place.tree / "README.md"
    with scratch(place.folder) as dsn, psycopg.connect(dsn, autocommit=True) as db:
        migrate(dsn, now=datetime.now(UTC))
        env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(place.folder / "home"), "DATABASE_URL": dsn}
        command = [sys.executable, str(ROOT / "autosync_files.py"), "--watch", "--root", str(place.tree)]
        with subprocess.Popen(command, env=env, **NOTHING) as child:  # type: ignore[call-overload]
            time.sleep(3)
            found = []
            for number in range(times):
                file.write_text(f"{number}\n", encoding="utf-8")
                found.append(seconds_until(db, number + 1))
                time.sleep(0.3)
            child.terminate()
    print(f"event to delivered row: median {statistics.median(found) * 1000:.0f} ms, worst {max(found) * 1000:.0f} ms")


def seconds_until(db: psycopg.Connection, rows: int) -> float:
    """How long it takes until the vault has so many."""
    started = time.monotonic()
    while db.execute("select count(*) from decision_vault").fetchone() != (rows,):
        if time.monotonic() - started > 10:
            raise SystemExit("the row does not come")
        time.sleep(0.002)
    return time.monotonic() - started


def beside(
    what: str, times: int, ours: Callable[[], Ran], theirs: Callable[[], Ran], before: Callable[[], None] | None = None
) -> None:
    """Runs both in turn; prints medians and their ratio."""
    runs: tuple[list[Ran], list[Ran]] = ([], [])
    for _ in range(times):
        if before:
            before()
        for ran, one in zip(runs, (theirs, ours), strict=True):
            ran.append(one())
    them, us = (statistics.median(each.seconds for each in ran) for ran in runs)
    worked = [statistics.median(each.worked for each in ran) for ran in runs]
    memory = statistics.median(each.megabytes for each in runs[1])
    busy = f"of a processor {worked[1] / worked[0]:.2f}: {worked[1]:.3f} s / {worked[0]:.3f} s"
    print(f"{what}: {us / them:.2f}   ({us:.3f} s / {them:.3f} s; {busy}; {memory:.0f} MB)", flush=True)


def run(command: Sequence[str], env: dict[str, str] | None = None) -> Ran:
    """One child process to its end, started by a small one: a process begins with the memory of its parent."""
    given = {"PATH": os.environ["PATH"], **(env or {})}
    ended = subprocess.run(
        [sys.executable, "-ISc", MEASURE, *command],
        env=given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if ended.returncode:
        raise SystemExit(f"{command} ended with {ended.returncode}")
    return Ran(*map(float, ended.stderr.split()[-3:]))


if __name__ == "__main__":
    main()
