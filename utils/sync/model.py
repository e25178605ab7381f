"""What the sync thinks in: rows, pages, links and their images. Pure; the JSON forms are those of `sync_links`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from utils.decision import FIELDS, Decision, Value, from_image, same

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Side(Enum):
    """One of the two places a decision lives in."""

    VAULT = "supabase"
    NOTION = "notion"

    @property
    def other(self) -> Side:
        """The opposite one."""
        return Side.NOTION if self is Side.VAULT else Side.VAULT

    @property
    def service(self) -> str:
        """Its name, for a line."""
        return self.value.capitalize()


class LinkState(Enum):
    """Where a link stands: page announced and not yet known, live, in the bin, or gone for good."""

    ANNOUNCED = "announced"
    LINKED = "linked"
    TRASHED = "trashed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the vault."""

    id: str
    content: Decision
    updated_at: datetime | None
    synced: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the Notion database, as read.

    `decision_id` is the text of its Decision ID property. `extras` holds raw values of fields that say more than the
    content does (a time of day, an end, formatting). `assumed` pages were not read: they stand for the link's image.
    """

    id: str
    content: Decision
    in_trash: bool
    decision_id: str
    edited: datetime
    created: datetime
    edited_by_us: bool = False
    created_by_us: bool = False
    at_home: bool = True
    extras: Mapping[str, Any] = field(default_factory=dict)
    assumed: bool = False

    def image(self) -> PageImage:
        """What of it goes into a link."""
        return PageImage(self.content, self.in_trash)


class Absence(Enum):
    """What stands in a page's place when the service answers that there is none."""

    MISSING = "not found, and not seen twice yet"
    GONE = "gone for good"


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page as it was when both sides last agreed."""

    content: Decision
    in_trash: bool = False

    def json(self) -> dict[str, Any]:
        """As `base_page` holds it."""
        return {**self.content.image(), "in_trash": self.in_trash}


@dataclass(frozen=True, slots=True)
class Intent:
    """What a page shall be once our write has taken effect, and the row's image that goes with it.

    Args:
        agreed: the fields of which both sides then have the same; the others keep their images.
        before: the page as it was read; None for one that is to be made.
    """

    page: PageImage
    row: Decision | None
    agreed: tuple[str, ...] = FIELDS
    before: PageImage | None = None

    def json(self) -> dict[str, Any]:
        """As `intent` holds it."""
        return {
            "page": self.page.json(),
            "row": self.row.image() if self.row else None,
            "agreed": list(self.agreed),
            "before": self.before.json() if self.before else None,
        }

    def met_by(self, page: Page) -> bool:
        """Whether a page is our own write, what Notion alters on writing (blanks around, option case) aside."""
        return self.page.in_trash == page.in_trash and all(self._took(name, page) for name in FIELDS)

    def met_fields(self, page: Page) -> list[str]:
        """The fields by which a page is our own write; one that only looks alike is if it is not as it was before."""
        return [
            name
            for name in self.agreed
            if same(name, self.page.content[name], page.content[name])
            or (self._took(name, page) and not self._untouched(name, page))
        ]

    def _untouched(self, name: str, page: Page) -> bool:
        return self.before is not None and same(name, self.before.content[name], page.content[name])

    def _took(self, name: str, page: Page) -> bool:
        return _loose(name, self.page.content[name]) == _loose(name, page.content[name])


@dataclass(frozen=True, slots=True)
class Refusal:
    """A value that a side cannot take, known by its fingerprint: not asked for again until it changes."""

    side: Side
    fingerprint: str
    why: str

    def json(self) -> dict[str, Any]:
        """As `todo` holds it."""
        return {"side": self.side.value, "fingerprint": self.fingerprint, "why": self.why}


@dataclass(frozen=True, slots=True)
class Todo:
    """What is unfinished about a link: held fields, refused values, a first 404, a failure to be tried again."""

    held: tuple[str, ...] = ()
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    missing_since: str = ""
    retry: str = ""

    def __bool__(self) -> bool:
        return bool(self.held or self.refused or self.missing_since or self.retry)

    @property
    def wants_page(self) -> bool:
        """Whether its page must be read even if nothing says that it changed."""
        return bool(self.held or self.missing_since or self.retry)

    def json(self) -> dict[str, Any] | None:
        """As `todo` holds it: null when there is nothing."""
        parts: dict[str, Any] = {
            "held": list(self.held),
            "refused": {name: refusal.json() for name, refusal in self.refused.items()},
            "missing_since": self.missing_since,
            "retry": self.retry,
        }
        return {name: part for name, part in parts.items() if part} or None


@dataclass(frozen=True, slots=True)
class Link:
    """A row of `sync_links`: the pair, and how each side was when both last agreed.

    `fresh` ones were written within the last 10 minutes: a listing of Notion may still show their page as it was.
    """

    page_id: str | None
    state: LinkState
    base_row: Decision | None = None
    base_page: PageImage | None = None
    intent: Intent | None = None
    todo: Todo = Todo()
    fresh: bool = field(default=False, compare=False)

    def json(self) -> dict[str, Any]:
        """As `sync_write` takes it."""
        return {
            "page_id": self.page_id,
            "state": self.state.value,
            "base_row": self.base_row.image() if self.base_row else None,
            "base_page": self.base_page.json() if self.base_page else None,
            "intent": self.intent.json() if self.intent else None,
            "todo": self.todo.json(),
        }


@dataclass(frozen=True, slots=True)
class Item:
    """One decision as the vault knows it: its row, its link, either absent.

    `adopts` is the id of a row that is no more, whose link this one takes over.
    """

    id: str
    row: Row | None
    link: Link | None
    adopts: str = ""


def fingerprint(value: Value | Mapping[str, Value]) -> str:
    """A short hash of a value or of several fields' values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def parse_item(data: Mapping[str, Any]) -> Item:
    """An item of `sync_changes` or `sync_lookup`."""
    row, link = data["row"], data["link"]
    return Item(
        data["id"],
        None if row is None else parse_row(data["id"], row),
        None if link is None else _parse_link(link),
    )


