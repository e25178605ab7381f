"""What intake keeps of a decision: its fingerprint, its id, its content and where it was said. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from utils.decision import TYPE_LENGTH, Decision
from utils.intake.model import Found

ACCEPTED, REVIEW, REJECTED = "accepted", "review", "rejected"
"""The states of an item: in the vault, waiting for a person, not wanted."""

SHORT_ID = 8
"""Digits of an id that are shown."""

SHOWN_LENGTH = 100
LONGEST, LONGEST_NAME = 10_000, 500
"""Characters that are kept of a text, and of a name; a longer one ends with a mark, and is whole in its output."""


_NAMESPACE = uuid.UUID("6f0d6c1a-6a55-5c8e-9a3e-2b7f3c1f9d64")
_SIGN = re.compile(r"[^\w\s]|_")
_BROKEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Item:
    """A decision that was found, as `intake_take` takes it.

    Args:
        id: of the item, and of its decision in the vault: the same for the same words.
        fingerprint: of the decision's words.
        state: one of `ACCEPTED` and `REVIEW`.
        confidence: from 0 to 1.
        content: as the vault gets it.
        source: `file`, `conversation`, `message`, `agent`, `run`; without what is not known.
        supersedes: the id of the item that it replaces, or None.
    """

    id: str
    fingerprint: str
    state: str
    confidence: float
    content: Decision
    source: Mapping[str, str]
    supersedes: str | None = None

    def json(self) -> dict[str, Any]:
        """As the function takes it."""
        return {
            "id": self.id,
            "fingerprint": self.fingerprint,
            "state": self.state,
            "confidence": self.confidence,
            "content": self.content.image(),
            "source": dict(self.source),
            "supersedes": self.supersedes,
        }

    @property
    def agent(self) -> str:
        """Who said it, as the output names it; ''."""
        return self.source.get("agent", "")


@dataclass(frozen=True, slots=True)
class Origin:
    """The output that is read: its name, the run that reads it, and the day (ISO) of what says no other."""

    name: str
    run: str
    day: str


def item_of(found: Found, origin: Origin, threshold: float, supersedes: str | None = None) -> Item:
    """The item of a decision. Its date is the one said in the text, else the message's, else the output's."""
    text, message = clean(found.decision), found.message
    said = fingerprint(text)
    confidence = round(min(max(found.confidence, 0.0), 1.0), 3)
    source = {
        "file": origin.name,
        "conversation": _cut(clean(message.conversation), LONGEST_NAME),
        "message": _cut(clean(message.id), LONGEST_NAME),
        "agent": _cut(clean(message.agent), LONGEST_NAME),
        "run": origin.run,
    }
    return Item(
        id=str(uuid.uuid5(_NAMESPACE, said)),
        fingerprint=said,
        state=ACCEPTED if confidence >= threshold else REVIEW,
        confidence=confidence,
        content=Decision(
            decision=_cut(text, LONGEST),
            date=_day(found.date) or _day(message.at) or origin.day,
            type=clean(found.type.replace(",", " "))[:TYPE_LENGTH].strip() or "other",
            active=found.active,
            comment=_comment(_cut(clean(found.comment), LONGEST), _cut(clean(found.revises), LONGEST_NAME)),
        ),
        source={name: value for name, value in source.items() if value},
        supersedes=supersedes,
    )


def fingerprint(text: str) -> str:
    """Equal for texts that say the same words: case, blanks, punctuation and Unicode's forms do not count."""
    return hashlib.sha256(normal_text(text).encode("utf-8", "surrogatepass")).hexdigest()


def normal_text(text: str) -> str:
    """The words of a text in small letters with single blanks between them.

    A sign stays where it makes another word: `C#` and `C++` are not `C`, `1.5` is not `15`, `-5` is not `5`, and 5 %
    are not 5. A text that is nothing but signs stays whole.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = " ".join(_SIGN.sub(_kept, folded).split())
    return words or " ".join(folded.split())


def _kept(match: re.Match[str]) -> str:
    sign, whole = match[0], match.string
    before, after = whole[match.start() - 1 : match.start()], whole[match.end() : match.end() + 1]
    kind = unicodedata.category(sign)
    if kind[0] == "M" or sign in "#%&@+":
        return sign
    if kind == "Cf" or sign in "'’":
        return ""
    if sign in ".,:/" and before.isdigit() and after.isdigit():
        return sign
    if after.isdigit() and not before.strip() and sign in "-−":
        return "-"
    return sign if kind == "Sc" or sign in "<>=≤≥≠" else " "


def clean(text: str) -> str:
    """The text without what the vault or Notion cannot hold: control characters and halves of surrogate pairs."""
    return _BROKEN.sub(" ", text).strip()


def shown(text: str) -> str:
    """The text on one line, shortened for a person."""
    return _cut(" ".join(text.split()), SHOWN_LENGTH)


def range_of(prefix: str) -> tuple[str, str] | None:
    """The lowest and the highest id that begin so, or None where no id does; dashes do not count."""
    digits = prefix.replace("-", "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
        return None
    return str(uuid.UUID(digits.ljust(32, "0"))), str(uuid.UUID(digits.ljust(32, "f")))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _day(text: str) -> str:
    """The calendar day that an ISO date, with or without a time, begins with; ''."""
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return ""


def _comment(reason: str, revises: str) -> str | None:
    """The reasoning, and what the decision is said to replace."""
    parts = [reason] if reason else []
    if revises:
        parts.append(f"Supersedes: {revises.rstrip('.')}.")
    return "\n".join(parts) or None
