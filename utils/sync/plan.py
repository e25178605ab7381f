"""What is to be done about one decision: a pure function of its row, its link and its page. SYNC.md's tables are here.

`decide` answers a Step, plain data that the dry run prints, the brakes count and `apply` carries out. A page counts as
active when its box is ticked and it is not in the bin.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from utils.decision import FIELDS, Decision, Value, differing, same
from utils.sync.merge import WHOLE, Bases, Loss, Merge, Policy, first_request, merge, unfit, whole_is_refused
from utils.sync.model import (
    EPOCH,
    Absence,
    Intent,
    Item,
    Link,
    LinkState,
    Page,
    PageImage,
    Refusal,
    Row,
    Side,
    Todo,
    fingerprint,
)

NOTHING_YET = Decision(active=None)
"""The image of a side that has not agreed to anything."""


class Kind(Enum):
    """What a step amounts to, in the words of the report."""

    NOTHING = "nothing"
    INSERT_ROW = "copy to Supabase"
    CREATE_PAGE = "copy to Notion"
    UPDATE = "merge"
    RETIRE = "retire"
    TRASH = "trash"
    RESTORE = "restore"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class PageWrite:
    """One write to Notion: None leaves a thing as it is. Without a page id in the step's link it creates."""

    fields: Mapping[str, Value] = field(default_factory=dict)
    in_trash: bool | None = None
    decision_id: str | None = None

    def __bool__(self) -> bool:
        return bool(self.fields) or self.in_trash is not None or self.decision_id is not None


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about one decision.

    Args:
        item: the row and the link it was decided by.
        page: the page it was decided by.
        to_row: columns to write, all five for an insert.
        to_page: the write to Notion, falsy for none.
        link: the link when all is done; None leaves it.
        agreed: fields whose value in the row then goes into the link's base_row.
        flags: what a person should know, and do.
    """

    kind: Kind
    item: Item
    page: Page | None = None
    to_row: Mapping[str, Value] = field(default_factory=dict)
    to_page: PageWrite = PageWrite()
    link: Link | None = None
    agreed: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The decision's id."""
        return self.item.id

    @property
    def title(self) -> str:
        """The decision's text, short, for a line."""
        content = self.item.row.content if self.item.row else self.page.content if self.page else Decision()
        text = " ".join(content.decision.split()) or "(untitled)"
        return text if len(text) <= 60 else text[:59] + "…"

    @property
    def drops(self) -> bool:
        """Whether the link goes altogether."""
        return self.kind is Kind.FORGET and self.link is None

    @property
    def silent(self) -> bool:
        """Whether nothing is to be written anywhere."""
        if self.to_row or self.to_page or self.drops or self.item.adopts:
            return False
        return self.link is None or self._link_with_row() == self.item.link

    def intent(self) -> Intent:
        """What the page and the row shall be when the page's write has taken effect."""
        before = self.page.image() if self.page else None
        shown = before or PageImage(NOTHING_YET)
        trash = shown.in_trash if self.to_page.in_trash is None else self.to_page.in_trash
        link = self._link_with_row()
        row = link.base_row if link else None
        return Intent(PageImage(shown.content.but(self.to_page.fields), trash), row, self.agreed, before)

    def _link_with_row(self) -> Link | None:
        """The link after the step: agreed fields of its image from the row, the others as they were."""
        if self.link is None or (self.item.row is None and not self.to_row) or not self.agreed:
            return self.link
        row = (self.item.row.content if self.item.row else Decision()).but(self.to_row)
        return replace(self.link, base_row=(self.link.base_row or NOTHING_YET).but(row.only(self.agreed)))


def decide(item: Item, page: Page | Absence | None, policy: Policy) -> Step:
    """The step for one decision.

    Args:
        item: its row and link.
        page: its page as read; an assumed one where nothing says that it changed; Absence where it is not there;
            None for an item that has no page yet.
        policy: how conflicts are decided.
    """
    return replace(_decide(item, page, policy), item=item)


def _decide(item: Item, page: Page | Absence | None, policy: Policy) -> Step:
    if item.link is None or item.link.state is LinkState.ANNOUNCED:
        return _unlinked(item, page if isinstance(page, Page) else None, policy)
    if isinstance(page, Page) and not page.at_home:
        if item.row is not None and not page.in_trash and not policy.resync:
            return _stuck(item, page, "its page was moved out of the database: move it back, or trash it")
        page = Absence.GONE
    link = _settled(item.link, page)
    item = replace(item, link=link)
    if page is Absence.MISSING and not policy.resync:
        return _missing(item, link, policy)
    if item.row is None:
        return _row_absent(item, link, page if isinstance(page, Page) else None, policy)
    if not isinstance(page, Page):
        return _page_gone(item, item.row, link, policy)
    return _linked(item, item.row, link, page, policy)


