"""The migration engine and the schema it brings: nothing half-applied, nothing lost, nothing open to the world."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from tests.conftest import at
from tests.contract.conftest import postgres_15
from utils import migrations
from utils.config import ROOT
from utils.decision import Decision
from utils.errors import AnglesError, BusyError, ConfigError, SafetyError, ServiceError
from utils.local.postgres import scratch
from utils.migrations import LOCK, MIGRATIONS, Migration, checksum, parse_files, plan, split_statements, status
from utils.migrations.runner import NO_MEMBER
from utils.stores.base import Vault, Write
from utils.stores.postgres import PostgresTransport
from utils.sync import lease

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FILES = migrations.read_folder()
NAMES = tuple(each.file for each in FILES)
ROLES = ("anon", "authenticated", "service_role")
SEED = """
create table decision_vault (
  id uuid primary key default gen_random_uuid(), decision text not null, date date default current_date,
  type varchar(50) default 'other', active boolean default true, comment text, synced boolean default false,
  created_at timestamptz default now(), updated_at timestamptz default now());
create table agent_activity (
  id uuid primary key default gen_random_uuid(), agent_name varchar(100) not null, action varchar(100) not null,
  details jsonb, status varchar(50) default 'pending', created_at timestamptz default now());
"""
_NUMBER = itertools.count(1)


def migrate(dsn: str, folder: Path = MIGRATIONS, **options: Any) -> tuple[str, ...]:
    """Applies; answers the files that were."""
    return migrations.migrate(dsn, folder=folder, now=NOW, **options).applied


def written(folder: Path, *texts: str) -> Path:
    """A folder of migrations: 20260101000001_a.sql, …2_a.sql and so on."""
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(texts, 1):
        (folder / f"2026010100000{number}_a.sql").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def empty(server: str) -> Iterator[str]:
    """A database with nothing in it, on a server that has the roles."""
    name = f"empty_{next(_NUMBER)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} strategy file_copy").format(sql.Identifier(name)))
        yield at(server, name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module", params=["embedded", "15"])
def bare_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that no migration was ever near: not even the roles are there."""
    start: Callable[[Path], Any] = scratch if request.param == "embedded" else postgres_15
    with start(tmp_path_factory.mktemp("bare")) as dsn:
        yield dsn


@pytest.fixture
def bare(bare_server: str) -> Iterator[str]:
    """A bare server's database; afterwards it is bare again."""
    with psycopg.connect(bare_server, autocommit=True) as connection:
        connection.execute("create database bare")
        yield at(bare_server, "bare")
        connection.execute("drop database bare with (force)")
        for role in (*ROLES, "landlord"):
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))


@pytest.fixture
def db(server: str, template: str) -> Iterator[psycopg.Connection[Any]]:
    """A client of a migrated database, in a transaction that is rolled back."""
    with psycopg.connect(at(server, template)) as connection:
        yield connection
        connection.rollback()


def rows(dsn: str, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(statement.encode(), arguments).fetchall()


def run(dsn: str, statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statements.encode())


# --- the engine, pure


def applied(**sums: str | None) -> dict[str, str | None]:
    return {version[1:]: value for version, value in sums.items()}


def file(version: str) -> Migration:
    return Migration(version, "a", "select 1", "sum")


@pytest.mark.parametrize(
    ("there", "refusal"),
    [
        pytest.param({"1": "sum", "3": "other"}, "3_a.sql was edited after it was applied", id="edited"),
        pytest.param({"1": "sum", "9": None}, "has 9, which is no file here", id="unknown"),
        pytest.param({"1": "sum", "3": None}, "2_a.sql is older than 3, which is applied", id="out of order"),
    ],
)
def test_a_history_that_does_not_fit_the_files_is_refused_by_name(there: dict[str, str | None], refusal: str) -> None:
    with pytest.raises(SafetyError, match=re.escape(refusal)) as caught:
        plan([file(version) for version in "123"], there)
    assert caught.value.exit_code == 4


def test_what_another_tool_applied_counts_without_a_checksum() -> None:
    found = plan([file(version) for version in "123"], {"1": None, "2": "sum"})
    assert (found.applied, [each.version for each in found.pending]) == (("1", "2"), ["3"])


@pytest.mark.parametrize(
    ("files", "refusal"),
    [
        pytest.param([("first.sql", "")], "first.sql: is no migration's name", id="no version"),
        pytest.param([("2026_a.sql", "")], "Call it <14 digits>_<name>.sql", id="short version"),
        pytest.param([("20260101000001_a.sql", ""), ("20260101000001_b.sql", "")], "has the version of", id="twice"),
        pytest.param(
            [("20260101000001_a.sql", "select 1;\n\nCommit;")], "_a.sql:3: begins or ends a trans", id="commit"
        ),
        pytest.param([("20260101000001_a.sql", "-- x\nBEGIN;select 1")], "_a.sql:2: begins or ends", id="begin"),
    ],
)
def test_a_file_that_cannot_be_a_migration_is_refused_by_name(files: list[tuple[str, str]], refusal: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(refusal)):
        parse_files(files)


def test_a_folder_that_is_empty_or_not_there_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigError, match="Check out the project again"):
            migrations.read_folder(folder)


