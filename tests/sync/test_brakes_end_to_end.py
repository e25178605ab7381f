"""What stops a run, and what is named row by row while the others go on: numbers, one line each, nothing blanked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.world import World
from utils.errors import REFUSED, SafetyError
from utils.sync.report import Report


def refused(world: World, said: str, **options: object) -> None:
    """The run is refused with these words; nothing was written and no mark moved; a dry run says the same."""
    before = world.everything("sync_state")
    for dry_run in (False, True):
        with pytest.raises(SafetyError, match=said) as caught:
            world.sync(dry_run=dry_run, **options)
        assert caught.value.exit_code == REFUSED
    assert world.everything("sync_state") == before


@pytest.fixture
def five(world: World) -> tuple[World, list[str]]:
    """Five synced decisions."""
    ids = [world.insert(f"Decision {number}") for number in range(5)]
    world.sync()
    return world, ids


def test_retiring_more_than_half_is_refused_until_it_is_allowed(five: tuple[World, list[str]]) -> None:
    world, ids = five
    for one in ids[:3]:
        world.sandbox.control.person_trash(world.page_of(one))
    refused(world, r"refused to retire or trash 3 of 5 decisions in Supabase \(over 50 %\)")
    refused(world, r"over 59 %", max_delete_percent=59)
    assert world.sync(max_delete_percent=60).counts["retired"] == 3


def test_trashing_more_than_half_is_refused_and_a_vault_that_lost_its_rows_harms_no_page(
    five: tuple[World, list[str]],
) -> None:
    world, _ = five
    world.db.execute("delete from decision_vault")
    refused(world, "refused to retire or trash 5 of 5 decisions in Notion")
    assert len(world.pages()) == 5
    assert world.sync(allow_mass_change=True).counts["retired"] == 5
    assert world.pages() == []


def test_two_of_three_may_go_without_asking(world: World) -> None:
    ids = [world.insert(f"Decision {number}") for number in range(3)]
    world.sync()
    for one in ids[:2]:
        world.delete(one)
    assert world.sync().counts["retired"] == 2


def test_doubling_what_is_there_is_refused(world: World) -> None:
    ids = [world.insert(f"Decision {number}", date="2026-01-01") for number in range(11)]
    world.sync()
    for one in ids:
        world.sandbox.control.person_duplicate(world.page_of(one))
    refused(world, "refused to make 11 decisions in Supabase that equal ones it already has")
    assert world.sync(allow_mass_change=True).counts["copied"] == 11


def test_after_a_refusal_the_next_run_still_sees_every_edit(five: tuple[World, list[str]]) -> None:
    world, ids = five
    world.calm()
    world.edit(world.page_of(ids[4]), comment="edited in Notion")
    for one in ids[:3]:
        world.delete(one)
    refused(world, "in Notion")
    world.sandbox.control.advance(3600)
    assert world.sync(max_delete_percent=100).counts == {"retired": 3, "merged": 1}
    assert world.rows()[ids[4]].comment == "edited in Notion"


# --- one row or page that cannot be taken


def bad_rows(world: World) -> list[str]:
    """Rows that Notion cannot hold in full."""
    world.insert("x" * 200_001, comment="title over the limit")
    world.insert("Comment over the limit", comment="y" * 200_001)
    world.insert("Control", comment="bell \x07")
    world.insert("Comma", type="one, two")
    world.db.execute(
        "insert into decision_vault (decision, date) values ('Early', '0044-03-15 BC'), ('Late', 'infinity')"
    )
    return ["200,001 UTF-16 units", "200,001 UTF-16 units", "U+0007", "holds a comma", "no date", "no date"]


def bad_pages(world: World) -> list[str]:
    """Pages that the vault cannot hold in full."""
    world.add_page(decision="", comment="untitled", active=True)
    world.add_page(decision="Long type", type="t" * 51, active=True)
    return ["is empty: give the page a title", "is 51 characters long"]


@pytest.mark.parametrize("spoil", [bad_rows, bad_pages])
def test_what_a_side_cannot_hold_is_named_in_every_run_and_all_else_goes_on(
    world: World, spoil: Callable[[World], list[str]]
) -> None:
    world.furnish()
    expected = spoil(world)
    good = world.insert("A good one", comment="goes on")
    first = world.sync()
    named(first, expected)
    assert world.row(good)["synced"]
    world.calm()
    before = world.everything("sync_state")
    again = world.sync()
    assert sorted(again.problems) == sorted(first.problems)
    assert not again.wrote
    assert world.everything("sync_state") == before
    every = world.sync(full=True)
    assert sorted(every.problems) == sorted(first.problems)
    assert {name: value for name, value in world.everything().items() if name != "sync_state"} == {
        name: value for name, value in before.items() if name != "sync_state"
    }


def named(report: Report, expected: list[str]) -> None:
    """There is one line for each, and nothing else failed."""
    assert (len(report.problems), report.counts["flagged"]) == (len(expected), len(expected)), report.problems
    for word in set(expected):
        assert sum(word in line for line in report.problems) == expected.count(word)
    assert all("\n" not in line and len(line) < 300 for line in report.problems)


def test_the_other_fields_of_a_decision_go_on_and_nothing_is_blanked(world: World) -> None:
    one = world.insert("Half fit", type="fine", date="2026-01-01")
    world.sync()
    world.update(one, type="one, two", comment="goes on")
    assert world.sync().counts["flagged"] == 1
    values = world.sandbox.control.values(world.page_of(one))
    assert (values["Type"], values["Comment"]) == ("fine", "goes on")
    world.edit(world.page_of(one), date="2026-02-02")
    assert world.sync().counts["flagged"] == 1
    assert (world.rows()[one].type, world.rows()[one].date) == ("one, two", "2026-02-02")
    world.update(one, type="one and two")
    assert world.sync().problems == []


def test_a_page_whose_title_is_removed_keeps_the_decision_and_its_other_edits_go_on(world: World) -> None:
    one = world.insert("Has a title")
    world.sync()
    world.edit(world.page_of(one), decision="", comment="goes on")
    report = world.sync()
    assert report.counts["flagged"] == 1
    assert (world.rows()[one].decision, world.rows()[one].comment) == ("Has a title", "goes on")
    world.edit(world.page_of(one), decision="Has one again")
    assert world.sync().problems == []


@pytest.mark.parametrize(
    ("date", "day"),
    [
        (None, None),
        ({"start": "2026-03-01T23:30:00.000-08:00"}, "2026-03-01"),
        ({"start": "2026-03-01", "end": "2026-03-05"}, "2026-03-01"),
        ({"start": "2026-03-01T09:00:00", "time_zone": "Europe/Berlin"}, "2026-03-01"),
    ],
    ids=["null", "time and offset", "range", "time and zone"],
)
def test_dates_compare_by_their_calendar_day(world: World, date: dict[str, str] | None, day: str | None) -> None:
    one = world.insert("Dated", date="2026-01-01")
    none = world.insert("Undated", date=None)
    world.sync()
    world.edit(world.page_of(one), date=date)
    shown = world.sandbox.control.page(world.page_of(one))["properties"]["Date"]
    assert world.sync().problems == []
    assert (world.rows()[one].date, world.rows()[none].date) == (day, None)
    world.update(one, comment="another field")
    world.sync()
    assert world.sandbox.control.page(world.page_of(one))["properties"]["Date"] == shown


def test_a_long_text_with_every_kind_of_character_arrives_whole(world: World) -> None:
    text = "".join(["grün 🐘 \t\n", "𝕏" * 1999, "é" * 70_000, "漢" * 30_000])
    one = world.insert("Long", comment=text)
    world.sync()
    assert next(page.content.comment for page in world.pages() if page.decision_id == one) == text


def test_a_comment_too_large_for_one_request_follows_its_title_and_counts_once(world: World) -> None:
    one = world.insert("漢" * 60_000, comment="字" * 90_000)
    report = world.sync()
    assert (report.counts["copied"], report.counts["merged"], report.problems) == (1, 0, [])
    world.assert_equal()
    world.update(one, decision="鳥" * 60_000, comment="魚" * 90_000)
    assert world.sync().counts["merged"] == 1
