"""The Notion side: a database's pages as the sync sees them, over one call policy (`notion_calls`)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from utils.decision import Value
from utils.errors import ConfigError, ServiceError
from utils.stores.notion_calls import (
    Calls,
    CursorExpiredError,
    NotFoundError,
    NotionRefusalError,
    UnclearError,
    is_capped,
    paged,
)
from utils.stores.notion_values import (
    NAMES,
    TYPES,
    Property,
    Schema,
    cut_texts,
    plain,
    properties_body,
    read_page,
    read_schema,
)
from utils.sync.model import Page

if TYPE_CHECKING:
    from utils.config import NotionSettings

T = TypeVar("T")

PAGE_SIZE = 100
OR_FILTERS = 100
"""Conditions that one `or` filter takes."""

LISTING_TRIES = 3
"""How often a listing is begun when its cursors expire."""

SPLITS = 6
"""How often a full minute is halved."""

DATABASES_NAMED = 20
"""How many databases an error line lists."""

LOOK_UP_AFTER = (1.0, 3.0, 8.0)
"""Seconds after an unclear answer to a create at which the page is looked up before it is made again."""


@dataclass(frozen=True)
class Listing:
    """Pages that a query gave. `complete` is False when it is known that some are left out."""

    pages: Sequence[Page]
    complete: bool = True


@dataclass
class Notion:
    """One Notion database. `bind` it to its schema before pages are read or written. Thread-safe after that."""

    settings: NotionSettings
    workers: int = 6
    calls: Calls = field(init=False)
    schema: Schema = field(init=False)
    bot: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.calls = Calls(self.settings, self.workers)

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self.calls.requests

    def close(self) -> None:
        """Closes the connections."""
        self.calls.close()

    def source(self, data_source: str = "") -> dict[str, Any]:
        """The data source as Notion describes it: the one named while it is there, else that of NOTION_DATABASE_ID.

        Raises:
            ConfigError: there is no such database; the line lists those that the token can see.
        """
        with contextlib.suppress(NotFoundError, NotionRefusalError):
            if data_source:
                return self._open_source(data_source)
        return self._find_data_source()

    def bind(self, source: Mapping[str, Any], known: Mapping[str, Property], bot: str = "") -> Schema:
        """Says which database is meant.

        Args:
            source: as `source` answers it.
            known: our properties as they were known.
            bot: our integration's user id where it is known.
        """
        self.bot = bot or self.calls.get("users/me")["id"]
        self.schema = read_schema(source, known)
        return self.schema

    def make_properties(self, fields: Sequence[str]) -> Schema:
        """Adds the properties of some fields, by their standard names."""
        wanted: dict[str, Any] = {NAMES[name]: {TYPES[name]: {}} for name in fields}
        source = self.calls.call("PATCH", f"data_sources/{self.schema.data_source}", {"properties": wanted})
        self.schema = read_schema(source, self.schema.properties)
        return self.schema

    def is_empty(self) -> bool:
        """Whether the database has no page."""
        return not self._query({"page_size": 1})["results"]

    def changed(self, since: datetime) -> Listing:
        """Live pages whose stamp is at or after a moment."""
        return self._by_windows([_stamp_filter("last_edited_time", "on_or_after", since)])

    def everything(self) -> Listing:
        """All live pages."""
        return self._by_windows([])

    def trash(self, since: datetime | None = None) -> tuple[Listing, bool]:
        """The first 100 pages of the bin, and whether that is all of it; with a moment, those stamped since then."""
        if since is not None:
            stamped = _stamp_filter("last_edited_time", "on_or_after", since)
            return self._by_windows([stamped], in_trash=True), False
        answer = self._query({"in_trash": True})
        exact = not answer.get("has_more") and not is_capped(answer)
        return Listing(list(self._pages(answer).values())), exact

    def page(self, page_id: str) -> Page | None:
        """A page, or None where Notion says that there is none."""
        try:
            return self._read(self.calls.get(f"pages/{page_id}"))
        except NotFoundError:
            return None

    def find(self, decision_ids: Sequence[str]) -> list[Page]:
        """Pages, live ones first, then those in the bin, that carry one of the Decision IDs.

        Raises:
            ServiceError: some may be left out.
        """
        prop = self.schema.properties.get("id")
        found: list[Page] = []
        for start in range(0, len(decision_ids) if prop else 0, OR_FILTERS):
            some = decision_ids[start : start + OR_FILTERS]
            either = self._any_id("or", "equals", some)
            for in_trash in (False, True):
                listing = self._listing({"filter": either, "in_trash": in_trash})
                if not listing.complete:
                    raise ServiceError("notion", "did not list all pages of some Decision IDs", "Run again")
                found += listing.pages
        return sorted(found, key=lambda page: page.in_trash)

    def create(self, fields: Mapping[str, Value], decision_id: str) -> Page:
        """Makes a page, once: after an unclear answer it is looked up before it is asked for again.

        Raises:
            NotionRefusalError: Notion refuses the values; UnclearError: still unclear after all look-ups.
        """
        body = {
            "parent": {"type": "data_source_id", "data_source_id": self.schema.data_source},
            "properties": properties_body(fields, self.schema, decision_id),
        }
        try:
            return self._create_once(body, decision_id)
        except UnclearError:
            return self._create_once(body, decision_id)

    def edit(
        self,
        page_id: str,
        fields: Mapping[str, Value],
        *,
        in_trash: bool | None = None,
        decision_id: str | None = None,
    ) -> Page:
        """Writes some fields of a page; un-trashes first and trashes last, since a page in the bin cannot be edited.

        Raises:
            NotionRefusalError: Notion refuses the values; NotFoundError: the page is gone.
        """
        body: dict[str, Any] = {}
        if fields or decision_id is not None:
            body["properties"] = properties_body(fields, self.schema, decision_id)
        if in_trash is False and body:
            self.calls.call("PATCH", f"pages/{page_id}", {"in_trash": False})
        elif in_trash is not None:
            body["in_trash"] = in_trash
        return self._read(self.calls.call("PATCH", f"pages/{page_id}", body))

    def visible_databases(self) -> list[str]:
        """The databases that the token can see: `title (id)`, at most 100."""
        wanted = {"filter": {"property": "object", "value": "data_source"}, "page_size": PAGE_SIZE}
        answer = self.calls.call("POST", "search", wanted)
        seen = []
        for source in answer["results"]:
            title = " ".join(plain(source.get("title") or []).split()) or "untitled"
            seen.append(f"{title} ({source.get('parent', {}).get('database_id') or source['id']})")
        return list(dict.fromkeys(seen))

    def _create_once(self, body: Mapping[str, Any], decision_id: str) -> Page:
        try:
            return self._read(self.calls.call("POST", "pages", body, repeatable=False))
        except UnclearError:
            for seconds in LOOK_UP_AFTER:
                self.calls.pace.sleep(seconds)
                if found := self.find([decision_id]):
                    return found[0]
            raise

    def _find_data_source(self) -> dict[str, Any]:
        """The data source of NOTION_DATABASE_ID, which may name a database or a data source."""
        given = self.settings.database_id
        with contextlib.suppress(NotFoundError, NotionRefusalError):
            database = self.calls.get(f"databases/{given}")
            _check_not_trashed(database)
            sources = database.get("data_sources") or []
            if len(sources) > 1:
                names = ", ".join(f"{source['name']} ({source['id']})" for source in sources)
                raise ConfigError(
                    "notion",
                    f"database {given} has {len(sources)} data sources: {names}",
                    "Set NOTION_DATABASE_ID to the id of the one to sync",
                )
            if sources:
                return self._data_source(sources[0]["id"])
        return self._data_source(given)

    def _data_source(self, data_source: str) -> dict[str, Any]:
        try:
            return self._open_source(data_source)
        except (NotFoundError, NotionRefusalError) as error:
            raise ConfigError(
                "notion",
                f"database {self.settings.database_id} not found. The token can see: {self._seen()}",
                "Set NOTION_DATABASE_ID, then run: python memory_sync.py --test",
            ) from error

    def _open_source(self, data_source: str) -> dict[str, Any]:
        source = self.calls.get(f"data_sources/{data_source}")
        _check_not_trashed(source)
        return source

    def _seen(self) -> str:
        seen = self.visible_databases()
        if not seen:
            return "none; share it with the integration first"
        more = [f"{len(seen) - DATABASES_NAMED} more"] if len(seen) > DATABASES_NAMED else []
        return ", ".join(seen[:DATABASES_NAMED] + more)

    def _by_windows(self, conditions: Sequence[Mapping[str, Any]], *, in_trash: bool = False) -> Listing:
        """All pages under some conditions. A query's cap of 10,000 is met by windows on `created_time`.

        `created_time` never moves, so that a page edited meanwhile keeps its place; it is floored to the minute.
        """
        seen: dict[str, Page] = {}
        start: datetime | None = None
        while True:
            listing = self._listing(_window(conditions, start, in_trash=in_trash))
            seen.update((page.id, page) for page in listing.pages)
            if listing.complete:
                return Listing(list(seen.values()))
            last = max((page.created for page in listing.pages), default=None)
            if last is None:
                return Listing(list(seen.values()), complete=False)
            if start is not None and last <= start:
                end = last + timedelta(minutes=1)
                minute = [
                    _stamp_filter("created_time", "on_or_after", last),
                    _stamp_filter("created_time", "before", end),
                ]
                split = self._split([*conditions, *minute], in_trash=in_trash)
                seen.update((page.id, page) for page in split.pages)
                if not split.complete:
                    return Listing(list(seen.values()), complete=False)
                last = end
            start = last

    def _split(self, conditions: Sequence[Mapping[str, Any]], depth: int = 0, *, in_trash: bool) -> Listing:
        """More pages than one query yields, halved by what their Decision IDs contain until each part is whole.

        Six pairs of digits are in about half of all uuids. Each half is asked for and its opposite, so that a page
        with any other text, or none, is in one of them.
        """
        if depth == SPLITS or "id" not in self.schema.properties:
            return Listing([], complete=False)
        pairs = [f"{number:02x}" for number in range(6 * depth, 6 * depth + 6)]
        seen: dict[str, Page] = {}
        complete = True
        for half in (self._any_id("or", "contains", pairs), self._any_id("and", "does_not_contain", pairs)):
            narrower = [*conditions, half]
            part = self._listing(_window(narrower, None, in_trash=in_trash))
            seen.update((page.id, page) for page in part.pages)
            if not part.complete:
                part = self._split(narrower, depth + 1, in_trash=in_trash)
                seen.update((page.id, page) for page in part.pages)
            complete = complete and part.complete
        return Listing(list(seen.values()), complete)

    def _any_id(self, joined: str, condition: str, texts: Sequence[str]) -> dict[str, Any]:
        """A filter: one condition of several texts on the Decision ID."""
        prop = self.schema.properties["id"].id
        return {joined: [{"property": prop, "rich_text": {condition: text}} for text in texts]}

    def _listing(self, body: Mapping[str, Any]) -> Listing:
        """All pages of a query, each once; begun again when its cursor expires."""
        return _begun_again(lambda: self._listed(body))

    def _listed(self, body: Mapping[str, Any]) -> Listing:
        seen: dict[str, Page] = {}
        complete = True
        more: Any = False
        for answer in paged(lambda cursor: self._query({**body, **_from(cursor)})):
            seen.update(self._pages(answer))
            complete = complete and not is_capped(answer)
            more = answer.get("has_more")
        return Listing(list(seen.values()), complete and not more)

    def _query(self, body: Mapping[str, Any]) -> dict[str, Any]:
        path = f"data_sources/{self.schema.data_source}/query"
        return self.calls.call("POST", path, {"page_size": PAGE_SIZE, **body})

    def _pages(self, answer: Mapping[str, Any]) -> dict[str, Page]:
        """The pages of an answer by id; a wiki lists data sources among them."""
        return {data["id"]: self._read(data) for data in answer["results"] if data.get("object") == "page"}

    def _read(self, data: dict[str, Any]) -> Page:
        for cut in cut_texts(data, self.schema):
            self._complete(data, cut)
        return read_page(data, self.schema, self.bot)

    def _complete(self, data: dict[str, Any], property_id: str) -> None:
        """Puts the whole of a text, read item by item, in the place of the cut one."""
        value = next(each for each in data["properties"].values() if each["id"] == property_id)
        value[value["type"]] = _begun_again(lambda: self._runs(f"pages/{data['id']}/properties/{property_id}"))

    def _runs(self, path: str) -> list[Any]:
        """All runs of a text.

        Raises:
            ServiceError: some are left out.
        """
        runs: list[Any] = []
        more: Any = False
        for answer in paged(lambda cursor: self.calls.get(path, {"page_size": PAGE_SIZE, **_from(cursor)})):
            runs += [item[item["type"]] for item in answer["results"]]
            more = answer.get("has_more") or is_capped(answer)
        if more:
            raise ServiceError("notion", f"GET {path} came without the whole text", "Run again")
        return runs


def _begun_again(read: Callable[[], T]) -> T:
    """What a listing comes to, begun again when its cursors expire."""
    for _ in range(LISTING_TRIES - 1):
        with contextlib.suppress(CursorExpiredError):
            return read()
    return read()


def _check_not_trashed(found: Mapping[str, Any]) -> None:
    if found.get("in_trash"):
        raise ConfigError("notion", f"database {found['id']} lies in the trash", "Restore it in Notion")


def _from(cursor: str | None) -> dict[str, str]:
    return {"start_cursor": cursor} if cursor else {}


def _window(conditions: Sequence[Mapping[str, Any]], start: datetime | None, *, in_trash: bool) -> dict[str, Any]:
    """A query by age, from a moment on."""
    since = [_stamp_filter("created_time", "on_or_after", start)] if start else []
    body: dict[str, Any] = {"sorts": [{"timestamp": "created_time", "direction": "ascending"}]}
    if together := [*conditions, *since]:
        body["filter"] = {"and": together}
    return {**body, "in_trash": True} if in_trash else body


def _stamp_filter(stamp: str, condition: str, moment: datetime) -> dict[str, Any]:
    text = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"timestamp": stamp, stamp: {condition: text}}
