"""Prints what a backup costs beside the same done by hand, and what its proofs take.

    python tests/bench/bench_backup.py [--rows 10000] [--rounds 5] [--days 0]

By hand: the vault is exported to the same files, then `git add`, `git commit` and `git push` of a working tree. Both go
to a bare repository on this disk, round by round: first into new ones, then with 10 rows changed. Figures are medians.
With --days the repository's size after so many daily backups is printed too.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402

from utils.backup import export, proof, snapshot  # noqa: E402
from utils.backup.clean import cleaned  # noqa: E402
from utils.backup.publish import verify  # noqa: E402
from utils.backup.run import Backup, Report  # noqa: E402
from utils.config import Mode, Settings, VaultSettings  # noqa: E402
from utils.git_helpers import Remote, make_bare  # noqa: E402
from utils.local.postgres import scratch  # noqa: E402
from utils.migrations import migrate  # noqa: E402
from utils.redact import Redactor  # noqa: E402
from utils.sections import BackupSettings  # noqa: E402
from utils.stores.base import Vault  # noqa: E402
from utils.stores.postgres import PostgresTransport  # noqa: E402

WORDS = (ROOT / "README.md").read_text(encoding="utf-8").split()
GIT = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
GIT |= {f"GIT_{role}_{what}": "hand" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--days", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with scratch(folder) as dsn:
            migrate(dsn, now=datetime.now(UTC))
            with psycopg.connect(dsn, autocommit=True) as db, closing(Vault(PostgresTransport(dsn))) as vault:
                fill(db, options.rows)
                benches = [Bench(folder / f"round {number}", dsn, vault) for number in range(options.rounds)]
                measure("first backup", [lambda: None for _ in benches], benches)
                bench = benches[-1]
                edits = [partial(change, db, number) for number in range(options.rounds)]
                measure("10 rows changed", edits, [bench] * options.rounds)
                prove(bench)
                if options.days:
                    year(bench, db, options.days)


class Bench:
    """One vault, and a repository for each way."""

    def __init__(self, folder: Path, dsn: str, vault: Vault) -> None:
        folder.mkdir()
        self.folder, self.vault = folder, vault
        self.source = VaultSettings(dsn=dsn)
        self.settings = Settings(folder / "home", Mode.CONFIGURED, self.source)
        self.ours, self.hand = folder / "ours.git", folder / "hand.git"
        for each in (self.ours, self.hand):
            make_bare(each)
        self.remote = Remote(str(self.ours), "angles-backup")
        self.redactor = Redactor(["a configured secret of some length"])
        self.tree = folder / "tree"
        self.git("init", "--quiet", "--initial-branch=main", str(self.tree), at=folder)

    def git(self, *arguments: str, at: Path | None = None) -> None:
        """Git by hand."""
        subprocess.run(["git", *arguments], cwd=at or self.tree, env=GIT, check=True, capture_output=True)

    def by_hand(self) -> None:
        """The export and git's three commands."""
        reading = export.read(self.source, self.vault)
        for table in snapshot.TABLES:
            for path, data in snapshot.shards(table, reading.rows[table.name]).items():
                (self.tree / path).parent.mkdir(parents=True, exist_ok=True)
                (self.tree / path).write_bytes(data)
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", "backup")
        self.git("push", "--quiet", str(self.hand), "main")

    def backup(self, now: datetime | None = None) -> dict[str, float]:
        """A whole backup; the seconds of its stages."""
        report, last = Report("bench", now or datetime.now(UTC), "", ""), [time.perf_counter()]

        def lap(stage: str) -> None:
            report.seconds[stage], last[0] = time.perf_counter() - last[0], time.perf_counter()
            if stage == "push":
                report.seconds["processor"] = processor() - before

        before = processor()
        Backup(self.settings, BackupSettings(paths=()), self.remote, self.redactor, report, lap).run(self.vault)
        assert report.outcome == "pushed", report
        return report.seconds


