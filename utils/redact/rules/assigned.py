"""`name = value` in the syntax of any language, option or log line, where the name promises a secret."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

from utils.redact import names, values
from utils.redact.names import Promise
from utils.redact.rules import tables
from utils.redact.finding import NOTHING, QUOTE, Finding, compiled

_LONG = {"quoted": 256, "plain": 64}
"""A rejected value of more signs is not looked into for another assignment."""

_PLAIN = r"""(?: [^\s"'`<>,;&)\]}|\\]{1,128}+ | \\(?![nrtu"'`\\])
    | [,;&)\]}|](?! \s|$|["'}\])>`\\] | \s?[\w.\[\]$%-]{1,40}["']?[=:] ) ){1,16}+"""
"""Up to a blank, a quote, or a sign that ends a value in the syntax around it."""

_SIGN = rf"""
    {QUOTE}? [\])]? (?:[ ]\d{{1,2}}(?=:))? (?:[ ](?:for|of|on|to|at)[ ][\w.@-]{{1,40}}){{0,2}} [*_]{{0,2}} \s{{0,20}}
    (?: :\s?[A-Za-z_&][\w.,|&?<> \[\]]{{0,30}}?\s{{0,8}}(?==[ \t]{{0,8}}[^\s=]) )?
    (?P<sep> =>|:=|[?+]=|={{1,3}}|:(?![:?+])|->|<<<|(?<=[ ])\|(?=[ ]) ) [*_]{{0,2}} \s{{0,20}}
    (?: [|>][+-]?\s{{1,40}} )? (?:(?i:bearer|basic|token)\s+)?
    (?: (?:String::from|String\.valueOf|new[ ]\w{{0,20}}|Buffer\.from|\w{{0,20}}Secret\w{{0,20}}|bytes|str|Sensitive)
        \((?={QUOTE}) | string\(\d+\)[ ] )?"""
"""The sign of an assignment, with a type before it and a call around the value."""

_ASSIGNED = rf"""
(?P<name> \.?[\w-]{{0,40}}+ )
(?: (?: {_SIGN}
      | {QUOTE}? \s{{0,4}} [,{{]? \s{{0,40}} (?: type\s{{0,2}}=\s{{0,2}}"?\w+"?\s+ )? {QUOTE}?
          (?i:value|default|content){QUOTE}? \s{{0,4}} [:=] \s{{0,4}} (?P<value>)
      | {QUOTE}? \s{{0,4}} ,\s{{0,40}} (?={QUOTE}) (?P<pair>)
      | {QUOTE}? (?P<xml>>)
      | (?P<blank> {QUOTE}?[ \t]{{1,8}} (?: (?:is|was|to|of|for|with|provided|supplied|used|using|value|given
          |rejected|found) [ \t:]{{1,4}} ){{0,2}} (?=\S{{0,80}}?[\dA-Z!@\#$%^&*+=~?]|[a-z]{{4}}[ ]) )
    )
    (?: [bBfFrRuUN@]{{1,2}}(?=["'`\\&]) )?
    (?: (?P<q>{QUOTE}) (?P<quoted> (?: (?!(?P=q)) (?:\\.|[^\n\\]) ){{1,1024}} ) (?P=q)
      | (?P<plain> [a-z]{{4}}(?:[ ][a-z]{{4}}){{3}}(?![\w ]) | {_PLAIN} ) )
)?
"""

_STRONGER = re.compile(
    r"(?i:api|access|secret|private|auth|encryption|signing|license|service|master|admin|client|app|account|deploy"
    r"|unseal|routing|integration|public|publishable)[ ]\Z"
)
_OPTION = re.compile(r"\b(?:ENV|ARG|setx?|set -\w+|config set)\s{1,4}(?:\S{1,20}\s)?\Z")
_NETRC = re.compile(r"(?:login|account)\s+\S{1,80}\s+\Z")
_NAME_SIGNS = string.ascii_letters + string.digits + "_-."


def assignment(text: str, at: int) -> Iterable[Finding]:
    """The value that is assigned to the name in which a mark stands."""
    match = compiled(_ASSIGNED).match(text, at)
    if match is None:
        return ()
    start, end = _name_start(text, at), match.end("name")
    promised = _promise(text, start, end)
    if promised is None:
        return ()
    if match.lastgroup == "name":
        return tables.cells(text, start, end)
    found = _value(text, start, match, promised)
    return (found,) if found else ()


def _name_start(text: str, at: int) -> int:
    """Where the name begins that goes on at `at`, at most 48 signs before."""
    before = text[max(0, at - 48) : at]
    start = at - len(before) + len(before.rstrip(_NAME_SIGNS))
    return start + 1 if start < at and text[start - 1 : start] == "\\" and text[start] in "nrt" else start


def _promise(text: str, start: int, end: int) -> Promise | None:
    promised = names.promise(text[start:end])
    if promised is None or promised is Promise.PASSWORD or not start:
        return promised
    before = text[start - 1]
    if before == " ":
        adjective = _STRONGER.search(text, max(0, start - 12), start)
        if adjective and adjective[0].lower().startswith("pub"):
            return None
        return Promise.SECRET if adjective else promised
    return Promise.SECRET if before in "?&" and "://" in text[max(0, start - 400) : start] else promised


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
    return next(name for name in ("sep", "blank", "pair", "value", "xml") if match[name] is not None)


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
    if quoted == "`" and tight and not values.is_random(value):
        return False
    if how in {"blank", "pair"}:
        return _accepts_loosely(promised, value, match, text, start, option=option)
    if name.lower() == "pass" and not tight and not quoted:
        return values.is_surely_a_secret(value)
    return values.keeps(promised, value, assigned=line)


def _is_joined(value: str) -> bool:
    """Whether what stands between two quotes is what a program puts between two texts."""
    return value != value.strip() or (value[0] in "+,.)" and value[-1] in "+,.(")


def _is_no_value(value: str, match: re.Match[str], how: str, text: str, line: bool) -> bool:
    """Whether what stands without quotes is a program's or JSON's own."""
    if values.is_code(value, assigned=line, variable="=" in match[how] and not line):
        return True
    if value.isdigit() and text[match.start(how) - 1] in "\"'":
        return True
    if how == "blank" and value.startswith("-"):
        return True
    return value.startswith(("-", "{", "[", "(", "=", "@")) and not values.is_random(value)


def _accepts_loosely(
    promised: Promise, value: str, match: re.Match[str], text: str, start: int, *, option: bool
) -> bool:
    """Whether a value that only a blank or a comma parts from its name is the promised one, not the next word."""
    word = value.isalpha() and value.islower()
    if promised is Promise.PASSWORD and not word:
        if option or _NETRC.search(text[max(0, start - 100) : start]):
            return values.keeps(promised, value, assigned=True)
        if match["q"]:
            return values.keeps(promised, value, assigned=False)
        said = any(map(str.isalpha, match["blank"] or ""))
        if match["blank"] and values.is_strong_password(value, classes=3 if said else 4):
            return not values.is_placeholder(value)
    if option and not word:
        return values.keeps(promised, value, assigned=True)
    surely = values.is_surely_random(value, within_quotes=match["q"] is not None)
    return surely and values.keeps(promised, value, assigned=False)
