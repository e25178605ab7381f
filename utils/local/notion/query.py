"""Filters, sorts and cursors, as SQL over pages and cells. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from utils.local.notion import dates
from utils.local.notion.checks import Json, a_boolean, a_text, an_array, an_object, as_uuid, is_uuid, no_others, one_of
from utils.local.notion.refusals import RefusalError, invalid, malformed
from utils.local.notion.schema import OPTION_TYPES, TEXT_TYPES, Property, Schema

HEAD = 64
"""How much of a text is in the index."""

_FAMILY = {
    **dict.fromkeys(TEXT_TYPES, "text"),
    **{kind: kind for kind in (*OPTION_TYPES, "number", "date", "checkbox")},
    "unique_id": "number",
    "created_time": "date",
    "last_edited_time": "date",
    "created_by": "people",
    "last_edited_by": "people",
}
_COMPARE = {
    "equals": "=",
    "greater_than": ">",
    "greater_than_or_equal_to": ">=",
    "less_than": "<",
    "less_than_or_equal_to": "<=",
}


@dataclass(frozen=True)
class Sql:
    """A condition or expression, and its parameters."""

    text: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class View:
    """What a query looks at: the data source, its schema, and the columns that it sees (older ones under a lag)."""

    source: int
    schema: Schema
    now: int
    edited: str = "p.edited"


def filtered(view: View, given: object, path: str = "body.filter", depth: int = 0) -> Sql:
    """A filter as a condition on the page `p`.

    Raises:
        RefusalError: 400, in Notion's words.
    """
    body = an_object(given, path)
    for word in ("and", "or"):
        if word in body:
            no_others(body, (word,), path)
            if depth == 2:
                raise malformed(f"{path}.{word}", "not present", body[word])
            return _group(view, word, an_array(body[word], f"{path}.{word}"), f"{path}.{word}", depth)
    if "timestamp" in body:
        return _timestamp(view, body, path)
    return _leaf(view, body, path)


def ordering(view: View, sorts: object) -> list[tuple[Sql, str]]:
    """What a query is ordered by: expressions that are never null, and ASC or DESC.

    Without sorts the newest page is first; pages that sort alike follow the last sort's direction by age.
    """
    keys: list[tuple[Sql, str]] = []
    order = "DESC"
    for n, item in enumerate(an_array(sorts, "body.sorts")):
        path = f"body.sorts[{n}]"
        one = an_object(item, path)
        no_others(one, ("property", "timestamp", "direction"), path)
        direction = one_of(one.get("direction", "ascending"), f"{path}.direction", ("ascending", "descending"))
        expression = _sort_expression(view, one, path)
        order = "ASC" if direction == "ascending" else "DESC"
        if not expression.text.startswith("p."):
            keys.append((Sql(f"(({expression.text}) IS NULL)", expression.values), "ASC"))
            expression = Sql(f"COALESCE(({expression.text}), '')", expression.values)
        keys.append((expression, order))
    return [*keys, (Sql("p.seq"), order)]


def from_here_on(keys: Sequence[tuple[Sql, str]], row: Sequence[Any]) -> Sql:
    """The condition of standing at or behind the row whose keys are given."""
    (key, direction), value = keys[0], row[0]
    sign = ">" if direction == "ASC" else "<"
    if len(keys) == 1:
        return Sql(f"{key.text} {sign}= ?", (*key.values, value))
    rest = from_here_on(keys[1:], row[1:])
    text = f"({key.text} {sign}= ? AND ({key.text} {sign} ? OR {rest.text}))"
    return Sql(text, (*key.values, value, *key.values, value, *rest.values))


@dataclass(frozen=True)
class Cursor:
    """Where a listing goes on: at this page, after so many rows, begun at a time (seconds)."""

    page_id: str
    yielded: int
    issued: int


def write_cursor(cursor: Cursor, secret: str) -> str:
    """An opaque cursor; `secret` binds it to one query of one store."""
    head = cursor.issued.to_bytes(5, "big") + cursor.yielded.to_bytes(3, "big")
    return f"s:{uuid.UUID(bytes=head + _seal(head, cursor.page_id, secret))}:{cursor.page_id}"


def read_cursor(text: object, secret: str, path: str = "body.start_cursor") -> Cursor:
    """What `write_cursor` wrote.

    Raises:
        RefusalError: 400, it is of another query, or none at all.
    """
    parts = a_text(text, path).split(":")
    if len(parts) == 3 and parts[0] == "s" and is_uuid(parts[2]):
        try:
            sealed = uuid.UUID(parts[1]).bytes
        except ValueError:
            sealed = b"\0" * 16
        if hmac.compare_digest(sealed[8:], _seal(sealed[:8], parts[2], secret)):
            return Cursor(parts[2], int.from_bytes(sealed[5:8], "big"), int.from_bytes(sealed[:5], "big"))
    raise bad_cursor(text)


def bad_cursor(text: object) -> RefusalError:
    """The refusal of a cursor that is wrong, of another query, or too old."""
    return invalid(f"The start_cursor provided is invalid: {text}")


def query_secret(key: str, *parts: object) -> str:
    """What binds a cursor to its query."""
    return key + json.dumps(parts, sort_keys=True, default=str)


def page_size(value: object, path: str = "body.page_size") -> int:
    """How many rows an answer may hold: 1 to 100."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise malformed(path, "a number", value)
    if value > 100:
        raise malformed(path, "≤ `100`", value)
    if value < 1:
        raise malformed(path, "≥ `1`", value)
    if value != int(value):
        raise malformed(path, "an integer", value)
    return int(value)


