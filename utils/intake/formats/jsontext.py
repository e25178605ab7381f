"""JSON, JSON Lines and JSON texts in a row as a stream of values, in bounded memory; what is broken is passed over."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from utils.intake.model import Problem

ITEM = 4_000_000
"""Characters of JSON that are made into objects at once; what is longer is entered, member by member."""

SHAPE = re.compile(r"\s*(?:\{\s*(?:[\"}]|$)|\[[\s\[]*(?:[{\"]|\][\s\]]*$|$))")
"""How a text begins that is JSON: `[2026-03-01] note`, `[x] done` and `[[Page]]` do not."""

_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[\s,]*")
_LONE = re.compile(r"[^\s,\]}]*")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|".*|[\[\]{},]', re.DOTALL)
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_FLAT = rf'(?:[^"\[\]{{}}]++|{_STRING})*+'
_RUN = re.compile(rf'(?:[^"\[\]{{}}]++|{_STRING}|\[{_FLAT}\]|\{{{_FLAT}\}})++', re.DOTALL)
"""What leaves the depth as it is: 100 MB a second, where brackets one by one are 5."""
_IN_STRING = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


class BrokenError(ValueError):
    """A value that cannot be read: what is wrong, how much of it is right, and whether it is only too long."""

    def __init__(self, what: str, right: int = 0, *, long: bool = False) -> None:
        super().__init__(what)
        self.right, self.long = right, long


class Cursor:
    """A place in a JSON text that comes in chunks."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._text = ""
        self._at = 0

    def peek(self) -> str:
        """The next character that is no space and no comma; '' at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def step(self) -> None:
        """Passes one character."""
        self._at += 1

    def value(self) -> Any:
        """The value that begins here.

        Raises:
            BrokenError: it is too long, nested too deeply, cut off or no JSON; the place stays.
        """
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise BrokenError("is nested too deeply") from None
            except json.JSONDecodeError as error:
                ran_out = error.msg.startswith("Unterminated") or error.pos > len(self._text) - 16
                if not ran_out:
                    raise BrokenError(f"is no JSON ({error.msg.lower()})", error.pos - self._at) from None
                if not self._filled():
                    raise BrokenError("is cut off", error.pos - self._at) from None
            else:
                if end < len(self._text) or not self._filled():
                    self._at = end
                    return value

    def mended(self, right: int) -> Any:
        """What can be read of so much of a value, with its open brackets closed; None if nothing can."""
        opened: list[str] = []
        whole, closers = self._at, ""
        for token in _TOKEN.finditer(self._text, self._at, self._at + right):
            sign = token.group()
            if sign in "[{":
                opened.append("]" if sign == "[" else "}")
            elif sign in "]}" and opened:
                opened.pop()
            elif sign != ",":
                continue
            whole = token.start() if sign == "," else token.end()
            closers = "".join(reversed(opened))
        try:
            return _DECODER.decode(self._text[self._at : whole] + closers)
        except (ValueError, RecursionError):
            return None

    def skip(self) -> None:
        """Passes the value that begins here, whatever it is, in bounded memory."""
        if self.peek() not in ('"', "[", "{"):
            self._at += 1
            self._pass(_LONE)
            while self._at == len(self._text) and self._more():
                self._pass(_LONE)
            return
        depth = 0
        while self._at < len(self._text) or self._more():
            sign = self._text[self._at]
            self._at += 1
            if sign == '"':
                self._skip_string()
            elif sign in "[]{}":
                depth += 1 if sign in "[{" else -1
            if depth <= 0:
                return
            self._pass(_RUN)

    def _skip_string(self) -> None:
        while True:
            self._pass(_IN_STRING)
            if self._text[self._at : self._at + 1] == '"':
                self._at += 1
                return
            if not self._more():
                return

    def _pass(self, run: re.Pattern[str]) -> None:
        found = run.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def skip_line(self) -> None:
        """Passes the rest of the line."""
        while True:
            at = self._text.find("\n", self._at)
            if at >= 0:
                self._at = at + 1
                return
            self._at = len(self._text)
            if not self._more():
                return

    def _filled(self) -> bool:
        """Doubles what is held, so that a long value is tried only a few times; False at the end."""
        held = len(self._text) - self._at
        if held >= ITEM:
            raise BrokenError(f"is longer than {ITEM // 1_000_000} MB", long=True)
        wanted = min(max(2 * held, 1), ITEM)
        while len(self._text) - self._at < wanted and self._more():
            pass
        return len(self._text) - self._at > held

    def _more(self) -> bool:
        for chunk in self._chunks:
            if chunk:
                self._text, self._at = self._text[self._at :] + chunk, max(self._at - len(self._text), 0)
                return True
        return False


Keep = Callable[[Any], Any]


def values(chunks: Iterator[str], name: str, keep: Keep) -> Iterator[Any]:
    """The values of a stream: the items of a list, the lines of JSON Lines, or the one object; Problems between them.

    Args:
        chunks: the text.
        name: of the output, for problems.
        keep: makes a value small, for the members of a `mapping` that is too long to be held as it came.
    """
    cursor, number = Cursor(chunks), 0
    while sign := cursor.peek():
        number += 1
        if sign == "[":
            cursor.step()
            yield from _items(cursor, name, keep)
        elif sign in "]}":
            cursor.step()
        elif sign == "{":
            yield from _value(cursor, f"{name}: value {number}", keep, cursor.skip_line)
        else:
            yield Problem(f"{name}: value {number}", "is no JSON")
            cursor.skip_line()


def _items(cursor: Cursor, name: str, keep: Keep) -> Iterator[Any]:
    number = 0
    while sign := cursor.peek():
        if sign == "]":
            cursor.step()
            return
        number += 1
        yield from _value(cursor, f"{name}: item {number}", keep, cursor.skip)
    yield Problem(name, f"is cut off after {number} items; export it again for the rest")


def _value(cursor: Cursor, where: str, keep: Keep, skip: Callable[[], None]) -> Iterator[Any]:
    try:
        yield cursor.value()
    except BrokenError as broken:
        if broken.long and cursor.peek() == "{":
            yield from _members(cursor, where, keep)
            return
        mended = cursor.mended(broken.right)
        if mended:
            yield mended
        yield Problem(where, f"{broken}; the rest is read")
        skip()


def _members(cursor: Cursor, where: str, keep: Keep) -> Iterator[Any]:
    """What is in an object that is too long to be held: the items of its lists, and itself without these."""
    own: dict[str, Any] = {}
    cursor.step()
    while cursor.peek() not in ("", "}"):
        try:
            key = cursor.value()
            if cursor.peek() == ":":
                cursor.step()
            if cursor.peek() == "[":
                cursor.step()
                yield from _items(cursor, f"{where}: {key}", keep)
            elif key == "mapping" and cursor.peek() == "{":
                own[str(key)] = {}
                _fill(own[str(key)], cursor, keep)
            else:
                own[str(key)] = cursor.value()
        except BrokenError as broken:
            yield Problem(where, f"{broken}; the rest is read")
            cursor.skip()
    cursor.step()
    if own:
        yield own


def _fill(mapping: dict[str, Any], cursor: Cursor, keep: Keep) -> None:
    cursor.step()
    while cursor.peek() not in ("", "}"):
        key = cursor.value()
        if cursor.peek() == ":":
            cursor.step()
            cursor.peek()
        mapping[str(key)] = keep(cursor.value())
    cursor.step()
