"""The three-way merge: every state of a field under every policy, and what holds for any row and page whatever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sync.builders import AGREED, BOTH, EARLIER, LATER, NOW, TO_NOTION, TO_SUPABASE, content, page, policy, row
from utils.decision import FIELDS, TEXT_BYTES, Decision, Value, normal, same
from utils.sync.merge import WHOLE, Bases, Merge, Policy, first_request, merge, newer, whole_is_refused
from utils.sync.model import Page, Refusal, Row, Side, Todo, fingerprint

VALUES: dict[str, tuple[Any, Any, Any]] = {
    "decision": ("base", "mine", "theirs"),
    "date": ("2026-11-01", "2026-11-02", "2026-11-03"),
    "type": ("base", "mine", "theirs"),
    "active": (True, False, False),
    "comment": ("base", "mine", "theirs"),
}
"""Per field: what both agreed on, an edit of the row, another one of the page."""

KEPT, TO_PAGE, TO_ROW, HELD, WAITS = "kept", "to the page", "to the row", "held", "waits"


def outcome(merged: Merge, field: str) -> str:
    """What became of one field."""
    if field in merged.to_page:
        return TO_PAGE
    if field in merged.to_row:
        return TO_ROW
    if field in merged.todo.held:
        assert field in merged.unsettled
        return HELD
    return WAITS if field in merged.unsettled else KEPT


def images(**changes: Any) -> Bases:
    return Bases(content(**changes), content(**changes))


# --- one field, every state, every policy

POLICIES: dict[str, tuple[dict[str, Any], bool, bool]] = {
    "newest, the page is": ({}, True, False),
    "newest, the row is": ({}, False, False),
    "newest, by name": ({"explicit": True}, True, False),
    "supabase": ({"prefer": "supabase", "explicit": True}, True, False),
    "notion": ({"prefer": "notion", "explicit": True}, False, False),
    "hold": ({"prefer": "hold"}, True, False),
    "newest, held": ({}, True, True),
    "newest by name, held": ({"explicit": True}, True, True),
    "hold, held": ({"prefer": "hold"}, True, True),
    "supabase, held": ({"prefer": "supabase", "explicit": True}, True, True),
    "notion, held": ({"prefer": "notion", "explicit": True}, False, True),
    "supabase for another field, held": ({"prefer": "supabase", "explicit": True, "only": frozenset()}, True, True),
    "supabase for another field": ({"prefer": "supabase", "explicit": True, "only": frozenset()}, True, False),
    "notion for another field": ({"prefer": "notion", "explicit": True, "only": frozenset()}, False, False),
}
"""Per name: the policy, whether the page's stamp is the newer one, whether the field is held."""

CONFLICT = {
    "newest, the page is": TO_ROW,
    "newest, the row is": TO_PAGE,
    "newest, by name": TO_ROW,
    "supabase": TO_PAGE,
    "notion": TO_ROW,
    "hold": HELD,
    "newest, held": HELD,
    "newest by name, held": HELD,
    "hold, held": HELD,
    "supabase, held": TO_PAGE,
    "notion, held": TO_ROW,
    "supabase for another field, held": HELD,
    "supabase for another field": TO_ROW,
    "notion for another field": TO_PAGE,
}
"""What becomes of a field that both sides changed differently."""

STATES = {
    "nothing moved": (0, 0, KEPT),
    "both moved alike": (1, 1, KEPT),
    "the row moved": (1, 0, TO_PAGE),
    "the page moved": (0, 2, TO_ROW),
    "both moved differently": (1, 2, None),
}
"""Per name: which of VALUES the row and the page have, and the outcome; None: a conflict."""

DIRECTIONS = {"both": BOTH, "to-notion": TO_NOTION, "to-supabase": TO_SUPABASE}
CLOSED = {("to-notion", TO_ROW), ("to-supabase", TO_PAGE)}


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("named", POLICIES)
@pytest.mark.parametrize("state", STATES)
def test_a_field_comes_out_by_its_state_and_the_policy(state: str, named: str, direction: str) -> None:
    mine, theirs, plain = STATES[state]
    options, page_newer, held = POLICIES[named]
    wanted = plain if plain and not (held and mine != theirs) else CONFLICT[named]
    wanted = (HELD if held and mine != theirs else WAITS) if (direction, wanted) in CLOSED else wanted
    for field, values in VALUES.items():
        if field == "active" and plain is None:
            continue
        merged = merge(
            row(EARLIER, **{field: values[mine]}),
            page(LATER if page_newer else EARLIER, **{field: values[theirs]}),
            images(**{field: values[0]}),
            Todo(held=(field,)) if held else Todo(),
            policy(**{"directions": DIRECTIONS[direction], **options}),
        )
        assert outcome(merged, field) == wanted, field
        assert merged.unsettled == ({field} if wanted in {HELD, WAITS} else set())
        assert merged.to_page == ({field: values[mine]} if wanted == TO_PAGE else {})
        assert merged.to_row == ({field: values[theirs]} if wanted == TO_ROW else {})
        fought = plain is None or held
        assert len(merged.losses) == (fought and wanted in {TO_PAGE, TO_ROW})


