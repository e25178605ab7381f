"""Takes secrets out of text: the configured ones in every form, and the tokens of this system's world by their shape.

A secret becomes `[REDACTED:kind]`; the text around it stays. Pure: standard library, no clock, no disk, no environment.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 8
"""Configured values of fewer characters are ignored: they occur in ordinary words."""

CONFIGURED = "configured"

_MARKER = re.compile(r"\[REDACTED:[a-z0-9-]+\]")


@dataclass(frozen=True)
class Finding:
    """Where a secret stands: `text[start:end]`. It never carries the value."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class _Rule:
    """A shape. The last group that matched is the secret (the whole match where there is none).

    The pattern is tried only where one of the marks occurs, which is what makes clean text cheap. Every repetition that
    a failing match could walk again is bounded, so that no text takes quadratic time.
    """

    kind: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool] = lambda _secret: True


def _is_credentials(text: str) -> bool:
    """Whether base64 holds `user:password`, so that the word "Basic" in prose stays prose."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except ValueError:
        return False
    return ":" in plain and plain.isprintable()


def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.VERBOSE)


_RULES = (
    _Rule("supabase", ("sb_secret_",), _shape(r"sb_secret_[\w-]{10,}")),
    _Rule("supabase", ("sbp_",), _shape(r"sbp_\w{20,}")),
    _Rule("jwt", ("eyJ",), _shape(r"eyJ[\w-]{10,1000}+\.eyJ[\w-]{8,}+(?:\.[\w-]+){0,3}")),
    _Rule("notion", ("ntn_", "secret_"), _shape(r"ntn_[A-Za-z0-9]{20,} | (?<!sb_)secret_[A-Za-z0-9]{32,}")),
    _Rule(
        "github",
        ("ghp_", "gho_", "ghu_", "ghr_", "ghs_", "github_pat_"),
        _shape(
            r"""gh[pousr]_ (?: [A-Za-z0-9]{1,40}_eyJ[\w-]{8,1000}+(?:\.[\w-]+){1,2} | [A-Za-z0-9]{20,} )
            | github_pat_\w{22,}"""
        ),
    ),
    _Rule(
        "openai",
        ("sk-",),
        _shape(
            r"""(?: (?<![A-Za-z0-9]) | (?<=\\[nrt]) | (?<=%[0-9A-Fa-f]{2}) )
            sk-(?: (?:proj|svcacct|admin|ant)-[\w-]{16,} | (?=[\w-]{0,200}\d)[\w-]{0,200}[A-Za-z0-9]{20}[\w-]* )"""
        ),
    ),
    _Rule(
        "password",
        ("://", ":\\/\\/"),
        _shape(
            r""":(?:\\?/){2} [^\s/?\#:@\[\]"'<>]{0,256}+ :
            (?! \d{1,5}[/?\#] | <[^>@]{0,80}>@ | \[[^\]@]{0,80}\]@ | \$?\{[^}@]{0,80}\}@ | \*+@ )
            (?: ([^\s/?\#"'<>]{1,1024})@ | ([^\s@"'<>]{1,1024}+)@ )"""
        ),
    ),
    _Rule(
        "authorization",
        ("uthorization", "UTHORIZATION"),
        _shape(
            r"""(?i:authorization) ["'\\\]]{0,4} \s{0,4} [:=,] \s{0,4} [bf"'\\]{0,4}
            (?i:bearer|basic|token) \s{1,4} (?![<$\[{]) ([^\s"'\\,;)\]}>]{4,})"""
        ),
    ),
    _Rule(
        "authorization",
        ("earer", "EARER"),
        _shape(r"(?i:bearer)\s{1,4} ( (?=[\w.~+/-]{0,200}\d) [\w.~+/-]{15,}[\w~+/-]=* )"),
    ),
    _Rule("authorization", ("asic", "ASIC"), _shape(r"(?i:basic)\s{1,4}([A-Za-z0-9+/]{10,}={0,2})"), _is_credentials),
)


class Redactor:
    """Redacts with one set of configured secrets; safe to share among threads.

    Args:
        secrets: the exact values; those under `SHORTEST_SECRET` characters are ignored.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        kept = {secret.strip() for secret in secrets}
        forms = {form for secret in kept if len(secret) >= SHORTEST_SECRET for form in _forms(secret)}
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"

    def redact(self, text: str) -> str:
        """The text with a marker for each secret. What was redacted before is left as it is."""
        while found := self.find(text):
            parts, end = [], 0
            for finding in found:
                parts += [text[end : finding.start], f"[REDACTED:{finding.kind}]"]
                end = finding.end
            text = "".join([*parts, text[end:]])
        return text

    def redact_json(self, value: Any) -> Any:
        """A copy of a JSON value, each string and each key redacted; numbers, booleans and None stay."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict):
            return {self.redact_json(key): self.redact_json(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.redact_json(item) for item in value]
        return value

    def find(self, text: str) -> list[Finding]:
        """The secrets in a text, in its order; they do not overlap, and none lies in a marker."""
        if "[REDACTED:" not in text:
            return _merged(self._all(text, 0))
        found, start = [], 0
        for marker in _MARKER.finditer(text):
            found += _merged(self._all(text[start : marker.start()], start))
            start = marker.end()
        return found + _merged(self._all(text[start:], start))

    def _all(self, text: str, offset: int) -> Iterator[Finding]:
        """Every match of every rule; `offset` is where this text stands in the whole."""
        for form in self._forms:
            if form in text:
                for start in _places(text, form):
                    yield Finding(offset + start, offset + start + len(form), CONFIGURED)
        for rule in _RULES:
            if any(mark in text for mark in rule.marks):
                for match in rule.pattern.finditer(text):
                    start, end = match.span(match.lastindex or 0)
                    if rule.accepts(text[start:end]):
                        yield Finding(offset + start, offset + end, rule.kind)


def _merged(found: Iterable[Finding]) -> list[Finding]:
    """Findings in order, overlapping ones made one: no end of a longer secret survives beside a shorter one.

    The kind is a configured value's where one is among them, else that of the one that begins first.
    """
    merged: list[Finding] = []
    for finding in sorted(found, key=lambda finding: (finding.start, -finding.end)):
        last = merged[-1] if merged else None
        if last is None or finding.start >= last.end:
            merged.append(finding)
        else:
            kind = CONFIGURED if CONFIGURED in {last.kind, finding.kind} else last.kind
            merged[-1] = Finding(last.start, max(last.end, finding.end), kind)
    return merged


def _places(text: str, form: str) -> Iterator[int]:
    start = text.find(form)
    while start >= 0:
        yield start
        start = text.find(form, start + 1)


def _forms(secret: str) -> Iterator[str]:
    """The spellings of a secret: raw, in a repr, JSON-escaped (also twice), percent-encoded, base64 and hex."""
    data = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield repr(secret)[1:-1]
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield from (once, once.replace("/", "\\/"), json.dumps(once, ensure_ascii=ascii_only)[1:-1])
    for encoded in (quote(data, safe=""), quote(data), quote_plus(data)):
        yield from (encoded, re.sub(r"%[0-9A-F]{2}", lambda escape: escape[0].lower(), encoded))
    yield from (data.hex(), data.hex().upper())
    yield from _base64_forms(data)


def _base64_forms(data: bytes) -> Iterator[str]:
    """What stands in base64 text wherever `data` begins in it: the signs whose six bits are all the secret's own."""
    for offset in range(3):
        padded = b"\0" * offset + data + b"\0\0"
        first, last = -(-offset * 8 // 6), (offset + len(data)) * 8 // 6
        for encoded in (base64.b64encode(padded), base64.urlsafe_b64encode(padded)):
            yield encoded[first:last].decode()
