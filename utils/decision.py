"""A decision: its five content fields, when two values are the same, and what either side cannot hold. Pure.

Values are the vault's: `decision` text, `date` a calendar day as ISO text (or what else PostgreSQL's date can say),
`type` text, `active` boolean, `comment` text; all but `decision` may be None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

FIELDS = ("decision", "date", "type", "active", "comment")
TEXTS = ("decision", "comment")

TYPE_LENGTH = 50
"""Characters that `decision_vault.type` holds."""

ITEM_UNITS = 2000
"""UTF-16 code units that Notion takes in one text item (FACTS: 1,001 emoji were refused as 2,002)."""

ITEMS = 100
"""Text items that Notion takes in one property."""

TEXT_UNITS = ITEMS * ITEM_UNITS
"""UTF-16 code units that Notion takes in one property, if no surrogate pair lies on an item's border."""

TEXT_BYTES = 400_000
"""Bytes of JSON that one property may take, so that it fits a request (500 KB) with room for the rest."""

Value = str | bool | None

_DAY = re.compile(r"(?!0000)\d{4}-\d\d-\d\d")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Decision:
    """The content of a decision, as a row of the vault has it."""

    decision: str = ""
    date: str | None = None
    type: str | None = None
    active: bool | None = True
    comment: str | None = None

    def __getitem__(self, field: str) -> Value:
        value: Value = getattr(self, field)
        return value

    def image(self) -> dict[str, Value]:
        """The five fields as JSON has them."""
        return asdict(self)

    def but(self, changes: Mapping[str, Value]) -> Decision:
        """The same with other values in some fields."""
        return replace(self, **changes) if changes else self  # type: ignore[arg-type]

    def only(self, fields: Iterable[str]) -> dict[str, Value]:
        """Some of the fields."""
        return {field: self[field] for field in fields}


def from_image(image: Mapping[str, Any]) -> Decision:
    """The decision in an image; a field that it lacks has the value of an empty one."""
    return Decision(
        decision=image.get("decision") or "",
        date=image.get("date"),
        type=image.get("type"),
        active=image.get("active"),
        comment=image.get("comment"),
    )


def normal(field: str, value: Value) -> Value:
    """What counts in a value: text NULL and '' are one, `active` NULL is true."""
    if field == "active":
        return True if value is None else value
    if field == "date":
        return value
    return value or ""


def same(field: str, one: Value, other: Value) -> bool:
    """Whether two values of a field are equal by their normal form."""
    return normal(field, one) == normal(field, other)


def differing(one: Decision, other: Decision) -> tuple[str, ...]:
    """The fields in which two decisions differ."""
    return tuple(field for field in FIELDS if not same(field, one[field], other[field]))


def content_key(content: Decision) -> tuple[Value, ...]:
    """Equal for equal contents, `active` aside: what makes two items twins."""
    return tuple(normal(field, content[field]) for field in FIELDS if field != "active")


def utf16_units(text: str) -> int:
    """The length of a text as Notion counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_text(text: str, limit: int = ITEM_UNITS) -> list[str]:
    """Parts of at most `limit` UTF-16 units that join to the text."""
    if len(text) * 2 <= limit:
        return [text] if text else []
    parts, start, units = [], 0, 0
    for place, mark in enumerate(text):
        width = 2 if mark > "\uffff" else 1
        if units + width > limit:
            parts.append(text[start:place])
            start, units = place, 0
        units += width
    return [*parts, text[start:]]


def json_bytes(text: str) -> int:
    """The bytes that a text takes in a request."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def unfit_for_notion(field: str, value: Value) -> str:
    """Why Notion cannot hold a value, or ''."""
    if value is None or isinstance(value, bool):
        return ""
    if field == "date":
        return "" if _DAY.fullmatch(value) else f"{value} is no date that Notion has (years 1 to 9999)"
    if control := _CONTROL.search(value):
        return f"holds the control character U+{ord(control[0]):04X}"
    if field == "type":
        return "holds a comma, which no option in Notion can" if "," in value else ""
    if (units := utf16_units(value)) > TEXT_UNITS:
        return f"is {units:,} UTF-16 units long, Notion takes {TEXT_UNITS:,}"
    if units > TEXT_UNITS - ITEMS and (items := len(split_text(value))) > ITEMS:
        return f"needs {items} text items of {ITEM_UNITS:,} UTF-16 units, Notion takes {ITEMS}"
    if (size := json_bytes(value)) > TEXT_BYTES:
        return f"is {size:,} bytes long, a request to Notion takes {TEXT_BYTES:,}"
    return ""


def unfit_for_vault(field: str, value: Value) -> str:
    """Why the vault cannot hold a value that came from Notion, or ''."""
    if field == "decision" and not normal(field, value):
        return "is empty: give the page a title, or trash it"
    if value is None or isinstance(value, bool):
        return ""
    if "\x00" in value:
        return "holds the control character U+0000"
    if _SURROGATE.search(value):
        return "holds half a surrogate pair"
    if field == "type" and len(value) > TYPE_LENGTH:
        return f"is {len(value)} characters long, the vault takes {TYPE_LENGTH}"
    return ""
