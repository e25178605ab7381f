"""The facts that probes bring, and the rule that judges each. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from utils.health.model import Finding, Limits, State, down, graded, skipped, up, warn

MIGRATE = "Run: python run_migration.py"
JUST_ENDED = timedelta(minutes=1)
"""How old a zombie may be: one that has just ended waits for its parent."""

LATE = 1.5
"""How many periods old the last good run of a job may be."""


@dataclass(frozen=True)
class Seen:
    """What rules judge by besides their fact: the time, and the limits by name."""

    now: datetime
    limits: Mapping[str, Limits]


# --- environment


@dataclass(frozen=True)
class Environment:
    """The variables that are set, those that we know, and what is wrong with them; never a value.

    Args:
        mode: local, configured or incomplete.
        known: the names of all variables that there are.
        filled: those that are set.
        problems: a line each, beginning with the variable's name.
        warnings: likewise.
        missing: by service, what would configure it.
        strange: names in `.env` that nobody reads, each with the one that may be meant, or ''.
    """

    mode: str
    known: Sequence[str]
    filled: Sequence[str]
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    strange: Mapping[str, str] = field(default_factory=dict)


def environment(fact: Environment, _seen: Seen) -> Finding:
    """Every variable: set and well-formed."""
    details = {name: "set" if name in fact.filled else "not set" for name in fact.known}
    for word, lines in (("warning", fact.warnings), ("wrong", fact.problems)):
        for line in lines:
            details[line.split(" ", 1)[0].rstrip(":")] = f"{word}: {line}"
    odd = [f"{name} is read by nobody" + (f", {meant} is" if meant else "") for name, meant in fact.strange.items()]
    lacking = [f"{service} is not configured, set {names}" for service, names in fact.missing.items()]
    count = f"{fact.mode} mode, {len(fact.filled)} of {len(fact.known)} variables set"
    if fact.problems:
        return down(f"{count}; wrong: {'; '.join(fact.problems)}", "Correct them in .env", details=details)
    if told := [*fact.warnings, *odd, *lacking]:
        return warn(f"{count}; {'; '.join(told)}", "See .env.example", details=details)
    return up(f"{count}, all well-formed", details=details)


@dataclass(frozen=True)
class Packages:
    """The interpreter's version, and of each requirement: name, range, the version that is there or ''."""

    python: tuple[int, int, int]
    packages: Sequence[tuple[str, str, str]]


def python(fact: Packages, _seen: Seen) -> Finding:
    """The interpreter."""
    version = ".".join(map(str, fact.python))
    if fact.python >= (3, 11, 0):
        return up(f"Python {version}")
    return down(f"Python {version}", "Use Python 3.11 or newer")


def packages(fact: Packages, _seen: Seen) -> Finding:
    """The packages."""
    details = {name: version or "missing" for name, _, version in fact.packages}
    wrong = [
        f"{name} {version or 'is missing'} (wanted {wanted})"
        for name, wanted, version in fact.packages
        if not version or not fits(version, wanted)
    ]
    if wrong:
        return down("; ".join(wrong), "Run: pip install -r requirements.txt", details=details)
    return up(f"{len(fact.packages)} packages, each in its range", details=details)


def fits(version: str, wanted: str) -> bool:
    """Whether a version lies in a range such as ``>=3.2,<4``; compared by its numbers."""
    ours = _numbers(version)
    for part in filter(None, wanted.split(",")):
        sign = part[: 2 if part[1:2] == "=" else 1]
        bound = _numbers(part[len(sign) :])
        width = max(len(ours), len(bound))
        order = (_padded(ours, width) > _padded(bound, width)) - (_padded(ours, width) < _padded(bound, width))
        if not {">=": order >= 0, "<": order < 0, "<=": order <= 0, ">": order > 0, "==": order == 0}.get(sign, True):
            return False
    return True


def _numbers(version: str) -> list[int]:
    found = []
    for part in version.strip().split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
        if digits != part:
            break
    return found


def _padded(numbers: list[int], width: int) -> list[int]:
    return numbers + [0] * (width - len(numbers))


# --- the vault


@dataclass(frozen=True)
class Vault:
    """What the vault answered.

    Args:
        seconds: how long the second call took, the connection being there.
        fingerprint: of `schema_fingerprint`; None where there is no such function.
        look: of `health_look`; None where there is no such function.
        pending: the migrations that are not applied.
        probe: of `health_probe`, '' where the row was written, read and deleted, else what went wrong.
        synced: whether there is a Notion side to be synced with.
    """

    seconds: float
    fingerprint: Mapping[str, Any] | None
    look: Mapping[str, Any] | None
    pending: Sequence[str] = ()
    probe: str = ""
    synced: bool = True


