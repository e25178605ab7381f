"""The vault's decisions as a file: JSON, JSON Lines, CSV or Markdown, in one order, replaced atomically."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from utils.files import write_atomic

COLUMNS = ("id", "decision", "date", "type", "active", "comment", "synced", "created_at", "updated_at")
_MARKS = re.compile(r"[\\`*_\[\]~]")


def export(rows: Iterable[Mapping[str, Any]], form: str, folder: Path) -> tuple[Path, int]:
    """Writes `decisions.<form>` into a folder; answers its path and the number of decisions.

    Args:
        rows: rows of `decision_vault` as JSON has them.
        form: one of `FORMS`.
        folder: made when it is missing.
    """
    ordered = sorted(rows, key=lambda row: (row.get("date") or "", row.get("created_at") or "", row["id"]))
    path = folder / f"decisions.{form}"
    write_atomic(path, FORMS[form](ordered))
    return path, len(ordered)


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps([_known(row) for row in rows], ensure_ascii=False, indent=2) + "\n"


def _jsonl(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(_known(row), ensure_ascii=False) + "\n" for row in rows)


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """RFC 4180; a cell that a spreadsheet would take for a formula gets a ' in front."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in COLUMNS])
    return out.getvalue()


def _markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["# Decisions", "", "| Date | Decision | Type | Active | Comment | ID |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = (row.get("date"), row.get("decision"), row.get("type"), _yes(row.get("active")), row.get("comment"))
        lines.append("| " + " | ".join(_inline(cell) for cell in (*cells, row["id"])) + " |")
    return "\n".join(lines) + "\n"


FORMS: Mapping[str, Callable[[Sequence[Mapping[str, Any]]], str]] = {
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
    "md": _markdown,
}


def _known(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with our columns first, in their order."""
    return {name: row.get(name) for name in COLUMNS} | {name: row[name] for name in row if name not in COLUMNS}


def _cell(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _yes(active: bool | None) -> str:
    return "no" if active is False else "yes"


def _inline(value: Any) -> str:
    """A value in a table's cell, shown as it is: no bar, no line break, no HTML or Markdown of its own."""
    text = html.escape(str(value), quote=False) if value is not None else ""
    return "<br>".join(_MARKS.sub(r"\\\g<0>", text).replace("|", "&#124;").splitlines())
