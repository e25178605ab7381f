"""The files of BACKUP_PATHS: which go into a backup, and as what. Never a secret's usual home, never a link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from utils.backup.snapshot import MOST_BYTES, is_kept_out
from utils.errors import AnglesError, SafetyError


def gather(home: Path, paths: Sequence[str]) -> tuple[dict[str, bytes], list[str]]:
    """The contents of files by `files/<path in the home folder>`, and what was left out, a line each.

    Args:
        home: the home folder, in which all paths lie.
        paths: files and folders.
    """
    found: dict[str, bytes] = {}
    left_out: list[str] = []
    for path in sorted({each for given in paths for each in _below(home, given, left_out)}):
        name = path.relative_to(home).as_posix()
        if not name.isprintable():
            left_out.append(f"{name!r} is left out: its name holds control characters")
            continue
        try:
            if (size := path.stat().st_size) > MOST_BYTES:
                what = f"{name} has {size / 1e6:.0f} MB, more than a file may have"
                raise SafetyError("backup", what, "Take it out of BACKUP_PATHS")
            found[f"files/{name}"] = path.read_bytes()
        except OSError as error:
            remedy = "Make it readable, or change BACKUP_PATHS"
            raise AnglesError(str(path), f"cannot be read ({error.strerror})", remedy) from error
    return found, left_out


def _below(home: Path, given: str, left_out: list[str]) -> Iterator[Path]:
    """The files that a path names."""
    start = home / given
    if not start.exists():
        left_out.append(f"{given} is left out: there is no such file")
        return
    every = sorted(start.rglob("*")) if start.is_dir() and not start.is_symlink() else [start]
    for path in every:
        relative = path.relative_to(home).as_posix()
        if path.name == ".gitkeep" or (path.is_dir() and not path.is_symlink()):
            continue
        if is_kept_out(relative):
            left_out.append(f"{relative} is left out: such files may hold secrets, or are our own")
        elif any(part.is_symlink() for part in (path, *path.parents) if part.is_relative_to(home) and part != home):
            left_out.append(f"{relative} is left out: it is a link")
        elif path.is_file():
            yield path
