"""Notion's JSON to our values and back. Pure.

Text is split into items of 2,000 UTF-16 units, never inside a surrogate pair, and read by joining all runs; dates
compare by calendar day; what a property says beyond our value (a time, an end, formatting) is kept raw as an extra.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from utils.decision import TEXTS, Decision, Value, split_text
from utils.errors import ServiceError
from utils.sync.model import Page

NAMES = {
    "decision": "Decision",
    "date": "Date",
    "type": "Type",
    "active": "Active",
    "comment": "Comment",
    "id": "Decision ID",
}
"""The properties' names where the sync makes them; found by stored id first, then by name and type."""

TYPES = {
    "decision": "title",
    "date": "date",
    "type": "select",
    "active": "checkbox",
    "comment": "rich_text",
    "id": "rich_text",
}

MENTIONS_SHOWN = 25
"""References that a page's text shows; with as many, the property has to be read by itself."""


@dataclass(frozen=True)
class Property:
    """A property of the database, as it is or as it was known."""

    id: str
    name: str
    type: str


@dataclass(frozen=True)
class Schema:
    """The database's data source: our properties by field, the options of the type, all properties' types by name."""

    data_source: str
    title: str
    properties: Mapping[str, Property]
    options: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields that have no property."""
        return tuple(name for name in TYPES if name not in self.properties)


def read_schema(source: Mapping[str, Any], known: Mapping[str, Property]) -> Schema:
    """Our properties in a data source: by the known id, else by name and type; the title by its type alone."""
    by_id = {config["id"]: config for config in source["properties"].values()}
    found: dict[str, Property] = {}
    for name, wanted in TYPES.items():
        config = by_id.get(known[name].id) if name in known else None
        if config is None and wanted == "title":
            config = next((each for each in by_id.values() if each["type"] == "title"), None)
        if config is None and name not in known:
            named = source["properties"].get(NAMES[name])
            config = named if named and named["type"] == wanted else None
        if config is not None:
            found[name] = Property(config["id"], config["name"], config["type"])
    options: Mapping[str, str] = {}
    if "type" in found and found["type"].type == "select":
        options = {option["id"]: option["name"] for option in by_id[found["type"].id]["select"]["options"]}
    types = {config["name"]: config["type"] for config in source["properties"].values()}
    return Schema(source["id"], plain(source.get("title") or []), found, options, types)


def still_there(known: Mapping[str, Property], source: Mapping[str, Any]) -> dict[str, Property]:
    """The known properties that a data source still has."""
    ids = {config["id"] for config in source["properties"].values()}
    return {name: each for name, each in known.items() if each.id in ids}


def read_page(data: Mapping[str, Any], schema: Schema, bot: str) -> Page:
    """A page as the sync sees it.

    Raises:
        ServiceError: the page lacks a property that the database has, or has it in another type: the answer is
            incomplete, or the database was changed meanwhile.
    """
    by_id = {value["id"]: value for value in data.get("properties", {}).values()}
    at_home = data["parent"].get("data_source_id") == schema.data_source
    values: dict[str, Any] = {}
    extras: dict[str, Any] = {}
    for name, ours in schema.properties.items():
        value = by_id.get(ours.id)
        if value is not None and value["type"] != ours.type:
            value = None
        if value is None and at_home:
            raise ServiceError("notion", f"page {data['id']} came without {ours.type} {ours.name!r}", "Run again")
        values[name], extra = _read_value(value) if value else (None, None)
        if extra is not None:
            extras[name] = extra
    if "active" not in schema.properties:
        values["active"] = True
    decision_id = values.pop("id", None) or ""
    return Page(
        id=data["id"],
        content=Decision(**{**values, "decision": values.get("decision") or ""}),
        in_trash=bool(data.get("in_trash")),
        decision_id=decision_id,
        edited=datetime.fromisoformat(data["last_edited_time"]),
        created=datetime.fromisoformat(data["created_time"]),
        edited_by_us=bool(bot) and data.get("last_edited_by", {}).get("id") == bot,
        created_by_us=bool(bot) and data.get("created_by", {}).get("id") == bot,
        at_home=at_home,
        extras=extras,
    )


def cut_texts(data: Mapping[str, Any], schema: Schema) -> list[str]:
    """The ids of our text properties of a page that show so many mentions that they may be cut."""
    ours = {(each.id, each.type) for name, each in schema.properties.items() if name in TEXTS}
    return [
        value["id"]
        for value in data.get("properties", {}).values()
        if (value["id"], value["type"]) in ours
        and sum(run["type"] == "mention" for run in value[value["type"]]) >= MENTIONS_SHOWN
    ]


def properties_body(fields: Mapping[str, Value], schema: Schema, decision_id: str | None) -> dict[str, Any]:
    """The `properties` of a write, keyed by id."""
    body = {schema.properties[name].id: _write_value(name, value) for name, value in fields.items()}
    if decision_id is not None:
        body[schema.properties["id"].id] = {"rich_text": text_items(decision_id)}
    return body


def text_items(text: str) -> list[dict[str, Any]]:
    """A text as rich text items."""
    return [{"type": "text", "text": {"content": part}} for part in split_text(text)]


def plain(runs: Iterable[Mapping[str, Any]]) -> str:
    """The text of rich text runs."""
    return "".join(run["plain_text"] for run in runs)


def _write_value(name: str, value: Value) -> dict[str, Any]:
    kind = TYPES[name]
    if kind == "checkbox":
        return {"checkbox": value is not False}
    text = str(value or "")
    if kind == "date":
        return {"date": {"start": text} if text else None}
    if kind == "select":
        return {"select": {"name": text} if text else None}
    return {kind: text_items(text)}


def _read_value(value: Mapping[str, Any]) -> tuple[Any, Any]:
    """A property's value and, where it says more than that, its raw form."""
    kind = value["type"]
    raw = value[kind]
    if kind == "date":
        start = raw and raw["start"]
        return (start[:10], raw if len(start) > 10 or raw.get("end") else None) if start else (None, None)
    if kind == "select":
        return (raw["name"], None) if raw else (None, None)
    if kind == "checkbox":
        return bool(raw), None
    return plain(raw) or None, raw if any(map(_formatted, raw)) else None


def _formatted(run: Mapping[str, Any]) -> bool:
    """Whether a run says more than its plain text."""
    marks = run.get("annotations") or {}
    styled = any(value is True for value in marks.values()) or marks.get("color", "default") != "default"
    return styled or run.get("type") != "text" or bool(run.get("href"))
