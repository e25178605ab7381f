"""The PostgreSQL transport when things go wrong: refusals are one line, cuts are survived, nothing is done twice."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import at
from tests.faults import FaultProxy
from utils.errors import AnglesError, ConfigError, ServiceError
from utils.local.binaries import programs
from utils.local.postgres import Server
from utils.stores import postgres
from utils.stores.base import Vault
from utils.stores.postgres import PostgresTransport, check_dsn, explained

SECRET = "s3cret-Pa55"


@pytest.fixture
def proxy(dsn: str) -> Iterator[FaultProxy]:
    """A proxy before the server."""
    with FaultProxy(port_of(dsn)) as between:
        yield between


@pytest.fixture
def vault(dsn: str, proxy: FaultProxy) -> Iterator[Vault]:
    """The vault behind the proxy."""
    opened = Vault(PostgresTransport(through(dsn, proxy)))
    yield opened
    opened.close()


@pytest.fixture
def db(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """Another client, which goes around the proxy."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def port_of(dsn: str) -> int:
    return int(dsn.rsplit(":", 1)[1].partition("/")[0])


def through(dsn: str, proxy: FaultProxy) -> str:
    return dsn.replace(f":{port_of(dsn)}/", f":{proxy.port}/")


def item(comment: str = "") -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "decision": "d", "date": None, "type": None, "active": None, "comment": comment}


def failure(dsn: str, **options: Any) -> AnglesError:
    """The error that a call ends with."""
    transport = PostgresTransport(dsn, **options)
    try:
        with pytest.raises(AnglesError) as caught:
            transport.call("vault_is_new", {})
    finally:
        transport.close()
    assert "\n" not in str(caught.value)
    return caught.value


# --- refusals


def changed(dsn: str, **parts: str) -> str:
    """The DSN with another user, password, port or database."""
    made = psycopg.conninfo.conninfo_to_dict(dsn) | parts
    return f"postgresql://{made['user']}:{made['password']}@{made['host']}:{made['port']}/{made['dbname']}"


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        pytest.param({"port": "1"}, "127.0.0.1:1: cannot be reached", id="connection refused"),
        pytest.param({"host": "no.such.host.invalid"}, "no.such.host.invalid:", id="unknown host"),
        pytest.param({"password": SECRET}, "refuses the user or password. Check DATABASE_URL", id="wrong password"),
        pytest.param({"user": "nobody", "password": SECRET}, "refuses the user or password", id="unknown user"),
        pytest.param({"dbname": "nowhere"}, "there is no database of this name", id="wrong database"),
    ],
)
def test_what_cannot_be_reached_is_told_at_once(dsn: str, parts: dict[str, str], told: str) -> None:
    error = failure(changed(dsn, **parts), deadline=5)
    assert told in str(error)
    assert error.exit_code == 3
    assert SECRET not in str(error)


def test_a_database_without_the_schema_is_told_what_to_run(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create database without_schema")
        error = failure(at(server, "without_schema"))
        connection.execute("drop database without_schema with (force)")
    assert isinstance(error, ConfigError)
    assert "its schema is not the one of this version" in str(error)
    assert "Run: python run_migration.py" in str(error)


def test_a_role_without_privileges_is_told(dsn: str, db: psycopg.Connection[Any]) -> None:
    error = failure(f"{dsn}?options=-c%20role%3Danon")
    assert isinstance(error, ServiceError)
    assert "the role lacks a privilege" in str(error)


@pytest.mark.parametrize("password", ["pa@ss", "pa/ss", "pa%zz", "p@a@ss", "pa:s@s", "pa ss/"])
def test_a_password_that_breaks_the_url_is_refused_without_a_piece_of_it(password: str) -> None:
    for error in (failure(f"postgresql://user:{password}@127.0.0.1/d"), unparsed(password)):
        assert "of DATABASE_URL" in str(error) or str(error).startswith("DATABASE_URL: is no connection URL")
        assert not [
            piece for piece in ("pa", "ss", "zz") if piece in str(error).replace("password", "").replace("pass", "")
        ]


def unparsed(password: str) -> AnglesError:
    return explained(psycopg.OperationalError("gone"), f"postgresql://user:{password}@127.0.0.1/d")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:p%40%2F%25@db.example.org:5432/d?sslmode=require",
        "postgres://u:p@[::1]:5432/d",
        "postgresql:///d",
        "host=127.0.0.1 password='a@b'",
        "postgresql://u:p@%2Fvar%2Frun/d",
    ],
)
def test_urls_of_every_form_are_taken(dsn: str) -> None:
    check_dsn(dsn)


