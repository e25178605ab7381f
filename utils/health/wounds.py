"""What can be mended on this machine, each with its proof."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from utils import state
from utils.config import ROOT
from utils.errors import INTERRUPTED
from utils.health import store
from utils.health.heal import Action, Wound
from utils.health.machine import used
from utils.health.model import Limits
from utils.stores.base import Vault
from utils.sync.lease import is_gone

FOLDERS = ("logs", "logs/active", "export")
DOCUMENTS = ("system_health.json", "backup_report.json", "restore_test.json", "dashboard.json")
"""State files of `logs/active/` that are one JSON object each."""

KEEP_ROTATED = 1
"""How many rotated files of each log stay, the newest ones."""

LOCK_AGE = timedelta(seconds=60)
"""How old git's lock is at least: what holds it without being called git has gone on by then."""

STARTED_LATER = 2.0
"""By how many seconds a process must be younger than the run that it should be, as clocks are rounded."""

_ROTATED = re.compile(r"(.+\.log)\.\d+")
_COPIED = {"runs": "run_id, job", "health_samples": "name, at", "health_days": "name, day"}
"""What of the last good copy of the state is put back: what has happened, not what is under way."""


def missing_folders(home: Path) -> Action:
    """Folders of a fixed list, made where their parents are real folders."""

    def find() -> Iterator[Wound]:
        for name in FOLDERS:
            path = home / name
            if not os.path.lexists(path) and _real(path.parent, home):
                yield Wound(name, "is not there", "make it")

    return Action("folder", find, lambda wound: (home / wound.target).mkdir())


def _real(path: Path, home: Path) -> bool:
    """Whether a folder, and each above it up to the home folder, is a folder and no link."""
    return path == home or (path.is_dir() and not path.is_symlink() and _real(path.parent, home))


def rotated_logs(home: Path, is_low: Callable[[], str]) -> Action:
    """Old rotated logs while the disk is low.

    Args:
        home: the home folder.
        is_low: how low, or '' when it is not.
    """

    def find() -> Iterator[Wound]:
        if (why := is_low()) and (old := _rotated(home)):
            yield Wound("logs", why, f"remove up to {len(old)} rotated logs, the oldest first")

    def mend(_wound: Wound) -> None:
        for path in _rotated(home):
            if not is_low():
                return
            path.unlink(missing_ok=True)

    return Action("disk", find, mend, ("disk", "inodes"))


def low(home: Path, limits: Mapping[str, Limits]) -> str:
    """How low the disk is that a folder is on, or ''; by the limits of `disk` and `inodes` from which on it is down."""
    for name, percent in zip(("disk", "inodes"), used(home), strict=True):
        if percent is not None and percent >= limits[name].down:
            return f"{percent:.1f} % of the {name} used"
    return ""


def _rotated(home: Path) -> list[Path]:
    """Our rotated logs, the oldest first, without the newest of each log."""
    found: dict[Path, list[tuple[float, Path]]] = {}
    for folder in (home / "logs", home / "logs" / "active"):
        if not _real(folder, home):
            continue
        for path in folder.iterdir():
            match = _ROTATED.fullmatch(path.name)
            if match and stat.S_ISREG((seen := path.lstat()).st_mode):
                found.setdefault(folder / match[1], []).append((seen.st_mtime, path))
    spare = [each for files in found.values() for each in sorted(files)[: len(files) - KEEP_ROTATED]]
    return [path for _, path in sorted(spare)]


def damaged_documents(home: Path, now: datetime) -> Action:
    """State files that are no JSON: set aside; whoever writes them begins afresh."""
    folder = home / "logs" / "active"

    def find() -> Iterator[Wound]:
        for name in DOCUMENTS:
            path = folder / name
            with contextlib.suppress(FileNotFoundError):
                try:
                    good = path.is_symlink() or isinstance(json.loads(path.read_bytes()), dict)
                except ValueError:
                    good = False
                if not good:
                    yield Wound(name, "is no JSON object", "set it aside")

    def mend(wound: Wound) -> None:
        (folder / wound.target).rename(folder / f"{wound.target}.corrupt-{now:%Y%m%dT%H%M%SZ}")

    return Action("document", find, mend)


def lost_state(home: Path) -> Action:
    """A state file that was set aside as damaged: what the last good copy has is put into the one begun anew."""
    path = home / state.STATE_FILE
    copy = store.good_copy(home)

    def find() -> Iterator[Wound]:
        aside = [each.name for each in sorted(path.parent.glob(f"{path.name}.corrupt-*Z"))]
        if not aside or not copy.is_file():
            return
        with state.open_state(path) as db:
            done = "select 1 from heals where action = 'state' and outcome = 'mended' and target = ?"
            if db.execute(done, aside[-1:]).fetchone() is None and _lacks(db, copy):
                yield Wound(aside[-1], "was damaged and begun anew", f"put back what {copy.name} has")

    def mend(_wound: Wound) -> None:
        with state.open_state(path) as db, _attached(db, copy):
            for table in _COPIED:
                db.execute(f"insert or ignore into main.{table} select * from good.{table}")  # noqa: S608 our names

    return Action("state", find, mend)


