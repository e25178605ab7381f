"""The script `run_migration.py` as a user runs it. What it does to a database is in test_migrations.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import at, empty, forget_local
from tests.management_api import PROJECT, TOKEN, Fault, execute, serve
from tests.supabase_lite import Project
from tests.world import ROOT
from utils.errors import OK, PROBLEMS, UNAVAILABLE, USAGE
from utils.migrations import read_folder
from utils.migrations.files import names_in
from utils.migrations.statements import keep

FILES = sorted(path.name for path in (ROOT / "supabase" / "migrations").glob("*.sql"))
NAMES = names_in(read_folder())


@pytest.fixture
def bare(server: str) -> Iterator[str]:
    """A database that nothing was applied to."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create database bare_for_the_script strategy file_copy")
        yield at(server, "bare_for_the_script")
        connection.execute("drop database bare_for_the_script with (force)")


def migration(home: Path, dsn: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The script with its arguments."""
    given = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(home), "DATABASE_URL": dsn, **env}
    return subprocess.run(
        [sys.executable, str(ROOT / "run_migration.py"), *arguments],
        env={name: value for name, value in given.items() if value},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def rows(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def run(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def last(told: str) -> str:
    """The closing line."""
    return told.splitlines()[-1]


def test_status_dry_run_apply_and_again(bare: str, tmp_path: Path) -> None:
    status = migration(tmp_path, bare, "--status")
    assert status.stdout.splitlines()[:-1] == [f"pending {name}" for name in FILES]
    assert last(status.stdout) == f"run_migration: 0 applied, {len(FILES)} pending"
    rehearsed = migration(tmp_path, bare, "--dry-run")
    assert rehearsed.stdout.splitlines()[:-1] == [f"would apply {name}" for name in FILES]
    assert migration(tmp_path, bare, "--status").stdout == status.stdout, "a dry run leaves nothing behind"
    applied = migration(tmp_path, bare)
    assert (applied.returncode, applied.stderr) == (OK, "")
    assert applied.stdout.splitlines()[:-1] == [f"applied {name}" for name in FILES]
    again = migration(tmp_path, bare, "--json")
    assert (again.returncode, json.loads(again.stdout)["applied"]) == (OK, [])
    assert f"0 applied, {len(FILES)} already there" in again.stderr
    found = json.loads(migration(tmp_path, bare, "--status", "--json").stdout)
    assert (len(found["applied"]), found["pending"]) == (len(FILES), [])


def test_verify_ends_with_1_and_says_what_mends_each_difference(bare: str, tmp_path: Path) -> None:
    pending = migration(tmp_path, bare, "--verify")
    assert (pending.returncode, last(pending.stdout)) == (
        PROBLEMS,
        f"run_migration: {len(FILES)} differences from what the files make",
    )
    migration(tmp_path, bare)
    clean = migration(tmp_path, bare, "--verify")
    assert (clean.returncode, clean.stdout) == (OK, "run_migration: the schema is what the files make\n"), clean.stderr
    run(bare, "alter table decision_vault alter date drop default; drop function lease_release(text)")
    told = migration(tmp_path, bare, "--verify")
    assert told.returncode == PROBLEMS
    lines = told.stdout.splitlines()
    assert lines[:2] == [
        "column public.decision_vault.date: default is none, the files make CURRENT_DATE",
        "    alter table public.decision_vault alter column date set default CURRENT_DATE;",
    ]
    found = json.loads(migration(tmp_path, bare, "--verify", "--json").stdout)["differences"]
    assert [each["object"] for each in found] == [
        "column public.decision_vault.date",
        "function public.lease_release(text)",
        "privileges of function public.lease_release(text)",
    ]
    run(bare, *(each["mend"] for each in found))
    assert migration(tmp_path, bare, "--verify", "--json").returncode == OK


def test_in_local_mode_the_embedded_database_is_verified(tmp_path: Path) -> None:
    try:
        assert migration(tmp_path, "").returncode == OK
        assert migration(tmp_path, "", "--verify").returncode == OK
    finally:
        forget_local(tmp_path)


# --- with a token


def test_with_a_token_alone_it_goes_by_the_management_api(bare: str, tmp_path: Path) -> None:
    with serve(bare) as api:
        env = {
            "SUPABASE_URL": f"https://{PROJECT}.supabase.co",
            "SUPABASE_ACCESS_TOKEN": TOKEN,
            "SUPABASE_API_URL": api.url,
        }
        assert last(migration(tmp_path, "", "--status", **env).stdout).endswith(f"0 applied, {len(FILES)} pending")
        assert last(migration(tmp_path, "", "--dry-run", **env).stdout).count(f"{len(FILES)} to apply, 0 already") == 1
        applied = migration(tmp_path, "", **env)
        assert (applied.returncode, applied.stderr) == (OK, "")
        assert applied.stdout.splitlines()[:-1] == [f"applied {name}" for name in FILES]
        assert last(migration(tmp_path, "", **env).stdout).startswith(f"run_migration: 0 applied, {len(FILES)} already")
        api.faults = [Fault(404, {"message": "no"})]
        refused = migration(tmp_path, "", **env)
        assert (refused.returncode, refused.stdout) == (UNAVAILABLE, "")
        assert "does not execute SQL on its plan (404)" in refused.stderr
        assert "set DATABASE_URL instead" in refused.stderr
        asked = len(api.queries)
        assert last(migration(tmp_path, bare, **env).stdout).endswith(" s")
        assert len(api.queries) == asked, "a connection comes first"
    for path in tmp_path.rglob("*.log"):
        assert TOKEN not in path.read_text(encoding="utf-8")


# --- by hand

HOSTED = {"SUPABASE_URL": f"https://{PROJECT}.supabase.co"}


def test_without_a_way_in_it_prints_and_writes_the_sql_and_claims_nothing(bare: str, tmp_path: Path) -> None:
    ended = migration(tmp_path, "", **HOSTED)
    written = tmp_path / "export" / "pending_migration.sql"
    assert ended.returncode == USAGE
    assert "DATABASE_URL or SUPABASE_ACCESS_TOKEN: not set" in ended.stderr
    assert "nothing was applied; what is pending there is not known, the SQL looks itself" in ended.stderr
    assert f"paste {written} into https://supabase.com/dashboard/project/{PROJECT}/sql/new" in ended.stderr
    text = written.read_text(encoding="utf-8")
    assert ended.stdout == text
    assert [name for name in FILES if f"-- {name}\n" in text] == FILES

    assert execute(bare, text) == (201, [])
    assert last(migration(tmp_path, bare, "--status").stdout).endswith(f"{len(FILES)} applied, 0 pending")
    assert migration(tmp_path, bare, "--verify").returncode == OK
    before = rows(bare, "select * from supabase_migrations.angles_applied")
    assert execute(bare, text) == (201, []), "pasted twice, it does nothing"
    assert rows(bare, "select * from supabase_migrations.angles_applied") == before


def test_with_json_the_pending_files_and_where_to_paste_them_are_one_document(tmp_path: Path) -> None:
    ended = migration(tmp_path, "", "--json", **HOSTED)
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["applied"], found["pending"]) == (USAGE, [], FILES)
    assert found["file"] == str(tmp_path / "export" / "pending_migration.sql")
    assert found["editor"] == f"https://supabase.com/dashboard/project/{PROJECT}/sql/new"


@pytest.mark.parametrize("option", ["--status", "--dry-run", "--verify"])
def test_what_takes_a_way_in_is_refused_without_one(tmp_path: Path, option: str) -> None:
    ended = migration(tmp_path, "", option, **HOSTED)
    assert (ended.returncode, ended.stdout) == (USAGE, "")
    assert "not set: the database's history cannot be read" in ended.stderr
    assert not (tmp_path / "export").exists()


def test_what_the_rest_api_tells_to_be_applied_is_not_pending(rest: tuple[str, Project], tmp_path: Path) -> None:
    dsn, project = rest
    env = {"SUPABASE_URL": project.url, "SUPABASE_KEY": project.secret}
    newest = FILES[-1].partition("_")[0]
    run(dsn, keep(NAMES))
    try:
        done = migration(tmp_path, "", **env)
        assert (done.returncode, done.stdout) == (
            OK, "run_migration: nothing is pending, by what the REST API tells\n"
        )  # fmt: skip
        less = f"jsonb_set(value, '{{versions}}', (value -> 'versions') - '{newest}')"
        run(dsn, f"update sync_state set value = {less} where name = 'schema'")
        ended = migration(tmp_path, "", "--json", **env)
        assert (ended.returncode, json.loads(ended.stdout)["pending"]) == (USAGE, FILES[-1:])
        assert "nothing was applied; 1 pending" in ended.stderr
    finally:
        empty(dsn)


def test_a_vault_of_which_nothing_is_set_is_told(tmp_path: Path) -> None:
    ended = migration(tmp_path, "", SUPABASE_URL="https://db.example.org")
    assert ended.returncode == USAGE
    assert "vault: not configured. Set SUPABASE_KEY" in ended.stderr


# --- the REST API afterwards


def test_the_rest_api_is_probed_and_what_is_wrong_with_it_is_a_warning(
    rest: tuple[str, Project], bare: str, tmp_path: Path
) -> None:
    dsn, project = rest
    env = {"SUPABASE_URL": project.url, "SUPABASE_KEY": project.secret}
    migration(tmp_path, dsn, **env)
    run(dsn, keep(NAMES))
    try:
        good = migration(tmp_path, dsn, **env)
        assert (good.returncode, good.stderr) == (OK, "")
        run(dsn, "update sync_state set value = value || '{\"fingerprint\": \"x\"}' where name = 'schema'")
        other = migration(tmp_path, bare, "--json", **env)
        assert (other.returncode, json.loads(other.stdout)["applied"]) == (OK, FILES)
        assert "the schema that SUPABASE_URL shows is not the one of the last migration" in other.stderr
        gone = migration(tmp_path, bare, SUPABASE_URL="http://127.0.0.1:1", SUPABASE_KEY=project.secret)
        assert gone.returncode == OK
        assert "the REST API does not answer for the new schema yet: Supabase 127.0.0.1:1: cannot be" in gone.stderr
        assert project.secret not in gone.stderr
    finally:
        empty(dsn)


def test_the_transaction_pooler_is_refused_with_the_reason(tmp_path: Path) -> None:
    ended = migration(tmp_path, "postgresql://a:b@127.0.0.1:6543/postgres")
    assert ended.returncode == USAGE
    assert "port 6543 is the transaction pooler" in ended.stderr


def test_a_database_that_cannot_be_reached_is_told_in_one_line(tmp_path: Path) -> None:
    ended = migration(tmp_path, "postgresql://a:b@127.0.0.1:1/postgres")
    assert ended.returncode == UNAVAILABLE
    assert len(ended.stderr.splitlines()) == 1
