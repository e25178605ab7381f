"""Tables: the cells under a name in the header, whatever parts the columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from utils.redact import names, values
from utils.redact.names import Promise
from utils.redact.finding import NOTHING, Finding

_PARTS = ",;|\t"
_HEADER = re.compile(r"[ \t]*\|?[^\n,|;\t]{1,60}(?:[,|;\t][^\n,|;\t]{0,60}){1,40}$", re.MULTILINE)
_CELL = re.compile(r"[\w .-]{1,40}", re.ASCII)
_REST = re.compile(r"""[\w "'.-]{0,40}(?:[,|;\t]|\r?\n|\r?\Z)""", re.ASCII)
"""What stands behind a name in a header: the rest of its cell, and the end of that."""
_MOST_ROWS = 10_000


def cells(text: str, start: int, end: int) -> Iterable[Finding]:
    """The secrets under the name `text[start:end]`, where that stands in the header of a table."""
    if not _REST.match(text, end):
        return ()
    line = text.rfind("\n", max(0, start - 1024), start) + 1
    header = _HEADER.match(text, line, line + 2048)
    if header is None:
        return ()
    part = next(sign for sign in header[0] if sign in _PARTS)
    columns = [cell.strip(" \t\"'") for cell in header[0].split(part)]
    framed = part == "|" and not columns[0]
    if not all(map(_CELL.fullmatch, columns[1:-1] if framed else columns)):
        return ()
    return _under(text, header.end() + 1, part, [names.promise(column) for column in columns])


def _under(text: str, at: int, part: str, promised: list[Promise | None]) -> Iterator[Finding]:
    for _ in range(_MOST_ROWS):
        last = text.find("\n", at, at + 8192)
        last = last if last >= 0 else min(len(text), at + 8192)
        row = text[at:last].split(part)
        if last <= at or len(row) != len(promised):
            break
        for cell, promise in zip(row, promised, strict=True):
            value = cell.strip(" \t\r\"'`")
            code = values.is_code(value, assigned=False, variable=True)
            if promise and not code and values.keeps(promise, value, assigned=False):
                begin = at + cell.index(value)
                yield Finding(begin, begin + len(value), promise.value)
            at += len(cell) + 1
    yield Finding(at, at, NOTHING)
