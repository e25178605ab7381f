"""SYNC.md's table of trash and retirement row by row, intents, refusals, directions, and that a sync done is silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.sync.builders import (
    AGREED,
    BOTH,
    EARLIER,
    ID,
    LATER,
    NOW,
    OTHER_ID,
    OTHER_PAGE,
    PAGE_ID,
    RETIRED,
    TO_NOTION,
    TO_SUPABASE,
    binned,
    content,
    item,
    link,
    page,
    policy,
    row,
    settled,
    trashed_link,
)
from utils.decision import FIELDS, TEXT_BYTES, Decision, Value, normal, same
from utils.sync.merge import WHOLE, Policy
from utils.sync.model import (
    Absence,
    Intent,
    Item,
    Link,
    LinkState,
    Page,
    PageImage,
    Refusal,
    Row,
    Side,
    Todo,
    fingerprint,
)
from utils.sync.plan import Kind, PageWrite, Step, assumed_page, decide, finished_link

ANNOUNCED = Link(None, LinkState.ANNOUNCED, AGREED, None, Intent(PageImage(AGREED), AGREED))


def written(step: Step) -> tuple[Any, ...]:
    """What a step writes: kind, columns, properties, the bin."""
    return step.kind, dict(step.to_row), dict(step.to_page.fields), step.to_page.in_trash


NOTHING: tuple[Any, ...] = (Kind.NOTHING, {}, {}, None)


# --- the table

TABLE: list[Any] = [
    pytest.param(
        item(None, link()),
        binned(comment="last"),
        (Kind.FORGET, {}, {}, None),
        LinkState.GONE,
        id="row absent, page trashed",
    ),
    pytest.param(
        item(None, link()), Absence.GONE, (Kind.FORGET, {}, {}, None), LinkState.GONE, id="row absent, page gone"
    ),
    pytest.param(
        item(None, link()), page(), (Kind.TRASH, {}, {}, True), LinkState.GONE, id="row absent, page live as it was"
    ),
    pytest.param(
        item(None, link()),
        page(comment="new"),
        (Kind.INSERT_ROW, content(comment="new").image(), {}, None),
        LinkState.LINKED,
        id="row absent, page changed",
    ),
    pytest.param(
        item(None, Link(PAGE_ID, LinkState.GONE, None, PageImage(AGREED, in_trash=True))),
        page(),
        (Kind.INSERT_ROW, AGREED.image(), {}, None),
        LinkState.LINKED,
        id="row absent, page restored from the bin",
    ),
    pytest.param(
        item(None, Link(PAGE_ID, LinkState.GONE)),
        page(),
        (Kind.INSERT_ROW, AGREED.image(), {}, None),
        LinkState.LINKED,
        id="row absent, page back from the dead",
    ),
    pytest.param(
        item(row(comment="new"), link()),
        binned(),
        (Kind.RESTORE, {}, {"comment": "new"}, False),
        LinkState.LINKED,
        id="newly trashed, row active and changed",
    ),
    pytest.param(
        item(row(comment="new"), link()),
        binned(decision="theirs", active=False),
        (Kind.RESTORE, {"decision": "theirs"}, {"comment": "new", "active": True}, False),
        LinkState.LINKED,
        id="newly trashed with an edit, row active and changed: merged and ticked",
    ),
    pytest.param(
        item(row(active=False), link()), binned(), NOTHING, LinkState.TRASHED, id="newly trashed, row just retired"
    ),
    pytest.param(
        item(row(active=False), link(base_row=RETIRED)),
        binned(),
        NOTHING,
        LinkState.TRASHED,
        id="newly trashed, row retired",
    ),
    pytest.param(
        item(row(), link()), binned(), (Kind.RETIRE, {"active": False}, {}, None), LinkState.TRASHED, id="newly trashed"
    ),
    pytest.param(
        item(row(), link()),
        binned(comment="last"),
        (Kind.RETIRE, {"active": False, "comment": "last"}, {}, None),
        LinkState.TRASHED,
        id="newly trashed, the page's last edits are merged",
    ),
    pytest.param(
        item(row(active=None), link(base_row=content(active=None))),
        binned(),
        (Kind.RETIRE, {"active": False}, {}, None),
        LinkState.TRASHED,
        id="newly trashed, active NULL is active",
    ),
    pytest.param(
        item(row(comment="new"), trashed_link()),
        binned(),
        (Kind.RESTORE, {}, {"comment": "new"}, False),
        LinkState.LINKED,
        id="trashed at base, row active now",
    ),
    pytest.param(
        item(row(), trashed_link()),
        binned(active=False),
        (Kind.RESTORE, {}, {"active": True}, False),
        LinkState.LINKED,
        id="trashed at base, row active now: its box is ticked",
    ),
    pytest.param(
        item(row(), trashed_link(base_row=AGREED)),
        binned(),
        (Kind.RESTORE, {}, {}, False),
        LinkState.LINKED,
        id="trashed at base, row active though nothing moved",
    ),
    pytest.param(
        item(row(), trashed_link()),
        Absence.GONE,
        (Kind.CREATE_PAGE, {}, AGREED.image(), None),
        LinkState.ANNOUNCED,
        id="trashed at base and purged, row active now",
    ),
    pytest.param(
        item(row(active=False, comment="new"), trashed_link()),
        binned(),
        NOTHING,
        LinkState.TRASHED,
        id="trashed at base, row inactive: its edits wait",
    ),
    pytest.param(
        item(row(active=False), trashed_link()),
        page(),
        (Kind.UPDATE, {"active": True}, {}, None),
        LinkState.LINKED,
        id="live again and ticked reactivates",
    ),
    pytest.param(
        item(row(active=False), trashed_link()),
        page(active=False, comment="new"),
        (Kind.UPDATE, {"comment": "new"}, {}, None),
        LinkState.LINKED,
        id="live again and not ticked is an ordinary merge",
    ),
    pytest.param(
        item(row(), trashed_link(base_row=None)),
        binned(),
        (Kind.RESTORE, {}, {}, False),
        LinkState.LINKED,
        id="re-inserted, active",
    ),
    pytest.param(
        item(row(active=False), trashed_link(base_row=None)),
        binned(),
        NOTHING,
        LinkState.TRASHED,
        id="re-inserted, inactive",
    ),
    pytest.param(
        item(row(), Link(PAGE_ID, LinkState.GONE, None, PageImage(AGREED, in_trash=True))),
        binned(),
        (Kind.RESTORE, {}, {}, False),
        LinkState.LINKED,
        id="re-inserted after both were deleted",
    ),
    pytest.param(
        item(row(), link()),
        Absence.GONE,
        (Kind.RETIRE, {"active": False}, {}, None),
        LinkState.GONE,
        id="linked page gone",
    ),
    pytest.param(
        item(row(comment="new"), link()),
        Absence.GONE,
        (Kind.CREATE_PAGE, {}, content(comment="new").image(), None),
        LinkState.ANNOUNCED,
        id="linked page gone, row active and changed",
    ),
    pytest.param(
        item(row(active=False), link()),
        Absence.GONE,
        (Kind.FORGET, {}, {}, None),
        LinkState.GONE,
        id="linked page gone, row inactive",
    ),
    pytest.param(
        item(row(active=False), trashed_link()),
        Absence.GONE,
        (Kind.FORGET, {}, {}, None),
        LinkState.GONE,
        id="trashed page gone",
    ),
    pytest.param(
        item(row(active=False), link()),
        page(),
        (Kind.UPDATE, {}, {"active": False}, None),
        LinkState.LINKED,
        id="active never trashes",
    ),
    pytest.param(
        item(row(), link()),
        page(active=False),
        (Kind.UPDATE, {"active": False}, {}, None),
        LinkState.LINKED,
        id="active never retires more",
    ),
    pytest.param(item(row(), link()), page(), NOTHING, LinkState.LINKED, id="nothing moved"),
    pytest.param(item(row()), None, (Kind.CREATE_PAGE, {}, AGREED.image(), None), LinkState.ANNOUNCED, id="a new row"),
    pytest.param(item(None), page(), (Kind.INSERT_ROW, AGREED.image(), {}, None), LinkState.LINKED, id="a new page"),
    pytest.param(item(row()), page(), NOTHING, LinkState.LINKED, id="a page found for a row"),
    pytest.param(
        item(None, ANNOUNCED), None, (Kind.FORGET, {}, {}, None), None, id="announced, then the row was deleted"
    ),
    pytest.param(
        item(None, replace(ANNOUNCED, intent=None)),
        binned(),
        (Kind.FORGET, {}, {}, None),
        None,
        id="announced, both deleted",
    ),
    pytest.param(
        item(None, ANNOUNCED),
        page(),
        (Kind.TRASH, {}, {}, True),
        LinkState.GONE,
        id="announced and made, the row deleted since",
    ),
]


@pytest.mark.parametrize(("it", "seen", "wanted", "state"), TABLE)
def test_a_row_and_a_page_come_out_by_the_table(it: Item, seen: Any, wanted: Any, state: Any) -> None:
    step = decide(it, seen, policy())
    assert written(step) == wanted
    assert (step.link and step.link.state) is state
    assert step.flags == ()
    assert not step.silent or (wanted == NOTHING and it.link is not None)


@pytest.mark.parametrize(("it", "seen", "wanted", "state"), TABLE)
def test_what_the_table_says_is_done_once(it: Item, seen: Any, wanted: Any, state: Any) -> None:
    after, shown = settled(decide(it, seen, policy()))
    if after.row is None and after.link is None:
        return
    again = decide(after, shown or (assumed_page(after.link) if after.link else None), policy())
    assert again.silent, written(again)
    if after.link and after.link.base_page:
        assert decide(after, assumed_page(after.link), policy()).silent


def test_edits_of_a_page_that_goes_with_its_row_are_told() -> None:
    step = decide(item(None, link()), binned(comment="last", type=None), policy())
    assert {(loss.field, loss.before, loss.base) for loss in step.losses} == {
        ("comment", "last", "because"),
        ("type", None, "tech"),
    }
    assert decide(item(None, Link(PAGE_ID, LinkState.GONE)), binned(), policy()).losses == ()


def test_edits_of_a_retired_row_wait_until_it_is_active_again() -> None:
    waiting = item(row(active=False, comment="new"), trashed_link())
    after, _ = settled(decide(waiting, binned(), policy()))
    assert after.link is not None
    assert after.link.base_row == RETIRED
    reactivated = replace(after, row=row(comment="new"))
    assert written(decide(reactivated, binned(), policy())) == (Kind.RESTORE, {}, {"comment": "new"}, False)


def test_a_page_s_last_edits_wait_in_the_bin_with_a_row_that_was_retired_before() -> None:
    after, _ = settled(decide(item(row(active=False), link(base_row=RETIRED)), binned(comment="last"), policy()))
    assert written(decide(after, page(comment="last"), policy())) == (
        Kind.UPDATE,
        {"active": True, "comment": "last"},
        {},
        None,
    )


def test_a_retired_row_whose_page_was_found_in_the_bin_agrees_only_on_what_is_the_same() -> None:
    found = decide(item(row(active=False, comment="mine")), binned(comment="theirs"), policy())
    assert written(found) == NOTHING
    after, shown = settled(found)
    back = decide(replace(after, row=row(LATER, comment="mine")), shown, policy())
    assert written(back) == (Kind.RESTORE, {}, {"comment": "mine"}, False)
    assert [loss.before for loss in back.losses] == ["theirs"]


def test_a_gone_page_of_a_retired_row_stays_gone_while_its_edits_wait() -> None:
    retired = item(row(active=False, comment="new"), link(state=LinkState.GONE, base_row=RETIRED, base_page=None))
    step = decide(retired, Absence.GONE, policy())
    assert step.silent
    assert step.link is not None
    assert step.link.base_row == RETIRED


# --- absence


def test_a_first_404_is_noted_and_nothing_else() -> None:
    step = decide(item(row(), link()), Absence.MISSING, policy())
    assert written(step) == NOTHING
    assert step.link == link(todo=Todo(missing_since=NOW.isoformat()))
    assert "10 minutes" in step.flags[0]
    again = decide(item(row(), step.link), Absence.MISSING, replace(policy(), now=NOW + timedelta(minutes=9)))
    assert again.silent
    assert again.flags == step.flags


@pytest.mark.parametrize("there", [row(), None], ids=["row there", "row absent"])
def test_a_first_404_deletes_nothing_on_either_side(there: Row | None) -> None:
    assert written(decide(item(there, link()), Absence.MISSING, policy())) == NOTHING


def test_a_page_that_is_found_again_was_never_missing() -> None:
    noted = link(todo=Todo(missing_since=EARLIER.isoformat()))
    assert settled(decide(item(row(), noted), page(), policy()))[0].link == link()


def test_a_page_without_an_image_is_none_until_it_is_seen() -> None:
    assert assumed_page(link(base_page=None)) is Absence.GONE
    assert assumed_page(link(page_id=None)) is Absence.GONE


AWAY = {"at_home": False}


def test_a_page_moved_out_of_the_database_is_flagged_every_run_and_neither_retired_nor_made_anew() -> None:
    away = page(state={**AWAY, "content": Decision(active=None)})
    step = decide(item(row(), link()), away, policy())
    assert written(step) == NOTHING
    assert "moved out" in step.flags[0]
    after, _ = settled(step)
    assert after.link is not None
    assert after.link.todo.wants_page
    again = decide(after, away, policy())
    assert again.silent
    assert again.flags == step.flags
    assert settled(decide(after, page(), policy()))[0].link == link()


def test_a_page_moved_out_and_then_trashed_or_without_its_row_is_gone() -> None:
    empty = Decision(active=None)
    trashed = decide(item(row(), link()), binned(**dict(empty.image())), policy())
    away = replace(binned(), content=empty, at_home=False)
    assert written(decide(item(row(), link()), away, policy())) == (Kind.RETIRE, {"active": False}, {}, None)
    assert trashed.kind is Kind.RETIRE
    alone = decide(item(None, link()), page(state=AWAY), policy())
    assert (alone.kind, alone.losses) == (Kind.FORGET, ())


# --- resync

RESYNC: list[Any] = [
    pytest.param(item(row(), link()), binned(), (Kind.RESTORE, {}, {}, False), id="an active row's trashed page"),
    pytest.param(item(row(active=False), link()), binned(), NOTHING, id="a retired row whose page lies in the bin"),
    pytest.param(
        item(row(), link()),
        Absence.GONE,
        (Kind.CREATE_PAGE, {}, AGREED.image(), None),
        id="an active row without a page",
    ),
    pytest.param(
        item(row(active=False), trashed_link()),
        Absence.GONE,
        (Kind.CREATE_PAGE, {}, RETIRED.image(), None),
        id="a retired row without a page",
    ),
    pytest.param(
        item(row(), link()), Absence.MISSING, (Kind.CREATE_PAGE, {}, AGREED.image(), None), id="a page not found"
    ),
    pytest.param(
        item(row(), link()),
        page(state=AWAY),
        (Kind.CREATE_PAGE, {}, AGREED.image(), None),
        id="a page in another database",
    ),
    pytest.param(item(None, link()), page(), (Kind.INSERT_ROW, AGREED.image(), {}, None), id="a page without its row"),
    pytest.param(item(None, link()), binned(), (Kind.FORGET, {}, {}, None), id="neither"),
    pytest.param(
        item(row(comment="old"), link(base_page=PageImage(content(comment="old")))),
        page(LATER),
        (Kind.UPDATE, {"comment": "because"}, {}, None),
        id="a difference, by the newer side though no image says so",
    ),
]


@pytest.mark.parametrize(("it", "seen", "wanted"), RESYNC)
def test_a_resync_makes_what_is_missing_and_removes_nothing(it: Item, seen: Any, wanted: Any) -> None:
    assert written(decide(it, seen, policy(resync=True))) == wanted


@given(data=st.data())
def test_a_resync_never_retires_trashes_or_deletes(data: st.DataObject) -> None:
    it, seen, how = data.draw(SITUATIONS)
    assert decide(it, seen, replace(how, resync=True)).kind not in {Kind.RETIRE, Kind.TRASH}


# --- directions


@pytest.mark.parametrize(
    ("it", "seen"),
    [
        pytest.param(item(row(), link()), binned(), id="newly trashed"),
        pytest.param(item(row(), link()), Absence.GONE, id="gone"),
        pytest.param(item(None, link()), page(comment="new"), id="row absent, page changed"),
        pytest.param(item(None), page(), id="a new page"),
        pytest.param(item(row(active=False), trashed_link()), page(), id="live again"),
    ],
)
def test_what_goes_to_the_vault_waits_in_a_run_to_notion_and_is_done_by_the_next(it: Item, seen: Any) -> None:
    first = decide(it, seen, policy(directions=TO_NOTION))
    assert not first.to_row
    after, shown = settled(first)
    now = decide(after, shown or seen, policy())
    assert written(now) == written(decide(it, seen, policy()))


@pytest.mark.parametrize(
    ("it", "seen"),
    [
        pytest.param(item(row()), None, id="a new row"),
        pytest.param(item(row(comment="new"), link()), binned(), id="newly trashed, row changed"),
        pytest.param(item(row(), trashed_link()), binned(), id="trashed at base, row active now"),
        pytest.param(item(None, link()), page(), id="row absent"),
        pytest.param(item(row(), trashed_link()), Absence.GONE, id="purged, row active now"),
        pytest.param(item(row()), binned(), id="a row whose page lies in the bin"),
        pytest.param(item(row(), link()), page(state={"decision_id": ""}), id="a cleared Decision ID"),
    ],
)
def test_what_goes_to_notion_waits_in_a_run_to_supabase_and_is_done_by_the_next(it: Item, seen: Any) -> None:
    first = decide(it, seen, policy(directions=TO_SUPABASE))
    assert not first.to_page
    after, shown = settled(first)
    now = decide(after, shown or seen, policy())
    assert written(now) == written(decide(it, seen, policy()))


@pytest.mark.parametrize("field", FIELDS)
def test_of_two_values_that_never_agreed_neither_gives_way_because_a_run_had_one_direction(field: str) -> None:
    mine: Any
    theirs: Any
    mine, theirs = (False, True) if field == "active" else ("2026-11-02", "2026-11-03")
    found, seen = item(row(**{field: mine})), page(**{field: theirs})
    after, shown = settled(decide(found, seen, policy("notion", directions=TO_NOTION)))
    step = decide(after, shown, policy("notion"))
    assert step.to_row == {field: theirs}
    assert [loss.before for loss in step.losses] == [mine]


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        pytest.param(policy(), (Kind.UPDATE, {"decision": "theirs"}, {}, None), id="stays"),
        pytest.param(
            policy("notion", explicit=True),
            (Kind.RETIRE, {"active": False, "decision": "theirs"}, {}, None),
            id="notion's: retired",
        ),
        pytest.param(
            policy("supabase", explicit=True),
            (Kind.RESTORE, {"decision": "theirs"}, {"active": True, "comment": "new"}, False),
            id="supabase's: un-trashed and ticked",
        ),
    ],
)
def test_a_held_box_holds_the_bin_as_well_until_a_side_is_named(how: Policy, wanted: tuple[Any, ...]) -> None:
    held = link(base_page=PageImage(RETIRED), todo=Todo(held=("active",)))
    step = decide(item(row(comment="new"), held), binned(active=False, decision="theirs"), how)
    assert written(step) == wanted
    again, shown = settled(step)
    assert decide(again, shown, how).silent


def test_held_fields_stay_open_in_the_bin_until_they_are_equal() -> None:
    held = trashed_link(todo=Todo(held=("comment", "active"), retry="timed out"))
    step = decide(item(row(active=False, comment="mine"), held), binned(), policy())
    assert step.link is not None
    assert step.link.todo == Todo(held=("comment",))
    assert "comment is held" in step.flags[0]


# --- identity on the page


@pytest.mark.parametrize(
    "shown", ["", OTHER_ID, "garbage", f" {ID}"], ids=["cleared", "foreign", "garbage", "with a blank"]
)
def test_a_decision_id_that_is_not_the_row_s_is_put_right(shown: str) -> None:
    step = decide(item(row(), link()), page(state={"decision_id": shown}), policy())
    assert step.to_page == PageWrite({}, None, ID)
    assert settled(step)[1] == page()
    assert decide(item(None), page(state={"decision_id": shown}), policy()).to_page.decision_id == ID


def test_the_decision_id_of_a_page_that_was_not_read_is_not_doubted() -> None:
    assert decide(item(row(), link()), assumed_page(link()), policy()).silent


def test_a_page_bound_anew_keeps_both_images() -> None:
    copy = page(comment="new", state={"id": OTHER_PAGE})
    step = decide(item(row(), link()), copy, policy())
    assert step.to_row == {"comment": "new"}
    assert settled(step)[0].link == Link(OTHER_PAGE, LinkState.LINKED, content(comment="new"), copy.image())


# --- intents


def edited(**changes: Any) -> Link:
    """A link whose page was about to be written when the run ended."""
    step = decide(item(row(**changes), link()), page(), policy())
    return replace(link(), intent=step.intent())


def test_a_page_as_intended_is_our_own_write_and_images_move_to_it() -> None:
    after, _ = settled(decide(item(row(comment="new"), edited(comment="new")), page(comment="new"), policy()))
    assert after.link == link(base_row=content(comment="new"), base_page=PageImage(content(comment="new")))


def test_a_write_that_notion_altered_is_known_as_ours_and_not_sent_again() -> None:
    step = decide(item(row(type=" New"), edited(type=" New")), page(type="new"), policy())
    assert written(step) == NOTHING
    assert settled(step)[0].link == link(base_row=content(type=" New"), base_page=PageImage(content(type="new")))


def test_an_edit_after_our_write_is_an_edit_of_its_own_field_only() -> None:
    altered = page(LATER, type="new", comment="theirs")
    step = decide(item(row(type="New "), edited(type="New ")), altered, policy())
    assert written(step) == (Kind.UPDATE, {"comment": "theirs"}, {}, None)
    assert step.losses == ()


def test_a_write_that_never_reached_the_page_is_sent() -> None:
    for text in ("new", "TECH", "tech "):
        step = decide(item(row(type=text), edited(type=text)), page(), policy())
        assert written(step) == (Kind.UPDATE, {}, {"type": text}, None)


def test_a_page_trashed_after_our_write_is_a_person_s_deed() -> None:
    step = decide(item(row(comment="new"), edited(comment="new")), binned(comment="new"), policy())
    assert written(step) == (Kind.RETIRE, {"active": False}, {}, None)


def test_a_trash_of_ours_is_no_person_s_deed() -> None:
    trash = decide(item(None, link()), page(), policy())
    crashed = item(None, link(intent=trash.intent()))
    step = decide(crashed, binned(), policy())
    assert (step.kind, step.losses) == (Kind.FORGET, ())
    assert written(decide(crashed, page(), policy())) == (Kind.TRASH, {}, {}, True)
    assert decide(item(row(), crashed.link), binned(), policy()).kind is Kind.RESTORE


def test_a_restore_that_did_not_happen_is_done_and_one_that_did_is_not_repeated() -> None:
    restore = decide(item(row(comment="new"), trashed_link()), binned(active=False), policy())
    crashed = item(row(comment="new"), trashed_link(intent=restore.intent()))
    assert written(decide(crashed, binned(active=False), policy())) == written(restore)
    half_done = decide(crashed, page(active=False), policy())
    assert written(half_done) == (Kind.UPDATE, {}, {"comment": "new", "active": True}, None)
    assert decide(crashed, page(comment="new"), policy()).to_page == PageWrite()


@pytest.mark.parametrize("left", ["held", "refused", "waiting"])
def test_what_was_open_when_the_run_ended_is_open_still(left: str) -> None:
    mine: dict[str, Any] = {"comment": "new"}
    theirs: dict[str, Any] = {"type": "theirs"}
    how = policy("hold")
    if left == "held":
        mine["type"] = "mine"
    elif left == "refused":
        theirs["type"] = "x" * 51
    else:
        how = policy(directions=TO_NOTION)
    step = decide(item(row(**mine), link()), page(**theirs), how)
    assert step.to_page.fields == {"comment": "new"}
    crashed = item(row(**mine), link(intent=step.intent()))
    again = decide(crashed, page(comment="new", **theirs), policy("hold"))
    if left == "waiting":
        assert again.to_row == {"type": "theirs"}
    else:
        assert (again.to_row, again.to_page) == ({}, PageWrite())
        assert "type" in {*again.link.todo.held, *again.link.todo.refused} if again.link else False


def test_a_page_announced_and_found_is_bound_and_edits_of_it_since_are_seen() -> None:
    made = page(state={"id": OTHER_PAGE, "created_by_us": True})
    bound = settled(decide(item(row(), ANNOUNCED), made, policy()))[0]
    assert bound.link == link(page_id=OTHER_PAGE)
    step = decide(item(row(), ANNOUNCED), replace(made, content=content(comment="theirs")), policy())
    assert written(step) == (Kind.UPDATE, {"comment": "theirs"}, {}, None)


def test_an_announced_page_that_was_not_found_is_made_anew() -> None:
    assert decide(item(row(), ANNOUNCED), None, policy()).kind is Kind.CREATE_PAGE
    assert decide(item(row(), ANNOUNCED), Absence.MISSING, policy()).kind is Kind.CREATE_PAGE


def test_an_intent_is_kept_while_its_page_was_not_read() -> None:
    crashed = edited(comment="new")
    step = decide(item(row(comment="new"), crashed), Absence.MISSING, policy())
    assert step.link is not None
    assert step.link.intent == crashed.intent


def test_an_edit_between_reading_and_writing_is_seen_by_its_image() -> None:
    step = decide(item(row(comment="new"), link()), page(), policy())
    answer = page(LATER, comment="new", decision="theirs")
    after = Item(ID, row(comment="new"), replace(finished_link(step, answer), base_row=step.intent().row))
    assert written(decide(after, answer, policy())) == (Kind.UPDATE, {"decision": "theirs"}, {}, None)


def test_an_edit_that_our_trash_buried_brings_the_row_back() -> None:
    step = decide(item(None, link()), page(), policy())
    undone = page(LATER, comment="theirs")
    after = Item(ID, None, finished_link(step, undone))
    assert decide(after, undone, policy()).to_row == content(comment="theirs").image()
    kept = finished_link(step, binned())
    assert kept == Link(PAGE_ID, LinkState.GONE, None, PageImage(AGREED, in_trash=True))


def test_an_answer_without_a_link_makes_one() -> None:
    made = finished_link(Step(Kind.CREATE_PAGE, item(row())), page())
    assert made == Link(PAGE_ID, LinkState.LINKED, None, PageImage(Decision(active=None)))


# --- what a side cannot take


def test_a_new_row_is_copied_without_what_notion_cannot_hold_which_is_told_every_run() -> None:
    step = decide(item(row(date="infinity", type="a,b")), None, policy())
    assert step.to_page.fields.keys() == {"decision", "active", "comment"}
    assert len(step.flags) == 2
    after, shown = settled(step)
    again = decide(after, shown, policy())
    assert again.silent
    assert again.flags == step.flags
    assert after.link is not None
    unread = decide(after, assumed_page(after.link), policy())
    assert (unread.silent, unread.flags) == (True, step.flags)
    fixed = decide(replace(after, row=row()), shown, policy())
    assert fixed.to_page.fields == {"date": "2026-11-01", "type": "tech"}
    assert fixed.flags == ()


def test_a_new_page_is_copied_without_what_the_vault_cannot_hold_which_is_told_every_run() -> None:
    seen = page(type="x" * 51)
    step = decide(item(None), seen, policy())
    assert step.to_row == content(type=None).image()
    assert "51 characters" in step.flags[0]
    after, _ = settled(step)
    assert after.link is not None
    for shown in (seen, assumed_page(after.link)):
        again = decide(after, shown, policy())
        assert (again.silent, again.flags) == (True, step.flags)
    assert decide(after, page(type="short"), policy()).to_row == {"type": "short"}


def test_an_untitled_page_is_told_and_not_copied() -> None:
    step = decide(item(None), page(decision=""), policy())
    assert written(step) == NOTHING
    assert step.silent
    assert "give the page a title" in step.flags[0]


def test_a_page_that_cannot_become_its_deleted_row_again_is_read_and_told_every_run() -> None:
    seen = page(decision="")
    step = decide(item(None, link()), seen, policy())
    after, _ = settled(step)
    assert after.link is not None
    assert after.link.todo.wants_page
    again = decide(after, seen, policy())
    assert (written(again), again.silent, again.flags) == (NOTHING, True, step.flags)
    titled = page(decision="titled")
    assert decide(after, titled, policy()).to_row == titled.content.image()


def whole(side: Side, values: dict[str, Value]) -> Todo:
    return Todo(refused={WHOLE: Refusal(side, fingerprint(values), "it says no")})


WHOLE_REFUSALS: list[Any] = [
    pytest.param(
        item(row(), replace(ANNOUNCED, intent=None, todo=whole(Side.NOTION, AGREED.image()))), None, id="a new page"
    ),
    pytest.param(
        item(None, link(todo=whole(Side.VAULT, content(comment="x").image()))), page(comment="x"), id="a row again"
    ),
    pytest.param(item(row(comment="x"), link(todo=whole(Side.NOTION, {"comment": "x"}))), page(), id="to the page"),
    pytest.param(item(row(), link(todo=whole(Side.VAULT, {"comment": "x"}))), page(comment="x"), id="to the row"),
    pytest.param(item(row(), link(todo=whole(Side.VAULT, {"active": False}))), binned(), id="a retirement"),
    pytest.param(
        item(row(), link(todo=whole(Side.VAULT, {"active": False}))), Absence.GONE, id="a retirement, the page gone"
    ),
]


@pytest.mark.parametrize(("it", "seen"), WHOLE_REFUSALS)
def test_a_write_refused_as_a_whole_is_told_every_run_and_not_asked_for_again(it: Item, seen: Any) -> None:
    step = decide(it, seen, policy())
    assert written(step) == NOTHING
    assert any("refuses it: it says no" in flag for flag in step.flags)
    after, _ = settled(step)
    again = decide(after, seen, policy())
    assert (again.silent, again.flags) == (True, step.flags)


def test_what_was_refused_of_a_page_in_the_bin_is_asked_once_more_when_it_is_restored() -> None:
    refused = link(todo=whole(Side.NOTION, {"comment": "x"}))
    step = decide(item(row(comment="x"), refused), binned(), policy())
    assert written(step) == (Kind.RESTORE, {}, {"comment": "x"}, False)


def test_a_comment_too_long_for_one_request_follows_in_the_next() -> None:
    long = "\u20ac" * (TEXT_BYTES // 3 - 10)
    first = decide(item(row(decision=long[:50_000], comment=long)), None, policy())
    assert "comment" not in first.to_page.fields
    after, shown = settled(first)
    second = decide(after, shown, policy())
    assert second.to_page.fields == {"comment": long}
    after, shown = settled(second)
    assert decide(after, shown, policy()).silent


# --- properties that the sync made

MADE = policy(made={"active": NOW, "comment": NOW, "type": NOW})


def test_an_older_page_without_a_row_gets_a_row_by_what_it_says_and_its_new_box_ticked() -> None:
    old = page(active=False, type=None, comment="typed since")
    step = decide(item(None), old, MADE)
    assert step.to_row == content(type=None, comment="typed since").image()
    assert step.to_page.fields == {"active": True}
    after, shown = settled(step)
    assert decide(after, shown, MADE).silent


def test_the_box_of_an_older_page_is_ticked_later_where_notion_may_not_be_written() -> None:
    old = page(active=False)
    for it in (item(None), item(row())):
        step = decide(it, old, replace(MADE, directions=TO_SUPABASE))
        assert not step.to_page
        after, shown = settled(step)
        assert after.row is not None
        assert after.row.content.active is True
        assert written(decide(after, shown, MADE)) == (Kind.UPDATE, {}, {"active": True}, None)


def test_an_older_page_found_for_a_row_takes_the_row_s_values() -> None:
    step = decide(item(row(active=False)), page(active=False, type=None, comment=None), MADE)
    assert written(step) == (Kind.UPDATE, {}, {"type": "tech", "comment": "because"}, None)


# --- lines


@pytest.mark.parametrize(
    ("step", "title"),
    [
        (Step(Kind.NOTHING, item(row(decision="a\n b"))), "a b"),
        (Step(Kind.NOTHING, item(None), page(decision="")), "(untitled)"),
        (Step(Kind.NOTHING, item(None)), "(untitled)"),
        (Step(Kind.NOTHING, item(row(decision="x" * 61))), "x" * 59 + "…"),
    ],
)
def test_a_title_is_short_and_one_line(step: Step, title: str) -> None:
    assert step.title == title


def test_a_held_field_is_told_with_both_values_cut_short() -> None:
    step = decide(item(row(comment="m" * 80), link()), page(comment="theirs"), policy("hold"))
    assert step.flags == (f"comment is held: Supabase has '{'m' * 48}…, Notion has 'theirs'",)


# --- whatever happened


TEXT = st.sampled_from([None, "", "a", "A ", "b"])
CONTENTS = st.builds(
    Decision,
    st.sampled_from(["", "a", "A ", "b"]),
    st.sampled_from([None, "2026-11-01", "2026-11-02", "infinity"]),
    st.sampled_from([None, "a", "A", "b", "a,b", "x" * 51]),
    st.sampled_from([None, True, False]),
    TEXT,
)
PAGES = st.builds(
    lambda values, stamp, in_trash, claimed, ours: Page(
        PAGE_ID,
        values.but({"active": values.active is not False}),
        in_trash,
        claimed,
        stamp,
        EARLIER,
        edited_by_us=ours,
    ),
    CONTENTS,
    st.sampled_from([EARLIER, LATER]),
    st.booleans(),
    st.sampled_from([ID, "", OTHER_ID]),
    st.booleans(),
)
TODOS = st.builds(
    Todo,
    st.lists(st.sampled_from(FIELDS), unique=True, max_size=2).map(tuple),
    st.just({}),
    st.sampled_from(["", EARLIER.isoformat()]),
    st.sampled_from(["", "timed out"]),
)
BOUND = st.builds(
    lambda in_trash, base_row, base_page, todo: Link(
        PAGE_ID,
        LinkState.TRASHED if in_trash else LinkState.LINKED,
        base_row,
        PageImage(base_page, in_trash),
        None,
        todo if base_row else Todo(),
    ),
    st.booleans(),
    st.none() | CONTENTS,
    CONTENTS,
    TODOS,
)
GONE = st.one_of(
    st.builds(lambda base_row: Link(PAGE_ID, LinkState.GONE, base_row), st.none() | CONTENTS),
    st.builds(lambda values: Link(PAGE_ID, LinkState.GONE, None, PageImage(values, in_trash=True)), CONTENTS),
)
LINKS = BOUND | GONE
ROWS = st.builds(Row, st.just(ID), CONTENTS, st.sampled_from([None, EARLIER, LATER]))
POLICIES = st.builds(
    lambda prefer, directions, made: Policy(
        NOW, prefer, explicit=prefer in {"supabase", "notion"}, directions=directions, made=made
    ),
    st.sampled_from(["newest", "supabase", "notion", "hold"]),
    st.sampled_from([BOTH, BOTH, TO_NOTION, TO_SUPABASE]),
    st.sampled_from([{}, {"active": NOW, "comment": NOW}]),
)
SITUATIONS = st.tuples(
    st.builds(Item, st.just(ID), st.none() | ROWS, st.none() | LINKS),
    PAGES | st.sampled_from(Absence),
    POLICIES,
)


def altered(values: Decision) -> Decision:
    """What Notion may make of what it is given: an option's case, blanks around."""
    kind = values.type and values.type.strip().casefold()
    return values.but({"decision": values.decision.strip(), "type": kind or None, "comment": values.comment or None})


