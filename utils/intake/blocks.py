"""A text as blocks: paragraphs, list items and lines under their headings, without what it only shows or quotes. Pure.

Code, quoted lines and comments are left out: they are not said by who wrote the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from utils.intake.labels import section

_FENCE = re.compile(r" {0,3}(?:[-*+] |\d+[.)] )?[ \t]*(`{3,}|~{3,})(.*)")
_HEADING = re.compile(r" {0,3}(#{1,6}|={1,5}(?=\s+\w))\s+(.*?)\s*[#=]*\s*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})\s*$")
_BOLD = re.compile(r"\s*(\*\*|__)(?!\s)([^*_\n]{2,60}?)\s*:?\s*\1\s*:?\s*$")
_TITLE = re.compile(r"\s*([^\W\d_][^.!?:|\n]{1,60}):\s*$")
_ITEM = re.compile(r"(\s*)(?:[-*+•·‣▪–]|\(?\d{1,3}[.)])\s+(?:\[([ xX✓✔-])\]\s*)?(.*)")
_BOX = re.compile(r"\s*(?:(?P<on>[✅☑✔✓🗹])|(?P<off>[☐⬜🔲✘✗❌✖⏳❓]))\ufe0f?\s*(.*)")
_KEY = re.compile(r"\s*(?:[*_]{1,2})?[^\W\d_][\w /'’#()-]{1,40}(?:[*_]{1,2})?\s*(?:[:：=]|->|→|⇒)(?:\s|[*_]|$)")
_STAMP = re.compile(r"\s*[\[(]?\d{4}-\d\d-\d\d")
_ROW = re.compile(r"\s*\|(.+)\|\s*$")
_RULE = re.compile(r"[\s|:-]+$")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FRONT = re.compile(r"\s*---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_MARKS = re.compile(
    r"\*{1,3}|~~|(?<!\w)_{1,2}(?=\S)|(?<=\S)_{1,2}(?!\w)|!?\[(?=[^\]\n]{1,300}\]\([^)\n]{0,500}\))"
    r"|(?<=.)\]\([^)\n]{0,500}\)"
)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, an item of a list, a row of a table, or a heading.

    Args:
        text: in one line, its markup still in it.
        headings: the headings over it, the outermost first, plain and in lower case.
        kind: `text`, `item`, `row` or `heading`.
        depth: how far an item is indented.
        box: `x` where its box is ticked, `-` where it is not, '' where it has none.
        level: of a heading.
    """

    text: str
    headings: tuple[str, ...] = ()
    kind: str = "text"
    depth: int = 0
    box: str = ""
    level: int = 0


def plain(text: str) -> str:
    """A text without markup but the marks of code, its white space single."""
    if any(mark in text for mark in "*_~["):
        text = _MARKS.sub("", text)
    return " ".join(text.split())


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The simple `key: value` lines of a front matter, keys in lower case; and the text behind it."""
    found = _FRONT.match(text)
    if not found:
        return {}, text
    pairs = (line.partition(":") for line in found[1].splitlines() if ":" in line and not line.startswith((" ", "#")))
    return {key.strip().lower(): value.strip().strip("\"'[]") for key, _, value in pairs}, text[found.end() :]


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a text, in order."""
    return _Reader().read(_COMMENT.sub("", text) if "<!--" in text else text)


