"""What the vault remembers of the sync: a decision's history, why it is as it is, and the undoing of a run."""

from __future__ import annotations

import contextlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from utils.decision import FIELDS, Decision, Value, from_image, same, unfit_for_vault
from utils.errors import AnglesError, BusyError, ConfigError
from utils.stores.base import BATCH_ITEMS, Vault, Write
from utils.sync import lease
from utils.sync.merge import Policy
from utils.sync.model import EPOCH, Item, Link, LinkState, Side, parse_item, parse_stamp
from utils.sync.plan import Kind, assumed_page, decide
from utils.sync.report import plan_line

LAST_RUNS = 10
"""How many runs are looked at, and listed where an id is unknown."""

ROUNDS = 3
"""How often an undo looks again at a row that is edited meanwhile."""

_NAMES = {Side.VAULT: "Supabase", Side.NOTION: "Notion"}
_STATES = {
    LinkState.ANNOUNCED: "announced, not seen yet",
    LinkState.LINKED: "live",
    LinkState.TRASHED: "in the bin",
    LinkState.GONE: "gone",
}


@dataclass(frozen=True, slots=True)
class Change:
    """An earlier content of a row and what it gave way to: `left` is None where the row went, `run` where no sync did.

    Args:
        number: its place in `decision_history`.
        made: when the row had been inserted.
    """

    number: int
    decision_id: str
    at: datetime
    run: str | None
    made: datetime
    was: Decision
    left: Decision | None

    def fields(self) -> dict[str, tuple[Value, Value]]:
        """The fields that changed, from what to what."""
        if self.left is None:
            return {}
        return {name: (self.was[name], self.left[name]) for name in FIELDS if self.was[name] != self.left[name]}


@dataclass(frozen=True, slots=True)
class Lost:
    """A value that gave way in a merge: a row of `sync_log`."""

    decision_id: str
    at: datetime
    run: str
    field: str
    before: Any
    after: Any
    base: Any
    winner: Side
    reason: str

    @property
    def raw(self) -> bool:
        """Whether it is what only Notion can hold: formatting, a time of day."""
        return isinstance(self.before, (dict, list))

    def line(self) -> str:
        """Who lost what to whom, and why."""
        winner, loser = _NAMES[self.winner], _NAMES[self.winner.other]
        if self.raw:
            return f"{self.field}: {_raw(self.before)} was overwritten, {self.reason}; --history ID --json has it whole"
        won = f"{winner}'s {_short(self.after)} won over {loser}'s {_short(self.before)}"
        had = f", both had {_short(self.base)}" if self.base is not None else ""
        return f"{self.field}: {won}{had}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Told:
    """What is said: lines for a person, the same as one JSON document, and the line that ends it."""

    lines: Sequence[str]
    json: Mapping[str, Any]
    closing: str


# --- history


def history(vault: Vault, decision_id: str) -> Told:
    """Every earlier content of a decision's row and every value that it lost, oldest first.

    Raises:
        ConfigError: there is no such decision and never was.
    """
    events, pair = _known(vault, "--history", decision_id)
    entries = sorted([*_births(events, pair), *map(_entry, events)], key=lambda entry: str(entry["at"]))
    runs = _runs(vault, (entry["run"] for entry in entries))
    for entry in entries:
        entry["undo_of"] = _undone_by(entry["run"], runs)
    wide = max(len(_who(entry)) for entry in entries)
    lines = [f"{entry['at'][:19].replace('T', ' ')}  {_who(entry):<{wide}}  {_what(entry)}" for entry in entries]
    lost = sum(entry["kind"] == "lost" for entry in entries)
    closing = f"{len(entries) - lost} changes and {lost} lost values of {decision_id}, newest last; times are UTC"
    return Told(lines, {"id": decision_id, "row": pair["row"], "events": entries}, closing)


