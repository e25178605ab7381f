"""Sees every change of the files it watches, once: by SHA-256, and nearly free while nothing changes.

A change of a key file becomes a decision in the vault, and so a page in Notion; every change is a line in
agent_activity. The first scan takes all files as they are. Which files are key files and what is left out is said in
utils/autosync/rules.toml; your own autosync.toml in the home folder takes its place.

  python autosync_files.py                     one scan of the project, or of AUTOSYNC_PATHS
  python autosync_files.py --watch             go on until Ctrl-C or SIGTERM
  python autosync_files.py --dry-run           say what a scan would tell; write nothing at all
  python autosync_files.py --verify            take the content of every file; other content behind the same stat is
                                               `corrupted`
  python autosync_files.py --status            what is watched, and what waits for delivery
  python autosync_files.py --root DIR          watch this folder (may be repeated)
  python autosync_files.py --reset-baseline    forget what is known, take all files as they are

A file that cannot be read is named, and neither deleted nor modified; one that is written while it is read is taken
the next time. A folder that is gone or not mounted is named, and nothing is said of its files. What the vault does not
take waits for the next run.

Exit codes: 0 done; 1 done, with problems named (unreadable, corrupted, a folder gone, a damaged state); 2 usage or
configuration; 3 the vault is unreachable or refuses the credentials; 70 a bug; 75 another scan or watch is at it;
130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if "--dry-run" in sys.argv:
    sys.dont_write_bytecode = True  # nothing at all: not even what Python keeps of our modules

from utils import script
from utils.errors import MEANINGS, OK, PROBLEMS, AnglesError, ConfigError

if TYPE_CHECKING:
    from utils.autosync.session import Options, Report
    from utils.config import Settings

LIMIT = 50
DEADLINE, WATCH_DEADLINE = 60.0, 5.0
"""Seconds after which the vault is given up until the next run, and while watching until the next whole scan."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    options = _options(argv)
    job = "" if options.dry_run or options.status or options.watch else "files"
    in_files = not (options.dry_run or options.status)
    return script.run(
        "autosync_files", lambda run: _run(run, options), as_json=options.json, job=job, in_files=in_files
    )


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = script.parser("autosync_files", __doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--once", action="store_true", help="one scan; the same as no flag")
    what.add_argument("--watch", action="store_true", help="go on until Ctrl-C or SIGTERM")
    what.add_argument("--dry-run", action="store_true", help="say what a scan would tell; write nothing at all")
    what.add_argument("--status", action="store_true", help="what is watched, and what waits for delivery")
    parser.add_argument("--verify", action="store_true", help="take the content of every file")
    parser.add_argument("--root", metavar="DIR", action="append", help="watch this folder; may be repeated")
    parser.add_argument("--state", metavar="FILE", type=Path, help="default: logs/active/files.db")
    parser.add_argument("--no-deliver", action="store_true", help="keep what is told for the next run")
    parser.add_argument("--limit", metavar="N", type=_number, default=LIMIT, help="changes told singly (default: 50)")
    parser.add_argument("--reset-baseline", action="store_true", help="forget what is known, after asking")
    parser.add_argument("--yes", action="store_true", help="with --reset-baseline: do not ask")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(argv)
    if options.watch and (options.json or options.verify or options.reset_baseline):
        parser.error("--json, --verify and --reset-baseline go with one scan")
    if options.reset_baseline and (options.dry_run or options.status):
        parser.error("--reset-baseline goes with a scan")
    if options.yes and not options.reset_baseline:
        parser.error("--yes goes with --reset-baseline")
    return options


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _run(run: script.Run, options: argparse.Namespace) -> int:
    from utils import config, sections
    from utils.autosync import rules, session

    settings, files = config.load_with(sections.files, vault=not options.no_deliver, notion=False)
    roots = [Path(each) for each in options.root or ()] or files.paths or (settings.home,)
    wanted = session.Options(
        roots=tuple(dict.fromkeys(os.path.realpath(root) for root in roots)),
        state=Path(os.path.realpath(options.state or settings.home / "logs" / "active" / "files.db")),
        home=settings.home,
        rules=rules.load(files.rules or rules.DEFAULT),
        redact=run.redactor.redact,
        limit=options.limit,
        verify=options.verify,
        dry_run=options.dry_run,
    )
    if options.status:
        return _status(run, wanted)
    run.told(settings)
    if options.watch:
        return _watch(run, wanted, settings, deliver=not options.no_deliver)
    if options.reset_baseline and not options.yes:
        _ask()
    return _once(run, wanted, settings, options)


def _once(run: script.Run, wanted: Options, settings: Settings, options: argparse.Namespace) -> int:
    """One scan, then what waits in the outbox; that this fails is told after what was found."""
    from contextlib import nullcontext

    from utils.autosync import session, store

    undelivered: AnglesError | None = None
    with (
        nullcontext() if wanted.dry_run else session.scanning(wanted.state),
        store.Store(wanted.state, read_only=wanted.dry_run) as state,
    ):
        session.check(wanted, state)
        if options.reset_baseline:
            for root in wanted.roots:
                session.forget(state, root)
        report = session.sweep(wanted, state)
    if report.waiting and not (wanted.dry_run or options.no_deliver):
        try:
            report.delivered = _deliver(wanted, settings)
            report.waiting -= report.delivered
        except AnglesError as failure:
            undelivered = failure
    if undelivered:
        _tell(run, report, wanted.limit, undelivered.exit_code)
        raise undelivered
    return _tell(run, report, wanted.limit, PROBLEMS if report.problems else OK)


def _deliver(wanted: Options, settings: Settings) -> int:
    from utils.autosync.deliver import delivering

    with delivering(settings, wanted.state, deadline=DEADLINE) as deliver:
        return deliver()


def _watch(run: script.Run, wanted: Options, settings: Settings, *, deliver: bool) -> int:
    from utils.autosync import session, store
    from utils.autosync.deliver import delivering
    from utils.autosync.watch import Watch
    from utils.files import hold_lock
    from utils.state import STATE_FILE, RunRecord, open_state, record_run

    def tell(report: Report) -> None:
        for line in (*report.lines(wanted.limit), *([report.closing_line()] if report.baselines else [])):
            run.log.info("%s", line)
            run.say(line)

    def record(started: datetime, code: int, line: str) -> None:
        """One row in the state for each way that a whole scan ended: its last one."""
        ended, told = datetime.now(UTC), run.redactor.redact(line)
        row = RunRecord(f"{run.id}-{code}", "files", started, ended, MEANINGS[code], told, code, os.getpid())
        with open_state(settings.home / STATE_FILE) as db:
            record_run(db, row)

    with (
        hold_lock(wanted.state.with_name(f"{wanted.state.name}.watch")),
        delivering(settings, wanted.state, deadline=WATCH_DEADLINE) as bring,
    ):
        with store.Store(wanted.state, read_only=True) as state:
            session.check(wanted, state)
        run.say(f"{run.component}: watching {', '.join(wanted.roots)}; Ctrl-C ends it")
        Watch(wanted, tell, run.note, bring if deliver else None, record).run()
    return OK


def _status(run: script.Run, wanted: Options) -> int:
    from utils.autosync import status

    found = status.status(wanted)
    if run.as_json:
        run.document(found.json())
    for line in found.lines:
        run.say(line)
    return OK


def _ask() -> None:
    """Asks whether to forget what is known.

    Raises:
        ConfigError: the answer is no, or nobody can answer.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConfigError("--reset-baseline", "asks first, and nobody can answer here", "Add --yes")
    sys.stderr.write("Forget what is known of these files, and take them as they are? What changed is not told. [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise ConfigError("--reset-baseline", "not confirmed: nothing was changed")


def _tell(run: script.Run, report: Report, limit: int, code: int) -> int:
    """Says what was found; one closing line. Answers the code."""
    if run.as_json:
        run.document({"exit_code": code, **report.json(limit)})
    for line in report.lines(limit):
        run.log.info("%s", line)
        if not run.as_json:
            run.say(line)
    for problem in report.problems:
        run.note(problem)
    run.log.info("%s", report.closing_line())
    run.say(f"{run.component}: {report.closing_line()}")
    return code


if __name__ == "__main__":
    sys.exit(main())
