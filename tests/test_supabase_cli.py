"""Supabase's own CLI and run_migration.py share one history: what either applied is known to the other."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.conftest import at
from tests.supabase_lite import PACKAGE, installed, node
from utils.errors import SafetyError
from utils.migrations import MIGRATIONS, migrate, read_folder, split_statements, status
from utils.migrations.runner import connected, rows_of
from utils.migrations.verify import verify

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FILES = read_folder()
CLI = PACKAGE / "node_modules" / "supabase" / "dist" / "supabase.js"


def cli() -> Path:
    """The CLI's program."""
    installed()
    return CLI


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout as the CLI wants it: its configuration, and our migrations."""
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase" / "config.toml").write_text('project_id = "angles"\n', encoding="utf-8")
    shutil.copytree(MIGRATIONS, tmp_path / "supabase" / "migrations")
    return tmp_path


@pytest.fixture
def empty(server: str) -> Iterator[str]:
    """A database with nothing in it."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create database by_the_cli")
        yield at(server, "by_the_cli")
        connection.execute(sql.SQL("drop database by_the_cli with (force)"))


def supabase(project: Path, dsn: str, *words: str) -> str:
    """What the CLI says to a command."""
    ended = subprocess.run(
        [node(), str(cli()), *words, "--db-url", dsn],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project), "DO_NOT_TRACK": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def listed(project: Path, dsn: str) -> list[tuple[str, str]]:
    """The versions that the CLI sees: in the folder, and in the database."""
    lines = supabase(project, dsn, "migration", "list").replace("`", "").splitlines()
    columns = [[part.strip() for part in line.split("|")] for line in lines if line.count("|") == 2]
    return [(local, remote) for local, remote, _ in columns if (local + remote).isdigit()]


def history(dsn: str) -> list[dict[str, Any]]:
    with connected(dsn) as connection:
        return rows_of(connection, "select * from supabase_migrations.schema_migrations order by version")


def test_what_the_cli_applied_is_known_here(project: Path, empty: str) -> None:
    assert FILES[-1].file in supabase(project, empty, "db", "push", "--yes")
    by_cli = history(empty)
    assert [each.version for each in FILES] == list(status(empty).applied)
    assert migrate(empty, now=NOW).applied == ()
    assert history(empty) == by_cli
    assert [(row["name"], len(row["statements"])) for row in by_cli] == [
        (each.name, len(split_statements(each.sql))) for each in FILES
    ]
    with connected(empty) as connection:
        assert verify(lambda text: rows_of(connection, text), now=NOW) == []


def test_what_was_applied_here_is_known_to_the_cli(project: Path, empty: str) -> None:
    migrate(empty, now=NOW)
    assert listed(project, empty) == [(each.version, each.version) for each in FILES]
    assert "up to date" in supabase(project, empty, "db", "push", "--yes")


def test_they_can_take_turns(project: Path, empty: str) -> None:
    late = project / "supabase" / "migrations" / "20990101000000_by_the_cli.sql"
    last = late.with_name("20990101000001_by_us.sql")
    migrate(empty, now=NOW)
    late.write_text("create table public.by_the_cli (n int);\n", encoding="utf-8")
    supabase(project, empty, "db", "push", "--yes")
    with pytest.raises(SafetyError, match="the database has 20990101000000, which is no file here"):
        migrate(empty, now=NOW)
    last.write_text("create table public.by_us (n int);\n", encoding="utf-8")
    assert migrate(empty, folder=late.parent, now=NOW).applied == (last.name,)
    assert listed(project, empty)[-2:] == [("20990101000000",) * 2, ("20990101000001",) * 2]
