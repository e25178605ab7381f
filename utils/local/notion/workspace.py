"""What can be done in the workspace: databases, data sources and pages, whoever does it (the bot or a person)."""

from __future__ import annotations

import json
import re
import sqlite3
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from utils.local.notion import dates, richtext, values
from utils.local.notion.checks import Json, an_object
from utils.local.notion.query import HEAD
from utils.local.notion.refusals import RefusalError, invalid, not_found
from utils.local.notion.schema import OPTION_TYPES, Change, Property, Schema
from utils.local.notion.store import BOT_NAME, PERSON_NAME, Session

Row = sqlite3.Row | Json
_LAGGING = ("properties", "title", "body", "in_trash", "edited", "edited_by")
"""What a lagging query sees of a page as it was before the last write."""
PAGE_ONLY = Schema([Property("title", "title", "title")])
"""The schema of a page that is in no data source."""


@dataclass
class Source:
    """A data source: its row and its schema."""

    row: Row
    schema: Schema

    @property
    def no(self) -> int:
        """Its number inside the file."""
        return int(self.row["no"])


def user(session: Session, user_id: str, *, partial: bool = True) -> Json | None:
    """A user as Notion shows it (a person without `email_verified`); None where there is none."""
    identity = session.identity
    if partial:
        return {"object": "user", "id": user_id}
    head = {"object": "user", "id": user_id}
    if user_id == identity.person_id:
        person = {"email": "person@example.com"}
        return {**head, "name": PERSON_NAME, "avatar_url": None, "type": "person", "person": person}
    if user_id != identity.bot_id:
        return None
    bot = {
        "owner": {"type": "workspace", "workspace": True},
        "workspace_name": "Angles sandbox",
        "workspace_id": identity.workspace_id,
        "workspace_limits": {"max_file_upload_size_in_bytes": 5242880},
    }
    return {**head, "name": BOT_NAME, "avatar_url": None, "type": "bot", "bot": bot}


def missing(session: Session, kind: str, object_id: str) -> RefusalError:
    """The 404 of something that is not there or not shared."""
    return not_found(kind, object_id, BOT_NAME, session.identity.bot_id)


# --- looking up ------------------------------------------------------------------------------------------------------


def database(session: Session, database_id: str, *, anyone: bool = False) -> Row:
    """A database's row; `anyone` also sees one that is not shared."""
    row: Row | None = session.db.execute("SELECT * FROM databases WHERE id=?", (database_id,)).fetchone()
    if row is None or not (row["shared"] or anyone):
        raise missing(session, "database", database_id)
    return row


def data_source(session: Session, source_id: str, *, anyone: bool = False) -> Source:
    """A data source by its id."""
    row = session.db.execute("SELECT * FROM data_sources WHERE id=?", (source_id,)).fetchone()
    if row is None or not (anyone or _shared(session, row["database_id"])):
        raise missing(session, "data_source", source_id)
    return Source(row, Schema.load(json.loads(row["properties"])))


def source_of(session: Session, page: Row) -> Source | None:
    """The data source that a page is in; None for a page elsewhere."""
    if page["source"] is None:
        return None
    row = session.db.execute("SELECT * FROM data_sources WHERE no=?", (page["source"],)).fetchone()
    return Source(row, Schema.load(json.loads(row["properties"])))


def first_source(session: Session, database_id: str) -> Source:
    """The first data source of a database."""
    rows = sources(session, database_id)
    if not rows:
        raise missing(session, "data_source", database_id)
    return Source(rows[0], Schema.load(json.loads(rows[0]["properties"])))


def schema_of(source: Source | None) -> Schema:
    """The schema of a data source's pages, or of a page elsewhere."""
    return source.schema if source else PAGE_ONLY


def sources(session: Session, database_id: str) -> list[Row]:
    """The rows of a database's data sources, those in the bin left out."""
    found = session.db.execute("SELECT * FROM data_sources WHERE database_id=? AND NOT in_trash", (database_id,))
    return found.fetchall()


def page(session: Session, page_id: str, *, anyone: bool = False) -> Row:
    """A page's row."""
    row: Row | None = session.db.execute("SELECT * FROM pages WHERE id=?", (page_id,)).fetchone()
    if row is None or not (anyone or _page_shared(session, row)):
        raise missing(session, "page", page_id)
    return row


