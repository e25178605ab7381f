"""What the sync remembers between runs, and what a changed database means for it. Pure; kept in `sync_state`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from utils.errors import ConfigError, SafetyError
from utils.stores.notion_values import NAMES, TYPES, Property, Schema

FULL_AFTER = timedelta(hours=20)
"""How long changes may be trusted to tell everything."""

SKEW = timedelta(minutes=5)
"""How far a clock may be set back before nothing that it said is trusted."""

LAG = timedelta(minutes=2)
"""How far Notion's listings may lie behind its writes."""


@dataclass(frozen=True)
class State:
    """The sync's memory.

    Args:
        given: NOTION_DATABASE_ID as it was when `data_source` was found by it.
        bot: our integration's user id.
        mark: changes before it were seen.
        full_at: when everything was compared last, by Notion's clock.
        large_bin: the bin held more pages than one listing shows.
        made: since when a field's property exists that the sync made, until everything was linked once.
        pages: pages without a row that cannot be taken, and why.
        links: how many there were when the last run finished.
    """

    data_source: str = ""
    given: str = ""
    bot: str = ""
    mark: datetime | None = None
    full_at: datetime | None = None
    large_bin: bool = False
    properties: Mapping[str, Property] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, datetime] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    links: int = 0

    def json(self) -> dict[str, Any]:
        """As `sync_state` holds it; the database adds `links` itself."""
        return {
            "data_source": self.data_source,
            "given": self.given,
            "bot": self.bot,
            "mark": self.mark.isoformat() if self.mark else None,
            "full_at": self.full_at.isoformat() if self.full_at else None,
            "large_bin": self.large_bin,
            "properties": {name: [each.id, each.name, each.type] for name, each in self.properties.items()},
            "options": dict(self.options),
            "made": {name: since.isoformat() for name, since in self.made.items()},
            "pages": dict(self.pages),
        }


def parse_state(data: Mapping[str, Any]) -> State:
    """The state out of `sync_state`; an empty one where there is none."""
    if not data:
        return State()
    return State(
        data_source=data["data_source"],
        given=data["given"],
        bot=data["bot"],
        mark=datetime.fromisoformat(data["mark"]) if data["mark"] else None,
        full_at=datetime.fromisoformat(data["full_at"]) if data["full_at"] else None,
        large_bin=data["large_bin"],
        properties={name: Property(*each) for name, each in data["properties"].items()},
        options=data["options"],
        made={name: datetime.fromisoformat(since) for name, since in data["made"].items()},
        pages=data["pages"],
        links=data.get("links", 0),
    )


def check_database(state: State, schema: Schema, *, resync: bool) -> None:
    """Refuses a database that was replaced, or whose properties no longer hold what they held.

    Raises:
        SafetyError: another database than before. ConfigError: a property was removed or retyped.
    """
    if state.data_source and state.data_source != schema.data_source and not resync:
        raise SafetyError(
            "notion",
            f"database {schema.title!r} ({schema.data_source}) is another than the one synced before"
            f" ({state.data_source})",
            "If it replaces that one, run: python memory_sync.py --resync",
        )
    for name, ours in schema.properties.items():
        if ours.type != TYPES[name]:
            raise ConfigError(
                "notion",
                f"property {ours.name!r} was retyped: it is {ours.type} and must be {TYPES[name]}",
                "Change its type back in Notion; nothing was written",
            )
    gone = [known.name for name, known in state.properties.items() if name not in schema.properties]
    if gone and not resync and state.data_source == schema.data_source:
        raise ConfigError(
            "notion",
            f"property {', '.join(map(repr, gone))} was removed from database {schema.title!r}",
            "Restore it in Notion, or have it made anew from the vault: python memory_sync.py --resync",
        )


def check_names_free(schema: Schema) -> None:
    """Refuses to make a property whose name another type has.

    Raises:
        ConfigError: the name is taken.
    """
    for name in schema.missing:
        if NAMES[name] in schema.types:
            raise ConfigError(
                "notion",
                f"property {NAMES[name]!r} is {schema.types[NAMES[name]]} and must be {TYPES[name]}",
                "Change its type in Notion, or rename it",
            )


def why_everything(state: State, schema: Schema, links: int, now: datetime) -> str:
    """Why this run has to compare everything; '' when changes will do."""
    if links == 0 or state.mark is None or state.full_at is None:
        return "first sync"
    if links < state.links:
        return f"{state.links - links} links are missing"
    if now < state.mark:
        return "Notion's clock was set back"
    if not -SKEW <= now - state.full_at < FULL_AFTER:
        return "the last full comparison was not within 20 hours"
    if any(state.properties[name] != ours for name, ours in schema.properties.items() if name in state.properties):
        return "a property was renamed"
    if any(schema.options.get(option) != name for option, name in state.options.items()):
        return "an option was renamed or removed"
    return ""


def next_mark(state: State, date: datetime | None, newest: datetime | None) -> datetime | None:
    """From when on the next run asks for changes.

    Args:
        state: with the mark of this run; it never moves backwards, unless that clock did.
        date: Notion's clock at this run's first answer.
        newest: the newest stamp that was listed.
    """
    known = None if date and state.mark and date < state.mark else state.mark
    if newest is None:
        return known if known or date is None else _minute(date) - LAG
    mark = min(_minute(date) - LAG, newest + timedelta(minutes=1)) if date else newest - LAG
    return max(mark, known) if known else mark


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
