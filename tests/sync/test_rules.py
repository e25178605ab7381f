"""The watch over every world sees each rule broken: a run that does what it must not fails the test it is in."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from tests.world import World
from utils.errors import SafetyError
from utils.stores.base import Vault
from utils.stores.notion import Notion
from utils.sync.report import Report
from utils.sync.session import Options, Session

pytestmark = pytest.mark.parametrize("world", ["postgres"], indirect=True)

BREAKS = {
    "2: lost": "set session_replication_role = replica; update decision_vault set comment = 'x' where id = '{one}';"
    " set session_replication_role = origin",
    "3: the rows": "delete from decision_vault where id = '{one}'",
    "3: .* left its live page": "update sync_links set page_id = gen_random_uuid(), base_page = null",
    "6: .* retired, though its page lives": "update decision_vault set active = false where id = '{one}'",
    "7: row .* got comment None": "update decision_vault set comment = null where id = '{one}'",
    "9: base_page of": 'update sync_links set base_page = base_page || \'{{"comment": "never shown"}}\'',
    "9: base_row of": 'update sync_links set base_row = base_row || \'{{"comment": "never there"}}\'',
}


@pytest.fixture
def one(world: World) -> str:
    """A synced decision, all quiet."""
    made = world.insert("Looked at", comment="base")
    world.sync()
    world.calm()
    return made


def doing(world: World, statement: str) -> Callable[[Vault, Notion], None]:
    """Does this in the database when a run begins."""

    def tap(_vault: Vault, _notion: Notion) -> None:
        world.db.execute(statement.encode())

    return tap


@pytest.mark.parametrize(("told", "statement"), BREAKS.items(), ids=BREAKS)
def test_what_a_run_must_not_do_in_the_vault_is_seen(world: World, one: str, told: str, statement: str) -> None:
    world.tap = doing(world, statement.format(one=one))
    with pytest.raises(AssertionError, match=told):
        world.sync(dry_run=told.startswith("9"))
    world.watch.excuse(1, "it was broken on purpose")


def trash(notion: Notion, page: str) -> None:
    notion.edit(page, {}, in_trash=True)


def write_again(notion: Notion, page: str) -> None:
    notion.edit(page, {"comment": "base"})


def invent(notion: Notion, page: str) -> None:
    notion.edit(page, {"comment": "invented"})


@pytest.mark.parametrize(
    ("told", "does"),
    [
        ("6: .* was trashed, though its row is there", trash),
        ("8: a PATCH carries comment 'base'", write_again),
        ("7: page .* got comment 'invented'", invent),
    ],
)
def test_what_a_run_must_not_do_in_notion_is_seen(
    world: World, one: str, told: str, does: Callable[[Notion, str], None]
) -> None:
    page = world.page_of(one)

    def tap(_vault: Vault, notion: Notion) -> None:
        notion.bind(notion.source(), {})
        does(notion, page)

    world.tap = tap
    with pytest.raises(AssertionError, match=told):
        world.sync(direction="to-notion")
    world.watch.excuse(1, "it was broken on purpose")


def test_a_refused_run_or_a_dry_run_that_writes_is_seen(world: World, one: str) -> None:
    for number in range(3):
        world.insert(f"Beside it {number}")
    world.sync()
    world.db.execute("delete from decision_vault")
    world.tap = doing(world, "insert into decision_vault (decision) values ('x')")
    for options in (Options(), Options(dry_run=True)):
        with pytest.raises((AssertionError, SafetyError)) as caught:
            world.sync(**vars(options))
        assert "4: a refused run wrote content" in str(caught.value)


def test_a_run_that_always_finds_something_to_do_is_seen_at_the_end(
    world: World, one: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = Session.sync

    def restless(self: Session, options: Options) -> object:
        world.db.execute(
            "insert into sync_log (id, run, field, before) values (%s, 'x', 'comment', '1')", [uuid.uuid4()]
        )
        return sync(self, options)

    monkeypatch.setattr(Session, "sync", restless)
    with pytest.raises(AssertionError, match="1: a further run wrote"):
        world.watch.close()
    monkeypatch.undo()


def test_two_live_pages_of_one_row_and_unequal_sides_are_seen_at_the_end(world: World, one: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "sync", lambda self, _options: Report(self.run))
        world.sandbox.control.person_edit(world.page_of(one), {"Comment": "theirs"})
        with pytest.raises(AssertionError, match="unequal"):
            world.watch.close()
        world.sandbox.control.person_duplicate(world.page_of(one))
        with pytest.raises(AssertionError, match="3: two live pages"):
            world.watch.close()
    world.sync()
