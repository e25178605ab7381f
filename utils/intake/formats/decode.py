"""Bytes of an output become text: the encoding from its mark or from its zeros, UTF-8 with a Latin-1 rest otherwise."""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import cast

from utils.errors import AnglesError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KINDS = ((b"%PDF", "a PDF"), (b"\x1f\x8b", "gzip"), (b"\x89PNG", "an image"), (b"\xff\xd8\xff", "an image"))
_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_SAMPLE = 65_536


def encoding(head: bytes) -> str:
    """The codec for bytes that begin so; '' when they are no text."""
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec
    sample = head[:_SAMPLE]
    zeros = sample.count(0)
    if zeros > len(sample) / 4:
        odd = sample[1::2].count(0)
        if odd == zeros:
            return "utf-16-le"
        if odd == 0:
            return "utf-16-be"
    return "" if zeros or len(_CONTROL.findall(sample)) > len(sample) / 50 else "utf-8"


def text(blocks: Iterable[bytes], name: str) -> Iterator[str]:
    """The text of an output, block by block; a byte that its encoding does not know is read as Latin-1.

    Raises:
        AnglesError: it is binary.
    """
    codecs.register_error("latin", _latin)
    blocks = iter(blocks)
    head = next(blocks, b"")
    decoder = codecs.getincrementaldecoder(_named(head, name))("latin")
    for block in itertools.chain([head], blocks):
        yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def _named(head: bytes, name: str) -> str:
    for start, kind in _KINDS:
        if head.startswith(start):
            raise AnglesError(name, f"is {kind}, not text", "Unpack it, or export it as text, Markdown or JSON")
    codec = encoding(head)
    if not codec:
        raise AnglesError(name, "is binary, not text", "Export it as text, Markdown or JSON")
    return codec


def _latin(error: UnicodeError) -> tuple[str, int]:
    found = cast("UnicodeDecodeError", error)
    wide = found.encoding.startswith(("utf-16", "utf-32"))
    return ("�" if wide else found.object[found.start : found.end].decode("latin-1")), found.end
