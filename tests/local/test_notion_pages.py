"""Pages and schema in the sandbox: values, stamps, the bin, options, limits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.local.conftest import Api, text, title

START = datetime(2026, 6, 27, 17, 1, 42, 123_000, tzinfo=UTC)


def run(content: str, **more: Any) -> dict[str, Any]:
    return {"text": {"content": content}, **more}


VALUES: list[tuple[str, str, Any, Any]] = [
    ("Text", "rich_text", [], []),
    ("Choice", "select", None, None),
    ("Choices", "multi_select", [], []),
    ("Date", "date", None, None),
    ("Date", "date", {"start": "2024-01-02"}, {"start": "2024-01-02", "end": None, "time_zone": None}),
    (
        "Date",
        "date",
        {"start": "2026-06-27T18:01:15.377824", "time_zone": "Europe/London"},
        {"start": "2026-06-27T18:01:00.000+01:00", "end": None, "time_zone": None},
    ),
    (
        "Date",
        "date",
        {"start": "2026-06-27T18:01:59Z", "end": "2026-06-27T22:00:00+02:00"},
        {"start": "2026-06-27T18:01:00.000+00:00", "end": "2026-06-27T22:00:00.000+02:00", "time_zone": None},
    ),
    ("Box", "checkbox", True, True),
    ("Box", "checkbox", False, False),
    ("Number", "number", 0, 0),
    ("Number", "number", 2.5, 2.5),
    ("Number", "number", 2**53 + 1, 2**53),
    ("Number", "number", None, None),
    ("URL", "url", "https://example.com", "https://example.com"),
    ("Email", "email", None, None),
    ("Phone", "phone_number", "123", "123"),
]


@pytest.mark.parametrize(("name", "kind", "written", "shown"), VALUES)
def test_a_value_comes_back_as_notion_keeps_it(name: str, kind: str, written: Any, shown: Any, api: Api) -> None:
    page = api.make(api.everything, **{name: {kind: written}})
    assert page["properties"][name][kind] == shown
    assert api.get(f"/pages/{page['id']}")["properties"][name][kind] == shown


REFUSED: list[tuple[str, Any]] = [
    ("Created", {"created_time": "2026-01-01T00:00:00Z"}),
    ("Edited", {"last_edited_time": "2026-01-01T00:00:00Z"}),
    ("Created by", {"created_by": {"id": "00000000-0000-4000-8000-000000000000"}}),
    ("Edited by", {"last_edited_by": {"id": "00000000-0000-4000-8000-000000000000"}}),
    ("ID", {"unique_id": {"number": 1}}),
    ("Box", {"checkbox": None}),
    ("Number", {"number": "1"}),
    ("Number", {"number": True}),
    ("Name", {"rich_text": []}),
    ("State", {"status": {"name": "Unheard of"}}),
    ("Choice", {"select": {"id": "no such id"}}),
    ("Choice", {"select": {"name": ""}}),
    ("Date", {"date": {"start": "2026-02-30"}}),
    ("Date", {"date": {"start": "tomorrow"}}),
    ("Date", {"date": {"start": "2026-01-02", "end": "2026-01-01"}}),
    ("Date", {"date": {"start": "2026-01-02", "end": "2026-01-03T10:00:00Z"}}),
    ("Date", {"date": {"start": "2026-01-02T10:00:00", "time_zone": "Nowhere"}}),
    ("Email", {"email": "x" * 201}),
    ("URL", {"url": "x" * 2001}),
    ("Text", {"rich_text": [run("x", annotations={"blink": True})]}),
    ("Text", {"rich_text": [{"mention": {"user": {"id": "nobody"}}}]}),
    ("Choices", {"multi_select": [{"name": str(n)} for n in range(101)]}),
]


@pytest.mark.parametrize(("name", "written"), REFUSED)
def test_a_value_that_notion_refuses_changes_nothing(name: str, written: Any, api: Api) -> None:
    page = api.make(api.everything, Name=title("Kept"))
    before = api.get(f"/pages/{page['id']}")["properties"]
    body = {"properties": {"Name": title("Lost"), name: written}}
    status, code, _ = api.refused("PATCH", f"/pages/{page['id']}", body)
    assert (status, code) == (400, "validation_error")
    assert api.get(f"/pages/{page['id']}")["properties"] == before


CLEARED: list[tuple[str, Any, Any]] = [
    ("Name", {"title": [run("One")]}, {"title": []}),
    ("Text", {"rich_text": [run("One")]}, {"rich_text": []}),
    ("Choice", {"select": {"name": "One"}}, {"select": None}),
    ("Choices", {"multi_select": [{"name": "Red"}]}, {"multi_select": []}),
    ("State", {"status": {"name": "Done"}}, {"status": None}),
    ("Date", {"date": {"start": "2026-01-02"}}, {"date": None}),
    ("Box", {"checkbox": True}, {"checkbox": False}),
    ("Number", {"number": 7}, {"number": None}),
    ("URL", {"url": "https://example.com"}, {"url": None}),
    ("Email", {"email": "x@example.com"}, {"email": None}),
    ("Phone", {"phone_number": "1"}, {"phone_number": None}),
]


def test_null_an_empty_array_and_false_clear_and_what_is_left_out_stays(api: Api) -> None:
    page = api.make(api.everything, **{name: written for name, written, _ in CLEARED})["id"]
    for n, (name, _, cleared) in enumerate(CLEARED):
        shown = api.patch(f"/pages/{page}", {"properties": {name: cleared}})["properties"]
        (kind, empty), stays = next(iter(cleared.items())), [other for other, _, _ in CLEARED[n + 1 :]]
        assert shown[name][kind] == empty
        assert all(shown[other][shown[other]["type"]] for other in stays)


def test_each_property_item_is_what_the_page_shows(api: Api) -> None:
    page = api.make(api.everything, **{name: written for name, written, _ in CLEARED})
    assert len(page["properties"]) == 16
    for name, one in page["properties"].items():
        found = api.get(f"/pages/{page['id']}/properties/{one['id'].replace('%', '%25')}")
        listed = [item[one["type"]] for item in found["results"]] if found["object"] == "list" else found[one["type"]]
        assert listed == one[one["type"]], name


LIMITS: list[tuple[str, Any, Any]] = [
    ("Text", {"rich_text": [run("\U0001f600" * 1000)]}, {"rich_text": [run("\U0001f600" * 1000 + "x")]}),
    ("Text", {"rich_text": [run("x")] * 100}, {"rich_text": [run("x")] * 101}),
    ("Choice", {"select": {"name": "x" * 100}}, {"select": {"name": "x" * 101}}),
    ("Choices", {"multi_select": [{"name": str(n)} for n in range(100)]}, {"multi_select": [{"name": "Red"}] * 101}),
    ("URL", {"url": "x" * 2000}, {"url": "x" * 2001}),
    ("Email", {"email": "x" * 200}, {"email": "x" * 201}),
    ("Phone", {"phone_number": "1" * 200}, {"phone_number": "1" * 201}),
]


@pytest.mark.parametrize(("name", "most", "more"), LIMITS, ids=[f"{name}-{n}" for n, (name, *_) in enumerate(LIMITS)])
def test_a_value_may_be_as_long_as_notion_lets_it_and_no_longer(name: str, most: Any, more: Any, api: Api) -> None:
    page = api.make(api.everything, **{name: most})["id"]
    _, code, message = api.refused("PATCH", f"/pages/{page}", {"properties": {name: more}})
    assert (code, "length should be ≤ `" in message) == ("validation_error", True)


def test_formatting_links_and_mentions_are_kept(api: Api) -> None:
    target = api.make(api.everything, Name=title("Aim"))["id"]
    person = api.get("/users")["results"][0]
    written = [
        run("bold", annotations={"bold": True, "color": "red"}),
        {"text": {"content": "link", "link": {"url": "https://example.com"}}},
        {"mention": {"page": {"id": target}}},
        {"type": "mention", "mention": {"type": "user", "user": {"id": person["id"]}}},
        {"mention": {"date": {"start": "2026-01-02"}}},
        {"equation": {"expression": "E=mc^2"}},
        run(""),
    ]
    runs = api.make(api.everything, Text={"rich_text": written})["properties"]["Text"]["rich_text"]
    assert [one["plain_text"] for one in runs] == [
        "bold",
        "link",
        "Aim",
        f"@{person['name']}",
        "2026-01-02",
        "E=mc^2",
    ]
    assert runs[0]["annotations"]["bold"] is True
    assert runs[0]["annotations"]["color"] == "red"
    assert runs[1]["href"] == "https://example.com"
    assert runs[2]["mention"] == {"type": "page", "page": {"id": target}}


def test_a_text_shows_25_mentions_and_its_property_item_all_of_them(api: Api) -> None:
    person = api.get("/users")["results"][0]["id"]
    mentions = [{"mention": {"user": {"id": person}}} for _ in range(30)]
    page = api.make(api.everything, Text={"rich_text": mentions})
    assert len(page["properties"]["Text"]["rich_text"]) == 25
    assert api.query(api.everything)["results"][0]["properties"] == page["properties"]
    item = f"/pages/{page['id']}/properties/{page['properties']['Text']['id'].replace('%', '%25')}"
    first = api.get(f"{item}?page_size=20")
    assert (len(first["results"]), first["has_more"]) == (20, True)
    rest = api.get(f"{item}?page_size=20&start_cursor={first['next_cursor']}")
    assert (len(rest["results"]), rest["has_more"], rest["next_cursor"]) == (10, False, None)
    assert rest["results"][0]["object"] == "property_item"


def test_a_text_is_measured_in_utf16_units(api: Api) -> None:
    assert api.make(Decision=title("🙂" * 1000))["properties"]["Decision"]["title"][0]["plain_text"] == "🙂" * 1000
    _, _, message = api.refused(
        "POST", "/pages", {"parent": {"data_source_id": api.source}, "properties": {"Decision": title("🙂" * 1001)}}
    )
    assert "instead was `2002`" in message


def test_a_lone_surrogate_is_mended_not_fatal(api: Api) -> None:
    answer = api.http.post(
        "/pages",
        content=b'{"parent":{"data_source_id":"%s"},"properties":{"Decision":{"title":[{"text":{"content":"a\\ud83d"}}]}}}'
        % api.source.encode(),
    )
    assert answer.json()["properties"]["Decision"]["title"][0]["plain_text"] == "a\ufffd"


def test_a_body_may_hold_500_kb_and_no_more(api: Api) -> None:
    body = json.dumps({"parent": {"data_source_id": api.source}}).encode()
    assert api.http.post("/pages", content=body.ljust(500_000)).status_code == 200
    answer = api.http.post("/pages", content=body.ljust(500_001))
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert "500000" in answer.json()["message"]


def test_stamps_are_cut_to_the_minute_and_a_databases_are_not(api: Api) -> None:
    api.sandbox.control.set_clock(fixed=START)
    page = api.make(Decision=title("One"))
    assert page["created_time"] == page["last_edited_time"] == "2026-06-27T17:01:00.000Z"
    parent = {"type": "page_id", "page_id": api.get(f"/databases/{api.sandbox.database_id}")["parent"]["page_id"]}
    made = api.post("/databases", {"parent": parent})
    assert made["created_time"] == "2026-06-27T17:01:42.123+00:00"
    api.sandbox.control.advance(60)
    edited = api.patch(f"/pages/{page['id']}", {"properties": {"Decision": title("Two")}})
    assert (edited["created_time"], edited["last_edited_time"]) == (page["created_time"], "2026-06-27T17:02:00.000Z")
    assert api.raw("GET", "/users/me").headers["date"] == "Sat, 27 Jun 2026 17:02:42 GMT"


def test_who_made_and_who_edited_are_told_apart(api: Api) -> None:
    bot, person = api.get("/users/me")["id"], api.get("/users")["results"][0]["id"]
    page = api.make(Decision=title("One"))
    assert (page["created_by"]["id"], page["last_edited_by"]["id"]) == (bot, bot)
    api.sandbox.control.person_edit(page["id"], {"Decision": "Two"})
    page = api.get(f"/pages/{page['id']}")
    assert (page["created_by"]["id"], page["last_edited_by"]["id"]) == (bot, person)
    theirs = api.get(f"/pages/{api.sandbox.control.person_create({'Decision': 'Three'})}")
    assert theirs["created_by"]["id"] == person


def test_the_bin_holds_pages_that_queries_leave_out(api: Api) -> None:
    kept, gone = api.make(Decision=title("Kept"))["id"], api.make(Decision=title("Gone"))["id"]
    assert api.patch(f"/pages/{gone}", {"in_trash": True})["in_trash"] is True
    assert (api.ids(), api.ids(in_trash=True)) == ([kept], [gone])
    assert api.get(f"/pages/{gone}")["in_trash"] is True
    both = api.patch(f"/pages/{gone}", {"in_trash": False, "properties": {"Decision": title("Back")}})
    assert both["in_trash"] is False
    assert api.ids() == [gone, kept]


@pytest.mark.parametrize(("version", "keys"), [("2025-09-03", {"archived", "in_trash"}), ("2026-03-11", {"in_trash"})])
def test_each_version_has_its_keys(version: str, keys: set[str], api: Api) -> None:
    page = api.make(Decision=title("One"))["id"]
    with Api(api.sandbox, version) as client:
        for path in (f"/pages/{page}", f"/data_sources/{api.source}", f"/databases/{api.sandbox.database_id}"):
            assert {"archived", "in_trash"} & {*client.get(path)} == keys
        answer = client.raw("PATCH", f"/pages/{page}", {"archived": True})
        assert answer.status_code == (200 if "archived" in keys else 400)
        assert client.get(f"/pages/{page}")["in_trash"] is ("archived" in keys)


def test_an_option_is_made_on_use_and_keeps_its_id(api: Api) -> None:
    first = api.make(api.everything, Choice={"select": {"name": " Three "}})["properties"]["Choice"]["select"]
    again = api.make(api.everything, Choice={"select": {"name": "Three"}})["properties"]["Choice"]["select"]
    by_id = api.make(api.everything, Choice={"select": {"id": first["id"]}})["properties"]["Choice"]["select"]
    assert first == again == by_id
    names = [
        one["name"]
        for one in api.sandbox.control.schema(database_id=api.sandbox.everything_id)["Choice"]["select"]["options"]
    ]
    assert names == ["One", "Two", "Three"]


def test_options_that_differ_in_case_are_one_only_when_the_switch_says_so(api: Api) -> None:
    apart = api.make(api.everything, Choice={"select": {"name": "ONE"}})
    assert apart["properties"]["Choice"]["select"]["name"] == "ONE"
    api.sandbox.control.switch(fold_options=True)
    folded = api.make(api.everything, Choice={"select": {"name": "tWo"}})
    assert folded["properties"]["Choice"]["select"]["name"] == "Two"


def test_a_schema_is_added_to_renamed_retyped_and_cut(api: Api) -> None:
    path = f"/data_sources/{api.source}"
    added = api.patch(path, {"properties": {"Comment": {"rich_text": {}}, "Size": {"number": {"format": "dollar"}}}})
    comment = added["properties"]["Comment"]["id"]
    page = api.make(Decision=title("One"), Comment=text("42"), Size={"number": 3})["id"]
    renamed = api.patch(path, {"properties": {comment: {"name": "Why"}, "title": {"name": "What"}}})
    assert set(renamed["properties"]) == {"What", "Why", "Size"}
    assert renamed["properties"]["Why"]["id"] == comment
    retyped = api.patch(path, {"properties": {"Why": {"number": {}}, "Size": {"rich_text": {}}}})
    assert retyped["properties"]["Why"]["id"] == comment
    shown = api.get(f"/pages/{page}")["properties"]
    assert shown["Why"]["number"] == 42
    assert shown["Size"]["rich_text"][0]["plain_text"] == "3"
    cut = api.patch(path, {"properties": {"Why": None}})
    assert set(cut["properties"]) == {"What", "Size"}
    assert "Why" not in api.get(f"/pages/{page}")["properties"]


@pytest.mark.parametrize(
    "changes",
    [
        {"Decision": None},
        {"Decision": {"rich_text": {}}},
        {"Second": {"title": {}}},
        {"Nope": {"name": "Other"}},
        {"Nope": None},
        {"Type": {"select": {"options": [{"name": "a,b"}]}}},
        {"Type": {"select": {"options": [{"name": "a"}, {"name": "a"}]}}},
        {"A": {"rich_text": {}}, "Decision": {"name": "A"}},
        {"Who": {"people": {}}},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_schema_change_that_notion_refuses_changes_nothing(changes: Any, api: Api) -> None:
    before = api.get(f"/data_sources/{api.source}")["properties"]
    status, code, _ = api.refused("PATCH", f"/data_sources/{api.source}", {"properties": changes})
    assert (status, code) == (400, "validation_error")
    assert api.get(f"/data_sources/{api.source}")["properties"] == before


def test_options_are_renamed_and_removed_by_id(api: Api) -> None:
    path = f"/data_sources/{api.everything}"
    one, two = api.get(path)["properties"]["Choice"]["select"]["options"]
    page = api.make(api.everything, Choice={"select": {"name": "One"}})["id"]
    api.patch(path, {"properties": {"Choice": {"select": {"options": [{"id": one["id"], "name": "First"}]}}}})
    assert api.get(f"/pages/{page}")["properties"]["Choice"]["select"] == {
        "id": one["id"],
        "name": "First",
        "color": one["color"],
    }
    names = [option["name"] for option in api.get(path)["properties"]["Choice"]["select"]["options"]]
    assert names == ["First"]
    assert two["name"] not in names


def test_unique_ids_count_up_within_their_data_source(api: Api) -> None:
    numbers = [api.make(api.everything)["properties"]["ID"]["unique_id"] for _ in range(3)]
    assert numbers == [{"prefix": "EV", "number": n} for n in (1, 2, 3)]


def test_only_the_properties_asked_for_are_shown(api: Api) -> None:
    page = api.make(api.everything, Name=title("One"))["id"]
    wanted = api.get(f"/data_sources/{api.everything}")["properties"]["Date"]["id"].replace("%", "%25")
    shown = api.get(f"/pages/{page}?filter_properties=title&filter_properties={wanted}")["properties"]
    assert set(shown) == {"Name", "Date"}
    listed = api.post(f"/data_sources/{api.everything}/query?filter_properties=title", {})
    assert set(listed["results"][0]["properties"]) == {"Name"}


def test_search_finds_titles_of_pages_and_data_sources_that_are_shared(api: Api) -> None:
    page = api.make(Decision=title("Blue whales"))["id"]
    assert [one["id"] for one in api.post("/search", {"query": "whale"})["results"]] == [page]
    sources = api.post("/search", {"filter": {"property": "object", "value": "data_source"}})["results"]
    assert {one["id"] for one in sources} == {api.source, api.everything}
    api.sandbox.control.unshare(api.sandbox.database_id)
    assert api.post("/search", {"query": "whale"})["results"] == []
    first = api.post("/search", {"page_size": 1})
    assert first["has_more"]
    rest = {"page_size": 1, "start_cursor": first["next_cursor"]}
    assert api.post("/search", rest)["has_more"] is False
    api.sandbox.control.expire_cursors()
    assert api.refused("POST", "/search", rest)[0] == 400


def test_a_page_is_made_in_a_database_of_one_data_source(api: Api) -> None:
    body = {"parent": {"database_id": api.sandbox.database_id}, "properties": {"Decision": title("One")}}
    assert api.post("/pages", body)["parent"]["data_source_id"] == api.source
    api.post("/data_sources", {"parent": {"database_id": api.sandbox.database_id}, "properties": {"N": {"title": {}}}})
    assert api.refused("POST", "/pages", body)[:2] == (400, "validation_error")
    assert len(api.get(f"/databases/{api.sandbox.database_id}")["data_sources"]) == 2