def database(fact: Vault, seen: Seen) -> Finding:
    """Reachable, and how fast."""
    told = f"answers in {fact.seconds * 1000:.0f} ms"
    return graded(fact.seconds, seen.limits["latency"], told, "Look at its load, and at the network", "s")


def schema(fact: Vault, _seen: Seen) -> Finding:
    """The version, and drift by the fingerprint of the last migration."""
    if fact.pending:
        return down(f"{len(fact.pending)} migrations are not applied: {', '.join(fact.pending)}", MIGRATE)
    if fact.fingerprint is None:
        return skipped("the database has no schema_fingerprint()", MIGRATE)
    if fact.fingerprint.get("same") is None:
        return skipped("no fingerprint was kept", "Run: python run_migration.py --verify")
    if not fact.fingerprint["same"]:
        return warn("differs from what the last migration made", "Run: python run_migration.py --verify")
    versions = fact.fingerprint.get("versions") or []
    return up(f"as the last migration made it, version {max(versions, default='unknown')}")


def privileges(fact: Vault, _seen: Seen) -> Finding:
    """What we may do, and what others may."""
    if fact.look is None:
        return skipped("the database has no health_look()", MIGRATE)
    if fact.look["lacking"]:
        return down(f"we may not: {', '.join(fact.look['lacking'])}", "Use the owner's or service_role's login")
    open_ones = [*fact.look["open"], *(f"no row-level security on {name}" for name in fact.look["unprotected"])]
    if open_ones:
        return down(f"open to others: {', '.join(open_ones[:9])}", "Run: python run_migration.py --verify")
    return up("we may do everything, anon and authenticated nothing")


def write_probe(fact: Vault, _seen: Seen) -> Finding:
    """A row of agent_activity written, read and deleted."""
    if fact.look is None:
        return skipped("the database has no health_probe()", MIGRATE)
    if fact.probe:
        return down(fact.probe, "Look for a full disk or a read-only database")
    return up("a row of agent_activity was written, read and deleted")


def decisions(fact: Vault, _seen: Seen) -> Finding:
    """How many there are, by type and new a week, for the page: it asks no database itself."""
    if fact.look is None:
        return skipped("the database has no health_look()", MIGRATE)
    rows = fact.look["rows"]
    details = {"active": rows["active"], "types": fact.look["types"], "weeks": fact.look["weeks"]}
    return up(f"{rows['total']} decisions, {rows['active']} active", value=rows["total"], details=details)


def backlog(fact: Vault, seen: Seen) -> Finding:
    """Rows that are not in Notion yet."""
    if not fact.synced:
        return skipped("there is no Notion side", "Set NOTION_TOKEN and NOTION_DATABASE_ID")
    if fact.look is None:
        return skipped("the database has no health_look()", MIGRATE)
    rows = fact.look["rows"]
    oldest = rows["oldest_unsynced"]
    since = f", the oldest for {spell(seen.now - datetime.fromisoformat(oldest))}" if oldest else ""
    told = f"{rows['unsynced']} of {rows['total']} rows are not synced{since}"
    return graded(rows["unsynced"], seen.limits["backlog"], told, "Run: python memory_sync.py")


def conflicts(fact: Vault, _seen: Seen) -> Finding:
    """Decisions with a field that a person has to settle."""
    if fact.look is None:
        return skipped("the database has no health_look()", MIGRATE)
    count = fact.look["conflicts"]
    if count:
        return warn(f"{count} decisions are held", "Run: python memory_sync.py --conflicts", value=count)
    return up("nothing is held", value=0)


# --- Notion


@dataclass(frozen=True)
class Notion:
    """What Notion answered: the database's title, the properties that it lacks, and what the requests cost.

    Args:
        seconds: for all of the requests.
        missing: None where it is not known by which ids the sync knows them.
        rate: requests a second that we allow ourselves, 0 without a limit.
        waited: seconds that Notion asked us to wait.
    """

    seconds: float
    title: str
    missing: Sequence[str] | None
    requests: int
    rate: float
    waited: float


def notion(fact: Notion, seen: Seen) -> Finding:
    """Token and database."""
    each = fact.seconds / max(fact.requests, 1)
    told = f"database {fact.title!r} answers in {each * 1000:.0f} ms"
    return graded(each, seen.limits["latency"], told, "See https://status.notion.so", "s")


