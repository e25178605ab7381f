"""The ten rules that hold for every run of the sync, as checks of what both services have before it and after it.

Every `World` has a `Watch`, which checks them around every run, and once more when the test is over; a test forgets
none. One that leaves a rule's ground on purpose says so: `world.watch.excuse(3, "Notion folds the options")`.

1 a second run writes nothing; 2 every value that was ever live is live, or in the ledger, or in the history; 3 one
live page a row, and a row's id never changes; 4 a refused run wrote no content; 5 nothing goes whose other side
changed; 6 what was not listed is not gone; 7 what was not said is not empty; 8 a PATCH carries only changed fields;
9 an image holds only what its side confirmed; 10 bookkeeping is never taken for an edit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

from utils.decision import FIELDS, Decision, from_image, normal, same
from utils.errors import ConfigError, SafetyError
from utils.local.notion.faults import Logged
from utils.stores.notion_values import MENTIONS_SHOWN, NAMES, TYPES
from utils.sync.report import Report
from utils.sync.session import Options

if TYPE_CHECKING:
    from tests.world import World

Values = frozenset[tuple[str, Any]]
KEPT = ("decision", "date", "type", "comment")
"""The fields whose values are looked for: a box has no value to lose."""

ORDINARY = Options()
PEOPLE = ("create", "edit", "trash", "restore", "purge", "duplicate", "move")
SCHEMA = ("rename_property", "retype_property", "remove_property", "add_property", "rename_option")


@dataclass(frozen=True)
class Seen:
    """A page as it is; `at_home` in the database that is synced."""

    id: str
    content: Decision
    decision_id: str
    in_trash: bool
    by_bot: bool
    at_home: bool
    raw: Mapping[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Facts:
    """What both services have: rows by id, pages by id, links by row id, and all values that are kept anywhere.

    `folds`: Notion takes an option that differs in case only for the one that it has.
    """

    rows: Mapping[str, Decision]
    pages: Mapping[str, Seen]
    links: Mapping[str, dict[str, Any]]
    found: Values
    everything: Mapping[str, Any]
    folds: bool = False

    def alike(self, name: str, one: Any, other: Any) -> bool:
        """Whether two values are the same, but for the case of an option, where Notion goes on with the one it has."""
        folded = self.folds and name == "type" and str(one).casefold() == str(other).casefold()
        return folded or same(name, one, other)

    @property
    def live(self) -> Values:
        """The values that rows and pages have."""
        contents = [*self.rows.values(), *(page.content for page in self.pages.values())]
        return frozenset().union(*map(_values, contents))

    def page_of(self, decision_id: str) -> Seen | None:
        """The page of a row, by its link; None where there is none (any more)."""
        link = self.links.get(decision_id)
        return self.pages.get(link["page_id"] or "") if link else None


@dataclass
class Watch:
    """Watches a world: what people do in Notion, every run of the sync, and the end.

    Args:
        ids: the properties' ids by database and field; they never change, as their names do.
        expected: the values that must be found.
        shown: the values that each page's fields had.
        done: how often people did something.
        ended: what there was after the last run, if that was one that leaves nothing to do.
        running: a run is going on.
        stray: a process that somebody started, and maybe killed, made requests that may be logged late.
        excused: why a rule is not held to, by its number.
    """

    world: World
    ids: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    expected: set[tuple[str, Any]] = field(default_factory=set)
    shown: dict[tuple[str, str], set[Any]] = field(default_factory=lambda: defaultdict(set))
    done: int = 0
    ended: Facts | None = None
    running: bool = False
    stray: bool = False
    excused: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        control = self.world.sandbox.control
        for name in (*(f"person_{each}" for each in PEOPLE), *SCHEMA):
            setattr(control, name, self._watched(getattr(control, name)))
        self.forget()

    def forget(self) -> None:
        """Begins anew with what there is now: both sides were emptied, or put back, past all that keeps values."""
        self.expected.clear()
        self.ended = None
        now = self.facts()
        self.note(now)
        for link in now.links.values():
            for name in FIELDS if link["base_page"] else ():
                self.shown[link["page_id"], name].add(normal(name, link["base_page"].get(name)))

    def excuse(self, rule: int, why: str) -> None:
        """Lets a test off a rule: of 1 the end is not looked at, of 3 not whether both sides are equal there."""
        self.excused[rule] = why

    def facts(self) -> Facts:
        """What there is now."""
        world = self.world
        pages, tables = self.pages(), world.tables()
        rows = {row["id"]: from_image(row) for row in _rows(tables, "decision_vault")}
        links = {row["decision_id"]: row for row in _rows(tables, "sync_links")}
        kept = {
            (row["field"], _value(row["field"], value))
            for row in _rows(tables, "sync_log")
            for value in (row["before"], row["after"])
            if not isinstance(value, dict | list)
        }
        kept = kept.union(*(_values(from_image(row["was"])) for row in _rows(tables, "decision_history")))
        kept = kept.union(*map(_values, (*rows.values(), *(page.content for page in pages.values()))))
        everything = {**tables, "pages": {page.id: page.raw for page in pages.values()}}
        return Facts(rows, pages, links, frozenset(kept), everything, world.sandbox.control.settings().fold_options)

    def note(self, facts: Facts) -> None:
        """Remembers what is to be seen now."""
        self.expected |= facts.live
        for page in facts.pages.values():
            for name in FIELDS:
                self.shown[page.id, name].add(normal(name, page.content[name]))

    @contextmanager
    def person(self) -> Iterator[None]:
        """Somebody edits pages: what they overwrite or purge before a sync saw it is no loss of ours.

        Between runs the next one finds out; what is overwritten in the vault is in its history.
        """
        self.done += 1
        if not (self.running or self.stray):
            yield
            return
        before = self.facts()
        self.nothing_lost(before)
        self.note(before)
        yield
        after = self.facts()
        self.expected &= after.found
        self.note(after)

    @contextmanager
    def run(self, options: Options = ORDINARY) -> Iterator[Callable[[Report], Report]]:
        """A run, which tells its report if it has one; what it raises goes on after the checks."""
        control, told = self.world.sandbox.control, list[Report]()
        before, done, asked = self.facts(), self.done, control.request_count()
        self.expected &= before.found
        self.note(before)
        self.ended, self.running = None, True

        def tell(report: Report) -> Report:
            told.append(report)
            return report

        unwritten = "4: a dry run wrote content" if options.dry_run else ""
        try:
            yield tell
        except (SafetyError, ConfigError):
            unwritten = "4: a refused run wrote content"
            raise
        finally:
            self.running = False
            after = self.facts()
            self.nothing_lost(after)
            self.note(after)
            self.images_are_confirmed(after)
            if self.done == done:
                assert not unwritten or after.everything == before.everything, unwritten
                rows_keep_their_ids(before, after, resync=options.resync)
                nothing_goes_unsaid(before, after, resync=options.resync)
                values_come_from_the_other_side(before, after)
                self.patches_carry_changes(before, control.requests()[asked:] if not self.stray else [])
                whole = options.direction == "both" and not options.dry_run
                self.ended = after if whole and told and not told[0].counts["failed"] else None
            self.stray = False

    def close(self) -> None:
        """Rules 1 and 10, and that both sides are equal: when the test is over, a further run finds nothing to do.

        What the test itself left undone is done first.
        """
        world = self.world
        world.sandbox.control.disarm()
        world.tap = lambda _vault, _notion: None
        world.db.execute("update leases set expires_at = now()")
        if 1 in self.excused:
            return
        try:
            for _ in range(3):
                if self.ended is None or self.ended.everything != self.facts().everything:
                    world.sync()
        except (SafetyError, ConfigError):
            return
        before = self._bookkeeping_moved()
        report = world.sync()
        assert not report.wrote, f"1: a further run wrote: {report.lines}"
        after = self.facts()
        for name in ("rows", "links", "found"):
            assert getattr(after, name) == getattr(before, name), f"1: a further run wrote {name}"
        assert after.pages == before.pages, "1: a further run wrote pages"
        if not report.problems and 3 not in self.excused:
            equal_and_alone(after)

    def _bookkeeping_moved(self) -> Facts:
        """Moves all that is no content, on both sides; answers what there is then."""
        world, control = self.world, self.world.sandbox.control
        world.db.execute(
            "update decision_vault set synced = false, updated_at = '2031-01-01', created_at = '2001-01-01'"
        )
        titles = [
            name for name, each in control.schema(database_id=world.database_id).items() if each["type"] == "title"
        ]
        for page in control.pages(database_id=world.database_id)[:1]:
            text = page["properties"][titles[0]]["title"]
            control.person_edit(page["id"], {titles[0]: "".join(run["plain_text"] for run in text)})
        return self.facts()

    def _watched(self, do: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(do)
        def watched(*arguments: Any, **named: Any) -> Any:
            with self.person():
                return do(*arguments, **named)

        return watched

    def nothing_lost(self, facts: Facts) -> None:
        """Rule 2."""
        lost = self.expected - facts.found
        assert not lost, f"2: lost {sorted(map(str, lost))}"

    def images_are_confirmed(self, facts: Facts) -> None:
        """Rule 9: an image's value is one that its side had, or an empty one that stands for none."""
        history: dict[tuple[str, str], set[Any]] = defaultdict(set)
        for old in self.world.db.execute("select decision_id::text as id, was from decision_history"):
            for name in FIELDS:
                history[old["id"], name].add(normal(name, old["was"][name]))
        for one, link in facts.links.items():
            for name in FIELDS:
                row = facts.rows.get(one)
                if link["base_row"] and (value := normal(name, link["base_row"].get(name))):
                    had = history[one, name] | ({normal(name, row[name])} if row else set())
                    assert value in had or name == "active", f"9: base_row of {one} says {name} {value!r}"
                if link["base_page"] and (value := normal(name, link["base_page"].get(name))):
                    had = self.shown[link["page_id"], name]
                    assert value in had or name == "active", f"9: base_page of {one} says {name} {value!r}"

    def patches_carry_changes(self, before: Facts, requests: list[Logged]) -> None:
        """Rule 8."""
        names = {ident: name for ids in self.ids.values() for name, ident in ids.items()}
        for asked in requests:
            page = before.pages.get(asked.path.rsplit("/", 1)[-1])
            if asked.method != "PATCH" or page is None:
                continue
            for ident, sent in (asked.body or {}).get("properties", {}).items():
                name = names[ident]
                old = page.decision_id if name == "id" else page.content[name]
                assert _plain(sent) != (old if name == "active" else old or None), (
                    f"8: a PATCH carries {name} {old!r}, which {page.id} had"
                )

    def pages(self) -> dict[str, Seen]:
        """The pages of every database that was synced, live ones and those in the bin."""
        control = self.world.sandbox.control
        with control.store.reading() as session:
            bot = session.identity.bot_id
        here = self.world.database_id
        known, schema = self.ids[here], control.schema(database_id=here)
        there = {each["id"] for each in schema.values()}
        for name in (*FIELDS, "id"):
            if known.get(name) not in there and (found := _property(name, schema)):
                known[name] = found
        return {
            page["id"]: _seen(self._whole(page), ids, by_bot=page["created_by"]["id"] == bot, at_home=database == here)
            for database, ids in self.ids.items()
            for in_trash in (False, True)
            for page in control.pages(database_id=database, in_trash=in_trash)
        }

    def _whole(self, page: dict[str, Any]) -> dict[str, Any]:
        """A page with all of its texts: the API shows a part of one with many mentions."""
        texts = {
            name: each["type"] for name, each in page["properties"].items() if each["type"] in {"title", "rich_text"}
        }
        if any(len(page["properties"][name][kind]) >= MENTIONS_SHOWN for name, kind in texts.items()):
            values = self.world.sandbox.control.values(page["id"])
            for name, kind in texts.items():
                page["properties"][name][kind] = [{"plain_text": values[name]}]
        return page


