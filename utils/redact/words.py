"""Judges names and values: whether a name promises a secret, and whether a value keeps that promise."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache


class Promise(Enum):
    """What a name says of its value."""

    PASSWORD = "password"  # noqa: S105
    """A person's or a service's: may be any sign string."""
    SECRET = "secret"  # noqa: S105
    """A token, an API key, a secret: long, and no word."""
    KEY = "key"
    """Only "key" or the like, which is as often the name of something: the value must look random."""


NAME_MARKS = (
    *("pass", "pwd", "secret", "token", "key", "auth", "cred", "salt", "dsn", "jwt", "bearer", "_pw"),
    *("connectionstring", "connection_string", "psk", "_pat", "-pat", "sessid", "sessionid", "dockerc", "seed"),
    *("honeycomb-team", "server_item", "access-sign", "api-sign", ".login", "encrypt", "assertion", "kennwort"),
    *("pw ", "pw:", "pw="),
)
"""One of them is in every name that promises a secret."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PASSWORD = re.compile(
    r"(?:(?!by|com|sur|over|under|tres|im).*)?pass|.*(?:password|passwd|kennwort|passe|wachtwoord|passphrase|passcode|passwort|pwd)|pw|pswd|passw"
)
_SECRET = re.compile(
    r".*(?:secret|secrets|token|apikey|apitoken|secretkey|accesskey|authkey|privatekey|privkey|appkey|sharedkey"
    r"|accountkey|masterkey|signingkey|encryptionkey|authtoken|licensekey|sharedaccesskey|credential|connectionstring|sess(?:ion)?id|dockerconfigjson|dockercfg|masterauth|psk)"
    r"|credentials?|creds?|auth|salt|dsn|jwt|bearer|tokens|sas|seed|encrypt|assertion"
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SUFFIXES = _set(
    "base prod production dev development test testing stage staging live sandbox old new current previous primary "
    "secondary main backup value string str env plain raw default local root b64 base64 encoded data pem full master "
    "read write readonly rw ro us eu v file1 file2 text bytes private global shared internal external ci hex admin"
)
_NO_SECRET = _set(
    "socket "
    "public publishable pub primary foreign partition sort cache idempotency idempotent object row index lookup hash "
    "range unique composite candidate surrogate natural map dict storage s3 translation i18n locale message query "
    "hot shortcut arrow keyboard site anchor group dedupe dedup event prop property field column order "
    "bucket path lock config setting metric label tag annotation json issue project answer piano host known gpg page "
    "next continuation cursor sync design start eos bos pad unk sep mask special max min num total stop count type "
    "signingkey recv send fetch list del delete scan bt name id ids url uri length len size limit ttl expiry expires "
    "format header prefix suffix policy hint"
)
_PAIRS = {"secret id", "honeycomb team", "server item", "access sign", "api sign", "sonar login", "dsonar login"}
"""Two words that promise a token together and nothing alone."""
_COMMON = _set(
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro "
    "ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so "
    "rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl "
    "ig tu ev ld ry mp ab gh op wo ay ke ap gr sp ou ey ck ok oo pp rd my"
)
"""Pairs of letters that make up four fifths of written language and a fifth of random letters."""

_PLACEHOLDER = re.compile(
    r"""(?:^|[-_ .<(\[{@])(?:your|my|the|some|example|placeholder|dummy|sample|replace|insert|redacted|todo|fixme|here
    |fake|foo|foobar|mock|hidden|masked|enter|put|yyy|none|null|undefined|optional|required|string|fill
        |stub)(?:[-_ .>)\]}@]|$)
    | change[-_ ]?(?:me|it|this) | (?:x{4,}|\*{3,}|\.{3,}|•{3,})
    | example(?:key)?$ | placeholder$ | ^x{2,}-?x*$ | 0123456789|1234567890|abcdefghij | ^0+$ | ^-+$
    | ^(?:1234567890?|12345678\d*|abcdef\w{0,3}|abc123|test(?:ing)?\d{0,4}|foo(?:bar)?|bar|secret|password\d{0,3}
        |passwd|token|true|false|yes|no|on|off|nil|empty|default|admin|root|user|guest|hidden|unset|disabled|enabled)$""",
    re.VERBOSE | re.IGNORECASE,
)
_STANDS_FOR = re.compile(
    r"""^\$?\{[^{}]*\}$ | ^\$\{ | ^\$[A-Za-z_]\w*(?:[/.:]|$) | ^\$\( | \{\{ | \$\{ | <% | ^<[^<]*>?$ | ^\[[^\]]*\]?$
    | ^%[-.\d]*[sdr]$ | ^%\(\w+\)s$ | ^%\w+%$ | \{\w*\} | [aA]-[zZ][aA0]-[zZ9]|0-9[aA]-[zZ]
    | ^[a-z][a-z0-9+.-]{1,20}://
    | ^\?\w+=
    | ^(?:arn|projects|op|vault|file|ssm|secretsmanager|ref|env|gs|s3|urn|keyring|sops)[:+/]
    | ^(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2\S*|sha\d+[-:]|md5[-:]|pk_(?:live|test)_|sb_publishable_|phc_)
    | ^!(?:vault|Ref|Sub|GetAtt|ImportValue|env|secret|reference|include)\b | ^ENC\[ | ^&\w+$ | ^::?
    | ^\w+![rs]$ | \\[wdsSWD] | \[\^?[\w\\]- | \(\?
    | ^-----BEGIN | ^[\w.]+@[a-z.]+\.[a-z]+$
    | \.(?:pem|key|txt|json|ya?ml|crt|env|py|js|ts|html?|css|md|gz|zip|tgz|png|jpe?g|svg|pdf|log|sql|csv)
        (?:[\#:][\w-]*)?$
    | ^(?i:scram-sha-\d+(?:-plus)?|(?:aes|hs|rs|es|ps|sha)-?\d{1,3}(?:[-_/][a-z0-9]{1,6}){0,3})$""",
    re.VERBOSE,
)
_PATH = re.compile(r"(?:\.{0,2}|~|[A-Za-z]:)[/\\]")
_CODE = re.compile(r"[A-Za-z_$@][\w$]*(?:(?:\.|->|::|\?\.)[\w$]+)*[(\[]")
_BRACKETS, _JOINTS = frozenset("()[]{}"), frozenset(".>:")
_DOTTED = re.compile(r"[A-Za-z_$@][\w$]*(?:(?:\.|->|::|\?\.)[\w$]+)*")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HASH = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128}")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.,+Z-]*)?|[\d.,:+/-]+")
_WRITTEN = re.compile(r"(?:[A-Z]?[a-z]+\d{0,2}|[A-Z]+|v?\d{1,4})(?:[-_./:@ ](?:[A-Z]?[a-z]+\d{0,2}|[A-Z]+|v?\d{1,4}))+")
"""Words of one case and short numbers with signs between: `db-creds-1`, `users/7/name`."""
_APP = re.compile(r"[a-z]{4}(?: [a-z]{4}){3}")
"""How Google writes a password made for one program."""
_ENOUGH = 128
"""How much of a value is judged, in signs."""
_WORD = re.compile(r"(?:^|[-/_.:])[a-z]{4,}(?:[-/_.:]|$)")
_TOKEN = re.compile(r"[\w.+/=~-]+", re.ASCII)
_RUN = re.compile(r"[a-z]+")
_KNOWN_HARMLESS = re.compile(rf"(?:{_UUID.pattern}|{_HEX.pattern}|{_DATE.pattern}|sha\d+-[A-Za-z0-9+/=]+)\Z")


