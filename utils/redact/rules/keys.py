"""Keys as such: PEM and PuTTY blocks, JSON Web Tokens and keys, the words of a wallet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from utils.redact import values
from utils.redact.finding import QUOTE, Finding, compiled, group

_BEGIN = r"""-{4,5}[ ]?BEGIN[ ](?:[A-Z0-9 ]{0,40}PRIVATE[ ]KEY(?:[ ]BLOCK)?|OpenVPN[ ]Static[ ]key[ ]V1)[ ]?-{4,5}"""
_END = r"-{4,5}[ ]?END[ ][A-Za-z0-9 ]{0,60}[ ]?-{4,5}"
_CUT_OFF = r"(?:\s|\\[nr]|[A-Za-z0-9+/=:,]|-(?!---)){16,32768}"
_BREAK = re.compile(r"\\+[nr]")
"""The end of a line as a string writes it, or a string in a string."""
_LONGEST = 32768
"""How far a block's end is looked for, in signs."""


def pem(text: str, at: int) -> Iterable[Finding]:
    r"""A private key over several lines or with `\n` in one; where quotes part its lines, each line."""
    head = compiled(_BEGIN).match(text, at)
    if head is None:
        return
    last = text.find("----", head.end(), head.end() + _LONGEST)
    last = last if last >= 0 else min(len(text), head.end() + _LONGEST)
    foot = compiled(_END).match(text, last)
    inside = text[head.end() : last]
    body = _BREAK.sub("", inside).strip()
    if not foot:
        cut = compiled(_CUT_OFF).match(text, head.end())
        if cut and values.is_random(_BREAK.sub("", cut[0]).strip()[:64]):
            yield Finding(at, cut.end(), "private-key")
    elif len(body) < 16 or values.is_placeholder(body):
        return
    elif not re.search("[\"'`]", inside):
        yield Finding(at, foot.end(), "private-key")
    else:
        for line in re.finditer(r"[A-Za-z0-9+/=]{8,}", inside):
            yield Finding(head.end() + line.start(), head.end() + line.end(), "private-key")


def putty(text: str, at: int) -> Iterator[Finding]:
    """The private lines of a PuTTY key."""
    match = compiled(
        r"Private-Lines:[ ]\d{1,3}(?:\s|\\[nr])+([A-Za-z0-9+/=]{4,100}(?:(?:\s|\\[nr])+[A-Za-z0-9+/=]{16,100}){0,200})"
    ).match(text, at)
    if match:
        yield Finding(*match.span(1), "private-key")


_AWS_PAIR = r"""(?<![A-Za-z0-9+/=]) (?=[A-Za-z0-9+/]{0,39}[0-9]) ([A-Za-z0-9+/]{40}) (?![A-Za-z0-9+/=])
    | (?<=[A-Z2-7]{20}/) ([A-Za-z0-9+/]{40}) (?![A-Za-z0-9+/=])"""


def aws_secret(text: str, at: int) -> Iterable[Finding]:
    """The secret that stands beside the id of an AWS key, without a name of its own."""
    pair = compiled(_AWS_PAIR).search(text, at, at + 160)
    value = (pair[1] or pair[2]) if pair else ""
    if pair is None or not values.is_random(value) or re.fullmatch("[0-9a-f]+|[0-9A-F]+", value):
        return ()
    return (Finding(*pair.span(pair.lastindex or 0), "aws"),)


RULES = (
    (("akia", "asia"), aws_secret),
    (("-----begin", "---- begin"), pem),
    (("private-lines:",), putty),
    (("postmark",), group("token", r"""(?i:postmark)\w{0,20}[\w.]{0,20}\(["']([0-9a-f]{8}-[0-9a-f-]{27})["']""")),
    (("secret id ",), group("secret", r"(?i:secret[ ]id)[ ]{1,8}=[ ]([0-9a-f]{8}-[0-9a-f-]{27})(?![\w-])")),
    (
        ("eyj",),
        group(
            "jwt",
            r"""(eyJ[\w-]{10,4096}+\.
                (?: eyJ[\w-]{8,8192}+(?:\.[\w-]{1,8192}+){0,3} | [\w-]{0,1024}+(?:\.[\w-]{1,8192}+){3}
                | [\w-]{6}\.[\w-]{27}(?![\w-]) ))""",
        ),
    ),
    (
        ('"d"', '"k"', '"dp"', '"dq"', '"qi"'),
        group(
            "jwk",
            r"""\\{0,3}"(?:d|k|p|q|dp|dq|qi)\\{0,3}"\s{0,4}:\s{0,4}\\{0,3}"([\w-]{40,2048})\\{0,3}\"""",
            values.is_random,
        ),
    ),
    (
        ("mnemonic", "seed phrase", "seed_phrase", "recovery phrase"),
        group(
            "mnemonic",
            rf"""(?i:mnemonic|(?:seed|recovery)[ _]phrase)[\w ]{{0,12}}{QUOTE}?\s{{0,4}}[:=]\s{{0,4}}{QUOTE}?
                ((?:[a-z]{{3,8}}[ ,]{{1,2}}){{11,23}}[a-z]{{3,8}})""",
        ),
    ),
)
