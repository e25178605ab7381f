"""Files that are never half-written, and locks that free themselves."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shlex
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from utils.errors import AnglesError, BusyError

TEMPORARY = ".angles-"
"""How the names of temporary files begin; one stays behind only where a writer was killed."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_LONGEST_HOLDER = 200
_LOCK_POLL_SECONDS = 0.02


def write_atomic(path: Path, data: str | bytes, *, mode: int = 0o644) -> None:
    """Replaces a file as a whole, durably; makes its folder when that is missing. Text becomes UTF-8.

    A symbolic link stays one: the file that it points to is replaced. An existing file keeps its mode and, where this
    user may give it, its owner; `mode` (less the umask) is for a new one.

    Raises:
        AnglesError: it cannot be written; the old file is whole and no temporary file is left.
    """
    try:
        content = data.encode() if isinstance(data, str) else data
        _replace(Path(os.path.realpath(path)), content, mode)
    except UnicodeEncodeError as error:
        what = f"cannot be written: the text is no UTF-8 at character {error.start} ({error.reason})"
        raise AnglesError(str(path), what) from error
    except OSError as error:
        raise AnglesError(str(path), f"cannot be written ({error.strerror})", _remedy(error)) from error


@contextlib.contextmanager
def hold_lock(path: Path, *, wait: float = 0.0) -> Iterator[int]:
    """Holds an exclusive lock on a file, which is made when missing and never removed; yields its descriptor.

    A child process started with `pass_fds=(descriptor,)` shares the lock: it is free when the last of both has ended,
    however they end. The file names its holder for the message alone.

    Args:
        path: the lock file.
        wait: for how many seconds to try.

    Raises:
        BusyError: another run holds the lock.
        AnglesError: the lock file cannot be opened.
    """
    descriptor = _lock(path, time.monotonic() + wait)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def still_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is the one that the path names now: false after it was renamed, replaced or removed."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _replace(target: Path, content: bytes, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    old = _regular_file(target)
    temporary = target.with_name(f"{TEMPORARY}{os.urandom(6).hex()}.tmp")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600 if old else mode), "wb") as file:
            if old:
                _make_like(file.fileno(), old)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _regular_file(target: Path) -> os.stat_result | None:
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise AnglesError(str(target), "cannot be written: it is no regular file", "Name another one")
    return found


def _make_like(descriptor: int, old: os.stat_result) -> None:
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _sync_folder(folder: Path) -> None:
    """Makes the rename durable where that is possible: the file is in place already, so nothing is refused here."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remedy(error: OSError) -> str:
    if error.errno in _FULL:
        return "Free some space there; what was there before is whole"
    if error.errno in _FORBIDDEN:
        return "Make its folder writable for this user"
    return ""


def _lock(path: Path, deadline: float) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while (descriptor := _try_lock(path)) is None:
            if time.monotonic() >= deadline:
                raise BusyError(str(path), f"another run holds this lock{_holder(path)}", "Try again when it has ended")
            time.sleep(_LOCK_POLL_SECONDS)
    except OSError as error:
        raise AnglesError(str(path), f"cannot be locked ({error.strerror})", _remedy(error)) from error
    return descriptor


def _try_lock(path: Path) -> int | None:
    """The descriptor of the locked file, or None when it is held by another."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if still_at(descriptor, path):
                _sign(descriptor)
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    """Writes who holds the lock; on a full disk the lock holds unsigned."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {shlex.join(sys.orig_argv)}\n".encode("utf-8", "replace"), 0)


def _holder(path: Path) -> str:
    text = path.read_bytes()[: 4 * _LONGEST_HOLDER].decode("utf-8", "replace")
    pid, _, command = text.partition(" ")
    shown = "".join(sign if sign.isprintable() else " " for sign in command).strip()[:_LONGEST_HOLDER]
    return f" (pid {pid}: {shown})" if pid.isascii() and pid.isdigit() and shown else ""
