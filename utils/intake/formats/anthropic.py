"""Claude's export; what Anthropic's Messages answer has the shape of a single message and is read as OpenAI's is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from utils.intake.formats.parts import moment, named, text_of
from utils.intake.model import Message

_ROLES = {"human": "user", "user": "user", "assistant": "assistant"}


def messages(value: dict[str, Any]) -> Iterator[Message] | None:
    """The messages of a conversation of Claude's; None when it is none."""
    return _said(value) if isinstance(value.get("chat_messages"), list) else None


def _said(conversation: dict[str, Any]) -> Iterator[Message]:
    title = named(conversation, "name", "uuid")
    begun = moment(conversation.get("created_at"))
    for each in conversation["chat_messages"]:
        if not isinstance(each, dict):
            continue
        text = text_of(each.get("content")) or text_of(each.get("text"))
        role = _ROLES.get(named(each, "sender"), "")
        if text.strip():
            agent = named(conversation, "model") or "claude"
            at = moment(each.get("created_at")) or begun
            yield Message(text, role, at, named(each, "uuid"), title, agent if role == "assistant" else "")
