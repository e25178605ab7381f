"""One run of a job: a child in a session and process group of its own, its output in a log, its end in time."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from utils.logs import escaped

LOG_BYTES = 1_000_000
"""What is kept of a run's output."""

KILL_SECONDS = 10.0
"""What a group gets between TERM and KILL."""

LOGS_KEPT = 50
_LINE_BYTES = 65_536
_LAST_READS = 100
_LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Command:
    """What to start, and how.

    Args:
        line: the program and its arguments.
        env: all of its variables.
        log: where its output goes; the newest logs of a folder are kept.
        limit: seconds after which it is ended.
        lock: the descriptor of a lock that the child holds as long as it lives; None for none.
    """

    line: Sequence[str]
    env: Mapping[str, str]
    log: Path
    limit: float
    lock: int | None = None


@dataclass(frozen=True)
class Ended:
    """How a run ended: a negative code is a signal; `why` says who ended it; `said` is its last line, redacted."""

    code: int
    seconds: float
    why: str = ""
    said: str = ""


def run(
    command: Command, redact: Callable[[str], str], asked: Callable[[], str] = str, *, kill_after: float = KILL_SECONDS
) -> Ended:
    """Runs a command to its end; nothing of its group is left then.

    Args:
        command: what to start.
        redact: takes the secrets out of a line.
        asked: looked at several times a second: why it should be ended now, or ''.
        kill_after: seconds between TERM and KILL.

    Raises:
        OSError: it cannot be started, or its log not be made.
    """
    command.log.parent.mkdir(parents=True, exist_ok=True)
    prune(command.log.parent)
    started = time.monotonic()
    with command.log.open("ab") as log:
        child = subprocess.Popen(
            command.line,
            env=command.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=() if command.lock is None else (command.lock,),
        )
        assert child.stdout is not None  # noqa: S101 - it is a pipe
        with child.stdout as pipe:
            output = _Output(log, redact)
            try:
                why = _attend(child.pid, pipe, output, _Patience(started + command.limit, asked, kill_after))
            finally:
                _end_group(child.pid, signal.SIGKILL)
                code = child.wait()
            output.close()
    return Ended(code, time.monotonic() - started, why, output.last)


def prune(folder: Path, keep: int = LOGS_KEPT) -> None:
    """Removes all but the newest logs of a folder."""
    logs = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
    for old in logs[: -keep or None]:
        old.unlink(missing_ok=True)


@dataclass
class _Patience:
    """When a run is told to end, and when it is made to."""

    deadline: float
    asked: Callable[[], str]
    kill_after: float
    why: str = ""
    kill_at: float = 0.0

    def look(self, pid: int) -> None:
        """Sends what is due now."""
        now = time.monotonic()
        if self.why:
            if now >= self.kill_at:
                _end_group(pid, signal.SIGKILL)
            return
        self.why = self.asked() or ("took too long" if now >= self.deadline else "")
        if self.why:
            self.kill_at = now + self.kill_after
            _end_group(pid, signal.SIGTERM)


def _attend(pid: int, pipe: IO[bytes], output: _Output, patience: _Patience) -> str:
    """Reads what the child says until it has ended; answers why it was ended, or ''."""
    os.set_blocking(pipe.fileno(), False)
    pause = 0.005
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not _has_ended(pid):
            patience.look(pid)
            if not selector.get_map():  # it closed its output, and is about to end
                time.sleep(pause)
                pause = min(pause * 2, _LOOK_SECONDS)
            elif selector.select(_LOOK_SECONDS) and not output.take(pipe):
                selector.unregister(pipe)
        _end_group(pid, signal.SIGKILL)  # what it left behind says nothing more
        for _ in range(_LAST_READS):
            if not output.take(pipe):
                break
    return patience.why


def _has_ended(pid: int) -> bool:
    """Whether the child has ended. It stays a zombie meanwhile, so that its group's number is nobody else's."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


@dataclass
class _Output:
    """What a child says, line by line, redacted, and cut where it is too much."""

    log: IO[bytes]
    redact: Callable[[str], str]
    last: str = ""
    _rest: bytes = field(default=b"", repr=False)
    _written: int = 0
    _skipping: bool = False

    def take(self, pipe: IO[bytes]) -> bool:
        """Takes what is there; false at the end, or where nothing is there now."""
        try:
            data = os.read(pipe.fileno(), _LINE_BYTES)
        except BlockingIOError:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > _LINE_BYTES:
            self._line(self._rest)
            self._rest, self._skipping = b"", True
        return bool(data)

    def close(self) -> None:
        """The last line, where it was not ended."""
        if self._rest:
            self._line(self._rest)

    def _line(self, data: bytes) -> None:
        if self._skipping:  # the rest of a line that was too long: half a secret would not be known
            self._skipping = False
            return
        text = escaped(self.redact(data[:_LINE_BYTES].decode("utf-8", "replace").rstrip()))
        self.last = text or self.last
        if self._written > LOG_BYTES:
            return
        kept = text.encode() + b"\n"
        self._written += len(kept)
        with contextlib.suppress(OSError):  # a full disk ends no job
            self.log.write(kept if self._written <= LOG_BYTES else b"(more was said, which is not kept)\n")
            self.log.flush()
