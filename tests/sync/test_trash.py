"""Trash and retirement, end to end: every line of SYNC.md's table, purges, moves, 404s, and databases replaced."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.world import World
from utils.errors import BusyError, SafetyError
from utils.local.notion import Fault
from utils.sync.report import Report


@pytest.fixture
def pair(world: World) -> tuple[World, str, str]:
    """A world with three synced decisions, all quiet: the one that is looked at, and its page."""
    one = world.insert("Looked at", comment="as it was")
    world.insert("Beside it")
    world.insert("Beside it, too")
    world.sync()
    world.calm()
    return world, one, world.page_of(one)


def in_bin(world: World, page: str) -> bool:
    """Whether a page lies in the bin."""
    return bool(world.sandbox.control.page(page)["in_trash"])


def ended(world: World, report: Report, **counts: int) -> None:
    """The run did this and nothing else, and both sides are equal."""
    assert {name: count for name, count in report.counts.items() if count} == counts, report.lines
    world.assert_equal()


# --- a page goes


def test_a_page_trashed_in_notion_retires_the_decision(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.sandbox.control.person_trash(page)
    ended(world, world.sync(), retired=1)
    assert world.row(one)["active"] is False
    assert world.row(one)["synced"]
    assert in_bin(world, page)


def test_the_last_edits_of_a_trashed_page_reach_its_row(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.edit(page, comment="last words")
    world.sandbox.control.person_trash(page)
    ended(world, world.sync(), retired=1)
    assert (world.rows()[one].comment, world.rows()[one].active) == ("last words", False)


def test_an_edit_of_the_row_beats_the_trash_and_what_both_edited_is_merged(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.edit(page, type="edited in Notion")
    world.sandbox.control.person_trash(page)
    world.update(one, comment="lives on")
    ended(world, world.sync(), merged=1)
    assert not in_bin(world, page)
    assert (world.rows()[one].type, world.rows()[one].comment) == ("edited in Notion", "lives on")


def test_a_trashed_page_of_a_retired_row_is_noted_and_nothing_is_written(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.update(one, active=False)
    world.sync()
    world.calm()
    world.sandbox.control.person_trash(page)
    version = world.row(one)
    ended(world, world.sync())
    assert world.row(one) == version
    assert world.link(one)["state"] == "trashed"


def test_a_row_retired_and_its_page_trashed_at_the_same_time_agree(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.update(one, active=False, comment="over")
    world.sandbox.control.person_trash(page)
    ended(world, world.sync())
    assert in_bin(world, page)
    assert world.rows()[one].comment == "over"


# --- a page in the bin


@pytest.fixture
def retired(pair: tuple[World, str, str]) -> tuple[World, str, str]:
    """The same, with the page trashed and the row retired by it."""
    world, _one, page = pair
    world.sandbox.control.person_trash(page)
    world.sync()
    world.calm()
    return pair


def test_a_row_made_active_again_takes_its_page_out_of_the_bin(retired: tuple[World, str, str]) -> None:
    world, one, page = retired
    world.update(one, active=True, comment="again")
    ended(world, world.sync(), merged=1)
    assert not in_bin(world, page)
    assert world.sandbox.control.values(page)["Active"] == "Yes"
    assert world.sandbox.control.values(page)["Comment"] == "again"


def test_other_edits_of_a_retired_row_wait_while_its_page_lies_in_the_bin(retired: tuple[World, str, str]) -> None:
    world, one, page = retired
    world.update(one, comment="edited while retired")
    ended(world, world.sync())
    assert world.sandbox.control.values(page)["Comment"] == "as it was"
    world.sandbox.control.person_restore(page)
    world.sync()
    assert world.rows()[one].active is True
    assert world.sandbox.control.values(page)["Comment"] == "edited while retired"


def test_a_page_restored_by_a_person_reactivates_the_decision(retired: tuple[World, str, str]) -> None:
    world, one, page = retired
    world.sandbox.control.person_restore(page)
    ended(world, world.sync(), merged=1)
    assert world.rows()[one].active is True


def test_a_page_restored_with_its_box_unticked_stays_retired(retired: tuple[World, str, str]) -> None:
    world, one, page = retired
    world.sandbox.control.person_restore(page)
    world.edit(page, active=False)
    ended(world, world.sync())
    assert world.rows()[one].active is False


def test_a_row_made_active_again_whose_page_was_purged_gets_a_new_page(retired: tuple[World, str, str]) -> None:
    world, one, page = retired
    world.sandbox.control.person_purge(page)
    world.sync()
    world.sandbox.control.advance(660)
    world.sync()
    assert world.link(one)["state"] == "gone"
    world.update(one, active=True)
    ended(world, world.sync(), copied=1)
    assert world.page_of(one) != page


def test_a_page_purged_from_the_bin_is_noted_once_it_is_seen_twice(retired: tuple[World, str, str]) -> None:
    world, one, page = retired
    world.sandbox.control.person_purge(page)
    first = world.sync()
    assert first.counts["flagged"] == 1
    version = world.row(one)
    world.sandbox.control.advance(660)
    ended(world, world.sync())
    assert world.row(one) == version
    assert world.link(one)["state"] == "gone"


# --- a page is gone


def test_a_live_page_that_answers_404_acts_only_when_seen_twice_ten_minutes_apart(
    pair: tuple[World, str, str],
) -> None:
    world, one, page = pair
    world.sandbox.control.person_purge(page)
    assert world.sync(full=True).counts["flagged"] == 1
    world.sandbox.control.advance(540)
    assert world.sync().counts["flagged"] == 1
    assert world.rows()[one].active is True
    world.sandbox.control.advance(120)
    ended(world, world.sync(), retired=1)
    assert world.rows()[one].active is False
    assert world.link(one)["state"] == "gone"


def test_a_page_that_is_found_again_counts_as_never_gone(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.sandbox.control.unshare(page)
    assert world.sync(full=True).counts["flagged"] == 1
    world.sandbox.control.share(page)
    world.sandbox.control.advance(660)
    ended(world, world.sync())
    assert world.link(one)["todo"] is None
    world.sandbox.control.unshare(page)
    assert world.sync(full=True).counts["flagged"] == 1
    assert world.rows()[one].active is True


def test_a_row_edited_after_its_page_was_purged_gets_a_new_page(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.sandbox.control.person_purge(page)
    world.sync(full=True)
    world.sandbox.control.advance(660)
    world.update(one, comment="edited")
    ended(world, world.sync(), copied=1)
    assert world.page_of(one) != page


def test_a_row_edited_in_the_very_run_that_first_misses_its_page_does_not_lose_it(
    pair: tuple[World, str, str],
) -> None:
    world, one, page = pair
    world.sandbox.control.unshare(page)
    world.sandbox.control.arm(
        Fault(404, method="GET", path=f"/pages/{page}", call=lambda: world.update(one, active=False))
    )
    world.sync(full=True)
    assert world.link(one)["state"] == "linked"
    assert world.link(one)["todo"]["missing_since"]
    world.sandbox.control.share(page)
    world.sync()
    assert world.sandbox.control.values(page)["Active"] == "No"


def test_a_copy_that_carries_the_id_of_a_trashed_page_takes_its_place(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    copy = world.sandbox.control.person_duplicate(page)
    world.sandbox.control.person_trash(page)
    world.edit(copy, comment="edited in the copy")
    ended(world, world.sync(), merged=1)
    assert world.page_of(one) == copy
    assert (world.rows()[one].comment, world.rows()[one].active) == ("edited in the copy", True)


def test_a_page_moved_under_another_parent_is_flagged_in_every_run_until_it_is_back(
    pair: tuple[World, str, str],
) -> None:
    world, one, page = pair
    world.sandbox.control.person_move(page)
    before = world.row(one)
    for full in (True, False, True):
        report = world.sync(full=full)
        assert report.counts["flagged"] == 1
        assert "moved out of the database" in report.problems[0]
    assert world.row(one) == before
    assert len(world.pages()) == 2
    world.sandbox.control.person_move(page, database_id=world.sandbox.database_id)
    world.sync(full=True)
    assert world.sync().problems == []


# --- a row goes


def test_a_deleted_row_trashes_its_page(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.delete(one)
    ended(world, world.sync(), retired=1)
    assert in_bin(world, page)
    assert world.link(one)["state"] == "gone"


def test_a_page_edited_after_its_row_was_deleted_brings_the_row_back_under_its_old_id(
    pair: tuple[World, str, str],
) -> None:
    world, one, page = pair
    world.delete(one)
    world.edit(page, comment="still needed")
    ended(world, world.sync(), copied=1)
    assert (world.rows()[one].comment, world.page_of(one)) == ("still needed", page)


def test_a_page_of_a_deleted_row_that_a_person_restores_brings_the_row_back(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.delete(one)
    world.sync()
    world.calm()
    world.sandbox.control.person_restore(page)
    world.edit(page, comment="back")
    ended(world, world.sync(), copied=1)
    assert world.rows()[one].comment == "back"


def test_row_and_page_both_deleted_write_nothing_and_the_pages_last_edits_go_to_the_log(
    pair: tuple[World, str, str],
) -> None:
    world, one, page = pair
    world.delete(one)
    world.edit(page, comment="last words")
    world.sandbox.control.person_trash(page)
    ended(world, world.sync())
    assert [(row["field"], row["before"]) for row in world.log(one)] == [("comment", "last words")]
    assert in_bin(world, page)


def test_a_row_inserted_again_takes_its_page_out_of_the_bin(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.delete(one)
    world.sync()
    world.calm()
    world.insert("Looked at", id=one, comment="anew")
    world.sync()
    assert not in_bin(world, page)
    assert world.page_of(one) == page
    assert world.rows()[one].comment == "anew"


def test_a_retired_row_inserted_again_leaves_its_page_in_the_bin(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.delete(one)
    world.sync()
    world.insert("Looked at", id=one, active=False)
    ended(world, world.sync())
    assert in_bin(world, page)


def test_a_retired_row_whose_page_is_gone_for_good_is_done_with_whatever_is_edited_in_it(
    pair: tuple[World, str, str],
) -> None:
    world, one, page = pair
    world.sandbox.control.person_purge(page)
    for _ in range(2):
        world.sync(full=True)
        world.sandbox.control.advance(660)
    assert world.link(one)["state"] == "gone"
    world.delete(one)
    world.sync()
    world.insert("Looked at", id=one, active=False, comment="inserted again")
    world.sync()
    for comment in ("inserted again", "edited while there is no page"):
        world.update(one, comment=comment)
        world.sync()
        assert world.row(one)["synced"]
        with closing(world.vault()) as vault:
            assert one not in {item.id for item in vault.changes()}, "every run asks for it again"
        world.assert_silent()
        before = world.everything()
        world.sync(full=True)
        assert world.everything() == before
    world.update(one, active=True)
    ended(world, world.sync(), copied=1)
    assert world.rows()[one].comment == "edited while there is no page"


# --- what can go wrong while trashing


def test_an_edit_that_a_trash_would_bury_wins_at_once(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.delete(one)
    world.sandbox.control.arm(
        Fault(method="PATCH", path=f"/pages/{page}", call=lambda: world.edit(page, comment="just now"))
    )
    world.sync()
    assert not in_bin(world, page)
    assert world.rows()[one].comment == "just now"


def test_an_incomplete_listing_retires_and_trashes_nothing_and_says_so(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    for number in range(3):
        world.insert(f"Full minute {number}", id=f"00000000-0000-0000-0000-00000000000{number}")
    world.sync()
    world.delete(one)
    world.sandbox.control.set_cap(1)
    report = world.sync(full=True)
    assert any("did not list all pages" in line for line in report.problems)
    assert not in_bin(world, page)
    assert report.counts["retired"] == 0
    world.sandbox.control.set_cap(10_000)
    assert world.sync().counts["retired"] == 1


# --- another database


def test_a_replaced_database_is_refused_until_a_resync_fills_it(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    other = world.another_database()
    before = world.everything("sync_state")
    with pytest.raises(SafetyError, match="is another than the one synced before"):
        world.sync()
    assert world.everything("sync_state") == before
    world.sync(resync=True)
    assert world.page_of(one) != page
    assert len(world.sandbox.control.pages(database_id=other)) == 3
    assert all(row.active for row in world.rows().values())


def test_a_resync_that_was_cut_short_has_to_be_run_again(pair: tuple[World, str, str]) -> None:
    world, one, _ = pair
    world.another_database()
    world.sandbox.control.arm(Fault(method="POST", path="/pages$", after=True, call=world.steal_lease))
    with pytest.raises(BusyError):
        world.sync(resync=True)
    with pytest.raises(SafetyError, match="--resync"):
        world.sync()
    world.sync(resync=True)
    assert len(world.pages()) == 3
    assert world.rows()[one].active is True


def test_resync_removes_nothing_and_makes_what_is_missing(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    rows = list(world.rows())
    two, three = (each for each in rows if each != one)
    world.sandbox.control.person_trash(page)
    world.delete(two)
    world.update(three, active=False)
    world.sync()
    world.sandbox.control.person_trash(world.page_of(three))
    world.insert("New row")
    world.add_page(decision="New page", active=True)
    world.update(one, active=True)
    report = world.sync(resync=True)
    assert report.counts["retired"] == 0
    assert not in_bin(world, page)
    assert in_bin(world, world.page_of(three))
    assert len(world.rows()) == 4
