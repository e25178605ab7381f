"""Brings the decision vault's database to the schema of this version.

Applies the files of supabase/migrations that the database lacks, each in one transaction, one runner at a time. The
history is that of Supabase's own CLI. Running it again does nothing.

  python run_migration.py             apply what is pending
  python run_migration.py --status    say what is applied and what is pending
  python run_migration.py --dry-run   execute everything, roll it back, say what would be applied

Exit codes: 0 applied, or nothing to do; 2 configuration; 3 the database is unreachable or refuses; 4 refused (an
applied file was edited, a version is unknown or out of order); 75 another runner is at it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from utils import script
from utils.errors import OK, ConfigError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    parser = script.parser("run_migration", __doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="say what is applied and what is pending")
    what.add_argument("--dry-run", action="store_true", help="execute everything, then roll it back")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(argv)
    return script.run("run_migration", lambda run: _run(run, options), as_json=options.json)


def _run(run: script.Run, options: argparse.Namespace) -> int:
    from utils import config, services

    settings = run.told(config.load(notion=False))
    with services.database(settings) as filled:
        dsn = filled.need_vault().dsn
        if not dsn:
            raise ConfigError(
                "DATABASE_URL",
                "not set, and the schema cannot be changed through SUPABASE_URL",
                "Set it to the project's session pooler (port 5432), or paste the files of supabase/migrations into the"
                " project's SQL editor in their order; nothing was applied",
            )
        return _status(run, dsn) if options.status else _migrate(run, dsn, dry_run=options.dry_run)


def _migrate(run: script.Run, dsn: str, *, dry_run: bool) -> int:
    from utils.migrations import migrate

    report = migrate(dsn, dry_run=dry_run, now=run.now)
    for name in report.applied:
        run.log.info("%s %s", "would apply" if dry_run else "applied", name)
        run.say(f"{'would apply' if dry_run else 'applied'} {name}")
    if run.as_json:
        run.document({"dry_run": dry_run, "applied": report.applied, "already": report.already})
    said = f"{len(report.applied)} {'to apply' if dry_run else 'applied'}, {len(report.already)} already there"
    run.log.info("%s; %.1f s", said, report.seconds)
    run.say(f"{run.component}: {said}; {report.seconds:.1f} s")
    return OK


def _status(run: script.Run, dsn: str) -> int:
    from utils.migrations import status

    found = status(dsn)
    if run.as_json:
        run.document({"applied": found.applied, "pending": [each.file for each in found.pending]})
    for version in found.applied:
        run.say(f"applied {version}")
    for each in found.pending:
        run.say(f"pending {each.file}")
    run.say(f"{run.component}: {len(found.applied)} applied, {len(found.pending)} pending")
    return OK


if __name__ == "__main__":
    sys.exit(main())
