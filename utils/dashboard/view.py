"""What the page says of what is stored: the verdict, the cards, the jobs. It decides only: no clock, no disk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from utils import errors
from utils.health import model
from utils.health.model import State
from utils.health.rules import spell

if TYPE_CHECKING:
    from utils.health.store import Day
    from utils.schedule.overview import Standing
    from utils.state import RunRecord

BAR_DAYS = 90
WEEKS = 26
STALE_FACTOR = 1.5
"""Of the monitor's cadence: from this age on its results are no news."""

AHEAD = timedelta(minutes=5)
"""How far a clock may have been set back before results from the future count as stale."""

LOOK = "python backend_monitor.py"
_BAD = {state.value for state in (State.DOWN, State.WARN, State.UNKNOWN)}
_ORDER = [state.value for state in model.FROM_BAD_TO_GOOD]
_WORDS = {"up": "up", "warn": "warning", "down": "down", "unknown": "unknown", "skipped": "skipped", "none": "no data"}


@dataclass(frozen=True)
class Verdict:
    """All in a line.

    Args:
        state: `up`, `warn`, `down` or `unknown`.
        line: what a person reads first.
        summary: the monitor's own words.
        at: when it looked; None where it never did.
        stale: why what it saw is no news, or ''.
    """

    state: str
    line: str
    summary: str
    at: datetime | None
    stale: str


@dataclass(frozen=True)
class Slice:
    """A day of a bar: the share of looks that found it working, None without a look; its state is `none` then."""

    day: date
    state: str
    share: float | None


@dataclass(frozen=True)
class Card:
    """A component: its state, its checks (as the document has them), its bar, and what is counted from that bar."""

    name: str
    state: str
    checks: Sequence[Mapping[str, Any]]
    bar: Sequence[Slice]
    share: float | None
    seconds: Sequence[float]
    timed: str

    @property
    def known(self) -> int:
        """Of how many days anything is known."""
        return sum(each.share is not None for each in self.bar)


@dataclass(frozen=True)
class Task:
    """A job: how the scheduler sees it, its runs (the newest first), its last good one, what came of a press here."""

    name: str
    every: str
    state: str
    next: datetime
    runs: Sequence[RunRecord]
    well: RunRecord | None
    note: str

    @property
    def columns(self) -> list[tuple[str, float, RunRecord]]:
        """The runs that have ended, the oldest first: how each stands, its share of the longest, the run."""
        ended = [(each, lasted(each)) for each in reversed(self.runs)]
        most = max((seconds for _, seconds in ended if seconds is not None), default=0) or 1
        return [(ending(each), seconds / most, each) for each, seconds in ended if seconds is not None]


def tasks(
    rows: Iterable[Standing],
    runs: Mapping[str, Sequence[RunRecord]],
    well: Mapping[str, RunRecord],
    running: Collection[str],
    ended: Mapping[str, int],
) -> list[Task]:
    """The jobs.

    Args:
        rows: as the scheduler sees them.
        runs: of each, the newest first.
        well: the last good run of each.
        running: those that were started here and run.
        ended: the exit codes of those that were started here and have ended.
    """
    made = []
    for row in rows:
        of_job = runs.get(row.job, ())
        state = "running" if row.job in running else row.state
        note = f"started here: {errors.MEANINGS.get(ended[row.job], 'failed')}" if row.job in ended else ""
        made.append(Task(row.job, row.every, state, row.next, of_job, well.get(row.job), note))
    return made


def ending(run: RunRecord) -> str:
    """How a run stands, as a state."""
    return {"done": "up", "done with problems": "warn", "running": "none", "busy": "skipped"}.get(run.outcome, "down")


def lasted(run: RunRecord) -> float | None:
    """How many seconds a run took; None while it runs."""
    return (run.ended - run.started).total_seconds() if run.ended else None


def verdict(document: Mapping[str, Any] | None, now: datetime, period: timedelta) -> Verdict:
    """The verdict on the monitor's results.

    Args:
        document: the results; None where there are none.
        now: the time.
        period: the monitor's cadence.
    """
    if document is None:
        return Verdict("unknown", "Nobody has looked yet", f"Run: {LOOK}", None, "there are no results")
    at = datetime.fromisoformat(document["at"])
    stale, old = "", now - at
    if old > period * STALE_FACTOR:
        stale = f"The monitor last looked {age(old)} ago; it should every {age(period)}"
    elif old < -AHEAD:
        stale = f"The monitor's results are from {age(-old)} ahead; the clock was set back"
    if stale:
        return Verdict("down", "Not known: what is seen here is old", document["summary"], at, stale)
    return Verdict(document["verdict"], _line(document["results"]), document["summary"], at, "")


def _line(results: Sequence[Mapping[str, Any]]) -> str:
    counts = {word: sum(each["state"] == word for each in results) for word in _BAD}
    if down := counts["down"]:
        return f"{down} {'thing is' if down == 1 else 'things are'} down"
    if warn := counts["warn"]:
        return f"Works, with {warn} {'warning' if warn == 1 else 'warnings'}"
    return f"{counts['unknown']} not known" if counts["unknown"] else "All is well"


