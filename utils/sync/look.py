"""Reads what is needed to plan: changed or all rows, changed or all pages, the bin, and what is unfinished."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from utils.stores.base import Vault
from utils.stores.notion import Listing, Notion
from utils.stores.notion_calls import NotionRefusalError
from utils.sync.identity import ids_claimed
from utils.sync.model import Absence, Item, Link, LinkState, Page
from utils.sync.state import State

SEEN_TWICE_AFTER = timedelta(minutes=10)
"""How long a page has to be missing before it counts as deleted."""


@dataclass
class View:
    """Both sides, as far as this run looks.

    Args:
        items: by row id.
        pages: by page id: pages read, and absences seen.
        why_full: why everything was looked at; empty when changes had to do.
        complete: nothing is known to be left out.
        newest: the newest stamp listed.
        large_bin: the bin holds more than one listing shows.
    """

    items: dict[str, Item] = field(default_factory=dict)
    pages: dict[str, Page | Absence] = field(default_factory=dict)
    why_full: str = ""
    complete: bool = True
    newest: datetime | None = None
    large_bin: bool = False

    @property
    def full(self) -> bool:
        """Whether everything was looked at."""
        return bool(self.why_full)

    def add_pages(self, pages: Iterable[Page]) -> None:
        """Adds pages that were read."""
        self.pages.update((page.id, page) for page in pages)

    def links(self) -> Iterable[tuple[Item, Link]]:
        """Items with their links."""
        return [(item, item.link) for item in self.items.values() if item.link is not None]


@dataclass(frozen=True)
class Looking:
    """How to look: `why_full` is empty when changes will do; `now` is Notion's clock."""

    vault: Vault
    notion: Notion
    pool: Executor
    state: State
    now: datetime
    why_full: str
    resync: bool = False
    doubt: bool = False

    def look(self) -> View:
        """Looks at both sides."""
        view = View(why_full=self.why_full)
        rows = self.pool.submit(self.vault.changes, full=view.full)
        listing = self._live_pages(view)
        if view.full and not self.why_full:
            rows = self.pool.submit(self.vault.changes, full=True)
        view.complete = listing.complete
        view.newest = max((page.edited for page in listing.pages), default=None)
        view.add_pages(listing.pages)
        trashed = self._bin(view)
        view.items = {item.id: item for item in rows.result()}
        if not view.full:
            self._look_items_up(view, trashed)
        self._read_pages(view, trashed)
        self._find_pages(view)
        return view

    def _live_pages(self, view: View) -> Listing:
        if view.full or self.state.mark is None:
            return self.notion.everything()
        try:
            return self.notion.changed(self.state.mark)
        except NotionRefusalError:
            view.why_full = "Notion refused the question for changes"
            return self.notion.everything()

    def _bin(self, view: View) -> list[str] | None:
        """Adds what the bin lists; answers the ids of all of it, or None when there is more than was listed."""
        exact = False
        if view.full or not self.state.large_bin:
            listing, exact = self.notion.trash()
            view.add_pages(listing.pages)
            if exact:
                return [page.id for page in listing.pages]
        view.large_bin = True
        if self.state.mark is not None:
            listing, _ = self.notion.trash(self.state.mark)
            view.add_pages(listing.pages)
        return None

    def _look_items_up(self, view: View, trashed: Sequence[str] | None) -> None:
        """Adds the items of the pages seen, and of those that left the trash."""
        linked = {link.page_id for _, link in view.links()}
        pages = [page for page in view.pages.values() if isinstance(page, Page)]
        unknown = [page for page in pages if page.id not in linked]
        claimed = [decision_id for decision_id in ids_claimed(unknown) if decision_id not in view.items]
        for item in self.vault.lookup([page.id for page in unknown], claimed, trashed):
            view.items.setdefault(item.id, item)

    def _read_pages(self, view: View, trashed: Sequence[str] | None) -> None:
        """Reads, one by one, pages that no listing can tell of."""
        wanted = [
            (link.page_id, link)
            for _, link in view.links()
            if link.page_id and (_may_lag(view, link) or self._must_read(view, link, trashed))
        ]
        read = self.pool.map(self.notion.page, [page_id for page_id, _ in wanted])
        for (page_id, link), page in zip(wanted, read, strict=True):
            view.pages[page_id] = page or self.absence(link)

    def absence(self, link: Link) -> Absence:
        """What a 404 means for a link: nothing before it was seen twice."""
        if link.state is LinkState.GONE:
            return Absence.GONE
        since = link.todo.missing_since
        seen_before = bool(since) and self.now - datetime.fromisoformat(since) >= SEEN_TWICE_AFTER
        return Absence.GONE if seen_before else Absence.MISSING

    def _must_read(self, view: View, link: Link, trashed: Sequence[str] | None) -> bool:
        if link.page_id in view.pages:
            return False
        if link.intent is not None or link.todo.wants_page:
            return True
        if self.resync or link.base_page is None:
            return False
        left_the_bin = link.state is LinkState.TRASHED and trashed is not None
        not_listed = link.state is LinkState.LINKED and view.full and view.complete
        return left_the_bin or not_listed

    def _find_pages(self, view: View) -> None:
        """Looks up by Decision ID the pages of creates that were not confirmed and of rows with links in doubt."""
        seen = {page.decision_id for page in view.pages.values() if isinstance(page, Page)}
        wanted = [item.id for item in view.items.values() if item.id not in seen and self._in_doubt(view, item)]
        if wanted:
            view.add_pages(page for page in self.notion.find(wanted) if page.id not in view.pages)

    def _in_doubt(self, view: View, item: Item) -> bool:
        link = item.link
        if link is not None and link.state is LinkState.ANNOUNCED:
            return link.intent is not None
        if item.row is None:
            return False
        if self.resync:
            return link is None or link.page_id not in view.pages
        return link is None and (self.doubt or (view.full and view.large_bin))


def _may_lag(view: View, link: Link) -> bool:
    """Whether a page that was just written is listed otherwise: the listing may show what was there before."""
    page = view.pages.get(link.page_id or "")
    return link.fresh and isinstance(page, Page) and link.base_page is not None and page.image() != link.base_page
