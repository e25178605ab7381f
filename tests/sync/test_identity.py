"""Which page belongs to which row: the link, then the Decision ID, then content that is unique on both sides."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sync.builders import (
    AGREED,
    EARLIER,
    ID,
    LATER,
    OTHER_ID,
    OTHER_PAGE,
    PAGE_ID,
    content,
    item,
    link,
    page,
    policy,
    row,
    trashed_link,
)
from utils.decision import Decision
from utils.sync.identity import Pairing, id_from_page, ids_claimed, pair, valid_id
from utils.sync.merge import Policy
from utils.sync.model import Absence, Intent, Item, Link, LinkState, Page, PageImage, Row
from utils.sync.plan import decide

THIRD_PAGE = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
OURS = {"created_by_us": True, "edited_by_us": True}


def found(
    items: Iterable[Item],
    pages: Iterable[Page],
    how: Policy | None = None,
    *,
    by_content: bool = False,
    absent: Mapping[str, Absence] | None = None,
) -> Pairing:
    """The pairing of some items and pages."""
    seen: dict[str, Page | Absence] = {**{each.id: each for each in pages}, **(absent or {})}
    return pair({each.id: each for each in items}, seen, how or policy(), by_content=by_content)


def pairs(result: Pairing) -> dict[str, Any]:
    """What each item was paired with: a page's id, an absence or None."""
    return {each.item.id: each.page.id if isinstance(each.page, Page) else each.page for each in result.pairs}


def other(claimed: str = "", page_id: str = OTHER_PAGE, /, **state: Any) -> Page:
    """Another page than the linked one."""
    return page(state={"id": page_id, "decision_id": claimed, **state})


# --- ids


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (ID, ID),
        (f"  {ID}\n", ID),
        ("AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA", PAGE_ID),
        ("", None),
        ("garbage", None),
        (ID.replace("-", ""), None),
        ("{" + ID[:-2] + "}", None),
        ("g" * 36, None),
        (ID + "0", None),
    ],
)
def test_a_decision_id_is_a_dashed_uuid(text: str, wanted: str | None) -> None:
    assert valid_id(text) == wanted


def test_an_id_made_from_a_page_is_a_uuid_and_always_the_same() -> None:
    assert id_from_page(PAGE_ID) == id_from_page(PAGE_ID) != id_from_page(OTHER_PAGE)
    assert str(uuid.UUID(id_from_page(PAGE_ID))) == id_from_page(PAGE_ID)


def test_pages_claim_the_row_they_name_and_the_one_made_from_them() -> None:
    assert ids_claimed([page(), other("garbage")]) == sorted([ID, id_from_page(PAGE_ID), id_from_page(OTHER_PAGE)])


# --- the link comes first


@pytest.mark.parametrize("shown", ["", OTHER_ID, "garbage"], ids=["cleared", "foreign", "garbage"])
def test_a_linked_page_belongs_to_its_row_whatever_its_decision_id_says(shown: str) -> None:
    rows = [item(row(), link()), Item(OTHER_ID, Row(OTHER_ID, AGREED, EARLIER), link(page_id=OTHER_PAGE))]
    result = found(rows, [page(state={"decision_id": shown}), other(OTHER_ID)])
    assert pairs(result) == {ID: PAGE_ID, OTHER_ID: OTHER_PAGE}


def test_swapped_ids_are_repaired_on_both_pages() -> None:
    rows = [item(row(), link()), Item(OTHER_ID, Row(OTHER_ID, AGREED, EARLIER), link(page_id=OTHER_PAGE))]
    result = found(rows, [page(state={"decision_id": OTHER_ID}), other(ID)])
    assert pairs(result) == {ID: PAGE_ID, OTHER_ID: OTHER_PAGE}
    steps = [decide(each.item, each.page, policy()) for each in result.pairs]
    assert [step.to_page.decision_id for step in steps] == [ID, OTHER_ID]


def test_a_page_that_was_not_read_is_as_it_was_and_none_to_a_resync() -> None:
    (known,) = found([item(row(), link())], []).pairs
    assert isinstance(known.page, Page)
    assert known.page.assumed
    assert pairs(found([item(row(), link())], [], policy(resync=True))) == {ID: Absence.GONE}
    assert pairs(found([item(row(), link())], [], absent={PAGE_ID: Absence.MISSING})) == {ID: Absence.MISSING}


# --- then the Decision ID


@pytest.mark.parametrize("linked", [None, Link(None, LinkState.ANNOUNCED)], ids=["no link", "announced"])
def test_a_valid_and_free_decision_id_binds_a_row_without_a_page(linked: Link | None) -> None:
    assert pairs(found([item(row(), linked)], [other(f" {ID.upper()} ")])) == {ID: OTHER_PAGE}


