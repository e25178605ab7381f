"""Restores the decision vault and files from the backups in the git repository; proves every week that it could.

By itself it only looks: it clones, checks the snapshot against its manifest, and shows what a restore would do.

  python restore_from_github.py                       say what a restore would do
  python restore_from_github.py --list                list the snapshots
  python restore_from_github.py --restore-decisions   write decisions into the vault
  python restore_from_github.py --restore-files       write the files of the backup
  python restore_from_github.py --undo                undo the last restore
  python restore_from_github.py --test-restore        restore the newest snapshot in a scratch database and compare

Decisions that the vault lacks are added, under their own ids and stamps. One that is there and differs stays as it is,
unless --on-collision backup, or newest, says otherwise; a redacted value never takes the place of a live one. Files
never overwrite: they land beside, with a suffix, unless --overwrite. What undoes a restore is written down first. Into
an empty vault the links with Notion and the history go too; the next sync goes on where the backup was.

Exit codes: 0 done; 1 done with problems, such as a row that changed meanwhile, or a difference that the restore test
found; 2 usage or configuration; 3 the vault or the repository is unreachable or refuses; 4 refused (the snapshot is
damaged); 75 a backup, another restore or a sync is at it.
"""

from __future__ import annotations

import argparse
import re
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from utils import script
from utils.errors import OK, PROBLEMS, AnglesError

if TYPE_CHECKING:
    from utils.backup.apply import Done
    from utils.backup.restore import Outcome, Restore
    from utils.config import Settings
    from utils.git_helpers import Remote
    from utils.sections import AlertSettings
    from utils.stores.base import Vault

TABLES = ("decision_vault", "sync_links", "sync_log", "decision_history", "agent_activity")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    options = _options(argv)
    job = "restore-test" if options.test_restore and not options.dry_run else ""
    return script.run("restore_from_github", lambda run: _run(run, options), as_json=options.json, job=job)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = script.parser("restore_from_github", __doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list the snapshots, the newest first")
    what.add_argument("--undo", nargs="?", const="last", metavar="RUN", help="undo the last restore, or that of a run")
    what.add_argument("--test-restore", action="store_true", help="prove the newest snapshot in a scratch database")
    parser.add_argument("--restore-decisions", action="store_true", help="write decisions into the vault")
    parser.add_argument("--restore-files", action="store_true", help="write the files of the backup")
    parser.add_argument("--to", type=Path, metavar="DIR", help="with --restore-files: where (default: the home folder)")
    parser.add_argument("--overwrite", action="store_true", help="with --restore-files: replace files that are there")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; change nothing")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--at", type=_moment, metavar="DATE", help="the newest snapshot of a day or moment (UTC)")
    which.add_argument("--commit", type=_commit, metavar="SHA", help="the snapshot of a commit")
    parser.add_argument("--table", action="append", choices=TABLES, default=[], help="only this table; may be repeated")
    parser.add_argument("--id", action="append", type=_decision_id, default=[], help="only this decision; repeatable")
    parser.add_argument("--on-collision", choices=["keep", "backup", "newest"], default="keep", help="default: keep")
    parser.add_argument("--accept-redacted", action="store_true", help="also add rows that hold a redacted value")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(argv)
    alone = options.list or options.undo or options.test_restore
    if alone and (options.restore_decisions or options.restore_files or options.at or options.commit):
        parser.error("--list, --undo and --test-restore go alone")
    narrows = options.table or options.id or options.accept_redacted or options.on_collision != "keep"
    if alone and (narrows or (options.dry_run and options.list)):
        parser.error("--table, --id, --on-collision, --accept-redacted and --dry-run go with a restore")
    if (options.to or options.overwrite) and not options.restore_files:
        parser.error("--to and --overwrite go with --restore-files")
    return options


def _run(run: script.Run, options: argparse.Namespace) -> int:
    from utils import config, sections, services
    from utils.backup import run as backups
    from utils.backup.restore import Restore
    from utils.files import hold_lock

    settings, (wanted, alerts) = config.load_with(
        lambda variables, home: (sections.backup(variables, home), sections.alerts(variables, home)), notion=False
    )
    remote = backups.remote(run.told(settings), wanted)
    writes = (options.restore_decisions or options.restore_files or options.undo) and not options.dry_run
    with ExitStack() as stack:
        if writes or options.test_restore:
            stack.enter_context(hold_lock(settings.home / backups.LOCK))
        if options.list:
            return _list(run, settings, remote)
        filled = stack.enter_context(services.database(settings))
        restore = Restore(filled, run.redactor, run.id, run.now)
        needed = options.restore_decisions or options.test_restore
        vault = stack.enter_context(services.vault(filled)) if filled.vault or needed else None
        if options.undo:
            return _undo(run, restore, vault, options)
        if vault is None:
            run.note("the vault is not configured: only the files are looked at")
        elif options.test_restore:
            return _test(run, restore, vault, remote, None if options.dry_run else alerts)
        return _restore(run, restore, vault, remote, options)


