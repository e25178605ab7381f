"""Finds which of many words occur in a text, and where, in one pass: the prefilter in front of every rule.

Case is ignored. The pass is an Aho-Corasick automaton; where that compiled package cannot be loaded, `str.find` finds
the same, slower: logs must be redacted whatever is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

Payload = TypeVar("Payload")


class Marks(Generic[Payload]):
    """Words, each with what it stands for. Build once, then search any number of texts."""

    def __init__(self, words: Mapping[str, Payload]) -> None:
        self._automaton = _automaton(words)
        self._words = {} if self._automaton is not None else dict(words)

    def places(self, lowered: str) -> Iterable[tuple[int, tuple[int, Payload]]]:
        """Where the words occur: the last position of each, its length and its payload.

        Args:
            lowered: the text as `lowered` gives it.
        """
        if self._automaton is None:
            return self._plain(lowered)
        found: Iterable[tuple[int, tuple[int, Payload]]] = self._automaton.iter(lowered) if self._automaton else ()
        return found

    def _plain(self, lowered: str) -> Iterator[tuple[int, tuple[int, Payload]]]:
        found = []
        for word, payload in self._words.items():
            at = lowered.find(word)
            while at >= 0:
                found.append((at + len(word) - 1, len(word), payload))
                at = lowered.find(word, at + 1)
        for end, length, payload in sorted(found, key=lambda place: (place[0], -place[1])):
            yield end, (length, payload)


def lowered(text: str) -> str:
    """The text in lower case, every sign at its place."""
    return text.lower() if text.isascii() else text.replace("\u0130", "i").lower()


def _automaton(words: Mapping[str, Any]) -> Any:
    """The automaton; an empty one is falsy. None where the package is missing."""
    try:
        import ahocorasick
    except ImportError:
        return None
    automaton = ahocorasick.Automaton()
    for word, payload in words.items():
        automaton.add_word(word, (len(word), payload))
    if words:
        automaton.make_automaton()
    return automaton