def test_line_ends_do_not_make_another_file() -> None:
    assert checksum("a\nb\n") == checksum("a\r\nb\r") != checksum("a\nb")


STATEMENT = st.lists(
    st.sampled_from(
        [
            "select 1", "'a;b'", "'it''s; '", '"a;b"', "E'\\';'", "$$ ; $$", "$x$ ; $$ ' $x$", "/* ; ' */", "-- ;'\n",
            "\n", "$1", "a-b", "name", "do $f$ begin\n x; end $f$",
        ]
    ),
    max_size=5,
).map(" ".join)  # fmt: skip


@given(st.lists(STATEMENT, max_size=6))
def test_statements_end_at_semicolons_outside_quotes_bodies_and_comments(parts: list[str]) -> None:
    text = ";".join(f"x {part}" for part in parts)
    lines = [
        text.count("\n", 0, at) + 1 for at in itertools.accumulate((len(f"x {part};") for part in parts), initial=0)
    ]
    found = split_statements(text)
    assert [statement for _, statement in found] == [f"x {part}" for part in parts][:-1] + [
        f"x {part}".rstrip() for part in parts[-1:]
    ]
    assert [line for line, _ in found] == lines[: len(parts)]


def test_empty_statements_are_none() -> None:
    assert split_statements(" ;; -- nothing\n; select 1;;\n") == [(2, "select 1")]


@pytest.mark.parametrize("each", FILES, ids=NAMES)
def test_our_files_are_split_without_losing_a_line(each: Migration) -> None:
    found = split_statements(each.sql)
    lines = each.sql.split("\n")
    assert all(lines[line - 1].startswith(statement.split("\n")[0].split(";")[0]) for line, statement in found)
    assert all(re.match(r"(create|alter|revoke|grant|do)\b", statement) for _, statement in found)


# --- the engine at work


def test_a_bare_postgresql_is_brought_up_and_a_second_run_does_nothing(bare: str) -> None:
    assert rows(bare, "select count(*) from pg_roles where rolname = any (%s)", list(ROLES)) == [(0,)]
    assert [each.file for each in status(bare).pending] == list(NAMES)
    assert migrate(bare) == NAMES
    tables = {name for (name,) in rows(bare, "select tablename from pg_tables where schemaname = 'public'")}
    assert tables == {
        "decision_vault", "agent_activity", "decision_history", "sync_links", "sync_log", "sync_state", "leases",
        "job_claims", "intake_items",
    }  # fmt: skip
    kinds = rows(bare, "select rolname, rolcanlogin, rolbypassrls from pg_roles where rolname = any (%s)", list(ROLES))
    assert sorted(kinds) == [("anon", False, False), ("authenticated", False, False), ("service_role", False, True)]
    history = "select version, name, xmin::text from supabase_migrations.schema_migrations order by 1"
    before = rows(bare, history)
    assert [(version, name) for version, name, _ in before] == [(each.version, each.name) for each in FILES]
    report = migrations.migrate(bare, now=NOW)
    assert (report.applied, report.already) == ((), tuple(each.version for each in FILES))
    assert rows(bare, history) == before
    assert status(bare).pending == ()


