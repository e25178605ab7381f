"""What a new store holds: a root page, the decisions' database, and one with a property of every type."""

from __future__ import annotations

import json
from dataclasses import replace

from utils.local.notion import richtext, schema, workspace
from utils.local.notion.store import Identity, Session

_EVERYTHING = {
    "Name": {"title": {}},
    "Text": {"rich_text": {}},
    "Choice": {"select": {"options": [{"name": "One"}, {"name": "Two"}]}},
    "Choices": {"multi_select": {"options": [{"name": "Red"}, {"name": "Green"}]}},
    "State": {"status": {}},
    "Date": {"date": {}},
    "Box": {"checkbox": {}},
    "Number": {"number": {}},
    "URL": {"url": {}},
    "Email": {"email": {}},
    "Phone": {"phone_number": {}},
    "ID": {"unique_id": {"prefix": "EV"}},
    "Created": {"created_time": {}},
    "Edited": {"last_edited_time": {}},
    "Created by": {"created_by": {}},
    "Edited by": {"last_edited_by": {}},
}


def fill(session: Session) -> Identity:
    """Fills a new file; answers its identity with the ids of both databases."""
    identity, person = session.identity, session.identity.person_id
    root = workspace.make_page(
        session,
        None,
        {"title": {"title": [{"text": {"content": "Angles AI Universe"}}]}},
        person,
        parent={"type": "workspace", "workspace": True},
    )
    identity = replace(identity, root_id=root["id"])
    decisions = _database(session, root["id"], "Decisions", {"Decision": {"title": {}}})
    everything = _database(session, root["id"], "Everything", _EVERYTHING)
    return replace(identity, database_id=decisions, everything_id=everything)


def _database(session: Session, root: str, title: str, properties: dict[str, object]) -> str:
    runs = richtext.from_plain(title)
    row = workspace.make_database(session, {"type": "page_id", "page_id": root}, title=runs)
    made = schema.created(json.loads(json.dumps(properties)), "body.properties")
    workspace.make_source(session, row["id"], made, session.identity.person_id, title=runs)
    return str(row["id"])
