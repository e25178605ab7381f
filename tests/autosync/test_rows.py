"""What is told of a scan, in words a person reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from utils.autosync import rules
from utils.autosync.index import STAT, Change, Event, File
from utils.autosync.rows import Telling, shown
from utils.decision import FIELDS, unfit_for_notion

OLD = File(STAT.pack(0, 1234, 0, 0, 0), b"\xab" * 32)
NEW = File(STAT.pack(0, 5, 0, 0, 0), b"\xcd" * 32)
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
KEYS = rules.load(rules.DEFAULT).key


def telling(limit: int = 50, redact: Callable[[str], str] = str) -> Telling:
    """How it is told here."""
    return Telling("/srv/project", "host", NOW, limit, KEYS, redact)


@pytest.mark.parametrize(
    ("change", "title", "kind", "content"),
    [
        (
            Change(Event.MODIFIED, "README.md", OLD, NEW),
            "README.md was modified",
            "product",
            "Before: 1,234 bytes, SHA-256 abababababab…. Now: 5 bytes, SHA-256 cdcdcdcdcdcd….",
        ),
        (Change(Event.CREATED, "x/y.prompt.md", None, NEW), "x/y.prompt.md was created", "product", "Now: 5 bytes"),
        (Change(Event.DELETED, "schema.sql", OLD), "schema.sql was deleted", "architecture", "Before: 1,234 bytes"),
        (
            Change(Event.RENAMED, "b", OLD, OLD, "CLAUDE.md"),
            "CLAUDE.md was renamed to b",
            "process",
            "SHA-256 abababababab…",
        ),
    ],
    ids=["modified", "created", "deleted", "renamed"],
)
def test_a_change_of_a_key_file_is_a_decision_in_words(change: Change, title: str, kind: str, content: str) -> None:
    (row,) = telling().rows([change], "i", 1)
    decision = row["decision"]
    assert (decision["decision"], decision["type"], decision["date"]) == (title, kind, "2026-11-25")
    assert decision["comment"].startswith("Key file in /srv/project. ")
    assert content in decision["comment"]
    assert decision["comment"].endswith("Seen 2026-11-25 09:30 UTC on host.")


def test_every_change_is_a_line_with_whole_hashes() -> None:
    (row,) = telling().rows([Change(Event.MODIFIED, "src/main.py", OLD, NEW)], "i", 1)
    assert row["decision"] is None
    assert row["activity"] == {
        "id": row["activity"]["id"],
        "agent_name": "autosync_files",
        "action": "file modified",
        "status": "completed",
        "details": {
            "root": "/srv/project",
            "host": "host",
            "seen": "2026-11-25T09:30:00+00:00",
            "path": "src/main.py",
            "event": "modified",
            "key": False,
            "old": {"sha256": "ab" * 32, "size": 1234},
            "new": {"sha256": "cd" * 32, "size": 5},
        },
    }


def test_key_files_are_told_before_the_others_are_summed_up() -> None:
    changes = [Change(Event.CREATED, f"a{number}", None, NEW) for number in range(5)]
    rows = telling(limit=2).rows([*changes, Change(Event.CREATED, "z.prompt.md", None, NEW)], "i", 1)
    assert [row["activity"]["action"] for row in rows] == ["file created", "file created", "files summarized"]
    assert rows[0]["activity"]["details"]["path"] == "z.prompt.md"
    assert (rows[2]["activity"]["details"]["changes"], rows[2]["decision"]) == (4, None)


def test_ids_repeat_for_the_same_row_and_for_no_other() -> None:
    change = Change(Event.MODIFIED, "a", OLD, NEW)
    back = Change(Event.MODIFIED, "a", NEW, OLD)

    def ids(instance: str, serial: int, *changes: Change) -> list[str]:
        return [row["activity"]["id"] for row in telling(limit=1).rows(changes, instance, serial)]

    assert ids("i", 1, change, back) == ids("i", 1, change, back)
    others = [ids("i", 1, change), ids("i", 2, change), ids("j", 1, change), ids("i", 1, back)]
    assert len({each for some in others for each in some}) == 4


@pytest.mark.parametrize("path", ["a\nb\x07", "caf\udce9", "x" * 5000, "😀" * 4000, "a\u202eb"])
def test_any_path_is_text_that_vault_and_notion_hold(path: str) -> None:
    change = Change(Event.DELETED, f"{path}.prompt.md", OLD)
    (row,) = telling().rows([change], "i", 1)
    assert [unfit_for_notion(name, row["decision"].get(name)) for name in FIELDS] == [""] * 5
    assert shown(path).isprintable()
    assert len(shown(path)) <= 1001


def test_a_secret_in_a_path_is_not_told() -> None:
    rows = telling(redact=lambda text: text.replace("hunter2", "[REDACTED]")).rows(
        [Change(Event.RENAMED, "hunter2.prompt.md", OLD, OLD, "old-hunter2")], "i", 1
    )
    assert "hunter2" not in str(rows)


def test_a_first_scan_is_one_row() -> None:
    (row,) = telling().baseline(7, "the state was damaged", "i", 1)
    assert row["decision"] is None
    assert row["activity"]["action"] == "files baseline"
    assert (row["activity"]["details"]["files"], row["activity"]["details"]["note"]) == (7, "the state was damaged")