def test_the_history_is_that_of_supabases_own_tool_with_a_checksum_beside(empty: str) -> None:
    run(
        empty,
        "create schema supabase_migrations;"
        "create table supabase_migrations.schema_migrations (version text not null primary key)",
    )
    migrate(empty)
    kept = rows(empty, "select version, name, statements from supabase_migrations.schema_migrations order by 1")
    assert kept == [(each.version, each.name, [part for _, part in split_statements(each.sql)]) for each in FILES]
    sums = rows(empty, "select version, sha256, applied_at, tool from supabase_migrations.angles_applied order by 1")
    assert sums == [(each.version, each.sha256, NOW, "run_migration.py") for each in FILES]


def test_what_supabases_tool_applied_is_not_applied_again(empty: str) -> None:
    migrate(empty)
    run(empty, "drop table supabase_migrations.angles_applied")
    assert migrate(empty) == ()


def test_a_dry_run_executes_everything_and_leaves_nothing(bare: str) -> None:
    assert migrate(bare, dry_run=True) == NAMES
    assert rows(bare, "select 1 from pg_class where relnamespace = 'public'::regnamespace") == []
    assert rows(bare, "select 1 from pg_namespace where nspname = 'supabase_migrations'") == []
    assert rows(bare, "select 1 from pg_roles where rolname = any (%s)", list(ROLES)) == []


def test_a_dry_run_meets_the_failure_that_a_run_would(empty: str, tmp_path: Path) -> None:
    folder = written(tmp_path, "create table a (n int);", "insert into a values (1);\ninsert into b values (1);")
    with pytest.raises(ConfigError, match=r"20260101000002_a\.sql:2"):
        migrate(empty, folder, dry_run=True)
    assert rows(empty, "select to_regclass('a')") == [(None,)]


FAILURES = {
    "syntax": ("create table b (n int);\n\nselect 1\nfrom from x;", ":4: syntax error"),
    "unknown table": ("create table b (n int);\nselect *\n\nfrom nowhere", ':4: relation "nowhere" does not exist'),
    "at run time": (
        "create table b (n int);\n-- why\nselect\n1 / (n - n) from generate_series(1, 2) n",
        ":3: division by",
    ),
    "in a body": ("create table b (n int); do $$\nbegin\n  raise exception 'no; not so';\nend $$;", ":1: no; not so"),
    "no permission of a kind": ("create table b (n int);\nvacuum;", ":2: VACUUM cannot run inside a transaction block"),
}


@pytest.mark.parametrize(("text", "told"), FAILURES.values(), ids=FAILURES)
def test_a_file_that_fails_names_its_line_and_leaves_nothing_of_itself(
    empty: str, tmp_path: Path, text: str, told: str
) -> None:
    folder = written(tmp_path, "create table a (n int)", text, "create table c (n int)")
    with pytest.raises(ConfigError) as caught:
        migrate(empty, folder)
    assert f"20260101000002_a.sql{told}" in str(caught.value)
    assert "Nothing of it was applied" in str(caught.value)
    assert rows(empty, "select to_regclass('a') is null, to_regclass('b'), to_regclass('c')") == [(False, None, None)]
    assert status(empty, folder=folder).applied == ("20260101000001",)
    written(tmp_path, "create table a (n int)", "create table b (n int)")
    assert migrate(empty, folder) == ("20260101000002_a.sql", "20260101000003_a.sql")


def test_an_edited_an_unknown_and_a_late_file_are_refused_before_anything_is_done(empty: str, tmp_path: Path) -> None:
    folder = written(tmp_path, "create table a (n int)", "create table b (n int)")
    migrate(empty, folder)
    late = folder / "20250101000000_late.sql"
    late.write_text("create table c (n int)", encoding="utf-8")
    with pytest.raises(SafetyError, match=r"late\.sql is older than 20260101000002"):
        migrate(empty, folder)
    late.unlink()
    written(tmp_path, "create table a (n bigint)")
    with pytest.raises(SafetyError, match=r"20260101000001_a\.sql was edited"):
        migrate(empty, folder)
    (folder / "20260101000001_a.sql").unlink()
    with pytest.raises(SafetyError, match="the database has 20260101000001"):
        status(empty, folder=folder)
    assert rows(empty, "select to_regclass('c')") == [(None,)]


