"""The sandbox as a server: several processes, kill -9, the command, the page, odd HTTP."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import httpx
import notion_client
import pytest

from tests.local.conftest import Api, title
from utils.errors import ServiceError
from utils.local.notion import Fault, Sandbox, serve
from utils.local.notion.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def start(store: Path, *more: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Starts the command; answers the process and the variables that it printed."""
    command = [sys.executable, "-m", "utils.local.notion", "--store", str(store), *more]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return process, dict(line.split("=", 1) for line in _lines(process.stdout))


def _lines(stream: IO[str] | None) -> list[str]:
    assert stream
    found = []
    for line in stream:
        if line.startswith("#"):
            break
        found.append(line.strip())
    return found


def test_the_real_client_works_against_the_command(tmp_path: Path) -> None:
    process, printed = start(tmp_path / "new folder" / "notion.db")
    try:
        client = notion_client.Client(auth=printed["NOTION_TOKEN"], base_url=printed["NOTION_BASE_URL"])
        found = client.databases.retrieve(printed["NOTION_DATABASE_ID"])
        assert found["title"][0]["plain_text"] == "Decisions"  # type: ignore[index]
        everything = client.databases.retrieve(printed["EVERYTHING_DATABASE_ID"])
        assert everything["title"][0]["plain_text"] == "Everything"  # type: ignore[index]
        assert (tmp_path / "new folder").stat().st_mode & 0o777 == 0o700
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 130
    again, same = start(tmp_path / "new folder" / "notion.db")
    again.send_signal(signal.SIGINT)
    assert again.wait(10) == 130
    assert same == printed


