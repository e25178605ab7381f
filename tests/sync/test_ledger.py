"""What the vault remembers: the history of a decision, why it is as it is, and a run put back, with both stores."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.world import World
from utils.errors import BusyError, ConfigError
from utils.local.notion import Fault
from utils.stores.base import Vault
from utils.sync import explain as explanation
from utils.sync import lease
from utils.sync import undo as undoing
from utils.sync.explain import Told
from utils.sync.model import Side
from utils.sync.session import Resolution
from utils.sync.undo import Undone

POSTGRES = pytest.mark.parametrize("world", ["postgres"], indirect=True)
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?")


def history(world: World, decision_id: str) -> Told:
    """What --history says."""
    with closing(world.vault()) as vault:
        return explanation.history(vault, decision_id)


def explain(world: World, decision_id: str) -> list[str]:
    """What --explain says, without times."""
    with closing(world.vault()) as vault:
        return [STAMP.sub("TIME", line) for line in explanation.explain(vault, decision_id, datetime.now(UTC)).lines]


def undo(world: World, of: str, run: str = "back", *, dry_run: bool = False) -> Undone:
    """What --undo does."""
    with closing(world.vault()) as vault:
        return undoing.undo(vault, run, of, dry_run=dry_run)


def said(told: Told) -> list[str]:
    """The lines of a history, without the times and with single blanks."""
    return [" ".join(line[21:].split()) for line in told.lines]


def activity(world: World, run: str) -> Mapping[str, Any] | None:
    """The activity row of a run."""
    found: Mapping[str, Any] | None = world.db.execute(
        "select status, details from agent_activity where details ->> 'run' = %s", (run,)
    ).fetchone()
    return found


@pytest.fixture
def pair(world: World) -> tuple[World, str, str]:
    """A world with a synced decision beside others, all quiet since run2; its page."""
    world.furnish()
    one = world.insert("Looked at", comment="base", type="first", date="2026-01-02")
    world.insert("Beside it")
    world.insert("Beside it, too")
    world.sync()
    world.calm()
    return world, one, world.page_of(one)


# --- history


def test_history_is_every_content_and_every_loss_in_order_with_who_did_it(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.update(one, comment="ours")
    world.edit(page, comment="theirs", type="second")
    run = world.sync(prefer="notion").run
    world.update(one, decision="Looked at again", comment=None)
    told = history(world, one)
    assert said(told) == [
        "somebody else made with decision: 'Looked at'; date: '2026-01-02'; type: 'first'; active: True; "
        "comment: 'base'",
        "somebody else comment: 'base' -> 'ours'",
        f"run {run} type: 'first' -> 'second'; comment: 'ours' -> 'theirs'",
        f"run {run} lost comment: Notion's 'theirs' won over Supabase's 'ours', both had 'base': "
        "conflict: --prefer notion",
        "somebody else decision: 'Looked at' -> 'Looked at again'; comment: 'theirs' -> (empty)",
    ]
    assert told.closing.startswith(f"4 changes and 1 lost values of {one}, newest last")
    document = json.loads(json.dumps(told.json))
    assert [each["kind"] for each in document["events"]] == ["made", "changed", "changed", "lost", "changed"]
    assert document["events"][3]["before"] == "ours"
    assert document["events"][2]["fields"]["comment"] == {"from": "ours", "to": "theirs"}
    assert document["row"]["decision"] == "Looked at again"


def test_history_outlives_its_row_and_knows_it_when_it_comes_back(world: World) -> None:
    one = world.insert("Gone")
    world.delete(one)
    assert said(history(world, one))[-1].startswith("somebody else deleted with decision: 'Gone'")
    world.insert("Back", id=one)
    lines = said(history(world, one))
    assert [line.split(" with ")[0] for line in lines] == [
        "somebody else made",
        "somebody else deleted",
        "somebody else made",
    ]
    assert "'Back'" in lines[-1]


def test_a_row_from_notion_is_known_to_be_of_its_run_until_it_is_deleted(world: World) -> None:
    world.furnish()
    page = world.add_page(decision="From Notion", active=True)
    run = world.sync().run
    one = world.sandbox.control.values(page)["Decision ID"]
    world.calm()
    assert said(history(world, one))[0].startswith(f"run {run} made with decision: 'From Notion'")
    world.update(one, comment="x")
    assert said(history(world, one))[0].startswith(f"run {run} made")
    world.delete(one)
    world.sync()
    world.insert("By hand", id=one)
    world.sync()
    assert said(history(world, one))[-1].startswith("somebody else made with decision: 'By hand'")


def test_a_long_history_of_large_texts_is_read_whole(world: World) -> None:
    one = world.insert("Long", comment="start")
    for number in range(12):
        world.update(one, comment="x" * 150_000 + f" {number}")
    lines = said(history(world, one))
    assert len(lines) == 13
    assert lines[-1] == "somebody else comment: '…xxxxxxxxxx 10' -> '…xxxxxxxxxx 11'"


@POSTGRES
def test_many_events_come_in_pages_and_none_twice(world: World) -> None:
    one = world.insert("Busy")
    world.db.execute("do $$ begin for n in 1..1203 loop update decision_vault set comment = n::text; end loop; end $$")
    told = history(world, one)
    assert len(told.lines) == 1204
    assert said(told)[1:3] == ["somebody else comment: (empty) -> '1'", "somebody else comment: '1' -> '2'"]
    assert said(told)[-1].endswith("'1202' -> '1203'")


@POSTGRES
@pytest.mark.parametrize("ask", [history, explain], ids=["--history", "--explain"])
def test_an_id_that_never_was_is_refused(world: World, ask: Callable[[World, str], Any]) -> None:
    with pytest.raises(ConfigError, match=r"there is no decision .* and never was"):
        ask(world, str(uuid.uuid4()))


# --- explanation


def test_explain_tells_the_verdict_of_a_conflict_and_the_fields_that_went_each_way(
    pair: tuple[World, str, str],
) -> None:
    world, one, page = pair
    world.update(one, comment="ours", date="2026-03-04")
    world.edit(page, comment="theirs", type="second")
    run = world.sync(prefer="supabase").run
    assert explain(world, one) == [
        f"row: 'Looked at', active, synced, changed TIME by run {run}",
        f"page: {page}, live, as run {run} left it TIME",
        f"run {run}, TIME, touched it last:",
        "  comment: Supabase's 'ours' won over Notion's 'theirs', both had 'base': conflict: --prefer supabase",
        "  type: 'first' -> 'second', as only Notion had changed it",
        "  date: '2026-01-02' -> '2026-03-04', edited in Supabase TIME, is Notion's too now",
        f"next run: nothing, unless the page changed: both sides equal their images since run {run}",
    ]


def _nothing(world: World, one: str, page: str) -> None:
    """Nobody does anything."""


def _carry(world: World, one: str, page: str) -> None:
    world.update(one, comment="x")
    world.sync()


def _later(world: World, one: str, page: str) -> None:
    world.update(one, comment="x")
    world.sync()
    world.update(next(each for each in world.rows() if each != one), comment="y")
    world.sync()


def _edit(world: World, one: str, page: str) -> None:
    world.update(one, comment="x")


def _trash(world: World, one: str, page: str) -> None:
    world.sandbox.control.person_trash(page)
    world.sync()


def _untick(world: World, one: str, page: str) -> None:
    world.edit(page, active=False)
    world.sync()


def _restore(world: World, one: str, page: str) -> None:
    _trash(world, one, page)
    world.sandbox.control.person_restore(page)
    world.sync()


def _delete(world: World, one: str, page: str) -> None:
    world.delete(one)
    world.sync()


def _hold(world: World, one: str, page: str) -> None:
    world.update(one, comment="ours")
    world.edit(page, comment="theirs")
    world.sync(prefer="hold")


def _refuse(world: World, one: str, page: str) -> None:
    world.update(one, type="a, b")
    world.sync()


def _lose(world: World, one: str, page: str) -> None:
    world.sandbox.control.person_purge(page)
    world.sync(full=True)


def _fail(world: World, one: str, page: str) -> None:
    world.update(one, comment="x")
    world.sandbox.control.arm(Fault(path=f"/v1/pages/{page}", method="PATCH", status=400, count=1))
    world.sync()


EXPLAINED: Mapping[str, tuple[Callable[[World, str, str], None], list[str]]] = {
    "nothing happened": (
        _nothing,
        [
            "never changed since it was made",
            "  no value was overwritten or lost: the pair was made, linked or checked",
            "next run: nothing, unless the page changed: both sides equal their images since run run1",
        ],
    ),
    "an edit was carried": (_carry, ["  comment: 'base' -> 'x', edited in Supabase TIME, is Notion's too now"]),
    "a later run did other things": (
        _later,
        ["run run3, TIME, touched it last:", "run run4, TIME, wrote elsewhere and left this as it was"],
    ),
    "an edit waits": (
        _edit,
        ["not synced", "comment: 'base' -> 'x' in Supabase since both sides agreed", "next run: merge: Looked at ["],
    ),
    "trashed": (
        _trash,
        ["retired, synced", "in the bin", "  active: True -> False, as its page was trashed in Notion"],
    ),
    "unticked": (_untick, ["retired, synced", "live", "active: True -> False, as its box was unticked in Notion"]),
    "restored": (_restore, ["active, synced", "  active: False -> True, as its page was restored or its box ticked"]),
    "deleted": (
        _delete,
        [
            "row: none, deleted TIME",
            "gone",
            "unless the page is restored from the bin",
            "  its row was deleted in Supabase, so its page went to the bin",
        ],
    ),
    "held": (
        _hold,
        [
            "comment is held: both sides changed it from 'base', Supabase has 'ours'; see --conflicts",
            "  comment: left as it is on each side, being held",
            "next run: reads the page again",
        ],
    ),
    "a value that Notion cannot hold": (
        _refuse,
        [
            "type: Notion does not take it: holds a comma, which no option in Notion can; not tried again until",
            "next run: nothing, until what was refused, or the page, changes",
        ],
    ),
    "not found": (_lose, ["its page was not found TIME; it counts as deleted when", "next run: reads the page again"]),
    "refused by Notion": (_fail, ["refused: Notion does not take it: "]),
}


@POSTGRES
@pytest.mark.parametrize(("happens", "told"), EXPLAINED.values(), ids=EXPLAINED)
def test_explain_tells_what_is_known_and_why(
    pair: tuple[World, str, str], happens: Callable[[World, str, str], None], told: list[str]
) -> None:
    happens(*pair)
    lines = "\n".join(explain(pair[0], pair[1]))
    assert not [each for each in told if each not in lines], lines


@POSTGRES
def test_explain_of_a_row_that_no_run_has_seen(world: World) -> None:
    one = world.insert("New")
    assert explain(world, one) == [
        "row: 'New', active, not synced, never changed since it was made",
        "page: none is linked",
        "no run has touched it yet",
        f"next run: copy to Notion: New [{one}]",
    ]


def test_explaining_and_telling_the_history_write_nothing(pair: tuple[World, str, str]) -> None:
    world, one, _ = pair
    before, asked = world.everything("leases", "sync_state"), world.sandbox.control.request_count()
    explain(world, one)
    history(world, one)
    assert undo(world, "run1", dry_run=True).lines == []
    assert world.everything("leases", "sync_state") == before
    assert world.sandbox.control.request_count() == asked


# --- undo


def test_undo_puts_back_what_a_run_overwrote_and_notion_follows(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    other = next(row_id for row_id in world.rows() if row_id != one)
    world.update(one, comment="ours")
    world.edit(page, comment="theirs", type="second")
    world.sandbox.control.person_trash(world.page_of(other))
    run = world.sync(prefer="notion").run
    rehearsed = undo(world, run, dry_run=True)
    done = undo(world, run)
    assert sorted(done.lines) == sorted(rehearsed.lines)
    assert f"put back: 'Looked at' [{one}] (type: 'second' -> 'first'; comment: 'theirs' -> 'ours')" in done.lines
    assert done.closing_line() == (
        f"undo of run {run}: 2 put back, 0 skipped, 0 inserted rows left; recorded as run back; "
        "Notion follows with the next sync"
    )
    assert (world.rows()[one].type, world.rows()[one].comment) == ("first", "ours")
    assert world.row(other)["active"] is True
    assert not world.row(one)["synced"], "Notion is not there yet"
    world.sync()
    world.assert_equal()
    assert world.sandbox.control.values(page)["Comment"] == "ours"
    assert not world.sandbox.control.page(world.page_of(other))["in_trash"]
    assert world.row(one)["synced"]


def test_an_undo_is_recorded_and_can_be_undone(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.edit(page, comment="theirs")
    run = world.sync().run
    undo(world, run, "back")
    found = activity(world, "back")
    assert found
    assert (found["status"], found["details"]["undo"], found["details"]["put_back"]) == ("completed", run, 1)
    assert said(history(world, one))[-1] == f"run back undo of {run}: comment: 'theirs' -> 'base'"
    assert f"  comment: 'theirs' -> 'base', put back: undo of run {run}" in explain(world, one)
    world.sync()
    assert f"  comment: 'theirs' -> 'base', put back by the undo of {run} TIME, is Notion's too now" in explain(
        world, one
    )
    undo(world, "back", "forth")
    assert world.rows()[one].comment == "theirs"
    world.sync()


def test_what_lost_in_notion_is_put_into_the_vault(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.update(one, comment="ours")
    world.edit(page, comment="theirs")
    run = world.sync(prefer="supabase").run
    assert len(undo(world, run).put) == 1
    world.sync()
    assert (world.rows()[one].comment, world.sandbox.control.values(page)["Comment"]) == ("theirs", "theirs")


def test_what_was_changed_since_is_named_and_left(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.edit(page, comment="theirs", type="second")
    run = world.sync().run
    world.update(one, comment="newer")
    done = undo(world, run)
    assert done.problems == [f"{one} 'Looked at': comment was changed since, from 'theirs' -> 'newer'"]
    assert (world.rows()[one].type, world.rows()[one].comment) == ("first", "newer")
    assert undo(world, run, "again").put == []
    assert activity(world, "again") is None, "it wrote nothing"


@POSTGRES
def test_what_is_back_already_is_no_problem(pair: tuple[World, str, str]) -> None:
    world, _, page = pair
    world.edit(page, comment="theirs")
    run = world.sync().run
    undo(world, run)
    again = undo(world, run, "again")
    assert (again.put, again.problems) == ([], [])
    assert again.closing_line() == f"undo of run {run}: 0 put back, 0 skipped, 0 inserted rows left"


def test_rows_that_the_run_inserted_are_left_and_named(world: World) -> None:
    world.furnish()
    page = world.add_page(decision="From Notion", active=True)
    run = world.sync().run
    one = world.sandbox.control.values(page)["Decision ID"]
    done = undo(world, run)
    assert done.lines == [f"left: 'From Notion' [{one}] (inserted by that run; set active to false to retire it)"]
    assert not done.open_problems


@POSTGRES
def test_a_row_that_is_gone_is_named(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.edit(page, comment="theirs")
    run = world.sync().run
    world.delete(one)
    done = undo(world, run)
    assert done.problems == [f"{one}: the row is not there any more; --history {one} shows what it had"]


@POSTGRES
def test_formatting_that_only_notion_held_is_named(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    bold = [{"text": {"content": "theirs"}, "annotations": {"bold": True}}]
    world.sandbox.control.person_edit(page, {"Comment": {"rich_text": bold}})
    world.sync()
    world.update(one, comment="ours")
    run = world.sync().run
    lines = explain(world, one)
    assert (
        "  comment: Notion's formatting of 'theirs' was overwritten, only Notion held this; "
        "--history ID --json has it whole"
    ) in lines
    assert "  comment: 'theirs' -> 'ours', edited in Supabase TIME, is Notion's too now" in lines
    done = undo(world, run)
    assert done.problems == [f"{one} 'Looked at': comment: only Notion can hold what it had: see --history {one}"]
    assert done.put == []


@POSTGRES
def test_a_run_that_wrote_a_row_twice_is_put_back_to_what_was_before_it(pair: tuple[World, str, str]) -> None:
    world, one, _ = pair
    for text in ("first", "second"):
        _as_run(world, "twice", one, comment=text)
    undo(world, "twice")
    assert world.rows()[one].comment == "base"


@POSTGRES
def test_of_an_edit_between_two_writes_of_a_run_the_edit_comes_back(pair: tuple[World, str, str]) -> None:
    world, one, _ = pair
    _as_run(world, "twice", one, comment="first")
    world.update(one, comment="by a person")
    _as_run(world, "twice", one, comment="second")
    undo(world, "twice")
    assert world.rows()[one].comment == "by a person"


def _as_run(world: World, run: str, one: str, **columns: Any) -> None:
    world.db.execute("select set_config('angles.run', %s, false)", (run,))
    world.update(one, **columns)
    world.db.execute("select set_config('angles.run', '', false)")


@POSTGRES
def test_a_row_that_is_edited_while_the_undo_runs_keeps_the_edit(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.edit(page, comment="theirs", type="second")
    run = world.sync().run

    with closing(world.vault()) as vault:
        vault.transport = _Meddler(vault, lambda: world.update(one, comment="meanwhile"))
        done = undoing.undo(vault, "back", run, dry_run=False)
    assert done.problems == [f"{one} 'Looked at': comment was changed since, from 'theirs' -> 'meanwhile'"]
    assert (world.rows()[one].type, world.rows()[one].comment) == ("first", "meanwhile")


class _Meddler:
    """A transport before whose first write somebody edits."""

    def __init__(self, vault: Vault, edit: Callable[[], None]) -> None:
        self.inner, self.edits = vault.transport, iter([edit])

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        """Carries a call."""
        if function == "sync_write":
            for edit in self.edits:
                edit()
        return self.inner.call(function, payload)

    def read(self, table: str, after: str | None, limit: int) -> list[dict[str, Any]]:
        """Reads rows."""
        return self.inner.read(table, after, limit)

    def close(self) -> None:
        """Lets go."""
        self.inner.close()


@POSTGRES
def test_a_decision_settled_by_resolve_is_put_back_like_any_other(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    _hold(world, one, page)
    run = world.resolve(Resolution(one, Side.NOTION)).run
    assert world.rows()[one].comment == "theirs"
    undo(world, run)
    assert world.rows()[one].comment == "ours"


@POSTGRES
def test_a_retired_row_whose_page_was_purged_gets_a_page_again(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.sandbox.control.person_trash(page)
    run = world.sync().run
    world.sandbox.control.person_purge(page)
    undo(world, run)
    world.sync()
    world.sandbox.control.advance(700)
    world.sync()
    assert world.rows()[one].active


def test_an_unknown_run_is_refused_and_the_last_ones_are_listed(pair: tuple[World, str, str]) -> None:
    world, _, _ = pair
    with pytest.raises(ConfigError, match=r"run 'nope' is not known\. These are the last ones that wrote") as caught:
        undo(world, "nope")
    lines = [STAMP.sub("TIME", line) for line in caught.value.lines[1:]]
    assert lines == ["  run1  TIME  3 copied, 0 merged, 0 retired"]


@POSTGRES
def test_an_undo_waits_for_no_other_run(pair: tuple[World, str, str]) -> None:
    world, one, page = pair
    world.edit(page, comment="theirs")
    run = world.sync().run
    with closing(world.vault()) as vault:
        begun = vault.begin({**lease.holder("other"), "pid": 1, "boot_id": "elsewhere"})
        with pytest.raises(BusyError, match=r"run other on .* is at it"):
            undo(world, run)
        vault.release(lease.NAME, begun.fence or 0)
    assert world.rows()[one].comment == "theirs"
    assert undo(world, run).put


@POSTGRES
def test_the_lease_of_a_dead_process_is_taken_over_and_given_back(pair: tuple[World, str, str]) -> None:
    world, _, page = pair
    world.edit(page, comment="theirs")
    run = world.sync().run
    with closing(world.vault()) as vault:
        vault.begin({**lease.holder("dead"), "started": "long ago"})
    assert undo(world, run).put
    assert world.sync().run


@POSTGRES
def test_an_undo_of_a_killed_run_needs_no_activity_row(pair: tuple[World, str, str]) -> None:
    world, one, _ = pair
    _as_run(world, "killed", one, comment="half")
    assert undo(world, "killed").put
    assert world.rows()[one].comment == "base"


@POSTGRES
def test_a_large_run_is_put_back_in_batches(world: World) -> None:
    world.watch.excuse(1, "1,203 pages would be made, which nobody looks at")
    world.db.execute("insert into decision_vault (decision) select 'row ' || n from generate_series(1, 1203) n")
    world.db.execute("select set_config('angles.run', 'large', false)")
    world.db.execute("update decision_vault set comment = 'x'")
    world.db.execute("select set_config('angles.run', '', false)")
    done = undo(world, "large")
    assert (len(done.put), done.problems) == (1203, [])
    assert {row.comment for row in world.rows().values()} == {None}


WRITES = st.lists(st.tuples(st.booleans(), st.sampled_from(["comment", "type"])), max_size=8)


@POSTGRES
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=WRITES)
def test_whoever_wrote_and_when_an_undo_takes_back_the_runs_last_word_and_its_own_undo_restores_all(
    world: World, writes: list[tuple[bool, str]]
) -> None:
    one, run = world.insert("Written by two", comment="-", type="-"), uuid.uuid4().hex
    said_by: dict[str, list[tuple[bool, str]]] = {name: [(False, "-")] for name in ("comment", "type")}
    for number, (ours, name) in enumerate([*writes, (True, "type")]):
        _as_run(world, run if ours else "", one, **{name: str(number)})
        said_by[name].append((ours, str(number)))
    before = world.rows()[one]
    expected = dict(before.image())
    for name, words in said_by.items():
        if words[-1][0]:
            expected[name] = next(value for ours, value in reversed(words) if not ours)
    done = undo(world, run, f"back {run}")
    assert world.rows()[one].image() == expected
    assert len(done.problems) == sum(any(ours for ours, _ in words) and not words[-1][0] for words in said_by.values())
    assert undo(world, f"back {run}", f"forth {run}").problems == []
    assert world.rows()[one] == before


def _a_time(world: World, page: str) -> None:
    world.edit(page, date={"start": "2026-01-02T10:00:00.000+01:00", "end": "2026-01-03T11:00:00.000+01:00"})


def _no_title(world: World, page: str) -> None:
    world.edit(page, decision="")


@POSTGRES
@pytest.mark.parametrize(
    ("edit", "ours", "told", "why"),
    [
        (_a_time, {"date": "2026-05-05"}, "date: Notion's 2026-01-02T10:00", "date: only Notion can hold what it had"),
        (_no_title, {"decision": "Ours"}, "decision: Supabase's 'Ours' won over Notion's ''", "decision: is empty"),
    ],
    ids=["a time of day", "no title"],
)
def test_what_a_row_cannot_hold_is_told_and_stays_out(
    pair: tuple[World, str, str], edit: Callable[[World, str], None], ours: dict[str, str], told: str, why: str
) -> None:
    world, one, page = pair
    edit(world, page)
    world.update(one, **ours)
    run = world.sync(prefer="supabase").run
    assert told in "\n".join(explain(world, one))
    assert told in "\n".join(said(history(world, one)))
    done = undo(world, run)
    assert (len(done.problems), why in done.problems[0], done.put) == (1, True, [])


@POSTGRES
def test_what_a_killed_run_announced_is_explained(pair: tuple[World, str, str]) -> None:
    world, one, _ = pair
    world.db.execute(
        "update sync_links set intent = jsonb_build_object('page', base_page, 'row', base_row, 'agreed', '[]'::jsonb, "
        "'before', base_page) where decision_id = %s",
        (one,),
    )
    assert (
        explain(world, one)[-1] == "next run: reads the page first: run run1 announced a write and did not see its end"
    )


@POSTGRES
def test_another_agents_activity_is_no_run(world: World) -> None:
    world.db.execute(
        "insert into agent_activity (agent_name, action, details) values ('memory_sync', 'x', null), "
        "('memory_sync', 'x', '[1]'), ('another', 'x', '{\"run\": \"mine\"}')"
    )
    with pytest.raises(ConfigError, match="No run has written anything yet"):
        undo(world, "mine")


@POSTGRES
def test_a_run_is_not_undone_by_itself(world: World) -> None:
    with pytest.raises(ConfigError, match="is this very run's id"):
        undo(world, "same", "same")
