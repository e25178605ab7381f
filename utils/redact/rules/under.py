"""What stands in the lines under a name: the cells of a table, the entries of a block, the line of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from utils.redact import names, values
from utils.redact.finding import NOTHING, Finding, compiled
from utils.redact.names import Promise

_PARTS = frozenset(",;|\t\u2502\n")
"""What parts the columns of a table, and its lines."""
_HEADER = re.compile(
    r"[ \t]*[|\u2502]?[^\n,|;\t\u2502]{1,60}(?:[,|;\t\u2502][^\n,|;\t\u2502]{0,60}){1,40}$", re.MULTILINE
)
_COPY = re.compile(r"COPY\s[^\n(]{1,120}\(([^\n()]{1,400})\)\s+FROM\s+stdin", re.IGNORECASE)
_INSERT = re.compile(
    r"""(?:INSERT|REPLACE)\s[^\n(]{1,120}\(([^()]{1,400})\)\s*VALUES\s*\(((?:'(?:[^'\n]|''){0,400}'|[^()']){1,40})\)""",
    re.IGNORECASE,
)
_CELL = re.compile(r"[\w .-]{1,40}", re.ASCII)
_REST = re.compile(r"""[\w "'.-]{0,40}+([,|;)\t\u2502]|\r?\n|\r?\Z)""", re.ASCII)
"""What stands behind a name in a header: the rest of its cell, and the end of that."""
_MOST_ROWS = 10_000
_MOST_ENTRIES = 40
_LABEL = re.compile(r"[\w *#-]{1,40}")
"""A line that ends with a name may be a label over its value."""


def lines(text: str, start: int, end: int, promised: Promise) -> Iterable[Finding]:
    """The secrets under the name `text[start:end]`, where its line is the head of a table or of a block."""
    if text[end : end + 1] in "\"':\\" and (inside := tuple(_members(text, end))):
        return inside
    last = text.find("\n", end, end + 400)
    if last < 0:
        return _sql(text, _line_start(text, start))
    if (text[last - 1] in ":{[" or text[last - 3 : last] == ": |") and promised is not Promise.KEY:
        return _entries(text, end, last, promised)
    line, alone = _line_start(text, start), not text[end:last].strip()
    command = text[line] in "$#%>"
    if promised is not Promise.KEY and (command or (alone and _LABEL.fullmatch(text, line, end))):
        return _printed(text, last, promised, alone=alone and command)
    if _PARTS.isdisjoint(text[max(0, start - 24) : end + 24]):
        return ()
    rest = _REST.match(text, end)
    return _cells(text, start) if rest and _has_rows(text, last, rest[1]) else ()


def _has_rows(text: str, last: int, part: str) -> bool:
    """Whether the line under a name has columns as its own one has, or those of SQL's COPY."""
    return part in "\r\n" or any(text.find(sign, last, last + 200) >= 0 for sign in (part, "\t"))


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", max(0, at - 1024), at) + 1


def _cells(text: str, start: int) -> Iterator[Finding]:
    line = _line_start(text, start)
    if found := tuple(_sql(text, line)):
        yield from found
        return
    header = _HEADER.match(text, line, line + 2048)
    if header is None:
        return
    part = next(sign for sign in header[0] if sign in _PARTS)
    columns = [cell.strip(" \t\"'") for cell in header[0].split(part)]
    framed = part in "|\u2502" and not columns[0]
    if all(map(_CELL.fullmatch, columns[1:-1] if framed else columns)):
        yield from _rows(text, header.end() + 1, part, [names.promise(column) for column in columns])


def _sql(text: str, line: int) -> Iterator[Finding]:
    """The columns of `COPY table (…) FROM stdin` and of `INSERT INTO table (…) VALUES (…)`."""
    if text[line : line + 2].upper() not in {"CO", "IN", "RE"}:
        return
    if copied := _COPY.match(text, line):
        promised = [names.promise(column) for column in copied[1].split(",")]
        yield from _rows(text, text.find("\n", copied.end(), copied.end() + 80) + 1 or len(text), "\t", promised)
    elif inserted := _INSERT.match(text, line):
        columns = [names.promise(column) for column in inserted[1].split(",")]
        cells = list(re.finditer(r"'((?:[^'\n]|'')*)'|[^\s,']+", inserted[2]))
        for promise, cell in zip(columns, cells, strict=False):
            if promise and cell[1] and values.keeps(promise, cell[1], assigned=False):
                begin = inserted.start(2)
                yield Finding(begin + cell.start(1), begin + cell.end(1), promise.value)


