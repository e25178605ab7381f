"""The Notion adapter: which database is meant, pages made once and only once, listings that leave nothing out."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.stores.conftest import OpenNotion
from utils.config import parse_notion_id
from utils.errors import ConfigError, ServiceError
from utils.local.notion import Fault, Sandbox
from utils.local.notion.wire import Answer, Request, Server
from utils.stores.notion import Listing, Notion
from utils.stores.notion_calls import CursorExpiredError, NotFoundError, NotionRefusalError, UnclearError
from utils.stores.notion_values import NAMES, TYPES

pytestmark = pytest.mark.usefixtures("quick")

ID = "0b5f0a51-7a3c-4d9e-9d9c-3f6f2f1c8a11"
MORNING = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def ids(listing: Listing) -> list[str]:
    """The ids of a listing's pages, which must not repeat, in an order of their own."""
    found = [page.id for page in listing.pages]
    assert len(set(found)) == len(found)
    return sorted(found)


def live(sandbox: Sandbox) -> list[str]:
    """The ids of the live pages."""
    return sorted(page["id"] for page in sandbox.control.pages())


def api(notion: Notion, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A request that the adapter itself never makes."""
    return notion.calls.call(method, path, body)


# --- which database


def test_a_database_a_data_source_and_their_urls_all_name_the_same(sandbox: Sandbox, open_notion: OpenNotion) -> None:
    source = open_notion().source()["id"]
    compact = sandbox.database_id.replace("-", "")
    link = parse_notion_id(f"https://www.notion.so/us/Decisions-{compact}?v={uuid.uuid4().hex}&pvs=4")
    for given in (sandbox.database_id, compact, source, source.replace("-", ""), link):
        assert open_notion(database_id=given or "").source()["id"] == source


def test_a_remembered_data_source_takes_one_request(sandbox: Sandbox, open_notion: OpenNotion) -> None:
    source = open_notion().source()["id"]
    notion = open_notion()
    assert notion.source(source)["id"] == source
    assert notion.requests == 1


def test_a_remembered_data_source_that_is_gone_gives_way_to_the_database_s_own(
    sandbox: Sandbox, open_notion: OpenNotion
) -> None:
    own = open_notion().source()
    assert open_notion().source("0123456789abcdef0123456789abcdef")["id"] == own["id"]


def test_a_database_with_several_data_sources_is_refused_and_they_are_named(
    sandbox: Sandbox, open_notion: OpenNotion
) -> None:
    notion = open_notion()
    parent = {"type": "database_id", "database_id": sandbox.database_id}
    title = [{"text": {"content": "Archive"}}]
    second = api(
        notion, "POST", "data_sources", {"parent": parent, "title": title, "properties": {"Name": {"title": {}}}}
    )
    first = open_notion(database_id=sandbox.database_id)
    with pytest.raises(ConfigError) as told:
        first.source()
    assert "has 2 data sources: " in str(told.value)
    assert f"Archive ({second['id']})" in str(told.value)
    assert str(told.value).endswith("Set NOTION_DATABASE_ID to the id of the one to sync.")
    assert open_notion(database_id=second["id"]).source()["id"] == second["id"]


def test_a_wrong_id_lists_the_databases_that_the_token_can_see(sandbox: Sandbox, open_notion: OpenNotion) -> None:
    for wrong in (str(uuid.uuid4()), sandbox.control.person_create({"Decision": "a page, no database"})):
        with pytest.raises(ConfigError) as told:
            open_notion(database_id=wrong).source()
        line = str(told.value)
        assert line.startswith(f"notion: database {wrong} not found. The token can see: ")
        assert f"Decisions ({sandbox.database_id})" in line
        assert sandbox.everything_id in line
        assert line.endswith("Set NOTION_DATABASE_ID, then run: python memory_sync.py --test.")


def test_an_unshared_database_is_not_found_by_whatever_id(sandbox: Sandbox, open_notion: OpenNotion) -> None:
    source = open_notion().source()["id"]
    sandbox.control.unshare(sandbox.database_id)
    for remembered in ("", source):
        with pytest.raises(ConfigError, match=f"database {sandbox.database_id} not found. The token can see: "):
            open_notion().source(remembered)
    sandbox.control.unshare(sandbox.everything_id)
    with pytest.raises(ConfigError, match="can see: none; share it with the integration first"):
        open_notion().source()


def test_of_many_databases_some_are_named(
    sandbox: Sandbox, open_notion: OpenNotion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.stores.notion.DATABASES_NAMED", 1)
    with pytest.raises(ConfigError, match=r"The token can see: [^,]+, 1 more\. Set"):
        open_notion(database_id=str(uuid.uuid4())).source()


@pytest.mark.parametrize("kind", ["databases", "data_sources"])
def test_a_trashed_database_is_told(sandbox: Sandbox, open_notion: OpenNotion, kind: str) -> None:
    notion = open_notion()
    source = notion.source()["id"]
    trashed = sandbox.database_id if kind == "databases" else source
    api(notion, "PATCH", f"{kind}/{trashed}", {"in_trash": True})
    with pytest.raises(ConfigError, match=f"^notion: database {trashed} lies in the trash. Restore it in Notion"):
        open_notion(database_id=trashed).source()


# --- properties


def test_missing_properties_are_made_and_the_title_keeps_its_name(sandbox: Sandbox, open_notion: OpenNotion) -> None:
    sandbox.control.rename_property("Decision", "Beschluss")
    notion = open_notion()
    assert notion.bind(notion.source(), {}).missing == ("date", "type", "active", "comment", "id")
    schema = notion.make_properties(notion.schema.missing)
    assert schema.missing == ()
    assert {name: schema.properties[name].name for name in NAMES} == {**NAMES, "decision": "Beschluss"}
    assert {name: schema.properties[name].type for name in NAMES} == TYPES
    again = open_notion()
    assert again.bind(again.source(), {}) == schema


@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "bound before"])
def test_renamed_properties_go_on_working(
    notion: Notion, sandbox: Sandbox, open_notion: OpenNotion, remembered: bool
) -> None:
    known = notion.schema.properties
    for name in NAMES.values():
        sandbox.control.rename_property(name, f"my {name}")
    if remembered:
        notion = open_notion()
        assert notion.bind(notion.source(), known).missing == ()
    made = notion.create({"decision": "D", "comment": "C", "date": "2026-03-01", "type": "t", "active": False}, ID)
    assert [page.content for page in notion.find([ID])] == [made.content]
    assert notion.edit(made.id, {"comment": "new"}).content.comment == "new"
    assert sandbox.control.values(made.id)["my Comment"] == "new"


def test_whether_a_database_is_empty(notion: Notion, sandbox: Sandbox) -> None:
    assert notion.is_empty()
    sandbox.control.person_create({})
    assert not notion.is_empty()


def test_before_the_decision_id_exists_nothing_is_found_and_a_full_minute_is_not_split(
    sandbox: Sandbox, open_notion: OpenNotion
) -> None:
    sandbox.control.set_clock(fixed=MORNING)
    made = sorted(sandbox.control.person_create({"Decision": "D"}) for _ in range(5))
    notion = open_notion()
    notion.bind(notion.source(), {})
    assert notion.find([ID]) == []
    assert ids(notion.everything()) == made
    sandbox.control.set_cap(3)
    listing = notion.everything()
    assert (listing.complete, len(ids(listing))) == (False, 3)


# --- one page, never two

UNCLEAR = {
    "500 before": Fault(500),
    "500 after": Fault(500, after=True),
    "409": Fault(409),
    "502 HTML": Fault(502, non_json=True),
    "504 after": Fault(504, after=True),
    "529 after": Fault(529, after=True, retry_after=0),
    "cut before": Fault(cut=True),
    "cut after": Fault(cut=True, after=True),
    "HTML with 200": Fault(non_json=True, after=True),
}


def creates(sandbox: Sandbox) -> int:
    """How many creates were sent."""
    return sum((one.method, one.path) == ("POST", "/v1/pages") for one in sandbox.control.requests())


def lookups(sandbox: Sandbox) -> int:
    """How many questions for a Decision ID were sent."""
    return sum(ID in json.dumps(one.body) for one in sandbox.control.requests() if one.path.endswith("/query"))


@pytest.mark.parametrize("fault", UNCLEAR.values(), ids=UNCLEAR)
def test_after_an_unclear_answer_the_page_is_looked_up_before_it_is_made_again(
    notion: Notion, sandbox: Sandbox, fault: Fault
) -> None:
    sandbox.control.arm(Fault(**{**vars(fault), "method": "POST", "path": "/pages$"}))
    made = notion.create({"decision": "Once"}, ID)
    assert (live(sandbox), made.decision_id, made.content.decision) == ([made.id], ID, "Once")
    assert (creates(sandbox), lookups(sandbox)) == ((1, 2) if fault.after else (2, 6))


def test_a_page_that_shows_late_is_waited_for(notion: Notion, sandbox: Sandbox) -> None:
    sandbox.control.arm(Fault(504, after=True, method="POST", path="/pages$"))
    sandbox.control.set_lag(60)
    show_late = Fault(skip=4, path="/query", call=lambda: sandbox.control.advance(120))
    sandbox.control.arm(show_late)
    made = notion.create({"decision": "Late"}, ID)
    assert live(sandbox) == [made.id]
    assert creates(sandbox) == 1


def test_a_page_that_a_person_trashed_meanwhile_is_found_in_the_bin(notion: Notion, sandbox: Sandbox) -> None:
    def trash() -> None:
        sandbox.control.person_trash(live(sandbox)[0])

    sandbox.control.arm(Fault(cut=True, after=True, call=trash, method="POST", path="/pages$"))
    made = notion.create({"decision": "Binned"}, ID)
    assert made.in_trash
    assert live(sandbox) == []
    assert creates(sandbox) == 1


@pytest.mark.parametrize(
    ("fault", "sent"), [(Fault(429, retry_after=0), 2), (Fault(400), 1), (Fault(401), 1), (Fault(404), 1)]
)
def test_a_definite_refusal_needs_no_look_up(notion: Notion, sandbox: Sandbox, fault: Fault, sent: int) -> None:
    sandbox.control.arm(Fault(**{**vars(fault), "method": "POST", "path": "/pages$"}))
    if sent == 1:
        with pytest.raises(ServiceError):
            notion.create({"decision": "Refused"}, ID)
    else:
        notion.create({"decision": "Later"}, ID)
    assert (creates(sandbox), lookups(sandbox), len(live(sandbox))) == (sent, 0, sent - 1)


def test_what_stays_unclear_is_said_and_not_made_a_third_time(notion: Notion, sandbox: Sandbox) -> None:
    sandbox.control.arm(Fault(503, method="POST", path="/pages$", count=0))
    with pytest.raises(UnclearError, match=r"^notion: POST pages answers 503"):
        notion.create({"decision": "Unclear"}, ID)
    assert (creates(sandbox), live(sandbox)) == (2, [])


@pytest.mark.parametrize("seed", range(3))
def test_whatever_goes_wrong_no_decision_gets_two_pages(notion: Notion, sandbox: Sandbox, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        fault = chance.choice(list(UNCLEAR.values()))
        sandbox.control.arm(Fault(**{**vars(fault), "skip": chance.randrange(3)}))
    wanted = [str(uuid.uuid4()) for _ in range(12)]
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(notion.create, {"decision": each}, each) for each in wanted]
    failed = [future.exception() for future in futures if future.exception()]
    assert all(isinstance(error, ServiceError) for error in failed)
    sandbox.control.disarm()
    found = [page.decision_id for page in notion.everything().pages]
    assert len(set(found)) == len(found)
    assert {each for each, future in zip(wanted, futures, strict=True) if not future.exception()} <= set(found)


def test_nothing_is_made_while_the_look_up_fails_or_leaves_something_out(notion: Notion, sandbox: Sandbox) -> None:
    sandbox.control.arm(Fault(cut=True, after=True, method="POST", path="/pages$"))
    sandbox.control.arm(Fault(500, path="/query", count=6))
    with pytest.raises(ServiceError, match="query answers 500"):
        notion.create({"decision": "Once"}, ID)
    assert creates(sandbox) == 1
    for _ in range(3):
        sandbox.control.person_create({"Decision ID": ID})
    sandbox.control.set_cap(2)
    with pytest.raises(ServiceError, match="did not list all pages"):
        notion.find([ID])


def test_pages_are_found_by_many_ids_the_live_ones_first(notion: Notion, sandbox: Sandbox) -> None:
    wanted = [str(uuid.uuid4()) for _ in range(150)]
    binned = sandbox.control.person_create({"Decision ID": wanted[0]})
    sandbox.control.person_trash(binned)
    first, last = (sandbox.control.person_create({"Decision ID": wanted[n]}) for n in (1, 149))
    sandbox.control.person_create({"Decision ID": str(uuid.uuid4())})
    sandbox.control.reset_requests()
    found = notion.find(wanted)
    assert [page.id for page in found if page.in_trash] == [binned] == [found[-1].id]
    assert {page.id for page in found[:-1]} == {first, last}
    assert sandbox.control.request_count() == 4


# --- edits and the bin


def test_only_the_fields_given_are_written(notion: Notion, sandbox: Sandbox) -> None:
    bold = {"rich_text": [{"type": "text", "text": {"content": "bold"}, "annotations": {"bold": True}}]}
    page = sandbox.control.person_create({"Decision": "D", "Comment": bold, "Type": "kept"})
    edited = notion.edit(page, {"decision": "New"})
    assert edited.extras["comment"][0]["annotations"]["bold"] is True
    assert (edited.content.decision, edited.content.type) == ("New", "kept")
    assert (edited.edited_by_us, edited.created_by_us) == (True, False)
    assert notion.edit(page, {}, decision_id=ID).decision_id == ID


def test_a_page_in_the_bin_is_taken_out_before_it_is_written_and_written_before_it_goes_in(
    notion: Notion, sandbox: Sandbox
) -> None:
    page = sandbox.control.person_create({"Decision": "D"})
    assert notion.edit(page, {"comment": "last words"}, in_trash=True).in_trash
    with pytest.raises(NotionRefusalError, match="refuses PATCH pages/"):
        notion.edit(page, {"comment": "too late"})
    back = notion.edit(page, {"decision": "Back"}, in_trash=False)
    assert (back.in_trash, back.content.decision, back.content.comment) == (False, "Back", "last words")
    assert notion.edit(page, {}, in_trash=True).in_trash
    assert not notion.edit(page, {}, in_trash=False).in_trash


def test_a_page_that_is_gone_is_none_to_read_and_an_error_to_write(notion: Notion, sandbox: Sandbox) -> None:
    page = sandbox.control.person_create({"Decision": "D"})
    sandbox.control.person_purge(page)
    assert notion.page(page) is None
    with pytest.raises(NotFoundError):
        notion.edit(page, {"decision": "E"})


def test_a_proxy_that_answers_404_does_not_make_a_page_gone(notion: Notion, sandbox: Sandbox) -> None:
    page = sandbox.control.person_create({"Decision": "D"})
    sandbox.control.arm(Fault(404, non_json=True))
    with pytest.raises(ServiceError, match="not as Notion does"):
        notion.page(page)


def test_a_bin_that_fits_is_exact_and_a_larger_one_is_asked_since_a_moment(notion: Notion, sandbox: Sandbox) -> None:
    sandbox.control.switch(trash_moves_stamp=True)
    sandbox.control.set_clock(fixed=MORNING)
    pages = [sandbox.control.person_create({"Decision": f"{n}"}) for n in range(101)]
    for page in pages[:100]:
        sandbox.control.person_trash(page)
    listing, exact = notion.trash()
    assert (ids(listing), exact) == (sorted(pages[:100]), True)
    assert all(page.in_trash for page in listing.pages)
    sandbox.control.advance(600)
    sandbox.control.person_trash(pages[100])
    listing, exact = notion.trash()
    assert (len(ids(listing)), exact) == (100, False)
    listing, exact = notion.trash(MORNING + timedelta(minutes=5))
    assert (ids(listing), listing.complete, exact) == ([pages[100]], True, False)


# --- listings


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("utils.stores.notion.PAGE_SIZE", 5)


def spread(sandbox: Sandbox, minutes: list[int], **properties: Any) -> list[str]:
    """Pages, so many in each minute from eight o'clock on."""
    made = []
    for n, count in enumerate(minutes):
        sandbox.control.set_clock(fixed=MORNING + timedelta(minutes=n, seconds=7))
        made += [
            sandbox.control.person_create({"Decision": f"{n} {m}", "Decision ID": str(uuid.uuid4()), **properties})
            for m in range(count)
        ]
    return made


@pytest.mark.usefixtures("small")
def test_all_pages_of_a_listing_are_read_and_a_repeated_one_is_there_once(notion: Notion, sandbox: Sandbox) -> None:
    made = spread(sandbox, [12, 11])
    sandbox.control.repeat([made[0], made[7]], count=4)
    listing = notion.everything()
    assert (ids(listing), listing.complete) == (sorted(made), True)
    sandbox.control.person_trash(made[3])
    assert made[3] not in ids(notion.everything())


@pytest.mark.usefixtures("small")
def test_changes_are_listed_from_a_moment_on_that_counts(notion: Notion, sandbox: Sandbox) -> None:
    made = spread(sandbox, [3, 7, 4])
    assert ids(notion.changed(MORNING + timedelta(minutes=1))) == sorted(made[3:])
    assert ids(notion.changed(MORNING + timedelta(minutes=2))) == sorted(made[10:])
    assert ids(notion.changed(MORNING + timedelta(hours=1))) == []


@pytest.mark.usefixtures("small")
def test_a_page_edited_while_changes_are_listed_hides_no_other(notion: Notion, sandbox: Sandbox) -> None:
    made = spread(sandbox, [5, 5, 5])
    sandbox.control.set_clock(fixed=MORNING + timedelta(minutes=9))
    edit = Fault(skip=1, path="/query", call=lambda: sandbox.control.person_edit(made[5], {"Comment": "now"}))
    sandbox.control.arm(edit)
    listing = notion.changed(MORNING)
    assert edit.spent
    assert (ids(listing), listing.complete) == (sorted(made), True)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("times", [1, 2])
def test_a_listing_whose_cursor_expires_is_begun_again(notion: Notion, sandbox: Sandbox, times: int) -> None:
    made = spread(sandbox, [18])
    sandbox.control.arm(Fault(skip=1, count=times, path="/query", call=sandbox.control.expire_cursors))
    assert ids(notion.everything()) == sorted(made)


@pytest.mark.usefixtures("small")
def test_cursors_that_always_expire_end_in_an_error_and_not_in_half_a_listing(notion: Notion, sandbox: Sandbox) -> None:
    spread(sandbox, [18])
    sandbox.control.arm(Fault(count=0, path="/query", contains="start_cursor", call=sandbox.control.expire_cursors))
    with pytest.raises(CursorExpiredError):
        notion.everything()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "minutes",
    [[7], [8], [3, 4, 2, 6, 5, 1], [1] * 20, [0, 7, 7, 7], [20], [1, 30, 2, 9, 25]],
    ids=["under", "at", "many minutes", "one each", "to the border", "one full", "full ones between"],
)
@pytest.mark.parametrize("which", ["everything", "changed", "bin"])
def test_the_cap_of_a_query_leaves_nothing_out(
    notion: Notion, sandbox: Sandbox, minutes: list[int], which: str
) -> None:
    made = spread(sandbox, minutes)
    if which == "bin":
        for page in made:
            sandbox.control.person_trash(page)
    sandbox.control.set_cap(8)
    if which == "bin":
        listing, _ = notion.trash(MORNING)
    else:
        listing = notion.everything() if which == "everything" else notion.changed(MORNING)
    assert (ids(listing), listing.complete) == (sorted(made), True)


