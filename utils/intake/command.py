"""Intake as memory_sync.py commands it: what to take, by rules or a model, and what is told of it."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from utils import script
from utils.errors import OK, PROBLEMS
from utils.intake.keep import Terms
from utils.intake.model import Found, Message
from utils.intake.report import Report
from utils.intake.take import Taker
from utils.sections import InboxSettings
from utils.stores.base import Vault


def process(run: script.Run, vault: Vault, inbox: InboxSettings, paths: Sequence[str], *, dry_run: bool) -> int:
    """Takes in files, folders and stdin (`-`); answers the exit code."""
    with _taker(run, vault, inbox, dry_run=dry_run) as taker:
        taker.process(paths, sys.stdin.buffer if sys.stdin else io.BytesIO(), run.now)
    if run.as_json:
        run.document(taker.report.json())
    _tell(run, taker.report, shown=not run.as_json)
    return PROBLEMS if taker.report.problems else OK


def empty(run: script.Run, vault: Vault, inbox: InboxSettings, *, dry_run: bool) -> Report | None:
    """Empties the drop folder, which is made when it is missing; None where there was nothing to take.

    A folder without files costs no call of the vault.
    """
    if not dry_run:
        with suppress(OSError):
            inbox.folder.mkdir(parents=True, exist_ok=True)
    with _taker(run, vault, inbox, dry_run=dry_run) as taker:
        taker.empty(inbox.folder)
    if taker.report.silent:
        return None
    _tell(run, taker.report, shown=dry_run and not run.as_json)
    return taker.report


@contextmanager
def _taker(run: script.Run, vault: Vault, inbox: InboxSettings, *, dry_run: bool) -> Iterator[Taker]:
    terms = Terms(inbox.threshold, run.redactor.redact, dry_run)
    if inbox.model is None:
        yield Taker(vault, run.id, terms, _by_rules)
        return
    from utils.intake.model_step import Model

    with closing(Model(inbox.model, run.redactor.redact, _by_rules)) as model:
        yield Taker(vault, run.id, terms, model.find)
        for line in model.troubles:
            run.note(line)
        if model.cost:
            run.say(f"{run.component}: {model.cost}")


def _by_rules(message: Message) -> list[Found]:
    """What the rules find; they are loaded, which takes a while, when there is a message."""
    from utils.intake import rules

    return rules.find(message)


def _tell(run: script.Run, report: Report, *, shown: bool) -> None:
    for line in report.problem_lines:
        run.log.warning("%s", line)
    for line in report.lines:
        run.log.info("%s", line)
        if shown:
            run.say(line)
    closing_line = report.closing_line()
    run.log.info("%s", closing_line)
    run.say(f"{run.component}: {closing_line}")
