"""The way to the database, in a child process: a scheduler that runs for months stays small, and never hangs on a call.

The child answers one JSON line a call, on the store that the settings name, and ends with its parent. A call that
takes too long ends the child; the next call starts another.

  python -m utils.schedule.messenger     the child
"""

from __future__ import annotations

import contextlib
import json
import selectors
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from utils import errors, script
from utils.errors import AnglesError, ServiceError

if TYPE_CHECKING:
    from utils.config import Settings

CALL_SECONDS = 60.0
IDLE_SECONDS = 300.0
"""After which a child that nobody asks ends by itself."""


@dataclass
class Messenger:
    """A `Transport` for the calls of functions. Thread-safe: one call at a time."""

    command: Sequence[str] = (sys.executable, "-m", "utils.schedule.messenger")
    seconds: float = CALL_SECONDS
    _child: subprocess.Popen[bytes] | None = None
    _one: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        """Calls a function of the database. See `Transport.call`."""
        with self._one:
            try:
                answer = self._asked(json.dumps([function, payload], default=str).encode() + b"\n")
            except (OSError, EOFError, ValueError) as error:
                self._end()
                raise ServiceError("vault", f"no answer ({error or type(error).__name__})") from error
        if "error" in answer:
            raise ServiceError("vault", answer["error"].removeprefix("vault: ").rstrip("."))
        return answer["answer"]

    def read(self, table: str, after: str | None, limit: int) -> list[dict[str, Any]]:
        """Not carried: the scheduler reads no table."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends the child, and a call that waits for it."""
        if (child := self._child) is not None:
            child.kill()
        with self._one:
            self._end()

    def _asked(self, line: bytes) -> Any:
        child = self._running()
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - they are pipes
        child.stdin.write(line)
        child.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            if not selector.select(self.seconds):
                raise TimeoutError(f"none within {self.seconds:.0f} s")
        if not (answer := child.stdout.readline()):
            raise EOFError("its process ended, see scheduler.log")
        return json.loads(answer)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self._end()
        if self._child is None:
            from utils.config import ROOT

            pipe = subprocess.PIPE
            self._child = subprocess.Popen(
                self.command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, start_new_session=True
            )
        return self._child

    def _end(self) -> None:
        if self._child is None:
            return
        child, self._child = self._child, None
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        child.kill()
        child.wait()


def main() -> int:
    """Answers calls until stdin ends, or nobody asks."""
    return script.run("scheduler", _serve)


def _serve(run: script.Run) -> int:
    from utils import config, services

    settings = config.load(notion=False)
    with selectors.DefaultSelector() as selector, services.database(settings) as filled:
        selector.register(sys.stdin, selectors.EVENT_READ)
        _answer_all(run, filled, selector)
    return errors.OK


def _answer_all(run: script.Run, settings: Settings, selector: selectors.BaseSelector) -> None:
    from utils import services

    with services.vault(settings) as vault:
        while selector.select(IDLE_SECONDS) and (line := sys.stdin.readline()):
            function, payload = json.loads(line)
            try:
                answer = {"answer": vault.transport.call(function, payload)}
            except AnglesError as failure:
                answer = {"error": run.redactor.redact(str(failure))}
            sys.stdout.write(json.dumps(answer, default=str) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
