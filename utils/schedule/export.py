"""The cadence for another engine: systemd timers, a crontab, Kubernetes CronJobs.

Whatever starts a script, the script is the same, and safe to start twice. Times are UTC.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from utils.errors import ConfigError
from utils.schedule.jobs import Job
from utils.schedule.slots import DAYS, spell_every
from utils.sections import ScheduleSettings

IMAGE = "angles-ai-universe:latest"
SECRET = "angles-ai-universe"  # noqa: S105 - the name of one
PYTHON = "3.11"
_DATA = "/data"
_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_NOBODY = 65534


@dataclass(frozen=True)
class Place:
    """Where the scripts, their interpreter and their home folder are."""

    root: PurePosixPath
    python: str
    home: PurePosixPath


@dataclass(frozen=True)
class Calendar:
    """A cadence as calendars say it: lists of minutes and hours, and the day of the week (0 is Monday) or None."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    day: int | None = None

    def cron(self) -> str:
        """As cron has it."""
        hours = "*" if len(self.hours) == 24 else ",".join(map(str, self.hours))
        day = "*" if self.day is None else str((self.day + 1) % 7)
        return f"{','.join(map(str, self.minutes))} {hours} * * {day}"

    def systemd(self) -> str:
        """As `OnCalendar=` has it."""
        day = "" if self.day is None else f"{DAYS[self.day]} "
        hours = "*" if len(self.hours) == 24 else ",".join(f"{each:02}" for each in self.hours)
        return f"{day}*-*-* {hours}:{','.join(f'{each:02}' for each in self.minutes)}:00 UTC"


def calendar(job: Job) -> Calendar:
    """A job's cadence as a calendar.

    Raises:
        ConfigError: no calendar has it, such as every 5 hours.
    """
    minute = job.offset % _HOUR // _MINUTE
    hour = job.offset % _DAY // _HOUR
    if _HOUR % job.period == timedelta(0):
        step = job.period // _MINUTE
        return Calendar(tuple(range(minute % step, 60, step)), tuple(range(24)))
    if _DAY % job.period == timedelta(0) and job.period % _HOUR == timedelta(0):
        step = job.period // _HOUR
        return Calendar((minute,), tuple(range(hour % step, 24, step)))
    if job.period == 7 * _DAY:
        return Calendar((minute,), (hour,), (job.offset // _DAY + 3) % 7)  # the epoch was a Thursday
    raise ConfigError(
        job.variable,
        f"every {spell_every(job)} is nothing that a calendar has",
        "Set a period that divides an hour or a day, or 7d",
    )


def exported(engine: str, plan: ScheduleSettings, place: Place) -> dict[str, str]:
    """The files for an engine (`systemd`, `crontab`, `kubernetes`), by name.

    Raises:
        ConfigError: see `calendar`.
    """
    return {"systemd": _systemd, "crontab": _crontab, "kubernetes": _kubernetes}[engine](plan, place)


def _systemd(plan: ScheduleSettings, place: Place) -> dict[str, str]:
    files = {}
    for job in plan.jobs:
        files[f"angles-{job.name}.service"] = _service(job, place)
        files[f"angles-{job.name}.timer"] = _timer(job, plan.jitter)
    return files


def _service(job: Job, place: Place) -> str:
    command = " ".join(_quoted(each) for each in (place.python, str(place.root / job.script), *job.arguments))
    codes = " ".join(str(code) for code in (*job.good, 75) if code)
    return f"""\
# Copy it to /etc/systemd/system/ with its timer, then: systemctl enable --now angles-{job.name}.timer
# Add a User= who may write to {place.home}; without one it runs as root.
[Unit]
Description=Angles AI Universe: {job.name}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={command}
WorkingDirectory={_doubled(str(place.root))}
Environment={_quoted(f"ANGLES_HOME={place.home}")}
SuccessExitStatus={codes}
TimeoutStartSec={job.limit // timedelta(seconds=1)}
TimeoutStopSec=10
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
UMask=0027
ReadWritePaths={_quoted(str(place.home))} -/var/lib/angles-universe
"""


def _timer(job: Job, jitter: timedelta) -> str:
    most = min(jitter, job.period / 10) // timedelta(seconds=1)
    return f"""\
[Unit]
Description=Angles AI Universe: {job.name}, every {spell_every(job)} UTC

[Timer]
OnCalendar={calendar(job).systemd()}
Persistent=true
AccuracySec=1s
RandomizedDelaySec={most}
FixedRandomDelay=true

[Install]
WantedBy=timers.target
"""


def _crontab(plan: ScheduleSettings, place: Place) -> dict[str, str]:
    lines = [
        "# Add these lines with: crontab -e   Times are UTC: cron must honour CRON_TZ (cronie), or the host be in UTC.",
        "# What passes while the host is down is not caught up; python scheduler.py does that.",
        "CRON_TZ=UTC",
    ]
    locks = place.home / "logs" / "active" / "jobs"
    for job in plan.jobs:
        script = [place.python, str(place.root / job.script), *job.arguments]
        limit = str(job.limit // timedelta(seconds=1))
        command = ["env", f"ANGLES_HOME={place.home}", "timeout", "-k", "10", limit, *script]
        held = shlex.join(["flock", "-n", str(locks / f"{job.name}.lock"), *command])
        whole = f"mkdir -p {shlex.quote(str(locks))} && {held}"
        lines.append(f"{calendar(job).cron()} {whole}".replace("%", "\\%"))
    return {"crontab": "\n".join(lines) + "\n"}


def _kubernetes(plan: ScheduleSettings, _place: Place) -> dict[str, str]:
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _named("angles-data"),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
    }
    items = [volume, *(_cronjob(job) for job in plan.jobs)]
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2)
    return {"cronjobs.json": f"{manifest}\n", "Dockerfile": _dockerfile(), "README.txt": _KUBERNETES_STEPS}


def _cronjob(job: Job) -> dict[str, Any]:
    refused = sorted({*job.good, 1, 2, 4, 75} - {0})
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "fsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(job)],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "angles-data"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": _named(f"angles-{job.name}"),
        "spec": {
            "schedule": calendar(job).cron(),
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": max(job.grace // timedelta(seconds=1), 10),
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "spec": {
                    "activeDeadlineSeconds": job.limit // timedelta(seconds=1),
                    "backoffLimit": 2,
                    "podFailurePolicy": {
                        "rules": [
                            {
                                "action": "FailJob",
                                "onExitCodes": {"containerName": "job", "operator": "In", "values": refused},
                            }
                        ]
                    },
                    "template": {"metadata": {"labels": _labels()}, "spec": pod},
                }
            },
        },
    }