def _seal(head: bytes, page_id: str, secret: str) -> bytes:
    return hashlib.blake2s(head + page_id.encode() + secret.encode("utf-8", "replace"), digest_size=8).digest()


def _group(view: View, word: str, items: list[Any], path: str, depth: int) -> Sql:
    if not items:
        return Sql("1")
    alike = _alike(view, word, items, path)
    if alike:
        return alike
    parts = [filtered(view, item, f"{path}[{n}]", depth + 1) for n, item in enumerate(items)]
    joined = f" {word.upper()} ".join(part.text for part in parts)
    return Sql(f"({joined})", tuple(value for part in parts for value in part.values))


def _alike(view: View, word: str, items: list[Any], path: str) -> Sql | None:
    """An `or` of equal texts of one property, as one look into the index; None where it is something else."""
    texts = [_equal_text(item) for item in items]
    names = {json.dumps(item.get("property")) for item in items if isinstance(item, dict)}
    if word != "or" or None in texts or len(names) != 1:
        return None
    found = _property(view, items[0].get("property", ...), path)
    if found.type not in TEXT_TYPES:
        return None
    marks = ",".join("?" * len(texts))
    heads = tuple(text[:HEAD] for text in texts if text)
    return _among(view, found, f"head IN ({marks}) AND text IN ({marks})", (*heads, *texts), index="cells_head")


def _equal_text(item: object) -> str | None:
    """The text of a filter that is `{property, rich_text: {equals: text}}`; None of any other."""
    inner = item.get("rich_text") if isinstance(item, dict) and len(item) == 2 else None
    text = inner.get("equals") if isinstance(inner, dict) and len(inner) == 1 else None
    return text if isinstance(text, str) and text else None


def _timestamp(view: View, body: Json, path: str) -> Sql:
    name = one_of(body["timestamp"], f"{path}.timestamp", ("created_time", "last_edited_time"))
    no_others(body, ("timestamp", "type", name), path)
    condition = an_object(body.get(name, ...), f"{path}.{name}")
    return _on_column(view, _column(view, name), condition, f"{path}.{name}")


def _column(view: View, kind: str) -> str:
    return view.edited if kind == "last_edited_time" else "p.created"


def _property(view: View, name: object, path: str) -> Property:
    text = a_text(name, f"{path}.property")
    found = view.schema.find(text)
    if found is None:
        raise invalid(f"Could not find property with name or id: {text}")
    return found


