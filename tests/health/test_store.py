"""What the monitor keeps: a document replaced as a whole, samples for a week, days for ninety."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from utils import state
from utils.health import store
from utils.health.model import Finding, Result, State
from utils.health.store import Day

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def result(found: State = State.UP, seconds: float | None = 0.5, value: float | None = 7) -> Result:
    return Result("disk", "machine", Finding(found, "seen", value=value), seconds)


def test_the_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = store.document([result(State.WARN)], NOW, "run", 1.23456, healed=[])
    store.save(tmp_path, made)
    found = store.read(tmp_path)
    assert found == {**made, "decisions": None}
    assert (made["schema"], made["at"], made["verdict"], made["exit_code"]) == (1, NOW.isoformat(), "warn", 1)


def test_how_many_decisions_there_are_stays_known_while_they_cannot_be_counted(tmp_path: Path) -> None:
    details = {"active": 6, "types": {"Process": 7}, "weeks": []}
    counted = Result("decisions", "database", Finding(State.UP, "7 decisions", value=7, details=details))
    store.save(tmp_path, store.document([counted], NOW, "run", 1.0))
    skipped = Result("decisions", "database", Finding(State.SKIPPED, "the vault is not running"))
    store.save(tmp_path, store.document([skipped], NOW + timedelta(hours=1), "run", 1.0))
    found = store.read(tmp_path)
    assert found is not None
    assert found["decisions"] == {"at": NOW.isoformat(), "total": 7, **details}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99}', '{"schema": 1}'])
def test_a_damaged_or_newer_document_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / store.DOCUMENT
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert store.read(tmp_path) is None


def test_samples_are_kept_for_a_week_and_days_for_ninety(tmp_path: Path) -> None:
    with state.open_state(tmp_path / state.STATE_FILE) as db:
        for days in (100, 89, 8, 6, 0):
            store.keep(db, [result()], NOW - timedelta(days=days))
        samples = store.samples(db, "disk", NOW - timedelta(days=400))
        assert samples == [(int((NOW - timedelta(days=days)).timestamp()), State.UP, 7, 0.5) for days in (6, 0)]
        assert [each.day for each in store.days(db)["disk"]] == ["2026-08-28", "2026-11-17", "2026-11-19", "2026-11-25"]


def test_a_day_counts_its_states_and_the_mean_of_what_was_timed(tmp_path: Path) -> None:
    with state.open_state(tmp_path / state.STATE_FILE) as db:
        looks = [result(), result(State.DOWN, 1.5), result(State.WARN, None), result(State.SKIPPED, None)]
        for minute, each in enumerate(looks):
            store.keep(db, [each], NOW + timedelta(minutes=minute))
        assert store.days(db) == {"disk": [Day("2026-11-25", 1, 1, 1, 1, 1.0)]}


def test_the_state_is_copied_once_a_day(tmp_path: Path) -> None:
    copy, now = store.good_copy(tmp_path), datetime.now(UTC)
    with state.open_state(tmp_path / state.STATE_FILE) as db:
        store.keep(db, [result()], now)
        store.copy(tmp_path, db, now)
        first = copy.stat().st_ino
        store.copy(tmp_path, db, now + timedelta(hours=19))
        assert copy.stat().st_ino == first
        store.copy(tmp_path, db, now + timedelta(hours=21))
        assert copy.stat().st_ino != first
    with state.open_state(copy) as db:
        assert "disk" in store.days(db)
    assert not list(copy.parent.glob(".angles-*"))
