"""The scheduler with another table of jobs, as a process: `host.py JOBS.json [--once|--run-now|--page|--ttl=SECONDS]`.

The table is a list of jobs, durations in seconds; `--ttl` is how long a claim lasts; only with `--page` is there a
dashboard. ANGLES_HOME and the other variables are as for `scheduler.py`.
"""

from __future__ import annotations

import functools
import json
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from utils import config, script, sections
from utils.files import hold_lock
from utils.schedule.jobs import Job
from utils.schedule.service import Service
from utils.schedule.supervisor import Supervisor

_TIMES = {"period", "offset", "grace", "limit"}


def job(name: str, script: Path | str, *arguments: str, **other: Any) -> Job:
    """A job that is due every hour."""
    hour = timedelta(hours=1)
    times = {"period": hour, "offset": timedelta(0), "grace": hour, "limit": timedelta(minutes=5)}
    return Job(name, str(script), arguments, **{**times, **other})


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def to_json(jobs: Sequence[Job]) -> str:
    """A table as this program reads it."""
    rows = [{each.name: getattr(one, each.name) for each in fields(Job)} for one in jobs]
    return json.dumps(rows, default=lambda value: value.total_seconds())


def from_json(row: Mapping[str, Any]) -> Job:
    """A job out of a table."""
    times = {name: timedelta(seconds=row[name]) for name in _TIMES}
    return Job(**{**row, **times, "arguments": tuple(row["arguments"]), "good": tuple(row["good"])})


class NoPage:
    """Instead of a dashboard."""

    alive = True

    def stop(self) -> None:
        """Nothing is to be ended."""


def main() -> int:
    """As `scheduler.py`."""
    jobs = tuple(from_json(row) for row in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    section = functools.partial(sections.schedule, table=jobs)

    def body(run: script.Run) -> int:
        settings, plan = config.load_with(section)
        with ExitStack() as stack:
            stack.enter_context(hold_lock(settings.home / "logs" / "active" / "scheduler.lock"))
            service = stack.enter_context(Service.opened(run, settings, plan, section))
            carrier = service.engine.carrier
            if sys.argv[2:] != ["--page"]:
                service.dashboard = Supervisor(NoPage)
            if sys.argv[2:] and sys.argv[2].startswith("--ttl=") and carrier.claims:
                carrier.claims = replace(carrier.claims, ttl=float(sys.argv[2].removeprefix("--ttl=")))
            if sys.argv[2:] == ["--run-now"]:
                return service.run_now(jobs[0]).attempt.code or 0
            if sys.argv[2:] == ["--once"]:
                service.until_nothing_is_due()
            else:
                service.until_stopped()
        return 0

    return script.run("scheduler", body)


if __name__ == "__main__":
    sys.exit(main())
