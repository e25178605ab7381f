"""Rich text: what a client sends, as Notion keeps and shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from utils.local.notion import dates
from utils.local.notion.checks import Json, a_boolean, a_text, an_array, an_object, as_uuid, no_others, one_of
from utils.local.notion.refusals import malformed

_COLOURS = ("default", "gray", "brown", "orange", "yellow", "green", "blue", "purple", "pink", "red")
OPTION_COLOURS = _COLOURS
_TEXT_COLOURS = _COLOURS + tuple(f"{name}_background" for name in _COLOURS)
_STYLES = ("bold", "italic", "strikethrough", "underline", "code")
MENTIONS_SHOWN = 25
"""How many mentions a page shows of one text; the property item endpoint shows them all."""

Mention = Callable[[str, str], str]
"""Names what is mentioned: (kind, id) to the text shown."""


def plain(runs: list[Json]) -> str:
    """All runs joined."""
    return "".join(run["plain_text"] for run in runs)


def from_plain(text: str) -> list[Json]:
    """Unformatted runs of at most 2000 UTF-16 units each."""
    size = 2000 if text.isascii() else 1000
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    return [_run("text", {"content": part, "link": None}, {}, part, None) for part in parts]


def parse(value: object, path: str, name: Mention) -> list[Json]:
    """The runs that Notion keeps of an array of rich text; empty ones are dropped.

    Raises:
        RefusalError: 400, the part that is wrong.
    """
    runs = [_parse_run(item, f"{path}[{n}]", name) for n, item in enumerate(an_array(value, path))]
    return [run for run in runs if run["plain_text"] or run["type"] != "text"]


def shortened(runs: list[Json]) -> list[Json]:
    """The runs up to the 25th mention."""
    seen = 0
    for n, run in enumerate(runs):
        seen += run["type"] == "mention"
        if seen > MENTIONS_SHOWN:
            return runs[:n]
    return runs


def _parse_run(value: object, path: str, name: Mention) -> Json:
    item = an_object(value, path)
    no_others(item, ("type", "text", "mention", "equation", "annotations", "plain_text", "href"), path)
    kinds = ("text", "mention", "equation")
    kind = one_of(item.get("type") or next((key for key in kinds if key in item), "text"), f"{path}.type", kinds)
    styles = _annotations(item.get("annotations", {}), f"{path}.annotations")
    inner = an_object(item.get(kind, ...), f"{path}.{kind}")
    if kind == "mention":
        return _mention(inner, styles, f"{path}.mention", name)
    if kind == "equation":
        expression = a_text(inner.get("expression", ...), f"{path}.equation.expression", 1000)
        return _run("equation", {"expression": expression}, styles, expression, None)
    no_others(inner, ("content", "link"), f"{path}.text")
    content = a_text(inner.get("content", ...), f"{path}.text.content")
    url = _link(inner.get("link"), f"{path}.text.link")
    return _run("text", {"content": content, "link": {"url": url} if url else None}, styles, content, url)


def _mention(inner: Json, styles: Json, path: str, name: Mention) -> Json:
    kind = one_of(inner.get("type") or next(iter(inner), ...), f"{path}.type", ("user", "page", "date"))
    target = an_object(inner.get(kind, ...), f"{path}.{kind}")
    if kind == "date":
        kept = dates.parse(target, f"{path}.date") or {}
        text = kept["start"] if kept["end"] is None else f"{kept['start']} → {kept['end']}"
        return _run("mention", {"type": kind, kind: kept}, styles, text, None)
    target_id = as_uuid(target.get("id", ...), f"{path}.{kind}.id")
    kept = {"object": "user", "id": target_id} if kind == "user" else {"id": target_id}
    href = None if kind == "user" else f"https://www.notion.so/{target_id.replace('-', '')}"
    return _run("mention", {"type": kind, kind: kept}, styles, name(kind, target_id), href)


def _annotations(value: object, path: str) -> Json:
    given = an_object(value, path)
    no_others(given, (*_STYLES, "color"), path)
    for style in _STYLES:
        a_boolean(given.get(style, False), f"{path}.{style}")
    one_of(given.get("color", "default"), f"{path}.color", _TEXT_COLOURS)
    return given


def _link(value: object, path: str) -> str | None:
    if value is None:
        return None
    url = a_text(an_object(value, path).get("url", ...), f"{path}.url")
    if not url:
        raise malformed(f"{path}.url", "populated", url)
    return url


def _run(kind: str, inner: Json, styles: Json, text: str, href: str | None) -> dict[str, Any]:
    annotations = {style: styles.get(style, False) for style in _STYLES}
    return {
        "type": kind,
        kind: inner,
        "annotations": {**annotations, "color": styles.get("color", "default")},
        "plain_text": text,
        "href": href,
    }
