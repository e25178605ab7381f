"""How every script starts and ends: options, log, signals, and the one boundary that makes a failure an exit code."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from utils import errors

if TYPE_CHECKING:
    import logging

    from utils.config import Settings
    from utils.redact import Redactor


class Terminated(KeyboardInterrupt):
    """SIGTERM, handled as Ctrl-C is."""


class Unheard(KeyboardInterrupt):
    """Who read stdout is gone, as after `| head -1`: nobody is left to be told."""


@dataclass(frozen=True)
class Codes:
    """What a script's exit codes mean, where they are not `errors`' own.

    Args:
        words: of each code, for the record of the run.
        failure: the one code of bad usage and of every failure but an interruption; None keeps each one's own.
    """

    words: Mapping[int, str] = field(default_factory=lambda: errors.MEANINGS)
    failure: int | None = None

    def of(self, code: int) -> int:
        """The code that a failure ends with."""
        return code if self.failure is None or code == errors.INTERRUPTED else self.failure


OUR_CODES = Codes()


@dataclass
class Run:
    """One execution of a script: its id, its one reading of the clock (aware, UTC), its log, what it says.

    Nothing that it says holds a secret, and no text of a service can make a line of its own or move the cursor. `job`
    names the job that it is an execution of, written down in `state.db`; empty where it only looks.
    """

    id: str
    component: str
    now: datetime
    clock: float
    log: logging.Logger
    log_place: str
    redactor: Redactor
    as_json: bool
    job: str = ""
    codes: Codes = OUR_CODES
    documented: bool = False
    last_line: str = ""

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self.clock

    def say(self, line: str) -> None:
        """A line for the person who watches: stdout, or stderr when stdout is a JSON document's."""
        from utils import logs

        shown = self.last_line = logs.escaped(self.redactor.redact(line))
        if self.as_json:
            logs.to_stderr(shown)
        else:
            _print(shown)

    def note(self, line: str) -> None:
        """A line beside the result: stderr, and the log."""
        self.log.warning("%s", line)

    def document(self, value: Any) -> None:
        """The one JSON document of `--json`; whatever follows it is not printed."""
        if not self.documented:
            self.documented = True
            plain = json.loads(json.dumps(value, default=str))
            _print(json.dumps(self.redactor.redact_json(plain), indent=2))

    def failed(self, code: int, *lines: str, bug: Exception | None = None) -> int:
        """Tells a failure, a line each, and the document where there is none yet; answers the code."""
        code = self.codes.of(code)
        for line in lines:
            self.log.error("%s", line, exc_info=bug)
            self.last_line = self.redactor.redact(line)
        self.log.info("ended with %d after %.1f s", code, self.seconds)
        if self.as_json:
            with contextlib.suppress(errors.AnglesError):  # the disk under stdout is full: stderr was told
                self.document({"exit_code": code, "error": "\n".join(lines)})
        return code

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
    """argparse, its refusals in the one form of all our lines, and with --json the document besides."""

    given: Sequence[str] = ()
    usage_code = errors.USAGE

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.given = sys.argv[1:] if args is None else args
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        from utils import logs

        line = logs.escaped(f"{self.prog}: {message}. See: python {self.prog}.py --help")
        if "--json" in self.given:
            with contextlib.suppress(Unheard, errors.AnglesError):
                _print(json.dumps({"exit_code": self.usage_code, "error": line}, indent=2))
        self.exit(self.usage_code, f"{line}\n")


