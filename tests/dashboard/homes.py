"""Home folders as the monitor and the scheduler leave them, for the page: empty, all well, three things down."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from utils import state
from utils.health import checks, store
from utils.health.model import Finding, Limits, Result, State, down, up
from utils.schedule.history import History, Moment
from utils.schedule.jobs import JOBS
from utils.schedule.slots import last_due
from utils.sections import ScheduleSettings

PLAN = ScheduleSettings(JOBS)
SCRIPT = "<script>alert(1)</script>"
TYPES = {"Technical": 412, "Process": 198, "Product": 143, "People": 57, "": 21, SCRIPT: 3}
THREE: Mapping[str, Finding] = {
    "notion": down("notion: the token is refused (401)", "Copy NOTION_TOKEN again from notion.so/my-integrations"),
    "disk": Finding(State.DOWN, "96 % used, 1.2 GB left", "Free some space there", 96.0, "%", Limits(85, 95)),
    "backup": down("last good run 3 d 4 h ago, due every 1 d; push refused", "Run: python run_backup_now.py"),
    "backlog": Finding(State.WARN, "240 of 834 rows are not synced", "Run: python memory_sync.py", 240.0),
    "notion-properties": Finding(State.UNKNOWN, "not known, since notion failed"),
}
MEASURED = {"cpu": (12.0, "%"), "memory": (41.0, "%"), "disk": (63.0, "%"), "backlog": (0.0, ""), "backup": (9e3, "s")}


def results(now: datetime, wrong: Mapping[str, Finding], more: Sequence[str] = ()) -> list[Result]:
    """A result of every check, and of others that are named; those that are wrong as they are."""
    found = []
    for each in checks.CHECKS:
        value, unit = MEASURED.get(each.name, (None, ""))
        finding = wrong.get(each.name, up(f"{each.name} is as it should be", value=value, unit=unit))
        if each.name == "decisions":
            monday = now.date() - timedelta(days=now.weekday())
            weeks = [{"week": str(monday - timedelta(weeks=back)), "new": 3 + back * 7 % 11} for back in range(26)]
            details = {"active": 790, "types": TYPES, "weeks": weeks}
            finding = up("834 decisions, 790 active", value=834, details=details)
        found.append(Result(each.name, each.component, finding, 0.04 if each.leads else None))
    return found + [Result(name, name, up("it is well"), 0.01) for name in more]


def empty(home: Path) -> Path:
    """Nothing ran yet."""
    (home / "logs" / "active").mkdir(parents=True)
    return home


def kept(
    home: Path, now: datetime, wrong: Mapping[str, Finding] | None = None, more: Sequence[str] = (), days: int = 90
) -> Path:
    """What some months leave, the last look having found what is wrong."""
    empty(home)
    found = results(now, wrong or {}, more)
    store.save(home, store.document(found, now, "0123456789ab", 1.2, healed=[]))
    with state.open_state(home / state.STATE_FILE) as db:
        db.execute("begin")
        for back in range(days):
            day = f"{now - timedelta(days=back):%Y-%m-%d}"
            for number, each in enumerate(found):
                bad = each.state is State.DOWN and back < 2
                flaw = (back * 7 + number * 13) % 41 == 0
                row = (each.name, day, 20 if bad or flaw else 24, int(flaw) * 3, 4 if bad else int(flaw), 0, 1.0, 24)
                db.execute("insert into health_days values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        for hour in range(48):
            at = now - timedelta(hours=47 - hour)
            for number, each in enumerate(found):
                seconds = None if each.seconds is None else 0.03 + 0.02 * math.sin(hour / 3 + number) ** 2
                sample = (each.name, int(at.timestamp()), each.state.value, None, seconds)
                db.execute("insert into health_samples values (?, ?, ?, ?, ?)", sample)
        for job in JOBS:
            for number in range(24):
                began = last_due(job, now) - job.period * number
                code = 3 if wrong and job.name in wrong and number < 3 else number % 9 == 4
                outcome = {0: "done", 1: "done with problems", 3: "service unavailable"}[int(code)]
                ended = began + timedelta(seconds=2 + number * 3 % 7)
                run = state.RunRecord(
                    f"{job.name}{number:04}", job.name, began, ended, outcome, f"{job.name}: 3 copied"
                )
                state.record_run(db, state.RunRecord(**{**vars(run), "code": int(code), "pid": 1}))
        for name, finding in (wrong or {}).items():
            if finding.state is State.DOWN:
                since = (now - timedelta(hours=5)).isoformat()
                db.execute("insert into alert_memory values (?, 5, 0, ?, ?, '[]')", (name, since, since))
                alert = (since, "failing", name, f"{finding.fact}. {finding.hint}", since, since, "sent")
                db.execute(
                    "insert into alerts(queued, kind, subject, text, at, since, outcome) values (?, ?, ?, ?, ?, ?, ?)",
                    alert,
                )
        healed = (
            int((now - timedelta(hours=9)).timestamp()),
            "missing-folders",
            "inbox",
            "mended",
            "inbox: made again",
        )
        db.execute("insert into heals(at, action, target, outcome, detail) values (?, ?, ?, ?, ?)", healed)
        db.execute("commit")
    history = History(home / state.STATE_FILE)
    history.beat(now - timedelta(seconds=20))
    for job in JOBS:
        for back in (1, 0):
            history.settle(job.name, last_due(job, now) - back * job.period, "done", 0, Moment(now, "", 0))
    active = home / "logs" / "active"
    report = {"at": now.isoformat(), "outcome": "pushed", "commit": "a" * 40, "bytes": 1_284_000, "files": 48}
    (active / "backup_report.json").write_text(json.dumps({**report, "rows": {"decision_vault": 834}}))
    (active / "restore_test.json").write_text(json.dumps({"passed": True, "compared": 834, "differences_count": 0}))
    line = f"{now:%Y-%m-%dT%H:%M:%S}.000Z INFO memory_sync 0123456789ab 3 copied, 0 merged {SCRIPT}\n"
    (active / "memory_sync.log").write_text(line * 60)
    (home / "logs" / "backup.log").write_text(line.replace("memory_sync", "run_backup_now"))
    return home


def hour() -> datetime:
    """Now, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
