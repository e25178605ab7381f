"""What is to be done about one decision: a pure function of its row, its link and its page. SYNC.md's tables are here.

`decide` answers a Step, plain data that the dry run prints, the brakes count and `apply` carries out. A page counts as
active when its box is ticked and it is not in the bin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from utils.decision import FIELDS, TEXT_BYTES, Decision, Value, differing, same
from utils.sync.merge import WHOLE, Bases, Loss, Merge, Policy, merge, unfit
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
        if self.to_row or self.to_page or self.drops:
            return False
        return self.link is None or self._link_with_row() == self.item.link

    def intent(self) -> Intent:
        """What the page and the row shall be when the page's write has taken effect."""
        before = self.page.content if self.page else NOTHING_YET
        trash = self.to_page.in_trash if self.to_page.in_trash is not None else bool(self.page and self.page.in_trash)
        link = self._link_with_row()
        return Intent(PageImage(before.but(self.to_page.fields), trash), link.base_row if link else None)

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
        return _flag(item, page, "its page was moved out of the database: move it back, or trash it")
    link = _settled(item.link, page)
    item = replace(item, link=link)
    if page is Absence.MISSING:
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


def first_request(fields: Mapping[str, Value]) -> dict[str, Value]:
    """The fields that go into one request together; the comment waits for the next when it is too much for one."""
    size = sum(len(value.encode("utf-8", "surrogatepass")) for value in fields.values() if isinstance(value, str))
    return {
        name: value for name, value in fields.items() if size <= TEXT_BYTES or name != "comment" or len(fields) == 1
    }


def finished_link(step: Step, answer: Page) -> Link:
    """The link after the page's write: its image is the service's answer, for the fields that agree.

    A field that was not written and shows another value than before was edited meanwhile: its image stays, so that
    the next decision sees the edit.
    """
    link = step.link or Link(answer.id, LinkState.LINKED)
    before = step.page.content if step.page else None
    base = link.base_page.content if link.base_page else NOTHING_YET
    values = {
        name: answer.content[name]
        if name in step.to_page.fields or before is None or same(name, before[name], answer.content[name])
        else before[name]
        for name in step.agreed
    }
    state = LinkState.TRASHED if answer.in_trash else LinkState.LINKED
    state = LinkState.GONE if link.state is LinkState.GONE else state
    image = PageImage(base.but(values), answer.in_trash)
    return replace(link, page_id=answer.id, state=state, base_page=image, intent=None)


def _settled(link: Link, page: Page | Absence | None) -> Link:
    """The link with its intent resolved: a page equal to it is our own write, whatever happened since."""
    intent = link.intent
    if intent is None or not isinstance(page, Page) or page.assumed:
        return link
    if not intent.met_by(page):
        return replace(link, intent=None)
    state = LinkState.TRASHED if page.in_trash else LinkState.LINKED
    return replace(link, state=state, base_page=page.image(), base_row=intent.row, intent=None)


def _unlinked(item: Item, page: Page | None, policy: Policy) -> Step:
    link = item.link
    if page is None:
        return _new_page(item, item.row, policy) if item.row else Step(Kind.FORGET, item)
    if link is not None and link.intent is not None:
        bound = Link(page.id, LinkState.LINKED, link.base_row, link.intent.page, link.intent, link.todo)
        return _decide(replace(item, link=bound), page, policy)
    if item.row is None:
        return _new_row(item, page, policy)
    return _linked(item, item.row, Link(page.id, LinkState.LINKED), page, policy, adopt=True)


def _new_row(item: Item, page: Page, policy: Policy) -> Step:
    """A page without a row: inserted, all five columns named."""
    if page.in_trash:
        return Step(Kind.NOTHING, item, page)
    mute = policy.mute(page)
    content = page.content.but({name: getattr(Decision(), name) for name in mute})
    before = item.link.todo if item.link else Todo()
    refused = {
        name: Refusal(Side.VAULT, fingerprint(content[name]), why)
        for name in FIELDS
        if (why := unfit(Side.VAULT, name, content[name], before))
    }
    if "decision" in refused:
        return _flag(item, page, f"page {page.id}: its title {refused['decision'].why}")
    if Side.VAULT not in policy.directions:
        return Step(Kind.NOTHING, item, page)
    kept = content.but(dict.fromkeys(refused))
    agreed = tuple(name for name in FIELDS if name not in refused)
    ticked = {"active": True} if "active" in mute and page.content.active is False else {}
    link = Link(page.id, LinkState.LINKED, NOTHING_YET, _image(page, agreed), None, Todo((), refused))
    write = PageWrite(ticked, None, item.id if page.decision_id != item.id else None)
    write = write if Side.NOTION in policy.directions else PageWrite()
    return Step(Kind.INSERT_ROW, item, page, kept.image(), write, link, agreed, flags=_refusal_flags(refused))


