"""Clocks that are wrong by hours, stand still or are set while a run goes on: nothing is missed, and only whose edit
counts as the newer one may come out otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.sync.rules import equal_and_alone
from tests.world import World
from utils.local.notion import Fault

Setting = Callable[[World], object]

HOURS = 5
NOON = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def database(world: World) -> Iterator[None]:
    """Lets `database_shows` replace what the database's clock says."""
    tables = ("decision_vault", "sync_links")
    for table in tables:
        world.db.execute(
            f"create or replace function {table}_clock() returns trigger language plpgsql as"
            " $$ begin return new; end $$;"
            f" create trigger zz_clock before insert or update on {table} for each row execute function {table}_clock()"
        )
    yield
    for table in tables:
        world.db.execute(f"drop trigger zz_clock on {table}; drop function {table}_clock()")


def database_shows(moment: str) -> Setting:
    """The database's clock shows this from now on, an expression in SQL; leases are by that clock, too."""

    def shows(world: World) -> None:
        for table in ("decision_vault", "sync_links"):
            world.db.execute(
                f"create or replace function {table}_clock() returns trigger language plpgsql as"
                f" $$ begin new.updated_at := {moment}; return new; end $$"
            )
        world.db.execute(f"update leases set expires_at = expires_at - ({moment} - clock_timestamp())")

    return shows


def sync_shows(now: Callable[[], datetime]) -> Setting:
    """This machine's clock, which counts where Notion's answers have no Date header."""

    def shows(world: World) -> None:
        world.sandbox.control.switch(date_header=False)
        world.now = now

    return shows


def notion_shows(**clock: object) -> Setting:
    """Notion's clock."""
    return lambda world: world.sandbox.control.set_clock(**clock)  # type: ignore[arg-type]


def nothing(_world: World) -> None:
    """The clock stays as it is."""


WRONG: dict[str, tuple[Setting, Setting]] = {
    "the sync's ahead": (sync_shows(lambda: datetime.now(UTC) + timedelta(hours=HOURS)), nothing),
    "the sync's behind": (sync_shows(lambda: datetime.now(UTC) - timedelta(hours=HOURS)), nothing),
    "the sync's stuck": (sync_shows(lambda: NOON), nothing),
    "Notion's ahead": (notion_shows(offset=HOURS * 3600), nothing),
    "Notion's behind": (notion_shows(offset=-HOURS * 3600), nothing),
    "Notion's stuck": (notion_shows(fixed=NOON), nothing),
    "Notion's set on during the run": (nothing, lambda world: world.sandbox.control.advance(HOURS * 3600)),
    "Notion's set back during the run": (nothing, lambda world: world.sandbox.control.advance(-HOURS * 3600)),
    "the database's ahead": (database_shows(f"clock_timestamp() + interval '{HOURS} hours'"), nothing),
    "the database's behind": (database_shows(f"clock_timestamp() - interval '{HOURS} hours'"), nothing),
    "the database's stuck": (database_shows(f"timestamptz '{NOON}'"), nothing),
    "the database's set on during the run": (
        nothing,
        database_shows(f"clock_timestamp() + interval '{HOURS} hours'"),
    ),
    "the database's set back during the run": (
        nothing,
        database_shows(f"clock_timestamp() - interval '{HOURS} hours'"),
    ),
}


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
@pytest.mark.parametrize(("set_wrong", "during"), WRONG.values(), ids=WRONG)
def test_with_a_clock_that_is_wrong_nothing_is_missed(
    world: World, database: None, set_wrong: Setting, during: Setting
) -> None:
    ids = [world.insert(f"Decision {number}", comment="base") for number in range(7)]
    world.sync()
    world.calm()
    set_wrong(world)
    for turn in range(3):
        new = world.insert(f"New row {turn}")
        world.add_page(decision=f"New page {turn}", active=True)
        world.update(ids[0], comment=f"row {turn}")
        world.edit(world.page_of(ids[1]), comment=f"page {turn}")
        world.update(ids[2], type=f"row {turn}")
        world.edit(world.page_of(ids[2]), comment=f"page {turn}")
        world.update(ids[3], comment=f"row {turn}")
        world.edit(world.page_of(ids[3]), comment=f"page {turn}")
        world.sandbox.control.person_trash(world.page_of(ids[4 + turn]))
        if turn == 1:
            world.sandbox.control.arm(Fault(method="PATCH", path="/pages/", call=lambda: during(world)))
        assert world.sync().problems == []
        equal_and_alone(world.watch.facts())
        rows = world.rows()
        assert [rows[ids[place]].comment for place in (0, 1, 2)] == [f"row {turn}", f"page {turn}", f"page {turn}"]
        assert (rows[ids[2]].type, rows[ids[4 + turn]].active) == (f"row {turn}", False)
        assert {f"New row {turn}", f"New page {turn}"} <= {row.decision for row in rows.values()}
        assert world.row(new)["synced"]
        told = {rows[ids[3]].comment, world.log(ids[3])[-1]["before"]}
        assert told == {f"row {turn}", f"page {turn}"}, "one of both stands, the other is in the log"
