"""The API's routes: what each takes, in which version, and what it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from utils.local.notion import query, richtext, schema, values, workspace
from utils.local.notion.checks import (
    Json,
    a_boolean,
    a_text,
    an_object,
    as_uuid,
    no_others,
    one_of,
    same_property,
)
from utils.local.notion.faults import Faults
from utils.local.notion.query import Sql
from utils.local.notion.refusals import RefusalError, invalid
from utils.local.notion.store import Session

OLD, NEW = "2025-09-03", "2026-03-11"
_OWN_ICON = re.compile(r"https://www\.notion\.so/icons/([\w-]+)_([a-z]+)\.svg")


@dataclass(frozen=True)
class Call:
    """One request inside its transaction: ids from the path, the query string, the body, the version."""

    session: Session
    ids: tuple[str, ...]
    query: dict[str, list[str]]
    body: Json
    version: str
    faults: Faults

    @property
    def bot(self) -> str:
        """Who does what the API does."""
        return self.session.identity.bot_id

    @property
    def wanted(self) -> list[str]:
        """The properties that are asked for; none are all."""
        return self.query.get("filter_properties", []) + self.query.get("filter_properties[]", [])

    def secret(self, *parts: object) -> str:
        """What binds a cursor to this listing."""
        generation = self.session.settings.cursor_generation
        return query.query_secret(self.session.identity.token, generation, self.ids, *parts)

    def mention(self, kind: str, object_id: str) -> str:
        """The text of a mention."""
        return workspace.mentioned(self.session, kind, object_id)

    def texts(self, *keys: str) -> Json:
        """The rich texts of the body under some keys, where they are given."""
        return {key: richtext.parse(self.body[key], f"body.{key}", self.mention) for key in keys if key in self.body}

    def pictures(self) -> Json:
        """Icon and cover, where they are given."""
        return {key: _picture(self.body[key], f"body.{key}") for key in ("icon", "cover") if key in self.body}

    def in_trash(self) -> bool | None:
        """What the body says of the bin; `archived` is its older name."""
        keys = ("in_trash", "archived") if self.version == OLD else ("in_trash",)
        said = {a_boolean(self.body[key], f"body.{key}") for key in keys if self.body.get(key) is not None}
        if len(said) > 1:
            raise invalid("body failed validation: body.archived and body.in_trash should not differ.")
        return said.pop() if said else None

    def allow(self, *keys: str) -> None:
        """Refuses a body with other keys."""
        no_others(self.body, (*keys, "archived") if self.version == OLD and "in_trash" in keys else keys)

    def shown(self, found: Json) -> Json:
        """An object in this version's keys."""
        return {**found, "archived": found["in_trash"]} if self.version == OLD else found


@dataclass(frozen=True)
class Route:
    """A method and path. `names` says what the ids in the path are; `writes` needs a writing transaction."""

    method: str
    pattern: re.Pattern[str]
    names: tuple[str, ...]
    run: Callable[[Call], Json]
    writes: bool


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """The route of a request and the ids in its path, as sent.

    Raises:
        RefusalError: 400 `invalid_request_url`.
    """
    for route in ROUTES:
        found = route.pattern.fullmatch(path)
        if found and route.method == method:
            return route, found.groups()
    raise RefusalError(400, "Invalid request URL.", code="invalid_request_url")


# --- users -----------------------------------------------------------------------------------------------------------


def _me(call: Call) -> Json:
    return workspace.user(call.session, call.bot, partial=False) or {}


def _user(call: Call) -> Json:
    found = _whole_user(call, call.ids[0])
    if found is None:
        raise workspace.missing(call.session, "user", call.ids[0])
    return found


def _whole_user(call: Call, user_id: str) -> Json | None:
    found = workspace.user(call.session, user_id, partial=False)
    if found and call.version == OLD and "person" in found:
        found["person"]["email_verified"] = True
    return found


def _users(call: Call) -> Json:
    identity = call.session.identity
    everyone = [_whole_user(call, one) for one in (identity.person_id, identity.bot_id)]
    return _listed(call, [one for one in everyone if one], "user")


# --- databases and data sources --------------------------------------------------------------------------------------


