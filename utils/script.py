"""How every script starts and ends: options, log, signals, and the one boundary that makes a failure an exit code."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from utils import errors

if TYPE_CHECKING:
    import logging

    from utils.config import Settings


class Terminated(KeyboardInterrupt):
    """SIGTERM, handled as Ctrl-C is."""


@dataclass(frozen=True)
class Run:
    """One execution of a script: its id, its one reading of the clock (aware, UTC), its log."""

    id: str
    component: str
    now: datetime
    clock: float
    log: logging.Logger
    as_json: bool

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.clock

    def say(self, line: str) -> None:
        """A line for the person who watches: stdout, or stderr when stdout is a JSON document's."""
        print(line, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def note(self, line: str) -> None:
        """A line beside the result: always stderr."""
        print(f"{self.component}: {line}", file=sys.stderr, flush=True)

    def document(self, value: Any) -> None:
        """The one JSON document of `--json`."""
        print(json.dumps(value, ensure_ascii=False, indent=2, default=str), flush=True)

    def told(self, settings: Settings) -> Settings:
        """Says the mode and the warnings of the settings, a line each; answers them."""
        from utils.config import Mode

        if settings.mode is Mode.LOCAL:
            ignored = f" ({', '.join(settings.ignored)} ignored: BACKEND_MODE=local)" if settings.ignored else ""
            self.note(f"local mode: embedded PostgreSQL and the Notion sandbox in .local/{ignored}")
        for warning in settings.warnings:
            self.note(warning)
        return settings


class _Parser(argparse.ArgumentParser):
    """argparse, its refusals in the one form of all our lines."""

    def error(self, message: str) -> NoReturn:
        self.exit(errors.USAGE, f"{self.prog}: {message}. See: python {self.prog}.py --help\n")


def parser(name: str, doc: str | None) -> argparse.ArgumentParser:
    """The script's options parser; its module docstring is the help text."""
    return _Parser(prog=name, description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)


def run(component: str, body: Callable[[Run], int], *, as_json: bool = False) -> int:
    """Runs a script's body; answers its exit code (`utils.errors` lists them).

    An AnglesError becomes one line on stderr and its own code, Ctrl-C and SIGTERM become 130, a closed pipe ends
    quietly, anything else is a bug: one line, 70, and the traceback in the log.
    """
    from utils import config, logs, redact

    env = _environment()
    settings = config.log_settings(env)
    redactor = redact.Redactor(config.secrets_of(env))
    run_id = settings.run_id or uuid.uuid4().hex[:12]
    log = logs.setup(
        component,
        settings.folder,
        run_id=run_id,
        json_lines=settings.json_lines,
        verbose=settings.verbose,
        redactor=redactor.redact,
    )
    before = signal.signal(signal.SIGTERM, _terminate)
    this = Run(run_id, component, datetime.now(UTC), time.monotonic(), log, as_json)
    try:
        return body(this)
    except errors.AnglesError as failure:
        log.info("ended with %d: %s", failure.exit_code, failure)
        return _failed(this, failure.exit_code, redactor.redact(str(failure)))
    except KeyboardInterrupt:
        log.info("interrupted")
        return _failed(this, errors.INTERRUPTED, "interrupted")
    except BrokenPipeError:
        sys.stdout = None
        return errors.INTERRUPTED
    except Exception as bug:
        log.info("bug", exc_info=bug)
        line = f"bug: {type(bug).__name__}: {bug}. The traceback is in the log ({settings.folder})"
        return _failed(this, errors.BUG, redactor.redact(line))
    finally:
        signal.signal(signal.SIGTERM, before)


def child(script: str, arguments: Sequence[str]) -> list[str]:
    """The command line that starts a sibling script with this interpreter."""
    from utils.config import ROOT

    return [sys.executable, str(Path(ROOT) / script), *arguments]


def _failed(this: Run, code: int, line: str) -> int:
    if this.as_json:
        this.document({"exit_code": code, "error": line})
    for part in line.splitlines():
        this.note(part)
    return code


def _environment() -> dict[str, str]:
    """The environment; that `.env` cannot be read is told by whoever needs it."""
    from utils import config

    try:
        return config.environment()
    except errors.ConfigError:
        return config.environment_without_file()


def _terminate(_number: int, _frame: object) -> NoReturn:
    raise Terminated
