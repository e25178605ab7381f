"""Prints the figures of the sync: start-up, silent runs, first syncs, memory. No test: nothing here fails.

    python tests/bench/bench_sync.py              all but the rate-limited first sync
    python tests/bench/bench_sync.py --rate       that one too (about 6 minutes at 3 requests a second)
    python tests/bench/bench_sync.py --rows 2000  a smaller large vault
    python tests/bench/bench_sync.py --supabase   through Supabase's REST API instead of PostgreSQL

Every run is a child process against servers in processes of their own; seconds are from its start to its exit, memory
is the peak of its resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402

from tests import supabase_lite  # noqa: E402
from utils.local.postgres import scratch  # noqa: E402
from utils.migrations import migrate  # noqa: E402

SCRIPTS = ("memory_sync.py", "run_migration.py", "run_all.py")


@dataclass(frozen=True)
class Ran:
    """One child process: what `--json` said, seconds, peak resident megabytes."""

    said: Mapping[str, Any]
    seconds: float
    megabytes: float

    def __str__(self) -> str:
        requests = self.said.get("requests", {})
        done = ", ".join(f"{self.said[name]} {name}" for name in ("copied", "merged", "retired", "failed") if self.said)
        return (
            f"{self.seconds:6.2f} s  {self.megabytes:5.0f} MB  {requests.get('notion', 0):6} to Notion  "
            f"{requests.get('vault', 0):4} to the vault  {done}"
        )


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", action="store_true", help="also a first sync of 1,000 at 3 requests a second")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the large vault")
    parser.add_argument("--supabase", action="store_true", help="reach the vault by Supabase's REST API")
    options = parser.parse_args()
    start_up()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        fresh_checkout(folder / "fresh")
        with scratch(folder) as dsn:
            for rows in (100, options.rows):
                silent_run(Place(dsn, folder / f"silent {rows}", options.supabase), rows)
            first_sync(Place(dsn, folder / "first", options.supabase), 0)
            if options.rate:
                first_sync(Place(dsn, folder / "rated", options.supabase), 3)


def start_up() -> None:
    """`--help` of each script beside a bare interpreter, in turn."""
    commands = {"bare": [sys.executable, "-c", "pass"]}
    commands |= {script: [sys.executable, str(ROOT / script), "--help"] for script in SCRIPTS}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(15):
        for name, command in commands.items():
            times[name].append(run(command, os.environ).seconds)
    bare = statistics.median(times["bare"])
    for script in SCRIPTS:
        over = statistics.median(times[script]) - bare
        print(f"--help of {script}: {over:.3f} s over a bare interpreter ({bare:.3f} s)")


def fresh_checkout(home: Path) -> None:
    """run_all.py in local mode, the first time and again."""
    home.mkdir()
    env = {"PATH": os.environ["PATH"], "ANGLES_HOME": str(home)}
    for when in ("first", "again"):
        ran = run([sys.executable, str(ROOT / "run_all.py")], env)
        print(f"run_all.py in local mode, {when}: {ran.seconds:.1f} s")


@dataclass(frozen=True)
class Place:
    """Where one measurement is made: a server, a folder that is not there yet, and by which of the stores."""

    dsn: str
    folder: Path
    supabase: bool


def silent_run(place: Place, rows: int) -> None:
    """A first sync, the run that sees its writes once more, and runs that find nothing to do."""
    with prepared(place, rows, 0) as both:
        print(f"{rows} decisions, first sync:    {both.sync()}")
        both.advance(240)
        print(f"{rows} decisions, settling run:  {both.sync()}")
        both.advance(240)
        runs = sorted((both.sync() for _ in range(5)), key=lambda ran: ran.seconds)
        print(f"{rows} decisions, nothing to do: {runs[2]}  (median of 5)")


def first_sync(place: Place, rate: int) -> None:
    """A first sync of 1,000 decisions."""
    with prepared(place, 1000, rate) as both:
        ran = both.sync()
        print(f"first sync of 1000, {f'{rate} requests a second' if rate else 'unlimited'}: {ran}")
        if rate:
            print(f"  seconds / (requests / {rate}) = {ran.seconds / (ran.said['requests']['notion'] / rate):.3f}")


@dataclass(frozen=True)
class Both:
    """A vault and a sandbox for one measurement."""

    env: Mapping[str, str]
    control_key: str

    def sync(self) -> Ran:
        """One run of memory_sync.py."""
        return run([sys.executable, str(ROOT / "memory_sync.py"), "--json"], self.env)

    def advance(self, seconds: int) -> None:
        """Sets the sandbox's clock on."""
        request = urllib.request.Request(
            f"{self.env['NOTION_BASE_URL']}/control/advance",
            data=json.dumps({"seconds": seconds}).encode(),
            headers={"X-Control-Key": self.control_key, "Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def prepared(place: Place, rows: int, rate: int) -> Iterator[Both]:
    """A database with rows, and an empty sandbox in a process of its own."""
    place.folder.mkdir()
    with ExitStack() as stack:
        env = {"DATABASE_URL": filled(place.dsn, rows)}
        if place.supabase:
            project = stack.enter_context(supabase_lite.serve(env["DATABASE_URL"], place.folder))
            env |= {"SUPABASE_URL": project.url, "SUPABASE_KEY": project.secret}
        told = stack.enter_context(sandbox(place.folder, rate))
        env |= {key: told[key] for key in ("NOTION_TOKEN", "NOTION_DATABASE_ID", "NOTION_BASE_URL")}
        env |= {"PATH": os.environ["PATH"], "ANGLES_HOME": str(place.folder), "NOTION_REQUESTS_PER_SECOND": str(rate)}
        yield Both(env, told["NOTION_CONTROL_KEY"])


def filled(dsn: str, rows: int) -> str:
    """The DSN of a new database with so many decisions."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    database = dsn.rsplit("/", 1)[0] + "/" + name
    migrate(database, now=datetime.now(UTC))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into decision_vault (decision, date, type, comment)"
            " select 'Decision ' || n, date '2024-01-01' + n %% 700,"
            " (array['process', 'technical', 'other'])[1 + n %% 3],"
            " repeat('because ', n %% 20) from generate_series(1, %s) n",
            (rows,),
        )
    return database


@contextmanager
def sandbox(folder: Path, rate: int) -> Iterator[Mapping[str, str]]:
    """A Notion sandbox in a process of its own; what it prints."""
    command = [sys.executable, "-u", "-m", "utils.local.notion", "--port", "0", "--store", str(folder / "notion.db")]
    server = subprocess.Popen(
        [*command, *(["--rate", str(rate)] if rate else [])], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        yield _told(server)
    finally:
        server.terminate()
        server.wait(timeout=10)


def run(command: list[str], env: Mapping[str, str]) -> Ran:
    """Runs a child process to its end."""
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        child = subprocess.Popen(command, env=dict(env), stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    said = json.loads(text) if text.startswith("{") else {}
    return Ran(said, seconds, usage.ru_maxrss / 1024)


def _told(server: subprocess.Popen[str]) -> dict[str, str]:
    """What the sandbox prints when it serves."""
    told: dict[str, str] = {}
    while "NOTION_CONTROL_KEY" not in told:
        line = server.stdout.readline() if server.stdout else ""
        if not line:
            raise SystemExit("the sandbox did not start")
        key, _, value = line.strip().partition("=")
        told[key] = value
    return told


if __name__ == "__main__":
    main()
