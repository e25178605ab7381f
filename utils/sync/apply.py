"""Carries a plan out: intents before writes, answers into images, each decision by itself.

Every write to Notion is announced in the vault first, so that a run that is killed at any moment leaves what the next
one needs to know: a page that equals its intent is our own write, a row announced and not linked is looked up.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from utils.decision import Value, differing
from utils.errors import AnglesError, ServiceError
from utils.stores.base import Write, Written
from utils.stores.notion import Notion
from utils.stores.notion_calls import NotFoundError, NotionRefusalError
from utils.sync.merge import WHOLE, Loss, Policy
from utils.sync.model import Absence, Item, Link, LinkState, Page, Refusal, Row, Side, fingerprint
from utils.sync.plan import Kind, Step, decide, finished_link
from utils.sync.report import Report
from utils.sync.writer import Writer

ROUNDS = 3
"""How often one decision is planned anew when its row or page moves under the run."""

FAILURES_IN_A_ROW = 5
"""After so many failures one behind the other the service is down, not the item bad."""


@dataclass
class _Work:
    """The work on one item: the step at hand, its link as the vault has it, and whether it ended with a problem."""

    step: Step
    link: Link | None
    ended: bool = False


@dataclass
class Apply:
    """Carries steps out.

    Args:
        pool: runs the requests to Notion.
        absence: what a 404 means for a link.
        progress: called with the number of steps finished and of all.
        stuck: pages without a row that could not be taken, by page id: what to remember.
        written: the decisions whose page was written: what both sides have now is known, and never forgotten again.
        unnoted: something failed that neither a link nor `stuck` remembers: what was seen has to be listed again.
    """

    notion: Notion
    writer: Writer
    pool: Executor
    policy: Policy
    report: Report
    absence: Callable[[Link], Absence]
    progress: Callable[[int, int], None] = lambda _done, _all: None
    stuck: dict[str, str] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    unnoted: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _failures: int = 0

    def __post_init__(self) -> None:
        # Notion may ask for a wait that is longer than the lease lasts: it is looked at after each
        self.notion.calls.pace.guard = self.writer.keep_lease

    def carry_out(self, steps: Sequence[Step]) -> None:
        """Carries out all steps.

        Raises:
            BusyError: the lease was lost. ServiceError: a service failed for good.
        """
        todo = [step for step in steps if not step.silent]
        quiet = [step for step in todo if not step.to_page]
        loud = [step for step in todo if step.to_page] + self._in_vault(quiet)
        announced = self._announce([step for step in loud if step.kind is Kind.CREATE_PAGE])
        jobs = [partial(self._create, *each) for each in announced]
        jobs += [partial(self._edit, step) for step in loud if step.kind is not Kind.CREATE_PAGE]
        self._in_pool(jobs, len(quiet))

    def trash_ghosts(self, pages: Sequence[Page]) -> None:
        """Trashes second pages of our own making."""
        for page in pages:
            try:
                self.notion.edit(page.id, {}, in_trash=True)
            except ServiceError as error:
                if error is self.writer.failure:
                    raise
                self.unnoted = True
                self.report.problem("failed", f"ghost {page.id} {page.content.decision[:60]!r}: {error.what}")

    def _in_pool(self, jobs: Sequence[Callable[[], None]], already: int) -> None:
        """Runs jobs side by side; the first error that is not one item's own stops them all."""
        futures: list[Future[None]] = []
        try:
            futures.extend(map(self.pool.submit, jobs))
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                self.progress(already + done, already + len(futures))
        except BaseException:
            self._stop()
            raise
        self.writer.flush()

    def _stop(self) -> None:
        """Ends the threads and keeps what they did; what cannot be kept now, the next run finds by its intent."""
        self.notion.calls.pace.stopped.set()
        self.pool.shutdown(wait=True, cancel_futures=True)
        with contextlib.suppress(AnglesError):
            self.writer.flush()

    def _in_vault(self, steps: Sequence[Step]) -> list[Step]:
        """Carries out steps that write to the vault only; answers those that came to write a page as well."""
        onward: list[Step] = []
        for _ in range(ROUNDS):
            if not steps:
                return onward
            moved: list[Step] = []
            for step, result in zip(steps, self.writer.write([self._write(step) for step in steps]), strict=True):
                if result.moved:
                    moved.append(self._anew(step, result.row))
                elif self._accepted(step, result):
                    self.report.count(step)
            onward += [step for step in moved if step.to_page]
            steps = [step for step in moved if not step.to_page and not step.silent]
        self._give_up(steps)
        return onward

    def _announce(self, steps: Sequence[Step]) -> list[tuple[Step, Link]]:
        """Announces pages to be made; answers the steps with their announced links."""
        announced: list[tuple[Step, Link]] = []
        for _ in range(ROUNDS):
            if not steps:
                return announced
            links = [replace(_link_of(step), intent=step.intent()) for step in steps]
            writes = [replace(self._write(step), link=link) for step, link in zip(steps, links, strict=True)]
            moved: list[Step] = []
            for step, link, result in zip(steps, links, self.writer.write(writes), strict=True):
                if result.moved:
                    moved.append(self._anew(step, result.row))
                elif self._accepted(step, result):
                    announced.append((step, link))
            steps = [step for step in moved if step.kind is Kind.CREATE_PAGE]
            for step in moved:
                if step.kind is not Kind.CREATE_PAGE:
                    self._onward(step)
        self._give_up(steps)
        return announced

    def _anew(self, step: Step, row: Row | None) -> Step:
        """The step planned anew, its row having moved under the run."""
        link = step.item.link
        linked = link is not None and link.state is not LinkState.ANNOUNCED
        page = step.page or (self.absence(link) if link and linked else None)
        anew = self._decided(replace(step.item, row=row), page)
        self.report.tell([anew])
        return anew

    def _decided(self, item: Item, page: Page | Absence | None) -> Step:
        """The step for an item as it is now."""
        resync = self.policy.resync and item.id not in self.written
        return decide(item, page, replace(self.policy, resync=resync))

    def _onward(self, step: Step, fresh: Page | None = None) -> None:
        """Carries out a step that came up while another was carried out; `fresh` is its page, just read."""
        self.report.tell([step])
        if step.silent:
            return
        if step.kind is Kind.CREATE_PAGE:
            for each in self._announce([step]):
                self._create(*each)
        elif step.to_page:
            self._edit(step, fresh)
        else:
            for left in self._in_vault([step]):
                self._onward(left)

    def _create(self, step: Step, link: Link) -> None:
        """Makes an announced page, then does what the answer shows to be left: a long text's rest, an edit since."""
        with self._one(step, link) as work:
            page = self.notion.create(step.to_page.fields, step.id)
            work.link = self._finished(step, _created_link(step, page))
        if not work.ended:
            self._onward(self._decided(Item(step.id, step.item.row, work.link), page), page)

    def _edit(self, step: Step, fresh: Page | None = None) -> None:
        """Writes to a page that is there: reads it, merges anew, announces, writes, keeps the answer as its image."""
        for _ in range(ROUNDS):
            with self._one(step, step.item.link) as work:
                fresh = self._edit_once(work, fresh)
            step = work.step
            if work.ended:
                return
            if not step.to_page or step.kind is Kind.CREATE_PAGE:
                self._onward(step)
                return
        self._give_up([step])

    def _edit_once(self, work: _Work, fresh: Page | None) -> Page | None:
        """One round of `_edit`: leaves in `work` what is still to do; answers the page if it was just written."""
        if (work.step.page is not None and work.step.to_page.fields) or work.step.to_page.in_trash is not None:
            work.step = self._read(work.step, fresh)
            if not work.step.to_page or work.step.kind is Kind.CREATE_PAGE:
                return None
        step, write = work.step, self._intent_write(work.step)
        written = self.writer.write([write])[0]
        if written.moved:
            work.step = self._anew(step, written.row)
        elif not self._accepted(step, written):
            work.ended = True
        else:
            work.link = write.link
            answer, done = self._write_page(step)
            if done:
                link = replace(finished_link(step, answer), base_row=step.intent().row)
                work.link = self._finished(step, link)
            work.step = self._decided(Item(step.id, written.row, work.link), answer)
            return answer
        return None

    def _read(self, step: Step, fresh: Page | None) -> Step:
        """The step by its page as it is now."""
        link = step.item.link
        page = fresh or self.notion.page(_page_id(step)) or (self.absence(link) if link else None)
        return self._decided(step.item, page)

    def _write_page(self, step: Step) -> tuple[Page, bool]:
        """The write itself: the page as it is then, and whether it was written.

        A trash that turns out to have buried an edit is undone at once. A page in the bin takes no edit: one that was
        refused because a person had just trashed the page is no fault of the values.
        """
        write, page_id = step.to_page, _page_id(step)
        try:
            answer = self.notion.edit(page_id, write.fields, in_trash=write.in_trash, decision_id=write.decision_id)
        except NotionRefusalError:
            seen = self.notion.page(page_id)
            if seen is None or not seen.in_trash or write.in_trash is not None:
                raise
            return seen, False
        if write.in_trash and step.page and differing(answer.content, step.page.content):
            answer = self.notion.edit(page_id, {}, in_trash=False)
        return answer, True

    def _finished(self, step: Step, link: Link) -> Link:
        """Keeps what a write to Notion came to."""
        self._failures = 0
        self.written.add(step.id)
        self.writer.queue(Write(step.id, link=link))
        self.report.count(step)
        return link

    def _write(self, step: Step) -> Write:
        row = step.item.row
        return Write(
            step.id,
            expect=row.content if row else None,
            set=step.to_row or None,
            link=step.link,
            drop=step.drops,
            agreed=step.agreed if step.link else (),
            log=_log(self.writer.run, step),
            adopt=step.item.adopts,
        )

    def _intent_write(self, step: Step) -> Write:
        """The vault's part of a page's write: the row, the log, and what the page is about to be."""
        link = step.item.link
        if step.kind is Kind.INSERT_ROW or link is None or link.state is LinkState.ANNOUNCED:
            before = _first_link(step)
        else:
            before = replace(link, page_id=_page_id(step))
        return replace(self._write(step), link=replace(before, intent=step.intent()), agreed=())

    def _accepted(self, step: Step, result: Written) -> bool:
        """Whether the vault took a write; what it refused is remembered with the value."""
        if not result.error:
            return True
        why = f"Supabase refuses it: {result.error}"
        if step.item.link is None and step.page is not None:
            self.stuck[step.page.id] = f"{step.id} {step.title!r}: {why}"
            self._problem(step, why)
        else:
            self._refused(step, step.item.link or _link_of(step), Side.VAULT, step.to_row, result.error)
        return False

    @contextmanager
    def _one(self, step: Step, link: Link | None) -> Iterator[_Work]:
        """One item's work on Notion: what goes wrong with it is kept with it, and the others go on.

        Raises:
            ServiceError: the vault failed, or so many items one behind the other that Notion must be down.
        """
        work = _Work(step, link)
        try:
            yield work
        except NotionRefusalError as error:
            work.ended = True
            link = replace(work.link or _link_of(work.step), intent=None)
            self._refused(work.step, link, Side.NOTION, work.step.to_page.fields, error.what.removeprefix("refuses "))
        except ServiceError as error:
            if error is self.writer.failure or self._is_down(error):
                raise
            work.ended = True
            self._failed(work.step, work.link, error.what)

    def _is_down(self, error: ServiceError) -> bool:
        """Whether a failure is one too many for the items to blame."""
        if isinstance(error, NotFoundError):
            return False
        with self._lock:
            self._failures += 1
            return self._failures >= FAILURES_IN_A_ROW

    def _refused(self, step: Step, link: Link, side: Side, values: Mapping[str, Value], why: str) -> None:
        """For good: it is not asked for again until the values change."""
        whole = Refusal(side, fingerprint(dict(values)), why)
        todo = replace(link.todo, refused={**link.todo.refused, WHOLE: whole})
        self.writer.queue(Write(step.id, link=replace(link, todo=todo)))
        self._problem(step, f"{side.service} refuses it: {why}")

    def _failed(self, step: Step, link: Link | None, why: str) -> None:
        """For now: the next run reads it again."""
        if link is None:
            self.unnoted = True
        elif link.state is not LinkState.ANNOUNCED:
            self.writer.queue(Write(step.id, link=replace(link, todo=replace(link.todo, retry=why))))
        self._problem(step, why)

    def _give_up(self, steps: Sequence[Step]) -> None:
        for step in steps:
            why = "its row or page kept changing while the sync ran; the next run takes it up"
            self._failed(step, step.item.link, why)

    def _problem(self, step: Step, why: str) -> None:
        self.report.problem("failed", f"{step.id} {step.title!r}: {why}")


def _link_of(step: Step) -> Link:
    """The link of a step that has one, for its part of the work."""
    return step.link or step.item.link or Link(None, LinkState.ANNOUNCED)


def _page_id(step: Step) -> str:
    link = step.item.link
    page_id = step.page.id if step.page else link.page_id if link else None
    return page_id or ""


def _first_link(step: Step) -> Link:
    """A new link until its page's first write took effect: by it, what the page still shows is what both had."""
    row, shown = step.intent().row, step.page.content.only(step.to_page.fields) if step.page else {}
    return replace(_link_of(step), base_row=row.but(shown) if row else None)


def _created_link(step: Step, page: Page) -> Link:
    """The link of a page that was made: its image is what Notion made of the values, unless a person was faster.

    That can be when an unclear answer to the create had the page looked up: then what was sent is the image, and what
    the page shows is an edit.
    """
    intent = step.intent()
    link = replace(finished_link(step, page), base_row=intent.row)
    if intent.met_by(page) or (page.edited_by_us and not page.in_trash):
        return link
    return replace(link, state=LinkState.LINKED, base_page=intent.page)


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
