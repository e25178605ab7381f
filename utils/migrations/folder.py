"""Reads the migration files."""

from __future__ import annotations

from pathlib import Path

from utils.config import ROOT
from utils.errors import ConfigError
from utils.migrations.files import Migration, parse_files

MIGRATIONS = ROOT / "supabase" / "migrations"


def read_folder(folder: Path = MIGRATIONS) -> list[Migration]:
    """The migrations of a folder, in their order.

    Raises:
        ConfigError: the folder cannot be read, is empty, or holds a name that is none.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".sql")
        files = [(path.name, path.read_text(encoding="utf-8")) for path in paths]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(folder), f"cannot be read ({error})", "Check out the project again") from error
    if not files:
        raise ConfigError(str(folder), "holds no migration", "Check out the project again")
    return parse_files(files)
