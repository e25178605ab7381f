"""Runs a script and kills it, as `kill -9` would, at the n-th of its moments; 0 counts them.

    python tests/backup/moments.py N COUNT_FILE SCRIPT [ARGUMENT …]

A moment is just before it starts a process, writes, renames or removes a file other than its logs, or waits for an
answer of the database, be it by PostgreSQL's protocol or by REST: between two of them nothing happens outside.
"""

from __future__ import annotations

import itertools
import os
import runpy
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WRITES = os.O_WRONLY | os.O_RDWR
OUTSIDE = {"subprocess.Popen", "os.rename", "os.remove", "tempfile.mkdtemp", "shutil.rmtree"}


def main(number: int, count_file: str, script: str, *arguments: str) -> None:
    """Runs it."""
    counter = itertools.count(1)
    log = os.open(count_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def moment(what: str) -> None:
        this = next(counter)
        if this == number:
            os.kill(os.getpid(), signal.SIGKILL)
        if not number:
            os.write(log, f"{this} {what}\n".encode())

    def audit(event: str, given: tuple[Any, ...]) -> None:
        path = str(given[0]) if given else ""
        is_inner = event in {"open", "os.remove"} and not path.startswith("/")  # of what is open, of what a tree goes
        is_write = event in OUTSIDE or (event == "open" and given[2] & WRITES)
        if is_write and not is_inner and not path.startswith("/dev/") and "/logs/" not in path:
            moment(f"{event} {path}")

    sys.path.insert(0, str(ROOT))
    import httpx
    import psycopg

    import utils.git_helpers  # noqa: F401 - git's own version is asked for when it is imported

    for owner, name in ((psycopg.Connection, "wait"), (httpx.Client, "send")):
        setattr(owner, name, told(getattr(owner, name), moment, f"{owner.__name__}.{name}"))
    sys.addaudithook(audit)
    sys.argv = [script, *arguments]
    sys.dont_write_bytecode = True
    runpy.run_path(str(ROOT / script), run_name="__main__")


def told(function: Callable[..., Any], moment: Callable[[str], None], what: str) -> Callable[..., Any]:
    """A function that says first that it is called."""

    def called(*arguments: Any, **options: Any) -> Any:
        moment(what)
        return function(*arguments, **options)

    return called


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