def assumed_page(link: Link) -> Page | Absence:
    """The page that a link's image stands for, while nothing says that it changed."""
    if link.base_page is None or link.page_id is None:
        return Absence.GONE
    return Page(link.page_id, link.base_page.content, link.base_page.in_trash, "", EPOCH, EPOCH, assumed=True)


def finished_link(step: Step, answer: Page) -> Link:
    """The link after the page's write: its image is the service's answer, for the fields that agree.

    A field that was not written and shows another value than before was edited meanwhile: its image stays, so that
    the next decision sees the edit.
    """
    link = step.link or Link(answer.id, LinkState.LINKED)
    before = step.page.content if step.page else None
    base = link.base_page or PageImage(NOTHING_YET)
    values = {
        name: answer.content[name]
        if name in step.to_page.fields or before is None or same(name, before[name], answer.content[name])
        else before[name]
        for name in step.agreed
    }
    image = PageImage(base.content.but(values), answer.in_trash if "active" in step.agreed else base.in_trash)
    state = LinkState.TRASHED if image.in_trash else LinkState.LINKED
    state = LinkState.GONE if link.state is LinkState.GONE else state
    return replace(link, page_id=answer.id, state=state, base_page=image, intent=None)


def _settled(link: Link, page: Page | Absence | None) -> Link:
    """The link with its intent resolved: what a page shows as intended is our own write, whatever happened since.

    A box and the bin go together: a page still in the bin does not tell whether its box was ticked, and is one that we
    know to be there. Where an image is missing, what is not all done is begun anew.
    """
    intent = link.intent
    if intent is None or not isinstance(page, Page) or page.assumed:
        return link
    met = intent.page.in_trash is page.in_trash
    ours = [name for name in intent.met_fields(page) if met or name != "active"]
    if (link.base_row is None or link.base_page is None) and not (met and len(ours) == len(intent.agreed)):
        return replace(link, intent=None)
    before = link.base_page or PageImage(NOTHING_YET)
    known = met or (intent.before is not None and intent.before.in_trash is page.in_trash)
    in_trash = page.in_trash if known else before.in_trash
    values = _counted(before.content, in_trash=before.in_trash and not in_trash).but(page.content.only(ours))
    base_row = (link.base_row or NOTHING_YET).but(intent.row.only(ours)) if intent.row else None
    state = LinkState.TRASHED if in_trash else LinkState.LINKED
    return replace(link, state=state, base_page=PageImage(values, in_trash), base_row=base_row, intent=None)


def _unlinked(item: Item, page: Page | None, policy: Policy) -> Step:
    link = item.link
    if page is None:
        return _new_page(item, item.row, policy) if item.row else Step(Kind.FORGET, item)
    if link is not None and link.intent is not None:
        bound = Link(page.id, LinkState.LINKED, link.base_row, link.intent.page, link.intent, link.todo)
        return _decide(replace(item, link=bound), page, policy)
    if item.row is None:
        return Step(Kind.FORGET, item, page) if page.in_trash else _new_row(item, page, policy)
    return _linked(item, item.row, Link(page.id, LinkState.LINKED), page, policy)


def _new_row(item: Item, page: Page, policy: Policy) -> Step:
    """A page without a row: inserted, all five columns named."""
    mute = policy.mute(page)
    content = page.content.but(Decision().only(mute))
    before = item.link.todo if item.link else Todo()
    refused = _refusals(Side.VAULT, content, before)
    if "decision" in refused:
        return _stuck(item, page, f"page {page.id}: its title {refused['decision'].why}")
    if Side.VAULT not in policy.directions:
        return Step(Kind.NOTHING, item, page)
    values = content.but(dict.fromkeys(refused)).image()
    if whole_is_refused(before, Side.VAULT, values):
        return _stuck(item, page, *_refusal_flags({WHOLE: before.refused[WHOLE]}))
    tick = not same("active", content.active, page.content.active)
    write = PageWrite({"active": True} if tick else {}, None, item.id if page.decision_id != item.id else None)
    if Side.NOTION not in policy.directions:
        write = PageWrite()
    later = {"active"} if tick and not write else set()
    agreed = tuple(name for name in FIELDS if name not in refused and name not in later)
    start = NOTHING_YET.but(page.content.only(later))
    link = Link(page.id, LinkState.LINKED, start, _image(page, agreed, PageImage(start)), None, Todo((), refused))
    return Step(Kind.INSERT_ROW, item, page, values, write, link, agreed, flags=_refusal_flags(refused))


