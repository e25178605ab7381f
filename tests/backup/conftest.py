"""A vault, a git server and a home folder, with the two scripts run as a user would or in this process."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

import restore_from_github
import run_backup_now
from tests import git_server
from tests.conftest import empty
from tests.git_server import GitServer
from tests.supabase_lite import Project
from tests.world import ROOT

SCRIPTS = {"backup": run_backup_now.main, "restore": restore_from_github.main}
FILES = {"backup": "run_backup_now.py", "restore": "restore_from_github.py"}


@dataclass
class Said:
    """What a script ended with and said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document of `--json`."""
        return json.loads(self.out)


@dataclass
class Place:
    """Everything that a backup touches."""

    home: Path
    dsn: str
    github: GitServer
    db: psycopg.Connection[dict[str, Any]]
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    env: dict[str, str] = field(default_factory=dict)

    def backup(self, *arguments: str, **env: str) -> Said:
        """Runs `run_backup_now.py` in this process."""
        return self._run("backup", arguments, env)

    def restore(self, *arguments: str, **env: str) -> Said:
        """Runs `restore_from_github.py` in this process."""
        return self._run("restore", arguments, env)

    def _run(self, name: str, arguments: tuple[str, ...], env: Mapping[str, str]) -> Said:
        with self.patch.context() as patch:
            for variable, value in {**self.env, **env}.items():
                patch.setenv(variable, value)
            self.capture.readouterr()
            code = SCRIPTS[name](arguments)
            said = self.capture.readouterr()
        return Said(code, said.out, said.err)

    def child(self, name: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Starts a script as a child process; `env` adds variables."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), **self.env, **options.pop("env", {})}
        return subprocess.Popen(
            [sys.executable, str(ROOT / FILES[name]), *arguments],
            env=env,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def insert(self, decision: str, **columns: Any) -> str:
        """A new row; answers its id."""
        values = {"id": str(uuid.uuid4()), "decision": decision, **columns}
        statement = sql.SQL("insert into decision_vault ({}) values ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(sql.Placeholder() * len(values))
        )
        self.db.execute(statement, list(values.values()))
        return str(values["id"])

    def rows(self, table: str = "decision_vault") -> list[dict[str, Any]]:
        """All rows of a table, as JSON has them."""
        found = self.db.execute(sql.SQL("select to_jsonb(t) as row from {} t order by 1").format(sql.Identifier(table)))
        return [each["row"] for each in found]

    @property
    def clone(self) -> Path:
        """The clone on this machine."""
        (found,) = (self.home / ".local" / "backup").glob("*.git")
        return found

    def report(self, name: str = "backup_report") -> Any:
        """A report."""
        return json.loads((self.home / "logs" / "active" / f"{name}.json").read_text())

    def written(self) -> bytes:
        """All that was written in the home folder, but the settings, and all that the repository holds."""
        files = [path for path in self.home.rglob("*") if path.is_file() and path.name != ".env"]
        return b"\n".join(path.read_bytes() for path in files) + self.github.everything()


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitServer]:
    """The git server."""
    with git_server.serve(tmp_path / "backups.git", f"ghp_{secrets.token_hex(18)}") as made:
        yield made


@contextmanager
def opened(
    dsn: str, tmp_path: Path, github: GitServer, capture: pytest.CaptureFixture[str], env: Mapping[str, str]
) -> Iterator[Place]:
    """A place with an empty home folder."""
    home = tmp_path / "home"
    home.mkdir()
    given = {"ANGLES_HOME": str(home), "REPO_URL": github.url, "GITHUB_TOKEN": github.token, **env}
    with (
        closing(psycopg.connect(dsn, autocommit=True, row_factory=dict_row)) as db,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in ("SUPABASE_URL", "DATABASE_URL", "NOTION_TOKEN", "BACKEND_MODE"):
            patch.delenv(name, raising=False)
        yield Place(home, dsn, github, db, capture, patch, given)


@pytest.fixture
def place(worlds: str, tmp_path: Path, github: GitServer, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    """The vault by PostgreSQL itself."""
    empty(worlds)
    with opened(worlds, tmp_path, github, capsys, {"DATABASE_URL": worlds}) as made:
        yield made


@pytest.fixture
def rest_place(
    rest: tuple[str, Project], tmp_path: Path, github: GitServer, capsys: pytest.CaptureFixture[str]
) -> Iterator[Place]:
    """The vault by Supabase's REST API."""
    dsn, project = rest
    empty(dsn)
    env = {"SUPABASE_URL": project.url, "SUPABASE_KEY": project.secret}
    with opened(dsn, tmp_path, github, capsys, env) as made:
        yield made
