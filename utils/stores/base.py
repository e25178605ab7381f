"""The vault as the rest of the product sees it: typed calls of the database's own functions.

Whatever is atomic or conditional is a SQL function (`supabase/migrations`), so that PostgreSQL and Supabase's REST API
need only carry one JSON document there and one back: a `Transport`. Every function may be repeated after an unclear
answer.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from utils.decision import Decision
from utils.errors import AnglesError, BusyError
from utils.sync.model import Item, Link, Row, parse_item, parse_row

BATCH_ITEMS = 500
BATCH_BYTES = 1_000_000
LEASE_SECONDS = 300
"""How long a lease lasts after the last call that kept it."""

READ_FIRST = 500
READ_MOST = 2000
"""Rows that are read at once, first and at most; fewer where they are large."""

_ABSENT: Any = object()
_Document = tuple[Mapping[str, Any], str]
"""A JSON object and its text, made once: it is looked through, and counted."""

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Transport(Protocol):
    """Carries a call to the database."""

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        """Calls a function that takes one JSON text and answers one jsonb value.

        Raises:
            ServiceError: unreachable, refused, or failed for good. ConfigError: the schema is not this version's.
        """

    def read(self, table: str, after: str | None, limit: int) -> list[dict[str, Any]]:
        """Rows of a table as JSON has them, those after an id, in the order of their ids.

        Args:
            table: one with a unique `id`.
            after: None begins.
            limit: how many at most; the service may have a lower cap, and none at all means that there are no more.

        Raises:
            As `call`.
        """

    def close(self) -> None:
        """Lets go of connections."""


@dataclass(frozen=True)
class Beginning:
    """What `sync_begin` answers. `fence` is None when no lease was asked for or another run has it, told by `busy`."""

    fence: int | None
    busy: Mapping[str, Any] | None
    state: Mapping[str, Any]
    links: int
    live: int


@dataclass(frozen=True)
class Write:
    """One item of `sync_write`: see the function's comment. `link` None leaves it, `drop` removes it."""

    id: str
    expect: Decision | None = _ABSENT
    set: Mapping[str, Any] | None = None
    link: Link | None = None
    drop: bool = False
    agreed: tuple[str, ...] = ()
    log: tuple[Mapping[str, Any], ...] = ()
    adopt: str = ""

    def json(self) -> dict[str, Any]:
        """As the function takes it."""
        data: dict[str, Any] = {
            "id": self.id,
            "adopt": self.adopt or None,
            "set": dict(self.set) if self.set else None,
            "link": {"drop": True} if self.drop else self.link.json() if self.link else None,
            "agreed": list(self.agreed),
            "log": list(self.log),
        }
        if self.expect is not _ABSENT:
            data["expect"] = self.expect.image() if self.expect else None
        return data


@dataclass(frozen=True)
class Written:
    """What became of a Write: the row as it is now; `moved` when it was not as expected; `error` when refused."""

    id: str
    moved: bool = False
    row: Row | None = None
    error: str = ""


@dataclass(frozen=True)
class Activity:
    """A row of `agent_activity`.

    Args:
        id: a uuid; the same one says how it stands later.
        agent_name: at most 100 characters count, as of `action`; of `status` 50.
        details: JSON without a secret.
    """

    id: str
    agent_name: str
    action: str
    details: Mapping[str, Any]
    status: str

    def json(self) -> dict[str, Any]:
        """As the function takes it."""
        return {**vars(self), "details": dict(self.details)}