@pytest.mark.parametrize(
    ("prefer", "winner", "before", "after"),
    [("supabase", Side.VAULT, "theirs", "mine"), ("notion", Side.NOTION, "mine", "theirs")],
)
def test_a_conflict_s_loser_is_told_with_what_beat_it_and_the_base(
    prefer: str, winner: Side, before: str, after: str
) -> None:
    merged = merge(row(comment="mine"), page(comment="theirs"), images(), Todo(), policy(prefer))
    (loss,) = merged.losses
    assert (loss.field, loss.before, loss.after, loss.base) == ("comment", before, after, "because")
    assert loss.winner is winner
    assert loss.reason == f"conflict: --prefer {prefer}"


def test_a_conflict_without_an_image_has_no_base() -> None:
    (loss,) = merge(row(comment="mine"), page(comment="theirs"), Bases(None, None), Todo(), policy("notion")).losses
    assert loss.base is None


@pytest.mark.parametrize("field", VALUES)
def test_what_notion_altered_on_writing_is_no_change(field: str) -> None:
    given_to_it, made_of_it = VALUES[field][:2]
    bases = Bases(content(**{field: given_to_it}), content(**{field: made_of_it}))
    merged = merge(row(**{field: given_to_it}), page(**{field: made_of_it}), bases, Todo(), policy())
    assert (merged.to_row, merged.to_page, merged.unsettled) == ({}, {}, frozenset())


@pytest.mark.parametrize(
    ("field", "ours", "theirs"),
    [
        ("comment", None, ""),
        ("comment", "", None),
        ("type", None, ""),
        ("type", "", None),
        ("active", None, True),
        ("decision", "", ""),
        ("date", None, None),
    ],
)
@pytest.mark.parametrize("bases", [images(), Bases(None, None)], ids=["linked", "new"])
def test_two_ways_of_saying_one_thing_never_echo(field: str, ours: Any, theirs: Any, bases: Bases) -> None:
    merged = merge(row(**{field: ours}), page(**{field: theirs}), bases, Todo(), policy())
    assert field not in {*merged.to_row, *merged.to_page, *merged.unsettled}


def test_a_page_s_date_with_a_time_is_left_alone_by_the_same_day() -> None:
    timed = page(date="2026-11-02", state={"extras": {"date": {"start": "2026-11-02T09:00:00.000+01:00"}}})
    for bases in (images(), Bases(None, None), Bases(content(date="2026-11-02"), AGREED)):
        merged = merge(row(date="2026-11-02"), timed, bases, Todo(), policy("supabase", explicit=True))
        assert "date" not in merged.to_page
        assert merged.losses == ()


@pytest.mark.parametrize("conflict", [False, True])
def test_what_only_notion_held_is_told_when_an_edit_of_the_row_overwrites_it(conflict: bool) -> None:
    raw = {"start": "2026-11-01T09:00:00.000+01:00", "end": None}
    theirs = page(date="2026-11-03" if conflict else "2026-11-01", state={"extras": {"date": raw}})
    merged = merge(row(date="2026-11-09"), theirs, images(), Todo(), policy("supabase"))
    assert merged.to_page == {"date": "2026-11-09"}
    assert [(loss.before, loss.reason) for loss in merged.losses if loss.before == raw] == [
        (raw, "only Notion held this")
    ]
    assert len(merged.losses) == 1 + conflict


def test_formatting_of_a_field_that_is_not_written_is_not_told() -> None:
    styled = page(comment="theirs", state={"extras": {"comment": [{"annotations": {"bold": True}}]}})
    assert merge(row(), styled, images(), Todo(), policy()).losses == ()


# --- a pair that never agreed