def parser(name: str, doc: str | None, codes: Codes = OUR_CODES) -> argparse.ArgumentParser:
    """The script's options parser; its module docstring is the help text. Where no script can run, it ends with 2."""
    if os.name == "nt":
        sys.stderr.write(f"{name}: does not run on Windows itself. Use WSL, the Windows Subsystem for Linux.\n")
        raise SystemExit(errors.USAGE)
    _let_streams_take_any_text()
    made = _Parser(prog=name, description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    made.usage_code = codes.of(errors.USAGE)
    return made


def run(
    component: str,
    body: Callable[[Run], int],
    *,
    as_json: bool = False,
    job: str = "",
    codes: Codes = OUR_CODES,
    in_files: bool = True,
) -> int:
    """Runs a script's body; answers its exit code (`utils.errors` lists them).

    Args:
        component: the script's name, and its log's.
        body: what it does.
        as_json: stdout is one JSON document.
        job: what this is an execution of, written down in `state.db` when it starts and when it has ended.
        codes: what its exit codes mean.
        in_files: whether the log may make a file; stderr alone is told otherwise.

    An AnglesError becomes one line on stderr and its own code, Ctrl-C and SIGTERM become 130, a closed pipe ends
    quietly, anything else is a bug: one line, 70, and the traceback in the log.
    """
    _let_streams_take_any_text()
    try:
        with _signals():
            return _recorded(_begun(component, job, as_json=as_json, codes=codes, in_files=in_files), body)
    except KeyboardInterrupt:  # before there was a log, again while the first one was told, or nobody listens
        return errors.INTERRUPTED
    finally:
        _give_up_dead_streams()


def child(script: str, arguments: Sequence[str]) -> list[str]:
    """The command line that starts a sibling script with this interpreter."""
    from utils.config import ROOT

    return [sys.executable, str(ROOT / script), *arguments]


def _begun(component: str, job: str, *, as_json: bool, codes: Codes, in_files: bool) -> Run:
    from utils import config, logs, redact

    env = _environment()
    settings = config.log_settings(env)
    redactor = redact.Redactor(config.secrets_of(env))
    run_id = settings.run_id or uuid.uuid4().hex[:12]
    folder = settings.folder if in_files else None
    log = logs.setup(
        component,
        folder,
        run_id=run_id,
        json_lines=settings.json_lines,
        verbose=settings.verbose,
        redactor=redactor.redact,
    )
    in_file = folder and not settings.json_lines
    place = f"{folder}/{logs.log_file(component)}" if in_file else "stderr"
    return Run(run_id, component, datetime.now(UTC), time.monotonic(), log, place, redactor, as_json, job, codes)


def _recorded(this: Run, body: Callable[[Run], int]) -> int:
    """Runs it, as `_ended` does; where it is an execution of a job, the state knows of it from the start."""
    if not this.job:
        return _ended(this, body)
    _record(this, None)
    code = _ended(this, body)
    _record(this, code)
    return code


def _record(this: Run, code: int | None) -> None:
    """Writes the run down; where that is impossible, it says so and the run goes on."""
    from utils import config, state

    ended = None if code is None else this.now + timedelta(seconds=this.seconds)
    outcome = "running" if code is None else this.codes.words.get(code, f"ended with {code}")
    record = state.RunRecord(this.id, this.job, this.now, ended, outcome, this.last_line, code, os.getpid())
    try:
        with state.open_state(config.home() / state.STATE_FILE) as db:
            state.record_run(db, record)
    except errors.AnglesError as unwritable:
        this.note(f"this run is not written down: {unwritable}")


def _ended(this: Run, body: Callable[[Run], int]) -> int:
    try:
        return body(this)
    except errors.AnglesError as failure:
        return this.failed(failure.exit_code, *failure.lines)
    except Unheard:
        this.log.info("ended: nobody reads stdout any more")
        return errors.INTERRUPTED
    except KeyboardInterrupt:
        return this.failed(errors.INTERRUPTED, "interrupted")
    except Exception as bug:  # noqa: BLE001 - the one boundary
        return this.failed(errors.BUG, f"bug: {_named(bug)}. The traceback is in the log ({this.log_place})", bug=bug)


def _environment() -> dict[str, str]:
    """The environment; that `.env` cannot be read is told by whoever needs it."""
    from utils import config

    try:
        return config.environment()
    except errors.ConfigError:
        return config.environment_without_file()


def _named(bug: Exception) -> str:
    """Its class and message, whatever its own `__str__` does."""
    import traceback

    return "".join(traceback.format_exception_only(bug)).strip()


def _print(line: str) -> None:
    """A line on stdout, at once.

    Raises:
        Unheard: nobody reads it any more.
        AnglesError: it cannot be written.
    """
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise Unheard from None
    except OSError as error:
        raise errors.AnglesError("stdout", f"cannot be written ({error.strerror})") from error


def _let_streams_take_any_text() -> None:
    """Signs that the terminal's encoding lacks are spelled out; in no locale is a title an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _give_up_dead_streams() -> None:
    """What a stream cannot get rid of is dropped, or the interpreter tries again at its exit and ends with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise; a SIGTERM that follows, such as run_all.py's after Ctrl-C, disturbs no clean end."""
    wanted = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _stop) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, lambda *_: None)
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
