"""The data export of ChatGPT: conversations whose messages form a tree, of which the current branch was said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from utils.intake.formats.parts import moment, named, text_of
from utils.intake.model import Message

_SAID = frozenset({"text", "multimodal_text"})
Node = tuple[str, Message | None]


def messages(value: dict[str, Any]) -> Iterator[Message] | None:
    """The messages of a conversation; None when it is none of ChatGPT's."""
    return _branch(value) if isinstance(value.get("mapping"), dict) else None


def node(value: Any) -> Node:
    """A node of the tree as its parent's id and its message, which is small."""
    if isinstance(value, tuple):
        return value
    if not isinstance(value, dict):
        return "", None
    return named(value, "parent"), _message(value.get("message"))


def _branch(conversation: dict[str, Any]) -> Iterator[Message]:
    tree = dict(conversation["mapping"])
    if tree and "current_node" not in conversation:
        _mend_last(tree)
    at, path = named(conversation, "current_node"), []
    if at not in tree:
        at = _last_leaf(tree)
    seen = set()
    while at in tree and at not in seen:
        seen.add(at)
        at, message = node(tree[at])
        if message is not None:
            path.append(message)
    title = named(conversation, "title", "conversation_id", "id")
    agent = named(conversation, "default_model_slug")
    for message in reversed(path):
        yield Message(
            message.text,
            message.role,
            message.at or moment(conversation.get("create_time")),
            message.id,
            title,
            message.agent or (agent if message.role == "assistant" else ""),
        )


def _mend_last(tree: dict[str, Any]) -> None:
    """Hangs the last node of a tree that was cut off, and has lost its parent, on the one before it."""
    before, last = ("", *tree)[-2:]
    if isinstance(tree[last], dict) and "parent" not in tree[last]:
        tree[last] = tree[last] | {"parent": before}


def _last_leaf(tree: dict[str, Any]) -> str:
    """The last node that says something and is answered by none."""
    nodes = {key: node(value) for key, value in tree.items()}
    parents = {parent for parent, _ in nodes.values()}
    return next((key for key in reversed(nodes) if key not in parents and nodes[key][1]), "")


def _message(value: Any) -> Message | None:
    if not isinstance(value, dict):
        return None
    content, author, about = value.get("content"), value.get("author"), value.get("metadata")
    author, about = (each if isinstance(each, dict) else {} for each in (author, about))
    if not isinstance(content, dict) or content.get("content_type", "text") not in _SAID:
        return None
    if value.get("recipient") not in (None, "all") or about.get("is_visually_hidden_from_conversation"):
        return None
    text = text_of(content.get("parts", content.get("text")))
    if not text.strip():
        return None
    agent = named(author, "name") or named(about, "model_slug")
    return Message(text, named(author, "role"), moment(value.get("create_time")), named(value, "id"), "", agent)