class _Reader:
    """Where a text stands: the headings over this line, the block that is being gathered."""

    def __init__(self) -> None:
        self.headings: list[tuple[int, str]] = []
        self.lines: list[str] = []
        self.kind, self.depth, self.box = "text", 0, ""
        self.quoted = False
        self.blank = True
        self.table = False
        self.fence = ""

    def read(self, text: str) -> Iterator[Block]:
        for line in text.splitlines():
            if self._is_code(line):
                yield from self._end()
                self.kind, self.blank = "text", False
            elif not line.strip():
                if not self._is_title():
                    yield from self._end()
                self.quoted, self.blank, self.table = False, True, False
            else:
                yield from self._line(line)
                self.blank = False
        yield from self._end()

    def _is_code(self, line: str) -> bool:
        if not self.fence and line[0:1].isalpha():
            return False
        found = _FENCE.match(line)
        if self.fence:
            if found and found[1].startswith(self.fence) and not found[2].strip():
                self.fence = ""
            return True
        if found and "`" not in found[2]:
            self.fence = found[1]
            return True
        indented = line.startswith(("    ", "\t")) and self.blank and self.kind != "item"
        return indented and not _ITEM.match(line)

    def _line(self, line: str) -> Iterator[Block]:
        bare = line.lstrip()
        if bare[0].isalpha():
            if not self.quoted:
                yield from self._text(line)
            return
        if bare[0] == ">":
            yield from self._end()
            self.quoted = True
            return
        heading = _HEADING.match(line)
        if heading or _UNDERLINE.match(line):
            yield from self._heading(heading)
            return
        item, box, row = _ITEM.match(line), _BOX.match(line), _ROW.match(line)
        if self.quoted and not item:
            return
        self.quoted = False
        if row:
            yield from self._end()
            yield Block(row[1].strip(), self._over(), "row")
        elif item:
            yield from self._item(item)
        elif box:
            yield from self._end()
            self.kind, self.depth, self.box = "item", 0, "x" if box["on"] else "-"
            self.lines = [box[3]]
        else:
            yield from self._text(line)

    def _heading(self, found: re.Match[str] | None) -> Iterator[Block]:
        if found is None:
            if self.kind != "text" or len(self.lines) != 1 or self.blank:
                yield from self._end()
                return
            title, level = self.lines.pop(), 2
        else:
            yield from self._end()
            title, level = found[2], len(found[1])
        yield self._under(title, level)

    def _under(self, title: str, level: int) -> Block:
        self._close(level)
        block = Block(title, self._over(), "heading", level=level)
        self.headings.append((level, plain(title).lower().rstrip(":")))
        self.kind = "heading"
        return block

    def _item(self, found: re.Match[str]) -> Iterator[Block]:
        if self._is_title():
            yield self._under(self.lines.pop().strip(), 7)
        yield from self._end()
        inner = _BOX.match(found[3])
        ticked = {"": "", " ": "-", "-": "-"}.get(found[2] or "", "x")
        self.kind, self.depth = "item", len(found[1].expandtabs(4))
        self.box = ticked if ticked or not inner else "x" if inner["on"] else "-"
        self.lines = [inner[3] if inner else found[3]]

    def _bare_row(self, line: str) -> Iterator[Block]:
        """A row of a table without bars at its ends; the line under its head gives it away."""
        if not self.table:
            self.table, head = True, self.lines.pop()
            yield from self._end()
            yield Block(head, self._over(), "row")
        yield Block(line.strip(), self._over(), "row")

    def _text(self, line: str) -> Iterator[Block]:
        if "|" in line and (self.table or (_RULE.match(line) and self.lines and "|" in self.lines[-1])):
            yield from self._bare_row(line)
            return
        title = _BOLD.match(line) if "*" in line or "_" in line else None
        if title is None and len(line) < 60 and line.rstrip().endswith(":"):
            title = _TITLE.match(line)
        if title and (not self.lines or self.kind == "text"):
            yield from self._end()
            yield self._under(title[title.lastindex or 1], 7)
            return
        if self.lines and self._starts_anew(line):
            if self._is_title():
                yield self._under(self.lines.pop().strip(), 7)
            yield from self._end()
        if not self.lines:
            if (
                self.kind in ("text", "item")
                and not _STAMP.match(line)
                and (self.kind == "text" or not line.startswith((" ", "\t")))
            ):
                self._close(7)
            self.kind, self.depth, self.box = "text", 0, ""
        self.lines.append(line)

    def _starts_anew(self, line: str) -> bool:
        """Whether a line is no continuation of the one before: a label, a stamp, or a new sentence of short lines."""
        before = self.lines[-1].rstrip()
        if self.blank or (self.kind == "item" and not line.startswith((" ", "\t")) and _announces(line)):
            return True
        if _KEY.match(line) or _STAMP.match(line):
            return True
        return self.kind == "text" and len(before) < 50 and not line.lstrip()[0].islower()

    def _is_title(self) -> bool:
        """Whether what is gathered is one short line that stands over a list as a heading does."""
        if self.kind != "text" or len(self.lines) != 1:
            return False
        return _announces(self.lines[0])

    def _close(self, level: int) -> None:
        while self.headings and self.headings[-1][0] >= level:
            self.headings.pop()

    def _over(self) -> tuple[str, ...]:
        return tuple(title for _, title in self.headings)

    def _end(self) -> Iterator[Block]:
        if self.lines:
            text = " ".join(line.strip() for line in self.lines)
            self.lines = []
            yield Block(text, self._over(), self.kind, self.depth, self.box)


def _announces(line: str) -> bool:
    """Whether a line by itself is what a heading over decisions says, or one over what is none."""
    title = line.strip().lower()
    return len(title) <= 60 and ":" not in title and title[-1:].isalnum() and bool(section((title,)))


def cells(row: str) -> list[str]:
    """The cells of a row of a table; none for the line under its head."""
    return [] if _RULE.match(row) else [cell.strip() for cell in row.split("|")]


_END = re.compile(r"(?<=[.!?…])[\"'”’)\]*_]*\s+(?=[\"'“‘(\[*_`]*[^\W_a-z])")
_SHORT = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|etc|approx|no|nr|mr|mrs|ms|dr|prof|inc|ltd|fig|sec|st|cf|al|[a-z])\.)$", re.IGNORECASE
)


def sentences(text: str) -> list[str]:
    """The sentences of a block."""
    found: list[str] = []
    for piece in _END.split(text):
        if found and _SHORT.search(found[-1]):
            found[-1] += f" {piece}"
        elif piece.strip():
            found.append(piece.strip())
    return found
