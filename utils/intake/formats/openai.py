"""What OpenAI's interfaces answer: chat completions, responses, messages of threads, their lists and batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from utils.intake.formats.parts import moment, named, text_of
from utils.intake.model import Message

_INNER = ("body", "response", "message", "result")
"""Keys under which a line of a batch, or a choice, holds the thing itself."""


def messages(value: dict[str, Any], about: Message | None = None) -> Iterator[Message] | None:
    """The messages of an answer, a request, a list of either, or a single message; None when it is nothing of these.

    Args:
        value: an object.
        about: what is known of the messages in it from around it: moment, id, conversation and agent.
    """
    known = _known(value, about or Message(""))
    for key in ("choices", "output", "messages", "input"):
        if isinstance(value.get(key), list):
            return _all(value[key], known)
    if value.get("object") == "list" and isinstance(value.get("data"), list):
        return _all(value["data"], known)
    if isinstance(value.get("role"), str) and "content" in value:
        return _one(value, known)
    for key in _INNER:
        inner = value.get(key)
        if isinstance(inner, dict):
            return messages(inner, known)
    return None


def _all(items: list[Any], known: Message) -> Iterator[Message]:
    for item in items:
        found = messages(item, known) if isinstance(item, dict) else None
        yield from found or ()


def _one(value: dict[str, Any], known: Message) -> Iterator[Message]:
    text, role = text_of(value["content"]), value["role"].lower()
    if text.strip():
        yield Message(text, role, known.at, known.id, known.conversation, known.agent if role == "assistant" else "")


def _known(value: dict[str, Any], around: Message) -> Message:
    at = next(filter(None, (moment(value.get(key)) for key in ("created", "created_at", "timestamp"))), around.at)
    return Message(
        "",
        at=at,
        id=named(value, "id", "custom_id") or around.id,
        conversation=named(value, "thread_id", "conversation", "conversation_id", "title") or around.conversation,
        agent=named(value, "name", "assistant_id", "model") or around.agent,
    )