def test_of_two_runners_at_once_one_applies_and_the_other_waits_and_finds_nothing(empty: str, tmp_path: Path) -> None:
    slow = "select pg_sleep(0.2); create table {} (n int)"
    folder = written(tmp_path, slow.format("a"), slow.format("b"))
    start = threading.Barrier(3)

    def runner(_: int) -> tuple[str, ...]:
        start.wait()
        return migrate(empty, folder)

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(runner, range(3)))
    done = sorted(name for result in results for name in result)
    assert done == ["20260101000001_a.sql", "20260101000002_a.sql"]


def test_a_runner_that_waits_in_vain_names_the_holder(empty: str) -> None:
    with psycopg.connect(empty, application_name="run_migration on elsewhere, process 7") as holder:
        holder.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        with pytest.raises(BusyError, match="run_migration on elsewhere, process 7, as postgres") as caught:
            migrate(empty, wait=0)
    assert caught.value.exit_code == 75
    assert migrate(empty, wait=0) == NAMES


def test_a_table_that_is_in_use_for_a_moment_is_waited_for(empty: str, tmp_path: Path) -> None:
    folder = written(tmp_path, "create table a (n int)")
    migrate(empty, folder)
    written(folder, "create table a (n int)", "set local lock_timeout = '50ms'; alter table a add column m int")
    with psycopg.connect(empty) as user, ThreadPoolExecutor(1) as pool:
        user.execute("select * from a")
        waiting = pool.submit(migrate, empty, folder)
        until(lambda: rows(empty, "select 1 from pg_stat_activity where wait_event_type = 'Lock'") != [])
        user.rollback()
        assert waiting.result() == ("20260101000002_a.sql",)


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from utils.migrations import migrate
migrate(sys.argv[1], folder=Path(sys.argv[2]), now=datetime.now(UTC))
"""


def test_a_runner_that_is_killed_in_a_file_leaves_nothing_of_it_and_no_lock(empty: str, tmp_path: Path) -> None:
    folder = written(
        tmp_path, "create table a (n int)", "create table b (n int); select pg_sleep(60); create table c (n int)"
    )
    child = subprocess.Popen([sys.executable, "-c", KILLED, empty, str(folder)], cwd=ROOT)
    try:
        until(lambda: rows(empty, "select 1 from pg_stat_activity where wait_event = 'PgSleep'") != [])
    finally:
        child.kill()
        child.wait()
    written(folder, "create table a (n int)", "create table b (n int)")
    assert migrate(empty, folder) == ("20260101000002_a.sql",)
    assert rows(empty, "select to_regclass('b') is null, to_regclass('c')") == [(False, None)]
    assert status(empty, folder=folder).pending == ()


def test_two_processes_at_once_one_applies_and_the_other_finds_nothing(empty: str, tmp_path: Path) -> None:
    folder = written(tmp_path, "create table a (n int); select pg_sleep(0.5)", "create table b (n int)")
    children = [subprocess.Popen([sys.executable, "-c", KILLED, empty, str(folder)], cwd=ROOT) for _ in range(2)]
    assert [child.wait(30) for child in children] == [0, 0]
    assert status(empty, folder=folder).pending == ()
    assert rows(empty, "select count(*) from supabase_migrations.angles_applied") == [(2,)]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("dsn", "told"),
    [
        pytest.param("postgresql://u:s3cret@127.0.0.1:6543/d", "port 6543 is the transaction pooler", id="pooler"),
        pytest.param("postgresql://u:s3cret@@127.0.0.1/d", "is no connection URL", id="@ in the password"),
        pytest.param("postgresql://u:s3cret/x@127.0.0.1/d", "is no connection URL", id="/ in the password"),
        pytest.param("postgresql://u:s3cret%zz@127.0.0.1/d", "is no connection URL", id="% in the password"),
        pytest.param("postgresq://u:s3cret@127.0.0.1/d", "is no connection URL", id="no scheme"),
    ],
)
def test_a_url_that_will_not_do_is_refused_without_its_password(dsn: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        migrate(dsn)
    assert "s3cret" not in str(caught.value)
    assert str(caught.value).startswith("DATABASE_URL: ")


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:1: cannot be reached"):
        migrate("postgresql://u:s3cret@127.0.0.1:1/d")


def test_a_privilege_that_service_role_lacks_is_told(empty: str) -> None:
    migrate(empty)
    run(
        empty,
        "revoke delete on sync_links from service_role; revoke execute on function vault_is_new from service_role",
    )
    with pytest.raises(ServiceError, match="service_role lacks privileges on sync_links, vault_is_new"):
        migrate(empty)


# --- a vault that was made by hand


@dataclass(frozen=True)
class ByHand:
    """Statements that make it, and what must be in it afterwards beyond what was in it before."""

    made: str
    gets: str = "true"


BY_HAND = {
    "the seed, empty": ByHand(SEED),
    "the seed with rows": ByHand(
        SEED + "insert into decision_vault (decision, date, type, active, comment, synced, updated_at) values"
        " ('a', null, null, null, null, null, null), ('b', '0044-03-15 BC', 'x', false, '', true, 'infinity');"
        "insert into agent_activity (agent_name, action) values ('x', 'y')"
    ),
    "only decisions": ByHand(
        "create table decision_vault (decision text); insert into decision_vault values ('a'), (null), ('a')",
        "id is not null and date is null and type = 'other' and active and not synced and created_at is not null",
    ),
    "no comment, no synced": ByHand(
        SEED
        + "alter table decision_vault drop comment, drop synced; insert into decision_vault (decision) values ('a')",
        "comment is null and synced = false and date = current_date",
    ),
    "no primary key": ByHand(
        SEED + "alter table decision_vault drop constraint decision_vault_pkey;"
        "alter table decision_vault alter id drop not null, alter id drop default;"
        "insert into decision_vault (id, decision) values (null, 'a'), (null, 'a'), (gen_random_uuid(), 'b')",
        "id is not null",
    ),
    "another primary key": ByHand(
        "create table decision_vault (number serial primary key, id uuid, decision text);"
        "insert into decision_vault (id, decision) values (null, 'a'), (gen_random_uuid(), 'b')",
        "id is not null",
    ),
    "columns and rules of its own": ByHand(
        SEED + "alter table decision_vault add project text default 'p' check (project <> '');"
        "create index on decision_vault (decision); insert into decision_vault (decision, project) values ('a', 'q')"
    ),
    "activity without a key": ByHand(
        "create table agent_activity (agent_name text); insert into agent_activity values ('a'), ('a')"
    ),
    "history of an older attempt": ByHand(
        SEED + "create table sync_log_old (n int); insert into sync_log_old values (1)"
    ),
}


@pytest.mark.parametrize("case", BY_HAND.values(), ids=BY_HAND)
def test_a_vault_made_by_hand_is_brought_up_without_losing_a_row_or_changing_a_value(empty: str, case: ByHand) -> None:
    run(empty, case.made)
    before = everything(empty)
    migrate(empty)
    after = everything(empty)
    for table, was in before.items():
        assert len(after[table]) == len(was)
        assert sorted(map(str, was)) == sorted(str(kept(row, was)) for row in after[table])
    good = sql.SQL("select count(*) from decision_vault where not ({})").format(sql.SQL(case.gets))
    with psycopg.connect(empty) as connection:
        assert connection.execute(good).fetchone() == (0,)
    usable(empty)


def everything(dsn: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, as JSON without what is NULL."""
    with psycopg.connect(dsn) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        found = {}
        for (name,) in tables:
            statement = sql.SQL("select jsonb_strip_nulls(to_jsonb(t)) from {} t").format(sql.Identifier(name))
            found[name] = [row for (row,) in connection.execute(statement)]
    return found


