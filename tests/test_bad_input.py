"""Bad input, told in one clear line each: configuration, services, schema, and single decisions that do not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from tests.conftest import at
from tests.world import World
from utils.errors import PROBLEMS, UNAVAILABLE, USAGE


@dataclass(frozen=True)
class Case:
    """What is wrong, and what the script says and ends with."""

    code: int
    told: str
    env: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[World], object] = lambda _world: None


def renamed(name: str, kind: str) -> Callable[[World], object]:
    """A property of that name and another type, in a database that was synced before."""
    return lambda world: world.sandbox.control.retype_property(name, kind)


CASES = {
    "wrong Notion token": Case(UNAVAILABLE, "notion: refuses the token (401)", {"NOTION_TOKEN": "ntn_wrong"}),
    "token with a blank": Case(USAGE, "NOTION_TOKEN holds blanks", {"NOTION_TOKEN": "ntn wrong"}),
    "missing Notion token": Case(USAGE, "notion: not configured. Set NOTION_TOKEN", {"NOTION_TOKEN": ""}),
    "placeholder": Case(USAGE, "NOTION_TOKEN still holds the placeholder", {"NOTION_TOKEN": "ntn_xxxxxxxxxx"}),
    "database id that is none": Case(USAGE, "NOTION_DATABASE_ID", {"NOTION_DATABASE_ID": "my decisions"}),
    "Notion unreachable": Case(UNAVAILABLE, "notion", {"NOTION_BASE_URL": "http://127.0.0.1:1"}),
    "Notion is no address": Case(USAGE, "NOTION_BASE_URL", {"NOTION_BASE_URL": "notion"}),
    "vault is no address": Case(USAGE, "DATABASE_URL is no URL", {"DATABASE_URL": "localhost"}),
    "unshared database": Case(
        USAGE,
        "not found. The token can see: ",
        before=lambda world: world.sandbox.control.unshare(world.sandbox.database_id),
    ),
    "retyped property": Case(
        USAGE, "property 'Date' was retyped: it is rich_text and must be date", before=renamed("Date", "rich_text")
    ),
    "removed property": Case(
        USAGE,
        "property 'Comment' was removed from database 'Decisions'",
        before=lambda world: world.sandbox.control.remove_property("Comment"),
    ),
}  # fmt: skip
BY_STORE = {
    "postgres": {
        "vault unreachable": Case(
            UNAVAILABLE, "127.0.0.1:1: cannot be reached", {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}
        ),
    },
    "supabase": {
        "Supabase unreachable": Case(
            UNAVAILABLE, "Supabase 127.0.0.1:1: cannot be reached", {"SUPABASE_URL": "http://127.0.0.1:1"}
        ),
        "wrong Supabase key": Case(
            UNAVAILABLE, "refuses the key (Invalid API key)", {"SUPABASE_KEY": f"sb_secret_{'0' * 24}"}
        ),
        "publishable Supabase key": Case(
            USAGE, "SUPABASE_KEY is the publishable key", {"SUPABASE_KEY": f"sb_publishable_{'0' * 24}"}
        ),
        "missing Supabase key": Case(USAGE, "vault: not configured. Set SUPABASE_KEY", {"SUPABASE_KEY": ""}),
    },
}
ALL = [
    *(pytest.param("postgres", case, id=name) for name, case in (CASES | BY_STORE["postgres"]).items()),
    *(pytest.param("supabase", case, id=name) for name, case in BY_STORE["supabase"].items()),
]


@pytest.mark.parametrize(("world", "case"), ALL, indirect=["world"])
def test_what_is_wrong_as_a_whole_is_one_line_and_nothing_is_written(world: World, case: Case) -> None:
    one = world.insert("Before", comment="kept", type="kept")
    world.sync()
    case.before(world)
    world.update(one, comment="changed meanwhile")
    world.insert("Waiting")
    rows, pages = world.rows(), world.sandbox.control.pages()
    ended = world.script("memory_sync.py", **case.env)
    assert ended.returncode == case.code, ended.stderr
    assert case.told in ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert world.sandbox.token not in ended.stderr
    assert ended.stdout == ""
    assert (world.rows(), world.sandbox.control.pages()) == (rows, pages)


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_a_wrong_password_of_the_database_is_told_without_it(world: World) -> None:
    ended = world.script("memory_sync.py", DATABASE_URL=world.dsn.replace("postgres:", "postgres:wrong-secret-", 1))
    assert ended.returncode == UNAVAILABLE
    assert "refuses the user or password. Check DATABASE_URL" in ended.stderr
    assert "wrong-secret" not in ended.stderr


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_a_database_that_is_not_there_and_one_that_is_not_migrated_are_told(world: World, server: str) -> None:
    ended = world.script("memory_sync.py", DATABASE_URL=at(world.dsn, "not_there"))
    assert (ended.returncode, "there is no database of this name" in ended.stderr) == (UNAVAILABLE, True)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create database bare_for_bad_input")
        try:
            ended = world.script("memory_sync.py", DATABASE_URL=at(world.dsn, "bare_for_bad_input"))
            tested = world.script("memory_sync.py", "--test", DATABASE_URL=at(world.dsn, "bare_for_bad_input"))
        finally:
            connection.execute("drop database bare_for_bad_input with (force)")
    assert (ended.returncode, tested.returncode) == (USAGE, USAGE)
    assert "Run: python run_migration.py" in ended.stderr
    assert "Run: python run_migration.py" in tested.stderr


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_everything_wrong_with_the_configuration_is_told_at_once(world: World) -> None:
    ended = world.script(
        "memory_sync.py", DATABASE_URL="x", NOTION_DATABASE_ID="y", NOTION_REQUESTS_PER_SECOND="fast", BACKEND_MODE="z"
    )
    assert ended.returncode == USAGE
    lines = ended.stderr.splitlines()
    assert len(lines) == 4
    for name in ("DATABASE_URL", "NOTION_DATABASE_ID", "NOTION_REQUESTS_PER_SECOND", "BACKEND_MODE"):
        assert sum(name in line for line in lines) == 1


VAULT_ROWS: Mapping[str, tuple[dict[str, Any], str]] = {
    "text over Notion's limit": ({"comment": "x" * 200_001}, "comment is 200,001 UTF-16 units long"),
    "control character": ({"comment": "a\x07b"}, "comment holds the control character U+0007"),
    "escape in the title": ({"decision": "red \x1b[31m"}, "decision holds the control character U+001B"),
    "type with a comma": ({"type": "one, two"}, "type holds a comma"),
    "date before Christ": ({"date": "0044-03-15 BC"}, "0044-03-15 BC is no date that Notion has"),
    "infinite date": ({"date": "infinity"}, "infinity is no date that Notion has"),
}
PAGES: Mapping[str, tuple[dict[str, Any], str]] = {
    "type over 50 characters": ({"type": "t" * 51}, "type is 51 characters long, the vault takes 50"),
    "untitled": ({"decision": ""}, "is empty: give the page a title, or trash it"),
}
FINE: Mapping[str, dict[str, Any]] = {
    "null date": {"date": None},
    "empty text": {"comment": ""},
    "null type": {"type": None},
    "null active": {"active": None},
    "tabs and line ends": {"comment": "\ta\n\r\nb "},
}


def test_decisions_that_do_not_fit_are_named_in_a_line_each_and_the_others_go_on(world: World) -> None:
    bad = {name: world.insert(**{"decision": name, **columns}) for name, (columns, _) in VAULT_ROWS.items()}
    for name, columns in FINE.items():
        world.insert(**{"decision": name, **columns})
    world.sync()
    world.sandbox.control.advance(240)
    world.add_page(decision="A date with time and zone", date={"start": "2026-03-01T23:30:00+09:00"})
    for name, (fields, _) in PAGES.items():
        world.add_page(**{"decision": name, **fields})
    rows = world.rows()
    first = world.script("memory_sync.py")
    assert first.returncode == PROBLEMS
    told = first.stderr.splitlines()
    for _, reason in (*VAULT_ROWS.values(), *PAGES.values()):
        assert sum(reason in line for line in told) == 1, (reason, told)
    assert len(told) == len(VAULT_ROWS) + len(PAGES)
    assert "\x1b" not in first.stderr
    assert "\x07" not in first.stderr
    after = world.rows()
    assert {decision_id: after[decision_id] for decision_id in rows} == rows, "the vault's own rows stay as they are"
    titles = {page.content.decision for page in world.pages()}
    assert {*FINE, *bad, "A date with time and zone", "type over 50 characters"} - {"escape in the title"} <= titles
    new = {content.decision: content for content in after.values() if content.decision not in {*bad, *FINE}}
    assert new["A date with time and zone"].date == "2026-03-01"
    assert new["type over 50 characters"].type is None
    pages = {page.content.decision: page.content for page in world.pages()}
    assert pages["type over 50 characters"].type == "t" * 51, "nothing is blanked"

    world.sandbox.control.advance(240)
    again = world.script("memory_sync.py")
    assert again.returncode == PROBLEMS
    assert sorted(again.stderr.splitlines()) == sorted(told), "they are told every run"
    assert "0 copied, 0 merged, 0 retired" in again.stdout
    world.assert_silent()


def test_a_row_that_notion_refuses_is_named_and_not_asked_for_again_until_it_changes(world: World) -> None:
    from utils.local.notion import Fault

    world.insert("Fine")
    refused = world.insert("Refused here")
    control = world.sandbox.control
    control.arm(Fault(status=400, method="POST", path="/v1/pages", contains="Refused here", count=1))
    first = world.script("memory_sync.py")
    assert first.returncode == PROBLEMS
    assert first.stderr.count("\n") == 1
    assert "'Refused here': Notion refuses" in first.stderr
    assert [page.content.decision for page in world.pages()] == ["Fine"]
    control.reset_requests()
    again = world.script("memory_sync.py")
    assert again.returncode == PROBLEMS
    assert "Refused here" in again.stderr
    assert not [one for one in control.requests() if one.method != "GET" and "query" not in one.path]
    world.update(refused, comment="changed")
    assert world.script("memory_sync.py").returncode == 0
    world.assert_equal()