def _restore(
    run: script.Run, restore: Restore, vault: Vault | None, remote: Remote, options: argparse.Namespace
) -> int:
    from utils.backup import apply
    from utils.backup.plan import Wanted
    from utils.backup.restore import Target, at, newest, of_commit

    choose = at(options.at) if options.at else of_commit(options.commit) if options.commit else newest
    found = restore.snapshot(remote, choose)
    wanted = Wanted(frozenset(options.table), frozenset(options.id), options.on_collision, options.accept_redacted)
    target = Target((options.to or restore.settings.home).expanduser().resolve(), options.overwrite)
    asked = options.restore_decisions or not options.restore_files
    outcome = restore.look(found, vault if asked else None, wanted, target)
    if (options.restore_decisions or options.restore_files) and not options.dry_run:
        outcome.done, undo = apply.Done(), apply.new_undo(restore.settings.home, run.id, run.now)
        if options.restore_decisions and vault:
            outcome.plan, outcome.done = restore.rows(found, vault, wanted, undo)
        if options.restore_files:
            outcome.done.add_files(restore.files(found, target, undo))
        outcome.undo = run.id if undo.path.exists() else ""
        _record(restore, vault, "restore", outcome.details(), outcome.done)
    return _tell(run, outcome)


def _record(restore: Restore, vault: Vault | None, action: str, details: Mapping[str, Any], done: Done) -> None:
    """Writes into `agent_activity` what was done; that it cannot be is a problem of what was done all the same."""
    if vault is None:
        return
    try:
        restore.record(vault, action, details, "problems" if done.problems else "done")
    except AnglesError as unwritable:
        done.failed.append(f"{unwritable} What was done is not written down there")


def _tell(run: script.Run, outcome: Outcome) -> int:
    if run.as_json:
        run.document(outcome.json())
    for line in outcome.notes:
        run.note(line)
    for line in outcome.lines:
        run.log.info("%s", line)
        if not run.as_json:
            run.say(line)
    for line in outcome.done.problems if outcome.done else ():
        run.note(line)
    run.log.info("%s", outcome.closing_line())
    run.say(f"{run.component}: {outcome.closing_line()}")
    return PROBLEMS if outcome.problems else OK


def _undo(run: script.Run, restore: Restore, vault: Vault | None, options: argparse.Namespace) -> int:
    undo, done = restore.undo(vault, options.undo, dry_run=options.dry_run)
    details = {"undone": undo.run, "dry_run": options.dry_run, **vars(done)}
    if not options.dry_run:
        _record(restore, vault, "undo restore", details, done)
    if run.as_json:
        run.document(details)
    for line in done.files:
        run.say(line)
    for line in done.problems:
        run.note(line)
    rows = ", ".join(f"{count} {what}" for what, count in done.rows.items() if count) or "no row"
    would = "would undo" if options.dry_run else "undid"
    tail = "" if done.rows or done.files or done.problems else "; all was as before it already"
    line = f"{would} the restore of run {undo.run}: {rows}, {len(done.files)} files{tail}"
    run.log.info("%s", line)
    run.say(f"{run.component}: {line}")
    return PROBLEMS if done.problems else OK


def _test(run: script.Run, restore: Restore, vault: Vault, remote: Remote, where: AlertSettings | None) -> int:
    """Proves the newest snapshot; `where` alerts go, None where the result is not to be kept or told."""
    from utils.health import alerts
    from utils.health.firing import Event

    found = restore.prove(remote, vault)
    if where is not None:
        restore.keep(found)
        told = Event("restore-test", not found.differences, run.now, found.closing_line(), at_once=True)
        alerts.observe(restore.settings.home, where, [told], run.redactor.redact)
        alerts.send(restore.settings.home)
        restore.record(vault, "restore test", found.json(), "problems" if found.differences else "done")
    if run.as_json:
        run.document(found.json())
    for line in (*found.notes, *found.differences[:10]):
        run.note(line)
    run.log.info("%s", found.closing_line())
    run.say(f"{run.component}: {found.closing_line()}")
    return PROBLEMS if found.differences else OK


def _list(run: script.Run, settings: Settings, remote: Remote) -> int:
    from utils.backup.publish import taken
    from utils.backup.restore import history

    found = history(settings.home / ".local" / "backup", remote)
    rows = [{"commit": each.id, "taken": taken([each]).isoformat(), "title": each.title} for each in found]
    if run.as_json:
        run.document(rows)
    for row in rows if not run.as_json else ():
        run.say("{commit:.12} {taken:.19} {title}".format(**row))
    run.say(f"{run.component}: {len(found)} snapshots on {remote.branch} of {remote.url}")
    return OK


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-11-25 or 2026-11-25T14:00") from None
    if re.fullmatch(r"\s*[\d-]+\s*", text):
        moment += timedelta(days=1) - timedelta(microseconds=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _commit(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{4,64}", text.strip().lower()):
        raise argparse.ArgumentTypeError(f"{text!r} is no commit's id; --list has them")
    return text.strip().lower()


def _decision_id(text: str) -> str:
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no decision's id") from None


if __name__ == "__main__":
    sys.exit(main())
