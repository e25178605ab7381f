"""Conflicts, end to end: who wins, what the ledger keeps, and what is held until somebody decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.world import World
from utils.errors import ConfigError
from utils.sync.model import Side
from utils.sync.session import Resolution


@pytest.fixture
def pair(world: World) -> tuple[World, str]:
    """A world with one synced decision that lies some minutes back on both sides."""
    one = world.insert("Contested", date="2026-01-05", type="ops", comment="base")
    world.insert("Beside it")
    world.sync()
    world.calm()
    return world, one


def differ(world: World, one: str, *, page_first: bool = False) -> None:
    """Both sides edit the comment, two minutes apart, and the page a field that nobody contests."""
    now = world.sandbox.control.now()
    world.edit(world.page_of(one), comment="theirs", type="edited in Notion")
    world.update(one, comment="ours")
    world.update(one, updated_at=now + timedelta(minutes=2 if page_first else -2))
    world.sandbox.control.advance(300)


@pytest.mark.parametrize(
    ("prefer", "page_first", "wins"),
    [
        (None, False, "theirs"),
        (None, True, "ours"),
        ("newest", False, "theirs"),
        ("supabase", False, "ours"),
        ("notion", True, "theirs"),
    ],
)
def test_a_conflict_is_decided_and_the_loser_is_in_the_ledger(
    pair: tuple[World, str], prefer: str | None, page_first: bool, wins: str
) -> None:
    world, one = pair
    differ(world, one, page_first=page_first)
    report = world.sync(prefer=prefer)
    assert (report.counts["merged"], report.problems) == (1, [])
    assert (world.rows()[one].comment, world.rows()[one].type) == (wins, "edited in Notion")
    (loss,) = world.log(one)
    loses = {"ours": "theirs", "theirs": "ours"}[wins]
    assert (loss["field"], loss["before"], loss["after"], loss["base"]) == ("comment", loses, wins, "base")
    assert loss["winner"] == {"ours": "supabase", "theirs": "notion"}[wins]
    assert str(loss["page_id"]) == world.page_of(one)
    assert loss["reason"].startswith("conflict: ")


def test_a_tie_within_notions_minute_counts_for_supabase(pair: tuple[World, str]) -> None:
    world, one = pair
    minute = world.sandbox.control.now().replace(second=0, microsecond=0)
    world.sandbox.control.set_clock(fixed=minute + timedelta(seconds=59))
    world.edit(world.page_of(one), comment="theirs")
    world.update(one, comment="ours")
    world.update(one, updated_at=minute + timedelta(seconds=10))
    world.sandbox.control.advance(300)
    world.sync()
    assert world.rows()[one].comment == "ours"
    assert "not before" in world.log(one)[0]["reason"]


def test_a_page_stamp_in_the_future_counts_for_supabase(pair: tuple[World, str]) -> None:
    world, one = pair
    world.update(one, comment="ours")
    world.sandbox.control.advance(48 * 3600)
    world.edit(world.page_of(one), comment="theirs")
    world.sandbox.control.advance(-48 * 3600)
    world.sync()
    assert world.rows()[one].comment == "ours"
    assert "future" in world.log(one)[0]["reason"]


@pytest.fixture
def held(pair: tuple[World, str]) -> tuple[World, str]:
    """The comment and the date are held; the type went on."""
    world, one = pair
    world.update(one, date="2026-02-02")
    world.edit(world.page_of(one), date="2026-03-03")
    differ(world, one)
    report = world.sync(prefer="hold")
    assert (report.counts["held"], report.open_problems) == (2, True)
    return pair


def comments(world: World, one: str) -> tuple[str | None, str]:
    """The comment in the vault and in Notion."""
    return world.rows()[one].comment, world.sandbox.control.values(world.page_of(one))["Comment"]


def test_a_hold_leaves_the_field_on_both_sides_and_goes_on_with_the_rest(held: tuple[World, str]) -> None:
    world, one = held
    assert comments(world, one) == ("ours", "theirs")
    assert world.rows()[one].type == "edited in Notion"
    assert world.log(one) == []
    assert not world.row(one)["synced"]


def test_a_hold_is_sticky_and_told_by_every_run_which_writes_nothing(held: tuple[World, str]) -> None:
    world, one = held
    world.calm()
    before = world.everything()
    report = world.sync()
    assert [line.partition(": Supabase has")[0].rpartition(" ")[0] for line in report.problems] == [
        f"{one} 'Contested': date is",
        f"{one} 'Contested': comment is",
    ]
    assert (report.counts["held"], report.wrote) == (2, False)
    assert world.everything() == before
    world.update(one, comment="ours, edited again", decision="Goes on")
    assert world.sync(prefer="newest").counts["held"] == 2
    assert comments(world, one) == ("ours, edited again", "theirs")
    assert world.sandbox.control.values(world.page_of(one))["Decision"] == "Goes on"


def test_equality_closes_a_hold(held: tuple[World, str]) -> None:
    world, one = held
    world.edit(world.page_of(one), comment="ours", date="2026-02-02")
    report = world.sync()
    assert (report.problems, world.log(one)) == ([], [])
    assert world.row(one)["synced"]


@pytest.mark.parametrize(("prefer", "wins"), [("supabase", "ours"), ("notion", "theirs")])
def test_an_explicit_preference_opens_every_hold(held: tuple[World, str], prefer: str, wins: str) -> None:
    world, one = held
    report = world.sync(prefer=prefer)
    assert (report.problems, len(world.log(one))) == ([], 2)
    assert world.rows()[one].comment == wins


def test_resolve_settles_one_field_and_the_other_stays_held(held: tuple[World, str]) -> None:
    world, one = held
    report = world.resolve(Resolution(one, Side.NOTION, frozenset({"comment"})))
    assert (report.counts["merged"], report.counts["held"]) == (1, 1)
    assert comments(world, one) == ("theirs", "theirs")
    assert (world.rows()[one].date, world.log(one)[0]["winner"]) == ("2026-02-02", "notion")
    assert world.sync().counts["held"] == 1


@pytest.mark.parametrize(("side", "wins"), [(Side.VAULT, "ours"), (Side.NOTION, "theirs")])
def test_resolve_settles_all_held_fields_of_a_decision(held: tuple[World, str], side: Side, wins: str) -> None:
    world, one = held
    report = world.resolve(Resolution(one, side))
    assert (report.counts["merged"], report.problems) == (1, [])
    assert comments(world, one) == (wins, wins)
    assert len(world.log(one)) == 2
    assert world.row(one)["synced"]


@pytest.mark.parametrize(
    ("known", "said"),
    [(False, "there is no synced decision"), (True, "nothing of .* is held")],
    ids=["unknown", "not held"],
)
def test_resolve_says_what_cannot_be_resolved_and_gives_the_lease_back(
    pair: tuple[World, str], known: bool, said: str
) -> None:
    world, one = pair
    wanted = one if known else "00000000-0000-0000-0000-000000000000"
    with pytest.raises(ConfigError, match=said):
        world.resolve(Resolution(wanted, Side.VAULT))


def test_a_trashed_page_of_a_held_decision_comes_back_since_the_rows_edit_has_not_reached_it(
    held: tuple[World, str],
) -> None:
    world, one = held
    world.sandbox.control.person_trash(world.page_of(one))
    report = world.sync()
    assert not world.sandbox.control.page(world.page_of(one))["in_trash"]
    assert (world.rows()[one].active, report.counts["held"]) == (True, 2)
    assert comments(world, one) == ("ours", "theirs")