def test_a_row_without_a_page_and_without_a_claim_has_none() -> None:
    assert pairs(found([item(row()), Item(OTHER_ID, None, Link(None, LinkState.ANNOUNCED))], [])) == {
        ID: None,
        OTHER_ID: None,
    }


def test_of_two_pages_that_claim_one_row_the_live_and_older_one_gets_it() -> None:
    old, young = other(ID, created=EARLIER), other(ID, THIRD_PAGE, created=LATER)
    assert pairs(found([item(row())], [young, old]))[ID] == OTHER_PAGE
    assert pairs(found([item(row())], [young, replace(old, in_trash=True)]))[ID] == THIRD_PAGE


def test_of_two_pages_that_claim_an_announced_row_the_one_as_announced_gets_it() -> None:
    announced = Link(None, LinkState.ANNOUNCED, AGREED, None, Intent(PageImage(AGREED), AGREED))
    edited = replace(other(ID, created=EARLIER), content=content(comment="a person's"))
    ours = other(ID, THIRD_PAGE, created=LATER)
    assert pairs(found([item(row(), announced)], [edited, ours]))[ID] == THIRD_PAGE


@pytest.mark.parametrize("dead", ["trashed", "missing", "gone", "trashed at base"])
def test_a_page_trashed_or_not_found_is_replaced_by_the_one_live_page_that_carries_its_id(dead: str) -> None:
    linked = trashed_link() if dead == "trashed at base" else link()
    pages = [other(ID)] + ([page(state={"in_trash": True})] if dead == "trashed" else [])
    absent: dict[str, Absence] = {"missing": {PAGE_ID: Absence.MISSING}, "gone": {PAGE_ID: Absence.GONE}}.get(dead, {})
    assert pairs(found([item(row(), linked)], pages, absent=absent)) == {ID: OTHER_PAGE}


def test_a_trashed_page_is_not_replaced_where_two_live_ones_carry_its_id() -> None:
    trashed = page(state={"in_trash": True})
    result = pairs(found([item(row(), link())], [trashed, other(ID), other(ID, THIRD_PAGE)]))
    assert result == {ID: PAGE_ID, id_from_page(OTHER_PAGE): OTHER_PAGE, id_from_page(THIRD_PAGE): THIRD_PAGE}


def test_a_trashed_page_is_not_replaced_by_another_in_the_bin_or_out_of_the_database() -> None:
    trashed = page(state={"in_trash": True})
    away: dict[str, Any]
    for away in ({"in_trash": True}, {"at_home": False}):
        assert pairs(found([item(row(), link())], [trashed, other(ID, **away)])) == {ID: PAGE_ID}


def test_a_page_left_in_another_database_is_replaced_in_a_resync_only() -> None:
    left, copied = page(state={"at_home": False}), other(ID)
    assert pairs(found([item(row(), link())], [left, copied]))[ID] == PAGE_ID
    assert pairs(found([item(row(), link())], [left, copied], policy(resync=True))) == {ID: OTHER_PAGE}


# --- then equal content


def test_equal_content_that_is_unique_on_both_sides_binds_on_a_first_sync_only() -> None:
    assert pairs(found([item(row())], [other()], by_content=True)) == {ID: OTHER_PAGE}
    assert pairs(found([item(row())], [other()])) == {ID: None, id_from_page(OTHER_PAGE): OTHER_PAGE}


def test_active_does_not_make_two_items_different() -> None:
    retired = other(content=content(active=False))
    assert pairs(found([item(row())], [retired], by_content=True)) == {ID: OTHER_PAGE}


def test_a_resync_finds_the_page_of_a_linked_row_that_has_none_any_more() -> None:
    result = found([item(row(), link())], [other()], policy(resync=True), by_content=True)
    assert pairs(result) == {ID: OTHER_PAGE}
    read = found([item(row(), link())], [page(), other()], policy(resync=True), by_content=True)
    assert pairs(read)[ID] == PAGE_ID


@pytest.mark.parametrize("side", ["rows", "pages"])
def test_twins_stay_twins(side: str) -> None:
    rows = [item(row())] + ([Item(OTHER_ID, Row(OTHER_ID, AGREED, EARLIER), None)] if side == "rows" else [])
    pages = [other()] + ([other("", THIRD_PAGE)] if side == "pages" else [])
    result = found(rows, pages, by_content=True)
    assert {each.id for each in rows} == {name for name, seen in pairs(result).items() if seen is None}
    assert len(result.pairs) == 3


