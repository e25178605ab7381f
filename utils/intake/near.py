"""Which decisions say nearly the same: proposed to a person, never merged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from utils.intake.book import Brief
from utils.intake.items import REJECTED, normal_text

LIKE = 88.0
"""From which likeness on (0 to 100, the words in any order) two decisions are told as nearly the same."""

COMPARED = 500
"""Characters of a text that are compared."""

NAMED = 90.0
"""How well the words that name a decision must be found in it."""

_NUMBER = re.compile(r"\b(?:adr|rfc|decision|record|no|nr)\b[\s.#:-]*0*(\d+)\b|^\W*0*(\d{1,5})\b")
_FILE_NUMBER = re.compile(r"(?:adr|rfc)?[-_ ]*0*(\d+)", re.IGNORECASE)


@dataclass
class Words:
    """The words of items, to look in.

    Args:
        texts: by id, each one's words in their alphabetical order.
        ids: by normal text.
        numbers: ids by the number of the record that says them, which its file's name begins with.
    """

    texts: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, briefs: Iterable[Brief]) -> Words:
        """Those of items that were not rejected."""
        made = cls()
        for brief in briefs:
            if brief.state != REJECTED:
                made.add(brief.id, brief.decision, brief.file)
        return made

    def add(self, item_id: str, decision: str, file: str) -> None:
        """One more item."""
        text = normal_text(decision)
        self.ids[text] = item_id
        self.texts[item_id] = _in_order(text)
        if number := _FILE_NUMBER.match(PurePosixPath(file).stem):
            self.numbers.setdefault(number[1], item_id)

    def like(self, item_id: str, decision: str) -> str | None:
        """The other item that says nearly the same, or None."""
        from rapidfuzz import fuzz, process

        text = _in_order(normal_text(decision))
        best = process.extract(text, self.texts, scorer=fuzz.ratio, score_cutoff=LIKE, limit=2)
        return next((found for _, _, found in best if found != item_id), None)

    def named(self, text: str, *, but: str) -> str | None:
        """The item that a text names by its words, or by the number of its record; None. Never the item `but`."""
        from rapidfuzz import fuzz, process

        name = normal_text(text)
        number = _NUMBER.search(name)
        exact = self.ids.get(name) or (self.numbers.get(number[1] or number[2]) if number else None)
        name = name[:COMPARED]
        if exact or len(name.split()) < 2:
            return exact if exact != but else None
        best = process.extract(name, self.texts, scorer=fuzz.token_set_ratio, score_cutoff=NAMED, limit=2)
        return next((found for _, _, found in best if found != but), None)


def _in_order(text: str) -> str:
    return " ".join(sorted(text[:COMPARED].split()))