def kept(row: dict[str, Any], was: list[dict[str, Any]]) -> dict[str, Any]:
    """The part of a row that was there before: the columns that some row like it had."""
    return next((old for old in was if old.items() <= row.items()), row)


def usable(dsn: str) -> None:
    """The vault works: a row can be written, linked and read."""
    vault = Vault(PostgresTransport(dsn))
    try:
        fence = vault.begin(lease.holder("run")).fence
        assert fence is not None
        content = Decision("written by the sync", None, None, None, None)
        row_id = "00000000-0000-4000-8000-000000000001"
        assert not vault.write("run", fence, [Write(row_id, None, content.image())])[0].error
        assert vault.add([{"id": row_id, **content.image()}]) == 0, "its id is unique"
        assert content in [item.row.content for item in vault.changes() if item.row]
        vault.release(lease.NAME, fence)
    finally:
        vault.close()


def test_two_rows_with_one_id_are_named_and_nothing_is_changed(empty: str) -> None:
    shared = "00000000-0000-4000-8000-00000000000a"
    run(empty, f"{SEED}; alter table decision_vault drop constraint decision_vault_pkey;")
    run(empty, f"insert into decision_vault (id, decision) values ('{shared}', 'a'), ('{shared}', 'b')")
    before = everything(empty)
    with pytest.raises(ConfigError, match=f"several rows of decision_vault have the id {shared}: give each an id"):
        migrate(empty)
    assert everything(empty) == before


