"""The type of a decision: what its label says, else the type whose words it uses most.

The scorer counts words: each type has stems that speak for it, with a weight of 3 (says it almost alone), 2 (speaks for
it) or 1 (leans to it). A stem counts once, twice as much in the decision as in its reasoning. The highest sum of at
least 2 wins; between equal sums the type that stands first in `_STEMS`, from the narrow to the wide; else `other`.
"""

from __future__ import annotations

import re

_STEMS: dict[str, dict[int, str]] = {
    "security": {
        3: "secur|encrypt|vulnerab|password|passkey|mfa|2fa|two-factor|multi-factor|oauth|sso|tls|pentest"
        "|penetration test"
        "|firewall|credential|secrets? |attack|exploit|cve|phishing|malware|zero.trust|hash(?:ing|ed) ",
        2: "authenticat|authoriz|authoris|access control|token|certificate|rotat|permission|least privilege|audit log"
        "|hsm"
        "|breach|vpn|key management|kms|rbac|login|allowlist|sandbox",
        1: "audit|key|session|access|role",
    },
    "ethical": {
        3: "ethic|bias|fairness|consent|privacy|discriminat|harm|responsible ai|moral|dignity|human rights|surveillance"
        "|transparen|deceptive|dark pattern|manipulat|child labou?r|anonymi[sz]",
        2: "gdpr|personal data|sell (?:user )?data|explainab|accountab|human.in.the.loop|accessib|inclusi|minors"
        "|vulnerable",
        1: "trust|human|disclos",
    },
    "architecture": {
        3: "architect|microservice|monolith|event.driven|event.sourc|cqrs|hexagonal|service mesh|modular|domain.driven"
        "|multi.tenan|bounded context|serverless",
        2: "message (?:queue|broker|bus)|event bus|api gateway|shard|replica|layer|decoupl|coupling|schema|boundar"
        "|stateless"
        "|pub.?sub|kafka|rabbitmq|graphql|grpc|data model|single service|separate service|backend.for|topology"
        "|partition",
        1: "service|component|interface|queue|cache|database|contract|gateway|store",
    },
    "process": {
        3: "process|code review|stand-?up|sprint|retro|workflow|agile|scrum|kanban|on-?call|trunk.based|release train"
        "|pull request|cadence|post-?mortem|change management|runbook|sign-?off|triage",
        2: "meeting|review|weekly|daily|bi-?weekly|monthly|fortnight|deploy(?:ment)? window|branch|merge|approval"
        "|approver"
        "|policy|checklist|freeze|template|ticket|backlog|hand-?over|documentation|pairing|remote|hiring|interview"
        "|rota",
        1: "team|schedule|release|friday|monday|tuesday|wednesday|thursday|planning",
    },
    "product": {
        3: "product|feature|user experience|onboarding|pricing|free tier|ux|checkout|landing page|paywall|beta|mvp"
        "|roadmap"
        "|dark mode|wishlist",
        2: "customer|launch|user|subscri|trial|button|screen|dashboard|mobile app|notification|plan|premium|signup"
        "|sign-up"
        "|navigation|rollout|persona|app store|survey|feedback|wording|page",
        1: "app|design|ship|version|email|support",
    },
    "strategy": {
        3: "strateg|market|acquir|acquisition|fundrais|investor|partnership|compet|expan|go-to-market|b2b|b2c|vision"
        "|mission|pivot|business model|series [a-d]\\b|okr|outsourc|region|enterprise",
        2: "budget|revenue|growth|invest|segment|position|long-term|quarter|priorit|vendor|partner|profit|cost"
        "|headcount"
        "|focus|europe|asia|germany|country|brand|open.source the|licens",
        1: "goal|year|sales|company",
    },
    "technical": {
        3: "python|java|typescript|rust|golang|node|react|django|flask|postgres|mysql|sqlite|mongodb|redis|docker"
        "|kubernetes"
        "|terraform|linux|library|framework|compiler|codebase|api|sdk|sql|git|ci/cd|linter|unit test|pytest|backend"
        "|frontend"
        "|algorithm|refactor",
        2: "aws|azure|gcp|cloud|server|database|deploy|migrat|upgrade|version|cache|index|json|yaml|http|rest|latency"
        "|logging"
        "|monitor|backup|pipeline|build|test|code|model|embedding|driver|protocol|storage|bucket|script|cluster"
        "|timeout|retry",
        1: "data|performance|tool|stack|format|queue|batch|file|engine|runtime|parser|search|memory",
    },
}

_LABELS = {
    "strategy": "strateg|business|market|financ|commercial|budget|vision|roadmap",
    "architecture": "architect|adr|design decision|system design|structur",
    "security": "secur|infosec|compliance|privacy and sec",
    "ethical": "ethic|moral|fairness|responsible",
    "process": "process|procedur|workflow|operation|organi|team|governance|policy|methodolog",
    "product": "product|feature|ux|ui\\b|design|customer|user",
    "technical": "tech|engineer|implement|infrastr|tool|code|coding|develop|data|devops|software|platform",
    "other": "other|misc|general|none",
}
_LABEL = re.compile("|".join(rf"(?P<{kind}>\b(?:{words}))" for kind, words in _LABELS.items()), re.IGNORECASE)
_FORMS = {
    kind: tuple((weight, re.compile(rf"\b(?:{stems})")) for weight, stems in weights.items())
    for kind, weights in _STEMS.items()
}
_ENOUGH = 2


def type_of(label: str, decision: str, comment: str = "") -> str:
    """One of `TYPES`: by the label if it names one, else by score."""
    named = _LABEL.search(label)
    if named:
        return next(kind for kind in _LABELS if named[kind])
    text, why = decision.lower() + " ", comment.lower() + " "
    scores = {kind: 2 * _score(kind, text) + _score(kind, why) for kind in _FORMS}
    best = max(scores, key=lambda kind: scores[kind])
    return best if scores[best] >= _ENOUGH else "other"


def _score(kind: str, text: str) -> int:
    return sum(weight * len(set(form.findall(text))) for weight, form in _FORMS[kind])
