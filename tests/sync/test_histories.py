"""Random histories of people, runs and failures on the real parts: the rules hold at every step, and all ends equal."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.sync.rules import Seen, equal_and_alone
from tests.sync.snapshots import Snapshot, restored, taken
from tests.sync.wire import ANY, KilledError, Point, Wire, bury
from tests.world import World
from utils.errors import SafetyError, ServiceError
from utils.local.notion import Fault

SEED = 20261101
SHORT, LONG = {"postgres": 2_000, "supabase": 200}, {"postgres": 6_000, "supabase": 1_000}
"""Random steps by store: always, and with --long."""

AT_ONCE = 5
"""Histories that one seed gives."""

NAMESPACE = uuid.UUID("5d3a2f0e-0000-4000-8000-000000000000")

places = st.integers(0, 30)
fields = st.sampled_from(["decision", "date", "type", "comment", "active"])
calls = st.integers(1, 40)

FAULTS: dict[str, Callable[[int], Fault]] = {
    "429": lambda at: Fault(429, retry_after=0, skip=at),
    "409": lambda at: Fault(409, skip=at),
    "502": lambda at: Fault(502, skip=at),
    "502 after": lambda at: Fault(502, skip=at, after=True),
    "529 after": lambda at: Fault(529, retry_after=0, skip=at, after=True),
    "cut": lambda at: Fault(cut=True, skip=at),
    "cut after": lambda at: Fault(cut=True, skip=at, after=True),
    "down": lambda at: Fault(503, skip=at, count=0),
    "down after": lambda at: Fault(504, skip=at, count=0, after=True),
}


class Histories(RuleBasedStateMachine):
    """People and runs."""

    world: ClassVar[World]
    snapshot: ClassVar[Snapshot]
    steps: ClassVar[int] = 0
    runs: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.here = self.stack.enter_context(restored(self.snapshot, self.world))
        self.watch = self.here.watch
        self.ids = self.watch.ids[self.here.database_id]
        self.number = 0
        self.deleted: list[str] = []
        self.unheard = False
        self.behind = 0

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.stack.close()

    @initialize(
        trash=st.booleans(),
        restore=st.booleans(),
        option=st.booleans(),
        fold=st.booleans(),
        date=st.booleans(),
        hours=st.sampled_from([0, 5, -5]),
    )
    def unknowns(self, trash: bool, restore: bool, option: bool, fold: bool, date: bool, hours: int) -> None:
        """What is not known of Notion is this way or that; this machine's clock is off by hours."""
        control = self.here.sandbox.control
        control.switch(
            trash_moves_stamp=trash,
            restore_moves_stamp=restore,
            option_rename_moves_stamp=option,
            fold_options=fold,
            date_header=date,
        )
        self.here.now = lambda: control.now() + timedelta(hours=hours)

    # --- what there is to choose from

    def new(self, name: str, box: bool) -> Any:
        """A value that no field had before."""
        self.number += 1
        if name == "active":
            return box
        return (
            f"2027-{self.number // 28 % 12 + 1:02}-{self.number % 28 + 1:02}" if name == "date" else f"v{self.number}"
        )

    def row(self, place: int) -> str | None:
        found = sorted(self.here.rows().items(), key=lambda each: (repr(each[1]), each[0]))
        return found[place % len(found)][0] if found else None

    def page(self, place: int, *, in_trash: bool = False) -> Seen | None:
        pages = [page for page in self.watch.pages().values() if page.in_trash == in_trash]
        found = sorted(pages, key=lambda page: (repr(page.content), page.id))
        return found[place % len(found)] if found else None

    def edit_page(self, page_id: str, name: str, value: Any) -> None:
        """A person edits a page whose properties may have been renamed."""
        control = self.here.sandbox.control
        names = {each["id"]: shown for shown, each in control.schema().items()}
        control.person_edit(page_id, {names[self.ids[name]]: value})

    # --- people

    def step(self) -> None:
        Histories.steps += 1

    @rule(place=places, name=fields, box=st.booleans())
    def edits_a_row(self, place: int, name: str, box: bool) -> None:
        if one := self.row(place):
            self.step()
            self.here.update(one, **{name: self.new(name, box)})

    @rule(place=places, name=st.sampled_from(["date", "type", "comment"]))
    def empties_a_field_of_a_row(self, place: int, name: str) -> None:
        if one := self.row(place):
            self.step()
            self.here.update(one, **{name: None})

    @rule()
    def adds_a_row(self) -> None:
        self.step()
        self.number += 1
        one = str(uuid.uuid5(NAMESPACE, str(self.number)))
        self.here.insert(f"v{self.number}", id=one, comment=f"c{self.number}", type=None)

    @rule(place=places)
    def deletes_a_row(self, place: int) -> None:
        if one := self.row(place):
            self.step()
            self.here.delete(one)
            self.deleted.append(one)

    @rule(place=places, same=st.booleans(), active=st.booleans())
    def inserts_a_deleted_row_again(self, place: int, same: bool, active: bool) -> None:
        if self.deleted:
            one = self.deleted.pop(place % len(self.deleted))
            if one in self.here.rows():
                return
            was = self.here.db.execute(
                "select was from decision_history where decision_id = %s order by id desc limit 1", (one,)
            ).fetchone()
            self.step()
            self.number += 1
            values = {name: was["was"][name] for name in ("decision", "date", "type", "comment")} if was else {}
            anew = one if same else str(uuid.uuid5(NAMESPACE, str(self.number)))
            self.here.insert(**{**values, "active": active, "id": anew})

    @rule(place=places, name=fields, box=st.booleans())
    def edits_a_page(self, place: int, name: str, box: bool) -> None:
        if page := self.page(place):
            self.step()
            self.edit_page(page.id, name, self.new(name, box))

    @rule(place=places, name=st.sampled_from(["date", "type", "comment"]))
    def empties_a_field_of_a_page(self, place: int, name: str) -> None:
        if page := self.page(place):
            self.step()
            self.edit_page(page.id, name, None)

    @rule(place=places, name=fields, box=st.booleans(), alike=st.booleans())
    def edits_both(self, place: int, name: str, box: bool, alike: bool) -> None:
        one = self.row(place)
        page = self.watch.facts().page_of(one) if one else None
        if one and page and not page.in_trash:
            self.step()
            value = self.new(name, box)
            self.here.update(one, **{name: value})
            self.edit_page(page.id, name, value if alike else self.new(name, not box))

    @rule()
    def adds_a_page(self) -> None:
        self.step()
        page = self.here.sandbox.control.person_create({})
        self.edit_page(page, "decision", self.new("decision", True))
        self.edit_page(page, "active", True)

    @rule(place=places)
    def trashes_a_page(self, place: int) -> None:
        if page := self.page(place):
            self.step()
            self.here.sandbox.control.person_trash(page.id)

    @rule(place=places)
    def restores_a_page(self, place: int) -> None:
        if page := self.page(place, in_trash=True):
            self.step()
            self.here.sandbox.control.person_restore(page.id)

    @rule(place=places, in_trash=st.booleans())
    def purges_a_page(self, place: int, in_trash: bool) -> None:
        if page := self.page(place, in_trash=in_trash):
            self.unheard = True
            self.step()
            self.here.sandbox.control.person_purge(page.id)

    @rule(place=places)
    def duplicates_a_page(self, place: int) -> None:
        if page := self.page(place):
            self.step()
            self.here.sandbox.control.person_duplicate(page.id)

    @rule(place=places, other=places, how=st.sampled_from(["cleared", "garbage", "foreign", "taken", "swapped"]))
    def spoils_a_decision_id(self, place: int, other: int, how: str) -> None:
        page, second = self.page(place), self.page(other)
        if page and second:
            self.step()
            self.number += 1
            foreign = str(uuid.uuid5(NAMESPACE, f"foreign {self.number}"))
            texts = {"cleared": None, "garbage": "no id", "foreign": foreign}
            self.edit_page(page.id, "id", texts.get(how, second.decision_id))
            if how == "swapped":
                self.edit_page(second.id, "id", page.decision_id)

    @rule(place=places)
    def loses_a_link(self, place: int) -> None:
        """What the vault knew of a pair is gone; the page's Decision ID still tells it."""
        one = self.row(place)
        page = self.watch.facts().page_of(one) if one else None
        if one and page and page.decision_id == one:
            self.step()
            self.here.db.execute("delete from sync_links where decision_id = %s", (one,))

    @rule()
    def loses_all_links(self) -> None:
        """What the vault knew of all pairs is gone; its state is not, which knows properties by their ids."""
        self.step()
        self.here.db.execute("truncate sync_links")

    @rule(name=st.sampled_from(["date", "type", "comment", "active", "id"]))
    def renames_a_property(self, name: str) -> None:
        self.step()
        self.number += 1
        control = self.here.sandbox.control
        names = {each["id"]: shown for shown, each in control.schema().items()}
        control.rename_property(names[self.ids[name]], f"Named {self.number}")

    @rule(place=places)
    def renames_an_option(self, place: int) -> None:
        control = self.here.sandbox.control
        shown = next((each for each in control.schema().values() if each["id"] == self.ids["type"]), None)
        if shown and (options := [option["name"] for option in shown["select"]["options"]]):
            self.step()
            control.rename_option(shown["name"], options[place % len(options)], self.new("type", True))

    @rule(seconds=st.sampled_from([61, 240, 700, 90_000]))
    def time_passes(self, seconds: int) -> None:
        Histories.steps += 1
        self.here.sandbox.control.advance(seconds)

    @rule(seconds=st.sampled_from([100, 240, 7_200]))
    def notion_s_clock_is_set_back_and_a_run_follows(self, seconds: int) -> None:
        """Where no Date header or no finished run tells of it, the next full comparison has to."""
        self.behind += seconds
        self.here.sandbox.control.advance(-seconds)
        finished = self.goes(Wire())
        self.unheard = self.unheard or not finished or not self.here.sandbox.control.settings().date_header

    @rule(place=places)
    def touches_what_is_no_content(self, place: int) -> None:
        """Rule 10: between two runs, nothing but bookkeeping moves."""
        self.settle()
        self.step()
        if one := self.row(place):
            self.here.update(one, synced=False, updated_at="2031-01-01", created_at="2001-01-01")
        if page := self.page(place):
            self.edit_page(page.id, "decision", page.content.decision)
        report = self.here.sync()
        assert not report.wrote, f"10: bookkeeping was taken for an edit: {report.lines}"

    # --- runs

    def goes(self, wire: Wire, **options: Any) -> bool:
        """A run that may fail in the ways that were arranged; answers whether it came to its end."""
        Histories.steps += 1
        Histories.runs += 1
        self.here.tap = wire.tap
        try:
            self.here.sync(**options)
        except (SafetyError, ServiceError, KilledError):
            bury(self.here)
            return False
        else:
            return True
        finally:
            self.here.sandbox.control.disarm()
            self.here.tap = Wire().tap

    @rule()
    def a_run(self) -> None:
        self.goes(Wire())

    @rule(
        direction=st.sampled_from(["both", "to-notion", "to-supabase"]),
        prefer=st.sampled_from([None, "newest", "supabase", "notion", "hold"]),
        full=st.booleans(),
        dry_run=st.booleans(),
    )
    def a_run_with_options(self, direction: str, prefer: str | None, full: bool, dry_run: bool) -> None:
        self.goes(Wire(), direction=direction, prefer=prefer, full=full, dry_run=dry_run)

    @rule(place=places, name=fields, box=st.booleans(), prefer=st.sampled_from([None, "supabase", "notion", "hold"]))
    def a_run_that_decides_a_conflict(self, place: int, name: str, box: bool, prefer: str | None) -> None:
        self.edits_both(place, name, box, alike=False)
        self.goes(Wire(), prefer=prefer)

    @rule()
    def a_resync(self) -> None:
        self.goes(Wire(), resync=True)

    @rule(kind=st.sampled_from(sorted(FAULTS)), at=calls)
    def a_run_with_a_fault(self, kind: str, at: int) -> None:
        self.here.sandbox.control.arm(FAULTS[kind](at - 1))
        self.goes(Wire())

    @rule(at=calls, after=st.booleans())
    def a_run_that_is_killed(self, at: int, after: bool) -> None:
        self.goes(Wire(Point(ANY, at), after))

    @rule(at=calls, after=st.booleans())
    def a_run_whose_vault_fails(self, at: int, after: bool) -> None:
        self.goes(
            Wire(Point("sync_write", at % 6 + 1), after, lambda: ServiceError("database", "failed"), deadly=False)
        )

    @rule(place=places, lie=st.sampled_from(["omit", "repeat", "cap"]), full=st.booleans())
    def a_run_whose_listings_lie(self, place: int, lie: str, full: bool) -> None:
        control = self.here.sandbox.control
        page = self.page(place)
        self.unheard = self.unheard or lie == "omit"
        if page and lie != "cap":
            (control.omit if lie == "omit" else control.repeat)([page.id], count=1)
        control.set_cap(3 if lie == "cap" else 10_000)
        self.goes(Wire(), full=full)
        control.set_cap(10_000)

    @rule(
        at=calls,
        after=st.booleans(),
        doing=st.sampled_from(["row", "delete", "page", "trash", "restore", "purge", "duplicate", "both"]),
        place=places,
        name=fields,
        box=st.booleans(),
    )
    def a_run_that_people_work_beside(self, at: int, after: bool, doing: str, place: int, name: str, box: bool) -> None:
        actions: dict[str, Callable[[], None]] = {
            "row": lambda: self.edits_a_row(place, name, box),
            "delete": lambda: self.deletes_a_row(place),
            "page": lambda: self.edits_a_page(place, name, box),
            "trash": lambda: self.trashes_a_page(place),
            "restore": lambda: self.restores_a_page(place),
            "purge": lambda: self.purges_a_page(place, in_trash=False),
            "duplicate": lambda: self.duplicates_a_page(place),
            "both": lambda: self.edits_both(place, name, box, alike=False),
        }
        self.goes(Wire(Point(ANY, at), after, meanwhile=actions[doing]))

    # --- the end

    def settle(self) -> None:
        """Runs until all is done, which takes three at most: then both sides are equal, and a further run is silent.

        They compare everything where nothing else could tell: of a page that was purged, or omitted from a listing.
        """
        Histories.runs += 4
        self.here.sandbox.control.advance(self.behind)
        for prefer in ("supabase", None, None):
            self.here.sandbox.control.advance(700)
            report = self.here.sync(prefer=prefer, full=self.unheard, allow_mass_change=True)
        self.unheard, self.behind = False, 0
        assert report.problems == [], f"unsettled: {report.problems}"
        equal_and_alone(self.watch.facts())
        before = self.watch.facts()
        report = self.here.sync()
        assert not report.wrote, f"1: a further run wrote: {report.lines}"
        assert self.watch.facts().everything == before.everything, "1: a further run wrote"


