"""The sandbox against what the real Notion answered: recorded exchanges, query cases, counted shapes, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.local.conftest import RECORDED, Api, title
from tests.local.replay import Replay, counted
from utils.local.notion import Fault, Sandbox, serve

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"the recordings are not at {RECORDED}")


def _read(name: str) -> Any:
    path = RECORDED / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


CASES = _read("query_cases.json").get("cases", [])
REFUSALS = _read("error_messages.json").get("errors", [])


def test_every_recorded_exchange_that_is_covered_agrees(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (RECORDED / "recorded_exchanges.jsonl").read_text(encoding="utf-8").splitlines()
    api.http.base_url = api.sandbox.base_url
    replay = Replay(api.sandbox, api.http)
    outcomes = [replay.play(json.loads(line), number) for number, line in enumerate(lines)]
    with capsys.disabled():
        print(f"\nNotion sandbox: {counted(outcomes)}")
    unlike = [f"{one.name}: {one.unlike[:4]}" for one in outcomes if one.unlike]
    assert not unlike, "\n".join(unlike)
    assert sum(not one.why for one in outcomes) >= 428


def test_every_recorded_query_gives_the_rows_that_the_real_one_gave(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = {"type": "page_id", "page_id": api.get(f"/databases/{api.sandbox.database_id}")["parent"]["page_id"]}
    unlike, asked_so_far = [], 0
    for case in CASES:
        columns: dict[str, Any] = {name: {kind: {}} for name, kind in case["properties"].items()}
        made = api.post("/databases", {"parent": parent, "initial_data_source": {"properties": columns}})
        source = made["data_sources"][0]["id"]
        rows = [api.make(source, **_written(row, case["properties"]))["id"] for row in case["rows"]]
        for asked in case["queries"]:
            body = {key: asked[key] for key in ("filter", "sorts") if asked[key] is not None}
            found = [rows.index(page) for page in api.ids(source, **body)]
            if (found if asked["ordered"] else sorted(found)) != (
                asked["expect"] if asked["ordered"] else sorted(asked["expect"])
            ):
                unlike.append((case["src"], body, found))
            asked_so_far += 1
    with capsys.disabled():
        print(f"\nNotion sandbox: {asked_so_far - len(unlike)} of {asked_so_far} recorded queries agree", end="")
    assert not unlike
    assert asked_so_far >= 72


def _written(row: dict[str, Any], kinds: dict[str, str]) -> dict[str, Any]:
    wrap: dict[str, Callable[[Any], Any]] = {
        "title": lambda value: [{"text": {"content": value}}],
        "rich_text": lambda value: [{"text": {"content": value}}],
        "select": lambda value: {"name": value},
        "multi_select": lambda value: [{"name": name} for name in value],
    }
    return {name: {kinds[name]: wrap.get(kinds[name], lambda same: same)(value)} for name, value in row.items()}


@pytest.mark.parametrize("version", ["2025-09-03", "2026-03-11"])
def test_objects_have_the_keys_that_were_counted(version: str, sandbox: Sandbox) -> None:
    shapes = _read("shapes.json")
    with Api(sandbox, version) as api:
        page = api.make(api.everything, Name=title("One"), Choice={"select": {"name": "One"}})
        source = api.get(f"/data_sources/{api.everything}")
        found = {
            "page": page,
            "data_source": source,
            "database": api.get(f"/databases/{sandbox.everything_id}"),
            "user:bot": api.get("/users/me"),
            "user:person": api.get("/users")["results"][0],
        }
        for kind, one in found.items():
            assert sorted({*one} - {"request_id"}) in shapes["object_keys"][f"{kind}@{version}"], kind
        for kind in ("page", "data_source", "database"):
            assert sorted(found[kind]["parent"]) in shapes["parent_keys"][f"{kind}@{version}"]
        for name, one in source["properties"].items():
            assert sorted(one) in shapes["property_config_keys"][one["type"]], name
            assert sorted(page["properties"][name]) in shapes["property_value_keys"][one["type"]], name
        option = source["properties"]["Choice"]["select"]["options"][0]
        assert sorted(option) in shapes["select_option_keys"]["config"]
        assert sorted(page["properties"]["Choice"]["select"]) in shapes["select_option_keys"]["value"]
        run = page["properties"]["Name"]["title"][0]
        assert sorted(run) in shapes["rich_text_text_item_keys"]
        assert sorted(run["annotations"]) in shapes["annotation_keys"]
        listed = {*api.query()} - {"request_id"}
        assert sorted({*listed, "request_id"}) in shapes["list_keys"]["data_sources/{id}/query"]


ASTRAL = "\U0001f600" * 1001


def _refusal(api: Api, name: str) -> tuple[int, str, str]:
    """Provokes one refusal of the list."""
    page = api.make(Decision=title("One"))["id"]
    select = {"parent": {"data_source_id": api.everything}}
    query = f"/data_sources/{api.source}/query"
    sandbox = api.sandbox
    armed = {"conflict": 409, "rate_limited": 429, "overload": 529, "unavailable": 503}
    if name in armed:
        sandbox.control.arm(Fault(armed[name]))
        return api.refused("GET", "/users/me")
    if name == "edit_trashed":
        api.patch(f"/pages/{page}", {"in_trash": True})
        return api.refused("PATCH", f"/pages/{page}", {"properties": {"Decision": title("Two")}})
    bodies: dict[str, tuple[str, str, Any]] = {
        "unknown_path": ("GET", "/nothing", None),
        "page_not_found": ("GET", "/pages/7855b161-f63e-4683-b7c7-8ca6e97ee266", None),
        "bad_uuid": ("GET", "/pages/12345678-1234-1234-1234-123456789abc", None),
        "wrong_route_for_version": ("POST", f"/databases/{sandbox.database_id}/query", {}),
        "unknown_property": ("PATCH", f"/pages/{page}", {"properties": {"Nope": title("x")}}),
        "wrong_value_type": ("PATCH", f"/pages/{page}", {"properties": {"Decision": {"number": 1}}}),
        "text_too_long": ("PATCH", f"/pages/{page}", {"properties": {"Decision": title(ASTRAL)}}),
        "array_too_long": ("PATCH", f"/pages/{page}", {"properties": {"Decision": {"title": [{}] * 101}}}),
        "select_comma": ("POST", "/pages", {**select, "properties": {"Choice": {"select": {"name": "a,b"}}}}),
        "option_color": (
            "POST",
            "/pages",
            {**select, "properties": {"Choice": {"select": {"name": "One", "color": "brown"}}}},
        ),
        "filter_unknown_property": ("POST", query, {"filter": {"property": "Nope", "rich_text": {"equals": "x"}}}),
        "filter_wrong_type": ("POST", query, {"filter": {"property": "Decision", "number": {"equals": 1}}}),
        "sort_unknown_property": ("POST", query, {"sorts": [{"property": "Nope", "direction": "ascending"}]}),
        "bad_cursor": ("POST", query, {"start_cursor": "s:nope"}),
        "page_size_101": ("POST", query, {"page_size": 101}),
    }
    if name in bodies:
        return api.refused(*bodies[name])
    headers: dict[str, dict[str, str]] = {
        "bad_token": {"Authorization": "Bearer ntn_wrong"},
        "no_bearer": {"Authorization": "Basic x"},
        "missing_version": {"Notion-Version": ""},
    }
    kept = {"Authorization": f"Bearer {sandbox.token}", "Notion-Version": "2026-03-11", **headers.get(name, {})}
    url, sent = sandbox.base_url + "/v1/users/me", None
    method = "GET"
    if name == "bad_json":
        method, url, sent = "POST", sandbox.base_url + "/v1/search", b"{nope"
    answer = httpx.request(method, url, content=sent, headers={key: value for key, value in kept.items() if value})
    return answer.status_code, answer.json()["code"], answer.json()["message"]


@pytest.mark.parametrize("entry", REFUSALS, ids=[f"{one['id']}, {one['grade']}" for one in REFUSALS])
def test_refusals_agree_in_status_code_and_words(entry: Any, api: Api) -> None:
    status, code, message = _refusal(api, entry["id"])
    assert (status, code) == (entry["status"], entry["code"])
    assert re.search(entry["regex"], message), message


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("2025-09-03", "/databases/{}/query"),
        ("2026-03-11", "/databases/{}/query"),
        ("2022-06-28", "/data_sources/{}/query"),
    ],
)
def test_a_route_of_another_version_is_an_invalid_url(version: str, path: str, api: Api) -> None:
    answer = api.raw("POST", path.format(api.source), {}, **{"Notion-Version": version})
    found = answer.json()
    assert (answer.status_code, found["code"], found["message"]) == (400, "invalid_request_url", "Invalid request URL.")


@pytest.mark.parametrize("authorization", ["nope", "Basic x", "Bearer", "token x", None])
def test_credentials_without_the_bearer_scheme_are_told_the_form(authorization: str | None, tmp_path: Path) -> None:
    with serve(tmp_path / "notion.db") as sandbox:
        headers = {"Authorization": authorization} if authorization is not None else {}
        answer = httpx.get(sandbox.base_url + "/v1/users/me", headers=headers)
        assert answer.json()["message"] == 'Authorization header must use the format "Bearer <token>".'
        good = httpx.get(
            sandbox.base_url + "/v1/users/me",
            headers={"Authorization": f"bearer {sandbox.token}", "Notion-Version": "2026-03-11"},
        )
        assert good.status_code == 200
