"""`name = value` in the syntax of any language, option, log line or sentence, where the name promises a secret."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from typing import NamedTuple

from utils.redact import names, values
from utils.redact.finding import NOTHING, QUOTE, Finding, compiled
from utils.redact.names import Promise
from utils.redact.rules import under

_LONG = {"quoted": 256, "plain": 64}
"""A rejected value of more signs is not looked into for another assignment."""

_PRINTED = r"\u201c-\u201f\u2018-\u201b\u00ab\u00bb\u2039\u203a"
"""Quotes as they are printed."""
_PLAIN = rf"""(?: [^\s"'`<>,;&)\]}}|\\\x1b{_PRINTED}]{{1,128}}+ | \\(?![nrtu"'`\\])
    | [,;&)\]}}|](?! \s|$|["'}}\])>`\\] | [.,:;!?](?:\s|$)
        | (?:quot|apos|lt|gt|\#x?\w{{2,4}}); | \s?[\w.\[\]$%-]{{1,40}}["']?[=:] ) ){{1,16}}"""
"""Up to a blank, a quote, or a sign that ends a value in the syntax around it."""
_SAID = (
    "(?:is|was|are|reads|ist|war|lautet|est|es|now|set|reset|neu|gesetzt|to|auf|of|for|with|provided|supplied|used|using"
    "|value|given|rejected|found)"
)
"""What stands between a name and its value in a sentence."""

_SIGN = rf"""
    {QUOTE}? [\])]? (?:[ ]\d{{1,2}}(?=:))? (?:[ ](?:for|of|on|to|at)[ ][\w.@-]{{1,40}}){{0,2}}
    [*_]{{0,2}}+ [ \t]{{0,20}}+
    (?=[=:?+<|o\u2192\uff1a\u2502-]) (?: :\s?[A-Za-z_&][\w.,|?<> \[\]]{{0,30}}?\s{{0,8}}(?==[ \t]{{0,8}}[^\s=]) )?
    (?P<sep> =>|:=|<\(echo[ ]|[?+]=|={{1,3}}|:(?![:?+])|->|\u2192|\uff1a|<<<|or(?=[ ]["'])|\?\?|\|\|
        |(?<=[ ])[|\u2502](?=[ ]) )
    [*_]{{0,2}} \s{{0,20}}+
    (?:<(?:b|i|p|em|tt|kbd|pre|code|span|strong)(?:[ ][^<>]{{0,80}})?>)?
    (?: [|>][+-]?\s{{1,40}} | \[\s?(?={QUOTE}) )? (?:(?i:bearer|basic|token)\s+)?
    (?: (?:String::from|String\.valueOf|new[ ]\w{{0,20}}|Buffer\.from|\w{{0,20}}Secret\w{{0,20}}|bytes|str|Data
        |Sensitive|Field|z\.string\(\)\.default)\((?:(?:hex|base64\w{{0,7}}):[ ]|default=)?(?={QUOTE})
      | string\(\d+\)[ ] )?"""
"""The sign of an assignment, with a type before it and a call around the value."""

_NEXT = rf"""
    {QUOTE}? [\])]? {QUOTE}? \s{{0,4}}+ [,{{]? \s{{0,40}}+ (?: type\s{{0,8}}=\s{{0,2}}"?\w+"?\s+ )? {QUOTE}?
        (?i:value|default|content|text){QUOTE}? \s{{0,4}} [:=] \s{{0,4}} (?P<value>)
  | {QUOTE}? \s{{0,4}}+ ,\s{{0,40}}+ (?={QUOTE}) (?P<pair>)
  | (?P<xml> {QUOTE}?>\s{{0,40}}(?:<(?i:value|string)[^<>]{{0,40}}>)?
      | (?:[ ][\w:-]{{1,40}}=["'][^"'<>]{{0,80}}["']){{1,4}}>
      | {QUOTE}?\]?:?</[\w:.-]{{1,40}}>\s{{0,80}}(?:<[\w:.-]{{1,40}}(?:[ ][^<>]{{0,80}})?>){{1,3}} )"""
"""The value is the next field, argument or element."""

_PROSE = rf"[./(@;!] | [ ](?!{_SAID}\b|(?:at|on)[ ]|[a-z]{{4}}(?:[ ][a-z]{{4}}){{3}})[a-z]{{2,24}}(?:[ ,;!?)]|[.][\s])"
"""Another word of the sentence, or what ends one: the commonest case, told from the rest at once."""

_ASSIGNED = rf"""
(?P<name> \.?[\w\u00c0-\u1fff\u3040-\ud7ff-]{{0,40}}+ )
(?: (?! {_PROSE} ) (?: {_SIGN} | {_NEXT}
      | (?P<blank> {QUOTE}?[ \t]{{1,8}}+ (?: {_SAID} [ \t:]{{1,4}} ){{0,3}}
          (?=["'`{_PRINTED}]|\S{{0,80}}?[\dA-Z!@\#$%^&*+=~?]|[a-z]{{4}}[ ]) )
    )
    (?: [bBfFrRuUN@$]{{1,2}}(?=["'`\\&]) )?
    (?: (?P<q>{QUOTE}) (?P<quoted> (?: (?!(?P=q)) (?:\\.|[^\n\\]) ){{1,1024}} ) (?P=q)
      | (?:[{_PRINTED}]\s?)? (?P<plain> [a-z]{{4}}(?:[ ][a-z]{{4}}){{3}}(?![\w ]) | {_PLAIN} ) )
)?
"""

_FAR = rf"""(?: [ ]?[:\uff1a](?!//)[ ]{{0,2}} | [ ]=[ ] | [ ]{_SAID}[ ]:? | [ ](?=[`{_PRINTED}]) )
(?= [{_PRINTED}]?\s?\S{{0,80}}?[\d!@\#$%^&*+~?] | [A-Za-z0-9]{{4}}[ ][A-Za-z0-9]{{4}}[ ] )
(?: (?P<q>["'`]) (?P<quoted> (?=[^"'`\n]{{0,80}}\d) [^"'`\n]{{6,200}} ) (?P=q)
  | (?:[{_PRINTED}]\s?)? (?P<plain> [A-Za-z0-9]{{4}}(?:[ ][A-Za-z0-9]{{4}}){{3,5}}(?![\w ]) | {_PLAIN} ) )
"""
"""What parts a value from the words before it: `the password for the old router (in the cellar) is …`."""
_WORDS = re.compile(
    rf"[*_]{{0,2}}[ ](?:[^\n;|<>{{}}\[\]\u2502{_PRINTED}.!?]|\u00ab[^\n\u00ab\u00bb]{{1,40}}\u00bb){{1,72}}"
    rf"(?:[.][\w/-][^\n;|<>{{}}\[\]{_PRINTED}.!?]{{0,40}}){{0,2}}"
)
"""What may stand between a name and its value some words behind."""

_STRONGER = {
    *("api", "access", "secret", "private", "auth", "encryption", "signing", "license", "service", "master", "admin"),
    *("client", "app", "account", "deploy", "unseal", "routing", "integration"),
}
"""What makes of a key one that is kept."""
_OPTION = re.compile(r"\b(?:ENV|ARG|setx?|set -\w+|config set)\s{1,4}(?:\S{1,20}\s)?\Z")
_NAMED = re.compile(r"(?:[A-Z][A-Z0-9_]*|[a-z][a-z0-9_.-]*)(?:=(?!=)|:\Z)")
"""How the next line begins where a name has no value: `DB_PASSWORD=`."""
_LIBRARY = re.compile(r"[A-Z][A-Za-z]*[a-z](?:Auth|JWT)")
"""What a lock file calls a library, whose value is a checksum."""
_NETRC = re.compile(r"(?:login|account)\s+\S{1,80}\s+\Z")
_ENDS_A_NAME = frozenset("./(@!?>}&")
"""Behind one of these nothing is told of the name."""
_NAME_SIGNS = string.ascii_letters + string.digits + "_-."


def assignment(text: str, at: int) -> Iterable[Finding]:
    """The value that is assigned to the name in which a mark stands, or what stands under that name."""
    match = compiled(_ASSIGNED).match(text, at)
    if match is None:
        return ()
    start, end = _name_start(text, at), match.end("name")
    promised = _promise(text, start, end)
    if promised is None:
        return ()
    if match.lastgroup != "name":
        found = _Assigned(text, start, match, promised).finding()
        if found:
            return (found,)
    if text[end : end + 1] in _ENDS_A_NAME:
        return ()
    return _said(text, end, promised) or under.lines(text, start, end, promised)


def _name_start(text: str, at: int) -> int:
    """Where the name begins that goes on at `at`, at most 48 signs before."""
    if not at or text[at - 1] not in _NAME_SIGNS:
        return at
    before = text[max(0, at - 48) : at]
    start = at - len(before) + len(before.rstrip(_NAME_SIGNS))
    return start + 1 if start < at and text[start - 1 : start] == "\\" and text[start] in "nrt" else start


def _promise(text: str, start: int, end: int) -> Promise | None:
    promised = names.promise(text[start:end])
    if promised is None or promised is Promise.PASSWORD or not start:
        return promised
    before = text[start - 1]
    if before == " ":
        words = text[max(0, start - 14) : start].lower().split()
        adjective = words[-1] if words else ""
        if adjective in {"public", "publishable"}:
            return None
        return Promise.SECRET if adjective in _STRONGER else promised
    return Promise.SECRET if before in "?&" and "://" in text[max(0, start - 400) : start] else promised


class _Assigned(NamedTuple):
    """An assignment as it was read: the name begins at `start`, the rest is in `match`."""

    text: str
    start: int
    match: re.Match[str]
    promised: Promise

    def finding(self) -> Finding | None:
        """The value, where it is the promised one; `NOTHING` for a long one that is not."""
        text, match, quote = self.text, self.match, self.match["q"]
        group = "plain" if quote is None else "quoted"
        begin, end = match.span(group)
        if quote and quote[0] == "\\":
            end = _closing(text, end, quote)
        if end - begin < 4 or (quote and quote != '"' and _leaves_json(text[begin:end], quote)):
            return None
        if match["sep"] == ":" and text[max(0, self.start - 1) : self.start] in {"/", ":"}:
            return None
        if quote is None and "\n" in text[match.end("name") : begin]:
            begin += text[begin - 1] == "\n" and text[begin] in "+-"  # of a diff
            if _NAMED.match(text, begin, end):
                return None
        value = text[begin:end]
        if self.promised is not Promise.PASSWORD and value.isalpha() and value.islower():
            return None
        if quote is None:
            begin, end = _unwrapped(text, begin, begin + len(_bare(value)))
        elif value.startswith('\\"') and value.endswith('\\"'):
            begin, end = begin + 2, end - 2
        if self._accepts(text[begin:end]):
            return Finding(begin, end, self.promised.value)
        value = text[begin:end]
        another = _NAMED.match(value) is not None and value.rstrip("=").count("=") == 1
        long = end - begin > _LONG[group] and "://" not in value and not another
        return Finding(begin, end, NOTHING) if long else None

    def _accepts(self, value: str) -> bool:
        """Whether the value is the promised one, as strictly as the syntax around it demands."""
        text, start, match = self.text, self.start, self.match
        how = _how(match)
        quote, sign = match["q"], match[how]
        name = text[start : match.start(how)].strip(" \"'")
        tight = sign == "=" and not text[match.end(how)].isspace()
        blank = text[start - 1 : start] in {" ", "\t"}
        option = (name[:1] == "-" and (tight or how == "blank")) or (
            blank and _OPTION.search(text, max(0, start - 32), start) is not None
        )
        directive = how == "blank" and not quote and self._is_directive()
        line = option or directive or (tight and name.isupper())
        if _is_joined(value) if quote else self._is_no_value(value, how, line=line):
            return False
        if quote == "`" and tight and not values.is_random(value):
            return False
        if not quote and _LIBRARY.fullmatch(name) and values.is_checksum(value):
            return False
        if how in {"blank", "pair"}:
            return self._accepts_loosely(value, option=option or directive)
        if (name.lower() == "pass" and not tight and not quote) or (sign in {"|", "\u2502"} and not quote):
            return values.is_strong_password(value, classes=3) and not values.is_placeholder(value)
        return values.keeps(self.promised, value, assigned=line)

    def _is_no_value(self, value: str, how: str, *, line: bool) -> bool:
        """Whether what stands without quotes is a program's or JSON's own."""
        match = self.match
        if values.is_code(value, assigned=line, variable="=" in match[how] and not line):
            return True
        if value.isdigit() and self.text[match.start(how) - 1] in "\"'":
            return True
        if how == "blank" and (value.startswith("-") or "=" in value[:-2]):
            return True
        return value.startswith(("-", "{", "[", "(", "=", "@")) and not values.is_random(value)

    def _accepts_loosely(self, value: str, *, option: bool) -> bool:
        """Whether a value that only a blank or a comma parts from its name is the promised one, not the next word."""
        match, promised = self.match, self.promised
        word = value.isalpha() and value.islower()
        blank, quoted = match["blank"], match["q"] is not None
        if not word and option:
            return values.keeps(promised, value, assigned=True)
        if promised is Promise.PASSWORD and not word:
            if _NETRC.search(self.text[max(0, self.start - 100) : self.start]):
                return values.keeps(promised, value, assigned=True)
            said = any(map(str.isalpha, blank or ""))
            if quoted:
                return values.keeps(promised, value, assigned=said and not value.isalpha() and " " not in value)
            if blank and values.is_strong_password(value, classes=3 if said else 4):
                return not values.is_placeholder(value)
        surely = values.is_surely_random(value, within_quotes=quoted)
        return surely and values.keeps(promised, value, assigned=False)

    def _is_directive(self) -> bool:
        """Whether name and value are a line of their own, as in a server's configuration, and the value is no word."""
        text, start, (begin, end) = self.text, self.start, self.match.span("plain")
        line = text.rfind("\n", max(0, start - 40), start) + 1 if start else 0
        if text[line:start].strip(" \t") or (start and not line) or not text[start].islower():
            return False
        return text[end : end + 2].lstrip(";\r")[:1] in {"", "\n"} and not values.is_word(text[begin:end])


def _how(match: re.Match[str]) -> str:
    """Which of the groups matched that stand between name and value."""
    if match["sep"] is not None:
        return "sep"
    return next(name for name in ("blank", "pair", "value", "xml") if match[name] is not None)


def _said(text: str, end: int, promised: Promise) -> tuple[Finding, ...]:
    """The value some words behind a name, where no other thing of the name is told and the value can be no word."""
    words = _WORDS.match(text, end)
    if words is None:
        return ()
    begin = end + 1
    while match := compiled(_FAR).search(text, begin, words.end() + 80):
        begin, last = match.span(match.lastgroup or 0)
        if match.start() > words.end() or names.tells_otherwise(text[end : match.start()]):
            break
        value = _bare(text[begin:last])
        if "@" in value and "://" in text[end:begin]:
            continue  # a URL's, which has a rule of its own
        if values.is_told(promised, value, quoted=match["q"] is not None):
            return (Finding(begin, begin + len(value), promised.value),)
    return ()


def _bare(value: str) -> str:
    """A value without what a sentence or bold print puts behind it."""
    return value.rstrip(".,:;").removesuffix("**").rstrip(".,:;")


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


def _unwrapped(text: str, begin: int, end: int) -> tuple[int, int]:
    """An ODBC value and what Jenkins encrypted stand in braces; `base64:` and `pass:` say how the value is written."""
    if text[begin : begin + 1] == "{" and end - begin > 8 and "}" in text[end - 1 : end + 1]:
        return begin + 1, end - (text[end - 1] == "}")
    scheme = text[begin : begin + 7]
    skip = 7 if scheme == "base64:" else 5 if scheme[:5] == "pass:" else 0
    return begin + skip, end


def _is_joined(value: str) -> bool:
    """Whether what stands between two quotes is what a program puts between two texts."""
    return value != value.strip() or (value[0] in "+,.)" and value[-1] in "+,.(")
