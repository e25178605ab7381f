"""What a snapshot is: the same bytes for the same contents, and a manifest that tells every difference."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.backup import snapshot
from utils.backup.snapshot import BY_NAME, DEEPEST, MANIFEST, TABLES, DamagedError, Snapshot
from utils.decision import FIELDS

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
ROWS = st.lists(
    st.fixed_dictionaries({"id": st.uuids().map(str), "decision": TEXTS, "comment": st.none() | TEXTS}),
    unique_by=lambda row: row["id"],
    max_size=12,
)
CONTENT = dict.fromkeys(FIELDS)


def made(rows: list[dict[str, Any]], **more: bytes) -> Snapshot:
    files = snapshot.shards(BY_NAME["decision_vault"], [CONTENT | row for row in rows]) | more
    return snapshot.complete(files, tool="1", schema="2", source="here")


@given(ROWS, st.randoms())
def test_the_order_of_rows_and_keys_changes_no_byte(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = [dict(random.sample(list(row.items()), len(row))) for row in random.sample(rows, len(rows))]
    assert made(shuffled).files == made(rows).files


@given(ROWS)
def test_rows_come_back_as_they_went_in(rows: list[dict[str, Any]]) -> None:
    whole = snapshot.verified(made(rows).files)
    assert whole.rows("decision_vault") == sorted((CONTENT | row for row in rows), key=lambda row: str(row["id"]))
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
        (lambda m: m.pop("redactions"), "lacks 'redactions'"),
        (lambda m: m.update(format=99), "format 99 is of another version"),
        (lambda m: m.update(files=[]), "its files cannot be read"),
        (lambda m: m.update(files={"a": None}), "its files cannot be read"),
        (lambda m: m["files"].update({"files/a": {"bytes": "1", "sha256": "x"}}), "its files cannot be read"),
        (lambda m: m["files"].update({"tables/": {"bytes": 1, "sha256": "x"}}), "tables/: is missing"),
        (lambda m: m.update(rows={"decision_vault": "many"}), "its rows cannot be read"),
        (lambda m: m.update(redactions={"a": True}), "its redactions cannot be read"),
        (lambda m: m.update(read=None), "its read cannot be read"),
        (lambda m: m.update(read={"began": "2026-01-01T00:00:00+00:00"}), "lacks 'ended'"),
        (lambda m: m.update(read={"began": "soon", "ended": None}), "cannot be read"),
        (lambda m: m.update(source=["x"]), "its source cannot be read"),
        (lambda m: m["rows"].update(decision_vault=5), "1 rows are whole, the manifest says 5"),
    ],
    ids=["no rows", "no redactions", "format", "files are a list", "a file is nothing", "a size is a text",
         "a folder", "a count is a text", "a count is a truth", "not how it was read", "half a window", "no moment",
         "source", "counts"],
)  # fmt: skip
def test_a_manifest_that_is_wrong_is_told(meddle: Any, told: str) -> None:
    files = dict(made([{"id": "aa", "decision": "1"}]).files)
    manifest = json.loads(files[MANIFEST])
    meddle(manifest)
    with pytest.raises(DamagedError, match=told):
        snapshot.verified({**files, MANIFEST: json.dumps(manifest).encode()})


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"[" * 9999, b"\xff", b"9" * 9999], ids=lambda text: text[:4])
def test_a_manifest_that_is_none_is_told(text: bytes) -> None:
    with pytest.raises(DamagedError, match="cannot be read"):
        snapshot.verified({MANIFEST: text})


ROW = {**CONTENT, "id": "aa", "created_at": None, "updated_at": "2026-01-01T00:00:00+00:00"}


def sealed(table: str, *lines: str) -> dict[str, bytes]:
    """The files of one table with a manifest that vouches for them, whatever they are."""
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")
    return dict(snapshot.complete({f"tables/{table}/aa.jsonl": data}, tool="1", schema="2", source="x").files)


@pytest.mark.parametrize(
    ("table", "line", "told"),
    [
        ("decision_vault", "no JSON", "line 2: is no row"),
        ("decision_vault", "[]", "line 2: is no row"),
        ("decision_vault", "{}", "line 2: is no row"),
        ("decision_vault", json.dumps({**ROW, "id": {"a": 1}}), "line 2: is no row"),
        ("decision_vault", json.dumps({"id": "ab", "decision": "x"}), "line 2: is no row"),
        ("decision_vault", json.dumps({**ROW, "id": "ab", "updated_at": "soon"}), "line 2: is no row"),
        ("decision_vault", json.dumps({**ROW, "id": "ab", "updated_at": "2026-01-01T00:00:00"}), "line 2: is no row"),
        ("decision_vault", json.dumps({**ROW, "id": "ab", "updated_at": 5}), "line 2: is no row"),
        ("decision_vault", json.dumps(ROW), "line 2: aa is there twice"),
        ("decision_history", json.dumps({"id": "aa", "decision_id": "aa", "was": CONTENT}), "line 2: is no row"),
        ("decision_history", json.dumps({"id": True, "decision_id": "aa", "was": CONTENT}), "line 2: is no row"),
        ("decision_history", json.dumps({"id": 1, "decision_id": "aa", "was": {}}), "line 2: is no row"),
        ("agent_activity", '{"id":"ab","details":' + "[" * 9999 + "]" * 9999 + "}", "line 2: is no row"),
        ("agent_activity", '{"id":"ab","details":' + "[" * 250 + "]" * 250 + "}", "line 2: is no row"),
    ],
    ids=["no JSON", "a list", "nothing in it", "an object for an id", "lacks columns", "no moment", "no time zone",
         "a number for a moment", "twice", "a text for a number", "a truth for a number", "a history of nothing",
         "deeper than can be read", "deeper than can be walked"],
)  # fmt: skip
def test_what_is_no_row_is_told_with_its_line_though_the_manifest_vouches_for_it(
    table: str, line: str, told: str
) -> None:
    first = json.dumps({**ROW, "id": 7, "decision_id": "aa"} if table == "decision_history" else ROW)
    snapshot.verified(sealed(table, first))
    with pytest.raises(DamagedError, match=f"tables/{table}/aa.jsonl {told}"):
        snapshot.verified(sealed(table, first, line))


@pytest.mark.parametrize(
    "text", ["infinity", "-infinity", "0044-03-15T00:00:00+00:00 BC", "12026-01-01T00:00:00+00:00", None]
)
def test_moments_that_only_postgresql_has_are_rows_too(text: str | None) -> None:
    whole = snapshot.verified(sealed("decision_vault", json.dumps({**ROW, "updated_at": text})))
    assert whole.rows("decision_vault")[0]["updated_at"] == text
    assert snapshot.moment(text).tzinfo is not None


def test_the_deepest_row_that_is_one() -> None:
    value: list[Any] = []
    for _ in range(DEEPEST - 1):
        value = [value]
    assert not snapshot.is_deep(value)
    assert snapshot.is_deep({"x": [value]})


def test_a_shard_that_is_no_text_is_told() -> None:
    files = {"tables/decision_vault/aa.jsonl": b"\xff\n"}
    with pytest.raises(DamagedError, match="is no text"):
        snapshot.verified(snapshot.complete(files, tool="1", schema="2", source="x").files)


def test_too_large_files_are_told() -> None:
    assert snapshot.too_large({"a": 60_000_000, "b": 1}, 50_000_000) == ["a has 60 MB"]


def test_no_manifest_and_files_of_others() -> None:
    with pytest.raises(DamagedError, match="is missing"):
        snapshot.verified({"README": b"x"})
    whole = snapshot.verified({**made([]).files, "README": b"x"})
    assert set(whole.files) == {MANIFEST}
    assert set(BY_NAME) == {table.name for table in TABLES}
