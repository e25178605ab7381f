"""The rules file: the default, its refusals, and what patterns mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from utils.autosync import rules
from utils.autosync.index import Change, Event
from utils.autosync.rules import Ignoring
from utils.errors import ConfigError

DEFAULT = rules.load(rules.DEFAULT)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("README.md", "product"),
        ("docs/README.md", None),
        ("deep/er/sales.prompt.md", "product"),
        ("supabase/migrations/20260101000000_x.sql", "architecture"),
        ("sub/schema.sql", "architecture"),
        ("CLAUDE.md", "process"),
        (".github/copilot-instructions.md", "process"),
        (".env", "technical"),
        ("requirements-dev.txt", "technical"),
        ("src/main.py", None),
    ],
)
def test_the_default_knows_the_key_files(path: str, kind: str | None) -> None:
    assert DEFAULT.key(Change(Event.MODIFIED, path)) == kind


@pytest.mark.parametrize(
    ("path", "folder", "left"),
    [
        ("a/__pycache__", True, True),
        ("a/__pycache__", False, False),
        ("x.pyc", False, True),
        (".mypy_cache", True, True),
        ("export", True, True),
        ("sub/export", True, False),
        ("a/.git", False, True),
        ("notes.log", False, True),
        ("src/main.py", False, False),
        ("line\nbreak", False, False),
    ],
)
def test_the_default_leaves_out_what_is_made(path: str, folder: bool, left: bool) -> None:
    assert Ignoring(DEFAULT.ignore).leaves_out(path, folder=folder) is left


def test_the_first_entry_that_matches_counts_and_only_its_events(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(
        """
        [[key]]
        pattern = "quiet.md"
        events = []
        [[key]]
        pattern = ["*.md", "!not.md"]
        type = "process"
        events = ["deleted"]
        [[key]]
        pattern = "not.md"
        """,
        encoding="utf-8",
    )
    found = rules.load(file)
    asked = [("quiet.md", Event.DELETED), ("a.md", Event.DELETED), ("a.md", Event.CREATED), ("not.md", Event.CREATED)]
    assert [found.key(Change(event, path)) for path, event in asked] == [None, "process", None, "other"]


def test_a_later_pattern_takes_back_what_an_earlier_one_left_out() -> None:
    ignoring = Ignoring(("*.dat", "!kept.dat", "a/**/b", "doc/*.txt"))
    asked = ["x.dat", "kept.dat", "a/1/2/b", "doc/x.txt", "doc/sub/x.txt"]
    assert [ignoring.leaves_out(path, folder=False) for path in asked] == [True, False, True, True, False]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ignore = 3", "ignore is no list of texts"),
        ("ignore = ['!']", "ignore holds a wrong pattern"),
        ("gitignore = 'yes'", "gitignore is true or false"),
        ("wrong = 1", "wrong is no setting; gitignore, ignore, key are"),
        ("[key]\npattern = 'a'", "gitignore is true or false, and a key file is an entry [[key]]"),
        ("[[key]]\ntype = 'a'", "key 1: pattern is no list of texts"),
        ("[[key]]\npattern = 'a'\ntype = 'a,b'", "key 1: type is no text of 1 to 50 signs without a comma"),
        ("[[key]]\npattern = 'a'\nevents = ['made']", "key 1: events are some of created, modified"),
        ("[[key]]\npattern = 'a'\nwhen = 1", "key 1: when is no setting"),
        ("= 1", "is no TOML"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_what_is_wrong_in_a_rules_file_is_named(tmp_path: Path, text: str | None, what: str) -> None:
    file = tmp_path / "rules.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        rules.load(file)
    assert str(refused.value).startswith(f"{file}: {what}")
