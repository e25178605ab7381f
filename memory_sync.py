"""Keeps the decision vault and the Notion database equal, in both directions, and takes assistant output in.

Without a flag it takes in the decisions of whatever lies in the drop folder (inbox/), and makes both sides equal: what
changed on one side goes to the other, field by field; what changed differently on both is a conflict, which --prefer
decides and the log in the vault (sync_log) keeps. A page trashed in Notion retires its decision (active = false); a
deleted row trashes its page; nothing is lost.

  python memory_sync.py                      both ways
  python memory_sync.py --test               check both connections, change nothing
  python memory_sync.py --dry-run            say everything a run would do, change nothing
  python memory_sync.py --process PATH ...   take in the decisions of files and folders, or of stdin (-)
  python memory_sync.py --review             list what intake is not sure of
  python memory_sync.py --accept ID          put it into the vault; --reject ID: never
  python memory_sync.py --conflicts          list what is held
  python memory_sync.py --resolve ID --take notion
  python memory_sync.py --export csv         sync, then write export/decisions.csv
  python memory_sync.py --history ID         every content a decision ever had, and what it lost
  python memory_sync.py --explain ID         what is known of it, what the last run did with it, and why
  python memory_sync.py --undo RUN           put back what a run overwrote; a run of its own, so undone alike

Exit codes: 0 both sides are equal; 1 done, with problems named (held, flagged, failed); 2 usage or configuration;
3 a service is unreachable or refuses the credentials; 4 refused by a safety brake; 70 a bug; 75 another run is at it;
130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

from utils import script
from utils.errors import OK, PROBLEMS, AnglesError, BusyError

if TYPE_CHECKING:
    from utils.config import Settings
    from utils.intake.report import Report as Intake
    from utils.sections import InboxSettings
    from utils.stores.base import Vault
    from utils.sync.explain import Told
    from utils.sync.report import Report
    from utils.sync.session import Session
    from utils.sync.undo import Undone


SYNC_ONLY = ("direction", "prefer", "full", "resync", "max_delete_percent", "allow_mass_change")
MODES = ("sync_decisions", "test", "conflicts", "resolve", "export_only", "history", "explain", "undo", "process")
INTAKE = ("process", "review", "accept", "reject")
VAULT_ONLY = ("export_only", "history", "explain", "undo", *INTAKE)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    options = _options(argv)
    job = "" if options.dry_run or options.test or options.conflicts or _vault_only(options) else "sync"
    return script.run("memory_sync", lambda run: _run(run, options), as_json=options.json, job=job)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = script.parser("memory_sync", __doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--sync-decisions", action="store_true", help="both ways; the same as no flag")
    what.add_argument("--test", action="store_true", help="check connections, properties and schema; change nothing")
    what.add_argument("--conflicts", action="store_true", help="list what is held")
    what.add_argument(
        "--resolve", metavar="ID", type=_decision_id, help="settle the held fields of one decision, with --take"
    )
    what.add_argument(
        "--export-only", action="store_true", help="write the export without a sync (needs only the vault)"
    )
    what.add_argument("--history", metavar="ID", type=_decision_id, help="earlier contents and lost values, in order")
    what.add_argument("--explain", metavar="ID", type=_decision_id, help="what became of one decision, and why")
    what.add_argument("--undo", metavar="RUN", type=_run_id, help="put back into the vault what a run overwrote")
    what.add_argument("--process", metavar="PATH", nargs="+", help="take in assistant output; - is stdin")
    what.add_argument("--review", action="store_true", help="list what intake is not sure of")
    for settled, into in (("accept", "into the vault with"), ("reject", "never take in, or retire,")):
        text = f"{into} these of --review; their first digits are enough"
        parser.add_argument(f"--{settled}", metavar="ID", nargs="+", action="extend", default=[], help=text)
    parser.add_argument("--dry-run", action="store_true", help="say everything a run would do; change nothing")
    parser.add_argument("--direction", choices=["both", "to-notion", "to-supabase"], default="both")
    parser.add_argument(
        "--prefer", choices=["newest", "supabase", "notion", "hold"], help="who wins a conflict (default: newest)"
    )
    parser.add_argument("--full", action="store_true", help="compare everything, not only what changed")
    parser.add_argument("--resync", action="store_true", help="forget the images, compare everything, remove nothing")
    parser.add_argument("--field", choices=["decision", "date", "type", "active", "comment"], help="with --resolve")
    parser.add_argument("--take", choices=["supabase", "notion"], help="with --resolve: whose values stand")
    parser.add_argument("--max-delete-percent", type=_percent, metavar="N", default=50, help="default: 50")
    parser.add_argument("--allow-mass-change", action="store_true", help="lift all brakes for this run")
    parser.add_argument("--export", nargs="?", const="json", choices=["json", "jsonl", "csv", "md"])
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(argv)
    _check_together(parser, options)
    return options


def _check_together(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuses flags that would be ignored."""
    if bool(options.resolve) != bool(options.take):
        parser.error("--resolve ID and --take supabase|notion go together")
    if options.field and not options.resolve:
        parser.error("--field goes with --resolve")
    settles = bool(options.accept or options.reject)
    if settles and any(getattr(options, name) for name in MODES):
        parser.error("--accept and --reject go with --review alone")
    looks = options.test or options.conflicts or options.history or options.explain or options.review or settles
    if options.dry_run and (options.export_only or looks):
        parser.error("--dry-run goes with a sync, --process, --resolve or --undo")
    if options.export and (looks or options.undo or options.process):
        parser.error("--export goes with a sync, --resolve or --export-only")
    if looks or options.resolve or _vault_only(options):
        for name in SYNC_ONLY:
            if getattr(options, name) != parser.get_default(name):
                parser.error(f"--{name.replace('_', '-')} goes with a sync")


