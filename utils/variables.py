"""Typed values out of an environment; what is wrong is kept, so that all of it is told at once. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

_PLACEHOLDER = re.compile(r"<[^>]*>|\byour[-_ ]|\bchange[-_]?me\b|x{6,}|\.\.\.|…", re.IGNORECASE)
_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class Variables:
    """One environment, read by name. An empty value is unset.

    Args:
        env: the variables that are set, without empty ones.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def value(self, name: str, default: str = "") -> str:
        """The text; the default where it is unset, or a placeholder was left in it."""
        value = self.env.get(name, default)
        if not _PLACEHOLDER.search(value):
            return value
        self.problems.append(f"{name} still holds the placeholder of an example; set the real value or empty it")
        return default

    def token(self, name: str) -> str:
        """A secret: signs that can stand in a header."""
        value = self.value(name)
        if not all("!" <= sign <= "~" for sign in value):
            self.problems.append(f"{name} holds blanks or signs that no token has; copy it again")
        return value

    def url(self, name: str, schemes: set[str], remedy: str) -> str:
        """A URL with a host; '' where it is unset."""
        value = self.value(name)
        if not value:
            return ""
        try:
            parts = urlsplit(value)
            good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or not value.isprintable() or " " in value:
            wanted = " or ".join(f"{scheme}://" for scheme in sorted(schemes))
            self.problems.append(f"{name} is no URL of the form {wanted}host; {remedy}")
        return value

    def number(self, name: str, default: float, least: float, most: float, unit: str) -> float:
        """A number within bounds; `unit` explains it where it is wrong."""
        text = self.env.get(name, "")
        if not text:
            return default
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if least <= number <= most:
            return number
        wanted = f"a number from {least:g} to {most:g} ({unit})"
        self.problems.append(f"{name} is {text!r}; set {wanted}, or leave it empty")
        return default

    def flag(self, name: str, *, default: bool) -> bool:
        """Yes or no, in the usual words."""
        text = self.env.get(name, "").lower()
        if text and text not in _FLAGS:
            self.problems.append(f"{name} is {text!r}; set 1 or 0, or leave it empty")
        return _FLAGS.get(text, default)

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """One word of several."""
        text = self.env.get(name, default).lower()
        if text in choices:
            return text
        self.problems.append(f"{name} is {text!r}; set {' or '.join(choices)}, or leave it empty")
        return default

    def words(self, name: str, separator: str = ",") -> tuple[str, ...]:
        """A list, its parts without the blanks around them."""
        return tuple(part.strip() for part in self.value(name).split(separator) if part.strip())
