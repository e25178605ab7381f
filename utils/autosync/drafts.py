"""Folders of which something has to be taken: what is held against what is known, and settled when it was taken."""

from __future__ import annotations

import os
import stat
import struct
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, compress

from utils.autosync.hashing import FIELDS, GONE, TAKEN, UNREADABLE, Taken, stat_of
from utils.autosync.index import (
    DIGEST_SIZE,
    FOLDERS,
    LEFT_FILE,
    LEFT_FOLDER,
    NOTHING,
    OPEN,
    RACY_NS,
    STAT,
    Change,
    File,
    Folder,
    compare,
    is_racy,
    join,
    pack,
)
from utils.autosync.rules import Ignoring

_LSTAT = partial(os.DirEntry.stat, follow_symlinks=False)
_EACH = struct.Struct(f"{STAT.size}s")
_LOOKED_AT = {stat.S_IFREG, stat.S_IFLNK}


@dataclass
class Found:
    """What a scan found: folders to keep and paths of those to forget, changes, and how many files it saw and took."""

    identity: tuple[int, int] = (0, 0)
    folders: dict[str, Folder] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    files: int = 0
    hashed: int = 0
    unreadable: list[str] = field(default_factory=list)
    unstable: list[str] = field(default_factory=list)


@dataclass
class Draft:
    """A folder of which something has to be taken."""

    path: str
    old: Folder | None
    rules: int
    silent: bool
    kinds: dict[str, int] = field(default_factory=dict)
    before: Mapping[str, File] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    sound: set[str] = field(default_factory=set)
    unheard: set[str] = field(default_factory=set)

    def settle(self, found: Found, start: int, outcomes: Iterator[Taken]) -> None:
        """Puts in what was taken, in the order of `pending`, and compares the folder with what it was."""
        for name in self.pending:
            _put(found, self, name, next(outcomes))
        found.hashed += len(self.pending)
        found.files += len(self.files)
        folder = pack(self.kinds, self.files, self.rules, start)
        if self.pending or self.old is None or replace(folder, seen=self.old.seen) != self.old:
            found.folders[self.path] = folder
        if not self.silent:
            left = {name for name in self.before if self.kinds.get(name) in {LEFT_FILE, LEFT_FOLDER}}
            before = {name: file for name, file in self.before.items() if name not in left}
            after = {name: file for name, file in self.files.items() if name not in self.unheard}
            found.changes += compare(self.path, before, after, self.sound)


@dataclass
class Patch:
    """A folder with the same names as before, of which the content of some files has to be taken.

    Args:
        path: of the folder.
        old: what is known of it.
        places: of the files among all its files.
        pending: their names.
    """

    path: str
    old: Folder
    places: list[int]
    pending: list[str]

    def settle(self, found: Found, start: int, outcomes: Iterator[Taken]) -> None:
        """Puts in what was taken, in the order of `pending`, and compares it with what it was."""
        old, stats, digests = self.old, bytearray(self.old.stats), bytearray(self.old.digests)
        for place, name in zip(self.places, self.pending, strict=True):
            status, now, digest = next(outcomes)
            its_stat = slice(place * STAT.size, (place + 1) * STAT.size)
            its_digest = slice(place * DIGEST_SIZE, (place + 1) * DIGEST_SIZE)
            before = File(old.stats[its_stat], old.digests[its_digest])
            after = File(now, digest) if status == TAKEN else _unproven(before)
            stats[its_stat], digests[its_digest] = after.stat, after.digest
            found.changes += compare(self.path, {name: before}, {name: after}, ())
            _note(found, join(self.path, name), status)
        found.hashed += len(self.pending)
        found.folders[self.path] = replace(old, stats=bytes(stats), digests=bytes(digests), seen=start)


def stats_of(entries: Sequence[os.DirEntry[str]], old: Folder, ignoring: Ignoring) -> bytes | None:
    """The stats of a folder's files; None where it has other names than before and needs a whole look."""
    if old.rules != ignoring.fingerprint or not old.is_settled:
        return None
    if "\0".join([entry.name for entry in entries]) != old.names or len(entries) != len(old.kinds):
        return None
    others = compress(entries, old.others)
    if [entry.is_dir(follow_symlinks=False) for entry in others] != [kind in FOLDERS for kind in old.kinds if kind]:
        return None
    try:
        fields = chain.from_iterable(map(FIELDS, map(_LSTAT, compress(entries, old.mask))))
        return struct.pack(f"={len(old.stats) // 8}q", *fields)
    except (OSError, struct.error):
        return None


def patch_of(path: str, old: Folder, stats: bytes) -> Patch | None:
    """The files whose stat does not prove that they are as they were; None where one became something odd."""
    found, racy = array("q", stats), old.seen - RACY_NS
    changed = found[3::5]
    if stats == old.stats and (not changed or max(changed) < racy):
        return Patch(path, old, [], [])
    pairs = zip(_EACH.iter_unpack(stats), _EACH.iter_unpack(old.stats), changed, strict=True)
    places = [place for place, (now, was, ctime) in enumerate(pairs) if now != was or ctime >= racy]
    if any(stat.S_IFMT(found[place * 5 + 4]) not in _LOOKED_AT for place in places):
        return None
    names = list(compress(old.names.split("\0"), old.mask))
    return Patch(path, old, places, [names[place] for place in places])


def weigh(draft: Draft, entry: os.DirEntry[str], previous: int, *, verify: bool) -> None:
    """Keeps what is known of a file where its stat proves it, else puts it among those to take."""
    before = draft.before.get(entry.name)
    if before is None and (entry.is_file(follow_symlinks=False) or entry.is_symlink()):
        draft.pending.append(entry.name)
        return
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        draft.pending.append(entry.name)
        return
    now = stat_of(found)
    if stat.S_IFMT(found.st_mode) not in _LOOKED_AT:
        draft.files[entry.name] = File(now, NOTHING)
    elif before is None or before.stat != now or is_racy(now, previous):
        draft.pending.append(entry.name)
    elif verify:
        draft.sound.add(entry.name)
        draft.pending.append(entry.name)
    else:
        draft.files[entry.name] = before


def _put(found: Found, draft: Draft, name: str, taken: Taken) -> None:
    """Puts one file in its place; what could not be taken stays as it was."""
    status, now, digest = taken
    if status == TAKEN:
        draft.files[name] = File(now, digest)
        return
    _note(found, join(draft.path, name), status)
    before = draft.before.get(name)
    if before and status != GONE:
        draft.files[name] = _unproven(before)
    else:
        draft.kinds[name] = OPEN


def _note(found: Found, path: str, status: int) -> None:
    """Notes a file that is there and could not be taken."""
    if status not in {TAKEN, GONE}:
        (found.unreadable if status == UNREADABLE else found.unstable).append(path)


def _unproven(file: File) -> File:
    """The file with a stat that it cannot have, so that the next scan takes its content."""
    mtime, size, inode, _, mode = STAT.unpack(file.stat)
    return File(STAT.pack(mtime, size, inode, 0, mode), file.digest)