def _shared(session: Session, database_id: str) -> bool:
    row = session.db.execute("SELECT shared FROM databases WHERE id=?", (database_id,)).fetchone()
    return bool(row and row["shared"])


def _page_shared(session: Session, row: Row) -> bool:
    if not row["shared"]:
        return False
    if row["source"] is None:
        return True
    found = session.db.execute("SELECT database_id FROM data_sources WHERE no=?", (row["source"],)).fetchone()
    return _shared(session, found["database_id"])


# --- writing pages ---------------------------------------------------------------------------------------------------


def make_page(
    session: Session, source: Source | None, written: Json, actor: str, *, parent: Json | None = None, **body: Any
) -> Row:
    """A new page in a data source, or elsewhere (`parent`). `written` is a client's `properties`.

    Raises:
        RefusalError: 400, a property that Notion refuses.
    """
    schema = schema_of(source)
    stored = _merged(session, source, schema, {}, written)
    kept = {"icon": body.get("icon"), "cover": body.get("cover"), "is_locked": bool(body.get("is_locked"))}
    number = 0
    if source:
        statement = "UPDATE data_sources SET serial=serial+1 WHERE no=? RETURNING serial"
        number = session.db.execute(statement, (source.no,)).fetchone()[0]
    page_id = str(uuid.uuid4())
    session.db.execute(
        "INSERT INTO pages(id, source, parent, body, properties, title, number, created, edited, created_by, edited_by,"
        " written) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            page_id,
            source.no if source else None,
            json.dumps(parent) if parent else None,
            json.dumps(kept),
            json.dumps(stored),
            _title(schema, stored),
            number,
            session.minute,
            session.minute,
            actor,
            actor,
            session.now,
        ),
    )
    row = page(session, page_id, anyone=True)
    if source:
        _index(session, source, row["seq"], schema.properties, stored)
    return row


def edit_page(session: Session, row: Row, written: Json, actor: str, **body: Any) -> Row:
    """Writes properties, icon, cover or lock of a page.

    Raises:
        RefusalError: 400, it is in the bin, or a property that Notion refuses.
    """
    if row["in_trash"]:
        raise invalid("Can't edit block that is archived. You must unarchive the block before editing.")
    source = source_of(session, row)
    schema = schema_of(source)
    before = json.loads(row["properties"])
    stored = _merged(session, source, schema, before, written)
    kept = {**json.loads(row["body"]), **body}
    session.db.execute(
        "UPDATE pages SET properties=?, title=?, body=? WHERE seq=?",
        (json.dumps(stored), _title(schema, stored), json.dumps(kept), row["seq"]),
    )
    changed = [one for one in schema.properties if stored.get(one.id) != before.get(one.id)]
    if source:
        _index(session, source, row["seq"], changed, stored)
    return _touched(session, row, actor, moves=True)


def bin_page(session: Session, row: Row, in_trash: bool, actor: str) -> Row:
    """Puts a page into the bin, or takes it out; nothing happens where it is already so."""
    if bool(row["in_trash"]) == in_trash:
        return row
    settings = session.settings
    moves = settings.trash_moves_stamp if in_trash else settings.restore_moves_stamp
    row = _touched(session, row, actor, moves=moves)
    session.db.execute("UPDATE pages SET in_trash=? WHERE seq=?", (int(in_trash), row["seq"]))
    return page(session, row["id"], anyone=True)


def purge_page(session: Session, row: Row) -> None:
    """Deletes a page for good."""
    session.db.execute("DELETE FROM cells WHERE source=? AND page=?", (row["source"], row["seq"]))
    session.db.execute("DELETE FROM pages WHERE seq=?", (row["seq"],))


def duplicate_page(session: Session, row: Row, actor: str) -> Row:
    """A copy of a page beside it, as the app makes one: all values the same, the stamps new."""
    source = source_of(session, row)
    parent = json.loads(row["parent"]) if row["parent"] else None
    copy = make_page(session, source, {}, actor, parent=parent, **json.loads(row["body"]))
    stored = json.loads(row["properties"])
    session.db.execute(
        "UPDATE pages SET properties=?, title=? WHERE seq=?", (row["properties"], row["title"], copy["seq"])
    )
    if source:
        _index(session, source, copy["seq"], source.schema.properties, stored)
    return page(session, copy["id"], anyone=True)


