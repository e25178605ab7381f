"""A decision's history, and why it is as it is: what the last run did with it, and what the next one will do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from utils.decision import FIELDS, Decision, Value, from_image, same
from utils.stores.base import Vault
from utils.sync.ledger import (
    LAST_RUNS,
    Change,
    Lost,
    arrow,
    clock,
    moment,
    read_decision,
    read_runs,
    row_changes,
    short,
    undone_by,
)
from utils.sync.merge import Policy
from utils.sync.model import EPOCH, Item, Link, LinkState, parse_item
from utils.sync.plan import Kind, assumed_page, decide
from utils.sync.report import plan_line

_STATES = {
    LinkState.ANNOUNCED: "announced, not seen yet",
    LinkState.LINKED: "live",
    LinkState.TRASHED: "in the bin",
    LinkState.GONE: "gone",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is said: lines for a person, the same as one JSON document, and the line that ends it."""

    lines: Sequence[str]
    json: Mapping[str, Any]
    closing: str


def history(vault: Vault, decision_id: str) -> Told:
    """Every earlier content of a decision's row and every value that it lost, oldest first.

    Raises:
        ConfigError: there is no such decision and never was.
    """
    events, pair = read_decision(vault, "--history", decision_id)
    entries = sorted([*_births(events, pair), *map(_entry, events)], key=lambda entry: str(entry["at"]))
    runs = read_runs(vault, (entry["run"] for entry in entries))
    for entry in entries:
        entry["undo_of"] = undone_by(entry["run"], runs)
    wide = max(len(_who(entry)) for entry in entries)
    lines = [f"{entry['at'][:19].replace('T', ' ')}  {_who(entry):<{wide}}  {_what(entry)}" for entry in entries]
    lost = sum(entry["kind"] == "lost" for entry in entries)
    closing = f"{len(entries) - lost} changes and {lost} lost values of {decision_id}, newest last; times are UTC"
    return Told(lines, {"id": decision_id, "row": pair["row"], "events": entries}, closing)