def history_of(world: World) -> Snapshot:
    """A few decisions that agree, one of them retired with its page in the bin."""
    world.workers = 1
    for number in range(6):
        world.insert(
            f"begun {number}", type=f"kind {number % 2}", comment=f"comment {number}", date=f"2026-01-1{number}"
        )
    world.sync()
    world.sandbox.control.person_trash(next(page.id for page in world.pages() if page.content.decision == "begun 0"))
    world.calm()
    world.calm()
    return taken(world)


@pytest.mark.parametrize(
    ("world", "store"), [("postgres", "PostgreSQL"), ("supabase", "Supabase's REST API")], indirect=["world"]
)
def test_random_histories_break_no_rule(
    world: World,
    store: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    figure: Callable[[str], None],
) -> None:
    """`--steps N` and `--hypothesis-seed N` choose how many, and which."""
    monkeypatch.setattr("utils.stores.notion_calls.BACKOFF_SECONDS", 0.002)
    monkeypatch.setattr("utils.stores.notion.LOOK_UP_AFTER", (0.002,))
    lengths = LONG if request.config.getoption("--long") else SHORT
    wanted = request.config.getoption("--steps") or lengths["supabase" if world.project else "postgres"]
    chosen = settings(
        max_examples=AT_ONCE,
        stateful_step_count=30,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    Histories.world, Histories.snapshot = world, history_of(world)
    Histories.steps = Histories.runs = 0
    first = number = int(request.config.getoption("--hypothesis-seed") or SEED)
    while Histories.steps < wanted:
        try:
            run_state_machine_as_test(seed(number)(Histories), settings=chosen)
        except Exception:
            figure(f"seed {number} broke a rule after {Histories.steps} random steps ({store})")
            raise
        number += 1
    said = f"{Histories.steps} random steps in {Histories.runs} runs broke no rule"
    figure(f"{said} (seeds {first} to {number - 1}, {store})")
