"""One run of the sync, from lease to closing line: look, plan, check, apply, confirm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from utils.decision import Decision, content_key
from utils.errors import ConfigError
from utils.stores.base import Beginning, Vault, Written
from utils.stores.notion import Notion
from utils.sync.apply import Apply
from utils.sync.binding import bind, make_missing, missing_names
from utils.sync.brakes import DEFAULT_PERCENT, Brakes
from utils.sync.identity import pair
from utils.sync.lease import Held, leased
from utils.sync.ledger import activity_id
from utils.sync.look import Looking, View
from utils.sync.merge import ALL_FIELDS, Policy
from utils.sync.model import Item, Page, Side
from utils.sync.plan import Kind, Step, decide
from utils.sync.report import Report, plan_lines
from utils.sync.state import State, next_mark, parse_state, why_everything
from utils.sync.writer import Writer

DIRECTIONS = {
    "both": frozenset(Side),
    "to-notion": frozenset({Side.NOTION}),
    "to-supabase": frozenset({Side.VAULT}),
}


@dataclass(frozen=True)
class Options:
    """What the user asked of a run. `prefer` is None where nothing was said: newest, and held fields stay held."""

    direction: str = "both"
    prefer: str | None = None
    full: bool = False
    resync: bool = False
    dry_run: bool = False
    max_delete_percent: int = DEFAULT_PERCENT
    allow_mass_change: bool = False


@dataclass(frozen=True)
class Resolution:
    """One decision's held fields, and the side whose values stand."""

    decision_id: str
    take: Side
    fields: frozenset[str] = ALL_FIELDS


@dataclass(frozen=True)
class Plan:
    """What a run is to do, and what it was decided by. `stuck` are the pages without a row that cannot be taken."""

    view: View
    policy: Policy
    steps: Sequence[Step]
    ghosts: Sequence[Page]
    report: Report
    stuck: Mapping[str, str]


