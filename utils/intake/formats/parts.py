"""What the chat formats share: the text of a content, the moment of a stamp, a name among several keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_TEXTS = frozenset({None, "text", "output_text", "input_text", "multimodal_text"})
"""The types of content that are said; thoughts, calls of tools, their results and pictures are not."""


def text_of(content: Any) -> str:
    """What a content says, be it a string, a part or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(filter(None, map(text_of, content[:10_000])))
    if isinstance(content, dict) and content.get("type", content.get("content_type")) in _TEXTS:
        for key in ("text", "value", "parts", "content"):
            if key in content:
                return text_of(content[key])
    return ""


def moment(stamp: Any) -> str:
    """An ISO date or time from seconds or milliseconds since 1970, or from text that begins with one; else ''."""
    if isinstance(stamp, str):
        stamp = stamp.strip()
        if not stamp.replace(".", "", 1).isdigit() or len(stamp) < 9:
            return stamp if stamp[:4].isdigit() and stamp[4:5] == "-" else ""
        stamp = float(stamp)
    if isinstance(stamp, bool) or not isinstance(stamp, int | float):
        return ""
    try:
        return datetime.fromtimestamp(stamp / 1000 if stamp > 1e11 else stamp, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def named(value: Mapping[str, Any], *keys: str) -> str:
    """The first of these keys that holds a string that is not empty."""
    for key in keys:
        found = value.get(key)
        if isinstance(found, str) and found.strip():
            return found
    return ""