def rows_keep_their_ids(before: Facts, after: Facts, *, resync: bool) -> None:
    """Rule 3: no row goes, and a row keeps its page while that lives."""
    gone = set(before.rows) - set(after.rows)
    assert not gone, f"3: the rows {gone} are gone"
    for one in before.links:
        page, now = before.page_of(one), after.links.get(one)
        adopted = one not in before.rows and any(link["page_id"] == page.id for link in after.links.values() if page)
        if page and not page.in_trash and not resync and not adopted:
            assert now, f"3: the link of {one} is gone though its page lives"
            assert now["page_id"] == page.id, f"3: {one} left its live page"


def nothing_goes_unsaid(before: Facts, after: Facts, *, resync: bool) -> None:
    """Rules 5 and 6: a row retires, and a page is trashed, because the other side went and nothing changed here."""
    for one, row in before.rows.items():
        if row.active is False or after.rows[one].active is not False:
            continue
        page, link = before.page_of(one), before.links.get(one)
        assert link, f"6: {one} retired, though it had no page"
        if page and not page.in_trash:
            assert page.content.active is False, f"6: {one} retired, though its page lives and is ticked"
            continue
        assert not resync, f"5: a resync retired {one}"
        sent = page if link["intent"] else None  # an edit that reached the page, though the run was cut, is known there
        for name in FIELDS:
            known = same(name, row[name], (link["base_row"] or {}).get(name)) or (
                sent is not None and same(name, row[name], sent.content[name])
            )
            assert known, f"5: {one} retired under an edit of {name}"
    for page in before.pages.values():
        now = after.pages[page.id]
        if page.in_trash or not now.in_trash:
            continue
        linked = [link for link in before.links.values() if link["page_id"] == page.id]
        if not linked:
            twins = [each for each in after.pages.values() if each.decision_id == page.decision_id]
            assert page.by_bot, f"6: the person's page {page.id} was trashed"
            assert len(twins) > 1, f"6: the only page {page.id} of {page.decision_id} was trashed"
            continue
        (link,) = linked
        assert link["decision_id"] not in before.rows, f"6: {page.id} was trashed, though its row is there"
        assert not resync, f"5: a resync trashed {page.id}"
        base = link["base_page"] or (link["intent"] or {"page": None})["page"]
        assert all(same(name, page.content[name], base.get(name)) for name in FIELDS), (
            f"5: {page.id} trashed under an edit"
        )


