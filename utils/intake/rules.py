"""The rules: a message in, the decisions that it states out. Pure.

Four things state a decision, from the surest on: a field of a structured one, a label ("Decision: ..."), the place
under a heading that announces decisions, and the words of a sentence (`utils.intake.cues`). What a user says is for a
person to review; what a system or a tool says is no output.
"""

from __future__ import annotations

import re

from utils.intake import dates
from utils.intake.blocks import plain
from utils.intake.contents import acts, is_open, suggests
from utils.intake.labels import labelled
from utils.intake.model import CHOSEN, THRESHOLD, WEAK, Found, Message
from utils.intake.reading import Draft, Reading, shortened
from utils.intake.revisions import ENDED, REFUSED, revised
from utils.intake.types import type_of

COMMENT = 500
"""Characters of a comment; a longer one is cut at a word and marked."""

REVIEW = 0.5
"""The most that a user's own words, or a box that is not ticked, are worth."""

_SILENT = frozenset({"system", "tool", "function", "developer"})
_OPEN = re.compile(
    r"propos|draft|pending|review|\bopen\b|tbd|to be|discuss|\brfc\b|defer|postpon|consider|suggest|todo|to do"
    r"|unconfirmed|\bwip\b|candidate|undecided|unresolved|idea|tentative|awaiting|await|not (?:yet )?(?:decided"
    r"|approved|final)",
    re.IGNORECASE,
)


def find(message: Message) -> list[Found]:
    """The decisions of a message, in its order; those below `THRESHOLD` are for a person to review."""
    if message.role in _SILENT:
        return []
    drafts = _of_fields(message) if message.fields else Reading(message).drafts()
    once: dict[str, Draft] = {}
    for draft in drafts:
        known = once.setdefault(re.sub(r"\W+", " ", draft.decision).strip().casefold(), draft)
        known.confidence = max(known.confidence, draft.confidence)
    return [_found(draft, message) for key, draft in once.items() if key]


def _found(draft: Draft, message: Message) -> Found:
    reasons = dict.fromkeys(filter(None, [draft.said.get("comment", ""), *draft.why]))
    comment = shortened(" ".join(reasons), COMMENT)
    confidence = min(draft.confidence, REVIEW) if message.role == "user" else draft.confidence
    active, status = draft.active, draft.said.get("status", "")
    refused = REFUSED.search(status)
    active = active and not refused and not ENDED.search(status)
    if refused or (active and _OPEN.search(status)):
        confidence = min(confidence, 0.4)
    return Found(
        decision=draft.decision,
        date=dates.first(draft.said.get("date", ""), message.at),
        type=type_of(draft.said.get("type", "") or draft.label, draft.decision, comment),
        comment=comment,
        confidence=round(confidence, 2),
        message=message,
        active=active,
        revises=draft.said.get("revises", "") or draft.revises,
    )


def _of_fields(message: Message) -> list[Draft]:
    """The decision of a structured object; one that only has a title or a content must look like one."""
    said, text = dict(message.fields), plain(message.fields.get("decision", ""))
    key = said.pop("key", "decision")
    said.pop("decision", None)
    label = labelled(text)
    if is_open(text) or (label and is_open(label.rest)):
        return []
    if key in WEAK:
        sure = [draft for draft in Reading(message).drafts() if draft.confidence >= THRESHOLD]
        for draft in sure:
            draft.said = (said if len(sure) == 1 else said | {"comment": ""}) | draft.said
        if sure:
            return sure
    confidence = _looks(key, text, said) if key in WEAK else 0.95
    return [Draft(label.rest if label else text, confidence, said, revises=revised(text))]


def _looks(key: str, text: str, said: dict[str, str]) -> float:
    signs = sum(1 for name in ("date", "type", "status", "comment") if said.get(name))
    if signs and (key in CHOSEN or said.get("type") == "decision"):
        return 0.75
    if acts(text) and not suggests(text):
        return 0.75 if signs else 0.62
    typed = type_of(said.get("type", ""), "") != "other"
    return 0.62 if typed and (said.get("date") or said.get("status") or said.get("comment")) else 0.4