@pytest.mark.usefixtures("small")
def test_a_full_minute_is_split_whatever_the_decision_ids_say(notion: Notion, sandbox: Sandbox) -> None:
    made = spread(sandbox, [20])
    for text in ("", "n/a", "00 01 02 06 0c 12 18 1e", "Not a uuid", "ZZ"):
        made.append(sandbox.control.person_create({"Decision": "D", "Decision ID": text}))
    sandbox.control.set_cap(8)
    listing = notion.everything()
    assert (ids(listing), listing.complete) == (sorted(made), True)


@pytest.mark.usefixtures("small")
def test_a_minute_that_cannot_be_split_is_told_as_incomplete(notion: Notion, sandbox: Sandbox) -> None:
    spread(sandbox, [2, 12, 3], **{"Decision ID": ""})
    sandbox.control.set_cap(8)
    listing = notion.everything()
    assert not listing.complete
    assert len(ids(listing)) >= 8


def test_a_page_left_out_of_a_listing_is_absent_and_readable(notion: Notion, sandbox: Sandbox) -> None:
    made = spread(sandbox, [3])
    sandbox.control.omit([made[1]])
    assert ids(notion.everything()) == sorted([made[0], made[2]])
    assert notion.page(made[1]) is not None


# --- listings that a broken service gives