def _rows(text: str, at: int, part: str, promised: list[Promise | None]) -> Iterator[Finding]:
    for _ in range(_MOST_ROWS):
        last = text.find("\n", at, at + 8192)
        last = last if last >= 0 else min(len(text), at + 8192)
        row = _split(text[at:last], part)
        if last <= at or len(row) != len(promised):
            break
        for cell, promise in zip(row, promised, strict=True):
            value = cell.strip(" \t\r\"'`")
            code = values.is_code(value, assigned=False, variable=promise is not Promise.PASSWORD)
            if promise and not code and values.keeps(promise, value, assigned=False):
                begin = at + cell.index(value)
                yield Finding(begin, begin + len(value), promise.value)
            at += len(cell) + 1
    yield Finding(at, at, NOTHING)


_PRINTED = r"\n(?P<value>[^\s\"'`,;:]{12,2048})[ \t\r]*(?=\n|\Z)"
"""A line of nothing else."""


def _printed(text: str, last: int, promised: Promise, *, alone: bool) -> Iterator[Finding]:
    """The lines under a command or a remark that speaks of secrets, each of which is one drawn value.

    What has the shape of a checksum is one, unless the name is `alone` at the end of its line: `cat master.key`.
    """
    while printed := compiled(_PRINTED).match(text, last):
        value, last = printed["value"], printed.end()
        known = values.is_harmless(value) and not (alone and values.is_checksum(value))
        if known or not values.is_told(Promise.SECRET if alone else promised, value, quoted=False):
            break
        yield Finding(*printed.span("value"), promised.value)


def _split(line: str, part: str) -> list[str]:
    """The cells of a line as they stand; what parts them may stand within quotes."""
    if '"' not in line:
        return line.split(part)
    sign = re.escape(part)
    return re.findall(rf'(?:^|{sign})((?:"[^"]*"|[^{sign}"])*)', line)


_CLOSING = str.maketrans("[{", "]}")
_OPENS = r"""\\{0,3}["']?\s{0,2}:\s{0,2}[\[{]"""
_MEMBER = (
    r"""\\{0,3}["'](?P<name>[\w.-]{1,60})\\{0,3}["']\s{0,2}:\s{0,2}\\{0,3}["'](?P<value>[^\s"'\\]{8,400})\\{0,3}["']"""
)


def _members(text: str, end: int) -> Iterator[Finding]:
    """The values in the JSON under a name, each as `"name": "…", "value": "…"` or named itself."""
    opens = compiled(_OPENS).match(text, end)
    if opens is None:
        return
    last = text.find(text[opens.end() - 1 : opens.end()].translate(_CLOSING), opens.end(), opens.end() + 2000)
    for member in compiled(_MEMBER).finditer(text, opens.end(), last if last >= 0 else opens.end() + 600):
        if (
            len(member["name"]) > 1
            and not names.tells_otherwise(member["name"])
            and values.is_told(Promise.SECRET, member["value"], quoted=True)
        ):
            yield Finding(*member.span("value"), Promise.SECRET.value)


_ENTRY = r"""\n (?P<indent>[ \t]*) (?:[-*\u2022+][ ]+|\d{1,2}[.)][ ]+)?
    (?: ["']?(?P<name>[\w.@/-]{1,60})["']?\s{0,4}[:=]\s{0,4} )?
    ["'`]? (?P<value>[^\s"'`,;]{8,400}) ["'`]?[,;]?[ \t\r]*(?=\n|\Z)"""


def _entries(text: str, end: int, last: int, promised: Promise) -> Iterator[Finding]:
    """The values in a block whose head names secrets, each with a name of its own or with none."""
    if names.tells_otherwise(text[end:last]):
        return
    for _ in range(_MOST_ENTRIES):
        entry = compiled(_ENTRY).match(text, last)
        if entry is None:
            break
        last, name, value = entry.end(), entry["name"], entry["value"]
        if name and (not entry["indent"] or names.tells_otherwise(name)):
            break
        if (name and values.is_uuid(value)) or values.is_told(
            Promise.SECRET if name else promised, value, quoted=False
        ):
            yield Finding(*entry.span("value"), promised.value)
    yield Finding(last, last, NOTHING)
