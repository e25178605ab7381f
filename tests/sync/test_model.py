"""Links, rows and todos survive their JSON; stamps are read as PostgreSQL writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sync.builders import AGREED, ID, PAGE_ID, binned, content, link, page
from utils.decision import FIELDS, Decision
from utils.sync.model import (
    Intent,
    Link,
    LinkState,
    PageImage,
    Refusal,
    Side,
    Todo,
    fingerprint,
    parse_item,
    parse_stamp,
)

TEXTS = st.none() | st.text(max_size=5)
CONTENTS = st.builds(
    Decision, st.text(max_size=5), st.none() | st.just("2026-11-01"), TEXTS, st.none() | st.booleans(), TEXTS
)
IMAGES = st.builds(PageImage, CONTENTS, st.booleans())
REFUSALS = st.builds(Refusal, st.sampled_from(Side), st.text(max_size=5), st.text(max_size=5))
TODOS = st.builds(
    Todo,
    st.lists(st.sampled_from(FIELDS), unique=True).map(tuple),
    st.dictionaries(st.sampled_from([*FIELDS, "*"]), REFUSALS, max_size=2),
    st.sampled_from(["", "2026-11-05T12:00:00+00:00"]),
    st.text(max_size=5),
)
INTENTS = st.builds(
    Intent, IMAGES, st.none() | CONTENTS, st.lists(st.sampled_from(FIELDS), unique=True).map(tuple), st.none() | IMAGES
)
LINKS = st.builds(
    Link,
    st.none() | st.just(PAGE_ID),
    st.sampled_from(LinkState),
    st.none() | CONTENTS,
    st.none() | IMAGES,
    st.none() | INTENTS,
    TODOS,
)


@given(LINKS)
def test_a_link_comes_back_from_its_json_as_it_was(one: Link) -> None:
    data = json.loads(json.dumps(one.json()))
    assert parse_item({"id": ID, "row": None, "link": data}).link == one


def test_an_item_without_a_link_or_without_a_row_lacks_just_that() -> None:
    image = {**AGREED.image(), "updated_at": "2026-11-05T12:00:00.123+00:00", "synced": True}
    only_row = parse_item({"id": ID, "row": image, "link": None})
    assert only_row.link is None
    assert only_row.row is not None
    assert only_row.row.content == AGREED
    assert only_row.row.synced
    assert only_row.row.updated_at == datetime(2026, 11, 5, 12, 0, 0, 123000, UTC)
    assert parse_item({"id": ID, "row": None, "link": link().json()}).row is None


@pytest.mark.parametrize("name", ["base_row", "base_page"])
def test_an_empty_image_is_not_no_image(name: str) -> None:
    empty: dict[str, Any] = {**link().json(), name: {}}
    absent: dict[str, Any] = {**link().json(), name: None}
    assert getattr(parse_item({"id": ID, "row": None, "link": empty}).link, name) is not None
    assert getattr(parse_item({"id": ID, "row": None, "link": absent}).link, name) is None


@pytest.mark.parametrize(
    ("todo", "open_", "wants_page"),
    [
        pytest.param(Todo(), False, False, id="nothing"),
        pytest.param(Todo(held=("type",)), True, True, id="held"),
        pytest.param(Todo(refused={"type": Refusal(Side.VAULT, "f", "w")}), True, False, id="refused for good"),
        pytest.param(Todo(missing_since="2026-11-05T12:00:00+00:00"), True, True, id="a first 404"),
        pytest.param(Todo(retry="timed out"), True, True, id="failed for now"),
    ],
)
def test_what_failed_for_now_is_read_every_run_and_what_was_refused_for_good_is_not(
    todo: Todo, open_: bool, wants_page: bool
) -> None:
    assert (bool(todo), todo.wants_page) == (open_, wants_page)
    assert (todo.json() is not None) is open_


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2026-11-05T12:00:00.12345+00:00", datetime(2026, 11, 5, 12, 0, 0, 123450, UTC), id="json"),
        pytest.param("2026-11-05 14:00:00+02", datetime(2026, 11, 5, 12, tzinfo=UTC), id="text with a short zone"),
        pytest.param("2026-11-05T12:00:00.000Z", datetime(2026, 11, 5, 12, tzinfo=UTC), id="Notion's"),
        pytest.param(None, None, id="none"),
        pytest.param("", None, id="empty"),
        pytest.param("infinity", None, id="infinite"),
        pytest.param("-infinity", None, id="infinite before"),
        pytest.param("0044-03-15T00:00:00+00:00 BC", None, id="before Christ"),
        pytest.param("20000-01-01T00:00:00+00:00", None, id="after the year 9999"),
    ],
)
def test_stamps_are_read_and_what_is_none_is_none(text: str | None, moment: datetime | None) -> None:
    assert parse_stamp(text) == moment


def test_a_fingerprint_tells_values_and_kinds_apart() -> None:
    values: list[Any] = [None, "", "None", True, "true", {"type": "a"}, {"type": "b"}, {}]
    assert len({fingerprint(value) for value in values}) == len(values)
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})


@pytest.mark.parametrize(
    ("shown", "met"),
    [
        pytest.param(page(), True, id="as intended"),
        pytest.param(page(decision=" Use Postgres "), True, id="blanks around the title"),
        pytest.param(page(comment="because\n"), True, id="a line end after the comment"),
        pytest.param(page(type="TECH"), True, id="an option's case"),
        pytest.param(page(comment="BECAUSE"), False, id="the comment's case"),
        pytest.param(page(date="2026-11-02"), False, id="another day"),
        pytest.param(page(active=False), False, id="another box"),
        pytest.param(binned(), False, id="in the bin"),
    ],
)
def test_a_page_is_our_own_write_when_it_is_as_intended_but_for_what_notion_alters(shown: Any, met: bool) -> None:
    assert Intent(PageImage(AGREED), AGREED).met_by(shown) is met


def test_a_field_that_is_as_it_was_before_is_not_our_write_though_it_looks_alike() -> None:
    wanted = content(type="Tech")
    assert "type" not in Intent(PageImage(wanted), wanted, before=PageImage(AGREED)).met_fields(page())
    assert "type" in Intent(PageImage(wanted), wanted, before=PageImage(AGREED)).met_fields(page(type="TECH"))
    assert "type" in Intent(PageImage(wanted), wanted, before=PageImage(wanted)).met_fields(page(type="Tech"))
    assert "type" in Intent(PageImage(wanted), wanted).met_fields(page())


def test_only_fields_that_agree_are_met() -> None:
    assert Intent(PageImage(AGREED), AGREED, ("comment",)).met_fields(page()) == ["comment"]


def test_each_side_has_an_other() -> None:
    assert [side.other for side in Side] == [Side.NOTION, Side.VAULT]