@dataclass
class Vault:
    """The decision vault, over a transport. Safe to use from several threads. `requests` counts the calls made."""

    transport: Transport
    requests: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        """One call, counted.

        Raises:
            BusyError: it needs the lease, and another run has it now; nothing was done.
        """
        with self._counting:
            self.requests += 1
        answer = self.transport.call(function, payload)
        if answer.get("kept") is False:
            raise BusyError("sync", "the lease was taken over by another run", "It goes on with what this one left")
        return answer

    def begin(self, lease: Mapping[str, Any] | None = None) -> Beginning:
        """Takes the lease, if one is asked for, and reads where the sync stands."""
        answer = self.call("sync_begin", {"lease": {**lease, "ttl": LEASE_SECONDS} if lease else None})
        return Beginning(answer["fence"], answer["busy"], answer["state"] or {}, answer["links"], answer["live"])

    def changes(self, *, full: bool = False) -> list[Item]:
        """Items that are new, changed, deleted or unfinished; every one with `full`."""
        return [parse_item(data) for data in self.paged("sync_changes", {"full": full})]

    def lookup(
        self, pages: Sequence[str] = (), decisions: Sequence[str] = (), trashed: Sequence[str] | None = None
    ) -> list[Item]:
        """Items by page id or decision id; with the exact list of trashed pages, also those that left the trash."""
        found: dict[str, Item] = {}
        for start in range(0, max(len(pages), len(decisions), 1), BATCH_ITEMS):
            asked = {
                "pages": list(pages[start : start + BATCH_ITEMS]),
                "decisions": list(decisions[start : start + BATCH_ITEMS]),
                "bin": list(trashed) if trashed is not None and start == 0 else None,
            }
            for data in self.paged("sync_lookup", asked):
                found[data["id"]] = parse_item(data)
        return list(found.values())

    def write(self, run: str, fence: int, writes: Sequence[Write]) -> list[Written]:
        """Carries writes out, in their order, in batches of 500 items or 1 MB; each item by itself is atomic."""
        documents = [_mended(*document) for document in _with_texts(write.json() for write in writes)]
        refusals = [unreadable(text) for _, text in documents]
        sent = [document for document, why in zip(documents, refusals, strict=True) if not why]
        answers = self._written(run, fence, sent)
        return [
            Written(write.id, error=why) if why else next(answers) for write, why in zip(writes, refusals, strict=True)
        ]

    def confirm(
        self, run: str, fence: int, state: Mapping[str, Any] | None, activity: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        """Ticks `synced` where both sides agree and keeps the state, if one is given: {ticked, links}."""
        payload = {"run": run, "fence": fence, "ttl": LEASE_SECONDS, "state": _readable(state), "activity": activity}
        answer: Mapping[str, Any] = self.call("sync_confirm", payload)
        return answer

    def keep_lease(self, name: str, fence: int) -> None:
        """Keeps the lease; BusyError when another run has it."""
        self.call("lease_keep", {"name": name, "fence": fence, "ttl": LEASE_SECONDS})

    def release(self, name: str, fence: int) -> None:
        """Gives the lease back."""
        self.call("lease_release", {"name": name, "fence": fence})

    def twins(self, side: str, contents: Iterable[Decision]) -> int:
        """How many contents equal something that a side (`vault` or `notion`) already has."""
        batches = _batches(_with_texts(content.image() for content in contents))
        return sum(int(self.call("sync_twins", {"side": side, "images": batch})["twins"]) for batch in batches)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Whole rows of `decision_vault` as JSON has them, in the order of their ids, however many and however large.

        Read on until nothing comes: a cap of the service, which says nothing of itself, hides no row.
        """
        after, limit = None, READ_FIRST
        while some := self._read(after, limit):
            yield from some
            after = some[-1]["id"]
            size = sum(len(row.get("decision") or "") + len(row.get("comment") or "") for row in some) or 1
            limit = max(1, min(READ_MOST, 2 * limit, len(some) * BATCH_BYTES // size))

    def add(self, items: Sequence[Mapping[str, Any]]) -> int:
        """Adds decisions whose ids are new; answers how many.

        Raises:
            AnglesError: one holds what PostgreSQL cannot keep; nothing was added.
        """
        documents = _all_readable("decision", items)
        return sum(int(self.call("decisions_add", {"items": batch})["added"]) for batch in _batches(documents))

    def record(self, activities: Sequence[Activity]) -> None:
        """Writes into `agent_activity` who did what; an id that is there gets the new details and status.

        Raises:
            AnglesError: one holds what PostgreSQL cannot keep; nothing was written.
        """
        for batch in _batches(_all_readable("activity", (activity.json() for activity in activities))):
            self.call("activity_write", {"items": batch})

    def is_new(self) -> bool:
        """Whether no decision was ever here."""
        return bool(self.call("vault_is_new", {})["new"])

    def close(self) -> None:
        """Lets go of connections."""
        self.transport.close()

    def _read(self, after: str | None, limit: int) -> list[dict[str, Any]]:
        with self._counting:
            self.requests += 1
        return self.transport.read("decision_vault", after, limit)

    def _written(self, run: str, fence: int, documents: Sequence[_Document]) -> Iterator[Written]:
        for batch in _batches(documents):
            payload = {"run": run, "fence": fence, "ttl": LEASE_SECONDS, "items": batch}
            for answer in self.call("sync_write", payload)["results"]:
                row = answer.get("row")
                yield Written(
                    answer["id"],
                    bool(answer.get("moved")),
                    parse_row(answer["id"], row) if row else None,
                    answer.get("error") or "",
                )

    def paged(self, function: str, payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The items of a function that answers them page by page."""
        after = None
        while True:
            answer = self.call(function, {**payload, "after": after})
            yield from answer["items"]
            after = answer["next"]
            if after is None:
                return


def unreadable(text: str) -> str:
    """Why PostgreSQL cannot read a document's JSON, or '': one such text would have a whole call refused."""
    if "\\u0000" in text and _NUL.search(text):
        return "holds the control character U+0000"
    return "holds half a surrogate pair" if not text.isascii() and _SURROGATE.search(text) else ""


def _all_readable(kind: str, items: Iterable[Mapping[str, Any]]) -> list[_Document]:
    documents = _with_texts(items)
    for item, text in documents:
        if why := unreadable(text):
            raise AnglesError(f"{kind} {item['id']}", why, "Take it out of the text")
    return documents


def _mended(document: Mapping[str, Any], text: str) -> _Document:
    """A write whose notes are such that PostgreSQL can read them; what is to go into a row stays as it is."""
    if not unreadable(text):
        return document, text
    return _with_texts([{**document, **_readable({name: document[name] for name in ("link", "log")})}])[0]


def _readable(notes: Any) -> Any:
    """Notes on what Notion has, with signs in the place of what PostgreSQL cannot keep."""
    text = json.dumps(notes, ensure_ascii=False, default=str)
    if not unreadable(text):
        return notes
    return json.loads(_SURROGATE.sub("\ufffd", _NUL.sub(lambda found: found[0][:-6] + "\u2400", text)))


def _with_texts(documents: Iterable[Mapping[str, Any]]) -> list[_Document]:
    return [(document, json.dumps(document, ensure_ascii=False, default=str)) for document in documents]


def _batches(documents: Iterable[_Document]) -> Iterator[list[Mapping[str, Any]]]:
    """Runs of at most 500 documents and about 1 MB."""
    batch: list[Mapping[str, Any]] = []
    size = 0
    for document, text in documents:
        length = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if batch and (len(batch) == BATCH_ITEMS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += length
    if batch:
        yield batch
