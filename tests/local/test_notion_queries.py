"""Queries in the sandbox: filters that no recording has, sorts, cursors, the cap, a lag, false listings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.local.conftest import Api, text, title
from utils.local.notion.schema import TYPES

START = datetime(2026, 6, 27, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def rows(api: Api) -> list[str]:
    """Three pages of Everything, an hour apart: apple 10, Banana 9, and an empty one."""
    api.sandbox.control.set_clock(fixed=START)
    made = [
        api.make(
            api.everything,
            Name=title("apple 10"),
            Text=text("Straße"),
            Number={"number": 0},
            Box={"checkbox": True},
            Choice={"select": {"name": "Two"}},
            Choices={"multi_select": [{"name": "Red"}, {"name": "Green"}]},
            URL={"url": "https://example.com/Apple"},
            Email={"email": "apple@example.com"},
            Phone={"phone_number": "+49 30 1"},
            State={"status": {"name": "Done"}},
            Date={"date": {"start": "2026-06-27"}},
        )["id"]
    ]
    api.sandbox.control.advance(3600)
    second = {"Name": title("Banana 9"), "Choice": {"select": {"name": "One"}}, "Number": {"number": -1.5}}
    made.append(api.make(api.everything, **second, Date={"date": {"start": "2026-06-27T10:30:00+02:00"}})["id"])
    api.sandbox.control.advance(3600)
    made.append(api.make(api.everything)["id"])
    return made


def p(name: str, kind: str, **condition: Any) -> dict[str, Any]:
    return {"property": name, kind: condition}


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    (p("Text", "rich_text", contains="strasse"), [0]),
    (p("Text", "rich_text", equals="straße"), []),
    (p("Name", "title", equals="Banana 9"), [1]),
    (p("Name", "title", does_not_equal="Banana 9"), [0, 2]),
    (p("Name", "title", starts_with="BAN"), [1]),
    (p("Number", "number", equals=0), [0]),
    (p("Number", "number", less_than=0), [1]),
    (p("Number", "number", is_empty=True), [2]),
    (p("Box", "checkbox", equals=False), [1, 2]),
    (p("State", "status", equals="Done"), [0]),
    (p("State", "status", equals="Complete"), [0]),
    (p("State", "status", is_empty=True), [1, 2]),
    (p("Choice", "select", does_not_equal="Two"), [1, 2]),
    (p("Choice", "select", equals="Never made"), []),
    (p("Choices", "multi_select", contains="Green"), [0]),
    (p("Choices", "multi_select", does_not_contain="Green"), [1, 2]),
    (p("URL", "url", contains="apple"), [0]),
    (p("Email", "email", ends_with="EXAMPLE.COM"), [0]),
    (p("Phone", "phone_number", is_empty=True), [1, 2]),
    (p("Date", "date", equals="2026-06-27"), [0, 1]),
    (p("Date", "date", after="2026-06-27"), []),
    (p("Date", "date", on_or_before="2026-06-27T08:30:00Z"), [0, 1]),
    (p("Date", "date", before="2026-06-27T08:30:00Z"), [0]),
    (p("Date", "date", past_week={}), [0, 1]),
    (p("Date", "date", next_month={}), [0, 1]),
    (p("ID", "unique_id", greater_than_or_equal_to=2), [1, 2]),
    (p("Edited", "last_edited_time", before="2026-06-27T14:00:00Z"), [0, 1]),
    (p("Created by", "created_by", is_not_empty=True), [0, 1, 2]),
    (p("Edited by", "last_edited_by", is_empty=True), []),
    (p("Created", "created_time", on_or_after="2026-06-27T13:00:00Z"), [1, 2]),
    ({"timestamp": "created_time", "created_time": {"before": "2026-06-27T13:00:00Z"}}, [0]),
    ({"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-06-27T14:00:59Z"}}, [2]),
    ({"or": []}, [0, 1, 2]),
    ({"or": [p("Name", "rich_text", equals="apple 10"), p("Name", "rich_text", equals="Banana 9")]}, [0, 1]),
    ({"and": [p("Date", "date", is_not_empty=True), {"or": [p("Box", "checkbox", equals=True)]}]}, [0]),
    ({"and": [p("Name", "rich_text", equals="apple 10"), p("Name", "rich_text", equals="Banana 9")]}, []),
]


@pytest.mark.parametrize(("given", "expected"), FILTERS, ids=[str(one)[:80] for one, _ in FILTERS])
def test_a_filter_finds_its_rows(given: dict[str, Any], expected: list[int], api: Api, rows: list[str]) -> None:
    assert sorted(rows.index(page) for page in api.ids(api.everything, filter=given)) == expected


def test_the_table_has_a_filter_of_every_property_type() -> None:
    assert {kind for given, _ in FILTERS for kind in given} >= set(TYPES)


def test_a_property_is_filtered_and_sorted_by_its_id_too(api: Api, rows: list[str]) -> None:
    schema = api.get(f"/data_sources/{api.everything}")["properties"]
    number = schema["Number"]["id"]
    assert api.ids(api.everything, filter=p(number, "number", equals=0)) == rows[:1]
    assert api.ids(api.everything, sorts=[{"property": number, "direction": "ascending"}])[:2] == [rows[1], rows[0]]


def test_people_are_found_by_id(api: Api, rows: list[str]) -> None:
    bot = api.get("/users/me")["id"]
    api.sandbox.control.person_edit(rows[0], {"Name": "cherry"})
    assert api.ids(api.everything, filter=p("Edited by", "people", contains=bot)) == [rows[2], rows[1]]
    assert api.ids(api.everything, filter=p("Created by", "people", does_not_contain=bot)) == []


SORTS: list[tuple[list[dict[str, str]], list[int]]] = [
    ([], [2, 1, 0]),
    ([{"property": "Name", "direction": "ascending"}], [0, 1, 2]),
    ([{"property": "Name", "direction": "descending"}], [1, 0, 2]),
    ([{"property": "Number", "direction": "ascending"}], [1, 0, 2]),
    ([{"property": "Choice", "direction": "ascending"}], [1, 0, 2]),
    ([{"property": "Date", "direction": "descending"}], [1, 0, 2]),
    ([{"timestamp": "created_time", "direction": "ascending"}], [0, 1, 2]),
    ([{"timestamp": "last_edited_time", "direction": "descending"}], [2, 1, 0]),
    ([{"property": "ID", "direction": "ascending"}], [0, 1, 2]),
]


@pytest.mark.parametrize(("sorts", "expected"), SORTS, ids=[str(one)[:80] for one, _ in SORTS])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_sorted_listings_are_whole_at_every_page_size(
    sorts: list[dict[str, str]], expected: list[int], size: int, api: Api, rows: list[str]
) -> None:
    assert [rows.index(page) for page in listed(api, api.everything, size, sorts=sorts)] == expected


def listed(api: Api, source: str, size: int, **body: Any) -> list[str]:
    """All ids of a query, page by page."""
    found, cursor = [], None
    while True:
        answer = api.query(source, page_size=size, **body, **({"start_cursor": cursor} if cursor else {}))
        found += [one["id"] for one in answer["results"]]
        cursor = answer["next_cursor"]
        assert answer["has_more"] is (cursor is not None)
        if cursor is None:
            return found


BAD: list[dict[str, Any]] = [
    {"filter": []},
    {"filter": {}},
    {"filter": p("Name", "rich_text", equals=1)},
    {"filter": p("Name", "rich_text", sounds_like="x")},
    {"filter": p("Name", "rich_text", equals="a", contains="b")},
    {"filter": p("Name", "rich_text", is_empty=False)},
    {"filter": p("Box", "checkbox", equals="yes")},
    {"filter": p("Date", "date", equals="today")},
    {"filter": p("Created by", "people", contains="me")},
    {"filter": {"and": [{"or": [{"and": []}]}]}},
    {"filter": {"or": [p("Name", "rich_text", equals="x")] * 101}},
    {"filter": {"timestamp": "read_time", "read_time": {"after": "2026-01-01"}}},
    {"sorts": [{"property": "Name", "direction": "up"}]},
    {"sorts": {"property": "Name"}},
    {"sorts": {}},
    {"sorts": [{"property": "Name", "direction": "ascending"}] * 101},
    {"filter": {"or": [{"rich_text": {"equals": "x"}}]}},
    {"filter": {"or": [{"property": 1, "rich_text": {"equals": "x"}}]}},
    {"page_size": 1.5},
    {"page_size": 0},
    {"page_size": "10"},
    {"page_size": True},
    {"start_cursor": "00000000-0000-4000-8000-000000000000"},
    {"result_type": "block"},
    {"surprise": 1},
]


@pytest.mark.parametrize("body", BAD, ids=[str(one)[:80] for one in BAD])
def test_a_query_that_notion_refuses(body: dict[str, Any], api: Api) -> None:
    answer = api.raw("POST", f"/data_sources/{api.everything}/query", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def test_a_cursor_belongs_to_its_query_and_expires(api: Api, rows: list[str]) -> None:
    path = f"/data_sources/{api.everything}/query"
    cursor = api.query(api.everything, page_size=1)["next_cursor"]
    assert cursor.startswith("s:")
    assert cursor.endswith(rows[1])
    api.query(api.everything, page_size=2, start_cursor=cursor)
    wrong = api.refused("POST", path, {"in_trash": True, "start_cursor": cursor})
    assert wrong == (400, "validation_error", f"The start_cursor provided is invalid: {cursor}")
    api.sandbox.control.advance(3700)
    assert api.refused("POST", path, {"start_cursor": cursor})[2] == wrong[2]
    fresh = api.query(api.everything, page_size=1)["next_cursor"]
    api.sandbox.control.expire_cursors()
    assert api.refused("POST", path, {"start_cursor": fresh})[0] == 400


def test_pages_made_while_a_listing_runs_neither_repeat_nor_omit_others(api: Api, rows: list[str]) -> None:
    first = api.query(api.everything, page_size=1)
    api.make(api.everything)
    rest = api.ids(api.everything, start_cursor=first["next_cursor"])
    assert [*[one["id"] for one in first["results"]], *rest] == rows[::-1]


def test_a_query_ends_at_the_cap_and_says_so(api: Api, rows: list[str]) -> None:
    api.sandbox.control.set_cap(2)
    first = api.query(api.everything, page_size=1)
    assert "request_status" not in first
    last = api.query(api.everything, page_size=1, start_cursor=first["next_cursor"])
    assert (last["has_more"], last["next_cursor"]) == (False, None)
    assert last["request_status"] == {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
    api.sandbox.control.set_cap(3)
    assert "request_status" not in api.query(api.everything)


def test_queries_lag_behind_writes_and_retrieves_do_not(api: Api, rows: list[str]) -> None:
    api.sandbox.control.advance(600)
    api.sandbox.control.set_lag(30)
    since = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-06-27T14:05:00Z"}}
    before = api.query(api.everything)["results"]
    made = api.make(api.everything)["id"]
    edited = api.patch(f"/pages/{rows[0]}", {"properties": {"Name": title("edited")}})
    api.patch(f"/pages/{rows[1]}", {"in_trash": True})
    assert api.get(f"/pages/{made}")["id"] == made
    assert api.get(f"/pages/{rows[0]}")["properties"] == edited["properties"]
    assert api.query(api.everything)["results"] == before
    assert [one["id"] for one in before] == rows[::-1]
    assert api.ids(api.everything, in_trash=True) == []
    assert api.ids(api.everything, filter=since) == []
    api.sandbox.control.advance(31)
    now = api.query(api.everything)["results"]
    assert [one["id"] for one in now] == [made, rows[2], rows[0]]
    assert now[-1]["properties"] == edited["properties"]
    assert api.ids(api.everything, in_trash=True) == [rows[1]]
    assert api.ids(api.everything, filter=since) == [made, rows[0]]


def test_a_listing_can_omit_and_repeat(api: Api, rows: list[str]) -> None:
    api.sandbox.control.omit([rows[1]], count=1)
    assert api.ids(api.everything) == [rows[2], rows[0]]
    assert api.ids(api.everything) == rows[::-1]
    api.sandbox.control.repeat([rows[2]])
    assert api.ids(api.everything) == [*rows[::-1], rows[2]]
    api.sandbox.control.disarm()
    assert api.ids(api.everything) == rows[::-1]
