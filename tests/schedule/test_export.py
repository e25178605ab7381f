"""The cadence for other engines: checked by their own programs where these are there."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from utils.errors import ConfigError
from utils.schedule.export import Place, calendar, exported
from utils.schedule.jobs import JOBS, Job
from utils.schedule.slots import parse_every
from utils.sections import ScheduleSettings

PLAN = ScheduleSettings(JOBS, jitter=timedelta(seconds=30))
STRANGE = Place(PurePosixPath('/srv/An %gles\'s "home"/$x'), "/usr/bin/python3", PurePosixPath("/srv/da ta%"))


def every(text: str) -> Job:
    """A job of that cadence."""
    period, offset = parse_every(text)
    return replace(JOBS[1], period=period, offset=offset)


@pytest.mark.parametrize(
    ("text", "cron", "systemd"),
    [
        ("1h", "0 * * * *", "*-*-* *:00:00 UTC"),
        ("1h 00:15", "15 * * * *", "*-*-* *:15:00 UTC"),
        ("20m 00:05", "5,25,45 * * * *", "*-*-* *:05,25,45:00 UTC"),
        ("6h", "0 0,6,12,18 * * *", "*-*-* 00,06,12,18:00:00 UTC"),
        ("8h 01:30", "30 1,9,17 * * *", "*-*-* 01,09,17:30:00 UTC"),
        ("1d 02:00", "0 2 * * *", "*-*-* 02:00:00 UTC"),
        ("7d Sun 03:00", "0 3 * * 0", "Sun *-*-* 03:00:00 UTC"),
        ("7d Mon 00:00", "0 0 * * 1", "Mon *-*-* 00:00:00 UTC"),
        ("7d", "0 0 * * 4", "Thu *-*-* 00:00:00 UTC"),
    ],
)
def test_a_cadence_as_calendars_have_it(text: str, cron: str, systemd: str) -> None:
    found = calendar(every(text))
    assert (found.cron(), found.systemd()) == (cron, systemd)


@pytest.mark.parametrize("text", ["5h", "7m", "90m", "2d 02:00", "14d Sun 03:00"])
def test_what_no_calendar_has_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"SCHEDULE_SYNC: every .* is nothing that a calendar has"):
        calendar(every(text))


def test_units_of_systemd(tmp_path: Path) -> None:
    files = exported("systemd", PLAN, Place(PurePosixPath("/opt/angles"), "/usr/bin/python3", PurePosixPath("/data")))
    assert len(files) == 2 * len(JOBS)
    timer, service = files["angles-backup.timer"], files["angles-backup.service"]
    for line in ("OnCalendar=*-*-* 02:00:00 UTC", "Persistent=true", "AccuracySec=1s", "RandomizedDelaySec=30"):
        assert f"\n{line}\n" in timer
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "TimeoutStartSec=3600", "SuccessExitStatus=1 75"):
        assert f"\n{line}\n" in service
    assert "SuccessExitStatus=1 2 75" in files["angles-monitor.service"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
@pytest.mark.parametrize("strange", [False, True], ids=["plain", "strange paths"])
def test_systemd_accepts_the_units(strange: bool, tmp_path: Path) -> None:
    root = tmp_path / ("a %gles's" if strange else "angles")
    root.mkdir()
    place = Place(PurePosixPath(root), "/bin/true", PurePosixPath(root))
    for name, text in exported("systemd", PLAN, place).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    units = [str(path) for path in tmp_path.glob("angles-*.*")]
    ended = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    told = [line for line in ended.stderr.splitlines() if "angles" in line]
    assert (ended.returncode, told) == (0, [])


def test_a_crontab_line_runs_as_a_shell_has_it(tmp_path: Path) -> None:
    lines = exported("crontab", PLAN, STRANGE)["crontab"].splitlines()
    assert "CRON_TZ=UTC" in lines
    jobs = [line for line in lines if line[0] in "0123456789"]
    assert len(jobs) == len(JOBS)
    assert all(line.replace("\\%", "").count("%") == 0 for line in jobs), "cron takes % for a new line"
    command = (
        jobs[1]
        .split(" ", 5)[5]
        .replace("\\%", "%")
        .replace("mkdir -p", "printf '[%s]'")
        .replace("flock", "printf '[%s]'")
    )
    shown = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
    assert "[/srv/da ta%/logs/active/jobs/sync.lock]" in shown
    assert '[/srv/An %gles\'s "home"/$x/memory_sync.py]' in shown


@pytest.fixture
def manifests() -> list[dict[str, Any]]:
    """What `kubectl apply` gets."""
    items: list[dict[str, Any]] = json.loads(exported("kubernetes", PLAN, STRANGE)["cronjobs.json"])["items"]
    return items


def test_manifests_say_what_a_cronjob_needs(manifests: list[dict[str, Any]]) -> None:
    assert [item["kind"] for item in manifests] == ["PersistentVolumeClaim", *["CronJob"] * len(JOBS)]
    for item, job in zip(manifests[1:], JOBS, strict=True):
        spec = item["spec"]
        assert (spec["timeZone"], spec["concurrencyPolicy"]) == ("Etc/UTC", "Forbid")
        assert spec["startingDeadlineSeconds"] == job.grace.total_seconds()
        inner = spec["jobTemplate"]["spec"]
        assert inner["activeDeadlineSeconds"] == job.limit.total_seconds()
        container = inner["template"]["spec"]["containers"][0]
        assert container["envFrom"] == [{"secretRef": {"name": "angles-ai-universe"}}]
        assert container["volumeMounts"][0] == {"name": "data", "mountPath": "/data"}
        assert 3 not in inner["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"]


def test_kubernetes_accepts_the_manifests(manifests: list[dict[str, Any]]) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    for item in manifests:
        validate.validate(item, "1.33", strict=True)
    manifests[1]["spec"]["timezone"] = "UTC"
    with pytest.raises(validate.ValidationError):
        validate.validate(manifests[1], "1.33", strict=True)


def test_the_image_holds_no_secret_and_runs_as_nobody() -> None:
    lines = exported("kubernetes", PLAN, STRANGE)["Dockerfile"].splitlines()
    assert [line for line in lines if line.startswith("COPY")] == [
        "COPY requirements.txt ./",
        "COPY *.py .env.example ./",
        "COPY utils utils",
        "COPY supabase supabase",
    ]
    assert "USER 65534:65534" in lines
