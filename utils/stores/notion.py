"""The Notion side: a database's pages as the sync sees them, over one call policy (`notion_calls`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from utils.decision import Value
from utils.errors import ConfigError
from utils.stores.notion_calls import Calls, CursorExpiredError, NotFoundError, NotionRefusalError, UnclearError, paged
from utils.stores.notion_values import (
    NAMES,
    TYPES,
    Property,
    Schema,
    cut_texts,
    properties_body,
    read_page,
    read_schema,
)
from utils.sync.model import Page

if TYPE_CHECKING:
    from utils.config import NotionSettings

PAGE_SIZE = 100
OR_FILTERS = 100
"""Conditions that one `or` filter takes."""

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
        """The data source as Notion describes it: the one named, else that of NOTION_DATABASE_ID.

        Raises:
            ConfigError: there is no such database; the line lists those that the token can see.
        """
        return self._data_source(data_source) if data_source else self._find_data_source()

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
        return self._listing({"filter": _stamp_filter("last_edited_time", "on_or_after", since)})

    def everything(self) -> Listing:
        """All live pages. A query's cap of 10,000 is met by windows on `created_time`, floored to the minute."""
        seen: dict[str, Page] = {}
        start: datetime | None = None
        while True:
            body: dict[str, Any] = {"sorts": [{"timestamp": "created_time", "direction": "ascending"}]}
            if start is not None:
                body["filter"] = _stamp_filter("created_time", "on_or_after", start)
            listing = self._listing(body)
            seen.update((page.id, page) for page in listing.pages)
            if listing.complete:
                return Listing(list(seen.values()))
            last = max((page.created for page in listing.pages), default=None)
            if last is None:
                return Listing(list(seen.values()), complete=False)
            if start is not None and last <= start:
                minute = self._minute(last)
                seen.update((page.id, page) for page in minute.pages)
                if not minute.complete:
                    return Listing(list(seen.values()), complete=False)
                last += timedelta(minutes=1)
            start = last

    def trash(self, since: datetime | None = None) -> tuple[Listing, bool]:
        """The first 100 pages of the bin, and whether that is all of it; with a moment, those stamped since then."""
        body: dict[str, Any] = {"in_trash": True, "page_size": PAGE_SIZE}
        if since is not None:
            body["filter"] = _stamp_filter("last_edited_time", "on_or_after", since)
            return self._listing(body), False
        answer = self._query(body)
        pages = [self._read(data) for data in answer["results"]]
        return Listing(pages), not answer.get("has_more") and not answer.get("request_status")

    def page(self, page_id: str) -> Page | None:
        """A page, or None where Notion says that there is none."""
        try:
            return self._read(self.calls.get(f"pages/{page_id}"))
        except NotFoundError:
            return None

    def find(self, decision_ids: Sequence[str]) -> list[Page]:
        """Pages, live ones first, then those in the bin, that carry one of the Decision IDs."""
        prop = self.schema.properties["id"].id
        found: list[Page] = []
        for start in range(0, len(decision_ids), OR_FILTERS):
            some = decision_ids[start : start + OR_FILTERS]
            either = [{"property": prop, "rich_text": {"equals": decision_id}} for decision_id in some]
            found += self._listing({"filter": {"or": either}}).pages
            found += self._listing({"filter": {"or": either}, "in_trash": True}).pages
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
        unclear: UnclearError | None = None
        for _ in range(2):
            try:
                return self._read(self.calls.call("POST", "pages", body, repeatable=False))
            except UnclearError as error:
                unclear = error
            for seconds in LOOK_UP_AFTER:
                self.calls.pace.sleep(seconds)
                if found := self.find([decision_id]):
                    return found[0]
        raise unclear or UnclearError("notion", "no page was made")

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
            title = "".join(run.get("plain_text", "") for run in source.get("title") or []) or "untitled"
            seen.append(f"{title} ({source.get('parent', {}).get('database_id') or source['id']})")
        return seen

    def _find_data_source(self) -> dict[str, Any]:
        """The data source of NOTION_DATABASE_ID, which may name a database or a data source."""
        given = self.settings.database_id
        with contextlib.suppress(NotFoundError, NotionRefusalError):
            sources = self.calls.get(f"databases/{given}").get("data_sources") or []
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
            source: dict[str, Any] = self.calls.get(f"data_sources/{data_source}")
        except (NotFoundError, NotionRefusalError) as error:
            given = self.settings.database_id
            seen = ", ".join(self.visible_databases()) or "none; share it with the integration first"
            raise ConfigError(
                "notion",
                f"database {given} not found. The token can see: {seen}",
                "Set NOTION_DATABASE_ID, then run: python memory_sync.py --test",
            ) from error
        if source.get("in_trash"):
            raise ConfigError("notion", f"database {data_source} lies in the trash", "Restore it in Notion")
        return source

    def _minute(self, minute: datetime) -> Listing:
        """The pages created within one minute, split by the first sign of their Decision ID."""
        prop = self.schema.properties["id"].id
        ends = [
            {"rich_text": {"is_empty": True}},
            *({"rich_text": {"starts_with": sign}} for sign in "0123456789abcdef"),
        ]
        within: list[dict[str, Any]] = [
            _stamp_filter("created_time", "on_or_after", minute),
            _stamp_filter("created_time", "before", minute + timedelta(minutes=1)),
        ]
        filters = [[*within, {"property": prop, "rich_text": end}] for end in ends]
        parts = [self._listing({"filter": {"and": each}}) for each in filters]
        return Listing([page for part in parts for page in part.pages], all(part.complete for part in parts))

    def _listing(self, body: Mapping[str, Any]) -> Listing:
        """All pages of a query, each once; started again when its cursor expires."""
        tries = 3
        while True:
            try:
                return self._listed(body)
            except CursorExpiredError:
                tries -= 1
                if not tries:
                    raise

    def _listed(self, body: Mapping[str, Any]) -> Listing:
        seen: dict[str, Page] = {}
        complete = True
        for answer in self._answers(body):
            seen.update((data["id"], self._read(data)) for data in answer["results"])
            complete = (answer.get("request_status") or {}).get("type") != "incomplete"
        return Listing(list(seen.values()), complete)

    def _answers(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        yield from paged(self.calls, self._query_path(), {"page_size": PAGE_SIZE, **body})

    def _query(self, body: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.calls.call("POST", self._query_path(), body)
        return answer

    def _query_path(self) -> str:
        return f"data_sources/{self.schema.data_source}/query"

    def _read(self, data: dict[str, Any]) -> Page:
        for cut in cut_texts(data, self.schema):
            self._complete(data, cut)
        return read_page(data, self.schema, self.bot)

    def _complete(self, data: dict[str, Any], property_id: str) -> None:
        """Puts the whole of a text, read item by item, in the place of the cut one."""
        value = next(each for each in data["properties"].values() if each["id"] == property_id)
        runs: list[Any] = []
        cursor: str | None = None
        while True:
            query: dict[str, Any] = {"page_size": PAGE_SIZE, **({"start_cursor": cursor} if cursor else {})}
            answer = self.calls.get(f"pages/{data['id']}/properties/{property_id}", query)
            runs += [item[item["type"]] for item in answer["results"]]
            cursor = answer.get("next_cursor")
            if not answer.get("has_more") or not cursor:
                break
        value[value["type"]] = runs


def _stamp_filter(stamp: str, condition: str, moment: datetime) -> dict[str, Any]:
    text = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"timestamp": stamp, stamp: {condition: text}}
