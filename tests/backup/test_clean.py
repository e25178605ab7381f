"""A row without secrets stays a row: also where a secret reaches over several of its fields, or is a number."""

from __future__ import annotations

import base64
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backup.test_plan import OLD, row
from utils import redact
from utils.backup.clean import PLAIN, Memory, cleaned, seen
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


def noise(size: int) -> bytes:
    """What a picture, an archive or a film is to whom does not know it."""
    return b"\0" + random.Random(size).randbytes(size)


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        (noise(900) + b"\xffpw:\xd8M0\xd9;v\xce\xee7\x88" + noise(900), set()),
        (noise(900) + b"PW=4Q*\x94'j5\0" + noise(900), set()),
        (noise(900) + b"\0an open door\xff" + noise(900), {"configured"}),
        (noise(900) + b"\0Gr\xc3\xbc\xc3\x9fe aus K\xc3\xb6ln\xff" + noise(900), {"configured"}),
        ("\ufeffthe key: an open door\n".encode("utf-16-le"), {"configured"}),
        ("the key: an open door\n".encode("utf-16-be"), {"configured"}),
        (f"\ufeff{HALVES['comment']}{HALVES['decision']}".encode("utf-16"), {"private-key"}),
        (noise(900) + b"\xff\xff\0" + "".join(HALVES.values()).encode() + b"\0\xff", {"private-key"}),
    ],
    ids=["noise with pw", "noise with PW", "configured", "configured, not in ASCII", "UTF-16 with its mark",
         "UTF-16 without", "a key in UTF-16", "a key in noise"],
)  # fmt: skip
def test_in_what_is_no_text_only_what_can_be_read_is_a_secret(data: bytes, kinds: set[str]) -> None:
    redactor = Redactor(["an open door", "Gr\u00fc\u00dfe aus K\u00f6ln"])
    assert {kind for _, kind in seen(data, redactor)} == kinds
    assert cleaned("files/export/a.bin", data, redactor) == (None if kinds else data)


def test_what_is_remembered_is_forgotten_when_any_rule_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = shutil.copytree(Path(redact.__file__).parent, tmp_path / "redact")
    monkeypatch.setattr(redact, "__file__", str(package / "__init__.py"))
    memory = Memory(tmp_path / "memory.json", [])
    memory.blobs = {"content": "blob"}
    memory.keep()
    assert Memory(tmp_path / "memory.json", []).blobs == {"content": "blob"}
    for changed in (package / "values.py", package / "rules" / "web.py"):
        before = changed.read_bytes()
        changed.write_bytes(before + b"\n")
        assert Memory(tmp_path / "memory.json", []).blobs == {}
        changed.write_bytes(before)