def wrong(results: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What is not well, the worst first."""
    return sorted((each for each in results if each["state"] in _BAD), key=lambda each: _ORDER.index(each["state"]))


def cards(
    results: Sequence[Mapping[str, Any]],
    days: Mapping[str, Sequence[Day]],
    seconds: Mapping[str, Sequence[float]],
    today: date,
) -> list[Card]:
    """A card for each component, in the order of the checks."""
    names = dict.fromkeys(each["component"] for each in results)
    made = []
    for name in names:
        checks = [each for each in results if each["component"] == name]
        bar = strip([days.get(each["name"], ()) for each in checks], today)
        looked = (each["name"] for each in checks if each["state"] != State.SKIPPED.value)
        timed = next((each for each in looked if len(seconds.get(each, ())) > 1), "")
        checks.sort(key=lambda each: _ORDER.index(each["state"]))
        made.append(Card(name, checks[0]["state"], checks, bar, share(bar), seconds.get(timed, ()), timed))
    return made


def strip(of_checks: Sequence[Sequence[Day]], today: date) -> list[Slice]:
    """A component's days, the oldest first: each as its worst check had it, so that one that is down hides in no mean.

    A warning works. What was neither up, nor a warning, nor down, was not looked at.
    """
    found: dict[str, Slice] = {}
    for each in (day for days in of_checks for day in days):
        looks = each.up + each.warn + each.down
        if not looks:
            continue
        portion = (each.up + each.warn) / looks
        state = "down" if each.down else "warn" if each.warn else "up"
        before = found.get(each.day)
        if before is None or (portion, -_ORDER.index(before.state)) < (before.share, -_ORDER.index(state)):
            found[each.day] = Slice(date.fromisoformat(each.day), state, portion)
    wanted = (today - timedelta(days=back) for back in reversed(range(BAR_DAYS)))
    return [found.get(day.isoformat(), Slice(day, "none", None)) for day in wanted]


def share(bar: Sequence[Slice]) -> float | None:
    """The mean of a bar's known days, 0 to 1; None where none is."""
    known = [each.share for each in bar if each.share is not None]
    return sum(known) / len(known) if known else None


def percent(portion: float | None) -> str:
    """A share in percent, never rounded up to a hundred that it is not."""
    if portion is None:
        return "no data"
    return "100 %" if portion == 1 else f"{min(int(portion * 10_000) / 100, 99.99):.2f} %"


def weeks(found: Sequence[Mapping[str, Any]], today: date) -> list[tuple[date, int]]:
    """How many decisions are new a week, of the last half year; a week without any is 0."""
    new = {each["week"]: int(each["new"]) for each in found}
    monday = today - timedelta(days=today.weekday())
    wanted = (monday - timedelta(weeks=back) for back in reversed(range(WEEKS)))
    return [(week, new.get(week.isoformat(), 0)) for week in wanted]


def path(bar: Sequence[Slice], state: str) -> str:
    """The days of one state as an SVG path in a box of 360 by 100; the worse, the higher: a shape beside the colour."""
    height = _HEIGHTS[state]
    places = (number * 4 for number, each in enumerate(bar) if each.state == state)
    return "".join(f"M{left} 100v-{height}h3v{height}z" for left in places)


_HEIGHTS = {"up": 60, "warn": 80, "down": 100, "none": 15}


def points(values: Sequence[float], width: float, height: float) -> str:
    """A line through values, as SVG's `points`, from 0 at the bottom to the highest at the top."""
    most = max(values, default=0) or 1
    step = width / max(len(values) - 1, 1)
    return " ".join(f"{number * step:.1f},{height - value / most * height:.1f}" for number, value in enumerate(values))


def word(state: str) -> str:
    """A state in words, beside its colour."""
    return _WORDS.get(state, state)


def age(time: timedelta) -> str:
    """A time in its two largest units, from a minute on without seconds."""
    seconds = max(int(time.total_seconds()), 0)
    return spell(timedelta(seconds=seconds - seconds % 60 if seconds >= 60 else seconds))


def duration(seconds: float | None) -> str:
    """How long something took."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "under 1 ms"
    return f"{seconds:.1f} s" if seconds < 60 else age(timedelta(seconds=seconds))


def size(count: float | None) -> str:
    """Bytes, in the unit that fits."""
    if count is None:
        return "unknown"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def health(document: Mapping[str, Any] | None, told: Verdict, *, details: bool) -> dict[str, Any]:
    """The body of `/health` (https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check-06)."""
    if not details:
        return {"status": status(told)}
    checks: dict[str, list[dict[str, Any]]] = {}
    for each in document["results"] if document else ():
        observed = {} if each["value"] is None else {"observedValue": each["value"], "observedUnit": each["unit"]}
        failing = {"output": f"{each['fact']}. {each['hint']}".strip()} if each["state"] in _BAD else {}
        found = {"componentType": "system", "status": _PASS[each["state"]], "time": document and document["at"]}
        checks[f"{each['component']}:{each['name']}"] = [{**found, **observed, **failing}]
    notes = [note for note in (told.summary, told.stale) if note]
    return {"status": status(told), "description": told.line, "notes": notes, "checks": checks}


_PASS = {"up": "pass", "warn": "warn", "down": "fail", "unknown": "warn", "skipped": "pass"}


def status(told: Verdict) -> str:
    """`pass`, `warn` or `fail`; nothing seen is a failure too."""
    return "fail" if told.at is None else _PASS[told.state]
