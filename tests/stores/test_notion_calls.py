"""The one call policy: rate, pauses, what is repeated and how long, what is final, what is unclear, and its lines."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stores.conftest import OpenNotion
from utils.config import NotionSettings
from utils.errors import ConfigError, ServiceError
from utils.local.notion import Fault, Sandbox, serve
from utils.local.notion.wire import Answer, Request, Server
from utils.stores import notion_calls
from utils.stores.notion import Notion
from utils.stores.notion_calls import (
    BURST_SECONDS,
    CursorExpiredError,
    NotFoundError,
    NotionRefusalError,
    Pace,
    StoppedError,
    UnclearError,
)

pytestmark = pytest.mark.usefixtures("quick")

TOKEN = "ntn_a_token_that_nobody_may_see"

ME = "GET users/me"

PASSING: dict[str, Fault] = {
    "conflict": Fault(409),
    "429": Fault(429, retry_after=0),
    "500": Fault(500),
    "502": Fault(502),
    "503": Fault(503),
    "503 with Retry-After": Fault(503, retry_after=0),
    "504": Fault(504),
    "529": Fault(529, retry_after=0),
    "cut before the write": Fault(cut=True),
    "cut after the write": Fault(cut=True, after=True),
    "HTML with 200": Fault(non_json=True, after=True),
    "HTML with 502": Fault(502, non_json=True),
    "HTML with 429": Fault(429, non_json=True),
    "no answer in time": Fault(delay=0.4),
}


def faulty(sandbox: Sandbox, fault: Fault, **more: Any) -> Fault:
    """Arms a copy of a fault."""
    return sandbox.control.arm(Fault(**{**vars(fault), **more}))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notion_calls, "TIMEOUT_SECONDS", 0.2)


# --- what is repeated


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_read_and_an_edit_are_repeated_until_they_pass(
    sandbox: Sandbox, open_notion: OpenNotion, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.stores.notion_calls._seconds", lambda *_: 0.01)
    notion = open_notion()
    page = sandbox.control.person_create({"Decision": "Before"})
    title = {"title": {"title": [{"text": {"content": "After"}}]}}
    faulty(sandbox, fault, method="GET", count=2)
    assert notion.calls.get(f"pages/{page}")["id"] == page
    faulty(sandbox, fault, method="PATCH", count=2)
    assert notion.calls.call("PATCH", f"pages/{page}", {"properties": title})["id"] == page
    assert sandbox.control.values(page)["Decision"] == "After"
    assert notion.requests == 6


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_create_is_sent_again_only_after_a_definite_refusal(
    sandbox: Sandbox, open_notion: OpenNotion, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.stores.notion_calls._seconds", lambda *_: 0.01)
    notion = open_notion()
    body = {"parent": {"data_source_id": notion.source()["id"]}, "properties": {}}
    before = notion.requests
    faulty(sandbox, fault, method="POST")
    if fault.status == 429:
        assert notion.calls.call("POST", "pages", body, repeatable=False)["object"] == "page"
        assert notion.requests == before + 2
    else:
        with pytest.raises(UnclearError, match=r"^notion: POST pages "):
            notion.calls.call("POST", "pages", body, repeatable=False)
        assert notion.requests == before + 1


def test_a_connection_that_never_came_about_is_no_unclear_answer(open_notion: OpenNotion) -> None:
    notion = open_notion(base_url="http://127.0.0.1:1")
    with pytest.raises(
        ServiceError, match=r"^notion: POST pages cannot be reached \(.*refused.*\), 3 times in"
    ) as told:
        notion.calls.call("POST", "pages", {}, repeatable=False)
    assert type(told.value) is ServiceError
    assert notion.requests == notion_calls.TRIES_UNREACHED


def test_waits_between_tries_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notion_calls, "BACKOFF_SECONDS", 2.0)
    naps: list[list[float]] = []
    for _ in range(50):
        failing, run = notion_calls._Failing(), []
        for _ in range(5):
            failing.add(notion_calls._Verdict(ValueError(), ""), 0)
            run.append(failing.nap)
        naps.append(run)
    for run in naps:
        for nap, middle in zip(run, [1, 2, 4, 8, 15], strict=True):
            assert middle / 2 <= nap <= middle * 1.5
    assert len({nap for run in naps for nap in run}) > 200


# --- how long


def test_a_call_that_goes_on_failing_is_given_up_in_one_line(sandbox: Sandbox, open_notion: OpenNotion) -> None:
    notion = open_notion()
    notion.calls.get("users/me")
    sandbox.control.arm(Fault(503, count=0))
    with pytest.raises(ServiceError) as told:
        notion.calls.get("users/me")
    assert str(told.value) == (
        f"notion: {ME} answers 503 (Notion is unavailable. Please try again later), 6 times in 0 s. Try again later."
    )
    assert notion.requests == 1 + notion_calls.TRIES


def test_there_is_a_total_deadline(sandbox: Sandbox, open_notion: OpenNotion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notion_calls, "TRIES", 1_000_000)
    monkeypatch.setattr(notion_calls, "DEADLINE_SECONDS", 0.3)
    sandbox.control.arm(Fault(500, count=0))
    with pytest.raises(ServiceError, match=f"^notion: {ME} answers 500 .* times in 0 s. Try again later"):
        open_notion().calls.get("users/me")
    sandbox.control.disarm()
    sandbox.control.arm(Fault(429, retry_after=1))
    assert open_notion().calls.get("users/me"), "a wait that Notion asks for is not counted"


@pytest.mark.parametrize("status", [429, 529])
def test_being_told_to_wait_for_ever_ends(
    sandbox: Sandbox, open_notion: OpenNotion, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.stores.notion_calls._seconds", lambda *_: 0.0)
    notion = open_notion()
    sandbox.control.arm(Fault(status, count=0))
    with pytest.raises(ServiceError, match=f"^notion: {ME} answers {status} .*100 times"):
        notion.calls.get("users/me")
    assert notion.requests == notion_calls.REFUSALS


def test_a_service_that_goes_away_is_tried_longer_than_one_that_never_answered(tmp_path: Path) -> None:
    with serve(tmp_path / "notion.db") as sandbox:
        notion = Notion(NotionSettings(sandbox.token, sandbox.database_id, sandbox.base_url, requests_per_second=0))
        notion.calls.get("users/me")
    with pytest.raises(ServiceError, match=f"^notion: {ME} cannot be reached"):
        notion.calls.get("users/me")
    assert notion.requests == 1 + notion_calls.TRIES
    notion.close()


# --- rate and pauses


def test_the_service_sees_no_more_than_it_grants(sandbox: Sandbox, open_notion: OpenNotion) -> None:
    notion = open_notion(rate=10)
    sandbox.control.set_rate(10)
    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(notion.calls.get, "users/me") for _ in range(34)]:
            future.result()
    assert [one.status for one in sandbox.control.requests()] == [200] * 34


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Virtual(Pace):
    """A pace on such a clock."""

    def __init__(self, rate: float, clock: Clock, during: Callable[[Pace], None] = lambda _pace: None) -> None:
        self.clock, self.during = clock, during
        super().__init__(rate)

    def sleep(self, seconds: float) -> None:
        self.during(self)
        self.clock.now += max(seconds, 0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(notion_calls, "time", SimpleNamespace(monotonic=made.monotonic))
    return made


@settings(max_examples=60)
@given(st.floats(0.5, 50), st.lists(st.floats(0, 2), max_size=60))
def test_no_second_sees_more_than_the_rate_and_the_burst(rate: float, idle: list[float]) -> None:
    clock, turns = Clock(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notion_calls, "time", SimpleNamespace(monotonic=clock.monotonic))
        pace = Virtual(rate, clock)
        for seconds in idle:
            clock.now += seconds
            pace.wait()
            turns.append(clock.now)
    for n, start in enumerate(turns):
        within = sum(start <= turn < start + 1 for turn in turns[n:])
        assert within <= (1 + BURST_SECONDS) * rate + 1 + 1e-6


def test_the_whole_rate_is_used(clock: Clock) -> None:
    pace = Virtual(3, clock)
    for _ in range(301):
        pace.wait()
    assert clock.now - 1000 == pytest.approx(100)


def test_an_unlimited_pace_never_waits(clock: Clock) -> None:
    pace = Virtual(0, clock)
    for _ in range(100):
        pace.wait()
    assert clock.now == 1000


@pytest.mark.parametrize("rate", [0, 3])
def test_who_waits_already_when_a_pause_begins_waits_for_its_end(clock: Clock, rate: float) -> None:
    pauses = [3600.0]

    def during(pace: Pace) -> None:
        while pauses:
            pace.pause(pauses.pop())

    pace = Virtual(rate, clock, during)
    pace.wait()
    assert clock.now == pytest.approx(4600)
    pace.wait()
    assert clock.now == pytest.approx(4600 + (1 / rate if rate else 0)), "turns are spaced after a pause, too"


def test_a_shorter_pause_does_not_end_a_longer_one(clock: Clock) -> None:
    pace = Virtual(3, clock)
    pace.pause(100)
    pace.pause(1)
    pace.wait()
    assert clock.now == pytest.approx(1100)


def test_a_pause_of_an_hour_holds_every_thread_and_ends_when_the_run_is_stopped(
    sandbox: Sandbox, open_notion: OpenNotion, caplog: pytest.LogCaptureFixture
) -> None:
    notion = open_notion()
    fault = sandbox.control.arm(Fault(429, retry_after=3600))
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(notion.calls.get, "users/me")
        while not (fault.spent and "notion asks to wait 3600 s" in caplog.text):
            time.sleep(0.01)
        others = [pool.submit(notion.calls.get, "users/me") for _ in range(3)]
        time.sleep(0.1)
        assert sandbox.control.request_count() == 1
        notion.calls.pace.stopped.set()
        for future in [first, *others]:
            with pytest.raises(StoppedError):
                future.result(5)
    assert sandbox.control.request_count() == 1


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("3600", 3600.0),
        ("86400", 86400.0),
        ("1.5", 1.5),
        ("0", 0.1),
        ("-5", 0.1),
        (None, 1.0),
        ("", 1.0),
        ("soon", 1.0),
        ("nan", 1.0),
        ("inf", 1.0),
        ("Wed, 25 Nov 2026 10:01:30 GMT", 90.0),
        ("Wed, 25 Nov 2026 09:00:00 GMT", 0.1),
    ],
)
def test_retry_after_is_obeyed_however_it_is_said(asked: str | None, seconds: float) -> None:
    assert notion_calls._seconds(asked, "Wed, 25 Nov 2026 10:00:00 GMT") == seconds


def test_a_wait_longer_than_any_timer_can_be_stopped() -> None:
    pace = Pace(3)
    pace.pause(1e300)
    thread = threading.Timer(0.05, pace.stopped.set)
    thread.start()
    with pytest.raises(StoppedError):
        pace.wait()
    thread.join()


# --- what is final

FINAL: dict[str, tuple[Fault, type[Exception], str]] = {
    "400": (Fault(400), NotionRefusalError, f"notion: refuses {ME} (validation_error)."),
    "401": (Fault(401), ServiceError, "notion: refuses the token (401). Copy the integration's secret to NOTION_TOKEN"),
    "403": (Fault(403), ServiceError, f"notion: the integration may not {ME} (restricted_resource). Give it read"),
    "404": (Fault(404), NotFoundError, f"notion: {ME}: not found. Share it with the integration."),
    "404 of a proxy": (Fault(404, non_json=True), ServiceError, f"notion: {ME} answers 404, and not as Notion does."),
    "403 of a proxy": (Fault(403, non_json=True), ServiceError, f"notion: {ME} answers 403, and not as Notion does."),
    "400 of a proxy": (Fault(400, non_json=True), ServiceError, f"notion: {ME} answers 400, and not as Notion does."),
    "redirect": (Fault(302, non_json=True), ServiceError, f"notion: {ME} answers 302, and not as Notion does. Check"),
    "413": (Fault(413, non_json=True), NotionRefusalError, f"notion: refuses {ME}"),
}


@pytest.mark.parametrize(("fault", "kind", "line"), FINAL.values(), ids=FINAL)
def test_a_definite_word_is_not_asked_for_twice(
    sandbox: Sandbox, open_notion: OpenNotion, fault: Fault, kind: type[Exception], line: str
) -> None:
    notion = open_notion()
    faulty(sandbox, fault)
    with pytest.raises(ServiceError) as told:
        notion.calls.get("users/me")
    assert type(told.value) is kind
    assert str(told.value).startswith(line)
    assert notion.requests == 1


def test_a_wrong_token_is_told(open_notion: OpenNotion) -> None:
    with pytest.raises(ServiceError, match=r"refuses the token \(401\)"):
        open_notion(token="ntn_wrong").source()


@pytest.mark.parametrize(
    "base_url", ["ftp://localhost", "notion", "http://a..b", "http://" + "x" * 70, "http://ä\u0301..x"]
)
def test_what_is_no_address_is_configuration(open_notion: OpenNotion, base_url: str) -> None:
    with pytest.raises(ConfigError, match=r"^NOTION_BASE_URL: is no address"):
        open_notion(base_url=base_url).calls.get("users/me")


def test_an_invalid_cursor_has_a_class_of_its_own(open_notion: OpenNotion) -> None:
    notion = open_notion()
    path = f"data_sources/{notion.source()['id']}/query"
    with pytest.raises(CursorExpiredError):
        notion.calls.call("POST", path, {"start_cursor": "s:11111111-1111-4111-8111-111111111111:x"})


# --- answers that the sandbox does not give


@contextmanager
def answering(say: Callable[[Request], Any], token: str = TOKEN) -> Iterator[Notion]:
    """An adapter on a server that answers whatever is said: an Answer, or what becomes JSON."""

    def respond(request: Request) -> Answer:
        said = say(request)
        if isinstance(said, Answer):
            return said
        return Answer(200, json.dumps(said).encode(), {"Content-Type": "application/json"})

    server = Server(0, respond)
    notion = Notion(NotionSettings(token, "0" * 32, f"http://127.0.0.1:{server.port}", requests_per_second=0))
    try:
        yield notion
    finally:
        server.close()
        notion.close()


@pytest.mark.parametrize(
    "said", [[], {}, {"object": "list"}, "ok", None, 1, Answer(200, b""), Answer(200, b"\xff\xfe{"), Answer(204, b"")]
)
def test_json_that_is_no_object_of_notion_is_no_answer(said: Any) -> None:
    with answering(lambda _: said) as notion, pytest.raises(ServiceError, match="no JSON of Notion's, 6 times"):
        notion.calls.get("users/me")


def test_a_broken_encoding_is_no_answer() -> None:
    broken = Answer(200, b"no gzip", {"Content-Encoding": "gzip"})
    with answering(lambda _: broken) as notion, pytest.raises(ServiceError, match="got no whole answer"):
        notion.calls.get("users/me")


def test_redirects_are_not_followed_not_even_in_a_circle() -> None:
    here = Answer(307, b"", {"Location": "/v1/users/me"})
    with answering(lambda _: here) as notion, pytest.raises(ServiceError, match="answers 307, and not as Notion does"):
        notion.calls.get("users/me")
    assert notion.requests == 1


@pytest.mark.parametrize("status", [400, 403, 409, 500])
def test_a_line_is_one_line_short_and_without_the_token(status: int) -> None:
    def say(request: Request) -> Answer:
        told = {"code": {400: "validation_error", 403: "restricted_resource", 409: "conflict_error"}.get(status, "x")}
        told["message"] = f"first\nsecond {request.headers['authorization']} " + "long " * 500
        return Answer(status, json.dumps({"object": "error", **told}).encode(), {})

    with answering(say) as notion, pytest.raises(ServiceError) as told:
        notion.calls.get("users/me")
    line = str(told.value)
    assert TOKEN not in line
    assert "\n" not in line
    assert len(line) < 500


def test_a_token_that_no_header_can_hold_is_not_shown() -> None:
    with answering(lambda _: {}, token=TOKEN + "\n") as notion, pytest.raises(ServiceError) as told:
        notion.calls.get("users/me")
    assert TOKEN not in str(told.value)


def test_half_a_surrogate_pair_is_refused_for_that_one_request(sandbox: Sandbox, open_notion: OpenNotion) -> None:
    with pytest.raises(NotionRefusalError, match="half a surrogate pair"):
        open_notion().calls.call("POST", "search", {"query": "\ud83d"}, repeatable=False)
    assert sandbox.control.request_count() == 0


def test_the_clock_of_notion_is_that_of_its_first_answer(sandbox: Sandbox, open_notion: OpenNotion) -> None:
    notion = open_notion()
    dates = [notion.calls.date]
    sandbox.control.set_clock(fixed="2026-03-01T10:00:59+00:00")
    for _ in range(2):
        notion.calls.get("users/me")
        sandbox.control.advance(600)
        dates.append(notion.calls.date)
    first = datetime(2026, 3, 1, 10, 0, 59, tzinfo=UTC)
    assert dates == [None, first, first]