def move_page(session: Session, row: Row, target: Source | None, parent: Json | None, actor: str) -> Row:
    """Puts a page under another parent; values follow properties of the same name and type."""
    before = source_of(session, row)
    stored = json.loads(row["properties"])
    schema = schema_of(target)
    moved: Json = {}
    for one in schema_of(before).properties:
        found = schema.title if one.type == "title" else schema.find(one.name)
        if found and one.id in stored and found.type == one.type and one.type not in OPTION_TYPES:
            moved[found.id] = stored[one.id]
    if before:
        session.db.execute("DELETE FROM cells WHERE source=? AND page=?", (before.no, row["seq"]))
    session.db.execute(
        "UPDATE pages SET source=?, parent=?, properties=?, title=? WHERE seq=?",
        (
            target.no if target else None,
            json.dumps(parent) if parent else None,
            json.dumps(moved),
            _title(schema, moved),
            row["seq"],
        ),
    )
    if target:
        _index(session, target, row["seq"], schema.properties, moved)
    return _touched(session, page(session, row["id"], anyone=True), actor, moves=True)


def _merged(session: Session, source: Source | None, schema: Schema, before: Json, written: Json) -> Json:
    stored = dict(before)
    made = [len(one.options) for one in schema.properties]
    for key, payload in written.items():
        one = schema.find(key)
        if one is None:
            raise invalid(f"{key} is not a property that exists.")
        fold = session.settings.fold_options
        path = f"body.properties.{key}"
        value = values.parse(one, payload, path, lambda kind, that: mentioned(session, kind, that), fold=fold)
        if value is None or value is False or value == []:
            stored.pop(one.id, None)
        else:
            stored[one.id] = value
    if source and made != [len(one.options) for one in schema.properties]:
        save_schema(session, source)
    return stored


def mentioned(session: Session, kind: str, object_id: str) -> str:
    """The text of a mention."""
    if kind == "user":
        found = user(session, object_id, partial=False)
        return "@" + (found["name"] if found else "Unknown")
    row = session.db.execute("SELECT title FROM pages WHERE id=?", (object_id,)).fetchone()
    return (row["title"] if row else "") or "Untitled"


def _touched(session: Session, row: Row, actor: str, *, moves: bool) -> Row:
    """Notes a write: the stamp and who, and for a lagging query what it still sees."""
    settled = session.now - row["written"] >= session.settings.lag
    session.db.execute(
        "UPDATE pages SET written=?, prior=?, edited=?, edited_by=? WHERE seq=?",
        (
            session.now,
            json.dumps({column: row[column] for column in _LAGGING}) if settled else row["prior"],
            session.minute if moves else row["edited"],
            actor if moves else row["edited_by"],
            row["seq"],
        ),
    )
    return page(session, row["id"], anyone=True)


def _title(schema: Schema, stored: Json) -> str:
    text = richtext.plain(stored.get(schema.title.id, []))
    return text.encode("utf-8", "replace").decode()


def _index(session: Session, source: Source, seq: int, properties: Iterable[Property], stored: Json) -> None:
    rows = []
    for one in properties:
        session.db.execute("DELETE FROM cells WHERE source=? AND property=? AND page=?", (source.no, one.id, seq))
        for n, (text, number) in enumerate(values.cells(one, stored.get(one.id))):
            rows.append((source.no, one.id, seq, n, text, text[:HEAD] if text else None, number))
    session.db.executemany("INSERT INTO cells VALUES(?,?,?,?,?,?,?)", rows)


# --- databases and data sources --------------------------------------------------------------------------------------


def make_database(session: Session, parent: Json, **body: Any) -> Row:
    """A new database without data sources."""
    made = str(uuid.uuid4())
    kept: Json = {"title": [], "description": [], "icon": None, "cover": None, "is_inline": False, "is_locked": False}
    session.db.execute(
        "INSERT INTO databases(id, body, created, edited) VALUES(?,?,?,?)",
        (made, json.dumps({**kept, **body, "parent": parent}), session.now, session.now),
    )
    return database(session, made, anyone=True)


