"""Exports: one order, whole or not at all, and nothing in a decision's text can act in the program that opens it."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from utils.errors import AnglesError
from utils.export import COLUMNS, FORMS, export
from utils.local.examples import examples
from utils.stores.base import Vault
from utils.stores.postgres import PostgresTransport

HOSTILE = {
    "formula": '=HYPERLINK("http://x","y")',
    "plus": "+1+1",
    "minus": "-2+3",
    "at": "@SUM(A1)",
    "tab": "\t=1",
    "return": "\r=1",
    "pipe": "a | b \\| c \\\\| d",
    "html": "<script>alert(1)</script> &lt; & <b>",
    "newlines": "one\ntwo\r\nthree\rfour",
    "quotes": '"a" \'b\' `c` ""',
    "markdown": "[x](javascript:alert(1)) ![i](http://t) *a* _b_ **c** ~~d~~ `e` # f",
    "comma": "a,b;c",
    "every script": "Übersicht · 毎週 · 🗓️ · עברית",
}


def row(number: int = 1, **values: Any) -> dict[str, Any]:
    made = {"id": f"{number:08d}-0000-4000-8000-000000000000", "decision": f"d{number}", "date": "2026-01-02"}
    rest = {"type": "other", "active": True, "comment": None, "synced": False}
    return {**made, **rest, "created_at": "2026-01-02T03:04:05+00:00", "updated_at": None, **values}


def text(rows: list[dict[str, Any]], form: str, folder: Path) -> str:
    path, count = export(rows, form, folder)
    assert (path.name, count) == (f"decisions.{form}", len(rows))
    return path.read_bytes().decode("utf-8")


def table(markdown: str) -> list[list[str]]:
    """The cells of the one table that a Markdown reader sees: their text, line breaks as such."""
    cells: list[list[str]] = []
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown):
        if token.type == "tr_open":
            cells.append([])
        if token.type == "inline" and cells:
            kinds = {child.type for child in token.children or []}
            breaks = [child.content for child in token.children or [] if child.type == "html_inline"]
            assert kinds <= {"text", "text_special", "html_inline"}, kinds
            assert set(breaks) <= {"<br>"}
            parts = ("\n" if child.type == "html_inline" else child.content for child in token.children or [])
            cells[-1].append("".join(parts))
    return cells


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_vault_has_an_export_too(form: str, tmp_path: Path) -> None:
    content = text([], form, tmp_path / "made" / "on demand")
    assert (
        content
        == {
            "json": "[]\n",
            "jsonl": "",
            "csv": ",".join(COLUMNS) + "\r\n",
            "md": "# Decisions\n\n| Date | Decision | Type | Active | Comment | ID |\n|---|---|---|---|---|---|\n",
        }[form]
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_order_is_that_of_date_then_making_then_id_whatever_order_rows_come_in(form: str, tmp_path: Path) -> None:
    later = "2026-01-02T03:04:05.5+00:00"
    rows = [
        row(5, date=None),
        row(4, date="2025-12-31"),
        row(1),
        row(2),
        row(3, created_at=later),
        row(6, date="2026-01-03", created_at=None),
    ]
    content = text(rows, form, tmp_path)
    places = [content.index(f"d{number}") for number in (5, 4, 1, 2, 3, 6)]
    assert places == sorted(places)
    assert text(rows[::-1], form, tmp_path) == content


def test_json_keeps_everything_with_our_columns_first_and_unknown_ones_after(tmp_path: Path) -> None:
    rows = [{"project": "p", **row(), "extra": {"a": [1, None]}}]
    whole, lines = json.loads(text(rows, "json", tmp_path)), text(rows, "jsonl", tmp_path).splitlines()
    assert whole == rows
    assert list(whole[0]) == [*COLUMNS, "project", "extra"]
    assert [json.loads(line) for line in lines] == rows


def test_a_column_that_the_vault_lacks_is_null(tmp_path: Path) -> None:
    assert json.loads(text([{"id": "x", "decision": "d"}], "json", tmp_path))[0]["comment"] is None
    assert table(text([{"id": "x", "decision": "d"}], "md", tmp_path))[1] == ["", "d", "", "yes", "", "x"]


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_stays_a_text(value: str, tmp_path: Path) -> None:
    rows = [row(decision=value, comment=value, type=value[:50])]
    assert json.loads(text(rows, "json", tmp_path)) == rows
    assert [json.loads(line) for line in text(rows, "jsonl", tmp_path).split("\n")[:-1]] == rows
    cells = list(csv.reader(io.StringIO(text(rows, "csv", tmp_path), newline="")))
    assert [len(line) for line in cells] == [len(COLUMNS)] * 2
    shown = cells[1][COLUMNS.index("decision")]
    assert shown.removeprefix("'") == value
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    seen = table(text(rows, "md", tmp_path))[1][1]
    assert seen.strip() == value.replace("\r\n", "\n").replace("\r", "\n").strip()


@given(
    st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from("|\\`*_[]()<>&#~!=+-@'\" :x"), max_size=40)
)
def test_any_text_is_one_cell_of_a_table_and_reads_as_it_is(value: str) -> None:
    shown = " ".join(value.split())
    seen = table(FORMS["md"]([row(decision=shown)]))
    assert seen[1][1] == shown
    assert [len(cells) for cells in seen] == [6, 6]
    lines = list(csv.reader(io.StringIO(FORMS["csv"]([row(comment=value)]), newline="")))
    assert lines[1][COLUMNS.index("comment")].removeprefix("'") == value.removeprefix("'")


def test_csv_says_true_false_and_nothing(tmp_path: Path) -> None:
    content = text([row(active=None, synced=True), row(2, active=False, comment="")], "csv", tmp_path)
    first, second = list(csv.DictReader(io.StringIO(content, newline="")))
    assert (first["active"], first["synced"], first["comment"]) == ("", "true", "")
    assert second["active"] == "false"


def test_a_read_that_fails_leaves_the_export_of_before(tmp_path: Path) -> None:
    def rows() -> Any:
        yield row(2)
        raise AnglesError("vault", "went away")

    before = text([row()], "csv", tmp_path)
    with pytest.raises(AnglesError):
        export(rows(), "csv", tmp_path)
    assert (tmp_path / "decisions.csv").read_bytes().decode() == before
    assert [path.name for path in tmp_path.iterdir()] == ["decisions.csv"]


def test_what_the_vault_holds_is_exported_as_it_is(dsn: str, tmp_path: Path) -> None:
    vault = Vault(PostgresTransport(dsn))
    made = {**examples()[0], "comment": HOSTILE["newlines"], "date": "0044-03-15 BC"}
    assert vault.add([made, *examples()[1:]]) == len(examples())
    assert vault.add(examples()) == 0, "their ids are fixed"
    content = json.loads(text(list(vault.rows()), "json", tmp_path))
    vault.close()
    found = {each["id"]: each for each in content}
    assert {name: found[made["id"]][name] for name in made} == made
    assert len(found) == len(examples())
    stamps = [datetime.fromisoformat(each["created_at"]) for each in content]
    assert all(datetime.now(UTC) - stamp < timedelta(minutes=5) for stamp in stamps)
