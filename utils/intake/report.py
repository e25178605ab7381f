"""What a run of intake did, counted and said. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from utils.intake.items import ACCEPTED, SHORT_ID, Item, shown

KEPT = 1000
"""How many items and how many problems of a run are told; all are counted."""

KEPT_SIGNS = 5_000_000
"""How long their texts may be together."""

SHOWN = 20
"""How many items a person sees."""


@dataclass
class Report:
    """What a run took in.

    Args:
        items: the new ones, the first of many.
        problems: the first of many; `more_problems` counts the others.
        room: characters that items may still take.
    """

    dry_run: bool = False
    files: int = 0
    messages: int = 0
    taken: int = 0
    review: int = 0
    known: int = 0
    waiting: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    more_problems: int = 0
    items: list[Item] = field(default_factory=list)
    room: int = KEPT_SIGNS

    def keep(self, item: Item) -> None:
        """One more new item, to be told as long as there is room."""
        self.room -= len(item.content.decision) + len(item.content.comment or "")
        if len(self.items) < KEPT and self.room >= 0:
            self.items.append(item)

    def problem(self, line: str) -> None:
        """One more thing that is wrong."""
        if len(self.problems) < KEPT:
            self.problems.append(line)
        else:
            self.more_problems += 1

    @property
    def silent(self) -> bool:
        """Whether there was nothing to take, and nothing to tell."""
        return not (self.files or self.waiting or self.problems)

    @property
    def lines(self) -> Iterator[str]:
        """A line for each new item, and one for each file that waits."""
        first = self.items[:SHOWN]
        for item in first:
            yield _line(item)
        if (more := self.taken + self.review - len(first)) > 0:
            yield f"… and {more:,} more"
        for name in self.waiting:
            yield f"waits: {name} is still being written; the next run takes it"

    @property
    def problem_lines(self) -> list[str]:
        """What is wrong, a line each."""
        more = [f"… and {self.more_problems:,} problems more"] if self.more_problems else []
        return [*self.problems, *more]

    def closing_line(self) -> str:
        """The run in one line."""
        would = "would be: " if self.dry_run else ""
        hint = " (see --review)" if self.review else ""
        waits = f", {_counted(len(self.waiting), 'file')} still being written" if self.waiting else ""
        return (
            f"{would}{_counted(self.taken, 'decision')} taken in, {self.review:,} to review{hint}, {self.known:,} "
            f"known already; {_counted(self.messages, 'message')} in {_counted(self.files, 'file')}{waits}"
        )

    def json(self) -> dict[str, Any]:
        """The run as a document."""
        counts = ("dry_run", "files", "messages", "taken", "review", "known", "waiting")
        return {
            **{name: getattr(self, name) for name in counts},
            "problems": self.problem_lines,
            "items": [item.json() for item in self.items],
        }


def _line(item: Item) -> str:
    content = item.content
    what = "taken in" if item.state == ACCEPTED else f"to review ({item.confidence:.2f})"
    retired = "" if content.active else ", no longer in force"
    after = f", supersedes {item.supersedes[:SHORT_ID]}" if item.supersedes else ""
    return f"{what}: {content.date} {content.type}: {shown(content.decision)} [{item.id[:SHORT_ID]}]{retired}{after}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
