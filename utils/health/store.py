"""What the monitor keeps: the last results as a document, samples and days in `state.db`.

`system_health.json` is replaced as a whole. Every run leaves a sample of each check and adds to its day; samples are
kept for a week (the pace at which a disk fills, sparklines), days for 90.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from utils import state
from utils.files import TEMPORARY, write_atomic
from utils.health import model
from utils.health.model import Result, State

DOCUMENT = Path("logs", "active", "system_health.json")
KEEP_SAMPLES = timedelta(days=7)
KEEP_DAYS = timedelta(days=90)
COPY_AFTER = timedelta(hours=20)
"""How old the copy of the state becomes."""

_COLUMNS = {State.UP: "up", State.WARN: "warn", State.DOWN: "down"}


@dataclass(frozen=True)
class Day:
    """A check's day: how many looks found it in which state, and the mean seconds of those that were timed."""

    day: str
    up: int
    warn: int
    down: int
    other: int
    seconds: float | None


def document(results: Sequence[Result], now: datetime, run_id: str, seconds: float, **more: Any) -> dict[str, Any]:
    """The document of a run: `system_health.json`, and `--json`."""
    return {
        "schema": model.SCHEMA,
        "at": now.isoformat(),
        "run": run_id,
        "verdict": model.verdict(results).value,
        "exit_code": model.exit_code(results),
        "summary": model.summary(results),
        "seconds": round(seconds, 3),
        **more,
        "results": [result.json() for result in results],
    }


def save(home: Path, made: Mapping[str, Any]) -> None:
    """Replaces the document; how many decisions there are, where this run could not count them, stays as it was.

    Raises:
        AnglesError: it cannot be written.
    """
    whole = {**made, "decisions": _counted(made) or (read(home) or {}).get("decisions")}
    write_atomic(home / DOCUMENT, json.dumps(whole, indent=1, default=str) + "\n")


def _counted(made: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a run counted: {at, total, active, types, weeks}."""
    found = next((each for each in made["results"] if each["name"] == "decisions" and each["details"]), None)
    return found and {"at": made["at"], "total": found["value"], **found["details"]}


def read(home: Path) -> dict[str, Any] | None:
    """The last document; None where there is none, or it is damaged or of another version."""
    try:
        found = json.loads((home / DOCUMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(found, dict) and found.get("schema") == model.SCHEMA and "results" in found
    return found if whole else None


def keep(db: sqlite3.Connection, results: Sequence[Result], now: datetime) -> None:
    """Adds a sample of each result, and to its day; forgets what is too old."""
    at, day = int(now.timestamp()), f"{now:%Y-%m-%d}"
    db.execute("begin immediate")
    with db:
        for result in results:
            db.execute(
                "insert or replace into health_samples(name, at, state, value, seconds) values (?, ?, ?, ?, ?)",
                (result.name, at, result.state.value, result.finding.value, result.seconds),
            )
            column = _COLUMNS.get(result.state, "other")
            timed = 0 if result.seconds is None else 1
            db.execute(
                "insert into health_days(name, day, up, warn, down, other, seconds, timed)"
                " values (:name, :day, :up, :warn, :down, :other, :seconds, :timed)"
                " on conflict (name, day) do update set up = up + excluded.up, warn = warn + excluded.warn,"
                " down = down + excluded.down, other = other + excluded.other, seconds = seconds + excluded.seconds,"
                " timed = timed + excluded.timed",
                {
                    **dict.fromkeys(("up", "warn", "down", "other"), 0),
                    "name": result.name,
                    "day": day,
                    column: 1,
                    "seconds": result.seconds or 0.0,
                    "timed": timed,
                },
            )
        db.execute("delete from health_samples where at < ?", (int((now - KEEP_SAMPLES).timestamp()),))
        db.execute("delete from health_days where day < ?", (f"{now - KEEP_DAYS:%Y-%m-%d}",))
        db.execute("delete from heals where at < ?", (int((now - KEEP_DAYS).timestamp()),))


def samples(db: sqlite3.Connection, name: str, since: datetime) -> list[tuple[int, State, float | None, float | None]]:
    """A check's samples in the order of time: when (seconds from the epoch), state, value, seconds."""
    rows = db.execute(
        "select at, state, value, seconds from health_samples where name = ? and at >= ? order by at",
        (name, int(since.timestamp())),
    )
    return [(at, State(found), value, seconds) for at, found, value, seconds in rows]


def days(db: sqlite3.Connection) -> dict[str, list[Day]]:
    """The days of all checks, in the order of time."""
    found: dict[str, list[Day]] = {}
    rows = db.execute("select name, day, up, warn, down, other, seconds, timed from health_days order by name, day")
    for name, day, up, warn, down, other, seconds, timed in rows:
        found.setdefault(name, []).append(Day(day, up, warn, down, other, seconds / timed if timed else None))
    return found


def happened(db: sqlite3.Connection, count: int) -> list[tuple[datetime, str, str, str]]:
    """What was alerted and what was mended, the newest first: when, the word for it, the subject, the text."""
    told = db.execute("select at, kind, subject, text from alerts order by id desc limit ?", (count,))
    found = [(datetime.fromisoformat(at), kind, subject, text) for at, kind, subject, text in told]
    healed = db.execute("select at, outcome, action, detail from heals order by id desc limit ?", (count,))
    found += [(datetime.fromtimestamp(at, UTC), outcome, action, detail) for at, outcome, action, detail in healed]
    return sorted(found, reverse=True)[:count]


def good_copy(home: Path) -> Path:
    """Where the last good copy of `state.db` is."""
    return home / f"{state.STATE_FILE}.good"


def copy(home: Path, db: sqlite3.Connection, now: datetime) -> None:
    """Keeps a copy of the state, which was found sound when it was opened; one a day."""
    path = good_copy(home)
    if path.is_file() and timedelta(0) <= now - datetime.fromtimestamp(path.stat().st_mtime, UTC) < COPY_AFTER:
        return
    beside = path.with_name(f"{TEMPORARY}state.tmp")
    beside.unlink(missing_ok=True)
    db.execute("vacuum into ?", (str(beside),))
    beside.replace(path)
