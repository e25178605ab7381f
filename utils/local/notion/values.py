"""Property values: what a client writes, what is stored, what is shown, and what a query looks at."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from utils.local.notion import dates, richtext
from utils.local.notion.checks import Json, a_text, an_array, an_object
from utils.local.notion.refusals import RefusalError, invalid
from utils.local.notion.schema import READ_ONLY, TYPES, Property

Cell = tuple[str | None, float | None]
"""What filters and sorts see of a value: a text, or a number (a date's is its start in milliseconds)."""

_TEXT_LIMITS = {"url": 2000, "email": 200, "phone_number": 200}


@dataclass(frozen=True)
class Stamps:
    """What the read-only properties of a page show."""

    number: int
    created: str
    edited: str
    created_by: Json
    edited_by: Json


def parse(one: Property, payload: object, path: str, name: richtext.Mention, *, fold: bool = False) -> Any:
    """A written value as it is stored; None, [] and False mean empty.

    Args:
        one: the property; new options are added to it.
        payload: `{type: value}`, or the bare array of a title or rich text.
        path: where it stands in the body.
        name: tells the text of a mention.
        fold: whether option names that differ in case only are the same.

    Raises:
        RefusalError: 400, in Notion's words.
    """
    if one.type in READ_ONLY:
        raise invalid(f"Property {one.name!r} of type {one.type} is read-only and cannot be written.")
    if isinstance(payload, list) and one.type in {"title", "rich_text"}:
        payload = {one.type: payload}
    given = an_object(payload, path)
    if one.type not in given or any(key in TYPES and key != one.type for key in given):
        raise invalid(f"{one.name} is expected to be {one.type}.")
    if given.get("type", one.type) != one.type or set(given) - {"id", "type", "name", one.type}:
        raise invalid(f"{one.name} is expected to be {one.type}.")
    return _parse_value(one, given[one.type], f"{path}.{one.type}", name, fold=fold)


def show(one: Property, stored: Any, stamps: Stamps, *, whole: bool = False) -> Json:
    """A value as Notion shows it on a page; `whole` keeps all mentions."""
    return {"id": one.id, "type": one.type, one.type: shown_value(one, stored, stamps, whole=whole)}


def shown_value(one: Property, stored: Any, stamps: Stamps, *, whole: bool = False) -> Any:
    """What stands under the key of the type."""
    kind = one.type
    if kind in {"title", "rich_text"}:
        runs = stored or []
        return runs if whole else richtext.shortened(runs)
    if kind == "multi_select":
        found = [_shown_option(one, option_id) for option_id in stored or []]
        return [option for option in found if option]
    if kind in {"select", "status"}:
        return _shown_option(one, stored)
    if kind == "checkbox":
        return bool(stored)
    return _READ_ONLY_SHOWN[kind](one, stamps) if kind in _READ_ONLY_SHOWN else stored


def cells(one: Property, stored: Any) -> list[Cell]:
    """What a query sees of a stored value; nothing of an empty one."""
    kind = one.type
    if not stored and not (kind == "number" and stored == 0 and stored is not None):
        return []
    if kind in {"title", "rich_text"}:
        return [(richtext.plain(stored).encode("utf-8", "replace").decode(), None)]
    if kind == "multi_select":
        return [(option_id, None) for option_id in stored]
    if kind == "number":
        return [(None, float(stored))]
    if kind == "checkbox":
        return [(None, 1.0)]
    return [(None, float(dates.sort_key(stored)))] if kind == "date" else [(stored, None)]


def plain(one: Property, stored: Any) -> str:
    """A stored value as a person would type it; empty for an empty one."""
    if one.type == "checkbox":
        return "Yes" if stored else "No"
    if stored is None:
        return ""
    if one.type in {"title", "rich_text"}:
        return richtext.plain(stored)
    if one.type in {"select", "status", "multi_select"}:
        ids = stored if one.type == "multi_select" else [stored]
        return ", ".join(option["name"] for option in one.options if option["id"] in ids)
    if one.type == "date":
        return str(stored["start"])
    return str(stored)


def payload_of(one: Property, value: object) -> Json:
    """What a client would send for a plain value: a text, number, bool, None, or a list of option names.

    A dict that holds the property's type is taken as it is.
    """
    kind = one.type
    if isinstance(value, dict) and kind in value:
        return value
    if kind in {"title", "rich_text"}:
        runs = richtext.from_plain(str(value)) if value not in (None, "") else []
        return {kind: [{"type": "text", "text": run["text"]} for run in runs]}
    if kind in {"select", "status"}:
        return {kind: {"name": str(value)} if value else None}
    if kind == "multi_select":
        names = value.split(",") if isinstance(value, str) else value
        return {kind: [{"name": str(name).strip()} for name in names or [] if str(name).strip()]}  # type: ignore[attr-defined]
    if kind == "date":
        return {kind: value if isinstance(value, dict) else {"start": str(value)} if value else None}
    if kind == "checkbox":
        return {kind: value is True or str(value).lower() in {"yes", "true", "on"}}
    if kind == "number":
        return {kind: _number_typed(value)}
    return {kind: value or None}


def converted(before: Property, after: Property, stored: Any) -> Any:
    """A stored value after its property changed its type; None where it does not survive."""
    text = plain(before, stored)
    if not text:
        return None
    if after.type in {"select", "status"}:
        text = text.replace(",", "")[:100]
    try:
        return parse(after, payload_of(after, text), "body", lambda _kind, _id: "")
    except RefusalError:
        return None


def _parse_value(one: Property, value: Any, path: str, name: richtext.Mention, *, fold: bool) -> Any:
    kind = one.type
    if kind in {"title", "rich_text"}:
        return richtext.parse(value, path, name)
    if kind == "date":
        return dates.parse(value, path)
    if kind == "multi_select":
        items = [an_object(item, f"{path}[{n}]") for n, item in enumerate(an_array(value, path))]
        found = [one.option(item, f"{path}[{n}]", fold=fold)["id"] for n, item in enumerate(items)]
        return list(dict.fromkeys(found))
    if kind == "checkbox":
        if not isinstance(value, bool):
            raise invalid(f"{one.name} is expected to be checkbox.")
        return value
    if value is None:
        return None
    if kind in {"select", "status"}:
        return one.option(an_object(value, path), path, fold=fold)["id"]
    if kind == "number":
        return _number(one, value)
    return a_text(value, path, _TEXT_LIMITS[kind]) or None


def _number(one: Property, value: Any) -> int | float:
    """A number as JavaScript keeps it: a double."""
    try:
        double = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        double = math.inf
    if not math.isfinite(double):
        raise invalid(f"{one.name} is expected to be number.")
    return int(double) if double.is_integer() and abs(double) < 1e21 else double


def _number_typed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return float(value) if value.strip() else None
    except ValueError:
        return value


def _shown_option(one: Property, option_id: str | None) -> Json | None:
    for option in one.options:
        if option["id"] == option_id:
            return {"id": option["id"], "name": option["name"], "color": option["color"]}
    return None


_READ_ONLY_SHOWN: dict[str, Callable[[Property, Stamps], Any]] = {
    "unique_id": lambda one, stamps: {"prefix": one.config.get("prefix"), "number": stamps.number},
    "created_time": lambda _one, stamps: stamps.created,
    "last_edited_time": lambda _one, stamps: stamps.edited,
    "created_by": lambda _one, stamps: stamps.created_by,
    "last_edited_by": lambda _one, stamps: stamps.edited_by,
}
