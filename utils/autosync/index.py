"""What is known of files, and what changed: decisions on stat tuples and hashes. Pure.

A name or path is text as the system has it, with surrogates where it is no UTF-8. A stat is the 40 bytes of mtime_ns,
size, inode, ctime_ns and mode.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

STAT = struct.Struct("=5q")
NOTHING = bytes(32)
"""The hash of what has no content to hash: a FIFO, a socket, a device."""

DIGEST_SIZE = 32
RACY_NS = 2_000_000_000
"""How much older than the previous scan's start a change must be for its stat to prove anything."""

FILE, FOLDER, LEFT_FILE, LEFT_FOLDER, OPEN = range(5)  # FILE is false
"""The kind of a name: a file; a folder; either, left out by a rule; a file whose content could not be taken yet."""

FOLDERS = (FOLDER, LEFT_FOLDER)
_IS_FILE = bytes(kind == FILE for kind in range(256))
_IS_OTHER = bytes(kind != FILE for kind in range(256))


class Event(StrEnum):
    """What happened to a file. Corrupted: other content behind the same stat."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    CORRUPTED = "corrupted"


@dataclass(frozen=True, slots=True)
class File:
    """A file's stat and the SHA-256 of the content behind it."""

    stat: bytes
    digest: bytes

    @property
    def size(self) -> int:
        """In bytes."""
        size: int = STAT.unpack(self.stat)[1]
        return size


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as a scan saw it, packed.

    Args:
        names: of all its entries in the system's order, with NUL between them.
        kinds: a byte each.
        stats: one for each name of kind FILE, in that order.
        digests: likewise.
        rules: the fingerprint of the rules that said what is left out.
        seen: when the scan that took it began, in ns.
    """

    names: str
    kinds: bytes
    stats: bytes
    digests: bytes
    rules: int
    seen: int

    @property
    def mask(self) -> bytes:
        """For each name whether it is a file."""
        return self.kinds.translate(_IS_FILE)

    @property
    def others(self) -> bytes:
        """For each name whether it is no file."""
        return self.kinds.translate(_IS_OTHER)

    @property
    def is_settled(self) -> bool:
        """Whether the content of every file in it was taken."""
        return OPEN not in self.kinds

    def kind_of(self) -> dict[str, int]:
        """The kind of each name."""
        return dict(zip(self.names.split("\0"), self.kinds, strict=True)) if self.kinds else {}

    def subfolders(self) -> list[str]:
        """The names of the folders in it that are looked into."""
        return [name for name, kind in self.kind_of().items() if kind == FOLDER] if FOLDER in self.kinds else []

    def files(self) -> dict[str, File]:
        """Its files by name."""
        names = [name for name, kind in self.kind_of().items() if kind == FILE]
        return {
            name: File(self.stats[at * STAT.size :][: STAT.size], self.digests[at * DIGEST_SIZE :][:DIGEST_SIZE])
            for at, name in enumerate(names)
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one file. Paths are relative to the root; `source` is where a renamed file was."""

    event: Event
    path: str
    old: File | None = None
    new: File | None = None
    source: str = ""


def pack(kinds: Mapping[str, int], files: Mapping[str, File], rules: int, seen: int) -> Folder:
    """A folder of these names, in their order."""
    kept = [files[name] for name, kind in kinds.items() if kind == FILE]
    stats, digests = b"".join([file.stat for file in kept]), b"".join([file.digest for file in kept])
    return Folder("\0".join(kinds), bytes(kinds.values()), stats, digests, rules, seen)


def is_racy(stat: bytes, previous: int) -> bool:
    """Whether a file may have changed after it was read without a trace in its stat (git's racy rule).

    Args:
        stat: as it was then and is now.
        previous: when the scan that last looked at it began, in ns.
    """
    changed: int = STAT.unpack(stat)[3]
    return changed >= previous - RACY_NS


def compare(folder: str, old: Mapping[str, File], new: Mapping[str, File], sound: Collection[str]) -> Iterator[Change]:
    """The changes between two states of a folder's files.

    Args:
        folder: its path.
        old: by name.
        new: likewise.
        sound: names whose stat proves that nobody wrote: where it is the same and the hash is not, the disk did it.
    """
    for name, file in new.items():
        before = old.get(name)
        if before is file or (before is not None and before.digest == file.digest):
            continue
        was, now = _content(before), _content(file)
        if was is now is None:
            continue
        rotten = was is not None and name in sound and was.stat == file.stat
        event = Event.CORRUPTED if rotten else _event(was, now)
        yield Change(event, join(folder, name), was, now)
    for name, file in old.items():
        if name not in new and file.digest != NOTHING:
            yield Change(Event.DELETED, join(folder, name), file)


def pair_renames(changes: Iterable[Change]) -> list[Change]:
    """The changes by path, with one rename for each content that one path lost and one path got."""
    found = sorted(changes, key=lambda change: change.path)
    lost, got = (_unique(found, event) for event in (Event.DELETED, Event.CREATED))
    pairs = {got[digest].path: lost[digest] for digest in got if digest in lost}
    sources = {change.path for change in pairs.values()}
    return [
        replace(change, event=Event.RENAMED, old=pairs[change.path].old, source=pairs[change.path].path)
        if change.event is Event.CREATED and change.path in pairs
        else change
        for change in found
        if not (change.event is Event.DELETED and change.path in sources)
    ]


def is_another(old: Folder, names: Iterable[str]) -> bool:
    """Whether nothing of a known root is in the one that stands in its place, as when its disk is not mounted."""
    known = {name for name, kind in old.kind_of().items() if kind in {FILE, FOLDER}}
    return bool(known) and known.isdisjoint(names)


def join(folder: str, name: str) -> str:
    """The path of a name in a folder; the root's own is ''."""
    return f"{folder}/{name}" if folder else name


def ancestors(path: str) -> Iterator[str]:
    """The folders above a path, the nearest first, and the root."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def _content(file: File | None) -> File | None:
    return None if file is None or file.digest == NOTHING else file


def _event(was: File | None, now: File | None) -> Event:
    if was is None:
        return Event.CREATED
    return Event.DELETED if now is None else Event.MODIFIED


def _unique(changes: Iterable[Change], event: Event) -> dict[bytes, Change]:
    """The changes of a kind by their content, where only one has it."""
    by_digest: dict[bytes, list[Change]] = {}
    for change in changes:
        file = change.old if event is Event.DELETED else change.new
        if change.event is event and file is not None:
            by_digest.setdefault(file.digest, []).append(change)
    return {digest: alike[0] for digest, alike in by_digest.items() if len(alike) == 1}
