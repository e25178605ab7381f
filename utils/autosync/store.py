"""The local state: a row a folder, packed, and the outbox, changed in one transaction; a damaged file is begun anew."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import sqlite3
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from utils import state
from utils.autosync.drafts import Found
from utils.autosync.index import Folder
from utils.errors import AnglesError

MIGRATIONS = (
    """
    create table instance(id blob not null);
    create table roots(
        id integer primary key, path blob not null unique, device integer not null, inode integer not null,
        crc integer not null
    );
    create table folders(
        id integer primary key, root integer not null, path blob not null, names blob not null, kinds blob not null,
        stats blob not null, digests blob not null, rules integer not null, seen integer not null, crc integer not null,
        unique (root, path)
    );
    create table outbox(serial integer primary key autoincrement, rows blob not null, crc integer not null);
    """,
)

_ALL = "select root, path, names, kinds, stats, digests, rules, seen, crc from folders"
_ONE = f"{_ALL} where root = ? and path = ?"
_BELOW = f"{_ALL} where root = ? and (path = ? or (path >= ? and path < ?))"
_KEEP = (
    "insert into folders(root, path, names, kinds, stats, digests, rules, seen, crc) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " on conflict (root, path) do update set names = excluded.names, kinds = excluded.kinds, stats = excluded.stats,"
    " digests = excluded.digests, rules = excluded.rules, seen = excluded.seen, crc = excluded.crc"
)
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class DamagedError(AnglesError):
    """What the state holds cannot be right."""


@dataclass(frozen=True)
class Root:
    """A watched folder as it was: its number, its device and inode."""

    id: int
    identity: tuple[int, int]


@dataclass(frozen=True)
class Waiting:
    """A row of the outbox: a decision for the vault or None, and a line for `agent_activity`."""

    serial: int
    decision: Mapping[str, Any] | None
    activity: Mapping[str, Any]


class Store:
    """The state in a file, open for the time of a `with` block.

    Args:
        path: the file.
        read_only: look into it and write nothing, not even beside it; a missing or damaged one is an empty one.

    `damaged` says what was wrong with one that was set aside, and `kept` how many rows of its outbox are kept.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path, self.read_only = Path(os.path.realpath(path)), read_only
        self.damaged, self.kept = "", 0
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            if self.read_only:
                self._db = self._open.enter_context(closing(_for_reading(self.path)))
            else:
                self._begin()
        except DamagedError as damage:
            self.begin_anew(damage)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def begin_anew(self, damage: DamagedError) -> None:
        """Sets a damaged file aside; what can be read of its outbox is kept."""
        self._open.close()
        self.damaged = damage.what
        if self.read_only:
            self._db = self._open.enter_context(closing(_empty()))
            return
        state.set_aside(self.path)
        self._begin()

    def root(self, path: str) -> Root | None:
        """What is known of a root."""
        key = os.fsencode(path)
        for number, *values, crc in self._rows("select id, path, device, inode, crc from roots"):
            if crc != _crc(*values):
                _damaged("a root fails its checksum")
            if values[0] == key:
                return Root(number, (values[1], values[2]))
        return None

    def roots(self) -> list[str]:
        """All roots that are known."""
        return [os.fsdecode(path) for (path,) in self._rows("select path from roots order by path")]

    def folders(self, root: Root) -> dict[str, Folder]:
        """All folders of a root by path; whatever the index may say, every row of the file is looked at."""
        found: dict[str, Folder] = {}
        for number, path, folder in self._folders(_ALL):
            if number == root.id:
                if path in found:
                    _damaged("a folder is there twice")
                found[path] = folder
        return found

    def folder(self, root: Root, path: str) -> Folder | None:
        """One folder of a root."""
        found = self._folders(_ONE, root.id, os.fsencode(path))
        return next((folder for _, _, folder in found), None)

    def below(self, root: Root, path: str) -> dict[str, Folder]:
        """A folder and all that are below it."""
        key = os.fsencode(path)
        return {path: folder for _, path, folder in self._folders(_BELOW, root.id, key, key + b"/", key + b"0")}

    def paths(self, root: Root) -> list[str]:
        """The paths of a root's folders."""
        return [os.fsdecode(path) for (path,) in self._rows("select path from folders where root = ?", root.id)]

    def commit(self, scanned: Mapping[str, Found], rows: Callable[[str, int], Iterable[Mapping[str, Any]]]) -> int:
        """Takes a scan into the state and its rows into the outbox, in one transaction.

        Args:
            scanned: what was found, by the root's path.
            rows: makes the rows {decision, activity}, given this state's own id and the outbox's next serial.

        Returns:
            How many rows.
        """
        with self._guarded(), self._transaction():
            for path, found in scanned.items():
                number = self._keep_root(os.fsencode(path), found.identity)
                kept = (_packed(number, os.fsencode(name), folder) for name, folder in found.folders.items())
                self._db.executemany(_KEEP, kept)
                gone = ((number, os.fsencode(name)) for name in found.gone)
                self._db.executemany("delete from folders where root = ? and path = ?", gone)
            made = [(data, _crc(data)) for data in (json.dumps(row).encode() for row in rows(*self._next()))]
            self._db.executemany("insert into outbox(rows, crc) values (?, ?)", made)
            return len(made)

    def forget(self, path: str) -> None:
        """Forgets a root, so that its next scan is a first one; the outbox stays."""
        with self._guarded(), self._transaction():
            self._db.execute(
                "delete from folders where root = (select id from roots where path = ?)", (os.fsencode(path),)
            )
            self._db.execute("delete from roots where path = ?", (os.fsencode(path),))

    def waiting(self, limit: int) -> list[Waiting]:
        """The rows of the outbox that wait longest."""
        found = self._rows("select serial, rows, crc from outbox order by serial limit ?", limit)
        if any(crc != _crc(data) for _, data, crc in found):
            _damaged("the outbox fails its checksum")
        return [Waiting(serial, **json.loads(data)) for serial, data, _ in found]

    def count(self) -> int:
        """How many rows wait in the outbox, all of them sound."""
        return len(self.waiting(-1))

    def delivered(self, rows: Iterable[Waiting]) -> None:
        """Takes rows out of the outbox."""
        with self._guarded(), self._transaction():
            self._db.executemany("delete from outbox where serial = ?", ((row.serial,) for row in rows))

    def _begin(self) -> None:
        """Opens the file; one begun anew keeps the outbox of the one that was set aside last."""
        self._db = self._open.enter_context(state.open_state(self.path, MIGRATIONS))
        self._db.text_factory = bytes
        if self._rows("select 1 from instance"):
            return
        aside = max(self.path.parent.glob(f"{glob.escape(self.path.name)}.corrupt-*Z"), default=None)
        kept = list(_readable(aside)) if aside else []
        if aside:
            self.damaged, self.kept = self.damaged or "it is no sound database", len(kept)
        with self._guarded(), self._transaction():
            self._db.execute("insert into instance values (?)", (uuid.uuid4().bytes,))
            self._db.executemany("insert into outbox(rows, crc) values (?, ?)", kept)

    def _next(self) -> tuple[str, int]:
        """This state's id and the next serial of the outbox."""
        (instance,) = self._db.execute("select id from instance").fetchone()
        last = self._db.execute("select seq from sqlite_sequence where name = 'outbox'").fetchone()
        return instance.hex(), (last[0] if last else 0) + 1

    def _keep_root(self, key: bytes, identity: tuple[int, int]) -> int:
        values = (key, *identity)
        (number,) = self._db.execute(
            "insert into roots(path, device, inode, crc) values (?, ?, ?, ?) on conflict (path) do update set"
            " device = excluded.device, inode = excluded.inode, crc = excluded.crc returning id",
            (*values, _crc(*values)),
        ).fetchone()
        return int(number)

    def _folders(self, statement: str, *values: Any) -> Iterator[tuple[int, str, Folder]]:
        for row in self._rows(statement, *values):
            yield _unpacked(row)

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        with self._guarded():
            return self._db.execute(statement, values).fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                _damaged(str(error), error)
            raise
        except UnicodeDecodeError as error:  # what SQLite tells of a damaged schema is no text
            _damaged("its schema is damaged", error)