def edit_database(session: Session, row: Row, in_trash: bool | None, **body: Any) -> Row:
    """Writes what a database has itself: title, description, icon, cover, parent, lock, bin."""
    kept = {**json.loads(row["body"]), **body}
    session.db.execute(
        "UPDATE databases SET body=?, in_trash=?, edited=? WHERE id=?",
        (json.dumps(kept), row["in_trash"] if in_trash is None else int(in_trash), session.now, row["id"]),
    )
    return database(session, row["id"], anyone=True)


def make_source(session: Session, database_id: str, schema: Schema, actor: str, **body: Any) -> Source:
    """A new data source in a database."""
    made = str(uuid.uuid4())
    kept: Json = {"title": [], "description": [], "icon": None, "cover": None, **body}
    session.db.execute(
        "INSERT INTO data_sources(id, database_id, body, properties, created, edited, created_by, edited_by)"
        " VALUES(?,?,?,?,?,?,?,?)",
        (
            made,
            database_id,
            json.dumps(kept),
            json.dumps(schema.dump()),
            session.minute,
            session.minute,
            actor,
            actor,
        ),
    )
    return data_source(session, made, anyone=True)


def edit_source(session: Session, source: Source, changes: Json, actor: str, **body: Any) -> Source:
    """Writes a data source: `changes` is a client's `properties`; `in_trash`, `database_id` and body keys as given."""
    in_trash = body.pop("in_trash", None)
    database_id = body.pop("database_id", source.row["database_id"])
    kept = {**json.loads(source.row["body"]), **body}
    for change in source.schema.update(changes):
        _follow(session, source, change)
    if "title" in body and len(sources(session, database_id)) == 1:
        edit_database(session, database(session, database_id, anyone=True), None, title=body["title"])
    session.db.execute(
        "UPDATE data_sources SET body=?, properties=?, in_trash=?, database_id=?, edited=?, edited_by=? WHERE no=?",
        (
            json.dumps(kept),
            json.dumps(source.schema.dump()),
            source.row["in_trash"] if in_trash is None else int(in_trash),
            database_id,
            session.minute,
            actor,
            source.no,
        ),
    )
    return data_source(session, source.row["id"], anyone=True)


def save_schema(session: Session, source: Source) -> None:
    """Keeps options that were made by use."""
    session.db.execute("UPDATE data_sources SET properties=? WHERE no=?", (json.dumps(source.schema.dump()), source.no))


def rename_option(session: Session, source: Source, one: Property, option: str, name: str, actor: str) -> None:
    """Gives an option another name; its pages show it, and their stamps move if the settings say so."""
    found = next((known for known in one.options if option in {known["name"], known["id"]}), None)
    if found is None:
        raise invalid(f"{one.name} has no option {option!r}.")
    found["name"] = name
    save_schema(session, source)
    if session.settings.option_rename_moves_stamp:
        chosen = "SELECT * FROM pages WHERE seq IN (SELECT page FROM cells WHERE source=? AND property=? AND text=?)"
        for row in session.db.execute(chosen, (source.no, one.id, found["id"])).fetchall():
            _touched(session, row, actor, moves=True)


def _follow(session: Session, source: Source, change: Change) -> None:
    """Converts or forgets the stored values of a property that was retyped or removed."""
    one, before = change.property, change.before
    session.db.execute("DELETE FROM cells WHERE source=? AND property=?", (source.no, one.id))
    for row in session.db.execute("SELECT * FROM pages WHERE source=?", (source.no,)).fetchall():
        stored = json.loads(row["properties"])
        if one.id not in stored:
            continue
        old = stored.pop(one.id)
        value = values.converted(before, one, old) if before else None
        if value:
            stored[one.id] = value
        session.db.execute("UPDATE pages SET properties=? WHERE seq=?", (json.dumps(stored), row["seq"]))
        if before:
            _index(session, source, row["seq"], [one], stored)


# --- showing ---------------------------------------------------------------------------------------------------------


