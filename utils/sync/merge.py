"""The three-way merge of one decision, field by field. Pure.

Per field: changed on one side only, that value goes to the other; changed on both alike, the images move; changed on
both differently, a conflict, which the policy decides. Images of *both* sides are kept, because a service may alter
what it is given: comparing each side with its own image tells an alteration from an edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from utils.decision import (
    FIELDS,
    TEXT_BYTES,
    Decision,
    Value,
    json_bytes,
    normal,
    same,
    unfit_for_notion,
    unfit_for_vault,
)
from utils.sync.model import Page, Refusal, Row, Side, Todo, fingerprint

WHOLE = "*"
"""In `Todo.refused`: all of a write, where the service did not say which field it refused."""

ALL_FIELDS = frozenset(FIELDS)


@dataclass(frozen=True, slots=True)
class Policy:
    """How conflicts are decided, which way values may go, and Notion's clock.

    Args:
        now: Notion's time, by which a stamp lies in the future.
        prefer: `newest`, `supabase`, `notion` or `hold`.
        explicit: the user named `prefer`; a side named opens held fields too.
        only: the fields that `prefer` is for; conflicts of others are decided as `newest`.
        directions: the sides that may be written to.
        resync: forget the images; retire, trash and delete nothing.
        made: since when a property exists that the sync itself made: older pages say nothing by it.
    """

    now: datetime
    prefer: str = "newest"
    explicit: bool = False
    only: frozenset[str] = ALL_FIELDS
    directions: frozenset[Side] = frozenset(Side)
    resync: bool = False
    made: Mapping[str, datetime] = field(default_factory=dict)

    def opens(self, name: str) -> Side | None:
        """The side whose value the user wants even for a field that is held."""
        named = self.explicit and name in self.only and self.prefer in {side.value for side in Side}
        return Side(self.prefer) if named else None

    def mute(self, page: Page) -> frozenset[str]:
        """The fields by which a page, not linked yet, says nothing: empty since the sync made their property."""
        return frozenset(
            name for name, made in self.made.items() if page.created <= made and not normal(name, page.content[name])
        )


@dataclass(frozen=True, slots=True)
class Loss:
    """A value that gave way to another: a row of `sync_log`."""

    field: str
    before: Any
    after: Any
    base: Any
    winner: Side
    reason: str


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge comes to: `to_page` fits one request. `unsettled` fields keep their images; the others agree."""

    to_row: Mapping[str, Value]
    to_page: Mapping[str, Value]
    unsettled: frozenset[str]
    todo: Todo
    losses: tuple[Loss, ...]


class Fate(Enum):
    """What becomes of one field."""

    KEEP = "nothing moved"
    TO_ROW = "to the vault"
    TO_PAGE = "to Notion"
    HELD = "held"
    WAITS = "waits for a run in its direction"


@dataclass(frozen=True, slots=True)
class Bases:
    """The images of both sides, None where the pair never agreed; by `mute` fields the page says nothing."""

    row: Decision | None
    page: Decision | None
    mute: frozenset[str] = frozenset()


def merge(row: Row, page: Page, bases: Bases, todo: Todo, policy: Policy) -> Merge:
    """Merges the row and the page; `page.content.active` counts as the caller says (the bin unticks it)."""
    writes: dict[Side, dict[str, Value]] = {Side.VAULT: {}, Side.NOTION: {}}
    refused = _kept_refusals(todo, page)
    held: list[str] = []
    waiting: set[str] = set()
    losses: list[Loss] = []
    for name in FIELDS:
        fate, loss = _fate(name, row, page, bases, todo, policy)
        if fate is Fate.HELD:
            held.append(name)
        elif fate is Fate.WAITS:
            waiting.add(name)
        elif fate is not Fate.KEEP:
            side, value = (Side.VAULT, page.content[name]) if fate is Fate.TO_ROW else (Side.NOTION, row.content[name])
            if why := unfit(side, name, value, todo):
                refused[name] = Refusal(side, fingerprint(value), why)
            else:
                writes[side][name] = value
                losses += [loss] if loss else []
                losses += _formatting_lost(name, page, bases, value) if side is Side.NOTION else []
    wanted = {*writes[Side.VAULT], *writes[Side.NOTION]}
    to_row, to_page = writes[Side.VAULT], first_request(writes[Side.NOTION])
    for side, values in ((Side.VAULT, to_row), (Side.NOTION, to_page)):
        if whole_is_refused(todo, side, values):
            refused[WHOLE] = todo.refused[WHOLE]
            values.clear()
    written = {*to_row, *to_page}
    unsettled = frozenset({*held, *waiting, *(wanted - written), *(refused.keys() - {WHOLE})})
    told = tuple(loss for loss in losses if loss.field in written)
    still = tuple(name for name in FIELDS if name in held or (name in todo.held and name in unsettled))
    return Merge(to_row, to_page, unsettled, Todo(still, refused), told)


