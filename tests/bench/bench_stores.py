"""Prints what the two stores cost beside their bare clients: 10,000 decisions read, and 10,000 upserted.

    python tests/bench/bench_stores.py [--rows 10000] [--rounds 5]

All four do the same work in turn, round by round, against one PostgreSQL server; ratios are medians of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402
import psycopg  # noqa: E402
import supabase  # noqa: E402
from psycopg.rows import dict_row  # noqa: E402

from tests import supabase_lite  # noqa: E402
from utils.local.postgres import scratch  # noqa: E402
from utils.migrations import migrate  # noqa: E402
from utils.stores.base import Vault  # noqa: E402
from utils.stores.postgres import PostgresTransport  # noqa: E402
from utils.stores.supabase import RestTransport  # noqa: E402

BATCH = 500
CAP = 1000
COLUMNS = ("id", "decision", "date", "type", "active", "comment")


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with scratch(folder) as dsn:
            migrate(dsn, now=datetime.now(UTC))
            with supabase_lite.serve(dsn, folder) as project, psycopg.connect(dsn, autocommit=True) as database:
                measure(dsn, project, database, options)


def measure(
    dsn: str, project: supabase_lite.Project, database: psycopg.Connection[Any], options: argparse.Namespace
) -> None:
    """Runs all four, round by round, and prints medians and ratios."""
    postgres, rest = Vault(PostgresTransport(dsn)), Vault(RestTransport(project.url, project.secret))
    http = httpx.Client(http2=False, timeout=60)
    bare = supabase.create_client(project.url, project.secret, supabase.ClientOptions(httpx_client=http))
    rows = [decision(number) for number in range(options.rows)]
    kinds: Mapping[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "psycopg": (lambda: list(read_bare(database)), lambda: write_bare(database, rows)),
        "PostgreSQL store": (lambda: list(postgres.rows()), lambda: postgres.add(rows)),
        "supabase-py": (lambda: read_rest(bare), lambda: write_rest(bare, rows)),
        "Supabase store": (lambda: list(rest.rows()), lambda: rest.add(rows)),
    }
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for _ in range(options.rounds + 1):
        for name, (read, write) in kinds.items():
            database.execute("delete from decision_vault")
            database.execute("delete from decision_history")
            database.execute("vacuum analyze decision_vault")
            written = timed(write)
            database.execute("analyze decision_vault")  # as autovacuum does within a minute
            found, count = timed(read), len(read())
            if count != options.rows:
                raise SystemExit(f"{name} read {count} of {options.rows} rows")
            seconds[name].append((found, written))
    for name in kinds:
        seconds[name] = seconds[name][1:]
        read_median, write_median = (statistics.median(times) for times in zip(*seconds[name], strict=True))
        print(f"{name:<17} read {read_median:6.3f} s   upserted {write_median:6.3f} s")
    for store, client in (("PostgreSQL store", "psycopg"), ("Supabase store", "supabase-py")):
        for place, what in enumerate(("read", "upserted")):
            pairs = zip(seconds[store], seconds[client], strict=True)
            ratio = statistics.median(ours[place] / theirs[place] for ours, theirs in pairs)
            print(f"{store} / {client}, {what}: {ratio:.2f}")
    postgres.close()
    rest.close()
    http.close()


def decision(number: int) -> dict[str, Any]:
    """One decision."""
    return {
        "id": str(uuid.uuid4()),
        "decision": f"Decision {number} about something that matters",
        "date": "2026-01-02",
        "type": f"Type {number % 7}",
        "active": True,
        "comment": "because " * 25,
    }


def read_bare(database: psycopg.Connection[Any]) -> list[Any]:
    """All rows as psycopg gives them, each by its columns' names as every other kind here does."""
    with database.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("select * from decision_vault order by id").fetchall()


def write_bare(database: psycopg.Connection[Any], rows: list[dict[str, Any]]) -> None:
    """Inserts what is new, in batches of one transaction each."""
    names = ", ".join(COLUMNS)
    marks = ", ".join(f"%({name})s" for name in COLUMNS)
    statement = f"insert into decision_vault ({names}) values ({marks}) on conflict (id) do nothing"
    for start in range(0, len(rows), BATCH):
        with database.transaction(), database.cursor() as cursor:
            cursor.executemany(statement, rows[start : start + BATCH])


def read_rest(client: supabase.Client) -> list[Any]:
    """All rows by key, past the cap of 1,000 rows an answer."""
    found: list[Any] = []
    after = "00000000-0000-0000-0000-000000000000"
    while True:
        some = client.table("decision_vault").select("*").gt("id", after).order("id").limit(CAP).execute().data
        found += some
        if len(some) < CAP:
            return found
        after = found[-1]["id"]


def write_rest(client: supabase.Client, rows: list[dict[str, Any]]) -> None:
    """Inserts what is new, in batches."""
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        client.table("decision_vault").upsert(some, ignore_duplicates=True, default_to_null=False).execute()


def timed(work: Callable[[], Any]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
