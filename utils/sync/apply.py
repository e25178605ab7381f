"""Carries a plan out: intents before writes, answers into images, each decision by itself.

Every write to Notion is announced in the vault first, so that a run that is killed at any moment leaves what the next
one needs to know: a page that equals its intent is our own write, a row announced and not linked is looked up.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from utils.decision import differing
from utils.errors import ServiceError
from utils.stores.base import LEASE_SECONDS, Vault, Write, Written
from utils.stores.notion import Notion
from utils.stores.notion_calls import NotFoundError, NotionRefusalError
from utils.sync import lease
from utils.sync.merge import WHOLE, Loss, Policy
from utils.sync.model import Absence, Item, Link, LinkState, Page, Refusal, Side, Todo, fingerprint
from utils.sync.plan import Kind, Step, decide, finished_link
from utils.sync.report import Report

ROUNDS = 3
"""How often one decision is planned anew when its row or page moves under the run."""

FLUSH_ITEMS = 50
FLUSH_SECONDS = 2.0
FAILURES_IN_A_ROW = 5
"""After so many failures one behind the other the service is down, not the item bad."""


@dataclass
class _One:
    """How the work on one item went."""

    ended: bool = False


@dataclass
class Apply:
    """Carries steps out.

    Args:
        pool: runs the requests to Notion.
        fence: of the lease.
        stuck: pages without a row that could not be taken, by page id: what to remember.
        progress: called with the number of steps finished and of all.
    """

    vault: Vault
    notion: Notion
    pool: Executor
    policy: Policy
    run: str
    fence: int
    report: Report
    absence: Callable[[Link], Absence]
    progress: Callable[[int, int], None] = lambda _done, _all: None
    stuck: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _links: list[Write] = field(default_factory=list)
    _flushed: float = field(default_factory=time.monotonic)
    _kept: float = field(default_factory=lease.boot_clock)
    _failures: int = 0

    def carry_out(self, steps: Sequence[Step]) -> None:
        """Carries out all steps.

        Raises:
            BusyError: the lease was lost. ServiceError: a service failed for good.
        """
        todo = [step for step in steps if not step.silent]
        creates = [step for step in todo if step.kind is Kind.CREATE_PAGE]
        edits = [step for step in todo if step.to_page and step.kind is not Kind.CREATE_PAGE]
        quiet = [step for step in todo if not step.to_page]
        edits += self._in_vault(quiet)
        announced = self._announce(creates)
        jobs = [(self._create, *each) for each in announced] + [(self._edit, step, None) for step in edits]
        self._in_pool(jobs, len(quiet))

    def trash_ghosts(self, pages: Sequence[Page]) -> None:
        """Trashes second pages of our own making."""
        for page in pages:
            self._keep_lease()
            self.notion.edit(page.id, {}, in_trash=True)
            self.report.lines.append(f"ghost: {page.content.decision[:60]!r} [{page.id}] trashed")

    def _in_pool(self, jobs: Sequence[tuple[Any, ...]], already: int) -> None:
        """Runs jobs side by side; the first error that is not one item's own stops them all."""
        futures: list[Future[None]] = [self.pool.submit(job, *arguments) for job, *arguments in jobs]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                self.progress(already + done, already + len(futures))
        except BaseException:
            for future in futures:
                future.cancel()
            self.notion.calls.pace.stopped.set()
            for future in futures:
                if not future.cancelled():
                    future.exception()
            self._flush(all_of_it=True)
            raise
        self._flush(all_of_it=True)

    def _in_vault(self, steps: Sequence[Step]) -> list[Step]:
        """Carries out steps that write to the vault only; answers those that came to write a page as well."""
        edits: list[Step] = []
        for _ in range(ROUNDS):
            moved: list[Step] = []
            written = self.vault.write(self.run, self.fence, [self._write(step) for step in steps])
            for step, result in zip(steps, written, strict=True):
                if result.moved:
                    moved.append(decide(replace(step.item, row=result.row), step.page, self.policy))
                elif self._accepted(step, result):
                    self.report.count(step)
            edits += [step for step in moved if step.to_page and step.kind is not Kind.CREATE_PAGE]
            steps = [step for step in moved if not step.to_page and not step.silent]
            if not steps:
                return edits
        for step in steps:
            self._failed(step, "its row kept changing while the sync ran; the next run takes it up")
        return edits

    def _announce(self, steps: Sequence[Step]) -> list[tuple[Step, Link]]:
        """Announces pages to be made; answers the steps with their announced links."""
        announced: list[tuple[Step, Link]] = []
        for _ in range(ROUNDS):
            links = [replace(_link_of(step), intent=step.intent()) for step in steps]
            writes = [replace(self._write(step), link=link) for step, link in zip(steps, links, strict=True)]
            moved: list[Step] = []
            for step, link, result in zip(steps, links, self.vault.write(self.run, self.fence, writes), strict=True):
                if result.moved:
                    moved.append(decide(replace(step.item, row=result.row), None, self.policy))
                elif self._accepted(step, result):
                    announced.append((step, link))
            steps = [step for step in moved if step.kind is Kind.CREATE_PAGE]
            if not steps:
                break
        return announced

    def _create(self, step: Step, link: Link) -> None:
        """Makes an announced page."""
        with self._one(step, replace(link, intent=None)):
            self._keep_lease()
            page = self.notion.create(step.to_page.fields, step.id)
            final = self._finished(step, page)
            left = decide(Item(step.id, step.item.row, final), page, self.policy)
            self._continue(left, page)

    def _edit(self, step: Step, fresh: Page | None) -> None:
        """Writes to a page that is there: reads it, merges anew, announces, writes, keeps the answer as its image."""
        for _ in range(ROUNDS):
            with self._one(step, step.item.link or _link_of(step)) as one:
                step, fresh = self._edit_once(step, fresh)
            if one.ended or step.silent:
                return
            if not step.to_page:
                for left in self._in_vault([step]):
                    self._edit(left, None)
                return
        self._failed(step, "its row or page kept changing while the sync ran; the next run takes it up")

    def _edit_once(self, step: Step, fresh: Page | None) -> tuple[Step, Page | None]:
        """One round of `_edit`: answers what is left to do, and the page if it was just read."""
        if (step.page is not None and step.to_page.fields) or step.to_page.in_trash is not None:
            seen = fresh or self.notion.page(_page_id(step))
            page: Page | Absence = seen or self.absence(_link_of(step))
            step = decide(step.item, page, self.policy)
            if not step.to_page:
                return step, None
        self._keep_lease()
        written = self.vault.write(self.run, self.fence, [self._intent_write(step)])[0]
        if written.moved:
            return decide(replace(step.item, row=written.row), step.page, self.policy), None
        if not self._accepted(step, written):
            return Step(Kind.NOTHING, step.item), None
        answer = self._write_page(step)
        final = self._finished(step, answer)
        return decide(Item(step.id, written.row, final), answer, self.policy), answer

    def _finished(self, step: Step, answer: Page) -> Link:
        """Keeps what a write to Notion came to; answers the link."""
        self._failures = 0
        link = replace(finished_link(step, answer), base_row=step.intent().row)
        self._link(Write(step.id, link=link))
        self.report.count(step)
        return link

    def _write_page(self, step: Step) -> Page:
        """The write itself; a trash that turns out to have buried an edit is undone at once."""
        write, page_id = step.to_page, _page_id(step)
        answer = self.notion.edit(page_id, write.fields, in_trash=write.in_trash, decision_id=write.decision_id)
        if write.in_trash and step.page and differing(answer.content, step.page.content):
            answer = self.notion.edit(page_id, {}, in_trash=False)
        return answer

    def _continue(self, left: Step, page: Page) -> None:
        """Does what the answer to a create shows to be left: the rest of a long text, an edit in between."""
        if left.to_page:
            self._edit(left, page)
        elif not left.silent:
            self._in_vault([left])

    def _write(self, step: Step) -> Write:
        row = step.item.row
        return Write(
            step.id,
            expect=row.content if row else None,
            set=step.to_row or None,
            link=step.link,
            drop=step.drops,
            agreed=step.agreed if step.link else (),
            log=_log(self.run, step),
        )

    def _intent_write(self, step: Step) -> Write:
        """The vault's part of a page's write: the row, the log, and what the page is about to be."""
        write = self._write(step)
        if step.kind is Kind.INSERT_ROW or step.item.link is None:
            return replace(write, link=replace(_link_of(step), intent=step.intent()))
        page_id = step.page.id if step.page else step.item.link.page_id
        before = replace(step.item.link, page_id=page_id, intent=step.intent())
        if before.state is LinkState.ANNOUNCED:
            before = replace(before, state=LinkState.LINKED)
        return replace(write, link=before, agreed=())

    def _accepted(self, step: Step, result: Written) -> bool:
        """Whether the vault took a write; what it refused is remembered with the value."""
        if not result.error:
            return True
        if step.item.link is None and step.page is not None:
            self.stuck[step.page.id] = result.error
            self.report.problem("failed", f"{step.id} {step.title!r}: Supabase refuses it: {result.error}")
            return False
        whole = Refusal(Side.VAULT, fingerprint(dict(step.to_row)), result.error)
        link = step.item.link or _link_of(step)
        todo = replace(link.todo, refused={**link.todo.refused, WHOLE: whole})
        self._remember(step, replace(link, todo=todo), f"Supabase refuses it: {result.error}")
        return False

    @contextmanager
    def _one(self, step: Step, link: Link) -> Iterator[_One]:
        """One item's work on Notion: what goes wrong with it is kept with it, and the others go on.

        Raises:
            ServiceError: so many failed one behind the other that the service must be down.
        """
        one = _One()
        try:
            yield one
        except NotionRefusalError as error:
            one.ended = True
            whole = Refusal(Side.NOTION, fingerprint(dict(step.to_page.fields)), error.what)
            todo = replace(link.todo, refused={**link.todo.refused, WHOLE: whole})
            self._remember(step, replace(link, intent=None, todo=todo), f"Notion {error.what}")
        except ServiceError as error:
            one.ended = True
            with self._lock:
                self._failures += 1
                down = self._failures >= FAILURES_IN_A_ROW and not isinstance(error, NotFoundError)
            if down:
                raise
            self._failed(step, error.what)

    def _failed(self, step: Step, why: str) -> None:
        """For now: the next run reads it again."""
        link = step.item.link
        if link is not None and link.state is not LinkState.ANNOUNCED:
            todo = replace(link.todo, retry=why)
            self._link(Write(step.id, link=replace(link, todo=todo)))
        self.report.problem("failed", f"{step.id} {step.title!r}: {why}")

    def _remember(self, step: Step, link: Link, why: str) -> None:
        self._link(Write(step.id, link=link))
        self.report.problem("failed", f"{step.id} {step.title!r}: {why}")

    def _link(self, write: Write) -> None:
        """Queues a link's write; they go in batches."""
        with self._lock:
            self._links.append(write)
        self._flush(all_of_it=False)

    def _flush(self, *, all_of_it: bool) -> None:
        with self._lock:
            due = len(self._links) >= FLUSH_ITEMS or time.monotonic() - self._flushed > FLUSH_SECONDS
            if not self._links or not (due or all_of_it):
                return
            batch, self._links = self._links, []
            self._flushed = time.monotonic()
        started = lease.boot_clock()
        for result in self.vault.write(self.run, self.fence, batch):
            if result.error:
                self.report.problem("failed", f"{result.id}: its link could not be kept: {result.error}")
        self._kept = started

    def _keep_lease(self) -> None:
        """Makes sure before a write to Notion that nobody else can hold the lease."""
        if lease.boot_clock() - self._kept > LEASE_SECONDS / 3:
            started = lease.boot_clock()
            self.vault.keep_lease(lease.NAME, self.fence)
            self._kept = started


def _link_of(step: Step) -> Link:
    """The link of a step that has one, for its part of the work."""
    link = step.link or step.item.link
    return link if link is not None else Link(None, LinkState.ANNOUNCED, todo=Todo())


def _page_id(step: Step) -> str:
    link = step.item.link
    page_id = step.page.id if step.page else link.page_id if link else None
    return page_id or ""


def _log(run: str, step: Step) -> tuple[dict[str, Any], ...]:
    """The step's rows for `sync_log`; their ids are made from what they say, so that a repeated call adds none."""
    return tuple(_log_row(run, step, place, loss) for place, loss in enumerate(step.losses))


def _log_row(run: str, step: Step, place: int, loss: Loss) -> dict[str, Any]:
    said = fingerprint({"before": str(loss.before), "after": str(loss.after)})
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{run}/{step.id}/{loss.field}/{place}/{said}")),
        "page_id": step.page.id if step.page else None,
        "field": loss.field,
        "before": loss.before,
        "after": loss.after,
        "base": loss.base,
        "winner": loss.winner.value,
        "reason": loss.reason,
    }
