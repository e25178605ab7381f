"""How the jobs stand: last, next, state; for `--list`, and for whoever shows it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from utils.schedule import slots
from utils.schedule.history import Attempt, History, Moment
from utils.schedule.slots import Past, Run
from utils.sections import ScheduleSettings


@dataclass(frozen=True)
class Standing:
    """One job. `state` is `waiting`, `due`, `running`, `paused` or `maintenance`; `outcome` that of its last run."""

    job: str
    every: str
    variable: str
    state: str
    next: datetime
    last: datetime | None
    outcome: str
    seconds: float | None
    detail: str

    def json(self) -> dict[str, Any]:
        """As `--json` has it."""
        times = {
            name: value.isoformat() if value else None for name, value in (("next", self.next), ("last", self.last))
        }
        return {**asdict(self), **times}


def standings(plan: ScheduleSettings, history: History, moment: Moment) -> list[Standing]:
    """All jobs, in the order of their table."""
    paused, host = history.paused(), history.host(moment.now)
    alive = (beat := history.last_beat()) is not None and beat.alive is not False
    rows = []
    for job in plan.jobs:
        last = next(iter(history.attempts(job.name)), None)
        past, _ = history.past(job.name, moment.boot)
        jitter = slots.jitter(host, job.name, min(plan.jitter, job.period / 10))
        verdict = slots.decide(job, Past(past.settled, past.open), moment.now, jitter)
        begins = slots.last_due(job, moment.now - jitter) + job.period + jitter
        due = isinstance(verdict, Run)
        state = _state(last, alive=alive, due=due)
        if job.name in paused:
            state = "paused"
        elif due and (until := slots.maintenance(plan.windows, moment.now)):
            state, begins = "maintenance", until
        elif state == "due":
            begins = moment.now
        rows.append(
            Standing(
                *(job.name, slots.spell_every(job), job.variable, state, begins),
                *((last.started, last.outcome, last.seconds, last.detail) if last else (None, "", None, "")),
            )
        )
    return rows


def line(row: Standing, now: datetime) -> str:
    """A job on one line."""
    last = f"last {_ago(now - row.last)} {row.outcome}" if row.last else "never ran"
    begins = "now" if row.next <= now else f"{row.next:%a %m-%d %H:%M}"
    return f"{row.job:<13} {row.every:<14} {row.state:<12} next {begins:<16} {last}"


def _state(last: Attempt | None, *, alive: bool, due: bool) -> str:
    if last is not None and last.ended is None and alive:
        return "running"
    return "due" if due else "waiting"


def _ago(age: timedelta) -> str:
    minutes = max(int(age.total_seconds()), 0) // 60
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} d ago"