def test_a_trashed_page_retires_its_decision_even_when_its_box_was_unticked_all_along() -> None:
    row = Row(ID, Decision("a", None, None, None, None), None)
    link = Link(PAGE_ID, LinkState.LINKED, row.content, PageImage(row.content.but({"active": False})))
    seen = Page(PAGE_ID, row.content.but({"active": False}), True, ID, EARLIER, EARLIER)
    step = decide(Item(ID, row, link), seen, Policy(NOW))
    assert (step.kind, step.to_row, bool(step.to_page)) == (Kind.RETIRE, {"active": False}, False)


@settings(max_examples=400)
@given(SITUATIONS)
def test_deciding_again_after_all_was_done_is_silent(situation: tuple[Item, Any, Policy]) -> None:
    it, seen, how = situation
    assume(it.row or it.link or isinstance(seen, Page))
    step = decide(it, seen, how)
    after, shown = settled(step, altered)
    if after.row is None and after.link is None:
        return
    again = decide(after, shown or (seen if not step.to_page else None), how)
    assert again.silent, (written(step), written(again), after, again.link)
    assert again.losses == ()


@settings(max_examples=400)
@given(SITUATIONS)
def test_after_a_run_both_sides_are_equal_but_for_what_is_open(situation: tuple[Item, Any, Policy]) -> None:
    it, seen, how = situation
    assume(it.row or it.link or isinstance(seen, Page))
    after, shown = settled(decide(it, seen, replace(how, directions=BOTH)))
    if after.row is None or shown is None or shown.in_trash or after.link is None:
        return
    images = it.link and it.link.base_row and it.link.base_page
    for name in FIELDS:
        alike = same(name, after.row.content[name], shown.content[name])
        is_open = name in {*after.link.todo.held, *after.link.todo.refused}
        never_edited = (
            images
            and it.link
            and it.link.base_row
            and it.row
            and same(name, it.row.content[name], it.link.base_row[name])
        )
        assert alike or is_open or never_edited, name


@settings(max_examples=400)
@given(ROWS, BOUND, PAGES, POLICIES)
def test_a_run_that_ends_before_or_after_a_page_s_write_comes_to_the_same(
    there: Row, before: Link, seen: Page, how: Policy
) -> None:
    how = replace(how, directions=BOTH)
    step = decide(Item(ID, there, before), seen, how)
    assume(step.to_page)
    done, shown = settled(step)
    begun = Item(ID, done.row, replace(before, intent=step.intent()))
    for crashed_at in (seen, shown):
        resumed, now = settled(decide(begun, crashed_at, how))
        assert _contents(resumed, now, step) == _contents(done, shown, step)


def _contents(it: Item, shown: Page | None, step: Step) -> list[Any]:
    """What both sides hold in the fields that are not held."""
    assert it.row is not None
    assert shown is not None
    open_fields = step.link.todo.held if step.link else ()
    told = [name for name in FIELDS if name not in open_fields]
    return [shown.in_trash, *((normal(n, it.row.content[n]), normal(n, shown.content[n])) for n in told)]
