"""The one table of jobs, and what a run's exit code means for its slot. Pure.

A component gets its cadence by an entry here; its variable is `SCHEDULE_<NAME>`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from utils import errors
from utils.schedule.slots import parse_every

TRIES = 3
"""How often a slot's run is started at most."""

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Job:
    """A script with its cadence.

    Args:
        name: as `--list` and the log say it.
        script: the file in the project's folder.
        arguments: its arguments.
        period: how often.
        offset: of its slots from the epoch (Thursday, 1970-01-01 00:00 UTC).
        grace: how late after its slot a run may still begin.
        limit: how long a run may take.
        good: the exit codes of a good run.
        everywhere: with several hosts, each runs every slot; otherwise one host runs it for all.
        queue: a slot that comes while an earlier run is at it waits for that; otherwise it is skipped.
    """

    name: str
    script: str
    arguments: tuple[str, ...]
    period: timedelta
    offset: timedelta
    grace: timedelta
    limit: timedelta
    good: tuple[int, ...] = (errors.OK, errors.PROBLEMS)
    everywhere: bool = False
    queue: bool = False

    @property
    def variable(self) -> str:
        """What overrides its cadence."""
        return f"SCHEDULE_{self.name.upper().replace('-', '_')}"


JOBS = (
    Job(
        name="monitor",
        script="backend_monitor.py",
        arguments=("--heal",),
        period=_HOUR,
        offset=0 * _HOUR,
        grace=50 * _MINUTE,
        limit=10 * _MINUTE,
        good=(0, 1, 2),  # the convention of monitoring plugins: it ran, whatever it found
        everywhere=True,
    ),
    Job(
        name="sync",
        script="memory_sync.py",
        arguments=(),
        period=6 * _HOUR,
        offset=0 * _HOUR,
        grace=5 * _HOUR,
        limit=_HOUR,
        queue=True,
    ),
    Job(
        name="files",
        script="autosync_files.py",
        arguments=("--once",),
        period=_HOUR,
        offset=0 * _HOUR,
        grace=50 * _MINUTE,
        limit=_HOUR / 2,
        everywhere=True,
    ),
    Job(
        name="backup",
        script="run_backup_now.py",
        arguments=(),
        period=_DAY,
        offset=2 * _HOUR,
        grace=20 * _HOUR,
        limit=_HOUR,
        queue=True,
    ),
    Job(
        name="restore-test",
        script="restore_from_github.py",
        arguments=("--test-restore",),
        period=7 * _DAY,
        offset=3 * _DAY + 3 * _HOUR,  # Sunday 03:00
        grace=3 * _DAY,
        limit=_HOUR,
        good=(errors.OK,),
        queue=True,
    ),
)
"""The cadence of everything."""

KILLED = errors.INTERRUPTED
"""The code of a run that a signal ended, told by the child itself or not."""


@dataclass(frozen=True)
class Outcome:
    """What a run's end means: in a word, and whether it was well, is to be tried again, or fails at once."""

    word: str
    well: bool | None
    again: bool = False
    at_once: bool = False


def outcome(job: Job, code: int) -> Outcome:
    """The outcome of an exit code; negative ones are signals. Of a skipped run it is not known whether all is well."""
    if code in job.good:
        return Outcome("with problems" if code else "ok", well=True)
    if code == errors.BUSY:
        return Outcome("skipped", well=None)
    if code < 0 or code == KILLED:
        return Outcome("killed", well=False, again=True)
    word = errors.MEANINGS.get(code, f"ended with {code}")
    return Outcome(word, well=False, again=code in {errors.UNAVAILABLE, errors.BUG}, at_once=_at_once(job, code))


def _at_once(job: Job, code: int) -> bool:
    """Whether one failure is told: three in a row of a daily job would be three days."""
    return code == errors.REFUSED or job.period >= _DAY


def planned(jobs: Sequence[Job], given: Mapping[str, str], *, heal: bool = True) -> tuple[tuple[Job, ...], list[str]]:
    """The jobs with the cadences that are given by their variables, and what is wrong with these, a line each."""
    wanted, problems = [], []
    for job in jobs:
        text = given.get(job.variable, "")
        arguments = tuple(each for each in job.arguments if heal or each != "--heal")
        if text.lower() == "off":
            continue
        if not text:
            wanted.append(replace(job, arguments=arguments))
            continue
        try:
            period, offset = parse_every(text)
        except ValueError:
            problems.append(
                f"{job.variable} is {text[:80]!r}; set a cadence such as 6h, 1d 02:00 or 7d Sun 03:00 (UTC), or off"
            )
            continue
        grace = min(job.grace * (period / job.period), period)
        wanted.append(replace(job, arguments=arguments, period=period, offset=offset, grace=grace))
    return tuple(wanted), problems
