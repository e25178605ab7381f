"""Random histories of a tree: what is told is exactly what a reading of every file before and after tells."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.autosync.place import Place
from utils.autosync import hashing
from utils.autosync.index import Event
from utils.autosync.session import Report


def contents(root: Path) -> dict[str, str]:
    """Every file by path."""
    return {str(path.relative_to(root)): path.read_text("utf-8") for path in root.rglob("*") if path.is_file()}


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> set[tuple[str, str]]:
    """What happened, without renames."""
    found = {("created", path) for path in new.keys() - old.keys()} | {
        ("deleted", path) for path in old.keys() - new.keys()
    }
    return found | {("modified", path) for path in old.keys() & new.keys() if old[path] != new[path]}


def told(report: Report) -> set[tuple[str, str]]:
    """What was told, each rename as a deletion and a creation."""
    found: list[tuple[str, str]] = []
    for _, change in report.changes:
        if change.event is Event.RENAMED:
            found += [("deleted", change.source), ("created", change.path)]
        else:
            found.append((str(change.event), change.path))
    assert len(found) == len(set(found))
    return set(found)


def step(chance: random.Random, root: Path) -> None:
    """One thing that a person or a program does."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    folders = [root, *sorted(path for path in root.rglob("*") if path.is_dir())]
    place = chance.choice(folders) / f"n{chance.randrange(12)}"
    what = chance.choice(
        ["write", "write", "write", "edit", "edit", "unlink", "move", "folder", "move folder", "remove"]
    )
    text = chance.choice("abcdefgh") * chance.randrange(1, 4)
    if what == "write" and not place.is_dir():
        place.write_text(text, "utf-8")
    elif what == "folder" and not place.exists():
        place.mkdir()
    elif what == "edit" and files:
        chance.choice(files).write_text(text, "utf-8")
    elif what == "unlink" and files:
        chance.choice(files).unlink()
    elif what == "move" and files and not place.is_dir():
        chance.choice(files).rename(place)
    elif what in {"move folder", "remove"} and len(folders) > 1:
        folder = chance.choice(folders[1:])
        if what == "remove":
            shutil.rmtree(folder)
        elif not place.exists() and folder not in place.parents:
            folder.rename(place)


@pytest.mark.parametrize("many", [1, 20_000], ids=["in workers", "in one process"])
def test_what_is_told_is_what_happened(
    place: Place, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config, many: int
) -> None:
    monkeypatch.setattr(hashing, "MANY", many)
    chance = random.Random(many)
    place.scan()
    before: dict[str, str] = {}
    for _ in range(600 if pytestconfig.getoption("--long") else 25):
        for _ in range(chance.randrange(8)):
            step(chance, place.root)
        after = contents(place.root)
        if chance.random() < 0.2:
            place.settle()
        assert told(place.scan(dry_run=True)) == differences(before, after)
        assert told(place.scan()) == differences(before, after)
        before = after
