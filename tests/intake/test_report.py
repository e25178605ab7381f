"""What a run of intake says of itself."""

from __future__ import annotations

from utils.intake.items import Item, Origin, item_of
from utils.intake.model import Found, Message
from utils.intake.report import KEPT, KEPT_SIGNS, SHOWN, Report


def item(decision: str, confidence: float = 0.9, *, active: bool = True, supersedes: str | None = None) -> Item:
    """An item; below 0.6 it is to be reviewed."""
    found = Found(decision, "2026-01-02", "process", "", confidence, Message(""), active=active)
    return item_of(found, Origin("a.md", "run", "2026-01-01"), 0.6, supersedes)


def test_each_new_item_has_a_line_and_each_file_that_waits() -> None:
    one, two = item("Use it"), item("Drop it", 0.4, active=False, supersedes="01234567-89ab")
    report = Report(taken=1, review=1, waiting=["a.part"])
    report.keep(one)
    report.keep(two)
    assert list(report.lines) == [
        f"taken in: 2026-01-02 process: Use it [{one.id[:8]}]",
        f"to review (0.40): 2026-01-02 process: Drop it [{two.id[:8]}], no longer in force, supersedes 01234567",
        "waits: a.part is still being written; the next run takes it",
    ]


def test_many_are_counted_and_the_first_told() -> None:
    report = Report(taken=KEPT + 5)
    for number in range(KEPT + 5):
        report.keep(item(f"Decision {number}"))
        report.problem(f"{number} is wrong")
    assert (len(report.items), len(report.problems)) == (KEPT, KEPT)
    assert list(report.lines)[SHOWN] == f"… and {KEPT + 5 - SHOWN:,} more"
    assert report.problem_lines[-1] == "… and 5 problems more"
    assert len(report.json()["items"]) == KEPT


def test_long_texts_leave_room_for_fewer() -> None:
    report = Report()
    for number in range(KEPT):
        report.keep(item(f"{number} {'wide ' * 2000}"))
    assert len(report.items) == KEPT_SIGNS // 10_000


def test_the_closing_line_counts_in_words() -> None:
    assert Report(dry_run=True, files=1, messages=2, taken=1).closing_line() == (
        "would be: 1 decision taken in, 0 to review, 0 known already; 2 messages in 1 file"
    )
    assert Report(files=2, messages=1, review=1200, known=3, waiting=["a"]).closing_line() == (
        "0 decisions taken in, 1,200 to review (see --review), 3 known already; 1 message in 2 files, "
        "1 file still being written"
    )


def test_a_run_without_anything_is_silent() -> None:
    assert Report().silent
    assert not Report(waiting=["a"]).silent
    assert not Report(files=1).silent
    assert not Report(problems=["a"]).silent
