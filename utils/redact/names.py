"""Judges names: whether what a field, a variable, a header or an option is called promises that its value is secret."""

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
    *("honeycomb-team", "server_item", "access-sign", "api-sign", ".login", "encrypt", "assertion"),
    *("erlang_cookie", "erlang.cookie", "bw_session", "kennwort", "adgangskode"),
    *("pw ", "pw:", "pw=", "api_hash", "contrase", "clave", "senha", "wachtwoord", "schlüssel", "chiave", "clé"),
    *("parola", "пароль", "haslo", "hasło", "heslo", "lösenord", "salasana", "密码", "密碼", "パスワード", "비밀번호"),
)
"""One of them is in every name that promises a secret."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_PASSWORD = re.compile(
    r"(?:(?!by|com|sur|over|under|tres|im|no).*)?pass|.*(?:password|passwd|kennwort|passe|wachtwoord|passord|adgangskode|passphrase|passcode|passwort|pwd|psk|authtok)|pw|pswd|passw"
    r"|contrase[nñ]?a?|clave|senha|parola|пароль|has[lł]o|heslo|lösenord|salasana|密码|密碼|パスワード|비밀번호"
)
_SECRET = re.compile(
    r".*(?:secret|secrets|token|apikey|apitoken|secretkey|accesskey|authkey|privatekey|privkey|appkey|sharedkey"
    r"|accountkey|masterkey|signingkey|encryptionkey|authtoken|licensekey|sharedaccesskey|credential|connectionstring|sess(?:ion)?id|dockerconfigjson|dockercfg|masterauth|schlüssel)"
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
    "sitekey accessor signingkey recv send fetch list del delete scan bt name id ids url uri length len size limit "
    "ttl expiry expires format header prefix suffix policy hint"
)
_PAIRS = {
    *("secret id", "api hash", "honeycomb team", "server item", "access sign", "api sign"),
    *("sonar login", "dsonar login", "erlang cookie", "bw session"),
}
"""Two words that promise a token together and nothing alone."""


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
    if last in _NO_SECRET or words[-3:] == ["public", "key", "token"] or before[-1:] == ["hashed"]:
        return None
    if last not in {"secret", "salt"} and not _PASSWORD.fullmatch(last) and _tells_of_a_thing(before):
        return None
    if last.startswith("pub"):
        return None
    if _PASSWORD.fullmatch(last) or (last in {"word", "phrase"} and before[-1:] == ["pass"]):
        return Promise.PASSWORD
    if _SECRET.fullmatch(last) or (last == "string" and before[-1:] == ["connection"]):
        return Promise.SECRET
    if last in {"key", "keys", "clé", "chiave"} or last.endswith("key"):
        return Promise.SECRET if before or len(last) > 4 else Promise.KEY
    return Promise.SECRET if last == "code" and before[-1:] == ["access"] else None


def _tells_of_a_thing(before: list[str]) -> bool:
    """Whether the word before says whose key or token it is: no secret's, unless it is that of a storage in Azure."""
    return not _NO_SECRET.isdisjoint(before[-1:]) and before[-2:] != ["azure", "storage"]


_OTHERWISE = _NO_SECRET - _set("s3 storage project answer page map mask special message order site del") | _set(
    "identifier hash hashes commit sha sha1 sha256 md5 sum checksum digest fingerprint version release file files uuid "
    "guid expires expired used valid until since hint example e.g like such owner author "
    "reviewed branch tag image build thumbprint serial kid"
)
_TELLING = re.compile(r"[^\W_]+(?:\.[^\W_]+)?")


def tells_otherwise(words: str) -> bool:
    """Whether the words behind a name say that it is not the secret that follows, but its id, its hash, its file."""
    return not _OTHERWISE.isdisjoint(_TELLING.findall(words.lower()))
