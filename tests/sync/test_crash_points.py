"""A run of every kind of step is ended, or fails once, at each of its requests in turn: the end is always the same.

Always each request once in some way on PostgreSQL, and a part of the rest; with --long every way, on both stores.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx
import pytest

from tests.rest_faults import RestFaults
from tests.sync.snapshots import Snapshot, end, restored, standing, taken
from tests.sync.wire import KilledError, Point, Wire, bury
from tests.world import World
from utils.errors import ServiceError
from utils.local.notion import Fault


@dataclass(frozen=True)
class Mixed:
    """A world on the eve of a run that has everything to do, and what that run comes to.

    Args:
        ids: the rows by what is to happen to them.
        points: the requests of the undisturbed run.
        after: its end; with an edit of a row, or a page, behind it, and one run more.
    """

    world: World
    snapshot: Snapshot
    ids: dict[str, str]
    points: tuple[Point, ...]
    ends: dict[str, Any]


def edit_of_the_row(world: World, mixed_ids: dict[str, str]) -> None:
    """Somebody edits rows that the run writes to, that it copies, and one that it had nothing to do with."""
    for name in ("edited row", "edited page", "merged", "beside"):
        world.update(mixed_ids[name], date="2026-02-03")
    for name in ("edited row", "merged"):  # once more where the run has just been
        world.update(mixed_ids[name], comment="newer in the row")


def edit_of_the_page(world: World, mixed_ids: dict[str, str]) -> None:
    """Somebody edits pages that the run writes to, that it takes from, and one that it had nothing to do with."""
    for name in ("edited row", "edited page", "merged", "beside"):
        world.edit(world.page_of(mixed_ids[name]), date="2026-03-04")


def nothing(world: World, mixed_ids: dict[str, str]) -> None:
    """Nobody does anything."""


BETWEEN: dict[str, Callable[[World, dict[str, str]], None]] = {
    "nothing": nothing,
    "row": edit_of_the_row,
    "page": edit_of_the_page,
}


def agreed(world: World) -> dict[str, str]:
    """Decisions that both sides have, retired and deleted ones among them."""
    names = ["edited row", "edited page", "merged", "conflict", "cleared", "copied", "trashed", "deleted", "beside"]
    names += ["restored row", "restored page", "inserted again", *(f"quiet {number}" for number in range(5))]
    ids = {name: world.insert(name, type="base", comment="base") for name in names}
    world.sync()
    for name in ("restored row", "restored page"):
        world.sandbox.control.person_trash(world.page_of(ids[name]))
    world.delete(ids["inserted again"])
    world.calm()
    world.calm()
    return ids


def much_to_do(world: World, ids: dict[str, str]) -> None:
    """Everything that a run can have to do, on both sides."""
    control = world.sandbox.control
    page = {name: world.page_of(one) for name, one in ids.items()}
    world.update(ids["edited row"], comment="new in the row")
    world.edit(page["edited page"], type="new in the page")
    world.update(ids["merged"], comment="new in the row")
    world.edit(page["merged"], type="new in the page")
    world.update(ids["conflict"], comment="the row's")
    world.edit(page["conflict"], comment="the page's")
    world.edit(page["cleared"], decision_id="")
    control.person_duplicate(page["copied"])
    control.person_trash(page["trashed"])
    world.edit(page["deleted"])
    world.delete(ids["deleted"])
    world.update(ids["restored row"], active=True, comment="back again")
    control.person_restore(page["restored page"])
    world.insert("inserted again", id=ids["inserted again"], comment="anew")
    ids["new row"] = world.insert("new row", comment="only in the vault")
    ids["long row"] = world.insert("a long title " + "x" * 30_000, comment="€" * 130_000)
    world.add_page(decision="new page", comment="only in Notion", active=True)


_EVES: dict[bool, Mixed] = {}
"""By whether the vault is reached by REST."""


@pytest.fixture
def mixed(world: World) -> Mixed:
    """The eve of the mixed run, and its end, undisturbed: made once for each store."""
    over_rest = world.project is not None
    if over_rest not in _EVES:
        _EVES[over_rest] = _mixed(world)
    return replace(_EVES[over_rest], world=world)


def _mixed(world: World) -> Mixed:
    world.workers = 1
    ids = agreed(world)
    much_to_do(world, ids)
    snapshot = taken(world)
    points: tuple[Point, ...] = ()
    ends = {}
    for name, edit in BETWEEN.items():
        with restored(snapshot, world) as again:
            wire = Wire()
            again.tap = wire.tap
            report = again.sync()
            assert report.problems == []
            points = tuple(wire.points)
            again.tap = Wire().tap
            edit(again, ids)
            again.sync()
            again.assert_equal()
            again.assert_silent()
            ends[name] = end(again, snapshot)
    return Mixed(world, snapshot, ids, points, ends)


@dataclass(frozen=True)
class Case:
    """One disturbance: where, how, and what people do before the next run."""

    point: Point
    after: bool = False
    kind: str = "killed"
    between: str = "nothing"

    def __str__(self) -> str:
        when = "after it took effect" if self.after else "before it"
        return f"{self.kind} at {self.point}, {when}; between the runs: {self.between}"


def some(cases: Sequence[Case], every: int, request: pytest.FixtureRequest) -> list[Case]:
    """Every so many of the cases, evenly over all; all of them with --long."""
    return list(cases if request.config.getoption("--long") else cases[::every])


def proven(cases: Sequence[Case], check: Callable[[Case], object], told: str, figure: Callable[[str], None]) -> None:
    """Checks all cases, and says how many hold before it fails for those that do not."""
    broken = []
    for case in cases:
        try:
            check(case)
        except (AssertionError, pytest.fail.Exception) as error:
            broken.append(f"{case}: {error}")
    figure(f"{len(cases) - len(broken)} of {len(cases)} {told}")
    assert not broken, "\n\n".join(broken)


def ends_alike(again: World, mixed: Mixed, case: Case) -> None:
    """Both sides, the images and the ledger are as after the undisturbed run; a further run writes nothing."""
    found, wanted = end(again, mixed.snapshot), mixed.ends[case.between]
    if case.between != "nothing":  # in which order edits and copies came shows in the history, and in nothing else
        found, wanted = standing(found), standing(wanted)
    assert found == wanted
    again.assert_equal()
    again.assert_silent()


def killed_and_run_again(mixed: Mixed, case: Case) -> None:
    with restored(mixed.snapshot, mixed.world) as again:
        wire = Wire(case.point, case.after)
        again.tap = wire.tap
        with pytest.raises(KilledError):
            again.sync()
        bury(again)
        again.tap = Wire().tap
        BETWEEN[case.between](again, mixed.ids)
        assert again.sync().problems == []
        ends_alike(again, mixed, case)


def test_a_run_killed_at_any_of_its_requests_is_finished_by_the_next_whatever_is_edited_between(
    mixed: Mixed, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    cases = [
        Case(point, after, between=between) for point in mixed.points for after in (False, True) for between in BETWEEN
    ]
    every, store = (29, "Supabase's REST API") if mixed.world.project else (5, "PostgreSQL")
    told = f"crash points converge (a run of {len(mixed.points)} requests, {store})"
    proven(some(cases, every, request), partial(killed_and_run_again, mixed), told, figure)


# --- the same by SIGKILL


def struck(world: World, case: Case) -> Fault:
    """The fault of the sandbox at a request."""
    method, path = case.point.what.split()
    pattern = "/v1/" + path.replace("*", "[^/]+") + "$"
    return Fault(method=method, path=pattern, skip=case.point.nth - 1, after=case.after)


def really_killed(world: World, case: Case) -> None:
    """Runs the script and kills it at a request to Notion."""
    runs: list[subprocess.Popen[str]] = []

    def kill() -> None:
        runs[0].kill()
        runs[0].wait(timeout=30)

    world.sandbox.control.arm(replace(struck(world, case), call=kill))
    runs.append(world.start("memory_sync.py"))
    runs[0].communicate(timeout=60)
    assert runs[0].returncode == -signal.SIGKILL, case


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("what", ["GET pages/*", "PATCH pages/*"])
def test_what_sigkill_leaves_is_what_the_wire_leaves(world: World, what: str, after: bool) -> None:
    one = world.insert("one", comment="base")
    world.sync()
    world.calm()
    world.update(one, comment="new in the row")
    case = Case(Point(what, 1), after)
    snapshot = taken(world)
    with restored(snapshot, world) as again:
        really_killed(again, case)
        left = end(again, snapshot), again.held_lease()
    with restored(snapshot, world) as again:
        again.tap = Wire(case.point, after).tap
        with pytest.raises(KilledError):
            again.sync()
        assert (end(again, snapshot), again.held_lease()) == left


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_a_process_killed_in_the_middle_of_everything_is_replaced_at_once_and_finished(
    mixed: Mixed, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    def check(case: Case) -> None:
        with restored(mixed.snapshot, mixed.world, workers=4) as again:
            really_killed(again, case)
            finished = again.script("memory_sync.py")
            assert finished.returncode == 0, finished.stderr
            ends_alike(again, mixed, case)

    cases = [Case(point, after) for point in mixed.points if point.notion for after in (True, False)]
    proven(some(cases, 15, request), check, "runs killed with SIGKILL converge", figure)


# --- answers that fail once


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats come at once."""
    monkeypatch.setattr("utils.stores.notion_calls.BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("utils.stores.notion.LOOK_UP_AFTER", (0.01, 0.05))


def timed_out() -> BaseException:
    """What the client sees when no answer comes."""
    return httpx.ReadTimeout("timed out")


NOTION_KINDS: dict[str, Fault | None] = {
    **{str(status): Fault(status, retry_after=0) for status in (429, 529)},
    **{str(status): Fault(status) for status in (409, 500, 502, 503, 504)},
    **{f"{status} though it took effect": Fault(status, after=True) for status in (409, 500, 502, 503, 504)},
    "529 though it took effect": Fault(529, after=True, retry_after=0),
    "a gateway's page": Fault(502, non_json=True),
    "a gateway's page though it took effect": Fault(200, non_json=True, after=True),
    "a cut": Fault(cut=True),
    "a cut though it took effect": Fault(cut=True, after=True),
    "a timeout though it took effect": None,
}


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_a_run_that_notion_fails_once_at_any_request_ends_as_if_nothing_had_been(
    mixed: Mixed, no_waiting: None, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    def check(case: Case) -> None:
        with restored(mixed.snapshot, mixed.world) as again:
            fault = NOTION_KINDS[case.kind]
            if fault is None:
                again.tap = Wire(case.point, after=True, failure=timed_out, deadly=False).tap
            else:
                at = struck(again, case)
                fault = replace(fault, method=at.method, path=at.path, skip=at.skip)
                again.sandbox.control.arm(fault)
            assert again.sync().problems == []
            assert fault is None or fault.met == 1
            ends_alike(again, mixed, case)

    points = [point for point in mixed.points if point.notion]
    cases = [Case(point, kind=kind) for point in points for kind in NOTION_KINDS]
    told = f"failing answers of Notion are survived ({len(NOTION_KINDS)} kinds at {len(points)} requests)"
    proven(some(cases, len(NOTION_KINDS) - 1, request), check, told, figure)


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_a_run_that_the_vault_fails_at_any_call_ends_the_same_by_itself_or_in_the_next_run(
    mixed: Mixed, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    def check(case: Case) -> None:
        with restored(mixed.snapshot, mixed.world) as again:
            if case.kind == "answer lost and asked again":
                wire = Wire(case.point, after=True, failure=None, deadly=False)
                again.tap = wire.tap
                assert again.sync().problems == []
                assert wire.met
            else:
                again.tap = Wire(case.point, case.after, lambda: ServiceError("database", "failed"), deadly=False).tap
                with pytest.raises(ServiceError, match="failed"):
                    again.sync()
                bury(again)
                again.tap = Wire().tap
                again.sync()
            ends_alike(again, mixed, case)

    kinds = [("answer lost and asked again", True), ("failed for good", False), ("failed for good", True)]
    points = [point for point in mixed.points if not point.notion]
    cases = [Case(point, after, kind) for point in points for kind, after in kinds]
    proven(some(cases, 11, request), check, "failing calls of the vault are survived", figure)


@pytest.mark.parametrize("world", ["supabase"], indirect=True)
def test_a_run_that_the_rest_api_fails_once_at_any_request_ends_as_if_nothing_had_been(
    mixed: Mixed, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    def check(case: Case) -> None:
        project = mixed.world.project
        assert project is not None
        with RestFaults(project.url) as faults, restored(mixed.snapshot, mixed.world) as again:
            again.project = replace(project, url=faults.url)
            status = int(case.kind.split()[0])
            wait = {"Retry-After": "0"} if status == 429 else {}
            faults.arm(status, "<html>", headers=wait, after=case.after, skip=points.index(case.point))
            assert again.sync().problems == []
            ends_alike(again, mixed, case)

    kinds = ["0 (cut)", "429", "500", "502", "503", "504", "520", "544"]
    points = [point for point in mixed.points if not point.notion]
    cases = [
        Case(point, after, kind)
        for point in points
        for kind in kinds
        for after in (False, True)
        if not (after and kind == "429")
    ]
    proven(some(cases, 67, request), check, "failing answers of the REST API are survived", figure)
