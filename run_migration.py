"""Brings the decision vault's database to the schema of this version.

Applies the files of supabase/migrations that the database lacks, each in one transaction, one runner at a time. The
history is that of Supabase's own CLI. Running it again does nothing.

  python run_migration.py             apply what is pending
  python run_migration.py --status    say what is applied and what is pending
  python run_migration.py --dry-run   execute everything, roll it back, say what would be applied
  python run_migration.py --verify    say where the schema differs from the files, and what mends it

It uses DATABASE_URL; else SUPABASE_ACCESS_TOKEN, by Supabase's Management API; else it prints the SQL that is pending,
writes it to export/pending_migration.sql, and ends with 2: it is for you to paste.

Exit codes: 0 applied, or nothing to do; 1 --verify found differences; 2 configuration, or SQL to paste; 3 the database
is unreachable or refuses; 4 refused (an applied file was edited, a version is unknown or out of order); 75 another
runner is at it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from utils import script
from utils.errors import OK, PROBLEMS, ConfigError

if TYPE_CHECKING:
    from utils.config import Settings
    from utils.migrations.ways import Way


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    parser = script.parser("run_migration", __doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="say what is applied and what is pending")
    what.add_argument("--dry-run", action="store_true", help="execute everything, then roll it back")
    what.add_argument("--verify", action="store_true", help="say where the schema differs from the files")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(argv)
    return script.run("run_migration", lambda run: _run(run, options), as_json=options.json)


def _run(run: script.Run, options: argparse.Namespace) -> int:
    from utils import config, services
    from utils.migrations import ways

    settings = run.told(config.load(notion=False, schema=True))
    with services.database(settings) as filled, ways.way_in(filled) as way:
        if way is None:
            return _by_hand(run, filled, asked=options.status or options.dry_run or options.verify)
        if options.status:
            return _status(run, way)
        if options.verify:
            return _verify(run, way)
        return _migrate(run, way, filled, dry_run=options.dry_run)


def _migrate(run: script.Run, way: Way, settings: Settings, *, dry_run: bool) -> int:
    from utils.migrations import ways

    report = way.migrate(dry_run=dry_run, now=run.now)
    for name in report.applied:
        run.log.info("%s %s", "would apply" if dry_run else "applied", name)
        run.say(f"{'would apply' if dry_run else 'applied'} {name}")
    probed = "" if dry_run else ways.probe(settings.vault)
    notes = [note for note in (*report.notes, probed) if note]
    for note in notes:
        run.note(note)
    if run.as_json:
        run.document({"dry_run": dry_run, "applied": report.applied, "already": report.already, "notes": notes})
    said = f"{len(report.applied)} {'to apply' if dry_run else 'applied'}, {len(report.already)} already there"
    run.log.info("%s; %.1f s", said, report.seconds)
    run.say(f"{run.component}: {said}; {report.seconds:.1f} s")
    return OK


def _status(run: script.Run, way: Way) -> int:
    found = way.status()
    if run.as_json:
        run.document({"applied": found.applied, "pending": [each.file for each in found.pending]})
    for version in found.applied:
        run.say(f"applied {version}")
    for each in found.pending:
        run.say(f"pending {each.file}")
    run.say(f"{run.component}: {len(found.applied)} applied, {len(found.pending)} pending")
    return OK


def _verify(run: script.Run, way: Way) -> int:
    found = way.verify(now=run.now)
    if run.as_json:
        run.document({"differences": [each.json() for each in found]})
    for each in found:
        run.say(f"{each.object}: {each.difference}")
        if not run.as_json:
            for line in each.mend.splitlines():
                run.say(f"    {line}")
    said = f"{len(found)} differences from what the files make" if found else "the schema is what the files make"
    run.log.info("%s", said)
    run.say(f"{run.component}: {said}")
    return PROBLEMS if found else OK


def _by_hand(run: script.Run, settings: Settings, *, asked: bool) -> int:
    """Writes and prints what a person has to execute; answers that it is theirs to do."""
    from utils.files import write_atomic
    from utils.migrations import ways

    where = "DATABASE_URL or SUPABASE_ACCESS_TOKEN"
    if asked:
        raise ConfigError(where, "not set: the database's history cannot be read", "Set one of them (see .env.example)")
    found = ways.by_hand(settings, now=run.now)
    if not found.pending:
        run.say(f"{run.component}: nothing is pending, by what the REST API tells")
        return OK
    path = settings.home / "export" / "pending_migration.sql"
    write_atomic(path, found.text)
    editor = ways.EDITOR.format(project=settings.schema.project or "_")
    if run.as_json:
        run.document({"applied": [], "pending": [each.file for each in found.pending], "file": path, "editor": editor})
    else:
        for line in found.text.splitlines():
            run.say(line)
    told = (
        f"{len(found.pending)} pending" if found.known else "what is pending there is not known, the SQL looks itself"
    )
    raise ConfigError(
        where,
        f"not set, and the schema cannot be changed through SUPABASE_URL: nothing was applied; {told}",
        f"Set one of them, or paste {path} into {editor}",
    )


if __name__ == "__main__":
    sys.exit(main())
