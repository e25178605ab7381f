"""Redacts with one set of configured secrets: the layers in their order."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from typing import Any

from utils.redact import names, rules, tokens, values, views
from utils.redact.finding import Finding
from utils.redact.forms import forms
from utils.redact.marks import Marks, lowered

SHORTEST_SECRET = 8
"""Configured values of fewer characters are ignored: they occur in ordinary words."""

_SHORTEST_TEXT = 6
"""In a text of fewer signs no secret and its name have room."""
CONFIGURED = "configured"
_MARKER = re.compile(r"\[REDACTED:[a-z0-9-]+\]")
_UNICODE = re.compile(r"\\u[0-9a-fA-F]{4}")
_NEAR, _FAR = 128, 8192
"""How far from a marker a rule may see it, in signs: over the end of a line, and in one line."""
_WIDE = (
    re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{4096,}"),
    re.compile(r"Private-Lines: \d+\s+[A-Za-z0-9+/=\s\\]{0,24000}"),
    re.compile(
        r"BEGIN (?:[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)[ ]?-{4,5}(?:[^-]|-(?!---)){0,32768}"
    ),
)
"""What rules look into farther."""
_DEEPEST = 3
"""How often what was decoded is decoded again."""


@cache
def _rules() -> Marks[tuple[tuple[int, rules.Rule], ...]]:
    return Marks(rules.by_mark())


class Redactor:
    """Takes secrets out of text and JSON; safe to share among threads.

    Args:
        secrets: the exact values; those under `SHORTEST_SECRET` characters are ignored.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        kept = {secret.strip() for secret in secrets}
        self._secrets = tuple(secret for secret in kept if len(secret) >= SHORTEST_SECRET)

    @cached_property
    def _forms(self) -> Marks[tuple[str, ...]]:
        """Every spelling of every secret, by its lower case."""
        by_lower: dict[str, set[str]] = {}
        for secret in self._secrets:
            for form in forms(secret):
                by_lower.setdefault(lowered(form), set()).add(form)
        return Marks({key: tuple(spellings) for key, spellings in by_lower.items()})

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    def redact(self, text: str) -> str:
        """The text with a marker for each secret. What was redacted before is left as it is."""
        if len(text) < _SHORTEST_TEXT:
            return text
        secrets = self.find(text)
        if not secrets:
            return text
        parts, end = [], 0
        for start, stop, found in _windows(text, secrets):
            parts += [text[end:start], self._settled(text[start:stop], [each.moved(-start) for each in found])]
            end = stop
        return "".join([*parts, text[end:]])

    def _settled(self, text: str, found: list[Finding]) -> str:
        """A piece without the secrets found, and without those that show only once these are gone."""
        while found:
            parts, end = [], 0
            for finding in found:
                parts += [text[end : finding.start], f"[REDACTED:{finding.kind}]"]
                end = finding.end
            text = "".join([*parts, text[end:]])
            found = self.find(text)
        return text

    def redact_json(self, value: Any) -> Any:
        """A copy of a JSON value, each string and each key redacted; numbers, booleans and None stay.

        A field whose name promises a secret loses its value whatever the value's shape; an id, a checksum or a date in
        a field of any other name stays.
        """
        return self._walked(value, None)

    def _walked(self, value: Any, promised: names.Promise | None, above: names.Promise | None = None) -> Any:
        """A value whose own name promises `promised`, and the name of the object around it `above`."""
        if isinstance(value, str):
            if promised and value and values.keeps(promised, value, assigned=True):
                return f"[REDACTED:{promised.value}]"
            if above and not promised and values.is_told(above, value, quoted=True):
                return f"[REDACTED:{above.value}]"
            return value if values.is_harmless(value) and not self._configured(value) else self.redact(value)
        if isinstance(value, dict):
            return self._fields(value, above if promised in {None, names.Promise.KEY} else promised)
        if isinstance(value, list | tuple):
            return [self._walked(item, promised, above) for item in value]
        return value

    def _fields(self, value: dict[Any, Any], above: names.Promise | None) -> dict[Any, Any]:
        called = _MARKER.sub("", str(value.get("name") or value.get("key") or ""))
        pair = names.promise(called) if "value" in value else None
        fields: dict[Any, Any] = {}
        for key, item in value.items():
            promised = pair if key == "value" else names.promise(str(key))
            told = None if names.tells_otherwise(str(key)) else above
            fields[_another(self._walked(key, None), fields)] = self._walked(item, promised, told)
        return fields

    def find(self, text: str) -> list[Finding]:
        """The secrets in a text, in its order; they do not overlap, and none lies in a marker."""
        if "[REDACTED:" not in text:
            return _merged(text, self._all(text, _DEEPEST))
        found, start = [], 0
        for marker in [*_MARKER.finditer(text), None]:
            piece = text[start : marker.start() if marker else len(text)]
            found += [finding.moved(start) for finding in _merged(piece, self._all(piece, _DEEPEST))]
            start = marker.end() if marker else len(text)
        return found

    def scan(self, data: bytes) -> list[tuple[int, str]]:
        """The secrets in a file's bytes: the line of each, counted from 1, and its kind; never the value."""
        text = data.decode("utf-8", "surrogateescape")
        lines, line, start = [], 1, 0
        for finding in self.find(text):
            line, start = line + text.count("\n", start, finding.start), finding.start
            lines.append((line, finding.kind))
        return lines

    def _all(self, text: str, depth: int) -> Iterator[Finding]:
        low = lowered(text)
        if self._secrets:
            yield from self._configured(text, low)
        yield from _by_rules(text, low)
        if not depth:
            return
        for view in views.views(text):
            yield from self._within(view, depth)
        for start, end in views.runs(text):
            yield from tokens.markless(text, start)
            if decoded := views.decoded_run(text, start, end):
                yield from self._within(decoded, depth)

    def _within(self, view: views.View, depth: int) -> Iterator[Finding]:
        for start, end, kind in self._all(view.text, depth - 1):
            yield Finding(*view.span(start, end), kind)

    def _configured(self, text: str, low: str = "") -> list[Finding]:
        found = []
        for last, (length, spellings) in self._forms.places(low or lowered(text)):
            start = last - length + 1
            if text[start : last + 1] in spellings:
                found.append(Finding(start, last + 1, CONFIGURED))
        return found


