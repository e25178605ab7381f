"""The optional model, against a real server that plays the API: what it says, and everything that goes wrong."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.world import World
from utils.intake import model_step
from utils.intake.model import Found, Message
from utils.intake.model_answer import (
    LONGEST_TEXT,
    SCHEMA,
    UNSEEN,
    UnusableError,
    decisions,
    request,
    suits,
    tokens_used,
)
from utils.intake.model_step import Model
from utils.sections import ModelSettings

TEXT = "We settled on PostgreSQL for billing because it is boring."
GOOD: Mapping[str, Any] = {
    "decision": "Use PostgreSQL for billing",
    "quote": "settled on  postgresql",
    "date": "2026-03-01",
    "type": "technical",
    "comment": "it is boring",
    "confidence": 0.9,
    "active": True,
    "supersedes": "",
}


def completion(*items: Mapping[str, Any], **choice: Any) -> dict[str, Any]:
    """An answer with these decisions."""
    said = {"role": "assistant", "content": json.dumps({"decisions": items}), "refusal": None}
    usual: dict[str, Any] = {"index": 0, "message": said, "finish_reason": "stop"}
    return {"choices": [{**usual, **choice}], "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}


@dataclass
class Api:
    """A server whose answers are listed: (status, headers, body), or None for one that never comes."""

    url: str
    answers: list[tuple[int, Mapping[str, str], bytes] | None] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def says(self, *bodies: Any, status: int = 200, **headers: str) -> None:
        """The next answers."""
        for body in bodies:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, data))


@pytest.fixture
def api() -> Iterator[Api]:
    """A server of its own; where no answer is listed, it finds no decision."""
    made = Api("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            made.keys.append(self.headers["Authorization"])
            answer = made.answers.pop(0) if made.answers else (200, {}, json.dumps(completion()).encode())
            if answer is None:
                made.released.wait(30)
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield made
        made.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def make(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Model]]:
    """Makes models that ask the server, with short pauses."""
    monkeypatch.setattr(model_step, "PAUSE_SECONDS", 0.01)
    made: list[Model] = []

    def build(**settings: Any) -> Model:
        usual = ModelSettings("sk-key", api.url, "some-model", 1.0, 1.0, 2.0, 10.0)
        model = Model(replace(usual, **settings), lambda text: text.replace("hunter22", "[REDACTED]"), by_rules)
        made.append(model)
        return model

    yield build
    for model in made:
        model.close()


def by_rules(message: Message) -> list[Found]:
    """Stands for the rules."""
    return [Found("By the rules", "", "other", "", 0.7, message)]


def said(model: Model, text: str = TEXT, **message: Any) -> list[str]:
    """The decisions found in a text."""
    return [found.decision for found in model.find(Message(text, **message))]


def test_a_good_answer_becomes_decisions(api: Api, make: Callable[..., Model]) -> None:
    api.says(completion(GOOD, {**GOOD, "active": False, "supersedes": "Use MySQL", "date": ""}))
    message, model = Message(TEXT, "assistant", id="m1"), make()
    first, second = model.find(message)
    assert first == Found(
        "Use PostgreSQL for billing", "2026-03-01", "technical", "it is boring", 0.9, message, active=True, revises=""
    )
    assert (second.active, second.revises, second.date) == (False, "Use MySQL", "")
    assert api.keys == ["Bearer sk-key"]
    assert model.dollars == pytest.approx((1000 * 1.0 + 100 * 2.0) / 1e6)
    assert model.cost == "model some-model: 1 requests, about 0.0012 dollars"
    assert list(model.troubles) == []


def test_what_is_sent_is_redacted_and_asks_for_the_schema(api: Api, make: Callable[..., Model]) -> None:
    said(make(), "The password is hunter22.")
    (body,) = api.asked
    assert "hunter22" not in json.dumps(body)
    assert body["messages"][1]["content"] == "The password is [REDACTED]."
    assert body["response_format"]["json_schema"]["strict"] is True
    items = SCHEMA["properties"]["decisions"]["items"]
    assert items["required"] == list(items["properties"]) == list(GOOD)
    assert (items["additionalProperties"], SCHEMA["additionalProperties"]) == (False, False)


@pytest.mark.parametrize(
    "message",
    [
        Message(TEXT, "user"),
        Message(TEXT, "tool"),
        Message(TEXT, "assistant", fields={"decision": "x"}),
        Message(" \n", "assistant"),
        Message("x" * (LONGEST_TEXT + 1), "assistant"),
    ],
    ids=["of a user", "of a tool", "structured", "empty", "too long"],
)
def test_other_messages_are_left_to_the_rules(api: Api, make: Callable[..., Model], message: Message) -> None:
    assert not suits(message)
    assert [found.decision for found in make().find(message)] == ["By the rules"]
    assert api.asked == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (completion({**GOOD, "type": "poetry"}), "not of the form that was asked for"),
        (completion({**GOOD, "confidence": 7}), "not of the form that was asked for"),
        (completion({**GOOD, "confidence": True}), "not of the form that was asked for"),
        (completion({**GOOD, "confidence": "0.9"}), "not of the form that was asked for"),
        (completion({**GOOD, "date": "tomorrow"}), "not of the form that was asked for"),
        (completion({**GOOD, "decision": " "}), "not of the form that was asked for"),
        (completion({**GOOD, "decision": "x" * 3000}), "not of the form that was asked for"),
        (completion({**GOOD, "active": "yes"}), "not of the form that was asked for"),
        (completion({**GOOD, "comment": None}), "not of the form that was asked for"),
        (completion({**GOOD, "more": 1}), "not of the form that was asked for"),
        (completion({"decision": "alone"}), "not of the form that was asked for"),
        (completion(message={"content": "Sure! Here they are."}), "not of the form that was asked for"),
        (completion(message={"content": '{"decisions": {}}'}), "not of the form that was asked for"),
        (completion(message={"content": "[1]"}), "not of the form that was asked for"),
        (completion(message={"content": "[" * 100_000}), "not of the form that was asked for"),
        (completion(message={"content": None}), "no completion"),
        (completion(message=None), "no completion"),
        (completion(message={"content": "", "refusal": "I can't help with that."}), "refused by the model"),
        (completion(GOOD, finish_reason="content_filter"), "refused by the model"),
        (completion(GOOD, finish_reason="length"), "cut off"),
        ({"choices": []}, "no completion"),
        ({"error": "?"}, "no completion"),
        ([], "no completion"),
        (None, "no completion"),
    ],
)
def test_an_answer_that_cannot_be_used_says_why(answer: Any, why: str) -> None:
    with pytest.raises(UnusableError, match=why):
        decisions(answer, Message(TEXT), TEXT)


def test_an_unusable_answer_is_left_to_the_rules_and_the_next_is_asked_for(
    api: Api, make: Callable[..., Model]
) -> None:
    api.says(completion({**GOOD, "type": "poetry"}), completion(GOOD), b"<html>", b"[" * 50_000, b"x" * 110_000)
    model = make(most_seconds=120.0)
    assert [said(model) for _ in range(5)] == [["By the rules"], ["Use PostgreSQL for billing"]] + [
        ["By the rules"]
    ] * 3
    told = list(model.troubles)
    assert "model some-model: 1 answers not of the form that was asked for; the rules read those messages" in told
    assert "model some-model: 2 answers no JSON; the rules read those messages" in told
    assert "model some-model: 1 answers too long; the rules read those messages" in told


@pytest.mark.parametrize(
    ("answer", "used"),
    [
        (completion(), (1000, 100)),
        ({"usage": {"prompt_tokens": 1}}, None),
        ({"usage": None}, None),
        ({}, None),
        ([], None),
    ],
)
def test_what_an_answer_says_of_its_tokens(answer: Any, used: tuple[int, int] | None) -> None:
    assert tokens_used(answer) == used


@pytest.mark.parametrize("quote", ["", "we chose MySQL"])
def test_a_decision_whose_quotation_is_not_in_the_text_is_for_a_person(quote: str) -> None:
    (found,) = decisions(completion({**GOOD, "quote": quote}), Message(TEXT), TEXT)
    assert found.confidence == UNSEEN


@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_what_passes_is_asked_again(api: Api, make: Callable[..., Model], status: int) -> None:
    api.says({}, {}, status=status)
    api.says(completion(GOOD))
    assert said(make()) == ["Use PostgreSQL for billing"]
    assert len(api.asked) == 3


def test_a_wait_that_the_api_asks_for_is_obeyed(api: Api, make: Callable[..., Model]) -> None:
    api.says({}, status=429, Retry_After="0.3")
    started = time.monotonic()
    said(make())
    assert time.monotonic() - started >= 0.3
    api.says({}, status=429, Retry_After="3600")
    model = make()
    assert said(model) == ["By the rules"]
    assert list(model.troubles)[-1] == "model some-model: the API fails (429); the rules read the rest"


def test_what_does_not_pass_ends_the_asking(api: Api, make: Callable[..., Model]) -> None:
    api.says({}, {}, {}, status=500)
    model = make()
    assert [said(model), said(model)] == [["By the rules"], ["By the rules"]]
    assert len(api.asked) == 3
    assert list(model.troubles)[-1] == "model some-model: the API fails (500); the rules read the rest"


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, "refuses the key (401); check OPENAI_API_KEY"), (404, "is not there (404)"), (400, "refuses the request")],
)
def test_a_refusal_is_told_once_and_not_tried_again(
    api: Api, make: Callable[..., Model], status: int, told: str
) -> None:
    api.says({}, status=status)
    model = make()
    assert [said(model), said(model)] == [["By the rules"], ["By the rules"]]
    assert len(api.asked) == 1
    assert told in list(model.troubles)[-1]


def test_a_server_that_never_answers_costs_no_more_than_the_time_of_a_run(api: Api, make: Callable[..., Model]) -> None:
    api.answers += [None] * 3
    model = make(most_seconds=0.5)
    assert said(model) == ["By the rules"]
    assert "cannot be reached" in list(model.troubles)[-1]
    assert said(model) == ["By the rules"]
    assert len(api.asked) == 1


def test_a_server_that_trickles_is_given_up(api: Api, make: Callable[..., Model]) -> None:
    api.says(b"[1, 2", Content_Length="100")
    api.answers += [(200, {"Content-Length": "100"}, b"[")] * 2
    model = make(most_seconds=0.6)
    assert said(model) == ["By the rules"]


def test_nobody_listens(make: Callable[..., Model]) -> None:
    model = make(base_url="http://127.0.0.1:9/v1")
    assert said(model) == ["By the rules"]
    assert "the API cannot be reached (ConnectionError)" in list(model.troubles)[-1]


def test_the_cost_of_a_run_is_capped_before_it_is_spent(api: Api, make: Callable[..., Model]) -> None:
    body = json.dumps(request("some-model", TEXT))
    cap = 2 * (len(body) / 1e6 + 4000 * 2 / 1e6)
    model = make(most_dollars=cap)
    for _ in range(100):
        said(model)
    assert 2 <= len(api.asked) < 100
    assert model.dollars <= cap
    assert "OPENAI_MAX_DOLLARS" in list(model.troubles)[-1]
    silent = make(most_dollars=0.0)
    said(silent)
    assert silent.asked == 0


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_it_is_off_unless_a_key_is_set(world: World, api: Api) -> None:
    notes = world.folder / "notes.md"
    notes.write_text(TEXT, encoding="utf-8")
    set_ones = {"OPENAI_BASE_URL": api.url, "OPENAI_MODEL": "some-model"}
    world.script("memory_sync.py", "--process", str(notes), **set_ones)
    assert api.asked == []
    api.says(completion({**GOOD, "decision": "Use PostgreSQL, says the model"}))
    ended = world.script("memory_sync.py", "--process", str(notes), OPENAI_API_KEY="sk-key", **set_ones)
    assert ended.stdout.startswith("memory_sync: model some-model: 1 requests, about 0.00")
    assert "Use PostgreSQL, says the model" in {content.decision for content in world.rows().values()}
    wrong = world.script("memory_sync.py", "--process", "x", OPENAI_API_KEY="sk-k ey", OPENAI_MAX_SECONDS="soon")
    assert wrong.returncode == 2
    assert "OPENAI_API_KEY holds blanks" in wrong.stderr
    assert "OPENAI_MAX_SECONDS is 'soon'" in wrong.stderr
