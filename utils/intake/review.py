"""What waits for a person: decisions too uncertain for the vault, and pairs that say nearly the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from utils.errors import ConfigError
from utils.intake import book
from utils.intake.book import Brief, Kept
from utils.intake.items import ACCEPTED, REJECTED, REVIEW, SHORT_ID, range_of, shown
from utils.intake.near import Words
from utils.stores.base import Vault
from utils.sync.explain import Told

PAIRED = 500
"""How many of the decisions taken in last are compared with all others."""

SHORTEST_ID = 4

_DONE = {ACCEPTED: "accepted", REJECTED: "rejected"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two decisions in the vault that say nearly the same, the later one first."""

    later: Kept
    other: Brief


def review(vault: Vault) -> Told:
    """Lists what waits, oldest first, each with what says nearly the same; then such pairs in the vault."""
    waiting = sorted(book.listed(vault, REVIEW), key=lambda kept: (kept.seen_at, kept.id))
    known = {brief.id: brief for brief in book.briefs(vault)}
    words = Words.of(known.values())
    likes = {kept.id: known.get(words.like(kept.id, kept.content["decision"]) or "") for kept in waiting}
    pairs = list(_pairs(vault, words, known))
    lines = [line for kept in waiting for line in _lines(kept, likes[kept.id])]
    lines += [
        f"nearly the same: {_named(pair.later.id, pair.later.content['decision'])} and "
        f"{_named(pair.other.id, pair.other.decision)}; --reject ID retires one"
        for pair in pairs
    ]
    document = {
        "review": [_document(kept, likes[kept.id]) for kept in waiting],
        "nearly_the_same": [[pair.later.id, pair.other.id] for pair in pairs],
    }
    settle = "; settle with --accept ID or --reject ID" if waiting else ""
    closing = f"{len(waiting):,} to review, {len(pairs):,} pairs that say nearly the same{settle}"
    return Told(lines, document, closing)


def settle(vault: Vault, accept: Sequence[str], reject: Sequence[str]) -> Told:
    """Accepts and rejects items by their ids, whole or shortened; all ids are looked up before anything is written.

    Raises:
        ConfigError: an id names no item, or several.
    """
    wanted = [(_one(vault, "--accept", prefix), ACCEPTED) for prefix in accept]
    wanted += [(_one(vault, "--reject", prefix), REJECTED) for prefix in reject]
    if both := {kept.id for kept, state in wanted if state == ACCEPTED} & {
        kept.id for kept, state in wanted if state == REJECTED
    }:
        raise ConfigError("--accept", f"{', '.join(sorted(both))} is to be rejected too", "Name it once")
    lines, documents = [], []
    for kept, state in wanted:
        done = book.settle(vault, kept.id, state)
        now = _outcome(state, done.was == state, retired=done.retired)
        lines.append(f"{now}: {_named(kept.id, kept.content['decision'])}")
        documents.append({"id": kept.id, "was": done.was, "state": state, "retired": done.retired})
    closing = f"{len(accept):,} accepted, {len(reject):,} rejected; Notion follows with the next sync"
    return Told(lines, {"settled": documents}, closing)


def _outcome(state: str, already: bool, *, retired: bool) -> str:
    if already:
        return f"{_DONE[state]} already"
    return "rejected and retired in the vault" if retired else _DONE[state]


def _one(vault: Vault, option: str, prefix: str) -> Kept:
    """The item whose id begins so."""
    ids = range_of(prefix)
    if ids is None or len(prefix.replace("-", "").strip()) < SHORTEST_ID:
        what = f"{prefix!r} is no id, nor {SHORTEST_ID} or more digits that one begins with"
        raise ConfigError(option, what, "See --review")
    found = [kept for kept, _ in zip(book.listed(vault, ids=ids), range(4), strict=False)]
    if not found:
        raise ConfigError(option, f"there is no item {prefix}", "See --review")
    if len(found) > 1:
        names = ", ".join(kept.id for kept in found[:3]) + (" and more" if len(found) > 3 else "")
        raise ConfigError(option, f"{prefix} is the beginning of {names}", "Give more digits")
    return found[0]


def _pairs(vault: Vault, words: Words, known: dict[str, Brief]) -> Iterable[Pair]:
    """Pairs among what is active in the vault, each once; none where one is known to replace the other."""
    accepted = {kept.id: kept for kept in book.listed(vault, ACCEPTED) if kept.active}
    last = sorted(accepted.values(), key=lambda kept: (kept.seen_at, kept.id), reverse=True)[:PAIRED]
    told: set[frozenset[str]] = set()
    for kept in last:
        other = accepted.get(words.like(kept.id, kept.content["decision"]) or "")
        if other is None or kept.id == other.supersedes or other.id == kept.supersedes:
            continue
        if (pair := frozenset((kept.id, other.id))) not in told:
            told.add(pair)
            yield Pair(kept, known[other.id])


def _lines(kept: Kept, like: Brief | None) -> list[str]:
    content, source = kept.content, kept.source
    where = ", ".join(str(source[name]) for name in ("file", "conversation", "agent") if source.get(name))
    line = (
        f"{_named(kept.id, content['decision'])}: {content['date']} {content['type']}, sure by "
        f"{kept.confidence:.2f}, from {where}"
    )
    return [line, *([f"  nearly the same as {_named(like.id, like.decision)}, {_where(like)}"] if like else [])]


def _where(brief: Brief) -> str:
    return "taken in before" if brief.state == ACCEPTED else "to review too"


def _named(item_id: str, decision: str) -> str:
    return f"{item_id[:SHORT_ID]} {shown(decision)!r}"


def _document(kept: Kept, like: Brief | None) -> dict[str, Any]:
    names = ("id", "state", "confidence", "content", "source", "supersedes", "seen_at")
    return {**{name: getattr(kept, name) for name in names}, "nearly_the_same": like.id if like else None}
