"""What goes over HTTP: URLs with credentials, the headers of authorization, cookies, signed addresses."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator

from utils.redact import values
from utils.redact.finding import NOTHING, QUOTE, Finding, compiled, group

_URL = 1400
"""How far the user and the password of a URL may reach, in signs."""
_CREDENTIALS = r"""(?: ://|:\\?/\\?/ )
    (?P<user>(?:[^\s/?\#:@\[\]"'<>\\]|\\(?![nrtu"'/])){0,256}(?:@[\w.-]{1,80}(?=:[^\s/@]{6,256}@))?)
    (?: : (?! \d{1,5}[/?\#] | \{\w+[}?&]
            |  <[^>@]{0,80}>@ | \[[^\]@]{0,80}\]@ | \$?\{[^}@]{0,80}\}@ | \*+@ | \$\w+@ )
        (?: ([^\s/?\#"'<>]{1,1024})@ | ([^\s@"'<>]{1,1024}+)@ )
      | (?P<alone>@) )"""
_NO_PASSWORD = re.compile(
    r"(?i:pass(?:word|wd)?|pwd|secret|token|your[-_]?\w*|x{3,}|\.{3}|changeme|example|redacted"
    r"|%s|%\(\w+\)s|\$\(\w+\)|\{\{.*\}\}|\[?password\]?|&lt;[^&]*&gt;)"
)


def password_in_url(text: str, at: int) -> Iterable[Finding]:
    """The password of `scheme://user:password@host`, or the user where a token stands in its place."""
    sign = text.find("@", at, at + _URL)
    if sign < 0:
        return (Finding(at, min(len(text), at + _URL) - _URL, NOTHING),)
    match = compiled(_CREDENTIALS).match(text, at)
    if match is None:
        return ()
    start, end = match.span(match.lastindex or 0)
    if match["alone"] or text[start:end] == "x-oauth-basic":
        user = match["user"]
        token = len(user) >= 16 and values.is_random(user) and not values.is_placeholder(user)
        return (Finding(*match.span("user"), "secret"),) if token else ()
    if text[start:end] == match["user"] or _NO_PASSWORD.fullmatch(text, start, end):
        return ()
    return (Finding(start, end, "password"),)


_AUTHORIZATION = rf"""(?i:authorization) (?: {QUOTE} | [\]] ){{0,3}}
    (?: [ \t]{{0,4}} (?: [:,] | =>? ) (?: [ \t]{{0,4}} | \s{{1,24}}(?={QUOTE}|(?i:bearer|basic|token)\b) )
        (?: {QUOTE} (?i:value) {QUOTE} : \s{{0,4}} )? | [ ](?={QUOTE}) )
    (?:[bf](?=["'\\]))? {QUOTE}?
    (?: (?P<scheme>(?i:bearer|basic|digest|oauth|apikey|api-key|key|bot|genie?key|ssws|splunk|sso-key|pve\w{{0,16}}
        |klaviyo-api-key|zoho-oauthtoken|\w{{0,16}}token))
        [ \t]{{1,4}} (?:token=)? (?: {QUOTE}(?![+.,=]) )? )?
    (?![<$\[{{]) ([^\s"'\\,;)\]}}>&<`]{{4,4096}})"""


def authorization(text: str, at: int) -> Iterable[Finding]:
    """What an `Authorization` header carries, whatever writes it."""
    match = compiled(_AUTHORIZATION).match(text, at)
    if (
        match is None
        or (match[2].endswith("=") and len(match[2]) < 16)
        or values.is_placeholder(match[2])
        or values.is_code(match[2], assigned=True, variable=False)
    ):
        return ()
    carries = match["scheme"] or values.is_random(match[2])
    return (Finding(*match.span(2), "authorization"),) if carries else ()


def bearer(text: str, at: int) -> Iterable[Finding]:
    """A token behind the word, without a header's name."""
    match = compiled(r"(?i:bearer)[ \t]{1,4} ( (?=[\w.~+/-]{0,200}\d) [\w.~+/-]{15,4096}[\w~+/-]=* )").match(text, at)
    if match and not values.is_placeholder(match[1]) and values.is_random(match[1]):
        return (Finding(*match.span(1), "authorization"),)
    return ()


def basic(text: str, at: int) -> Iterable[Finding]:
    """The base64 of `user:password` behind the word."""
    match = compiled(r"(?i:basic|auth\ plain|auth\ login)[ \t]{1,4}([A-Za-z0-9+/]{10,4096}={0,2})").match(text, at)
    if match and (_is_credentials(match[1]) or values.is_surely_random(match[1])):
        return (Finding(*match.span(1), "authorization"),)
    return ()


def _is_credentials(text: str) -> bool:
    """Whether base64 holds `user:password`, so that the word "Basic" in prose stays prose."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except ValueError:
        return False
    return ":" in plain and plain.isprintable()


_PAIR = r"""(?<![\w.])(?!_g|_fbp|_hj|amp_|(?:\w{1,20}_)?(?:user|device|visitor|browser)_id=)
    [\w.%$!-]{1,80}+=([\w.%+/=:~-]{1,4096}+)"""
"""A cookie, unless it counts visits or names somebody."""


def cookies(text: str, at: int) -> Iterator[Finding]:
    """Each value of a cookie header that looks drawn."""
    head = compiled(rf"(?i:cookie){QUOTE}?\s{{0,2}}[:=,]\s{{0,2}}{QUOTE}?").match(text, at)
    if head is None:
        return
    last, most = head.end(), text.find("\n", head.end(), head.end() + 4096)
    most = most if most >= 0 else head.end() + 4096
    for pair in compiled(_PAIR).finditer(text, last, most):
        if len(pair[1]) >= 16 and values.is_random(pair[1]) and not values.is_placeholder(pair[1]):
            yield Finding(*pair.span(1), "cookie")
    yield Finding(most, most, NOTHING)


RULES = (
    (("://", ":\\/\\/"), password_in_url),
    (("authorization",), authorization),
    (("bearer",), bearer),
    (("basic ", "auth plain", "auth login"), basic),
    (("cookie",), cookies),
    (("response=",), group("authorization", r"""response=\\?"([0-9a-f]{32,64})\\?\"""")),
    (
        ("sig=", "signature=", "security-token=", "?code=", "&code="),
        group("signature", r"(?i:[?&]?(?:sig|signature|security-token|code))=([\w%+/=.-]{24,4096})", values.is_random),
    ),
    (
        ("appid=", "subscription-key=", "/deploy/srv-"),
        group("key", r"(?i:appid=|subscription-key=|/deploy/srv-\w{10,30}\?key=)([\w-]{8,64})", values.is_random),
    ),
)
