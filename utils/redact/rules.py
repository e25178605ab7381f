"""The rules: each looks at one place of a text, where its mark stands, and tells what is secret there.

No rule walks further than a bounded number of signs from its mark, so that no text takes quadratic time.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from utils.redact import tokens, words
from utils.redact.words import Promise


class Finding(NamedTuple):
    """Where a secret stands: `text[start:end]`. It never carries the value."""

    start: int
    end: int
    kind: str

    def moved(self, by: int) -> Finding:
        """The same in a text that begins elsewhere."""
        return Finding(self.start + by, self.end + by, self.kind)


VAGUE = {"secret": 0, "key": 0, "cookie": 0, "signature": 0, "password": 1, "authorization": 2}
"""The kinds that say where a secret stood, not whose it is: the more, the higher."""

Rule = Callable[[str, int], Iterable[Finding]]
"""Given a text and where a mark begins in it, the secrets there.

A finding whose kind is `NOTHING` says that the rule need not look at that span again.
"""

NOTHING = ""
_LONG = {"quoted": 256, "plain": 64}
"""A rejected value of more signs is not looked into for another assignment."""

_QUOTE = r"""(?:\\{0,7}["'`]|&(?:quot|apos|\#3[49]);)"""

_UNQUOTED = r"""(?: [^\s"'`<>,;&)\]}|\\]{1,128}+ | \\(?![nrtu"'`\\])
    | [,;&)\]}|](?! \s|$|["'}\])>`\\] | \s?[\w.\[\]$%-]{1,40}["']?[=:] ) ){1,16}+"""
"""Up to a blank, a quote, or a sign that ends a value in the syntax around it."""

_ASSIGNED = rf"""
(?: {_QUOTE}? [\])]? (?:[ ]\d{{1,2}}(?=:))? (?:[ ](?:for|of|on|to|at)[ ][\w.@-]{{1,40}}){{0,2}} [*_]{{0,2}} \s{{0,20}}
      (?: :\s?[A-Za-z_&][\w.,|&?<> \[\]]{{0,30}}?\s{{0,8}}(?==[ \t]{{0,8}}[^\s=]) )?
      (?P<sep> =>|:=|[?+]=|={{1,3}}|:(?![:?+])|->|<<<|(?<=[ ])\|(?=[ ]) ) [*_]{{0,2}} \s{{0,20}}
      (?: [|>][+-]?\s{{1,40}} )? (?:(?i:bearer|basic|token)\s+)?
      (?: (?:String::from|String\.valueOf|new[ ]\w{{0,20}}|Buffer\.from|\w{{0,20}}Secret\w{{0,20}}|bytes|str|Sensitive)
          \((?={_QUOTE}) | string\(\d+\)[ ] )?
  | {_QUOTE}? \s{{0,4}} [,{{]? \s{{0,40}} (?: type\s{{0,2}}=\s{{0,2}}"?\w+"?\s+ )? {_QUOTE}?
      (?i:value|default|content){_QUOTE}? \s{{0,4}} [:=] \s{{0,4}} (?P<value>)
  | {_QUOTE}? \s{{0,4}} ,\s{{0,40}} (?={_QUOTE}) (?P<pair>)
  | {_QUOTE}? (?P<xml>>)
  | (?P<blank> {_QUOTE}?[ \t]{{1,8}} (?: (?:is|was|to|of|for|with|provided|supplied|used|using|value|given
      |rejected|found) [ \t:]{{1,4}} ){{0,2}} (?=\S{{0,80}}?[\dA-Z!@\#$%^&*+=~?]|[a-z]{{4}}[ ]) )
)
(?: [bBfFrRuUN@]{{1,2}}(?=["'`\\&]) )?
(?: (?P<q>{_QUOTE}) (?P<quoted> (?: (?!(?P=q)) (?:\\.|[^\n\\]) ){{1,1024}} ) (?P=q)
  | (?P<plain> [a-z]{{4}}(?:[ ][a-z]{{4}}){{3}}(?![\w ]) | {_UNQUOTED} ) )
"""

_STRONGER = re.compile(
    r"(?i:api|access|secret|private|auth|encryption|signing|license|service|master|admin|client|app|account|deploy"
    r"|unseal|routing|integration|public|publishable)[ ]\Z"
)
_BEFORE_A_NAME = {" ", "?", "&"}
_OPTION = re.compile(r"\b(?:ENV|ARG|setx?|set -\w+|config set)\s{1,4}(?:\S{1,20}\s)?\Z")
_NETRC = re.compile(r"(?:login|account)\s+\S{1,80}\s+\Z")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.VERBOSE)


_NAME = re.compile(r"\.?[\w-]{0,40}+", re.ASCII)
_NAME_SIGNS = string.ascii_letters + string.digits + "_-."


def _assignment(text: str, at: int) -> Iterable[Finding]:
    """`name = value` in the syntax of any language, option or log line, where the name promises a secret."""
    name = _NAME.match(text, at)
    start, end = _name_start(text, at), name.end() if name else at
    promised = _promise(text, start, end)
    if promised is None:
        return (Finding(at, end, NOTHING),)
    match = _compiled(_ASSIGNED).match(text, end)
    if match is None:
        return tuple(_columns(text, start, end)) or (Finding(at, end, NOTHING),)
    found = _value(text, start, match, promised)
    return (found,) if found else (Finding(at, end, NOTHING),)


def _promise(text: str, start: int, end: int) -> Promise | None:
    promised = words.promise(text[start:end])
    before = text[start - 1 : start] if start else ""
    if promised is None or promised is Promise.PASSWORD or before not in _BEFORE_A_NAME:
        return promised
    if before == " ":
        adjective = _STRONGER.search(text, max(0, start - 12), start)
        if adjective and adjective[0].lower().startswith("pub"):
            return None
        return Promise.SECRET if adjective else promised
    return Promise.SECRET if "://" in text[max(0, start - 400) : start] else promised


def _value(text: str, start: int, match: re.Match[str], promised: Promise) -> Finding | None:
    """The value assigned to the name that begins at `start`, where it is the promised one."""
    group = "plain" if match["q"] is None else "quoted"
    begin, end = match.span(group)
    if match["q"] and match["q"][0] == "\\":
        end = _closing(text, end, match["q"])
    if end - begin < 4 or (match["q"] and match["q"] != '"' and _leaves_json(text[begin:end], match["q"])):
        return None
    how = _separator(match)
    if match["sep"] == ":" and text[max(0, start - 1) : start] in {"/", ":"}:
        return None
    value = text[begin:end]
    if promised is not Promise.PASSWORD and value.isalpha() and value.islower():
        return None
    if group == "plain":
        begin, end = _unwrapped(text, begin, begin + len(match[group].rstrip(".,:;")))
    elif value.startswith('\\"') and value.endswith('\\"'):
        begin, end = begin + 2, end - 2
    if _accepts(promised, text[begin:end], match, how, text, start):
        return Finding(begin, end, promised.value)
    return Finding(begin, end, NOTHING) if end - begin > _LONG[group] else None


_HEADER = re.compile(r"[ \t]*\|?[^\n,|;\t]{1,60}(?:[,|;\t][^\n,|;\t]{0,60}){1,40}$", re.MULTILINE)
_MOST_ROWS = 10_000


def _columns(text: str, start: int, end: int) -> Iterator[Finding]:
    """The cells under a name in the header of a table, whatever parts its columns."""
    if text[end : end + 1] not in {",", ";", "|", "\t", " ", '"', "\n"}:
        return
    line = text.rfind("\n", max(0, start - 1024), start) + 1
    header = _HEADER.match(text, line, line + 2048)
    if header is None:
        return
    part = next(sign for sign in header[0] if sign in ",|;\t")
    names = [cell.strip(" \t\"'") for cell in header[0].split(part)]
    if not all(_CELL.fullmatch(name) for name in (names[1:-1] if part == "|" and not names[0] else names)):
        return
    promised = [words.promise(name) for name in names]
    at = header.end() + 1
    for _ in range(_MOST_ROWS):
        last = text.find("\n", at, at + 8192)
        last = last if last >= 0 else min(len(text), at + 8192)
        cells = text[at:last].split(part)
        if last <= at or len(cells) != len(names):
            break
        for cell, promise in zip(cells, promised, strict=True):
            value = cell.strip(" \t\r\"'`")
            code = words.is_code(value, assigned=False, variable=True)
            if promise and not code and words.keeps(promise, value, assigned=False):
                begin = at + cell.index(value)
                yield Finding(begin, begin + len(value), promise.value)
            at += len(cell) + 1
    yield Finding(at, at, NOTHING)


_CELL = re.compile(r"[\w .-]{1,40}", re.ASCII)


def _closing(text: str, at: int, quote: str) -> int:
    """Where a quote within a quoted text ends a value: JSON in JSON writes a quote of the value with more backslashes.

    Args:
        text: as it stands.
        at: where the quote is found first.
        quote: with its own backslashes.
    """
    own, last = len(quote) - 1, at + 1024
    while 0 <= at < last:
        before = text[max(0, at - 64) : at]
        if (len(before) - len(before.rstrip("\\")) + own) % (2 * own + 2) == own:
            return at
        at = text.find(quote, at + len(quote), last)
    return -1


def _leaves_json(value: str, quote: str) -> bool:
    """Whether a value between quotes goes over the end of the JSON string in which its first quote stands."""
    if quote[-1] == '"':
        return any(len(run[0]) <= len(quote) - 1 for run in re.finditer(r'\\*"', value))
    return re.search(r'"\s*[,:\]}]|[\[{,:]\s*"', value) is not None


def _separator(match: re.Match[str]) -> str:
    if match["sep"] is not None:
        return "sep"
    return next(name for name in ("pair", "value", "xml", "blank") if match[name] is not None)


def _name_start(text: str, at: int) -> int:
    """Where the name begins that goes on at `at`, at most 48 signs before."""
    before = text[max(0, at - 48) : at]
    start = at - len(before) + len(before.rstrip(_NAME_SIGNS))
    return start + 1 if start < at and text[start - 1 : start] == "\\" and text[start] in "nrt" else start


def _unwrapped(text: str, begin: int, end: int) -> tuple[int, int]:
    """An ODBC value stands in braces."""
    if text[begin : begin + 1] == "{" and text[end : end + 1] == "}" and end - begin > 8:
        return begin + 1, end
    return begin, end


def _accepts(promised: Promise, value: str, match: re.Match[str], how: str, text: str, start: int) -> bool:
    """Whether the value is the promised one, as strictly as the syntax around it demands."""
    quoted = match["q"]
    name = text[start : match.start(how)].strip(" \"'")
    tight = match[how] == "=" and not text[match.end(how)].isspace()
    blank = text[start - 1 : start] in {" ", "\t"}
    option = name[:1] == "-" or (blank and _OPTION.search(text, max(0, start - 32), start) is not None)
    line = option or (tight and name.isupper())
    if _is_joined(value) if quoted else _is_no_value(value, match, how, text, line):
        return False
    if quoted == "`" and tight and not words.is_random(value):
        return False
    if how in {"blank", "pair"}:
        return _accepts_loosely(promised, value, match, text, start, option=option)
    if name.lower() == "pass" and not tight and not quoted:
        return _drawn(value)
    return words.keeps(promised, value, assigned=line)


def _is_joined(value: str) -> bool:
    """Whether what stands between two quotes is what a program puts between two texts."""
    return value != value.strip() or (value[0] in "+,.)" and value[-1] in "+,.(")


def _is_no_value(value: str, match: re.Match[str], how: str, text: str, line: bool) -> bool:
    """Whether what stands without quotes is a program's or JSON's own."""
    if words.is_code(value, assigned=line, variable="=" in match[how] and not line):
        return True
    if value.isdigit() and text[match.start(how) - 1] in "\"'":
        return True
    if how == "blank" and value.startswith("-"):
        return True
    return value.startswith(("-", "{", "[", "(", "=", "@")) and not words.is_random(value)


def _accepts_loosely(
    promised: Promise, value: str, match: re.Match[str], text: str, start: int, *, option: bool
) -> bool:
    """Whether a value that only a blank or a comma parts from its name is the promised one, not the next word."""
    word = value.isalpha() and value.islower()
    if promised is Promise.PASSWORD and not word:
        if option or _NETRC.search(text[max(0, start - 100) : start]):
            return words.keeps(promised, value, assigned=True)
        if match["q"]:
            return words.keeps(promised, value, assigned=False)
        said = any(map(str.isalpha, match["blank"] or ""))
        if match["blank"] and words.is_strong_password(value, classes=3 if said else 4):
            return not words.is_placeholder(value)
    if option and not word:
        return words.keeps(promised, value, assigned=True)
    surely = words.is_surely_random(value, within_quotes=match["q"] is not None)
    return surely and words.keeps(promised, value, assigned=False)


def _password_in_url(text: str, at: int) -> Iterator[Finding]:
    pattern = r"""(?: ://|:\\?/\\?/ ) (?P<user>[^\s/?\#:@\[\]"'<>\\]{0,256}+)
        (?: : (?! \d{1,5}[/?\#] | \{\w+[}?&]
                |  <[^>@]{0,80}>@ | \[[^\]@]{0,80}\]@ | \$?\{[^}@]{0,80}\}@ | \*+@ | \$\w+@ )
            (?: ([^\s/?\#"'<>]{1,1024})@ | ([^\s@"'<>]{1,1024}+)@ )
          | (?P<alone>@) )"""
    sign = text.find("@", at)
    if sign < 0 or sign > at + _URL:
        yield Finding(at, sign - _URL if sign > 0 else len(text), NOTHING)
        return
    match = _compiled(pattern).match(text, at)
    if match is None:
        return
    if match["alone"]:
        if len(match["user"]) >= 16 and words.is_random(match["user"]) and not words.is_placeholder(match["user"]):
            yield Finding(*match.span("user"), "secret")
        return
    start, end = match.span(match.lastindex or 0)
    if text[start:end] != match["user"] and not _PLACEHOLDER_IN_URL.fullmatch(text[start:end]):
        yield Finding(start, end, "password")


_URL = 1400
"""How far the user and the password of a URL may reach, in signs."""
_PLACEHOLDER_IN_URL = re.compile(
    r"(?i:pass(?:word|wd)?|pwd|secret|token|your[-_]?\w*|x{3,}|\.{3}|changeme|example|redacted"
    r"|%s|\$\(\w+\)|\{\{.*\}\}|\[?password\]?)"
)


def _is_credentials(text: str) -> bool:
    """Whether base64 holds `user:password`, so that the word "Basic" in prose stays prose."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except ValueError:
        return False
    return ":" in plain and plain.isprintable()


def _authorization(text: str, at: int) -> Iterator[Finding]:
    pattern = rf"""(?i:authorization) (?: {_QUOTE} | [\]] ){{0,3}} \s{{0,4}} (?: [:,] | =>? ) \s{{0,4}}
        (?:[bf](?=["'\\]))? {_QUOTE}?
        (?: (?P<scheme>(?i:bearer|basic|digest|oauth|apikey|api-key|key|bot|genie?key|ssws|splunk|sso-key|pve\w{{0,16}}
            |klaviyo-api-key|zoho-oauthtoken|\w{{0,16}}token))
            [ \t]{{1,4}} (?:token=)? (?: {_QUOTE}(?![+.,=]) )? )?
        (?![<$\[{{]) ([^\s"'\\,;)\]}}>&<`]{{4,4096}})"""
    match = _compiled(pattern).match(text, at)
    if (
        match is None
        or (match[2].endswith("=") and len(match[2]) < 16)
        or words.is_placeholder(match[2])
        or words.is_code(match[2], assigned=True, variable=False)
    ):
        return
    if match["scheme"] or words.is_random(match[2]):
        yield Finding(*match.span(2), "authorization")


def _bearer(text: str, at: int) -> Iterator[Finding]:
    match = _compiled(r"(?i:bearer)[ \t]{1,4} ( (?=[\w.~+/-]{0,200}\d) [\w.~+/-]{15,4096}[\w~+/-]=* )").match(text, at)
    if match and not words.is_placeholder(match[1]) and words.is_random(match[1]):
        yield Finding(*match.span(1), "authorization")


def _basic(text: str, at: int) -> Iterator[Finding]:
    match = _compiled(r"(?i:basic|auth\ plain|auth\ login)[ \t]{1,4}([A-Za-z0-9+/]{10,4096}={0,2})").match(text, at)
    if match and (_is_credentials(match[1]) or (text[at : at + 4].upper() == "AUTH" and words.is_random(match[1]))):
        yield Finding(*match.span(1), "authorization")


def _pem(text: str, at: int) -> Iterator[Finding]:
    r"""A private key over several lines or with `\n` in one; where quotes part its lines, each line."""
    head = _compiled(
        r"-{4,5}[ ]?BEGIN[ ](?:[A-Z0-9 ]{0,40}PRIVATE[ ]KEY(?:[ ]BLOCK)?|OpenVPN[ ]Static[ ]key[ ]V1)[ ]?-{4,5}"
    ).match(text, at)
    if head is None:
        return
    last = text.find("----", head.end(), head.end() + 32768)
    last = last if last >= 0 else min(len(text), head.end() + 32768)
    foot = _compiled(r"-{4,5}[ ]?END[ ][A-Za-z0-9 ]{0,60}[ ]?-{4,5}").match(text, last)
    inside = text[head.end() : last]
    if not foot:
        cut = _compiled(r"(?:\s|\\[nr]|[A-Za-z0-9+/=:,]|-(?!---)){16,32768}+").match(text, head.end())
        if cut and words.is_random(cut[0].strip().replace("\\n", "")[:64]):
            yield Finding(at, cut.end(), "private-key")
    elif len(inside.strip()) < 16 or words.is_placeholder(inside.strip().replace("\\n", "")):
        return
    elif not re.search("[\"'`]", inside):
        yield Finding(at, foot.end(), "private-key")
    else:
        for line in re.finditer(r"[A-Za-z0-9+/=]{8,}", inside):
            yield Finding(head.end() + line.start(), head.end() + line.end(), "private-key")


def _putty(text: str, at: int) -> Iterator[Finding]:
    match = _compiled(
        r"Private-Lines:[ ]\d{1,3}(?:\s|\\[nr])+([A-Za-z0-9+/=]{4,100}(?:(?:\s|\\[nr])+[A-Za-z0-9+/=]{16,100}){0,200}+)"
    ).match(text, at)
    if match:
        yield Finding(*match.span(1), "private-key")


def _cookies(text: str, at: int) -> Iterator[Finding]:
    """Each value of a cookie header that looks drawn."""
    head = _compiled(rf"(?i:cookie){_QUOTE}?\s{{0,2}}[:=,]\s{{0,2}}{_QUOTE}?").match(text, at)
    if head is None:
        return
    last, most = head.end(), text.find("\n", head.end(), head.end() + 4096)
    most = most if most >= 0 else head.end() + 4096
    for pair in _compiled(r"[\w.%$!-]{1,80}+=([\w.%+/=:~-]{1,4096}+)").finditer(text, last, most):
        if len(pair[1]) >= 16 and words.is_random(pair[1]) and not words.is_placeholder(pair[1]):
            yield Finding(*pair.span(1), "cookie")
    yield Finding(most, most, NOTHING)


def _group(kind: str, pattern: str, accepts: Callable[[str], bool] = lambda _value: True) -> Rule:
    """A rule whose pattern's one group is the secret."""

    def find(text: str, at: int) -> Iterator[Finding]:
        match = _compiled(pattern).match(text, at)
        if match:
            secret = not words.is_placeholder(match[1]) and accepts(match[1])
            yield Finding(*match.span(1), kind if secret else NOTHING)

    return find


def _token(row: tokens.Row) -> Rule:
    """A rule for a token with a prefix."""

    def find(text: str, at: int) -> Iterator[Finding]:
        match = _plain(row.pattern).match(text, at)
        if match:
            value = match[0].rstrip(".-")
            body = value[len(row.mark) :] if not row.back else text[at - row.back : at + len(value)]
            secret = len(set(body)) >= 5 and not words.is_placeholder(body)
            yield Finding(at - row.back, at + len(value), row.kind if secret else NOTHING)

    return find


@cache
def _plain(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _long(value: str) -> bool:
    return words.is_random(value)


def _drawn(value: str) -> bool:
    """Whether a value is no word of any text, whatever stands around it."""
    if " " in value or len(value) < 12 or words.is_placeholder(value):
        return False
    return words.is_strong_password(value, classes=3 if words.is_surely_random(value) else 4)


_CALLS = (
    *("client(", "credential(", "credentials(", "auth(", "key(", "token(", "secret(", "password("),
    *("login(", "connect(", "search(", "encrypt(", "auth=("),
)
_DIGEST = re.compile(r"[0-9a-f]{32,64}")


def _call(text: str, at: int) -> Iterator[Finding]:
    """Arguments that look drawn, of a call whose name promises that it takes a secret."""
    head = _compiled(r"(?i:(client|auth|search|credentials?)|[a-z]{3,12})=?\(").match(text, at)
    last = head.end() if head else at
    while argument := _compiled(r"""[^"'\n()]{0,80}+(["'])([^"'\n]{1,256})\1""").match(text, last, at + 600):
        last = argument.end()
        if _drawn(argument[2]) or (head and head[1] and _DIGEST.fullmatch(argument[2])):
            yield Finding(*argument.span(2), "secret")
    yield Finding(last, last, NOTHING)


_NEAR = (
    *("password", "passwort", "passwd", "kennwort", "mot de passe", "contrase", "senha", "wachtwoord", "bindpw"),
    *("token", "secret", "credential", "api key", "apikey", "api-key", "api_key", "access key", "jwt", "hmac", "crypt"),
    *("sudo -s", "add_user", "adduser", "alias set", "net use", "login"),
)
_ASIDE = 96
"""How far a drawn value may stand from the word that tells what it is, in signs of the same line."""


def _near(text: str, at: int) -> Iterator[Finding]:
    """Values that can only be drawn, in a line that speaks of secrets, where they are no other name's value."""
    least, most = max(0, at - _ASIDE), at + 2 * _ASIDE
    begin, end = text.rfind("\n", least, at) + 1 or least, text.find("\n", at, most)
    end = end if end >= 0 else min(most, len(text))
    for match in _compiled(_DRAWN).finditer(text, max(0, begin - 1), end):
        if _drawn(match[1]) and not _NAMED.search(text, max(0, match.start() - 48), match.start(1)):
            yield Finding(*match.span(1), "secret")
    yield Finding(end, end, NOTHING)


_DRAWN = r"""[\s"'`(](?!AAAA|sha\d)(?=\S{0,64}?\d)
    ([\w!@\#$%^&*+./~-]{12,160}={0,2}(?<![.,]))(?=[\s"'`),;.!?:\\]|$)(?!["'`]?\s?[:=])"""
_NAMED = re.compile(r"[\w\])-][\"'`]?\s?[:=]\s?[\"'`]?\Z")


def _is_mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _piped(text: str, at: int) -> Iterator[Finding]:
    """`echo VALUE | client --password-stdin`."""
    start = max(0, at - 400)
    match = re.search(r"echo\s+(?:-n\s+)?[\"']?([^\s\"'|]{6,300})[\"']?\s*\|[^|\n]{0,80}\Z", text[start:at])
    if match and not words.is_placeholder(match[1]):
        yield Finding(start + match.start(1), start + match.end(1), "password")


_CLIENT = (
    r"(?:mysql\w{0,12}|mariadb\w{0,12}|sshpass|docker[ ]login|podman[ ]login|redis-cli|sqlcmd|ldap\w{1,12}|cqlsh"
    r"|mongo\w{1,12}|snmp\w{1,12}|7z\w?|codecov\S{0,40})"
)

_SPECIAL: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (words.NAME_MARKS, _assignment),
    (("://", ":\\/\\/"), _password_in_url),
    (("authorization",), _authorization),
    (("bearer",), _bearer),
    (("basic ", "auth plain", "auth login"), _basic),
    (("-----begin", "---- begin"), _pem),
    (("private-lines:",), _putty),
    (("--password-stdin",), _piped),
    (("cookie",), _cookies),
    (
        ("eyj",),
        _group(
            "jwt",
            r"(eyJ[\w-]{10,4096}+\.(?:eyJ[\w-]{8,8192}+(?:\.[\w-]{1,8192}+){0,3}|[\w-]{0,1024}+(?:\.[\w-]{1,8192}+){3}))",
        ),
    ),
    (
        ("identified by", "identified with"),
        _group(
            "password", r"(?i:identified[ ](?:with[ ]\S{1,40}[ ])?by)\s{1,4}(?:password\s)?['\"]([^'\"\n]{4,256})['\"]"
        ),
    ),
    (
        (" -u ", " -u", "--user", "--proxy-user", '-u"'),
        _group(
            "password",
            r"""[ ]?(?:-u|--(?:proxy-)?user)[ =]{0,2}["']?[^\s:"']{1,80}:
                ([^\s"'/@:][^\s"'/@]{3,256})(?=[\s"'\\]|$)""",
            lambda value: (
                not value.isdigit()
                and not words.is_code(value, assigned=True, variable=False)
                and value not in {"main", "master"}
            ),
        ),
    ),
    (
        (
            "sshpass",
            "mysql",
            "mariadb",
            "docker login",
            "podman login",
            "redis-cli",
            "sqlcmd",
            "ldap",
            "cqlsh",
            "mongo",
            "snmp",
            "codecov",
            "7z",
        ),
        _group(
            "password",
            _CLIENT + r"""[ ][^\n|;&]{0,160}?(?<=[ ])-(?:[pPawAXt])[ ]?["']?([^\s"'\\-][^\s"'\\]{5,256})""",
            lambda value: (
                not value.isdigit()
                and not words.is_code(value, assigned=True, variable=False)
                and any(not sign.isalpha() for sign in value)
            ),
        ),
    ),
    (
        (" -p ", " -w ", " -a ", " -x ", " -t ", " -k "),
        _group("password", r"""[ ]-[pPwaAXtk][ ]["']?([\w.+=~-]{12,256})(?=["'\s]|$)""", _drawn),
    ),
    (("securestring",), _group("password", r"""(?i:securestring)[ ](?:-String[ ])?["']([^"'\n$]{4,256})["']""")),
    (("response=",), _group("authorization", r"""response=\\?"([0-9a-f]{32,64})\\?\"""")),
    (
        ("recovery code", "backup code"),
        _group("password", r"(?i:recovery|backup)[ ](?i:codes?)\W{1,4}([a-z0-9]{4,6}-[a-z0-9]{4,6})", _is_mixed),
    ),
    (("wandb login",), _group("token", r"(?i:wandb[ ]login)[ ](?:--\w+[ ])?([0-9a-f]{40,80})")),
    (_CALLS, _call),
    (_NEAR, _near),
    (
        (" -u ", " --user "),
        _group("secret", r"""[ ](?:-u|--user)[ ]["']?([A-Za-z0-9]{16,64}):[Xx]?(?=["'\s]|$)""", _long),
    ),
    (
        ('"username"',),
        _group("key", r""""username":\s?"[^"\n]{1,80}",\s?"key":\s?"([0-9a-f]{32})\""""),
    ),
    (
        ("appid=", "subscription-key=", "/deploy/srv-"),
        _group("key", r"(?i:appid=|subscription-key=|/deploy/srv-\w{10,30}\?key=)([\w-]{8,64})", _long),
    ),
    (
        (":5432:", ":3306:", ":*:*:"),
        _group("password", r":(?:\d{4}|\*):[\w*-]{1,64}:[\w*.-]{1,64}:((?=[^\s:*]{6})\S{6,256})"),
    ),
    (("oracle:thin:", "sqlplus "), _group("password", r"(?i:oracle:thin:|sqlplus[ ])[^\s/@:]{1,64}/([^\s@/]{4,128})@")),
    (
        ("sig=", "signature=", "security-token=", "?code=", "&code="),
        _group("signature", r"(?i:[?&]?(?:sig|signature|security-token|code))=([\w%+/=.-]{24,4096})", _long),
    ),
    (
        ('"d"', '"k"', '"dp"', '"dq"', '"qi"'),
        _group(
            "jwk", r"""\\{0,3}"(?:d|k|p|q|dp|dq|qi)\\{0,3}"\s{0,4}:\s{0,4}\\{0,3}"([\w-]{40,2048})\\{0,3}\"""", _long
        ),
    ),
    (
        ("mnemonic", "seed phrase", "seed_phrase", "recovery phrase"),
        _group(
            "mnemonic",
            rf"""(?i:mnemonic|(?:seed|recovery)[ _]phrase)[\w ]{{0,12}}{_QUOTE}?\s{{0,4}}[:=]\s{{0,4}}{_QUOTE}?
                ((?:[a-z]{{3,8}}[ ,]{{1,2}}){{11,23}}[a-z]{{3,8}})""",
        ),
    ),
)


def by_mark() -> dict[str, tuple[tuple[int, Rule], ...]]:
    """The rules by the mark that calls them, each with a number of its own; marks are in lower case."""
    called: dict[str, list[tuple[int, Rule]]] = {}
    special = [(marks, rule) for marks, rule in _SPECIAL]
    shapes = [((row.mark,), _token(row)) for row in tokens.rows()]
    for number, (marks, rule) in enumerate([*shapes, *special]):
        for mark in marks:
            called.setdefault(mark, []).append((number, rule))
    return {mark: tuple(rules) for mark, rules in called.items()}


_MARKLESS = re.compile(
    r"(?P<okta>00(?=[\w-]{0,40}[A-Z])(?=[\w-]{0,40}[a-z])[\w-]{38,40}(?![\w-]))"
    r"|(?P<discord>[MNO][A-Za-z\d_-]{22,27}\.[\w-]{6}\.[\w-]{27,60}(?![\w-]))"
    r"|(?P<token>[a-z]{2,12}(?:[_-](?:live|test|prod|api|pat|sk|key|secret|token|v\d|dev|admin)){1,2}[_-][A-Za-z0-9]{20,}+(?![\w-]))",
    re.ASCII,
)


def markless(text: str, at: int) -> Iterator[Finding]:
    """A token that has no mark, where a long run begins; its last part must look drawn."""
    if match := _MARKLESS.match(text, at):
        kind, value = match.lastgroup or "token", match[0]
        last = value[max(map(value.rfind, "_-")) + 1 :] if kind == "token" else value
        if words.is_random(last) and not words.is_placeholder(value):
            yield Finding(*match.span(), kind)
