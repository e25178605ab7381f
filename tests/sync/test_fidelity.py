"""What is written on one side stands on the other character by character, and only what was edited is written."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping
from typing import Any

import pytest

from tests.world import World
from utils.decision import TEXT_BYTES

UNITS = 2000
"""What Notion takes in one text item, in UTF-16 units."""

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
ACCENTED = "Zoë cafe\u0301 \u1100\u1161\u11a8 ﬁ Å"

TEXTS = {
    **{f"an emoji {-back} units from a border": "a" * (UNITS - back) + "🐘" + "b" * 10 for back in (0, 1, 2, 3)},
    "emoji on every border": ("🐘" * UNITS + "x") * 3,
    "joined emoji on a border": "a" * (UNITS - 4) + FAMILY * 300,
    "flags and skin tones": "🇩🇪🇯🇵👍🏽👩🏿‍🚀",
    "right to left": "שלום עולם — \u200fمرحبا بالعالم\u200e (1)",
    "tabs": "\tone\t\ttwo\t",
    "blanks around": "   leading and trailing   ",
    "lines": "\n\nfirst\n\n\nsecond\n",
    "composed": unicodedata.normalize("NFC", ACCENTED),
    "decomposed": unicodedata.normalize("NFD", ACCENTED),
    "invisible": "a\u00a0b\u2028c\u200bd\ufefe\ufeffe\U000e0041",
    "marks of other languages": '{"json": [null]} <b>&amp;</b> \\n %s $1 {{x}} \'"`',
}


def random_texts(count: int) -> list[str]:
    """Texts of any characters but surrogates and control characters."""
    chance = random.Random(5)
    planes = [(0x20, 0x7E), (0xA0, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF)]

    def sign() -> str:
        return chr(chance.randint(*chance.choice(planes)))

    return ["".join(sign() for _ in range(chance.choice([1, 30, 2500]))) for _ in range(count)]


def test_texts_go_either_way_character_by_character(world: World) -> None:
    world.furnish()
    texts = [*TEXTS.values(), *random_texts(10)]
    from_vault = {world.insert(f"{n} {text}"[:500], comment=text): text for n, text in enumerate(texts)}
    from_notion = {world.add_page(decision=f"{n} {text}"[:500], comment=text): text for n, text in enumerate(texts)}
    assert world.sync().problems == []
    for page in world.pages():
        text = from_vault.get(page.decision_id) or from_notion[page.id]
        assert page.content.comment == text
        assert page.content.decision.endswith(text[:200]) or len(text) > 200
    assert sorted(row.comment or "" for one, row in world.rows().items() if one not in from_vault) == sorted(texts)


def test_composed_and_decomposed_are_two_texts_and_none_turns_into_the_other(world: World) -> None:
    composed, decomposed = TEXTS["composed"], TEXTS["decomposed"]
    one = world.insert("In the vault", comment=composed)
    two = world.insert("In Notion", comment=composed)
    world.sync()
    world.update(one, comment=decomposed)
    world.edit(world.page_of(two), comment=decomposed)
    assert world.sync().counts["merged"] == 2
    assert {row.comment for row in world.rows().values()} == {decomposed}
    assert {page.content.comment for page in world.pages()} == {decomposed}


def test_no_request_is_over_500_kb_and_what_is_too_much_together_goes_in_two(world: World) -> None:
    one = world.insert("漢" * 60_000, comment='\n"\\' * 30_000 + "字" * 50_000)
    flagged = world.insert("Too long in bytes", comment="字" * (TEXT_BYTES // 3 + 1), type="goes on")
    report = world.sync()
    assert [line.split()[0] for line in report.problems] == [flagged]
    assert "bytes long, a request to Notion takes" in report.problems[0]
    assert world.sandbox.control.values(world.page_of(flagged))["Type"] == "goes on"
    sent = [len(each.raw) for each in world.sandbox.control.requests()]
    assert max(sent) <= 500_000
    assert sum(size > 150_000 for size in sent) == 2
    assert next(page.content for page in world.pages() if page.decision_id == one) == world.rows()[one]


# --- what only Notion holds

BOLD = [{"text": {"content": "bold "}, "annotations": {"bold": True}}, {"text": {"content": "and plain"}}]


def mentions(world: World, count: int) -> list[dict[str, Any]]:
    """A text with many mentions of a page."""
    aim = world.add_page(decision="Mentioned", active=True)
    parts = [({"mention": {"page": {"id": aim}}}, {"text": {"content": f" {n}; "}}) for n in range(count)]
    return [each for pair in parts for each in pair]


def shown(world: World, one: str) -> Mapping[str, Any]:
    """The properties of a decision's page as they are."""
    properties: Mapping[str, Any] = world.sandbox.control.page(world.page_of(one))["properties"]
    return properties


def test_formatting_times_and_mentions_survive_edits_of_other_fields_on_either_side(world: World) -> None:
    one = world.insert("Looked at", date="2026-03-01", comment="plain", type="ops")
    world.sync()
    world.calm()
    timed = {"start": "2026-03-01T10:30:00.000+02:00", "end": "2026-03-02T10:30:00.000+02:00"}
    world.sandbox.control.person_edit(
        world.page_of(one), {"Comment": {"rich_text": [*BOLD, *mentions(world, 30)]}, "Date": {"date": timed}}
    )
    assert world.sync().problems == []
    text = world.rows()[one].comment or ""
    assert text.startswith("bold and plain")
    assert text.endswith(" 29; ")
    before = shown(world, one)
    world.update(one, type="process", decision="Looked at again")
    world.sync()
    world.edit(world.page_of(one), active=False)
    world.sync()
    after = shown(world, one)
    assert after["Type"]["select"]["name"] == "process"
    assert {name: after[name] for name in ("Comment", "Date")} == {name: before[name] for name in ("Comment", "Date")}
    assert (world.row(one)["active"], str(world.row(one)["date"]), world.row(one)["comment"]) == (
        False,
        "2026-03-01",
        text,
    )


