"""The sandbox's file: one SQLite database that several processes may have open at once."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from utils.errors import ServiceError
from utils.files import hold_lock
from utils.local.notion.dates import MINUTE

BUSY_SECONDS = 30

_VERSION = 2
_TABLES = f"""
PRAGMA user_version={_VERSION};
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE databases(id TEXT PRIMARY KEY, body TEXT NOT NULL, in_trash INTEGER NOT NULL DEFAULT 0,
    shared INTEGER NOT NULL DEFAULT 1, created INTEGER NOT NULL, edited INTEGER NOT NULL);
CREATE TABLE data_sources(no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, database_id TEXT NOT NULL,
    body TEXT NOT NULL, properties TEXT NOT NULL, serial INTEGER NOT NULL DEFAULT 0,
    in_trash INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, edited INTEGER NOT NULL,
    created_by TEXT NOT NULL, edited_by TEXT NOT NULL);
CREATE TABLE pages(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, source INTEGER,
    parent TEXT, body TEXT NOT NULL, properties TEXT NOT NULL, title TEXT NOT NULL, number INTEGER NOT NULL,
    in_trash INTEGER NOT NULL DEFAULT 0, shared INTEGER NOT NULL DEFAULT 1,
    created INTEGER NOT NULL, edited INTEGER NOT NULL, created_by TEXT NOT NULL, edited_by TEXT NOT NULL,
    written INTEGER NOT NULL, prior TEXT);
CREATE INDEX pages_listed ON pages(source, in_trash);
CREATE INDEX pages_edited ON pages(source, in_trash, edited);
CREATE INDEX pages_created ON pages(source, in_trash, created);
CREATE TABLE cells(source INTEGER NOT NULL, property TEXT NOT NULL, page INTEGER NOT NULL, n INTEGER NOT NULL,
    text TEXT, head TEXT, number REAL, PRIMARY KEY(source, property, page, n)) WITHOUT ROWID;
CREATE INDEX cells_head ON cells(source, property, head);
CREATE INDEX cells_number ON cells(source, property, number) WHERE number IS NOT NULL;
"""


@dataclass(frozen=True)
class Settings:
    """What the control route sets; kept in the file, so that all processes agree.

    Attributes:
        clock_offset: milliseconds that the sandbox's clock is ahead.
        clock_fixed: the time at which it stands still (milliseconds since 1970), or None.
        cap: how many rows one query yields.
        lag: milliseconds for which queries do not see a write.
        cursor_life: milliseconds after which a cursor is refused.
        cursor_generation: raised to make all cursors invalid.
        trash_moves_stamp, restore_moves_stamp, option_rename_moves_stamp: whether `last_edited_time` moves.
        fold_options: whether an option name that differs in case only is the option that is there.
        date_header: whether answers have a Date header.
    """

    clock_offset: int = 0
    clock_fixed: int | None = None
    cap: int = 10_000
    lag: int = 0
    cursor_life: int = 3_600_000
    cursor_generation: int = 0
    trash_moves_stamp: bool = False
    restore_moves_stamp: bool = False
    option_rename_moves_stamp: bool = False
    fold_options: bool = False
    date_header: bool = True


@dataclass(frozen=True)
class Identity:
    """What a store is told apart by: secrets, users and the ids that are printed. Never changes once made."""

    token: str
    control_key: str
    bot_id: str
    person_id: str
    workspace_id: str
    root_id: str
    database_id: str = ""
    everything_id: str = ""
    port: int = 0


BOT_NAME = "Angles sandbox"
PERSON_NAME = "Sandbox Person"


@dataclass(frozen=True)
class Session:
    """One transaction: its connection, the time (milliseconds, the sandbox's clock), settings and identity."""

    db: sqlite3.Connection
    now: int
    settings: Settings
    identity: Identity

    @property
    def minute(self) -> int:
        """The time, cut to the minute, as pages are stamped."""
        return self.now // MINUTE * MINUTE


class Store:
    """The file and its connections. Thread-safe.

    Raises:
        ServiceError: the file cannot be opened, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            with hold_lock(path.with_name(f"{path.name}.lock"), wait=BUSY_SECONDS):  # SQLite waits for no change to WAL
                self._prepare()
        except (OSError, sqlite3.OperationalError) as error:
            remedy = "Check who owns it and its folder, and the room on the disk"
            raise ServiceError(str(path), f"cannot be opened ({error})", remedy) from error
        except sqlite3.DatabaseError as error:
            remedy = "Move it away; a new one is made at the next start"
            raise ServiceError(str(path), f"is no Notion sandbox's file ({error})", remedy) from error

    def close(self) -> None:
        """Closes the idle connections."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one moment of the file."""
        with self._transaction("BEGIN") as db:
            yield self._session(db)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is kept as a whole, or not at all when an exception leaves it."""
        with self._transaction("BEGIN IMMEDIATE") as db:
            yield self._session(db)

    def set(self, **changes: Any) -> Settings:
        """Changes settings; answers all of them."""
        with self.writing() as session:
            settings = replace(session.settings, **changes)
            save(session, "settings", asdict(settings))
        return settings

    def remember_port(self, port: int) -> None:
        """Keeps the port for the next start."""
        with self.writing() as session:
            save(session, "identity", asdict(replace(session.identity, port=port)))

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            db = self._idle.get_nowait()
        except Empty:
            db = self._connect()
        try:
            db.execute(begin)
            yield db
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.rollback()
            self._idle.put(db)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.create_function("fold", 1, _fold, deterministic=True)
        db.create_function("sortable", 1, _sortable, deterministic=True)
        return db

    def _prepare(self) -> None:
        with self._transaction("BEGIN IMMEDIATE") as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name='meta'").fetchone():
                self._fill(db)
            elif db.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                raise sqlite3.DatabaseError("or one of another version")

    def _fill(self, db: sqlite3.Connection) -> None:
        from utils.local.notion.seed import fill

        for statement in _TABLES.split(";"):
            db.execute(statement)
        identity = Identity(
            token="ntn_" + secrets.token_urlsafe(32).replace("-", "a").replace("_", "b"),
            control_key=secrets.token_urlsafe(24),
            bot_id=str(uuid.uuid4()),
            person_id=str(uuid.uuid4()),
            workspace_id=str(uuid.uuid4()),
            root_id=str(uuid.uuid4()),
        )
        session = Session(db, int(time.time() * 1000), Settings(), identity)
        save(session, "settings", asdict(session.settings))
        save(session, "identity", asdict(fill(session)))

    @staticmethod
    def _session(db: sqlite3.Connection) -> Session:
        meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
        settings = Settings(**json.loads(meta["settings"]))
        now = settings.clock_fixed
        if now is None:
            now = int(time.time() * 1000) + settings.clock_offset
        return Session(db, now, settings, Identity(**json.loads(meta["identity"])))


def save(session: Session, key: str, value: object) -> None:
    """Keeps a JSON value under a key of `meta`."""
    session.db.execute(
        "INSERT INTO meta VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value=excluded.value", (key, json.dumps(value))
    )


def _fold(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _sortable(text: str | None) -> str | None:
    """A key that sorts as people do: without case, and 9 before 10."""
    return None if text is None else re.sub(r"\d+", lambda found: found[0].zfill(20), text.casefold())