def notion_properties(fact: Notion, _seen: Seen) -> Finding:
    """The properties of the database."""
    if fact.missing is None:
        return skipped("the vault, which knows by which ids they are ours, does not answer", "See: --check database")
    if fact.missing:
        return warn(f"missing: {', '.join(fact.missing)}", "Run: python memory_sync.py, which makes them")
    return up("all are there, each of its type")


def notion_budget(fact: Notion, seen: Seen) -> Finding:
    """The rate budget."""
    rate = f"{fact.rate:g} a second" if fact.rate else "unlimited by us"
    told = f"{fact.requests} requests, {rate}, told to wait {fact.waited:.0f} s"
    hint = "Lower NOTION_REQUESTS_PER_SECOND, or look who else uses the integration"
    return graded(fact.waited, seen.limits["wait"], told, hint, "s")


# --- GitHub and endpoints


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: whose, its status, in how many seconds, and the service's clock less ours."""

    name: str
    status: int
    seconds: float
    skew: timedelta | None = None


def rest_api(fact: Answer, seen: Seen) -> Finding:
    """Supabase's REST API."""
    if fact.status == 540:
        return down("the project is paused (540)", "Resume it in Supabase's dashboard")
    if fact.status in {401, 403}:
        return down(f"refuses the key ({fact.status})", "Copy the secret key to SUPABASE_KEY again")
    if fact.status == 404:
        return down("has no decision_vault (404)", MIGRATE)
    if fact.status != 200:
        return down(f"answers {fact.status}", "See https://status.supabase.com")
    return _answered(fact, seen)


def dashboard(fact: Answer, seen: Seen) -> Finding:
    """Our own page."""
    if fact.status != 200:
        return down(f"{fact.name} answers {fact.status}", "Restart: python scheduler.py")
    return _answered(fact, seen)


def _answered(fact: Answer, seen: Seen) -> Finding:
    told = f"{fact.name} answers in {fact.seconds * 1000:.0f} ms"
    return graded(fact.seconds, seen.limits["latency"], told, "Look at its load, and at the network", "s")


def clock(fact: Answer, seen: Seen) -> Finding:
    """Our clock against that of a service (its Date header has whole seconds)."""
    if fact.skew is None:
        return skipped(f"{fact.name} tells no time", "Nothing to set")
    seconds = fact.skew.total_seconds()
    off = max(abs(seconds) - 1, 0.0)
    told = f"{off:.0f} s {'behind' if seconds > 0 else 'ahead of'} {fact.name}" if off >= 1 else f"that of {fact.name}"
    return graded(off, seen.limits["clock"], told, "Set the clock, such as by NTP", "s")


@dataclass(frozen=True)
class Remote:
    """The backup's repository: how long it took to list it, and whether a dry push was accepted ('' if so)."""

    seconds: float
    refused: str = ""


def github(fact: Remote, _seen: Seen) -> Finding:
    """The repository is reachable."""
    return up(f"the repository answers in {fact.seconds:.1f} s", value=fact.seconds, unit="s")


def github_push(fact: Remote, _seen: Seen) -> Finding:
    """The right to push, by a push that does nothing."""
    if fact.refused:
        return down(fact.refused, "Give GITHUB_TOKEN write access to the repository's contents")
    return up("a push would be accepted")


# --- freshness


@dataclass(frozen=True)
class Ran:
    """One run of a job: when it began, how it ended in a word, its last line, whether that was good."""

    started: datetime
    outcome: str
    detail: str = ""
    good: bool = False
    flawed: bool = False


@dataclass(frozen=True)
class Job:
    """A job and its runs.

    Args:
        name: of the job.
        command: that runs it by hand.
        period: its cadence; None where it is switched off.
        due: when its next slot is.
        paused: since when it is.
        unset: what would configure it, where it is not.
        first, last, good: its first run, its last one that ended, the last good one.
    """

    name: str
    command: str
    period: timedelta | None
    due: datetime | None = None
    paused: datetime | None = None
    unset: str = ""
    first: Ran | None = None
    last: Ran | None = None
    good: Ran | None = None