def _births(events: Sequence[Change | Lost], pair: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The insertions, which the history has no rows for: before the first content, and after each deletion."""
    found: list[dict[str, Any]] = []
    fresh, earliest = True, EPOCH
    for change in _changes(events):
        if fresh:
            found.append(_born(min(change.made, change.at), change.was))
        fresh, earliest = change.left is None, change.at
    row, link = pair["row"], pair["link"]
    if fresh and row:
        found.append(_born(max(_stamp(row["created_at"]), earliest), from_image(row)))
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
        fields = "; ".join(f"{name}: {_arrow(each['from'], each['to'])}" for name, each in entry["fields"].items())
        return f"undo of {entry['undo_of']}: {fields}" if entry["undo_of"] else fields
    if entry["kind"] == "lost":
        return f"lost {entry['line']}"
    content = entry["content"]
    values = [f"{name}: {_short(content[name])}" for name in FIELDS if content[name] is not None]
    return f"{entry['kind']} with {'; '.join(values)}"


# --- explanation


def explain(vault: Vault, decision_id: str, now: datetime) -> Told:
    """What is known of a pair, what the last run that touched it did and why, and what the next one will do.

    Notion is not asked: its page is told by the image that was kept of it.

    Raises:
        ConfigError: there is no such decision and never was.
    """
    events, pair = _known(vault, "--explain", decision_id)
    item = parse_item({"id": decision_id, **pair})
    run, at = _last_touch(events, pair["link"])
    runs = _runs(vault, [run, *(event.run for event in events)], last=LAST_RUNS)
    waits, did, coming = _waiting(item), _did(item, events, (run, at), runs), _next(item, run, now)
    touched = f"run {run}, {_clock(at)}, touched it last{':' if did else ''}" if run else "no run has touched it yet"
    lines = [*_known_lines(item, pair, events), *waits, touched, *(f"  {line}" for line in did)]
    lines += [*_since(runs, run, at), f"next run: {coming}"]
    last = {"run": run, "at": at.isoformat(), "undo_of": _undone_by(run, runs), "did": did} if run else None
    document = {"id": decision_id, **pair, "waiting": waits, "last_run": last, "next_run": coming}
    return Told(lines, document, f"{decision_id} explained; times are UTC, Notion was not asked")


def _known_lines(item: Item, pair: Mapping[str, Any], events: Sequence[Change | Lost]) -> list[str]:
    """The row and the page, a line each."""
    row, link, changes = item.row, item.link, _changes(events)
    last = changes[-1] if changes else None
    if row is None:
        lines = ["row: none" + (f", deleted {_clock(last.at)}" if last and last.left is None else "")]
    else:
        by = f"by {f'run {last.run}' if last.run else 'somebody else'}" if last else ""
        since = f"changed {_clock(last.at)} {by}" if last else "never changed since it was made"
        ticks = f"{'retired' if row.content.active is False else 'active'}, {'' if row.synced else 'not '}synced"
        lines = [f"row: {_short(row.content.decision)}, {ticks}, {since}"]
    if link is None:
        return [*lines, "page: none is linked"]
    page = f"page: {link.page_id or 'none yet'}, {_STATES[link.state]}, as run {pair['link']['run']} left it"
    return [*lines, f"{page} {_clock(_stamp(pair['link']['updated_at']))}", *_apart(item, link)]


def _apart(item: Item, link: Link) -> list[str]:
    """Where the row, or the image of the page, is not what both sides last agreed on."""
    if item.row is None or link.base_row is None:
        return []
    lines = [
        f"{name}: {_arrow(link.base_row[name], item.row.content[name])} in Supabase since both sides agreed"
        for name in FIELDS
        if not same(name, link.base_row[name], item.row.content[name]) and name not in link.todo.held
    ]
    if link.base_page is not None and not link.base_page.in_trash:
        lines += [
            f"{name}: Notion keeps {_short(link.base_page.content[name])} for Supabase's {_short(link.base_row[name])}"
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
        f"{name} is held: both sides changed it{f' from {_short(base[name])}' if base else ''}, Supabase has "
        f"{_short(row[name])}; {settle}"
        for name in todo.held
    ]
    lines += [
        f"{'refused' if name == '*' else name}: {_NAMES[refusal.side]} does not take it: {refusal.why}; "
        "not tried again until it changes"
        for name, refusal in todo.refused.items()
    ]
    if todo.missing_since:
        lines.append(
            f"its page was not found {_clock(_stamp(todo.missing_since))}; it counts as deleted when it "
            "is still missing 10 minutes later"
        )
    return [*lines, *([f"to be tried again: {todo.retry}"] if todo.retry else [])]


def _last_touch(events: Sequence[Change | Lost], link: Mapping[str, Any] | None) -> tuple[str | None, datetime]:
    """The run that last wrote the row, the link or the log, and when."""
    touched = [(event.at, event.run) for event in events if event.run]
    if link and link["run"]:
        touched.append((_stamp(link["updated_at"]), link["run"]))
    at, run = max(touched, default=(EPOCH, None))
    return run, at


def _did(
    item: Item, events: Sequence[Change | Lost], last: tuple[str | None, datetime], runs: Mapping[str, Any]
) -> list[str]:
    """What the last run did with the decision, a line each, with the reason."""
    run, _ = last
    if run is None:
        return []
    undone = _undone_by(run, runs)
    lost = [event for event in events if isinstance(event, Lost) and event.run == run]
    told = {each.field for each in lost if not each.raw}
    lines = [each.line() for each in lost]
    lines += [
        f"{name}: {_arrow(was, now)}, {f'put back: undo of run {undone}' if undone else _why(item, name, now)}"
        for change in _changes(events)
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
    for change in reversed([change for change in _changes(events) if since < change.at <= at and change.run != run]):
        undone = _undone_by(change.run, runs)
        if change.run and not undone:
            break
        by = f"put back by the undo of {undone}" if undone else "edited in Supabase"
        for name, (was, now) in change.fields().items():
            if base and same(name, base[name], now):
                found.setdefault(name, f"{name}: {_arrow(was, now)}, {by} {_clock(change.at)}, is Notion's too now")
    return {name: found[name] for name in FIELDS if name in found}


def _earlier_run(runs: Mapping[str, Any], run: str | None, at: datetime) -> datetime:
    """When the sync before a run began, as far as it is known: what was edited before it is not that run's."""
    ended = {name: (_stamp(each["at"]), each["details"]) for name, each in runs.items() if name != run}
    began = [
        when - timedelta(seconds=details.get("seconds") or 0)
        for when, details in ended.values()
        if when < at and not details.get("undo")
    ]
    return max(began, default=EPOCH)


def _since(runs: Mapping[str, Any], run: str | None, at: datetime) -> list[str]:
    """That later runs wrote something, and not here: the newest."""
    later = [(name, _stamp(each["at"])) for name, each in runs.items() if name != run and _stamp(each["at"]) > at]
    return [f"run {name}, {_clock(when)}, wrote elsewhere and left this as it was" for name, when in later[:1]]


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


# --- undo


@dataclass(frozen=True, slots=True)
class Put:
    """A row and the values that go back into it."""

    id: str
    row: Decision
    values: Mapping[str, Value]

    def line(self) -> str:
        """What it does, in words."""
        parts = "; ".join(f"{name}: {_arrow(self.row[name], value)}" for name, value in self.values.items())
        return f"put back: {_title(self.row.decision)} [{self.id}] ({parts})"


@dataclass
class Undone:
    """What an undo did, or in a dry run would do.

    Args:
        run: its own id, by which it can be undone.
        of: the run that was undone.
        problems: what could not be put back, a line each.
        made: the rows that the run had inserted, which stay: titles by their ids.
    """

    run: str
    of: str
    dry_run: bool
    put: list[Put] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    made: Mapping[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """What was put back and what stays, a line each."""
        stay = [
            f"left: {_title(title)} [{row_id}] (inserted by that run; set active to false to retire it)"
            for row_id, title in self.made.items()
        ]
        return [*(put.line() for put in self.put), *stay]

    @property
    def open_problems(self) -> bool:
        """Whether anything could not be put back."""
        return bool(self.problems)

    def closing_line(self) -> str:
        """The one line that ends it."""
        numbers = f"{len(self.put)} put back, {len(self.problems)} skipped, {len(self.made)} inserted rows left"
        if self.dry_run:
            return f"would be: undo of run {self.of}: {numbers}"
        follows = f"; recorded as run {self.run}; Notion follows with the next sync" if self.put else ""
        return f"undo of run {self.of}: {numbers}{follows}"

    def json(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {
            "run": self.run,
            "undo": self.of,
            "dry_run": self.dry_run,
            "put_back": [
                {
                    "id": put.id,
                    "fields": {name: {"from": put.row[name], "to": value} for name, value in put.values.items()},
                }
                for put in self.put
            ],
            "left": [{"id": row_id, "decision": title} for row_id, title in self.made.items()],
            "problems": self.problems,
        }


class UnknownRunError(ConfigError):
    """No run of that id left a trace; the last runs are told with it."""

    def __init__(self, run: str, last: Sequence[Mapping[str, Any]]) -> None:
        remedy = "These are the last ones that wrote" if last else "No run has written anything yet"
        super().__init__("--undo", f"run {run!r} is not known", remedy)
        self.last = [_run_line(each) for each in last]

    @property
    def lines(self) -> tuple[str, ...]:
        """The refusal, and the last runs."""
        return (str(self), *self.last)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a run did to one field: the value before, and the one that it left."""

    put: Value
    left: Value


def undo(vault: Vault, run: str, of: str, *, dry_run: bool) -> Undone:
    """Puts every value back into the vault that a run overwrote, unless it was changed since; Notion follows by a sync.

    Raises:
        ConfigError: no such run is known. BusyError: another run is at it.
    """
    if of == run:
        raise ConfigError("--undo", f"{of} is this very run's id", "Unset RUN_ID, which gives every run the same")
    answer = vault.call("ledger_runs", {"run": of, "activities": [], "last": LAST_RUNS})
    if not answer["known"]:
        raise UnknownRunError(of, answer["runs"])
    undone = Undone(run, of, dry_run)
    with _leased(vault, run, dry_run=dry_run) as fence:
        events: defaultdict[str, list[Change | Lost]] = defaultdict(list)
        for event in _events(vault, run=of):
            events[event.decision_id].append(event)
        undone.made = {each["id"]: each["title"] for each in _paged(vault, "ledger_made", {"run": of})}
        rows = {item.id: item.row.content for item in vault.lookup(decisions=list(events)) if item.row}
        puts = [put for each in events if (put := _put(each, rows.get(each), events[each], undone.problems))]
        if fence is None:
            undone.put = puts
        else:
            _carry_out(vault, fence, undone, puts, events)
    return undone


def _put(row_id: str, row: Decision | None, events: Sequence[Change | Lost], problems: list[str]) -> Put | None:
    """What goes back into a row; adds a line for each thing that cannot."""
    wanted, why_not = _overwritten(events)
    if row is None:
        if wanted:
            problems.append(f"{row_id}: the row is not there any more; --history {row_id} shows what it had")
        return None
    about = f"{row_id} {_title(row.decision)}"
    problems += [f"{about}: {name}: {why}" for name, why in why_not.items()]
    values: dict[str, Value] = {}
    for name, each in wanted.items():
        if same(name, row[name], each.put):
            continue
        if same(name, row[name], each.left):
            values[name] = each.put
        else:
            problems.append(f"{about}: {name} was changed since, from {_arrow(each.left, row[name])}")
    return Put(row_id, row, values) if values else None


def _overwritten(events: Sequence[Change | Lost]) -> tuple[dict[str, _Wanted], dict[str, str]]:
    """What a run overwrote of one decision, by field; and what of it cannot go back into a row, with the reason."""
    wanted: dict[str, _Wanted] = {}
    why_not: dict[str, str] = {}
    for change in _changes(events):
        for name, (was, left) in change.fields().items():
            before = wanted.get(name)
            chained = before is not None and same(name, before.left, was)
            wanted[name] = _Wanted(before.put if before and chained else was, left)
    for lost in events:
        if not isinstance(lost, Lost) or lost.winner is Side.NOTION:
            continue
        if lost.raw:
            why_not[lost.field] = f"only Notion can hold what it had: see --history {lost.decision_id}"
        elif why := unfit_for_vault(lost.field, lost.before):
            why_not[lost.field] = why
        elif lost.field not in wanted:
            wanted[lost.field] = _Wanted(lost.before, lost.after)
    return wanted, why_not


def _carry_out(
    vault: Vault, fence: int, undone: Undone, puts: Sequence[Put], events: Mapping[str, Sequence[Change | Lost]]
) -> None:
    """Writes, each row only as it was looked at; one that moved is looked at again."""
    for _ in range(ROUNDS):
        results = vault.write(undone.run, fence, [Write(put.id, expect=put.row, set=put.values) for put in puts])
        told, moved = set(undone.problems), list[Put]()
        for put, result in zip(puts, results, strict=True):
            problems: list[str] = []
            if result.error:
                problems.append(f"{put.id} {_title(put.row.decision)}: Supabase refuses it: {result.error}")
            elif not result.moved:
                undone.put.append(put)
            elif again := _put(put.id, result.row.content if result.row else None, events[put.id], problems):
                moved.append(again)
            undone.problems += [line for line in problems if line not in told]
        puts = moved
    undone.problems += [f"{put.id} {_title(put.row.decision)}: kept changing meanwhile" for put in puts]
    if undone.put:
        _untick(vault, [put.id for put in undone.put])
        vault.confirm(undone.run, fence, None, _activity(undone))


def _untick(vault: Vault, ids: Sequence[str]) -> None:
    """Nobody may take a row for synced that Notion is still behind of."""
    for start in range(0, len(ids), BATCH_ITEMS):
        vault.call("ledger_untick", {"decisions": ids[start : start + BATCH_ITEMS]})


def _activity(undone: Undone) -> dict[str, Any]:
    status = "completed with problems" if undone.problems else "completed"
    counts = {"put_back": len(undone.put), "skipped": len(undone.problems), "left": len(undone.made)}
    return {
        "id": _activity_id(undone.run),
        "status": status,
        "details": {"run": undone.run, "undo": undone.of, **counts},
    }


@contextmanager
def _leased(vault: Vault, run: str, *, dry_run: bool) -> Iterator[int | None]:
    """The fence of the sync's lease, which is given back; None for a dry run, which takes none.

    Raises:
        BusyError: another run has it.
    """
    if dry_run:
        yield None
        return
    me = lease.holder(run)
    begin = vault.begin(me)
    if begin.fence is None and begin.busy is not None and lease.is_gone(begin.busy):
        begin = vault.begin({**me, "replace": begin.busy["fence"]})
    if begin.fence is None:
        busy = begin.busy or {}
        what = f"run {busy.get('holder')} on {busy.get('host')} (process {busy.get('pid')}) is at it"
        raise BusyError("sync", what, f"Wait for it; its lease ends at {busy.get('expires_at')}")
    try:
        yield begin.fence
    except BaseException:
        with contextlib.suppress(AnglesError):
            vault.release(lease.NAME, begin.fence)
        raise
    vault.release(lease.NAME, begin.fence)


# --- reading


def _events(vault: Vault, **of: str) -> list[Change | Lost]:
    """The ledger of one `decision` or one `run`, in the order of time."""
    return [_parse(data) for data in _paged(vault, "ledger_events", of)]


def _paged(vault: Vault, function: str, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        answer = vault.call(function, {**asked, "after": after})
        yield from answer["items"]
        after = answer["next"]
        if after is None:
            return


def _stamp(text: str | None) -> datetime:
    """A moment of the database's, in UTC."""
    return (parse_stamp(text) or EPOCH).astimezone(UTC)


def _parse(data: Mapping[str, Any]) -> Change | Lost:
    at = _stamp(data["at"])
    if data["kind"] == "loss":
        names = ("decision_id", "run", "field", "before", "after", "base")
        values = {name: data[name] for name in names}
        return Lost(at=at, winner=Side(data["winner"]), reason=data["reason"] or "", **values)
    left = None if data["left"] is None else from_image(data["left"])
    made = _stamp(data["made"]) if data["made"] else at
    return Change(data["number"], data["decision_id"], at, data["run"], made, from_image(data["was"]), left)


def _changes(events: Iterable[Change | Lost]) -> list[Change]:
    """The changes in the order in which the row took them, whatever the clock did."""
    return sorted((event for event in events if isinstance(event, Change)), key=lambda change: change.number)


def _known(vault: Vault, flag: str, decision_id: str) -> tuple[list[Change | Lost], Mapping[str, Any]]:
    """The ledger of a decision, and its row and link as they are.

    Raises:
        ConfigError: there is none of it.
    """
    pair: Mapping[str, Any] = vault.call("ledger_pair", {"decision": decision_id})
    events = _events(vault, decision=decision_id)
    if not (events or pair["row"] or pair["link"]):
        raise ConfigError(flag, f"there is no decision {decision_id}, and never was", "--export-only lists all")
    return events, pair


def _runs(vault: Vault, runs: Iterable[str | None], last: int = 0) -> dict[str, Any]:
    """The activity rows of runs, and of so many of the last ones: {at, status, details} by run, newest first."""
    ids = [_activity_id(run) for run in sorted({run for run in runs if run})]
    answer = vault.call("ledger_runs", {"activities": ids, "last": last})
    return {each["run"]: each for each in answer["runs"]}


def _undone_by(run: str | None, runs: Mapping[str, Any]) -> str | None:
    """The run that this one undid, if it did."""
    undone: str | None = runs[run]["details"].get("undo") if run and run in runs else None
    return undone


def _activity_id(run: str) -> str:
    """The id of a run's row in `agent_activity`."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"sync/{run}"))


def _run_line(each: Mapping[str, Any]) -> str:
    details = each["details"]
    if details.get("undo"):
        what = f"undo of {details['undo']}: {details.get('put_back')} put back"
    else:
        what = ", ".join(f"{details.get(name)} {name}" for name in ("copied", "merged", "retired"))
    return f"  {each['run']}  {_clock(_stamp(each['at']))}  {what}"


# --- words


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _title(text: str) -> str:
    text = " ".join(text.split()) or "(untitled)"
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _raw(value: Any) -> str:
    """What only Notion can hold, in words."""
    if isinstance(value, list):
        text = "".join(str(part.get("plain_text", "")) for part in value if isinstance(part, dict))
        return f"Notion's formatting of {_short(text)}"
    span = [str(value[name]) for name in ("start", "end", "time_zone") if value.get(name)]
    return f"Notion's {' to '.join(span[:2])}{' ' + span[2] if len(span) > 2 else ''}"


def _short(value: Any) -> str:
    text = "(empty)" if value is None else repr(value)
    return text if len(text) <= 50 else text[:49] + "…"


def _arrow(was: Value, now: Value) -> str:
    """From what to what; of two long texts, from where they part."""
    if not (isinstance(was, str) and isinstance(now, str)) or max(len(was), len(now)) <= 48:
        return f"{_short(was)} -> {_short(now)}"
    same_for = next((place for place, (one, two) in enumerate(zip(was, now, strict=False)) if one != two), None)
    start = max((min(len(was), len(now)) if same_for is None else same_for) - 12, 0)
    mark = "…" if start else ""
    return f"{_short(mark + was[start:])} -> {_short(mark + now[start:])}"