def test_a_taken_port_is_told_and_another_one_used(tmp_path: Path) -> None:
    first, printed = start(tmp_path / "notion.db")
    second, other = start(tmp_path / "notion.db")
    third = subprocess.run(
        [sys.executable, "-m", "utils.local.notion", "--store", str(tmp_path / "b.db"), "--port", port_of(printed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    for process in (first, second):
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    assert printed["NOTION_TOKEN"] == other["NOTION_TOKEN"]
    assert port_of(printed) != port_of(other)
    assert third.returncode == 2
    assert "Choose another --port" in third.stderr


def port_of(printed: dict[str, str]) -> str:
    return printed["NOTION_BASE_URL"].rpartition(":")[2]


def test_a_file_that_is_no_store_is_told_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "notion.db"
    path.write_bytes(b"something else entirely, and long enough to be looked at" * 50)
    with pytest.raises(ServiceError, match="Move it away"), serve(path):
        pass


def test_a_store_of_another_version_is_told_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "notion.db"
    with serve(path) as sandbox, sandbox.control.store.writing() as session:
        session.db.execute("PRAGMA user_version=1")
    with pytest.raises(ServiceError, match=r"another version.*Move it away"), serve(path):
        pass


@pytest.mark.parametrize("option", [("--port", "99999"), ("--port", "-1"), ("--rate", "nan"), ("--rate", "0")])
def test_a_wrong_option_is_told_in_a_line(option: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([f"{option[0]}={option[1]}"])
    assert ended.value.code == 2
    assert f"{option[1]!r} is no" in capsys.readouterr().err


def test_a_store_that_cannot_be_made_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--store", str(tmp_path / "file" / "notion.db")]) == 3
    assert "cannot be opened" in capsys.readouterr().err


def test_what_was_answered_survives_a_kill_and_nothing_is_half_written(tmp_path: Path) -> None:
    store, made = tmp_path / "notion.db", set()
    process, printed = start(store)
    headers = {"Authorization": f"Bearer {printed['NOTION_TOKEN']}", "Notion-Version": "2026-03-11"}

    def write(worker: int) -> None:
        parent = {"database_id": printed["NOTION_DATABASE_ID"]}
        with httpx.Client(base_url=printed["NOTION_BASE_URL"], headers=headers) as client:
            for number in range(100_000):
                body = {"parent": parent, "properties": {"Decision": title(f"{worker} {number}")}}
                try:
                    made.add(client.post("/v1/pages", json=body).json()["id"])
                except httpx.TransportError:
                    return

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(write, worker) for worker in range(4)]
        until(lambda: len(made) >= 40)
        process.kill()
        assert [one.result(10) for one in running] == [None] * 4
    process.wait(10)
    with serve(store) as sandbox, Api(sandbox) as api:
        held = {one["id"] for one in sandbox.control.pages()}
        assert made <= held
        assert len(held) - len(made) <= 4
        titled = {"property": "Decision", "title": {"is_not_empty": True}}
        assert set(listed(api, filter=titled)) == held
        with sandbox.control.store.reading() as session:
            assert session.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def listed(api: Api, **body: Any) -> list[str]:
    """All ids of a query."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = api.query(**body, **cursor)
        found += [one["id"] for one in answer["results"]]
        if not answer["has_more"]:
            return found
        cursor = {"start_cursor": answer["next_cursor"]}


def until(condition: Callable[[], bool]) -> None:
    """Waits for something that is about to happen."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_command_grants_as_many_requests_a_second_as_it_is_told(tmp_path: Path) -> None:
    process, printed = start(tmp_path / "notion.db", "--rate", "3")
    headers = {"Authorization": f"Bearer {printed['NOTION_TOKEN']}", "Notion-Version": "2026-03-11"}
    with httpx.Client(base_url=printed["NOTION_BASE_URL"], headers=headers) as client:
        answers = [client.get("/v1/users/me") for _ in range(15)]
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    assert [one.status_code for one in answers[:9]] == [200] * 9
    refused = next(one for one in answers if one.status_code == 429)
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["additional_data"] == {"rate_limit_reason": "integration_rate_limit"}


def test_processes_that_start_at_once_agree_on_one_store(tmp_path: Path) -> None:
    script = "import sys\nfrom pathlib import Path\nfrom utils.local.notion import serve\n"
    script += "with serve(Path(sys.argv[1])) as one: print(one.token, one.control.person_create({'Decision': 'x'}))"
    command = [sys.executable, "-c", script, str(tmp_path / "notion.db")]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)
    ]
    told = [process.communicate(timeout=60) for process in running]
    assert [error for _, error in told] == [""] * 6
    tokens, pages = {out.split()[0] for out, _ in told}, {out.split()[1] for out, _ in told}
    with serve(tmp_path / "notion.db") as sandbox:
        assert tokens == {sandbox.token}
        assert {one["id"] for one in sandbox.control.pages()} == pages


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    with serve(tmp_path / "a.db") as one, serve(tmp_path / "a.db") as other, Api(one) as api:
        other.control.set_clock(offset=86_400)
        assert abs((one.control.now() - other.control.now()).total_seconds()) < 5

        def make(number: int) -> str:
            url = (one if number % 2 else other).base_url + "/v1"
            return str(api.http.post(f"{url}/pages", json={"parent": {"data_source_id": api.source}}).json()["id"])

        with ThreadPoolExecutor(8) as pool:
            made = set(pool.map(make, range(200)))
        assert {page["id"] for page in one.control.pages()} == made
        assert len(made) == 200


def test_it_listens_on_loopback_only_and_ends_at_once(tmp_path: Path) -> None:
    with serve(tmp_path / "notion.db") as sandbox:
        assert sandbox.base_url.startswith("http://127.0.0.1:")
        port = int(sandbox.base_url.rpartition(":")[2])
        idle = socket.create_connection(("127.0.0.1", port))
        began = time.monotonic()
    assert time.monotonic() - began < 1
    with idle, contextlib.suppress(ConnectionResetError):
        assert idle.recv(10) == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port))


