"""Statements of decisions in sentences: a form of deciding that nothing around it takes away. Pure.

What stands in a condition, in a report of what others said, in a question, in an order to write it down or in quotation
marks states nothing; what is doubted, weakened or put off is for a person to review.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from utils.intake.forms import FORMS, Form, likely

LONGEST = 2_000
"""Characters of a sentence; what is longer is no sentence."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that state a decision.

    Args:
        start: where they begin.
        end: where they end.
        confidence: what they are worth by themselves.
    """

    start: int
    end: int
    confidence: float


_QUOTED = re.compile(r"[\"“„«][^\"“”„«»]{1,400}[\"”“»]|(?<!\w)[‘'][^'’\n]{12,300}[’'](?!\w)|`[^`]+`")
_CLAUSE = re.compile(r"[;:—–,]|\b(?:but|so|then|therefore|hence|thus|yet|however|because)\b|\s-\s", re.IGNORECASE)
_SINCE = re.compile(r"\b(?:and|who|which)\b", re.IGNORECASE)
_CONDITION = re.compile(
    r"\b(?:if|unless|whether|once|until|till|whenever|when|before|in case|as if|as though|provided|lest|should|would"
    r"|could|might|(?-i:may)"
    r"|can|how|who)\b|\b(?:to|had|were|do|did|does|have|has)\s*$",
    re.IGNORECASE,
)
_IMAGINED = re.compile(
    r"\b(?:imagine|suppos(?:e|ing|edly)|assum(?:e|ing)|pretend|hypothetical(?:ly)?|what if|let['’]?s say|let us say"
    r"|say that|in theory|for instance"
    r"|for example|e\.g\.|such as|as an example|example|in a (?:world|scenario|case)|scenario|fiction|in the (?:story"
    r"|novel|movie|film|book|game|play)"
    r"|would (?:have|be)|could (?:have|be)|might (?:have|be)|perhaps|maybe|possibly|probably|apparently|allegedly"
    r"|rumou?r|template|had (?:we|the|it|they)\b"
    r"|wish(?:ed|es)?|hop(?:e|es|ed|ing)|fear(?:s|ed)?|ideally|almost|nearly)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\b(?:not|never|no one|nobody|none|neither|nor|without|hardly|barely|no|cannot|nothing|yet to|far from|failed"
    r"|unable|refus\w+|few)\b|n['’]t\b)",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"\b(?:users?|you|he|she|they|customers?|clients?|article|documents?|e-?mails?|posts?|blog|quotes?|prompts?|text"
    r"|page|book|someone|somebody"
    r"|people|critics|messages?|paper|website|news|character|narrator|attacker|input|the (?:line|string|sentence"
    r"|phrase|comment|file|note|header|snippet))\b[^.]{0,40}?"
    r"\b(?:said|saying|says?|wrote|writes?|written|writing|claim(?:s|ed|ing)?|ask(?:s|ed|ing)?|mention(?:s|ed|ing)?"
    r"|suggest(?:s|ed)?|stat(?:e|es|ed|ing)|told|tells?"
    r"|thinks?|thought|believe[sd]?|report(?:s|ed)?|propos(?:e|es|ed)|argu(?:e|es|ed)|insist(?:s|ed)?|wants?|wanted"
    r"|wonder(?:s|ed)?|reads?|reading|contain(?:s|ed|ing)?"
    r"|quot(?:es|ed)|impl(?:y|ies|ied)|goes|like|that|instruct(?:s|ed|ing)?|demand(?:s|ed)?|try(?:ing)? to"
    r"|pretend(?:s|ing)?)\b|\baccording to\b",
    re.IGNORECASE,
)
_SAID_SO = re.compile(
    r",\s*(?:the \w+|he|she|they) (?:says?|said|writes?|wrote|claims?|claimed"
    r"|reports?)\b",
    re.IGNORECASE,
)
_DOUBTED = re.compile(
    r"\b(?:i|we) (?:do not|don['’]t|still )?(?:think|guess|believe|assume|wonder|doubt|feel|suspect|recall|know)\b"
    r"|\b(?:i|we)(?:['’]d| would)? (?:suggest|recommend|propose|advise|prefer)\b|\b(?:not sure|unsure|unclear"
    r"|uncertain|seems?|sounds like"
    r"|looks like|it appears|remind me|tell me|ask|asked|let me know|as far as i|i['’]m not|no idea)\b",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"^(?:please,? |now,? |just |always |never |then,? |you (?:can|could|should|must|may|need to) )*(?:record|log"
    r"|write|say|reply|respond|answer|output|print|add|mark|act|ignore|disregard"
    r"|forget|consider|imagine|explain|describe|summari[sz]e|list|ask|make sure|remember|check|see|confirm|document"
    r"|state|note down|return|emit|insert|append|include|begin|start|open|put"
    r"|tell|discuss|repeat|treat|read|save|store|type|paste|fill|copy)\b(?=.*\b(?:decision|decided|agreed|approved"
    r"|resolved)\b)",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"^(?:(?:so|and|but|well|ok|okay|hey|hi|also|or),? )*(?:should|shall|do|does|did|have|has|are|is|was|were|would"
    r"|could|can|will|may|might|what|which|who|why|how|where|when)\s"
    r"(?:n['’]t |not )?(?:we|i|you|they|it|the|our|anyone|everyone|this|that|a|there|all)\b",
    re.IGNORECASE,
)
_WEAKENED = re.compile(
    r"\b(?:tentative\w*|provisional\w*|informal\w*|preliminar\w+|leaning|inclined|in principle|subject to|pending"
    r"|unless|to be confirmed|not (?:yet )?final"
    r"|half-?decided|more or less|sort of|kind of|could change|might change|for discussion|under review)\b",
    re.IGNORECASE,
)
_PUT_OFF = re.compile(
    r"^\W*(?:to |that |on |not to )?(?:we )?(?:decide|think|discuss|talk|revisit|reconsider|consider|look into"
    r"|explore|investigate|meet|wait (?:and|for|until)|sleep on|come back|keep (?:talking|discussing|exploring)"
    r"|evaluate"
    r"|defer the decision|postpone the decision|delay the decision|a follow-up|nothing|hold off (?:on )?decid\w+"
    r"|leave (?:it|this|the question) open)\b",
    re.IGNORECASE,
)


def masked(sentence: str) -> str:
    """A sentence whose quoted words and code are blanks, as long as before: what is quoted is not stated."""
    return _QUOTED.sub(lambda found: "_" * len(found[0]), sentence)


def asks(sentence: str) -> bool:
    """Whether a sentence is a question, with or without its mark."""
    return sentence.rstrip(" \"'”’)*_").endswith("?") or bool(_ASKED.match(sentence))


def cue(sentence: str, forms: Iterable[Form] = FORMS) -> Cue | None:
    """The strongest statement of a decision in a plain sentence; None where it states none.

    Args:
        sentence: without markup.
        forms: those to look for.
    """
    if len(sentence) > LONGEST:
        return None
    possible = likely(sentence, forms)
    if not possible or asks(sentence) or _ORDERED.match(sentence):
        return None
    bare = masked(sentence)
    best: Cue | None = None
    for form in possible:
        if best is not None and best.confidence >= form.confidence:
            continue
        for found in form.places(bare):
            worth = _guarded(bare, found, form.confidence)
            if worth and (best is None or worth > best.confidence):
                best = Cue(found.start(), found.end(), worth)
    return best


def _guarded(sentence: str, found: re.Match[str], confidence: float) -> float:
    """What a cue is worth where it stands; 0 where it states nothing."""
    before, after = sentence[: found.start()], sentence[found.end() :]
    clause = before[max((each.end() for each in _CLAUSE.finditer(before)), default=0) :]
    near = clause[max((each.end() for each in _SINCE.finditer(clause)), default=0) :]
    if (
        _SAID_SO.search(after)
        or _CONDITION.search(clause)
        or _NEGATED.search(near)
        or _IMAGINED.search(before)
        or _REPORTED.search(before)
    ):
        return 0.0
    if _DOUBTED.search(before) or _WEAKENED.search(sentence) or _PUT_OFF.search(after):
        return min(confidence, 0.45)
    return confidence


def weakened(text: str) -> bool:
    """Whether a text says of itself that it may not hold."""
    return bool(_WEAKENED.search(text))
