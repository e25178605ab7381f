"""Runs beside runs, and services that change or lie while a run looks: one works, nothing is taken for gone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from tests.world import World
from utils.errors import BUSY, OK, AnglesError, BusyError
from utils.local.notion import Fault


@pytest.fixture
def six(world: World) -> tuple[World, list[str]]:
    """Six synced decisions, all quiet."""
    ids = [world.insert(f"Decision {number}", comment="base", type="ops") for number in range(6)]
    world.sync()
    world.calm()
    return world, ids


# --- two at once


@pytest.mark.parametrize("where", ["one machine", "two machines"])
def test_of_two_processes_one_works_and_the_other_leaves_with_75_and_the_holder_s_name(
    six: tuple[World, list[str]], where: str
) -> None:
    world, ids = six
    for one in ids:
        world.update(one, comment="ours")
    reached, over = Event(), Event()

    def wait() -> None:
        reached.set()
        over.wait(60)

    world.sandbox.control.arm(Fault(method="PATCH", path="/pages/", call=wait))
    first = world.start("memory_sync.py")
    assert reached.wait(60)
    home = {}
    if where == "two machines":
        world.db.execute("update leases set host = 'elsewhere', boot_id = 'another boot'")
        home = {"ANGLES_HOME": str(world.folder / "the other's home")}
    second = world.script("memory_sync.py", **home)
    lease = world.db.execute("select holder, host, pid from leases").fetchone()
    over.set()
    assert second.returncode == BUSY, second.stderr
    assert lease is not None
    holder = f"run {lease['holder']} on elsewhere (process {first.pid}) is at it"
    assert (holder if where == "two machines" else f"(pid {first.pid}: ") in second.stderr
    _, errors = first.communicate(timeout=60)
    assert first.returncode == OK, errors
    assert {page.content.comment for page in world.pages()} == {"ours"}


def test_the_lease_of_a_holder_elsewhere_is_taken_over_after_its_time_and_not_before(
    six: tuple[World, list[str]],
) -> None:
    world, ids = six
    world.update(ids[0], comment="ours")
    world.db.execute(
        "update leases set holder = 'r7', host = 'elsewhere', boot_id = 'b', pid = 1, fence = fence + 1,"
        " expires_at = now() + interval '1 minute'"
    )
    with pytest.raises(BusyError, match=r"run r7 on elsewhere \(process 1\) is at it"):
        world.sync()
    world.db.execute("update leases set expires_at = now()")
    assert world.sync().counts["merged"] == 1


def test_a_late_writer_writes_nothing_into_what_its_successor_has_done(six: tuple[World, list[str]]) -> None:
    world, ids = six
    world.workers = 1
    for one in ids[:3]:
        world.update(one, comment="ours")
    left: list[Any] = []

    def successor() -> None:
        world.db.execute("update leases set expires_at = now()")
        world.update(ids[0], comment="ours, edited again")
        world.edit(world.page_of(ids[1]), type="theirs")
        world.sync()
        left.append(world.everything())

    world.sandbox.control.arm(Fault(method="GET", path="/pages/", skip=1, call=successor))
    with pytest.raises(BusyError) as caught:
        world.sync()
    assert caught.value.exit_code == BUSY
    assert world.everything() == left[0]
    assert (world.rows()[ids[0]].comment, world.rows()[ids[1]].type) == ("ours, edited again", "theirs")


# --- listings and answers that lie


def edits(world: World, ids: list[str]) -> None:
    """An edit on either side."""
    world.update(ids[0], comment="ours")
    world.edit(world.page_of(ids[1]), comment="theirs")


def expired(world: World, ids: list[str]) -> None:
    world.sandbox.control.arm(
        Fault(path="/query", skip=1, call=world.sandbox.control.expire_cursors, contains="page_size")
    )


def repeated(world: World, ids: list[str]) -> None:
    world.sandbox.control.repeat([world.page_of(one) for one in ids])


def omitted(world: World, ids: list[str]) -> None:
    world.sandbox.control.omit([world.page_of(one) for one in ids[2:]])


def capped(world: World, ids: list[str]) -> None:
    world.sandbox.control.set_cap(3)


LIES: dict[str, Callable[[World, list[str]], None]] = {
    "a cursor expires": expired,
    "all pages are listed twice": repeated,
    "four pages are left out": omitted,
    "a query yields three": capped,
}


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
@pytest.mark.parametrize("full", [True, False], ids=["everything", "changes"])
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_listing_that_lies_costs_nothing_but_requests(
    six: tuple[World, list[str]], monkeypatch: pytest.MonkeyPatch, lie: Callable[[World, list[str]], None], full: bool
) -> None:
    world, ids = six
    monkeypatch.setattr("utils.stores.notion.PAGE_SIZE", 2)
    pages = {one: world.page_of(one) for one in ids}
    edits(world, ids)
    lie(world, ids)
    report = world.sync(full=full)
    assert (report.counts, report.problems) == ({"merged": 2}, [])
    world.sandbox.control.disarm()
    world.sandbox.control.set_cap(10_000)
    assert not world.sync(full=True).wrote
    assert {one: world.page_of(one) for one in ids} == pages
    assert {row.active for row in world.rows().values()} == {True}


@pytest.mark.parametrize("method", ["GET", "PATCH"], ids=["before it is read", "before it is written"])
def test_a_page_that_is_unshared_under_a_run_is_neither_lost_nor_doubled(
    six: tuple[World, list[str]], method: str
) -> None:
    world, ids = six
    page = world.page_of(ids[0])
    edits(world, ids)
    control = world.sandbox.control
    control.arm(Fault(method=method, path=f"/pages/{page}", call=lambda: control.unshare(page)))
    report = world.sync()
    assert (len(report.problems), report.counts["retired"]) == (1, 0)
    assert world.rows()[ids[1]].comment == "theirs"
    assert (world.rows()[ids[0]].comment, world.rows()[ids[0]].active) == ("ours", True)
    control.share(page)
    control.advance(700)
    assert world.sync().problems == []
    assert (world.page_of(ids[0]), control.values(page)["Comment"], len(world.pages())) == (page, "ours", 6)


UNSHARED = {
    "before the changes": Fault(method="POST", path="/query"),
    "before the bin": Fault(method="POST", path="/query", contains="in_trash"),
    "before the writes": Fault(method="GET", path="/pages/"),
}


@pytest.mark.parametrize("at", UNSHARED)
def test_a_database_that_is_unshared_under_a_run_retires_nothing_and_the_next_run_goes_on(
    six: tuple[World, list[str]], at: str
) -> None:
    world, ids = six
    control = world.sandbox.control
    edits(world, ids)
    control.arm(replace(UNSHARED[at], call=lambda: control.unshare(world.database_id)))
    with nullcontext() if at == "before the writes" else pytest.raises(AnglesError):
        world.sync()
    assert {row.active for row in world.rows().values()} == {True}
    control.share(world.database_id)
    control.advance(700)
    world.sync()
    assert (world.rows()[ids[1]].comment, len(world.rows()), len(world.pages())) == ("theirs", 6, 6)
    assert control.values(world.page_of(ids[0]))["Comment"] == "ours"