def values_come_from_the_other_side(before: Facts, after: Facts) -> None:
    """Rule 7, and more: what a run gives to a side is what the other had; nothing is emptied that was not empty."""
    for one, row in after.rows.items():
        page, old = after.page_of(one), before.rows.get(one)
        seen = before.pages.get(page.id) if page else None
        for name in KEPT:
            if old and not same(name, row[name], old[name]):
                assert seen, f"7: row {one} got {name} {row[name]!r} from nowhere"
                assert same(name, row[name], seen.content[name]), f"7: row {one} got {name} {row[name]!r} from nowhere"
            if page and seen and not same(name, page.content[name], seen.content[name]):
                wanted = row[name] if old is None else old[name]
                assert after.alike(name, page.content[name], wanted), (
                    f"7: page {page.id} got {name} {page.content[name]!r}"
                )


def equal_and_alone(facts: Facts) -> None:
    """Rule 3, and what the sync is for: every row that is not retired has one live page, of the same content."""
    live = [page for page in facts.pages.values() if page.at_home and not page.in_trash]
    by_id = {page.decision_id: page for page in live}
    assert len(by_id) == len(live), "3: two live pages carry one Decision ID"
    for one, page in by_id.items():
        assert one in facts.rows, f"3: page {page.id} ({page.decision_id}) has no row"
        row = facts.rows[one]
        assert all(facts.alike(name, row[name], page.content[name]) for name in FIELDS), f"unequal: {row} and {page}"
    lonely = [one for one, row in facts.rows.items() if one not in by_id and row.active is not False]
    assert not lonely, f"3: active rows without a live page: {lonely}"


