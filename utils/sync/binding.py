"""Which Notion database a run works on, and by which properties: read and checked, and made where they are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from utils.decision import FIELDS
from utils.errors import SafetyError
from utils.stores.notion import Notion
from utils.stores.notion_values import NAMES, Schema, still_there
from utils.sync.state import State, check_database, check_names_free


@dataclass(frozen=True)
class Binding:
    """The database as found.

    Args:
        state: what to remember, with the properties that are to be made as made now.
        begun: what was remembered.
    """

    state: State
    begun: State

    @property
    def replaced(self) -> bool:
        """Whether it is another database than the last run's; so is the first one."""
        return self.state.data_source != self.begun.data_source

    def early(self) -> State:
        """What to keep before properties are made.

        A database that replaces another becomes ours when all is done, so that a resync that is cut short has to be
        run again, not taken for a database whose pages are gone.
        """
        return replace(self.begun, made=self.state.made) if self.replaced and self.begun.data_source else self.state


def bind(notion: Notion, begun: State, now: Callable[[], datetime], *, resync: bool = False) -> Binding:
    """Reads and checks the database; changes nothing.

    Args:
        notion: the adapter; it is bound after this.
        begun: what the last run remembered.
        now: Notion's clock, once it answered.
        resync: the user says that another database, or other properties, are meant.

    Raises:
        SafetyError: it is another database than before, or somebody else's. ConfigError: its properties do not fit.
    """
    given = notion.settings.database_id
    source = notion.source(begun.data_source if begun.given == given else "")
    replaced = begun.data_source != source["id"]
    known = {} if replaced else still_there(begun.properties, source) if resync else begun.properties
    schema = notion.bind(source, known, begun.bot)
    check_database(begun, schema, resync=resync)
    state = State(links=begun.links, made=begun.made) if replaced else replace(begun, properties=known)
    state = replace(state, data_source=schema.data_source, given=given, bot=notion.bot)
    if schema.missing:
        check_names_free(schema)
        _check_ours(notion, schema, known=resync or not replaced)
        made = dict.fromkeys(set(schema.missing) & set(FIELDS), now())
        state = replace(state, made={**state.made, **made})
    return Binding(state, begun)


def make_missing(notion: Notion, binding: Binding, keep: Callable[[dict[str, Any]], object]) -> None:
    """Makes the properties that the database lacks; `keep` is given the state to remember first."""
    if notion.schema.missing:
        keep(binding.early().json())
        notion.make_properties(notion.schema.missing)


def missing_names(notion: Notion) -> list[str]:
    """The names of the properties that the database lacks."""
    return [NAMES[name] for name in notion.schema.missing]


def _check_ours(notion: Notion, schema: Schema, *, known: bool) -> None:
    """Properties are made only in a database known to be ours, or empty.

    Raises:
        SafetyError: it is neither.
    """
    if not known and len(schema.properties) <= 1 and not notion.is_empty():
        raise SafetyError(
            "notion",
            f"database {schema.title!r} holds pages and has none of the sync's properties",
            "If it is the right one, add a text property 'Decision ID' to it, then run again",
        )