@lru_cache(maxsize=4096)
def promise(name: str) -> Promise | None:
    """What a name of a field, variable, header or option promises; None where nothing is secret about it."""
    words = [word.lower() for word in _WORDS.findall(name)]
    while words and (words[-1] in _SUFFIXES or words[-1].isdigit()):
        words.pop()
    if not words:
        return None
    last, before = words[-1], words[:-1]
    if " ".join(words[-2:]) in _PAIRS or (last == "pat" and before):
        return Promise.SECRET
    if last in _NO_SECRET:
        return None
    if last != "secret" and not _PASSWORD.fullmatch(last) and _NO_SECRET.intersection(before[-1:]):
        return None
    if last.startswith("pub"):
        return None
    if _PASSWORD.fullmatch(last) or (last in {"word", "phrase"} and before[-1:] == ["pass"]):
        return Promise.PASSWORD
    if _SECRET.fullmatch(last) or (last == "string" and before[-1:] == ["connection"]):
        return Promise.SECRET
    if last in {"key", "keys"} or last.endswith("key"):
        return Promise.SECRET if before or len(last) > 4 else Promise.KEY
    return Promise.SECRET if last == "code" and before[-1:] == ["access"] else None


def is_harmless(value: str) -> bool:
    """Whether a value is an id, a checksum, a date or a number by its shape: what no field of such a name loses."""
    return _KNOWN_HARMLESS.match(value) is not None


