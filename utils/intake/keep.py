"""Keeps found decisions in the vault, in batches, each once; counts what became of them."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from utils.intake import book
from utils.intake.book import Stand
from utils.intake.items import ACCEPTED, REVIEW, Item, Origin, item_of
from utils.intake.model import Found
from utils.intake.near import Words
from utils.intake.report import Report
from utils.stores.base import BATCH_BYTES, BATCH_ITEMS, Activity, Vault

AGENT = "intake"
"""Who took in what names no agent."""

AGENTS = 20
"""How many agents of a run are told apart in `agent_activity`; the rest count as intake's own."""


@dataclass(frozen=True)
class Terms:
    """On what terms decisions are kept.

    Args:
        threshold: the confidence from which on one goes into the vault.
        redact: takes the secrets out of a text.
        dry_run: nothing is written.
    """

    threshold: float
    redact: Callable[[str], str]
    dry_run: bool = False


class Keeper:
    """Keeps decisions. What `add` took is in the vault after `flush`, or when `waiting` is false.

    Args:
        vault: where they go.
        run: this run's id.
        terms: on what terms.
        report: counts them.
    """

    def __init__(self, vault: Vault, run: str, terms: Terms, report: Report) -> None:
        self._vault, self._run, self._terms, self._report = vault, run, terms, report
        self._batch: dict[str, Item] = {}
        self._bytes = 0
        self._rehearsed: dict[str, Stand] = {}
        self._words: Words | None = None
        self._agents: dict[str, Counter[str]] = {}

    @property
    def waiting(self) -> bool:
        """Whether something is not in the vault yet."""
        return bool(self._batch)

    def add(self, found: Found, origin: Origin) -> None:
        """Takes a decision."""
        clean = self._terms.redact
        found = replace(
            found, decision=clean(found.decision), comment=clean(found.comment), revises=clean(found.revises)
        )
        item = item_of(found, origin, self._terms.threshold)
        if found.revises:
            item = replace(item, supersedes=self._known_words().named(found.revises, but=item.id))
        if self._words:
            self._words.add(item.id, item.content.decision, origin.name)
        size = len(json.dumps(item.json()))
        if len(self._batch) == BATCH_ITEMS or (self._batch and self._bytes + size > BATCH_BYTES):
            self.flush()
        if earlier := self._batch.get(item.id):
            self._count(item, "known")
            if not _surer(item, earlier.state):
                return
        self._batch[item.id] = item
        self._bytes += size

    def flush(self) -> None:
        """Writes the batch, or looks what of it is known."""
        items, self._batch, self._bytes = list(self._batch.values()), {}, 0
        if not items:
            return
        for item in items:
            self._agent(item)
        if self._terms.dry_run:
            stands = book.known(self._vault, items) | self._rehearsed
            self._rehearsed |= {item.id: Stand(item.state, new=False) for item in items}
        else:
            stands = book.take(self._vault, str(uuid.uuid4()), items, self._activities("running"))
        for item in items:
            stand = stands.get(item.id)
            if stand and not stand.new and not (self._terms.dry_run and _surer(item, stand.state)):
                self._count(item, "known")
                continue
            self._count(item, "taken" if item.state == ACCEPTED else "review")
            self._report.keep(item)

    def finish(self) -> None:
        """Writes what waits, and who took in what."""
        self.flush()
        if self._report.files and not self._terms.dry_run:
            self._vault.record(self._activities("completed with problems" if self._report.problems else "completed"))

    def _known_words(self) -> Words:
        """The words of all items, this run's too."""
        if self._words is None:
            self.flush()
            self._words = Words.of(book.briefs(self._vault))
        return self._words

    def _count(self, item: Item, what: str) -> None:
        setattr(self._report, what, getattr(self._report, what) + 1)
        self._agent(item)[what] += 1

    def _agent(self, item: Item) -> Counter[str]:
        """What was taken in of the item's agent so far."""
        known = item.agent in self._agents or len(self._agents) < AGENTS
        return self._agents.setdefault(item.agent if known and item.agent else AGENT, Counter())

    def _activities(self, status: str) -> list[Activity]:
        """A row for each agent whose decisions this run took in; intake's own where none is named."""
        run = {"run": self._run, "files": self._report.files, "messages": self._report.messages}
        return [
            Activity(
                id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"intake {self._run} {agent}")),
                agent_name=agent,
                action="intake",
                details={**run, **counted, "problems": len(self._report.problems)},
                status=status,
            )
            for agent, counted in (self._agents or {AGENT: Counter[str]()}).items()
        ]


def _surer(item: Item, state: str) -> bool:
    """Whether an item that waited for a person goes into the vault now, as it was said again and more clearly."""
    return (state, item.state) == (REVIEW, ACCEPTED)
