"""The probes of what is here: variables, packages, the runs of the jobs, reports, the siblings."""

from __future__ import annotations

import difflib
import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from utils import config, errors, script, state
from utils.config import ROOT, Settings
from utils.errors import AnglesError
from utils.health import store
from utils.health.ground import Ground
from utils.health.rules import Backup, Beat, Ended, Environment, Job, Packages, Ran
from utils.schedule.history import Attempt, History
from utils.schedule.jobs import JOBS, planned
from utils.schedule.slots import next_due
from utils.state import RunRecord

DEEP_SECONDS = 11.0
BACKUP_REPORT = Path("logs", "active", "backup_report.json")
SAFE_MODES = {
    "run_migration.py": ("--status",),
    "memory_sync.py": ("--test",),
    "autosync_files.py": ("--status",),
    "run_backup_now.py": ("--dry-run",),
    "restore_from_github.py": ("--list",),
    "scheduler.py": ("--list",),
    "verify_deployment.py": ("--list",),
}
"""How each sibling is tried: it looks, and changes nothing."""

_VARIABLE = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]+)=", re.MULTILINE)
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([<>=!~][^#;\n]*)?", re.MULTILINE)


def environment(ground: Ground) -> Environment:
    """The variables: `.env.example` says which there are."""
    known = _VARIABLE.findall((ROOT / ".env.example").read_text(encoding="utf-8"))
    parts = [each for each in (ground.vault, ground.notion) if isinstance(each, Settings)]
    missing = {name: why for each in parts for name, why in each.missing.items()}
    warnings = tuple(dict.fromkeys(line for each in parts for line in each.warnings))
    strange = {
        name: next(iter(difflib.get_close_matches(name, known, 1, 0.8)), "")
        for name in config.names_in_file()
        if name not in known
    }
    mode = next((each.mode.value for each in parts), "unreadable")
    filled = [name for name in known if name in ground.env]
    return Environment(mode, known, filled, ground.problems, warnings, missing, strange)


def packages(_ground: Ground) -> Packages:
    """The interpreter, and what `requirements.txt` asks for."""
    wanted = _REQUIREMENT.findall((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    found = [(name, bounds.replace(" ", ""), _version(name)) for name, bounds in wanted]
    return Packages((sys.version_info[0], sys.version_info[1], sys.version_info[2]), found)


def job(name: str, ground: Ground) -> Job:
    """A job's cadence and its runs."""
    table = next(each for each in JOBS if each.name == name)
    jobs, _ = planned([table], ground.env)
    wanted = jobs[0] if jobs else None
    good = set(table.good)
    path = ground.home / state.STATE_FILE
    with state.open_state(path) as db:
        runs = list(state.runs(db, name))
    history = History(path)
    if not runs:  # a script that cannot even begin writes nothing down
        runs = [_attempted(each) for each in history.attempts(name, 9)]
    ended = [run for run in runs if run.ended is not None and run.code != errors.BUSY]
    return Job(
        name=name,
        command=f"python {' '.join((table.script, *table.arguments))}",
        period=wanted.period if wanted else None,
        due=next_due(wanted, ground.now) if wanted else None,
        paused=history.paused().get(name),
        unset=_unset(name, ground),
        first=_ran(runs[-1], good) if runs else None,
        last=_ran(ended[0], good) if ended else None,
        good=next((_ran(run, good) for run in ended if run.code in good), None),
    )


def scheduler(ground: Ground) -> Beat:
    """The scheduler's heartbeat."""
    found = History(ground.home / state.STATE_FILE).last_beat()
    return Beat(found.at, found.alive) if found else Beat(None)


def backup(ground: Ground) -> Backup:
    """The last backup's report, and the one before."""
    try:
        told = json.loads((ground.home / BACKUP_REPORT).read_text(encoding="utf-8"))
        rows, before, size = sum(told["rows"].values()), sum(told["rows_before"].values()), int(told["bytes"])
    except FileNotFoundError:
        return Backup(None, None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnglesError(str(BACKUP_REPORT), f"cannot be read ({error})", "Run: python run_backup_now.py") from error
    if not rows:  # of a backup that failed before it had read any
        return Backup(None, None)
    with state.open_state(ground.home / state.STATE_FILE) as db:
        sizes = [value for *_, value, _ in store.samples(db, "backup-size", ground.now - store.KEEP_SAMPLES) if value]
    other = next((value for value in reversed(sizes) if value != size), None)
    return Backup(rows, size, before or None, None if other is None else int(other))


def sibling(name: str, _ground: Ground) -> Ended:
    """A sibling's safe mode, as a child process; ended with its whole group when it takes too long."""
    arguments = SAFE_MODES[name]
    command = " ".join((name, *arguments))
    started = time.monotonic()
    child = subprocess.Popen(
        script.child(name, arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        said, _ = child.communicate(timeout=DEEP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        said = f"took over {DEEP_SECONDS:.0f} s and was ended"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return Ended(command, child.returncode, lines[-1] if lines else "", time.monotonic() - started)


def _unset(name: str, ground: Ground) -> str:
    """What would configure the services of a job, where they are not."""
    if ground.local:
        return ""
    if name in {"backup", "restore-test"} and "REPO_URL" not in ground.env:
        return "REPO_URL"
    sides = {"sync": (ground.vault, ground.notion), "backup": (ground.vault,)}.get(name, ())
    lacking = [
        why
        for side, settings in zip(("vault", "notion"), sides, strict=False)
        if isinstance(settings, Settings) and (why := settings.missing.get(side))
    ]
    return " and ".join(lacking)


def _ran(run: RunRecord, good: set[int]) -> Ran:
    return Ran(run.started, run.outcome, run.detail, good=run.code in good, flawed=run.code == errors.PROBLEMS)


def _attempted(each: Attempt) -> RunRecord:
    return RunRecord(each.run_id, each.job, each.started, each.ended, each.outcome, each.detail, each.code)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
