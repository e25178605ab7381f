"""Decisions that an assistant put out as JSON: objects with `decision`, `content` or `title`, and their synonyms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from utils.intake.formats.parts import moment, named
from utils.intake.model import WEAK, Message

DECISION = (
    "decision",
    "decision_text",
    "decision_made",
    "final_decision",
    "decided",
    "resolution",
    "ruling",
    "agreement",
)
_DECIDES = re.compile(
    r"(?:\w+_)?(?:decision|resolution|ruling|verdict|agreement|decided|beschluss|entscheidung)"
    r"(?:_(?:text|made|statement|summary|title|content|outcome|final|reached|taken|value|description))?"
)
_MANY = re.compile(r"(?:\w+_)?(?:decisions|resolutions|agreements|agreed|decided|approved|rulings)")
_UNMADE = re.compile(
    r"(?:propos|draft|pending|open|next|no|need|required|previous|suggest|recommend|possible|user|type|reject)"
)
_PROSE = (
    "notes",
    "minutes",
    "answer",
    "reply",
    "output",
    "response",
    "result",
    "body",
    "message",
    "description",
    "log",
)
_OUTER = ("data", "result", "output", "payload", "response")
_PLAIN = {
    "date": ("date", "decided_on", "decided_at", "decision_date", "made_on", "on", "when", "day"),
    "type": ("type", "category", "kind", "area", "domain", "topic", "decision_type", "class"),
    "comment": (
        *(
            "comment",
            "reasoning",
            "rationale",
            "reason",
            "justification",
            "because",
            "why",
            "motivation",
            "chosen_because",
        ),
        *("explanation", "context", "notes", "note", "comments", "details", "description"),
    ),
    "status": ("status", "state", "active", "decision_status", "result"),
    "revises": ("supersedes", "replaces", "revises", "instead_of", "overrides"),
}
_AGENT = ("agent", "agent_name", "assistant", "model", "author", "made_by", "decided_by", "by", "source", "owner")
_LISTS = ("decisions", "decision_log", "decision_records", "agreements", "resolutions", "records", "items", "results")
_ID = ("id", "decision_id", "uuid", "key", "number")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s\-]+")


def messages(value: dict[str, Any], around: Message | None = None) -> Iterator[Message] | None:
    """The decisions of an object, or of the list that it holds; None when it has none of the fields."""
    known = {_HUMP.sub("_", str(key)).lower(): each for key, each in value.items()}
    about = _about(known, around)
    for key in (*_LISTS, *(key for key in known if _MANY.fullmatch(key) and not _UNMADE.match(key)), "data"):
        held = known.get(key)
        if isinstance(held, dict) and held and all(isinstance(each, dict) for each in held.values()):
            held = list(held.values())
        if isinstance(held, list):
            return _all(held, about, strong=key in _LISTS[:5] or bool(_MANY.fullmatch(key)))
    inner = known.get("decision")
    if isinstance(inner, dict):
        return messages(inner | {key: each for key, each in known.items() if key != "decision"}, around)
    key = _key(known)
    deeper = [] if key else list(_within(known))
    if deeper:
        return (message for each in deeper for message in messages(each, about) or ())
    key = key or next((key for key in WEAK if named(known, key)), "")
    if key:
        return iter((_message(known, key, about),))
    within = next((known[key] for key in _OUTER if isinstance(known.get(key), dict)), None)
    if within:
        return messages(within, about)
    prose = next((known[key] for key in _PROSE if _plain(known.get(key))), None)
    return iter((_told(prose, about),)) if prose else None


def _key(known: dict[str, Any]) -> str:
    """The key under which an object holds a decision, by its name alone; ''."""
    keys = (*DECISION, *(key for key in known if _DECIDES.fullmatch(key) and not _UNMADE.match(key)))
    return next((key for key in keys if named(known, key)), "")


def _holds(value: dict[str, Any]) -> bool:
    """Whether an object is a decision, or has a list of them, by its keys."""
    known = {_HUMP.sub("_", str(key)).lower(): inner for key, inner in value.items()}
    if _key(known) or "decision" in (known.get("type"), known.get("kind"), known.get("event")):
        return True
    return any(isinstance(each, list) and key in _LISTS[:5] for key, each in known.items())


def _within(value: Any, depth: int = 6) -> Iterator[dict[str, Any]]:
    """The objects in an object that hold a decision, however deep they lie."""
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict) and _holds(each):
            yield each
        elif isinstance(each, dict | list) and depth:
            yield from _within(each, depth - 1)


def _told(prose: Any, about: Message) -> Message:
    text = "\n".join(map(_plain, prose)) if isinstance(prose, list) else _plain(prose)
    return Message(text, "", about.at, about.id, about.conversation, about.agent)


def _all(items: list[Any], about: Message, *, strong: bool) -> Iterator[Message]:
    for item in items:
        if isinstance(item, str) and strong and item.strip():
            yield Message(
                item, "", about.at, about.id, about.conversation, about.agent, {"decision": item, "key": "decision"}
            )
        elif isinstance(item, dict):
            for message in messages(item, about) or ():
                if strong and message.fields.get("key") in WEAK:
                    message.fields["key"] = "decision"
                yield message


def _message(known: dict[str, Any], key: str, about: Message) -> Message:
    fields = {"decision": named(known, key).strip(), "key": key}
    for name, keys in _PLAIN.items():
        said = next((known[each] for each in keys if each not in (key, "") and _plain(known.get(each))), None)
        if said is not None:
            fields[name] = _plain(said)
    if any(known.get(each) is False for each in ("approved", "accepted", "final")):
        fields["status"] = "not approved"
    body = next((named(known, each) for each in ("content", "text", "body", "description") if each != key), "")
    if body and "comment" not in fields:
        fields["comment"] = body.strip()
    if date := moment(known.get("decided_at")) or moment(fields.get("date")):
        fields["date"] = date
    text = "\n\n".join(dict.fromkeys(filter(None, (fields["decision"], body.strip()))))
    role = named(known, "role").lower()
    return Message(text, role, about.at, about.id, about.conversation, about.agent, fields)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(filter(None, map(_plain, value[:50])))
    return str(value).strip() if isinstance(value, str | int | float | bool) else ""


def _about(known: dict[str, Any], around: Message | None) -> Message:
    stamps = (moment(known.get(key)) for key in ("created_at", "timestamp", "created", "time", "updated_at"))
    return Message(
        "",
        at=next(filter(None, stamps), around.at if around else ""),
        id=_plain(next((known[key] for key in _ID if known.get(key)), "")) or (around.id if around else ""),
        conversation=named(known, "conversation", "conversation_id", "thread", "thread_id", "session")
        or (around.conversation if around else ""),
        agent=named(known, *_AGENT) or (around.agent if around else ""),
    )
