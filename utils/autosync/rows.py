"""What is told of a scan: decisions for the vault and lines for `agent_activity`, in words. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

from utils.autosync.index import Change, Event, File

AGENT = "autosync_files"
_LONGEST_PATH = 1000
_HASH_SIGNS = 12
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_OID, AGENT)

Row = dict[str, Any]
"""{decision, activity}, the first of which may be None."""

Name = Callable[..., str]
"""Gives a row its id, of what it tells."""


@dataclass(frozen=True)
class Telling:
    """How a scan is told.

    Args:
        host: this machine's name.
        now: when it was.
        limit: how many changes are told singly at most.
        key: of a change of a key file, the type of the decision that it becomes; None of any other.
        redact: takes secrets out of a text.
        note: told with a first scan.
    """

    host: str
    now: datetime
    limit: int
    key: Callable[[Change], str | None]
    redact: Callable[[str], str]
    note: str = ""

    def rows(
        self, baselines: Mapping[str, int], changes: Sequence[tuple[str, Change]], instance: str, serial: int
    ) -> list[Row]:
        """The rows of a scan: key files first, at most `limit` changes, then one that sums up the rest.

        Args:
            baselines: how many files a root has that was scanned for the first time.
            changes: all others, with their roots.
            instance: of the state, so that a new one's serials name other rows.
            serial: of the first row in the outbox.
        """
        ids = (partial(_id, instance, number) for number in count(serial))
        ranked = sorted(((*change, self.key(change[1])) for change in changes), key=lambda each: each[2] is None)
        told, rest = ranked[: self.limit], ranked[self.limit :]
        rows = [self._baseline(root, files, next(ids)) for root, files in baselines.items()]
        rows += [self._row(root, change, key, next(ids)) for root, change, key in told]
        return [*rows, self._summary(rest, next(ids))] if rest else rows

    def _baseline(self, root: str, files: int, name: Name) -> Row:
        details: Row = {"files": files, **({"note": self.note} if self.note else {})}
        return {"decision": None, "activity": self._activity(name(root, "baseline"), root, "files baseline", details)}

    def _row(self, root: str, change: Change, key: str | None, name: Name) -> Row:
        made = name(root, change.source, change.path, _hash(change.old), _hash(change.new))
        details: Row = {"path": self._shown(change.path), "event": str(change.event), "key": key is not None}
        if change.source:
            details["from"] = self._shown(change.source)
        for when, file in (("old", change.old), ("new", change.new)):
            if file:
                details[when] = {"sha256": _hash(file), "size": file.size}
        activity = self._activity(made, root, f"file {change.event}", details)
        return {"decision": key and self._decision(made, root, change, key), "activity": activity}

    def _summary(self, rest: Sequence[tuple[str, Change, str | None]], name: Name) -> Row:
        roots = list(dict.fromkeys(root for root, _, _ in rest))
        made, root = name(*roots, "summary"), ", ".join(roots)
        counts = counted(change for _, change, _ in rest)
        activity = self._activity(made, root, "files summarized", {"changes": len(rest), **counts})
        keys = [(change, key) for _, change, key in rest if key]
        decision = keys and {
            **self._common(made, keys[0][1]),
            "decision": f"{len(keys)} more key files changed in {self._shown(root)}",
            "comment": f"{_listed(counted(change for change, _ in keys))}. {self._seen()}",
        }
        return {"decision": decision or None, "activity": activity}

    def _decision(self, made: str, root: str, change: Change, key: str) -> Row:
        title = f"{self._shown(change.path)} was {change.event}"
        if change.source:
            title = f"{self._shown(change.source)} was renamed to {self._shown(change.path)}"
        comment = f"Key file in {self._shown(root)}. {_contents(change)} {self._seen()}"
        return {**self._common(made, key), "decision": title, "comment": comment}

    def _common(self, made: str, kind: str) -> Row:
        return {"id": made, "date": self.now.date().isoformat(), "type": kind, "active": True}

    def _activity(self, made: str, root: str, action: str, details: Mapping[str, Any]) -> Row:
        where = {"root": self._shown(root), "host": self.host, "seen": self.now.isoformat(timespec="seconds")}
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


def counted(changes: Iterator[Change]) -> dict[str, int]:
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
