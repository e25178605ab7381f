"""The rules: each looks at one place of a text, where its mark stands, and tells what is secret there.

No rule walks further than a bounded number of signs from its mark, so that no text takes quadratic time.
"""

from __future__ import annotations

import base64
import re
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
_LONG = 256
"""A rejected value of more signs is not looked into for another assignment."""

_QUOTE = r"""(?:\\{0,7}["'`]|&(?:quot|apos|\#3[49]);)"""

_UNQUOTED = r"""(?: [^\s"'`<>,;&)\]}|\\]{1,128}+ | \\(?![nrtu"'`\\])
    | [,;&)\]}|](?! \s|$|["'}\])>`\\] | \s?[\w.\[\]$%-]{1,40}["']?[=:] ) ){1,16}+"""
"""Up to a blank, a quote, or a sign that ends a value in the syntax around it."""

_ASSIGNMENT = rf"""
(?i:pass|pwd|secret|token|key|auth|cred|salt|dsn|jwt|bearer|_pw|connection_?string)[\w-]{{0,32}}+
(?: {_QUOTE}? [\])]? \s{{0,20}} (?: :\s?[A-Za-z_&][\w.,|&?<> \[\]]{{0,30}}?\s{{0,8}}(?==) )?
      (?P<sep> =>|:=|[?+]=|={{1,3}}|:(?!:)|->|(?<=[ ])\|(?=[ ]) ) \s{{0,20}}
      (?: [|>][+-]?\s{{1,40}} )? (?:(?i:bearer|basic|token)\s+)?
      (?: (?:String::from|String\.valueOf|new[ ]\w{{0,20}}|Buffer\.from|\w{{0,20}}Secret\w{{0,20}}|bytes|str)
          \((?={_QUOTE}) )?
  | {_QUOTE}? \s{{0,4}} [,{{]? \s{{0,40}} (?: type\s{{0,2}}=\s{{0,2}}"?\w+"?\s+ )? {_QUOTE}?
      (?i:value|default){_QUOTE}? \s{{0,4}} [:=] \s{{0,4}} (?P<value>)
  | {_QUOTE}? \s{{0,4}} ,\s{{0,40}} (?={_QUOTE}) (?P<pair>)
  | {_QUOTE}? (?P<xml>>)
  | (?P<blank> {_QUOTE}?[ \t]{{1,8}} (?: (?:is|was|to|of|for|with|provided|supplied|used|using|value|given
      |rejected|found) [ \t:]{{1,4}} ){{0,2}} (?=\S{{0,80}}?[\dA-Z!@\#$%^&*+=~?]|[a-z]{{4}}[ ]) )
)
(?: [bBfFrRuU@]{{1,2}}(?=["'`\\&]) )?
(?: (?P<q>{_QUOTE}) (?P<quoted> (?: (?!(?P=q)) (?:\\.|[^\n\\]) ){{1,1024}} ) (?P=q)
  | (?P<plain> [a-z]{{4}}(?:[ ][a-z]{{4}}){{3}}(?![\w ]) | {_UNQUOTED} ) )
"""

_STRONGER = re.compile(
    r"(?i:api|access|secret|private|auth|encryption|signing|license|service|master|admin|client|app|account|deploy)"
    r"[ _]\Z"
)
_OPTION = re.compile(r"(?:(?:^|[\s\"'\[,])--?|\b(?:ENV|ARG|setx?|set -\w+|config set)\s{1,4}\S{0,20})\Z")
_NETRC = re.compile(r"(?:login|account)\s+\S{1,80}\s+\Z")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.VERBOSE)


def _assignment(text: str, at: int) -> Iterator[Finding]:
    """`name = value` in the syntax of any language, option or log line, where the name promises a secret."""
    match = _compiled(_ASSIGNMENT).match(text, at)
    if match is None:
        return
    group = "plain" if match["q"] is None else "quoted"
    begin, end = match.span(group)
    if match["q"] and match["q"][0] == "\\":
        end = _closing(text, end, match["q"])
    if end - begin < 4 or (match["q"] and match["q"] != '"' and _leaves_json(text[begin:end], match["q"])):
        return
    start, how = _name_start(text, at), _separator(match)
    if match["sep"] == ":" and text[max(0, start - 1) : start] in {"/", ":"}:
        return
    promised = words.promise(text[start : match.start(how)].rstrip(" \t\"'`\\])}&;"))
    if promised is Promise.KEY and _stronger(text, start):
        promised = Promise.SECRET
    value = text[begin:end]
    if promised is None or (promised is not Promise.PASSWORD and value.isalpha() and value.islower()):
        return
    if group == "plain":
        begin, end = _unwrapped(text, begin, begin + len(match[group].rstrip(".,:;")))
    if _accepts(promised, text[begin:end], match, how, text, start):
        yield Finding(begin, end, promised.value)
    elif end - begin > _LONG:
        yield Finding(begin, end, NOTHING)


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
    return next(name for name in ("sep", "pair", "value", "xml", "blank") if match[name] is not None)


def _name_start(text: str, at: int) -> int:
    """Where the name begins that goes on at `at`, at most 48 signs before."""
    start, least = at, max(0, at - 48)
    while start > least and (text[start - 1].isalnum() or text[start - 1] in "_-."):
        start -= 1
    if start < at and text[start - 1 : start] == "\\" and text[start] in "nrt":
        start += 1
    return start


