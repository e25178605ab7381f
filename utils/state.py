"""Operational state in SQLite: opened, checked and brought up to date in one call; a damaged file is set aside."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from utils.errors import AnglesError, BusyError, ConfigError
from utils.files import hold_lock

STATE_FILE = Path("logs", "active", "state.db")
"""Where the state of jobs and checks is, in the home folder."""

MIGRATIONS = (
    """
    create table runs(
        run_id text not null, job text not null, started text not null, ended text, outcome text not null,
        detail text not null, code integer, pid integer not null, primary key (run_id, job)
    );
    create index runs_by_job on runs(job, started);
    """,
    """
    create table health_samples(
        name text, at integer, state text not null, value real, seconds real, primary key (name, at)
    ) without rowid;
    create table health_days(
        name text, day text, up integer not null, warn integer not null, down integer not null, other integer not null,
        seconds real not null, timed integer not null, primary key (name, day)
    ) without rowid;
    create table heals(
        id integer primary key, at integer not null, action text not null, target text not null,
        outcome text not null, detail text not null
    );
    create table alert_memory(
        subject text primary key, failures integer not null, successes integer not null, since text, told text,
        errors text not null
    ) without rowid;
    create table alerts(
        id integer primary key, queued text not null, kind text not null, subject text not null, text text not null,
        at text not null, since text, outcome text not null, settled text
    );
    """,
    """
    create table job_slots(
        job text not null, slot text not null, state text not null, attempt integer not null, run_id text not null,
        missed integer not null, started text, boot text, at_boot real, settled text, primary key (job, slot)
    );
    create table job_attempts(
        run_id text primary key, job text not null, slot text, attempt integer not null, started text not null,
        ended text, outcome text not null, code integer, seconds real, lateness real, detail text not null
    );
    create index job_attempts_by_job on job_attempts(job, started);
    create table scheduler_notes(name text primary key, value text not null, at text not null) without rowid;
    """,
)
"""What makes `state.db`; a later version appends, and never changes what stands."""

_APPLICATION_ID = int.from_bytes(b"Angl", "big")
_BUSY_SECONDS = 10.0
_SMALLEST_PAGE = 512
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNUSABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunRecord:
    """One execution of a job. Times are aware; `ended` and `code` are None while it runs. `detail` holds no secret.

    `outcome` is `running`, one of `errors.MEANINGS`, or `interrupted` where a run was found dead; `pid` is its process.
    """

    run_id: str
    job: str
    started: datetime
    ended: datetime | None
    outcome: str
    detail: str = ""
    code: int | None = None
    pid: int = 0


@contextlib.contextmanager
def open_state(path: Path, migrations: Sequence[str] = MIGRATIONS) -> Iterator[sqlite3.Connection]:
    """Opens a state file for the time of a `with` block, in autocommit mode; makes it and its folder when missing.

    A file that is damaged, empty or another program's, or whose tables are not those of its version, is renamed to
    `<name>.corrupt-<UTC stamp>` and a new one begun, with a warning. Its version is the number of migrations applied;
    each is applied once, as one transaction. Several processes may open it at once and write; a writer waits for
    another up to 10 seconds.

    Args:
        path: the SQLite file.
        migrations: SQL scripts without transaction statements.

    Raises:
        ConfigError: a newer version of this program wrote it.
        BusyError: another process kept it locked too long.
        AnglesError: it cannot be read or written (also raised for what the block does).
    """
    path = Path(os.path.realpath(path))
    with contextlib.ExitStack() as stack:
        try:
            with hold_lock(path.with_name(f"{path.name}.lock"), wait=_BUSY_SECONDS):
                db = stack.enter_context(contextlib.closing(_sound(path, migrations)))
                db.execute("pragma journal_mode = wal")
                db.execute("pragma synchronous = normal")
                _migrate(db, path, migrations)
            yield db
        except sqlite3.Error as error:
            problem = _problem(path, error)
            if problem is None:
                raise
            raise problem from error


def record_run(db: sqlite3.Connection, run: RunRecord) -> None:
    """Writes a run down, once when it starts and again when it has ended: the later one replaces the earlier."""
    db.execute(
        "insert or replace into runs(run_id, job, started, ended, outcome, detail, code, pid)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(run.run_id, run.job, _text(run.started), run.ended and _text(run.ended)),
            *(run.outcome, run.detail, run.code, run.pid),
        ),
    )


def last_run(db: sqlite3.Connection, job: str, outcomes: Collection[str] = ()) -> RunRecord | None:
    """The run of a job that started last, of those with an outcome asked for, or None."""
    return next((run for run in runs(db, job) if not outcomes or run.outcome in outcomes), None)


def runs(db: sqlite3.Connection, job: str) -> Iterator[RunRecord]:
    """The runs of a job, the one that started last first."""
    asked = (
        "select run_id, job, started, ended, outcome, detail, code, pid from runs where job = ?"
        " order by started desc, rowid desc"
    )
    for row in db.execute(asked, (job,)):
        run_id, job, started, ended, outcome, detail, code, pid = row
        yield RunRecord(run_id, job, _time(started), _time(ended) if ended else None, outcome, detail, code, pid)


def _sound(path: Path, migrations: Sequence[str]) -> sqlite3.Connection:
    """A connection to the file, or to a new one where it was unusable."""
    if not path.exists():
        return _connect(path)
    db = _connect(path)
    try:
        fault_found = "it is cut off" if path.stat().st_size < _SMALLEST_PAGE else fault(db, migrations)
    except BaseException:
        db.close()
        raise
    if fault_found is None:
        return db
    db.close()
    aside = set_aside(path)
    _log.warning("%s is not usable (%s); kept as %s, begun anew", path, fault_found, aside.name)
    return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)


def fault(db: sqlite3.Connection, migrations: Sequence[str]) -> str | None:
    """What makes a file unusable as the state that these migrations make, or None. A newer version's is usable."""
    try:
        (application,) = db.execute("pragma application_id").fetchone()
        (version,) = db.execute("pragma user_version").fetchone()
        tables = _tables(db)
        if tables and application != _APPLICATION_ID:
            return "another program wrote it"
        if version <= len(migrations) and tables != _made(migrations[:version]):
            return f"its tables are not those of its version {version}"
        (verdict,) = db.execute("pragma quick_check(1)").fetchone()
    except UnicodeDecodeError:  # what SQLite tells of a damaged schema is no text
        return "its schema is damaged"
    except sqlite3.DatabaseError as error:
        if _code(error) in _DAMAGED:
            return str(error)
        raise
    return None if verdict == "ok" else " ".join(str(verdict).split())