@pytest.mark.parametrize(
    "seen",
    [other(content=content(comment="x")), other(in_trash=True), other(at_home=False), other(OTHER_ID)],
    ids=["other content", "in the bin", "out of the database", "claiming a linked row"],
)
def test_content_does_not_bind_a_page_that_is(seen: Page) -> None:
    rows = [item(row()), Item(OTHER_ID, Row(OTHER_ID, content(comment="y"), EARLIER), link())]
    assert pairs(found(rows, [seen, page()], by_content=True))[ID] is None


def test_what_a_property_made_by_the_sync_cannot_say_does_not_keep_content_apart() -> None:
    older = other(content=content(comment=None))
    made = policy(made={"comment": LATER})
    assert pairs(found([item(row())], [older], made, by_content=True)) == {ID: OTHER_PAGE}
    another_day = other(content=content(comment=None, date="2026-11-02"))
    assert pairs(found([item(row())], [another_day], made, by_content=True))[ID] is None


# --- rows that came again under other ids


def test_a_new_row_takes_over_the_link_of_a_deleted_one_of_the_same_content() -> None:
    (adopted,) = found([item(None, link()), Item(OTHER_ID, Row(OTHER_ID, AGREED, LATER), None)], []).pairs
    assert (adopted.item.id, adopted.item.adopts, adopted.item.link) == (OTHER_ID, ID, link())
    step = decide(adopted.item, adopted.page, policy())
    assert (step.to_page.decision_id, step.to_page.fields, step.to_row) == (OTHER_ID, {}, {})
    retired = content(active=False)
    kept = found([item(None, trashed_link()), Item(OTHER_ID, Row(OTHER_ID, retired, LATER), None)], [])
    assert kept.pairs[0].item.adopts
    assert not decide(kept.pairs[0].item, kept.pairs[0].page, policy()).silent


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        pytest.param(item(row(), link()), AGREED, [], id="of a row that is there"),
        pytest.param(item(None, link()), content(comment="x"), [], id="of another content"),
        pytest.param(item(None, link()), content(active=False), [], id="of a row that was not retired"),
        pytest.param(item(None, link()), AGREED, [other(OTHER_ID)], id="where a page has the new row's id"),
        pytest.param(item(None, link()), AGREED, [page(state={"at_home": False})], id="of a page that was moved away"),
        pytest.param(item(None, replace(link(), state=LinkState.GONE)), AGREED, [], id="of a page that is gone"),
    ],
)
def test_a_new_row_does_not_take_over_the_link(old: Item, new: Decision, seen: list[Page]) -> None:
    result = found([old, Item(OTHER_ID, Row(OTHER_ID, new, LATER), None)], seen)
    assert not any(each.item.adopts for each in result.pairs)


def test_of_equal_rows_each_takes_over_one_link() -> None:
    old = [item(None, link()), Item(THIRD_PAGE, None, link(page_id=OTHER_PAGE))]
    new = [Item(one, Row(one, AGREED, LATER), None) for one in (OTHER_ID, OTHER_PAGE, PAGE_ID)]
    result = found([*old, *new], [])
    assert sorted(each.item.adopts for each in result.pairs) == ["", *sorted(one.id for one in old)]
    assert len({pairs(result)[one.id] for one in new}) == 3


# --- pages of no row


def test_a_new_page_gets_its_own_valid_and_unused_id_or_one_made_from_its_page_id() -> None:
    assert pairs(found([], [other(OTHER_ID)])) == {OTHER_ID: OTHER_PAGE}
    assert pairs(found([], [other("garbage")])) == {id_from_page(OTHER_PAGE): OTHER_PAGE}


def test_a_duplicated_page_gets_a_row_of_its_own() -> None:
    result = found([item(row(), link())], [page(), other(ID)])
    assert pairs(result) == {ID: PAGE_ID, id_from_page(OTHER_PAGE): OTHER_PAGE}
    assert result.ghosts == []
    copy = decide(result.pairs[1].item, result.pairs[1].page, policy())
    assert copy.to_page.decision_id == id_from_page(OTHER_PAGE)


def test_of_two_new_pages_with_one_id_the_older_keeps_it() -> None:
    young, old = other(OTHER_ID, created=LATER), other(OTHER_ID, THIRD_PAGE, created=EARLIER)
    assert pairs(found([], [young, old])) == {OTHER_ID: THIRD_PAGE, id_from_page(OTHER_PAGE): OTHER_PAGE}


def test_a_page_whose_made_id_is_taken_gets_the_next_one() -> None:
    own = id_from_page(OTHER_PAGE)
    taken = Item(own, Row(own, AGREED, EARLIER), link())
    assert pairs(found([taken], [page(), other()])) == {own: PAGE_ID, id_from_page(own): OTHER_PAGE}


def test_a_page_whose_row_was_made_from_it_before_finds_it_again() -> None:
    own = id_from_page(OTHER_PAGE)
    assert pairs(found([Item(own, Row(own, AGREED, EARLIER), None)], [other()])) == {own: OTHER_PAGE}


