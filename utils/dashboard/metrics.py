"""What is stored in Prometheus' text form: base units, a fixed set of labels, no ids. It decides only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.dashboard.stored import Stored

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_UNITS = {"": "", "s": "_seconds", "B": "_bytes", "%": "_ratio"}
_STATES = ("up", "warn", "down", "skipped", "unknown")

Sample = tuple[dict[str, str], float]


def text(found: Stored, stale: bool) -> str:
    """All metrics, each with its help and its type."""
    lines: list[str] = []
    for name, told, samples in _all(found, stale):
        rows = list(samples)
        if rows:
            lines += [f"# HELP {name} {told}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_labels(labels)} {value:.15g}" for labels, value in rows]
    return "\n".join(lines) + "\n"


def _all(found: Stored, stale: bool) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    runs = [(job, record) for job, each in found.runs.items() for record in each[:1]]
    ended = [(job, record) for job, record in runs if record.ended]
    yield (
        "angles_job_last_success_timestamp_seconds",
        "When the last good run of a job began.",
        [({"job": job}, record.started.timestamp()) for job, record in found.well.items()],
    )
    yield (
        "angles_job_last_run_timestamp_seconds",
        "When the last run of a job began.",
        [({"job": job}, record.started.timestamp()) for job, record in runs],
    )
    yield (
        "angles_job_last_duration_seconds",
        "How long the last run of a job took.",
        [({"job": job}, (record.ended - record.started).total_seconds()) for job, record in ended if record.ended],
    )
    yield (
        "angles_job_last_exit_code",
        "The exit code of a job's last run.",
        [({"job": job}, record.code) for job, record in ended if record.code is not None],
    )
    yield (
        "angles_job_next_run_timestamp_seconds",
        "When a job is due next.",
        [({"job": row.job}, row.next.timestamp()) for row in found.jobs],
    )
    if found.beat:
        yield "angles_scheduler_alive", "Whether the scheduler lives.", [({}, int(found.beat[1]))]
    yield "angles_incidents", "What fails now and was told.", [({}, len(found.incidents))]
    if found.document:
        yield from _checks(found.document, stale)
    if found.backup and isinstance(found.backup.get("bytes"), int):
        yield "angles_backup_size_bytes", "The size of the last backup.", [({}, found.backup["bytes"])]


def _checks(document: Any, stale: bool) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    at = datetime.fromisoformat(document["at"]).timestamp()
    yield "angles_monitor_last_look_timestamp_seconds", "When the monitor looked last.", [({}, at)]
    yield "angles_monitor_stale", "Whether that is too long ago.", [({}, int(stale))]
    results = document["results"]
    yield (
        "angles_check_state",
        "How a check stands: 1 for its state, 0 for the others.",
        [
            ({"component": each["component"], "check": each["name"], "state": state}, int(each["state"] == state))
            for each in results
            for state in _STATES
        ],
    )
    yield (
        "angles_check_duration_seconds",
        "How long a check's look took.",
        [({"check": each["name"]}, each["seconds"]) for each in results if each["seconds"] is not None],
    )
    for unit, suffix in _UNITS.items():
        scale = 100 if unit == "%" else 1
        yield (
            f"angles_check_value{suffix}",
            "What a check measured.",
            [
                ({"check": each["name"]}, each["value"] / scale)
                for each in results
                if each["value"] is not None and each["unit"] == unit
            ],
        )
    if counted := document.get("decisions"):
        types = [({"type": kind or "none"}, many) for kind, many in counted["types"].items()]
        yield "angles_decisions", "Decisions by type.", types


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    shown = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(shown) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
