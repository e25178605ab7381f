"""Values that can only be drawn, in a call or in a line that speaks of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from utils.redact import values
from utils.redact.finding import NOTHING, Finding, compiled, group

_CALLS = (
    *("client(", "credential(", "credentials(", "auth(", "key(", "token(", "secret(", "password("),
    *("login(", "connect(", "search(", "encrypt(", "auth=("),
)
_DIGEST = re.compile(r"[0-9a-f]{32,64}")


def call(text: str, at: int) -> Iterator[Finding]:
    """Arguments that look drawn, of a call whose name promises that it takes a secret."""
    head = compiled(r"(?i:(client|auth|search|credentials?)|[a-z]{3,12})=?\(").match(text, at)
    last = head.end() if head else at
    while argument := compiled(r"""[^"'\n()]{0,80}+(["'])([^"'\n]{1,256})\1""").match(text, last, at + 600):
        last = argument.end()
        if values.is_surely_a_secret(argument[2]) or (head and head[1] and _DIGEST.fullmatch(argument[2])):
            yield Finding(*argument.span(2), "secret")
    yield Finding(last, last, NOTHING)


_NEAR = (
    *("password", "passwort", "passwd", "kennwort", "mot de passe", "contrase", "senha", "wachtwoord", "bindpw"),
    *("token", "secret", "credential", "api key", "apikey", "api-key", "api_key", "access key", "jwt", "hmac", "crypt"),
    *("sudo -s", "add_user", "adduser", "alias set", "net use", "login"),
)
_ASIDE = 96
"""How far a drawn value may stand from the word that tells what it is, in signs of the same line."""
_DRAWN = r"""[\s"'`(](?!AAAA|sha\d)(?=[^\s\d]{0,64}+\d)
    ([\w!@\#$%^&*+./~-]{12,160}={0,2}(?<![.,]))(?=[\s"'`),;.!?:\\]|$)(?!["'`]?\s?[:=])"""
_NAMED = re.compile(r"[\w\])-][\"'`]?\s?[:=]\s?[\"'`]?\Z")


def near(text: str, at: int) -> Iterable[Finding]:
    """Values that can only be drawn, in a line that speaks of secrets, where they are no other name's value."""
    least, most = max(0, at - _ASIDE), at + 2 * _ASIDE
    begin, end = text.rfind("\n", least, at) + 1 or least, text.find("\n", at, most)
    end = end if end >= 0 else min(most, len(text))
    found = [
        Finding(*match.span(1), "secret")
        for match in compiled(_DRAWN).finditer(text, max(0, begin - 1), end)
        if values.is_surely_a_secret(match[1]) and not _NAMED.search(text, max(0, match.start() - 48), match.start(1))
    ]
    return (*found, Finding(end, end, NOTHING))


RULES = (
    (_CALLS, call),
    (_NEAR, near),
    (
        ("recovery code", "backup code"),
        group(
            "password",
            r"(?i:recovery|backup)[ ](?i:codes?)\W{1,4}([a-z0-9]{4,6}-[a-z0-9]{4,6})",
            lambda code: any(map(str.isdigit, code)) and any(map(str.isalpha, code)),
        ),
    ),
)
