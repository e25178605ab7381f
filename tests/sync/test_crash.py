"""What fails, is cut or killed in the middle, and people who edit at that moment: nothing is lost, nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from tests.world import World
from utils.errors import BUSY, INTERRUPTED, BusyError, ServiceError
from utils.local.notion import Fault
from utils.stores.postgres import PostgresTransport
from utils.stores.supabase import RestTransport
from utils.sync import apply


@pytest.fixture
def pair(world: World) -> tuple[World, str]:
    """A world with three synced decisions, all quiet; the one that is looked at."""
    one = world.insert("Looked at", type="ops", comment="base")
    world.insert("Beside it")
    world.insert("Beside it, too")
    world.sync()
    world.calm()
    return world, one


def killed_at(world: World, fault: Fault) -> int:
    """Runs the script and kills it with SIGKILL in the moment that the fault meets; answers how it ended."""
    runs: list[subprocess.Popen[str]] = []

    def kill() -> None:
        runs[0].kill()
        runs[0].wait(timeout=30)

    fault.call = kill
    world.sandbox.control.arm(fault)
    runs.append(world.start("memory_sync.py"))
    runs[0].communicate(timeout=60)
    return runs[0].returncode


# --- killed


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_a_run_killed_at_a_create_makes_no_second_page(pair: tuple[World, str], after: bool) -> None:
    world, _ = pair
    ids = [world.insert(f"New {number}") for number in range(3)]
    assert killed_at(world, Fault(method="POST", path="/pages$", skip=1, after=after)) == -signal.SIGKILL
    report = world.sync()
    assert report.problems == []
    assert len(world.pages()) == 6
    assert set(ids) <= set(world.rows())
    assert world.log() == []


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_a_run_killed_at_an_edit_leaves_no_false_edit_and_later_edits_of_both_sides_are_merged(
    pair: tuple[World, str], after: bool
) -> None:
    world, one = pair
    world.update(one, comment="ours")
    assert killed_at(world, Fault(method="PATCH", path="/pages/", after=after)) == -signal.SIGKILL
    world.update(one, comment="ours, edited again")
    world.edit(world.page_of(one), type="theirs")
    report = world.sync()
    assert (report.counts["merged"], report.problems, world.log()) == (1, [], [])
    assert (world.rows()[one].comment, world.rows()[one].type) == ("ours, edited again", "theirs")


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_a_run_killed_while_it_trashes_a_page_neither_brings_the_row_back_nor_forgets_it(
    pair: tuple[World, str], after: bool
) -> None:
    world, one = pair
    page = world.page_of(one)
    world.delete(one)
    assert killed_at(world, Fault(method="PATCH", path="/pages/", after=after)) == -signal.SIGKILL
    world.sync()
    assert world.sandbox.control.page(page)["in_trash"]
    assert one not in world.rows()


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
def test_a_run_killed_while_it_takes_a_new_page_in_finishes_its_decision_id_and_its_box(
    world: World, after: bool
) -> None:
    world.furnish()
    page = world.add_page(decision="Older than the box")
    world.sandbox.control.remove_property("Active")
    world.sandbox.control.advance(120)
    assert killed_at(world, Fault(method="PATCH", path="/pages/", after=after)) == -signal.SIGKILL
    world.sync()
    (one,) = world.rows()
    assert world.sandbox.control.values(page)["Decision ID"] == one
    assert world.rows()[one].active is True


def test_a_run_killed_while_it_joins_a_row_and_an_older_page_loses_neither(world: World) -> None:
    world.furnish()
    one = world.insert("In both", comment="ours", type=None)
    page = world.add_page(decision="In both", type="theirs", active=True, decision_id=one)
    assert killed_at(world, Fault(method="PATCH", path="/pages/")) == -signal.SIGKILL
    world.sync()
    assert world.page_of(one) == page
    assert (world.rows()[one].comment, world.rows()[one].type) == ("ours", "theirs")


def test_an_edit_of_a_page_that_a_killed_run_had_just_made_is_an_edit(pair: tuple[World, str]) -> None:
    world, _ = pair
    new = world.insert("New", comment="ours")
    killed_at(world, Fault(method="POST", path="/pages$", after=True))
    page = next(page["id"] for page in world.sandbox.control.pages() if page["id"] not in linked(world))
    world.edit(page, comment="edited in Notion")
    world.sync()
    assert (world.rows()[new].comment, world.page_of(new)) == ("edited in Notion", page)


def linked(world: World) -> set[str]:
    """The ids of all linked pages."""
    return {str(row["page_id"]) for row in world.db.execute("select page_id from sync_links")}


# --- unclear and failing answers


def test_a_create_that_was_cut_after_it_took_effect_gives_no_second_page(
    pair: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = pair
    monkeypatch.setattr("utils.stores.notion.LOOK_UP_AFTER", (0.01, 0.1))
    new = world.insert("New")
    world.sandbox.control.arm(Fault(method="POST", path="/pages$", after=True, cut=True))
    report = world.sync()
    assert (report.counts["copied"], report.problems) == (1, [])
    assert len(world.pages()) == 4
    assert world.row(new)["synced"]


def test_an_edit_made_while_an_unclear_create_is_looked_up_is_not_lost(
    pair: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = pair
    monkeypatch.setattr("utils.stores.notion.LOOK_UP_AFTER", (0.01, 0.1))
    new = world.insert("New", comment="ours")

    def person() -> None:
        (page,) = (page["id"] for page in world.sandbox.control.pages() if page["id"] not in linked(world))
        world.edit(page, comment="edited in Notion")

    world.sandbox.control.arm(Fault(502, method="POST", path="/pages$", after=True, call=person))
    world.sync()
    assert world.rows()[new].comment == "edited in Notion"


@pytest.mark.parametrize(("method", "path"), [("POST", "/pages$"), ("PATCH", "/pages/")], ids=["create", "edit"])
def test_a_row_that_notion_refuses_is_named_and_not_asked_for_again_and_the_others_go_on(
    pair: tuple[World, str], method: str, path: str
) -> None:
    world, one = pair
    others = [world.insert(f"New {number}") for number in range(2)]
    if method == "POST":
        one = world.insert("Refused", comment="unlucky")
    else:
        world.update(one, comment="unlucky")
    world.sandbox.control.arm(Fault(400, method=method, path=path, contains="unlucky"))
    report = world.sync()
    assert (report.counts["failed"], report.counts["copied"]) == (1, 2)
    assert report.problems[0].startswith(f"{one} ")
    assert "Notion refuses it" in report.problems[0]
    assert all(world.row(each)["synced"] for each in others)
    world.calm()
    if method == "GET":
        return
    world.sandbox.control.reset_requests()
    again = world.sync()
    assert (again.counts["flagged"], again.wrote) == (1, False)
    assert "Notion refuses it" in again.problems[0]
    assert not any(
        each.method in {"PATCH", "GET"} and "/pages" in each.path for each in world.sandbox.control.requests()
    )
    world.update(one, comment="changed")
    assert world.sync().problems == []


def test_five_failures_in_a_row_stop_the_run_and_what_was_done_is_kept(
    pair: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = pair
    monkeypatch.setattr("utils.stores.notion_calls.TRIES", 1)
    monkeypatch.setattr("utils.stores.notion.LOOK_UP_AFTER", ())
    new = [world.insert(f"New {number:02}") for number in range(20)]
    world.sandbox.control.arm(Fault(500, method="POST", path="/pages$", skip=8, count=0))
    with pytest.raises(ServiceError, match="answers 500"):
        world.sync()
    made = len(world.pages()) - 3
    assert made == 8
    links = world.db.execute("select count(*) as n from sync_links where state = 'linked'").fetchone()
    assert links == {"n": 3 + made}
    world.sandbox.control.disarm()
    report = world.sync()
    assert report.counts["copied"] == len(new) - made


def test_an_edit_whose_outcome_stays_unclear_is_known_as_our_own_in_the_next_run(
    pair: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, one = pair
    monkeypatch.setattr("utils.stores.notion_calls.TRIES", 1)
    world.update(one, comment="ours")
    world.sandbox.control.arm(Fault(500, method="PATCH", path="/pages/", after=True))
    assert world.sync().counts["failed"] == 1
    assert world.link(one)["intent"]
    world.update(one, comment="ours, edited again")
    report = world.sync()
    assert (report.problems, world.log()) == ([], [])
    assert world.rows()[one].comment == "ours, edited again"


def test_a_new_page_that_could_not_be_read_for_now_is_taken_by_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.stores.notion_calls.TRIES", 1)
    world.furnish()
    world.add_page(decision="Older than the box")
    world.sandbox.control.remove_property("Active")
    world.sandbox.control.advance(120)
    world.sandbox.control.arm(Fault(500, method="GET", path="/pages/"))
    assert world.sync().counts["failed"] == 1
    world.sandbox.control.advance(600)
    assert world.sync().counts["copied"] == 1


def test_a_page_that_supabase_refuses_is_named_in_every_run_and_taken_when_it_changes(pair: tuple[World, str]) -> None:
    world, _ = pair
    world.db.execute("alter table decision_vault add constraint ours check (decision <> 'No such')")
    page = world.add_page(decision="No such", active=True)
    world.add_page(decision="Welcome", active=True)
    report = world.sync()
    assert (report.counts["copied"], report.counts["failed"]) == (1, 1)
    assert "Supabase refuses it" in report.problems[0]
    world.calm()
    again = world.sync()
    assert (again.problems, again.counts["flagged"]) == (report.problems, 1)
    world.edit(page, decision="Welcome, too")
    assert world.sync().problems == []


def test_a_page_that_was_named_and_then_purged_is_forgotten_when_everything_was_compared(
    pair: tuple[World, str],
) -> None:
    world, _ = pair
    page = world.add_page()
    assert world.sync().counts["flagged"] == 1
    world.sandbox.control.person_purge(page)
    world.calm()
    assert world.sync().counts["flagged"] == 1
    assert world.sync(full=True).problems == []
    assert world.sync().problems == []


def test_a_second_page_of_our_own_making_is_trashed_and_gets_no_row(pair: tuple[World, str]) -> None:
    world, _ = pair
    new = world.insert("New", comment="ours")
    world.sync()
    notion = world.notion()
    notion.bind(notion.source(), {})
    ghost = notion.create(world.rows()[new].image(), new).id
    notion.close()
    assert not world.sync(direction="to-supabase").wrote
    assert not world.sandbox.control.page(ghost)["in_trash"]
    report = world.sync()
    assert report.lines == [f"trash: second page {ghost} of 'New'"]
    assert world.sandbox.control.page(ghost)["in_trash"]
    assert len(world.rows()) == 4


# --- people who edit while the run goes on


def test_a_row_edited_while_the_run_goes_on_is_planned_anew(pair: tuple[World, str]) -> None:
    world, one = pair
    world.update(one, comment="ours")
    world.sandbox.control.arm(
        Fault(method="GET", path="/pages/", call=lambda: world.update(one, comment="ours, a moment later", type=None))
    )
    report = world.sync()
    assert (report.counts["merged"], report.problems, world.log()) == (1, [], [])
    assert world.sandbox.control.values(world.page_of(one))["Comment"] == "ours, a moment later"


def test_a_row_edited_between_the_listing_and_its_page_s_copy_is_planned_anew(pair: tuple[World, str]) -> None:
    world, one = pair
    new = world.insert("New")
    world.edit(world.page_of(one), type="theirs")

    def person() -> None:
        world.update(one, comment="just now")
        world.update(new, decision="New, renamed")

    world.sandbox.control.arm(Fault(method="POST", path="/query", contains="in_trash", call=person))
    world.sync()
    assert (world.rows()[one].comment, world.rows()[one].type) == ("just now", "theirs")
    assert world.sandbox.control.values(world.page_of(new))["Decision"] == "New, renamed"


def test_a_row_deleted_while_its_page_is_being_made_is_known_by_the_next_run(pair: tuple[World, str]) -> None:
    world, _ = pair
    new = world.insert("New")
    world.sandbox.control.arm(Fault(method="POST", path="/pages$", call=lambda: world.delete(new)))
    world.sync()
    world.sync()
    assert new not in world.rows()
    assert len(world.pages()) == 3


@pytest.mark.parametrize(
    "edit", [{"type": "theirs"}, {"decision": "Theirs"}, {"date": "2026-07-07"}], ids=["type", "title", "date"]
)
def test_a_page_edited_between_the_listing_and_the_write_is_merged(
    pair: tuple[World, str], edit: dict[str, Any]
) -> None:
    world, one = pair
    world.update(one, comment="ours")
    page = world.page_of(one)
    world.sandbox.control.arm(Fault(method="GET", path="/pages/", call=lambda: world.edit(page, **edit)))
    world.sync()
    name, value = next(iter(edit.items()))
    assert (world.rows()[one].comment, getattr(world.rows()[one], name)) == ("ours", value)


def test_a_page_edited_between_the_read_and_the_write_is_merged(pair: tuple[World, str]) -> None:
    world, one = pair
    world.update(one, comment="ours")
    page = world.page_of(one)
    world.sandbox.control.arm(Fault(method="PATCH", path="/pages/", call=lambda: world.edit(page, type="theirs")))
    world.sync()
    assert (world.rows()[one].comment, world.rows()[one].type) == ("ours", "theirs")


def test_a_page_trashed_between_the_read_and_the_write_is_brought_back_as_an_edit_beats_a_removal(
    pair: tuple[World, str],
) -> None:
    world, one = pair
    page = world.page_of(one)
    world.update(one, comment="ours")
    world.sandbox.control.arm(
        Fault(method="PATCH", path="/pages/", call=lambda: world.sandbox.control.person_trash(page))
    )
    report = world.sync()
    assert not report.open_problems, report.problems
    assert (world.row(one)["comment"], world.row(one)["active"]) == ("ours", True)
    assert [each.content.comment for each in world.pages() if each.id == page] == ["ours"]
    world.calm()


def test_a_row_that_never_stops_changing_is_left_to_the_next_run(pair: tuple[World, str]) -> None:
    world, one = pair
    world.update(one, comment="ours")
    numbers = iter(range(100))
    world.sandbox.control.arm(
        Fault(
            method="GET",
            path="/pages/",
            count=0,
            call=lambda: world.update(one, comment=f"ours {next(numbers)}"),
        )
    )
    report = world.sync()
    assert (report.counts["failed"], next(numbers)) == (1, apply.ROUNDS)
    assert "kept changing" in report.problems[0]
    world.sandbox.control.disarm()
    assert world.sync().problems == []


# --- one at a time


def test_of_two_runs_at_once_the_second_is_told_who_has_the_lease(pair: tuple[World, str]) -> None:
    world, one = pair
    world.update(one, comment="ours")
    second: list[BusyError] = []

    def other() -> None:
        with pytest.raises(BusyError) as caught:
            world.sync()
        second.append(caught.value)

    world.sandbox.control.arm(Fault(method="PATCH", path="/pages/", call=other))
    assert world.sync().counts["merged"] == 1
    assert f"(process {os.getpid()}) is at it" in str(second[0])
    assert second[0].exit_code == BUSY


@pytest.mark.parametrize("wait", [False, True], ids=["between two writes", "while notion lets it wait"])
def test_a_run_whose_lease_was_taken_over_ends_with_75_and_writes_nothing_more(
    pair: tuple[World, str], monkeypatch: pytest.MonkeyPatch, wait: bool
) -> None:
    world, _ = pair
    world.workers = 1
    new = [world.insert(f"New {number}") for number in range(3)]
    seconds = [0.0]
    monkeypatch.setattr("utils.sync.lease.boot_clock", lambda: seconds[0])

    def taken_over() -> None:
        world.steal_lease()
        seconds[0] = 1000.0

    world.sandbox.control.arm(Fault(429 if wait else None, method="POST", path="/pages$", call=taken_over))
    with pytest.raises(BusyError) as caught:
        world.sync()
    assert caught.value.exit_code == BUSY
    assert len(world.pages()) == 3 + (0 if wait else 1)
    monkeypatch.undo()
    world.sync()
    assert len(world.pages()) == 3 + len(new)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_run_that_is_stopped_keeps_what_it_did_and_the_next_one_can_start_at_once(
    pair: tuple[World, str], number: int
) -> None:
    world, _ = pair
    new = [world.insert(f"New {each:02}") for each in range(12)]
    runs: list[subprocess.Popen[str]] = []
    world.sandbox.control.arm(
        Fault(method="POST", path="/pages$", skip=4, after=True, call=lambda: runs[0].send_signal(number))
    )
    world.sandbox.control.arm(Fault(method="POST", path="/pages$", skip=6, delay=0.3, count=0))
    runs.append(world.start("memory_sync.py"))
    _, errors = runs[0].communicate(timeout=30)
    assert (runs[0].returncode, errors.strip().splitlines()[-1]) == (INTERRUPTED, "memory_sync: interrupted")
    lease = world.db.execute("select holder from leases").fetchone()
    assert lease == {"holder": ""}
    made = len(world.pages()) - 3
    assert 5 <= made < len(new)
    links = world.db.execute("select count(*) as n from sync_links where state = 'linked'").fetchone()
    assert links == {"n": 3 + made}
    world.sandbox.control.disarm()
    assert world.sync().counts["copied"] == len(new) - made


def test_the_vault_s_failure_is_the_one_that_is_told_and_nobody_waits_for_it_twice(
    pair: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, one = pair
    world.update(one, comment="ours")
    asked: list[str] = []
    kind = RestTransport if world.project else PostgresTransport
    original = kind.call

    def gone(transport: Any, function: str, payload: Mapping[str, Any]) -> Any:
        asked.append(function)
        if "sync_write" in asked:
            raise ServiceError("database here", "cannot be reached (gone)")
        return original(transport, function, payload)

    monkeypatch.setattr(kind, "call", gone)
    with pytest.raises(ServiceError, match="cannot be reached"):
        world.sync()
    assert asked[-1] == "sync_write"
