"""More pages than a query of Notion's yields, and more rows than one answer of the REST API holds, in whole runs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.world import World, property_values
from utils.local.notion.control import Control

MORNING = datetime(2026, 11, 24, 8, 0, 7, tzinfo=UTC)
NAMESPACE = uuid.UUID("5d3a2f0e-0000-4000-8000-000000000001")


def add_pages(world: World, names: Iterable[str], *, with_ids: bool = True) -> list[str]:
    """Pages in great number, past the watch, which looks at all there is for each deed of a person."""
    control = world.sandbox.control
    made = []
    for name in names:
        fields = {"decision": name, "active": True, **({"decision_id": _id(name)} if with_ids else {})}
        made.append(Control.person_create(control, property_values(fields)))
    return made


def _id(name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, name))


def silent_run_costs_as_ever(world: World, rows: int, figure: Callable[[str], None]) -> None:
    world.calm()
    report = world.sync()
    assert (report.wrote, report.notion_requests, report.vault_requests) == (False, 3, 5)
    store = "Supabase's REST API" if world.project else "PostgreSQL"
    figure(f"a silent run at {rows:,} rows makes 3 requests to Notion and 5 to the vault ({store})")


@pytest.fixture
def small(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose Notion yields eight pages a query."""
    monkeypatch.setattr("utils.stores.notion.PAGE_SIZE", 5)
    world.furnish()
    world.sandbox.control.set_cap(8)
    yield world
    world.sandbox.control.set_cap(10_000)


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_a_query_s_cap_hides_no_page_no_edit_and_nothing_in_the_bin_from_a_run(small: World) -> None:
    world, made = small, []
    for minute, count in enumerate([3, 30, 5, 9]):
        world.sandbox.control.set_clock(fixed=MORNING + timedelta(minutes=minute))
        made += add_pages(world, [f"page {minute} {number}" for number in range(count)])
    report = world.sync()
    assert (report.counts["copied"], report.problems) == (len(made), [])
    world.sandbox.control.advance(3600)
    for number, page in enumerate(made):
        Control.person_edit(world.sandbox.control, page, property_values({"comment": f"edited {number}"}))
    assert world.sync(allow_mass_change=True).counts["merged"] == len(made)
    world.sandbox.control.advance(3600)
    report = world.sync(full=True)
    assert (report.wrote, report.problems, len(world.rows())) == (False, [], len(made))
    for page in made[:11]:
        world.sandbox.control.person_trash(page)
    assert world.sync(full=True).counts["retired"] == 11


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_a_full_minute_of_pages_without_decision_ids_is_taken_in_run_by_run(small: World) -> None:
    world = small
    world.sandbox.control.set_clock(fixed=MORNING)
    made = add_pages(world, [f"page {number}" for number in range(30)], with_ids=False)
    copied = []
    while (report := world.sync()).problems:
        assert "did not list all pages" in report.problems[0]
        copied.append(report.counts["copied"])
        assert copied[-1] > 0
    assert len(world.rows()) == len(made)


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_10_050_pages_of_one_minute_and_some_more_are_taken_in_and_found_again(
    world: World, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    if not request.config.getoption("--long"):
        pytest.skip("the real size takes minutes: with --long")
    world.furnish()
    for minute, count in enumerate([20, 10_050, 30]):
        world.sandbox.control.set_clock(fixed=MORNING + timedelta(minutes=minute))
        add_pages(world, [f"page {minute} {number}" for number in range(count)])
    report = world.sync()
    assert (report.counts["copied"], report.problems) == (10_100, [])
    requests = report.notion_requests
    world.sandbox.control.advance(3600)
    report = world.sync(full=True)
    assert (report.wrote, report.problems, len(world.rows())) == (False, [], 10_100)
    figure(f"10,100 pages, 10,050 of one minute: taken in by {requests} requests, compared by {report.notion_requests}")
    silent_run_costs_as_ever(world, 10_100, figure)


@pytest.mark.parametrize("world", ["supabase"], indirect=True)
def test_more_rows_than_an_answer_of_the_rest_api_holds_are_matched_with_their_pages_and_the_last_ones_are_copied(
    world: World, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    """2,350 with --long, else 1,130; the cap is 1,000."""
    world.furnish()
    names = [f"decision {number}" for number in range(2_350 if request.config.getoption("--long") else 1_130)]
    world.db.execute(
        "insert into decision_vault (id, decision, date, type) select *, null, null"
        " from unnest(%s::uuid[], %s::text[])",
        [[_id(name) for name in names], names],
    )
    pages = add_pages(world, names[:-30])
    report = world.sync()
    assert (report.counts, report.problems) == ({"copied": 30}, [])
    assert len(world.pages()) == len(names)
    assert world.db.execute("select from decision_vault where not synced").fetchall() == []
    edited = world.db.execute("update decision_vault set comment = 'edited' where decision like '%%99' returning id")
    Control.person_edit(world.sandbox.control, pages[0], property_values({"comment": "the last one"}))
    assert world.sync().counts["merged"] == len(edited.fetchall()) + 1
    figure(f"{len(names):,} rows synced whole over a REST API that answers 1,000 at most")
    silent_run_costs_as_ever(world, len(names), figure)
