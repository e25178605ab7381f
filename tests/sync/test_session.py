"""Both sides become and stay equal: copies, edits, identity, one-way runs, dry runs, the schema, and what it costs."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.sync.wire import ANY, KilledError, Point, Wire, bury
from tests.world import World
from utils.errors import ConfigError, SafetyError
from utils.local.notion import Fault
from utils.sync.model import Side

EDITS: list[dict[str, Any]] = [
    {"decision": "Use PostgreSQL — 決定 🐘"},
    {"date": "2026-02-28"},
    {"date": None},
    {"type": "process"},
    {"type": None},
    {"active": False},
    {"comment": "first\nsecond\t" + "long " * 900},
    {"comment": None},
]


@pytest.fixture
def pair(world: World) -> tuple[World, str]:
    """A world with one synced decision."""
    one = world.insert("Use Postgres", date="2026-01-05", type="technical", comment="because")
    world.sync()
    return world, one


# --- copies and edits


def test_a_new_row_becomes_a_page_and_a_new_page_becomes_a_row(world: World) -> None:
    world.furnish()
    row = world.insert("From the vault", date="2026-01-05", type="strategy", active=True, comment="why")
    page = world.add_page(decision="From Notion", date="2026-01-06", type="ops", active=True, comment="so")
    report = world.sync()
    assert (report.counts["copied"], report.problems) == (2, [])
    world.assert_equal()
    assert world.sandbox.control.values(world.page_of(row))["Decision ID"] == row
    copied = next(one for one in world.rows() if one != row)
    assert world.page_of(copied) == page
    assert world.sandbox.control.values(page)["Decision ID"] == copied
    assert world.row(row)["synced"]
    assert world.row(copied)["synced"]


@pytest.mark.parametrize("side", Side)
def test_an_edit_of_any_field_reaches_the_other_side(world: World, side: Side) -> None:
    ids = [world.insert("Use Postgres", date="2026-01-05", type="technical", comment="because") for _ in EDITS]
    world.sync()
    for one, change in zip(ids, EDITS, strict=True):
        if side is Side.VAULT:
            world.update(one, **change)
            assert not world.row(one)["synced"]
        else:
            world.edit(world.page_of(one), **change)
    report = world.sync()
    assert (report.counts["merged"], report.problems) == (len(EDITS), [])
    world.assert_equal()
    rows = world.rows()
    for one, change in zip(ids, EDITS, strict=True):
        assert rows[one].only(change) == change
        assert world.row(one)["synced"]


def test_edits_of_different_fields_of_one_decision_on_both_sides_are_joined(pair: tuple[World, str]) -> None:
    world, one = pair
    world.update(one, comment="edited in the vault", type="process")
    world.edit(world.page_of(one), decision="Edited in Notion", date="2026-03-01")
    report = world.sync()
    assert (report.counts["merged"], world.log()) == (1, [])
    found = world.rows()[one]
    assert (found.decision, found.date) == ("Edited in Notion", "2026-03-01")
    assert (found.type, found.comment) == ("process", "edited in the vault")


def test_the_same_edit_on_both_sides_is_no_conflict_and_no_request_to_write(pair: tuple[World, str]) -> None:
    world, one = pair
    world.update(one, comment="agreed")
    world.edit(world.page_of(one), comment="agreed")
    report = world.sync()
    assert not report.wrote
    assert world.log() == []
    assert world.row(one)["synced"]


def test_twins_stay_twins_and_a_retired_row_has_a_page_too(world: World) -> None:
    world.furnish()
    world.insert("Twice")
    world.insert("Twice")
    world.insert("Over", active=False)
    world.add_page(decision="Also twice", active=True)
    world.add_page(decision="Also twice", active=True)
    assert world.sync().counts["copied"] == 5
    assert len(world.pages()) == 5


def test_on_a_first_sync_equal_content_that_is_unique_on_both_sides_is_one_decision(world: World) -> None:
    world.furnish()
    one = world.insert("On both sides", date="2026-01-01", type="ops", comment="same")
    page = world.add_page(decision="On both sides", date="2026-01-01", type="ops", active=True, comment="same")
    world.sync()
    assert world.page_of(one) == page
    assert len(world.rows()) == 1


def test_what_notion_alters_on_writing_does_not_make_the_second_run_write(world: World) -> None:
    world.sandbox.control.switch(fold_options=True)
    world.insert("One", type="Technical")
    world.insert("Two", type="technical")
    world.sync()
    world.assert_silent()
    assert sorted(row.type or "" for row in world.rows().values()) == ["Technical", "technical"]


def test_formatting_and_a_time_that_only_notion_held_go_into_the_log_when_the_vault_overwrites_them(
    pair: tuple[World, str],
) -> None:
    world, one = pair
    bold = [{"text": {"content": "because"}, "annotations": {"bold": True}}]
    timed = {"date": {"start": "2026-01-05T10:30:00+02:00"}}
    world.sandbox.control.person_edit(world.page_of(one), {"Comment": {"rich_text": bold}, "Date": timed})
    world.sync()
    assert world.rows()[one].date == "2026-01-05"
    world.assert_silent()
    world.update(one, comment="plain", date="2026-01-06")
    world.sync()
    lost = {row["field"]: row["before"] for row in world.log(one)}
    assert lost["comment"][0]["annotations"]["bold"] is True
    assert lost["date"]["start"].startswith("2026-01-05T")


# --- identity


def test_a_page_may_bring_its_own_decision_id_and_two_that_bring_the_same_become_two_decisions(world: World) -> None:
    world.furnish()
    wanted = str(uuid.uuid4())
    world.add_page(decision="First", active=True, decision_id=wanted.upper())
    world.sandbox.control.advance(60)
    world.add_page(decision="Second", active=True, decision_id=wanted)
    world.add_page(decision="Nonsense", active=True, decision_id="not an id")
    world.sync()
    assert world.rows()[wanted].decision in {"First", "Second"}
    assert len(world.rows()) == 3


def test_a_page_with_the_id_of_an_unlinked_row_is_that_row_s_page(world: World) -> None:
    world.sync()
    one = world.insert("In the vault", comment="from the vault")
    page = world.add_page(decision="In the vault", active=True, date="2026-05-05", decision_id=one)
    world.sync()
    assert world.page_of(one) == page
    assert (len(world.rows()), len(world.pages())) == (1, 1)


def test_a_duplicated_page_gets_a_row_of_its_own(pair: tuple[World, str]) -> None:
    world, one = pair
    copy = world.sandbox.control.person_duplicate(world.page_of(one))
    report = world.sync()
    assert report.counts["copied"] == 1
    assert world.page_of(one) != copy
    assert len(world.rows()) == 2


@pytest.mark.parametrize("text", ["", "gibberish", str(uuid.UUID(int=7))], ids=["cleared", "gibberish", "foreign"])
def test_a_decision_id_that_a_person_spoiled_is_repaired(pair: tuple[World, str], text: str) -> None:
    world, one = pair
    world.edit(world.page_of(one), decision_id=text)
    world.sync()
    assert world.sandbox.control.values(world.page_of(one))["Decision ID"] == one
    assert len(world.rows()) == 1


def test_swapped_decision_ids_are_put_back(pair: tuple[World, str]) -> None:
    world, one = pair
    two = world.insert("Another")
    world.sync()
    pages = {each: world.page_of(each) for each in (one, two)}
    world.edit(pages[one], decision_id=two)
    world.edit(pages[two], decision_id=one)
    world.sync()
    assert {each: world.page_of(each) for each in (one, two)} == pages
    assert world.rows()[two].decision == "Another"


def test_an_edited_duplicate_is_a_decision_of_its_own_though_it_carries_the_others_id(pair: tuple[World, str]) -> None:
    world, one = pair
    copy = world.sandbox.control.person_duplicate(world.page_of(one))
    world.edit(copy, comment="edited in the copy")
    world.sync()
    rows = world.rows()
    assert sorted(row.comment or "" for row in rows.values()) == ["because", "edited in the copy"]
    assert (rows[one].comment, world.page_of(one) != copy) == ("because", True)


def test_a_page_replaced_by_an_equal_one_with_its_id_goes_on_as_that(pair: tuple[World, str]) -> None:
    world, one = pair
    old = world.page_of(one)
    new = world.sandbox.control.person_duplicate(old)
    world.sandbox.control.person_trash(old)
    report = world.sync()
    assert (report.wrote, world.page_of(one), len(world.rows())) == (False, new, 1)
    assert world.rows()[one].active is True


def under_new_ids(world: World) -> dict[str, str]:
    """A restore that gives every row a new id; answers the new ones by the old ones."""
    old = world.db.execute("delete from decision_vault returning *").fetchall()
    columns = ("decision", "date", "type", "active", "comment")
    return {str(row["id"]): world.insert(**{name: row[name] for name in columns}) for row in old}


def test_rows_that_a_restore_inserted_under_new_ids_adopt_their_pages(world: World) -> None:
    ids = [world.insert(f"Decision {number}", comment=f"c {number}", date="2026-01-01") for number in range(9)]
    ids += [world.insert("Twice", date="2026-01-01") for _ in range(3)]
    retired, trashed = world.insert("Retired", active=False), world.insert("In the bin")
    world.sync()
    world.sandbox.control.person_trash(world.page_of(trashed))
    world.calm()
    pages = {one: world.page_of(one) for one in (*ids, retired, trashed)}
    world.edit(pages[ids[0]], comment="edited in Notion meanwhile")
    new = under_new_ids(world)
    report = world.sync()
    assert (report.counts["copied"], report.counts["retired"], report.problems) == (0, 0, [])
    assert {world.page_of(one) for one in new.values()} == set(pages.values())
    assert (len(world.rows()), len(world.pages())) == (14, 13)
    assert world.rows()[new[ids[0]]].comment == "edited in Notion meanwhile"
    assert {world.page_of(new[one]) for one in (ids[3], retired)} == {pages[ids[3]], pages[retired]}
    world.assert_equal()
    world.update(new[trashed], active=True)
    world.sync()
    assert world.page_of(new[trashed]) == pages[trashed]
    assert world.sandbox.control.values(pages[trashed])["Decision ID"] == new[trashed]


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
@pytest.mark.parametrize("options", [{"resync": True}, {"full": True}, {"direction": "to-supabase"}], ids=str)
def test_whatever_is_asked_of_the_run_after_such_a_restore_nothing_is_doubled(
    world: World, options: dict[str, Any]
) -> None:
    for number in range(12):
        world.insert(f"Decision {number}")
    world.sync()
    pages = {page.id for page in world.pages()}
    new = under_new_ids(world)
    assert world.sync(**options).counts["copied"] == 0
    assert ({page.id for page in world.pages()}, set(world.rows())) == (pages, set(new.values()))


@pytest.mark.parametrize("nth", range(1, 13))
def test_a_run_that_is_killed_while_pages_are_adopted_neither_doubles_nor_trashes_one(
    pair: tuple[World, str], nth: int
) -> None:
    world, _ = pair
    world.workers = 1
    world.insert("Second")
    world.sync()
    world.calm()
    pages = {page.id for page in world.pages()}
    new = under_new_ids(world)
    world.tap = Wire(Point(ANY, nth), after=True).tap
    with suppress(KilledError):
        world.sync()
    bury(world)
    world.tap = Wire().tap
    world.sync()
    assert ({page.id for page in world.pages()}, set(world.rows())) == (pages, set(new.values()))


@pytest.mark.parametrize("ids", [True, False], ids=["with Decision IDs", "without them"])
def test_a_sync_that_lost_all_it_knew_finds_every_pair_again(world: World, ids: bool) -> None:
    made = [world.insert(f"Decision {number}", comment=f"c {number}") for number in range(6)]
    world.sync()
    pages = {one: world.page_of(one) for one in made}
    world.db.execute("delete from sync_links; delete from sync_state")
    if not ids:
        for page in pages.values():
            world.edit(page, decision_id="")
    world.edit(pages[made[0]], date="2026-09-09")
    if not ids:
        world.edit(pages[made[0]], date=str(world.row(made[0])["date"]))
    report = world.sync()
    assert (report.counts["copied"], report.counts["retired"]) == (0, 0)
    assert {one: world.page_of(one) for one in made} == pages
    world.assert_equal()


# --- one-way runs


def test_one_way_runs_write_one_side_and_what_waited_is_done_by_the_next_run_both_ways(pair: tuple[World, str]) -> None:
    world, one = pair
    two = world.insert("Second")
    world.sync()
    world.calm()
    world.update(one, comment="row edit")
    world.edit(world.page_of(two), comment="page edit")
    world.add_page(decision="New page", active=True)
    world.insert("New row")
    pages = {page.id: page for page in world.pages()}
    world.sync(direction="to-supabase")
    assert {page.id: page for page in world.pages()} == pages
    assert world.rows()[two].comment == "page edit"
    assert len(world.rows()) == 4
    world.edit(world.page_of(two), comment="page edit again")
    rows = world.rows()
    world.sync(direction="to-notion")
    assert world.rows() == rows
    assert len(world.pages()) == 4
    assert world.sandbox.control.values(world.page_of(one))["Comment"] == "row edit"
    world.sync()
    assert world.rows()[two].comment == "page edit again"


# --- dry runs


def test_a_dry_run_says_everything_that_the_run_then_does_and_changes_nothing(world: World) -> None:
    ids = [world.insert(f"Decision {number}") for number in range(9)]
    world.sync()
    world.update(ids[0], comment="row edit")
    world.edit(world.page_of(ids[1]), type="page edit")
    world.sandbox.control.person_trash(world.page_of(ids[2]))
    world.delete(ids[3])
    world.update(ids[4], comment="ours")
    world.edit(world.page_of(ids[4]), comment="theirs")
    world.edit(world.page_of(ids[5]), decision_id="")
    world.sandbox.control.person_trash(world.page_of(ids[6]))
    world.update(ids[6], comment="lives on")
    world.add_page(decision="New page", active=True)
    world.insert("New row")
    before = world.everything("sync_state", "leases")
    dry = world.sync(dry_run=True)
    assert world.everything("sync_state", "leases") == before
    real = world.sync()
    assert dry.lines == real.lines
    assert dry.counts == real.counts
    for word in ("copy to Notion: New row", "copy to Supabase: New page", "retire: Decision 2", "trash: Decision 3"):
        assert any(line.startswith(word) for line in real.lines), word
    assert any("Supabase loses" in line or "Notion loses" in line for line in real.lines)


def test_a_dry_run_makes_no_property_and_says_which_it_would_make(world: World) -> None:
    world.furnish()
    world.sandbox.control.remove_property("Comment")
    world.sandbox.control.remove_property("Decision ID")
    world.insert("A row", comment="kept")
    before = world.everything("sync_state", "leases")
    dry = world.sync(dry_run=True)
    assert world.everything("sync_state", "leases") == before
    assert [line for line in dry.lines if "property" in line] == [
        "make property: Comment",
        "make property: Decision ID",
    ]
    assert world.sync().lines == dry.lines


# --- the schema


def test_a_property_that_the_sync_made_says_nothing_about_older_pages(world: World) -> None:
    world.furnish()
    page = world.add_page(decision="Older than the box")
    blank = world.add_page()
    one = world.insert("In both", active=True, comment="the vault's")
    bound = world.add_page(decision="In both", decision_id=one)
    for name in ("Active", "Comment"):
        world.sandbox.control.remove_property(name)
    world.sandbox.control.advance(120)
    report = world.sync()
    assert report.counts["flagged"] == 1
    assert all(row.active for row in world.rows().values())
    assert [world.sandbox.control.values(each)["Active"] for each in (page, bound)] == ["Yes", "Yes"]
    assert world.rows()[one].comment == "the vault's"
    world.sandbox.control.advance(240)
    world.edit(blank, decision="Titled at last")
    world.sync()
    assert all(row.active for row in world.rows().values())


def test_a_renamed_property_goes_on_under_its_new_name(pair: tuple[World, str]) -> None:
    world, one = pair
    world.sandbox.control.rename_property("Comment", "Reasons")
    world.update(one, comment="row edit")
    report = world.sync()
    assert report.why_full == "a property was renamed"
    assert world.sandbox.control.values(world.page_of(one))["Reasons"] == "row edit"
    assert "Comment" not in world.sandbox.control.schema()
    assert world.sync().why_full == ""


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda world: world.sandbox.control.retype_property("Type", "rich_text"), "'Type' was retyped"),
        (lambda world: world.sandbox.control.remove_property("Comment"), "'Comment' was removed"),
        (lambda world: world.sandbox.control.remove_property("Decision ID"), "'Decision ID' was removed"),
    ],
    ids=["retyped", "removed", "removed id"],
)
def test_a_retyped_or_removed_property_is_refused_by_name_and_nothing_is_blanked(
    pair: tuple[World, str], spoil: Callable[[World], None], said: str
) -> None:
    world, one = pair
    spoil(world)
    world.update(one, decision="Edited meanwhile")
    before = world.everything("sync_state")
    with pytest.raises(ConfigError, match=said):
        world.sync()
    assert world.everything("sync_state") == before


def test_a_removed_property_is_made_anew_from_the_vault_by_resync(pair: tuple[World, str]) -> None:
    world, one = pair
    world.sandbox.control.remove_property("Comment")
    world.sandbox.control.advance(60)
    world.sync(resync=True)
    assert world.sandbox.control.values(world.page_of(one))["Comment"] == "because"
    assert world.rows()[one].comment == "because"


def test_a_resync_writes_what_notion_alters_once(pair: tuple[World, str]) -> None:
    world, one = pair
    world.sandbox.control.switch(fold_options=True)
    world.update(one, decision="Anew", type="STRATEGY")
    world.add_page(decision="Another", type="strategy", active=True)
    world.sync(resync=True, prefer="supabase")
    world.sandbox.control.reset_requests()
    world.update(one, comment="by the vault", type="strategY")
    report = world.sync(resync=True, prefer="supabase")
    assert not report.open_problems, report.problems
    written = [each for each in world.sandbox.control.requests() if each.method == "PATCH"]
    assert len(written) == 1


def test_an_option_that_a_person_renamed_in_notion_is_renamed_in_every_row(world: World) -> None:
    ids = [world.insert(f"Decision {number}", type="ops") for number in range(4)]
    other = world.insert("Other", type="hr")
    world.sync()
    world.calm()
    world.sandbox.control.rename_option("Type", "ops", "operations")
    report = world.sync()
    assert report.why_full == "an option was renamed or removed"
    assert {world.rows()[one].type for one in ids} == {"operations"}
    assert world.rows()[other].type == "hr"


def test_a_foreign_database_with_pages_gets_no_properties(world: World) -> None:
    control = world.sandbox.control
    control.person_create({"Decision": "Somebody's shopping list"})
    before = control.schema()
    with pytest.raises(SafetyError, match="has none of the sync's properties"):
        world.sync()
    with pytest.raises(SafetyError, match="has none of the sync's properties"):
        world.sync(dry_run=True)
    assert control.schema() == before


# --- looking


def test_when_notion_refuses_the_question_for_changes_everything_is_compared(pair: tuple[World, str]) -> None:
    world, one = pair
    two = world.insert("Second")
    world.sync()
    world.update(one, comment="row edit")
    world.edit(world.page_of(two), comment="page edit")
    world.sandbox.control.arm(Fault(400, method="POST", path="/query", contains="last_edited_time"))
    report = world.sync()
    assert report.why_full == "Notion refused the question for changes"
    assert (report.counts["merged"], len(world.rows()), world.log()) == (2, 2, [])


@pytest.mark.parametrize(
    ("hours", "why"), [(19, ""), (21, "the last full comparison was not within 20 hours")], ids=["19 h", "21 h"]
)
def test_everything_is_compared_when_20_hours_have_passed(pair: tuple[World, str], hours: int, why: str) -> None:
    world, _ = pair
    world.sandbox.control.advance(hours * 3600)
    assert world.sync().why_full == why
    assert world.sync().why_full == ""


def test_lost_links_make_the_run_compare_everything_and_no_page_is_made_twice(pair: tuple[World, str]) -> None:
    world, one = pair
    two = world.insert("Second")
    world.sync()
    world.db.execute("delete from sync_links where decision_id = %s", (two,))
    report = world.sync()
    assert report.why_full == "1 links are missing"
    assert (report.counts["copied"], len(world.pages())) == (0, 2)
    world.db.execute("delete from sync_links")
    world.sync()
    assert {one, two} == set(world.rows())


def test_a_stamp_that_does_not_move_hides_an_edit_only_until_everything_is_compared(pair: tuple[World, str]) -> None:
    world, one = pair
    world.calm()
    world.sandbox.control.rename_option("Type", "technical", "tech")
    world.sandbox.control.rename_option("Type", "tech", "technical")
    page = world.page_of(one)
    world.sandbox.control.set_lag(3600)
    world.edit(page, comment="not listed for an hour")
    assert not world.sync().wrote
    world.sandbox.control.set_lag(0)
    assert world.sync(full=True).counts["merged"] == 1


# --- the cost


@pytest.mark.parametrize("full", [False, True], ids=["changes", "everything"])
def test_a_listing_that_lags_behind_our_own_write_is_not_taken_for_an_edit(pair: tuple[World, str], full: bool) -> None:
    world, one = pair
    world.update(one, comment="before")
    world.sync()
    world.calm()
    world.sandbox.control.set_lag(60)
    world.update(one, comment="after")
    world.sync()
    report = world.sync(full=full)
    assert not report.wrote, report.lines
    assert world.rows()[one].comment == "after"
    world.sandbox.control.set_lag(0)


def test_a_silent_run_makes_5_calls_to_the_vault_and_3_to_notion_and_writes_nothing_at_all(world: World) -> None:
    for number in range(101):
        world.insert(f"Decision {number}")
    assert world.sync().notion_requests == 108
    early = world.sync()
    assert (early.notion_requests, early.vault_requests) == (4, 5)
    world.sandbox.control.advance(240)
    settling = world.sync()
    assert settling.notion_requests == 4
    before = world.everything("sync_state", "job_claims", "intake_items")
    silent = world.sync()
    assert (silent.notion_requests, silent.vault_requests) == (3, 5)
    assert world.everything("sync_state", "job_claims", "intake_items") == before


def test_runs_in_a_row_on_an_unchanged_vault_write_nothing_to_either_side(
    world: World, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    for number in range(5):
        world.insert(f"Decision {number}", comment="base")
    world.sync()
    world.calm()
    before = world.everything("sync_state")
    world.sandbox.control.reset_requests()
    runs = 70 if request.config.getoption("--long") else 15
    for _ in range(runs):
        world.sandbox.control.advance(900)
        world.sync()
    written = [one for one in world.sandbox.control.requests() if one.method != "GET" and "/query" not in one.path]
    rows = {table for table, found in world.everything("sync_state").items() if found != before[table]}
    assert (written, rows - {"sync_state"}) == ([], set())
    store = "Supabase's REST API" if world.project else "PostgreSQL"
    figure(f"{runs} runs in a row on an unchanged vault ({store}): 0 writes of content, pages, links, log or activity")


def test_a_create_costs_one_request_and_an_edit_two(world: World) -> None:
    ids = [world.insert(f"Decision {number}") for number in range(6)]
    world.sync()
    world.calm()
    idle = world.sync().notion_requests
    for number in range(3):
        world.insert(f"New {number}")
    assert world.sync().notion_requests == idle + 3
    world.calm()
    for one in ids[:4]:
        world.update(one, comment="edited", type="ops")
    report = world.sync()
    assert (report.counts["merged"], report.notion_requests) == (4, idle + 8)
    world.calm()
    world.db.execute("update sync_links set updated_at = updated_at - interval '10 minutes'")
    for one in ids[:4]:
        world.edit(world.page_of(one), comment="edited again")
    report = world.sync()
    assert (report.counts["merged"], report.notion_requests) == (4, idle)
    world.calm()
    world.edit(world.page_of(ids[0]), comment="and again")
    assert world.sync().notion_requests == idle + 1, "within 10 minutes of our write a listing may lag: it is read"


def test_what_is_edited_after_notion_s_clock_was_set_back_is_seen(world: World) -> None:
    world.furnish()
    world.add_page(decision="Before", active=True)
    world.sync()
    world.sandbox.control.advance(-240)
    assert world.sync().why_full == "Notion's clock was set back"
    world.add_page(decision="After", active=True)
    world.sandbox.control.advance(700)
    assert world.sync().counts["copied"] == 1
