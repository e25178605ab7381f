"""Which files are looked at, and which are key files: patterns in .gitignore's syntax, from a small TOML file."""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from utils.autosync.index import Change, Event
from utils.decision import TYPE_LENGTH
from utils.errors import ConfigError

DEFAULT = Path(__file__).with_name("rules.toml")

_ANYWHERE = "^(?:.+/)?"
"""How pathspec writes that a pattern matches at any depth."""

_NAMED = re.compile(r"\(\?P<\w+>")
_ALWAYS = frozenset({".git", ".local"})
_REMEDY = f"Correct it; utils/autosync/{DEFAULT.name} shows the form"


@dataclass(frozen=True)
class KeyRule:
    """The files of a pattern are key files: changes of these kinds become decisions of a type."""

    patterns: tuple[str, ...]
    type: str
    events: frozenset[Event]

    @cached_property
    def _spec(self) -> _Spec:
        return _Spec(self.patterns)

    def matches(self, path: str) -> bool:
        """Whether a path relative to the root is of the pattern."""
        return self._spec.says(path) is True


@dataclass(frozen=True)
class Rules:
    """What a rules file says."""

    ignore: tuple[str, ...]
    gitignore: bool
    keys: tuple[KeyRule, ...]

    def key(self, change: Change) -> str | None:
        """The type of the decision that a change becomes, None where it becomes none.

        The first rule counts that matches the path, or where a renamed file was.
        """
        for path in filter(None, (change.path, change.source)):
            rule = next((rule for rule in self.keys if rule.matches(path)), None)
            if rule:
                return rule.type if change.event in rule.events else None
        return None


@dataclass(frozen=True)
class Ignoring:
    """What is left out of one folder and, where no `.gitignore` adds to it, of those below.

    Args:
        patterns: of the rules file.
        own: paths that are always left out.
        state: the path of our state where it is below the root, else '': its companions are left out too.
        chain: folders with the text of their `.gitignore`, the outermost first.
    """

    patterns: tuple[str, ...]
    own: frozenset[str] = frozenset()
    state: str = ""
    chain: tuple[tuple[str, str], ...] = ()
    _specs: dict[tuple[str, ...], _Spec] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def fingerprint(self) -> int:
        """Differs where something else is left out."""
        return zlib.crc32(
            repr((self.patterns, sorted(self.own), self.state, self.chain)).encode("utf-8", "surrogatepass")
        )

    def leaves_out(self, path: str, *, folder: bool) -> bool:
        """Whether a path is left out."""
        if path.rpartition("/")[2] in _ALWAYS or path in self.own or self._is_of_state(path):
            return True
        shown = f"{path}/" if folder else path
        return self._compiled(self.patterns).says(shown) is True or self._left_out_by_git(shown)

    def below(self, folder: str, text: str) -> Ignoring:
        """What is left out of a folder with this `.gitignore`."""
        return replace(self, chain=(*self.chain, (folder, text)))

    def _is_of_state(self, path: str) -> bool:
        return bool(self.state) and path.startswith(self.state) and path[len(self.state) :][:1] in {"", "-", "."}

    def _left_out_by_git(self, shown: str) -> bool:
        """As git has it: the innermost file that says something of a path decides."""
        for folder, text in reversed(self.chain):
            said = self._compiled(tuple(text.splitlines())).says(shown[len(folder) + bool(folder) :])
            if said is not None:
                return said
        return False

    def _compiled(self, patterns: tuple[str, ...]) -> _Spec:
        if patterns not in self._specs:
            self._specs[patterns] = _Spec(patterns)
        return self._specs[patterns]


def load(path: Path) -> Rules:
    """The rules in a file.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})", _REMEDY) from error
    except ValueError as error:
        raise ConfigError(str(path), f"is no TOML ({error})", _REMEDY) from error
    _only(path, data, {"ignore", "gitignore", "key"})
    gitignore, keys = data.get("gitignore", False), data.get("key", [])
    if not isinstance(gitignore, bool) or not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ConfigError(str(path), "gitignore is true or false, and a key file is an entry [[key]]", _REMEDY)
    ignore = _patterns(path, "ignore", data.get("ignore", []))
    return Rules(ignore, gitignore, tuple(_key(path, number, key) for number, key in enumerate(keys, 1)))


def _key(path: Path, number: int, data: Mapping[str, Any]) -> KeyRule:
    where = f"key {number}"
    _only(path, data, {"pattern", "type", "events"}, f"{where}: ")
    pattern, kind, events = data.get("pattern"), data.get("type", "other"), data.get("events", list(Event))
    if not isinstance(kind, str) or not 0 < len(kind) <= TYPE_LENGTH or "," in kind:
        raise ConfigError(str(path), f"{where}: type is no text of 1 to {TYPE_LENGTH} signs without a comma", _REMEDY)
    if not isinstance(events, list) or not set(events) <= set(Event):
        raise ConfigError(str(path), f"{where}: events are some of {', '.join(Event)}", _REMEDY)
    patterns = _patterns(path, f"{where}: pattern", [pattern] if isinstance(pattern, str) else pattern)
    return KeyRule(patterns, kind, frozenset(map(Event, events)))


def _patterns(path: Path, where: str, given: object) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise ConfigError(str(path), f"{where} is no list of texts", _REMEDY)
    try:
        if path != DEFAULT:  # that one is right, and need not be compiled before it is used
            _Spec(given)
    except ValueError as error:
        raise ConfigError(str(path), f"{where} holds a wrong pattern ({error})", _REMEDY) from error
    return tuple(given)


def _only(path: Path, data: Mapping[str, Any], known: Iterable[str], where: str = "") -> None:
    if unknown := sorted(set(data) - set(known)):
        raise ConfigError(str(path), f"{where}{unknown[0]} is no setting; {', '.join(sorted(known))} are", _REMEDY)


class _Spec:
    """Patterns as git reads them; one expression for all says of most paths at once that none matches."""

    def __init__(self, patterns: Sequence[str]) -> None:
        from pathspec import GitIgnoreSpec

        self._spec = GitIgnoreSpec.from_lines(patterns)
        found = [each.regex.pattern for each in self._spec.patterns if each.regex is not None]
        free = [_NAMED.sub("(?:", text[len(_ANYWHERE) :]) for text in found if text.startswith(_ANYWHERE)]
        bound = [_NAMED.sub("(?:", text) for text in found if not text.startswith(_ANYWHERE)]
        together = [f"{_ANYWHERE}(?:{'|'.join(free)})"] if free else []
        self._any = re.compile("|".join([*together, *bound]) or "(?!)")

    def says(self, path: str) -> bool | None:
        """Whether the last pattern that matches takes the path in; None where none matches."""
        return self._spec.check_file(path).include if self._any.search(path) else None
