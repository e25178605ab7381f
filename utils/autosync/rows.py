"""What is told of a scan: decisions for the vault and lines for `agent_activity`, in words. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from utils.autosync.index import Change, Event, File

AGENT = "autosync_files"
_LONGEST_PATH = 1000
_HASH_SIGNS = 12
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_OID, AGENT)

Row = dict[str, Any]
"""{decision, activity}, either of which may be None."""


class Key(Protocol):
    """What makes a file a key file."""

    @property
    def type(self) -> str:
        """The type of the decisions that its changes become."""


@dataclass(frozen=True)
class Telling:
    """How a scan of a root is told.

    Args:
        root: its path.
        host: this machine's name.
        now: when it was.
        limit: how many changes are told singly at most.
        key: of a change, the rule by which it becomes a decision, or None.
        redact: takes secrets out of a text.
    """

    root: str
    host: str
    now: datetime
    limit: int
    key: Callable[[Change], Key | None]
    redact: Callable[[str], str]

    def rows(self, changes: Sequence[Change], instance: str, serial: int) -> list[Row]:
        """The rows of these changes: key files first, at most `limit`, then one that sums up the rest.

        Args:
            changes: all of the scan.
            instance: of the state, so that a new one's serials name other rows.
            serial: of the first row in the outbox.
        """
        ranked = sorted(((change, self.key(change)) for change in changes), key=lambda pair: pair[1] is None)
        told, rest = ranked[: self.limit], ranked[self.limit :]
        rows = [self._row(change, key, instance, number) for number, (change, key) in enumerate(told, serial)]
        if rest:
            rows.append(self._summary(rest, instance, serial + len(rows)))
        return rows

    def baseline(self, files: int, note: str, instance: str, serial: int) -> list[Row]:
        """The one row of a first scan."""
        details: Row = {"files": files, **({"note": note} if note else {})}
        made = _id(instance, serial, self.root, "baseline")
        return [{"decision": None, "activity": self._activity(made, "files baseline", details)}]

    def _row(self, change: Change, key: Key | None, instance: str, serial: int) -> Row:
        old, new = _hash(change.old), _hash(change.new)
        made = _id(instance, serial, self.root, change.source, change.path, old, new)
        details: Row = {"path": self._shown(change.path), "event": str(change.event), "key": key is not None}
        if change.source:
            details["from"] = self._shown(change.source)
        for name, file in (("old", change.old), ("new", change.new)):
            if file:
                details[name] = {"sha256": _hash(file), "size": file.size}
        activity = self._activity(made, f"file {change.event}", details)
        return {"decision": key and self._decision(made, change, key), "activity": activity}

    def _summary(self, rest: Sequence[tuple[Change, Key | None]], instance: str, serial: int) -> Row:
        made = _id(instance, serial, self.root, "summary")
        counts = count(change for change, _ in rest)
        activity = self._activity(made, "files summarized", {"changes": len(rest), **counts})
        keys = [(change, key) for change, key in rest if key]
        decision = keys and {
            **self._common(made, keys[0][1].type),
            "decision": f"{len(keys)} more key files changed in {self._shown(self.root)}",
            "comment": f"{_listed(count(change for change, _ in keys))}. {self._seen()}",
        }
        return {"decision": decision or None, "activity": activity}

    def _decision(self, made: str, change: Change, key: Key) -> Row:
        title = f"{self._shown(change.path)} was {change.event}"
        if change.source:
            title = f"{self._shown(change.source)} was renamed to {self._shown(change.path)}"
        comment = f"Key file in {self._shown(self.root)}. {_contents(change)} {self._seen()}"
        return {**self._common(made, key.type), "decision": title, "comment": comment}

    def _common(self, made: str, kind: str) -> Row:
        return {"id": made, "date": self.now.date().isoformat(), "type": kind, "active": True}

    def _activity(self, made: str, action: str, details: Mapping[str, Any]) -> Row:
        where = {"root": self._shown(self.root), "host": self.host, "seen": self.now.isoformat(timespec="seconds")}
        row = {"id": made, "agent_name": AGENT, "action": action, "details": {**where, **details}}
        return {**row, "status": "completed"}

    def _seen(self) -> str:
        return f"Seen {self.now:%Y-%m-%d %H:%M} UTC on {self.host}."

    def _shown(self, path: str) -> str:
        return self.redact(shown(path))


def shown(path: str) -> str:
    """A path on one line that any service can hold: odd signs spelled out, the middle of a long one left out."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    if len(text) > _LONGEST_PATH:
        text = f"{text[: _LONGEST_PATH // 2]}…{text[-_LONGEST_PATH // 2 :]}"
    return text


def count(changes: Iterator[Change]) -> dict[str, int]:
    """How many changes there are of each event that happened."""
    events = [change.event for change in changes]
    return {str(event): events.count(event) for event in Event if event in events}


def line(change: Change) -> str:
    """A change on one line."""
    return f"{change.event} {f'{shown(change.source)} -> ' if change.source else ''}{shown(change.path)}"


def _contents(change: Change) -> str:
    """A sentence for each content, old and new; one where they are the same."""
    if change.source:
        return f"Unchanged: {_content(change.new)}."
    files = (("Before", change.old), ("Now", change.new))
    return " ".join(f"{when}: {_content(file)}." for when, file in files if file)


def _content(file: File | None) -> str:
    return f"{file.size:,} bytes, SHA-256 {_hash(file)[:_HASH_SIGNS]}…" if file else ""


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {event}" for event, number in counts.items())


def _hash(file: File | None) -> str:
    return file.digest.hex() if file else ""


def _id(instance: str, serial: int, *parts: str) -> str:
    name = "\0".join((instance, str(serial), *parts)).encode("utf-8", "surrogateescape")
    return str(uuid.uuid5(_NAMESPACE, name.hex()))
