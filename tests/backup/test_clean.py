"""A row without secrets stays a row: also where a secret reaches over several of its fields, or is a number."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backup.test_plan import OLD, row
from utils.backup.clean import PLAIN, cleaned
from utils.backup.snapshot import BY_NAME, encoded, shards
from utils.redact import Redactor

GONE = "[REDACTED:secret]"
KEY = base64.b64encode(random.Random(8).randbytes(99)).decode()
HALVES = {"comment": f"-----BEGIN PRIVATE KEY-----\n{KEY}", "decision": f"{KEY}\n-----END PRIVATE KEY-----"}


def out(made: dict[str, Any], *secrets: str, table: str = "decision_vault") -> dict[str, Any]:
    """The one row of a table as it is backed up."""
    ((path, data),) = shards(BY_NAME[table], [made]).items()
    redactor = Redactor(secrets)
    found = cleaned(path, data, redactor)
    assert found is not None
    assert redactor.scan(found) == []
    left: dict[str, Any] = json.loads(found)
    return left


@pytest.mark.parametrize(
    ("texts", "secret", "left"),
    [
        ({"comment": "an open door", "decision": "d"}, "open door", {"comment": "an [REDACTED:configured]"}),
        ({"comment": 'a "b"\n\\c', "decision": "tabs\tare kept"}, "nowhere at all", {}),
        (HALVES, "nowhere at all", {"comment": GONE, "decision": GONE}),
        ({"comment": "one half", "decision": "and the other"}, '":"base","decision":"and', {}),
        ({"comment": "one half", "decision": "the other"}, f'half","created_at":"{OLD}","date":null,"decision":"the',
         {"comment": GONE, "decision": GONE}),
        ({"comment": "c", "decision": "long enough"}, '"comment":"c","created_at', {"comment": GONE}),
    ],
    ids=["in one field", "none", "a key over two fields", "not as it stands", "over two fields",
         "over a column's name"],
)  # fmt: skip
def test_a_secret_is_taken_out_and_the_row_stays_one(texts: dict[str, str], secret: str, left: dict[str, str]) -> None:
    before = row(**texts)
    assert out(before, secret) == {**before, **left}


def test_a_number_that_is_a_configured_secret_goes_too() -> None:
    activity = {"id": "aa", "agent_name": "a", "action": "b", "status": "done", "created_at": None}
    found = out({**activity, "details": {"pin": [12345678, True, None]}}, "12345678", table="agent_activity")
    assert found["details"] == {"pin": [GONE, True, None]}


@given(st.text(min_size=4), st.text(min_size=4), st.data())
def test_whatever_is_cut_out_of_a_row_as_a_secret_it_stays_a_row(comment: str, decision: str, data: Any) -> None:
    before = json.loads(encoded(row(comment.replace("\ud800", ""), decision=decision)))
    line = encoded(before)
    start = data.draw(st.integers(line.index('"comment"'), line.index(',"id"') - 9))
    secret = line[start : data.draw(st.integers(start + 8, line.index(',"id"')))]
    (content,) = shards(BY_NAME["decision_vault"], [before]).values()
    found = cleaned("tables/decision_vault/aa.jsonl", content, Redactor([secret]))
    assert found is not None
    left = json.loads(found)
    assert left.keys() == before.keys()
    assert all(left[name] == before[name] for name in PLAIN & before.keys())
