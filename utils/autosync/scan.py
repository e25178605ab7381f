"""Walks a root and finds what changed. Nothing is written, and nothing is read but what may have changed."""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, compress
from pathlib import Path

from utils.autosync import hashing
from utils.autosync.hashing import FIELDS, GONE, TAKEN, UNREADABLE, Taken, is_absent, open_folder, stat_of
from utils.autosync.index import (
    FILE,
    FOLDER,
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
    ancestors,
    compare,
    is_another,
    is_racy,
    join,
    pack,
    pair_renames,
)
from utils.autosync.rules import Ignoring
from utils.errors import AnglesError

_GITIGNORE = ".gitignore"
_MOST_GITIGNORE = 1_000_000
_OF_A_VENV = "pyvenv.cfg"
_LSTAT = partial(os.DirEntry.stat, follow_symlinks=False)
_LOOKED_AT = {stat.S_IFREG, stat.S_IFLNK}


class RootError(AnglesError):
    """A root cannot be looked at, or is not the folder that it was: nothing is said of its files."""


@dataclass(frozen=True)
class Wanted:
    """What to look at, and what is known.

    Args:
        root: an absolute path.
        start: when this scan begins, in ns.
        ignoring: what is left out at the root.
        gitignore: whether `.gitignore` files are obeyed.
        known: folders by path; a scan takes out what it comes to.
        below: what is known of a folder and those below it, for a scan of single folders.
        identity: of the root when it was last scanned; None makes this scan a first one, which tells of no file.
        folders: look only into these, and into what is new below them; None looks into all.
        verify: take the content of every file.
    """

    root: str
    start: int
    ignoring: Ignoring
    gitignore: bool
    known: MutableMapping[str, Folder]
    below: Callable[[str], Mapping[str, Folder]]
    identity: tuple[int, int] | None
    folders: Iterable[str] | None = None
    verify: bool = False


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
class _Draft:
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


