"""The page at `/`: the databases as a person sees them in Notion, and the last requests. No script, all escaped."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from utils.local.notion import values, workspace
from utils.local.notion.checks import is_uuid
from utils.local.notion.refusals import RefusalError
from utils.local.notion.schema import OPTION_TYPES, READ_ONLY, Property
from utils.local.notion.wire import Answer, Request

if TYPE_CHECKING:
    from utils.local.notion.control import Control
    from utils.local.notion.store import Session

ROWS = 50
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
}
_STYLE = """
body{font:15px/1.4 system-ui,sans-serif;margin:1.5rem;color:#222;background:#fff}
nav a{margin-right:1rem} table{border-collapse:collapse;margin-top:1rem;width:100%} th{text-align:left}
th,td{padding:.3rem .4rem;border-bottom:1px solid #ddd;vertical-align:top}
input:not([type=checkbox]),textarea{font:inherit;width:100%;min-width:7rem;box-sizing:border-box}
input[name=q]{width:20rem!important} textarea{min-width:11rem;resize:vertical;field-sizing:content}
.by{color:#777;font-size:13px;white-space:nowrap} h1{font-size:1.2rem;margin:0 0 .3rem}
th:last-child,td:last-child{position:sticky;right:0;background:#fff;white-space:nowrap}
.told{background:#fff3cd;padding:.4rem .6rem} pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6}
@media(prefers-color-scheme:dark){body,th:last-child,td:last-child{background:#191919;color:#ddd}
th,td{border-color:#444}pre{background:#222}a{color:#8ab4f8}.told{background:#4d3d00}}
"""
_ROW_SIGNS = 24
"""About how many signs of a text a line of its field shows."""


def respond(request: Request, control: Control, port: int) -> Answer:
    """Answers everything outside the API and the control route."""
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    origin = request.headers.get("origin")
    if request.headers.get("host", "").lower() not in hosts:
        return _html(403, "<p>Open this page as 127.0.0.1 or localhost.</p>")
    if request.method == "GET" and request.path == "/":
        return _table(request, control)
    if request.method == "GET" and request.path == "/requests":
        return _requests(control)
    if request.method != "POST" or request.path.strip("/") not in {"create", "edit", "trash", "restore"}:
        return _html(404, '<p>Nothing here. <a href="/">To the pages</a></p>')
    form = {key: found[-1] for key, found in parse_qs(request.body.decode("utf-8", "replace"), True).items()}
    if not hmac.compare_digest(form.get("token", ""), _token(control)) or origin not in {
        None,
        *(f"http://{host}" for host in hosts),
    }:
        return _html(403, '<p>This form is out of date. <a href="/">To the pages</a></p>')
    return _act(request.path.strip("/"), form, control)


def _token(control: Control) -> str:
    with control.store.reading() as session:
        key = session.identity.control_key
    return hashlib.blake2s(b"page", key=key.encode()[:32]).hexdigest()


def _act(action: str, form: dict[str, str], control: Control) -> Answer:
    back = {key: form[key] for key in ("db", "q", "bin", "start") if form.get(key)}
    try:
        if action == "trash":
            control.person_trash(form.get("page", ""))
        elif action == "restore":
            control.person_restore(form.get("page", ""))
        else:
            _write(action, form, control)
    except (RefusalError, ValueError) as refused:
        back["told"] = str(refused)[:300]
    return Answer(303, b"", {"Location": "/?" + urlencode(back)})


def _write(action: str, form: dict[str, str], control: Control) -> None:
    """Creates a page, or writes those fields of it that the person changed."""
    now = {key[2:]: text.replace("\r\n", "\n") for key, text in form.items() if key.startswith("v:")}
    shown = {key[2:]: text.replace("\r\n", "\n") for key, text in form.items() if key.startswith("o:")}
    changed = {key: now.get(key, "") for key in {*now, *shown} if now.get(key, "") != shown.get(key, "")}
    if action == "create":
        control.person_create(changed, database_id=form.get("db") or None)
    elif changed:
        control.person_edit(form.get("page", ""), changed)


def _table(request: Request, control: Control) -> Answer:
    asked = {key: found[-1] for key, found in request.query.items()}
    with control.store.reading() as session:
        wanted = asked.get("db", "")
        database_id = wanted if is_uuid(wanted) else session.identity.database_id
        try:
            source = workspace.first_source(session, database_id)
        except RefusalError as refused:
            return _html(404, f"<p>{escape(refused.message)}</p>")
        start = int(asked["start"]) if asked.get("start", "").isdigit() and len(asked["start"]) < 9 else 0
        rows = _rows(session, source, asked.get("q", ""), bool(asked.get("bin")), start)
        body = "".join(_page_parts(session, source, rows, {**asked, "db": database_id, "start": str(start)}, control))
    return _html(200, body)


def _rows(session: Session, source: workspace.Source, text: str, in_trash: bool, start: int) -> list[workspace.Row]:
    """One more row than is shown, newest first."""
    found = "SELECT * FROM pages WHERE source=? AND in_trash=?"
    parts: list[object] = [source.no, int(in_trash)]
    if text:
        found += " AND seq IN (SELECT page FROM cells WHERE source=? AND instr(fold(text), ?))"
        parts += [source.no, text.casefold()]
    return session.db.execute(f"{found} ORDER BY seq DESC LIMIT ? OFFSET ?", (*parts, ROWS + 1, start)).fetchall()


def _page_parts(
    session: Session, source: workspace.Source, rows: list[workspace.Row], asked: dict[str, str], control: Control
) -> Iterator[str]:
    columns = sorted(source.schema.properties, key=lambda one: one.type != "title")
    keep = "".join(_hidden(key, asked[key]) for key in ("db", "q", "bin", "start") if asked.get(key))
    keep += _hidden("token", _token(control))
    yield _navigation(session, asked)
    for one in columns:
        if one.type in OPTION_TYPES:
            options = "".join(f'<option value="{escape(option["name"])}">' for option in one.options)
            yield f'<datalist id="l:{escape(one.id)}">{options}</datalist>'
    heads = "".join(f"<th>{escape(one.name)}</th>" for one in columns)
    yield f"<table><tr>{heads}<th>Edited</th><th></th></tr>"
    if not asked.get("bin") and asked["start"] == "0":
        cells = "".join(f"<td>{_field(one, None, 'new', '')}</td>" for one in columns)
        yield f'<tr>{cells}<td></td><td><form id="new" method="post" action="/create">{keep}'
        yield "<button>Add</button></form></td></tr>"
    for row in rows[:ROWS]:
        yield _row(session, row, columns, keep)
    yield "</table>"
    if not rows:
        yield "<p>No pages here.</p>"
    yield _pager(asked, len(rows) > ROWS)


def _row(session: Session, row: workspace.Row, columns: list[Property], keep: str) -> str:
    stored, stamps = json.loads(row["properties"]), workspace.stamps_of(session, row)
    cells = []
    for one in columns:
        if one.type in READ_ONLY:
            shown = values.shown_value(one, None, stamps)
            text = (
                shown.get("name", f"{shown.get('prefix') or ''}-{shown.get('number')}")
                if isinstance(shown, dict)
                else shown
            )
            cells.append(f"<td>{escape(str(text))}</td>")
        else:
            cells.append(f"<td>{_field(one, stored.get(one.id), row['id'], row['in_trash'] and 'disabled')}</td>")
    who = stamps.edited_by.get("name", "")
    by = f'<td class="by">{escape(stamps.edited[:16].replace("T", " "))}<br>{escape(str(who))}</td>'
    form = f'<form id="{row["id"]}" method="post" action="/edit">{keep}{_hidden("page", row["id"])}'
    if row["in_trash"]:
        return f'<tr>{"".join(cells)}{by}<td>{form}<button formaction="/restore">Restore</button></form></td></tr>'
    buttons = '<button>Save</button> <button formaction="/trash">Trash</button>'
    return f"<tr>{''.join(cells)}{by}<td>{form}{buttons}</form></td></tr>"


def _field(one: Property, stored: object, form: str, more: object) -> str:
    """The inputs of one value; what is shown goes along, so that only what was changed is written."""
    text = values.plain(one, stored)
    name, tail = f'name="v:{escape(one.id)}" form="{form}" aria-label="{escape(one.name)}"', more or ""
    if one.type in READ_ONLY:
        return ""
    if one.type == "checkbox":
        shown = _hidden(f"o:{one.id}", "Yes" if stored else "", form)
        return f'{shown}<input type="checkbox" value="Yes" {name} {"checked" if stored else ""} {tail}>'
    shown = _hidden(f"o:{one.id}", text, form)
    if one.type in {"title", "rich_text"}:
        rows = min(8, sum(1 + len(line) // _ROW_SIGNS for line in text.split("\n")))
        return f'{shown}<textarea rows="{rows}" {name} {tail}>\n{escape(text)}</textarea>'
    offered = f'list="l:{escape(one.id)}"' if one.type in OPTION_TYPES else ""
    hint = 'placeholder="YYYY-MM-DD"' if one.type == "date" else ""
    return f'{shown}<input value="{escape(text)}" {name} {offered} {hint} {tail}>'


def _hidden(name: str, text: str, form: str = "") -> str:
    of_form = f' form="{escape(form)}"' if form else ""
    return f'<input type="hidden" name="{escape(name)}" value="{escape(text)}"{of_form}>'


def _navigation(session: Session, asked: dict[str, str]) -> str:
    links = []
    for row in session.db.execute("SELECT * FROM databases WHERE NOT in_trash ORDER BY created, rowid"):
        found = workspace.show_database(session, row)
        title = "".join(run["plain_text"] for run in found["title"]) or "Untitled"
        title += "" if row["shared"] else " (not shared)"
        label = f"<b>{escape(title)}</b>" if row["id"] == asked["db"] else escape(title)
        links.append(f'<a href="/?db={row["id"]}">{label}</a>')
    here = f"/?db={asked['db']}"
    other = f'<a href="{here}">Pages</a>' if asked.get("bin") else f'<a href="{here}&amp;bin=1">Bin</a>'
    told = f'<p class="told">{escape(asked["told"])}</p>' if asked.get("told") else ""
    search = (
        f'<form method="get" action="/">{_hidden("db", asked["db"])}{_hidden("bin", asked.get("bin", ""))}'
        f'<input name="q" aria-label="Filter" placeholder="Filter" value="{escape(asked.get("q", ""))}"> '
        "<button>Filter</button></form>"
    )
    head = "<h1>Notion sandbox</h1><p>Add, edit, trash or restore a page here; the next sync carries it over.</p>"
    return f'{head}<nav>{"".join(links)}{other}<a href="/requests">Requests</a></nav>{told}{search}'


def _pager(asked: dict[str, str], more: bool) -> str:
    start = int(asked["start"])
    kept = {key: asked[key] for key in ("db", "q", "bin") if asked.get(key)}
    links = []
    if start:
        links.append(f'<a href="/?{escape(urlencode({**kept, "start": max(0, start - ROWS)}))}">Newer</a>')
    if more:
        links.append(f'<a href="/?{escape(urlencode({**kept, "start": start + ROWS}))}">Older</a>')
    return f"<p>{' '.join(links)}</p>"


def _requests(control: Control) -> Answer:
    parts = ['<nav><a href="/">Pages</a></nav><h1>Last requests</h1>']
    for logged, answer in control.faults.last():
        line = f"{logged.method} {logged.path} · {logged.status or 'cut'} · {logged.seconds * 1000:.1f} ms"
        sent = _pretty(logged.raw)
        got = _pretty(answer)
        parts.append(f"<details><summary>{escape(line)}</summary><pre>{sent}</pre><pre>{got}</pre></details>")
    return _html(200, "".join(parts) if len(parts) > 1 else parts[0] + "<p>None yet.</p>")


def _pretty(raw: bytes) -> str:
    try:
        return escape(json.dumps(json.loads(raw), indent=1, ensure_ascii=False)) if raw else ""
    except ValueError:
        return escape(raw.decode("utf-8", "replace"))


def _html(status: int, body: str) -> Answer:
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Notion sandbox</title>'
    view = '<meta name="viewport" content="width=device-width">'
    return Answer(status, f"{head}{view}<style>{_STYLE}</style>{body}</html>".encode("utf-8", "replace"), _HEADERS)