def _database(call: Call) -> Json:
    return call.shown(workspace.show_database(call.session, workspace.database(call.session, call.ids[0])))


def _create_database(call: Call) -> Json:
    call.allow("parent", "title", "description", "is_inline", "initial_data_source", "icon", "cover")
    parent = _parent(call, ("page_id", "workspace"))
    initial = an_object(call.body.get("initial_data_source", {}), "body.initial_data_source")
    no_others(initial, ("properties", "title", "icon"), "body.initial_data_source")
    properties = an_object(initial.get("properties", {"Name": {"title": {}}}), "body.initial_data_source.properties")
    made = schema.created(properties, "body.initial_data_source.properties")
    texts = call.texts("title", "description")
    inline = a_boolean(call.body.get("is_inline", False), "body.is_inline")
    body = {"title": richtext.from_plain("New database"), **texts, **call.pictures(), "is_inline": inline}
    row = workspace.make_database(call.session, parent, **body)
    workspace.make_source(call.session, row["id"], made, call.bot, title=texts.get("title", []))
    return call.shown(workspace.show_database(call.session, row))


def _update_database(call: Call) -> Json:
    call.allow("title", "description", "is_inline", "icon", "cover", "in_trash", "is_locked")
    row = workspace.database(call.session, call.ids[0])
    body = {**call.texts("title", "description"), **call.pictures()}
    for key in ("is_inline", "is_locked"):
        if key in call.body:
            body[key] = a_boolean(call.body[key], f"body.{key}")
    row = workspace.edit_database(call.session, row, call.in_trash(), **body)
    return call.shown(workspace.show_database(call.session, row))


def _data_source(call: Call) -> Json:
    return call.shown(workspace.show_source(call.session, workspace.data_source(call.session, call.ids[0])))


def _create_source(call: Call) -> Json:
    call.allow("parent", "properties", "title", "description", "icon", "cover")
    database_id = _parent(call, ("database_id",))["database_id"]
    made = schema.created(an_object(call.body.get("properties", ...), "body.properties"), "body.properties")
    body = {**call.texts("title", "description"), **call.pictures()}
    return call.shown(
        workspace.show_source(call.session, workspace.make_source(call.session, database_id, made, call.bot, **body))
    )


def _update_source(call: Call) -> Json:
    call.allow("properties", "title", "description", "icon", "cover", "in_trash", "parent")
    source = workspace.data_source(call.session, call.ids[0])
    body = {**call.texts("title", "description"), **call.pictures(), "in_trash": call.in_trash()}
    if "parent" in call.body:
        body["database_id"] = _parent(call, ("database_id",))["database_id"]
    changes = an_object(call.body.get("properties", {}), "body.properties")
    source = workspace.edit_source(call.session, source, changes, call.bot, **body)
    return call.shown(workspace.show_source(call.session, source))


def _query(call: Call) -> Json:
    call.allow("filter", "sorts", "start_cursor", "page_size", "in_trash")
    body, session = call.body, call.session
    source = workspace.data_source(session, call.ids[0])
    size = query.page_size(body.get("page_size", 100))
    in_trash = bool(call.in_trash())
    view = query.View(source.no, source.schema, session.now, _seen(session, "edited"))
    condition = query.filtered(view, body["filter"]) if body.get("filter") is not None else Sql("1")
    keys = query.ordering(view, [] if body.get("sorts") is None else body["sorts"])
    secret = call.secret(body.get("filter"), body.get("sorts"), in_trash)
    start = _start(call, body.get("start_cursor"), secret)
    yielded = start.yielded if start else 0
    size = min(size, max(0, session.settings.cap - yielded))
    rows = _rows(call, source, condition, keys, in_trash, start, size + 1)
    shown = [call.shown(workspace.show_page(session, row, source, call.wanted)) for row in rows[:size]]
    more, capped = len(rows) > size, yielded + size >= session.settings.cap
    cursor = None
    if more and not capped:
        issued = session.now // 1000 if not start else start.issued
        cursor = query.write_cursor(query.Cursor(rows[size]["id"], yielded + size, issued), secret)
    answer = _list(call.faults.bend(shown), cursor, "page_or_data_source")
    if more and capped:
        answer["request_status"] = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
    return answer


