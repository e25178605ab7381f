"""The pure decisions: packed folders, what differs, what was renamed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.autosync.index import (
    FILE,
    FOLDER,
    LEFT_FILE,
    NOTHING,
    OPEN,
    STAT,
    Change,
    Event,
    File,
    ancestors,
    compare,
    is_another,
    is_racy,
    join,
    pack,
    pair_renames,
)

SECOND = 1_000_000_000


def file(content: str = "x", *, ctime: int = 0, size: int = 1) -> File:
    """A file with this content."""
    return File(STAT.pack(1, size, 3, ctime, 5), content.encode().ljust(32, b"."))


NAMES = st.text(st.characters(exclude_characters="\0/"), min_size=1, max_size=8)
FILES = st.builds(file, st.sampled_from("abc"), ctime=st.integers(0, 9))
STATES = st.dictionaries(NAMES, FILES, max_size=6)


@given(st.dictionaries(NAMES, st.tuples(st.sampled_from([FILE, FOLDER, LEFT_FILE, OPEN]), FILES)))
def test_a_folder_has_what_was_packed(found: dict[str, tuple[int, File]]) -> None:
    kinds = {name: kind for name, (kind, _) in found.items()}
    files = {name: each for name, (kind, each) in found.items() if kind == FILE}
    folder = pack(kinds, files, 7, 8)
    assert folder.kind_of() == kinds
    assert folder.files() == files
    assert folder.subfolders() == [name for name, kind in kinds.items() if kind == FOLDER]
    assert list(folder.mask) == [kind == FILE for kind in kinds.values()]
    assert list(folder.others) == [kind != FILE for kind in kinds.values()]
    assert folder.is_settled == (OPEN not in kinds.values())


@given(STATES)
def test_nothing_differs_from_itself(state: dict[str, File]) -> None:
    assert list(compare("d", state, dict(state), ())) == []


@given(STATES, STATES)
def test_the_changes_lead_from_one_state_to_the_other(old: dict[str, File], new: dict[str, File]) -> None:
    state = {join("d", name): each.digest for name, each in old.items()}
    for change in pair_renames(compare("d", old, new, ())):
        if change.source:
            del state[change.source]
        if change.new:
            state[change.path] = change.new.digest
        else:
            del state[change.path]
    assert state == {join("d", name): each.digest for name, each in new.items()}


@given(STATES, STATES)
def test_a_path_is_told_once(old: dict[str, File], new: dict[str, File]) -> None:
    paths = [
        path for change in pair_renames(compare("", old, new, ())) for path in (change.path, change.source) if path
    ]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    ("old", "new", "events"),
    [
        ({}, {"a": file()}, ["created"]),
        ({"a": file()}, {}, ["deleted"]),
        ({"a": file()}, {"a": file("y", ctime=1)}, ["modified"]),
        ({"a": file()}, {"a": file("x", ctime=1)}, []),
        ({"a": file()}, {"a": file("y")}, ["corrupted"]),
        ({"a": File(b"", NOTHING)}, {"a": file()}, ["created"]),
        ({"a": file()}, {"a": File(b"", NOTHING)}, ["deleted"]),
        ({"a": File(b"", NOTHING)}, {}, []),
        ({}, {"a": File(b"", NOTHING)}, []),
        ({"a": File(b"1", NOTHING)}, {"a": File(b"2", NOTHING)}, []),
    ],
    ids=["new", "gone", "other", "same", "rotten", "fifo to file", "file to fifo", "fifo gone", "new fifo", "fifo"],
)
def test_what_happened(old: dict[str, File], new: dict[str, File], events: list[str]) -> None:
    assert [change.event for change in compare("", old, new, {"a"})] == events


@pytest.mark.parametrize(
    ("lost", "got", "told"),
    [
        ("a", "a", ["renamed"]),
        ("aa", "a", ["created", "deleted", "deleted"]),
        ("a", "aa", ["created", "created", "deleted"]),
        ("ab", "ba", ["renamed", "renamed"]),
        ("a", "b", ["created", "deleted"]),
    ],
)
def test_a_rename_is_one_lost_and_one_got(lost: str, got: str, told: list[str]) -> None:
    changes = [Change(Event.DELETED, f"old{at}", old=file(each)) for at, each in enumerate(lost)]
    changes += [Change(Event.CREATED, f"new{at}", new=file(each)) for at, each in enumerate(got)]
    assert [change.event for change in pair_renames(changes)] == told


@pytest.mark.parametrize(("ctime", "racy"), [(7, False), (8, True), (10, True), (11, True)])
def test_a_change_within_two_seconds_before_the_scan_is_racy(ctime: int, racy: bool) -> None:
    assert is_racy(file(ctime=ctime * SECOND).stat, 10 * SECOND) is racy


@pytest.mark.parametrize(
    ("old", "new", "another"),
    [({}, [], False), ({"a": FILE}, [], True), ({"a": FILE}, ["b"], True), ({"a": FILE, "b": FOLDER}, ["b"], False)],
)
def test_another_folder_has_nothing_of_the_known_one(old: dict[str, int], new: list[str], another: bool) -> None:
    assert is_another(pack(old, {"a": file()}, 0, 0), new) is another


def test_the_folders_above_a_path() -> None:
    assert list(ancestors("a/b/c")) == ["a/b", "a", ""]
    assert list(ancestors("")) == []
    assert file(size=77).size == 77
