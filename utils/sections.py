"""The settings of single scripts: one frozen dataclass and one reader a section, for `config.load_with`.

A reader takes the variables and the home folder, keeps what is wrong in `variables.problems`, and answers defaults
there. Every variable is explained in `.env.example`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from utils.intake.model import THRESHOLD
from utils.variables import Variables

if TYPE_CHECKING:
    from utils.schedule.jobs import Job
    from utils.schedule.slots import Window

_BRANCH = re.compile(r"(?!.*(?:\.\.|//|\.lock(?:/|$)|/\.|\.$|/$))[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}")
_AUTHOR = re.compile(r"[^<>\x00-\x1f]*[^<>\x00-\x20.,;:'\"][^<>\x00-\x1f]*")


@dataclass(frozen=True)
class ModelSettings:
    """A model that finds decisions, by an OpenAI-compatible API; money in dollars, prices a million tokens."""

    key: str = field(repr=False)
    base_url: str = "https://api.openai.com/v1"
    model: str = "gpt-4o-mini"
    most_dollars: float = 1.0
    price_in: float = 0.15
    price_out: float = 0.60
    most_seconds: float = 300.0


@dataclass(frozen=True)
class InboxSettings:
    """Where assistant output is dropped; how sure of a decision intake must be; the model that helps, if one does."""

    folder: Path
    threshold: float = THRESHOLD
    model: ModelSettings | None = None


def inbox(variables: Variables, home: Path) -> InboxSettings:
    """INBOX_DIR, `inbox/` in the home folder; INTAKE_THRESHOLD; OPENAI_API_KEY and what goes with it."""
    inbox_folder = folder(variables, "INBOX_DIR", home / "inbox", home)
    if home.is_relative_to(os.path.realpath(inbox_folder)):
        variables.problems.append("INBOX_DIR holds this program's own files; name a folder that holds nothing else")
    return InboxSettings(
        inbox_folder,
        variables.number("INTAKE_THRESHOLD", THRESHOLD, 0, 1, "0 takes everything in, 1 only what is certain"),
        _model(variables),
    )


def _model(variables: Variables) -> ModelSettings | None:
    if not (key := variables.token("OPENAI_API_KEY")):
        return None
    usual = ModelSettings("")
    return ModelSettings(
        key,
        (variables.url("OPENAI_BASE_URL", {"https", "http"}, "empty it for OpenAI itself") or usual.base_url).rstrip(
            "/"
        ),
        variables.value("OPENAI_MODEL", usual.model),
        variables.number("OPENAI_MAX_DOLLARS", usual.most_dollars, 0, 1e6, "dollars a run"),
        variables.number("OPENAI_PRICE_IN", usual.price_in, 0, 1e6, "dollars for a million tokens sent"),
        variables.number("OPENAI_PRICE_OUT", usual.price_out, 0, 1e6, "dollars for a million tokens answered"),
        variables.number("OPENAI_MAX_SECONDS", usual.most_seconds, 1, 1e6, "seconds a run"),
    )


@dataclass(frozen=True)
class AlertSettings:
    """Where alerts go, where the dead man's switch is, and for how many seconds alerts are gathered into a message."""

    urls: tuple[str, ...] = field(default=(), repr=False)
    ping_url: str = field(default="", repr=False)
    group_seconds: float = 30.0


def alerts(variables: Variables, _home: Path) -> AlertSettings:
    """ALERT_URLS, addresses with blanks between them; HEALTHCHECK_PING_URL; ALERT_GROUP_SECONDS."""
    urls = tuple(variables.value("ALERT_URLS").split())
    for number, url in enumerate(urls, 1):
        if "://" not in url:
            variables.problems.append(
                f"ALERT_URLS: address {number} is no URL; write them as apprise does, with blanks between them"
            )
    ping = variables.url("HEALTHCHECK_PING_URL", {"https", "http"}, "copy the check's ping URL again")
    return AlertSettings(urls, ping, variables.number("ALERT_GROUP_SECONDS", 30, 0, 600, "seconds"))


