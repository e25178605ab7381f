"""What a text says of a decision's life: which one it replaces, and whether it holds no more. Pure."""

from __future__ import annotations

import re

from utils.intake.cues import masked

_REVISES = re.compile(
    r"\b(?:supersed(?:es?|ing)|overrid(?:es?|ing)|revers(?:es?|ed|ing)|revok(?:es?|ed|ing)|overturn(?:s|ed|ing)?"
    r"|rescind(?:s|ed|ing)?|withdr(?:aws?|ew|awing)|instead of|in place of|rather than keeping"
    r"|(?:replac(?:es?|ing)|revis(?:es?|ed|ing)|amend(?:s|ed|ing)?|chang(?:es?|ed|ing)|undo(?:es|ing)?|drop(?:s|ped"
    r"|ping)?)(?= (?:the|our|that|its|an) (?:\w+ )?(?:previous|earlier|prior|old|original|decision|choice|agreement"
    r"|adr)|\s+adr|\s+decision))\s+"
    r"(?:(?:the|our|that|this|its|an|my) )?(?:(?:previous|earlier|prior|old|original|former|existing|last|initial"
    r"|january|february|march|april|may|june|july|august|september|october|november|december)(?:['’]s)? )*"
    r"(?:(?:decision|choice|agreement|plan|rule|policy)\b(?: (?:to|of|that|on|about|from"
    r"|for))? ?)?(?P<what>[^.;,()]*[^.;,()\s])?",
    re.IGNORECASE,
)
_BECAUSE = re.compile(
    r"\s+(?:because|since|due to|as (?:it|we|they)|which|so that|from now on|going forward|effective)\b.*",
    re.IGNORECASE,
)
_OFF = re.compile(
    r"\b(?:(?:but|which|and|this|that|it)\b[^.;]{0,40}\b(?:was|were|has been|have been|is|been|since"
    r"|later) (?:\w+ )?(?:superseded|withdrawn|revoked|rescinded|reversed|overturned|cancel+ed|abandoned|undone"
    r"|retracted|dropped|voided)"
    r"|(?:\(|\[|[-–—] )(?:superseded|withdrawn|revoked|rescinded|reversed|overturned|obsolete|deprecated|cancel+ed"
    r"|retracted)\b|no longer (?:valid|applies|in (?:force|effect))|but (?:have |we )?(?:later|then|since"
    r"|now) (?:changed|reversed|switched|moved|dropped|abandoned|decided))",
    re.IGNORECASE,
)
ENDED = re.compile(
    r"superseded|reject|withdr|revok|deprecat|obsolet|retired|cancel|revers|overturn|rescind|inactive|\bfalse\b|^no$"
    r"|expired|archiv|\bvoid|declin|abandon|replaced by|dropped|^off$|^0$",
    re.IGNORECASE,
)
"""Words of a status by which a decision no longer holds."""

REFUSED = re.compile(
    r"\b(?:reject|declin|turned down|denied|refus|not (?:accept|approv|adopt))|[❌✗✘👎]", re.IGNORECASE
)
"""Words of a status by which it was never decided: for a person to review."""

_TRIM = " \t.;,:|–—-"


def revised(text: str) -> str:
    """The decision that a text says it replaces, as it names it; ''."""
    found = _REVISES.search(masked(text))
    return _BECAUSE.sub("", text[slice(*found.span("what"))]).strip(_TRIM) if found and found["what"] else ""


def withdrawn(text: str) -> bool:
    """Whether a sentence that states a decision also says that it holds no more."""
    return bool(_OFF.search(text))