def _leaf(view: View, body: Json, path: str) -> Sql:
    found = _property(view, body.get("property", ...), path)
    kinds = [key for key in body if key not in {"property", "type"}]
    if len(kinds) != 1:
        raise malformed(path, "a filter with exactly one condition", body)
    kind = kinds[0]
    if kind not in _FAMILY and kind not in {"people", "files", "relation", "rollup", "formula", "verification"}:
        raise malformed(f"{path}.{kind}", "not present", body[kind])
    family = _FAMILY[found.type]
    if _FAMILY.get(kind, kind) != family or (kind == "unique_id" and found.type == "number"):
        raise invalid(f"database property {found.type} does not match filter {kind}")
    condition = an_object(body[kind], f"{path}.{kind}")
    if len(condition) != 1:
        raise malformed(f"{path}.{kind}", "an object with exactly one condition", condition)
    if found.type in {"created_time", "last_edited_time"}:
        return _on_column(view, _column(view, found.type), condition, f"{path}.{kind}")
    (word, value), inner = next(iter(condition.items())), f"{path}.{kind}"
    if word in {"is_empty", "is_not_empty"} and found.type not in {"checkbox", "unique_id"}:
        return _emptiness(view, found, word, value, f"{inner}.{word}")
    return _CONDITIONS[family](view, found, word, value, f"{inner}.{word}")


def _emptiness(view: View, found: Property, word: str, value: object, path: str) -> Sql:
    if value is not True:
        raise malformed(path, "`true`", value)
    if found.type in {"created_by", "last_edited_by"}:
        return Sql("1" if word == "is_not_empty" else "0")
    return _among(view, found, "1", (), no=word == "is_empty")


def _among(
    view: View, found: Property, condition: str, values: tuple[Any, ...], *, no: bool = False, index: str = ""
) -> Sql:
    """The pages that have (`no`: lack) a cell of a property under a condition."""
    cells = f"cells INDEXED BY {index}" if index else "cells"
    text = f"SELECT page FROM {cells} WHERE source=? AND property=? AND {condition}"  # noqa: S608 - ours, values apart
    return Sql(f"p.seq {'NOT ' * no}IN ({text})", (view.source, found.id, *values))


def _text(view: View, found: Property, word: str, value: object, path: str) -> Sql:
    one_of(word, path, ("equals", "does_not_equal", "contains", "does_not_contain", "starts_with", "ends_with"))
    text = a_text(value, path).encode("utf-8", "replace").decode()
    no = word.startswith("does_not")
    if word in {"equals", "does_not_equal"}:
        if not text:
            return _among(view, found, "1", (), no=not no)
        return _among(view, found, "head=? AND text=?", (text[:HEAD], text), no=no, index="cells_head")
    sought = text.casefold()
    condition = {
        "starts_with": "substr(fold(text), 1, length(?1)) = ?1",
        "ends_with": "substr(fold(text), -length(?1)) = ?1 AND length(?1) > 0",
    }.get(word, "instr(fold(text), ?1) > 0")
    times = condition.count("?1")
    return _among(view, found, condition.replace("?1", "?"), (sought,) * times, no=no)


def _number(view: View, found: Property, word: str, value: object, path: str) -> Sql:
    one_of(word, path, (*_COMPARE, "does_not_equal"))
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        raise malformed(path, "a number", value)
    if found.type == "unique_id":
        return Sql(f"p.number {_COMPARE.get(word, '<>')} ?", (float(value),))
    if word == "does_not_equal":
        return _among(view, found, "number=?", (float(value),), no=True)
    return _among(view, found, f"number{_COMPARE[word]}?", (float(value),))


def _checkbox(view: View, found: Property, word: str, value: object, path: str) -> Sql:
    one_of(word, path, ("equals", "does_not_equal"))
    ticked = a_boolean(value, path) == (word == "equals")
    return _among(view, found, "1", (), no=not ticked)


def _option(view: View, found: Property, word: str, value: object, path: str) -> Sql:
    words = ("contains", "does_not_contain") if found.type == "multi_select" else ("equals", "does_not_equal")
    one_of(word, path, words)
    name = a_text(value, path)
    ids = [option["id"] for option in found.options if name in {option["name"], option["id"]}]
    for group in found.config.get("groups", []):
        ids += group["option_ids"] if group["name"] == name and not ids else []
    marks = ",".join("?" * len(ids))
    no = word in {"does_not_contain", "does_not_equal"}
    return _among(view, found, f"text IN ({marks})", tuple(ids), no=no)


def _people(_view: View, found: Property, word: str, value: object, path: str) -> Sql:
    one_of(word, path, ("contains", "does_not_contain"))
    column = "p.created_by" if found.type == "created_by" else "p.edited_by"
    return Sql(f"{column} {'=' if word == 'contains' else '<>'} ?", (as_uuid(value, path),))