def parse_row(decision_id: str, data: Mapping[str, Any]) -> Row:
    """A row image with its stamps."""
    return Row(decision_id, from_image(data), parse_stamp(data.get("updated_at")), bool(data.get("synced")))


def parse_stamp(text: str | None) -> datetime | None:
    """An aware datetime out of PostgreSQL's text; None where there is none, or none between the years 1 and 9999."""
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None


def _parse_link(data: Mapping[str, Any]) -> Link:
    return Link(
        page_id=data["page_id"],
        state=LinkState(data["state"]),
        base_row=None if data["base_row"] is None else from_image(data["base_row"]),
        base_page=None if data["base_page"] is None else _parse_page_image(data["base_page"]),
        intent=None if data["intent"] is None else _parse_intent(data["intent"]),
        todo=_parse_todo(data["todo"] or {}),
        fresh=bool(data.get("fresh")),
    )


def _parse_page_image(data: Mapping[str, Any]) -> PageImage:
    return PageImage(from_image(data), bool(data.get("in_trash")))


def _parse_intent(data: Mapping[str, Any]) -> Intent:
    return Intent(
        page=_parse_page_image(data["page"]),
        row=None if data["row"] is None else from_image(data["row"]),
        agreed=tuple(data["agreed"]),
        before=None if data["before"] is None else _parse_page_image(data["before"]),
    )


def _parse_todo(data: Mapping[str, Any]) -> Todo:
    refused = {
        name: Refusal(Side(entry["side"]), entry["fingerprint"], entry["why"])
        for name, entry in data.get("refused", {}).items()
    }
    return Todo(tuple(data.get("held", ())), refused, data.get("missing_since", ""), data.get("retry", ""))


def _loose(name: str, value: Value) -> Value:
    if name == "active":
        return value is not False
    text = str(value or "").strip()
    return text.casefold() if name == "type" else text