# --- what a side cannot take


def test_a_field_with_a_control_character_is_flagged_on_either_side_and_the_rest_goes_on(world: World) -> None:
    world.furnish()
    row = world.insert("In the vault", comment="escape \x1b[31m", type="goes on")
    page = world.add_page(decision="In Notion", comment="nul \x00 inside", type="goes on", active=True)
    first = world.sync()
    assert len(first.problems) == 2
    assert any("U+001B" in line for line in first.problems)
    assert any("U+0000" in line for line in first.problems)
    made = next(one for one in world.rows() if one != row)
    assert (world.rows()[made].type, world.rows()[made].comment) == ("goes on", None)
    assert world.sandbox.control.values(world.page_of(row))["Type"] == "goes on"
    assert world.sandbox.control.values(page)["Comment"] == "nul \x00 inside"
    world.edit(page, comment="nul \x00 again", date="2026-01-01")
    world.update(made, decision="Renamed in the vault")
    assert len(world.sync().problems) == 2
    assert (str(world.row(made)["date"]), world.rows()[made].comment) == ("2026-01-01", None)
    assert world.sandbox.control.values(page)["Decision"] == "Renamed in the vault"
    world.update(row, comment="escape no more")
    world.edit(page, comment="none inside")
    assert world.sync().problems == []
    assert world.rows()[made].comment == "none inside"


def test_a_title_or_an_option_with_a_nul_stops_nobody_else(world: World) -> None:
    world.furnish()
    title = world.add_page(decision="nul \x00 title", active=True)
    option = world.add_page(decision="Typed", type="nul\x00type", comment="goes on", active=True)
    beside = world.insert("Beside them")
    report = world.sync()
    assert (report.counts["copied"], report.counts["flagged"], report.counts["failed"]) == (2, 2, 0)
    assert {row.comment for row in world.rows().values()} == {"goes on", None}
    assert world.row(beside)["synced"]
    world.edit(title, decision="A title")
    world.edit(option, type="a type")
    assert world.sync().problems == []


TYPES: dict[str, tuple[str, str]] = {
    "a comma": ("one, two", "holds a comma, which no option in Notion can"),
    "a control character": ("one\x07two", "holds the control character U+0007"),
}


@pytest.mark.parametrize(("value", "why"), TYPES.values(), ids=TYPES)
def test_a_type_that_notion_cannot_hold_is_refused_by_name_and_stays_as_it_is(
    world: World, value: str, why: str
) -> None:
    one = world.insert("Typed", type="fine", comment="base")
    world.sync()
    world.update(one, type=value, comment="goes on")
    report = world.sync()
    assert [line.partition(": ")[2] for line in report.problems] == [
        f"type {why}: not copied to Notion, the other fields go on"
    ]
    values = world.sandbox.control.values(world.page_of(one))
    assert (values["Type"], values["Comment"], world.rows()[one].type) == ("fine", "goes on", value)


def test_a_type_over_50_characters_is_refused_by_name_and_50_are_not(world: World) -> None:
    world.furnish()
    fits = world.add_page(decision="Fits", type="é" * 50, active=True)
    world.add_page(decision="Does not", type="é" * 51, comment="goes on", active=True)
    report = world.sync()
    assert len(report.problems) == 1
    assert "type is 51 characters long, the vault takes 50" in report.problems[0]
    rows = {row.decision: row for row in world.rows().values()}
    assert (rows["Fits"].type, rows["Does not"].type, rows["Does not"].comment) == ("é" * 50, None, "goes on")
    assert world.sandbox.control.values(fits)["Type"] == "é" * 50


# --- what is empty


def test_what_is_null_empty_or_left_out_stays_that_and_never_echoes(world: World) -> None:
    world.furnish()
    empties: list[dict[str, Any]] = [
        {"comment": None, "type": None, "date": None, "active": None},
        {"comment": "", "type": "", "date": None, "active": True},
        {},
    ]
    ids = [world.insert(f"Row {n}", **columns) for n, columns in enumerate(empties)]
    page = world.add_page(decision="Page with a title only")
    world.sync()
    raw = "select id::text, comment, type, date, active from decision_vault order by id"
    before = world.db.execute(raw).fetchall()
    taken = next(row for row in before if row["id"] not in ids)
    assert (taken["comment"], taken["type"], taken["date"], taken["active"]) == (None, None, None, False)
    for full in (False, True):
        report = world.sync(full=full)
        assert not report.wrote, report.lines
    for one in ids:
        world.edit(world.page_of(one), decision="Titled anew")
    world.edit(page, decision="Titled anew")
    assert world.sync().counts["merged"] == 4
    assert world.db.execute(raw).fetchall() == before
    assert {name: value for name, value in world.sandbox.control.values(page).items() if name != "Decision ID"} == {
        "Decision": "Titled anew",
        "Date": "",
        "Type": "",
        "Active": "No",
        "Comment": "",
    }