def _made(migrations: Sequence[str]) -> list[bytes]:
    """The tables that these migrations make."""
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        for script in migrations:
            db.executescript(script)
        return _tables(db)


def _tables(db: sqlite3.Connection) -> list[bytes]:
    """The names of all tables and indexes with the statements that made them, whatever the blanks in these."""
    made = "select cast(name || ' ' || tbl_name || ' ' || sql as blob) from sqlite_schema where sql is not null"
    return sorted(b" ".join(text.split()) for (text,) in db.execute(made))


def set_aside(path: Path) -> Path:
    """Renames the file with its companions, these first: a new file must never meet an old write-ahead log."""
    aside = path.with_name(f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    for suffix in ("-wal", "-shm", "-journal", ""):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    return aside


def _migrate(db: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    (version,) = db.execute("pragma user_version").fetchone()
    if version > len(migrations):
        what = f"a newer version of this program wrote it (schema {version}, this one knows {len(migrations)})"
        raise ConfigError(str(path), what, "Update this program, or move the file away")
    for number, script in enumerate(migrations[version:], version + 1):
        db.executescript(
            f"begin immediate; pragma application_id = {_APPLICATION_ID};\n{script}\n;"
            f"pragma user_version = {number}; commit;"
        )


def _problem(path: Path, error: sqlite3.Error) -> AnglesError | None:
    """What a person can do something about; None for a bug."""
    code = _code(error)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return BusyError(str(path), "another process keeps it locked", "Try again when it has ended")
    if code == sqlite3.SQLITE_FULL:
        return AnglesError(str(path), f"cannot be written ({error})", "Free some space there")
    if code in _DAMAGED:
        return AnglesError(str(path), f"is damaged ({error})", "Start again: it is set aside then")
    if code in _UNUSABLE:
        return AnglesError(
            str(path), f"cannot be used ({error})", "Make the file and its folder writable for this user"
        )
    return None


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _text(time: datetime) -> str:
    """Sorts as the times do: UTC, six digits after the point."""
    if time.tzinfo is None:
        raise ValueError("a naive time")
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
