"""What a request's body may look like: small checks that refuse in Notion's words."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, unquote

from utils.local.notion.refusals import malformed

Json = dict[str, Any]

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


def units(text: str) -> int:
    """The length of a text as Notion counts it: UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_uuid(text: object) -> bool:
    """Whether Notion takes it for a uuid: dashed or not, a version 1 to 8 of the common variant, or nil."""
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        return False
    plain = text.replace("-", "").lower()
    return plain == "0" * 32 or (plain[12] in "12345678" and plain[16] in "89ab")


def as_uuid(text: object, path: str) -> str:
    """The dashed form of a uuid."""
    if not is_uuid(text):
        raise malformed(path, "a valid uuid", text)
    return str(uuid.UUID(str(text)))


def an_object(value: object, path: str) -> Json:
    """A JSON object."""
    if not isinstance(value, dict):
        raise malformed(path, "an object", value)
    return value


def an_array(value: object, path: str, most: int = 100) -> list[Any]:
    """A JSON array of at most `most` items."""
    if not isinstance(value, list):
        raise malformed(path, "an array", value)
    if len(value) > most:
        raise malformed(f"{path}.length", f"≤ `{most}`", len(value))
    return value


def a_text(value: object, path: str, most: int = 2000) -> str:
    """A string of at most `most` UTF-16 units."""
    if not isinstance(value, str):
        raise malformed(path, "a string", value)
    if units(value) > most:
        raise malformed(f"{path}.length", f"≤ `{most}`", units(value))
    return value


def a_boolean(value: object, path: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise malformed(path, "a boolean", value)
    return value


def one_of(value: object, path: str, allowed: Collection[str]) -> str:
    """One of some words."""
    if not isinstance(value, str) or value not in allowed:
        raise malformed(path, " or ".join(f'`"{word}"`' for word in allowed), value)
    return value


def no_others(body: Json, allowed: Collection[str], path: str = "body") -> None:
    """Refuses keys that Notion does not know."""
    for key in body:
        if key not in allowed:
            raise malformed(f"{path}.{key}", "not present", body[key])


def same_property(known_id: str, asked: str) -> bool:
    """Whether two property ids are one, percent-encoded or not."""
    return asked in {known_id, unquote(known_id)} or quote(asked, safe="") == known_id