def _another(key: Any, fields: dict[Any, Any]) -> Any:
    """The name of a field, told apart from others that became the same."""
    number, made = 1, key
    while made in fields:
        number += 1
        made = f"{key} {number}"
    return made


def _windows(text: str, found: list[Finding]) -> Iterator[tuple[int, int, list[Finding]]]:
    """The findings with so much of the text around them as a marker in their place can make look different."""
    wide = deque(_wide(text))
    begin, stop, group = 0, -1, list[Finding]()
    for finding in found:
        start, last = _around(text, finding.start, finding.end)
        while wide and wide[0][1] < start:
            wide.popleft()
        if wide and wide[0][0] <= last:
            start, last = min(start, wide[0][0]), max(last, wide[0][1])
        if group and start > stop:
            yield begin, stop, group
            group = []
        begin = begin if group else max(start, stop, 0)
        group.append(finding)
        stop = max(stop, last)
    if group:
        yield begin, stop, group


def _wide(text: str) -> Iterator[tuple[int, int]]:
    """Where rules look far, with their reach; what overlaps is one."""
    begin, stop = 0, -1
    for span in sorted(match.span() for pattern in _WIDE for match in pattern.finditer(text)):
        start, last = _around(text, *span)
        if stop >= 0 and start > stop:
            yield begin, stop
            stop = -1
        begin, stop = (begin if stop >= 0 else start), max(stop, last)
    if stop >= 0:
        yield begin, stop


def _around(text: str, start: int, end: int) -> tuple[int, int]:
    """A piece with what a rule may see of it: over the ends of lines and in its own ones."""
    least, most = max(0, start - _FAR), end + _FAR
    line = text.rfind("\n", least, max(least, start - _NEAR))
    last = text.find("\n", min(most, end + _NEAR), most)
    return line + 1 if line >= 0 else least, last if last >= 0 else min(len(text), most)


def _by_rules(text: str, low: str) -> Iterator[Finding]:
    done: dict[int, int] = {}
    for last, (length, called) in _rules().places(low):
        start = last - length + 1
        for number, rule in called:
            if start >= done.get(number, 0):
                for finding in rule(text, start):
                    done[number] = finding.end
                    if finding.kind != rules.NOTHING:
                        yield finding


def _merged(text: str, found: Iterable[Finding]) -> list[Finding]:
    """Findings in order, overlapping ones made one: no end of a longer secret survives beside a shorter one.

    The kind is the one that says most: a configured value's, else that of a shape, else that of a name.
    """
    merged: list[Finding] = []
    for finding in sorted(found, key=lambda finding: (finding.start, -finding.end)):
        last = merged[-1] if merged else None
        if last is None or finding.start >= last.end:
            merged.append(finding)
        else:
            kind = max(last.kind, finding.kind, key=_says)
            merged[-1] = Finding(last.start, max(last.end, finding.end), kind)
    return [_whole_escapes(text, finding) for finding in merged]


def _says(kind: str) -> int:
    return 4 if kind == CONFIGURED else rules.VAGUE.get(kind, 3)


def _whole_escapes(text: str, finding: Finding) -> Finding:
    """The finding without half an escape at either end, so that JSON stays JSON."""
    start, end, kind = finding
    for escape in _UNICODE.finditer(text, max(0, start - 5), start + 5):
        if escape.start() < start < escape.end():
            start = escape.end()
    if start and text[start - 1] == "\\" and text[start] in 'nrtbf"\\/':
        start += 1
    before = text[max(start, end - 64) : end]
    backslashes = len(before) - len(before.rstrip("\\"))
    if end < len(text) and (backslashes % 2 or text[end] in "\"'"):
        end -= backslashes if text[end] in "\"'" else 1
    return Finding(start, end, kind)