def _start(call: Call, text: object, secret: str, path: str = "body.start_cursor") -> query.Cursor | None:
    """Where a listing goes on; None at its beginning."""
    if text is None:
        return None
    start = query.read_cursor(text, secret, path)
    if not 0 <= call.session.now - start.issued * 1000 < call.session.settings.cursor_life + 1000:
        raise query.bad_cursor(text)
    return start


def _seen(session: Session, column: str) -> str:
    """A column of the page `p` as a query sees it: for a while after a write, as it was before."""
    if not session.settings.lag:
        return f"p.{column}"
    since = session.now - session.settings.lag
    return f"(CASE WHEN p.written > {since} THEN json_extract(p.prior, '$.{column}') ELSE p.{column} END)"


def _rows(
    call: Call,
    source: workspace.Source,
    condition: Sql,
    keys: list[tuple[Sql, str]],
    in_trash: bool,
    start: query.Cursor | None,
    limit: int,
) -> list[workspace.Row]:
    session = call.session
    where = [f"p.source=? AND {_seen(session, 'in_trash')}=? AND p.shared", condition.text]
    parts: list[Any] = [source.no, int(in_trash), *condition.values]
    if start:
        here = _here(call, source, keys, start)
        where.append(here.text)
        parts += here.values
    order = ", ".join(f"{key.text} {direction}" for key, direction in keys)
    parts += [value for key, _ in keys for value in key.values]
    statement = f"SELECT p.seq FROM pages p WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ?"  # noqa: S608 - ours
    found = session.db.execute(statement, (*parts, limit)).fetchall()
    rows = [session.db.execute("SELECT * FROM pages WHERE seq=?", (one["seq"],)).fetchone() for one in found]
    if not session.settings.lag:
        return rows
    since = session.now - session.settings.lag
    return [{**dict(row), **json.loads(row["prior"])} if row["written"] > since else row for row in rows]


def _here(call: Call, source: workspace.Source, keys: list[tuple[Sql, str]], start: query.Cursor) -> Sql:
    """The condition of standing at or behind the page that the cursor names."""
    columns = ", ".join(key.text for key, _ in keys)
    values_of = [value for key, _ in keys for value in key.values]
    statement = f"SELECT {columns} FROM pages p WHERE p.id=? AND p.source=?"  # noqa: S608 - ours
    row = call.session.db.execute(statement, (*values_of, start.page_id, source.no)).fetchone()
    if row is None:
        raise query.bad_cursor(call.body["start_cursor"])
    return query.from_here_on(keys, tuple(row))


# --- pages -----------------------------------------------------------------------------------------------------------


def _page(call: Call) -> Json:
    row = workspace.page(call.session, call.ids[0])
    return call.shown(workspace.show_page(call.session, row, only=call.wanted))


def _create_page(call: Call) -> Json:
    call.allow("parent", "properties", "icon", "cover", "children", "content", "markdown", "template", "position")
    written = an_object(call.body.get("properties", {}), "body.properties")
    parent = _parent(call, ("page_id", "database_id", "data_source_id", "workspace"))
    source = None
    if parent["type"] == "data_source_id":
        source = workspace.data_source(call.session, parent["data_source_id"])
    if parent["type"] == "database_id":
        found = workspace.sources(call.session, parent["database_id"])
        if len(found) != 1:
            raise invalid("Databases with multiple data sources are not supported in this API version.")
        source = workspace.data_source(call.session, found[0]["id"])
    row = workspace.make_page(call.session, source, written, call.bot, parent=parent, **call.pictures())
    return call.shown(workspace.show_page(call.session, row, source))


def _update_page(call: Call) -> Json:
    call.allow("properties", "icon", "cover", "in_trash", "is_locked", "template", "erase_content")
    session = call.session
    written = an_object(call.body.get("properties", {}), "body.properties")
    in_trash = call.in_trash()
    kept = call.pictures()
    if "is_locked" in call.body:
        kept["is_locked"] = a_boolean(call.body["is_locked"], "body.is_locked")
    row = workspace.page(session, call.ids[0])
    if in_trash is False:
        row = workspace.bin_page(session, row, False, call.bot)
    if written or kept:
        row = workspace.edit_page(session, row, written, call.bot, **kept)
    if in_trash:
        row = workspace.bin_page(session, row, True, call.bot)
    return call.shown(workspace.show_page(session, row))


