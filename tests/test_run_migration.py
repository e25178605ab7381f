"""The script `run_migration.py` as a user runs it. What it does to a database is in test_migrations.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import at
from tests.world import ROOT
from utils.errors import OK, UNAVAILABLE, USAGE

FILES = sorted(path.name for path in (ROOT / "supabase" / "migrations").glob("*.sql"))


@pytest.fixture
def bare(server: str) -> Iterator[str]:
    """A database that nothing was applied to."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create database bare_for_the_script")
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


def test_without_a_database_url_it_says_what_to_set_and_claims_nothing(tmp_path: Path) -> None:
    ended = migration(tmp_path, "", SUPABASE_URL="https://abc.supabase.co", SUPABASE_KEY="sb_secret_0123456789abcdef")
    assert ended.returncode == USAGE
    assert "DATABASE_URL: not set" in ended.stderr
    assert "nothing was applied" in ended.stderr
    assert ended.stdout == ""


def test_the_transaction_pooler_is_refused_with_the_reason(tmp_path: Path) -> None:
    ended = migration(tmp_path, "postgresql://a:b@127.0.0.1:6543/postgres")
    assert ended.returncode == USAGE
    assert "port 6543 is the transaction pooler" in ended.stderr


def test_a_database_that_cannot_be_reached_is_told_in_one_line(tmp_path: Path) -> None:
    ended = migration(tmp_path, "postgresql://a:b@127.0.0.1:1/postgres")
    assert ended.returncode == UNAVAILABLE
    assert len(ended.stderr.splitlines()) == 1