def _new_page(item: Item, row: Row, policy: Policy) -> Step:
    """A row without a page: a page with what Notion can hold of it."""
    content, before = row.content, item.link.todo if item.link else Todo()
    refused = {
        name: Refusal(Side.NOTION, fingerprint(content[name]), why)
        for name in FIELDS
        if (why := unfit(Side.NOTION, name, content[name], before))
    }
    fields = first_request({name: content[name] for name in FIELDS if name not in refused})
    whole = before.refused.get(WHOLE)
    if whole and whole.fingerprint == fingerprint(fields):
        return Step(Kind.NOTHING, item, flags=(f"Notion refuses it: {whole.why}",))
    if Side.NOTION not in policy.directions:
        return Step(Kind.NOTHING, item)
    link = Link(None, LinkState.ANNOUNCED, NOTHING_YET, None, None, Todo((), refused))
    flags = _refusal_flags(refused)
    write = PageWrite(fields, None, item.id)
    return Step(Kind.CREATE_PAGE, item, None, {}, write, link, tuple(fields), flags=flags)


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
    gone = Link(link.page_id, LinkState.GONE, link.base_row, None)
    if not was_live or not active:
        return Step(Kind.FORGET, item, link=gone, agreed=("active",) if edited else FIELDS)
    if Side.VAULT not in policy.directions:
        return Step(Kind.NOTHING, item)
    return Step(Kind.RETIRE, item, to_row={"active": False}, link=gone, agreed=FIELDS)


def _linked(item: Item, row: Row, link: Link, page: Page, policy: Policy, *, adopt: bool = False) -> Step:
    """Row and page are there: trash and restore by the table, all else by the merge."""
    forget = adopt or policy.resync
    if page.in_trash and row.content.active is False:
        return _rest_in_trash(item, row, link, page)
    edited = forget or link.base_row is None or bool(differing(row.content, link.base_row))
    return _merged(item, row, link, page, policy, forget=forget, restore=page.in_trash and edited)


def _rest_in_trash(item: Item, row: Row, link: Link, page: Page) -> Step:
    """A retired row whose page lies in the bin: noted, nothing written; the row's other edits wait."""
    image = PageImage(link.base_page.content if link.base_page else page.content, in_trash=True)
    todo = replace(link.todo, missing_since="", retry="")
    base_row = link.base_row or row.content
    noted = replace(link, state=LinkState.TRASHED, base_row=base_row, base_page=image, todo=todo, intent=None)
    return Step(Kind.NOTHING, item, page, link=noted, agreed=("active",))


def _merged(item: Item, row: Row, link: Link, page: Page, policy: Policy, *, forget: bool, restore: bool) -> Step:
    bases = Bases(None, None, policy.mute(page)) if forget else _bases(link)
    box = row.content.active if restore else page.content.active is not False and not page.in_trash
    merged = merge(row, replace(page, content=replace(page.content, active=box)), bases, link.todo, policy)
    to_page = first_request(merged.to_page)
    if restore and page.content.active is False:
        to_page["active"] = True
    write = _page_write(item, page, to_page, policy, restore=restore)
    later = merged.to_page.keys() - to_page.keys()
    agreed = tuple(name for name in FIELDS if name not in merged.unsettled and name not in later)
    state = LinkState.LINKED if restore or not page.in_trash else LinkState.TRASHED
    final = Link(
        page.id,
        state,
        link.base_row if link.base_row and not forget else NOTHING_YET,
        _image(page, agreed, link.base_page if not forget else None),
        None,
        merged.todo,
    )
    kind = _kind(row.content, merged, write, restore=restore, trashed=page.in_trash)
    flags = _merge_flags(row.content, page.content, merged)
    return Step(kind, item, page, merged.to_row, write, final, agreed, merged.losses, flags)


def _kind(row: Decision, merged: Merge, write: PageWrite, *, restore: bool, trashed: bool) -> Kind:
    if restore:
        return Kind.RESTORE
    if trashed and merged.to_row.get("active") is False and row.active is not False:
        return Kind.RETIRE
    return Kind.UPDATE if merged.to_row or write else Kind.NOTHING


def _page_write(item: Item, page: Page, to_page: Mapping[str, Value], policy: Policy, *, restore: bool) -> PageWrite:
    """The write to a linked page; a Decision ID that was cleared or is another's is put right."""
    if Side.NOTION not in policy.directions or (page.in_trash and not restore):
        return PageWrite()
    repair = not page.assumed and page.decision_id != item.id
    return PageWrite(to_page, False if restore else None, item.id if repair else None)


def _bases(link: Link) -> Bases:
    if link.base_page is None:
        return Bases(link.base_row, None)
    content = link.base_page.content
    return Bases(link.base_row, replace(content, active=False) if link.base_page.in_trash else content)


def _image(page: Page, agreed: Sequence[str], before: PageImage | None = None) -> PageImage:
    """The page's image: agreed fields as the page has them, the others as they were."""
    base = before.content if before else NOTHING_YET
    return PageImage(base.but(page.content.only(agreed)), page.in_trash)


def _flag(item: Item, page: Page, line: str) -> Step:
    return Step(Kind.NOTHING, item, page, flags=(line,))


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
        f"{name} {refusal.why}: not copied to {_NAMES[refusal.side]}, the other fields go on"
        if name != WHOLE
        else f"{_NAMES[refusal.side]} refuses it: {refusal.why}"
        for name, refusal in refused.items()
    )


def _merge_flags(row: Decision, page: Decision, merged: Merge) -> tuple[str, ...]:
    held = tuple(
        f"{name} is held: Supabase has {_short(row[name])}, Notion has {_short(page[name])}"
        for name in merged.todo.held
    )
    return held + _refusal_flags(merged.todo.refused)


_NAMES = {Side.VAULT: "Supabase", Side.NOTION: "Notion"}


def _short(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= 50 else text[:49] + "…"
