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
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from utils import script
from utils.errors import INTERRUPTED, OK, PROBLEMS, AnglesError
from utils.verify import FAIL, PASS, PORT, SKIP, Result, Step, results, unchanged

REPORT = Path("logs", "active", "verify_report.json")
SCHEMA = 1
PAGE_FILE = Path("logs", "active", "dashboard.json")
"""Where whoever serves the page says so: that of this run is not to be taken for it."""

SAMPLE = "Decision: The deployment of this backend is verified before every release."
SECRET = "DB_PASSWORD=x9Kq2LmP7wZt4R postgres://angles:x9Kq2LmP7wZt4R@db.example.org/postgres"  # noqa: S105 made up

STEPS = (
    Step("packages", ("backend_monitor.py", "--json", "--check", "python", "--check", "packages"), good=(0, 1)),
    Step("configuration", ("backend_monitor.py", "--json", "--check", "environment"), good=(0, 1)),
    Step(
        "migrations",
        ("run_migration.py", "--status"),
        shows=r"applied, 0 pending$",
        hint="Run: python run_migration.py",
    ),
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
    Step(
        "restore-test",
        ("restore_from_github.py", "--test-restore", "--dry-run"),
        ("migrations", "backup", "restore"),
        seconds=600,
    ),
    Step("scheduler", ("scheduler.py", "--check")),
    Step(
        "page",
        ("backend_monitor.py", "--serve", "--port", PORT),
        good=(OK, INTERRUPTED),
        asks=(("/ping", (200,)), ("/health", (200, 503)), ("/", (200,)), ("/metrics", (200,))),
    ),
    Step("alerts", ("backend_monitor.py", "--test-alert", "--dry-run")),
)


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
    from utils import config

    if options.list:
        return _list(run)
    wanted = [step for step in STEPS if not options.check or step.name in options.check]
    with unchanged(config.home() / PAGE_FILE):
        come = [_told(run, result) for result in results(wanted)]
    if not run.as_json and sys.stdout.isatty():
        _show(run, come)
    count = {outcome: sum(each.outcome == outcome for each in come) for outcome in (PASS, FAIL, SKIP)}
    code = PROBLEMS if count[FAIL] else OK
    document = {"schema": SCHEMA, "at": run.now.isoformat(), "run": run.id, "exit_code": code, "counts": count}
    document["steps"] = [asdict(each) for each in come]
    if len(come) == len(STEPS):
        _keep(run, config.home() / REPORT, document)
    if options.json:
        run.document(document)
    told = ", ".join(f"{many} {word}" for word, many in count.items())
    run.say(f"{run.component}: {told}; {run.seconds:.1f} s")
    return code


def _list(run: script.Run) -> int:
    if run.as_json:
        run.document([{"step": step.name, "command": step.command} for step in STEPS])
    for step in STEPS:
        run.say(f"{step.name:<13} {' '.join(step.command)}")
    return OK


def _told(run: script.Run, result: Result) -> Result:
    """Says a result, at once where no table follows; answers it."""
    line = f"{result.outcome} {result.step:<13} {result.said}" + (f" | {result.hint}" if result.hint else "")
    run.log.info("%s", line)
    if run.as_json or not sys.stdout.isatty():
        run.say(line)
    return result


def _keep(run: script.Run, path: Path, document: Mapping[str, object]) -> None:
    from utils.files import write_atomic

    try:
        write_atomic(path, json.dumps(run.redactor.redact_json(document), indent=1) + "\n")
    except AnglesError as unwritable:
        run.note(f"the results are not kept: {unwritable}")


def _show(run: script.Run, results: Sequence[Result]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from utils.logs import escaped

    table = Table("step", "outcome", "seconds", "what is seen, and what to do", box=None, pad_edge=False)
    for each in results:
        told = Text(escaped(run.redactor.redact(each.said)))
        if each.hint:
            told.append(f"\n{escaped(run.redactor.redact(each.hint))}", style="italic dim")
        outcome = Text(each.outcome, style={PASS: "green", FAIL: "red", SKIP: "dim"}[each.outcome])
        table.add_row(each.step, outcome, f"{each.seconds:.1f}", told)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