def _new_page(item: Item, row: Row, policy: Policy) -> Step:
    """A row without a page: a page with what Notion can hold of it."""
    before = item.link.todo if item.link else Todo()
    refused = _refusals(Side.NOTION, row.content, before)
    fields = first_request({name: row.content[name] for name in FIELDS if name not in refused})
    if whole_is_refused(before, Side.NOTION, fields):
        return Step(Kind.NOTHING, item, flags=_refusal_flags({**refused, WHOLE: before.refused[WHOLE]}))
    if Side.NOTION not in policy.directions:
        return Step(Kind.NOTHING, item)
    link = Link(None, LinkState.ANNOUNCED, NOTHING_YET, None, None, Todo((), refused))
    write = PageWrite(fields, None, item.id)
    return Step(Kind.CREATE_PAGE, item, None, {}, write, link, tuple(fields), flags=_refusal_flags(refused))


def _refusals(side: Side, content: Decision, before: Todo) -> dict[str, Refusal]:
    """The fields of a new row or page that the side cannot hold."""
    return {
        name: Refusal(side, fingerprint(content[name]), why)
        for name in FIELDS
        if (why := unfit(side, name, content[name], before))
    }


def _missing(item: Item, link: Link, policy: Policy) -> Step:
    todo = link.todo
    if not todo.missing_since:
        todo = replace(todo, missing_since=policy.now.isoformat())
    line = "its page cannot be found; it counts as deleted when it is still missing 10 minutes after the first time"
    return Step(Kind.NOTHING, item, link=replace(link, todo=todo), flags=(line,))


def _row_absent(item: Item, link: Link, page: Page | None, policy: Policy) -> Step:
    if page is None or page.in_trash:
        losses = _unsynced(link, page)
        image = page.image() if page else None
        gone = Link(link.page_id, LinkState.GONE, None, image)
        return Step(Kind.FORGET, item, page, link=gone, losses=losses)
    base = link.base_page
    if base is None or base.in_trash or differing(page.content, base.content) or policy.resync:
        return _new_row(item, page, policy)
    if Side.NOTION not in policy.directions:
        return Step(Kind.NOTHING, item, page)
    gone = Link(link.page_id, LinkState.GONE, None, None)
    return Step(Kind.TRASH, item, page, to_page=PageWrite(in_trash=True), link=gone, agreed=FIELDS)


def _page_gone(item: Item, row: Row, link: Link, policy: Policy) -> Step:
    """The row is there, its page is gone for good."""
    active = row.content.active is not False
    was_live = link.state is LinkState.LINKED
    edited = link.base_row is None or bool(differing(row.content, link.base_row))
    if policy.resync or (active and (edited or not was_live)):
        return _new_page(replace(item, link=None), row, policy)
    retired = {"active": False}
    gone = Link(link.page_id, LinkState.GONE, link.base_row, None)
    if not was_live or not active:
        return Step(Kind.FORGET, item, link=gone, agreed=_alike(row.content, link.base_row or NOTHING_YET))
    if whole_is_refused(link.todo, Side.VAULT, retired):
        return Step(Kind.NOTHING, item, flags=_refusal_flags(link.todo.refused))
    if Side.VAULT not in policy.directions:
        return Step(Kind.NOTHING, item)
    return Step(Kind.RETIRE, item, to_row=retired, link=gone, agreed=FIELDS)


def _linked(item: Item, row: Row, link: Link, page: Page, policy: Policy) -> Step:
    """Row and page are there: trash and restore by the table, all else by the merge."""
    if policy.resync:
        link = replace(link, base_row=None, base_page=None)
    if not page.in_trash:
        return _merged(item, row, link, page, policy, restore=False)
    if row.content.active is False:
        return _rest_in_trash(item, row, link, page)
    before = link.base_page is not None and link.base_page.in_trash
    edited = link.base_row is None or bool(differing(row.content, link.base_row))
    held = "active" in link.todo.held and policy.opens("active") is not Side.VAULT
    if held or not (before or edited):
        closed = replace(policy, directions=policy.directions - {Side.NOTION})
        return _merged(item, row, link, page, closed, restore=False)
    if Side.NOTION not in policy.directions:
        return Step(Kind.NOTHING, item, page)
    return _merged(item, row, link, page, policy, restore=True)


def _rest_in_trash(item: Item, row: Row, link: Link, page: Page) -> Step:
    """A retired row whose page lies in the bin: noted, nothing written; what else differs waits."""
    alike = _alike(row.content, page.content)
    image = _image(page, alike, link.base_page or PageImage(NOTHING_YET))
    held = tuple(name for name in link.todo.held if name not in alike)
    todo = replace(link.todo, held=held, missing_since="", retry="")
    noted = Link(page.id, LinkState.TRASHED, link.base_row or NOTHING_YET, image, None, todo)
    flags = _open_flags(row.content, page.content, todo)
    return Step(Kind.NOTHING, item, page, link=noted, agreed=alike, flags=flags)


