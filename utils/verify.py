"""Tries steps: each a child process with a time limit, whose exit code and words say whether it passed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from utils.errors import OK, PROBLEMS

if TYPE_CHECKING:
    from concurrent.futures import Future

AT_ONCE = 3
"""How many steps run at the same time."""

PASS, FAIL, SKIP = "PASS", "FAIL", "SKIP"
UNSET = re.compile(r"not configured|: not set|no backup was made yet")
"""How scripts and checks say that there is nothing to try."""

PORT = "PORT"
"""Stands for a free port in a command."""

PAGE_SECONDS = 30.0


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        name: of what is promised.
        command: a script and its arguments.
        needs: the steps before it; it is skipped where one of them failed.
        given: its stdin.
        shows: what its stdout must match.
        good: its exit codes that pass.
        hint: what to do where it does not say it itself.
        asks: of a page that it serves: the paths, and by which statuses each answers.
        seconds: its time limit.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    given: str = ""
    shows: str = ""
    good: tuple[int, ...] = (OK,)
    hint: str = ""
    asks: tuple[tuple[str, tuple[int, ...]], ...] = ()
    seconds: float = 120.0


@dataclass(frozen=True)
class Result:
    """What became of a step; `hint` is empty where it passed."""

    step: str
    outcome: str
    seconds: float
    said: str
    hint: str = ""


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """A file is afterwards as it was before, or is not there again."""
    from utils.files import write_atomic

    before = path.read_bytes() if path.is_file() else None
    try:
        yield
    finally:
        if before is None:
            path.unlink(missing_ok=True)
        else:
            write_atomic(path, before)


def results(steps: Sequence[Step]) -> Iterator[Result]:
    """Tries steps, `AT_ONCE` at a time, each after those that it needs; answers in their order."""
    from concurrent.futures import ThreadPoolExecutor

    children = _Children()
    tried: dict[str, Future[Result]] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for step in steps:
                before = [tried[name] for name in step.needs if name in tried]
                tried[step.name] = pool.submit(_tried, step, before, children)
            for future in tried.values():
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            children.stop()
            raise


@dataclass
class _Children:
    """All that were started; who starts one after `stop` ends it as well."""

    started: list[subprocess.Popen[str]] = field(default_factory=list)
    stopping: bool = False

    def add(self, child: subprocess.Popen[str]) -> None:
        self.started.append(child)
        if self.stopping:
            child.terminate()

    def stop(self) -> None:
        self.stopping = True
        for child in self.started:
            child.terminate()


def _tried(step: Step, before: Sequence[Future[Result]], children: _Children) -> Result:
    from utils.config import ROOT

    failed = next((each.result().step for each in before if each.result().outcome == FAIL), "")
    if failed:
        return Result(step.name, SKIP, 0.0, f"needs {failed}", f"Mend {failed} first")
    started, port = time.monotonic(), _free_port()
    command = [sys.executable, *(str(port) if each == PORT else each for each in step.command)]
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    children.add(child)
    wrong = _asked(child, step, port) if step.asks else ""
    try:
        said, noted = child.communicate(step.given, timeout=step.seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        said, noted = child.communicate()
        wrong = f"took over {step.seconds:.0f} s and was ended"
    outcome, told, hint = judged(step, child.returncode, said, noted, wrong)
    return Result(step.name, outcome, round(time.monotonic() - started, 1), told, hint)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def _asked(child: subprocess.Popen[str], step: Step, port: int) -> str:
    """Asks a page for what it must answer, and ends it; what went wrong, or ''."""
    ends = time.monotonic() + PAGE_SECONDS
    try:
        for path, statuses in step.asks:
            while (status := _status(port, path)) is None and child.poll() is None and time.monotonic() < ends:
                time.sleep(0.1)
            if child.poll() is not None:
                return "it does not serve"
            if status not in statuses:
                return f"{path} answers {status}" if status else f"{path} is not answered"
    finally:
        child.terminate()
    return ""


def _status(port: int, path: str) -> int | None:
    import http.client

    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None


def judged(step: Step, code: int, said: str, noted: str, wrong: str = "") -> tuple[str, str, str]:
    """What an ended child means: the outcome, a line, and what to do.

    Args:
        step: that was tried.
        code: the child's exit code.
        said: its stdout.
        noted: its stderr.
        wrong: what went wrong before it ended, or ''.
    """
    told, hint, well = _findings(said) if "--json" in step.command else _last_line(code, said, noted)
    if step.asks and not wrong:
        told = f"{', '.join(path for path, _ in step.asks)} answer"
    if well and not wrong and code in step.good and re.search(step.shows, said, re.MULTILINE):
        return PASS, told, ""
    if not wrong and UNSET.search(told):
        return SKIP, told, hint
    wrong = wrong or (f"ended with {code}" if code not in step.good else "")
    return FAIL, ": ".join(filter(None, (wrong, told))), hint or step.hint or f"Look: python {' '.join(step.command)}"


def _findings(said: str) -> tuple[str, str, bool]:
    """What the monitor found: in a line, the hint of the first that is not well, and whether all are."""
    try:
        results = json.loads(said)["results"]
    except (ValueError, KeyError):
        return said.strip(), "", False
    ill = [each for each in results if each["state"] not in {"up", "warn"}]
    return "; ".join(each["fact"] for each in ill or results), next((each["hint"] for each in ill), ""), not ill


def _last_line(code: int, said: str, noted: str) -> tuple[str, str, bool]:
    """What a script said last, and what to do; its error is on stderr. The name before it is left out."""
    lines = (noted, said) if code not in {OK, PROBLEMS} else (said, noted)
    line = next((each[-1] for text in lines if (each := text.split("\n")[:-1])), "")
    told, _, hint = re.sub(r"^\w+: ", "", line).partition(". ")
    return told, hint.rstrip("."), True
