"""Backs up the decision vault, its history and the files of BACKUP_PATHS to a git repository, without a secret in it.

Everything goes to one branch, a commit each time that something changed: rows as JSON Lines, files as they are, and a
manifest with the checksum of each. Secrets become [REDACTED:kind], what is about to be committed is scanned once more,
and after the push a fresh clone is hashed and scanned again. The branch is never forced. The history is the retention.

  python run_backup_now.py              back up; where nothing changed, nothing is committed
  python run_backup_now.py --dry-run    say what would be committed, and what would be redacted
  python run_backup_now.py --check      hash and scan what is in the repository; write nothing

It needs the vault, REPO_URL and GITHUB_TOKEN; local mode has a repository of its own in .local/backup.git. What became
of it is in logs/backup.log, logs/active/backup_report.json and agent_activity.

Exit codes: 0 done, or nothing changed; 1 done with problems, such as a secret seen in the repository; 2 configuration;
3 the vault or the repository is unreachable or refuses; 4 refused (rows fell by over 20 %, a file is too large, a
secret could not be taken out, the repository is damaged or holds other things); 75 another backup is at it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from utils import script
from utils.errors import OK, PROBLEMS, AnglesError

if TYPE_CHECKING:
    from utils.backup.run import Backup
    from utils.stores.base import Vault


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    parser = script.parser("run_backup_now", __doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="say what would be committed; push nothing")
    what.add_argument("--check", action="store_true", help="hash and scan what is in the repository; write nothing")
    parser.add_argument(
        "--allow-shrink", action="store_true", help="rows may have fallen by more than 20 %%, this once"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(argv)
    if options.check and options.allow_shrink:
        parser.error("--allow-shrink goes with a backup")
    job = "" if options.dry_run or options.check else "backup"
    return script.run("run_backup_now", lambda run: _run(run, options), as_json=options.json, job=job)


def _run(run: script.Run, options: argparse.Namespace) -> int:
    from utils import config, sections, services
    from utils.backup import run as backups
    from utils.files import hold_lock

    settings, wanted = config.load_with(sections.backup, notion=False, vault=not options.check)
    remote = backups.remote(run.told(settings), wanted)
    report = backups.Report(run.id, run.now, remote.url, remote.branch)
    with ExitStack() as stack:
        if options.check:
            backup = backups.Backup(settings, wanted, remote, run.redactor, report)
            backup.check()
            return _tell(run, backup)
        stack.enter_context(hold_lock(settings.home / backups.LOCK))
        filled = stack.enter_context(services.database(settings))
        vault = stack.enter_context(services.vault(filled))
        backup = backups.Backup(filled, wanted, remote, run.redactor, report, _stopwatch(report.seconds))
        if options.dry_run:
            backup.run(vault, dry_run=True, allow_shrink=options.allow_shrink)
        else:
            _backed_up(run, backup, vault, allow_shrink=options.allow_shrink)
        return _tell(run, backup)


def _backed_up(run: script.Run, backup: Backup, vault: Vault, *, allow_shrink: bool) -> None:
    """Makes the backup, and writes down what became of it, whatever that is."""
    try:
        backup.run(vault, allow_shrink=allow_shrink)
    except AnglesError as failure:
        backup.report.failed(run.redactor.redact(str(failure)))
        _write_down(run, backup, vault)
        raise
    _write_down(run, backup, vault)


def _write_down(run: script.Run, backup: Backup, vault: Vault) -> None:
    import json

    from utils.backup.run import REPORT
    from utils.files import write_atomic

    told = run.redactor.redact_json(backup.report.json())
    try:
        write_atomic(backup.settings.home / REPORT, json.dumps(told, indent=2) + "\n")
        vault.record([backup.report.activity()])
    except AnglesError as unwritable:
        run.note(str(unwritable))
        backup.report.problems.append("the result is not written down everywhere")


def _stopwatch(laps: dict[str, float]) -> Callable[[str], None]:
    """Writes down the seconds of each stage."""
    last = [time.monotonic()]

    def lap(stage: str) -> None:
        now = time.monotonic()
        laps[stage] = round(now - last[0], 3)
        last[0] = now

    return lap


def _tell(run: script.Run, backup: Backup) -> int:
    from utils.backup.run import summary

    report = backup.report
    if run.as_json:
        run.document(report.json())
    for line in dict.fromkeys((*report.notes, *report.problems)):
        run.note(line)
    lines = summary(report.changes)
    for line in lines:
        run.log.info("%s", line)
        if report.outcome == "would push" and not run.as_json:
            run.say(line)
    run.log.info("%s", report.closing_line())
    run.say(f"{run.component}: {report.closing_line()}")
    return PROBLEMS if report.problems else OK


if __name__ == "__main__":
    sys.exit(main())