def fresh(fact: Job, seen: Seen) -> Finding:
    """The age of the last good run against the cadence. A job that was never due yet is no failure."""
    if fact.unset:
        return skipped("not configured", f"Set {fact.unset}")
    if fact.period is None:
        return skipped("switched off", f"Empty SCHEDULE_{fact.name.upper().replace('-', '_')}")
    run = f"Run: {fact.command}"
    if fact.paused:
        return warn(f"paused for {spell(seen.now - fact.paused)}", f"Resume: python scheduler.py --resume {fact.name}")
    if fact.first is None:
        due = f", the next slot is {fact.due:%Y-%m-%d %H:%M} UTC" if fact.due else ""
        return skipped(f"not due yet{due}", f"{run}, or leave it to: python scheduler.py")
    if fact.last is None:
        return up(f"its first run began {spell(seen.now - fact.first.started)} ago")
    ended = f"the last run: {fact.last.outcome}, {fact.last.detail}".rstrip(", ")
    since = fact.good or fact.first
    age, most = seen.now - since.started, fact.period * LATE
    limits = Limits(most.total_seconds(), most.total_seconds())
    told = f"last good run {spell(age)} ago" if fact.good else f"no good run since the first, {spell(age)} ago"
    value = age.total_seconds()
    if age > most:
        why = "" if fact.last.good else f"; {ended}"
        return Finding(State.DOWN, f"{told}, due every {spell(fact.period)}{why}", run, value, "s", limits)
    if not fact.last.good or fact.last.flawed:
        return Finding(State.WARN, f"{told}; {ended}", run, value, "s", limits)
    return Finding(State.UP, told, "", value, "s", limits)


@dataclass(frozen=True)
class Backup:
    """The last backup and the one before: rows, bytes; None where there is none or it is not told."""

    rows: int | None
    size: int | None
    rows_before: int | None = None
    size_before: int | None = None


def backup_size(fact: Backup, seen: Seen) -> Finding:
    """Rows and bytes against the backup before: a backup that shrinks may have lost something."""
    if fact.rows is None:
        return skipped("no backup was made yet", "Run: python run_backup_now.py")
    told = f"{fact.rows} rows" + (f", {fact.size} bytes" if fact.size is not None else "")
    pairs = [(fact.rows, fact.rows_before), (fact.size, fact.size_before)]
    shrunk = max((100 * (1 - now / before) for now, before in pairs if before and now is not None), default=None)
    if shrunk is None:
        return up(f"{told}; nothing to compare with yet", value=fact.size, unit="B")
    parts = [(fact.rows_before, "rows"), (fact.size_before, "bytes")]
    before = ", ".join(f"{count} {what}" for count, what in parts if count is not None)
    state = seen.limits["shrink"].state(shrunk)
    hint = "" if state is State.UP else "Compare: python restore_from_github.py --list"
    return Finding(state, f"{told}; before: {before}", hint, fact.size, "B")


@dataclass(frozen=True)
class Beat:
    """The scheduler's heartbeat: when, and whether its process is there (None: not to be told)."""

    at: datetime | None
    alive: bool | None = None


def scheduler(fact: Beat, seen: Seen) -> Finding:
    """The scheduler's heartbeat."""
    start = "Start: python scheduler.py"
    if fact.at is None:
        return skipped("has not run here", start)
    age = seen.now - fact.at
    if fact.alive is False:
        return down(f"its process is gone, last heartbeat {spell(age)} ago", start)
    seconds = max(age.total_seconds(), 0.0)
    return graded(seconds, seen.limits["heartbeat"], f"heartbeat {spell(age)} ago", f"It hangs. {start} again", "s")


# --- the machine


@dataclass(frozen=True)
class Machine:
    """This host.

    Args:
        load: of the last five minutes, in percent of the cores.
        memory, disk, inodes: percent used; None where there is no such thing.
        free: bytes free on the disk.
        disk_hours, inode_hours: until they are full at the pace of the last days; None where they do not fill up.
        files: by process, how many files are open and how many may be.
        processes: of ours: pid, script, for how long, bytes, state.
    """

    load: float
    memory: float
    disk: float
    free: int
    inodes: float | None
    disk_hours: float | None = None
    inode_hours: float | None = None
    files: Sequence[tuple[str, int, int]] = ()
    processes: Sequence[tuple[int, str, timedelta, int, str]] = ()


def cpu(fact: Machine, seen: Seen) -> Finding:
    """The load."""
    told = f"load of {fact.load:.0f} % of the cores over five minutes"
    return graded(fact.load, seen.limits["cpu"], told, "Look for what keeps them busy: top", "%")


def memory(fact: Machine, seen: Seen) -> Finding:
    """Memory."""
    told = f"{fact.memory:.0f} % used"
    return graded(fact.memory, seen.limits["memory"], told, "Look for what uses it: ps aux --sort=-rss", "%")


