"""The fingerprint, the date, the comment and the id of what intake keeps."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.intake.items import ACCEPTED, REVIEW, Item, Origin, clean, fingerprint, item_of, normal_text, range_of, shown
from utils.intake.model import Found, Message

ORIGIN = Origin("chat.json", "run1", "2026-01-31")


def item(decision: str = "Use it", at: str = "", threshold: float = 0.6, **found: Any) -> Item:
    """An item of a decision with these properties."""
    usual: dict[str, Any] = {"date": "", "type": "technical", "comment": "", "confidence": 0.9}
    return item_of(Found(decision, **{**usual, **found}, message=Message("text", at=at)), ORIGIN, threshold)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Use PostgreSQL.", "use postgresql"),
        ("Use  PostgreSQL\n for billing", "Use PostgreSQL for billing!"),
        ("Use “PostgreSQL”", 'Use "PostgreSQL"'),
        ("**Use** `PostgreSQL`", "Use PostgreSQL"),
        ("Don’t ship on Friday", "don't ship on Friday"),
        ("Straße sperren", "STRASSE sperren"),
        ("cafe\u0301 opens", "café opens"),
        ("ｕｓｅ ｉｔ", "use it"),
        ("re-use the cache", "re use the cache"),
        ("zero\u200bwidth", "zerowidth"),
        ("Use snake_case", "use snake case"),
        ("Use it – now", "use it now"),
    ],
)
def test_the_same_words_have_one_fingerprint(one: str, other: str) -> None:
    assert fingerprint(one) == fingerprint(other)
    assert item(one).id == item(other).id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Use C", "Use C#"),
        ("Use C", "Use C++"),
        ("Limit of 1.5 MB", "Limit of 15 MB"),
        ("Limit of 1.5 MB", "Limit of 1 5 MB"),
        ("Set it to -5", "Set it to 5"),
        ("Raise it by 5 %", "Raise it by 5"),
        ("Pay $5", "Pay 5"),
        ("Keep latency < 5", "Keep latency > 5"),
        ("Version 1.2.3", "Version 1.23"),
        ("कि", "की"),
        ("Use it", "Do not use it"),
        ("😀", "😁"),
        ("!!!", "???"),
    ],
)
def test_other_words_have_another_fingerprint(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)


@given(st.text())
def test_a_normal_text_is_normal(text: str) -> None:
    assert normal_text(normal_text(text)) == normal_text(text)
    assert fingerprint(f"  {text}\n") == fingerprint(text)


@given(st.text())
def test_whatever_a_message_says_the_vault_can_hold_it(text: str) -> None:
    kept = item(text, comment=text, revises=text, type=text)
    assert kept.content.type
    for value in (kept.content.decision, kept.content.comment or "", kept.content.type):
        assert clean(value) == value
        value.encode("utf-8")
    assert len(kept.content.type) <= 50


@pytest.mark.parametrize(
    ("said", "at", "day"),
    [
        ("2026-03-01", "2026-02-01T10:00:00Z", "2026-03-01"),
        ("", "2026-02-01T23:30:00-05:00", "2026-02-01"),
        ("", "2026-02-01", "2026-02-01"),
        ("", "", "2026-01-31"),
        ("soon", "yesterday", "2026-01-31"),
        ("2026-02-30", "", "2026-01-31"),
    ],
    ids=["said in the text", "the message's", "the message's day", "the output's", "no dates", "no such day"],
)
def test_the_date_is_the_nearest_that_is_known(said: str, at: str, day: str) -> None:
    assert item(date=said, at=at).content.date == day


def test_the_threshold_says_what_a_person_has_to_see() -> None:
    assert [item(confidence=sure).state for sure in (0.59, 0.6, 1.0, 7.0)] == [REVIEW, ACCEPTED, ACCEPTED, ACCEPTED]
    assert item(confidence=0.1, threshold=0).state == ACCEPTED


def test_what_it_replaces_stands_in_the_comment() -> None:
    assert item(comment="cheaper", revises="Use MySQL.").content.comment == "cheaper\nSupersedes: Use MySQL."
    assert item(revises="Use MySQL").content.comment == "Supersedes: Use MySQL."
    assert item().content.comment is None
    assert item(active=False).content.active is False


def test_ids_are_found_by_their_beginning() -> None:
    whole = uuid.uuid4()
    for text in (str(whole), whole.hex.upper(), whole.hex[:8], f"{whole}"[:11]):
        bounds = range_of(text)
        assert bounds
        assert bounds[0] <= str(whole) <= bounds[1]
    assert [range_of(text) for text in ("", "xyz", "0" * 33, "-")] == [None] * 4


def test_a_long_text_is_shown_on_one_short_line() -> None:
    assert shown("one\ntwo") == "one two"
    assert len(shown("x" * 500)) == 100
