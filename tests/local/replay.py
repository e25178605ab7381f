"""Plays recorded exchanges of the real Notion against the sandbox and says where the two agree.

Objects that a recording takes for granted are laid into the sandbox's file first, out of the recorded answer; what a
recorded request makes gets the recorded ids afterwards, so that the next request of the recording finds it.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from utils.local.notion import Sandbox, query, workspace
from utils.local.notion.schema import OPTION_TYPES, Property, Schema
from utils.local.notion.store import Session

Json = dict[str, Any]

ROUTES = re.compile(
    r"/v1/(users(/[^/]+)?|databases(/[^/]+)?|data_sources(/[^/]+(/query)?)?|pages(/[^/]+(/properties/[^/]+)?)?|search"
    r"|invalid)"
)
LACKING = {"button", "files", "formula", "people", "place", "relation", "rollup", "verification"}
"""Property types that the sandbox has not: exchanges are played without them."""
READ_ONLY = {"created_time", "last_edited_time", "created_by", "last_edited_by", "unique_id"}
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}")


@dataclass(frozen=True)
class Outcome:
    """How one exchange went: `unlike` is empty where all that can be compared is alike; `why` it was left out."""

    name: str
    why: str = ""
    unlike: tuple[str, ...] = ()
    whole: bool = False
    """Whether the answer itself was compared, not only its shape."""


class Replay:
    """One sandbox that recordings are played against."""

    def __init__(self, sandbox: Sandbox, client: httpx.Client) -> None:
        self.sandbox = sandbox
        self.client = client
        self._made: set[str] = set()

    def play(self, exchange: Json, number: int) -> Outcome:
        """Plays one exchange."""
        name = f"{number}: {exchange['method']} {exchange['path'][:60]} {exchange['notion_version']}"
        why = _uncovered(exchange)
        if why:
            return Outcome(name, why)
        searched = exchange["path"].startswith("/v1/search")
        exchange = exchange if searched else {**exchange, **_without_lacking(exchange)}
        path, got = exchange["path"].split("?")[0], exchange["response"]
        with self.sandbox.control.store.writing() as session:
            self._lay(session, path, exchange["method"], got)
        self._set_clock(got)
        answer = self._send(exchange)
        unlike = compare_shape(got, answer.json())
        if answer.status_code != exchange["status"]:
            unlike = [f"status {answer.status_code}, not {exchange['status']}: {answer.text[:200]}"]
        apart = path.startswith(("/v1/users", "/v1/search")) or _was_replaced(exchange["request"])
        whole = not unlike and not (exchange["status"] == 200 and apart)
        if whole and exchange["status"] == 200:
            unlike = compare(normal(got), normal(answer.json()))
        if answer.status_code == 200 and exchange["method"] == "POST" and "id" in got:
            self._made.add(got["id"])
        if answer.status_code == 200:
            with self.sandbox.control.store.writing() as session:
                _adopt(session, answer.json(), got)
        return Outcome(name, unlike=tuple(unlike), whole=whole)

    def _send(self, exchange: Json) -> httpx.Response:
        token = self.sandbox.token if exchange["status"] != 401 else "wrong"
        path, sent = exchange["path"], exchange["request"]
        if path.startswith("/v1/users/") and exchange["status"] == 200:
            path = f"/v1/users/{self.client.get('/v1/users/me').json()['id']}"
        if sent and "start_cursor" in sent:
            sent = {**sent, "start_cursor": self._cursor(path.split("/")[3], sent["start_cursor"])}
        return self.client.request(
            exchange["method"],
            path,
            json=sent,
            headers={"Authorization": f"Bearer {token}", "Notion-Version": exchange["notion_version"]},
        )

    def _cursor(self, source_id: str, recorded: str) -> str:
        """A cursor of the sandbox's own for the place that a recorded one names."""
        with self.sandbox.control.store.reading() as session:
            secret = query.query_secret(session.identity.token, 0, (source_id,), None, None, False)
            return query.write_cursor(query.Cursor(recorded.split(":")[2], 100, session.now // 1000), secret)

    def _set_clock(self, got: Json) -> None:
        listed = got.get("results") or [got]
        stamps = [one["last_edited_time"] for one in listed if "last_edited_time" in one]
        if stamps:
            at = datetime.fromisoformat(max(stamps))
            self.sandbox.control.set_clock(fixed=at if got["object"] != "list" else at.replace(second=30))

    def _lay(self, session: Session, path: str, method: str, got: Json) -> None:
        """Lays what the request takes for granted into the file."""
        if got["object"] == "page":
            self._lay_parent(session, got)
            if method != "POST":
                self._forget(session, got)
                _lay_page(session, got)
        if got["object"] == "database":
            _lay_parent_page(session, got["parent"])
            if method != "POST":
                _lay_database(session, got)
        if got["object"] == "data_source":
            _lay_parent_page(session, got["database_parent"])
            _lay_parent(session, got["parent"]["database_id"], got)
            if method != "POST":
                _lay_source(session, got["id"], got["parent"]["database_id"], got)
        if got["object"] == "list" and path.endswith("/query"):
            for page in reversed(got["results"]):
                self._lay_parent(session, page)
                _lay_page(session, page)
        if got["object"] == "list" and "/properties/" in path:
            text = got["results"][0]["title"] if got["results"] else None
            _lay_titled(session, path.split("/")[3], [text] if text else [])

    def _forget(self, session: Session, page: Json) -> None:
        """Makes room for a page outside data sources as it was recorded, if it was only laid so far."""
        row = _known(session, "pages", page["id"])
        if row and row["source"] is None and page["id"] not in self._made:
            workspace.purge_page(session, row)

    def _lay_parent(self, session: Session, page: Json) -> None:
        parent = page["parent"]
        if parent["type"] == "data_source_id":
            _lay_source(session, parent["data_source_id"], parent["database_id"], None)
            _lay_columns(session, parent["data_source_id"], page)
        else:
            _lay_parent_page(session, parent)


def compare_shape(want: Any, have: Any, path: str = "$") -> list[str]:
    """Where two JSON values differ in keys or types; lists are compared by their first items."""
    if isinstance(want, dict) and isinstance(have, dict):
        named = path.endswith(".properties")
        keys = set(want) if not named else set(want) & set(have)
        found = [] if named else [f"{path}: {key} missing" for key in set(want) - set(have)]
        found += [] if named else [f"{path}: {key} is too much" for key in set(have) - set(want)]
        return found + [
            line for key in keys & set(have) for line in compare_shape(want[key], have[key], f"{path}.{key}")
        ]
    if isinstance(want, list) and isinstance(have, list):
        return compare_shape(want[0], have[0], f"{path}[0]") if want and have and _kin(want[0], have[0]) else []
    if want is None or have is None or type(want) is type(have):
        return []
    number = isinstance(want, int | float) and isinstance(have, int | float)
    return [] if number else [f"{path}: {type(have).__name__}, not {type(want).__name__}"]


def _kin(one: Any, other: Any) -> bool:
    """Whether two items of a list are of one kind, so that their keys can be compared."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return True
    return all(one.get(key) == other.get(key) for key in ("object", "type")) and one.get("parent", {}).get(
        "type"
    ) == other.get("parent", {}).get("type")


def compare(want: Any, have: Any, path: str = "$") -> list[str]:
    """Where two normal forms differ."""
    if isinstance(want, dict) and isinstance(have, dict):
        found = [f"{path}: {key} only on one side" for key in set(want) ^ set(have)]
        return found + [
            line for key in set(want) & set(have) for line in compare(want[key], have[key], f"{path}.{key}")
        ]
    if isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        return [line for n, one in enumerate(want) for line in compare(one, have[n], f"{path}[{n}]")]
    return [] if want == have else [f"{path}: {have!r}, not {want!r}"]


def normal(value: Any) -> Any:
    """A JSON answer without what differs by nature: ids, hosts, who, milliseconds, random colours."""
    if isinstance(value, dict):
        kept = {key: normal(one) for key, one in value.items() if key != "request_id"}
        if "url" in kept and "public_url" in kept:
            kept["url"] = "<url>"
        if set(kept) >= {"id", "name", "color"} or set(kept) >= {"id", "type"}:
            kept["id"] = "<id>"
        if set(kept) == {"id", "name", "color"}:
            kept["color"] = "<colour>"
        return kept
    if isinstance(value, list):
        return [normal(one) for one in value]
    if isinstance(value, str):
        return _UUID.sub("<uuid>", value)
    return value


def _uncovered(exchange: Json) -> str:
    """Why an exchange is left out; empty where it is played."""
    path, sent = exchange["path"].split("?")[0], exchange["request"] or {}
    if not ROUTES.fullmatch(path):
        return f"{exchange['method']} {'/'.join(path.split('/')[:3])} is no route of the sandbox"
    lacking = _lacking(exchange["response"])
    named = [one["property"] for one in _conditions(sent) if one["property"] in lacking]
    named += [
        key for key in sent.get("properties", {}) if lacking.get(key) and not _is_lacking(sent["properties"][key])
    ]
    return f"asks for a {lacking[named[0]]} property" if named else ""


def _is_lacking(one: Any) -> bool:
    """Whether it is a property, its configuration or its value, of a type that the sandbox has not."""
    return isinstance(one, dict) and (one.get("type") in LACKING or (len(one) == 1 and bool(LACKING & set(one))))


def _lacking(value: Any) -> dict[str, str]:
    """The properties of such types by name and id, with their types."""
    found: dict[str, str] = {}
    for named in _named_properties(value):
        for name, one in named.items():
            if _is_lacking(one):
                found |= dict.fromkeys((name, one.get("id", name)), one.get("type", ""))
    return found


def _named_properties(value: Any) -> Iterator[Json]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and isinstance(value.get("properties"), dict):
        yield value["properties"]
    for one in inner:
        yield from _named_properties(one)


def _conditions(value: Any) -> Iterator[Json]:
    """The filters and sorts of a request."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and isinstance(value.get("property"), str):
        yield value
    for one in inner:
        yield from _conditions(one)


def _without_lacking(value: Any) -> Any:
    """A request or answer without the properties of types that the sandbox has not."""
    if isinstance(value, dict):
        kept = {key: _without_lacking(one) for key, one in value.items()}
        if isinstance(kept.get("properties"), dict):
            kept["properties"] = {key: one for key, one in kept["properties"].items() if not _is_lacking(one)}
        return kept
    return [_without_lacking(one) for one in value] if isinstance(value, list) else value


def _was_replaced(sent: Any) -> bool:
    """Whether a filter looks at e-mail addresses: others stand in the recorded answers."""
    return any(one["property"] == "Email" for one in _conditions(sent))


def _millis(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp() * 1000)


def _known(session: Session, table: str, object_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = session.db.execute(f"SELECT * FROM {table} WHERE id=?", (object_id,)).fetchone()
    return row


def _lay_parent_page(session: Session, parent: Json) -> None:
    if parent["type"] == "page_id":
        _lay_titled(session, parent["page_id"], [])


def _lay_titled(session: Session, page_id: str, runs: list[Json]) -> None:
    if _known(session, "pages", page_id):
        return
    parent = {"type": "workspace", "workspace": True}
    row = workspace.make_page(session, None, {"title": runs}, session.identity.person_id, parent=parent)
    session.db.execute("UPDATE pages SET id=? WHERE seq=?", (page_id, row["seq"]))


def _lay_page(session: Session, page: Json) -> None:
    if _known(session, "pages", page["id"]):
        return
    elsewhere = page["parent"]["type"] != "data_source_id"
    source = None if elsewhere else workspace.data_source(session, page["parent"]["data_source_id"])
    written = {
        one["id"] if source else name: {one["type"]: one[one["type"]]}
        for name, one in page["properties"].items()
        if one["type"] not in READ_ONLY
    }
    row = workspace.make_page(
        session,
        source,
        written,
        session.identity.bot_id,
        parent=page["parent"] if elsewhere else None,
        icon=page["icon"],
        cover=page["cover"],
    )
    stamps = (_millis(page["created_time"]), _millis(page["last_edited_time"]))
    session.db.execute("UPDATE pages SET id=?, created=?, edited=? WHERE seq=?", (page["id"], *stamps, row["seq"]))


def _lay_database(session: Session, found: Json) -> None:
    if not _known(session, "databases", found["id"]):
        row = workspace.make_database(session, found["parent"])
        session.db.execute("UPDATE databases SET id=? WHERE id=?", (found["id"], row["id"]))
        for one in found["data_sources"]:
            _lay_source(session, one["id"], found["id"], None)
    body = {key: found[key] for key in ("title", "description", "icon", "cover", "is_inline", "is_locked", "parent")}
    session.db.execute(
        "UPDATE databases SET body=?, created=?, edited=? WHERE id=?",
        (json.dumps(body), _millis(found["created_time"]), _millis(found["last_edited_time"]), found["id"]),
    )


def _lay_parent(session: Session, database_id: str, found: Json | None) -> None:
    """Lays the database of a data source."""
    if not _known(session, "databases", database_id):
        parent = found["database_parent"] if found else {"type": "workspace", "workspace": True}
        row = workspace.make_database(session, parent, is_inline=bool(found and found["is_inline"]))
        session.db.execute("UPDATE databases SET id=? WHERE id=?", (database_id, row["id"]))


def _lay_source(session: Session, source_id: str, database_id: str, found: Json | None) -> None:
    _lay_parent(session, database_id, found)
    if _known(session, "data_sources", source_id):
        return
    if (
        found is None
        and session.db.execute("SELECT 1 FROM data_sources WHERE database_id=?", (database_id,)).fetchone()
    ):
        return
    schema = Schema([Property("title", "Name", "title")])
    if found:
        held = found["properties"].values()
        schema = Schema([Property(p["id"], p["name"], p["type"], p[p["type"]], p["description"]) for p in held])
    body = {key: found[key] for key in ("title", "description", "icon", "cover")} if found else {}
    source = workspace.make_source(session, database_id, schema, session.identity.bot_id, **body)
    stamp = _millis(found["created_time"]) if found else session.minute
    session.db.execute("UPDATE data_sources SET id=?, created=? WHERE no=?", (source_id, stamp, source.no))


def _lay_columns(session: Session, source_id: str, page: Json) -> None:
    """Gives a data source the properties that a page of it shows."""
    source = workspace.data_source(session, source_id)
    for name, one in page["properties"].items():
        found = source.schema.find(one["id"])
        if found is None:
            found = Property(one["id"], name, one["type"])
            source.schema.properties.append(found)
        found.name = name
    _know_options(source.schema, [page])
    workspace.save_schema(session, source)


def _know_options(schema: Schema, pages: list[Json]) -> None:
    for page in pages:
        for one in page["properties"].values():
            found = schema.find(one["id"])
            if found is None or one["type"] not in OPTION_TYPES:
                continue
            shown = one[one["type"]]
            for option in shown if isinstance(shown, list) else [shown] if shown else []:
                if not any(known["name"] == option["name"] for known in found.options):
                    found.config.setdefault("options", []).append({**option, "description": None})


def _adopt(session: Session, have: Json, want: Json) -> None:
    """Gives what was just made the ids that the recording has for it."""
    table = {"page": "pages", "database": "databases", "data_source": "data_sources"}.get(want["object"])
    if table is None or want["object"] != have.get("object"):
        return
    if have["id"] != want["id"]:
        session.db.execute(f"UPDATE {table} SET id=? WHERE id=?", (want["id"], have["id"]))
    if table == "databases":
        session.db.execute("UPDATE data_sources SET database_id=? WHERE database_id=?", (want["id"], have["id"]))
        for mine, theirs in zip(have["data_sources"], want["data_sources"], strict=False):
            session.db.execute("UPDATE data_sources SET id=? WHERE id=?", (theirs["id"], mine["id"]))
    if table == "data_sources":
        _adopt_schema(session, workspace.data_source(session, want["id"]), want)
    if table == "pages" and want["parent"]["type"] == "data_source_id":
        _adopt_options(session, workspace.data_source(session, want["parent"]["data_source_id"]), want)


def _adopt_schema(session: Session, source: workspace.Source, want: Json) -> None:
    for one in source.schema.properties:
        theirs = want["properties"].get(one.name)
        if theirs is None or theirs["type"] != one.type:
            continue
        _rename(session, source, one, {option["id"]: option for option in one.options}, theirs[one.type])
        session.db.execute(
            "UPDATE cells SET property=? WHERE source=? AND property=?", (theirs["id"], source.no, one.id)
        )
        for row in session.db.execute("SELECT seq, properties FROM pages WHERE source=?", (source.no,)).fetchall():
            moved = row["properties"].replace(json.dumps(one.id) + ":", json.dumps(theirs["id"]) + ":")
            session.db.execute("UPDATE pages SET properties=? WHERE seq=?", (moved, row["seq"]))
        one.id = theirs["id"]
    workspace.save_schema(session, source)


def _adopt_options(session: Session, source: workspace.Source, want: Json) -> None:
    for name, theirs in want["properties"].items():
        one = source.schema.find(name)
        if one and one.type in OPTION_TYPES:
            shown = theirs[theirs["type"]]
            listed = shown if isinstance(shown, list) else [shown] if shown else []
            _rename(session, source, one, {option["id"]: option for option in one.options}, {"options": listed})
    workspace.save_schema(session, source)


def _rename(session: Session, source: workspace.Source, one: Property, mine: Json, theirs: Json) -> None:
    for option in theirs.get("options", []):
        found = next((known for known in mine.values() if known["name"] == option["name"]), None)
        if found is None or found["id"] == option["id"]:
            continue
        old = found["id"]
        found.update(id=option["id"], color=option["color"])
        session.db.execute(
            "UPDATE cells SET text=?, head=? WHERE source=? AND text=?", (found["id"], found["id"], source.no, old)
        )
        session.db.execute(
            "UPDATE pages SET properties=replace(properties, ?, ?) WHERE source=?", (old, found["id"], source.no)
        )


def counted(outcomes: list[Outcome]) -> str:
    """One line: how many agree, and why some were left out."""
    played = [one for one in outcomes if not one.why]
    alike = [one for one in played if not one.unlike]
    whole = sum(one.whole for one in alike)
    why = ", ".join(f"{number} {reason}" for reason, number in Counter(one.why for one in outcomes if one.why).items())
    told = f"{len(alike)} of {len(played)} covered exchanges agree ({whole} in the whole answer)"
    return f"{told}; not covered: {why or 'none'}"
