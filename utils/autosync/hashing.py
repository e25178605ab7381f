"""Takes the content of files: SHA-256 with the stat before and after, in forked workers where there are many."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import mmap
import os
import signal
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from utils.autosync.index import NOTHING, STAT

TAKEN, UNREADABLE, UNSTABLE, GONE = range(1, 5)
"""What became of a file: 0 stands for one that nobody came to."""

MANY = 20_000
"""From how many files on a fork pays."""

BLOCK = 256 * 1024
PORTION = 256
_TRIES = 3
_WORKERS, _WORKERS_ON_A_COLD_DISK = 2, 8
_IDLE = 4
"""How many times longer than its work a trial takes where the disk has to be waited for."""

_RECORD = struct.Struct("=q40s32s")
_TICKET = struct.Struct("=I")
_TICKETS = 4_000
"""How many tickets surely fit a pipe."""

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST = 2_000
"""Signs of a path that the system surely takes at once."""

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}

FIELDS = attrgetter("st_mtime_ns", "st_size", "st_ino", "st_ctime_ns", "st_mode")


@dataclass(frozen=True, slots=True)
class Portion:
    """Some names of one folder, whose path is relative to the root."""

    folder: str
    names: Sequence[str]


Taken = tuple[int, bytes, bytes]
"""What became of a file, its stat and its hash."""


def open_folder(root: str, path: str) -> int:
    """A descriptor of a folder, however long its path; no symbolic link is followed below the root.

    Raises:
        OSError: it cannot be opened, or is no folder.
    """
    if len(path) < _LONGEST:
        return os.open(f"{root}/{path}" if path else root, _FOLDER if path else _FOLDER & ~os.O_NOFOLLOW)
    here = open_folder(root, "")
    for name in path.split("/"):
        above = here
        try:
            here = os.open(name, _FOLDER, dir_fd=above)
        finally:
            os.close(above)
    return here


def is_absent(error: OSError) -> bool:
    """Whether it says that there is no such file or folder, or none any more."""
    return error.errno in _ABSENT


def stat_of(found: os.stat_result) -> bytes:
    """The 40 bytes that tell whether a file changed; an inode beyond 63 bits is wrapped."""
    fields = FIELDS(found)
    try:
        return STAT.pack(*fields)
    except struct.error:
        return STAT.pack(*((value + (1 << 63)) % (1 << 64) - (1 << 63) for value in fields))


def take(name: str, folder: int) -> Taken:
    """Takes the content of one file of an open folder; of a symbolic link, where it points to."""
    try:
        file = os.open(name, _READ, dir_fd=folder)
    except OSError as error:
        return _not_opened(name, folder, error)
    try:
        for _ in range(_TRIES):
            before = os.fstat(file)
            if not stat.S_ISREG(before.st_mode):
                return TAKEN, stat_of(before), NOTHING
            digest = _digest(file, before.st_size)
            after = os.fstat(file)
            if digest is not None and (now := stat_of(after)) == stat_of(before):
                return TAKEN, now, digest
            os.lseek(file, 0, os.SEEK_SET)
    except OSError:
        return UNREADABLE, b"", b""
    finally:
        os.close(file)
    return UNSTABLE, b"", b""


def take_all(root: str, portions: Sequence[Portion]) -> Iterator[Taken]:
    """Takes the content of many files; answers in their order."""
    names = sum(len(portion.names) for portion in portions)
    if names < MANY or threading.active_count() > 1:  # a fork copies no thread, and may copy a lock that one holds
        for portion in portions:
            yield from _take(root, portion)
        return
    trial, rest = list(portions[:1]), portions[1:]
    started, worked = time.perf_counter(), time.process_time()
    for portion in trial:
        yield from _take(root, portion)
    is_cold = time.perf_counter() - started > _IDLE * max(time.process_time() - worked, 0.001)
    yield from _forked(root, rest, _WORKERS_ON_A_COLD_DISK if is_cold else min(_WORKERS, os.cpu_count() or 1))


def portions_of(folder: str, names: Sequence[str]) -> Iterator[Portion]:
    """The names of a folder, so many at a time that all workers are busy to the end."""
    for start in range(0, len(names), PORTION):
        yield Portion(folder, names[start : start + PORTION])


def _digest(file: int, size: int) -> bytes | None:
    """The SHA-256 of a file of this size, or None where it has another: one that grows is not read to its end."""
    if size <= BLOCK:
        data = os.read(file, size + 1)
        return hashlib.sha256(data).digest() if len(data) == size else None
    found, block, rest = hashlib.sha256(), memoryview(bytearray(BLOCK)), size
    while rest > 0 and (length := os.readv(file, [block])):
        found.update(block[:length])
        rest -= length
    return found.digest() if rest == 0 and not os.read(file, 1) else None


def _not_opened(name: str, folder: int, error: OSError) -> Taken:
    """What a name is that cannot be opened: a symbolic link, a socket, gone, or not for us."""
    if not is_absent(error):
        return UNREADABLE, b"", b""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISLNK(found.st_mode):
            return (UNSTABLE, b"", b"") if stat.S_ISREG(found.st_mode) else (TAKEN, stat_of(found), NOTHING)
        target = os.fsencode(os.readlink(name, dir_fd=folder))
    except OSError as again:
        return (GONE if is_absent(again) else UNREADABLE), b"", b""
    return TAKEN, stat_of(found), hashlib.sha256(target).digest()


def _take(root: str, portion: Portion) -> Iterator[Taken]:
    try:
        folder = open_folder(root, portion.folder)
    except OSError as error:
        yield from [(GONE if is_absent(error) else UNREADABLE, b"", b"")] * len(portion.names)
        return
    try:
        for name in portion.names:
            yield take(name, folder)
    finally:
        os.close(folder)


def _forked(root: str, portions: Sequence[Portion], workers: int) -> Iterator[Taken]:
    """Takes them in child processes; what a child that died did not come to is taken here."""
    starts = [0]
    for portion in portions:
        starts.append(starts[-1] + len(portion.names))
    with mmap.mmap(-1, max(starts[-1], 1) * _RECORD.size) as records:
        run_workers(workers, len(portions), lambda number: _fill(records, starts[number], root, portions[number]))
        for start, portion in zip(starts, portions, strict=False):
            found = [_RECORD.unpack_from(records, (start + at) * _RECORD.size) for at in range(len(portion.names))]
            yield from found if all(status for status, _, _ in found) else _take(root, portion)


def _fill(records: mmap.mmap, start: int, root: str, portion: Portion) -> None:
    for at, taken in enumerate(_take(root, portion), start):
        _RECORD.pack_into(records, at * _RECORD.size, *taken)


def run_workers(workers: int, tasks: int, task: Callable[[int], None]) -> None:
    """Runs tasks in forked processes, each of which draws the next ticket from one pipe until there is none."""
    step = -(-tasks // _TICKETS)
    drawn, drawing = os.pipe()
    os.write(drawing, b"".join(_TICKET.pack(number) for number in range(0, tasks, max(step, 1))))
    os.close(drawing)
    children: list[int] = []

    def portion(first: int) -> None:
        for number in range(first, min(first + step, tasks)):
            task(number)

    try:
        with contextlib.suppress(BlockingIOError):  # no process more for this user: what is left is done here
            while len(children) < workers:
                children.append(_child(drawn, portion))
        while children:
            os.waitpid(children[-1], 0)
            children.pop()
    finally:
        os.close(drawn)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _child(drawn: int, task: Callable[[int], object]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent was told too, and ends this one
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        while ticket := os.read(drawn, _TICKET.size):
            task(_TICKET.unpack(ticket)[0])
    finally:
        os._exit(0)
