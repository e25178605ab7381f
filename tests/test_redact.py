"""Secrets leave the text in every spelling, and nothing else does. Every secret here is made at test time."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import secrets
import string
import subprocess
import sys
import uuid
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import secret_corpus
from utils import redact
from utils.redact import SHORTEST_SECRET, Finding, Redactor
from utils.redact.marks import Marks

ROOT = Path(__file__).resolve().parents[1]
ALNUM = string.ascii_letters + string.digits


def signs(count: int, alphabet: str = ALNUM) -> str:
    """Random signs with at least one letter of each case and a digit, as real tokens have."""
    return "".join(secrets.choice(alphabet) for _ in range(count - 3)) + "aZ7"


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def jwt() -> str:
    return f"{segment({'alg': 'HS256', 'typ': 'JWT'})}.{segment({'role': 'service_role'})}.{signs(43)}"


SHAPES: dict[str, tuple[str, Callable[[], str]]] = {
    "supabase secret key": ("supabase", lambda: f"sb_secret_{signs(31, ALNUM + '_-')}"),
    "supabase access token": ("supabase", lambda: f"sbp_{secrets.token_hex(20)}"),
    "supabase legacy key": ("jwt", jwt),
    "notion token": ("notion", lambda: f"ntn_{signs(46)}"),
    "notion old token": ("notion", lambda: f"secret_{signs(43)}"),
    "github ghp": ("github", lambda: f"ghp_{signs(36)}"),
    "github gho": ("github", lambda: f"gho_{signs(36)}"),
    "github ghu": ("github", lambda: f"ghu_{signs(36)}"),
    "github ghr": ("github", lambda: f"ghr_{signs(76)}"),
    "github ghs": ("github", lambda: f"ghs_{signs(36)}"),
    "github ghs long": ("github", lambda: f"ghs_1234567_{jwt()}"),
    "github pat": ("github", lambda: f"github_pat_{signs(22)}_{signs(59)}"),
    "openai": ("openai", lambda: f"sk-{signs(48)}"),
    "openai project": ("openai", lambda: f"sk-proj-{signs(120, ALNUM + '_-')}"),
    "openai service account": ("openai", lambda: f"sk-svcacct-{signs(60, ALNUM + '_-')}"),
}

AROUND = {
    "prose": "the token {} was refused",
    "alone": "{}",
    "json": '{{"token":"{}","n":1}}',
    "escaped line": "first\\n{}\\nlast",
    "query": "https://api.example/x?key={}&page=2",
    "env line": "SOME_NAME={}\n",
    "end of sentence": "we used {}.",
    "python tuple": "('token', '{}')",
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize(("kind", "make"), SHAPES.values(), ids=SHAPES)
def test_a_token_of_a_known_shape_becomes_a_marker_and_the_text_around_it_stays(
    kind: str, make: Callable[[], str], around: str
) -> None:
    assert Redactor().redact(around.format(make())) == around.format(f"[REDACTED:{kind}]")


URLS = {
    "postgres": "postgresql://postgres.ref:{}@aws-0.pooler.supabase.com:5432/postgres",
    "no user": "redis://:{}@localhost:6379/0",
    "git remote": "fatal: unable to access 'https://x-access-token:{}@github.com/o/r.git/': 403",
    "two in a line": "from https://a:{0}@h/x to https://b:{0}@h/y",
    "escaped slashes": '"postgres:\\/\\/u:{}@h\\/db"',
    "address behind": "postgres://u:{}@h/db?mail=a@example.org",
}


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_the_password_of_a_url_goes_and_the_url_stays(url: str) -> None:
    assert Redactor().redact(url.format(signs(16))) == url.format("[REDACTED:password]")


@pytest.mark.parametrize("sign", ["@", "/", "#", "?", "%40", "!", "$", ":"])
def test_a_password_with_an_awkward_sign_goes_as_a_whole(sign: str) -> None:
    left, right = signs(6), signs(6)
    text = Redactor().redact(f"postgres://u:{left}{sign}{right}@host/db")
    assert text == "postgres://u:[REDACTED:password]@host/db"


HEADERS = {
    "http": "Authorization: Bearer {}",
    "lower case": "authorization: bearer {}",
    "json": '{{"Authorization": "Bearer {}"}}',
    "json in json": '"{{\\"Authorization\\": \\"Bearer {}\\"}}"',
    "tuple of bytes": "(b'Authorization', b'Bearer {}')",
    "assignment": "headers['Authorization'] = 'token {}'",
    "extra header": "http.extraHeader=AUTHORIZATION: basic {}",
    "alone": "sent Bearer {}, refused",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_the_credentials_of_a_header_go_and_its_name_stays(header: str) -> None:
    assert Redactor().redact(header.format(signs(32))) == header.format("[REDACTED:authorization]")


def test_basic_credentials_go_wherever_they_stand() -> None:
    pair = base64.b64encode(f"someone:{signs(12)}".encode()).decode()
    assert Redactor().redact(f"sent Basic {pair} twice") == "sent Basic [REDACTED:authorization] twice"


CLEAN = {
    "uuid": str(uuid.uuid4()),
    "notion page id": f"https://www.notion.so/Decisions-{uuid.uuid4().hex}?v={uuid.uuid4().hex}",
    "sha256": hashlib.sha256(b"x").hexdigest(),
    "git hash": f"commit {hashlib.sha1(b'x', usedforsecurity=False).hexdigest()}",
    "date": "2026-11-24T12:00:00.123456+00:00",
    "port": "http://localhost:5173/node_modules/@vite/client",
    "port and question": "http://127.0.0.1:5000?mail=a@example.org",
    "ipv6": "http://[::1]:5000/@x",
    "mail": "write to a.person@example.org or mailto://x",
    "ssh": "ssh://git@github.com:22/owner/repo.git and git@github.com:owner/repo.git",
    "placeholders": "postgresql://postgres:[YOUR-PASSWORD]@db:5432/x https://u:${TOKEN}@h https://u:<token>@h u://u:***@h",
    "header placeholders": "Authorization: Bearer <token> Authorization: Bearer $TOKEN Authorization: Bearer {token}",
    "prose about bearers": "The bearer of responsibility shall authenticate; Bearer authentication-mechanisms differ.",
    "prose about basics": "Basic requirements, basic authentication, Basic PostgreSQL/Supabase, basic understanding12",
    "prose about passwords": "Decide where the password and the secret_key of the api lie; sk-learn; ntn_ begins one",
    "words that end in sk": f"task-{uuid.uuid4().hex} disk-{hashlib.sha1(b'y', usedforsecurity=False).hexdigest()}",
    "css": "sk-fading-circle-container-of-the-loading-page",
    "publishable key": f"sb_publishable_{signs(31)}",
    "one segment": "eyJhbGciOiJIUzI1NiJ9",
    "empty": "",
}


@pytest.mark.parametrize("text", CLEAN.values(), ids=CLEAN)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert Redactor([signs(30)]).redact(text) == text


def awkward() -> str:
    """A secret whose every encoding differs from every other."""
    return f'{signs(9)} "/\\é+&=%~?>{signs(9)}'


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": lambda secret: json.dumps(secret)[1:-1],
    "json, not ascii": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "json in json": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "json, escaped slash": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "repr": lambda secret: repr(secret)[1:-1],
    "percent": lambda secret: quote(secret, safe=""),
    "percent, slash kept": quote,
    "percent, plus": quote_plus,
    "percent, lower case": lambda secret: quote("é" + secret.lower(), safe="").lower()[6:],
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_configured_secret_goes_in_every_spelling(form: Callable[[str], str]) -> None:
    for secret in (awkward(), signs(24), signs(SHORTEST_SECRET)):
        known = secret.lower() if form is FORMS["percent, lower case"] else secret
        assert Redactor([known]).redact(f"before,{form(secret)},after") == "before,[REDACTED:configured],after"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode], ids=["standard", "url"])
@pytest.mark.parametrize("offset", range(6))
def test_a_configured_secret_goes_from_base64_wherever_it_begins(encode: Callable[[bytes], bytes], offset: int) -> None:
    secret = f"{signs(16)}?>~ÿ{signs(8)}"
    plain = b"x" * offset + secret.encode() + b" and more"
    text = Redactor([secret]).redact(encode(plain).decode())
    assert text.count("[REDACTED:configured]") == 1
    assert len(text.replace("[REDACTED:configured]", "")) <= len(encode(b"x" * offset + b" and more")) + 4


def test_a_secret_that_contains_another_goes_as_a_whole() -> None:
    short = signs(12)
    longer = f"{signs(6)}-{short}-{signs(6)}"
    assert (
        Redactor([short, longer]).redact(f"<{longer}> <{short}>") == "<[REDACTED:configured]> <[REDACTED:configured]>"
    )


def test_overlapping_secrets_leave_no_end_of_either() -> None:
    left, middle, right = signs(10), signs(10), signs(10)
    text = Redactor([left + middle, middle + right]).redact(f"({left}{middle}{right})")
    assert text == "([REDACTED:configured])"


def test_a_configured_secret_names_its_kind_before_a_shape_does() -> None:
    token = f"ghp_{signs(36)}"
    assert Redactor([token]).redact(token) == "[REDACTED:configured]"
    assert Redactor([token[8:]]).redact(token) == "[REDACTED:configured]"


def test_secrets_that_are_too_short_or_blank_are_ignored() -> None:
    assert Redactor(["", "   ", "1234567"]).redact("1234567    ") == "1234567    "


def test_a_secret_is_known_without_the_blanks_around_it() -> None:
    secret = signs(20)
    assert Redactor([f" {secret}\n"]).redact(secret) == "[REDACTED:configured]"


@pytest.mark.parametrize("secret", ["REDACTED", "configured", "password", "[REDACTED:configured]"])
def test_a_secret_that_occurs_in_the_markers_leaves_them_whole(secret: str) -> None:
    redactor = Redactor([secret])
    once = redactor.redact(f"x {secret} y https://a:{signs(12)}@h")
    assert redactor.redact(once) == once
    assert "[REDACTED:[" not in once


def test_a_secret_with_a_sign_that_is_no_text_is_redacted() -> None:
    secret = signs(10) + "\udcff" + signs(4)
    assert Redactor([secret]).redact(f"a {secret} b") == "a [REDACTED:configured] b"


def test_json_keeps_its_shape_and_what_is_no_text() -> None:
    token = f"ntn_{signs(46)}"
    value = {"id": str(uuid.uuid4()), "n": 1, "f": 1.5, "yes": True, "none": None, "list": [token, {token: "key"}]}
    redacted = Redactor().redact_json(value)
    assert redacted == value | {"list": ["[REDACTED:notion]", {"[REDACTED:notion]": "key"}]}
    assert value["list"][0] == token  # type: ignore[index]


def test_findings_say_where_and_what_and_never_the_value() -> None:
    token, password = f"ntn_{signs(46)}", signs(12)
    found = Redactor([password]).find(f"a {token} b {password} [REDACTED:notion] {password}")
    first, second, third = 2, 2 + len(token) + 3, 2 + len(token) + 3 + len(password) + 19
    assert found == [
        Finding(first, first + len(token), "notion"),
        Finding(second, second + len(password), "configured"),
        Finding(third, third + len(password), "configured"),
    ]
    assert token not in repr(found)


def test_a_redactor_never_shows_its_secrets() -> None:
    secret = signs(20)
    assert secret not in repr(Redactor([secret])) + str(Redactor([secret]))


PIECES = [make() for _, make in SHAPES.values()] + [
    f"postgres://u:{signs(10)}@h/",
    f"Bearer {signs(20)}",
    "[REDACTED:jwt]",
    "[REDACTED:",
    "]",
    "@",
    "://a:",
    "sk-",
    "ghp_",
]


@settings(max_examples=150)
@given(
    parts=st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=8),
    known=st.lists(st.text(min_size=8, max_size=20), max_size=3),
)
def test_redacting_twice_changes_nothing_and_leaves_no_secret(parts: list[str], known: list[str]) -> None:
    redactor = Redactor([*known, *parts[:1]])
    once = redactor.redact("".join(parts))
    assert redactor.redact(once) == once
    assert redactor.find(once) == []


# --- text it has never seen


@pytest.fixture(scope="module")
def seeds(request: pytest.FixtureRequest) -> range:
    return range(20) if request.config.getoption("--long") else range(3)


def test_97_of_100_secrets_go_to_the_last_twelve_signs_and_98_of_100_signs_around_them_stay(
    seeds: range, figure: Callable[[str], None]
) -> None:
    redactor, missed, kept, around, count = Redactor(), [], 0, 0, 0
    for case in (case for seed in seeds for case in secret_corpus.corpus(seed)):
        text, (before, after) = redactor.redact(case.text), case.kept
        count += 1
        if secret_corpus.leaks(text, case.secret):
            missed.append((case.kind, case.around))
        kept += len(before) * text.startswith(before) + len(after) * text.endswith(after)
        around += len(before) + len(after)
    kinds = len({case.kind for case in secret_corpus.corpus(0)})
    figure(f"{count} secrets of {kinds} kinds: {1 - len(missed) / count:.4f} gone, {kept / around:.4f} kept")
    assert kinds >= 150
    assert len(missed) <= 0.01 * count, missed
    assert kept >= 0.995 * around


def test_99_of_100_secrets_go_from_contexts_that_were_written_before_the_rules_saw_them(
    seeds: range, figure: Callable[[str], None]
) -> None:
    """At first sight it was 94 to 99 of 100, round by round; what each round showed, the rules know since."""
    redactor, missed, count = Redactor(), [], 0
    for kind, text, made in (line for seed in seeds for line in secret_corpus.contexts(secret_corpus.Maker(seed))):
        redacted = redactor.redact(text)
        for secret in made:
            count += 1
            left = secret_corpus.leaks(redacted, secret) if len(secret) > 12 else secret in redacted
            missed += [kind] if left else []
    figure(f"{count} secrets in {count // len(seeds)} contexts of other authors: {1 - len(missed) / count:.4f} gone")
    assert count > 3000 * len(seeds)
    assert len(missed) <= 0.01 * count, missed


def test_encoded_text_is_decoded_and_looked_at_again(seeds: range) -> None:
    cases = [case for seed in seeds for case in secret_corpus.wrapped(secret_corpus.Maker(seed))]
    missed = [
        (case.kind, case.around) for case in cases if secret_corpus.leaks(Redactor().redact(case.text), case.secret)
    ]
    assert len(missed) <= 0.02 * len(cases), missed


def test_clean_lines_stay(seeds: range, figure: Callable[[str], None]) -> None:
    redactor = Redactor()
    lines = [line for seed in seeds for line in secret_corpus.clean(seed)]
    touched = [line for line in lines if redactor.redact(line) != line]
    figure(f"{len(touched)} of {len(lines)} clean lines touched")
    assert len(secret_corpus.clean(0)) >= 250
    assert len(touched) <= 0.005 * len(lines), touched


STRUCTURES = {
    "an empty value before another": (
        "DB_PASSWORD=\nMAIL_HOST=smtp.acme.io\n",
        "DB_PASSWORD=\nMAIL_HOST=smtp.acme.io\n",
    ),
    "an empty header before another": ("AUTHORIZATION=\nNEXT=aB3dE6gH9jK2\n", "AUTHORIZATION=\nNEXT=aB3dE6gH9jK2\n"),
    "a value that ends in a backslash": ("TOKEN={}\\\nUSER_NAME=bob\n", "TOKEN=[REDACTED:secret]\\\nUSER_NAME=bob\n"),
    "a quoted key below": (
        '"api_key": "{}"\n"user_name": "bob"\n',
        '"api_key": "[REDACTED:secret]"\n"user_name": "bob"\n',
    ),
    "a quoted table": ('"id","auth","name"\n"{}","bob","c"\n', '"id","auth","name"\n"{}","bob","c"\n'),
    "a row that begins with a sign": ("user,password\n:abc123Xyz,9\n", "user,password\n:abc123Xyz,9\n"),
    "a diff": ("+DB_PASSWORD=\n+HOST=db1.acme.io\n", "+DB_PASSWORD=\n+HOST=db1.acme.io\n"),
    "a URL under a name": (
        '$dsn = "mysql://shop:{}@db1.acme.io/shop";',
        '$dsn = "mysql://shop:[REDACTED:password]@db1.acme.io/shop";',
    ),
    "bold print": ("**token: {}** for CI", "**token: [REDACTED:secret]** for CI"),
    "a table with blanks in its cells": (
        'a,password,b\nx,"{}","y, z"\n',
        'a,password,b\nx,"[REDACTED:password]","y, z"\n',
    ),
}


@pytest.mark.parametrize(("text", "redacted"), STRUCTURES.values(), ids=STRUCTURES)
def test_the_lines_and_cells_around_a_secret_stay(text: str, redacted: str) -> None:
    secret = signs(20)
    assert redact.redact(text.replace("{}", secret)) == redacted.replace("{}", secret)


JSON_TEXTS = {
    "a call": 'r = Client("me@x.org", "{}")',
    "a backslash at the end": "password: {}\\",
    "a sign that JSON escapes before": "René's password is {}",
    "lines": "user,password\nbob,{}\n",
    "a sign of two halves before": "\U0001d4dasb_secret_{}",
}


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("text", JSON_TEXTS.values(), ids=JSON_TEXTS)
def test_json_in_json_stays_json(text: str, times: int) -> None:
    secret = signs(20)
    held = text.replace("{}", secret)
    for _ in range(times):
        held = json.dumps({"text": held, "after": None})
    left = redact.redact(held)
    assert secret not in left
    for _ in range(times):
        assert json.loads(left)["after"] is None
        left = json.loads(left)["text"]


def test_fields_whose_names_became_the_same_stay_apart() -> None:
    document = {f"password={signs(14)}": number for number in (1, 2)}
    redacted = redact.redact_json(document)
    assert list(redacted.values()) == [1, 2]
    assert redact.redact_json(redacted) == redacted


HELD: dict[str, Callable[[str], str]] = {
    "lines of Windows": lambda text: text.replace("\n", "\r\n"),
    "JSON": lambda text: json.dumps({"id": 1, "text": text}),
    "JSON in JSON": lambda text: json.dumps({"text": json.dumps({"a": text})}),
    "a literal": lambda text: repr({"a": text}),
    "HTML": html.escape,
    "a URL": quote,
    "a cell of CSV": lambda text: '1,"{}",2'.format(text.replace('"', '""')),
    "a diff": lambda text: "\n".join(f"-{line}" for line in text.split("\n")),
    "a log": lambda text: "\n".join(f"2026-11-29 09:12:00 INFO [worker-3] {line}" for line in text.split("\n")),
    "bold print": "**{}**".format,
}


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_what_a_text_is_held_in_hides_no_secret_and_makes_none(held: Callable[[str], str]) -> None:
    redactor, missed, count = Redactor(), [], 0
    for kind, text, made in islice(secret_corpus.contexts(secret_corpus.Maker(11)), 0, None, 3):
        whole = held(text)
        redacted = redactor.redact(whole)
        for secret in (each for each in made if each in whole):  # not one that is spelled otherwise there
            count += 1
            left = secret_corpus.leaks(redacted, secret) if len(secret) > 12 else secret in redacted
            missed += [(kind, whole)] if left else []
    lines = [held(line) for line in secret_corpus.clean(11)[::3]]
    touched = [line for line in lines if redactor.redact(line) != line]
    assert count > 1500
    assert len(missed) <= 0.03 * count, missed
    assert len(touched) <= 0.003 * len(lines), touched


def test_every_configured_value_goes_in_every_form() -> None:
    maker = secret_corpus.Maker(7)
    for _kind, pattern in secret_corpus.rows(secret_corpus.SHAPED):
        secret = maker.made(pattern)
        redactor = Redactor([secret])
        for wrap in (*FORMS.values(), *secret_corpus.WRAPPED.values()):
            if wrap is not FORMS["percent, lower case"]:
                text = redactor.redact(wrap(f"first {secret} last"))
                assert not secret_corpus.leaks(text, secret), text


@pytest.mark.parametrize("times", range(4))
def test_a_private_key_goes_from_json_within_json(times: int) -> None:
    for seed in range(60):
        block = text = secret_corpus.Maker(seed).pem(lines=4)
        for _ in range(times):
            text = json.dumps({"key": text})
        redacted = redact.redact(text)
        assert "private-key" in redacted
        assert not [line for line in block.splitlines() if line in redacted], redacted


@pytest.mark.parametrize("times", [2, 3])
def test_what_is_encoded_more_than_once_is_found(times: int) -> None:
    for wrap in (secret_corpus.WRAPPED["base64"], secret_corpus.WRAPPED["percent"], secret_corpus.WRAPPED["json"]):
        text = f"DB_PASSWORD={signs(20)}"
        for _ in range(times):
            text = wrap(text)
        assert "[REDACTED:password]" in Redactor().redact(text)


def test_without_the_compiled_package_the_same_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ahocorasick", None)
    words = {"ab": 1, "b": 2, "bc": 3}
    assert list(Marks(words).places("abcb")) == [(1, (2, 1)), (1, (1, 2)), (2, (2, 3)), (3, (1, 2))]
    monkeypatch.undo()
    assert list(Marks(words).places("abcb")) == [(1, (2, 1)), (1, (1, 2)), (2, (2, 3)), (3, (1, 2))]


LONG_PIECES = [
    *(
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "-----END RSA PRIVATE KEY-----",
        "Cookie: ",
        "user,password\n",
        "bob,",
        'a="',
    ),
    *("password='", "password: ", "token ", "://u:", "@h/", "Bearer ", "echo ", "| docker login --password-stdin"),
    *(
        "Private-Lines: 1\n",
        "%22",
        "\\n",
        "\n",
        '"',
        "'",
        "{",
        "}",
        "[REDACTED:jwt]",
        "eyJ",
        "login(",
        "ab " * 1000,
        "x" * 3000,
    ),
    *("a,b\n" * 600, "QUJD" * 600, "k=v; " * 600),
    *(f"ghp_{signs(36)}", signs(20), secrets.token_hex(20)),
    base64.b64encode(
        f"{'word and ' * 1500}API_KEY={signs(30)}{' then' * 900} PASSWORD={signs(20)} end".encode()
    ).decode(),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(LONG_PIECES), max_size=12))
def test_redacting_a_long_text_twice_changes_nothing(parts: list[str]) -> None:
    once = Redactor().redact("".join(parts))
    assert Redactor().redact(once) == once
    assert "[REDACTED:[" not in once


# --- fields


def value() -> str:
    return signs(24)


FIELDS: dict[str, tuple[Any, bool]] = {
    "password": ("letmein", True),
    "api_key": (value(), True),
    "clientSecret": (str(uuid.uuid4()), True),
    "X-Auth-Token": (hashlib.sha256(b"z").hexdigest(), True),
    "tokens": ([value(), value()], True),
    "id": (str(uuid.uuid4()), False),
    "sha256": (hashlib.sha256(b"x").hexdigest(), False),
    "created_at": ("2026-11-24T12:00:00+00:00", False),
    "token_type": ("bearer", False),
    "secret": ("${SECRET}", False),
    "public_key": (value(), False),
    "password_hint": ("the name of the cat", False),
    "total_tokens": (1204, False),
    "comment": ("the password is kept in the vault", False),
    "credentials": ({"stripe": value(), "agents": [value()]}, True),
    "secrets": ([{"name": "stripe", "value": value()}], True),
    "tokens_used": ({"prompt": 812, "model": "gpt-4o-2024-08-06"}, False),
    "auth": ({"type": "bearer", "user": "anna", "id": str(uuid.uuid4()), "url": "https://a.example/x"}, False),
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_are_known_by_their_names(name: str) -> None:
    content, gone = FIELDS[name]
    redacted = Redactor().redact_json({name: content})
    assert (redacted != {name: content}) is gone
    assert list(redacted) == [name]


def test_a_pair_of_name_and_value_is_known_as_a_field() -> None:
    pair = {"name": "DB_PASSWORD", "value": "letmein"}
    assert Redactor().redact_json([pair]) == [{"name": "DB_PASSWORD", "value": "[REDACTED:password]"}]


def test_a_configured_value_goes_from_an_id_too() -> None:
    known = str(uuid.uuid4())
    assert Redactor([known]).redact_json({"id": known}) == {"id": "[REDACTED:configured]"}


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=20),
    st.builds(
        "{}{}{}".format,
        st.text(max_size=4),
        st.sampled_from([make() for _, make in SHAPES.values()]),
        st.text(max_size=4),
    ),
    st.builds("{}={}".format, st.sampled_from(["password", "API_KEY", "token:"]), st.text(min_size=6, max_size=20)),
)
NAMES = st.one_of(
    st.text(max_size=6), st.sampled_from(["password", "api_key", "token", "id", "value", "name", "cookie"])
)
DOCUMENTS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))


@settings(max_examples=150)
@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]))
def test_json_stays_json(document: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    redacted = json.loads(Redactor().redact(text))
    assert shape(redacted) == shape(document)
    nested = json.loads(json.loads(Redactor().redact(json.dumps(text))))
    assert shape(nested) == shape(document)


def shape(value: Any) -> Any:
    """A JSON value without its strings; keys may be redacted, and so meet."""
    if isinstance(value, list):
        return [shape(item) for item in value]
    return len(value) >= 0 if isinstance(value, str | dict) else value


# --- what is about to be committed


def test_a_scan_tells_line_and_kind_of_each_secret() -> None:
    block = secret_corpus.Maker(1).pem("EC PRIVATE KEY", 3)
    data = f"one\nghp_{signs(36)}\n\nx {block}\nDB_PASSWORD={signs(16)}\n".encode() + b"\xff\x00\n"
    assert Redactor().scan(data) == [(2, "github"), (4, "private-key"), (9, "password")]
    assert Redactor().scan(b"") == []


@pytest.mark.parametrize("part", [",", ";", "|", "\t"])
def test_the_cells_under_a_name_in_the_header_of_a_table_go(part: str) -> None:
    secret = signs(14)
    table = f"name{part}password{part}role\nann{part}%s{part}admin\nben{part}{part}\n\nno table{part}{secret}{part}\n"
    assert Redactor().redact(table % secret) == table % "[REDACTED:password]"


PLACES = {
    "some words behind its name": "The password for the old router (in the cellar) is {}, as ever.",
    "behind a colon": "WordPress application password for user `editor`: {}",
    "between printed quotes": "Kennwort neu gesetzt auf „{}“, bitte ändern.",
    "in another language": "contraseña: {}",
    "in Polish": "hasło = {}",
    "in Chinese": "密码：{}",
    "on the next line": "Password for the elastic user (reset with `reset -u elastic`):\n  {}\n",
    "in a block": 'acl {{\n  tokens {{\n    agent = "{}"\n  }}\n}}',
    "in a list of objects": '{{"secrets":[{{"name":"stripe","value":"{}"}}],"total":1}}',
    "in an element": "<key>password</key>\n<string>{}</string>",
    "in the next cell": "<td>$_SERVER['DB_PASSWORD']</td><td class=\"v\">{}</td>",
    "in a form": 'Content-Disposition: form-data; name="client_secret"\r\nContent-Type: text/plain\r\n\r\n{}\r\n--x',
    "in an input": "<input type='password' name='pw' value='{}' autocomplete='off'>",
    "in a row of COPY": "COPY public.api_keys (id, label, secret) FROM stdin;\n3\tmobile\t{}\n\\.",
    "in a row of INSERT": "INSERT INTO users (name, password) VALUES ('ann', '{}');",
    "in a table of boxes": "│ Service │ User │ Password │\n│ Grafana │ admin │ {} │",
    "between colours": "login failed with password \x1b[1m{}\x1b[0m (attempt 2)",
    "as a directive": "vrrp {{\n  auth_pass {}\n}}",
    "as a default": 'const secret = process.env.SECRET ?? "{}";',
    "behind a user": "[smtp.example.org]:587 noreply@example.org:{}",
    "in a Go address": 'dsn := "shop:{}@tcp(127.0.0.1:3306)/shop"',
    "piped into chpasswd": "echo 'deploy:{}' | chpasswd",
    "at the very beginning": "{} was the token",
    "on a line that goes on": "restic --option s3.secret-key=\\\n{}",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_drawn_value_goes_from_wherever_its_place_tells_of_it(place: str) -> None:
    secret = signs(24)
    before, after = place.format("\0").split("\0")
    redacted = Redactor().redact(place.format(secret))
    assert secret not in redacted
    assert redacted.startswith(before)
    assert redacted.endswith(after)


BROKEN = {
    "at a backslash": 'export DEPLOY_TOKEN="{}\\\n{}"',
    "in two strings": 'API_SECRET = ("{}"\n              "{}")',
    "by a plus": "token: '{}' + '{}'",
    "in quoted-printable": "Content-Transfer-Encoding: quoted-printable\n\nYour new API token is {}=\n{} - keep it.",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_both_pieces_of_a_broken_secret_go(text: str) -> None:
    left, right = signs(20), signs(20)
    redacted = Redactor().redact(text.format(left, right))
    assert left not in redacted
    assert right not in redacted


TOLD = {
    "its hash": "the token hash for this run is 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "its id": "The key id for the new service: 7c9e6679f3a14b2e",
    "a policy": "The password for admins is required to have twelve signs.",
    "a rule": "$request->validate(['password' => 'required|string|min:8|confirmed']);",
    "an id of another thing": "input_tokens=2095 for msg_01XyZ3aBcD4eFgH5iJkLmNoP",
    "a public key's token": "Version=5.2.7.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35",
    "a variable of a shell": "set PASSWORD=%DB_PASSWORD%",
    "a template's variable": "mysql://%(user)s:%(password)s@%(host)s/%(db)s",
}


@pytest.mark.parametrize("text", TOLD.values(), ids=TOLD)
def test_what_is_told_of_a_secret_but_is_none_stays(text: str) -> None:
    assert Redactor().redact(text) == text


# --- the ready API and the filter


def filtered(lines: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "utils.redact"]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **env}, input=lines, capture_output=True, text=True, check=False
    )


def test_the_filter_redacts_each_line_and_knows_the_environment(tmp_path: Path) -> None:
    known, file_known = signs(12), signs(12)
    (tmp_path / ".env").write_text(f"SOME_PASSWORD={file_known}\n")
    items = [
        {"id": 7, "text": f"a {known}"},
        {"id": "x", "text": f"b {file_known} \ud800", "more": [1]},
        {"id": 0, "text": ""},
    ]
    ended = filtered("\n\n".join(map(json.dumps, items)), SOME_KEY_2=known, ANGLES_HOME=str(tmp_path))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [json.loads(line) for line in ended.stdout.splitlines()] == [
        {"id": 7, "text": "a [REDACTED:configured]"},
        {"id": "x", "text": "b [REDACTED:configured] \ud800", "more": [1]},
        {"id": 0, "text": ""},
    ]


def test_the_filter_answers_each_line_before_the_next_is_there() -> None:
    command = [sys.executable, "-m", "utils.redact"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin
        assert child.stdout
        for text in ("a", "b" * 200_000, "c"):
            child.stdin.write(json.dumps({"id": 1, "text": text}).encode() + b"\n")
            child.stdin.flush()
            assert json.loads(child.stdout.readline()) == {"id": 1, "text": text}
        child.stdin.close()
        assert child.wait(30) == 0


@pytest.mark.parametrize("line", ["{", '"text"', '{"id": 1}', '{"id": 1, "text": null}'])
def test_the_filter_stops_at_a_line_that_is_none(line: str) -> None:
    ended = filtered(f'{{"id": 1, "text": "a"}}\n{line}\n')
    assert (ended.returncode, ended.stdout) == (2, '{"id": 1, "text": "a"}\n')
    assert ended.stderr.startswith("redact: line 2: ")
    assert ended.stderr.count("\n") == 1


def test_the_ready_api_knows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = signs(12)
    monkeypatch.setenv("ANY_SECRET", known)
    monkeypatch.setenv("ANGLES_HOME", str(tmp_path))
    (tmp_path / ".env").write_text("this sets nothing\n")
    redact.configured.cache_clear()
    try:
        assert redact.redact(f"a {known}") == "a [REDACTED:configured]"
        assert redact.redact_json({"a": [known]}) == {"a": ["[REDACTED:configured]"]}
    finally:
        redact.configured.cache_clear()


def test_the_prefilter_is_loaded_and_built_by_the_first_text_only() -> None:
    code = (
        "import sys; from utils.redact import Redactor; r = Redactor(['12345678']); print('ahocorasick' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


HOSTILE = [
    *(
        "password='",
        "key: ",
        "secret=a",
        "token is ",
        "PASSWORD type= value",
        "-----BEGIN RSA PRIVATE KEY-----",
        "sig=",
    ),
    *(
        "Cookie: a=b; ",
        "mysql -u x ",
        "ldap",
        "%41",
        "%2541",
        "\\\\u0041",
        "&amp;",
        "QUFB",
        "4141",
        "xoxd-",
        "mnemonic: abc ",
    ),
    *("password,\n", "a,password\n", "token\t\n", "Cookie: ", "password=\\", "://", "client('a',", "pw ", "secret:"),
    *("://a:", "://:{", "eyJ", "sk-", "ghs_a_eyJ", "Bearer ", "bearer a", "a", "[REDACTED:x]", "authorization: "),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_text_takes_quadratic_time(unit: str) -> None:
    """50 kB of the worst repetition take about 0.1 s; quadratic time would take minutes."""
    text = unit * (50_000 // len(unit))
    assert len(Redactor().redact(text)) <= len(text)


def test_no_pattern_of_the_rules_holds_on_to_a_group() -> None:
    """Python before 3.11.5 reads a possessive quantifier behind a group wrongly where the group can go back inside."""
    held = re.compile(r"\)(?:\{+\d*,\d*\}+|[?*+])\+")
    files = (ROOT / "utils" / "redact").rglob("*.py")
    assert [path.name for path in files if held.search(path.read_text(encoding="utf-8"))] == []


def test_the_project_s_own_documents_and_programs_stay_as_they_are() -> None:
    root = Path(__file__).resolve().parents[1]
    own = [*(root / name for name in ("README.md", "CHANGELOG.md", ".env.example")), *root.glob("utils/**/*.py")]
    assert [path.name for path in own if redact.redact(text := path.read_text(encoding="utf-8")) != text] == []
