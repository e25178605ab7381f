"""Hints from the system that something in a folder changed: inotify, by watchdog. The scan decides what it was."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from utils.autosync.index import join

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import CallbackId, InotifyEvent, InotifyFD, Mask, WatchDescriptor

QUIET_SECONDS = 0.15
"""For how long nothing may happen before what happened is looked at."""

MOST_SECONDS = 2.0
"""How long that is put off where things happen without a pause."""

_SYSCTLS = {errno.ENOSPC: "fs.inotify.max_user_watches", errno.EMFILE: "fs.inotify.max_user_instances"}
_NETWORK = {"9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
_SHARED = {"prl_fs", "vboxsf", "virtiofs", "vmhgfs"}
_MOUNTS = "/proc/self/mounts"

Folders = dict[str, set[str]]
"""Paths of folders by root."""


class Hints:
    """Collects hints from a thread of its own.

    Args:
        is_quiet: whether a change of (root, path, is a folder) is of no interest.

    `lacking` says why not every folder is watched, or ''; `overflowed` that hints were lost.
    """

    def __init__(self, is_quiet: Callable[[str, str, bool], bool]) -> None:
        self.lacking = ""
        self.overflowed = False
        self._is_quiet = is_quiet
        self._changed = threading.Condition()
        self._dirty: Folders = {}
        self._first = self._last = 0.0
        self._places: dict[WatchDescriptor, tuple[str, str]] = {}
        self._watches: dict[tuple[str, str], WatchDescriptor] = {}
        self._id = cast("CallbackId", 0)
        self._system = self._begun()

    def _begun(self) -> InotifyFD | None:
        from watchdog.utils import UnsupportedLibcError

        try:
            from watchdog.observers.inotify_c import InotifyFD

            system = InotifyFD()
        except OSError as error:
            self.lacking = _why(error)
            return None
        except UnsupportedLibcError:
            self.lacking = "this system has no inotify"
            return None
        system.start()
        return system

    def close(self) -> None:
        """Ends the thread."""
        if self._system is not None:
            self._system.stop()
            self._system.join()

    def cover(self, root: str, folders: Iterable[str]) -> set[str]:
        """Watches folders; answers those that were not watched before and are now."""
        new = set()
        for folder in folders:
            if (root, folder) not in self._watches and self._watch(root, folder):
                new.add(folder)
        return new

    def uncover(self, root: str, folders: Iterable[str] | None = None) -> None:
        """Watches some folders of a root no more, or none of them."""
        gone = [at for at in self._watches if at[0] == root] if folders is None else [(root, each) for each in folders]
        for at in gone:
            watch = self._watches.pop(at, None)
            if self._system is not None and watch is not None and watch in self._places:
                del self._places[watch]
                self._system.remove_callbacks([(watch, self._id)])

    def wait(self, seconds: float) -> None:
        """Waits until hints are there and nothing has happened for a while, or so many seconds without one."""
        with self._changed:
            self._changed.wait_for(lambda: self._dirty or self.overflowed, seconds)
            while self._dirty and not self.overflowed:
                now = time.monotonic()
                rest = min(self._last + QUIET_SECONDS, self._first + MOST_SECONDS) - now
                if rest <= 0:
                    return
                self._changed.wait(rest)

    def take(self) -> Folders:
        """The folders of which there are hints, which begin anew."""
        with self._changed:
            taken, self._dirty = self._dirty, {}
            return taken

    def on_event(self, event: InotifyEvent) -> None:
        """Notes the folder in which something happened. Called by watchdog's thread, as what follows is."""
        place = self._places.get(event.wd)
        if place is None:
            return
        root, folder = place
        known = self._dirty.get(root, ())
        name = os.fsdecode(event.name)
        if name and folder not in known and self._is_quiet(root, join(folder, name), event.is_directory):
            return
        self._note(root, folder)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Forgets a watch whose folder is gone."""
        place = self._places.pop(wd, None)
        if place is not None and self._watches.get(place) == wd:
            del self._watches[place]
            self._note(*place)

    def on_queue_overflow(self) -> None:
        """Notes that hints were lost."""
        with self._changed:
            self.overflowed = True
            self._changed.notify_all()

    def _note(self, root: str, folder: str) -> None:
        with self._changed:
            self._last = time.monotonic()
            if not self._dirty:
                self._first = self._last
                self._changed.notify_all()
            self._dirty.setdefault(root, set()).add(folder)

    def _watch(self, root: str, folder: str) -> bool:
        if self._system is None or (self.lacking and folder):
            return False
        path = join(root, folder) if folder else root
        try:
            watch = self._system.add_callback(os.fsencode(path), _mask(), self, self._id)
        except OSError as error:
            if error.errno in _SYSCTLS:
                self.lacking = _why(error)
            return False
        if watch < 0:  # not for us to read
            return False
        self._places[watch], self._watches[root, folder] = (root, folder), watch
        return True


def network_system(root: str) -> str:
    """The kind of file system that a root is on, where other machines may change it without a hint; else ''."""
    found = ("", "")
    with contextlib.suppress(OSError), Path(_MOUNTS).open(encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            _, place, kind, *_ = line.split(" ")
            place = place.encode("utf-8", "surrogateescape").decode("unicode_escape").rstrip("/")
            if (root == place or root.startswith(f"{place}/")) and len(place) >= len(found[0]):
                found = (place, kind)
    kind = found[1]
    return kind if kind in _NETWORK | _SHARED or kind.startswith("fuse.") else ""


def _why(error: OSError) -> str:
    sysctl = _SYSCTLS.get(error.errno or 0)
    if sysctl is None:
        return f"inotify cannot be used ({error.strerror})"
    return f"the system's limit {sysctl} is reached; raise it: sysctl -w {sysctl}=1048576"


def _mask() -> Mask:
    """A file that was written and closed, made, moved, removed, or whose rights changed; and the folder itself."""
    from watchdog.observers.inotify_c import InotifyConstants as Of

    wanted = (
        *(Of.IN_CLOSE_WRITE, Of.IN_CREATE, Of.IN_MOVED_FROM, Of.IN_MOVED_TO, Of.IN_DELETE, Of.IN_ATTRIB),
        *(Of.IN_DELETE_SELF, Of.IN_MOVE_SELF, Of.IN_ONLYDIR, Of.IN_DONT_FOLLOW, Of.IN_EXCL_UNLINK),
    )
    mask = wanted[0]
    for each in wanted:
        mask = type(mask)(mask | each)
    return mask
