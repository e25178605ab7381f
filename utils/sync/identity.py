"""Which page belongs to which row. Pure.

The link says it; else the page's Decision ID where it is valid and free; else the link of a row that is no more and had
the same content, as after a restore under new ids; else, on a first sync or a resync, equal content that is unique on
both sides.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from utils.decision import FIELDS, Decision, Value, differing, normal
from utils.sync.merge import Policy
from utils.sync.model import Absence, Item, Link, LinkState, Page
from utils.sync.plan import assumed_page

NAMESPACE = uuid.UUID("6f1d7c52-2b0e-5a57-9a3e-0d7b8a5a9f10")
"""Of ids made from page ids."""

GHOST_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Pair:
    """An item and what is known of its page: None where it has none yet."""

    item: Item
    page: Page | Absence | None


@dataclass
class Pairing:
    """All pairs, and the ghosts: second pages that an unclear create of ours left behind."""

    pairs: list[Pair] = field(default_factory=list)
    ghosts: list[Page] = field(default_factory=list)


def valid_id(text: str) -> str | None:
    """The id in a Decision ID property as a dashed lower-case uuid, or None."""
    try:
        return str(uuid.UUID(text.strip())) if len(text.strip()) == 36 else None
    except ValueError:
        return None


def id_from_page(page_id: str) -> str:
    """The row id of a page that brings none."""
    return str(uuid.uuid5(NAMESPACE, page_id))


def ids_claimed(pages: Iterable[Page]) -> list[str]:
    """The row ids that pages may turn out to belong to."""
    claims = {claimed for page in pages for claimed in (valid_id(page.decision_id), id_from_page(page.id)) if claimed}
    return sorted(claims)


def pair(
    items: Mapping[str, Item], pages: Mapping[str, Page | Absence], policy: Policy, *, by_content: bool
) -> Pairing:
    """Pairs items with pages; a page that belongs to none gets an item of its own.

    Args:
        items: by row id: what the vault says of these decisions.
        pages: by page id: pages that were read, and absences that were seen.
        policy: says which properties the sync made, by which older pages say nothing.
        by_content: pair unlinked rows and pages of equal content, too.
    """
    return _Pairing(items, pages, policy).run(by_content=by_content)


class _Pairing:
    def __init__(self, items: Mapping[str, Item], pages: Mapping[str, Page | Absence], policy: Policy) -> None:
        self.items, self.pages, self.policy = dict(items), pages, policy
        self.result = Pairing()
        linked = {item.link.page_id for item in items.values() if item.link and item.link.page_id}
        self.free = {
            page.id: page
            for page in pages.values()
            if isinstance(page, Page) and page.id not in linked and page.at_home
        }
        self.claims: dict[str, list[Page]] = defaultdict(list)
        for page in sorted(self.free.values(), key=_first_made):
            self.claims[valid_id(page.decision_id) or id_from_page(page.id)].append(page)
        self.bound: dict[str, Page] = {}
        self.taken = set(items)

    def run(self, *, by_content: bool) -> Pairing:
        for item in self.items.values():
            if page := self._claimant(item):
                self._bind(item.id, page)
        self._adopt()
        if by_content:
            self._bind_by_content()
        for item in self.items.values():
            self.result.pairs.append(Pair(item, self._page_of(item)))
        for page in sorted(self.free.values(), key=_first_made):
            self._own_item(page)
        return self.result

    def _claimant(self, item: Item) -> Page | None:
        """The unlinked page that is this item's by its Decision ID."""
        claims = self.claims.get(item.id, [])
        link = item.link
        if not claims:
            return None
        if link is None or link.state is LinkState.ANNOUNCED:
            ours = [page for page in claims if link and link.intent and link.intent.met_by(page)]
            return (ours or claims)[0]
        live = [page for page in claims if not page.in_trash]
        page = self._linked_page(link)
        dead = isinstance(page, Absence) or page.in_trash or (self.policy.resync and not page.at_home)
        return live[0] if dead and len(live) == 1 else None

    def _bind(self, decision_id: str, page: Page) -> None:
        self.bound[decision_id] = page
        self.free.pop(page.id, None)

    def _page_of(self, item: Item) -> Page | Absence | None:
        if item.id in self.bound:
            return self.bound[item.id]
        link = item.link
        if link is None or link.state is LinkState.ANNOUNCED:
            return None
        page = self._linked_page(link)
        if item.adopts and isinstance(page, Page):
            return replace(page, assumed=False)  # what is known of it will do: its Decision ID is the other row's
        return page

    def _linked_page(self, link: Link) -> Page | Absence:
        """A link's page as read, or as it was; a resync reads all there are, so that one it did not see is none."""
        unread = Absence.GONE if self.policy.resync else assumed_page(link)
        return self.pages.get(link.page_id or "", unread)

    def _adopt(self) -> None:
        """Gives new rows the links of deleted ones of the same content: which of several equal ones is all the same."""
        unbound = [self.items[one] for one in sorted(self.items.keys() - self.bound.keys())]
        orphans: dict[Decision, list[Item]] = defaultdict(list)
        for item in unbound:
            if item.row is None and item.link and item.link.base_row and self._has_page(item.link):
                orphans[item.link.base_row].append(item)
        for item in unbound:
            if item.row and item.link is None and orphans[item.row.content]:
                old = orphans[item.row.content].pop(0)
                del self.items[old.id]
                self.items[item.id] = replace(item, link=old.link, adopts=old.id)

    def _has_page(self, link: Link) -> bool:
        page = self._linked_page(link)
        return link.state in {LinkState.LINKED, LinkState.TRASHED} and isinstance(page, Page) and page.at_home

    def _bind_by_content(self) -> None:
        """Binds by content that is unique among the rows and among the pages, in what the pages can say."""
        told = [name for name in FIELDS if name != "active" and name not in self.policy.made]
        rows = {
            item.id: _key(item.row.content, told)
            for item in self.items.values()
            if item.row and not isinstance(self._page_of(item), Page)
        }
        pages = {
            page.id: _key(page.content, told)
            for page in self.free.values()
            if not page.in_trash and valid_id(page.decision_id) not in self.items
        }
        often = Counter(rows.values()), Counter(pages.values())
        by_key = {key: name for name, key in pages.items()}
        for decision_id, key in rows.items():
            if often[0][key] == 1 and often[1][key] == 1:
                self._bind(decision_id, self.free[by_key[key]])

    def _own_item(self, page: Page) -> None:
        """A page that belongs to no item: a ghost, or a decision of its own."""
        if page.in_trash:
            return
        claimed = valid_id(page.decision_id)
        owner = self.items.get(claimed) if claimed else None
        if owner and self._is_ghost(owner, page):
            self.result.ghosts += [] if self.policy.resync else [page]
            return
        decision_id = claimed or id_from_page(page.id)
        if decision_id in self.taken:
            decision_id = id_from_page(page.id)
        while decision_id in self.taken:
            decision_id = id_from_page(decision_id)
        self.taken.add(decision_id)
        self.result.pairs.append(Pair(Item(decision_id, None, None), page))

    def _is_ghost(self, owner: Item, page: Page) -> bool:
        """Whether a page is the second one of a create of ours that was asked for twice."""
        link, linked = owner.link, self._page_of(owner)
        if link is None or not isinstance(linked, Page) or linked.assumed:
            return False
        if not (page.created_by_us and page.edited_by_us) or abs(linked.created - page.created) > GHOST_WITHIN:
            return False
        announced = link.intent is not None and link.intent.met_by(page)
        return announced or (link.base_page is not None and not differing(page.content, link.base_page.content))


def _first_made(page: Page) -> tuple[bool, datetime, str]:
    return page.in_trash, page.created, page.id


def _key(content: Decision, fields: Iterable[str]) -> tuple[Value, ...]:
    return tuple(normal(name, content[name]) for name in fields)
