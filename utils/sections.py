"""The settings of single scripts: one frozen dataclass and one reader a section, for `config.load_with`.

A reader takes the variables and the home folder, keeps what is wrong in `variables.problems`, and answers defaults
there. Every variable is explained in `.env.example`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from utils.variables import Variables


@dataclass(frozen=True)
class InboxSettings:
    """Where assistant output is dropped."""

    folder: Path


def inbox(variables: Variables, home: Path) -> InboxSettings:
    """INBOX_DIR: `inbox/` in the home folder."""
    return InboxSettings(folder(variables, "INBOX_DIR", home / "inbox", home))


def folder(variables: Variables, name: str, default: Path, home: Path) -> Path:
    """A folder: a relative one lies in the home folder."""
    given = variables.value(name)
    return home / Path(given).expanduser() if given else default