def _property_item(call: Call) -> Json:
    session = call.session
    row = workspace.page(session, call.ids[0])
    held = workspace.schema_of(workspace.source_of(session, row)).properties
    found = next((one for one in held if same_property(one.id, call.ids[1])), None)
    if found is None:
        raise workspace.missing(session, "property", call.ids[1])
    stored = json.loads(row["properties"]).get(found.id)
    value = values.shown_value(found, stored, workspace.stamps_of(session, row), whole=True)
    if found.type not in {"title", "rich_text"}:
        return {"object": "property_item", "type": found.type, "id": found.id, found.type: value}
    head = {"object": "property_item", "type": found.type, "id": found.id}
    answer = _listed(call, [{**head, found.type: run} for run in value], "property_item")
    answer["property_item"] = {"id": found.id, "next_url": None, "type": found.type, found.type: {}}
    if answer["has_more"]:
        path = f"https://api.notion.com/v1/pages/{row['id']}/properties/{found.id}"
        answer["property_item"]["next_url"] = f"{path}?start_cursor={answer['next_cursor']}"
    return answer


# --- search ----------------------------------------------------------------------------------------------------------


def _search(call: Call) -> Json:
    call.allow("query", "filter", "sort", "page_size", "start_cursor")
    session, body = call.session, call.body
    wanted = _search_kind(body.get("filter"))
    sort = an_object({} if body.get("sort") is None else body["sort"], "body.sort")
    no_others(sort, ("timestamp", "direction"), "body.sort")
    one_of(sort.get("timestamp", "last_edited_time"), "body.sort.timestamp", ("last_edited_time",))
    order = one_of(sort.get("direction", "descending"), "body.sort.direction", ("ascending", "descending"))
    words = _words(a_text(body.get("query", ""), "body.query"))
    found: list[tuple[int, str, str]] = []
    if wanted != "data_source":
        rows = session.db.execute(
            "SELECT p.id, p.title, p.edited FROM pages p LEFT JOIN data_sources s ON s.no=p.source"
            " LEFT JOIN databases d ON d.id=s.database_id"
            " WHERE NOT p.in_trash AND p.shared AND COALESCE(d.shared, 1)"
        )
        found += [(row["edited"], "page", row["id"]) for row in rows if _sounds(words, row["title"])]
    if wanted != "page":
        rows = session.db.execute(
            "SELECT s.id, s.body, s.edited FROM data_sources s JOIN databases d ON d.id=s.database_id"
            " WHERE d.shared AND NOT s.in_trash AND NOT d.in_trash"
        )
        for row in rows:
            if _sounds(words, richtext.plain(json.loads(row["body"])["title"])):
                found.append((row["edited"], "data_source", row["id"]))
    found.sort(key=lambda one: one[0], reverse=order == "descending")
    return _listed(call, found, "page_or_data_source", lambda one: _found(call, one[1], one[2]))


def _search_kind(given: object) -> str:
    if given is None:
        return ""
    found = an_object(given, "body.filter")
    no_others(found, ("property", "value"), "body.filter")
    one_of(found.get("property", ...), "body.filter.property", ("object",))
    return one_of(found.get("value", ...), "body.filter.value", ("page", "data_source"))


def _found(call: Call, kind: str, object_id: str) -> Json:
    if kind == "data_source":
        return call.shown(workspace.show_source(call.session, workspace.data_source(call.session, object_id)))
    return call.shown(workspace.show_page(call.session, workspace.page(call.session, object_id)))


def _words(text: str) -> list[str]:
    return [word.rstrip("s") or word for word in re.findall(r"\w+", text.casefold())]


def _sounds(words: list[str], title: str) -> bool:
    """Whether a title holds one of the words; Notion's search is no stricter."""
    return not words or any(known.startswith(word) for known in _words(title) for word in words)