def _damaged(what: str, error: Exception | None = None) -> NoReturn:
    raise DamagedError("state", what) from error


def _packed(root: int, key: bytes, folder: Folder) -> tuple[Any, ...]:
    contents = (os.fsencode(folder.names), folder.kinds, folder.stats, folder.digests)
    values = (root, key, *contents, folder.rules, folder.seen)
    return (*values, _crc(*values))


def _unpacked(row: Sequence[Any]) -> tuple[int, str, Folder]:
    *values, crc = row
    if crc != _crc(*values):
        _damaged("a folder fails its checksum")
    root, path, names, kinds, stats, digests, rules, seen = values
    return root, os.fsdecode(path), Folder(os.fsdecode(names), kinds, stats, digests, rules, seen)


def _crc(*values: Any) -> int:
    """A checksum over bytes and numbers."""
    found = 0
    for value in values:
        found = zlib.crc32(value if isinstance(value, bytes) else repr(value).encode(), found)
    return found


def _for_reading(path: Path) -> sqlite3.Connection:
    """A connection that leaves no trace: a file nobody has open is taken as it is, without locks and companions."""
    if not path.exists():
        return _empty()
    quiet = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro{quiet}", uri=True, isolation_level=None)
    try:
        if fault := state.fault(db, MIGRATIONS):
            _damaged(fault)
    except BaseException:
        db.close()
        raise
    db.text_factory = bytes
    return db


def _empty() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.text_factory = bytes
    for script in MIGRATIONS:
        db.executescript(script)
    return db


def _readable(aside: Path) -> Iterator[tuple[bytes, int]]:
    """The rows of a damaged file's outbox that can be read and have their checksum."""
    with (
        contextlib.suppress(sqlite3.Error, UnicodeDecodeError),
        closing(sqlite3.connect(f"{aside.as_uri()}?mode=ro", uri=True)) as db,
    ):
        db.text_factory = bytes
        for data, crc in db.execute("select rows, crc from outbox order by serial"):
            if crc == _crc(data):
                yield data, crc
