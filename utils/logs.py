"""Logs: one text file per component, shared by its processes, or JSON lines on stderr; redacted, injection-proof."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import logging
import os
import re
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from utils.files import still_at

MAX_BYTES = 10_000_000
BACKUPS = 5

_FILES = {
    "autosync_files": "active/autosync.log",
    "backend_monitor": "active/system_health.log",
    "restore_from_github": "backup.log",
    "run_backup_now": "backup.log",
    "run_migration": "active/migration.log",
    "verify_deployment": "active/verify.log",
}
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_CHATTY = ("httpcore", "httpx", "notion_client", "psycopg")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

Redact = Callable[[str], str]


def log_file(component: str) -> str:
    """Where a component logs, relative to the folder `logs/`: `memory_sync` logs to `active/memory_sync.log`."""
    return _FILES.get(component, f"active/{component}.log")


def setup(
    component: str,
    folder: Path | None,
    *,
    run_id: str,
    json_lines: bool,
    verbose: bool,
    redactor: Redact,
) -> logging.Logger:
    """Sends what this process logs to where it belongs; answers the component's logger. May be called again.

    The log file and its folder appear with the first record. What cannot be written is told once on stderr and ends
    nothing. Other programs' loggers speak from WARNING on.

    Args:
        component: the script's name without `.py`.
        folder: `logs/`; None writes no file (a dry run that may leave nothing behind).
        run_id: joins the lines of one run; a sign without blanks.
        json_lines: JSON objects on stderr, one a line, instead of text files.
        verbose: also DEBUG.
        redactor: takes the secrets out of a text; messages and tracebacks go through it.
    """
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, (SharedFile, _Stderr))]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(logging.WARNING)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("utils", component):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    words = (component, "".join(run_id.split()) or "-", redactor)
    speaker = _Stderr(logging.NOTSET if json_lines else logging.WARNING)
    speaker.setFormatter(_Json(*words) if json_lines else _Console(*words))
    root.addHandler(speaker)
    if folder is not None and not json_lines:
        writer = SharedFile(folder / log_file(component), component)
        writer.setFormatter(_Text(*words))
        root.addHandler(writer)
    return logging.getLogger(component)


class SharedFile(logging.Handler):
    """Appends to a file that several processes write and any of them rotates; no line is lost or torn.

    Each record is one write with O_APPEND. Before it the file's identity is compared with the open one's, so that a
    writer follows a rotation made by another process. A rotation is made under a lock on the file itself and never
    waited for: who does not get the lock writes on. `app.log` becomes `app.log.1`, that `app.log.2`, up to `backups`.
    """

    def __init__(self, path: Path, component: str, *, max_bytes: int = MAX_BYTES, backups: int = BACKUPS) -> None:
        super().__init__()
        self._path, self._component = path, component
        self._max_bytes, self._backups = max_bytes, backups
        self._descriptor = -1
        self._torn = self._told = False

    def emit(self, record: logging.LogRecord) -> None:
        """Appends one record; never raises for a disk's sake."""
        data = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
        try:
            if self._size() + len(data) > self._max_bytes:
                self._rotate()
            self._write(data)
        except OSError as error:
            self._tell(f"cannot be written ({error.strerror}); going on without it")

    def close(self) -> None:
        """Lets go of the file."""
        self._close()
        super().close()

    def _size(self) -> int:
        """The size in bytes of the file that the path names now; it is the open one afterwards."""
        if self._descriptor < 0 or not still_at(self._descriptor, self._path):
            self._open()
        return os.fstat(self._descriptor).st_size

    def _open(self) -> None:
        self._close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, _APPEND, 0o640)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, data: bytes) -> None:
        rest = b"\n" + data if self._torn else data
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
            self._torn = bool(rest)

    def _rotate(self) -> None:
        """Shifts the files by one, unless another process is at it or was just now; the current one is open then.

        The lock is taken on a descriptor of its own, since a forked process shares the other one and its lock. The last
        rename is what lets the next rotation begin, so that two never overlap.
        """
        descriptor = os.open(self._path, _APPEND, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and found.st_size and still_at(descriptor, self._path):
                self._shift()
        except BlockingIOError:
            return
        except OSError as error:
            self._tell(f"cannot be rotated ({error.strerror}); it grows on")
        finally:
            os.close(descriptor)
        self._open()

    def _shift(self) -> None:
        names = [self._path, *(Path(f"{self._path}.{number}") for number in range(1, self._backups + 1))]
        for older, newer in itertools.pairwise(reversed(names)):
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)

    def _tell(self, what: str) -> None:
        if not self._told:
            self._told = True
            to_stderr(f"{self._component}: log {self._path} {what}.")


class _Stderr(logging.Handler):
    """Writes to whatever `sys.stderr` is at the time (a progress bar may stand there), and flushes."""

    def emit(self, record: logging.LogRecord) -> None:
        to_stderr(self.format(record))


class _Form(logging.Formatter):
    """What all forms share: the secrets are taken out here, so that tracebacks are covered too."""

    def __init__(self, component: str, run_id: str, redactor: Redact) -> None:
        super().__init__()
        self._component, self._run_id, self._redact = component, run_id, redactor

    def message(self, record: logging.LogRecord) -> str:
        """The redacted message; another program's begins with the name of its logger."""
        try:
            text = record.getMessage()
        except Exception as error:  # noqa: BLE001 - an argument's own __str__ may raise anything, and a log ends nothing
            text = f"a log line of {record.module}:{record.lineno} cannot be formatted ({type(error).__name__})"
        ours = record.name in {self._component, "root"} or record.name.partition(".")[0] == "utils"
        return self._redact(text if ours else f"{record.name}: {text}")

    def traceback(self, record: logging.LogRecord) -> str:
        """The redacted traceback and stack, or ''."""
        parts = [self.formatException(record.exc_info)] if record.exc_info else []
        parts += [record.stack_info] if record.stack_info else []
        return self._redact("\n".join(parts))


class _Text(_Form):
    """`2026-11-24T12:00:00.123Z INFO memory_sync 1a2b3c message`, a traceback indented under it."""

    def format(self, record: logging.LogRecord) -> str:
        head = f"{_stamp(record)} {record.levelname} {self._component} {self._run_id} {self.message(record)}"
        lines = [escaped(head), *(f"    {escaped(line)}" for line in self.traceback(record).splitlines())]
        return "\n".join(lines)


class _Json(_Form):
    """An object a line: time, level, component, run, message and, where there is one, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": _stamp(record),
            "level": record.levelname,
            "component": self._component,
            "run": self._run_id,
            "message": self.message(record),
        }
        if traceback := self.traceback(record):
            fields["traceback"] = traceback
        return json.dumps(fields)


class _Console(_Form):
    """`memory_sync: message`, for the person who watches."""

    def format(self, record: logging.LogRecord) -> str:
        return escaped(f"{self._component}: {self.message(record)}")


def _stamp(record: logging.LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def escaped(text: str) -> str:
    """The text on one line: what ends one, moves a cursor, turns the reading or cannot be encoded is spelled out."""
    return _UNSAFE.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)


def to_stderr(line: str) -> None:
    """Says a line where there is somebody to hear it: stderr may be closed, gone, or a full disk."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
