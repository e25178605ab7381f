"""The transports that the vault's contract is held against, each on a real server: a line each in TRANSPORTS."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from tests import supabase_lite
from tests.conftest import at
from utils.local.binaries import Programs, programs
from utils.local.postgres import Server
from utils.migrations import migrate
from utils.stores.base import Transport, Vault
from utils.stores.postgres import PostgresTransport
from utils.stores.supabase import RestTransport
from utils.sync import lease

FIFTEEN = Path("/usr/lib/postgresql/15/bin")
TRANSPORTS: Mapping[str, tuple[str, str]] = {
    "postgres": ("server", "by_postgres"),
    "postgres-15": ("server_15", "by_postgres"),
    "supabase": ("server", "by_rest"),
}
"""The fixtures of a server's DSN, and of what opens a transport to one of its databases."""

_NUMBER = itertools.count(1)


@dataclass
class Store:
    """A migrated, empty vault of this test's own; `db` is another client of its database."""

    dsn: str
    connect: Callable[[str], Transport]
    db: psycopg.Connection[dict[str, Any]]
    vault: Vault
    opened: list[Vault] = field(default_factory=list)

    def another(self) -> Vault:
        """The vault as another process sees it."""
        vault = Vault(self.connect(self.dsn))
        self.opened.append(vault)
        return vault

    def begin(self, run: str = "run") -> int:
        """Takes the lease; answers the fence."""
        fence = self.vault.begin(lease.holder(run)).fence
        assert fence is not None
        return fence

    def one(self, statement: str, *arguments: Any) -> dict[str, Any]:
        """One row that the other client sees."""
        found = self.db.execute(statement.encode(), arguments).fetchone()
        assert found is not None
        return found


@contextmanager
def postgres_15(parent: Path) -> Iterator[str]:
    """A throw-away server of PostgreSQL 15, where the system has one; its DSN."""
    if not (FIFTEEN / "postgres").is_file():
        pytest.skip("PostgreSQL 15 is not installed on this system")
    ours = programs()
    found = Programs(FIFTEEN, ours.user, ours.group)
    folder = Path(tempfile.mkdtemp(prefix="angles-15-", dir=None if found.user is not None else parent))
    try:
        found.own(folder)
        server = Server(found, folder / "data", "fifteen", durable=False)
        try:
            yield server.start()
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server_15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the oldest version that hosted Supabase has."""
    with postgres_15(tmp_path_factory.mktemp("postgres15")) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def by_postgres() -> Callable[[str], Transport]:
    """Opens PostgreSQL's own protocol."""
    return PostgresTransport


@pytest.fixture(scope="session")
def by_rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Transport]]:
    """Opens Supabase's REST API, which is started for each database once."""
    with ExitStack() as stack:

        @cache
        def project(dsn: str) -> supabase_lite.Project:
            return stack.enter_context(supabase_lite.serve(dsn, tmp_path_factory.mktemp("rest")))

        yield lambda dsn: RestTransport(project(dsn).url, project(dsn).secret)


@pytest.fixture(params=TRANSPORTS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The vault over each transport in turn, emptied before each test."""
    server, connect = map(request.getfixturevalue, TRANSPORTS[request.param])
    dsn = _migrated(server, f"contract_{request.param}")
    with _opened(dsn, connect) as made:
        made.db.execute("set session_replication_role = replica")
        made.db.execute(
            "delete from decision_vault; delete from agent_activity; delete from decision_history;"
            "delete from sync_links; delete from sync_log; delete from sync_state; delete from leases;"
            "delete from intake_items"
        )
        made.db.execute("reset session_replication_role")
        yield made


@pytest.fixture(params=TRANSPORTS)
def altered_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The same with a database of its own, whose tables the test may alter."""
    server, connect = map(request.getfixturevalue, TRANSPORTS[request.param])
    with _opened(_migrated(server, f"altered_{next(_NUMBER)}"), connect) as made:
        yield made


@contextmanager
def _opened(dsn: str, connect: Callable[[str], Transport]) -> Iterator[Store]:
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as db:
        made = Store(dsn, connect, db, Vault(connect(dsn)))
        try:
            yield made
        finally:
            for vault in (made.vault, *made.opened):
                vault.close()


def _migrated(server: str, name: str) -> str:
    """The DSN of a migrated database on a server, made where there is none."""
    with psycopg.connect(server, autocommit=True) as owner:
        if not owner.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            owner.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            migrate(at(server, name), now=datetime.now(UTC))
    return at(server, name)