@pytest.mark.parametrize(
    ("field", "ours", "theirs", "wanted"),
    [
        ("comment", "mine", None, TO_PAGE),
        ("comment", "mine", "", TO_PAGE),
        ("comment", None, "theirs", TO_ROW),
        ("date", None, "2026-11-03", TO_ROW),
        ("type", "", "theirs", TO_ROW),
        ("decision", "mine", "", TO_PAGE),
        ("comment", "mine", "theirs", TO_ROW),
        ("active", True, False, TO_ROW),
        ("active", False, True, TO_ROW),
    ],
)
def test_without_images_a_value_beats_an_empty_one_and_the_policy_decides_the_rest(
    field: str, ours: Any, theirs: Any, wanted: str
) -> None:
    merged = merge(row(**{field: ours}), page(LATER, **{field: theirs}), Bases(None, None), Todo(), policy("notion"))
    assert outcome(merged, field) == wanted
    fought = field == "active" or bool(normal(field, ours) and normal(field, theirs))
    assert bool(merged.losses) is fought


def test_a_held_field_stays_held_when_images_are_forgotten_even_against_an_empty_one() -> None:
    merged = merge(row(comment="mine"), page(comment=None), Bases(None, None), Todo(held=("comment",)), policy())
    assert outcome(merged, "comment") == HELD


@pytest.mark.parametrize(
    ("field", "ours", "theirs", "wanted"),
    [
        ("active", True, False, TO_PAGE),
        ("active", False, True, TO_ROW),
        ("comment", "mine", None, TO_PAGE),
        ("comment", "mine", "theirs", TO_ROW),
        ("comment", None, "theirs", TO_ROW),
    ],
)
def test_an_empty_value_of_a_property_that_the_sync_made_says_nothing(
    field: str, ours: Any, theirs: Any, wanted: str
) -> None:
    made = policy("notion", made={field: EARLIER})
    older = page(LATER, **{field: theirs})
    merged = merge(row(**{field: ours}), older, Bases(None, None, made.mute(older)), Todo(), made)
    assert outcome(merged, field) == wanted


def test_a_page_made_after_the_property_speaks_by_it() -> None:
    made = policy(made={"active": EARLIER})
    assert made.mute(page(active=False)) == {"active"}
    assert made.mute(page(active=False, state={"created": LATER})) == frozenset()


def test_what_is_said_by_nobody_waits_where_the_page_may_not_be_written() -> None:
    merged = merge(
        row(), page(active=False), Bases(None, None, frozenset({"active"})), Todo(), policy(directions=TO_SUPABASE)
    )
    assert outcome(merged, "active") == WAITS


# --- which side is newer


@pytest.mark.parametrize(
    ("stamp", "edited", "state", "winner", "why"),
    [
        (EARLIER, LATER, {}, Side.NOTION, "after row"),
        (LATER, EARLIER, {}, Side.VAULT, "not before page"),
        (EARLIER + timedelta(seconds=59), EARLIER, {}, Side.VAULT, "not before page"),
        (EARLIER + timedelta(seconds=59), EARLIER + timedelta(minutes=1), {}, Side.NOTION, "after row"),
        (EARLIER, NOW + timedelta(minutes=2), {}, Side.VAULT, "lies in the future"),
        (EARLIER, NOW + timedelta(minutes=1), {}, Side.NOTION, "after row"),
        (EARLIER, LATER, {"edited_by_us": True}, Side.VAULT, "by the sync itself"),
        (None, LATER, {}, Side.VAULT, "no stamp"),
    ],
    ids=["page", "row", "a tie within the minute", "the next minute", "future", "a minute ahead", "ours", "no stamp"],
)
def test_the_newer_side_is_told_by_stamps_with_the_doubt_for_supabase(
    stamp: Any, edited: Any, state: dict[str, Any], winner: Side, why: str
) -> None:
    side, reason = newer(row(stamp), page(edited, state=state), NOW)
    assert side is winner
    assert why in reason


# --- what a side cannot take


def refusal(side: Side, value: Any, why: str = "no") -> Refusal:
    return Refusal(side, fingerprint(value), why)


def test_a_value_that_a_side_cannot_hold_is_refused_and_the_other_fields_go_on() -> None:
    merged = merge(row(type="a,b", comment="mine"), page(decision="theirs"), images(), Todo(), policy())
    assert merged.to_page == {"comment": "mine"}
    assert merged.to_row == {"decision": "theirs"}
    assert merged.todo.refused.keys() == {"type"}
    assert merged.unsettled == {"type"}


def test_an_emptied_title_blanks_nothing() -> None:
    merged = merge(row(), page(decision=""), images(), Todo(), policy("notion", explicit=True))
    assert merged.to_row == {}
    assert "give the page a title" in merged.todo.refused["decision"].why