@dataclass
class Session:
    """One run over both sides.

    Args:
        run: its id.
        now: our clock when it started.
        progress: called with the number of steps finished and of all.
    """

    vault: Vault
    notion: Notion
    run: str
    now: datetime
    progress: Callable[[int, int], None] = lambda _done, _all: None
    _started: float = field(default_factory=time.monotonic)

    def sync(self, options: Options) -> Report:
        """Makes both sides equal, or in a dry run says what that would take.

        Raises:
            BusyError: another run is at it. SafetyError: a brake. ConfigError, ServiceError: as they say.
        """
        with leased(self.vault, self.run, dry_run=options.dry_run) as held, self._pool() as pool:
            begun = parse_state(held.begin.state)
            binding = bind(self.notion, begun, self._clock, resync=options.resync)
            made = missing_names(self.notion)
            if held.fence is not None:
                make_missing(self.notion, binding, partial(self._keep_state, held.fence))
            looking = self._looking(pool, held.begin, binding.state, options)
            plan = self._plan(looking, held.begin, options, made)
            if held.fence is None:
                plan.report.count_all(plan.steps)
            else:
                apply = self._apply(looking, plan.policy, plan.report, held)
                apply.trash_ghosts(plan.ghosts)
                apply.carry_out(plan.steps)
                after = self._after(options, binding.state, plan, apply)
                wrote = after != begun or not all(step.silent for step in plan.steps)
                self._confirm(held.fence, plan.report, after if wrote else None)
        return self._closed(plan.report)

    def resolve(self, wanted: Resolution, *, dry_run: bool = False) -> Report:
        """Settles one decision's held fields, or in a dry run says what that would take.

        Raises:
            ConfigError: there is no such decision, or nothing about it is held.
        """
        with leased(self.vault, self.run, dry_run=dry_run) as held, self._pool() as pool:
            state = bind(self.notion, parse_state(held.begin.state), self._clock).state
            item, page = self._held_item(wanted)
            looking = self._looking(pool, held.begin, state, Options())
            policy = Policy(looking.now, wanted.take.value, explicit=True, only=wanted.fields, made=state.made)
            step = decide(item, page, policy)
            report = Report(self.run, dry_run, lines=plan_lines([step]))
            report.tell([step])
            if held.fence is None:
                report.count_all([step])
            else:
                self._apply(looking, policy, report, held).carry_out([step])
                self._confirm(held.fence, report, None)
        return self._closed(report)

    def held(self) -> list[tuple[Item, Page]]:
        """The open conflicts: items with held fields, and their pages."""
        begin = self.vault.begin()
        bind(self.notion, parse_state(begin.state), self._clock)
        items = [item for item in self.vault.changes() if item.link and item.link.todo.held]
        pages = [self.notion.page(item.link.page_id or "") if item.link else None for item in items]
        return [(item, page) for item, page in zip(items, pages, strict=True) if page is not None]

    def _held_item(self, wanted: Resolution) -> tuple[Item, Page]:
        item = next(iter(self.vault.lookup(decisions=[wanted.decision_id])), None)
        if item is None or item.link is None or item.link.page_id is None:
            raise ConfigError("--resolve", f"there is no synced decision {wanted.decision_id}", "See --conflicts")
        if not wanted.fields & set(item.link.todo.held):
            raise ConfigError("--resolve", f"nothing of {wanted.decision_id} is held", "See --conflicts")
        page = self.notion.page(item.link.page_id)
        if page is None:
            raise ConfigError("--resolve", f"the page of {wanted.decision_id} cannot be found", "Run a sync first")
        return item, page

    def _plan(self, looking: Looking, begin: Beginning, options: Options, made: Sequence[str]) -> Plan:
        """Looks at both sides and decides everything; the brakes have let it pass."""
        state, view = looking.state, looking.look()
        policy = self._policy(options, state, looking.now)
        pairing = pair(view.items, view.pages, policy, by_content=begin.links == 0 or options.resync)
        ghosts = pairing.ghosts if Side.NOTION in policy.directions and view.complete else []
        steps = _safe([decide(each.item, each.page, policy) for each in pairing.pairs], view)
        brakes = Brakes(begin.live, options.max_delete_percent, released=options.allow_mass_change)
        brakes.check(steps, lambda side, contents: self._twins(side, contents, view))
        report = Report(self.run, options.dry_run, view.why_full, lines=plan_lines(steps, ghosts, made))
        report.tell(steps)
        again = _stuck(steps)
        unseen = {page_id: why for page_id, why in state.pages.items() if _is_unseen(page_id, view)}
        report.tell_stuck(unseen.values())
        if not view.complete:
            report.problem("flagged", "Notion did not list all pages: nothing was retired or trashed in this run")
        return Plan(view, policy, steps, ghosts, report, {**unseen, **again})

    def _apply(self, looking: Looking, policy: Policy, report: Report, held: Held) -> Apply:
        def refused(result: Written) -> None:
            report.problem("failed", f"{result.id}: its link could not be kept: {result.error}")

        writer = Writer(self.vault, self.run, held.fence or 0, held.since, refused)
        return Apply(self.notion, writer, looking.pool, policy, report, looking.absence, self.progress)

    def _keep_state(self, fence: int, state: Mapping[str, Any]) -> None:
        self.vault.confirm(self.run, fence, state, None)

    def _policy(self, options: Options, state: State, clock: datetime) -> Policy:
        return Policy(
            clock,
            options.prefer or "newest",
            explicit=options.prefer in {"supabase", "notion"},
            directions=DIRECTIONS[options.direction],
            resync=options.resync,
            made=state.made,
        )

    def _looking(self, pool: ThreadPoolExecutor, begin: Beginning, state: State, options: Options) -> Looking:
        clock = self._clock()
        why = why_everything(state, self.notion.schema, begin.links, clock)
        if options.full or options.resync:
            why = "--resync" if options.resync else "--full"
        doubt = begin.links < state.links
        return Looking(self.vault, self.notion, pool, state, clock, why, resync=options.resync, doubt=doubt)

    def _clock(self) -> datetime:
        """Notion's clock, by its first answer; ours where it shows none."""
        return self.notion.calls.date or self.now

    def _twins(self, side: Side, contents: Iterable[Decision], view: View) -> int:
        contents = list(contents)
        if side is Side.VAULT:
            return self.vault.twins("vault", contents)
        seen = {content_key(page.content) for page in view.pages.values() if isinstance(page, Page)}
        unseen = [content for content in contents if content_key(content) not in seen]
        return len(contents) - len(unseen) + (self.vault.twins("notion", unseen) if unseen else 0)

    def _after(self, options: Options, state: State, plan: Plan, apply: Apply) -> State:
        """The state to keep: the mark moves where all was seen and is done or noted."""
        schema, view = self.notion.schema, plan.view
        after = replace(
            state,
            properties=schema.properties,
            options=schema.options,
            large_bin=view.large_bin,
            pages={**plan.stuck, **apply.stuck},
        )
        if options.direction != "both" or not view.complete or apply.unnoted:
            return after
        after = replace(after, mark=next_mark(state, self.notion.calls.date, view.newest))
        if not view.full:
            return after
        unlinked = plan.report.counts["failed"] or after.pages
        return replace(after, full_at=self._clock(), made=state.made if unlinked else {})

    def _confirm(self, fence: int, report: Report, state: State | None) -> None:
        """Ticks `synced`, keeps the state, and writes an activity row where the run wrote anything."""
        activity = self._activity(report) if report.wrote else None
        self.vault.confirm(self.run, fence, state.json() if state else None, activity)

    def _activity(self, report: Report) -> dict[str, Any]:
        status = "completed" if not report.open_problems else "completed with problems"
        self._count(report)
        details = {name: value for name, value in report.json().items() if name not in {"plan", "problems"}}
        return {"id": activity_id(self.run), "status": status, "details": details}

    def _count(self, report: Report) -> None:
        report.notion_requests, report.vault_requests = self.notion.requests, self.vault.requests
        report.seconds = time.monotonic() - self._started

    def _closed(self, report: Report) -> Report:
        self._count(report)
        return report

    @contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        pool = ThreadPoolExecutor(self.notion.workers, thread_name_prefix="sync")
        try:
            yield pool
        finally:
            self.notion.calls.pace.stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _safe(steps: Sequence[Step], view: View) -> list[Step]:
    """The steps that may be taken: while a listing is incomplete nothing is removed."""
    removing = {Kind.RETIRE, Kind.TRASH, Kind.FORGET} if not view.complete else set()
    return [step for step in steps if step.kind not in removing]


def _stuck(steps: Sequence[Step]) -> dict[str, str]:
    """Pages that cannot be taken and that no link remembers, by page id, with what to say of them."""
    return {
        step.page.id: f"{step.id} {step.title!r}: {step.flags[0]}"
        for step in steps
        if step.page is not None and step.kind is Kind.NOTHING and step.flags and _no_link_remembers(step)
    }


def _no_link_remembers(step: Step) -> bool:
    return step.item.link is None or (step.page is not None and not step.page.at_home)


def _is_unseen(page_id: str, view: View) -> bool:
    """Whether this run cannot tell what has become of a page; a full and complete look tells of all."""
    return page_id not in view.pages and not (view.full and view.complete)
