"""Notion's JSON to our values and back: texts character by character, dates, formatting, and the properties found."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.decision import ITEM_UNITS, split_text, utf16_units
from utils.errors import ServiceError
from utils.local.notion import Fault, Sandbox
from utils.stores.notion import Notion
from utils.stores.notion_values import (
    NAMES,
    TYPES,
    Property,
    read_schema,
    still_there,
    text_items,
)

pytestmark = pytest.mark.usefixtures("quick")

DECISION_ID = "0b5f0a51-7a3c-4d9e-9d9c-3f6f2f1c8a11"
SIGNS = st.characters(exclude_categories=["Cs"])

TEXTS = {
    "arabic, right to left": "\u200fالقرار: نعم \u2067١٢٣\u2069 و \u200eabc",
    "hebrew with vowels": "הַחְלָטָה\u05be\u05d1",
    "family of joined emoji": "👩\u200d👩\u200d👧\u200d👦 and 🏳\ufe0f\u200d🌈 👍🏽",
    "flags": "🇩🇪🇫🇷",
    "tabs and leading blanks": "\t  two, then\ttab  \n  next ",
    "line ends": "a\nb\r\nc\rd",
    "composed": unicodedata.normalize("NFC", "Å ñ ô 한국"),
    "decomposed": unicodedata.normalize("NFD", "Å ñ ô 한국"),
    "no-break and wide blanks": "\u00a0a\u2003b\u3000\u200b",
    "quotes and markup": "\"'`<b>**not bold**</b>` \\n {} %s",
    "beyond the basic plane": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎𠜱",
    "next to the surrogates": "\ud7ff\ue000\ufffd\uffff",
}


# --- splitting


@given(st.text(SIGNS, max_size=400), st.integers(2, 50))
def test_parts_join_to_the_text_and_none_is_too_long(text: str, limit: int) -> None:
    parts = list(split_text(text, limit))
    assert "".join(parts) == text
    assert all(0 < utf16_units(part) <= limit for part in parts)
    assert all(utf16_units(part) >= limit - 1 for part in parts[:-1]), "no part is shorter than it has to be"


@settings(max_examples=30)
@given(st.lists(st.sampled_from("aé한😀𠜎"), min_size=1, max_size=40), st.integers(1, 199_000))
def test_a_long_text_fits_into_a_hundred_items(signs: list[str], units: int) -> None:
    text = "".join(signs)
    text = (text * (units // utf16_units(text) + 1))[: units // 2]
    items = text_items(text)
    assert len(items) <= 100
    assert all(utf16_units(item["text"]["content"]) <= ITEM_UNITS for item in items)


@pytest.mark.parametrize("before", range(4))
def test_no_part_ends_inside_a_surrogate_pair(before: int) -> None:
    parts = list(split_text("x" * (ITEM_UNITS - before) + "😀" * 1500))
    assert [part.encode("utf-16", "strict").decode("utf-16") for part in parts] == parts
    assert utf16_units(parts[0]) == ITEM_UNITS - before % 2


def test_an_empty_text_is_no_item() -> None:
    assert (list(split_text("")), text_items("")) == ([], [])


# --- through the service


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_come_back_character_by_character(notion: Notion, text: str) -> None:
    made = notion.create({"decision": text, "comment": text * 3}, DECISION_ID)
    read = notion.page(made.id)
    assert read is not None
    assert (read.content.decision, read.content.comment) == (text, text * 3)
    assert (made.content, read.decision_id, read.extras) == (read.content, DECISION_ID, {})


def test_emoji_on_every_border_of_a_long_text_come_back_whole(notion: Notion, sandbox: Sandbox) -> None:
    text = ("x" * (ITEM_UNITS - 1) + "😀") * 20 + "end"
    made = notion.create({"decision": "long", "comment": text}, DECISION_ID)
    assert made.content.comment == text
    runs = sandbox.control.page(made.id)["properties"]["Comment"]["rich_text"]
    assert [utf16_units(run["plain_text"]) for run in runs[:2]] == [1999, 2000]


def test_all_fields_come_back_and_none_says_none(notion: Notion) -> None:
    fields: dict[str, Any] = {"decision": "D", "date": "2026-02-28", "type": "policy", "active": False, "comment": "C"}
    made = notion.create(fields, DECISION_ID)
    assert made.content.image() == fields
    cleared = notion.edit(made.id, {"date": None, "type": None, "comment": None, "active": None})
    assert cleared.content.image() == {"decision": "D", "date": None, "type": None, "active": True, "comment": None}
    assert notion.edit(made.id, {"comment": ""}).content.comment is None


def text_run(content: str, **annotations: Any) -> dict[str, Any]:
    """A run as a client sends it."""
    return {"type": "text", "text": {"content": content}, "annotations": annotations}


def test_all_runs_of_a_text_are_joined_and_formatting_is_kept_as_an_extra(notion: Notion, sandbox: Sandbox) -> None:
    page = sandbox.control.person_create(
        {
            "Decision": {"title": [text_run("plain, "), text_run("plain")]},
            "Comment": {"rich_text": [text_run("a "), text_run("bold", bold=True), text_run(" end")]},
        }
    )
    read = notion.page(page)
    assert read is not None
    assert (read.content.decision, read.content.comment) == ("plain, plain", "a bold end")
    assert list(read.extras) == ["comment"]
    assert read.extras["comment"][1]["annotations"]["bold"] is True


@pytest.mark.parametrize(
    "run",
    [
        {"type": "text", "text": {"content": "x", "link": {"url": "https://example.org"}}},
        {"type": "equation", "equation": {"expression": "x"}},
        text_run("x", color="red"),
    ],
    ids=["link", "equation", "colour"],
)
def test_what_is_more_than_plain_text_is_an_extra(notion: Notion, sandbox: Sandbox, run: dict[str, Any]) -> None:
    read = notion.page(sandbox.control.person_create({"Comment": {"rich_text": [run]}}))
    assert read is not None
    assert read.content.comment == "x"
    assert read.extras["comment"]


@pytest.mark.parametrize("mentions", [24, 25, 26, 50])
def test_a_text_with_many_mentions_is_read_in_full(
    notion: Notion, sandbox: Sandbox, mentions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.stores.notion.PAGE_SIZE", 7)
    page = sandbox.control.person_create({"Decision": "mentioned"})
    mention = {"type": "mention", "mention": {"type": "page", "page": {"id": page}}}
    runs = [each for n in range(mentions) for each in (mention, text_run(f" {n} "))]
    long = sandbox.control.person_create({"Decision": "long", "Comment": {"rich_text": runs}})
    read = notion.page(long)
    listed = {each.id: each for each in notion.everything().pages}[long]
    assert read is not None
    assert read.content.comment == listed.content.comment == "".join(f"mentioned {n} " for n in range(mentions))


@pytest.mark.parametrize(
    ("date", "day"),
    [
        ({"start": "2026-03-01"}, "2026-03-01"),
        ({"start": "2026-03-01", "end": "2026-03-04"}, "2026-03-01"),
        ({"start": "2026-03-01T23:30:00+09:00"}, "2026-03-01"),
        ({"start": "2026-03-01T00:10:00-11:00"}, "2026-03-01"),
        ({"start": "2026-03-01T23:30:00", "time_zone": "America/New_York"}, "2026-03-01"),
    ],
)
def test_a_date_is_its_calendar_day_and_what_it_says_besides_is_an_extra(
    notion: Notion, sandbox: Sandbox, date: dict[str, str], day: str
) -> None:
    read = notion.page(sandbox.control.person_create({"Decision": "D", "Date": {"date": date}}))
    assert read is not None
    assert read.content.date == day
    assert bool(read.extras) == (len(date) > 1 or len(date["start"]) > 10)
    assert all(raw["start"].startswith(day) for raw in read.extras.values())


# --- incomplete answers


def shown(notion: Notion, sandbox: Sandbox) -> tuple[dict[str, Any], Any]:
    """A page as the service shows it, and how it is read."""
    page = sandbox.control.person_create({"Decision": "D", "Comment": "C"})
    return notion.calls.get(f"pages/{page}"), notion._read


def test_a_page_that_lacks_a_property_is_no_page_with_an_empty_value(notion: Notion, sandbox: Sandbox) -> None:
    data, read = shown(notion, sandbox)
    del data["properties"]["Comment"]
    with pytest.raises(ServiceError, match="came without rich_text 'Comment'"):
        read(data)
    del data["properties"]
    with pytest.raises(ServiceError, match="came without"):
        read(data)


def test_a_property_retyped_while_the_run_goes_on_is_not_read_as_what_it_was(notion: Notion, sandbox: Sandbox) -> None:
    page = sandbox.control.person_create({"Decision": "D", "Date": "2026-03-01"})
    sandbox.control.retype_property("Date", "rich_text")
    with pytest.raises(ServiceError, match="came without date 'Date'"):
        notion.page(page)


def test_a_page_under_another_parent_is_read_and_is_not_at_home(notion: Notion, sandbox: Sandbox) -> None:
    page = sandbox.control.person_create({"Decision": "D", "Comment": "C"})
    sandbox.control.person_move(page)
    read = notion.page(page)
    assert read is not None
    assert (read.at_home, read.content.decision, read.content.comment) == (False, "D", None)


@pytest.mark.parametrize("fault", [Fault(500, path="/properties/"), Fault(cut=True, path="/properties/")])
def test_the_rest_of_a_text_is_asked_for_again(notion: Notion, sandbox: Sandbox, fault: Fault) -> None:
    page = sandbox.control.person_create({"Decision": "m"})
    mention = {"type": "mention", "mention": {"type": "page", "page": {"id": page}}}
    long = sandbox.control.person_create({"Comment": {"rich_text": [mention] * 30}})
    sandbox.control.arm(Fault(**vars(fault)))
    read = notion.page(long)
    assert read is not None
    assert read.content.comment == "m" * 30


# --- the properties

KINDS = sorted({*TYPES.values(), "number"})


def source(**properties: tuple[str, str]) -> dict[str, Any]:
    """A data source with properties: name to (id, type)."""
    shown = {
        name: {"id": each, "name": name, "type": kind, kind: {"options": []}}
        for name, (each, kind) in properties.items()
    }
    return {"id": "source", "title": [{"plain_text": "Decisions"}], "properties": shown}


STANDARD = {name: (f"id{n}", TYPES[name]) for n, name in enumerate(NAMES)}


def database(**changes: tuple[str, str] | None) -> dict[str, Any]:
    """A data source with the standard properties, changed by field; a key with `=` renames: `type=Kind`."""
    found = {NAMES[name]: each for name, each in STANDARD.items()}
    for name, value in changes.items():
        field, _, renamed = name.partition("__")
        old = found.pop(NAMES[field])
        if value is not None or renamed:
            found[renamed or NAMES[field]] = value or old
    return source(**found)


KNOWN = {name: Property(each, NAMES[name], kind) for name, (each, kind) in STANDARD.items()}


def test_a_new_database_gives_its_properties_by_name_and_type() -> None:
    schema = read_schema(database(), {})
    assert schema.properties == KNOWN
    assert (schema.title, schema.missing) == ("Decisions", ())


def test_a_renamed_property_is_found_by_its_id_and_not_by_what_took_its_name() -> None:
    found = database(comment__Notes=None)
    found["properties"]["Comment"] = {"id": "new", "name": "Comment", "type": "rich_text", "rich_text": {}}
    assert read_schema(found, KNOWN).properties["comment"] == Property("id4", "Notes", "rich_text")


def test_the_title_is_found_whatever_its_name() -> None:
    assert read_schema(database(decision__Beschluss=None), {}).properties["decision"].name == "Beschluss"


@pytest.mark.parametrize("field", [name for name in NAMES if name != "decision"])
def test_a_retyped_property_is_given_as_it_is_now_and_a_removed_one_is_missing(field: str) -> None:
    retyped = read_schema(database(**{field: (STANDARD[field][0], "number")}), KNOWN)
    assert retyped.properties[field].type == "number"
    removed = read_schema(database(**{field: None}), KNOWN)
    assert removed.missing == (field,)


@pytest.mark.parametrize("field", [name for name in NAMES if name != "decision"])
def test_a_property_of_the_name_and_another_type_is_not_ours(field: str) -> None:
    schema = read_schema(database(**{field: ("other", "number")}), {})
    assert field not in schema.properties
    assert schema.types[NAMES[field]] == "number", "so that its name can be told"


def test_a_removed_property_made_anew_by_a_person_is_not_taken_for_the_old_one() -> None:
    found = database(comment=("new", "rich_text"))
    assert read_schema(found, KNOWN).missing == ("comment",)
    assert read_schema(found, still_there(KNOWN, found)).properties["comment"].id == "new"