@contextlib.contextmanager
def _attached(db: sqlite3.Connection, copy: Path) -> Iterator[bool]:
    """The copy as `good`; whether it is sound and of the same version."""
    db.execute("attach ? as good", (str(copy),))
    try:
        (version,), (theirs,) = (db.execute(f"pragma {name}.user_version").fetchone() for name in ("main", "good"))
        (verdict,) = db.execute("pragma good.quick_check(1)").fetchone()
        yield version == theirs and verdict == "ok"
    finally:
        db.execute("detach good")


def _lacks(db: sqlite3.Connection, copy: Path) -> bool:
    """Whether the state lacks something that a sound copy has."""
    with contextlib.suppress(sqlite3.DatabaseError), _attached(db, copy) as sound:
        asked = " or ".join(
            f"exists (select {key} from good.{table} except select {key} from main.{table})"  # noqa: S608 our names
            for table, key in _COPIED.items()
        )
        return sound and bool(db.execute(f"select {asked}").fetchone()[0])
    return False


def repositories(home: Path) -> list[Path]:
    """The repositories that have an index: that of the home folder, and that of the program."""
    return list(dict.fromkeys((home, ROOT)))


def index_locks(repositories: Sequence[Path], now: datetime) -> Action:
    """A lock of git's that no git holds: old enough, and no git is at work in that repository."""

    def find() -> Iterator[Wound]:
        for repository in repositories:
            for lock in (repository / ".git" / "index.lock", repository / "index.lock"):
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    seen = lock.lstat()
                    age = now - datetime.fromtimestamp(seen.st_mtime, UTC)
                    if stat.S_ISREG(seen.st_mode) and age >= LOCK_AGE and not _git_at(repository):
                        yield Wound(str(lock), f"is {age.total_seconds():.0f} s old and no git is at work", "remove it")

    return Action("index.lock", find, lambda wound: Path(wound.target).unlink())


def _git_at(repository: Path) -> bool:
    """Whether a git may be at work there; one that cannot be looked at may be."""
    place = os.path.realpath(repository)
    for process in psutil.process_iter(["name"]):
        if not str(process.info["name"] or "").startswith("git"):
            continue
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            cwd, command = os.path.realpath(process.cwd()), " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        except (psutil.Error, OSError):
            return True
        if cwd == place or cwd.startswith(f"{place}{os.sep}") or place in command or str(repository) in command:
            return True
    return False


def orphaned_runs(home: Path, now: datetime) -> Action:
    """Runs that are written down as running, and whose process is no more: they were interrupted."""
    path = home / state.STATE_FILE

    def find() -> Iterator[Wound]:
        with state.open_state(path) as db:
            rows = db.execute("select run_id, job, started, pid from runs where outcome = 'running'").fetchall()
        for run_id, job, started, pid in rows:
            if why := _gone(pid, datetime.fromisoformat(started)):
                yield Wound(f"{job} {run_id}", why, "mark it interrupted")

    def mend(wound: Wound) -> None:
        job, _, run_id = wound.target.partition(" ")
        with state.open_state(path) as db:
            db.execute(
                "update runs set outcome = 'interrupted', ended = ?, code = ?, detail = ?"
                " where run_id = ? and job = ? and outcome = 'running'",
                (now.isoformat(timespec="microseconds"), INTERRUPTED, "its process ended without a word", run_id, job),
            )

    return Action("run", find, mend, ("sync", "files", "backup", "restore-test"))


def _gone(pid: int, started: datetime) -> str:
    """Why a process that began a run is certainly no more; '' where it may be there."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return f"process {pid} is a zombie"
        later = process.create_time() - started.timestamp()
    except psutil.NoSuchProcess:
        return f"process {pid} is gone"
    except psutil.Error:
        return ""
    return f"process {pid} is another one, started {later:.0f} s later" if later > STARTED_LATER else ""


def stale_leases(vault: Callable[[], AbstractContextManager[Vault]]) -> Action:
    """Leases in the vault whose holder ran on this host, in this boot, and whose process is no more.

    Args:
        vault: opens it.
    """

    def leases() -> list[dict[str, Any]]:
        with vault() as opened:
            return list(opened.call("health_look", {})["leases"])

    def find() -> Iterator[Wound]:
        for lease in leases():
            if is_gone(lease):
                yield Wound(f"{lease['name']} {lease['fence']}", f"process {lease['pid']} is gone", "give it back")

    def mend(wound: Wound) -> None:
        name, _, fence = wound.target.rpartition(" ")
        with vault() as opened:
            opened.release(name, int(fence))

    return Action("lease", find, mend)
