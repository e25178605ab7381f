"""Whether both sides are ready for a sync: what `memory_sync.py --test` tells."""

from __future__ import annotations

from typing import Any

from utils import migrations, script, services
from utils.config import Settings
from utils.errors import OK, AnglesError, ConfigError
from utils.stores.base import Beginning
from utils.sync.binding import bind, missing_names
from utils.sync.state import parse_state


def report(run: script.Run, settings: Settings) -> int:
    """Checks each side by itself, so that one failure does not hide the other's; the worse one is the exit code."""
    found: dict[str, Any] = {}
    begun: list[Beginning] = []
    worst = OK
    for side, check in (("vault", _test_vault), ("notion", _test_notion)):
        try:
            found[side] = check(run, settings, begun)
        except AnglesError as failure:
            found[side] = str(failure)
            run.log.error("%s", failure)  # noqa: TRY400 - one line, told here because the other side is still looked at
            worst = max(worst, failure.exit_code)
    if run.as_json:
        run.document({"exit_code": worst, **found})
    run.say(f"{run.component}: {'both sides are ready' if worst == OK else 'not ready'}; nothing was changed")
    return worst


def _test_vault(run: script.Run, settings: Settings, begun: list[Beginning]) -> str:
    """The connection and the schema; adds where the sync stands to `begun`."""
    dsn = settings.need_vault().dsn
    pending = migrations.status(dsn).pending if dsn else ()
    if pending:
        names = ", ".join(each.file for each in pending)
        raise ConfigError("vault", f"its schema lacks {names}", "Run: python run_migration.py")
    with services.vault(settings) as vault:
        begun.append(vault.begin())
    run.say(f"vault: reachable, its schema is in place, {begun[0].links} decisions are linked")
    return "ok"


def _test_notion(run: script.Run, settings: Settings, begun: list[Beginning]) -> str:
    """The database of Notion and its properties, told a line each."""
    with services.notion(settings) as notion:
        bind(notion, parse_state(begun[0].state if begun else {}), lambda: run.now)
        schema, missing = notion.schema, missing_names(notion)
    run.say(f"notion: database {schema.title!r} is reachable, data source {schema.data_source}")
    for name, ours in schema.properties.items():
        run.say(f"notion: {name} is property {ours.name!r} ({ours.type})")
    for name in missing:
        run.say(f"notion: property {name!r} is missing; the first sync makes it")
    return "ok"
