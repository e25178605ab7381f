"""Dates as Notion keeps them: a day, or a minute with its offset."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from utils.local.notion.checks import Json, an_object, no_others
from utils.local.notion.refusals import invalid, malformed

_FORM = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def millis(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware time."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment(ms: int) -> datetime:
    """The aware UTC time of milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=ms)


def stamp(ms: int) -> str:
    """A page's stamp, as `2026-06-27T17:01:00.000Z`."""
    return moment(ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def database_stamp(ms: int) -> str:
    """A database's stamp, as `2026-06-27T16:49:02.556+00:00`."""
    return stamp(ms)[:-1] + "+00:00"


def read(text: object, path: str) -> date | datetime:
    """A day, or a time (naive where it has no offset).

    Raises:
        RefusalError: 400, no ISO 8601 date.
    """
    if not isinstance(text, str) or not _FORM.fullmatch(text):
        raise malformed(path, "a valid ISO 8601 date string", text)
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise malformed(path, "a valid ISO 8601 date string", text) from None


def span(text: object, path: str) -> tuple[int, int]:
    """The half-open span in milliseconds that a filter's date means: a day, or a minute; no offset is UTC."""
    found = read(text, path)
    if isinstance(found, datetime):
        start = millis(_aware(found, path)) // MINUTE * MINUTE
        return start, start + MINUTE
    start = start_of(found)
    return start, start + DAY


def start_of(day: date) -> int:
    """Midnight UTC of a day, in milliseconds."""
    return (day - date(1970, 1, 1)).days * DAY


def parse(value: object, path: str) -> Json | None:
    """A date property's value as Notion keeps it: `{start, end, time_zone}`, or None.

    A time is cut to the minute and gets the offset of its zone; without either it is UTC.
    """
    if value is None:
        return None
    given = an_object(value, path)
    no_others(given, ("start", "end", "time_zone"), path)
    zone = given.get("time_zone")
    start = _kept(given.get("start", ...), zone, f"{path}.start")
    end = None if given.get("end") is None else _kept(given["end"], zone, f"{path}.end")
    if end is not None and (len(end) == 10) != (len(start) == 10):
        raise invalid("Date end must have a time exactly when date start has one.")
    if end is not None and sort_key({"start": end}) < sort_key({"start": start}):
        raise invalid("Date end must not be before date start.")
    return {"start": start, "end": end, "time_zone": None}


def sort_key(value: Json) -> int:
    """Where a date property's kept value starts, in milliseconds."""
    start = value["start"]
    return start_of(date.fromisoformat(start)) if len(start) == 10 else millis(datetime.fromisoformat(start))


def _kept(text: object, zone: object, path: str) -> str:
    found = read(text, path)
    if not isinstance(found, datetime):
        return str(text)
    if zone is not None and found.tzinfo is not None:
        raise malformed(path, "a date time without an offset when time_zone is given", text)
    if zone is not None:
        found = found.replace(tzinfo=_zone(zone, path))
    return _aware(found, path).replace(second=0, microsecond=0).isoformat(timespec="milliseconds")


def _zone(name: object, path: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        raise malformed(path.rsplit(".", 1)[0] + ".time_zone", "a valid time zone", name) from None


def _aware(found: datetime, path: str) -> datetime:
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        aware.astimezone(UTC)
    except OverflowError:
        raise malformed(path, "a valid ISO 8601 date string", str(found)) from None
    return aware
