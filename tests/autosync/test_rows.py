"""What is told of a scan, in words a person reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from utils.autosync import rules
from utils.autosync.index import STAT, Change, Event, File
from utils.autosync.rows import Row, Telling, shown
from utils.decision import FIELDS, unfit_for_notion

OLD = File(STAT.pack(0, 1234, 0, 0, 0), b"\xab" * 32)
NEW = File(STAT.pack(0, 5, 0, 0, 0), b"\xcd" * 32)
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
KEYS = rules.load(rules.DEFAULT).key


def told(
    *changes: Change, limit: int = 50, redact: Callable[[str], str] = str, instance: str = "i", serial: int = 1
) -> list[Row]:
    """The rows of these changes."""
    telling = Telling("host", NOW, limit, KEYS, redact)
    return telling.rows({}, [("/srv/project", change) for change in changes], instance, serial)


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
    (row,) = told(change)
    decision = row["decision"]
    assert (decision["decision"], decision["type"], decision["date"]) == (title, kind, "2026-11-25")
    assert decision["comment"].startswith("Key file in /srv/project. ")
    assert content in decision["comment"]
    assert decision["comment"].endswith("Seen 2026-11-25 09:30 UTC on host.")


def test_every_change_is_a_line_with_whole_hashes() -> None:
    (row,) = told(Change(Event.MODIFIED, "src/main.py", OLD, NEW))
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
    rows = told(*changes, Change(Event.CREATED, "z.prompt.md", None, NEW), limit=2)
    assert [row["activity"]["action"] for row in rows] == ["file created", "file created", "files summarized"]
    assert rows[0]["activity"]["details"]["path"] == "z.prompt.md"
    assert (rows[2]["activity"]["details"]["changes"], rows[2]["decision"]) == (4, None)


def test_ids_repeat_for_the_same_row_and_for_no_other() -> None:
    change = Change(Event.MODIFIED, "a", OLD, NEW)
    back = Change(Event.MODIFIED, "a", NEW, OLD)

    def ids(instance: str, serial: int, *changes: Change) -> list[str]:
        return [row["activity"]["id"] for row in told(*changes, limit=1, instance=instance, serial=serial)]

    assert ids("i", 1, change, back) == ids("i", 1, change, back)
    others = [ids("i", 1, change), ids("i", 2, change), ids("j", 1, change), ids("i", 1, back)]
    assert len({each for some in others for each in some}) == 4


@pytest.mark.parametrize("path", ["a\nb\x07", "caf\udce9", "x" * 5000, "😀" * 4000, "a\u202eb"])
def test_any_path_is_text_that_vault_and_notion_hold(path: str) -> None:
    change = Change(Event.DELETED, f"{path}.prompt.md", OLD)
    (row,) = told(change)
    assert [unfit_for_notion(name, row["decision"].get(name)) for name in FIELDS] == [""] * 5
    assert shown(path).isprintable()
    assert len(shown(path)) <= 1001


def test_a_secret_in_a_path_is_not_told() -> None:
    change = Change(Event.RENAMED, "hunter2.prompt.md", OLD, OLD, "old-hunter2")
    rows = told(change, redact=lambda text: text.replace("hunter2", "[REDACTED]"))
    assert "hunter2" not in str(rows)


def test_a_first_scan_of_a_root_is_one_row_beside_what_changed_in_others() -> None:
    telling = Telling("host", NOW, 50, KEYS, str, "the state was damaged")
    first, other = telling.rows({"/new": 7}, [("/srv/project", Change(Event.DELETED, "a", OLD))], "i", 1)
    assert (first["decision"], first["activity"]["action"]) == (None, "files baseline")
    assert first["activity"]["details"] == {
        "root": "/new",
        "host": "host",
        "seen": "2026-11-25T09:30:00+00:00",
        "files": 7,
        "note": "the state was damaged",
    }
    assert other["activity"]["details"]["root"] == "/srv/project"


def test_the_limit_is_of_a_scan_however_many_roots_it_has() -> None:
    changes = [(root, Change(Event.CREATED, f"{n}.prompt.md", None, NEW)) for root in ("/a", "/b") for n in range(4)]
    rows = Telling("host", NOW, 3, KEYS, str).rows({}, changes, "i", 1)
    assert [row["activity"]["details"]["root"] for row in rows] == ["/a"] * 3 + ["/a, /b"]
    assert rows[-1]["decision"]["decision"] == "5 more key files changed in /a, /b"
