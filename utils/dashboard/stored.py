"""What the page shows, read from files and SQLite alone: no probe, no database client, inside a request."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from utils import state
from utils.errors import AnglesError
from utils.health import alerts, store
from utils.health.store import Day
from utils.schedule.history import History, read_clocks
from utils.schedule.overview import Standing, standings
from utils.sections import ScheduleSettings
from utils.state import RunRecord

BACKUP_FILE = Path("logs", "active", "backup_report.json")
RESTORE_FILE = Path("logs", "active", "restore_test.json")
RUNS = 30
"""Of each job, the last ones."""

TAIL_LINES = 40
_FILES = {path.name for path in (store.DOCUMENT, BACKUP_FILE, RESTORE_FILE, state.STATE_FILE)} | {
    f"{state.STATE_FILE.name}-wal"
}
_TAIL_BYTES = 8_192
_HAPPENED = 20
_SPARK = timedelta(days=2)

Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Stored:
    """What was found.

    Args:
        document: the monitor's last results; None where there are none.
        days: of each check, for 90 days.
        seconds: of each check that takes time of its own, the last ones.
        runs: of each job, the newest first.
        well: of each job, its last good run.
        jobs: how the scheduler sees them.
        beat: the scheduler's last sign of life, and whether it lives.
        incidents: what fails and was told: subject, since when, the text.
        happened: what was alerted and mended, the newest first: when, word, subject, text.
        backup, restore: the last reports.
        logs: the last lines of each, redacted.
        trouble: why the state cannot be read, or ''.
    """

    document: Mapping[str, Any] | None = None
    days: Mapping[str, Sequence[Day]] = field(default_factory=dict)
    seconds: Mapping[str, Sequence[float]] = field(default_factory=dict)
    runs: Mapping[str, Sequence[RunRecord]] = field(default_factory=dict)
    well: Mapping[str, RunRecord] = field(default_factory=dict)
    jobs: Sequence[Standing] = ()
    beat: tuple[datetime, bool] | None = None
    incidents: Sequence[tuple[str, datetime, str]] = ()
    happened: Sequence[tuple[datetime, str, str, str]] = ()
    backup: Mapping[str, Any] | None = None
    restore: Mapping[str, Any] | None = None
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True)
class Reader:
    """Reads a home folder.

    Args:
        home: the folder.
        plan: the cadence of the jobs.
        redact: takes the secrets out of a log line.
    """

    home: Path
    plan: ScheduleSettings
    redact: Callable[[str], str]

    def signature(self) -> Signature:
        """Another one when anything that is shown was written anew."""
        return tuple(
            sorted(
                (each.name, found.st_mtime_ns, found.st_size) for each, found in _entries(self.home) if found.st_size
            )
        )

    def read(self, now: datetime) -> Stored:
        """Everything, as it is now."""
        document = store.read(self.home)
        try:
            with _opened(self.home / state.STATE_FILE) as db:
                more = self._state(db, document, now)
        except AnglesError as error:
            more = {"trouble": str(error)}
        backup, restore = (_json(self.home / name) for name in (BACKUP_FILE, RESTORE_FILE))
        logs = {path.name: _tail(path, self.redact) for path in _logs(self.home)}
        return Stored(document=document, backup=backup, restore=restore, logs=logs, **more)

    def _state(self, db: sqlite3.Connection, document: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
        history = _Shared(self.home / state.STATE_FILE, db)
        names = [job.name for job in self.plan.jobs]
        results = document["results"] if document else []
        well = {job.name: state.last_run(db, job.name, {"done", "done with problems"}) for job in self.plan.jobs}
        beat = history.last_beat()
        return {
            "days": store.days(db),
            "seconds": {
                name: [sample[3] for sample in store.samples(db, name, now - _SPARK) if sample[3] is not None]
                for name in (each["name"] for each in results if each["seconds"] is not None)
            },
            "runs": {name: list(itertools.islice(state.runs(db, name), RUNS)) for name in names},
            "well": {name: run for name, run in well.items() if run is not None},
            "jobs": standings(self.plan, history, read_clocks()),
            "beat": beat and (beat.at, beat.alive is not False),
            "incidents": alerts.open_incidents(db),
            "happened": store.happened(db, _HAPPENED),
        }


@dataclass(frozen=True)
class _Shared(History):
    """The scheduler's memory over a connection that is open already."""

    db: sqlite3.Connection

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        yield self.db


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The state; where there is none yet, an empty one that leaves nothing behind."""
    if path.exists():
        with state.open_state(path) as db:
            yield db
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for script in state.MIGRATIONS:
            db.executescript(script)
        yield db


def _entries(home: Path) -> Iterator[tuple[os.DirEntry[str], os.stat_result]]:
    """The files that are shown. A log that is a link is none: it could show anything."""
    for folder in (f"{home}/logs", f"{home}/logs/active"):
        with suppress(OSError), os.scandir(folder) as entries:
            for each in entries:
                is_log = each.name.endswith(".log") and each.is_file(follow_symlinks=False)
                if is_log or each.name in _FILES:
                    yield each, each.stat()


def _logs(home: Path) -> list[Path]:
    """The logs of the scripts, those written last first."""
    found = [(stat.st_mtime_ns, Path(each.path)) for each, stat in _entries(home) if each.name not in _FILES]
    return [path for _, path in sorted(found, reverse=True)]


def _tail(path: Path, redact: Callable[[str], str]) -> list[str]:
    """The last lines, the secrets taken out of all of them at once: one may reach over a line's end."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _TAIL_BYTES, 0))
            data = file.read()
    except OSError as error:
        return [f"cannot be read ({error.strerror})"]
    if size > _TAIL_BYTES:
        data = data.partition(b"\n")[2]
    return redact(data.decode("utf-8", "replace")).splitlines()[-TAIL_LINES:]


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
