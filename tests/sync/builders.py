"""Rows, pages, links and policies for the tests of the pure modules, and what a step comes to when all goes well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from utils.decision import Decision
from utils.sync.merge import Policy
from utils.sync.model import Item, Link, LinkState, Page, PageImage, Row, Side
from utils.sync.plan import Kind, Step, finished_link

ID = "11111111-1111-4111-8111-111111111111"
OTHER_ID = "22222222-2222-4222-8222-222222222222"
PAGE_ID = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
OTHER_PAGE = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"

NOW = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=2)
LATER = NOW - timedelta(hours=1)

AGREED = Decision("Use Postgres", "2026-11-01", "tech", True, "because")
RETIRED = AGREED.but({"active": False})
BOTH = frozenset(Side)
TO_NOTION = frozenset({Side.NOTION})
TO_SUPABASE = frozenset({Side.VAULT})


def content(**changes: Any) -> Decision:
    """The agreed content with some fields changed."""
    return AGREED.but(changes)


def row(stamp: datetime | None = EARLIER, /, **changes: Any) -> Row:
    """The row, edited in some fields."""
    return Row(ID, content(**changes), stamp)


def page(stamp: datetime = EARLIER, /, *, state: dict[str, Any] | None = None, **changes: Any) -> Page:
    """The page, edited in some fields; `state` sets what else a page has."""
    made = Page(PAGE_ID, content(**changes), False, ID, stamp, EARLIER)
    return replace(made, **(state or {}))


def binned(stamp: datetime = EARLIER, /, **changes: Any) -> Page:
    """The page in the bin."""
    return page(stamp, state={"in_trash": True}, **changes)


def link(**changes: Any) -> Link:
    """The link of a row and a page that agree."""
    return replace(Link(PAGE_ID, LinkState.LINKED, AGREED, PageImage(AGREED)), **changes)


def trashed_link(*, base_row: Decision | None = RETIRED, **changes: Any) -> Link:
    """The link of a retired row whose page lies in the bin, its box as it was."""
    return link(state=LinkState.TRASHED, base_row=base_row, base_page=PageImage(AGREED, in_trash=True), **changes)


def item(there: Row | None, linked: Link | None = None) -> Item:
    """An item."""
    return Item(ID, there, linked)


def policy(prefer: str = "newest", **changes: Any) -> Policy:
    """A policy at NOW."""
    return Policy(NOW, prefer, **changes)


def settled(step: Step, alter: Callable[[Decision], Decision] = lambda values: values) -> tuple[Item, Page | None]:
    """The item and the page after a step; `alter` is what Notion makes of a content that it is given.

    Stamps stay: of an edit that is still open it does not change which side's is the newer.
    """
    before = step.item.row
    after = before
    if step.to_row:
        values = before.content if before else Decision()
        after = Row(step.id, values.but(step.to_row), before.updated_at if before else NOW)
    linked = _link_with_row(step, after)
    if not step.to_page:
        return Item(step.id, after, linked), step.page
    answer = _written(step, alter)
    return Item(step.id, after, replace(finished_link(step, answer), base_row=step.intent().row)), answer


def _link_with_row(step: Step, after: Row | None) -> Link | None:
    """What `sync_write` keeps: agreed fields of the image from the row."""
    if step.link is None:
        return None if step.drops else step.item.link
    if after is None or not step.agreed:
        return step.link
    base = step.link.base_row or Decision(active=None)
    return replace(step.link, base_row=base.but(after.content.only(step.agreed)))


def _written(step: Step, alter: Callable[[Decision], Decision]) -> Page:
    """The page as Notion answers a write."""
    write = step.to_page
    made = Page(OTHER_PAGE, Decision(active=False), False, "", NOW, NOW, edited_by_us=True, created_by_us=True)
    old = made if step.kind is Kind.CREATE_PAGE or step.page is None else step.page
    given = alter(Decision().but(write.fields)).only(write.fields)
    return replace(
        old,
        content=old.content.but(given),
        in_trash=old.in_trash if write.in_trash is None else write.in_trash,
        decision_id=old.decision_id if write.decision_id is None else write.decision_id,
        assumed=False,
        extras={name: raw for name, raw in old.extras.items() if name not in write.fields},
    )