def disk(fact: Machine, seen: Seen) -> Finding:
    """The disk of the home folder, and when it is full."""
    told = f"{fact.disk:.1f} % used, {fact.free / 1e9:.1f} GB free"
    return _filling(fact.disk, fact.disk_hours, seen, "disk", told)


def inodes(fact: Machine, seen: Seen) -> Finding:
    """The inodes of that disk."""
    if fact.inodes is None:
        return skipped("this file system has no fixed number of them", "Nothing to set")
    return _filling(fact.inodes, fact.inode_hours, seen, "inodes", f"{fact.inodes:.1f} % used")


def _filling(percent: float, hours: float | None, seen: Seen, name: str, told: str) -> Finding:
    """The worse of how full it is and how soon it is full."""
    hint = "Free some space; with --heal old rotated logs go first"
    if hours is not None:
        told += f", full in {spell(timedelta(hours=min(hours, 99_999)))} at this pace"
    found = graded(percent, seen.limits[name], told, hint, "%")
    if hours is not None and found.state is State.UP and hours <= seen.limits["full"].warn:
        return Finding(State.WARN, told, hint, percent, "%", found.limits)
    return found


def open_files(fact: Machine, seen: Seen) -> Finding:
    """Open files of our processes against what each may open."""
    if not fact.files:
        return skipped("not told by this system", "Nothing to set")
    name, count, most = max(fact.files, key=lambda each: each[1] / each[2])
    percent = 100 * count / most
    told = f"{name} has {count} of {most} open"
    return graded(percent, seen.limits["files"], told, "Raise ulimit -n, and report it: files should be closed", "%")


def processes(fact: Machine, seen: Seen) -> Finding:
    """Our own processes: none is a zombie, none runs for longer than any job may."""
    details = {f"{pid} {name}": f"{spell(age)}, {size / 1e6:.0f} MB" for pid, name, age, size, _ in fact.processes}
    told = f"{len(fact.processes)}, {sum(size for _, _, _, size, _ in fact.processes) / 1e6:.0f} MB"
    dead = [f"{name} ({pid})" for pid, name, age, _, state in fact.processes if state == "zombie" and age > JUST_ENDED]
    if dead:
        return warn(f"{told}; zombies: {', '.join(dead)}", "Restart what started them", details=details)
    longest = timedelta(seconds=seen.limits["run"].warn)
    long = [f"{name} ({pid}) for {spell(age)}" for pid, name, age, _, _ in fact.processes if age > longest]
    long = [each for each in long if not each.startswith(("scheduler", "backend_monitor"))]
    if long:
        return warn(f"{told}; running long: {', '.join(long)}", "Look at its log; end it by its pid", details=details)
    return up(told, details=details, value=len(fact.processes))


def hours_to_full(samples: Sequence[tuple[float, float]]) -> float | None:
    """In how many hours 100 is reached, by the line of least squares through samples of (seconds, percent).

    None where they are too few (under 3, or within an hour) or it does not fill up.
    """
    if len(samples) < 3 or samples[-1][0] - samples[0][0] < 3600:
        return None
    mean_time = sum(time for time, _ in samples) / len(samples)
    mean = sum(percent for _, percent in samples) / len(samples)
    spread = sum((time - mean_time) ** 2 for time, _ in samples)
    slope = sum((time - mean_time) * (percent - mean) for time, percent in samples) / spread
    return max(100 - samples[-1][1], 0.0) / slope / 3600 if slope > 1e-9 else None


# --- the siblings


@dataclass(frozen=True)
class Ended:
    """A script's safe mode: its exit code and its last line."""

    command: str
    code: int
    said: str
    seconds: float


def sibling(fact: Ended, _seen: Seen) -> Finding:
    """A sibling script starts, and its safe mode does what it should."""
    told = f"{fact.command}: ended with {fact.code}, {fact.seconds:.1f} s" + (f": {fact.said}" if fact.said else "")
    if fact.code == 0:
        return up(told)
    run = f"Run: python {fact.command}"
    if fact.code == 2:
        return skipped(told, run)
    return warn(told, run) if fact.code in {1, 75} else down(told, run)


def spell(age: timedelta) -> str:
    """A time in its two largest units: `3 d 4 h`, `12 min`, `8 s`."""
    seconds = max(int(age.total_seconds()), 0)
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds % 60, "s")]
    first = next((index for index, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"
