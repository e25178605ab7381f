"""Text that is no JSON: a transcript of `role: text`, or documents, cut into pieces that fit into memory."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from utils.intake.formats.parts import moment
from utils.intake.model import Message, Problem

PIECE = 1_000_000
"""Characters of text in one message at most; longer documents are cut between lines."""

_ROLES = {
    "user": r"user|human|me|you|customer|client|prompt|question|q",
    "system": r"system|developer|instructions?",
    "tool": r"tool|function|observation|tool[ _]result|search results?",
    "assistant": r"assistant|ai|bot|model|agent|answer|a|response|copilot|gemini|claude[\w. -]*|chat ?gpt[\w. -]*"
    r"|gpt-?[\w.-]*"
    r"|llama[\w.-]*|mistral[\w.-]*|\w*(?:gpt|bot|assistant|agent)",
}
_STAMP = r"[\[(]?\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?[\])]?"
r"|[\[(]?\d\d?:\d\d(?::\d\d)?[\])]?"
_NAMES = "|".join(f"(?P<{role}>{names})" for role, names in _ROLES.items())
TURN = re.compile(
    rf"^[ \t]*(?:#{{1,6}}[ \t]*)?(?:(?P<at>{_STAMP})[ \t]*[-|:]?[ \t]*)?(?P<mark>[*_]{{0,2}}[\[<]?)(?:{_NAMES})[\]>]?"
    rf"(?:[ \t]*\((?P<note>[^)\n]{{1,60}})\))?(?:[*_]{{0,2}}[ \t]*(?P<colon>:)|[ \t]+said:)[ \t]*[*_]{{0,2}}[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
"""The head of a turn: an optional heading and stamp, a role or an assistant's name, a note in brackets, a colon."""


def messages(chunks: Iterator[str], name: str) -> Iterator[Message | Problem]:
    """The turns of a transcript, or the text as it is; a line that is too long is a problem and passed over."""
    turn: Message | None = None
    for number, piece in enumerate(_pieces(chunks, name)):
        if isinstance(piece, Problem):
            yield piece
        elif turn is None and not (number == 0 and is_transcript(piece)):
            if piece.strip():
                yield Message(piece)
        else:
            for said in _turns(piece, turn or Message("")):
                turn = said
                if said.text.strip():
                    yield said


def is_transcript(text: str) -> bool:
    """Whether a text begins with a turn, or has turns of both sides."""
    if TURN.match(text, len(text) - len(text.lstrip())):
        return True
    return {"assistant", "user"} <= {_role(head) for head in itertools.islice(TURN.finditer(text), 200)}


def _role(head: re.Match[str]) -> str:
    return next(role for role in _ROLES if head[role])


def _turns(text: str, going_on: Message) -> Iterator[Message]:
    """The turns of a piece; what stands before its first one belongs to the turn that was going on."""
    turn, start = going_on, 0
    for head in TURN.finditer(text):
        if head.start() > start:
            yield _with(turn, text[start : head.start()])
        turn, start = _begun(head), head.end()
    yield _with(turn, text[start:])


def _with(turn: Message, text: str) -> Message:
    return Message(text.strip(), turn.role, turn.at, turn.id, turn.conversation, turn.agent)


def _begun(head: re.Match[str]) -> Message:
    role = _role(head)
    said = head[role].strip()
    at = moment((head["at"] or head["note"] or "").strip("[]() ").replace(" ", "T", 1))
    agent = said if role == "assistant" and said.lower() not in ("assistant", "ai", "answer", "response") else ""
    return Message("", role, at, agent=agent)


def _pieces(chunks: Iterator[str], name: str) -> Iterator[str | Problem]:
    """The text in pieces of whole lines; one piece where it fits."""
    held, line, skipping = "", 1, False
    for chunk in chunks:
        held += chunk
        if skipping:
            end = held.find("\n")
            held, skipping = (held[end + 1 :], False) if end >= 0 else ("", True)
        while len(held) > PIECE:
            end = _end_of_piece(held)
            if end:
                yield held[:end]
                line += held.count("\n", 0, end)
                held = held[end:]
                continue
            yield Problem(f"{name}: line {line}", f"is longer than {PIECE // 1_000_000} MB and passed over")
            end = held.find("\n", PIECE)
            held, skipping = (held[end + 1 :], False) if end >= 0 else ("", True)
            line += 1
    if held:
        yield held


def _end_of_piece(text: str) -> int:
    """Where a piece ends: at its last empty line, else at its last line; 0 where it is one line."""
    paragraph = text.rfind("\n\n", 0, PIECE)
    return paragraph + 2 if paragraph >= 0 else text.rfind("\n", 0, PIECE) + 1
