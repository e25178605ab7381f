"""The vault over Supabase's REST API on its bad days: each refusal named with its remedy, or survived."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests import supabase_lite
from tests.conftest import at
from tests.rest_faults import RestFaults
from utils.errors import AnglesError, ConfigError, ServiceError
from utils.stores import supabase as rest
from utils.stores.base import Vault, Write
from utils.sync import lease
from utils.sync.model import Link, LinkState


@pytest.fixture(scope="module")
def project(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[supabase_lite.Project]:
    """A REST API over a migrated database."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database rest_faults template {template}")
    with supabase_lite.serve(at(server, "rest_faults"), tmp_path_factory.mktemp("rest")) as served:
        yield served


@pytest.fixture
def faults(project: supabase_lite.Project) -> Iterator[RestFaults]:
    """A forwarder before it."""
    with RestFaults(project.url) as forwarder:
        yield forwarder


@pytest.fixture
def vault(project: supabase_lite.Project, faults: RestFaults, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """The vault through the forwarder, its deadline short."""
    monkeypatch.setattr(rest, "DEADLINE_SECONDS", 3.0)
    opened = Vault(rest.RestTransport(faults.url, project.secret))
    yield opened
    opened.close()


REFUSALS: dict[str, tuple[int, Any, type[AnglesError], str]] = {
    "wrong key": (401, {"message": "Invalid API key"}, ServiceError, "refuses the key (Invalid API key)"),
    "no API": (404, "<html>not here</html>", ServiceError, "has no REST API at this address. Check SUPABASE_URL"),
    "function missing": (
        404,
        {"code": "PGRST202", "message": "Could not find the function public.sync_begin(p)"},
        ConfigError,
        "Run: python run_migration.py",
    ),
    "too long an address": (414, "<html>", ServiceError, "refuses the request's length (414)"),
    "privilege": (
        403,
        {"code": "42501", "message": "permission denied for table sync_links"},
        ServiceError,
        "lacks a privilege (permission denied for table sync_links)",
    ),
    "statement cut": (500, {"code": "57014", "message": "canceling statement"}, ServiceError, "took too long"),
    "paused project": (540, "", ServiceError, "the project is paused. Resume it in Supabase's dashboard"),
    "anything else": (400, {"code": "22P02", "message": "bad input"}, ServiceError, "failed (400 22P02: bad input)"),
}


@pytest.mark.parametrize(("status", "body", "kind", "told"), REFUSALS.values(), ids=REFUSALS)
def test_what_will_not_pass_is_told_at_once_with_its_remedy(
    vault: Vault, faults: RestFaults, status: int, body: Any, kind: type[AnglesError], told: str
) -> None:
    faults.arm(status, body)
    with pytest.raises(kind) as told_error:
        vault.begin()
    assert told in str(told_error.value)
    assert faults.seen == 1


PASSING: dict[str, tuple[int, Any, dict[str, str]]] = {
    "rate limit": (429, {"message": "slow down"}, {"Retry-After": "0"}),
    "rate limit without a word": (429, "", {}),
    "not ready": (503, {"code": "PGRST002", "message": "Could not query the database for the schema cache"}, {}),
    "full pool": (504, {"code": "PGRST003", "message": "Timed out acquiring connection"}, {}),
    "unknown gateway answer": (520, "<html>Web server is returning an unknown error</html>", {}),
    "gateway timeout": (544, "", {}),
    "bad gateway": (502, "<html>", {}),
    "deadlock": (500, {"code": "40P01", "message": "deadlock detected"}, {}),
    "cut connection": (0, "", {}),
    "no JSON": (200, "<html>welcome</html>", {}),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after it took effect"])
@pytest.mark.parametrize(("status", "body", "headers"), PASSING.values(), ids=PASSING)
def test_what_passes_is_survived_and_takes_effect_once(
    vault: Vault, faults: RestFaults, status: int, body: Any, headers: dict[str, str], after: bool
) -> None:
    fence = vault.begin(lease.holder(f"run {uuid.uuid4()}")).fence
    assert fence is not None
    try:
        faults.arm(status, body, headers=headers, after=after, times=1)
        row = str(uuid.uuid4())
        log = {"id": str(uuid.uuid4()), "field": "date", "before": 1, "winner": "notion", "reason": "test"}
        image = {"decision": "Once", "date": None, "type": None, "active": True, "comment": None}
        write = Write(row, None, image, Link(None, LinkState.LINKED), agreed=("decision",), log=(log,))
        written = vault.write("run", fence, [write])
        assert [(each.moved, each.error) for each in written] == [(False, "")]
        assert [item.id for item in vault.lookup(decisions=[row])] == [row]
    finally:
        vault.release(lease.NAME, fence)


def test_idle_connections_that_were_dropped_are_survived(vault: Vault, faults: RestFaults) -> None:
    vault.begin()
    for _ in range(3):
        faults.arm(0)
        vault.begin()
    assert faults.seen == 7


def test_an_outage_ends_with_the_deadline_and_one_line(
    vault: Vault, faults: RestFaults, project: supabase_lite.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "DEADLINE_SECONDS", 0.5)
    faults.arm(544, "", times=100)
    with pytest.raises(ServiceError) as told:
        vault.begin()
    assert "its gateway timed out (544)" in str(told.value)
    assert 1 < faults.seen < 10
    assert project.secret not in str(told.value)


def test_a_rate_limit_without_end_is_told(vault: Vault, faults: RestFaults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "WAIT_SECONDS", 0.3)
    faults.arm(429, "", headers={"Retry-After": "0.1"}, times=100)
    with pytest.raises(ServiceError, match="limits the rate"):
        vault.begin()
    assert faults.seen == 4


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:1", "cannot be reached"),
        ("http://no-such-host.invalid", "cannot be reached"),
        ("https://127.0.0.1:1", "cannot be reached"),
    ],
)
def test_a_host_that_is_not_there_is_told_at_once(url: str, told: str) -> None:
    with pytest.raises(ServiceError) as error:
        Vault(rest.RestTransport(url, "sb_secret_0123456789")).begin()
    assert told in str(error.value)
    assert "Check SUPABASE_URL" in str(error.value)


def test_a_publishable_key_may_do_nothing(project: supabase_lite.Project) -> None:
    with pytest.raises(ServiceError, match="refuses the key"):
        Vault(rest.RestTransport(project.url, project.publishable)).begin()


@pytest.mark.parametrize(
    ("given", "iso"),
    [
        ("2026-11-25 02:14:39.87649+00", "2026-11-25T02:14:39.87649+00:00"),
        ("2026-11-25T02:14:39+00:00", "2026-11-25T02:14:39+00:00"),
        ("0044-03-15 12:00:00+00 BC", "0044-03-15T12:00:00+00:00 BC"),
        ("12026-01-01 00:00:00+00", "12026-01-01T00:00:00+00:00"),
        ("-infinity", "-infinity"),
    ],
)
def test_both_forms_of_a_stamp_become_the_one_of_json(given: str, iso: str) -> None:
    assert rest.iso_stamp(given) == iso
