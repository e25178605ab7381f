"""Tries every promise of the README on this installation, and leaves nothing behind.

Each step is a script of this project in a mode that changes nothing, started as a child process with a time limit. A
step passes, fails, or is skipped because its service is not configured; each that does not pass says what to do.

  python verify_deployment.py                all steps
  python verify_deployment.py --check NAME   one step; may be repeated
  python verify_deployment.py --list         the steps and their commands
  python verify_deployment.py --json         the results as one JSON document

The results of all steps are kept in logs/active/verify_report.json.

Exit codes: 0 nothing failed; 1 a step failed; 2 usage; 130 interrupted.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from utils import script
from utils.errors import INTERRUPTED, OK, PROBLEMS, AnglesError

ROOT = Path(__file__).resolve().parent
REPORT = Path("logs", "active", "verify_report.json")
SCHEMA = 1
AT_ONCE = 3
"""How many steps run at the same time."""

PASS, FAIL, SKIP = "PASS", "FAIL", "SKIP"
UNSET = re.compile(r"not configured|: not set|no backup was made yet")
"""How scripts and checks say that there is nothing to try."""

SAMPLE = "Decision: The deployment of this backend is verified before every release."
SECRET = "DB_PASSWORD=x9Kq2LmP7wZt4R postgres://angles:x9Kq2LmP7wZt4R@db.example.org/postgres"  # noqa: S105 made up
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
        asks: of a page that it serves: the paths, and by which statuses each answers.
        seconds: its time limit.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    given: str = ""
    shows: str = ""
    good: tuple[int, ...] = (OK,)
    asks: tuple[tuple[str, tuple[int, ...]], ...] = ()
    seconds: float = 120.0


STEPS = (
    Step("packages", ("backend_monitor.py", "--json", "--check", "python", "--check", "packages"), good=(0, 1)),
    Step("configuration", ("backend_monitor.py", "--json", "--check", "environment"), good=(0, 1)),
    Step("migrations", ("run_migration.py", "--status"), shows=r"applied, 0 pending$"),
    Step("schema", ("run_migration.py", "--verify"), needs=("migrations",)),
    Step("vault", ("backend_monitor.py", "--json", "--deep", "--check", "write-probe"), needs=("migrations",)),
    Step("notion", ("memory_sync.py", "--test"), needs=("migrations",)),
    Step("sync", ("memory_sync.py", "--dry-run"), needs=("migrations", "notion"), good=(OK, PROBLEMS), seconds=600),
    Step(
        "intake",
        ("memory_sync.py", "--process", "-", "--dry-run"),
        needs=("migrations",),
        given=SAMPLE,
        shows=r"\b1 (decision taken in|to review|known already)",
    ),
    Step("files", ("autosync_files.py", "--dry-run"), good=(OK, PROBLEMS), seconds=600),
    Step(
        "redaction",
        ("-m", "utils.redact"),
        given=json.dumps({"text": SECRET}),
        shows=r"^(?!.*x9Kq2LmP7wZt4R).*\[REDACTED:.*\[REDACTED:",
    ),
    Step("backup", ("run_backup_now.py", "--dry-run"), needs=("migrations",), seconds=600),
    Step("restore", ("restore_from_github.py", "--dry-run"), needs=("migrations",), seconds=600),
    Step("restore-test", ("restore_from_github.py", "--test-restore", "--dry-run"), ("backup", "restore"), seconds=600),
    Step("scheduler", ("scheduler.py", "--check")),
    Step(
        "page",
        ("backend_monitor.py", "--serve", "--port", PORT),
        good=(OK, INTERRUPTED),
        asks=(("/ping", (200,)), ("/health", (200, 503)), ("/", (200,)), ("/metrics", (200,))),
    ),
    Step("alerts", ("backend_monitor.py", "--test-alert", "--dry-run")),
)


@dataclass(frozen=True)
class Result:
    """What became of a step; `hint` is empty where it passed."""

    step: str
    outcome: str
    seconds: float
    said: str
    hint: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    parser = script.parser("verify_deployment", __doc__)
    names = [step.name for step in STEPS]
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", metavar="NAME", action="append", choices=names, help=", ".join(names))
    what.add_argument("--list", action="store_true", help="the steps and their commands")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(argv)
    return script.run("verify_deployment", lambda run: _run(run, options), as_json=options.json)


def _run(run: script.Run, options: argparse.Namespace) -> int:
    if options.list:
        for step in STEPS:
            run.say(f"{step.name:<13} {' '.join(step.command)}")
        return OK
    results = []
    for result in _results([step for step in STEPS if not options.check or step.name in options.check]):
        results.append(result)
        run.log.info("%s %s: %s", result.outcome, result.step, result.said)
        if run.as_json or not sys.stdout.isatty():
            run.say(f"{result.outcome} {result.step:<13} {result.said}" + (f" | {result.hint}" if result.hint else ""))
    if not run.as_json and sys.stdout.isatty():
        _show(results)
    count = {outcome: sum(each.outcome == outcome for each in results) for outcome in (PASS, FAIL, SKIP)}
    code = PROBLEMS if count[FAIL] else OK
    document = {"schema": SCHEMA, "at": run.now.isoformat(), "run": run.id, "exit_code": code}
    document |= {"steps": [asdict(each) for each in results]}
    if not options.check:
        _keep(run, document)
    if options.json:
        run.document(document)
    run.say(
        f"{run.component}: " + ", ".join(f"{many} {word}" for word, many in count.items()) + f"; {run.seconds:.1f} s"
    )
    return code


def _results(steps: Sequence[Step]) -> Iterator[Result]:
    """Tries steps, `AT_ONCE` at a time, each after those that it needs; answers in their order."""
    children: list[subprocess.Popen[str]] = []
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
            while not all(each.done() for each in tried.values()):
                for child in list(children):
                    child.terminate()
                time.sleep(0.1)
            raise


def _tried(step: Step, before: Sequence[Future[Result]], children: list[subprocess.Popen[str]]) -> Result:
    failed = next((each.result().step for each in before if each.result().outcome == FAIL), "")
    if failed:
        return Result(step.name, SKIP, 0.0, f"needs {failed}", f"Mend {failed} first")
    started, port = time.monotonic(), _free_port()
    command = [sys.executable, *(str(port) if each == PORT else each for each in step.command)]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True, errors="replace")
    children.append(child)
    wrong = _asked(child, step, port) if step.asks else ""
    try:
        said, noted = child.communicate(step.given, timeout=step.seconds)
    except subprocess.TimeoutExpired:
        child.kill()
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
            if status not in statuses:
                return f"{path} answers {status}" if status else f"{path} is not answered"
    finally:
        child.terminate()
    return ""


def _status(port: int, path: str) -> int | None:
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
        code, said, noted: the child's exit code, stdout and stderr.
        wrong: what went wrong before it ended, or ''.
    """
    told, hint, well = _findings(said) if "--json" in step.command else _last_line(code, said, noted)
    if well and not wrong and code in step.good and re.search(step.shows, said, re.MULTILINE):
        return PASS, told, ""
    if not wrong and UNSET.search(told):
        return SKIP, told, hint
    wrong = wrong or (f"ended with {code}" if code not in step.good else "")
    return FAIL, ": ".join(filter(None, (wrong, told))), hint or f"Look: python {' '.join(step.command)}"


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
    told, _, hint = line.partition(": ")[2].partition(". ")
    return told or line, hint.rstrip("."), True


def _keep(run: script.Run, document: Mapping[str, object]) -> None:
    from utils import config
    from utils.files import write_atomic

    try:
        write_atomic(config.home() / REPORT, json.dumps(run.redactor.redact_json(document), indent=1) + "\n")
    except AnglesError as unwritable:
        run.note(f"the results are not kept: {unwritable}")


def _show(results: Sequence[Result]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("step", "outcome", "seconds", "what is seen, and what to do", box=None, pad_edge=False)
    for each in results:
        told = Text(each.said)
        if each.hint:
            told.append(f"\n{each.hint}", style="italic dim")
        outcome = Text(each.outcome, style={PASS: "green", FAIL: "red", SKIP: "dim"}[each.outcome])
        table.add_row(each.step, outcome, f"{each.seconds:.1f}", told)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
