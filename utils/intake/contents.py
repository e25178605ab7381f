"""What stands behind a label, under a heading or in a field: an action, or a blank, a question, a proposal. Pure."""

from __future__ import annotations

import re

from utils.intake.cues import asks

_OPEN = re.compile(
    r"^\W*(?:(?:deferred|postponed|delayed)(?! (?:the|our|all|a|an|any)\b).{0,60}$|(?:we )?need (?:more|further|to)\b"
    r"|more (?:data|info\w*|time|research|input) (?:is |are )?(?:needed|required)|(?:still |yet |currently |to be "
    r"|is |not (?:yet )?)*(?:tbd|tba|tbc|n/?a|none|nothing|unknown|pending|open(?!\s+(?:from|at|up|in|with|every"
    r"|earlier|later|until|till|source|new|\d))|undecided|undetermined|unresolved"
    r"|outstanding|awaiting|waiting|in progress"
    r"|under (?:discussion|review|consideration)|decided|determined|made|confirmed|blank|empty|missing|unclear"
    r"|not (?:yet|made|decided|reached|available|applicable)|no(?:ne)? (?:yet|decision|consensus|agreement)\w*|yours"
    r"|up to)(?!\w)"
    r"(?!\s+(?:the|our|all|to|a|on|for|by default|x)\b(?! be)).{0,60}$|todo\b|tbd\b|whether\b|to be (?:decided"
    r"|determined|confirmed|made|agreed)|\?+|…+|\.\.\.|x{2,}\b"
    r"|(?:we )?(?:need|have|want|ought|still need|still have) to (?:decide|choose|agree|discuss|pick|determine)"
    r"|(?:we )?(?:could|might|may)\b|should (?:we|i)\b|(?:perhaps|maybe|possibly)\b"
    r"|(?:it )?depends\b|(?:i|we) (?:would |['’]d )?(?:recommend|suggest|propose|advise)|(?:recommend|propos"
    r"|suggest)(?:ed|al|ation)?\b|(?:i|we) (?:do not|don['’]t|cannot|can['’]t|haven['’]t|have not)\b"
    r"|(?:a|the|your|our) (?:choice|decision|matter|question) (?:between|of|that|which|about|is)\b|(?:nobody|no one"
    r"|neither)\b.{0,30}\b(?:agree|decid|could|know|has|have|wants?)|which\b|how\b|what\b|who\b|when (?:to|we)\b"
    r"|[<\[{(][^>\]})]*(?:decision|text|here|insert|your|todo|tbd|describe|placeholder|statement"
    r"|\.\.\.)[^>\]})]*[>\]})])",
    re.IGNORECASE,
)
_UNDECIDED = re.compile(
    r"\b(?:no|not|never|yet to|without|cannot|failed to|unable to|nobody|neither|none)\b[^.;,]{0,30}\b(?:decision"
    r"|decided?|agree\w*|consensus|conclusion|settled)\b"
    r"|n['’]t\b[^.;,]{0,20}\b(?:decision|decided?|agreed?|consensus|settled)\b|\bundecided\b|\b(?:decision"
    r"|outcome) (?:is |was )?(?:pending|postponed|deferred|open|still)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w\w")
