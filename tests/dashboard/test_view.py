"""What the page says of what is stored: tables of cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard import homes
from utils.dashboard import metrics, view
from utils.dashboard.stored import Stored
from utils.health import store
from utils.health.store import Day
from utils.schedule.overview import Standing
from utils.state import RunRecord

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TODAY = NOW.date()


def document(wrong: Mapping[str, Any], age: timedelta = timedelta(0)) -> dict[str, Any]:
    counted = {"total": 3, "active": 2, "types": {"Technical": 2, "": 1}, "weeks": []}
    return store.document(homes.results(NOW, wrong), NOW - age, "id", 1.0, decisions=counted)


@pytest.mark.parametrize(
    ("found", "state", "line", "status"),
    [
        (None, "unknown", "Nobody has looked yet", "fail"),
        (document({}), "up", "All is well", "pass"),
        (document({"cpu": homes.THREE["backlog"]}), "warn", "Works, with 1 warning", "warn"),
        (document({"cpu": homes.THREE["notion-properties"]}), "unknown", "1 not known", "warn"),
        (document({"notion": homes.THREE["notion"]}), "down", "1 thing is down", "fail"),
        (document(homes.THREE), "down", "3 things are down", "fail"),
        (document({}, HOUR * 1.5), "up", "All is well", "pass"),
        (document({}, HOUR * 1.6), "down", "Not known: what is seen here is old", "fail"),
        (document({}, -timedelta(minutes=4)), "up", "All is well", "pass"),
        (document({}, -timedelta(minutes=6)), "down", "Not known: what is seen here is old", "fail"),
    ],
    ids=["nothing", "well", "warning", "unknown", "one", "three", "just fresh", "stale", "a bit ahead", "from ahead"],
)
def test_the_verdict(found: dict[str, Any] | None, state: str, line: str, status: str) -> None:
    told = view.verdict(found, NOW, HOUR)
    assert (told.state, told.line, view.status(told)) == (state, line, status)
    assert bool(told.stale) == (line.startswith(("Not known", "Nobody")))


def test_what_is_wrong_is_told_from_bad_to_good() -> None:
    states = [each["state"] for each in view.wrong(document(homes.THREE)["results"])]
    assert states == ["down", "down", "down", "warn", "unknown"]


def test_a_day_is_as_its_worst_check_had_it() -> None:
    days = [[Day("2026-11-25", 24, 0, 0, 0, None)], [Day("2026-11-25", 12, 6, 6, 0, None)]]
    last = view.strip(days, TODAY)[-1]
    assert (last.state, last.share) == ("down", 0.75)


def test_a_warning_works_and_is_shown() -> None:
    last = view.strip([[Day("2026-11-25", 20, 4, 0, 0, None)], [Day("2026-11-25", 24, 0, 0, 0, None)]], TODAY)[-1]
    assert (last.state, last.share) == ("warn", 1.0)


@pytest.mark.parametrize("day", [Day("2026-11-25", 0, 0, 0, 24, None), Day("2026-08-01", 5, 0, 0, 0, None)])
def test_no_data_is_not_up(day: Day) -> None:
    bar = view.strip([[day]], TODAY)
    assert {each.state for each in bar} == {"none"}
    assert view.share(bar) is None
    assert view.percent(view.share(bar)) == "no data"


COUNTS = st.integers(0, 30)
DAYS = st.lists(
    st.builds(
        Day,
        st.integers(0, 100).map(lambda back: (TODAY - timedelta(days=back)).isoformat()),
        *(COUNTS, COUNTS, COUNTS, COUNTS),
        st.none(),
    ),
    max_size=30,
    unique_by=lambda day: day.day,
)


@given(st.lists(DAYS, max_size=4))
def test_the_number_is_the_mean_of_the_bar_and_the_bar_is_90_days(of_checks: list[list[Day]]) -> None:
    bar = view.strip(of_checks, TODAY)
    assert [each.day for each in bar] == [TODAY - timedelta(days=back) for back in range(89, -1, -1)]
    known = [each.share for each in bar if each.state != "none"]
    assert None not in known
    assert (view.share(bar) is None) == (not known)
    drawn = sum(view.path(bar, state).count("M") for state in ("none", "up", "warn", "down"))
    assert drawn == 90
    if any(each.state == "down" for each in bar):
        assert view.percent(view.share(bar)) != "100 %"


@pytest.mark.parametrize(
    ("portion", "text"),
    [(None, "no data"), (1.0, "100 %"), (0.99999, "99.99 %"), (0.5, "50.00 %"), (0.0, "0.00 %")],
)
def test_a_percentage_is_never_rounded_up_to_a_hundred(portion: float | None, text: str) -> None:
    assert view.percent(portion) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0002, "under 1 ms"),
        (0.0312, "31 ms"),
        (2.04, "2.0 s"),
        (59.9, "59.9 s"),
        (61, "1 min"),
        (7300, "2 h 1 min"),
    ],
)
def test_a_duration(seconds: float | None, text: str) -> None:
    assert view.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(None, "unknown"), (12, "12 B"), (1284, "1.3 kB"), (1.284e6, "1.3 MB"), (5e12, "5000.0 GB")]
)
def test_a_size(count: float | None, text: str) -> None:
    assert view.size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(-5, "0 s"), (59, "59 s"), (119, "1 min"), (90_061, "1 d 1 h")])
def test_an_age_has_no_seconds_from_a_minute_on(seconds: int, text: str) -> None:
    assert view.age(timedelta(seconds=seconds)) == text


def test_a_week_without_a_decision_is_zero() -> None:
    weeks = view.weeks([{"week": "2026-11-23", "new": 4}, {"week": "2026-11-09", "new": 2}], TODAY)
    assert len(weeks) == 26
    assert weeks[-3:] == [(date(2026, 11, 9), 2), (date(2026, 11, 16), 0), (date(2026, 11, 23), 4)]


def test_a_line_through_values_stays_in_its_box() -> None:
    assert view.points([0.0, 2.0, 1.0], 120, 24) == "0.0,24.0 60.0,0.0 120.0,12.0"
    assert view.points([0.0], 120, 24) == "0.0,24.0"


def run(number: int, outcome: str = "done", seconds: float | None = 2.0) -> RunRecord:
    began = NOW - number * HOUR
    ended = None if seconds is None else began + timedelta(seconds=seconds)
    return RunRecord(str(number), "sync", began, ended, outcome)


def test_a_job_shows_its_runs_and_what_came_of_a_press() -> None:
    row = Standing("sync", "6h", "SCHEDULE_SYNC", "waiting", NOW + HOUR, None, "", None, "")
    runs = {"sync": [run(0, "running", None), run(1, "bug", 1), run(2)]}
    (task,) = view.tasks([row], runs, {"sync": run(2)}, {"sync"}, {"sync": 75})
    assert (task.state, task.note) == ("running", "started here: busy")
    assert [(state, share) for state, share, _ in task.columns] == [("up", 1.0), ("down", 0.5)]
    (idle,) = view.tasks([row], {}, {}, (), {"sync": -9})
    assert (idle.state, idle.note, idle.columns) == ("waiting", "started here: failed", [])


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("done", "up"), ("done with problems", "warn"), ("running", "none"), ("busy", "skipped"), ("refused", "down")],
)
def test_an_ending(outcome: str, state: str) -> None:
    assert view.ending(run(0, outcome)) == state


def test_metrics_are_in_base_units_and_name_no_run() -> None:
    found = Stored(
        document=document(homes.THREE),
        runs={"sync": [run(1)], "backup": [run(0, "running", None)]},
        well={"sync": run(1)},
        jobs=[Standing("sync", "6h", "SCHEDULE_SYNC", "waiting", NOW + HOUR, None, "", None, "")],
        beat=(NOW, True),
        incidents=[("notion", NOW, "it fails")],
        backup={"bytes": 1000},
    )
    lines = metrics.text(found, stale=False).splitlines()
    assert f'angles_job_last_success_timestamp_seconds{{job="sync"}} {int((NOW - HOUR).timestamp())}' in lines
    assert 'angles_job_last_duration_seconds{job="sync"} 2' in lines
    assert 'angles_check_state{component="notion",check="notion",state="down"} 1' in lines
    assert 'angles_check_state{component="notion",check="notion",state="up"} 0' in lines
    assert 'angles_check_value_ratio{check="disk"} 0.96' in lines
    assert 'angles_check_value_seconds{check="cpu"} 0.12' not in lines
    assert 'angles_decisions{type="Technical"} 2' in lines
    assert "angles_backup_size_bytes 1000" in lines
    assert "angles_scheduler_alive 1" in lines
    assert "angles_incidents 1" in lines
    assert "angles_monitor_stale 0" in lines
    types = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(types) == len(set(types)), "each metric is told of once"


def test_metrics_of_nothing_are_no_error() -> None:
    assert "angles_incidents 0\n" in metrics.text(Stored(), stale=True)


def test_a_label_is_escaped() -> None:
    text = metrics.text(Stored(well={'a"b\\c\nd': run(0)}), stale=False)
    assert 'job="a\\"b\\\\c\\nd"' in text
