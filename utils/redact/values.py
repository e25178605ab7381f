"""Judges values: whether one was drawn or written, stands for another, is a program's, keeps what a name promised."""

from __future__ import annotations

import re
import string
from functools import lru_cache
from itertools import pairwise

from utils.redact.names import Promise

_ENOUGH = 128
"""How much of a value is judged, in signs."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# --- what stands for a value

_STAND_INS = frozenset(
    b"your my the some example placeholder dummy sample replace insert redacted todo fixme here fake foo foobar mock "
    b"hidden masked enter put yyy none null undefined optional required string fill stub".split()
)
"""Words that tell of a placeholder where one of them is a word of the value."""
_NO_VALUES = _set(
    "abc123 test testing foobar bar secret password passwd token true false yes no on off nil empty default admin root "
    "user guest unset disabled enabled"
)
"""Words that are no value where they are the whole of it."""
_FILLERS = (
    *("xxxxxx", "***", "...", "•••", "0123456789", "1234567890", "abcdefghij", "a-za-z", "a-z0-9", "0-9a-z"),
    *("changeme", "change_me", "change-me", "change me", "changeit", "change_it", "change-it", "changethis"),
    *("change_this", "change-this", "{{", "${", "<%", "@tcp(", "@unix("),
)
_APART = bytes.maketrans(b"-_.<>()[]{}@", b" " * 12)
_REFERENCE = re.compile(
    r"""\$?\{[^{}]*\}$ | \$[A-Za-z_]\w*(?:[/.:&;\\]|-?$) | \$\w{0,20}\( | <[^<]*>?$ | &lt; | \[[^\]]*\]?$
    | %[-.\d]*[sdr]$ | %\(\w+\)s$ | %\w+%$ | [a-z][a-z0-9+.-]{1,20}:// | \?\w+=
    | 0x[0-9a-fA-F]{40}$ | (?:rsa|dsa|ec|aes):\w{1,20}$ | (?:image|application|text|font|audio|video)/[\w.+-]+;
    | (?:arn|projects|op|vault|file|ssm|secretsmanager|ref|env|gs|s3|urn|keyring|sops)[:+/]
    | ssh-(?:rsa|dss|ed25519)|ecdsa-sha2\S*|(?:hmac-)?(?i:sha)\d+[-:]|md5[-:]|pk_(?:live|test)_|sb_publishable_|phc_
    | !(?:vault\w*|Ref|Sub|GetAtt|ImportValue|env|secret|reference|include)\b | ENC\[ | &\w+$ | ::?
    | [*&][a-z]\w*\.[A-Z]\w*$ | _{0,2}[A-Z]+(?:_[A-Z]+)*__$ | Ag[A-C][A-Za-z0-9+/]{100}
    | \w+![rs]$ | (?:[0-9A-Fa-f]{2}:){5} | v\d+\.\d+\.\d+[\w.+-]*$ | -----BEGIN | [\w.]+@[a-z.]+\.[a-z]+$
    | (?i:scram-sha-\d+(?:-plus)?|(?:aes|hs|rs|es|ps|sha)-?\d{1,3}(?:[-_/][a-z0-9]{1,6}){0,3})$""",
    re.VERBOSE,
)
"""How a value begins that names where the secret is kept, how it is made, or what is public."""
_PATTERN = re.compile(r"\{\w*\}|\\[wdsSWD]|\[\^?[\w\\]-|\(\?")
_FILE = re.compile(
    r"\.(?:pem|key|txt|json|ya?ml|crt|env|py|js|ts|html?|css|md|gz|zip|tgz|png|jpe?g|svg|pdf|log|sql|csv)"
    r"(?:[\#:][\w-]*)?$"
)
_PATH = re.compile(r"(?:\.{0,2}|~|[A-Za-z]:)[/\\]")


@lru_cache(maxsize=1024)
def is_placeholder(value: str) -> bool:
    """Whether a value stands for another: `<token>`, `${TOKEN}`, `changeme`, `xxxx`, a path, a public key."""
    value = value[:_ENOUGH]
    low = value.lower()
    if len(set(value)) < 3 or _is_stand_in(low) or _REFERENCE.match(value) or _is_pattern(value):
        return True
    if "." in value and _FILE.search(value):
        return True
    if value.startswith(("~/", "./", "../")):
        return True
    if not _PATH.match(value) or is_choppy(value):
        return False
    return wordiness(value) > 0.35 or not is_random(value)


def _is_stand_in(low: str) -> bool:
    if low in _NO_VALUES or any(map(low.__contains__, _FILLERS)):
        return True
    if not _STAND_INS.isdisjoint(low.encode(errors="replace").translate(_APART).split()):
        return len(low) < _TOO_LONG_FOR_A_STAND_IN or wordiness(low) > 0.35
    if low.endswith(("example", "examplekey", "placeholder")) or not low.strip("x-"):
        return True
    if len(low) <= 12 and _COUNTED.fullmatch(low):
        return True
    return "xxx" in low and _CROSSES.search(low) is not None


_TOO_LONG_FOR_A_STAND_IN = 48
"""From so many signs on, a drawn value may hold a word between two dashes by chance."""
_CROSSES = re.compile(r"(?<![a-z0-9])x{3,}(?![a-z0-9])")
_COUNTED = re.compile(r"(?:password|test|testing)\d{1,4}|12345678\d*|abcdef\w{0,3}")


def _is_pattern(value: str) -> bool:
    """Whether it is a template's or a regular expression's."""
    return not _PATTERN_SIGNS.isdisjoint(value) and _PATTERN.search(value) is not None


_PATTERN_SIGNS = frozenset("{[(\\")


# --- what is a program's

_CODE = re.compile(r"[A-Za-z_$@][\w$]*(?:(?:\.|->|::|\?\.)[\w$]+)*[(\[]")
_BRACKETS, _JOINTS = frozenset("()[]{}"), frozenset(".>:")
_DOTTED = re.compile(r"[A-Za-z_$@][\w$]*(?:(?:\.|->|::|\?\.)[\w$]+)*")


def is_code(value: str, *, assigned: bool, variable: bool) -> bool:
    """Whether what stands without quotes is a program's: a call, an attribute, a variable.

    Args:
        value: as it stands.
        assigned: in an `.env` line or as an option, where hardly ever a program stands.
        variable: where it stands, the name of a variable may have digits.
    """
    if _CODE.match(value):
        return True
    if assigned:
        return False
    if not _BRACKETS.isdisjoint(value) or "=>" in value or "?." in value:
        return True
    if not _DOTTED.fullmatch(value):
        return False
    if is_choppy(value) and (not _DIGITS.isdisjoint(value) or is_random(value)):
        return False
    if _DIGITS.isdisjoint(value):
        return True
    return (variable or not _JOINTS.isdisjoint(value)) and not is_random(value)


# --- what was promised

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HASH = re.compile(r"[0-9a-fA-F]{16}|[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128}")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.,+Z-]*)?|[\d.,:+/-]+")
_KNOWN_HARMLESS = re.compile(rf"(?:{_UUID.pattern}|{_HEX.pattern}|{_DATE.pattern}|sha\d+-[A-Za-z0-9+/=]+)\Z")
_APP = re.compile(r"[a-z]{4}(?:[ -]?[a-z]{4}){3}|(?=[A-Za-z ]*\d)[A-Za-z0-9]{4}(?: [A-Za-z0-9]{4}){5}")
"""How Google, Apple and WordPress write a password made for one program."""
_CHOSEN = re.compile(r"(?=.*\d{3})[A-Za-z]{3,}[-_]?\d+(?:[-_][a-z]+)?|(?=.*\d{3})[A-Za-z]{3,}[-_][A-Za-z]{3,}[-_]?\d+")
"""A word and a number: what people choose."""
_WORD = re.compile(r"(?:^|[-/_.:])[A-Za-z][a-z]{3,}(?:[-/_.:]|$)")


_IDENTIFIER = re.compile(
    r"(?:msg|req|chatcmpl|cmpl|resp|run|thread|call|toolu|cus|pi|ch|evt|sub|price|prod|acct|file|asst|batch|org|proj|usr|user"
    r"|app|tbl|rec|fld|viw|trace|span|job|task|step|build|img|ami|vpc|subnet|sg|i|vol|snap|inv|in|si|txn|card|src|ba|tok|seti"
    r"|cs|ca|re|pm|G|UA|GTM|AC|MG|SM|PN|dpl|prj|team|wf|exec|srv|dep|evm|zone|bucket|obj)[_-][A-Za-z0-9_]{6,}"
    r"|DSID-[0-9A-F]{6,}|[A-Z0-9]{10}\.(?:com|org|net|io|de|app|dev)\.[\w.-]+|(?:app|tbl|rec|fld|viw)[A-Za-z0-9]{14}|(?:AC|MG|PN)[0-9a-f]{32}|v\d+\.\d+\.\d+\S*|[\w.-]+@[\w-]+(?:\.[\w-]+)+"
)


def is_identifier(value: str) -> bool:
    """Whether a value is the id that a service gives an object, a version, or somebody's address."""
    return _IDENTIFIER.fullmatch(value) is not None or is_uuid(value)


def is_uuid(value: str) -> bool:
    """Whether a value is a UUID, which some services give as a token."""
    return _UUID.fullmatch(value) is not None


def is_checksum(value: str) -> bool:
    """Whether a value has a checksum's shape, which many a token has, too."""
    return _HASH.fullmatch(value) is not None


def is_word(value: str) -> bool:
    """Whether a value is letters alone, in the case of a word."""
    return value.isalpha() and (value[1:].islower() or value.isupper())


def is_harmless(value: str) -> bool:
    """Whether a value is an id, a checksum, a date or a number by its shape: what no field of such a name loses."""
    return _KNOWN_HARMLESS.match(value) is not None


def keeps(promised: Promise, value: str, *, assigned: bool) -> bool:
    """Whether a value is what its name promised.

    Args:
        promised: by the name.
        value: without its quotes.
        assigned: nothing but a value can stand there (an `.env` line, an option, a field), so that a word suffices.
    """
    return len(value) >= 4 and _fulfils(promised, value, assigned=assigned) and not is_placeholder(value)


def _fulfils(promised: Promise, value: str, *, assigned: bool) -> bool:
    if promised is Promise.PASSWORD:
        return (assigned and not _is_prose(value)) or _is_password(value)
    if _DATE.fullmatch(value) or len(value) < 8 or not value.isascii() or (" " in value and not _is_salt(value)):
        return False
    if _UUID.fullmatch(value):
        return promised is Promise.SECRET
    if promised is Promise.KEY:
        return len(value) >= 16 and not is_checksum(value) and not _WORD.search(value) and is_random(value)
    return is_random(value) or (assigned and _is_mixed(value))


def is_told(promised: Promise, value: str, *, quoted: bool) -> bool:
    """Whether a value in a sentence or under a head is the one that was spoken of: it can be no word of the text."""
    prefix = len(value) < 20 and value[-1:] in {"-", "_"}
    if len(value) < 8 or prefix or not value.isascii() or is_placeholder(value) or is_identifier(value):
        return False
    if _APP.fullmatch(value):
        return promised is Promise.PASSWORD and (wordiness(value) < 0.65 or not _DIGITS.isdisjoint(value))
    if " " in value or _DATE.fullmatch(value) or (not quoted and (_WRITTEN.fullmatch(value) or _PAIR.fullmatch(value))):
        return False
    if not quoted and is_code(value, assigned=True, variable=False):
        return False
    if promised is not Promise.PASSWORD:
        return (len(value) >= 16 or not value.isalnum()) and is_random(value)
    return is_strong_password(value, classes=3) or (quoted and _is_mixed(value)) or is_surely_random(value)


def _is_salt(value: str) -> bool:
    """Whether blanks stand in it as any other sign, as in the salts of WordPress."""
    return len({sign for sign in value if not sign.isalnum()}) >= 6 and len(value) >= 32


def _is_prose(value: str) -> bool:
    return " " in value and wordiness(value) > 0.5


def _is_password(value: str) -> bool:
    """Whether a value that could be a word or a remark is a password all the same."""
    if _APP.fullmatch(value):
        return not value.islower() or wordiness(value) < (0.65 if " " in value else 0.5)
    if len(value) < 6 or _is_prose(value) or _DATE.fullmatch(value):
        return False
    if _WRITTEN.fullmatch(value) and not _CHOSEN.fullmatch(value) and wordiness(value) > 0.4:
        return False
    return _is_mixed(value) or is_random(value)


def _is_mixed(value: str) -> bool:
    """Whether a digit or an unusual sign stands among letters."""
    return not _DIGITS_AND_SIGNS.isdisjoint(value[:-1]) and any(map(str.isalpha, value))


# --- what was drawn

_DIGITS, _SIGNS = frozenset(string.digits), frozenset("!@#$%^&*+=~?")
_DIGITS_AND_SIGNS = _DIGITS | _SIGNS
_LOWER, _UPPER = frozenset(string.ascii_lowercase), frozenset(string.ascii_uppercase)
_LETTERS = _LOWER | _UPPER
_WRITTEN = re.compile(
    r"(?:[A-Z]?[a-z]+\d{0,2}|[A-Z]+|v?\d{1,4})(?:[-_./:@| ](?:[A-Z]?[a-z]+\d{0,2}|[A-Z]+|v?\d{1,4}))+"
)
"""Words of one case and short numbers with signs between: `db-creds-1`, `users/7/name`."""
_TOKEN = re.compile(r"[\w.+/=~-]+", re.ASCII)
_PAIR = re.compile(r"[A-Za-z][A-Za-z_.-]*=[\w.:/@-]+")
"""Another name with its value: `user_id=48213`."""
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_RUN = re.compile(r"[a-z]{2,}")
_COMMON = frozenset(
    (pair[0], pair[1])
    for pair in _set(
        "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri "
        "ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut "
        "ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi "
        "ci vi pl ig tu ev ld ry mp ab gh op wo ay ke ap gr sp ou ey ck ok oo pp rd my"
    )
)
"""Pairs of letters that make up four fifths of written language and a fifth of random letters."""


def is_random(value: str) -> bool:
    """Whether a value of eight signs or more was drawn rather than written."""
    return _is_drawn(value, 0.62)


@lru_cache(maxsize=1024)
def _is_drawn(value: str, most: float) -> bool:
    """Whether a value was drawn: with digits in it, if its wordiness is under `most`; else if lower still."""
    value = value[:_ENOUGH]
    count = len(value)
    signs = set(value)
    if count < 8 or len(signs) < min(5 + count // 8, 10) or _WRITTEN.fullmatch(value) or _is_prose(value):
        return False
    digits = 0 if _DIGITS.isdisjoint(signs) else sum(map(str.isdigit, value))
    if _LETTERS.isdisjoint(signs) or (not digits and _HEX.fullmatch(value)):
        return False
    if digits and is_choppy(value):
        return True
    wordy = wordiness(value)
    if digits >= max(1, count // 20):
        return wordy < most
    cased = value != value.lower() and value != value.upper()
    return count >= 10 and wordy < (0.45 if cased else 0.34)


def is_choppy(value: str) -> bool:
    """Whether letters of both cases and digits change as often as drawn ones do; words keep longer to one."""
    if len(value) < 10 or value == value.lower() or value == value.upper():
        return False
    pieces = _PIECE.findall(value)
    return sum(map(len, pieces)) < 2.4 * len(pieces)


def is_surely_random(value: str, *, within_quotes: bool = False) -> bool:
    """Whether a value is drawn, judged as strictly as where a sentence may go on."""
    plain = value.removeprefix("base64:")
    if len(plain) < 12 or _DIGITS.isdisjoint(plain):
        return False
    if not _TOKEN.fullmatch(plain) and not (
        within_quotes and len(plain) >= 20 and is_strong_password(plain, classes=3)
    ):
        return False
    return _is_drawn(plain, 0.45)


def is_surely_a_secret(value: str) -> bool:
    """Whether a value is no word of any text, whatever stands around it."""
    if " " in value or len(value) < 12 or is_identifier(value) or is_placeholder(value):
        return False
    return is_strong_password(value, classes=3 if is_surely_random(value) else 4)


def is_strong_password(value: str, *, classes: int) -> bool:
    """Whether a value has so many of what the rules for passwords ask for that it is no word of a sentence."""
    signs = set(value)
    kinds = (_LOWER, _UPPER, _DIGITS, _SIGNS)
    return len(value) >= 8 and sum(not kind.isdisjoint(signs) for kind in kinds) >= classes


def wordiness(value: str) -> float:
    """The share of neighbouring letters that are usual in language, 0 to 1; 0 where few letters stand together."""
    if len(value) >= 16 and _HEX.fullmatch(value):
        return 0.0
    low = value.lower()
    runs = _RUN.findall(low)
    pairs = sum(map(len, runs)) - len(runs)
    if pairs < max(3, len(value) * 0.3):
        return 0.0
    return sum(map(_COMMON.__contains__, pairwise(low))) / pairs