# --- who may do what


def test_every_table_has_row_level_security_and_nothing_is_granted_to_the_world(server: str, empty: str) -> None:
    run(
        empty,
        SEED + "alter default privileges in schema public grant all on tables to public, anon, authenticated;"
        "alter default privileges in schema public grant all on functions to anon, authenticated;"
        "alter default privileges in schema public grant all on sequences to public, anon, authenticated;"
        "grant all on decision_vault to public, anon; grant update (comment) on decision_vault to authenticated;",
    )
    migrate(empty)
    assert rows(empty, "select tablename from pg_tables where schemaname = 'public' and not rowsecurity") == []
    open_to = """
      select c.relname, p from pg_class c,
        unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and has_table_privilege(%(r)s, c.oid, p)
      union all select c.relname || '.' || a.attname, p from pg_class c join pg_attribute a on a.attrelid = c.oid,
        unnest(array['select', 'insert', 'update', 'references']) p
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
        and has_column_privilege(%(r)s, c.oid, a.attnum, p)
      union all select c.relname, p from pg_class c, unnest(array['usage', 'select', 'update']) p
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'S' and has_sequence_privilege(%(r)s, c.oid, p)
      union all select p.proname, 'execute' from pg_proc p
        where p.pronamespace = 'public'::regnamespace and has_function_privilege(%(r)s, p.oid, 'execute')"""
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("create role passer_by")
        try:
            for role in ("anon", "authenticated", "passer_by"):
                assert connection.execute(open_to, {"r": role}).fetchall() == []
        finally:
            connection.execute("drop role passer_by")


