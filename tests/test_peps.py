"""Real input: 736 decisions of the Python project, loaded, synced, edited on both sides, synced again."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.world import World

PEPS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "python_peps.csv"


@pytest.mark.skipif(not PEPS.is_file(), reason="the shared sample data is not beside this checkout")
def test_736_real_decisions_become_and_stay_equal_and_a_third_run_is_silent(
    world: World, figure: Callable[[str], None]
) -> None:
    ids = {}
    with PEPS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            comment = "; ".join(f"{name}: {row[name]}" for name in ("status", "authors", "topic") if row[name])
            ids[row["ref"]] = world.insert(
                row["decision"],
                date=row["date"] or None,
                type=row["type"],
                active=row["active"] == "true",
                comment=comment or None,
            )
    assert len(ids) == 736
    first = world.sync()
    assert first.counts["copied"] == 736
    assert not first.open_problems, first.problems[:3]
    world.assert_equal()

    world.sandbox.control.advance(240)
    world.update(ids["PEP 8"], comment="Everybody's style guide")
    world.update(ids["PEP 20"], active=False)
    world.edit(world.page_of(ids["PEP 257"]), type="style", date="2001-05-30")
    world.edit(world.page_of(ids["PEP 484"]), decision="PEP 484: Types — 型")
    world.sandbox.control.person_trash(world.page_of(ids["PEP 13"]))
    world.add_page(decision="Written in Notion", comment="by a person", active=True)
    world.delete(ids["PEP 3"])
    second = world.sync()
    assert (second.counts["copied"], second.counts["merged"], second.counts["retired"]) == (1, 4, 2)
    assert not second.open_problems, second.problems
    rows = world.rows()
    assert rows[ids["PEP 257"]].type == "style"
    assert rows[ids["PEP 484"]].decision == "PEP 484: Types — 型"
    assert rows[ids["PEP 13"]].active is False
    assert ids["PEP 3"] not in rows
    world.assert_equal()

    third = world.sync()
    assert not third.wrote
    world.sandbox.control.advance(240)
    world.assert_silent()
    store = "Supabase's REST API" if world.project else "PostgreSQL"
    for report in (first, second, third):
        figure(f"736 real decisions, {store}: {report.closing_line()}")