def is_placeholder(value: str) -> bool:
    """Whether a value stands for another: `<token>`, `${TOKEN}`, `changeme`, `xxxx`, a path, a public key."""
    value = value[:_ENOUGH]
    if _PLACEHOLDER.search(value) or _STANDS_FOR.search(value) or len(set(value)) < 3:
        return True
    return _PATH.match(value) is not None and (wordiness(value) > 0.35 or not is_random(value))


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
    if not any(map(str.isdigit, value)):
        return True
    if _is_choppy(value):
        return False
    return (variable or not _JOINTS.isdisjoint(value)) and not is_random(value)


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
        return len(value) >= 16 and not _HASH.fullmatch(value) and not _WORD.search(value) and is_random(value)
    return is_random(value) or (assigned and _is_mixed(value))


def _is_salt(value: str) -> bool:
    """Whether blanks stand in it as any other sign, as in the salts of WordPress."""
    return len({sign for sign in value if not sign.isalnum()}) >= 6 and len(value) >= 32


def _is_prose(value: str) -> bool:
    return " " in value and wordiness(value) > 0.5


def _is_password(value: str) -> bool:
    """Whether a value that could be a word or a remark is a password all the same."""
    if _APP.fullmatch(value):
        return wordiness(value) < 0.65
    if len(value) < 6 or _is_prose(value) or _WRITTEN.fullmatch(value) or _DATE.fullmatch(value):
        return False
    return _is_mixed(value) or is_random(value)


def _is_mixed(value: str) -> bool:
    """Whether a digit or an unusual sign stands among letters."""
    plain = any(map(str.isalpha, value))
    return plain and any(sign.isdigit() or sign in "!@#$%^&*+=~?" for sign in value[:-1])


def is_random(value: str) -> bool:
    """Whether a value of eight signs or more was drawn rather than written."""
    value = value[:_ENOUGH]
    count = len(value)
    if count < 8 or len(set(value)) < min(5 + count // 8, 10) or _WRITTEN.fullmatch(value) or _is_prose(value):
        return False
    digits = sum(map(str.isdigit, value))
    if not any(map(str.isalpha, value)) or (not digits and _HEX.fullmatch(value)):
        return False
    if digits and _is_choppy(value):
        return True
    wordy = wordiness(value)
    if digits >= max(1, count // 20):
        return wordy < 0.62
    cased = value != value.lower() and value != value.upper()
    return count >= 10 and wordy < (0.45 if cased else 0.34)


_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def _is_choppy(value: str) -> bool:
    """Whether letters of both cases and digits change as often as drawn ones do; words keep longer to one."""
    if value == value.lower() or value == value.upper():
        return False
    pieces = _PIECE.findall(value)
    return len(value) >= 10 and sum(map(len, pieces)) < 2.4 * len(pieces)


def is_surely_random(value: str, *, within_quotes: bool = False) -> bool:
    """Whether a value is drawn, judged as strictly as where a sentence may go on."""
    plain = value.removeprefix("base64:")
    if len(plain) < 12 or not any(sign.isdigit() for sign in plain):
        return False
    if not _TOKEN.fullmatch(plain) and not (
        within_quotes and len(plain) >= 20 and is_strong_password(plain, classes=3)
    ):
        return False
    return is_random(plain) and (wordiness(plain) < 0.45 or _is_choppy(plain))


def is_strong_password(value: str, *, classes: int) -> bool:
    """Whether a value has so many of what the rules for passwords ask for that it is no word of a sentence."""
    kinds = (str.islower, str.isupper, str.isdigit, "!@#$%^&*+=~?".__contains__)
    return len(value) >= 8 and sum(any(map(is_one, value)) for is_one in kinds) >= classes


def wordiness(value: str) -> float:
    """The share of neighbouring letters that are usual in language, 0 to 1; 0 where few letters stand together."""
    if len(value) >= 16 and _HEX.fullmatch(value):
        return 0.0
    pairs = common = 0
    for run in _RUN.findall(value.lower()):
        pairs += len(run) - 1
        common += sum(run[at : at + 2] in _COMMON for at in range(len(run) - 1))
    return common / pairs if pairs >= max(3, len(value) * 0.3) else 0.0