# --- what they share -------------------------------------------------------------------------------------------------


def _list(results: list[Any], cursor: str | None, kind: str) -> Json:
    return {
        "object": "list",
        "results": results,
        "next_cursor": cursor,
        "has_more": cursor is not None,
        "type": kind,
        kind: {},
    }


def _listed(call: Call, items: list[Any], kind: str, show: Callable[[Any], Json] | None = None) -> Json:
    """One page of a list that is at hand as a whole; the cursor is a position in it."""
    given: Json = call.body
    path = "body"
    if not given and call.query:
        given = {key: found[0] for key, found in call.query.items()}
        path = "query"
        if "page_size" in given:
            given["page_size"] = _whole(given["page_size"])
    size = query.page_size(given.get("page_size", 100), f"{path}.page_size")
    secret = call.secret(kind)
    begun = _start(call, given.get("start_cursor"), secret, f"{path}.start_cursor")
    start, cursor = begun.yielded if begun else 0, None
    if start + size < len(items):
        issued = call.session.now // 1000
        cursor = query.write_cursor(query.Cursor(call.session.identity.root_id, start + size, issued), secret)
    page = items[start : start + size]
    return _list([show(one) for one in page] if show else page, cursor, kind)


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text


def _parent(call: Call, kinds: tuple[str, ...]) -> Json:
    given = an_object(call.body.get("parent", ...), "body.parent")
    kind = given.get("type") or next((key for key in kinds if key in given), ...)
    if kind not in kinds or kind not in given:
        wanted = " or ".join(f"body.parent.{one}" for one in kinds)
        raise invalid(f"body failed validation: {wanted} should be defined, instead was `undefined`.")
    no_others(given, ("type", kind), "body.parent")
    if kind == "workspace":
        return {"type": kind, kind: True}
    found = as_uuid(given[kind], f"body.parent.{kind}")
    if kind == "page_id":
        workspace.page(call.session, found)
    if kind == "database_id":
        workspace.database(call.session, found)
    return {"type": kind, kind: found}


def _picture(value: object, path: str) -> Json | None:
    """An icon (an emoji, or a picture elsewhere) or a cover (a picture elsewhere); Notion's own icons by their name."""
    if value is None:
        return None
    given = an_object(value, path)
    kinds = ("emoji", "external") if path.endswith("icon") else ("external",)
    kind = one_of(given.get("type") or next(iter(given), ...), f"{path}.type", kinds)
    if kind == "emoji":
        return {"type": kind, kind: a_text(given.get(kind, ...), f"{path}.{kind}", 100)}
    url = a_text(an_object(given.get(kind, ...), f"{path}.{kind}").get("url", ...), f"{path}.{kind}.url")
    own = _OWN_ICON.fullmatch(url)
    return {"type": "icon", "icon": {"name": own[1], "color": own[2]}} if own else {"type": kind, kind: {"url": url}}


def _route(method: str, path: str, run: Callable[[Call], Json], *, writes: bool = False) -> Route:
    names = tuple(re.findall(r"\{(\w+)\}", path))
    return Route(method, re.compile("/v1" + re.sub(r"\{\w+\}", "([^/]+)", path)), names, run, writes)


ROUTES = (
    _route("GET", "/users/me", _me),
    _route("GET", "/users", _users),
    _route("GET", "/users/{user_id}", _user),
    _route("POST", "/databases", _create_database, writes=True),
    _route("GET", "/databases/{database_id}", _database),
    _route("PATCH", "/databases/{database_id}", _update_database, writes=True),
    _route("POST", "/data_sources", _create_source, writes=True),
    _route("GET", "/data_sources/{data_source_id}", _data_source),
    _route("PATCH", "/data_sources/{data_source_id}", _update_source, writes=True),
    _route("POST", "/data_sources/{data_source_id}/query", _query),
    _route("POST", "/pages", _create_page, writes=True),
    _route("GET", "/pages/{page_id}", _page),
    _route("PATCH", "/pages/{page_id}", _update_page, writes=True),
    _route("GET", "/pages/{page_id}/properties/{property_id}", _property_item),
    _route("POST", "/search", _search),
)
