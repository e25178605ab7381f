"""Walks a root and finds what changed. Nothing is written, and nothing is read but what may have changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from utils.autosync import hashing
from utils.autosync.ahead import look_ahead
from utils.autosync.drafts import Draft, Found, Patch, patch_of, stats_of, weigh
from utils.autosync.hashing import is_absent, open_folder
from utils.autosync.index import (
    FILE,
    FOLDER,
    FOLDERS,
    LEFT_FILE,
    LEFT_FOLDER,
    OPEN,
    STAT,
    Folder,
    ancestors,
    compare,
    is_another,
    join,
    pair_renames,
)
from utils.autosync.rules import Ignoring
from utils.errors import AnglesError

_GITIGNORE = ".gitignore"
_MOST_GITIGNORE = 1_000_000
_OF_A_VENV = "pyvenv.cfg"


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
class _Walk:
    """One walk over a root. `kept` are folders that cannot be read, `dropped` those that rules leave out since."""

    wanted: Wanted
    found: Found = field(default_factory=Found)
    unsettled: list[Draft | Patch] = field(default_factory=list)
    stack: list[tuple[str, Ignoring, bool, bool]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    ahead: dict[str, bytes] = field(default_factory=dict)


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
        if not (wanted.verify or wanted.gitignore):
            walk.ahead = look_ahead(wanted.root, wanted.known, wanted.ignoring)
    else:
        walk.stack += [(path, _ignoring_above(wanted, path), False, False) for path in set(wanted.folders)]
    while walk.stack:
        _look(walk, *walk.stack.pop())
    portions = [each for one in walk.unsettled for each in hashing.portions_of(one.path, one.pending)]
    taken = hashing.take_all(wanted.root, portions)
    for one in walk.unsettled:
        one.settle(walk.found, wanted.start, taken)
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
    """Looks at one folder: what is as it was is left, of the rest a patch or a draft is made."""
    if path in walk.seen:
        return
    walk.seen.add(path)
    wanted = walk.wanted
    old = wanted.known.pop(path, None)
    stats = walk.ahead.pop(path, None)
    patch = patch_of(path, old, stats) if old and stats is not None else None
    if old and patch:
        _put_off(walk, old, patch)
        walk.stack += [(join(path, name), ignoring, silent, deep) for name in old.subfolders()]
        return
    try:
        descriptor = open_folder(wanted.root, path)
        try:
            with os.scandir(descriptor) as listing:
                entries = list(listing)
            if wanted.gitignore:
                ignoring = _ignoring_here(descriptor, path, ignoring)
            stats = stats_of(entries, old, ignoring) if old and not wanted.verify else None
            patch = patch_of(path, old, stats) if old and stats is not None else None
            if old and patch:
                _put_off(walk, old, patch)
                subfolders = old.subfolders() if deep else []
            else:
                subfolders = _draft(walk, path, entries, old, ignoring, silent=silent, deep=deep)
        finally:
            os.close(descriptor)
    except OSError as error:
        _not_looked_into(walk, path, old, error)
        return
    walk.stack += [(join(path, name), ignoring, silent, deep) for name in subfolders]


def _put_off(walk: _Walk, old: Folder, patch: Patch) -> None:
    """Counts a folder with the names it had; what has to be taken of it is taken with all else."""
    walk.found.files += len(old.stats) // STAT.size
    walk.unsettled += [patch] if patch.places else []


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
    draft = Draft(path, old, ignoring.fingerprint, silent)
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
            weigh(draft, entry, old.seen if old else 0, verify=wanted.verify)
        if not same_rules and was.get(entry.name) in {LEFT_FILE, LEFT_FOLDER}:
            draft.unheard.add(entry.name)
    walk.unsettled.append(draft)
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


def _compare_subfolders(walk: _Walk, draft: Draft, was: Mapping[str, int]) -> None:
    """Notes which folders are there no more, and which are left out from now on."""
    for name, kind in was.items():
        now = draft.kinds.get(name)
        if kind == FOLDER and now != FOLDER:
            walk.lost.append(join(draft.path, name))
            if now in {LEFT_FILE, LEFT_FOLDER}:
                walk.dropped.add(join(draft.path, name))


def _to_look_into(walk: _Walk, draft: Draft, was: Mapping[str, int], ignoring: Ignoring, *, deep: bool) -> list[str]:
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
