"""Dates that a text says: ISO, in words, in figures that can mean one day only, and relative to a day that is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH = (
    r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE = re.compile(
    r"\b(?:(?P<y1>\d{4})[-/.](?P<m1>\d\d?)[-/.](?P<d1>\d\d?)(?!\d)"
    rf"|{_MONTH.format('mn1')}\s+(?P<d2>\d\d?)(?:st|nd|rd|th)?(?:,\s*|\s+)(?P<y2>\d{{4}})\b"
    rf"|(?P<d3>\d\d?)(?:st|nd|rd|th)?(?:\s+of)?[\s-]+{_MONTH.format('mn2')}[\s,-]+(?P<y3>\d{{4}})\b"
    r"|(?P<d4>\d\d?)\.(?P<m4>\d\d?)\.(?P<y4>\d{4})\b"
    r"|(?P<a>\d\d?)/(?P<b>\d\d?)/(?P<y5>\d{4})\b"
    r"|(?P<today>today|this\s+(?:morning|afternoon|evening)|tonight)\b|(?P<yesterday>yesterday)\b"
    r"|(?P<ago>\d\d?|two|three|four|five|six|a|one)\s+(?P<unit>day|week)s?\s+ago\b"
    r"|last\s+(?P<week>mon|tues?|wednes|thurs?|fri|satur|sun)day\b)",
    re.IGNORECASE,
)
_WORDS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


def said(text: str, day: str = "") -> Iterator[tuple[int, int, str]]:
    """The dates in a text, as their places in it and `YYYY-MM-DD`.

    Args:
        text: any text.
        day: when it was said, ISO; relative words count only if it is known.
    """
    for found in _DATE.finditer(text):
        when = _absolute(found) or _relative(found, day)
        if when is not None:
            yield found.start(), found.end(), when.isoformat()


def first(text: str, day: str = "") -> str:
    """The first date in a text, or ''."""
    return next((when for _, _, when in said(text, day)), "")


def day_of(moment: str) -> str:
    """The calendar day of an ISO date or time, or ''."""
    found = _day(moment)
    return found.isoformat() if found else ""


def _absolute(found: re.Match[str]) -> date | None:
    part = found.groupdict()
    if part["y1"]:
        return _made(part["y1"], part["m1"], part["d1"])
    for month, day, year in (("mn1", "d2", "y2"), ("mn2", "d3", "y3")):
        if part[month]:
            return _made(part[year], _MONTHS.index(part[month][:3].lower()) + 1, part[day])
    if part["y4"]:
        return _made(part["y4"], part["m4"], part["d4"])
    if part["y5"]:
        days = {_made(part["y5"], part["a"], part["b"]), _made(part["y5"], part["b"], part["a"])} - {None}
        return days.pop() if len(days) == 1 else None
    return None


def _relative(found: re.Match[str], day: str) -> date | None:
    said_on = _day(day)
    if said_on is None or said_on.year < 2:
        return None
    if found["today"]:
        return said_on
    if found["yesterday"]:
        return said_on - timedelta(days=1)
    if found["ago"]:
        number = _WORDS.get(found["ago"].lower()) or int(found["ago"])
        return said_on - timedelta(days=number * (7 if found["unit"].lower() == "week" else 1))
    if found["week"]:
        back = (said_on.weekday() - _DAYS.index(found["week"][:3].lower()) - 1) % 7 + 1
        return said_on - timedelta(days=back)
    return None


def _made(year: str, month: str | int, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _day(moment: str) -> date | None:
    try:
        return date.fromisoformat(moment[:10])
    except ValueError:
        return None
