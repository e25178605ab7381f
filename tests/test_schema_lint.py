"""The project's own migrations: nothing open to the world, nothing that loses data, nothing a hosted server refuses."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from tests.conftest import at
from utils.migrations import Migration, read_folder, split_statements
from utils.migrations.files import names_in

FILES = read_folder()
WORLD = ("anon", "authenticated", "passer_by")

FORBIDDEN = {
    "drops a thing": r"\bdrop\s+(?!default\b|not\s+null\b)\w+",
    "truncates": r"^\s*truncate\b",
    "deletes rows": r"^\s*delete\s+from\b",
    "changes a type": r"\balter\s+(column\s+)?\w+\s+(set\s+data\s+)?type\b",
    "asks for a version of an extension": r"\bcreate\s+extension\b.*\bversion\b",
    "grants to the world": r"\bgrant\b[^;]*\bto\b[^;]*\b(anon|authenticated|public)\b",
    "renames": r"\brename\s+(to|column)\b",
    "sets what takes a superuser": r"\bset\s+[a-z_]+\.[a-z_]+\s*(?:=|to\b)",
}
BROKEN = {
    "drops a thing": ["drop table a", "alter table a drop column b", "alter table a drop b", "drop function f(text)"],
    "truncates": ["truncate a"],
    "deletes rows": ["delete from a"],
    "changes a type": ["alter table a alter column b type text", "alter table a alter b set data type text"],
    "adds a column that rows cannot have": ["alter table a add column b text not null",
                                            "alter table a add column b text not null, add column c text default ''"],
    "asks for a version of an extension": ["create extension pgcrypto with version '1.3'"],
    "grants to the world": ["grant select on a to anon", "grant all on function f to service_role, authenticated"],
    "renames": ["alter table a rename to b", "alter table a rename column b to c"],
    "sets what takes a superuser": ["create function f() returns int set angles.run = 'x' language sql as ''"],
}  # fmt: skip
GOOD = [
    "alter table a alter column b drop default",
    "alter table a add column if not exists b uuid not null default gen_random_uuid()",
    "alter table a add column b text default '' not null, add column c text",
    "create extension if not exists pgcrypto",
    "revoke all on a from public, anon, authenticated",
    "grant select on a to service_role",
    "create function f() returns int language sql set search_path = public, pg_temp as ''",
]


def faults(statement: str) -> list[str]:
    """What the lint has against a statement, its function bodies and comments aside."""
    text = re.sub(r"--[^\n]*|/\*.*?\*/", " ", statement, flags=re.DOTALL)
    if not re.match(r"\s*do\b", text, re.IGNORECASE):
        text = re.sub(r"\$(\w*)\$.*?\$\1\$", " ", text, flags=re.DOTALL)
    flat = " ".join(text.lower().split())
    found = [name for name, pattern in FORBIDDEN.items() if re.search(pattern, flat)]
    added = re.findall(r"\badd column (?:if not exists )?((?:\([^)]*\)|[^,;(])*)", flat)
    if any("not null" in each and "default" not in each and "generated" not in each for each in added):
        found.append("adds a column that rows cannot have")
    return found


@pytest.mark.parametrize(("fault", "statement"), [(fault, each) for fault, some in BROKEN.items() for each in some])
def test_the_lint_finds_what_it_is_for(fault: str, statement: str) -> None:
    assert fault in faults(statement)


@pytest.mark.parametrize("statement", GOOD)
def test_the_lint_lets_pass_what_is_sound(statement: str) -> None:
    assert faults(statement) == []


@pytest.mark.parametrize("each", FILES, ids=lambda each: each.file)
def test_our_files_lose_nothing_and_open_nothing(each: Migration) -> None:
    found = {f"{each.file}:{line}": faults(statement) for line, statement in split_statements(each.sql)}
    assert {place: told for place, told in found.items() if told} == {}


@pytest.mark.parametrize("each", FILES, ids=lambda each: each.file)
def test_every_table_that_a_file_makes_is_closed_in_that_file(each: Migration) -> None:
    flat = " ".join(each.sql.lower().split())
    for table in re.findall(r"create table if not exists (public\.\w+)", flat):
        assert f"alter table {table} enable row level security;" in flat, table
        named = [part for part in flat.split(";") if re.search(rf"{re.escape(table)}\b", part)]
        assert any(
            re.match(r" ?revoke all on .* from public, anon, authenticated, service_role", part) for part in named
        )
        assert any(re.match(r" ?grant [\w, ]+ on .* to service_role", part) for part in named), table


# --- in a real database


@pytest.fixture
def db(server: str, template: str) -> Any:
    """A client of a migrated database, in a transaction that is rolled back."""
    with psycopg.connect(at(server, template)) as connection:
        connection.execute("create role passer_by")
        yield connection
        connection.rollback()


def names(db: psycopg.Connection[Any], query: str, **values: Any) -> list[str]:
    return [name for (name,) in db.execute(query.encode(), values).fetchall()]


def test_the_files_say_by_name_everything_that_they_make(db: psycopg.Connection[Any]) -> None:
    found = names_in(FILES)
    tables = names(db, "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind <> 'i'"
                       " and relkind <> 'S' order by relname collate \"C\"")  # fmt: skip
    assert tables == sorted(found.tables)
    functions = names(db, "select distinct proname from pg_proc where pronamespace = 'public'::regnamespace")
    assert sorted(functions) == sorted(found.functions)


def test_no_table_is_without_row_level_security_or_without_service_role(db: psycopg.Connection[Any]) -> None:
    tables = " from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    assert names(db, f"select relname {tables} and not relrowsecurity") == []
    for privilege in ("select", "insert", "update", "delete"):
        lacking = f"select relname {tables} and not has_table_privilege('service_role', oid, %(p)s)"
        assert names(db, lacking, p=privilege) == []
    for privilege in ("truncate", "references", "trigger"):
        having = f"select relname {tables} and has_table_privilege('service_role', oid, %(p)s)"
        assert names(db, having, p=privilege) == []
    assert names(db, "select policyname from pg_policies") == []


@pytest.mark.parametrize("role", WORLD)
def test_the_world_may_use_no_table_no_sequence_and_no_function(db: psycopg.Connection[Any], role: str) -> None:
    mine = "relnamespace = 'public'::regnamespace"
    tables = "has_table_privilege(%(r)s, oid, 'select, insert, update, delete, truncate, references, trigger')"
    columns = "has_any_column_privilege(%(r)s, oid, 'select, insert, update, references')"
    assert names(db, f"select relname from pg_class where {mine} and relkind in ('r', 'v', 'm', 'p', 'f')"
                     f" and ({tables} or {columns})", r=role) == []  # fmt: skip
    assert names(db, f"select relname from pg_class where {mine} and case when relkind = 'S'"
                     " then has_sequence_privilege(%(r)s, oid, 'usage, select, update') end", r=role) == []  # fmt: skip
    assert names(db, "select proname from pg_proc where pronamespace = 'public'::regnamespace"
                     " and has_function_privilege(%(r)s, oid, 'execute')", r=role) == []  # fmt: skip
    assert names(db, "select nspname from pg_namespace where nspname = 'supabase_migrations'"
                     " and has_schema_privilege(%(r)s, oid, 'usage, create')", r=role) == []  # fmt: skip


def test_no_function_runs_with_anothers_rights_or_without_a_search_path_of_its_own(db: psycopg.Connection[Any]) -> None:
    mine = "select proname from pg_proc where pronamespace = 'public'::regnamespace"
    pathless = f"{mine} and not exists (select from unnest(proconfig) c where c like 'search_path=%%')"
    assert names(db, f"{pathless} and prosecdef") == []
    assert names(db, f"{pathless} and prolang <> (select oid from pg_language where lanname = 'sql')") == []
    assert names(db, "select extname from pg_extension where extname <> 'plpgsql'") == []
