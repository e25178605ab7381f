"""Looks into what is encoded: escapes, base64 and hex are decoded, with a map back to where each sign stood."""

from __future__ import annotations

import base64
import re
import string
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_ESCAPES = r"""
        (?<=\x1b)\[[\d;]{0,12}m  # a colour
      | (?<=%)[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*  # a URL's
      | (?<=\\)(?:\\{0,3}u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|["'nrt/\\])  # JSON's and programs'
      | (?<=&)(?:amp|quot|apos|lt|gt|\#\d{2,5}|\#x[0-9A-Fa-f]{2,4});  # HTML's
"""
"""Behind their first signs, on which each looks back."""
_RARER = r"""
      | (?<=[^"\s:,(\[={]")"(?!") | (?<=[^"]")"(?=[\w{\[$./+~-])  # a quote, doubled by CSV
      | (?<=\+)(?=%[0-9A-F]{2}) | (?<=%[0-9A-F]{2}\+)  # a blank, in what a form sends
"""
_ESCAPED = re.compile(rf"[%\\&\x1b](?:{_ESCAPES})", re.VERBOSE)
_ALL_ESCAPED = re.compile(rf"""[%\\&\x1b"+](?:{_ESCAPES}{_RARER})""", re.VERBOSE)
_BLANK = re.compile(r"\+")
_PLAIN = {"\\n": "\n", "\\r": "\r", "\\t": "\t", '\\"': '"', "\\'": "'", "\\/": "/", "\\\\": "\\"}
"""What JSON and programs write with a backslash."""
_ENTITIES = {"&amp;": "&", "&quot;": '"', "&apos;": "'", "&lt;": "<", "&gt;": ">"}
_STRING = re.compile(r"""(?<!\\)(["'])((?:[^"'\\\n]|\\.|(?!\1)["'])*)\1""")
_HEX = re.compile(r"[0-9a-fA-F]+")
_TEXT_IN_HEX = re.compile(r"(?:[2-7][0-9a-fA-F]|0[9aAdD]){10}")
_FOUR = r"(?:[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]){4}"
"""Four groups of signs that stand for three ASCII signs each: bytes under 128 leave every eighth bit 0."""
_TEXT_IN_BASE64 = re.compile(rf"[A-Za-z0-9+/_-]{{0,3}}?({_FOUR})")
_SIGNS = bytes(ord("a") if chr(sign) in string.ascii_letters + string.digits + "+/_-" else 32 for sign in range(256))
"""What makes a sign of a run an `a`, and any other a blank."""
_SHORTEST = 20
"""A run of so many signs of base64 may stand for text, or be a token."""
_PROMISING = re.compile(
    r"(?:(?<=\\)[nrt/])?(?:(?<=\[)\d\d?m)?"
    rf"(?=00|[MNO][\w-]{{22,27}}\.|[a-z]{{2,12}}[_-]|[A-Za-z0-9+/_-]{{0,3}}?{_FOUR}|{_TEXT_IN_HEX.pattern})",
    re.ASCII,
)
_UNPRINTABLE = bytes(set(range(256)) - set(range(32, 127)) - {9, 10, 13})
_LINE = 4096
"""How much of the line around an escape is looked at, in signs."""


