"""The sync's memory: marks, when everything is compared, and what a changed database means."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sync.builders import NOW
from utils.errors import ConfigError, SafetyError
from utils.stores.notion_values import NAMES, TYPES, Property, Schema
from utils.sync.state import State, check_database, check_names_free, next_mark, parse_state, why_everything

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)

PROPERTIES = {name: Property(f"id-{name}", NAMES[name], kind) for name, kind in TYPES.items()}
SCHEMA = Schema("source", "Decisions", PROPERTIES, {"o1": "tech", "o2": "money"})
KNOWN = State(
    data_source="source",
    given="database",
    bot="bot",
    mark=NOW - 10 * MINUTE,
    full_at=NOW - timedelta(hours=1),
    properties=PROPERTIES,
    options=SCHEMA.options,
    links=10,
)


def without(*names: str) -> Schema:
    return replace(SCHEMA, properties={name: each for name, each in PROPERTIES.items() if name not in names})


def changed(which: str, **changes: str) -> Schema:
    return replace(SCHEMA, properties={**PROPERTIES, which: replace(PROPERTIES[which], **changes)})


# --- what is kept

MOMENTS = st.none() | st.timedeltas(timedelta(days=-900), timedelta(days=900)).map(lambda age: NOW + age)
STATES = st.builds(
    State,
    st.sampled_from(["", "source"]),
    st.sampled_from(["", "database"]),
    st.sampled_from(["", "bot"]),
    MOMENTS,
    MOMENTS,
    st.booleans(),
    st.sampled_from([{}, PROPERTIES]),
    st.sampled_from([{}, SCHEMA.options]),
    st.sampled_from([{}, {"active": NOW}]),
    st.sampled_from([{}, {"page": "why"}]),
    st.integers(0, 5),
)


@given(STATES)
def test_a_state_comes_back_from_its_json_with_the_links_that_the_database_counted(state: State) -> None:
    kept = json.loads(json.dumps(state.json()))
    assert "links" not in kept
    assert parse_state({**kept, "links": state.links}) == state
    assert parse_state(kept) == replace(state, links=0)


def test_no_state_is_an_empty_one() -> None:
    assert parse_state({}) == State()


# --- the mark

BEGUN = NOW.replace(second=42)
"""Notion's clock at a run's first answer; floored to the minute less 2 it is 11:58."""


@pytest.mark.parametrize(
    ("mark", "date", "newest", "wanted"),
    [
        pytest.param(NOW - 9 * MINUTE, BEGUN, NOW - 5 * MINUTE, NOW - 4 * MINUTE, id="a minute after the newest"),
        pytest.param(NOW - 9 * MINUTE, BEGUN, NOW, NOW - 2 * MINUTE, id="two minutes before the clock's minute"),
        pytest.param(NOW - 9 * MINUTE, BEGUN, NOW - 3 * MINUTE, NOW - 2 * MINUTE, id="both the same"),
        pytest.param(NOW - 9 * MINUTE, None, NOW - 5 * MINUTE, NOW - 7 * MINUTE, id="no Date header"),
        pytest.param(NOW - 9 * MINUTE, BEGUN, None, NOW - 9 * MINUTE, id="nothing listed"),
        pytest.param(NOW - 9 * MINUTE, None, None, NOW - 9 * MINUTE, id="nothing listed, no Date header"),
        pytest.param(NOW, BEGUN, NOW, NOW, id="never backwards"),
        pytest.param(NOW, None, NOW, NOW, id="never backwards, no Date header"),
        pytest.param(NOW + MINUTE, BEGUN, NOW, NOW - 2 * MINUTE, id="back with the clock"),
        pytest.param(NOW + MINUTE, BEGUN, None, NOW - 2 * MINUTE, id="back with the clock, nothing listed"),
        pytest.param(None, BEGUN, NOW - 5 * MINUTE, NOW - 4 * MINUTE, id="the first mark"),
        pytest.param(None, BEGUN, None, NOW - 2 * MINUTE, id="the first mark of an empty database"),
        pytest.param(None, None, None, None, id="nothing known"),
        pytest.param(None, None, NOW, NOW - 2 * MINUTE, id="the first mark, no Date header"),
    ],
)
def test_the_next_mark(
    mark: datetime | None, date: datetime | None, newest: datetime | None, wanted: datetime | None
) -> None:
    assert next_mark(State(mark=mark), date, newest) == wanted


@given(MOMENTS, MOMENTS, MOMENTS)
def test_no_mark_goes_back_or_past_what_the_run_has_seen(
    mark: datetime | None, date: datetime | None, newest: datetime | None
) -> None:
    after = next_mark(State(mark=mark), date, newest)
    set_back = mark is not None and date is not None and date < mark
    assert mark is None or set_back or (after is not None and after >= mark)
    if after is not None and after != mark:
        assert date is None or after <= date - 2 * MINUTE
        assert newest is None or after <= newest + MINUTE


# --- when everything is compared


@pytest.mark.parametrize(
    ("state", "schema", "links", "now", "why"),
    [
        pytest.param(KNOWN, SCHEMA, 10, NOW, "", id="nothing changed"),
        pytest.param(KNOWN, SCHEMA, 11, NOW, "", id="more links"),
        pytest.param(KNOWN, SCHEMA, 0, NOW, "first sync", id="no links"),
        pytest.param(replace(KNOWN, mark=None), SCHEMA, 10, NOW, "first sync", id="no mark"),
        pytest.param(replace(KNOWN, full_at=None), SCHEMA, 10, NOW, "first sync", id="never compared"),
        pytest.param(KNOWN, SCHEMA, 7, NOW, "3 links are missing", id="fewer links"),
        pytest.param(replace(KNOWN, full_at=NOW - timedelta(hours=20)), SCHEMA, 10, NOW, "20 hours", id="20 hours"),
        pytest.param(replace(KNOWN, full_at=NOW - timedelta(hours=20) + SECOND), SCHEMA, 10, NOW, "", id="nearly 20"),
        pytest.param(replace(KNOWN, full_at=NOW + 5 * MINUTE), SCHEMA, 10, NOW, "", id="a clock set back a little"),
        pytest.param(replace(KNOWN, full_at=NOW + 6 * MINUTE), SCHEMA, 10, NOW, "20 hours", id="a clock set back"),
        pytest.param(replace(KNOWN, mark=NOW), SCHEMA, 10, NOW, "", id="a mark of now"),
        pytest.param(replace(KNOWN, mark=NOW + SECOND), SCHEMA, 10, NOW, "set back", id="a mark in the future"),
        pytest.param(KNOWN, changed("comment", name="Notes"), 10, NOW, "a property was renamed", id="renamed property"),
        pytest.param(KNOWN, changed("type", type="status"), 10, NOW, "a property was renamed", id="retyped property"),
        pytest.param(
            replace(KNOWN, properties={}), SCHEMA, 10, NOW, "", id="properties that were not known are no reason"
        ),
        pytest.param(
            KNOWN, replace(SCHEMA, options={"o1": "Tech", "o2": "money"}), 10, NOW, "an option was", id="renamed option"
        ),
        pytest.param(KNOWN, replace(SCHEMA, options={"o1": "tech"}), 10, NOW, "an option was", id="removed option"),
        pytest.param(
            KNOWN, replace(SCHEMA, options={**SCHEMA.options, "o3": "new"}), 10, NOW, "", id="a new option is no reason"
        ),
    ],
)
def test_why_everything_is_compared(state: State, schema: Schema, links: int, now: datetime, why: str) -> None:
    said = why_everything(state, schema, links, now)
    assert why in said
    assert bool(said) is bool(why)


# --- a changed database


@pytest.mark.parametrize(
    ("state", "schema"),
    [
        pytest.param(KNOWN, SCHEMA, id="the same"),
        pytest.param(State(), SCHEMA, id="the first"),
        pytest.param(State(), without("active", "id"), id="the first, lacking properties"),
        pytest.param(KNOWN, changed("comment", name="Notes"), id="a renamed property"),
    ],
)
def test_a_database_passes(state: State, schema: Schema) -> None:
    check_database(state, schema, resync=False)


def test_a_replaced_database_is_refused_until_a_resync() -> None:
    elsewhere = replace(SCHEMA, data_source="another")
    with pytest.raises(SafetyError, match=r"'Decisions' \(another\) is another than .*\(source\)") as refused:
        check_database(KNOWN, elsewhere, resync=False)
    assert "--resync" in refused.value.remedy
    check_database(KNOWN, elsewhere, resync=True)
    check_database(KNOWN, replace(without("comment"), data_source="another"), resync=True)


@pytest.mark.parametrize("resync", [False, True])
@pytest.mark.parametrize("state", [KNOWN, State()], ids=["known", "first"])
def test_a_retyped_property_is_refused_by_name_whatever_is_asked(state: State, resync: bool) -> None:
    with pytest.raises(ConfigError, match="property 'Type' was retyped: it is status and must be select"):
        check_database(state, changed("type", type="status"), resync=resync)


def test_a_removed_property_is_refused_by_name_until_a_resync() -> None:
    with pytest.raises(ConfigError, match="'Active', 'Comment' was removed from database 'Decisions'") as refused:
        check_database(KNOWN, without("active", "comment"), resync=False)
    assert "--resync" in refused.value.remedy
    check_database(KNOWN, without("active", "comment"), resync=True)


def test_a_property_is_not_made_where_its_name_has_another_type() -> None:
    schema = replace(without("active", "id"), types={"Active": "formula"})
    with pytest.raises(ConfigError, match="property 'Active' is formula and must be checkbox"):
        check_names_free(schema)
    check_names_free(replace(schema, types={"Decision": "title"}))
    check_names_free(SCHEMA)
