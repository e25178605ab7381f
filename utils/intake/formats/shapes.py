"""A JSON value becomes messages, by the keys that it has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from utils.intake.formats import anthropic, chatgpt, openai, structured
from utils.intake.model import Message, Problem

_LISTS = ("conversations", "threads", "chats", "sessions")
_DEPTH = 8


def messages(value: Any, depth: int = 0) -> Iterator[Message | Problem]:
    """The messages of one value of a JSON text; nothing when it has no format that is known."""
    if isinstance(value, Problem):
        yield value
    elif isinstance(value, list) and depth < _DEPTH:
        for item in value:
            yield from messages(item, depth + 1)
    elif isinstance(value, dict):
        for key in _LISTS:
            if isinstance(value.get(key), list):
                yield from messages(value[key], depth + 1)
                return
        for reader in (chatgpt.messages, anthropic.messages, openai.messages, structured.messages):
            found = reader(value)
            if found is not None:
                yield from found
                return


def within(message: Message) -> Iterator[Message]:
    """The message, or the decisions in it where what was said is itself JSON, as with a schema for the answer."""
    if message.text.lstrip()[:1] in ("{", "[") and not message.fields:
        try:
            said = json.loads(message.text)
        except (ValueError, RecursionError):
            said = None
        about = Message("", message.role, message.at, message.id, message.conversation, message.agent)
        inner = [each for item in (said if isinstance(said, list) else [said]) for each in _decisions(item, about)]
        if inner:
            yield from inner
            return
    yield message


def _decisions(value: Any, about: Message) -> Iterator[Message]:
    for each in (structured.messages(value, about) if isinstance(value, dict) else None) or ():
        yield Message(each.text, about.role, each.at, each.id, each.conversation, each.agent, each.fields)
