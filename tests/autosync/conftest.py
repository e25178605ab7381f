"""What these tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.autosync.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A watched folder and a home, both empty."""
    return Place.at(tmp_path / "place")
