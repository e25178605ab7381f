"""Runs every job in its time: monitor, sync, file autosync, backup, restore test; and the dashboard beside them.

Each job's slots are fixed times in UTC. A slot is run once: after downtime the newest one is caught up, if that is not
too late, and the others are logged as missed. Every run is a child process with a time limit and a log of its own in
logs/active/jobs/, and a closing line in logs/active/scheduler.log.

  python scheduler.py                    run until Ctrl-C or SIGTERM; SIGHUP reads the configuration again
  python scheduler.py --once             run everything that is due, then leave
  python scheduler.py --list             last run, next slot and state of every job
  python scheduler.py --run-now JOB      run a job at once, beside its slots; ends with the job's own exit code
  python scheduler.py --pause JOB        begin nothing of a job until --resume JOB
  python scheduler.py --check            say what the configuration makes of the cadence, and leave
  python scheduler.py --export systemd   write the cadence for another engine: systemd, crontab or kubernetes

SCHEDULE_<JOB> sets a job's cadence (see .env.example). With SCHEDULER_COORDINATION=database several hosts share the
slots of sync, backup and restore test; monitor and file autosync run on each.

Exit codes: 0 stopped, or done; 1 --once: a job failed; 2 usage or configuration; 75 another scheduler, or another run
of the job, is at it; 130 interrupted before it began.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from utils import script
from utils.errors import INTERRUPTED, OK, PROBLEMS, ConfigError

if TYPE_CHECKING:
    from utils.config import Settings
    from utils.schedule.history import History
    from utils.schedule.jobs import Job
    from utils.sections import ScheduleSettings

EXPORTS = ("systemd", "crontab", "kubernetes")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    parser = script.parser("scheduler", __doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--once", action="store_true", help="run everything that is due, then leave")
    what.add_argument("--list", action="store_true", help="last run, next slot and state of every job")
    what.add_argument("--run-now", metavar="JOB", help="run a job at once, beside its slots")
    what.add_argument("--pause", metavar="JOB", help="begin nothing of a job for now")
    what.add_argument("--resume", metavar="JOB", help="end a pause")
    what.add_argument("--check", action="store_true", help="validate the configuration, and leave")
    what.add_argument("--export", choices=EXPORTS, help="write the cadence for another engine")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, with --list and --check")
    options = parser.parse_args(argv)
    if options.json and not (options.list or options.check):
        parser.error("--json goes with --list or --check")
    return script.run("scheduler", lambda run: _run(run, options), as_json=options.json)


def _run(run: script.Run, options: argparse.Namespace) -> int:
    from utils import config, sections, state
    from utils.schedule.history import History

    settings, plan = config.load_with(sections.schedule)
    history = History(settings.home / state.STATE_FILE)
    if options.list or options.check:
        return _list(run, settings, plan, history)
    if options.pause or options.resume:
        return _pause(run, plan, history, options)
    if options.export:
        return _export(run, settings, plan, options.export)
    run.told(settings)
    if options.run_now:
        return _run_now(run, settings, plan, _job(plan, options.run_now))
    return _serve(run, settings, plan, once=options.once)


def _serve(run: script.Run, settings: Settings, plan: ScheduleSettings, *, once: bool) -> int:
    """Schedules until it is told to stop, or, with `once`, until nothing is due."""
    from utils.files import hold_lock
    from utils.schedule.service import Service

    with ExitStack() as stack:
        stack.enter_context(hold_lock(settings.home / "logs" / "active" / "scheduler.lock"))
        service = stack.enter_context(Service.opened(run, settings, plan))
        if once:
            service.until_nothing_is_due()
        else:
            service.until_stopped()
    return PROBLEMS if once and service.engine.carrier.failed else OK


def _run_now(run: script.Run, settings: Settings, plan: ScheduleSettings, job: Job) -> int:
    from utils.schedule.service import Service
    from utils.schedule.tell import closing_line

    with Service.opened(run, settings, plan) as service:
        report = service.run_now(job)
    run.say(closing_line(report))
    code = report.attempt.code
    return INTERRUPTED if code is None or code < 0 else code


def _list(run: script.Run, settings: Settings, plan: ScheduleSettings, history: History) -> int:
    from utils.schedule.history import read_clocks
    from utils.schedule.overview import line, standings

    moment = read_clocks()
    rows = standings(plan, history, moment)
    beat = history.last_beat()
    alive = beat is not None and beat.alive is not False
    if run.as_json:
        run.document({"scheduler": alive, "mode": settings.mode.value, "jobs": [row.json() for row in rows]})
    for row in rows:
        run.say(line(row, moment.now))
    if not rows:
        run.say("every job is switched off")
    run.say(f"{run.component}: {'is running' if alive else 'is not running'}; {len(rows)} jobs, times in UTC")
    return OK


def _pause(run: script.Run, plan: ScheduleSettings, history: History, options: argparse.Namespace) -> int:
    job = _job(plan, options.pause or options.resume).name
    if options.pause:
        history.pause(job, run.now)
        run.say(f"{run.component}: {job} is paused; python scheduler.py --resume {job} ends that")
    else:
        paused = history.resume(job)
        run.say(f"{run.component}: {job} {'goes on' if paused else 'was not paused'}")
    return OK


def _export(run: script.Run, settings: Settings, plan: ScheduleSettings, engine: str) -> int:
    from utils import config
    from utils.files import write_atomic
    from utils.schedule.export import Place, exported

    folder = settings.home / "export" / "scheduler" / engine
    files = exported(engine, plan, Place(PurePosixPath(config.ROOT), sys.executable, PurePosixPath(settings.home)))
    for name, text in files.items():
        write_atomic(folder / name, text)
        run.say(str(folder / name))
    run.say(f"{run.component}: {len(files)} files for {engine}; their first lines say how to use them")
    return OK


def _job(plan: ScheduleSettings, name: str) -> Job:
    for job in plan.jobs:
        if job.name == name:
            return job
    names = ", ".join(job.name for job in plan.jobs) or "none"
    raise ConfigError(name, "is no job that is switched on", f"The jobs are: {names}")


if __name__ == "__main__":
    sys.exit(main())
