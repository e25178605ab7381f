"""The table of jobs: what exit codes mean, and what the environment may change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from utils import sections
from utils.schedule.jobs import JOBS, Outcome, outcome, planned
from utils.variables import Variables

BY_NAME = {job.name: job for job in JOBS}
SYNC, MONITOR = BY_NAME["sync"], BY_NAME["monitor"]


@pytest.mark.parametrize(
    ("job", "code", "expected"),
    [
        (SYNC, 0, Outcome("ok", well=True)),
        (SYNC, 1, Outcome("with problems", well=True)),
        (SYNC, 2, Outcome("configuration", well=False)),
        (SYNC, 3, Outcome("service unavailable", well=False, again=True)),
        (SYNC, 4, Outcome("refused", well=False, at_once=True)),
        (SYNC, 70, Outcome("bug", well=False, again=True)),
        (SYNC, 75, Outcome("skipped", well=None)),
        (SYNC, -9, Outcome("killed", well=False, again=True)),
        (SYNC, 130, Outcome("killed", well=False, again=True)),
        (SYNC, 99, Outcome("ended with 99", well=False)),
        (MONITOR, 0, Outcome("ok", well=True)),
        (MONITOR, 1, Outcome("with problems", well=True)),
        (MONITOR, 2, Outcome("with problems", well=True)),
        (MONITOR, 3, Outcome("service unavailable", well=False, again=True)),
        (MONITOR, -15, Outcome("killed", well=False, again=True)),
        (BY_NAME["backup"], 3, Outcome("service unavailable", well=False, again=True, at_once=True)),
        (BY_NAME["restore-test"], 1, Outcome("done with problems", well=False, at_once=True)),
    ],
    ids=lambda value: value.name if hasattr(value, "name") else value if isinstance(value, int) else "",
)
def test_what_an_exit_code_means(job: object, code: int, expected: Outcome) -> None:
    assert outcome(job, code) == expected  # type: ignore[arg-type]


def test_without_variables_the_table_stands() -> None:
    assert planned(JOBS, {}) == (JOBS, [])
    assert [job.name for job in JOBS] == ["monitor", "sync", "files", "backup", "restore-test"]


def test_a_variable_changes_the_cadence_and_scales_the_grace() -> None:
    jobs, problems = planned(JOBS, {"SCHEDULE_SYNC": "30m", "SCHEDULE_RESTORE_TEST": "off"})
    assert not problems
    assert [job.name for job in jobs] == ["monitor", "sync", "files", "backup"]
    assert jobs[1] == replace(SYNC, period=timedelta(minutes=30), grace=timedelta(minutes=25))


def test_all_that_is_wrong_is_told_at_once() -> None:
    jobs, problems = planned(JOBS, {"SCHEDULE_SYNC": "often", "SCHEDULE_BACKUP": "1d 25:00"})
    assert [problem.split()[0] for problem in problems] == ["SCHEDULE_SYNC", "SCHEDULE_BACKUP"]
    assert "backup" not in {job.name for job in jobs}


def test_the_monitor_heals_unless_that_is_switched_off() -> None:
    for value, arguments in (("", ("--heal",)), ("1", ("--heal",)), ("0", ())):
        plan = sections.schedule(Variables({"SELF_HEAL": value} if value else {}), Path("/home"))
        assert plan.jobs[0].arguments == arguments


def test_every_job_ends_before_its_next_slot_and_its_catch_up_too() -> None:
    for job in JOBS:
        assert job.limit <= job.period
        assert job.grace < job.period


def test_the_section_names_what_is_wrong() -> None:
    variables = Variables(
        {"SCHEDULE_FILES": "1 hour", "MAINTENANCE_WINDOW": "01:00-05:00, night", "SCHEDULER_COORDINATION": "etcd"}
    )
    plan = sections.schedule(variables, Path("/home"))
    assert [problem.split()[0] for problem in variables.problems] == [
        *("SCHEDULE_FILES", "MAINTENANCE_WINDOW", "SCHEDULER_COORDINATION")
    ]
    assert len(plan.windows) == 1


def test_each_variable_is_explained() -> None:
    from utils.config import ROOT

    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert all(f"\n{job.variable}=\n" in text for job in JOBS)
