"""Many and large outputs: in batches, counted once, in bounded memory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tests.world import ROOT
from utils.intake.keep import Terms
from utils.intake.model import Found, Message
from utils.intake.report import KEPT
from utils.intake.take import Taker
from utils.stores.base import Vault
from utils.stores.postgres import PostgresTransport

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def each_line(message: Message) -> list[Found]:
    """Every line of a message as a decision."""
    return [Found(line, "", "other", "", 1, message) for line in message.text.splitlines()]


@pytest.fixture
def vault(dsn: str) -> Iterator[Vault]:
    """An empty vault."""
    opened = Vault(PostgresTransport(dsn))
    yield opened
    opened.close()


def test_thousands_go_in_batches_and_are_counted_once(vault: Vault) -> None:
    lines = [f"Decision number {number}" for number in range(1200)]
    taker = Taker(vault, "run", Terms(0.6, str), each_line)
    taker.process(["-"], io.BytesIO("\n".join([*lines, *lines[:700]]).encode()), NOW)
    assert (taker.report.taken, taker.report.known, vault.requests) == (1200, 700, 5)
    assert len(taker.report.items) == KEPT
    assert list(taker.report.lines)[-1] == "… and 1,180 more"


def test_large_decisions_go_in_batches_of_a_megabyte(vault: Vault) -> None:
    taker = Taker(vault, "run", Terms(0.6, str), each_line)
    text = "\n".join(f"{number} {'wide ' * 2_000}" for number in range(300))
    taker.process(["-"], io.BytesIO(text.encode()), NOW)
    assert (taker.report.taken, vault.requests) == (300, 5)
    assert {len(row["decision"]) for row in vault.rows()} == {10_000}


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells a program its own peak")
def test_a_long_file_is_taken_in_bounded_memory(
    dsn: str, tmp_path: Path, request: pytest.FixtureRequest, figure: Callable[[str], None]
) -> None:
    messages = 200_000 if request.config.getoption("--long") else 10_000
    path = tmp_path / "long.jsonl"
    filler = "words of no weight " * 50
    with path.open("w", encoding="utf-8") as out:
        for number in range(messages):
            text = f"{filler}{number}" if number % 20 else f"Decision: Keep number {number}"
            out.write(json.dumps({"role": "assistant", "content": text, "model": "gpt-4o"}) + "\n")
    code = "import sys, memory_sync; memory_sync.main(sys.argv[1:]); print(open('/proc/self/status').read())"
    ended = subprocess.run(
        [sys.executable, "-c", code, "--process", str(path)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ANGLES_HOME": str(tmp_path), "DATABASE_URL": dsn},
        capture_output=True,
        text=True,
        check=True,
    )
    with psycopg.connect(dsn) as db:
        assert db.execute("select count(*) from decision_vault").fetchone() == (messages // 20,)
    peak = next(line.split()[1] for line in ended.stdout.splitlines() if line.startswith("VmHWM:"))
    assert int(peak) < 100_000
    figure(f"intake: {messages:,} messages in {int(peak) // 1024} MB")
