"""The one table of checks: each a fact (its probe), a rule, and the hint that the rule gives.

A component whose job is in `jobs.JOBS` needs one entry in `CHECKS`: its probe has the job's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from utils.health import here, machine, remote, rules
from utils.health.ground import Ground
from utils.health.model import Finding
from utils.health.rules import Seen
from utils.schedule.jobs import JOBS


@dataclass(frozen=True)
class Probe:
    """What brings a fact, within a number of seconds."""

    look: Callable[[Ground], Any]
    seconds: float = 8.0


@dataclass(frozen=True)
class Check:
    """A check.

    Args:
        name: as `--check` and the document have it.
        component: what it is a part of.
        probe: the name of the probe that brings its fact.
        rule: judges the fact.
        leads: it tells a failure of its probe; the others on the same probe are unknown then.
        at_once: one failure is told.
    """

    name: str
    component: str
    probe: str
    rule: Callable[[Any, Seen], Finding]
    leads: bool = True
    at_once: bool = False


PROBES: Mapping[str, Probe] = {
    "environment": Probe(here.environment),
    "packages": Probe(here.packages),
    "vault": Probe(remote.vault, 10.0),
    "notion": Probe(remote.notion, 12.0),
    "rest": Probe(remote.rest),
    "dashboard": Probe(remote.dashboard),
    "clock": Probe(remote.clock),
    "github": Probe(remote.github, 12.0),
    **{each.name: Probe(partial(here.job, each.name)) for each in JOBS if each.name != "monitor"},
    "backup-report": Probe(here.backup),
    "scheduler": Probe(here.scheduler),
    "machine": Probe(machine.machine),
}

CHECKS = (
    Check("environment", "environment", "environment", rules.environment),
    Check("python", "environment", "packages", rules.python, leads=False),
    Check("packages", "environment", "packages", rules.packages),
    Check("database", "database", "vault", rules.database),
    Check("schema", "database", "vault", rules.schema, leads=False),
    Check("privileges", "database", "vault", rules.privileges, leads=False),
    Check("write-probe", "database", "vault", rules.write_probe, leads=False),
    Check("decisions", "database", "vault", rules.decisions, leads=False),
    Check("rest-api", "endpoints", "rest", rules.rest_api),
    Check("dashboard", "endpoints", "dashboard", rules.dashboard),
    Check("notion", "notion", "notion", rules.notion),
    Check("notion-properties", "notion", "notion", rules.notion_properties, leads=False),
    Check("notion-budget", "notion", "notion", rules.notion_budget, leads=False),
    Check("github", "github", "github", rules.github),
    Check("github-push", "github", "github", rules.github_push, leads=False),
    Check("sync", "sync", "sync", rules.fresh),
    Check("backlog", "sync", "vault", rules.backlog, leads=False),
    Check("conflicts", "sync", "vault", rules.conflicts, leads=False),
    Check("files", "files", "files", rules.fresh),
    Check("backup", "backup", "backup", rules.fresh, at_once=True),
    Check("backup-size", "backup", "backup-report", rules.backup_size, at_once=True),
    Check("restore-test", "backup", "restore-test", rules.fresh, at_once=True),
    Check("scheduler", "scheduler", "scheduler", rules.scheduler),
    Check("clock", "machine", "clock", rules.clock),
    Check("cpu", "machine", "machine", rules.cpu),
    Check("memory", "machine", "machine", rules.memory, leads=False),
    Check("disk", "machine", "machine", rules.disk, leads=False),
    Check("inodes", "machine", "machine", rules.inodes, leads=False),
    Check("open-files", "machine", "machine", rules.open_files, leads=False),
    Check("processes", "machine", "machine", rules.processes, leads=False),
)
"""All checks, in the order in which they are shown."""

DEEP_PROBES = {name: Probe(partial(here.sibling, name), here.DEEP_SECONDS + 2) for name in here.SAFE_MODES}
DEEP_CHECKS = tuple(Check(name, "scripts", name, rules.sibling) for name in here.SAFE_MODES)
"""With `--deep` only: each sibling's safe mode."""