_ASSENT = re.compile(
    r"^\W*(?:that(?:['’]s| is| makes| sounds| would| was)|sounds|makes sense|good\b|great\b|nice\b|i\b|it(?:['’]s| is"
    r"| makes| sounds)|yes|yep|you\b|thanks|thank you|me too|100|absolutely|with (?:you|that|this|your)"
    r"|completely|fully|totally|point taken|let me|same here|fair)",
    re.IGNORECASE,
)
_DO = (
    r"use|adopt|choose|select|go|move|switch|migrate|replace|drop|remove|keep|stop|start|build|buy|hire|launch|ship"
    r"|release|publish|deprecate|retire|sunset|standardi[sz]e|require|ban|forbid|prohibit|allow|enable"
    r"|disable|enforce|encrypt|rotate|store|deploy|host|run|introduce|implement|create|add|write|rewrite|refactor"
    r"|split|merge|consolidate|outsource|expand|enter|exit|raise|lower|increase|reduce|cut|cap|limit|set"
    r"|freeze|postpone|delay|defer|cancel|pause|prioriti[sz]e|focus|invest|allocate|open|close|archive|delete|rename"
    r"|document|review|test|automate|centrali[sz]e|decentrali[sz]e|hold|schedule|make|turn|let|give|pay"
    r"|charge|offer|support|discontinue|extend|shorten|roll|route|cache|log|monitor|back|license|partner|acquire"
    r"|appoint|assign|mandate|restrict|avoid|treat|track|train|sign|return|accept|reject|approve|decline|pin"
    r"|lock|upgrade|downgrade|stay|stick|never|always|nobody|no one|everyone|everybody|do not|don['’]t|no\b|only"
    r"|all|every|refuse|ask|send|put|bring"
    r"|take|get|provide|establish|form|appoint|fund|sell|spin|bundle|unify|validate|sanitize|hash|mask|anonymi[sz]e"
    r"|delegate|isolate|separate|decouple|expose|hide|block|permit|grant|revoke|audit|scan|sample|batch|stream|queue"
    r"|shard|replicate|index|version|tag|branch|squash|rebase|pair|rotate|meet|hold|plan|target|localise|localize"
    r"|translate"
)
_PASSIVE = re.compile(
    r"\b(?:is|are|gets?|be) (?:not |now |only |always |all )?(?:un)?(?:extended|moved|used|kept|dropped|replaced"
    r"|cancel+ed"
    r"|approved|adopted|retired|amended|raised|lowered|cut|limited|allowed|banned|forbidden|required|paid|sold|built"
    r"|bought|hired|launched|merged|split|closed|opened|hosted|stored|encrypted|written|called|named|held|run|shipped"
    r"|released|published|deleted|removed|postponed|delayed|paused|frozen|outsourced|introduced|renewed|given|sent"
    r"|made"
    r"|mandatory|free|optional|off|out|over|final)\b|\b(?:moves?|stays?|goes|closes|opens|wins?|gets|pays?"
    r"|remains?|starts?"
    r"|ends?|replaces|runs|takes place|lives?|keeps|leaves|joins|costs|needs?) ",
    re.IGNORECASE,
)
_ACTION = re.compile(
    rf"^\W*(?:to |that |we(?: will| shall|['’]ll)? |the team will |not )?(?:{_DO})\b|(?:\b(?:will|shall|must|may not"
    rf"|won['’]t|no longer|becomes?|instead of|over|going with|moving to)|['’]ll)\b",
    re.IGNORECASE,
)


def is_open(text: str) -> bool:
    """Whether what a label or a field holds is no decision: still open, a question, a proposal, a blank to fill in."""
    return not _WORD.search(text) or bool(_OPEN.match(text)) or bool(_UNDECIDED.search(text[:90])) or asks(text)


def assents(text: str) -> bool:
    """Whether what follows "Agreed" only assents to what somebody said."""
    return bool(_ASSENT.match(text))


def acts(text: str) -> bool:
    """Whether a text says what is to be done or to hold, as decisions do and findings do not."""
    return bool(_ACTION.search(text) or _PASSIVE.search(text))


_SUGGESTS = re.compile(
    r"\b(?:should|could|might|may|would|recommend|suggest|propos|consider|if|how to|why)\b", re.IGNORECASE
)
_PROPOSES = re.compile(
    r"\W*(?:we |the team |i )?(?:could|might|may|should we|propos|recommend|suggest|option|alternative|consider|maybe"
    r"|perhaps|if )",
    re.IGNORECASE,
)


def suggests(text: str) -> bool:
    """Whether a text that speaks of acting only suggests it."""
    return bool(_SUGGESTS.search(text))


def proposes(text: str) -> bool:
    """Whether a text begins as a proposal or an option does."""
    return bool(_PROPOSES.match(text))
