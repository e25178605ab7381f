"""The ten rules that hold for every run of the sync, as checks of what both services have before it and after it.

1 a second run writes nothing; 2 every value that was ever live is live, or in the ledger, or in the history; 3 one
live page a row, and a row's id never changes; 4 a refused run wrote no content; 5 nothing goes whose other side
changed; 6 what was not listed is not gone; 7 what was not said is not empty; 8 a PATCH carries only changed fields;
9 an image holds only what its side confirmed; 10 bookkeeping is never taken for an edit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.world import World
from utils.decision import FIELDS, Decision, from_image, normal, same
from utils.errors import ConfigError, SafetyError
from utils.local.notion.faults import Logged
from utils.stores.notion_values import NAMES
from utils.sync.report import Report

Values = frozenset[tuple[str, Any]]
KEPT = ("decision", "date", "type", "comment")
"""The fields whose values are looked for: a box has no value to lose."""


@dataclass(frozen=True)
class Seen:
    """A page as it is."""

    id: str
    content: Decision
    decision_id: str
    in_trash: bool
    by_bot: bool


@dataclass(frozen=True)
class Facts:
    """What both services have: rows by id, pages by id, links by row id, and all values that are kept anywhere."""

    rows: Mapping[str, Decision]
    pages: Mapping[str, Seen]
    links: Mapping[str, dict[str, Any]]
    found: Values
    everything: Mapping[str, Any]

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
    """Watches a world: every person's doing goes through `person`, every run through `run`.

    Args:
        ids: the properties' ids by field; they never change, as their names do.
        expected: the values that must be found.
        shown: the values that each page's fields had.
    """

    world: World
    ids: dict[str, str] = field(default_factory=dict)
    expected: set[tuple[str, Any]] = field(default_factory=set)
    shown: dict[tuple[str, str], set[Any]] = field(default_factory=lambda: defaultdict(set))
    meddled: bool = False

    def __post_init__(self) -> None:
        self.ids = {name: self.world.sandbox.control.schema()[NAMES[name]]["id"] for name in (*FIELDS, "id")}
        self.note(self.facts())

    def facts(self) -> Facts:
        """What there is now."""
        world = self.world
        listed = [*world.sandbox.control.pages(), *world.sandbox.control.pages(in_trash=True)]
        pages = {page["id"]: self._seen(page) for page in listed}
        links = world.db.execute(
            "select decision_id::text, page_id::text, state, base_row, base_page, intent, todo from sync_links"
        ).fetchall()
        rows = world.rows()
        kept = {
            (row["field"], _value(row["field"], value))
            for row in world.db.execute("select field, before, after from sync_log")
            for value in (row["before"], row["after"])
            if not isinstance(value, dict | list)
        }
        for row in world.db.execute("select was from decision_history"):
            kept |= _values(from_image(row["was"]))
        for content in (*rows.values(), *(page.content for page in pages.values())):
            kept |= _values(content)
        everything = {name: part for name, part in world.everything().items() if name != "schema"}
        return Facts(rows, pages, {row["decision_id"]: row for row in links}, frozenset(kept), everything)

    def note(self, facts: Facts) -> None:
        """Remembers what is to be seen now."""
        self.expected |= facts.live
        for page in facts.pages.values():
            for name in FIELDS:
                self.shown[page.id, name].add(normal(name, page.content[name]))

    @contextmanager
    def person(self) -> Iterator[None]:
        """Somebody does something: what they themselves overwrite or purge before a sync saw it is no loss of ours."""
        before = self.facts()
        self.nothing_lost(before)
        self.note(before)
        yield
        after = self.facts()
        self.expected &= after.found
        self.note(after)
        self.meddled = True

    @contextmanager
    def run(self, *, resync: bool = False) -> Iterator[list[Report]]:
        """A run, whose report goes into the list that is given; what it raises goes on after the checks."""
        reports: list[Report] = []
        before = self.facts()
        self.meddled = False
        self.world.sandbox.control.reset_requests()
        try:
            yield reports
        except (SafetyError, ConfigError):
            after = self.facts()
            assert after.everything == before.everything, "4: a refused run wrote content"
            raise
        finally:
            after = self.facts()
            self.nothing_lost(after)
            self.note(after)
            self.images_are_confirmed(after)
            if not self.meddled:
                rows_keep_their_ids(before, after, resync=resync)
                nothing_goes_unsaid(before, after, resync=resync)
                values_come_from_the_other_side(before, after)
                self.patches_carry_changes(before, self.world.sandbox.control.requests())

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
        names = {ident: name for name, ident in self.ids.items()}
        for asked in requests:
            page = before.pages.get(asked.path.rsplit("/", 1)[-1])
            if asked.method != "PATCH" or page is None:
                continue
            for ident, sent in (asked.body or {}).get("properties", {}).items():
                name = names[ident]
                old = page.decision_id if name == "id" else normal(name, page.content[name])
                assert _plain(sent) != old, f"8: a PATCH carries {name} {old!r}, which {page.id} had"

    def _seen(self, page: dict[str, Any]) -> Seen:
        by_id = {each["id"]: each for each in page["properties"].values()}
        value = {name: _plain(by_id[ident]) for name, ident in self.ids.items() if ident in by_id}
        content = Decision(value["decision"], value["date"], value["type"] or None, value["active"], value["comment"])
        return Seen(page["id"], content, value["id"], page["in_trash"], page["created_by"]["id"] == self._bot)

    @property
    def _bot(self) -> str:
        with self.world.sandbox.control.store.reading() as session:
            return session.identity.bot_id


def rows_keep_their_ids(before: Facts, after: Facts, *, resync: bool) -> None:
    """Rule 3: no row goes, and a row keeps its page while that lives."""
    gone = set(before.rows) - set(after.rows)
    assert not gone, f"3: the rows {gone} are gone"
    for one in before.links:
        page, now = before.page_of(one), after.links.get(one)
        if page and not page.in_trash and not resync:
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
            known = same(name, row[name], link["base_row"].get(name)) or (
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
                assert same(name, page.content[name], wanted), f"7: page {page.id} got {name} {page.content[name]!r}"


def equal_and_alone(facts: Facts) -> None:
    """Rule 3, and what the sync is for: every row that is not retired has one live page, of the same content."""
    live = [page for page in facts.pages.values() if not page.in_trash]
    by_id = {page.decision_id: page for page in live}
    assert len(by_id) == len(live), "3: two live pages carry one Decision ID"
    for one, page in by_id.items():
        assert one in facts.rows, f"3: page {page.id} ({page.decision_id}) has no row"
        row = facts.rows[one]
        assert all(same(name, row[name], page.content[name]) for name in FIELDS), f"unequal: {row} and {page}"
    lonely = [one for one, row in facts.rows.items() if one not in by_id and row.active is not False]
    assert not lonely, f"3: active rows without a live page: {lonely}"


def _values(content: Decision) -> Values:
    return frozenset((name, content[name]) for name in KEPT if content[name])


def _value(name: str, value: Any) -> Any:
    return value or None


def _plain(value: Mapping[str, Any]) -> Any:
    """A property's value, as sent or as shown, as a decision has it."""
    if "checkbox" in value:
        return value["checkbox"]
    if "select" in value:
        return normal("type", value["select"]["name"] if value["select"] else None)
    if "date" in value:
        return value["date"]["start"][:10] if value["date"] else None
    runs = value["title"] if "title" in value else value["rich_text"]
    return "".join(run["plain_text"] if "plain_text" in run else run["text"]["content"] for run in runs)
