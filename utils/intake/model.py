"""What intake speaks of: a message of an output, and a decision found in one."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an output, or one document that has no messages.

    Args:
        text: what it says, without the quoting of its format.
        role: `assistant`, `user`, `system`, `tool`, or '' where the format has none (a document, a log, a note).
        at: when it was said, an ISO date with time and offset, or a date; '' when that is not known.
        id: of the message in its output; '' when it has none.
        conversation: id or title of the conversation; '' when it has none.
        agent: who said it, as the output names it (a model, an assistant); ''.
        fields: what a structured decision said of itself (`decision`, `date`, `type`, `comment`, `status`, `revises`,
            and `key`, the name under which it stood); empty for text, in which the rules look.
    """

    text: str
    role: str = ""
    at: str = ""
    id: str = ""
    conversation: str = ""
    agent: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A decision found in a message.

    Args:
        decision: the sentence, without its label.
        date: `YYYY-MM-DD`, or '' where the text says none.
        type: one of `TYPES`.
        comment: the reasoning; shortened with a mark where it is long; ''.
        confidence: from 0 to 1.
        active: False where the text says that it was superseded, rejected or withdrawn.
        revises: the decision that it replaces, as the text names it; ''.
        message: where it was found.
    """

    decision: str
    date: str
    type: str
    comment: str
    confidence: float
    message: Message
    active: bool = True
    revises: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of an output that cannot be read; the rest goes on.

    Args:
        where: the file and the place in it, such as `chat.json: item 12`.
        what: what is wrong there and what to do, without a full stop.
    """

    where: str
    what: str


THRESHOLD = 0.6
"""The confidence from which on a decision goes to the vault; below, a person reviews it."""

TYPES = ("strategy", "technical", "architecture", "process", "security", "ethical", "product", "other")
"""The types that intake gives."""

CHOSEN = ("outcome", "choice", "chosen", "chosen_option", "selected_option", "verdict", "conclusion")
WEAK = ("title", "statement", *CHOSEN, "content", "text", "summary", "name", "subject", "headline")
"""Keys of a structured object that may hold a decision, or anything else: the rules look closer."""