LIMITS: Mapping[str, tuple[float, float, float, str]] = {
    "latency": (1, 5, 600, "seconds that a service's answer takes"),
    "wait": (1, 60, 3600, "seconds that Notion asks to wait"),
    "backlog": (100, 1000, 1e9, "rows that are not synced"),
    "clock": (30, 300, 1e9, "seconds that our clock is off"),
    "shrink": (20, 50, 100, "percent that a backup is smaller than the one before"),
    "heartbeat": (180, 600, 1e9, "seconds since the scheduler's heartbeat"),
    "cpu": (400, 0, 1e6, "load in percent of the cores"),
    "memory": (90, 97, 100, "percent used"),
    "disk": (85, 95, 100, "percent used"),
    "inodes": (85, 95, 100, "percent used"),
    "files": (70, 90, 100, "percent of the files that a process may open"),
    "full": (72, 0, 1e6, "hours until a disk is full"),
    "run": (7200, 0, 1e9, "seconds that one of our processes runs"),
}
"""What the monitor holds values against: warning, down, the most that can be set, the unit; a down of 0 is none.

The variables are `HEALTH_<NAME>_WARN` and `HEALTH_<NAME>_DOWN`.
"""


@dataclass(frozen=True)
class HealthSettings:
    """The monitor's limits by name (warning, down), whether it may mend, where it tells."""

    limits: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: {name: (warn, down) for name, (warn, down, _, _) in LIMITS.items()}
    )
    self_heal: bool = True
    alerts: AlertSettings = field(default_factory=AlertSettings)


def health(variables: Variables, home: Path) -> HealthSettings:
    """SELF_HEAL, the limits, and what `alerts` reads."""
    limits = {}
    for name, (warn, down, most, unit) in LIMITS.items():
        label = f"HEALTH_{name.upper()}"
        limits[name] = (
            variables.number(f"{label}_WARN", warn, 0, most, unit),
            variables.number(f"{label}_DOWN", down, 0, most, unit) if down else 0.0,
        )
        if down and limits[name][0] > limits[name][1]:
            variables.problems.append(f"{label}_WARN is above {label}_DOWN; set it lower, or empty both")
    return HealthSettings(limits, variables.flag("SELF_HEAL", default=True), alerts(variables, home))


@dataclass(frozen=True)
class FilesSettings:
    """Which folders the file autosync watches, and by which rules; without any, the project and the default."""

    paths: tuple[Path, ...]
    rules: Path | None


def files(variables: Variables, home: Path) -> FilesSettings:
    """AUTOSYNC_PATHS, folders with colons between them; AUTOSYNC_RULES: `autosync.toml` in the home folder, if any."""
    paths = tuple(home / Path(each).expanduser() for each in variables.words("AUTOSYNC_PATHS", ":"))
    given, own = variables.value("AUTOSYNC_RULES"), home / "autosync.toml"
    rules = home / Path(given).expanduser() if given else own if own.exists() else None
    return FilesSettings(paths, rules)


@dataclass(frozen=True)
class BackupSettings:
    """Where backups go, as whom, and which files go along.

    `url` is `https://` without a user, `http://` on this machine itself, an absolute path, or empty: not configured, or
    local mode, which has a repository of its own. `paths` lie in the home folder.
    """

    url: str = ""
    token: str = field(default="", repr=False)
    branch: str = "angles-backup"
    name: str = "Angles AI Universe"
    email: str = "backup@angles.invalid"
    paths: tuple[str, ...] = ("export", "README.md")


def backup(variables: Variables, home: Path) -> BackupSettings:
    """REPO_URL, GITHUB_TOKEN, BACKUP_BRANCH, GIT_USERNAME, GIT_EMAIL, BACKUP_PATHS with commas between them."""
    usual = BackupSettings()
    is_local = variables.env.get("BACKEND_MODE", "").lower() == "local"
    return BackupSettings(
        "" if is_local else _repository(variables),
        "" if is_local else variables.token("GITHUB_TOKEN"),
        _fitting(variables, "BACKUP_BRANCH", usual.branch, _BRANCH, "a branch's name, such as angles-backup"),
        _fitting(variables, "GIT_USERNAME", usual.name, _AUTHOR, "a name without < and >"),
        _fitting(variables, "GIT_EMAIL", usual.email, _AUTHOR, "an address without < and >"),
        tuple(_inside(variables, home, path) for path in variables.words("BACKUP_PATHS"))
        or tuple(path for path in usual.paths if (home / path).exists()),
    )