def _date(view: View, found: Property, word: str, value: object, path: str) -> Sql:
    bounds = _bounds(word, value, view.now, path)
    condition = " AND ".join(f"number{sign}?" for sign, _ in bounds)
    return _among(view, found, condition, tuple(float(bound) for _, bound in bounds))


def _on_column(view: View, column: str, condition: Json, path: str) -> Sql:
    if not condition:
        raise malformed(path, "an object with a condition", condition)
    parts, values = [], []
    for word, value in condition.items():
        if word in {"is_empty", "is_not_empty"}:
            parts.append("1" if word == "is_not_empty" else "0")
            continue
        for sign, bound in _bounds(word, value, view.now, f"{path}.{word}"):
            parts.append(f"{column}{sign}?")
            values.append(bound)
    return Sql(f"({' AND '.join(parts)})", tuple(values))


def _bounds(word: str, value: object, now: int, path: str) -> list[tuple[str, int]]:
    """A date condition as comparisons in milliseconds."""
    if word in _RELATIVE:
        an_object(value, path)
        start, end = _RELATIVE[word](now // dates.DAY)
        return [(">=", start * dates.DAY), ("<", (end + 1) * dates.DAY)]
    one_of(word, path, ("equals", "before", "after", "on_or_before", "on_or_after", *_RELATIVE))
    start, end = dates.span(value, path)
    return {
        "equals": [(">=", start), ("<", end)],
        "before": [("<", start)],
        "on_or_before": [("<", end)],
        "after": [(">=", end)],
        "on_or_after": [(">=", start)],
    }[word]


def _month(day: int, months: int) -> int:
    """The day of the same number some months away, or the last of that month."""
    there = dates.moment(day * dates.DAY)
    year, month = divmod(there.year * 12 + there.month - 1 + months, 12)
    first_after = there.replace(year=year + (month == 11), month=(month + 1) % 12 + 1, day=1)
    last = (first_after - timedelta(days=1)).day
    return dates.millis(there.replace(year=year, month=month + 1, day=min(there.day, last))) // dates.DAY


def _this_week(day: int) -> tuple[int, int]:
    sunday = day - (day + 4) % 7
    return sunday, sunday + 6


_RELATIVE: dict[str, Callable[[int], tuple[int, int]]] = {
    "this_week": _this_week,
    "past_week": lambda day: (day - 7, day),
    "past_month": lambda day: (_month(day, -1), day),
    "past_year": lambda day: (_month(day, -12), day),
    "next_week": lambda day: (day, day + 7),
    "next_month": lambda day: (day, _month(day, 1)),
    "next_year": lambda day: (day, _month(day, 12)),
}
_CONDITIONS: dict[str, Callable[[View, Property, str, object, str], Sql]] = {
    "text": _text,
    "number": _number,
    "checkbox": _checkbox,
    "date": _date,
    "people": _people,
    **dict.fromkeys(OPTION_TYPES, _option),
}


def _sort_expression(view: View, one: Json, path: str) -> Sql:
    if "timestamp" in one:
        name = one_of(one["timestamp"], f"{path}.timestamp", ("created_time", "last_edited_time"))
        return Sql(_column(view, name))
    text = a_text(one.get("property", ...), f"{path}.property")
    found = view.schema.find(text)
    if found is None:
        raise invalid(f"Could not find sort property with name or id: {text}")
    if found.type in {"created_time", "last_edited_time"}:
        return Sql(_column(view, found.type))
    if found.type in {"unique_id", "created_by", "last_edited_by"}:
        return Sql({"unique_id": "p.number", "created_by": "p.created_by"}.get(found.type, "p.edited_by"))
    shown = "sortable(text)" if found.type in TEXT_TYPES else "number"
    values: tuple[Any, ...] = ()
    if found.type in OPTION_TYPES:
        shown = f"CASE text {'WHEN ? THEN ? ' * len(found.options)}ELSE {len(found.options)} END"
        values = tuple(part for n, option in enumerate(found.options) for part in (option["id"], n))
    inner = f"SELECT {shown} FROM cells WHERE source=? AND property=? AND page=p.seq ORDER BY n LIMIT 1"  # noqa: S608
    return Sql(inner, (*values, view.source, found.id))
