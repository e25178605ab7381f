"""What a decision is: when values are the same, and what either side cannot hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.decision import (
    FIELDS,
    ITEMS,
    TEXT_BYTES,
    TEXT_UNITS,
    Decision,
    Value,
    content_key,
    differing,
    from_image,
    json_bytes,
    same,
    split_text,
    unfit_for_notion,
    unfit_for_vault,
    utf16_units,
)

EMOJI = "\U0001f600"


@pytest.mark.parametrize(
    ("field", "one", "other", "equal"),
    [
        pytest.param("comment", None, "", True, id="text NULL and '' are one value"),
        pytest.param("type", None, "", True, id="a cleared select is NULL"),
        pytest.param("active", None, True, True, id="active NULL is true"),
        pytest.param("active", None, False, False, id="active NULL is not false"),
        pytest.param("date", None, "2026-11-01", False, id="a cleared date is NULL"),
        pytest.param("date", "2026-11-01", "2026-11-01", True, id="dates by calendar day"),
        pytest.param("comment", "a", "a ", False, id="text by its exact characters"),
        pytest.param("comment", "\u00e9", "e\u0301", False, id="text is not normalised"),
        pytest.param("type", "Tech", "tech", False, id="the case of a type counts"),
    ],
)
def test_values_are_compared_by_their_normal_form(field: str, one: Value, other: Value, equal: bool) -> None:
    assert same(field, one, other) is equal
    assert same(field, other, one) is equal


def test_differing_names_the_fields_in_which_two_contents_differ() -> None:
    one = Decision("a", "2026-11-01", "", None, None)
    assert differing(one, Decision("a", "2026-11-01", None, True, "")) == ()
    assert differing(one, Decision("b", None, "x", False, "c")) == FIELDS


def test_twins_have_one_key_whether_active_or_not() -> None:
    assert content_key(Decision("a", active=False)) == content_key(Decision("a", type="", active=True))
    assert content_key(Decision("a")) != content_key(Decision("a", comment="b"))


def test_an_image_gives_the_content_back_and_what_it_lacks_is_empty() -> None:
    whole = Decision("a", "2026-11-01", "tech", None, "c")
    assert from_image(whole.image()) == whole
    assert from_image({}) == Decision("", None, None, None, None)


def test_but_and_only_are_each_other_s_opposite() -> None:
    one = Decision("a", "2026-11-01", "tech", True, "c")
    assert Decision().but(one.only(FIELDS)) == one
    assert one.but({}) is one


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        pytest.param("date", "2026-11-01", "", id="a day"),
        pytest.param("date", "0001-01-01", "", id="the first day"),
        pytest.param("date", "infinity", "no date that Notion has", id="infinity"),
        pytest.param("date", "0044-03-15 BC", "no date that Notion has", id="before Christ"),
        pytest.param("date", "10000-01-01", "no date that Notion has", id="year 10000"),
        pytest.param("date", "0000-01-01", "no date that Notion has", id="year 0"),
        pytest.param("type", "a,b", "comma", id="an option with a comma"),
        pytest.param("type", "a b", "", id="an option with a blank"),
        pytest.param("decision", "a,b", "", id="a title with a comma"),
        pytest.param("comment", "a\tb\nc\rd", "", id="tab and line ends"),
        pytest.param("comment", "a\x00", "U+0000", id="NUL"),
        pytest.param("decision", "a\x1b[0m", "U+001B", id="escape"),
        pytest.param("type", "a\x7f", "U+007F", id="delete"),
        pytest.param("comment", None, "", id="nothing"),
        pytest.param("active", False, "", id="a box"),
        pytest.param("comment", "x" * TEXT_UNITS, "", id="the longest text"),
        pytest.param("comment", "x" * (TEXT_UNITS + 1), "200,001 UTF-16 units", id="one unit too long"),
        pytest.param("comment", EMOJI * (TEXT_UNITS // 2) + "x", "200,001 UTF-16 units", id="emoji count twice"),
        pytest.param("comment", "\u20ac" * (TEXT_BYTES // 3 + 1), "bytes long", id="too many bytes"),
        pytest.param("comment", "\u20ac" * 120_000 + '"' * 40_000, "bytes long", id="too many with what JSON escapes"),
    ],
)
def test_what_notion_cannot_hold_is_said(field: str, value: Value, why: str) -> None:
    said = unfit_for_notion(field, value)
    assert why in said
    assert bool(said) is bool(why)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        pytest.param("decision", "a", "", id="a title"),
        pytest.param("decision", "", "give the page a title", id="an untitled page"),
        pytest.param("comment", "", "", id="an empty comment"),
        pytest.param("comment", None, "", id="no comment"),
        pytest.param("active", True, "", id="a box"),
        pytest.param("type", "x" * 50, "", id="the longest type"),
        pytest.param("type", EMOJI * 50, "", id="emoji count once"),
        pytest.param("type", "x" * 51, "51 characters", id="one character too long"),
        pytest.param("comment", "x" * 51, "", id="a comment may be longer"),
        pytest.param("comment", "a\x00b", "U+0000", id="NUL"),
        pytest.param("comment", "a\x01b", "", id="other control characters"),
        pytest.param("comment", "a\ud800", "half a surrogate", id="half a pair"),
    ],
)
def test_what_the_vault_cannot_hold_is_said(field: str, value: Value, why: str) -> None:
    said = unfit_for_vault(field, value)
    assert why in said
    assert bool(said) is bool(why)


@given(st.text(st.characters(codec="utf-8")))
def test_lengths_are_those_of_the_encodings(text: str) -> None:
    assert utf16_units(text) == len(text.encode("utf-16-le")) // 2
    assert json_bytes(text) >= len(text.encode()) + 2


def test_a_text_that_would_need_101_items_is_told_by_its_length() -> None:
    pairs_on_every_border = "x" + "😀" * 99_999 + "x"
    assert len(split_text(pairs_on_every_border)) == ITEMS + 1
    assert (
        unfit_for_notion("comment", pairs_on_every_border)
        == "needs 101 text items of 2,000 UTF-16 units, Notion takes 100"
    )
    assert unfit_for_notion("comment", "x" * TEXT_UNITS) == ""