def _alike(row: Decision, other: Decision) -> tuple[str, ...]:
    """What may count as agreed of a retired row without a live page: its box, and what is the same as there."""
    return tuple(name for name in FIELDS if name == "active" or same(name, row[name], other[name]))


def _merged(item: Item, row: Row, link: Link, page: Page, policy: Policy, *, restore: bool) -> Step:
    """What the merge of both comes to.

    A page to be restored says nothing by its box; the bin unticks any other's, which is an edit however the box was.
    """
    todo = link.todo
    if restore:
        counted, mute = page.content, frozenset({"active"})
        todo = replace(todo, refused={name: each for name, each in todo.refused.items() if name != WHOLE})
    else:
        counted, mute = _counted(page.content, in_trash=page.in_trash), frozenset[str]()
    mute |= policy.mute(page) if link.base_row is None and link.base_page is None else frozenset()
    base_row, base_page = _known(link, row.content, counted, mute)
    image = _counted(link.base_page.content, in_trash=link.base_page.in_trash) if link.base_page else None
    if image and link.base_page and page.in_trash and not (restore or link.base_page.in_trash):
        image = image.but({"active": True})
    merged = merge(row, replace(page, content=counted), Bases(link.base_row, image, mute), todo, policy)
    agreed = tuple(name for name in FIELDS if name not in merged.unsettled)
    seen = _image(page, agreed, base_page)
    state = LinkState.TRASHED if seen.in_trash and not restore else LinkState.LINKED
    final = Link(page.id, state, base_row, seen, None, merged.todo)
    write = _page_write(item, page, merged.to_page, policy, restore=restore)
    kind = _kind(row.content, merged, write, restore=restore, trashed=page.in_trash)
    flags = _open_flags(row.content, page.content, merged.todo)
    return Step(kind, item, page, merged.to_row, write, final, agreed, merged.losses, flags)


def _kind(row: Decision, merged: Merge, write: PageWrite, *, restore: bool, trashed: bool) -> Kind:
    if restore:
        return Kind.RESTORE
    if trashed and merged.to_row.get("active") is False and row.active is not False:
        return Kind.RETIRE
    return Kind.UPDATE if merged.to_row or write else Kind.NOTHING


def _page_write(item: Item, page: Page, to_page: Mapping[str, Value], policy: Policy, *, restore: bool) -> PageWrite:
    """The write to a linked page; a Decision ID that was cleared or is another's is put right."""
    if Side.NOTION not in policy.directions:
        return PageWrite()
    repair = not page.assumed and page.decision_id != item.id
    return PageWrite(to_page, False if restore else None, item.id if repair else None)


def _counted(content: Decision, *, in_trash: bool) -> Decision:
    """A page's content as it counts: the bin unticks the box."""
    return content.but({"active": False}) if in_trash else content


def _known(link: Link, row: Decision, page: Decision, mute: frozenset[str]) -> tuple[Decision, PageImage]:
    """A link's images; a missing one such that its side counts as moved, or of two by what is not empty."""
    if link.base_row is None and link.base_page is None:
        row, page = NOTHING_YET.but(row.only({"active"})), NOTHING_YET.but(page.only({"active"}))
    return link.base_row or page, link.base_page or PageImage(row.but(page.only(mute)))


def _image(page: Page, agreed: Collection[str], before: PageImage) -> PageImage:
    """The page's image: agreed fields as the page has them, the others as they were; the bin goes with the box."""
    return PageImage(
        before.content.but(page.content.only(agreed)), page.in_trash if "active" in agreed else before.in_trash
    )


def _stuck(item: Item, page: Page, line: str) -> Step:
    """Nothing can be done about a page; if it is linked it is read again every run."""
    link = item.link and replace(item.link, todo=replace(item.link.todo, retry=line))
    return Step(Kind.NOTHING, item, page, link=link, flags=(line,))


def _unsynced(link: Link, page: Page | None) -> tuple[Loss, ...]:
    """Edits of a page that goes with its row, kept in the log."""
    if page is None or link.base_page is None:
        return ()
    base = link.base_page.content
    return tuple(
        Loss(name, page.content[name], None, base[name], Side.VAULT, "row and page were both deleted")
        for name in differing(page.content, base)
    )


def _refusal_flags(refused: Mapping[str, Refusal]) -> tuple[str, ...]:
    return tuple(
        f"{name} {refusal.why}: not copied to {refusal.side.service}, the other fields go on"
        if name != WHOLE
        else f"{refusal.side.service} refuses it: {refusal.why}"
        for name, refusal in refused.items()
    )


def _open_flags(row: Decision, page: Decision, todo: Todo) -> tuple[str, ...]:
    held = tuple(
        f"{name} is held: Supabase has {_short(row[name])}, Notion has {_short(page[name])}" for name in todo.held
    )
    return held + _refusal_flags(todo.refused)


def _short(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= 50 else text[:49] + "…"
