"""Does everything once, in order: migrate the database, check the services, sync, export; then one table of results.

Without any configuration it runs in local mode: an embedded PostgreSQL and a Notion sandbox in .local/, with a few
example decisions the first time, so that the whole system can be seen at work before an account is made anywhere.

  python run_all.py            everything once
  python run_all.py --json     the results as one JSON document

Exit code: that of the worst outcome; 0 when every step is done.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
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

MEANINGS = {
    errors.OK: "done",
    errors.PROBLEMS: "done with problems",
    errors.USAGE: "configuration",
    errors.UNAVAILABLE: "service unavailable",
    errors.REFUSED: "refused",
    errors.BUG: "bug",
    errors.BUSY: "busy",
    errors.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True)
class Step:
    """One step: a script with its arguments, and whether the later ones need it."""

    name: str
    command: tuple[str, ...]
    needed: bool = True


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
        return "skipped" if self.code is None else MEANINGS.get(self.code, f"ended with {self.code}")


STEPS = (
    Step("migrate", ("run_migration.py",)),
    Step("check", ("memory_sync.py", "--test")),
    Step("sync", ("memory_sync.py",), needed=False),
    Step("export", ("memory_sync.py", "--export-only", "--export", "md"), needed=False),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    parser = script.parser("run_all", __doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(argv)
    return script.run("run_all", lambda run: _run(run, options), as_json=options.json)


def _run(run: script.Run, options: argparse.Namespace) -> int:
    from utils import config, services

    settings = run.told(config.load())
    with services.database(settings) as filled:
        results = list(_results(run, filled))
    code = next((code for code in FROM_BAD_TO_GOOD if any(result.code == code for result in results)), errors.BUG)
    if options.json:
        run.document({"exit_code": code, "steps": [{**asdict(each), "outcome": each.outcome} for each in results]})
    else:
        _show(results)
        for line in _what_next(settings):
            run.say(line)
    return code


def _results(run: script.Run, settings: Settings) -> Iterator[Result]:
    """Runs the steps in order; what needs a failed one is skipped."""
    failed = ""
    for step in STEPS:
        if failed:
            yield Result(step.name, None, 0.0, f"{failed} failed")
            continue
        result = _start(step)
        run.log.info("%s: %s, %.1f s: %s", step.name, result.outcome, result.seconds, result.said)
        yield result
        if step.needed and result.code not in {errors.OK, errors.PROBLEMS}:
            failed = step.name
        elif step.name == "migrate":
            _add_examples(run, settings)


def _start(step: Step) -> Result:
    """Runs one script as a child process; its own lines on stderr go through."""
    started = time.monotonic()
    child = subprocess.Popen(
        script.child(step.command[0], step.command[1:]), stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        said, _ = child.communicate(timeout=STEP_SECONDS)
    except BaseException:
        child.terminate()
        child.wait(timeout=30)
        raise
    lines = [line for line in said.splitlines() if line.strip()]
    code = child.returncode if child.returncode >= 0 else errors.INTERRUPTED
    return Result(step.name, code, time.monotonic() - started, lines[-1] if lines else "")


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


def _show(results: Sequence[Result]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"done": "green", "done with problems": "yellow", "skipped": "dim"}
    table = Table("step", "outcome", "seconds", "result", box=None, pad_edge=False)
    for each in results:
        outcome = Text(each.outcome, style=colours.get(each.outcome, "red"))
        table.add_row(each.step, outcome, f"{each.seconds:.1f}", Text(each.said))
    console = Console(soft_wrap=not sys.stdout.isatty())
    console.print(table)


def _what_next(settings: Settings) -> list[str]:
    """Where to look, and what to set for the real services."""
    from utils.config import Mode

    if settings.mode is not Mode.LOCAL:
        return []
    return [
        "",
        "See and edit both sides:  python -m utils.local.notion   then open the address that it prints,",
        "                          and after an edit: python memory_sync.py",
        "For the real services:    cp .env.example .env, set DATABASE_URL, NOTION_TOKEN and NOTION_DATABASE_ID,",
        "                          then: python run_all.py",
    ]


if __name__ == "__main__":
    sys.exit(main())
