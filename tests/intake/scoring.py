"""How well the rules do on labelled outputs."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.intake.outputs import Output
from utils.errors import AnglesError
from utils.intake.formats import read
from utils.intake.model import THRESHOLD, Found, Message
from utils.intake.rules import find


@dataclass
class Score:
    """Decisions found, decisions found wrongly, decisions missed; and the outputs concerned."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """The share of what was found that is right."""
        return self.right / max(self.right + len(self.wrong), 1)

    @property
    def recall(self) -> float:
        """The share of what is there that was found."""
        return self.right / max(self.right + len(self.missed), 1)


def found_in(text: str | bytes) -> list[Found]:
    """The decisions of an output that go to the vault without a review; none where it has no known format."""
    source = io.BytesIO(text.encode() if isinstance(text, str) else text)
    try:
        messages = [each for each in read(source, "output") if isinstance(each, Message)]
    except AnglesError:
        return []
    return [found for message in messages for found in find(message) if found.confidence >= THRESHOLD]


def score(outputs: Iterable[Output]) -> Score:
    """Compares what is found with what is there."""
    total = Score()
    for text, decisions in outputs:
        left = [found.decision for found in found_in(text)]
        for decision in decisions:
            match = next((each for each in left if _plain(decision) in _plain(each)), None)
            if match is None:
                total.missed.append(f"{decision!r} in {text!r}")
            else:
                total.right += 1
                left.remove(match)
        total.wrong += [f"{each!r} in {text!r}" for each in left]
    return total


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().casefold()
