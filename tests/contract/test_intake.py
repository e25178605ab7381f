"""What intake asks of the vault, by every transport."""

from __future__ import annotations

import threading
import uuid
from typing import Any

from tests.contract.conftest import Store
from utils.intake import book
from utils.intake.book import Settled, Stand
from utils.intake.items import ACCEPTED, REJECTED, REVIEW, Item, Origin, item_of
from utils.intake.model import Found, Message
from utils.stores.base import Activity


def item(decision: str, confidence: float = 0.9, **more: Any) -> Item:
    """An item as a message of today gives it; below 0.6 it is to be reviewed."""
    found = Found(decision, "", "technical", "because", confidence, Message(decision, id="m1", agent="gpt-4o"), **more)
    return item_of(found, Origin("chat.json", "run1", "2026-11-25"), 0.6)


def taken(store: Store, *items: Item, batch: str | None = None) -> dict[str, Stand]:
    """One batch."""
    return book.take(store.vault, batch or str(uuid.uuid4()), items, [])


def test_what_is_new_goes_into_the_vault_or_waits_for_a_person(store: Store) -> None:
    sure, unsure = item("Use PostgreSQL"), item("Drop the API", 0.4)
    assert taken(store, sure, unsure) == {sure.id: Stand(ACCEPTED, new=True), unsure.id: Stand(REVIEW, new=True)}
    row = store.one("select *, date::text as day from decision_vault")
    assert (str(row["id"]), row["decision"], row["day"]) == (sure.id, "Use PostgreSQL", "2026-11-25")
    assert (row["type"], row["active"], row["comment"], row["synced"]) == ("technical", True, "because", False)
    kept = list(book.listed(store.vault, REVIEW))
    assert [each.id for each in kept] == [unsure.id]
    assert (kept[0].active, kept[0].content["decision"]) == (None, "Drop the API")
    assert kept[0].source == {"file": "chat.json", "message": "m1", "agent": "gpt-4o", "run": "run1"}


def test_a_batch_that_is_sent_again_adds_nothing_and_answers_the_same(store: Store) -> None:
    batch, activity = str(uuid.uuid4()), Activity(str(uuid.uuid4()), "gpt-4o", "intake", {"taken": 1}, "running")
    answers = [book.take(store.another(), batch, [item("Use PostgreSQL")], [activity]) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0][item("Use PostgreSQL").id].new
    assert store.one("select count(*) as n from decision_vault")["n"] == 1
    assert store.one("select count(*) as n, min(details ->> 'taken') as taken from agent_activity") == {
        "n": 1,
        "taken": "1",
    }


def test_the_same_words_in_another_batch_are_known(store: Store) -> None:
    taken(store, item("Use PostgreSQL for billing"))
    again = item("use  postgresql, for billing.")
    assert taken(store, again) == {again.id: Stand(ACCEPTED, new=False)}
    assert book.known(store.vault, [again, item("Other")]) == {again.id: Stand(ACCEPTED, new=False)}


def test_what_waits_goes_into_the_vault_when_it_is_said_more_clearly(store: Store) -> None:
    taken(store, item("Ship on Tuesdays", 0.4))
    sure, batch = item("Ship on Tuesdays!", 0.9), str(uuid.uuid4())
    for _ in range(2):
        assert taken(store, sure, batch=batch) == {sure.id: Stand(ACCEPTED, new=True)}
    assert store.one("select decision from decision_vault")["decision"] == "Ship on Tuesdays!"
    assert taken(store, item("ship on tuesdays", 0.3)) == {sure.id: Stand(ACCEPTED, new=False)}
    assert not list(book.listed(store.vault, REVIEW))


def test_what_was_retired_deleted_or_rejected_does_not_come_back(store: Store) -> None:
    retired, deleted, rejected = item("Retired"), item("Deleted"), item("Rejected", 0.1)
    taken(store, retired, deleted, rejected)
    store.db.execute("update decision_vault set active = false where id = %s", (retired.id,))
    store.db.execute("delete from decision_vault where id = %s", (deleted.id,))
    assert book.settle(store.vault, rejected.id, REJECTED) == Settled(REVIEW, retired=False)
    stands = taken(store, retired, deleted, item("Rejected", 0.95))
    assert {stand.new for stand in stands.values()} == {False}
    assert stands[rejected.id].state == REJECTED
    rows = store.db.execute("select decision, active from decision_vault").fetchall()
    assert rows == [{"decision": "Retired", "active": False}]


def test_a_decision_that_people_wrote_is_not_touched(store: Store) -> None:
    ours = item("Use PostgreSQL")
    store.db.execute("insert into decision_vault (id, decision) values (%s, 'Edited by hand')", (ours.id,))
    taken(store, ours)
    assert store.one("select decision from decision_vault")["decision"] == "Edited by hand"


def test_accepting_and_rejecting_can_be_repeated_and_undone(store: Store) -> None:
    one = item("Drop the API", 0.4)
    taken(store, one)
    assert book.settle(store.vault, one.id, ACCEPTED) == Settled(REVIEW, retired=False)
    assert book.settle(store.vault, one.id, ACCEPTED) == Settled(ACCEPTED, retired=False)
    assert store.one("select decision, active from decision_vault") == {"decision": "Drop the API", "active": True}
    assert book.settle(store.vault, one.id, REJECTED) == Settled(ACCEPTED, retired=True)
    assert store.one("select active from decision_vault")["active"] is False
    assert book.settle(store.vault, one.id, ACCEPTED).was == REJECTED
    assert store.one("select active from decision_vault")["active"] is True
    assert book.settle(store.vault, str(uuid.uuid4()), ACCEPTED) == Settled(None, retired=False)


def test_a_thousand_items_are_listed_whole_and_found_by_the_beginning_of_their_id(store: Store) -> None:
    items = [item(f"Decision number {number}") for number in range(1100)]
    for start in range(0, 1100, 500):
        taken(store, *items[start : start + 500])
    assert {brief.id for brief in book.briefs(store.vault)} == {each.id for each in items}
    wanted = items[7].id
    low, high = f"{wanted[:8]}-0000-0000-0000-000000000000", f"{wanted[:8]}-ffff-ffff-ffff-ffffffffffff"
    assert wanted in {kept.id for kept in book.listed(store.vault, ids=(low, high))}


def test_two_runs_with_the_same_items_in_another_order_add_each_once(store: Store) -> None:
    items = [item(f"Decision number {number}") for number in range(300)]
    answers: list[dict[str, Stand]] = []

    def take(these: list[Item]) -> None:
        answers.append(book.take(store.another(), str(uuid.uuid4()), these, []))

    threads = [threading.Thread(target=take, args=(these,)) for these in (items, items[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.one("select count(*) as n from decision_vault")["n"] == 300
    assert sum(stand.new for answer in answers for stand in answer.values()) == 300


def test_signs_of_all_kinds_survive(store: Store) -> None:
    text = 'Grüße "quoted" \\ back\nline 😀 \u2028 \x9b'
    taken(store, item(text))
    assert store.one("select decision from decision_vault")["decision"] == text