@pytest.fixture
def told(notion: Notion, sandbox: Sandbox) -> Iterator[list[dict[str, Any]]]:
    """What a server answers to the adapter's next queries, one after the other, the last one for ever."""
    answers: list[dict[str, Any]] = []

    def respond(_request: Request) -> Answer:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return Answer(200, json.dumps({"object": "list", **answer}).encode(), {"Content-Type": "application/json"})

    server = Server(0, respond)
    notion.calls._client.client.base_url = f"http://127.0.0.1:{server.port}/v1/"
    yield answers
    server.close()


def rows(sandbox: Sandbox, count: int) -> list[dict[str, Any]]:
    """Pages as the service shows them."""
    sandbox.control.set_clock(fixed=MORNING)
    return [sandbox.control.page(sandbox.control.person_create({"Decision": "D"})) for _ in range(count)]


NOTHING: dict[str, Any] = {"results": [], "has_more": False, "next_cursor": None}
CAPPED = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}


def test_an_empty_answer_with_a_cursor_is_not_the_end(notion: Notion, sandbox: Sandbox, told: list[Any]) -> None:
    page, *_ = rows(sandbox, 1)
    told += [{"results": [], "has_more": True, "next_cursor": "a"}, {**NOTHING, "results": [page]}]
    assert notion.everything() == Listing([notion._read(page)])


