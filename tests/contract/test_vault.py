"""What the vault promises over every transport: leases, changes, writes, and that any call may be repeated."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from psycopg import sql

from tests.contract.conftest import Store
from utils.decision import FIELDS, Decision
from utils.errors import AnglesError, BusyError
from utils.stores.base import BATCH_ITEMS, Beginning, Vault, Write, Written
from utils.sync import lease
from utils.sync.model import Intent, Item, Link, LinkState, PageImage, Refusal, Side, Todo

NIL = "00000000-0000-0000-0000-000000000000"
HELD = Todo(held=("date",))
CONTENT = Decision("Use one vault", "2026-01-12", "strategy", True, "because")
EMPTY = Decision("Nothing else", None, None, None, None)

CONTENTS = {
    "all fields": CONTENT,
    "nothing but the decision": EMPTY,
    "empty texts": Decision("", "2026-01-12", "", False, ""),
    "a date before Christ": Decision("Cross the Rubicon", "0049-01-10 BC", "war", True, None),
    "a date that never comes": Decision("Wait", "infinity", "other", True, None),
    "a date before all": Decision("Be", "-infinity", "other", True, None),
    "a date of five digits": Decision("Bury the waste", "12026-01-01", "other", True, None),
    "every script": Decision('Übersicht · 毎週 · 🗓️ · עברית "x" \\ \x01', "2026-02-28", "größe", True, "a\nb\r\n\tc"),
    "1 MB of text": Decision("é" * 500_000, "2026-01-12", "other", True, "x"),
}


def new_id() -> str:
    return str(uuid.uuid4())


def made(store: Store, fence: int, contents: Mapping[str, Decision], **link: Any) -> None:
    """Rows that are linked and agreed on."""
    links = {"page_id": None, "state": LinkState.LINKED, **link}
    writes = [
        Write(row_id, expect=None, set=content.image(), link=Link(**links), agreed=FIELDS)
        for row_id, content in contents.items()
    ]
    assert not [each for each in store.vault.write("run", fence, writes) if each.error or each.moved]


def ids(items: Iterable[Item]) -> list[str]:
    return [item.id for item in items]


# --- begin, keep, release


def test_a_look_takes_no_lease_and_tells_where_the_sync_stands(store: Store) -> None:
    assert store.vault.begin() == Beginning(None, None, {}, 0, 0)
    fence = store.begin()
    first, second = sorted([new_id(), new_id()])
    made(store, fence, {first: CONTENT})
    made(store, fence, {second: CONTENT}, state=LinkState.GONE)
    store.vault.confirm("run", fence, {"mark": "x"}, None)
    begun = store.another().begin()
    assert (begun.fence, begun.busy, begun.links, begun.live) == (None, None, 2, 1)
    assert begun.state == {"mark": "x", "links": 2}


def test_a_held_lease_names_its_holder_and_a_later_run_gets_a_higher_fence(store: Store) -> None:
    me = lease.holder("first")
    fence = store.vault.begin(me).fence
    other = store.another()
    begun = other.begin(lease.holder("second"))
    assert begun.fence is None
    assert begun.busy is not None
    assert {name: begun.busy[name] for name in ("holder", "host", "pid", "boot_id", "started", "fence")} == {
        **{name: me[name] for name in ("holder", "host", "pid", "boot_id", "started")},
        "fence": fence,
    }
    assert fence is not None
    store.vault.release(lease.NAME, fence)
    later = other.begin(lease.holder("second")).fence
    assert later is not None
    assert later > fence


def test_a_release_by_who_lost_the_lease_leaves_the_new_holder_alone(store: Store) -> None:
    late = store.begin("late")
    expire(store)
    fence = store.another().begin(lease.holder("new")).fence
    assert fence is not None
    store.vault.release(lease.NAME, late)
    store.vault.keep_lease(lease.NAME, fence)
    assert store.vault.begin(lease.holder("third")).busy


def expire(store: Store) -> None:
    store.db.execute("update leases set expires_at = clock_timestamp()")


def test_the_same_run_may_ask_again_after_an_unclear_answer(store: Store) -> None:
    first, again = store.begin("run"), store.begin("run")
    assert again > first
    with pytest.raises(BusyError):
        store.vault.keep_lease(lease.NAME, first)


def test_a_holder_known_to_be_gone_is_replaced_at_once_but_only_that_one(store: Store) -> None:
    gone = store.begin("gone")
    assert store.vault.begin({**lease.holder("new"), "replace": gone - 1}).fence is None
    assert store.vault.begin({**lease.holder("new"), "replace": gone}).fence
    assert store.vault.begin({**lease.holder("third"), "replace": gone}).fence is None, "it was replaced already"


def test_an_expired_lease_is_good_until_another_run_takes_it(store: Store) -> None:
    fence = store.begin()
    expire(store)
    made(store, fence, {new_id(): CONTENT})
    assert store.vault.begin(lease.holder("other")).busy, "the write kept it"


LATE = {
    "write": lambda vault, fence: vault.write("late", fence, [Write(new_id(), expect=None, set=CONTENT.image())]),
    "confirm": lambda vault, fence: vault.confirm(
        "late", fence, {"mark": "x"}, {"id": new_id(), "status": "completed"}
    ),
    "keep": lambda vault, fence: vault.keep_lease(lease.NAME, fence),
}


@pytest.mark.parametrize("late_call", LATE.values(), ids=LATE)
def test_a_late_writer_is_fenced_off_and_writes_nothing(
    store: Store, late_call: Callable[[Vault, int], object]
) -> None:
    late = store.begin("late")
    expire(store)
    assert store.another().begin(lease.holder("new")).fence
    with pytest.raises(BusyError, match="taken over by another run") as caught:
        late_call(store.vault, late)
    assert caught.value.exit_code == 75
    assert list(store.vault.rows()) == []
    assert store.vault.begin().state == {}
    assert store.one("select count(*) from agent_activity")["count"] == 0


def test_of_many_runs_at_once_one_gets_the_lease(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        fences = list(pool.map(lambda n: store.vault.begin(lease.holder(f"run {n}")).fence, range(8)))
    assert sum(fence is not None for fence in fences) == 1


# --- changes


def test_nothing_to_do_lists_nothing_and_full_lists_everything(store: Store) -> None:
    fence = store.begin()
    contents = {new_id(): CONTENT, new_id(): EMPTY}
    made(store, fence, contents)
    assert store.vault.changes() == []
    everything = {item.id: item for item in store.vault.changes(full=True)}
    assert {row_id: item.row and item.row.content for row_id, item in everything.items()} == contents


@pytest.mark.parametrize(
    ("statement", "listed"),
    [
        pytest.param("update decision_vault set comment = 'edited'", True, id="changed"),
        pytest.param("update decision_vault set comment = ''", True, id="NULL became an empty text"),
        pytest.param("update decision_vault set active = null", True, id="true became NULL"),
        pytest.param("update decision_vault set updated_at = now() + interval '1 day'", False, id="only a stamp"),
        pytest.param("update decision_vault set synced = true", False, id="only synced"),
        pytest.param("delete from decision_vault", True, id="deleted"),
        pytest.param("update decision_vault set id = gen_random_uuid()", True, id="another id"),
        pytest.param("delete from sync_links", True, id="no link"),
        pytest.param("update sync_links set base_row = null", True, id="no image"),
        pytest.param("update sync_links set state = 'announced'", True, id="announced"),
        pytest.param("update sync_links set state = 'gone'", False, id="gone"),
        pytest.param("update sync_links set todo = '{}'", True, id="todo"),
        pytest.param("update sync_links set intent = '{}'", True, id="intent"),
    ],
)
def test_changes_are_what_differs_from_the_image_or_is_unfinished(store: Store, statement: str, listed: bool) -> None:
    made(store, store.begin(), {new_id(): replace(CONTENT, comment=None)})
    store.db.execute(statement.encode())
    answer = store.vault.call("sync_changes", {"full": False, "after": None})
    assert bool(answer["items"]) == listed


def test_a_deleted_row_whose_absence_is_noted_is_no_change(store: Store) -> None:
    fence, row_id = store.begin(), new_id()
    made(store, fence, {row_id: CONTENT})
    store.db.execute("delete from decision_vault")
    item = store.vault.changes()[0]
    assert (item.id, item.row) == (row_id, None)
    assert item.link is not None
    store.vault.write("run", fence, [Write(row_id, link=replace(item.link, base_row=None, state=LinkState.TRASHED))])
    assert store.vault.changes() == []


def test_listings_page_past_500_items_in_the_order_of_ids(store: Store) -> None:
    store.db.execute("insert into decision_vault (decision) select 'n' || g from generate_series(1, 1201) g")
    calls = store.vault.requests
    listed = ids(store.vault.changes())
    assert store.vault.requests - calls == 3
    assert len(listed) == len(set(listed)) == 1201
    assert listed == sorted(listed)
    assert [row["id"] for row in store.vault.rows()] == listed
    assert ids(store.vault.lookup(decisions=listed)) == listed


@pytest.mark.parametrize("listing", ["sync_changes", "sync_lookup"])
def test_a_page_holds_about_a_megabyte_and_one_item_at_least(store: Store, listing: str) -> None:
    store.db.execute("insert into decision_vault (decision) select repeat('x', 400000) from generate_series(1, 5)")
    store.db.execute("insert into decision_vault (decision) values (repeat('y', 3000000))")
    asked: dict[str, Any] = {"full": True}
    asked["decisions"] = [str(row["id"]) for row in store.db.execute("select id from decision_vault")]
    after = None
    sizes: list[int] = []
    while not sizes or after is not None:
        answer = store.vault.call(listing, {**asked, "after": after})
        sizes.append(len(json.dumps(answer)))
        after = answer["next"]
    assert max(sizes) < 3_010_000
    assert sum(size > 1_010_000 for size in sizes) == 1
    assert 4 <= len(sizes) <= 5


def test_a_vault_too_big_for_one_document_is_listed(store: Store) -> None:
    store.db.execute("insert into decision_vault (decision) values (repeat('x', 1000000))")
    for _ in range(9):
        store.db.execute("insert into decision_vault (decision) select decision from decision_vault")
    answer = store.vault.call("sync_changes", {"full": False, "after": None})
    assert len(answer["items"]) == 1
    assert answer["next"] == answer["items"][0]["id"]


def test_rows_are_read_whole_past_the_cap_of_the_service_and_with_stamps_of_one_form(store: Store) -> None:
    store.db.execute("insert into decision_vault (decision) select 'n' || g from generate_series(1, 2350) g")
    store.db.execute("insert into decision_vault (id, decision, created_at) values (%s, 'first', 'infinity')", (NIL,))
    store.db.execute("update decision_vault set created_at = '2026-01-02 03:04:05.06+00' where decision = 'n7'")
    rows = list(store.vault.rows())
    assert [row["id"] for row in rows] == sorted({row["id"] for row in rows})
    assert len(rows) == 2351
    assert (rows[0]["id"], rows[0]["created_at"]) == (NIL, "infinity")
    assert next(row for row in rows if row["decision"] == "n7")["created_at"] == "2026-01-02T03:04:05.06+00:00"


# --- lookup


def test_items_are_looked_up_by_page_by_row_and_by_having_left_the_trash(store: Store) -> None:
    fence = store.begin()
    pages = {name: new_id() for name in ("live", "binned", "restored", "purged row")}
    rows = {name: new_id() for name in (*pages, "unlinked")}
    for name in ("live", "purged row"):
        made(store, fence, {rows[name]: CONTENT}, page_id=pages[name])
    for name in ("binned", "restored"):
        made(store, fence, {rows[name]: CONTENT}, page_id=pages[name], state=LinkState.TRASHED)
    store.db.execute("insert into decision_vault (id, decision) values (%s, 'x')", (rows["unlinked"],))
    store.db.execute("delete from decision_vault where id = %s", (rows["purged row"],))
    found = store.vault.lookup

    def names(items: Sequence[Item]) -> set[str]:
        return {next(name for name, row_id in rows.items() if row_id == item.id) for item in items}

    assert names(found(pages=[pages["live"], new_id()])) == {"live"}
    assert names(found(decisions=[rows["unlinked"], rows["binned"], new_id()])) == {"unlinked", "binned"}
    assert names(found(pages=[pages["purged row"]])) == {"purged row"}, "a link without its row"
    assert names(found(trashed=[pages["binned"]])) == {"restored"}
    assert names(found(trashed=[])) == {"binned", "restored"}
    assert found() == []


def test_a_lookup_of_more_than_500_ids_goes_in_several_calls(store: Store) -> None:
    store.db.execute("insert into decision_vault (decision) select 'n' from generate_series(1, 700)")
    wanted = [str(row["id"]) for row in store.db.execute("select id from decision_vault")]
    assert sorted(ids(store.vault.lookup(decisions=wanted, pages=[new_id() for _ in range(900)]))) == sorted(wanted)


# --- write


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_content_comes_back_as_it_was_written(store: Store, content: Decision) -> None:
    fence, row_id = store.begin(), new_id()
    written = store.vault.write("run", fence, [Write(row_id, expect=None, set=content.image())])[0]
    assert written.row is not None
    assert written.row.content == content
    read = store.vault.changes()[0].row
    assert read == written.row
    assert next(iter(store.vault.rows()))["date"] == content.date
    edited = store.vault.write("run", fence, [Write(row_id, expect=content, set={"comment": "more"})])[0]
    assert edited.row is not None
    assert edited.row.content == replace(content, comment="more")


def test_a_link_comes_back_as_it_was_written(store: Store) -> None:
    link = Link(
        page_id=new_id(),
        state=LinkState.TRASHED,
        base_row=EMPTY,
        base_page=PageImage(CONTENT, in_trash=True),
        intent=Intent(PageImage(EMPTY), CONTENT),
        todo=Todo(("date",), {"type": Refusal(Side.NOTION, "abc", "no comma")}, "2026-01-01T00:00:00+00:00", "later"),
    )
    row_id = new_id()
    store.vault.write("run", store.begin(), [Write(row_id, link=link)])
    assert store.vault.lookup(decisions=[row_id])[0].link == link


def test_a_row_that_moved_is_told_as_it_is_and_nothing_of_the_write_is_done(store: Store) -> None:
    fence, row_id = store.begin(), new_id()
    made(store, fence, {row_id: CONTENT})
    store.db.execute("update decision_vault set comment = 'edited by a person'")
    edit = Write(row_id, expect=CONTENT, set={"type": "other"}, drop=True, log=(log_row(),))
    written = store.vault.write("run", fence, [edit])[0]
    assert written.moved
    assert written.row is not None
    assert written.row.content == replace(CONTENT, comment="edited by a person")
    item = store.vault.lookup(decisions=[row_id])[0]
    assert item.row == written.row
    assert item.link is not None
    assert store.one("select count(*) from sync_log")["count"] == 0


@pytest.mark.parametrize(
    ("there", "expect", "moved"),
    [
        pytest.param(CONTENT, None, True, id="no row was expected and there is one"),
        pytest.param(None, CONTENT, True, id="a row was expected and there is none"),
        pytest.param(CONTENT, replace(CONTENT, comment=None), True, id="another comment"),
        pytest.param(replace(CONTENT, comment=""), replace(CONTENT, comment=None), True, id="'' is not NULL"),
        pytest.param(CONTENT, CONTENT, False, id="as expected"),
        pytest.param(None, None, False, id="no row as expected"),
    ],
)
def test_expectations_are_exact(store: Store, there: Decision | None, expect: Decision | None, moved: bool) -> None:
    fence, row_id = store.begin(), new_id()
    if there:
        made(store, fence, {row_id: there})
    written = store.vault.write("run", fence, [Write(row_id, expect=expect, log=(log_row(),))])[0]
    assert written.moved == moved
    assert (written.row.content if written.row else None) == there
    assert store.one("select count(*) from sync_log")["count"] == (0 if moved else 1)


def log_row(**values: Any) -> dict[str, Any]:
    row = {"id": new_id(), "page_id": new_id(), "field": "comment", "before": "a", "after": None}
    return {**row, "base": {"x": [1]}, "winner": "notion", "reason": "newest", **values}


def test_a_write_that_expects_nothing_leaves_the_other_fields(store: Store) -> None:
    fence, row_id = store.begin(), new_id()
    made(store, fence, {row_id: CONTENT})
    written = store.vault.write("run", fence, [Write(row_id, set={"active": False})])[0]
    assert written.row is not None
    assert written.row.content == replace(CONTENT, active=False)


def test_an_insert_names_all_five_columns_and_takes_no_default(store: Store) -> None:
    row_id = new_id()
    store.vault.write("run", store.begin(), [Write(row_id, expect=None, set=EMPTY.image())])
    row = store.one("select * from decision_vault")
    assert [row[name] for name in FIELDS] == ["Nothing else", None, None, None, None]
    assert row["created_at"] is not None
    assert row["synced"] is False


def test_of_a_batch_the_refused_ones_are_named_and_leave_the_others_alone(altered_store: Store) -> None:
    altered_store.db.execute("alter table decision_vault add check (decision <> 'forbidden')")
    altered_store.db.execute("create index on decision_vault (decision)")
    fence, page = altered_store.begin(), new_id()
    made(altered_store, fence, {new_id(): CONTENT}, page_id=page)
    bad = {
        "type too long": (replace(CONTENT, type="x" * 51), "too long"),
        "no date": (replace(CONTENT, date="2026-02-30"), "out of range"),
        "half a date": (replace(CONTENT, date="soon"), "invalid input syntax"),
        "a rule of the table's owner": (replace(CONTENT, decision="forbidden"), "check constraint"),
        "longer than an index takes": (replace(CONTENT, decision=entropy(100_000)), "index row"),
        "NUL": (replace(CONTENT, comment="a\x00b"), "U+0000"),
        "half a surrogate pair": (replace(CONTENT, comment="a\ud800b"), "surrogate"),
    }
    writes = [Write(new_id(), expect=None, set=content.image()) for content, _ in bad.values()]
    writes.insert(3, Write(new_id(), link=Link(page, LinkState.LINKED)))
    good = [Write(new_id(), expect=None, set=replace(CONTENT, comment=str(n)).image(), link=None) for n in range(3)]
    batch = [good[0], *writes[:4], good[1], *writes[4:], good[2]]
    results = altered_store.vault.write("run", fence, batch)
    assert [each.id for each in results] == [each.id for each in batch], "answers come in the order of the writes"
    errors = {each.id: each.error for each in results if each.error}
    assert [each.id for each in results if not each.error] == [each.id for each in good]
    reasons = [reason for _, reason in bad.values()]
    reasons.insert(3, "duplicate key")
    for write, reason in zip(writes, reasons, strict=True):
        assert reason in errors[write.id]
        assert "\n" not in errors[write.id]
    assert len(list(altered_store.vault.rows())) == 4


def entropy(length: int) -> str:
    return "".join(uuid.uuid4().hex for _ in range(length // 32))


def test_a_refused_write_leaves_neither_log_nor_link(store: Store) -> None:
    write = Write(
        new_id(),
        expect=None,
        set=replace(CONTENT, type="x" * 51).image(),
        link=Link(None, LinkState.ANNOUNCED),
        log=(log_row(),),
    )
    assert store.vault.write("run", store.begin(), [write])[0].error
    assert store.one("select (select count(*) from sync_log) + (select count(*) from sync_links) as n")["n"] == 0


def test_text_that_only_looks_like_an_escaped_nul_is_kept(store: Store) -> None:
    content = replace(CONTENT, comment="\\u0000 and \\\\u0000 and \\ud800")
    written = store.vault.write("run", store.begin(), [Write(new_id(), expect=None, set=content.image())])[0]
    assert written.row is not None
    assert written.row.content == content


def test_a_whole_call_may_be_repeated_after_an_unclear_answer(store: Store) -> None:
    fence = store.begin()
    edited, inserted, dropped = new_id(), new_id(), new_id()
    made(store, fence, {edited: CONTENT, dropped: CONTENT})
    changed = replace(CONTENT, comment="changed")
    writes = [
        Write(
            edited, CONTENT, {"comment": "changed"}, Link(new_id(), LinkState.LINKED), agreed=FIELDS, log=(log_row(),)
        ),
        Write(inserted, None, EMPTY.image(), Link(None, LinkState.ANNOUNCED), agreed=FIELDS),
        Write(dropped, CONTENT, None, drop=True),
    ]
    first = store.vault.write("run", fence, writes)
    before = snapshot(store)
    assert store.vault.write("run", fence, writes) == first
    assert snapshot(store) == before
    assert [each.row and each.row.content for each in first] == [changed, EMPTY, CONTENT]
    activity = {"id": new_id(), "status": "completed", "details": {"n": 1}}
    store.vault.confirm("run", fence, {"mark": "1"}, activity)
    before = snapshot(store)
    assert store.vault.confirm("run", fence, {"mark": "1"}, activity)["links"] == 2
    assert snapshot(store) == before
    items = [{"id": new_id(), **EMPTY.image()}]
    assert (store.vault.add(items), store.vault.add(items)) == (1, 0)


def snapshot(store: Store) -> dict[str, Any]:
    tables = ("decision_vault", "sync_log", "decision_history", "agent_activity")
    found = {
        name: store.db.execute(sql.SQL("select * from {} order by 1").format(sql.Identifier(name))).fetchall()
        for name in tables
    }
    links = store.db.execute("select decision_id, page_id, state, base_row, todo from sync_links order by 1").fetchall()
    return {**found, "links": links}


def test_a_log_row_is_kept_once_with_everything_it_says(store: Store) -> None:
    fence, row_id, row = store.begin(), new_id(), log_row()
    for _ in range(2):
        store.vault.write("run 7", fence, [Write(row_id, log=(row, log_row(before=None)))])
    kept = store.one("select * from sync_log where id = %s", row["id"])
    assert store.one("select count(*) from sync_log")["count"] == 3
    assert {**kept, "id": str(kept["id"]), "page_id": str(kept["page_id"])} == {
        **row,
        "run": "run 7",
        "at": kept["at"],
        "decision_id": uuid.UUID(row_id),
    }


def test_agreed_fields_take_the_row_as_it_is_and_the_others_the_given_image(store: Store) -> None:
    fence, row_id = store.begin(), new_id()
    made(store, fence, {row_id: CONTENT})
    old = Decision("old", "2020-01-01", "old", False, "old")
    link = Link(None, LinkState.LINKED, base_row=old)
    store.vault.write("run", fence, [Write(row_id, CONTENT, {"type": "new"}, link, agreed=("type", "comment"))])
    kept = store.vault.lookup(decisions=[row_id])[0].link
    assert kept is not None
    assert kept.base_row == replace(old, type="new", comment=CONTENT.comment)


def test_a_call_carries_500_items_or_a_megabyte(store: Store) -> None:
    fence = store.begin()
    calls = store.vault.requests
    small = [Write(new_id(), None, EMPTY.image()) for _ in range(BATCH_ITEMS + 1)]
    assert ids_of(store.vault.write("run", fence, small)) == [each.id for each in small]
    assert store.vault.requests - calls == 2
    big = [Write(new_id(), None, replace(EMPTY, comment="x" * 400_000).image()) for _ in range(5)]
    calls = store.vault.requests
    assert ids_of(store.vault.write("run", fence, big)) == [each.id for each in big]
    assert store.vault.requests - calls == 3, "two of 400 kB a call"
    assert store.vault.write("run", fence, []) == []


def ids_of(results: Sequence[Written]) -> list[str]:
    assert not [each.error for each in results if each.error]
    return [each.id for each in results]


def test_threads_that_write_and_read_at_once_lose_nothing(store: Store) -> None:
    fence = store.begin()
    batches = [[Write(new_id(), None, CONTENT.image(), agreed=FIELDS) for _ in range(20)] for _ in range(12)]
    with ThreadPoolExecutor(8) as pool:
        written = pool.map(lambda batch: store.vault.write("run", fence, batch), batches)
        listed = pool.map(lambda _: store.vault.changes(), range(12))
        assert all(not each.error and not each.moved for results in written for each in results)
        assert all(one.id < other.id for items in listed for one, other in pairwise(items))
    assert {row["id"] for row in store.vault.rows()} == {each.id for batch in batches for each in batch}
    assert store.vault.requests >= 1 + 12 + 12 + 1


def test_writers_of_one_row_at_once_see_each_other(store: Store) -> None:
    fence, row_id = store.begin(), new_id()
    made(store, fence, {row_id: CONTENT})

    def edit(number: int) -> Written:
        return store.vault.write("run", fence, [Write(row_id, CONTENT, {"comment": str(number)})])[0]

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(edit, range(6)))
    assert sum(not each.moved for each in results) == 1


# --- confirm


def test_synced_is_ticked_where_both_sides_agree_and_nothing_is_open(store: Store) -> None:
    fence = store.begin()
    rows = {name: new_id() for name in ("agreed", "changed", "announced", "held", "intended", "gone", "unlinked")}
    made(store, fence, {rows[name]: CONTENT for name in ("agreed", "changed")})
    made(store, fence, {rows["announced"]: CONTENT}, state=LinkState.ANNOUNCED)
    made(store, fence, {rows["held"]: CONTENT}, todo=HELD)
    made(store, fence, {rows["intended"]: CONTENT}, intent=Intent(PageImage(EMPTY), None))
    made(store, fence, {rows["gone"]: CONTENT}, state=LinkState.GONE)
    store.vault.add([{"id": rows["unlinked"], **CONTENT.image()}])
    store.db.execute("update decision_vault set comment = 'x' where id = %s", (rows["changed"],))
    stamps = {row["id"]: row["updated_at"] for row in store.vault.rows()}
    assert store.vault.confirm("run", fence, None, None) == {"ticked": 2, "links": 6}
    synced = {row["id"] for row in store.vault.rows() if row["synced"]}
    assert synced == {rows["agreed"], rows["gone"]}
    assert {row["id"]: row["updated_at"] for row in store.vault.rows()} == stamps, "a tick is no edit"
    assert store.vault.confirm("run", fence, None, None)["ticked"] == 0


def test_the_state_is_kept_until_another_is_given_and_counts_the_links(store: Store) -> None:
    fence = store.begin()
    store.vault.confirm("run", fence, {"mark": "1"}, None)
    made(store, fence, {new_id(): CONTENT})
    store.vault.confirm("run", fence, None, None)
    assert store.vault.begin().state == {"mark": "1", "links": 0}
    store.vault.confirm("run", fence, {"mark": "2"}, None)
    assert store.vault.begin().state == {"mark": "2", "links": 1}


def test_an_activity_is_written_where_one_is_given(store: Store) -> None:
    fence = store.begin()
    store.vault.confirm("run", fence, None, None)
    activity = {"id": new_id(), "status": "completed", "details": {"copied": 3}}
    store.vault.confirm("run", fence, None, activity)
    row = store.one("select * from agent_activity")
    assert (row["agent_name"], row["action"], row["status"]) == ("memory_sync", "sync", "completed")
    assert row["details"] == {"copied": 3}


def test_the_mark_of_our_own_writes_leaks_into_nobody_elses(store: Store) -> None:
    fence, row_id = store.begin(), new_id()
    made(store, fence, {row_id: CONTENT})
    store.vault.confirm("run", fence, None, None)
    before = store.one("select * from decision_vault")
    assert before["synced"] is True
    store.vault.add([{"id": new_id(), **CONTENT.image()}])
    store.db.execute("update decision_vault set comment = 'by hand' where id = %s", (row_id,))
    assert store.one("select * from decision_vault where id = %s", row_id)["synced"] is False
    assert store.one("select * from decision_history")["run"] is None


# --- twins, rows, add, is_new


@pytest.mark.parametrize("side", ["vault", "notion"])
def test_twins_are_contents_that_a_side_has_already_whatever_their_active(store: Store, side: str) -> None:
    fence = store.begin()
    content = replace(CONTENT, comment=None)
    made(store, fence, {new_id(): content}, base_page=PageImage(replace(content, comment="")))
    asked = [
        content,
        replace(content, comment=""),
        replace(content, active=False),
        replace(content, comment="other"),
        replace(content, date=None),
        replace(content, type="other"),
        replace(content, decision="other"),
    ]
    assert store.vault.twins(side, asked) == 3
    assert store.vault.twins(side, [EMPTY] * 600 + [content]) == 1
    assert store.vault.twins(side, []) == 0
    store.db.execute("delete from decision_vault")
    store.db.execute("update sync_links set state = 'trashed'")
    assert store.vault.twins(side, asked) == 0


def test_rows_are_whole_with_columns_that_we_do_not_know(altered_store: Store) -> None:
    altered_store.db.execute("alter table decision_vault add column project text default 'x'")
    altered_store.db.execute("insert into decision_vault (decision) values ('a')")
    row = next(iter(altered_store.vault.rows()))
    assert set(row) == {"id", *FIELDS, "synced", "created_at", "updated_at", "project"}
    assert row["project"] == "x"


def test_decisions_are_added_once_and_a_bad_one_is_named(store: Store) -> None:
    one, other = ({"id": new_id(), **replace(CONTENT, comment=str(n)).image()} for n in range(2))
    assert store.vault.add([one]) == 1
    assert store.vault.add([{**one, "comment": "changed"}, other]) == 1
    assert {row["comment"] for row in store.vault.rows()} == {"0", "1"}
    bad = {"id": new_id(), **replace(CONTENT, comment="\x00").image()}
    with pytest.raises(AnglesError, match=rf"{bad['id']}.*U\+0000") as caught:
        store.vault.add([{"id": new_id(), **CONTENT.image()}, bad])
    assert "\n" not in str(caught.value)
    assert len(list(store.vault.rows())) == 2, "nothing of it was added"


def test_the_vault_is_new_until_a_decision_was_ever_there(store: Store) -> None:
    assert store.vault.is_new()
    store.vault.add([{"id": new_id(), **CONTENT.image()}])
    assert not store.vault.is_new()
    store.db.execute("delete from decision_vault")
    assert not store.vault.is_new(), "the history knows"


def test_an_unreadable_text_anywhere_is_one_line(store: Store) -> None:
    with pytest.raises(AnglesError) as caught:
        store.vault.twins("vault", [replace(CONTENT, comment="\x00")])
    assert "\n" not in str(caught.value)
    assert "refuses a text" in str(caught.value)
    assert store.vault.is_new(), "the connection is good for the next call"