@dataclass
class _Walk:
    """One walk over a root. `kept` are folders that cannot be read, `dropped` those that rules leave out since."""

    wanted: Wanted
    found: Found = field(default_factory=Found)
    drafts: list[_Draft] = field(default_factory=list)
    stack: list[tuple[str, Ignoring, bool, bool]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


def scan(wanted: Wanted) -> Found:
    """Looks at a root.

    Raises:
        RootError: it is gone, cannot be read, or another folder stands in its place.
    """
    walk = _Walk(wanted)
    walk.found.identity = identity(wanted.root)
    is_first = wanted.identity is None
    if wanted.folders is None:
        walk.stack.append(("", wanted.ignoring, is_first, True))
    else:
        walk.stack += [(path, _ignoring_above(wanted, path), False, False) for path in set(wanted.folders)]
    while walk.stack:
        _look(walk, *walk.stack.pop())
    _settle(walk, hashing.take_all(wanted.root, [each for draft in walk.drafts for each in _portions(draft)]))
    _forget(walk)
    walk.found.changes = pair_renames(walk.found.changes)
    if identity(wanted.root) != walk.found.identity:
        raise RootError(wanted.root, "was replaced while it was looked at", "The next scan looks again")
    return walk.found


def identity(root: str) -> tuple[int, int]:
    """Device and inode of a root.

    Raises:
        RootError: there is no such folder, or it cannot be looked at.
    """
    try:
        found = Path(root).stat()
    except OSError as error:
        what = f"cannot be looked at ({error.strerror}); what is known of its files is kept"
        raise RootError(root, what, "Mount it or make it again; to forget it: --reset-baseline") from error
    if not stat.S_ISDIR(found.st_mode):
        raise RootError(root, "is no folder any more; what is known of its files is kept", "Put it back")
    return found.st_dev, found.st_ino


def _ignoring_above(wanted: Wanted, path: str) -> Ignoring:
    """What is left out of a folder by the rules and by the `.gitignore` files above it."""
    ignoring = wanted.ignoring
    if wanted.gitignore and path:
        for folder in reversed(list(ancestors(path))):
            try:
                descriptor = open_folder(wanted.root, folder)
            except OSError:
                continue
            try:
                ignoring = _ignoring_here(descriptor, folder, ignoring)
            finally:
                os.close(descriptor)
    return ignoring


def _ignoring_here(descriptor: int, path: str, ignoring: Ignoring) -> Ignoring:
    try:
        file = os.open(_GITIGNORE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=descriptor)
    except OSError:
        return ignoring
    try:
        return ignoring.below(path, os.read(file, _MOST_GITIGNORE).decode("utf-8", "replace"))
    except OSError:
        return ignoring
    finally:
        os.close(file)


def _look(walk: _Walk, path: str, ignoring: Ignoring, silent: bool, deep: bool) -> None:
    """Looks at one folder: what is as it was is left, of the rest a draft is made."""
    if path in walk.seen:
        return
    walk.seen.add(path)
    wanted = walk.wanted
    old = wanted.known.pop(path, None)
    try:
        descriptor = open_folder(wanted.root, path)
        try:
            with os.scandir(descriptor) as listing:
                entries = list(listing)
            if wanted.gitignore:
                ignoring = _ignoring_here(descriptor, path, ignoring)
            if old and _is_unchanged(entries, old, wanted, ignoring):
                walk.found.files += len(old.stats) // STAT.size
                subfolders = old.subfolders() if deep else []
            else:
                subfolders = _draft(walk, path, entries, old, ignoring, silent=silent, deep=deep)
        finally:
            os.close(descriptor)
    except OSError as error:
        _not_looked_into(walk, path, old, error)
        return
    walk.stack += [(join(path, name), ignoring, silent, deep) for name in subfolders]


def _is_unchanged(entries: Sequence[os.DirEntry[str]], old: Folder, wanted: Wanted, ignoring: Ignoring) -> bool:
    """Whether every name and every stat is as it was, and each stat proves it."""
    if wanted.verify or old.rules != ignoring.fingerprint or not old.is_settled:
        return False
    if "\0".join([entry.name for entry in entries]) != old.names or len(entries) != len(old.kinds):
        return False
    others = compress(entries, old.others)
    if [entry.is_dir(follow_symlinks=False) for entry in others] != [kind in FOLDERS for kind in old.kinds if kind]:
        return False
    try:
        stats = array("q", chain.from_iterable(map(FIELDS, map(_LSTAT, compress(entries, old.mask)))))
    except (OSError, OverflowError):
        return False
    if stats.tobytes() != old.stats:
        return False
    return not stats or max(stats[3::5]) < old.seen - RACY_NS


def _not_looked_into(walk: _Walk, path: str, old: Folder | None, error: OSError) -> None:
    """What cannot be read is kept as it was; what is not there is told of by the folder above it."""
    if not path:
        raise RootError(walk.wanted.root, f"cannot be read ({error.strerror}); what is known of its files is kept")
    if is_absent(error):
        if old:
            walk.wanted.known[path] = old
        return
    walk.kept.add(path)
    walk.found.unreadable.append(path)


def _draft(
    walk: _Walk,
    path: str,
    entries: Sequence[os.DirEntry[str]],
    old: Folder | None,
    ignoring: Ignoring,
    *,
    silent: bool,
    deep: bool,
) -> list[str]:
    """Makes a draft of a folder; answers the names of the subfolders to look into."""
    wanted = walk.wanted
    draft = _Draft(path, old, ignoring.fingerprint, silent)
    was = old.kind_of() if old else {}
    draft.before = old.files() if old else {}
    if not path and old and walk.found.identity != wanted.identity and is_another(old, (each.name for each in entries)):
        what = "is another folder than before, with none of its files; what is known of those is kept"
        raise RootError(wanted.root, what, "Mount it again; to take it as it is: --reset-baseline")
    is_venv = any(entry.name == _OF_A_VENV for entry in entries)
    same_rules = old is not None and old.rules == draft.rules
    for entry in entries:
        kind = LEFT_FILE if is_venv else _kind(entry, path, was.get(entry.name) if same_rules else None, ignoring)
        if kind is None:
            continue
        draft.kinds[entry.name] = kind
        if kind == FILE:
            _weigh(draft, entry, old.seen if old else 0, verify=wanted.verify)
        if not same_rules and was.get(entry.name) in {LEFT_FILE, LEFT_FOLDER}:
            draft.unheard.add(entry.name)
    walk.drafts.append(draft)
    _compare_subfolders(walk, draft, was)
    return _to_look_into(walk, draft, was, ignoring, deep=deep or not same_rules)


def _kind(entry: os.DirEntry[str], folder: str, was: int | None, ignoring: Ignoring) -> int | None:
    """What a name is; a known one is not held against the rules again. None where it vanished."""
    try:
        is_folder = entry.is_dir(follow_symlinks=False)
    except OSError:
        return None
    if was is not None and (was in FOLDERS) == is_folder:
        return FILE if was == OPEN else was
    if ignoring.leaves_out(join(folder, entry.name), folder=is_folder):
        return LEFT_FOLDER if is_folder else LEFT_FILE
    return FOLDER if is_folder else FILE


def _weigh(draft: _Draft, entry: os.DirEntry[str], previous: int, *, verify: bool) -> None:
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


def _compare_subfolders(walk: _Walk, draft: _Draft, was: Mapping[str, int]) -> None:
    """Notes which folders are there no more, and which are left out from now on."""
    for name, kind in was.items():
        now = draft.kinds.get(name)
        if kind == FOLDER and now != FOLDER:
            walk.lost.append(join(draft.path, name))
            if now in {LEFT_FILE, LEFT_FOLDER}:
                walk.dropped.add(join(draft.path, name))


def _to_look_into(walk: _Walk, draft: _Draft, was: Mapping[str, int], ignoring: Ignoring, *, deep: bool) -> list[str]:
    """The subfolders to look into by the walk's own way; those that rules let in only now are looked into silently."""
    names = [name for name, kind in draft.kinds.items() if kind == FOLDER]
    for name in draft.unheard.intersection(names):
        walk.stack.append((join(draft.path, name), ignoring, True, True))
    fresh = [name for name in names if name not in draft.unheard and was.get(name) != FOLDER]
    if not deep:
        walk.stack += [(join(draft.path, name), ignoring, draft.silent, True) for name in fresh]
        return []
    if walk.wanted.folders is not None:
        known = [name for name in names if was.get(name) == FOLDER]
        for name in known:
            walk.wanted.known.update(walk.wanted.below(join(draft.path, name)))
    return [name for name in names if name not in draft.unheard]


def _portions(draft: _Draft) -> Iterable[hashing.Portion]:
    return hashing.portions_of(draft.path, draft.pending)


def _settle(walk: _Walk, taken: Iterable[Taken]) -> None:
    """Puts what was taken into the drafts, and compares each folder with what it was."""
    found, outcomes = walk.found, iter(taken)
    for draft in walk.drafts:
        for name in draft.pending:
            _put(found, draft, name, next(outcomes))
        found.hashed += len(draft.pending)
        found.files += len(draft.files)
        folder = pack(draft.kinds, draft.files, draft.rules, walk.wanted.start)
        if draft.pending or draft.old is None or _differs(folder, draft.old):
            found.folders[draft.path] = folder
        if not draft.silent:
            left = {name for name in draft.before if draft.kinds.get(name) in {LEFT_FILE, LEFT_FOLDER}}
            before = {name: file for name, file in draft.before.items() if name not in left}
            after = {name: file for name, file in draft.files.items() if name not in draft.unheard}
            found.changes += compare(draft.path, before, after, draft.sound)


def _put(found: Found, draft: _Draft, name: str, taken: Taken) -> None:
    """Puts one file in its place; what could not be taken stays as it was."""
    status, now, digest = taken
    if status == TAKEN:
        draft.files[name] = File(now, digest)
        return
    before = draft.before.get(name)
    if status != GONE:
        (found.unreadable if status == UNREADABLE else found.unstable).append(join(draft.path, name))
        if before:
            draft.files[name] = before
            return
    draft.kinds[name] = OPEN


def _differs(one: Folder, other: Folder) -> bool:
    return (one.names, one.kinds, one.stats, one.digests, one.rules) != (
        *(other.names, other.kinds, other.stats, other.digests, other.rules),
    )


def _forget(walk: _Walk) -> None:
    """Tells of what was in folders that are there no more, and forgets them."""
    wanted = walk.wanted
    left = dict(wanted.known) if wanted.folders is None else {}
    if wanted.folders is not None:
        for path in walk.lost:
            left.update(wanted.below(path))
    for path, folder in left.items():
        above = {path, *ancestors(path)}
        if above & walk.kept:
            continue
        walk.found.gone.append(path)
        if not above & walk.dropped:
            walk.found.changes += compare(path, folder.files(), {}, ())
