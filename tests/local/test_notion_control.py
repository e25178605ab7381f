"""What goes wrong on purpose and what people do: faults, the clock, the switches, sharing, over HTTP too."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.local.conftest import Api, title
from utils.local.notion import Fault, Sandbox, serve
from utils.local.notion.control import ACTIONS

START = datetime(2026, 6, 27, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("status", [409, 429, 500, 502, 503, 504, 529])
def test_an_armed_refusal_meets_the_next_requests_that_match(status: int, api: Api) -> None:
    control = api.sandbox.control
    control.arm(Fault(status, method="post", path="/pages$", count=2, skip=1))
    assert api.raw("GET", "/users/me").status_code == 200
    body = {"parent": {"data_source_id": api.source}, "properties": {}}
    assert [api.raw("POST", "/pages", body).status_code for _ in range(4)] == [200, status, status, 200]
    assert len(control.pages()) == 2
    assert control.faults.armed() == []


def test_a_refusal_after_the_write_took_effect_leaves_the_page(api: Api) -> None:
    api.sandbox.control.arm(Fault(504, method="POST", path="/pages$", after=True))
    answer = api.raw("POST", "/pages", {"parent": {"data_source_id": api.source}})
    assert (answer.status_code, answer.json()["code"]) == (504, "gateway_timeout")
    assert len(api.sandbox.control.pages()) == 1


@pytest.mark.parametrize(("after", "pages"), [(False, 0), (True, 1)])
def test_a_connection_is_cut_before_or_after_the_write(after: bool, pages: int, api: Api) -> None:
    api.sandbox.control.arm(Fault(cut=True, contains="data_source_id", after=after))
    with pytest.raises(httpx.RemoteProtocolError):
        api.raw("POST", "/pages", {"parent": {"data_source_id": api.source}})
    assert len(api.sandbox.control.pages()) == pages
    assert [one.status for one in api.sandbox.control.requests()][-1] == 0


@pytest.mark.parametrize("status", [None, 502])
def test_an_answer_can_be_no_json(status: int | None, api: Api) -> None:
    api.sandbox.control.arm(Fault(status, non_json=True))
    answer = api.raw("GET", "/users/me")
    assert answer.status_code == (status or 200)
    with pytest.raises(ValueError, match="Expecting"):
        answer.json()


def test_a_slow_answer_is_slow_and_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with serve(tmp_path / "notion.db") as sandbox, Api(sandbox) as api:
        sandbox.control.arm(Fault(delay=0.2))
        began = time.monotonic()
        api.get("/users/me")
        assert time.monotonic() - began >= 0.2
        sandbox.control.arm(Fault(delay=60, method="POST"))
        waiting = threading.Thread(target=_cut_off, args=(api,))
        waiting.start()
        time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    waiting.join(5)
    with serve(tmp_path / "notion.db") as sandbox:
        assert sandbox.control.pages() == []


def _cut_off(api: Api) -> None:
    with pytest.raises(httpx.HTTPError):
        api.raw("POST", "/pages", {"parent": {"data_source_id": api.source}})


@pytest.mark.parametrize(("after", "seen"), [(False, "theirs"), (True, "old")])
def test_a_person_edits_at_the_very_moment_of_a_request(after: bool, seen: str, api: Api) -> None:
    control = api.sandbox.control
    page = control.person_create({"Decision": "old"})
    control.arm(
        Fault(method="GET", path=page, after=after, call=lambda: control.person_edit(page, {"Decision": "theirs"}))
    )
    assert api.get(f"/pages/{page}")["properties"]["Decision"]["title"][0]["plain_text"] == seen
    assert control.values(page) == {"Decision": "theirs"}


def test_the_rate_limit_says_how_long_to_wait(tmp_path: Path) -> None:
    with serve(tmp_path / "notion.db", rate=5) as sandbox, Api(sandbox) as api:
        answers = [api.raw("GET", "/users/me") for _ in range(40)]
        refused = next(one for one in answers if one.status_code == 429)
        assert refused.headers["retry-after"].isdigit()
        assert refused.json()["additional_data"]["rate_limit_reason"]
        assert 13 <= sum(one.status_code == 200 for one in answers) <= 25
        time.sleep(int(refused.headers["retry-after"]))
        assert api.raw("GET", "/users/me").status_code == 200


SWITCHES = [
    ("trash_moves_stamp", "trash"),
    ("restore_moves_stamp", "restore"),
    ("option_rename_moves_stamp", "rename"),
]


@pytest.mark.parametrize("on", [False, True])
@pytest.mark.parametrize(("switch", "deed"), SWITCHES)
def test_a_switch_decides_whether_a_stamp_moves(switch: str, deed: str, on: bool, api: Api) -> None:
    control, everything = api.sandbox.control, api.sandbox.everything_id
    control.set_clock(fixed=START)
    control.switch(**{switch: on})
    page = api.make(api.everything, Choice={"select": {"name": "One"}})["id"]
    if deed == "restore":
        control.person_trash(page)
    control.advance(300)
    if deed == "trash":
        control.person_trash(page)
    if deed == "restore":
        control.person_restore(page)
    if deed == "rename":
        control.rename_option("Choice", "One", "First", database_id=everything)
        assert control.values(page)["Choice"] == "First"
    person = api.get("/users")["results"][0]["id"]
    found = api.get(f"/pages/{page}")
    assert (found["last_edited_time"] == "2026-06-27T12:05:00.000Z") is on
    assert (found["last_edited_by"]["id"] == person) is on


def test_an_answer_can_lack_its_date(api: Api) -> None:
    api.sandbox.control.switch(date_header=False)
    assert "date" not in api.raw("GET", "/users/me").headers
    assert "date" not in api.raw("GET", "/nothing").headers
    api.sandbox.control.switch(date_header=True)
    assert "date" in api.raw("GET", "/users/me").headers


def test_the_clock_goes_on_from_where_it_was_set(api: Api) -> None:
    control = api.sandbox.control
    control.set_clock(offset=3600)
    control.advance(-60)
    ahead = (control.now() - datetime.now(UTC)).total_seconds()
    assert 3535 < ahead < 3541
    control.set_clock(fixed=START)
    assert control.now() == START
    control.set_clock()
    assert abs((control.now() - datetime.now(UTC)).total_seconds()) < 5
    with pytest.raises(ValueError, match="from 1970"):
        control.advance(1e12)


def test_what_is_not_shared_is_not_found_until_it_is_shared_again(api: Api) -> None:
    control = api.sandbox.control
    page = api.make(Decision=title("One"))["id"]
    paths = [f"/pages/{page}", f"/databases/{api.sandbox.database_id}", f"/data_sources/{api.source}"]
    control.unshare(api.sandbox.database_id)
    for path in paths:
        assert api.refused("GET", path)[:2] == (404, "object_not_found")
    assert api.refused("POST", f"/data_sources/{api.source}/query", {})[0] == 404
    assert api.refused("PATCH", paths[0], {"in_trash": True})[0] == 404
    control.share(api.sandbox.database_id)
    assert [api.get(path)["id"] for path in paths]
    control.unshare(page)
    assert api.refused("GET", paths[0])[0] == 404
    assert api.ids() == []


def test_a_person_purges_duplicates_and_moves(api: Api) -> None:
    control = api.sandbox.control
    first = api.make(api.everything, Name=title("One"), Number={"number": 7})["id"]
    copy = control.person_duplicate(first)
    assert {**control.values(copy), "Name": "x"} == {**control.values(first), "Name": "x"}
    assert api.ids(api.everything, filter={"property": "Number", "number": {"equals": 7}}) == [copy, first]
    control.person_move(copy, database_id=api.sandbox.database_id)
    moved = api.get(f"/pages/{copy}")
    assert moved["parent"]["data_source_id"] == api.source
    assert moved["properties"]["Decision"]["title"][0]["plain_text"] == "One"
    control.person_move(copy)
    assert api.get(f"/pages/{copy}")["parent"]["type"] == "page_id"
    assert api.ids() == []
    control.person_purge(first)
    assert api.refused("GET", f"/pages/{first}")[0] == 404
    assert api.ids(api.everything) == []


def test_a_person_writes_plain_values(api: Api) -> None:
    control = api.sandbox.control
    plain = {
        "Name": "x" * 4001,
        "Choice": "Two",
        "Choices": ["Red", "Blue"],
        "Date": "2026-01-02",
        "Box": True,
        "Number": "2.5",
        "URL": "https://example.com",
    }
    page = control.person_create(plain, database_id=api.sandbox.everything_id)
    shown = control.values(page)
    assert shown["Name"] == "x" * 4001
    assert (shown["Choice"], shown["Choices"], shown["Date"]) == ("Two", "Red, Blue", "2026-01-02")
    assert (shown["Box"], shown["Number"]) == ("Yes", "2.5")
    control.person_edit(page, dict.fromkeys(plain))
    assert {control.values(page)[name] for name in plain} == {"", "No"}


def test_the_schema_changes_under_the_client(api: Api) -> None:
    control = api.sandbox.control
    control.add_property("Why", "rich_text")
    page = control.person_create({"Decision": "One", "Why": "because"})
    control.rename_property("Why", "Reason")
    assert control.values(page) == {"Decision": "One", "Reason": "because"}
    control.retype_property("Reason", "select")
    assert control.schema()["Reason"]["type"] == "select"
    assert control.values(page)["Reason"] == "because"
    control.remove_property("Reason")
    assert set(control.schema()) == {"Decision"}


def test_the_control_route_does_the_same_and_wants_its_key(sandbox: Sandbox) -> None:
    def post(action: str, body: Any = None, key: str | None = None) -> httpx.Response:
        headers = {"X-Control-Key": sandbox.control_key if key is None else key}
        return httpx.post(f"{sandbox.base_url}/control/{action}", json=body or {}, headers=headers)

    assert post("settings", key="wrong").status_code == 403
    assert post("nothing").status_code == 400
    assert post("advance", {"hours": 1}).status_code == 400
    page = post("person_create", {"properties": {"Decision": "One"}}).json()["result"]
    assert post("values", {"page_id": page}).json()["result"] == {"Decision": "One"}
    assert post("set_clock", {"fixed": "2026-06-27T12:00:00+00:00"}).status_code == 200
    assert post("now").json()["result"] == "2026-06-27T12:00:00+00:00"
    edit = {"action": "person_edit", "page_id": page, "properties": {"Decision": "Two"}}
    assert post("arm", {"path": "/users/me", "do": [edit]}).status_code == 200
    with Api(sandbox) as api:
        api.get("/users/me")
    assert post("values", {"page_id": page}).json()["result"] == {"Decision": "Two"}
    assert post("requests").json()["result"][-1]["path"] == "/v1/users/me"
    assert post("person_trash", {"page_id": "7855b161-f63e-4683-b7c7-8ca6e97ee266"}).status_code == 404
    assert post("settings").json()["result"]["cap"] == 10_000


def test_every_action_can_be_asked_for_over_http(api: Api) -> None:
    sandbox, page, other = api.sandbox, api.make(Decision=title("One"))["id"], api.make()["id"]
    calls: list[tuple[str, dict[str, Any], Any]] = [
        ("set_clock", {"fixed": "2026-06-27T12:00:00+00:00"}, None),
        ("advance", {"seconds": 60}, None),
        ("now", {}, "2026-06-27T12:01:00+00:00"),
        ("switch", {"trash_moves_stamp": True}, None),
        ("set_lag", {"seconds": 0.5}, None),
        ("set_cap", {"rows": 7}, None),
        ("set_rate", {"rate": 1000}, None),
        ("set_cursor_life", {"seconds": 60}, None),
        ("expire_cursors", {}, None),
        ("arm", {"status": 503, "method": "GET"}, None),
        ("omit", {"page_ids": [page]}, None),
        ("repeat", {"page_ids": [page]}, None),
        ("disarm", {}, None),
        ("reset_requests", {}, None),
        ("requests", {}, []),
        ("request_count", {}, 0),
        ("bugs", {}, []),
        ("person_edit", {"page_id": page, "properties": {"Decision": "Two"}}, None),
        ("values", {"page_id": page}, {"Decision": "Two"}),
        ("person_trash", {"page_id": page}, None),
        ("person_restore", {"page_id": page}, None),
        ("unshare", {"object_id": page}, None),
        ("share", {"object_id": page}, None),
        ("person_move", {"page_id": other, "database_id": sandbox.everything_id}, None),
        ("person_purge", {"page_id": other}, None),
        ("add_property", {"name": "Why", "kind": "rich_text"}, None),
        ("rename_property", {"name": "Why", "new_name": "Reason"}, None),
        ("retype_property", {"name": "Reason", "kind": "select"}, None),
        ("remove_property", {"name": "Reason"}, None),
        ("rename_option", {**EVERYTHING_CHOICE, "database_id": sandbox.everything_id}, None),
    ]
    with httpx.Client(base_url=sandbox.base_url, headers={"X-Control-Key": sandbox.control_key}) as http:

        def ask(action: str, arguments: dict[str, Any]) -> Any:
            answer = http.post(f"/control/{action}", json=arguments)
            assert answer.status_code == 200, (action, answer.text)
            return answer.json()["result"]

        for action, arguments, expected in calls:
            assert ask(action, arguments) == expected, action
        settings = ask("settings", {})
        assert (settings["cap"], settings["lag"], settings["trash_moves_stamp"]) == (7, 500, True)
        made = ask("person_create", {"properties": {"Decision": "Three"}})
        copy = ask("person_duplicate", {"page_id": made})
        assert ask("page", {"page_id": copy})["properties"]["Decision"]["title"][0]["plain_text"] == "Three"
        assert [one["id"] for one in ask("pages", {})] == [page, made, copy]
        assert set(ask("schema", {})) == {"Decision"}
    asked_here = {"settings", "person_create", "person_duplicate", "page", "pages", "schema"}
    assert {action for action, _, _ in calls} | asked_here == set(ACTIONS)


EVERYTHING_CHOICE = {"name": "Choice", "option": "One", "new_name": "First"}


def test_a_fault_can_be_armed_over_http_in_all_its_parts(sandbox: Sandbox) -> None:
    fault = {"status": 529, "method": "GET", "path": "/users/me$", "count": 1, "skip": 1, "retry_after": 61}
    armed = httpx.post(f"{sandbox.base_url}/control/arm", json=fault, headers={"X-Control-Key": sandbox.control_key})
    assert armed.status_code == 200
    with Api(sandbox) as api:
        assert api.raw("GET", "/users/me").status_code == 200
        answer = api.raw("GET", "/users/me")
        assert (answer.status_code, answer.headers["retry-after"]) == (529, "61")
        assert api.raw("GET", "/users/me").status_code == 200


def test_the_log_holds_what_was_sent(api: Api) -> None:
    control = api.sandbox.control
    control.reset_requests()
    api.make(Decision=title("One"))
    api.raw("GET", "/nothing")
    assert [(one.method, one.path, one.status) for one in control.requests()] == [
        ("POST", "/v1/pages", 200),
        ("GET", "/v1/nothing", 400),
    ]
    assert control.requests()[0].body["properties"] == {"Decision": title("One")}
    assert control.request_count() == 2