def test_service_role_may_use_everything(dsn: str) -> None:
    usable(dsn)
    as_service = f"{dsn}?options=-c%20role%3Dservice_role"
    usable(as_service)
    with psycopg.connect(as_service, autocommit=True) as connection:
        assert connection.execute("select current_user").fetchone() == ("service_role",)
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        for (name,) in tables:
            for statement in ("select * from {}", "delete from {}"):
                connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
        connection.execute("insert into decision_vault (decision) values ('a')")
        connection.execute("update decision_vault set decision = 'b'")
        updated = "select count(*) from decision_history where operation = 'update'"
        assert connection.execute(updated).fetchone() == (1,)
        lacking = "select proname from pg_proc where pronamespace = 'public'::regnamespace and not %s"
        assert connection.execute(lacking.replace("%s", "has_function_privilege(oid, 'execute')")).fetchall() == []


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_the_others_are_refused(db: psycopg.Connection[Any], role: str) -> None:
    db.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    for statement in (
        "select * from decision_vault",
        "select vault_is_new('{}')",
        "insert into sync_state values ('a')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction():
            db.execute(statement)


def test_an_owner_who_is_no_superuser_migrates_and_syncs(bare: str) -> None:
    with psycopg.connect(bare, autocommit=True) as connection:
        connection.execute("create role landlord login createrole password 'x'")
        connection.execute("alter database bare owner to landlord")
    place = bare.rsplit("@", 1)[1]
    theirs = f"postgresql://landlord:x@{place}"
    assert migrate(theirs) == NAMES
    again = migrations.migrate(theirs, now=NOW)
    assert (again.applied, again.notes) == ((), (NO_MEMBER,))
    usable(theirs)
    run(bare, "drop owned by landlord cascade; alter database bare owner to postgres")


def test_a_role_that_may_not_is_told_where(bare: str) -> None:
    run(bare, "create role landlord login password 'x'")
    with pytest.raises(AnglesError, match="permission denied") as caught:
        migrate(f"postgresql://landlord:x@{bare.rsplit('@', 1)[1]}")
    assert "\n" not in str(caught.value)


# --- the triggers


SYNCED = {
    "a client's insert": ("", "insert into v (decision, synced) values ('b', true)", False, None),
    "our insert": ("x", "insert into v (decision, synced) values ('b', true)", True, None),
    "our insert without it": ("x", "insert into v (decision) values ('b')", False, None),
    "a client's edit": ("", "update v set comment = 'b'", False, True),
    "a client's edit that ticks": ("", "update v set comment = 'b', synced = true", False, True),
    "our edit": ("x", "update v set comment = 'b'", True, True),
    "our edit that unticks": ("x", "update v set comment = 'b', synced = false", False, True),
    "NULL for ''": ("", "update v set comment = ''", False, True),
    "another id": ("", "update v set id = gen_random_uuid()", False, True),
    "the same content": ("", "update v set comment = comment", True, False),
    "a client's untick": ("", "update v set synced = false", False, False),
    "a stamp": ("", "update v set updated_at = updated_at, created_at = now()", True, False),
}


@pytest.mark.parametrize(("ours", "statement", "synced", "stamped"), SYNCED.values(), ids=SYNCED)
def test_who_may_tick_synced_and_what_moves_the_stamp(
    db: psycopg.Connection[Any], ours: str, statement: str, synced: bool, stamped: bool | None
) -> None:
    db.execute("create view v as select * from decision_vault")
    db.execute("select set_config('angles.run', 'x', false)")
    db.execute("insert into v (decision, synced, updated_at) values ('a', true, '2020-01-01')")
    db.execute("select set_config('angles.run', %s, false)", (ours,))
    db.execute(statement.encode())
    where = "decision = 'b'" if stamped is None else "true"
    row = db.execute(f"select synced, updated_at > '2020-01-02' from v where {where}".encode()).fetchone()
    assert row == (synced, True if stamped is None else stamped)


def test_nobody_but_the_sync_ticks_synced(db: psycopg.Connection[Any]) -> None:
    db.execute("insert into decision_vault (decision) values ('a')")
    db.execute("update decision_vault set synced = true")
    assert db.execute("select synced from decision_vault").fetchone() == (False,)


def test_earlier_contents_are_kept_on_update_and_delete_and_only_where_content_differs(
    db: psycopg.Connection[Any],
) -> None:
    db.execute("insert into decision_vault (decision, comment) values ('a', null)")
    db.execute("update decision_vault set synced = false, updated_at = now()")
    db.execute("update decision_vault set comment = comment")
    assert db.execute("select count(*) from decision_history").fetchone() == (0,)
    db.execute("update decision_vault set comment = 'b'")
    db.execute("select set_config('angles.run', 'run 1', false)")
    db.execute("delete from decision_vault")
    kept_rows = db.execute(
        "select operation, run, was ->> 'comment', was ->> 'decision' from decision_history order by id"
    ).fetchall()
    assert kept_rows == [("update", None, None, "a"), ("delete", "run 1", "b", "a")]


def test_truncate_is_refused(db: psycopg.Connection[Any]) -> None:
    db.execute("insert into decision_vault (decision) values ('a')")
    for statement in ("truncate decision_vault", "truncate decision_vault cascade"):
        with pytest.raises(psycopg.errors.RaiseException, match="never truncated"), db.transaction():
            db.execute(statement)
    assert db.execute("select count(*) from decision_vault").fetchone() == (1,)