def test_every_failure_of_postgresql_becomes_the_error_that_fits() -> None:
    dsn = f"postgresql://u:{SECRET}@h:1/d"
    lost = explained(psycopg.errors.lookup("P0001")("x"), dsn)
    assert isinstance(lost, ServiceError)
    full = explained(psycopg.errors.DiskFull("could not extend file: No space left"), dsn)
    assert "failed (53100" in str(full)
    assert "cannot be reached" not in str(full)
    locked = explained(psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"), dsn)
    assert "lock timeout" in str(locked)
    assert SECRET not in f"{lost}{full}{locked}"


# --- what passes by itself


def test_a_cut_before_the_commit_is_repeated(vault: Vault, proxy: FaultProxy, db: psycopg.Connection[Any]) -> None:
    assert vault.is_new()
    proxy.cut_query = b"decisions_add"
    assert vault.add([item()]) == 1
    assert proxy.cut_query == b"", "it was cut"
    assert db.execute("select count(*) from decision_vault").fetchone() == (1,)


def test_a_cut_after_the_commit_is_repeated_and_nothing_is_done_twice(
    vault: Vault, proxy: FaultProxy, db: psycopg.Connection[Any]
) -> None:
    assert vault.is_new()
    proxy.cut_answer = b"decisions_add"
    assert vault.add([item()]) == 0, "the repeated call finds it there"
    assert proxy.cut_answer == b""
    assert db.execute("select count(*) from decision_vault").fetchone() == (1,)


def test_connections_that_were_dropped_while_idle_are_made_anew(vault: Vault, proxy: FaultProxy) -> None:
    with ThreadPoolExecutor(postgres.POOL_SIZE) as pool:
        list(pool.map(lambda _: vault.is_new(), range(20)))
        proxy.drop()
        assert all(pool.map(lambda _: vault.is_new(), range(20)))


@pytest.mark.parametrize("how", ["select pg_terminate_backend(pid)", "idle_session_timeout"])
def test_sessions_that_the_server_ended_are_made_anew(dsn: str, db: psycopg.Connection[Any], how: str) -> None:
    others = (
        "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        " and backend_type = 'client backend'"
    )
    timeout = "?options=-c%20idle_session_timeout%3D100ms" if how == "idle_session_timeout" else ""
    vault = Vault(PostgresTransport(dsn + timeout))
    try:
        assert vault.is_new()
        until_none(db, f"{'select 1' if timeout else how} {others}")
        assert vault.is_new()
    finally:
        vault.close()


def until_none(db: psycopg.Connection[Any], others: str) -> None:
    """Asks until there are none: a pool may still be connecting when it is asked first."""
    end = time.monotonic() + 10
    while db.execute(others.encode()).fetchone():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that this test alone starts and stops."""
    found = programs()
    folder = Path(tempfile.mkdtemp(prefix="angles-test-")) if found.user is not None else tmp_path
    found.own(folder)
    server = Server(found, folder / "data", "once", durable=False)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_server_that_was_restarted_between_two_calls_is_found_again(own_server: Server) -> None:
    dsn = own_server.start()
    vault = Vault(PostgresTransport(dsn, deadline=2))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create function vault_is_new(text) returns jsonb return jsonb_build_object('new', true)")
        connection.execute("checkpoint")
    assert vault.is_new()
    own_server.stop()
    assert not own_server._launch(port_of(dsn))
    assert vault.is_new()
    own_server.stop()
    with pytest.raises(ServiceError, match="cannot be reached"):
        vault.is_new()
    vault.close()


def test_a_server_that_is_still_starting_is_waited_for() -> None:
    starting = psycopg.OperationalError("connection failed: FATAL:  the database system is starting up")
    full = psycopg.OperationalError("connection failed: FATAL:  sorry, too many clients already")
    refused = psycopg.OperationalError("connection failed: Connection refused")
    assert [postgres._passes(error) for error in (starting, full, refused)] == [True, True, False]


def test_a_deadlock_is_repeated(dsn: str, db: psycopg.Connection[Any]) -> None:
    db.execute("create sequence tries")
    db.execute(
        "create function fails_once(p text) returns jsonb language plpgsql as $$ begin"
        " if nextval('tries') = 1 then raise exception 'x' using errcode = '40P01'; end if;"
        " return to_jsonb(currval('tries')); end $$"
    )
    transport = PostgresTransport(dsn)
    assert transport.call("fails_once", {}) == 2
    transport.close()


# --- deadlines


def test_a_server_that_no_longer_answers_is_given_up_in_time(dsn: str, proxy: FaultProxy) -> None:
    transport = PostgresTransport(through(dsn, proxy), deadline=1)
    assert transport.call("vault_is_new", {}) == {"new": True}
    proxy.stalled = True
    with pytest.raises(ServiceError, match=r"cannot be reached \(no answer in time\)"):
        transport.call("vault_is_new", {})
    proxy.stalled = False
    proxy.drop()
    assert transport.call("vault_is_new", {}) == {"new": True}, "and found again when it does"
    transport.close()


def test_a_statement_that_takes_too_long_is_told_and_not_repeated(
    dsn: str, db: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_SESSION", "set statement_timeout = '50ms'")
    db.execute("create sequence tries")
    db.execute(
        "create function sleeps(p text) returns jsonb language sql as"
        " $$ select to_jsonb(nextval('tries')) from pg_sleep(10) $$"
    )
    transport = PostgresTransport(dsn)
    with pytest.raises(ServiceError, match=r"took too long \(canceling statement due to statement timeout"):
        transport.call("sleeps", {})
    transport.close()


# --- the pool


def test_threads_that_call_at_first_use_open_one_pool(dsn: str, proxy: FaultProxy) -> None:
    transport = PostgresTransport(through(dsn, proxy))
    start = threading.Barrier(8)

    def call(_: int) -> Any:
        start.wait()
        return transport.call("vault_is_new", {})

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [{"new": True}] * 8
    assert proxy.accepted <= 1 + postgres.POOL_SIZE
    transport.close()
    transport.close()


def test_a_closed_transport_opens_again_when_it_is_used(dsn: str) -> None:
    transport = PostgresTransport(dsn)
    for _ in range(2):
        assert transport.call("vault_is_new", {}) == {"new": True}
        transport.close()


def test_sessions_have_our_settings_and_prepare_nothing(dsn: str, db: psycopg.Connection[Any]) -> None:
    db.execute(
        "create function settings(p text) returns jsonb language sql as $$ select jsonb_build_array("
        "current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('timezone'),"
        "(select count(*) from pg_prepared_statements)) $$"
    )
    transport = PostgresTransport(dsn)
    found = [transport.call("settings", {}) for _ in range(8)]
    assert found == [["1min", "10s", "UTC", 0]] * 8
    transport.close()


def test_a_function_name_is_an_identifier(dsn: str) -> None:
    transport = PostgresTransport(dsn)
    with pytest.raises(ConfigError):
        transport.call('vault_is_new"(null); drop table decision_vault; --', {})
    assert transport.call("vault_is_new", {}) == {"new": True}
    transport.close()