def test_a_refused_value_is_told_again_and_forgotten_when_it_changes() -> None:
    todo = Todo(refused={"comment": refusal(Side.NOTION, "mine", "Notion would not")})
    again = merge(row(comment="mine"), page(), images(), todo, policy())
    assert again.todo.refused == todo.refused
    assert again.to_page == {}
    other = merge(row(comment="other"), page(), images(), todo, policy())
    assert other.to_page == {"comment": "other"}
    assert not other.todo


def test_a_refusal_of_one_side_says_nothing_about_the_other() -> None:
    todo = Todo(refused={"comment": refusal(Side.NOTION, "theirs")})
    assert merge(row(), page(comment="theirs"), images(), todo, policy()).to_row == {"comment": "theirs"}


def test_a_page_that_was_not_read_takes_back_no_refusal_of_the_vault() -> None:
    kept = {"type": refusal(Side.VAULT, "x" * 51), WHOLE: refusal(Side.VAULT, {"comment": "c"})}
    todo = Todo(refused={**kept, "comment": refusal(Side.NOTION, "gone")})
    unread = merge(row(), page(state={"assumed": True}), images(), todo, policy())
    assert unread.todo.refused == kept
    assert unread.unsettled == {"type"}
    assert not merge(row(), page(), images(), todo, policy()).todo


@pytest.mark.parametrize("side", Side)
def test_a_write_refused_as_a_whole_is_not_asked_for_again_until_it_changes(side: Side) -> None:
    values: dict[str, Any] = {"decision": "new", "comment": "new"}
    mine, theirs = (row(), page(LATER, **values)) if side is Side.VAULT else (row(**values), page())
    todo = Todo(refused={WHOLE: refusal(side, values)})
    again = merge(mine, theirs, images(), todo, policy())
    assert (again.to_row, again.to_page, again.todo.refused) == ({}, {}, todo.refused)
    assert again.unsettled == {"decision", "comment"}
    changed = replace(theirs, content=theirs.content.but({"type": "x"})) if side is Side.VAULT else theirs
    edited = replace(mine, content=mine.content.but({"type": "x"})) if side is Side.NOTION else mine
    after = merge(edited, changed, images(), todo, policy())
    assert (after.to_row if side is Side.VAULT else after.to_page) == {**values, "type": "x"}
    assert not after.todo


def test_no_loss_is_told_of_a_write_that_is_refused() -> None:
    todo = Todo(refused={WHOLE: refusal(Side.NOTION, {"comment": "mine"})})
    merged = merge(row(comment="mine"), page(comment="theirs"), images(), todo, policy("supabase"))
    assert merged.losses == ()
    assert merged.unsettled == {"comment"}


def test_a_write_of_nothing_is_not_remembered_as_refused() -> None:
    assert not whole_is_refused(Todo(refused={WHOLE: refusal(Side.NOTION, {})}), Side.NOTION, {})
    assert not whole_is_refused(Todo(), Side.NOTION, {"comment": "x"})


# --- one request


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"decision": "a", "comment": "b", "active": True}, {"decision", "comment", "active"}),
        ({"decision": "a" * TEXT_BYTES, "comment": "b"}, {"decision"}),
        ({"decision": "a", "comment": '"' * TEXT_BYTES, "date": None}, {"decision", "date"}),
        ({"comment": "b" * 2 * TEXT_BYTES}, {"comment"}),
        ({}, set()),
    ],
    ids=["all", "a long title", "a long comment", "the comment alone", "nothing"],
)
def test_the_comment_waits_for_the_next_request_where_one_is_too_small(
    fields: dict[str, Value], sent: set[str]
) -> None:
    assert first_request(fields).keys() == sent


def test_what_waits_for_the_next_request_is_not_settled_and_its_loss_not_told() -> None:
    long = "\u20ac" * 90_000
    merged = merge(row(decision=long, comment=long), page(comment="theirs"), images(), Todo(), policy("supabase"))
    assert merged.to_page.keys() == {"decision"}
    assert merged.unsettled == {"comment"}
    assert merged.losses == ()


# --- whatever the values


