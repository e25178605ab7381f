"""The items of intake in the vault: what was taken in, what waits for a person, what was rejected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.intake.items import SHORT_ID, Item
from utils.stores.base import Activity, Vault


@dataclass(frozen=True, slots=True)
class Stand:
    """How an item stands, and whether this very batch made it."""

    state: str
    new: bool


@dataclass(frozen=True, slots=True)
class Brief:
    """An item's words."""

    id: str
    state: str
    decision: str
    file: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An item as the vault has it. `active` is its decision's there, None where there is none."""

    id: str
    state: str
    confidence: float
    content: Mapping[str, Any]
    source: Mapping[str, Any]
    supersedes: str | None
    seen_at: str
    active: bool | None

    @property
    def short(self) -> str:
        """The digits of the id that are shown."""
        return self.id[:SHORT_ID]


@dataclass(frozen=True, slots=True)
class Settled:
    """What an item was before a person decided, None where there is none, and whether its decision was retired."""

    was: str | None
    retired: bool


def take(vault: Vault, batch: str, items: Sequence[Item], activities: Sequence[Activity]) -> dict[str, Stand]:
    """Adds the items that are new, the accepted ones to the vault too, as one; answers how each stands.

    Args:
        vault: where to.
        batch: a uuid of this call: the same one, sent again, has the same answer.
        items: at most `BATCH_ITEMS` of about `BATCH_BYTES`, each id once.
        activities: who did so.
    """
    asked = {
        "batch": batch,
        "items": [item.json() for item in items],
        "activities": [activity.json() for activity in activities],
    }
    return {each["id"]: Stand(each["state"], each["new"]) for each in vault.call("intake_take", asked)["items"]}


def known(vault: Vault, items: Sequence[Item]) -> dict[str, Stand]:
    """How the items stand that are known; as `take`, and nothing is written."""
    answer = vault.call("intake_known", {"ids": [item.id for item in items]})
    return {each["id"]: Stand(each["state"], new=False) for each in answer["items"]}


def briefs(vault: Vault) -> Iterator[Brief]:
    """The words of every item."""
    for each in vault.paged("intake_list", {"brief": True}):
        yield Brief(each["id"], each["state"], each["decision"], each["file"] or "")


def listed(vault: Vault, state: str | None = None, ids: tuple[str, str] | None = None) -> Iterator[Kept]:
    """The items in a state, or of any, in the order of their ids; those with an id from the first to the second."""
    least, most = ids or (None, None)
    for each in vault.paged("intake_list", {"state": state, "least": least, "most": most}):
        active = each.pop("active") is not False if each.pop("in_vault") else each.pop("active")
        yield Kept(**each, active=active)


def settle(vault: Vault, item_id: str, state: str) -> Settled:
    """Accepts or rejects an item, as `intake_settle` says."""
    answer = vault.call("intake_settle", {"id": item_id, "state": state})
    return Settled(answer["was"], bool(answer["retired"]))
