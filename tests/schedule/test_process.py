"""A run of a job is a child in a group of its own: what it says, how it is ended, what it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from utils.errors import BusyError
from utils.files import hold_lock
from utils.redact import Redactor
from utils.schedule import process
from utils.schedule.process import Command, Ended

SECRET = "correct-horse-battery"
REDACT = Redactor([SECRET]).redact


def command(folder: Path, code: str, limit: float = 30.0, lock: int | None = None, **env: str) -> Command:
    """A Python program as a job."""
    variables = {"PATH": os.environ["PATH"], **env}
    return Command([sys.executable, "-S", "-c", code], variables, folder / "logs" / "a.log", limit, lock)


def log(folder: Path) -> str:
    """What was kept."""
    return (folder / "logs" / "a.log").read_text(encoding="utf-8")


def test_output_and_code_of_a_run(tmp_path: Path) -> None:
    code = (
        f"import sys; print('one'); print('{SECRET}', file=sys.stderr, flush=True); print('\\x1b[31mred'); sys.exit(3)"
    )
    ended = process.run(command(tmp_path, code, RUN_ID="r1", PYTHONUNBUFFERED="1"), REDACT)
    assert (ended.code, ended.why, ended.said) == (3, "", "\\x1b[31mred")
    assert log(tmp_path) == "one\n[REDACTED:configured]\n\\x1b[31mred\n"


def test_a_last_line_that_is_not_ended_is_kept(tmp_path: Path) -> None:
    assert process.run(command(tmp_path, "print('no end', end='')"), REDACT).said == "no end"


def test_output_is_capped_and_a_line_that_never_ends_is_cut(tmp_path: Path) -> None:
    code = "print('a' * 300_000); print('b' * 100); [print('c' * 999) for _ in range(3000)]; print('the end')"
    ended = process.run(command(tmp_path, code), REDACT)
    kept = log(tmp_path)
    assert ended.said == "the end"
    assert len(kept) < process.LOG_BYTES + 2000
    assert kept.endswith("(more was said, which is not kept)\n")
    assert kept.count("a") < 140_000


def test_a_run_that_takes_too_long_is_ended_with_all_of_its_group(tmp_path: Path) -> None:
    code = """
import subprocess, sys, time
inner = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])
print(inner.pid, flush=True)
time.sleep(60)
"""
    ended = process.run(command(tmp_path, code, limit=1.0), REDACT)
    assert (ended.code, ended.why) == (-15, "took too long")
    _until(lambda: _is_gone(int(ended.said)))


def test_who_does_not_hear_term_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    ended = process.run(command(tmp_path, code, limit=1.0), REDACT, kill_after=0.3)
    assert (ended.code, ended.why, ended.said) == (-9, "took too long", "deaf")
    assert ended.seconds < 20


def test_a_run_is_ended_when_it_is_asked_to(tmp_path: Path) -> None:
    begun = time.monotonic()
    ended = process.run(
        command(tmp_path, "import time; time.sleep(60)"),
        REDACT,
        lambda: "stopped" if time.monotonic() > begun + 0.3 else "",
    )
    assert (ended.code, ended.why) == (-15, "stopped")


def test_a_grandchild_that_holds_the_output_open_holds_nobody_up(tmp_path: Path) -> None:
    code = """
import subprocess, sys
inner = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])
print(inner.pid, flush=True)
"""
    ended = process.run(command(tmp_path, code), REDACT)
    assert (ended.code, ended.why) == (0, "")
    assert ended.seconds < 20
    _until(lambda: _is_gone(int(ended.said)))


def test_a_child_that_closes_its_output_is_waited_for(tmp_path: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(0.5); os._exit(4)"
    assert process.run(command(tmp_path, code), REDACT).code == 4


def test_the_child_holds_the_lock_as_long_as_it_lives(tmp_path: Path) -> None:
    """A scheduler that was killed leaves neither a stale lock nor an overlap."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from pathlib import Path
from utils.files import hold_lock
from utils.schedule.process import Command, run
folder = Path({str(tmp_path)!r})
with hold_lock(folder / 'lock') as lock:
    run(Command([sys.executable, '-S', '-c', "import time; print('up', flush=True); time.sleep(60)"],
                {{}}, folder / 'logs' / 'a.log', 60, lock), str)
"""
    scheduler = subprocess.Popen([sys.executable, "-c", code])
    _until(lambda: (tmp_path / "logs" / "a.log").is_file() and log(tmp_path) == "up\n")
    (child,) = psutil.Process(scheduler.pid).children()
    scheduler.kill()
    scheduler.wait()
    with pytest.raises(BusyError), hold_lock(tmp_path / "lock"):
        pass
    child.kill()
    _until(lambda: _is_gone(child.pid))
    with hold_lock(tmp_path / "lock", wait=5):
        pass


def test_old_logs_are_removed(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}.log").write_text("", encoding="utf-8")
        os.utime(tmp_path / f"{number}.log", (number, number))
    process.prune(tmp_path, keep=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["5.log", "6.log", "7.log"]


def test_what_cannot_be_started_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        process.run(Command(["/nowhere/python"], {}, tmp_path / "a.log", 1.0), REDACT)
    assert Ended(0, 1.0).why == ""


def _is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
