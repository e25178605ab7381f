"""Who may ask and who may act: tables of cases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from utils.dashboard.guard import COOKIE, Guard, is_loopback, name_of, same_origin
from utils.sections import DashboardSettings

TOKEN = "a-token-of-the-tests"
OPEN = Guard(DashboardSettings())
SHUT = Guard(DashboardSettings(token=TOKEN, host="0.0.0.0", names=("angles.example", "[fd00::1]")))
HOST = "localhost:5000"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST:5000", "localhost"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[::1]:5000", "::1"),
        ("[::1", ""),
        ("::1", ""),
        ("a:b", ""),
        ("a:1:2", ""),
        ("evil.example@localhost:5000", "evil.example@localhost"),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(host: str, name: str) -> None:
    assert name_of(host) == name


def test_the_allow_list_is_this_machine_the_address_and_the_configured_names() -> None:
    assert OPEN.names == {"localhost", "127.0.0.1", "::1"}
    assert SHUT.names == OPEN.names | {"angles.example", "fd00::1"}
    assert "192.0.2.7" in Guard(DashboardSettings(host="192.0.2.7")).names


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("127.evil.example", False), ("192.0.2.7", False), ("", False)],
)  # fmt: skip
def test_what_is_this_machine_alone(host: str, own: bool) -> None:
    assert is_loopback(host) == own


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"Origin": f"http://{HOST}"}, True),
        ({"Origin": f"http://{HOST.upper()}"}, True),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": f"http://{HOST}", "Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://localhost:81"}, False),
    ],
)
def test_the_same_origin(headers: dict[str, str], ours: bool) -> None:
    assert same_origin(HOST, headers) == ours


def test_without_a_token_this_machine_sees_everything_and_others_nothing() -> None:
    assert OPEN.may_see(HOST, {}, {})
    assert not Guard(DashboardSettings(names=("angles.example",))).may_see("angles.example", {}, {})


@pytest.mark.parametrize(
    ("headers", "cookies", "sees"),
    [
        ({}, {}, False),
        (BEARER, {}, True),
        ({"Authorization": f"bearer  {TOKEN} "}, {}, True),
        ({"Authorization": "Bearer another-token-here"}, {}, False),
        ({"Authorization": f"Basic {TOKEN}"}, {}, False),
        ({"Authorization": "Bearer "}, {}, False),
        ({"Authorization": "Bearer \xe9"}, {}, False),
        ({}, {COOKIE: SHUT.cookie}, True),
        ({}, {COOKIE: TOKEN}, False),
        ({}, {COOKIE: ""}, False),
    ],
)
def test_with_a_token_only_who_has_it_sees_more(headers: dict[str, str], cookies: dict[str, str], sees: bool) -> None:
    assert SHUT.may_see(HOST, headers, cookies) == sees


@pytest.mark.parametrize(
    ("guard", "headers", "cookies", "form", "acts"),
    [
        (OPEN, {}, {}, OPEN.form_token, True),
        (OPEN, {}, {}, "", False),
        (OPEN, {}, {}, SHUT.form_token, False),
        (OPEN, {"Origin": "http://evil.example"}, {}, OPEN.form_token, False),
        (OPEN, BEARER, {}, "", False),
        (SHUT, BEARER, {}, "", True),
        (SHUT, {}, {}, SHUT.form_token, False),
        (SHUT, {}, {COOKIE: SHUT.cookie}, SHUT.form_token, True),
        (SHUT, {}, {COOKIE: SHUT.cookie}, "", False),
        (SHUT, {"Sec-Fetch-Site": "cross-site"}, {COOKIE: SHUT.cookie}, SHUT.form_token, False),
    ],
    ids=[
        "its form",
        "no form",
        "the form of another",
        "its form from elsewhere",
        "a token that nobody set",
        "the token",
        "its form without the token",
        "its form with the cookie",
        "the cookie alone",
        "its form, cross-site",
    ],
)
def test_an_action_comes_from_our_own_page_or_bears_the_token(
    guard: Guard, headers: dict[str, str], cookies: dict[str, str], form: str, acts: bool
) -> None:
    assert guard.may_act(HOST, headers, cookies, form) == acts


def test_a_form_of_another_process_is_refused() -> None:
    assert Guard(DashboardSettings()).form_token != OPEN.form_token
    assert replace(SHUT, form="another").form_token != SHUT.form_token


def test_the_cookie_and_the_repr_tell_no_token() -> None:
    assert TOKEN not in SHUT.cookie
    assert TOKEN not in repr(SHUT)
    assert SHUT.form not in repr(SHUT)