def _repository(variables: Variables) -> str:
    """REPO_URL, never shown: what stands before an @ in it may be a token."""
    given = variables.value("REPO_URL")
    try:
        parts = urlsplit(given)
        named = bool(parts.username or parts.password or parts.query or parts.fragment)
        on_this_machine = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
        good = (parts.scheme == "https" and bool(parts.hostname)) or on_this_machine or Path(given).is_absolute()
    except ValueError:
        named, good = False, False
    if named:
        variables.problems.append("REPO_URL holds a user, a token or a query; take it out and set GITHUB_TOKEN")
    elif given and not (good and given.isprintable() and " " not in parts.netloc):
        variables.problems.append(
            "REPO_URL is neither https://host/owner/repository.git nor an absolute path (http:// only on this machine)"
        )
    return given


def _fitting(variables: Variables, name: str, default: str, pattern: re.Pattern[str], wanted: str) -> str:
    given = variables.value(name, default)
    if pattern.fullmatch(given):
        return given
    variables.problems.append(f"{name} is {given[:80]!r}; set {wanted}, or leave it empty")
    return default


def _inside(variables: Variables, home: Path, path: str) -> str:
    """A path in the home folder."""
    try:
        return (home / path).resolve().relative_to(home.resolve()).as_posix()
    except (ValueError, OSError):
        variables.problems.append(f"BACKUP_PATHS holds {path[:80]!r}; name files and folders in {home} alone")
        return path


@dataclass(frozen=True)
class ScheduleSettings:
    """The cadence of this host: its jobs, jitter, times in which nothing is begun, and how the scheduler ends.

    `shared` is whether other hosts run the same jobs on the same database.
    """

    jobs: tuple[Job, ...]
    jitter: timedelta = timedelta(0)
    windows: tuple[Window, ...] = ()
    stop_seconds: float = 20.0
    shared: bool = False
    alerts: AlertSettings = field(default_factory=AlertSettings)


def schedule(variables: Variables, home: Path, table: Sequence[Job] = ()) -> ScheduleSettings:
    """SCHEDULE_<JOB> of every job, SELF_HEAL, MAINTENANCE_WINDOW, the SCHEDULER_… ones, and what `alerts` reads."""
    from utils.schedule.jobs import JOBS, planned
    from utils.schedule.slots import parse_window

    table = table or JOBS
    given = {each.variable: variables.value(each.variable) for each in table}
    jobs, problems = planned(table, given, heal=variables.flag("SELF_HEAL", default=True))
    variables.problems += problems
    windows = []
    for text in variables.words("MAINTENANCE_WINDOW"):
        try:
            windows.append(parse_window(text))
        except ValueError:
            variables.problems.append(
                f"MAINTENANCE_WINDOW holds {text[:80]!r}; set times such as 01:00-05:00 or Sun 23:00-01:30 (UTC)"
            )
    return ScheduleSettings(
        jobs,
        timedelta(seconds=variables.number("SCHEDULER_JITTER_SECONDS", 30, 0, 3600, "seconds")),
        tuple(windows),
        variables.number("SCHEDULER_STOP_SECONDS", 20, 0, 3600, "seconds"),
        variables.choice("SCHEDULER_COORDINATION", "host", ("host", "database")) == "database",
        alerts(variables, home),
    )


@dataclass(frozen=True)
class DashboardSettings:
    """Where the page is served, what opens it, and the names besides this machine's own by which it may be asked."""

    host: str = "127.0.0.1"
    port: int = 5000
    token: str = field(default="", repr=False)
    names: tuple[str, ...] = ()


def dashboard(variables: Variables, _home: Path) -> DashboardSettings:
    """DASHBOARD_HOST, DASHBOARD_PORT, DASHBOARD_TOKEN, DASHBOARD_ALLOWED_HOSTS with commas between them."""
    usual, token = DashboardSettings(), variables.token("DASHBOARD_TOKEN")
    if token and len(token) < 16:
        variables.problems.append("DASHBOARD_TOKEN is shorter than 16 signs; make one with: openssl rand -hex 24")
    return DashboardSettings(
        variables.value("DASHBOARD_HOST", usual.host),
        int(variables.number("DASHBOARD_PORT", usual.port, 1, 65_535, "a port")),
        token,
        tuple(name.lower() for name in variables.words("DASHBOARD_ALLOWED_HOSTS")),
    )


def folder(variables: Variables, name: str, default: Path, home: Path) -> Path:
    """A folder: a relative one lies in the home folder."""
    given = variables.value(name)
    return home / Path(given).expanduser() if given else default