def first_request(fields: Mapping[str, Value]) -> dict[str, Value]:
    """The fields that go into one request together; the comment waits for the next when it is too much for one."""
    size = sum(json_bytes(value) for value in fields.values() if isinstance(value, str))
    return {
        name: value for name, value in fields.items() if size <= TEXT_BYTES or name != "comment" or len(fields) == 1
    }


def whole_is_refused(todo: Todo, side: Side, values: Mapping[str, Value]) -> bool:
    """Whether a side refused the very same write before."""
    before = todo.refused.get(WHOLE)
    return bool(values) and before is not None and (before.side, before.fingerprint) == (side, fingerprint(values))


def unfit(side: Side, name: str, value: Value, todo: Todo) -> str:
    """Why a side cannot take a value: by the rules, or because it refused the very same before; '' if it can."""
    before = todo.refused.get(name)
    if before and before.side is side and before.fingerprint == fingerprint(value):
        return before.why
    return unfit_for_vault(name, value) if side is Side.VAULT else unfit_for_notion(name, value)


def newer(row: Row, page: Page, now: datetime) -> tuple[Side, str]:
    """The side that was edited last, and why it counts so.

    Notion's stamps are floored to the minute and move on our own writes: a tie within that minute, a stamp in the
    future and a page last edited by our own integration count for Supabase.
    """
    if page.edited_by_us:
        return Side.VAULT, "the page was last edited by the sync itself"
    if page.edited > now + timedelta(minutes=1):
        return Side.VAULT, "the page's stamp lies in the future"
    if row.updated_at is None:
        return Side.VAULT, "the row has no stamp"
    if page.edited <= row.updated_at.replace(second=0, microsecond=0):
        return Side.VAULT, f"row {row.updated_at:%Y-%m-%d %H:%M} not before page {page.edited:%Y-%m-%d %H:%M}"
    return Side.NOTION, f"page {page.edited:%Y-%m-%d %H:%M} after row {row.updated_at:%Y-%m-%d %H:%M}"


def _fate(name: str, row: Row, page: Page, bases: Bases, todo: Todo, policy: Policy) -> tuple[Fate, Loss | None]:
    ours, theirs = row.content[name], page.content[name]
    if same(name, ours, theirs):
        return Fate.KEEP, None
    if name in bases.mute:
        return _allowed(Fate.TO_PAGE, policy), None
    row_moved = bases.row is None or not same(name, ours, bases.row[name])
    page_moved = bases.page is None or not same(name, theirs, bases.page[name])
    if name in todo.held:
        row_moved = page_moved = True
    if not row_moved and not page_moved:
        return Fate.KEEP, None
    if row_moved and page_moved and (name in todo.held or not _value_beats_empty(name, ours, theirs, bases)):
        return _conflict(name, row, page, bases, todo, policy)
    to_page = row_moved and not (page_moved and normal(name, theirs))
    return _allowed(Fate.TO_PAGE if to_page else Fate.TO_ROW, policy), None


def _value_beats_empty(name: str, ours: Value, theirs: Value, bases: Bases) -> bool:
    """Without images a value beats an empty one."""
    if bases.row is not None or bases.page is not None or name == "active":
        return False
    return not normal(name, ours) or not normal(name, theirs)


def _conflict(name: str, row: Row, page: Page, bases: Bases, todo: Todo, policy: Policy) -> tuple[Fate, Loss | None]:
    prefer = policy.prefer if name in policy.only else "newest"
    if prefer == "hold" or (name in todo.held and policy.opens(name) is None):
        return Fate.HELD, None
    if prefer == "newest":
        winner, reason = newer(row, page, policy.now)
    else:
        winner, reason = Side(prefer), f"--prefer {prefer}"
    values = {Side.VAULT: row.content[name], Side.NOTION: page.content[name]}
    base = bases.row[name] if bases.row else None
    loss = Loss(name, values[winner.other], values[winner], base, winner, f"conflict: {reason}")
    fate = _allowed(Fate.TO_PAGE if winner is Side.VAULT else Fate.TO_ROW, policy)
    return fate, loss if fate is not Fate.WAITS else None


def _allowed(fate: Fate, policy: Policy) -> Fate:
    side = Side.NOTION if fate is Fate.TO_PAGE else Side.VAULT
    return fate if side in policy.directions else Fate.WAITS


def _formatting_lost(name: str, page: Page, bases: Bases, value: Value) -> list[Loss]:
    """What only Notion held of a field that the vault's value overwrites."""
    if name not in page.extras:
        return []
    base = bases.page[name] if bases.page else None
    return [Loss(name, page.extras[name], value, base, Side.VAULT, "only Notion held this")]


def _kept_refusals(todo: Todo, page: Page) -> dict[str, Refusal]:
    """Refusals that a page which was not read cannot take back."""
    if not page.assumed:
        return {}
    return {name: refusal for name, refusal in todo.refused.items() if refusal.side is Side.VAULT}