def _stronger(text: str, start: int) -> bool:
    before = text[max(0, start - 12) : start]
    return bool(_STRONGER.search(before)) or (
        before.endswith(("?", "&")) and "://" in text[max(0, start - 400) : start]
    )


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
    option = name[:1] == "-" or _OPTION.search(text, max(0, start - 24), start) is not None
    line = option or (tight and name.isupper())
    if _is_joined(value) if quoted else _is_no_value(value, match, how, text, line):
        return False
    if quoted == "`" and tight and not words.is_random(value):
        return False
    if how in {"blank", "pair"}:
        return _accepts_loosely(promised, value, match, text, start, option=option)
    if name.lower() == "pass" and not tight and not quoted:
        return words.is_surely_random(value)
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
    return value.startswith(("-", "{", "[", "(", "=")) and not words.is_random(value)


def _accepts_loosely(
    promised: Promise, value: str, match: re.Match[str], text: str, start: int, *, option: bool
) -> bool:
    """Whether a value that only a blank or a comma parts from its name is the promised one, not the next word."""
    word = value.isalpha() and value.islower()
    if promised is Promise.PASSWORD and not word:
        if option or _NETRC.search(text[max(0, start - 100) : start]):
            return words.keeps(promised, value, assigned=True)
        if match["q"] and text[start : start + 8].isupper():
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
    match = _compiled(pattern).match(text, at)
    if match is None:
        return
    if match["alone"]:
        if len(match["user"]) >= 16 and words.is_random(match["user"]) and not words.is_placeholder(match["user"]):
            yield Finding(*match.span("user"), "secret")
        return
    start, end = match.span(match.lastindex or 0)
    if not (_PLACEHOLDER_IN_URL.fullmatch(text[start:end])):
        yield Finding(start, end, "password")


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
            [ \t]{{1,4}} (?:token=)? (?: {_QUOTE} )? )?
        (?![<$\[{{]) ([^\s"'\\,;)\]}}>&<`]{{4,4096}})"""
    match = _compiled(pattern).match(text, at)
    if match is None or words.is_placeholder(match[2]) or words.is_code(match[2], assigned=True, variable=False):
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
    head = _compiled(r"-{4,5}[ ]?BEGIN[ ][A-Z0-9 ]{0,40}PRIVATE[ ]KEY(?:[ ]BLOCK)?[ ]?-{4,5}").match(text, at)
    if head is None:
        return
    body = _compiled(r"(?:[^-]|-(?!---)){0,32768}+").match(text, head.end())
    last = body.end() if body else head.end()
    foot = _compiled(r"-{4,5}[ ]?END[ ][A-Z0-9 ]{0,60}[ ]?-{4,5}").match(text, last)
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
    last = head.end()
    for pair in _compiled(r"[\w.%$!-]{1,80}=([\w.%+/=:~-]{1,4096})").finditer(text, last, last + 4096):
        last = pair.end()
        if len(pair[1]) >= 16 and words.is_random(pair[1]) and not words.is_placeholder(pair[1]):
            yield Finding(*pair.span(1), "cookie")
    yield Finding(last, last, NOTHING)


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


def _piped(text: str, at: int) -> Iterator[Finding]:
    """`echo VALUE | client --password-stdin`."""
    start = max(0, at - 400)
    match = re.search(r"echo\s+(?:-n\s+)?[\"']?([^\s\"'|]{6,300})[\"']?\s*\|[^|\n]{0,80}\Z", text[start:at])
    if match and not words.is_placeholder(match[1]):
        yield Finding(start + match.start(1), start + match.end(1), "password")


_CLIENT = (
    r"""(?:mysql\w{0,12}|mariadb\w{0,12}|sshpass|docker[ ]login|podman[ ]login|redis-cli|sqlcmd|ldap\w{1,12}|cqlsh)"""
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
            r"""[ ]?(?:-u|--(?:proxy-)?user)[ =]{0,2}["']?[^\s:"'/]{1,80}:
                ([^\s"'/@:][^\s"'/@]{3,256})(?=[\s"'\\]|$)""",
            lambda value: (
                not value.isdigit()
                and not words.is_code(value, assigned=True, variable=False)
                and value not in {"main", "master"}
            ),
        ),
    ),
    (
        ("sshpass", "mysql", "mariadb", "docker login", "podman login", "redis-cli", "sqlcmd", "ldap", "cqlsh"),
        _group(
            "password",
            _CLIENT + r"""[ ][^\n|;&]{0,160}?(?<=[ ])-(?:p|P|a|w)[ ]?["']?([^\s"'\\-][^\s"'\\]{5,256})""",
            lambda value: (
                not value.isdigit()
                and not words.is_code(value, assigned=True, variable=False)
                and any(not sign.isalpha() for sign in value)
            ),
        ),
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


_RUN_RULES = (
    ("okta", re.compile(r"(00(?=[\w-]{0,40}[A-Z])(?=[\w-]{0,40}[a-z])[\w-]{38,40})(?![\w-])", re.ASCII)),
    ("discord", re.compile(r"[MNO][A-Za-z\d_-]{22,27}\.[\w-]{6}\.([\w-]{27,60})(?![\w-])", re.ASCII)),
    (
        "token",
        re.compile(
            r"[a-z]{2,12}(?:[_-](?:live|test|prod|api|pat|sk|key|secret|token|v\d|dev|admin)){1,2}[_-]([A-Za-z0-9]{20,})(?![\w-])",
            re.ASCII,
        ),
    ),
)
"""Tokens without a mark; the group must look drawn."""
_COLOUR = re.compile(r"\d{1,3}m")


def in_run(text: str, at: int) -> Iterator[Finding]:
    """The tokens that have no mark, where a long run of their signs begins."""
    if text[at - 1 : at] == "[" and (coloured := _COLOUR.match(text, at)):
        at = coloured.end()
    for kind, pattern in _RUN_RULES:
        match = pattern.match(text, at)
        if match and words.is_random(match[1]) and not words.is_placeholder(match[0]):
            yield Finding(*match.span(), kind)
