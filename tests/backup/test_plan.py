"""What a restore decides, row by row, as tables of cases."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.backup import snapshot
from utils.backup.plan import Action, Kind, Plan, Step, Wanted, as_of, plan, refused
from utils.backup.snapshot import TABLES, Row, Snapshot, has_mark
from utils.decision import FIELDS

OLD, NEW = "2026-01-01T00:00:00+00:00", "2026-02-02T00:00:00+00:00"


def row(comment: str | None = "base", updated: str = OLD, name: str = "aa", **more: Any) -> Row:
    content = {"decision": "d", "date": None, "type": "other", "active": True, "comment": comment}
    return {"id": name, **content, "synced": True, "created_at": OLD, "updated_at": updated, **more}


def link(comment: str = "base", name: str = "aa") -> Row:
    image = {field: row(comment)[field] for field in FIELDS}
    return {"decision_id": name, "page_id": "p", "state": "linked", "base_row": image}


def snap(**tables: list[Row]) -> Snapshot:
    files: dict[str, bytes] = {}
    for table in TABLES:
        files |= snapshot.shards(table, tables.get(table.name, []))
    return snapshot.complete(files, tool="1", schema="2", source="x")


def live(**tables: list[Row]) -> dict[str, list[Row]]:
    return {table.name: tables.get(table.name, []) for table in TABLES}


def redact(value: Any) -> Any:
    return re.sub("secret", "[REDACTED:x]", value) if isinstance(value, str) else value


def planned(backup: Snapshot, now: dict[str, list[Row]], **wanted: Any) -> Plan:
    return plan(backup, now, Wanted(**wanted), redact)


def only(backup: Row, now: Row | None, agreed: Row | None = None, **wanted: Any) -> Step:
    rows, links = [now] if now else [], [agreed] if agreed else []
    made = planned(snap(decision_vault=[backup]), live(decision_vault=rows, sync_links=links), **wanted)
    return next(step for step in made.steps if step.table == "decision_vault")


@pytest.mark.parametrize(
    ("backup", "now", "agreed", "kind", "newest"),
    [
        (row(), None, None, Kind.NEW, Action.ADD),
        (row(), row(updated=NEW), None, Kind.SAME, Action.LEAVE),
        (row("b"), row("l", NEW), None, Kind.LIVE_NEWER, Action.LEAVE),
        (row("b", NEW), row("l"), None, Kind.BACKUP_NEWER, Action.OVERWRITE),
        (row("b"), row("l"), None, Kind.LIVE_NEWER, Action.LEAVE),
        (row("b", NEW), row("l"), link(), Kind.BOTH, Action.OVERWRITE),
        (row("b"), row("l", NEW), link(), Kind.BOTH, Action.LEAVE),
        (row("base"), row("l", NEW), link(), Kind.LIVE_NEWER, Action.LEAVE),
        (row("b", NEW), row("base"), link(), Kind.BACKUP_NEWER, Action.OVERWRITE),
        (row("a [REDACTED:x]"), row("a secret", NEW), None, Kind.SAME, Action.LEAVE),
        (row("a [REDACTED:x]"), row("another", NEW), None, Kind.LIVE_NEWER, Action.LEAVE),
    ],
    ids=["new", "same", "live newer", "backup newer", "same time", "both, backup later", "both, live later",
         "only live changed", "only backup changed", "same but redacted", "redacted and changed"],
)  # fmt: skip
def test_how_a_row_stands(backup: Row, now: Row | None, agreed: Row | None, kind: Kind, newest: Action) -> None:
    assert only(backup, now, agreed).kind is kind
    assert only(backup, now, agreed, on_collision="newest").action is newest
    wins = Action.LEAVE if kind is Kind.SAME else Action.ADD if kind is Kind.NEW else Action.OVERWRITE
    assert only(backup, now, agreed, on_collision="backup").action is wins
    assert only(backup, now, agreed).action is (Action.ADD if kind is Kind.NEW else Action.LEAVE)


VALUES = st.sampled_from(["a", "secret", "[REDACTED:x]", "b [REDACTED:x]", "b secret"])


@given(VALUES, VALUES, VALUES, VALUES, st.sampled_from(["keep", "backup", "newest"]))
def test_no_marker_ever_takes_the_place_of_a_live_value(
    title: str, comment: str, live_title: str, live_comment: str, on_collision: str
) -> None:
    backup = row(comment, NEW, decision=title)
    step = only(backup, row(live_comment, decision=live_title), on_collision=on_collision)
    if step.action is Action.OVERWRITE:
        for field, was in (("decision", live_title), ("comment", live_comment)):
            assert step.row[field] == was or not has_mark(step.row[field])
            assert step.row[field] == (was if has_mark(backup[field]) else backup[field])


def test_a_new_row_with_a_marker_needs_to_be_accepted() -> None:
    step = only(row("[REDACTED:x]"), None)
    assert (step.action, step.why) == (Action.LEAVE, "holds a redacted value in comment")
    assert only(row("[REDACTED:x]"), None, accept_redacted=True).action is Action.ADD


def test_into_an_empty_vault_all_tables_go_and_a_link_only_with_its_decision() -> None:
    backup = snap(
        decision_vault=[row(), row("[REDACTED:x]", name="ab")],
        sync_links=[link(), link(name="ab"), link(name="gone")],
        decision_history=[{"id": 1, "decision_id": "aa", "was": {}}],
        agent_activity=[{"id": "aa", "details": None}],
    )
    made = planned(backup, live())
    assert [(step.table, step.id) for step in made.acts] == [
        ("decision_vault", "aa"),
        ("sync_links", "aa"),
        ("decision_history", "1"),
        ("agent_activity", "aa"),
    ]


def test_beside_live_rows_only_decisions_go_and_what_is_asked_for() -> None:
    backup = snap(decision_vault=[row()], sync_links=[link()], sync_log=[{"id": "aa", "decision_id": "zz"}])
    now = live(decision_vault=[row(name="zz")])
    assert [step.table for step in planned(backup, now).acts] == ["decision_vault"]
    asked = planned(backup, now, tables={"sync_log", "sync_links"})
    assert [step.table for step in asked.acts] == ["sync_log"]
    assert asked.left_out == ("sync_links: is restored into an empty vault alone",)
    assert planned(backup, now, tables={"sync_log"}, ids={"aa"}).acts == []


def history(number: int, comment: str = "was") -> Row:
    return {"id": number, "decision_id": "aa", "was": row(comment)}


@pytest.mark.parametrize(
    ("now", "rest"),
    [
        ({"decision_vault": [row()]}, True),
        ({"decision_vault": [row(synced=False)], "sync_links": [link()], "decision_history": [history(1)]}, True),
        ({"decision_vault": [row("another")]}, False),
        ({"decision_vault": [row(), row(name="zz")]}, False),
        ({"decision_vault": [row()], "sync_links": [link("changed")]}, False),
        ({"decision_vault": [row()], "decision_history": [history(1, "other")]}, False),
        ({"decision_vault": [row()], "decision_history": [history(9)]}, False),
    ],
    ids=["one decision", "one of each", "another content", "one more", "a sync ran", "another history", "more history"],
)
def test_a_restore_into_an_empty_vault_that_was_cut_off_goes_on_with_all_tables(
    now: dict[str, list[Row]], rest: bool
) -> None:
    backup = snap(
        decision_vault=[row(), row(name="ab")],
        sync_links=[link(), link(name="ab")],
        decision_history=[history(1), history(2)],
    )
    tables = {step.table for step in planned(backup, live(**now)).acts}
    assert tables == ({"decision_vault", "sync_links", "decision_history"} if rest else {"decision_vault"})


def test_history_whose_number_is_taken_is_left_and_named() -> None:
    backup = snap(decision_vault=[row()], decision_history=[history(1), history(2)])
    made = planned(backup, live(decision_history=[history(1, "of an undo")]))
    assert made.counts()["decision_history"] == {"another row has its number: leave": 1, "new: add": 1}


def test_what_is_asked_for_and_not_in_the_backup_is_named() -> None:
    made = planned(snap(decision_vault=[row()]), live(), ids={"aa", "zz"})
    assert made.left_out == ("decision zz: is not in the backup",)


@pytest.mark.parametrize("path", ["a.txt", "export/a b.txt", "ü/ö.md", "..a", "a..b/c", ".env.example"])
def test_paths_that_may_be_written(path: str) -> None:
    assert refused(path) == ""


@pytest.mark.parametrize(
    "path",
    ["", ".", "/etc/x", "../x", "a/../../x", "a\\..\\x", "\\\\host\\x", "C:/x", "~/x", "a\nb", ".git/config",
     "x/.GIT/hooks/y", ".local/backup.git/HEAD", ".env", "export/.ENV", ".env.local", "id_rsa", "a/server.key",
     ".ssh/x", "logs/active/state.db", "x/.angles-1.tmp", "a\0b", "a\u202eb", "a\udc80b", "x/", "./x", "C:x"],
)  # fmt: skip
def test_paths_that_may_not_be(path: str) -> None:
    assert refused(path)


def test_the_vault_as_it_was_comes_from_what_is_live_and_the_history_since() -> None:
    rows = [row("now"), row("as ever", name="ab")]
    history = [
        {"id": 1, "decision_id": "aa", "was": row("before the snapshot")},
        {"id": 2, "decision_id": "aa", "was": row("then")},
        {"id": 3, "decision_id": "aa", "was": row("in between")},
        {"id": 4, "decision_id": "ad", "was": row("deleted since", name="ad")},
    ]
    then = as_of(rows, history, {1})
    assert {name: each["comment"] for name, each in then.items()} == {
        "aa": "then", "ab": "as ever", "ad": "deleted since",
    }  # fmt: skip
