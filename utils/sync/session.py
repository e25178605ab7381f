"""One run of the sync, from lease to closing line: look, plan, check, apply, confirm."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from utils.decision import FIELDS, Decision, content_key
from utils.errors import BusyError, ConfigError, SafetyError
from utils.stores.base import Beginning, Vault
from utils.stores.notion import Notion
from utils.stores.notion_values import NAMES, Schema, still_there
from utils.sync import lease
from utils.sync.apply import Apply
from utils.sync.brakes import DEFAULT_PERCENT, Brakes
from utils.sync.identity import pair
from utils.sync.look import Looking, View
from utils.sync.merge import ALL_FIELDS, Policy
from utils.sync.model import Item, Page, Side
from utils.sync.plan import Kind, Step, decide
from utils.sync.report import Report, plan_lines
from utils.sync.state import (
    State,
    check_database,
    check_names_free,
    next_mark,
    parse_state,
    why_everything,
)

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
    """What a run is to do, and what it was decided by."""

    view: View
    policy: Policy
    steps: Sequence[Step]
    ghosts: Sequence[Page]
    report: Report


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
        with self._leased(dry_run=options.dry_run) as (begin, fence), self._pool() as pool:
            begun = parse_state(begin.state)
            state = self._bind(begun, options, fence)
            looking = self._looking(pool, begin, state, options)
            plan = self._plan(looking, begin, options)
            if fence is None:
                plan.report.count_all(plan.steps)
            else:
                apply = self._apply(looking, plan, fence)
                apply.trash_ghosts(plan.ghosts)
                apply.carry_out(plan.steps)
                after = self._after(options, state, plan, apply.stuck)
                self._confirm(fence, plan.report, after if after != begun else None)
        return self._closed(plan.report)

    def resolve(self, wanted: Resolution) -> Report:
        """Settles one decision's held fields.

        Raises:
            ConfigError: there is no such decision, or nothing about it is held.
        """
        with self._leased(dry_run=False) as (begin, fence), self._pool() as pool:
            state = self._bind(parse_state(begin.state), Options(), fence)
            item, page = self._held_item(wanted)
            looking = self._looking(pool, begin, state, Options())
            policy = Policy(looking.now, wanted.take.value, explicit=True, only=wanted.fields, made=state.made)
            step = decide(item, page, policy)
            report = Report(self.run, lines=plan_lines([step]))
            if fence is not None:
                self._apply(looking, Plan(View(), policy, [step], [], report), fence).carry_out([step])
                self._confirm(fence, report, None)
            report.tell([step])
        return self._closed(report)

    def check(self) -> tuple[Schema, list[str]]:
        """Reads and checks the database, changing nothing; answers its schema and the properties it lacks."""
        state = parse_state(self.vault.begin().state)
        self._bind(state, Options(dry_run=True), None)
        schema = self.notion.schema
        return schema, [NAMES[name] for name in schema.missing]

    def held(self) -> list[tuple[Item, Page]]:
        """The open conflicts: items with held fields, and their pages."""
        begin = self.vault.begin()
        self._bind(parse_state(begin.state), Options(dry_run=True), None)
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

    def _plan(self, looking: Looking, begin: Beginning, options: Options) -> Plan:
        """Looks at both sides and decides everything; the brakes have let it pass."""
        state, view = looking.state, looking.look()
        policy = self._policy(options, state, looking.now)
        pairing = pair(view.items, view.pages, policy, by_content=begin.links == 0 or options.resync)
        steps = _safe([decide(each.item, each.page, policy) for each in pairing.pairs], view)
        brakes = Brakes(begin.live, options.max_delete_percent, released=options.allow_mass_change)
        brakes.check(steps, lambda side, contents: self._twins(side, contents, view))
        report = Report(self.run, options.dry_run, looking.why_full, lines=plan_lines(steps))
        report.tell(steps)
        report.tell_stuck(why for page_id, why in state.pages.items() if page_id not in view.pages)
        return Plan(view, policy, steps, pairing.ghosts, report)

    def _apply(self, looking: Looking, plan: Plan, fence: int) -> Apply:
        return Apply(
            self.vault,
            self.notion,
            looking.pool,
            plan.policy,
            self.run,
            fence,
            plan.report,
            looking.absence,
            self.progress,
        )

    def _bind(self, state: State, options: Options, fence: int | None) -> State:
        """Reads and checks the database; makes what properties it lacks, which is remembered first."""
        given = self.notion.settings.database_id
        source = self.notion.source(state.data_source if state.given == given else "")
        replaced = state.data_source != source["id"]
        known = state.properties if not (replaced or options.resync) else still_there(state.properties, source)
        schema = self.notion.bind(source, {} if replaced else known, state.bot)
        check_database(state, schema, resync=options.resync)
        state = State(links=state.links) if replaced else replace(state, properties=known)
        state = replace(state, data_source=schema.data_source, given=given, bot=self.notion.bot)
        if not schema.missing:
            return state
        check_names_free(schema)
        made = dict.fromkeys(set(schema.missing) & set(FIELDS), self._clock())
        state = replace(state, made={**state.made, **made})
        if fence is not None:
            self._check_ours(schema, replaced=replaced, resync=options.resync)
            self.vault.confirm(self.run, fence, state.json(), None)
            self.notion.make_properties(schema.missing)
        return state

    def _check_ours(self, schema: Schema, *, replaced: bool, resync: bool) -> None:
        """Makes properties only in a database known to be ours, or empty."""
        known = not replaced or resync or len(schema.properties) > 1
        if not known and not self.notion.is_empty():
            raise SafetyError(
                "notion",
                f"database {schema.title!r} holds pages and has none of the sync's properties",
                "If it is the right one, add a text property 'Decision ID' to it, then run again",
            )

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

    def _after(self, options: Options, state: State, plan: Plan, refused: Mapping[str, str]) -> State:
        """The state to keep: the mark moves where all was seen and is done or noted."""
        schema, view = self.notion.schema, plan.view
        after = replace(
            state,
            properties=schema.properties,
            options=schema.options,
            large_bin=view.large_bin,
            pages={**stuck_pages(plan, state), **refused},
        )
        if options.direction != "both" or not view.complete:
            return after
        after = replace(after, mark=next_mark(state, self.notion.calls.date, view.newest))
        if not view.full:
            return after
        return replace(after, full_at=self._clock(), made=state.made if plan.report.counts["failed"] else {})

    def _confirm(self, fence: int, report: Report, state: State | None) -> None:
        """Ticks `synced`, keeps the state, and writes an activity row where the run wrote anything."""
        activity = self._activity(report) if report.wrote else None
        self.vault.confirm(self.run, fence, state.json() if state else None, activity)

    def _activity(self, report: Report) -> dict[str, Any]:
        status = "completed" if not report.open_problems else "completed with problems"
        self._count(report)
        details = {name: value for name, value in report.json().items() if name not in {"plan", "problems"}}
        return {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"sync/{self.run}")), "status": status, "details": details}

    def _count(self, report: Report) -> None:
        report.notion_requests, report.vault_requests = self.notion.requests, self.vault.requests
        report.seconds = time.monotonic() - self._started

    def _closed(self, report: Report) -> Report:
        self._count(report)
        return report

    @contextmanager
    def _leased(self, *, dry_run: bool) -> Iterator[tuple[Beginning, int | None]]:
        """Where the sync stands, under the lease; a dry run takes none."""
        if dry_run:
            yield self.vault.begin(), None
            return
        me = lease.holder(self.run)
        begin = self.vault.begin(me)
        if begin.fence is None and begin.busy is not None and lease.is_gone(begin.busy):
            begin = self.vault.begin({**me, "replace": begin.busy["fence"]})
        if begin.fence is None:
            busy = begin.busy or {}
            raise BusyError(
                "sync",
                f"run {busy.get('holder')} on {busy.get('host')} (process {busy.get('pid')}) is at it",
                f"Wait for it; its lease ends at {busy.get('expires_at')}",
            )
        try:
            yield begin, begin.fence
        finally:
            self.vault.release(lease.NAME, begin.fence)

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


def stuck_pages(plan: Plan, state: State) -> dict[str, str]:
    """Pages without a row that cannot be taken, by page id, with what to say of them."""
    again = {
        step.page.id: f"{step.id} {step.title!r}: {step.flags[0]}"
        for step in plan.steps
        if step.page is not None and step.item.link is None and step.kind is Kind.NOTHING and step.flags
    }
    unseen = {page_id: why for page_id, why in state.pages.items() if page_id not in plan.view.pages}
    return {**unseen, **again}