def show_database(session: Session, row: Row) -> Json:
    """A database as Notion shows it (without `archived`)."""
    body = json.loads(row["body"])
    listed = [
        {"id": found["id"], "name": richtext.plain(json.loads(found["body"])["title"]) or _name(body)}
        for found in sources(session, row["id"])
    ]
    return {
        "object": "database",
        "id": row["id"],
        "title": body["title"],
        "description": body["description"],
        "parent": body["parent"],
        "is_inline": body["is_inline"],
        "in_trash": bool(row["in_trash"]),
        "is_locked": body["is_locked"],
        "created_time": dates.database_stamp(row["created"]),
        "last_edited_time": dates.database_stamp(row["edited"]),
        "data_sources": listed,
        "icon": body["icon"],
        "cover": body["cover"],
        "url": f"https://www.notion.so/{row['id'].replace('-', '')}",
        "public_url": None,
    }


def show_source(session: Session, source: Source) -> Json:
    """A data source as Notion shows it (without `archived`)."""
    row, body = source.row, json.loads(source.row["body"])
    parent = database(session, row["database_id"], anyone=True)
    above = json.loads(parent["body"])
    return {
        "object": "data_source",
        "id": row["id"],
        "cover": body["cover"],
        "icon": body["icon"],
        "created_time": dates.stamp(row["created"]),
        "created_by": user(session, row["created_by"]),
        "last_edited_by": user(session, row["edited_by"]),
        "last_edited_time": dates.stamp(row["edited"]),
        "title": body["title"],
        "description": body["description"] or above["description"],
        "is_inline": above["is_inline"],
        "properties": source.schema.show(),
        "parent": {"type": "database_id", "database_id": row["database_id"]},
        "database_parent": above["parent"],
        "url": f"https://www.notion.so/{row['database_id'].replace('-', '')}",
        "public_url": None,
        "in_trash": bool(row["in_trash"]),
    }


def show_page(session: Session, row: Row, source: Source | None = None, only: Collection[str] = ()) -> Json:
    """A page as Notion shows it (without `archived`); `only` names the properties that are wanted."""
    source = source or source_of(session, row)
    if source:
        ids = {"data_source_id": source.row["id"], "database_id": source.row["database_id"]}
        parent = {"type": "data_source_id", **ids}
    else:
        parent = json.loads(row["parent"])
    body, stored, stamps = json.loads(row["body"]), json.loads(row["properties"]), stamps_of(session, row)
    schema = schema_of(source)
    wanted = [one for one in schema.properties if not only or any(schema.find(name) is one for name in only)]
    slug = re.sub(r"[^0-9A-Za-z]+", "-", row["title"][:200]).strip("-")
    return {
        "object": "page",
        "id": row["id"],
        "created_time": dates.stamp(row["created"]),
        "last_edited_time": dates.stamp(row["edited"]),
        "created_by": user(session, row["created_by"]),
        "last_edited_by": user(session, row["edited_by"]),
        "cover": body["cover"],
        "icon": body["icon"],
        "parent": parent,
        "in_trash": bool(row["in_trash"]),
        "is_archived": False,
        "is_locked": body["is_locked"],
        "properties": {one.name: values.show(one, stored.get(one.id), stamps) for one in wanted},
        "url": f"https://www.notion.so/{slug + '-' if slug else ''}{row['id'].replace('-', '')}",
        "public_url": None,
    }


def stamps_of(session: Session, row: Row) -> values.Stamps:
    """What a page's read-only properties show."""
    return values.Stamps(
        row["number"],
        dates.stamp(row["created"]),
        dates.stamp(row["edited"]),
        user(session, row["created_by"], partial=False) or {},
        user(session, row["edited_by"], partial=False) or {},
    )


def payloads(source: Source, plain: Json) -> Json:
    """A client's `properties` for plain values by property name or id (see `values.payload_of`)."""
    written = {}
    for name, value in an_object(plain, "body.properties").items():
        one = source.schema.find(name)
        if one is None:
            raise invalid(f"{name} is not a property that exists.")
        written[name] = values.payload_of(one, value)
    return written


def _name(body: Json) -> str:
    return richtext.plain(body["title"]) or "New database"