ODD: list[tuple[bytes, bytes]] = [
    (b"nonsense\r\n\r\n", b"400"),
    (b"GET /v1/users/me HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"411"),
    (b"POST /v1/search HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
    (b"POST /v1/search HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
    (b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
    (b"GET /v1/users/me HTTP/1.0\r\n\r\n", b"401"),
    (b"POST /v1/search HTTP/1.1\r\nConnection: close\r\nContent-Length: 4\r\n\r\n\xff\xfe{}", b"400"),
    (b"POST /v1/search HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]", b"401"),
]


@pytest.mark.parametrize(("sent", "status"), ODD, ids=[one[:40].decode("latin-1") for one, _ in ODD])
def test_odd_http_gets_an_answer_and_an_end(sent: bytes, status: bytes, sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", int(sandbox.base_url.rpartition(":")[2])), timeout=5) as connection:
        connection.sendall(sent)
        got = b""
        while part := connection.recv(65_536):
            got += part
    assert got.split(b" ")[1] == status


REFUSED_IN_ORDER: list[tuple[str, str, bytes, dict[str, str], tuple[int, str]]] = [
    ("DELETE", "/users/me", b"", {}, (400, "invalid_request_url")),
    ("POST", "/search", b"{", {}, (400, "invalid_json")),
    ("POST", "/search", b'{"page_size": NaN}', {}, (400, "invalid_json")),
    ("POST", "/search", b"[" * 100_000, {}, (400, "invalid_json")),
    ("GET", "/pages/x", b"", {}, (401, "unauthorized")),
    (
        "POST",
        "/search",
        b'{"page_size": 1e400}',
        {"Authorization": "Bearer ?", "Notion-Version": "2026-03-11"},
        (400, "validation_error"),
    ),
    ("GET", "/pages/x", b"", {"Authorization": "Bearer ?"}, (400, "missing_version")),
    ("GET", "/pages/x", b"", {"Authorization": "Bearer ?", "Notion-Version": "1999-01-01"}, (400, "missing_version")),
    (
        "GET",
        "/data_sources/x",
        b"",
        {"Authorization": "Bearer ?", "Notion-Version": "2022-06-28"},
        (400, "invalid_request_url"),
    ),
    (
        "POST",
        "/search",
        b"[]",
        {"Authorization": "Bearer ?", "Notion-Version": "2026-03-11"},
        (400, "validation_error"),
    ),
    ("GET", "/pages/x", b"", {"Authorization": "Bearer ?", "Notion-Version": "2026-03-11"}, (400, "validation_error")),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "expected"), REFUSED_IN_ORDER)
def test_refusals_come_in_notions_order(
    method: str, path: str, body: bytes, headers: dict[str, str], expected: tuple[int, str], sandbox: Sandbox
) -> None:
    sent = {name: value.replace("?", sandbox.token) for name, value in headers.items()}
    answer = httpx.request(method, f"{sandbox.base_url}/v1{path}", content=body, headers=sent)
    found = answer.json()
    assert (answer.status_code, found["code"]) == expected
    assert found["request_id"] == answer.headers["x-notion-request-id"]
    assert answer.headers["date"].endswith("GMT")


def test_a_bug_of_its_own_is_a_500_and_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with serve(tmp_path / "notion.db") as sandbox, Api(sandbox) as api:
        sandbox.control.arm(Fault(call=lambda: 1 // 0))
        assert api.refused("GET", "/users/me")[:2] == (500, "internal_server_error")
        assert sandbox.control.bugs() == ["ZeroDivisionError('integer division or modulo by zero')"]
        assert api.get("/users/me")


# --- the page


def fields(page: str, row: str) -> dict[str, str]:
    """What a browser would send of one row's form, unchanged."""
    found = {}
    for tag in re.findall(rf'<(?:input|textarea)[^>]*form="{row}"[^>]*>(?:\n[^<]*</textarea>)?', page):
        name = re.search(r'name="([^"]*)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        body = re.search(r">\n([^<]*)</textarea>", tag)
        if name and not ('type="checkbox"' in tag and "checked" not in tag):
            found[_plain(name[1])] = _plain(body[1] if body else value[1] if value else "")
    token = re.search(r'name="token" value="(\w+)"', page)
    return {**found, "page": row, "token": token[1] if token else ""}


def _plain(text: str) -> str:
    import html

    return html.unescape(text)


def test_a_person_adds_edits_trashes_and_restores_on_the_page(api: Api) -> None:
    control = api.sandbox.control
    control.add_property("Comment", "rich_text")
    with httpx.Client(base_url=api.sandbox.base_url, follow_redirects=True) as browser:
        shown = browser.get("/").text
        form = {**fields(shown, "new"), "v:title": '<script>alert("x")</script>'}
        shown = browser.post("/create", data=form).text
        assert "<script>" not in shown
        page = control.pages()[0]["id"]
        assert control.values(page)["Decision"] == '<script>alert("x")</script>'
        assert api.get(f"/pages/{page}")["last_edited_by"]["id"] == api.get("/users")["results"][0]["id"]
        bold = {"rich_text": [{"text": {"content": "bold"}, "annotations": {"bold": True}}]}
        api.patch(f"/pages/{page}", {"properties": {"Comment": bold}})
        shown = browser.get("/").text
        browser.post("/edit", data={**fields(shown, page), "v:title": "two\r\nlines"})
        assert control.values(page)["Decision"] == "two\nlines"
        comment = api.get(f"/pages/{page}")["properties"]["Comment"]["rich_text"][0]
        assert comment["annotations"]["bold"] is True
        assert page in browser.get("/?q=LINES").text
        assert page not in browser.get("/?q=nothing").text
        browser.post("/trash", data=fields(shown, page))
        assert page not in browser.get("/").text
        assert page in browser.get("/?bin=1").text
        browser.post("/restore", data=fields(shown, page))
        assert page in browser.get("/").text
        api.post("/search", {"query": "<script>x</script>"})
        requests = browser.get("/requests").text
        assert "PATCH /v1/pages/" in requests
        assert "&quot;bold&quot;: true" in requests
        assert "&lt;script&gt;x" in requests
        assert "<script>" not in requests


def test_everything_is_edited_on_the_page(api: Api) -> None:
    control, database = api.sandbox.control, api.sandbox.everything_id
    page = api.make(api.everything, Name=title("One"), Box={"checkbox": True})["id"]
    ids = {name: one["id"] for name, one in control.schema(database_id=database).items()}
    with httpx.Client(base_url=api.sandbox.base_url, follow_redirects=True) as browser:
        form = fields(browser.get(f"/?db={database}").text, page)
        form.pop(f"v:{ids['Box']}")
        new = {"Choice": "Brand new", "Choices": "Red, Blue", "Number": "3", "Date": "2026-01-02", "State": "Done"}
        told = browser.post("/edit", data={**form, **{f"v:{ids[name]}": value for name, value in new.items()}})
        assert told.status_code == 200
        assert {name: control.values(page)[name] for name in new} == {**new, "Number": "3"}
        assert control.values(page)["Box"] == "No"
        wrong = browser.post("/edit", data={**form, f"v:{ids['Date']}": "soon", "db": database})
        assert "ISO 8601" in wrong.text
        assert control.values(page)["Date"] == "2026-01-02"


def test_the_page_refuses_strangers(api: Api) -> None:
    page = api.make(Decision=title("One"))["id"]
    good = fields(httpx.get(api.sandbox.base_url + "/").text, page)
    for form, headers in (
        ({**good, "token": "wrong"}, {}),
        (good, {"Origin": "http://evil.example"}),
        (good, {"Host": "evil.example"}),
    ):
        answer = httpx.post(api.sandbox.base_url + "/trash", data=form, headers=headers)
        assert answer.status_code == 403
    assert httpx.get(api.sandbox.base_url + "/", headers={"Host": "evil.example"}).status_code == 403
    assert httpx.get(api.sandbox.base_url + "/elsewhere").status_code == 404
    assert httpx.get(f"{api.sandbox.base_url}/?db={page}").status_code == 404
    assert httpx.get(f"{api.sandbox.base_url}/?db=x&start=-1&bin=1&q=%00").status_code == 200
    assert api.get(f"/pages/{page}")["in_trash"] is False
    shown = httpx.get(api.sandbox.base_url + "/")
    assert "default-src 'none'" in shown.headers["content-security-policy"]