@pytest.mark.parametrize("state", [{"in_trash": True}, {"at_home": False}], ids=["in the bin", "elsewhere"])
def test_an_unlinked_page_in_the_bin_or_elsewhere_is_nobody_s(state: dict[str, Any]) -> None:
    assert pairs(found([], [other(OTHER_ID, **state)])) == {}


# --- ghosts

GHOST = other(ID, created=EARLIER + timedelta(minutes=1), **OURS)


def test_a_second_page_of_our_making_is_a_ghost_and_gets_no_row() -> None:
    result = found([item(row(), link())], [page(), GHOST])
    assert pairs(result) == {ID: PAGE_ID}
    assert result.ghosts == [GHOST]


def test_of_two_pages_announced_once_one_is_bound_and_the_other_a_ghost() -> None:
    announced = Link(None, LinkState.ANNOUNCED, AGREED, None, Intent(PageImage(content(type="Tech ")), AGREED))
    first = other(ID, THIRD_PAGE, created=EARLIER, **OURS)
    result = found([item(row(), announced)], [first, GHOST])
    assert pairs(result) == {ID: THIRD_PAGE}
    assert result.ghosts == [GHOST]


def test_a_resync_leaves_a_ghost_where_it_is() -> None:
    result = found([item(row(), link())], [page(), GHOST], policy(resync=True))
    assert (pairs(result), result.ghosts) == ({ID: PAGE_ID}, [])


@pytest.mark.parametrize(
    ("seen", "linked"),
    [
        pytest.param(replace(GHOST, created_by_us=False), page(), id="made by a person"),
        pytest.param(replace(GHOST, edited_by_us=False), page(), id="edited by a person"),
        pytest.param(replace(GHOST, content=content(comment="x")), page(), id="of other content"),
        pytest.param(replace(GHOST, created=EARLIER + timedelta(minutes=61)), page(), id="made over an hour later"),
        pytest.param(replace(GHOST, decision_id=""), page(), id="without the Decision ID"),
        pytest.param(GHOST, None, id="beside a page that was not seen"),
    ],
)
def test_no_ghost_is_a_page(seen: Page, linked: Page | None) -> None:
    result = found([item(row(), link())], [seen, *([linked] if linked else [])])
    assert result.ghosts == []
    assert pairs(result)[id_from_page(OTHER_PAGE)] == OTHER_PAGE


def test_a_page_that_claims_an_unlinked_row_which_went_to_an_older_page_is_no_ghost() -> None:
    older = other(ID, THIRD_PAGE, created=EARLIER)
    result = found([item(row())], [older, GHOST])
    assert result.ghosts == []
    assert pairs(result) == {ID: THIRD_PAGE, id_from_page(OTHER_PAGE): OTHER_PAGE}


def test_a_ghost_is_known_within_the_hour_exactly() -> None:
    late = replace(GHOST, created=EARLIER + timedelta(minutes=60))
    assert found([item(row(), link())], [page(), late]).ghosts == [late]


# --- whatever there is

IDS = [ID, OTHER_ID, id_from_page(PAGE_ID)]
PAGE_IDS = [PAGE_ID, OTHER_PAGE, THIRD_PAGE]


@given(data=st.data())
def test_every_row_and_every_live_page_is_in_just_one_pair(data: st.DataObject) -> None:
    contents = st.sampled_from([AGREED, content(comment="x")])
    linked = data.draw(st.permutations(PAGE_IDS))
    items = [
        Item(
            name,
            data.draw(st.none() | st.builds(Row, st.just(name), contents, st.just(EARLIER))),
            data.draw(st.sampled_from([None, Link(None, LinkState.ANNOUNCED), link(page_id=linked[place])])),
        )
        for place, name in enumerate(data.draw(st.lists(st.sampled_from(IDS), unique=True)))
    ]
    pages = [
        other(
            data.draw(st.sampled_from([*IDS, ""])), name, in_trash=data.draw(st.booleans()), content=data.draw(contents)
        )
        for name in data.draw(st.lists(st.sampled_from(PAGE_IDS), unique=True))
    ]
    how = policy(resync=data.draw(st.booleans()))
    result = found(items, pages, how, by_content=data.draw(st.booleans()))
    ids = [each.item.id for each in result.pairs]
    adopted = [each.item.adopts for each in result.pairs if each.item.adopts]
    assert not {*ids} & {*adopted}
    shown = [each.page.id for each in result.pairs if isinstance(each.page, Page)]
    assert len(ids) == len(set(ids))
    assert {each.id for each in items} == {*ids, *adopted} & {each.id for each in items}
    assert len(shown) == len(set(shown))
    assert {each.id for each in pages if not each.in_trash} <= set(shown)
