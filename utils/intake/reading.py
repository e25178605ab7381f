"""A message being read: its blocks in order, and what each says of a decision. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from utils.intake import dates
from utils.intake.blocks import Block, blocks, cells, front_matter, plain, sentences
from utils.intake.contents import acts, assents, is_open, proposes, suggests
from utils.intake.cues import Cue, asks, cue, masked, weakened
from utils.intake.forms import Form, likely, silent
from utils.intake.labels import ATTRIBUTE, INLINE, Label, attribute_of, labelled, section
from utils.intake.model import Message
from utils.intake.revisions import ENDED, revised, withdrawn

DECISION = 1_000
"""Characters of a decision; a longer one is cut at a word and marked."""

UNTICKED = 0.45
"""What a decision is worth whose box is not ticked."""

_REASON = re.compile(
    r"[,;]?\s+(?:[-–—]\s+)?\(?(because\b|since (?=it|we|they|this|that|the|our|its|there|most|all|no)|due to\b"
    r"|owing to\b|thanks to\b|(?<!have )(?<!has )(?<!was )(?<!been )(?<!were )given (?:that|the|how|our)\b"
    r"|on the grounds\b"
    r"|so that\b|in order to\b|for the reason\b|as (?=(?:it|we|they|this|that|there)\b(?! is(?:\W*$| \())))",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"^\W*(?:because|reason|rationale|why|this|that|it|the (?:main |key )?(?:reason|rationale|motivation)|these|they"
    r"|main(?:ly)?|we (?:did|do) (?:this|so)|since|given)\b",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"\b(?:by|until|till|before|from|starting|effective|as of|after|since|through|beginning|for|to|due|than|week of"
    r"|of|and|between|launch\w*|ship\w*|release\w*|live|deadline|go-live)(?: on)?(?: the)?:?\s*$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:[\[(]?(?:INFO|NOTICE|DEBUG"
    r"|WARN(?:ING)?)[\])]? (?=[\[(]?\d))?(?:[\[(]?\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z"
    r"|[+-]\d\d:?\d\d)?)?[\])]?[\s:,|–—-]*"
    r"|[\[(]?\d\d?:\d\d(?::\d\d)?[\])]?[\s|–—-]+)?(?:[\[(]?(?:INFO|NOTICE|DEBUG|WARN(?:ING)?|LOG|EVENT|AUDIT"
    r"|NOTE)[\])]?[\s:|-]+)?[^\w\"'“‘(\[<{$#@+-]*"
)
_SPEAKER = re.compile(r"^[^\W\d_][\w. '’-]{0,30}(?: \([^)]{1,30}\))?: (?=\S)")
_REPLACES = re.compile(
    r"^\W*(?:this|it) (?:decision )?(?:now )?(?:supersedes|replaces|overrides|revokes|amends) (?:the"
    r"|our) (?:\w+ )*?(?:decision|agreement|policy|rule|plan)\b",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"\b(?:example|template|format|sample|something like|could (?:write|say|look)|might (?:write|say|look)"
    r"|like (?:this|so)|e\.g|draft|hypothetical|imagine|suppose|placeholder|would look|would read|prompt|scenario)\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"\b(?:\w+s|log|register|list|what \w+ .*)\b", re.IGNORECASE)
_A_DAY = re.compile(
    r"\W*(?:on )?(?:[\d./-]{8,10}|\w+ \d+(?:st|nd|rd|th)?,? \d{4}"
    r"|\d+\.? \w+ \d{4})\W*",
    re.IGNORECASE,
)
_HEAD = re.compile(
    r"(?:the |our |key |final )?(?:decisions?(?: (?:made|taken|reached))?|decided|resolution|agreed|verdict"
    r"|what (?:we|was) (?:decided|agreed)"
    r"|chosen(?: \w+)?|ruling)",
    re.IGNORECASE,
)
_SOFT_HEADS = ("outcome", "choice", "conclusion", "result", "proposal", "motion", "change", "title", "item", "topic")
_SURE = re.compile(
    r"\b(?:accepted|approved|adopted|agreed|decided|final|passed|carried|confirmed|in force|done)\b|[✅✔✓☑]",
    re.IGNORECASE,
)
_SETTLED = re.compile(
    r"^\W*(?:(?:so|ok|okay|then|well),? )?(?:it|that|this)(?:['’]s| is| has been| was) (?:now |then )?(?:settled"
    r"|decided|agreed|official|final|a deal|that)\W*$"
    r"|^\W*(?:that settles (?:it|the matter)|decision made|done deal|case closed)\W*$",
    re.IGNORECASE,
)
_TALLY = re.compile(
    r"\W*(?:unanimous\w*|\d+\s*(?:[-–:/]\s*\d+|to \d+|(?:votes? )?(?:in favou?r|for|yes|against|no)\b).{0,40})\W*"
)
_WHAT = re.compile(r"(?:what|statement|summary|text|choice|outcome|result)\s*:\s*(?=\S)", re.IGNORECASE)
_ITEM = re.compile(r"(?:item|proposal|change|request|motion)\s*:\s*(?=\S)", re.IGNORECASE)
_PAIR = re.compile(r"\b(\w{1,30})=(\"[^\"]*\"|\S+)")
_TASK = re.compile(r"\W*(?:choos|select|decid|which|how|evaluat|compar|investigat|discuss)", re.IGNORECASE)
_FIELDS = re.compile(r"\s*\|\s*(?=\w)|\s+(?=[A-Z][A-Z_]{3,}\s*:)")
_SAID_SO = Cue(0, 0, 0.75)
_ADR = ("status", "context", "consequences", "decision drivers", "considered options", "context and problem statement")


@dataclass
class Draft:
    """A decision while its message is still being read."""

    decision: str
    confidence: float
    said: dict[str, str] = field(default_factory=dict)
    why: list[str] = field(default_factory=list)
    active: bool = True
    revises: str = ""
    depth: int = 0
    label: str = ""


class Reading:
    """One message being read, block by block."""

    def __init__(self, message: Message) -> None:
        self.day = dates.day_of(message.at)
        self.front, self.text = front_matter(message.text)
        self.forms: list[Form] = []
        self.found: list[Draft] = []
        self.current: Draft | None = None
        self.standing: dict[str, str] = {}
        self.columns: list[str] = []
        self.title = self.front.get("title", "")
        self.adr = False
        self.shown = False
        self.stamp = ""
        self.place: tuple[str, ...] = ()
        self.paragraphs = 0
        for key, value in self.front.items():
            name = attribute_of(key)
            if name:
                self.standing[name] = value

    def drafts(self) -> list[Draft]:
        """What the message states."""
        if silent(self.text) and not _SURE.search(self.standing.get("status", "")) and "decision" not in self.front:
            return []
        stated = self.front.get("decision", "")
        if stated and not is_open(stated):
            self._add(Draft(stated, 0.9), Block(stated))
        self.forms = likely(self.text)
        every = list(blocks(self.text))
        titles = {block.headings[-1] for block in every if block.headings} | {
            plain(block.text).lower() for block in every if block.kind == "heading"
        }
        self.adr = any(title in _ADR for title in titles) or bool(self.front.get("status"))
        for block in every:
            self._block(block)
        self._titled()
        if self.adr:
            late = {name: value for name, value in self.standing.items() if name in ("date", "status")}
            for draft in self.found:
                draft.said = late | draft.said
        return self.found

    def _titled(self) -> None:
        """A record that is accepted and has no section for its decision states it in its title."""
        sure = self.adr and not self.found and _SURE.search(self.standing.get("status", ""))
        if sure and not _TASK.match(self.title) and not is_open(self.title):
            self._add(Draft(self.title, 0.7), Block(self.title))

    def _block(self, block: Block) -> None:
        if block.kind == "heading":
            self._heading(block)
            return
        if block.headings != self.place:
            self.place, self.paragraphs = block.headings, 0
            self.current = self.current if self.adr else None
        if block.kind == "row":
            self._row(block)
            return
        self.columns = []
        kind = section(block.headings)
        text = plain(block.text)
        if not kind and self._says_nothing(text):
            self.shown = self.shown and block.kind == "item"
            self.current = self.current if block.kind == "item" else None
            return
        lead = _LEAD.match(text)
        self.stamp, text = (dates.first(lead[0], self.day), text[lead.end() :]) if lead else ("", text)
        if kind == "status":
            self._status(text)
        elif kind != "closed" and not self._is_shown(block, text):
            self._speaks(block, text, kind)

    def _says_nothing(self, text: str) -> bool:
        """Whether a block has no label, no key and no word of deciding: most are passed over so."""
        return ":" not in text and silent(text, self.forms)

    def _heading(self, block: Block) -> None:
        text = plain(block.text)
        if block.level == 1 and not self.title:
            self.title = re.sub(r"^(?:ADR[-\s]*)?\d+[.:)\s-]+", "", text)
        day = dates.first(text, self.day)
        if day:
            self.standing["date"] = day
        label = labelled(text)
        self.current, self.columns, self.shown = None, [], False
        if label and label.rest and block.level < 7 and section(block.headings) != "closed":
            self._labelled(label, block, text)

    def _is_shown(self, block: Block, text: str) -> bool:
        """Whether a block belongs to an example that the text before has announced."""
        shown, announces = self.shown, text.endswith(":") and bool(_EXAMPLE.search(text))
        self.shown = announces or (shown and block.kind == "item")
        return shown or announces

    def _status(self, text: str) -> None:
        self.standing.setdefault("status", text[:80])
        replaced = "" if ENDED.search(text) else revised(text)
        day = dates.first(text, self.day)
        self.standing |= {name: value for name, value in (("revises", replaced), ("date", day)) if value}

    def _speaks(self, block: Block, text: str, kind: str) -> None:
        pairs = _pairs(text) if "=" in text else {}
        if "decision" in pairs and not is_open(pairs["decision"]):
            self._add(Draft(pairs.pop("decision"), 0.9, pairs), block)
            return
        attribute = ATTRIBUTE.match(text)
        name = attribute_of(attribute["key"]) if attribute else ""
        label = None if name else labelled(text)
        if attribute and name:
            first, *others = _FIELDS.split(text[attribute.end() :])
            self._attribute(name, first)
            for other in others:
                self._speaks(block, other, kind)
        elif label and label.rest:
            self._labelled(label, block, text)
        elif label and label.noun == "closed":
            self.current = None
        elif kind == "decision":
            what = _WHAT.match(text)
            self._placed(block, text[what.end() :] if what else text)
        elif kind == "soft" and acts(text) and not suggests(text) and not is_open(text):
            self._add(Draft(text, 0.66), block)
        elif _ITEM.match(text) and _SURE.search(self.standing.get("status", "")):
            self._add(Draft(text[text.index(":") + 1 :], 0.75), block)
        else:
            self._told(block, text)

    def _attribute(self, name: str, value: str) -> None:
        """`Date: ...` beside a decision is that decision's; before any, or where it has one already, the next one's."""
        value = value.strip(" *_|`")
        if name == "none":
            return
        if name == "ended":
            name, value = "status", "superseded"
        if self.current is None or (name in self.current.said and name != "comment"):
            self.current = None
            self.standing[name] = value
        else:
            self.current.said.setdefault(name, value)

    def _row(self, block: Block) -> None:
        row = [plain(cell) for cell in cells(block.text)]
        if not row:
            return
        if not self.columns:
            self.columns = _columns(row)
            return
        named = {name: value for name, value in zip(self.columns, row, strict=False) if value}
        text = named.pop("decision", "")
        if not text and _SURE.search(named.get("status", "")):
            text = named.pop("soft", "")
        named.pop("soft", None)
        if text and section(block.headings) != "closed" and not is_open(text):
            self._add(Draft(text, 0.85, named), block)

    def _labelled(self, label: Label, block: Block, text: str) -> None:
        rest, said = _inline(label.rest)
        rest, *fields = rest.split(" | ")
        if fields and (_SURE.search(fields[-1]) or is_open(fields[-1])):
            said.setdefault("status", fields[-1])
        first, *others = sentences(rest) or [""]
        if others and _TALLY.fullmatch(first):
            first, *others = others
        if _A_DAY.fullmatch(first):
            self._attribute("date", first)
            return
        if not first or is_open(first) or asks(rest) or (label.noun in ("agreed", "passed") and assents(first)):
            self.current = None
            return
        if label.noun == "chosen":
            first = f"{text[: label.end].strip()} {first}"
            said.setdefault("topic", self.title)
        confidence = label.confidence if acts(first) or not label.weak else 0.5
        if weakened(label.words):
            confidence = min(confidence, 0.45)
        self._dated(said, text[: label.end], first)
        self._add(Draft(first, confidence, said, _further(others), label=label.words), block)

    def _placed(self, block: Block, text: str) -> None:
        """A block under a heading that announces decisions."""
        plural = bool(_SEVERAL.search(block.headings[-1]))
        if self.current is not None and (block.depth > self.current.depth or (not plural and self.paragraphs)):
            of = self.current
            if self.adr or plural or block.kind != "text" or not self._told(block, text):
                of.why.append(text)
                self.current = of
            return
        rest, said = _inline(text)
        told = [sentence for sentence in sentences(rest) if not is_open(sentence)]
        if not told or text.endswith(":"):
            return
        stated = (each for each in told if cue(each, self.forms))
        chosen = next(stated, "") or next(filter(acts, told), told[0])
        self._dated(said, "", chosen)
        if not plural and block.kind == "text":
            self.paragraphs += 1
        others = [
            each for each in told[1:] if plural and block.kind == "text" and acts(each) and not _EXPLAINS.match(each)
        ]
        confidence = 0.45 if proposes(chosen) else 0.9 if block.kind == "text" else 0.86
        behind = [each for each in told[told.index(chosen) + 1 :] if each not in others]
        self._add(Draft(chosen, confidence, said, _further(behind)), block)
        for each in others:
            if each != chosen:
                self._add(Draft(each, min(confidence, 0.8), dict(said)), block)

    def _told(self, block: Block, text: str) -> bool:
        """A block of prose: its sentences that state a decision; answers whether one does."""
        before, found = self.current, len(self.found)
        self.current = before if block.kind == "item" else None
        for sentence, stated, replaces in self._statements(text):
            label = None if stated else labelled(sentence)
            if label and label.rest and label.noun in ("decision", "agreed", "chosen"):
                self._labelled(label, block, sentence)
            elif stated:
                said: dict[str, str] = {}
                self._dated(said, sentence[: stated.end], sentence[stated.end :])
                speaker = _SPEAKER.match(sentence)
                start = speaker.end() if speaker and speaker.end() <= stated.start + 1 else 0
                self._add(Draft(sentence[start:], stated.confidence, said, revises=replaces), block)
            elif len(self.found) > found and self.current and _EXPLAINS.match(sentence):
                self.current.why.append(sentence)
                self.current.revises = self.current.revises or revised(sentence)
            elif before and revised(sentence):
                before.revises = before.revises or revised(sentence)
        return len(self.found) > found

    def _statements(self, text: str) -> Iterator[tuple[str, Cue | None, str]]:
        """The sentences, what each states and replaces; "That is final" states the one before it, or the one behind."""
        before, settled = "", False
        for sentence in sentences(text):
            stated = cue(sentence, self.forms) or (_SAID_SO if settled and not is_open(sentence) else None)
            settled = bool(_SETTLED.match(sentence) or _REPLACES.match(sentence))
            if settled and before and acts(before) and not is_open(before):
                settled = False
                yield before, _SAID_SO, revised(sentence)
            else:
                yield sentence, None if settled else stated, ""
            before = "" if stated or settled else sentence

    def _add(self, draft: Draft, block: Block) -> None:
        """Keeps a decision: its reasoning apart, what was standing for it taken in."""
        draft.revises = draft.revises or revised(draft.decision) or next(filter(None, map(revised, draft.why)), "")
        if withdrawn(draft.decision) or re.fullmatch(r"\W*~~.*~~\W*", block.text):
            draft.active = False
        if block.box == "-":
            draft.confidence = min(draft.confidence, UNTICKED)
        topic = draft.said.pop("topic", "")
        cut = _REASON.search(masked(draft.decision), 12)
        if cut:
            draft.why.insert(0, draft.decision[cut.start(1) :].rstrip(")"))
            draft.decision = draft.decision[: cut.start()]
        draft.why.insert(0, topic)
        draft.decision = _bare(draft.decision)
        draft.depth = block.depth
        draft.said = {name: value for name, value in self.standing.items() if value} | draft.said
        self.standing = {
            name: value
            for name, value in self.standing.items()
            if name == "date" or (self.adr and name in ("status", "revises"))
        }
        self.found.append(draft)
        self.current = draft

    def _dated(self, said: dict[str, str], head: str, rest: str) -> None:
        """Notes when it was decided: said before or in the words of deciding, or behind, unless planned for then."""
        days = [day for _, _, day in dates.said(head, self.day)] or [
            day
            for start, _, day in dates.said(rest, self.day)
            if not _BEFORE.search(rest[:start]) and not (self.day and day > self.day)
        ]
        if days or self.stamp:
            said.setdefault("date", [*days, self.stamp][0])


def _pairs(text: str) -> dict[str, str]:
    """The pairs of a log such as `decision="use tea" status=final` that say something of a decision."""
    named = ((attribute_of(key) or key.lower(), value.strip('"')) for key, value in _PAIR.findall(text))
    return {key: value for key, value in named if key in ("decision", "date", "type", "comment", "status")}


def _columns(row: list[str]) -> list[str]:
    """What the columns of a table hold, by its head; one that may hold a decision does where the status says so."""
    columns = ["decision" if _HEAD.fullmatch(cell) else attribute_of(cell) for cell in row]
    heads = [cell.lower() for cell in row]
    soft = next((head for head in _SOFT_HEADS if head in heads), "")
    if soft and "decision" not in columns:
        columns[heads.index(soft)] = "soft"
    return columns


def _bare(decision: str) -> str:
    """A decision without marks of code, quotation marks around it and punctuation behind it."""
    decision = shortened(decision.replace("`", "").strip().rstrip(" .;,|–—-").strip(), DECISION)
    quoted = decision[:1] in '"“' and decision[-1:] in '"”' and not any(mark in decision[1:-1] for mark in '"“”')
    return decision[1:-1] if quoted else decision


def shortened(text: str, longest: int) -> str:
    """A text that is no longer; cut at a word and marked if it was."""
    return text if len(text) <= longest else text[: longest - 2].rsplit(" ", 1)[0] + " …"


def _further(told: list[str]) -> list[str]:
    """The sentences behind a decision that explain it."""
    return [sentence for sentence in told if cue(sentence) is None][:4]


def _inline(text: str) -> tuple[str, dict[str, str]]:
    """A text up to its first `Key: value`, and these."""
    keys = list(INLINE.finditer(text))
    said: dict[str, str] = {}
    for number, key in enumerate(keys):
        end = keys[number + 1].start() if number + 1 < len(keys) else len(text)
        said.setdefault(attribute_of(key["key"]), text[key.end() : end].strip(" |;,)*_`"))
    said.pop("none", None)
    if said.pop("ended", None):
        said["status"] = "superseded"
    return (text[: keys[0].start()] if keys else text).strip(" |;,("), said