TEXT = st.sampled_from([None, "", "a", "A", "a ", "b"])
CONTENTS = st.builds(
    Decision,
    st.sampled_from(["", "a", "A ", "b"]),
    st.sampled_from([None, "2026-11-01", "2026-11-02", "infinity"]),
    st.sampled_from([None, "", "a", "A", "a,b", "x" * 51]),
    st.sampled_from([None, True, False]),
    TEXT,
)
ROWS = st.builds(Row, st.just("id"), CONTENTS, st.sampled_from([None, EARLIER, LATER]))
PAGES = st.builds(
    Page,
    st.just("page"),
    CONTENTS,
    st.just(False),
    st.just("id"),
    st.sampled_from([EARLIER, LATER, NOW + timedelta(hours=1)]),
    st.just(EARLIER),
    edited_by_us=st.booleans(),
)
TODOS = st.builds(Todo, st.lists(st.sampled_from(FIELDS), unique=True, max_size=2).map(tuple))
POLICY = st.builds(
    lambda prefer, directions: Policy(NOW, prefer, explicit=prefer in {"supabase", "notion"}, directions=directions),
    st.sampled_from(["newest", "supabase", "notion", "hold"]),
    st.sampled_from([BOTH, TO_NOTION, TO_SUPABASE]),
)
BASES = st.builds(Bases, st.none() | CONTENTS, st.none() | CONTENTS)


@given(ROWS, PAGES, BASES, TODOS, POLICY)
def test_no_edit_is_overwritten_without_a_loss(ours: Row, theirs: Page, bases: Bases, todo: Todo, how: Policy) -> None:
    merged = merge(ours, theirs, bases, todo, how)
    told = {(loss.field, loss.winner) for loss in merged.losses}
    for name in merged.to_row:
        edit = bases.row is None or not same(name, ours.content[name], bases.row[name])
        assert not (edit and normal(name, ours.content[name])) or (name, Side.NOTION) in told
    for name in merged.to_page:
        edit = bases.page is None or not same(name, theirs.content[name], bases.page[name])
        assert not (edit and normal(name, theirs.content[name])) or (name, Side.VAULT) in told


@given(ROWS, PAGES, CONTENTS, CONTENTS, POLICY)
def test_a_field_unchanged_on_both_sides_is_never_written(
    ours: Row, theirs: Page, one: Decision, other: Decision, how: Policy
) -> None:
    merged = merge(ours, theirs, Bases(one, other), Todo(), how)
    for name in FIELDS:
        if same(name, ours.content[name], one[name]) and same(name, theirs.content[name], other[name]):
            assert outcome(merged, name) == KEPT
        if same(name, ours.content[name], theirs.content[name]):
            assert outcome(merged, name) == KEPT


@given(ROWS, PAGES, BASES, TODOS, POLICY)
def test_what_is_held_stays_until_it_is_equal_or_opened_and_leaves_the_others_going_on(
    ours: Row, theirs: Page, bases: Bases, todo: Todo, how: Policy
) -> None:
    merged = merge(ours, theirs, bases, todo, how)
    free = merge(ours, theirs, bases, Todo(), how)
    for name in FIELDS:
        differ = not same(name, ours.content[name], theirs.content[name])
        if name in todo.held and not how.explicit:
            assert (name in merged.todo.held) is differ
        elif name not in todo.held:
            assert outcome(merged, name) == outcome(free, name)


@pytest.mark.parametrize("obstacle", ["direction", "refused", "refused as a whole"])
def test_a_held_field_that_could_not_be_resolved_is_held_still(obstacle: str) -> None:
    theirs = "x" * 51 if obstacle == "refused" else "theirs"
    whole = {WHOLE: refusal(Side.VAULT, {"type": theirs})} if obstacle == "refused as a whole" else {}
    how = policy("notion", explicit=True, directions=TO_NOTION if obstacle == "direction" else BOTH)
    merged = merge(row(type="mine"), page(type=theirs), images(), Todo(("type",), whole), how)
    assert (merged.to_row, merged.to_page, merged.todo.held) == ({}, {}, ("type",))


@given(ROWS, PAGES, BASES, TODOS, POLICY)
def test_a_side_is_written_to_only_in_its_direction_and_only_what_it_can_hold(
    ours: Row, theirs: Page, bases: Bases, todo: Todo, how: Policy
) -> None:
    merged = merge(ours, theirs, bases, todo, how)
    assert not merged.to_row or Side.VAULT in how.directions
    assert not merged.to_page or Side.NOTION in how.directions
    assert not merged.to_row.keys() & merged.to_page.keys()
    assert merged.to_page.get("type") != "a,b"
    assert merged.to_page.get("date") != "infinity"
    assert merged.to_row.get("type") != "x" * 51
    assert merged.to_row.get("decision") != ""