def measure(what: str, edits: Sequence[Callable[[], object]], benches: Sequence[Bench]) -> None:
    """A backup each way after each edit, in turn."""
    ours, hands = [], []
    for edit, bench in zip(edits, benches, strict=True):
        edit()
        ours.append(bench.backup())
        hands.append(timed(bench.by_hand))
    middle = {name: statistics.median(each[name] for each in ours) for name in ours[0]}
    told(what, middle, (statistics.median(wall for wall, _ in hands), statistics.median(cpu for _, cpu in hands)))


def told(what: str, seconds: dict[str, float], hand: tuple[float, float]) -> None:
    """Prints one comparison: seconds until it is pushed, and processor seconds, which a busy machine changes less."""
    made = sum(value for name, value in seconds.items() if name not in {"verify", "processor"})
    stages = ", ".join(f"{name} {value:.2f}" for name, value in seconds.items())
    print(f"{what}: {made:.2f} s, by hand {hand[0]:.2f} s, ratio {made / hand[0]:.2f} ({stages})")
    busy, by_hand = seconds["processor"], hand[1]
    print(f"  processor time {busy:.2f} s, by hand {by_hand:.2f} s, ratio {busy / by_hand:.2f}")


def prove(bench: Bench) -> None:
    """The proofs' times."""
    began = time.perf_counter()
    found = verify(bench.folder, bench.remote, bench.redactor)
    cloned = time.perf_counter()
    made = proof.Proof("bench", datetime.now(UTC))
    rows, known = proof.restored(found.snapshot, bench.folder, datetime.now(UTC))
    restored = time.perf_counter()
    proof.compare_restored(found.snapshot, rows, known, made)
    proof.compare_live(found.snapshot, export.read(bench.source, bench.vault).rows, found.taken, bench.redactor, made)
    assert not made.differences, made.differences[:3]
    ended = time.perf_counter()
    size = sum(map(len, found.snapshot.files.values())) / 1e6
    redaction, _ = timed(lambda: [cleaned(path, data, bench.redactor) for path, data in found.snapshot.files.items()])
    print(f"redaction {size / redaction:.1f} MB/s")
    print(
        f"verify {cloned - began:.2f} s ({size:.1f} MB), scratch restore {restored - cloned:.2f} s,"
        f" compare {ended - restored:.2f} s"
    )


def year(bench: Bench, db: psycopg.Connection[Any], days: int) -> None:
    """The repository's size after so many days with 10 rows changed each."""
    now = datetime.now(UTC)
    for day in range(days):
        change(db, 1000 + day)
        bench.backup(now + timedelta(days=day))
    loose = size_of(bench.ours)
    bench.git("gc", "--quiet", at=bench.ours)
    print(f"{days} daily backups: {loose:.1f} MB, {size_of(bench.ours):.1f} MB after gc")


def size_of(folder: Path) -> float:
    """Megabytes on disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def fill(db: psycopg.Connection[Any], count: int) -> None:
    """Decisions."""
    source = random.Random(1)
    with db.cursor() as cursor:
        rows = [
            (
                uuid.UUID(int=source.getrandbits(128)),
                " ".join(source.choices(WORDS, k=8)),
                " ".join(source.choices(WORDS, k=15)),
            )
            for _ in range(count)
        ]
        cursor.executemany("insert into decision_vault (id, decision, comment) values (%s, %s, %s)", rows)


def change(db: psycopg.Connection[Any], number: int) -> None:
    """Edits ten rows."""
    chosen = "select id from decision_vault order by md5(id::text || %s) limit 10"
    statement = f"update decision_vault set comment = %s where id in ({chosen})"
    db.execute(statement.encode(), (f"changed {number}", str(number)))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds that something takes, and processor seconds."""
    began, before = time.perf_counter(), processor()
    work()
    return time.perf_counter() - began, processor() - before


def processor() -> float:
    """Processor seconds of this process and its children so far."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
