"""What a rule is, what it finds, and what rules are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

from utils.redact import values


class Finding(NamedTuple):
    """Where a secret stands: `text[start:end]`. It never carries the value."""

    start: int
    end: int
    kind: str

    def moved(self, by: int) -> Finding:
        """The same in a text that begins elsewhere."""
        return Finding(self.start + by, self.end + by, self.kind)


Rule = Callable[[str, int], Iterable[Finding]]
"""Given a text and where a mark begins in it, the secrets there.

No rule walks further than a bounded number of signs from its mark, so that no text takes quadratic time. A finding
whose kind is `NOTHING` says that the rule need not look at that span again.
"""

NOTHING = ""

QUOTE = r"""(?:\\{0,7}["'`]|&(?:quot|apos|\#3[49]|\#x2[27]);)"""
"""A quote, also in JSON in JSON or in XML."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A verbose pattern, compiled at its first use: no script's start pays for all of them."""
    return re.compile(pattern, re.ASCII | re.VERBOSE)


def group(kind: str, pattern: str, accepts: Callable[[str], bool] = lambda _value: True) -> Rule:
    """A rule whose pattern's one group is the secret, where it is no placeholder and `accepts` it."""

    def find(text: str, at: int) -> Iterable[Finding]:
        match = compiled(pattern).match(text, at)
        if match is None:
            return ()
        secret = not values.is_placeholder(match[1]) and accepts(match[1])
        return (Finding(*match.span(1), kind if secret else NOTHING),)

    return find


def before(kind: str, pattern: str, accepts: Callable[[str], bool] = lambda _value: True) -> Rule:
    """The same for a secret before the mark, where the pattern ends; it begins at most `_REACH` signs before."""

    def find(text: str, at: int) -> Iterable[Finding]:
        start = max(0, at - _REACH)
        match = compiled(rf"(?:{pattern})\Z").search(text[start:at])
        if match is None or values.is_placeholder(match[1]) or not accepts(match[1]):
            return ()
        return (Finding(start + match.start(1), start + match.end(1), kind),)

    return find


_REACH = 400


def each(kind: str, pattern: str, reach: int) -> Rule:
    """The same for any number of secrets within `reach` signs from the mark on."""

    def find(text: str, at: int) -> Iterable[Finding]:
        matches = compiled(pattern).finditer(text, at, at + reach)
        return tuple(Finding(*match.span(1), kind) for match in matches if not values.is_placeholder(match[1]))

    return find
