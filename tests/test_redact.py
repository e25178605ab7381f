"""Secrets leave the text in every spelling, and nothing else does. Every secret here is made at test time."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import string
import uuid
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.redact import SHORTEST_SECRET, Finding, Redactor

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


HOSTILE = ["://a:", "://:{", "eyJ", "sk-", "ghs_a_eyJ", "Bearer ", "bearer a", "a", "[REDACTED:x]", "authorization: "]


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_text_takes_quadratic_time(unit: str) -> None:
    """50 kB of the worst repetition take about 0.1 s; quadratic time would take minutes."""
    text = unit * (50_000 // len(unit))
    assert len(Redactor().redact(text)) <= len(text)
