"""Values that can only be drawn, in a call or in a line that speaks of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from utils.redact import values
from utils.redact.finding import NOTHING, Finding, compiled

_CALLS = (
    *("client(", "credential(", "credentials(", "auth(", "key(", "token(", "secret(", "password("),
    *("login(", "connect(", "search(", "encrypt(", "auth=(", "jwt.sign(", "jwt.verify(", "jwt.encode(", "jwt.decode("),
    *("cookiestore(", "createhmac(", "hmac.new(", "fernet(", "totp(", "wallet(", "signedstring("),
    *("twilio(", "twilio.init(", "client.new(", "clientv2(", "apiconnect(", "dialer(", "pdo("),
    *("__construct(", "mysqli("),
)
_HEAD = r"""(?i: (client(?:v\d|\.new)?|apiconnect|auth|search|credentials?|login|twilio(?:\.init)?
    |jwt\.\w{4,6}|cookiestore|createhmac|hmac\.new|fernet|totp|wallet) | \w{3,12} ) =?\("""
_ARGUMENT = r"""(?P<before>[^"'\n()]{0,80}+\(?)(["'])(?P<value>[^"'\n]{1,256})\2"""
_NAMED = r"(?:[\w\])-]\\{0,3}[\"'`]?\s?[:=]\s?\\{0,3}[\"'`(]?|accessor\s{1,20})\Z"
_KEY = re.compile(
    r"[0-9a-f]{32,64}|[A-Z2-7]{16,64}|[a-z]{4}(?:[ ][a-z]{4}){3}|(?!.*(?:user|pass|name|word|login))[a-z]{16}"
)


def call(text: str, at: int) -> Iterator[Finding]:
    """Arguments that look drawn, of a call whose name promises that it takes a secret."""
    head = compiled(_HEAD).match(text, at)
    last = head.end() if head else at
    while argument := compiled(_ARGUMENT).match(text, last, at + 600):
        last = argument.end()
        if compiled(_NAMED).search(argument["before"]):
            continue
        if values.is_surely_a_secret(argument["value"]) or (head and head[1] and _KEY.fullmatch(argument["value"])):
            yield Finding(*argument.span("value"), "secret")
    yield Finding(last, last, NOTHING)


_NEAR = (
    *("password", "passwort", "passwd", "kennwort", "mot de passe", "contrase", "senha", "wachtwoord", "bindpw"),
    *("token", "secret", "credential", "api key", "apikey", "api-key", "api_key", "access key", "jwt", "hmac", "crypt"),
    *("sudo -s", "add_user", "adduser", "alias set", "net use", "login", "unseal", "authorize", "passphrase"),
    *(" auth ", "radtest", "private key", "sasl_passwd", "schlüssel"),
)
_ASIDE = 96
"""How far a drawn value may stand from the word that tells what it is, in signs of the same line."""
_DRAWN = r"""(?=[^\s\d]{0,96}+\d)(?:(?!h1:|(?i:sha\d{1,3}|md5|ssh2):)[\w.@+-]{1,60}:)?(?!AAAA|sha\d|-)
    ((?:[\w!@\#$%^*+./~-]|&(?![a-z]{2,4};|\#)){12,160}={0,2}(?<![.,]))(?=[\s"'`),;.!?:\\&]|$)(?!["'`]?\s?[:=])"""
_AFTER_A_SIGN = rf"""(?:\n[+-]|[\s"'`(]){_DRAWN}"""
"""Behind a blank, a quote or a bracket, or at the beginning of a diff's line."""


def near(text: str, at: int) -> Iterable[Finding]:
    """Values that can only be drawn, in a line that speaks of secrets, where they are no other name's value."""
    begin, end = _line(text, at)
    candidates = [*compiled(_AFTER_A_SIGN).finditer(text, max(0, begin - 1), end)]
    if not begin and (first := compiled(rf"[+-]?{_DRAWN}").match(text, 0, end)):
        candidates.append(first)
    found = [Finding(*match.span(1), "secret") for match in candidates if _is_apart(text, at, match)]
    return (*found, Finding(end, end, NOTHING))


def _line(text: str, at: int) -> tuple[int, int]:
    """Where the line around a place begins and ends, as far as it is looked at."""
    least, most = max(0, at - _ASIDE), at + 2 * _ASIDE
    end = text.find("\n", at, most)
    return text.rfind("\n", least, at) + 1 or least, end if end >= 0 else min(most, len(text))


def _is_apart(text: str, at: int, match: re.Match[str]) -> bool:
    """Whether a value can only be drawn, is no other name's, and does not hold the word itself that tells of it."""
    if match.start(1) <= at < match.end(1) or not values.is_surely_a_secret(match[1]):
        return False
    return not compiled(_NAMED).search(text, max(0, match.start() - 48), match.start() + 1)


_CODE = r"(?:[A-Za-z0-9]{4,6}(?:-[A-Za-z0-9]{4,6}){1,4}|\d{4}[ ]\d{4})(?![\w-])"
_CODES = rf"""(?i:recovery|backup|scratch|2fa|ersatz)[ -]?(?i:codes?) [ \w.,-]{{0,40}}
    (?:\([^()\n]{{0,60}}\))? ["\u201d\u201c\u00bb]? \s? [:=]?
    (?P<codes> (?: [\s,;*\u2022-]{{1,6}} {_CODE} ){{1,20}} )"""


def codes(text: str, at: int) -> Iterator[Finding]:
    """Recovery codes: one behind the word, or a list of them."""
    match = compiled(_CODES).match(text, at)
    if match:
        for code in compiled(_CODE).finditer(match["codes"]):
            if any(map(str.isdigit, code[0])) and ("-" not in code[0] or any(map(str.isalpha, code[0]))):
                begin = match.start("codes")
                yield Finding(begin + code.start(), begin + code.end(), "password")


_SEED = r"""(?<![A-Za-z0-9+/=_-]) (?: [A-Z2-7]{16,64} | [A-Z2-7]{4}(?:[ -][A-Z2-7]{4}){3,15}
    | [a-z2-7]{4}(?:[ -][a-z2-7]{4}){3,15} ) (?![A-Za-z0-9+/=_-])"""


def seeds(text: str, at: int) -> Iterator[Finding]:
    """The seeds of one-time passwords, which are base32, in a line that speaks of these."""
    begin, end = _line(text, at)
    for seed in compiled(_SEED).finditer(text, begin, end):
        if any(map(str.isdigit, seed[0])) and any(map(str.isalpha, seed[0])):
            yield Finding(*seed.span(), "otp")
    yield Finding(end, end, NOTHING)


_ETHEREUM = r"(?<![A-Za-z0-9])0x[0-9a-fA-F]{64}(?![A-Za-z0-9])"


def wallets(text: str, at: int) -> Iterator[Finding]:
    """The keys of a chain's accounts, like its hashes to look at, where accounts or private keys are spoken of."""
    for key in compiled(_ETHEREUM).finditer(text, _line(text, at)[0], at + 2 * _ASIDE):
        yield Finding(*key.span(), "private-key")


RULES = (
    (_CALLS, call),
    (_NEAR, near),
    (("totp", "otpauth", "oathtool", "authenticator", "2fa", "mfa", "one-time"), seeds),
    (("private key", "private_key", "privatekey", "accounts:", "deployer", "wallet("), wallets),
    (("recovery code", "backup code", "recovery-code", "backup-code", "scratch code", "2fa code", "ersatzcode"), codes),
)
