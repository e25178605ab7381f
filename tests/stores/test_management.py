"""Migrating by Supabase's Management API: refusals in words, its rate limit obeyed, nothing claimed that is not so."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.conftest import at
from tests.management_api import PROJECT, TOKEN, Api, Fault, serve
from utils.errors import BusyError, ConfigError, SafetyError, ServiceError
from utils.migrations import LOCK, read_folder, remote, runner, split_statements
from utils.migrations.statements import one_statement
from utils.migrations.verify import verify
from utils.stores import management
from utils.stores.management import Management, QueryError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FILES = read_folder()


@pytest.fixture
def empty(server: str) -> Iterator[str]:
    """A database with nothing in it."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create database by_management strategy file_copy")
        yield at(server, "by_management")
        connection.execute("drop database by_management with (force)")


@pytest.fixture
def api(empty: str) -> Iterator[Api]:
    """The API of an empty database."""
    with serve(empty) as running:
        yield running


@pytest.fixture
def client(api: Api) -> Iterator[Management]:
    """A client of it."""
    opened = Management(TOKEN, PROJECT, api.url, deadline=5)
    yield opened
    opened.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client waits, without waiting."""
    found: list[float] = []
    clock = [time.monotonic()]

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        if seconds:
            found.append(seconds)

    monkeypatch.setattr("utils.stores.management.time.sleep", sleep)
    monkeypatch.setattr("utils.stores.management.time.monotonic", lambda: clock[0])
    return found


def written(folder: Path, *texts: str) -> Path:
    """A folder of migrations."""
    for number, text in enumerate(texts, 1):
        (folder / f"2026010100000{number}_a.sql").write_text(text, encoding="utf-8")
    return folder


def rows(dsn: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


# --- the client


def test_the_rows_of_the_last_statement_that_has_some_are_answered(client: Management) -> None:
    assert client.rows("select 1 as a; select 2 as a; notify x") == [{"a": 2}]
    assert client.rows("notify x") == []


REFUSALS = {
    "401": (Fault(401, {"message": "Unauthorized"}), "refuses the access token. Make one at https://supabase.com/"),
    "403": (Fault(403, {"message": "no"}), f"may not execute SQL in project {PROJECT}. Give it write access"),
    "404": (Fault(404, {"message": "no"}), f"has no project {PROJECT}, or does not execute SQL on its plan (404)."),
    "404 remedy": (Fault(404, b"<html>"), "or set DATABASE_URL instead (Connect, session pooler, port 5432)"),
    "402": (Fault(402, {}), "asks for a payment (402)"),
    "413": (Fault(413, b"too large"), "refuses the request's size (413). Set DATABASE_URL instead"),
    "418": (Fault(418, {"message": "a\nteapot."}), "failed (418: a teapot)"),
    "540": (Fault(540, {"message": "paused"}), f"project {PROJECT} is paused. Resume it in Supabase's dashboard"),
    "a redirect": (Fault(302, b"", {"Location": "http://127.0.0.1:1/"}), "failed (302: no word)"),
}


@pytest.mark.parametrize(("fault", "told"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_once_with_its_remedy_and_without_the_token(
    api: Api, client: Management, fault: Fault, told: str
) -> None:
    api.faults = [fault]
    with pytest.raises(ServiceError) as caught:
        client.rows("select 1")
    assert str(caught.value).startswith("Management API: ")
    assert told in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert len(api.queries) == 1


PASSING = {
    "cut before": Fault(0),
    "cut after it was done": Fault(0, done=True),
    "500": Fault(500, {"message": "oops"}),
    "503": Fault(503, b"<html>"),
    "520": Fault(520),
    "544": Fault(544, {"message": "timeout"}),
    "a page instead of rows": Fault(200, b"<html>sign in</html>"),
    "no connection to the database": Fault(
        400, {"message": "Failed to run sql query: Connection terminated due to connection timeout"}
    ),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_by_itself_is_survived(api: Api, client: Management, waits: list[float], fault: Fault) -> None:
    api.faults = [fault, fault]
    assert client.rows("select 1 as a") == [{"a": 1}]
    assert (len(api.queries), len(waits)) == (3, 2)


def test_what_does_not_pass_is_told_when_the_deadline_is_over(api: Api, client: Management, waits: list[float]) -> None:
    api.faults = [Fault(503, {"message": "down"})] * 99
    with pytest.raises(ServiceError, match=r"failed \(503: down\)"):
        client.rows("select 1")
    assert sum(waits) < 8


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"Retry-After": "7"}, 7), ({"X-RateLimit-Reset": "42"}, 42), ({}, 5), ({"Retry-After": "soon"}, 5)],
    ids=["Retry-After", "reset", "neither", "no number"],
)
def test_a_rate_limit_is_waited_for_as_it_asks(
    api: Api, client: Management, waits: list[float], headers: dict[str, str], wait: int
) -> None:
    api.faults = [Fault(429, {"message": "slow down"}, headers)]
    assert client.rows("select 1 as a") == [{"a": 1}]
    assert waits == [pytest.approx(wait)]


def test_a_limit_that_is_used_up_is_waited_for_before_the_next_request(
    api: Api, client: Management, waits: list[float]
) -> None:
    api.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"}
    client.rows("select 1")
    assert waits == []
    client.rows("select 1")
    assert waits == [pytest.approx(30)]
    api.headers = {"X-RateLimit-Remaining": "119", "X-RateLimit-Reset": "60"}
    client.rows("select 1")
    client.rows("select 1")
    assert waits[2:] == []


def test_a_rate_limit_without_an_end_is_told(api: Api, client: Management, waits: list[float]) -> None:
    api.faults = [Fault(429, {}, {"Retry-After": "250"})] * 9
    with pytest.raises(ServiceError, match="limits the rate of requests for too long"):
        client.rows("select 1")
    assert sum(waits) <= management.WAIT_SECONDS


def test_an_api_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = Management(TOKEN, PROJECT, f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(ServiceError, match="Management API: cannot be reached"):
            client.rows("select 1")


def test_a_netrc_of_the_user_does_not_replace_the_token(
    client: Management, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert client.rows("select 1 as a") == [{"a": 1}]


def test_a_statement_that_the_database_refuses_is_told_with_its_code_and_line(client: Management) -> None:
    with pytest.raises(QueryError, match='column "nothing" does not exist') as caught:
        client.rows("select\n1,\nnothing")
    assert (caught.value.sqlstate, caught.value.line, caught.value.exit_code) == ("42703", 3, 3)


# --- migrating


def test_everything_is_applied_verified_and_then_there_is_nothing_to_do(api: Api, client: Management) -> None:
    assert [each.file for each in remote.status(client).pending] == [each.file for each in FILES]
    report = remote.migrate(client, now=NOW)
    assert (report.applied, report.already, report.notes) == (tuple(each.file for each in FILES), (), ())
    kept = rows(api.dsn, "select version, name, statements from supabase_migrations.schema_migrations order by 1")
    assert kept == [(each.version, each.name, [part for _, part in split_statements(each.sql)]) for each in FILES]
    sums = rows(api.dsn, "select version, sha256, applied_at, tool from supabase_migrations.angles_applied order by 1")
    assert sums == [(each.version, each.sha256, NOW, "run_migration.py") for each in FILES]
    assert "notify pgrst, 'reload schema'" in api.queries
    assert verify(client.rows, now=NOW) == []
    assert remote.migrate(client, now=NOW).applied == ()
    assert runner.migrate(api.dsn, now=NOW).applied == (), "the other way in knows it"
    assert rows(api.dsn, "select schema_fingerprint('') -> 'same'") == [(True,)]


def test_each_file_is_one_transaction_in_one_request(api: Api, client: Management, tmp_path: Path) -> None:
    folder = written(tmp_path, "create table a (n int);", "create table b (n int);\n\nselect 1\nfrom nowhere;")
    with pytest.raises(ConfigError, match=r'20260101000002_a\.sql:4: relation "nowhere" does not exist'):
        remote.migrate(client, folder=folder, now=NOW)
    assert rows(api.dsn, "select to_regclass('a') is null, to_regclass('b')") == [(False, None)]
    assert remote.status(client, folder=folder).applied == ("20260101000001",)
    assert sum("create table" in query and "schema_migrations" in query for query in api.queries) == 2


def test_a_failure_at_run_time_names_the_file(client: Management, tmp_path: Path) -> None:
    folder = written(tmp_path, "select 1 / (n - n) from generate_series(1, 2) n")
    with pytest.raises(ConfigError, match=r"20260101000001_a\.sql: division by zero\. Nothing of it was applied"):
        remote.migrate(client, folder=folder, now=NOW)


def test_a_dry_run_executes_everything_and_leaves_nothing(api: Api, client: Management, tmp_path: Path) -> None:
    report = remote.migrate(client, dry_run=True, now=NOW)
    assert (report.applied, report.dry_run) == (tuple(each.file for each in FILES), True)
    assert rows(api.dsn, "select to_regclass('decision_vault'), to_regnamespace('supabase_migrations')") == [
        (None, None)
    ]
    folder = written(tmp_path, "create table a (n int)", "insert into b values (1)")
    with pytest.raises(ConfigError, match='relation "b" does not exist'):
        remote.migrate(client, folder=folder, dry_run=True, now=NOW)


@pytest.mark.parametrize("fault", [Fault(0, done=True), Fault(0), Fault(544, {}, done=True)], ids=str)
def test_an_unclear_answer_neither_applies_twice_nor_is_taken_for_done(
    api: Api, client: Management, waits: list[float], tmp_path: Path, fault: Fault
) -> None:
    folder = written(tmp_path, "create table a (n int)")
    remote.status(client, folder=folder)
    seen = len(api.queries)
    api.faults = [Fault(503), fault, fault]  # the look at the history, then the file itself
    assert remote.migrate(client, folder=folder, now=NOW).applied == ("20260101000001_a.sql",)
    assert len(api.queries) - seen >= 5
    assert rows(api.dsn, "select count(*) from supabase_migrations.schema_migrations") == [(1,)]


def test_an_answer_that_claims_what_is_not_there_is_not_believed(api: Api, client: Management, tmp_path: Path) -> None:
    remote.migrate(client, folder=written(tmp_path, "create table a (n int)"), now=NOW)
    folder = written(tmp_path, "create table a (n int)", "create table b (n int)")
    usual = Fault(201, [{"versions": True, "sums": False}]), Fault(201, [{"version": "20260101000001", "sha256": None}])
    api.faults = [*usual, Fault(201, [])]
    with pytest.raises(ServiceError, match=r"20260101000002_a\.sql is not in the history after it was sent"):
        remote.migrate(client, folder=folder, now=NOW)


def test_of_two_runners_at_once_one_applies_and_the_other_finds_nothing(api: Api, tmp_path: Path) -> None:
    folder = written(tmp_path, "select pg_sleep(0.3); create table a (n int)", "create table b (n int)")

    def run(second: int) -> tuple[str, ...]:
        return remote.migrate(
            Management(TOKEN, PROJECT, api.url), folder=folder, now=NOW.replace(second=second)
        ).applied

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, range(2)))
    assert sorted(name for some in done for name in some) == ["20260101000001_a.sql", "20260101000002_a.sql"]


def test_a_lock_that_stays_taken_is_told_with_its_holder(
    api: Api, client: Management, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "WAIT_SECONDS", 0.1)
    with psycopg.connect(api.dsn, application_name="run_migration on elsewhere, process 7") as holder:
        holder.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        with pytest.raises(BusyError, match="run_migration on elsewhere, process 7, as postgres"):
            remote.migrate(client, now=NOW)


def test_a_table_that_is_in_use_for_a_moment_is_waited_for(api: Api, client: Management, tmp_path: Path) -> None:
    remote.migrate(client, folder=written(tmp_path, "create table a (n int)"), now=NOW)
    folder = written(tmp_path, "create table a (n int)", "set local lock_timeout = '50ms'; alter table a add m int")
    with psycopg.connect(api.dsn) as user, ThreadPoolExecutor(1) as pool:
        user.execute("select * from a")
        waiting = pool.submit(remote.migrate, client, folder=folder, now=NOW)
        while not rows(api.dsn, "select 1 from pg_stat_activity where wait_event_type = 'Lock'"):
            time.sleep(0.01)
        user.rollback()
        assert waiting.result().applied == ("20260101000002_a.sql",)


def test_a_history_that_does_not_fit_is_refused(client: Management, tmp_path: Path) -> None:
    remote.migrate(client, folder=written(tmp_path, "create table a (n int)"), now=NOW)
    with pytest.raises(SafetyError, match="was edited after it was applied"):
        remote.migrate(client, folder=written(tmp_path, "create table a (n bigint)"), now=NOW)


def test_a_file_that_does_not_follow_the_newest_one_there_is_not_applied(api: Api) -> None:
    with psycopg.connect(api.dsn, autocommit=True) as connection:
        for before in ("20260101000000", FILES[0].version):
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="does not follow what is applied"):
                connection.execute(one_statement(FILES[1], before, NOW).encode())
        for _ in "twice":
            connection.execute(one_statement(FILES[0], None, NOW).encode())
        assert connection.execute("select count(*) from supabase_migrations.schema_migrations").fetchone() == (1,)
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="does not follow what is applied"):
            connection.execute(one_statement(FILES[1], None, NOW).encode())


def test_what_service_role_lacks_is_told(api: Api, client: Management) -> None:
    remote.migrate(client, now=NOW)
    with psycopg.connect(api.dsn, autocommit=True) as connection:
        connection.execute("revoke delete on sync_links from service_role")
    with pytest.raises(ServiceError, match=r"service_role lacks privileges on sync_links\. Run: .*--verify"):
        remote.migrate(client, now=NOW)


def test_a_login_that_is_no_member_of_service_role_is_noted(server: str, api: Api, client: Management) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create role tenant login password 'x'")
        connection.execute(sql.SQL("alter database by_management owner to tenant"))
    api.dsn = api.dsn.replace(api.dsn.split("//")[1].split("@")[0], "tenant:x")
    try:
        assert remote.migrate(client, now=NOW).notes == (runner.NO_MEMBER,)
    finally:
        with psycopg.connect(at(server, "by_management"), autocommit=True) as connection:
            connection.execute("alter database by_management owner to postgres")
            connection.execute("drop owned by tenant cascade")
            connection.execute("drop role tenant")
