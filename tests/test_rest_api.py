"""The vault through Supabase's REST API, by the very lines that the README gives: open to the secret key alone."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import string
import subprocess
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.conftest import empty
from tests.supabase_lite import Project

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
LINES = re.findall(r"^    (curl (?:.*\\\n)*.*)$", README, re.MULTILINE)
GET, POST, PATCH = LINES
ID = "00000000-0000-4000-8000-0000000000aa"


@pytest.fixture
def vault(rest: tuple[str, Project]) -> tuple[str, Project]:
    """An empty vault and its REST API."""
    empty(rest[0])
    return rest


def asked(line: str, url: str, key: str, row: str = ID) -> tuple[int, Any]:
    """What a line of the README does for a person: the status and the document of the answer."""
    variables = {"SUPABASE_URL": url, "SUPABASE_KEY": key, "ID": row}
    if shutil.which("curl") is None:
        return by_another_client(line, variables)
    ended = subprocess.run(
        ["sh", "-c", f"{line} -w '\n%{{http_code}}'"],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    body, _, status = ended.stdout.rpartition("\n")
    return int(status), json.loads(body or "null")


def by_another_client(line: str, variables: dict[str, str]) -> tuple[int, Any]:
    """The same request where no curl is installed: its words are read as curl reads them."""
    words = [string.Template(word).substitute(variables) for word in shlex.split(line.replace("\\\n", ""))]
    options = list(itertools.pairwise(words))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    method = next((value for option, value in options if option == "-X"), "GET")
    data = next((value for option, value in options if option == "-d"), None)
    url = next(word for word in words if word.startswith("http"))
    answer = httpx.request(method, url, headers=headers, content=data)
    return answer.status_code, answer.json() if answer.content else None


def rows(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


@pytest.mark.parametrize("curl", [True, False], ids=["curl", "another client"])
def test_the_readmes_lines_read_add_and_change_a_decision(
    vault: tuple[str, Project], monkeypatch: pytest.MonkeyPatch, curl: bool
) -> None:
    dsn, project = vault
    if not curl:
        monkeypatch.setattr(shutil, "which", lambda _: None)

    def ask(line: str, row: str = ID) -> tuple[int, Any]:
        return asked(line, project.url, project.secret, row)

    assert ask(GET) == (200, [])
    status, (made,) = ask(POST)
    assert (status, made["decision"], made["type"], made["active"]) == (201, "Ship on Friday", "product", True)
    assert (made["synced"], made["comment"], made["date"] is None) == (False, None, False)
    status, (changed,) = ask(PATCH, made["id"])
    assert (status, changed["comment"]) == (200, "Moved to Monday")
    assert changed["updated_at"] > made["updated_at"]
    assert ask(GET) == (200, [changed])
    assert ask(PATCH) == (200, []), "there is no such row"
    assert rows(dsn, "select was ->> 'comment', run from decision_history") == [(None, None)]


@pytest.mark.parametrize("key", ["", "publishable", "wrong"])
def test_without_the_secret_key_nothing_is_shown_and_nothing_is_written(vault: tuple[str, Project], key: str) -> None:
    dsn, project = vault
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("insert into decision_vault (id, decision) values (%s, 'a')", (ID,))
    before = rows(dsn, "select * from decision_vault")
    given = {"publishable": project.publishable, "wrong": "sb_secret_00000000000000000000000000000000"}.get(key, key)
    for line in (GET, POST, PATCH):
        status, body = asked(line, project.url, given)
        assert status in {401, 403} or (body == [] and line is not POST), (line, status, body)
    assert rows(dsn, "select * from decision_vault") == before


def test_what_a_client_claims_to_have_synced_is_not_believed(vault: tuple[str, Project]) -> None:
    _, project = vault
    claimed = POST.replace('"type": "product"', '"synced": true')
    assert claimed != POST
    status, (made,) = asked(claimed, project.url, project.secret)
    assert (status, made["synced"]) == (201, False)


def test_a_value_that_the_vault_cannot_hold_is_refused_as_a_whole(vault: tuple[str, Project]) -> None:
    dsn, project = vault
    for wrong in ("x" * 51, None):
        line = POST.replace('"Ship on Friday", "type": "product"', f'"a", "type": {json.dumps(wrong or "y")}')
        status, body = asked(line if wrong else line.replace('"decision": "a"', '"decision": null'), project.url,
                             project.secret)  # fmt: skip
        assert status == 400, body
    assert rows(dsn, "select count(*) from decision_vault") == [(0,)]
