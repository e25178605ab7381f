"""What a snapshot is: the same bytes for the same contents, and a manifest that tells every difference."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.backup import snapshot
from utils.backup.snapshot import BY_NAME, MANIFEST, TABLES, DamagedError, Snapshot

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
ROWS = st.lists(
    st.fixed_dictionaries({"id": st.uuids().map(str), "decision": TEXTS, "comment": st.none() | TEXTS}),
    unique_by=lambda row: row["id"],
    max_size=12,
)


def made(rows: list[dict[str, Any]], **more: bytes) -> Snapshot:
    files = snapshot.shards(BY_NAME["decision_vault"], rows) | more
    return snapshot.complete(files, tool="1", schema="2", source="here")


@given(ROWS, st.randoms())
def test_the_order_of_rows_and_keys_changes_no_byte(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = [dict(random.sample(list(row.items()), len(row))) for row in random.sample(rows, len(rows))]
    assert made(shuffled).files == made(rows).files


@given(ROWS)
def test_rows_come_back_as_they_went_in(rows: list[dict[str, Any]]) -> None:
    whole = snapshot.verified(made(rows).files)
    assert whole.rows("decision_vault") == sorted(rows, key=lambda row: str(row["id"]))
    assert whole.manifest["rows"]["decision_vault"] == len(rows)


@given(ROWS.filter(bool), st.data())
def test_any_byte_that_is_another_is_found(rows: list[dict[str, Any]], data: Any) -> None:
    files = dict(made(rows).files)
    path = data.draw(st.sampled_from(sorted(set(files) - {MANIFEST})))
    at = data.draw(st.integers(0, len(files[path]) - 1))
    wrong = bytearray(files[path])
    wrong[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedError, match=path):
        snapshot.verified({**files, path: bytes(wrong)})


def test_rows_are_divided_by_the_first_two_signs_of_their_ids() -> None:
    rows = [{"id": str(uuid.UUID(int=number << 120)), "decision": "x"} for number in range(256)]
    assert len(snapshot.shards(BY_NAME["decision_vault"], rows)) == 256
    history = [{"id": number, "decision_id": rows[7]["id"]} for number in (9, 10, 1)]
    (lines,) = snapshot.shards(BY_NAME["decision_history"], history).values()
    assert [json.loads(line)["id"] for line in lines.splitlines()] == [1, 9, 10]


@pytest.mark.parametrize(
    ("path", "judged"),
    [
        (MANIFEST, False),
        ("tables/agent_activity/00.jsonl", False),
        ("tables/decision_vault/00.jsonl", True),
        ("tables/sync_links/00.jsonl", True),
        ("tables/of a later version/00.jsonl", True),
        ("files/tables/agent_activity/x", True),
    ],
)
def test_what_makes_a_new_snapshot(path: str, judged: bool) -> None:
    assert snapshot.is_judged(path) is judged


def test_changes_count_rows_even_when_they_move() -> None:
    before = made([{"id": "aa", "decision": "1"}, {"id": "ab", "decision": "2"}]).files
    after = made([{"id": "aa", "decision": "x"}, {"id": "ba", "decision": "3"}], **{"files/a": b"b"}).files
    found = snapshot.changes(before, after)
    assert found.rows["decision_vault"] == (1, 1, 1)
    assert found.judged
    assert found.json()["files"] == {"added": 2, "changed": 2, "removed": 1}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"decision_vault": 10}, {"decision_vault": 8}, []),
        ({"decision_vault": 10}, {"decision_vault": 7}, ["decision_vault: 7 rows, 10 in the last snapshot"]),
        ({"decision_vault": 1}, {}, ["decision_vault: 0 rows, 1 in the last snapshot"]),
        ({"decision_vault": 0}, {"decision_vault": 0}, []),
        ({"agent_activity": 10}, {"agent_activity": 0}, []),
        ({}, {"decision_vault": 0}, []),
    ],
    ids=["a fifth", "more", "all", "none before", "activity is not judged", "first"],
)
def test_what_counts_as_shrinking(before: dict[str, int], after: dict[str, int], told: list[str]) -> None:
    assert snapshot.shrunk(before, after, 20) == told


@pytest.mark.parametrize(
    ("value", "longest", "kept"),
    [
        ("x" * 60, 50, "x" * 60),
        ("short [REDACTED:github]", 50, "short [REDACTED:github]"),
        ("y" * 40 + "[REDACTED:github]", 50, "[REDACTED:github]"),
    ],
)
def test_a_redacted_text_fits_its_column(value: str, longest: int, kept: str) -> None:
    assert snapshot.marker_alone(value, longest) == kept


@pytest.mark.parametrize(
    ("meddle", "told"),
    [
        (lambda m: m.pop("rows"), "lacks 'rows'"),
        (lambda m: m.update(format=99), "format 99 is of another version"),
        (lambda m: m.update(files=[]), "cannot be read"),
        (lambda m: m["rows"].update(decision_vault=5), "1 rows are whole, the manifest says 5"),
    ],
    ids=["no rows", "format", "no files", "counts"],
)
def test_a_manifest_that_is_wrong_is_told(meddle: Any, told: str) -> None:
    files = dict(made([{"id": "aa", "decision": "1"}]).files)
    manifest = json.loads(files[MANIFEST])
    meddle(manifest)
    with pytest.raises(DamagedError, match=told):
        snapshot.verified({**files, MANIFEST: json.dumps(manifest).encode()})


def test_too_large_files_are_told() -> None:
    assert snapshot.too_large({"a": 60_000_000, "b": 1}, 50_000_000) == ["a has 60 MB"]


def test_no_manifest_and_files_of_others() -> None:
    with pytest.raises(DamagedError, match="is missing"):
        snapshot.verified({"README": b"x"})
    whole = snapshot.verified({**made([]).files, "README": b"x"})
    assert set(whole.files) == {MANIFEST}
    assert set(BY_NAME) == {table.name for table in TABLES}
