"""The drop folder: which of its files can be taken now, and where they go when they are done.

A file is left alone while it is written: while its name says so, while it changed within the last second, or while some
process has it open for writing (Linux tells). Only plain files are read; folders are entered, links never followed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import stat
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO

from utils.errors import AnglesError
from utils.files import write_atomic

PROCESSED, ERROR = "processed", "error"
SETTLE_SECONDS = 1.0
"""For how long a file must not have changed."""

DEEPEST = 50
"""How many folders may lie in each other."""

_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp", "~")
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_LONGEST_NAME = 255
_LONGEST_SUFFIX = 20


class Changed(Exception):  # noqa: N818 - no failure: the file waits
    """The file is not the one that was listed: it is being written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to take. `name` is how it is told and kept: its path in the folder, always proper text."""

    path: Path
    name: str
    stat: os.stat_result

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file's bytes; never those behind a link, and never a wait for a pipe's writer.

        Raises:
            AnglesError: it is no plain file. OSError: it cannot be read. Changed: another one took its place.
        """
        kind = stat.S_IFMT(self.stat.st_mode)
        if kind != stat.S_IFREG:
            raise AnglesError(self.name, f"is {_KINDS.get(kind, 'no file')}", "Drop the file itself")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(self.path, flags), "rb") as file:
            if _identity(os.fstat(file.fileno())) != _identity(self.stat):
                raise Changed
            yield file

    def rests(self) -> bool:
        """Whether it is still as it was when it was listed, and nobody is about to change it."""
        try:
            now = self.path.lstat()
        except OSError:
            return False
        written = stat.S_ISREG(now.st_mode) and _written_to(self.path)
        return _identity(now) == _identity(self.stat) and not written


@dataclass(frozen=True)
class Listing:
    """What a folder holds: files to take, the oldest first; the names of those that wait; folders that stay closed."""

    ready: Sequence[Entry]
    waiting: Sequence[str]
    problems: Sequence[str]


def dropped(folder: Path) -> Listing:
    """What lies in a drop folder; waits for up to a second for files that are new, to see whether they grow.

    `processed/` and `error/` at its top are none of it. A folder that is not there holds nothing.
    """
    found = files(folder, but=(PROCESSED, ERROR))
    now = time.time()
    ages = [abs(now - entry.stat.st_mtime) for entry in found.ready]
    if any(age < SETTLE_SECONDS for age in ages):
        time.sleep(SETTLE_SECONDS - min(ages))
    waiting = {entry.name for entry in found.ready if _unfinished(entry)}
    ready = [entry for entry in found.ready if entry.name not in waiting]
    return replace(found, ready=ready, waiting=sorted(waiting))


def files(folder: Path, *, but: Collection[str] = ()) -> Listing:
    """All files in a folder and in those within, hidden ones aside.

    Args:
        folder: where to look.
        but: names at its top that are left out.
    """
    found: list[Entry] = []
    problems: list[str] = []
    closed = [PurePosixPath()]
    while closed:
        inside = closed.pop()
        try:
            with os.scandir(folder / inside) as listed:
                entries = [each for each in listed if not each.name.startswith(".")]
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"{proper(folder / inside)}: cannot be listed ({error.strerror}). Make it readable.")
            continue
        for each in entries:
            if each.name in but and not inside.parts:
                continue
            if each.is_dir(follow_symlinks=False):
                if len(inside.parts) == DEEPEST:
                    problems.append(f"{proper(folder / inside)}: holds folders that lie too deep. Drop their files.")
                else:
                    closed.append(inside / each.name)
                continue
            with suppress(FileNotFoundError):
                path, name = folder / inside / each.name, proper(inside / each.name)
                found.append(Entry(path, name, each.stat(follow_symlinks=False)))
    found.sort(key=lambda entry: (entry.stat.st_mtime_ns, entry.name))
    return Listing(found, (), problems)


def put_away(folder: Path, entry: Entry) -> Path:
    """Moves a file that was read to `processed/`, under a name that is free there.

    Raises:
        AnglesError: it cannot be moved; it stays where it is.
    """
    return _move(folder, PROCESSED, entry, "")


def put_aside(folder: Path, entry: Entry, why: str) -> Path:
    """Moves a file that cannot be read to `error/`, with a `.error` file that says why and what to do.

    Raises:
        AnglesError: as `put_away`.
    """
    return _move(folder, ERROR, entry, why)


def proper(path: str | PurePath) -> str:
    """A path as proper text: bytes that are no UTF-8 are spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _unfinished(entry: Entry) -> bool:
    return entry.name.lower().endswith(_UNFINISHED) or not entry.rests()


def _written_to(path: Path) -> bool:
    """Whether a process has the file open for writing: a read lease is then refused (Linux, one's own files).

    Who opens it in the instant of the lease has us told so by a signal, which would be the end of us if it were SIGIO.
    """
    lease, told_by = getattr(fcntl, "F_SETLEASE", None), getattr(fcntl, "F_SETSIG", None)
    if lease is None or told_by is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.fcntl(descriptor, told_by, signal.SIGURG)
        fcntl.fcntl(descriptor, lease, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, lease, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(descriptor)
    return False


def _move(folder: Path, where: str, entry: Entry, why: str) -> Path:
    inside = entry.path.relative_to(folder)
    target = folder / where / inside.parent
    try:
        target.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            place = target / _numbered(inside.name, number)
            note = place.with_name(_numbered(inside.name, number, ".error"))
            if why and note.exists() and not _same(entry.path, place):
                continue
            if not _claimed(entry.path, place):
                continue
            if why:
                write_atomic(note, why)
            _finish(entry.path, place)
            break
    except OSError as error:
        if not os.path.lexists(entry.path):  # another run has moved it
            return target / inside.name
        why_not = f"is taken in, and cannot be moved to {where}/ ({error.strerror})"
        raise AnglesError(
            entry.name, why_not, "Make room or let this user write there; the next run moves it"
        ) from error
    _tidy(folder, entry.path.parent)
    return place


def _claimed(source: Path, place: Path) -> bool:
    """Whether the place is this file's now: a link to it, or an empty file where there can be no links."""
    try:
        os.link(source, place, follow_symlinks=False)
    except FileExistsError:
        return _same(source, place)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOENT}:
            raise
        with suppress(FileExistsError):
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            return True
        return False
    return True


def _finish(source: Path, place: Path) -> None:
    """Takes the file out of the folder; its place is claimed."""
    if _same(source, place):
        source.unlink()
        return
    try:
        source.replace(place)
    except OSError as error:
        try:
            if error.errno != errno.EXDEV:
                raise
            _copy(source, place)
        except OSError:
            place.unlink()
            raise
        source.unlink()


def _copy(source: Path, place: Path) -> None:
    """To another file system, durably, before the source goes."""
    shutil.copy2(source, place)
    with place.open("rb") as copied:
        os.fsync(copied.fileno())


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except FileNotFoundError:
        return False


def _numbered(name: str, number: int, ending: str = "") -> str:
    """The name, with a number where the plain one is taken, no longer than a file system takes."""
    suffix = PurePosixPath(name).suffix
    suffix = suffix if len(suffix) <= _LONGEST_SUFFIX else ""
    stem = name.removesuffix(suffix)
    tail = (f"-{number}" if number > 1 else "") + suffix + ending
    room = _LONGEST_NAME - len(os.fsencode(tail))
    return os.fsencode(stem)[:room].decode("utf-8", "surrogateescape") + tail


def _tidy(folder: Path, inside: Path) -> None:
    """Removes the folders that are empty now."""
    with suppress(OSError):
        while inside != folder:
            inside.rmdir()
            inside = inside.parent


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