def _container(job: Job) -> dict[str, Any]:
    return {
        "name": "job",
        "image": IMAGE,
        "args": [job.script, *job.arguments],
        "env": [{"name": "ANGLES_HOME", "value": _DATA}],
        "envFrom": [{"secretRef": {"name": SECRET}}],
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "data", "mountPath": _DATA}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }


def _dockerfile() -> str:
    return f"""\
FROM python:{PYTHON}-slim
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY *.py .env.example ./
COPY utils utils
COPY supabase supabase
ENV ANGLES_HOME={_DATA} PYTHONUNBUFFERED=1
RUN mkdir {_DATA} && chown {_NOBODY}:{_NOBODY} {_DATA}
USER {_NOBODY}:{_NOBODY}
VOLUME {_DATA}
ENTRYPOINT ["python"]
CMD ["scheduler.py"]
"""


_KUBERNETES_STEPS = f"""\
From the project's folder:

  docker build -t {IMAGE} -f Dockerfile .       (with the path of this Dockerfile)
  kubectl create secret generic {SECRET} --from-env-file=.env
  kubectl apply -f cronjobs.json

The volume angles-data keeps logs/ and with them the local state (state.db); where pods run on several nodes at once,
its access mode has to be ReadWriteMany. A run that ends with 1, 2, 4 or 75 is not tried again.
"""


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "labels": _labels()}


def _labels() -> dict[str, str]:
    return {"app.kubernetes.io/name": "angles-ai-universe"}


def _quoted(text: str) -> str:
    """As an argument in a unit: quoted where need be, no specifier and no variable in it."""
    plain = _doubled(text).replace("$", "$$")
    if plain and not set(plain) & set(" \t\"'\\;"):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _doubled(text: str) -> str:
    return text.replace("%", "%%")
