"""The spellings of a configured secret: raw, a repr, JSON (also twice), percent signs, HTML, base64 and hex."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus


def forms(secret: str) -> Iterator[str]:
    """Every spelling; the same one may come twice."""
    data = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield repr(secret)[1:-1]
    yield from (form for ascii_only in (True, False) for form in _json_forms(secret, ascii_only))
    yield from ("".join(f"\\u{unit:04x}" for unit in units) for units in [_utf16(secret)])
    yield "".join(f"\\u{unit:04X}" for unit in _utf16(secret))
    percent = [quote(data, safe=safe) for safe in ("", "/", "+", "/+")]
    for encoded in (*percent, quote_plus(data), "".join(f"%{byte:02X}" for byte in data)):
        yield from (encoded, re.sub(r"%[0-9A-F]{2}", lambda escape: escape[0].lower(), encoded))
    yield from (html.escape(secret), html.escape(secret, quote=False))
    yield from (data.hex(), data.hex().upper())
    yield from _base64_forms(data)


def _json_forms(secret: str, ascii_only: bool) -> Iterator[str]:
    once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
    twice = json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    yield from (once, once.replace("/", "\\/"), twice, json.dumps(twice, ensure_ascii=ascii_only)[1:-1])


def _utf16(secret: str) -> list[int]:
    data = secret.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _base64_forms(data: bytes) -> Iterator[str]:
    """What stands in base64 text wherever `data` begins in it: the signs whose six bits are all the secret's own."""
    for offset in range(3):
        padded = b"\0" * offset + data + b"\0\0"
        first, last = -(-offset * 8 // 6), (offset + len(data)) * 8 // 6
        for encoded in (base64.b64encode(padded), base64.urlsafe_b64encode(padded)):
            yield encoded[first:last].decode()