def _births(events: Sequence[Change | Lost], pair: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The insertions, which the history has no rows for: before the first content, and after each deletion."""
    found: list[dict[str, Any]] = []
    fresh, earliest = True, EPOCH
    for change in row_changes(events):
        if fresh:
            found.append(_born(min(change.made, change.at), change.was))
        fresh, earliest = change.left is None, change.at
    row, link = pair["row"], pair["link"]
    if fresh and row:
        found.append(_born(max(moment(row["created_at"]), earliest), from_image(row)))
    if found and row and link:
        found[-1]["run"] = link["row_by"]
    return found


def _born(at: datetime, content: Decision) -> dict[str, Any]:
    return {"at": at.isoformat(), "run": None, "kind": "made", "content": content.image()}


def _entry(event: Change | Lost) -> dict[str, Any]:
    entry: dict[str, Any] = {"at": event.at.isoformat(), "run": event.run}
    if isinstance(event, Lost):
        names = ("field", "before", "after", "base", "reason")
        said = {"winner": event.winner.value, "line": event.line()}
        return {**entry, "kind": "lost", **{name: getattr(event, name) for name in names}, **said}
    if event.left is None:
        return {**entry, "kind": "deleted", "content": event.was.image()}
    fields = {name: {"from": was, "to": now} for name, (was, now) in event.fields().items()}
    return {**entry, "kind": "changed", "fields": fields, "was": event.was.image()}


def _who(entry: Mapping[str, Any]) -> str:
    return f"run {entry['run']}" if entry["run"] else "somebody else"


def _what(entry: Mapping[str, Any]) -> str:
    if entry["kind"] == "changed":
        fields = "; ".join(f"{name}: {arrow(each['from'], each['to'])}" for name, each in entry["fields"].items())
        return f"undo of {entry['undo_of']}: {fields}" if entry["undo_of"] else fields
    if entry["kind"] == "lost":
        return f"lost {entry['line']}"
    content = entry["content"]
    values = [f"{name}: {short(content[name])}" for name in FIELDS if content[name] is not None]
    return f"{entry['kind']} with {'; '.join(values)}"


def explain(vault: Vault, decision_id: str, now: datetime) -> Told:
    """What is known of a pair, what the last run that touched it did and why, and what the next one will do.

    Notion is not asked: its page is told by the image that was kept of it.

    Raises:
        ConfigError: there is no such decision and never was.
    """
    events, pair = read_decision(vault, "--explain", decision_id)
    item = parse_item({"id": decision_id, **pair})
    run, at = _last_touch(events, pair["link"])
    runs = read_runs(vault, [run, *(event.run for event in events)], last=LAST_RUNS)
    waits, did, coming = _waiting(item), _did(item, events, (run, at), runs), _next(item, run, now)
    touched = f"run {run}, {clock(at)}, touched it last{':' if did else ''}" if run else "no run has touched it yet"
    lines = [*_known_lines(item, pair, events), *waits, touched, *(f"  {line}" for line in did)]
    lines += [*_since(runs, run, at), f"next run: {coming}"]
    last = {"run": run, "at": at.isoformat(), "undo_of": undone_by(run, runs), "did": did} if run else None
    document = {"id": decision_id, **pair, "waiting": waits, "last_run": last, "next_run": coming}
    return Told(lines, document, f"{decision_id} explained; times are UTC, Notion was not asked")


def _known_lines(item: Item, pair: Mapping[str, Any], events: Sequence[Change | Lost]) -> list[str]:
    """The row and the page, a line each."""
    row, link, changes = item.row, item.link, row_changes(events)
    last = changes[-1] if changes else None
    if row is None:
        lines = ["row: none" + (f", deleted {clock(last.at)}" if last and last.left is None else "")]
    else:
        by = f"by {f'run {last.run}' if last.run else 'somebody else'}" if last else ""
        since = f"changed {clock(last.at)} {by}" if last else "never changed since it was made"
        ticks = f"{'retired' if row.content.active is False else 'active'}, {'' if row.synced else 'not '}synced"
        lines = [f"row: {short(row.content.decision)}, {ticks}, {since}"]
    if link is None:
        return [*lines, "page: none is linked"]
    page = f"page: {link.page_id or 'none yet'}, {_STATES[link.state]}, as run {pair['link']['run']} left it"
    return [*lines, f"{page} {clock(moment(pair['link']['updated_at']))}", *_apart(item, link)]


def _apart(item: Item, link: Link) -> list[str]:
    """Where the row, or the image of the page, is not what both sides last agreed on."""
    if item.row is None or link.base_row is None:
        return []
    lines = [
        f"{name}: {arrow(link.base_row[name], item.row.content[name])} in Supabase since both sides agreed"
        for name in FIELDS
        if not same(name, link.base_row[name], item.row.content[name]) and name not in link.todo.held
    ]
    if link.base_page is not None and not link.base_page.in_trash:
        lines += [
            f"{name}: Notion keeps {short(link.base_page.content[name])} for Supabase's {short(link.base_row[name])}"
            for name in FIELDS
            if not same(name, link.base_row[name], link.base_page.content[name]) and name not in link.todo.refused
        ]
    return lines


def _waiting(item: Item) -> list[str]:
    """What is held, refused, missing or to be tried again, and why."""
    if item.link is None:
        return []
    todo, row = item.link.todo, item.row.content if item.row else Decision()
    base = item.link.base_row
    settle = f"see --conflicts, settle with --resolve {item.id} --take supabase|notion"
    lines = [
        f"{name} is held: both sides changed it{f' from {short(base[name])}' if base else ''}, Supabase has "
        f"{short(row[name])}; {settle}"
        for name in todo.held
    ]
    lines += [
        f"{'refused' if name == '*' else name}: {refusal.side.service} does not take it: {refusal.why}; "
        "not tried again until it changes"
        for name, refusal in todo.refused.items()
    ]
    if todo.missing_since:
        lines.append(
            f"its page was not found {clock(moment(todo.missing_since))}; it counts as deleted when it "
            "is still missing 10 minutes later"
        )
    return [*lines, *([f"to be tried again: {todo.retry}"] if todo.retry else [])]


def _last_touch(events: Sequence[Change | Lost], link: Mapping[str, Any] | None) -> tuple[str | None, datetime]:
    """The run that last wrote the row, the link or the log, and when."""
    touched = [(event.at, event.run) for event in events if event.run]
    if link and link["run"]:
        touched.append((moment(link["updated_at"]), link["run"]))
    at, run = max(touched, default=(EPOCH, None))
    return run, at


def _did(
    item: Item, events: Sequence[Change | Lost], last: tuple[str | None, datetime], runs: Mapping[str, Any]
) -> list[str]:
    """What the last run did with the decision, a line each, with the reason."""
    run, _ = last
    if run is None:
        return []
    undone = undone_by(run, runs)
    lost = [event for event in events if isinstance(event, Lost) and event.run == run]
    told = {each.field for each in lost if not each.raw}
    lines = [each.line() for each in lost]
    lines += [
        f"{name}: {arrow(was, now)}, {f'put back: undo of run {undone}' if undone else _why(item, name, now)}"
        for change in row_changes(events)
        if change.run == run
        for name, (was, now) in change.fields().items()
        if name not in told
    ]
    lines += [line for name, line in _carried(item, events, last, runs).items() if name not in told]
    return lines or [_quiet(item)]


def _quiet(item: Item) -> str:
    """What a run did that left no trace but the link."""
    link = item.link
    if item.row is None and link is not None and link.state is LinkState.GONE:
        return "its row was deleted in Supabase, so its page went to the bin"
    if link is not None and link.todo.held:
        return f"{', '.join(link.todo.held)}: left as it is on each side, being held"
    return "no value was overwritten or lost: the pair was made, linked or checked"


def _why(item: Item, name: str, now: Value) -> str:
    """Why a run wrote a value into the row without a conflict."""
    if name != "active":
        return "as only Notion had changed it"
    if now is not False:
        return "as its page was restored or its box ticked in Notion"
    in_bin = item.link is not None and item.link.state in {LinkState.TRASHED, LinkState.GONE}
    return "as its page was trashed in Notion" if in_bin else "as its box was unticked in Notion"


def _carried(
    item: Item, events: Sequence[Change | Lost], last: tuple[str | None, datetime], runs: Mapping[str, Any]
) -> dict[str, str]:
    """What a run found edited in the vault and brought to Notion, which no log has: a line by field."""
    (run, at), base = last, item.link.base_row if item.link else None
    since = _earlier_run(runs, run, at)
    found: dict[str, str] = {}
    for change in reversed([change for change in row_changes(events) if since < change.at <= at and change.run != run]):
        undone = undone_by(change.run, runs)
        if change.run and not undone:
            break
        by = f"put back by the undo of {undone}" if undone else "edited in Supabase"
        for name, (was, now) in change.fields().items():
            if base and same(name, base[name], now):
                found.setdefault(name, f"{name}: {arrow(was, now)}, {by} {clock(change.at)}, is Notion's too now")
    return {name: found[name] for name in FIELDS if name in found}


def _earlier_run(runs: Mapping[str, Any], run: str | None, at: datetime) -> datetime:
    """When the sync before a run began, as far as it is known: what was edited before it is not that run's."""
    ended = {name: (moment(each["at"]), each["details"]) for name, each in runs.items() if name != run}
    began = [
        when - timedelta(seconds=details.get("seconds") or 0)
        for when, details in ended.values()
        if when < at and not details.get("undo")
    ]
    return max(began, default=EPOCH)


def _since(runs: Mapping[str, Any], run: str | None, at: datetime) -> list[str]:
    """That later runs wrote something, and not here: the newest."""
    later = [(name, moment(each["at"])) for name, each in runs.items() if name != run and moment(each["at"]) > at]
    return [f"run {name}, {clock(when)}, wrote elsewhere and left this as it was" for name, when in later[:1]]


def _next(item: Item, run: str | None, now: datetime) -> str:
    """What a run would do if nothing more changes, as far as the vault can tell."""
    link = item.link
    if link is not None and (link.intent is not None or link.state is LinkState.ANNOUNCED):
        return f"reads the page first: run {run} announced a write and did not see its end"
    if link is not None and link.todo.wants_page:
        return "reads the page again"
    if link is not None and link.state is LinkState.GONE and item.row is None:
        return "nothing, unless the page is restored from the bin: then the row comes back"
    step = decide(item, assumed_page(link) if link else None, Policy(now))
    if step.kind is not Kind.NOTHING and not step.silent:
        return plan_line(step)
    if link is not None and link.todo.refused:
        return "nothing, until what was refused, or the page, changes"
    return "nothing, unless the page changed: both sides equal their images" + (f" since run {run}" if run else "")
