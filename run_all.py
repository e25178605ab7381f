"""Does everything once, in order: migrate, check, scan the files, sync, export, back up, prove the backup, look at all.

Without any configuration it runs in local mode: an embedded PostgreSQL, a Notion sandbox and a repository in .local/,
with a few example decisions the first time, so that the whole system can be seen at work before an account is made
anywhere. One table of results at the end.

  python run_all.py            everything once
  python run_all.py --json     the results as one JSON document

Exit code: that of the worst outcome; 0 when every step is done.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from utils import errors, script

if TYPE_CHECKING:
    from utils.config import Settings

STEP_SECONDS = 3600
"""How long one step may take."""

FROM_BAD_TO_GOOD = (
    errors.BUG,
    errors.INTERRUPTED,
    errors.UNAVAILABLE,
    errors.USAGE,
    errors.REFUSED,
    errors.BUSY,
    errors.PROBLEMS,
    errors.OK,
)


OF_THE_MONITOR = {1: errors.OK, 2: errors.OK, 3: errors.USAGE}
"""What the exit codes of monitoring plugins mean here: it looked, and its line names what it found down."""


@dataclass(frozen=True)
class Step:
    """One step: a script with its arguments, and the steps and the variable without which it makes no sense.

    `codes` says what those of its exit codes mean that are not the scripts' common ones.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    variable: str = ""
    codes: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What became of a step. `code` is None when it was skipped."""

    step: str
    code: int | None
    seconds: float
    said: str

    @property
    def outcome(self) -> str:
        """The outcome in words."""
        return "skipped" if self.code is None else errors.MEANINGS.get(self.code, f"ended with {self.code}")


STEPS = (
    Step("migrate", ("run_migration.py",)),
    Step("check", ("memory_sync.py", "--test"), needs=("migrate",)),
    Step("files", ("autosync_files.py",), needs=("migrate",)),
    Step("sync", ("memory_sync.py",), needs=("migrate", "check")),
    Step("export", ("memory_sync.py", "--export-only", "--export", "md"), needs=("migrate",)),
    Step("backup", ("run_backup_now.py",), needs=("migrate",), variable="REPO_URL"),
    Step("restore", ("restore_from_github.py", "--test-restore"), needs=("backup",), variable="REPO_URL"),
    Step("monitor", ("backend_monitor.py",), codes=OF_THE_MONITOR),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    parser = script.parser("run_all", __doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(argv)
    return script.run("run_all", lambda run: _run(run, options), as_json=options.json)


def _run(run: script.Run, options: argparse.Namespace) -> int:
    from utils import config, sections, services
    from utils.config import Mode

    settings, backup = config.load_with(sections.backup)
    run.told(settings)
    unset = {"REPO_URL"} if settings.mode is not Mode.LOCAL and not backup.url else set()
    with services.database(settings) as filled:
        results = _told(run, _results(run, filled, unset))
    code = next((code for code in FROM_BAD_TO_GOOD if any(result.code == code for result in results)), errors.BUG)
    if options.json:
        run.document({"exit_code": code, "steps": [{**asdict(each), "outcome": each.outcome} for each in results]})
    else:
        for line in _what_next(settings):
            run.say(line)
    return code


def _results(run: script.Run, settings: Settings, unset: Set[str]) -> Iterator[Result]:
    """Runs the steps in order; one that needs a failed one, or a variable that is not set, is skipped."""
    failed: set[str] = set()
    for step in STEPS:
        if lacking := next((name for name in step.needs if name in failed), ""):
            failed.add(step.name)
            yield Result(step.name, None, 0.0, f"needs {lacking}")
            continue
        if step.variable in unset:
            yield Result(step.name, None, 0.0, f"{step.variable} is not set")
            continue
        result = _start(step, quiet=run.as_json)
        run.log.info("%s: %s, %.1f s: %s", step.name, result.outcome, result.seconds, result.said)
        yield result
        if result.code not in {errors.OK, errors.PROBLEMS}:
            failed.add(step.name)
        elif step.name == "migrate":
            _add_examples(run, settings)


def _start(step: Step, *, quiet: bool) -> Result:
    """Runs one script as a child process; its lines on stderr go through, or are kept for the document when `quiet`."""
    started = time.monotonic()
    child = subprocess.Popen(
        script.child(step.command[0], step.command[1:]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        said, noted = child.communicate(timeout=STEP_SECONDS)
    except BaseException as error:
        child.terminate()
        child.wait(timeout=30)
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        said, noted = f"took over {STEP_SECONDS} s and was ended", ""
    code = child.returncode if child.returncode >= 0 else errors.INTERRUPTED
    return Result(
        step.name,
        step.codes.get(code, code),
        time.monotonic() - started,
        _last_line(said or noted or "see its line above"),
    )


def _last_line(said: str) -> str:
    return next((line for line in reversed(said.splitlines()) if line.strip()), "")


def _add_examples(run: script.Run, settings: Settings) -> None:
    """Puts the examples into a local vault that never had a row."""
    from utils import services
    from utils.config import Mode

    if settings.mode is not Mode.LOCAL:
        return
    from utils.local.examples import examples

    with services.vault(settings) as vault:
        if vault.is_new():
            run.note(f"{vault.add(examples())} example decisions added to the empty local vault")


def _told(run: script.Run, results: Iterator[Result]) -> list[Result]:
    """All results: one table on a terminal, elsewhere a line each as they come; with --json the document has them."""
    if run.as_json:
        return list(results)
    if sys.stdout.isatty():
        return _show(list(results))
    come: list[Result] = []
    for each in results:
        run.say(f"{each.step:<8} {each.outcome:<18} {each.seconds:5.1f} s  {each.said}")
        come.append(each)
    return come


def _show(results: list[Result]) -> list[Result]:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"done": "green", "done with problems": "yellow", "skipped": "dim"}
    table = Table("step", "outcome", "seconds", "result", box=None, pad_edge=False)
    for each in results:
        outcome = Text(each.outcome, style=colours.get(each.outcome, "red"))
        table.add_row(each.step, outcome, f"{each.seconds:.1f}", Text(each.said))
    Console().print(table)
    return results


def _what_next(settings: Settings) -> list[str]:
    """Where to look, and what to set for the real services."""
    from utils.config import Mode

    if settings.mode is not Mode.LOCAL:
        return []
    python = _python()
    return [
        "",
        f"See and edit both sides:  {python} -m utils.local.notion   then open the address that it prints,",
        f"                          and after an edit: {python} memory_sync.py",
        f"Leave it running:         {python} scheduler.py   then open http://localhost:5000",
        "For the real services:    cp .env.example .env, set DATABASE_URL, NOTION_TOKEN and NOTION_DATABASE_ID,",
        f"                          and REPO_URL for backups, then: {python} run_all.py",
    ]


def _python() -> str:
    """How a person calls this interpreter: as it lies below the project, else by its name."""
    from utils.config import ROOT

    called = Path(sys.executable)
    return str(called.relative_to(ROOT)) if called.is_relative_to(ROOT) else called.name


if __name__ == "__main__":
    sys.exit(main())