@dataclass(frozen=True)
class View:
    """A decoded piece of a text. Sign `i` of it stood at `place(i)` in the text."""

    text: str
    starts: tuple[int, ...]
    sources: tuple[int, ...]
    scale: tuple[int, int] = (1, 1)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` stood in the original."""
        if self.scale != (1, 1):
            over, under = self.scale
            return self.sources[0] + start * over // under, self.sources[0] - (-end * over // under)
        at = bisect_right(self.starts, start) - 1
        last = bisect_left(self.starts, end)
        last = last if last < len(self.starts) and self.starts[last] == end else last - 1
        return self.sources[at] + start - self.starts[at], self.sources[last] + end - self.starts[last]


def views(text: str) -> Iterator[View]:
    """What is encoded in a text, decoded."""
    if any(map(text.__contains__, ("%", "\\", "&", "\x1b", '""'))):
        yield from _unescaped(text)
    if "\r\n" in text:
        yield _view(text, 0, len(text), ((each.start(), [("", 1)]) for each in re.finditer(r"\r(?=\n)", text)))
    yield from _joined(text)


_PIECE = r"(?=[A-Za-z0-9_+/.][\w+/=.-]{7})"
"""A token begins, or goes on."""
_APART = r"(?![^\"'\n]{0,200}[\"'][ \t]{0,4}[:,;|=\t])"
"""What is quoted is no name, and no cell of a table."""
_JOINTS = {
    "\\\n": re.compile(rf"\\\n[ \t]*(?![A-Za-z_]\w*=[^=\s]){_PIECE}", re.ASCII),
    **{
        f"{quote}{joint}": re.compile(
            rf"{quote}{re.escape(joint)}(?<=[\w+/=.-]{{4}}{quote}{re.escape(joint)})"
            rf"[ \t]{least}{quote}{_PIECE}{_APART}",
            re.ASCII,
        )
        for quote in "\"'"
        for joint, least in (("\n", "+"), (" \\\n", "*"), (" + ", "*"))
    },
}
"""Where a token goes on behind the end of its line, or in the next of two quoted pieces."""
_SOFT_BREAK = re.compile(rf"(?<=\w)=\n{_PIECE}")
"""The same in mails that are quoted-printable."""


def _joined(text: str) -> Iterator[View]:
    """What is written over several lines or in several pieces, as one."""
    if "\n" not in text and " + " not in text:
        return
    patterns = [pattern for literal, pattern in _JOINTS.items() if literal in text]
    patterns += [_SOFT_BREAK] if "quoted-printable" in text else []
    joints = deque(sorted(joint.span() for pattern in patterns for joint in pattern.finditer(text)))
    while joints:
        group = [joints.popleft()]
        while joints and text.find("\n", group[-1][1], joints[0][0]) < 0:
            group.append(joints.popleft())
        start = max(text.rfind("\n", 0, group[0][0]) + 1, group[0][0] - _LINE)
        end = text.find("\n", group[-1][1], group[-1][1] + _LINE)
        end = end if end >= 0 else min(len(text), group[-1][1] + _LINE)
        yield _view(text, start, end, [(at, [("", last - at)]) for at, last in group])


def _unescaped(text: str) -> Iterator[View]:
    """Every line that has escapes, without them."""
    done, usual = 0, _ALL_ESCAPED if '""' in text else _ESCAPED
    for match in usual.finditer(text):
        if match.start() < done:
            continue
        start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - _LINE, done)
        end = text.find("\n", match.start())
        end = min(len(text) if end < 0 else end, match.start() + 2 * _LINE)
        done = end
        escaped = _ALL_ESCAPED if text.find("+", start, end) >= 0 else usual
        yield from _unescaped_line(text, start, end, list(escaped.finditer(text, start, end)))


def _unescaped_line(text: str, start: int, end: int, escapes: list[re.Match[str]]) -> Iterator[View]:
    """A line without its escapes; of those that JSON writes, each string that has them as a text of its own."""
    outside = escapes
    if any(each[0] in _PLAIN for each in escapes):
        outside, left = [], deque(escapes)
        for quoted in _STRING.finditer(text, start, end):
            if not left:
                break
            if quoted.end() <= left[0].start():
                continue
            outside += _until(left, quoted.start())
            inside = _until(left, quoted.end())
            if any(each[0] in _PLAIN for each in inside):
                yield _read(text, *quoted.span(2), inside)
            outside += [each for each in inside if each[0] not in _PLAIN]
        outside += left
    if any(each[0] == "+" for each in outside):
        others = [each for each in outside if each[0] != "+"]
        outside = sorted([*others, *_BLANK.finditer(text, start, end)], key=re.Match[str].start)
    if outside:
        yield _read(text, start, end, outside)


def _until(escapes: deque[re.Match[str]], end: int) -> list[re.Match[str]]:
    """The escapes before a place, which are taken from the others."""
    taken = []
    while escapes and escapes[0].start() < end:
        taken.append(escapes.popleft())
    return taken


def _read(text: str, start: int, end: int, escapes: Iterable[re.Match[str]]) -> View:
    """A piece of the text with these of its escapes read."""
    return _view(text, start, end, ((each.start(), _signs(each[0])) for each in escapes))


def _view(text: str, start: int, end: int, escapes: Iterable[tuple[int, Iterable[tuple[str, int]]]]) -> View:
    """A piece of the text with its escapes read: where each begins, its signs and the width of each in the text."""
    pieces, starts, sources, length, at = [], [0], [start], 0, start
    for begin, signs in escapes:
        literal = text[at:begin]
        pieces.append(literal)
        length += len(literal)
        at = begin
        for sign, width in signs:
            pieces.append(sign)
            starts.append(length)
            sources.append(at)
            length, at = length + len(sign), at + width
        starts.append(length)
        sources.append(at)
    pieces.append(text[at:end])
    return View("".join(pieces), tuple(starts), tuple(sources))


def _signs(escaped: str) -> Iterator[tuple[str, int]]:
    """The signs of an escape, or of a run of percent signs, each with the width of its escape; a colour has none."""
    if escaped[0] in '"+':  # as CSV doubles it; as forms write a blank
        yield escaped[0].replace("+", " "), len(escaped)
        return
    if escaped[0] == "\x1b":
        yield "", len(escaped)
        return
    if escaped[0] == "%":
        yield from _utf8(escaped)
        return
    if escaped[0] == "&":
        code = escaped[2:-1]
        yield _ENTITIES.get(escaped) or chr(int(code[1:], 16) if code[0] == "x" else int(code)), len(escaped)
    else:
        yield _PLAIN.get(escaped) or chr(int(escaped.lstrip("\\")[1:], 16)), len(escaped)


def _utf8(escaped: str) -> Iterator[tuple[str, int]]:
    """The signs of percent signs; where these are no text, they are what they look like: `%DB_PASSWORD%`."""
    try:
        signs = bytes.fromhex(escaped.replace("%", "")).decode()
    except UnicodeDecodeError:
        yield from ((sign, 1) for sign in escaped)
        return
    yield from ((sign, 3 * len(sign.encode())) for sign in signs)


def runs(text: str) -> Iterator[tuple[int, int]]:
    """The long runs of the signs of base64 and hex that may be a token or stand for text."""
    signs, end = text.encode("latin-1", "replace").translate(_SIGNS), 0
    while (start := signs.find(b"a" * _SHORTEST, end)) >= 0:
        end = signs.find(b" ", start)
        end = end if end >= 0 else len(signs)
        while text[start] in "+/_-" and start < end - 1:
            start += 1
        if end - start >= _SHORTEST and (head := _PROMISING.match(text, start)):
            yield head.end(), end


def decoded_run(text: str, start: int, end: int) -> View | None:
    """What a run of base64's or hex's signs says, where that is text; None where it is not."""
    if _TEXT_IN_HEX.match(text, start, end) and not (end - start) % 2 and _HEX.fullmatch(text, start, end):
        return View(bytes.fromhex(text[start:end]).decode("latin-1"), (0,), (start,), (2, 1))
    found = _TEXT_IN_BASE64.match(text, start, end)
    if found is None:
        return None
    plain = _debased(text[found.start(1) : end])
    if plain[:12].translate(None, _UNPRINTABLE) != plain[:12]:
        return None
    return View(plain.decode("latin-1"), (0,), (found.start(1),), (4, 3))


def _debased(run: str) -> bytes:
    signs = run.replace("-", "+").replace("_", "/")
    signs = signs[: len(signs) - (len(signs) % 4 == 1)]
    return base64.b64decode(signs + "=" * (-len(signs) % 4))
