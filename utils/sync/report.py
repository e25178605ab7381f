"""What a run did, counted and said."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from utils.sync.model import Page
from utils.sync.plan import Kind, Step

_COUNTED = {
    "copied": {Kind.INSERT_ROW, Kind.CREATE_PAGE},
    "merged": {Kind.UPDATE, Kind.RESTORE},
    "retired": {Kind.RETIRE, Kind.TRASH},
}


@dataclass
class Report:
    """The outcome of one run. Steps are counted when they are carried out, in a dry run when they are planned."""

    run: str
    dry_run: bool = False
    why_full: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notion_requests: int = 0
    vault_requests: int = 0
    seconds: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _counted: set[str] = field(default_factory=set, repr=False)
    _told: set[tuple[str, str]] = field(default_factory=set, repr=False)

    def count(self, step: Step) -> None:
        """Counts one step; a decision that takes several, such as a long text, counts once."""
        name = next((name for name, kinds in _COUNTED.items() if step.kind in kinds), "")
        with self._lock:
            if name and not (name == "merged" and step.id in self._counted):
                self._counted.add(step.id)
                self.counts[name] += 1

    def tell(self, steps: Iterable[Step]) -> None:
        """Keeps what a person should know of the steps, each thing once: held fields, and what could not be taken."""
        for step in steps:
            for flag in step.flags:
                about = (step.id, flag.partition(":")[0])
                with self._lock:
                    known = about in self._told
                    self._told.add(about)
                if not known:
                    self.problem("held" if " is held: " in flag else "flagged", f"{step.id} {step.title!r}: {flag}")

    def count_all(self, steps: Iterable[Step]) -> None:
        """Counts the steps of a dry run."""
        for step in steps:
            self.count(step)

    def tell_stuck(self, lines: Iterable[str]) -> None:
        """Keeps what earlier runs found and this one did not look at again."""
        for line in lines:
            self.problem("flagged", line)

    def problem(self, kind: str, line: str) -> None:
        """One thing that is held, flagged or failed."""
        with self._lock:
            self.counts[kind] += 1
            self.problems.append(line)

    @property
    def wrote(self) -> bool:
        """Whether anything was copied, merged or retired."""
        return any(self.counts[name] for name in _COUNTED)

    @property
    def open_problems(self) -> bool:
        """Whether something is held, flagged or failed."""
        return any(self.counts[name] for name in ("held", "flagged", "failed"))

    def closing_line(self) -> str:
        """The one line that ends a run."""
        names = ("copied", "merged", "retired", "held", "flagged", "failed")
        numbers = ", ".join(f"{self.counts[name]} {name}" for name in names)
        requests = f"{self.notion_requests} requests to Notion and {self.vault_requests} to the vault"
        return f"{'would be: ' if self.dry_run else ''}{numbers}; {requests}; {self.seconds:.1f} s"

    def json(self) -> dict[str, Any]:
        """The report as `--json` shows it."""
        return {
            "run": self.run,
            "dry_run": self.dry_run,
            "compared_everything": self.why_full or None,
            **{name: self.counts[name] for name in ("copied", "merged", "retired", "held", "flagged", "failed")},
            "requests": {"notion": self.notion_requests, "vault": self.vault_requests},
            "seconds": round(self.seconds, 3),
            "plan": self.lines,
            "problems": self.problems,
        }


def plan_lines(steps: Sequence[Step], ghosts: Iterable[Page] = (), made: Iterable[str] = ()) -> list[str]:
    """A line for each thing of a plan that a person cares for.

    Args:
        steps: those that write content are told.
        ghosts: second pages of our own making, to be trashed.
        made: names of the properties to be made.
    """
    told = [plan_line(step) for step in steps if step.kind is not Kind.NOTHING and not step.silent]
    doubles = [f"trash: second page {page.id} of {page.content.decision[:60]!r}" for page in ghosts]
    return [*(f"make property: {name}" for name in made), *doubles, *told]


def plan_line(step: Step) -> str:
    """What a step would do, in words."""
    parts = [f"{name}: {_short(value)}" for name, value in step.to_row.items() if step.kind is not Kind.INSERT_ROW]
    what = [f"Supabase {', '.join(parts)}"] if parts else []
    fields = step.to_page.fields if step.kind is not Kind.CREATE_PAGE else {}
    if fields:
        what.append("Notion " + ", ".join(f"{name}: {_short(value)}" for name, value in fields.items()))
    if step.to_page.decision_id and step.kind is not Kind.CREATE_PAGE:
        what.append("Notion Decision ID")
    what += [f"{loss.field}: {loss.winner.other.service} loses {_short(loss.before)}" for loss in step.losses]
    return f"{step.kind.value}: {step.title} [{step.id}]" + (f" ({'; '.join(what)})" if what else "")


def _short(value: Any) -> str:
    text = " ".join(str(value).split()) if value is not None else "(empty)"
    return text if len(text) <= 40 else text[:39] + "…"
