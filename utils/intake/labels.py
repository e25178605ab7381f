"""Labels, keys and headings: which announce a decision, which say something of one, which say that it is none. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_ATTRIBUTES = {
    "date": r"date|decided on|decision date|date decided|timestamp|when|made on|day",
    "type": r"type|category|area|kind|domain|decision type|topic",
    "comment": r"reason|reasons|reasoning|rationale|why|because|justification|context|comments?|notes?|motivation"
    r"|explanation|background|details",
    "status": r"status|state|active|decision status",
    "revises": r"supersedes|replaces|revises|overrides|amends",
    "ended": r"superseded by|replaced by|revoked by",
    "none": r"title|name|subject|meeting|project|owner|owners|deciders?|decision[- ]makers?|participants|id"
    r"|decision id|impact|next steps?|consequences"
    r"|alternatives(?: considered)?|options(?: considered)?|authors?|deadline|due(?: date)?|made by|decided by"
    r"|approved by|agreed by|by|confidence|priority|stakeholders|attendees|agent|source|review date"
    r"|effective(?: date)?|follow-?ups?|action items?|actions?|tags?|ticket|link|risks?|trade-?offs?|pros|cons|scope"
    r"|version|user|agent name",
}
_NAMES = {name: re.compile(rf"(?:{words})", re.IGNORECASE) for name, words in _ATTRIBUTES.items()}
_ALL = "|".join(words for name, words in _ATTRIBUTES.items())
_ALL_UPPER = _ALL.replace(" ", "[ _]")
ATTRIBUTE = re.compile(rf"^(?P<key>(?:{_ALL_UPPER}))(?: ?\([^)]*\))?\s*[:=]\s*(?!$)", re.IGNORECASE)
"""A line that says something of a decision: `Date: 2026-03-03`."""

INLINE = re.compile(
    rf"(?:^|[|;,.(\[–—-]\s*[*_]*|\s(?=(?-i:[A-Z])))(?P<key>\b(?:{_ALL_UPPER}))\s*[:=][*_]*\s+", re.IGNORECASE
)
"""The same within a line, behind a bar, a semicolon or a full stop, or with a capital."""

_ASIDE = r"(?:\s*[(\[][^)\]\n]{1,60}[)\]])"
_NOUNS = {
    "decision": r"(?:here(?:['’]s| is) )?what (?:we|was|has been|the team)(?: have| has)? ?(?:decided|agreed"
    r"|chose)(?: on)?|decisions?|decided|decision[ _]log|we decided|final call|final answer|plan of record|the call"
    r"|our call|call made|motion carried|motion passed|vote passed|ratified|adopted|decree|mandate|directive"
    r"|entscheidung|beschluss|entschieden|beschlossen",
    "agreed": r"final(?=\s*[:：–—])|agreed|signed off|locked in|greenlit|green-?lighted|green light|vereinbart"
    r"|vereinbarung|agreement"
    r"|consensus|resolution|ruling|approved|committed to"
    r"|commitment|(?:outcome"
    r"|result) of the (?:vote|meeting|discussion|call)",
    "passed": r"resolved|verdict|settled|sign-?off|confirmed|finali[sz]ed",
    "chosen": r"chosen (?:option|approach|solution|alternative|path|design|tool)|selected (?:option|approach|solution"
    r"|alternative|path)|option chosen|option selected|choice|our choice|final choice|selection|(?:our |final "
    r"|team )?pick|winner|(?:chosen|selected|picked)(?=\s*(?:[:：–—=]|->|→))",
    "weak": r"outcome|conclusion|policy|new (?:policy|rule|default|standard|norm)",
}
_CLOSED = (
    r"open|pending|propos\w+|possible|potential|draft|tentative|no|next|needed|needs?|required|to|undecided"
    r"|unresolved|deferred|suggest\w*|recommend\w*|candidate|drivers?|criteria|owners?|makers?|date|deadline"
    r"|due|id|ids|type|status|points?|trees?|matrix|making|support|question|questions|context|options?|example|sample"
    r"|hypothetical|awaiting|await|waiting|want|make|before|after|your|if|any|not|never|future|upcoming"
    r"|outstanding|future|fake|mock|dummy|user|customer|client|requested|postponed|theory|fatigue|framework|process"
    r"|tentatively|almost|would-be|should|could|might|(?<!\d )(?<!\d\. )may(?! \d)|considered|under|for discussion"
    r"|for review|template|format"
    r"|who|what|when|agenda"
)
_A_WORD = r"[^\W_][^\W_'’/]{0,30}(?:['’/][^\W_]{1,20})?"
_LABEL = re.compile(
    rf"^(?P<words>(?:{_A_WORD}{_ASIDE}?[ _-]{{1,3}}){{0,4}}?"
    rf"(?:{'|'.join(f'(?P<{name}>{words})' for name, words in _NOUNS.items())}){_ASIDE}?"
    rf"(?:[ _-]{{1,3}}{_A_WORD}\.?){{0,6}}?(?:\s*#?\d[\w.-]{{0,20}})?{_ASIDE}?)"
    r"(?:\s*(?P<colon>[:：]|\||=>|->|→|⇒)[*_\s]*|\s*(?P<dash>[–—]|\s-{1,2}(?=\s)|=)\s*)(?P<rest>.*)$",
    re.IGNORECASE,
)
_WORD = re.compile(rf"(?:^|[\s_(\[-])(?:{_CLOSED})(?=$|[\s_)\]:-])", re.IGNORECASE)
_DECISION = re.compile(r"\bdecisions?\b", re.IGNORECASE)
_CLAUSE = re.compile(r"\b(?:we|i|you|they|it|have|has|had|was|were|is|are|be|been|to)\b", re.IGNORECASE)
_TAG = re.compile(
    r"^[\[(<](?P<words>(?:[\w/-]+ ){0,2}(?:decisions?|decided|agreed|resolved|approved)(?:[ #:/"
    r"|,-]+[\w./-]+){0,3})[\])>]\s*[:–—-]?\s*(?P<rest>\S.*)$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:(?:alright|all right|ok(?:ay)?|so|right|great|cool|done|noted|understood|perfect|sure|yes|yep|good|thanks"
    r"|well"
    r"|then|and|also|update|recap|fine)\b[,.!:]?\s+(?:[–—-]\s+)?)+(?=\S)",
    re.IGNORECASE,
)
_SIGN = re.compile(r"[:：|=>→⇒–—]| -")
_TAGGED = re.compile(r"^[\[(](?P<tag>[^\])\n]{1,40})[\])]\s*(?=\S)")


@dataclass(frozen=True, slots=True)
class Label:
    """A label and what stands behind it.

    Args:
        words: the label, in which a type or a date may stand.
        noun: `decision`, `agreed`, `passed`, `chosen` or `weak`; `closed` where it says that there is no decision.
        confidence: what a decision behind it is worth.
        rest: what stands behind it; '' where nothing does or it is closed.
        end: where the label ends.
    """

    words: str
    noun: str
    confidence: float
    rest: str
    end: int

    @property
    def weak(self) -> bool:
        """Whether findings stand behind it as often as decisions."""
        return self.noun in ("weak", "passed")


def labelled(text: str) -> Label | None:
    """The label with which a plain text begins, be it behind a word such as "Noted!"."""
    lead = _LEAD.match(text)
    if lead and (label := labelled(text[lead.end() :])):
        return replace(label, end=label.end + lead.end())
    tagged = _TAG.match(text)
    if tagged:
        closed = bool(_WORD.search(tagged["words"]))
        return Label(
            tagged["words"],
            "closed" if closed else "decision",
            0.9,
            "" if closed else tagged["rest"],
            tagged.start("rest"),
        )
    if not _SIGN.search(text, 0, 300):
        return None
    tag = _TAGGED.match(text)
    found = _LABEL.match(text[tag.end() :] if tag else text)
    if not found:
        return None
    offset = tag.end() if tag else 0
    words = found["words"] + (f" {tag['tag']}" if tag else "")
    noun = next(name for name in _NOUNS if found[name])
    beside = found["words"].replace(found[noun], "", 1)
    if _DECISION.search(beside):
        noun = "decision"
    if noun in ("agreed", "passed") and _CLAUSE.search(beside):
        return None
    if _WORD.search(beside) or (noun != "decision" and len(found["words"].split()) > 4 and "(" not in found["words"]):
        return Label(words, "closed", 0.0, "", offset)
    sure = 0.95 if found["colon"] else 0.88
    return Label(
        words,
        noun,
        sure - {"decision": 0, "agreed": 0.05, "passed": 0.05, "chosen": 0.02, "weak": 0.25}[noun],
        found["rest"],
        offset + found.start("rest"),
    )


def attribute_of(key: str) -> str:
    """What a key such as `Decided on` or `DECISION_STATUS` says of a decision; `none` where that is of no use; ''."""
    bare = re.sub(r"[\s_]+", " ", key.strip(" *_")).strip()
    return next((name for name, words in _NAMES.items() if words.fullmatch(bare)), "")


_DECIDES = re.compile(
    r"(?:\d+[.)]?\s*)*(?:here(?:['’]s| is| are) |these (?:are|were) |(?:list|summary|overview|recap) of |the |our "
    r"|my |key |main |final |major |important |team |agreed |accepted |approved "
    r"|confirmed |recent |architecture |architectural |technical |design |product |security |strategic |strategy "
    r"|process |meeting |today['’]?s?|this week['’]?s?|all |other |ethical )*"
    r"(?:decisions?(?: (?:outcomes?|log|made|taken|reached|record|records|summary|register|list|from|in|of|at|on|for"
    r"|so far|agreed|and rationale|& rationale|[-–—(]).*)?|resolutions?|resolved|agreements?|agreed|decided"
    r"|outcome of the decision"
    r"|(?:what (?:we|was|has been|have we|the team|is|were)(?: \w+)? ?(?:decided|agreed)(?: on)?)"
    r"|we (?:have )?(?:decided|agreed)(?: (?:on|to|that|the following))?|chosen (?:option|approach|solution|design)"
    r"|selected (?:option|approach)|final call|verdict|rulings?|conclusions? and decisions?|decisions? (?:&"
    r"|and) \w+(?: \w+)?"
    r"|agreed (?:approach|way forward|solution|plan|points|items|upon|actions|decisions)|things (?:we )?(?:decided"
    r"|agreed)(?: on)?|settled"
    r"|consensus(?: reached)?|commitments?|approved|accepted|adopted|signed off|passed|decided items"
    r"|where we (?:landed|ended up)"
    r"|beschl(?:ossen|üsse)|entschieden|entscheidung(?:en)?|vereinbar(?:t|ungen)"
    r"|.{0,40}\b(?:we|the team|they) (?:have )?(?:all )?(?:settled on|agreed(?: on| to)?|decided(?: on)?|went with"
    r"|committed to))",
    re.IGNORECASE,
)
_SHUT = re.compile(
    r"\b(?:options?|alternatives?|considered|proposals?|proposed|open|pending|questions?|examples?|templates?"
    r"|hypothe\w+|drafts?|pros|cons|to (?:be )?(?:decide|discuss|make)\w*|brainstorm\w*|needed|required|drivers"
    r"|criteria|undecided|unresolved|ideas"
    r"|parking lot|recommendations?|recommended|suggest\w*|possible|potential|upcoming|awaiting|scenarios?|what if"
    r"|format|sample|prompt|postponed|deferred|how (?:to|we)|quot\w+|input|next|not (?:yet )?(?:decided|agreed)"
    r"|no decision|rejected|declined|denied|not \w+ed|(?:writing|making|recording) (?:good )?decisions?|glossary"
    r"|for discussion|like this|like so|something like)\b",
    re.IGNORECASE,
)
_ASIDES = re.compile(
    r"\b(?:consequences?|confirmation|positive|negative|neutral|rationale|reason\w*|why|context|status|notes?"
    r"|implementation|next steps|background|impact|validation|follow-?ups?|more information|links?|references"
    r"|implications|risks?|justification|details|related|compliance|attendees|agenda|discussion|actions?(?: items?)?"
    r"|summary|trade-?offs|participants|todos?|tasks)\b",
    re.IGNORECASE,
)


_EDGES = re.compile(r"^[^\w(]+|[^\w)]+$")


def section(headings: tuple[str, ...]) -> str:
    """What a place under these headings holds: `decision`, `status`, `closed` where nothing there is decided, or ''."""
    if not headings:
        return ""
    for depth, title in enumerate(reversed(headings[-3:])):
        if _SHUT.search(title):
            return "closed"
        if title == "status":
            return "status"
        if re.fullmatch(r"(?:the |final )?outcomes?", title):
            return "soft"
        if any(_DECIDES.fullmatch(_EDGES.sub("", part)) for part in (title, *title.split("/"))):
            return "decision"
        if depth == 0 and _ASIDES.search(title):
            return ""
    return ""
