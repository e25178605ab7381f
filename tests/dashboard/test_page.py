"""The page and its neighbours, asked over the home folders that months of running leave."""

from __future__ import annotations

import json
import os
import re
import time
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.dashboard import homes
from tests.dashboard.conftest import Ask
from utils import state
from utils.dashboard.app import SHOWN_SECONDS
from utils.dashboard.guard import Guard
from utils.health.model import Finding, down
from utils.redact import Redactor
from utils.sections import DashboardSettings

ELSEWHERE = "http://angles.example"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
TOKEN = "a-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
VOID = {"meta", "link", "input", "path", "circle", "rect", "polyline", "br"}


class Page(HTMLParser):
    """What is on a page: its text, its elements, and whether they are closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        assert not self.open, f"left open: {self.open}"
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize(
    ("wrong", "line"), [({}, "All is well"), (homes.THREE, "3 things are down")], ids=["well", "three down"]
)
def test_the_page_says_everything(tmp_path: Path, ask: Ask, wrong: dict[str, Finding], line: str) -> None:
    client = ask(homes.kept(tmp_path / "home", NOW, wrong), clock=lambda: NOW)
    page = Page(client.get("/").text)
    assert line in page.words
    for finding in wrong.values():
        assert finding.fact in page.words
        assert finding.hint in page.words
    for said in (
        *("Looked 0 s ago, 2026-11-25 12:00:00 UTC", "every 6h", "834", "790 active", "Technical 412", "no type 21"),
        *("1.3 MB, 48 files, 834 decisions", "834 decisions compared, 0 differ", "3 copied, 0 merged", "this week 3"),
        *("Last proven restore", "inbox: made again", "24 runs", "done with problems"),
    ):
        assert said in page.words, said
    cards = [each for tag, each in page.elements if tag == "article" and "card" in str(each["class"]).split()]
    assert len(cards) == 10
    assert ("None is open." in page.words) == (not wrong)


def test_the_bar_the_number_and_the_table_say_the_same(tmp_path: Path, ask: Ask) -> None:
    client = ask(homes.kept(tmp_path / "home", NOW, days=10), clock=lambda: NOW)
    text = client.get("/").text
    card = re.search(r'<article class="card up" aria-labelledby="card-environment">(.*?)</article>', text, re.DOTALL)
    assert card is not None
    drawn = {state: path.count("M") for state, path in re.findall(r'<path class="(\w+)" d="([^"]*)"', card[1])[:4]}
    table = re.findall(r"<tr><td>(\S+)</td><td>(\w+)</td><td>([\d.]+) %</td></tr>", card[1])
    assert drawn["none"] == 80
    assert len(table) == 10
    assert sum(worst == "down" for _, worst, _ in table) == drawn["down"]
    mean = sum(float(portion) for *_, portion in table) / len(table)
    (told,) = re.findall(r"<b>([\d.]+) % of 10 days</b>", card[1])
    assert float(told) == pytest.approx(mean, abs=0.02)
    assert f"worked {told} %; 10 days known" in card[1]


def test_with_nothing_stored_it_says_what_to_run_and_leaves_nothing(tmp_path: Path, ask: Ask) -> None:
    home = homes.empty(tmp_path / "home")
    client = ask(home)
    page = Page(client.get("/").text)
    for said in ("Nobody has looked yet", "python backend_monitor.py", "python scheduler.py", "due now", "never"):
        assert said in page.words
    assert "up" not in {word for word in page.words.split() if word == "up"}
    assert client.get("/health").status_code == 503
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_stale_look_is_a_failure_and_shows_nothing_as_well(tmp_path: Path, ask: Ask) -> None:
    client = ask(homes.kept(tmp_path / "home", NOW), clock=lambda: NOW + timedelta(hours=3))
    page = Page(client.get("/").text)
    assert "The monitor last looked 3 h ago; it should every 1 h." in page.words
    assert "was up" in page.words
    assert "All is well" not in page.words
    answer = client.get("/health")
    assert (answer.status_code, json.loads(answer.text)["status"]) == (503, "fail")
    assert "angles_monitor_stale 1" in client.get("/metrics").text


@pytest.mark.parametrize(
    ("wrong", "code", "status"),
    [({}, 200, "pass"), ({"backlog": homes.THREE["backlog"]}, 200, "warn"), (homes.THREE, 503, "fail")],
    ids=["well", "warning", "down"],
)
def test_health(tmp_path: Path, ask: Ask, wrong: dict[str, Finding], code: int, status: str) -> None:
    answer = ask(homes.kept(tmp_path / "home", NOW, wrong), clock=lambda: NOW).get(
        "/health", base_url="http://127.0.0.1:5000"
    )
    assert (answer.status_code, answer.content_type) == (code, "application/health+json")
    told = json.loads(answer.text)
    assert told["status"] == status
    assert told["checks"]["machine:cpu"][0]["status"] == "pass"
    if status == "fail":
        assert told["checks"]["notion:notion"][0]["output"].endswith("notion.so/my-integrations")


def test_every_text_of_a_service_stays_text(tmp_path: Path, ask: Ask) -> None:
    wrong = {"notion": down(homes.SCRIPT, f"'\"{homes.SCRIPT}")}
    text = ask(homes.kept(tmp_path / "home", NOW, wrong), clock=lambda: NOW).get("/").text
    assert text.count("<script") == 1
    assert '<script src="/static/page.js" defer></script>' in text
    assert text.count("&lt;script&gt;") > 5
    assert Page(text).words.count(homes.SCRIPT) > 5
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", text)


def test_the_logs_are_redacted_and_only_their_ends_shown(tmp_path: Path, ask: Ask) -> None:
    home = homes.kept(tmp_path / "home", NOW)
    secret = "correct-horse-battery-staple"
    lines = [f"line {number} {secret} ghp_16C7e42F292c6912E7710c838347Ae178B4a" for number in range(1000)]
    (home / "logs" / "active" / "memory_sync.log").write_text("\n".join(lines) + "\n")
    (home / "logs" / "active" / "link.log").symlink_to("/etc/passwd")
    page = Page(ask(home, redact=Redactor([secret]).redact).get("/").text)
    assert secret not in page.words
    assert "ghp_" not in page.words
    assert "line 999 [REDACTED" in page.words
    assert "line 900 " not in page.words
    assert "root:" not in page.words


def test_what_is_written_anew_is_shown_with_the_next_look(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.dashboard.app.LOOK_SECONDS", 0.0)
    home = homes.kept(tmp_path / "home", NOW)
    client = ask(home, clock=lambda: NOW)
    assert "sync9999: 7 merged" not in client.get("/").text
    with state.open_state(home / state.STATE_FILE) as db:
        state.record_run(db, state.RunRecord("9", "sync", NOW, NOW, "done", "sync9999: 7 merged", 0))
    assert "sync9999: 7 merged" in client.get("/").text
    (home / "logs" / "active" / "system_health.json").unlink()
    assert client.get("/health").status_code == 503


def test_ages_go_on_though_nothing_is_written(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [NOW]
    client = ask(homes.kept(tmp_path / "home", NOW), clock=lambda: times[-1])
    assert client.get("/health").status_code == 200
    times.append(NOW + timedelta(hours=2))
    clock = time.monotonic() + SHOWN_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    assert client.get("/health").status_code == 503


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_state_that_cannot_be_read_is_told(tmp_path: Path, ask: Ask) -> None:
    home = homes.kept(tmp_path / "home", NOW)
    (home / state.STATE_FILE).chmod(0)
    assert "cannot be used" in ask(home, clock=lambda: NOW).get("/").text


def test_a_state_of_a_newer_version_is_told_and_left(tmp_path: Path, ask: Ask) -> None:
    home = homes.kept(tmp_path / "home", NOW)
    with state.open_state(home / state.STATE_FILE) as db:
        db.execute("pragma user_version = 999")
    page = Page(ask(home, clock=lambda: NOW).get("/").text)
    assert "a newer version of this program wrote it" in page.words
    assert not list(home.rglob("*.corrupt*"))


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"schema": 1}', "null"])
def test_damaged_documents_are_no_error(tmp_path: Path, ask: Ask, damaged: str) -> None:
    home = homes.kept(tmp_path / "home", NOW)
    for name in ("backup_report.json", "restore_test.json", "system_health.json"):
        (home / "logs" / "active" / name).write_text(damaged)
    client = ask(home)
    assert client.get("/").status_code == 200
    assert client.get("/health").status_code == 503
    assert client.get("/metrics").status_code == 200


def test_ping_answers_whatever_is_stored(tmp_path: Path, ask: Ask) -> None:
    client = ask(tmp_path / "nowhere")
    assert client.get("/ping").text == "pong\n"
    head = client.head("/ping")
    assert (head.status_code, head.text) == (200, "")


@pytest.mark.parametrize(
    "path", ["/", "/ping", "/health", "/metrics", "/static/page.css", "/static/page.js", "/nothing"]
)
def test_every_answer_has_the_headers(tmp_path: Path, ask: Ask, path: str) -> None:
    answer = ask(homes.empty(tmp_path / "home")).get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1", "[::2]"]
)
@pytest.mark.parametrize("path", ["/", "/ping", "/health", "/static/page.css"])
def test_another_name_is_refused(tmp_path: Path, ask: Ask, host: str, path: str) -> None:
    answer = ask(homes.empty(tmp_path / "home")).get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert "DASHBOARD_ALLOWED_HOSTS" in answer.text
    assert "Content-Security-Policy" in answer.headers


def test_from_elsewhere_without_a_token_there_is_the_bare_status(tmp_path: Path, ask: Ask) -> None:
    settings = DashboardSettings(names=("angles.example",))
    client = ask(homes.kept(tmp_path / "home", NOW), settings, clock=lambda: NOW)
    health = client.get("/health", base_url=ELSEWHERE)
    assert (health.status_code, json.loads(health.text)) == (200, {"status": "pass"})
    for path in ("/", "/metrics"):
        assert (answer := client.get(path, base_url=ELSEWHERE)).status_code == 403
        assert "DASHBOARD_TOKEN" in answer.text


def test_with_a_token_the_page_asks_for_it_once(tmp_path: Path, ask: Ask) -> None:
    settings = DashboardSettings(host="0.0.0.0", token=TOKEN, names=("angles.example",))
    client = ask(homes.kept(tmp_path / "home", NOW), settings, clock=lambda: NOW)
    assert client.get("/", base_url=ELSEWHERE).status_code == 401
    assert json.loads(client.get("/health", base_url=ELSEWHERE).text) == {"status": "pass"}
    assert "checks" in json.loads(client.get("/health", base_url=ELSEWHERE, headers=BEARER).text)
    assert client.get("/metrics", base_url=ELSEWHERE, headers=BEARER).status_code == 200
    assert "not the token" in client.post("/sign-in", base_url=ELSEWHERE, data={"token": "wrong"}).text
    elsewhere = {"Origin": "http://evil.example"}
    assert client.post("/sign-in", base_url=ELSEWHERE, data={"token": TOKEN}, headers=elsewhere).status_code == 401
    answer = client.post("/sign-in", base_url=ELSEWHERE, data={"token": TOKEN})
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert "All is well" in client.get("/", base_url=ELSEWHERE).text
    assert TOKEN not in client.get("/", base_url=ELSEWHERE).text


@pytest.mark.parametrize(
    ("job", "headers", "form", "code"),
    [
        ("sync", {}, {}, 403),
        ("sync", {}, {"form_token": "guessed"}, 403),
        ("sync", {"Origin": "http://evil.example"}, None, 403),
        ("sync", {"Sec-Fetch-Site": "cross-site"}, None, 403),
        ("nothing", {}, None, 404),
        ("..%2fscheduler", {}, None, 404),
    ],
)
def test_what_is_not_sent_from_the_page_starts_nothing(
    tmp_path: Path, ask: Ask, job: str, headers: dict[str, str], form: dict[str, str] | None, code: int
) -> None:
    guard = Guard(DashboardSettings())
    home = homes.empty(tmp_path / "home")
    data = {"form_token": guard.form_token} if form is None else form
    answer = ask(home, guard=guard).post(f"/run/{job}", data=data, headers=headers)
    assert answer.status_code == code
    assert not (home / state.STATE_FILE).exists()


def test_a_job_is_started_by_post_alone(tmp_path: Path, ask: Ask) -> None:
    assert ask(homes.empty(tmp_path / "home")).get("/run/sync").status_code == 405


def test_run_now_starts_the_script_as_a_child(tmp_path: Path, ask: Ask) -> None:
    guard, home = Guard(DashboardSettings()), homes.empty(tmp_path / "home")
    client = ask(home, guard=guard)
    form = {"form_token": guard.form_token}
    answer = client.post("/run/files", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/#job-files")
    assert re.search(r'id="run-files" disabled>Running', client.get("/").text)
    assert client.post("/run/files", data=form).status_code == 303, "a second press starts no second"
    for _ in range(300):
        page = Page(client.get("/").text)
        if "started here: " in page.words:
            break
        time.sleep(0.1)
    assert "started here: service unavailable" in page.words
    with state.open_state(home / state.STATE_FILE) as db:
        assert [run.outcome for run in state.runs(db, "files")] == ["service unavailable"]


def test_a_body_that_is_too_long_is_refused(tmp_path: Path, ask: Ask) -> None:
    client = ask(homes.empty(tmp_path / "home"))
    assert client.post("/run/sync", data={"form_token": "x" * 20_000}).status_code == 413
