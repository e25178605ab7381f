"""The brakes' exact numbers, per side and per kind, and what lifts them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.sync.builders import AGREED, binned, content, item, link, page, policy, row
from utils.decision import Decision
from utils.errors import SafetyError
from utils.sync.brakes import Brakes
from utils.sync.model import Side
from utils.sync.plan import Step, decide

RETIRE = decide(item(row(), link()), binned(), policy())
TRASH = decide(item(None, link()), page(), policy())
TO_ROW = decide(item(row(), link()), page(comment="x"), policy())
TO_PAGE = decide(item(row(comment="x"), link()), page(), policy())
RESTORE = decide(item(row(comment="x"), link()), binned(), policy())
REPAIR = decide(item(row(), link()), page(state={"decision_id": ""}), policy())
INSERT = decide(item(None), page(), policy())
CREATE = decide(item(row()), None, policy())

ALL = 10**9


def check(steps: list[Step], live: int, twins: int = 0, **limits: Any) -> None:
    def count(_side: Side, _contents: Iterable[Decision]) -> int:
        return twins

    Brakes(live, **limits).check(steps, count)


@pytest.mark.parametrize(
    ("step", "passes", "stops", "live", "said"),
    [
        pytest.param(RETIRE, 2, 3, 0, "retire or trash 3 of 0 decisions in Supabase", id="retire: at least 3"),
        pytest.param(RETIRE, 5, 6, 10, "retire or trash 6 of 10 decisions in Supabase", id="retire: over half"),
        pytest.param(TRASH, 2, 3, 4, "retire or trash 3 of 4 decisions in Notion", id="trash: at least 3"),
        pytest.param(
            TRASH, 5, 6, 11, "retire or trash 6 of 11 decisions in Notion", id="trash: over half of an odd number"
        ),
        pytest.param(TO_ROW, 99, 100, 150, "rewrite 100 of 150 decisions in Supabase", id="rows: at least 100"),
        pytest.param(TO_ROW, 100, 101, 200, "rewrite 101 of 200 decisions in Supabase", id="rows: over half"),
        pytest.param(TO_PAGE, 99, 100, 0, "rewrite 100 of 0 decisions in Notion", id="pages: at least 100"),
        pytest.param(TO_PAGE, 100, 101, 200, "rewrite 101 of 200 decisions in Notion", id="pages: over half"),
        pytest.param(RESTORE, 99, 100, 100, "rewrite 100 of 100 decisions in Notion", id="restores that write"),
    ],
)
def test_a_plan_passes_up_to_the_number_and_stops_above_it(
    step: Step, passes: int, stops: int, live: int, said: str
) -> None:
    check([step] * passes, live)
    with pytest.raises(SafetyError, match=said) as stopped:
        check([step] * stops, live)
    assert stopped.value.exit_code == 4


def test_each_side_and_each_kind_is_counted_by_itself() -> None:
    check([RETIRE] * 5 + [TRASH] * 5, 10)
    check([TO_ROW] * 100 + [TO_PAGE] * 100, 200)
    check([RETIRE] * 5 + [TO_ROW] * 99 + [INSERT] * 1000, 10, twins=10)


@pytest.mark.parametrize("step", [REPAIR, INSERT, CREATE, decide(item(row(), link()), page(), policy())])
def test_what_neither_removes_nor_rewrites_is_not_counted(step: Step) -> None:
    check([step] * 1000, 0)


@pytest.mark.parametrize(("step", "name"), [(INSERT, "Supabase"), (CREATE, "Notion")])
def test_creates_stop_above_10_whose_content_is_there_already(step: Step, name: str) -> None:
    check([step] * 11, 0, twins=10)
    check([step] * 10, 0, twins=ALL)
    with pytest.raises(SafetyError, match=f"make 11 decisions in {name} that equal ones"):
        check([step] * 11, 0, twins=11)


def test_twins_are_looked_for_on_the_side_that_gets_the_copies_by_what_it_gets() -> None:
    asked: list[tuple[Side, list[Decision]]] = []

    def count(side: Side, contents: Iterable[Decision]) -> int:
        asked.append((side, list(contents)))
        return 0

    other = decide(item(None), page(comment="x"), policy())
    Brakes(0).check([other] * 11 + [CREATE] * 12, count)
    assert asked == [(Side.VAULT, [content(comment="x")] * 11), (Side.NOTION, [AGREED] * 12)]


def test_a_percentage_moves_the_limit_of_removals_only() -> None:
    check([RETIRE] * 9, 10, percent=90)
    with pytest.raises(SafetyError, match="over 90 %"):
        check([RETIRE] * 10, 10, percent=90)
    check([RETIRE] * 10, 10, percent=100)
    with pytest.raises(SafetyError, match="retire or trash 3 of 100"):
        check([RETIRE] * 3, 100, percent=0)
    with pytest.raises(SafetyError, match="rewrite"):
        check([TO_ROW] * 100, 100, percent=100)


def test_a_released_brake_stops_nothing() -> None:
    check([RETIRE] * 10 + [TO_PAGE] * 1000 + [CREATE] * 100, 10, twins=ALL, released=True)


@pytest.mark.parametrize(
    ("step", "flag"),
    [(RETIRE, "--max-delete-percent 100"), (TO_ROW, "--allow-mass-change"), (CREATE, "--allow-mass-change")],
)
def test_a_refusal_names_the_flag_that_lifts_it(step: Step, flag: str) -> None:
    with pytest.raises(SafetyError) as stopped:
        check([step] * 200, 200, twins=200)
    assert flag in stopped.value.remedy