def _vault_only(options: argparse.Namespace) -> bool:
    """Whether Notion is not needed."""
    return any(getattr(options, name) for name in VAULT_ONLY)


def _decision_id(text: str) -> str:
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no decision's id; --conflicts lists them") from None


def _run_id(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no run's id; each line of the log has its run's")
    return text.strip()


def _percent(text: str) -> int:
    if not text.isdecimal() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 100")
    return int(text)


def _run(run: script.Run, options: argparse.Namespace) -> int:
    from utils import config, sections, services
    from utils.intake import command

    loaded, inbox = config.load_with(sections.inbox, notion=not _vault_only(options))
    settings = run.told(loaded)
    with ExitStack() as stack:
        if _vault_only(options):
            filled = stack.enter_context(services.database(settings))
            vault = stack.enter_context(services.vault(filled))
            if any(getattr(options, name) for name in INTAKE):
                return _intake(run, vault, inbox, options)
            return _in_vault(run, vault, filled, options)
        filled = stack.enter_context(services.local_services(settings))
        if options.test:
            from utils import readiness

            return readiness.report(run, filled)
        vault = stack.enter_context(services.vault(filled))
        if not (options.dry_run or options.conflicts):
            stack.enter_context(_alone(run, filled))
        empties = not (options.conflicts or options.resolve)
        taken = command.empty(run, vault, inbox, dry_run=options.dry_run) if empties else None
        filled.need_notion()
        with _session(run, vault, filled) as session:
            if options.conflicts:
                return _conflicts(run, session)
            report = _resolve(session, options) if options.resolve else _sync(session, options)
        if options.export and not options.dry_run:
            _export(run, vault, filled, options.export, quiet=run.as_json)
        return _tell(run, report, taken)


def _intake(run: script.Run, vault: Vault, inbox: InboxSettings, options: argparse.Namespace) -> int:
    """Takes outputs in, or settles what waits for a person."""
    from utils.intake import command, review

    if options.process:
        return command.process(run, vault, inbox, options.process, dry_run=options.dry_run)
    settles = options.accept or options.reject
    return _told(run, review.settle(vault, options.accept, options.reject) if settles else review.review(vault))


def _in_vault(run: script.Run, vault: Vault, settings: Settings, options: argparse.Namespace) -> int:
    """What needs only the vault."""
    if options.export_only:
        return _export(run, vault, settings, options.export or "json")
    from utils.sync import explain, undo

    if options.history:
        return _told(run, explain.history(vault, options.history))
    if options.explain:
        return _told(run, explain.explain(vault, options.explain, run.now))
    with nullcontext() if options.dry_run else _alone(run, settings):
        undone = undo.undo(vault, run.id, options.undo, dry_run=options.dry_run)
    if not (options.dry_run or options.json):
        for line in undone.lines:
            run.say(line)
    return _tell(run, undone)


def _told(run: script.Run, told: Told) -> int:
    """Says what was asked for."""
    if run.as_json:
        run.document(told.json)
    else:
        for line in told.lines:
            run.say(line)
    run.say(f"{run.component}: {told.closing}")
    return OK


@contextmanager
def _alone(run: script.Run, settings: Settings) -> Iterator[None]:
    """One sync at a time on this machine, known at once and by its command; the vault's lease guards all machines.

    Raises:
        BusyError: another run is at it.
    """
    from utils.files import hold_lock

    with ExitStack() as stack:
        try:
            stack.enter_context(hold_lock(settings.home / "logs" / "active" / "memory_sync.lock"))
        except BusyError:
            raise
        except AnglesError as unwritable:
            run.note(f"goes on with the vault's lease alone: {unwritable}")
        yield


@contextmanager
def _session(run: script.Run, vault: Vault, settings: Settings) -> Iterator[Session]:
    from utils import progress, services
    from utils.sync.session import Session

    with services.notion(settings) as notion, progress.bar("decisions") as bar:
        yield Session(vault, notion, run.id, run.now, bar)


def _sync(session: Session, options: argparse.Namespace) -> Report:
    from utils.sync.session import Options

    return session.sync(
        Options(
            direction=options.direction,
            prefer=options.prefer,
            full=options.full,
            resync=options.resync,
            dry_run=options.dry_run,
            max_delete_percent=options.max_delete_percent,
            allow_mass_change=options.allow_mass_change,
        )
    )


def _resolve(session: Session, options: argparse.Namespace) -> Report:
    from utils.sync.merge import ALL_FIELDS
    from utils.sync.model import Side
    from utils.sync.session import Resolution

    fields = frozenset({options.field}) if options.field else ALL_FIELDS
    return session.resolve(Resolution(options.resolve, Side(options.take), fields), dry_run=options.dry_run)


def _tell(run: script.Run, report: Report | Undone, taken: Intake | None = None) -> int:
    """Says what was done, or in a dry run what would be; one closing line."""
    if run.as_json:
        run.document({**report.json(), **({"intake": taken.json()} if taken else {})})
    elif report.dry_run:
        for line in report.lines:
            run.say(line)
    for line in report.problems:
        run.log.warning("%s", line)
    for line in report.lines:
        run.log.info("%s", line)
    closing = report.closing_line()
    run.log.info("%s", closing)
    run.say(f"{run.component}: {closing}")
    return PROBLEMS if report.open_problems or (taken and taken.problems) else OK


def _conflicts(run: script.Run, session: Session) -> int:
    held = session.held()
    rows = [
        {"id": item.id, "field": name, "supabase": item.row.content[name], "notion": page.content[name]}
        for item, page in held
        if item.row and item.link
        for name in item.link.todo.held
    ]
    if run.as_json:
        run.document(rows)
    for row in rows:
        run.say("{id} {field}: Supabase has {supabase!r}, Notion has {notion!r}".format(**row))
    run.say(
        f"{run.component}: {len(rows)} held" + ("; settle with --resolve ID --take supabase|notion" if rows else "")
    )
    return PROBLEMS if rows else OK


def _export(run: script.Run, vault: Vault, settings: Settings, form: str, *, quiet: bool = False) -> int:
    from utils.export import export

    path, count = export(vault.rows(), form, settings.home / "export")
    if run.as_json and not quiet:
        run.document({"exported": str(path), "decisions": count})
    run.say(f"{run.component}: {count} decisions exported to {path}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