def _property(name: str, schema: Mapping[str, Any]) -> str | None:
    """The id of a field's property by its standard name, the title's by its type."""
    named = [each for shown, each in schema.items() if shown == NAMES[name] and each["type"] == TYPES[name]]
    titles = [each for each in schema.values() if name == "decision" and each["type"] == "title"]
    return next((str(each["id"]) for each in (*named, *titles)), None)


def _seen(page: dict[str, Any], ids: Mapping[str, str], *, by_bot: bool, at_home: bool) -> Seen:
    by_id = {each["id"]: each for each in page["properties"].values()}
    value: dict[str, Any] = {
        name: _plain(by_id[ident]) if ident in by_id and by_id[ident]["type"] == TYPES[name] else None
        for name in TYPES
        for ident in [ids.get(name)]
    }
    content = Decision(value["decision"] or "", value["date"], value["type"] or None, value["active"], value["comment"])
    return Seen(page["id"], content, value["id"] or "", page["in_trash"], by_bot, at_home, page)


def _rows(tables: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [each["row"] for each in tables[name]]


def _values(content: Decision) -> Values:
    return frozenset((name, content[name]) for name in KEPT if content[name])


def _value(name: str, value: Any) -> Any:
    return value or None


def _plain(value: Mapping[str, Any]) -> Any:
    """A property's value, as sent or as shown, as a decision has it."""
    if "checkbox" in value:
        return value["checkbox"]
    if "select" in value:
        return value["select"]["name"] if value["select"] else None
    if "date" in value:
        return value["date"]["start"][:10] if value["date"] else None
    runs = value["title"] if "title" in value else value["rich_text"]
    return "".join(run["plain_text"] if "plain_text" in run else run["text"]["content"] for run in runs) or None
