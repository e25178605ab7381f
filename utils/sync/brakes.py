"""What stops a run that would do too much: numbers of a plan against what is there. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from utils.decision import Decision
from utils.errors import SafetyError
from utils.sync.model import Side
from utils.sync.plan import Kind, Step

REMOVALS_AT_LEAST = 3
REWRITES_AT_LEAST = 100
TWINS_AT_MOST = 10
DEFAULT_PERCENT = 50


Twins = Callable[[Side, Iterable[Decision]], int]
"""Counts the contents that equal something a side already has."""


@dataclass(frozen=True)
class Brakes:
    """The limits of one run.

    Args:
        live: how many links are live.
        percent: the part of them that may be removed, or rewritten, on one side.
        released: the user allowed any mass change.
    """

    live: int
    percent: int = DEFAULT_PERCENT
    released: bool = False

    def check(self, steps: Sequence[Step], twins: Twins) -> None:
        """Lets a plan pass.

        Raises:
            SafetyError: it removes, rewrites or doubles too much.
        """
        if self.released:
            return
        for side in Side:
            self._removals(side, sum(_removes(step, side) for step in steps))
            self._rewrites(side, sum(_rewrites(step, side) for step in steps))
            self._creates(side, [content for step in steps if (content := _created(step, side))], twins)

    def _removals(self, side: Side, count: int) -> None:
        if count >= REMOVALS_AT_LEAST and count * 100 > self.live * self.percent:
            raise SafetyError(
                "sync",
                f"refused to retire or trash {count} of {self.live} decisions in {side.service} "
                f"(over {self.percent} %)",
                "Look with --dry-run; if it is meant, run with --max-delete-percent 100",
            )

    def _rewrites(self, side: Side, count: int) -> None:
        if count >= REWRITES_AT_LEAST and count * 2 > self.live:
            raise SafetyError(
                "sync",
                f"refused to rewrite {count} of {self.live} decisions in {side.service} (over half)",
                "Look with --dry-run; if it is meant, run with --allow-mass-change",
            )

    def _creates(self, side: Side, contents: Sequence[Decision], twins: Twins) -> None:
        if len(contents) <= TWINS_AT_MOST:
            return
        if (count := twins(side, contents)) > TWINS_AT_MOST:
            raise SafetyError(
                "sync",
                f"refused to make {count} decisions in {side.service} that equal ones it already has",
                "Look with --dry-run; if it is meant, run with --allow-mass-change",
            )


def _removes(step: Step, side: Side) -> bool:
    return step.kind is (Kind.RETIRE if side is Side.VAULT else Kind.TRASH)


def _rewrites(step: Step, side: Side) -> bool:
    changes = step.to_row if side is Side.VAULT else step.to_page.fields
    return step.kind in {Kind.UPDATE, Kind.RESTORE} and bool(changes)


def _created(step: Step, side: Side) -> Decision | None:
    if side is Side.VAULT and step.kind is Kind.INSERT_ROW and step.page:
        return step.page.content
    if side is Side.NOTION and step.kind is Kind.CREATE_PAGE and step.item.row:
        return step.item.row.content
    return None
