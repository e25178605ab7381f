"""What the tests share: one throw-away PostgreSQL, a database and a Notion sandbox for each test."""

from __future__ import annotations

import functools
import itertools
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from tests import supabase_lite
from tests.supabase_lite import Project
from tests.world import ROOT, TABLES, World
from utils.local.binaries import ROOT_FOLDER
from utils.local.notion import serve
from utils.local.postgres import scratch
from utils.migrations import migrate
from utils.stores.base import Transport
from utils.stores.postgres import PostgresTransport

_NUMBER = itertools.count(1)

settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of this suite."""
    parser.addoption("--long", action="store_true", help="run the long proofs at their full length")
    parser.addoption("--steps", type=int, help="how many steps the random histories take at least")


def pytest_configure() -> None:
    """What runs in the background of a shell ignores Ctrl-C, and so would every child that a test interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


NOBODY = 65534
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Captured text that is no UTF-8, which some tests are about, must reach the process that shows it."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says a figure that a test measured, such as `240 of 240 crash points converge`, after the last test."""
    return lambda line: record_property("figure", line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows the figures, in whichever process they were measured."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    properties = [each for report in reports for each in getattr(report, "user_properties", ())]
    lines = dict.fromkeys(str(line) for name, line in properties if name == "figure")
    if lines:
        terminalreporter.section("figures", sep="-")
    for line in lines:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server for the whole run; a DSN of its maintenance database."""
    with scratch(tmp_path_factory.mktemp("postgres")) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def template(server: str) -> str:
    """The name of a database that is migrated and empty."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create database template_angles")
    migrate(at(server, "template_angles"), now=datetime.now(UTC))
    return "template_angles"


@pytest.fixture
def dsn(server: str, template: str) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    name = f"test_{next(_NUMBER)}"
    yield made(server, template, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def worlds(server: str, template: str) -> str:
    """A migrated database for the whole run: who uses it empties it first, which is quicker than to make one."""
    return made(server, template, "worlds")


@pytest.fixture(scope="session")
def lender(worlds: str) -> Iterator[Transport]:
    """A transport to that database, for the runs of all tests."""
    transport = PostgresTransport(worlds)
    yield transport
    transport.close()


@pytest.fixture(scope="session")
def somebody_else() -> int:
    """The id of a user who is not root, our own where we are not; skips where that user cannot reach this checkout."""
    if os.geteuid():
        return os.geteuid()
    try:
        subprocess.run([sys.executable, "-c", "import utils.script"], user=NOBODY, cwd=ROOT, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nobody but root can reach this checkout")
    return NOBODY


@pytest.fixture(scope="session", autouse=True)
def one_tls_context() -> Iterator[None]:
    """HTTP clients share a TLS context: each would read all certificates, for requests that go to 127.0.0.1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session")
def rest(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Project]]:
    """A migrated database, and Supabase's REST API over it, for the whole run: who uses it empties it first."""
    dsn = made(server, template, "behind_rest")
    with supabase_lite.serve(dsn, tmp_path_factory.mktemp("rest")) as project:
        yield dsn, project


@pytest.fixture(params=["postgres", "supabase"])
def world(request: pytest.FixtureRequest, tmp_path: Path, one_tls_context: None) -> Iterator[World]:
    """Both services, empty, and people who edit on either side; with each store in turn.

    The rules of the sync are checked at every run and, unless the test failed, once more at its end.

    A test to which the store makes no difference names one: `@pytest.mark.parametrize("world", ["postgres"],
    indirect=True)`.
    """
    project: Project | None = None
    transport: Transport | None = None
    if request.param == "postgres":
        dsn, transport = request.getfixturevalue("worlds"), request.getfixturevalue("lender")
    else:
        dsn, project = request.getfixturevalue("rest")
    empty(dsn)
    with serve(tmp_path / "notion.db") as sandbox, World(dsn, sandbox, tmp_path, project, lender=transport) as both:
        yield both
        if not request.node.stash.get(FAILED, False):
            both.watch.close()


def made(server: str, template: str, name: str) -> str:
    """Makes a database as the template is; answers its DSN."""
    statement = sql.SQL("create database {} template {} strategy file_copy")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return at(server, name)


def empty(dsn: str) -> None:
    """Takes every row out of a vault, past the triggers that would note it; quicker than to truncate."""
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute("set session_replication_role = replica")
        db.execute("; ".join(f"delete from {table}" for table in TABLES))


def forget_local(home: Path) -> None:
    """Removes what local mode keeps outside its home when it runs as root."""
    kept = home / ".local" / "instance.json"
    if os.geteuid() == 0 and kept.is_file():
        shutil.rmtree(ROOT_FOLDER / json.loads(kept.read_text(encoding="utf-8"))["instance"], ignore_errors=True)


def at(dsn: str, database: str) -> str:
    """The DSN of another database on the same server."""
    return dsn.rsplit("/", 1)[0] + "/" + database