@pytest.mark.parametrize(
    "answer",
    [
        {"has_more": True, "next_cursor": None},
        {"has_more": True, "next_cursor": "always the same"},
        {"has_more": False, "next_cursor": None, "request_status": CAPPED},
    ],
    ids=["more without a cursor", "cursors in a circle", "capped"],
)
@pytest.mark.parametrize("count", [0, 1])
def test_a_listing_that_cannot_go_on_is_incomplete(
    notion: Notion, sandbox: Sandbox, told: list[Any], answer: dict[str, Any], count: int
) -> None:
    pages = rows(sandbox, count)
    told.append({**answer, "results": pages})
    listing = notion.everything()
    assert (ids(listing), listing.complete) == ([page["id"] for page in pages], False)
    assert not notion.trash()[1]
    if count:
        with pytest.raises(ServiceError, match="did not list all pages"):
            notion.find([ID])


def test_a_status_that_says_complete_is_complete(notion: Notion, told: list[Any]) -> None:
    told.append({**NOTHING, "request_status": {"type": "complete"}})
    assert notion.everything().complete
    assert notion.trash() == (Listing([]), True)


def test_an_answer_without_results_is_no_empty_listing(notion: Notion, told: list[Any]) -> None:
    told.append({"has_more": False})
    for ask in (notion.everything, lambda: notion.changed(MORNING), notion.trash, notion.is_empty):
        with pytest.raises(ServiceError, match="no JSON of Notion's"):
            ask()


def test_the_data_sources_of_a_wiki_are_no_pages(notion: Notion, sandbox: Sandbox, told: list[Any]) -> None:
    page, *_ = rows(sandbox, 1)
    told.append({**NOTHING, "results": [{"object": "data_source", "id": "x"}, page]})
    assert ids(notion.everything()) == [page["id"]]


def test_a_text_that_is_not_shown_in_full_is_an_error(notion: Notion, sandbox: Sandbox, told: list[Any]) -> None:
    page, *_ = rows(sandbox, 1)
    page["properties"]["Comment"]["rich_text"] = [{"type": "mention", "plain_text": "m"}] * 25
    told.append({"results": [], "has_more": True, "next_cursor": None})
    with pytest.raises(ServiceError, match="came without the whole text"):
        notion._read(page)
