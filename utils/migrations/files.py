"""The migration files: their names, checksums and statements, and what of them a database lacks. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from utils.errors import ConfigError, SafetyError

_NAME = re.compile(r"(\d{14})_(\w+)\.sql")
_CONTROL = re.compile(r"(begin|start\s+transaction|commit|end|rollback|abort|prepare\s+transaction)\b", re.IGNORECASE)
_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?\*/)|(?P<end>;)"""
    r"""|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|\b[eE]'(?:[^'\\]|\\.|'')*'|'[^']*'|"[^"]*"|\w+|.""",
    re.DOTALL,
)
"""What a statement is made of, as far as finding its end takes."""


@dataclass(frozen=True)
class Migration:
    """One file. `sha256` is of its text with line ends normalised."""

    version: str
    name: str
    sql: str
    sha256: str

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.version}_{self.name}.sql"


@dataclass(frozen=True)
class Status:
    """Where a database stands: versions applied, and files still to be applied, in their order."""

    applied: tuple[str, ...]
    pending: tuple[Migration, ...]


@dataclass(frozen=True)
class Names:
    """The tables and functions in `public` that files make."""

    tables: tuple[str, ...]
    functions: tuple[str, ...]

    def json(self) -> str:
        """As the function `schema_description` takes them."""
        return json.dumps({"tables": self.tables, "functions": self.functions})


def parse_files(files: Sequence[tuple[str, str]]) -> list[Migration]:
    """Migrations out of (name, text) pairs. Pure.

    Raises:
        ConfigError: a name is no migration's, two have one version, or a file ends the transaction that it runs in.
    """
    found: dict[str, Migration] = {}
    for name, text in files:
        match = _NAME.fullmatch(name)
        if match is None:
            raise ConfigError(name, "is no migration's name", "Call it <14 digits>_<name>.sql")
        if match[1] in found:
            raise ConfigError(name, f"has the version of {found[match[1]].file}", "Give it a later one")
        for line, statement in split_statements(text):
            if _CONTROL.match(statement):
                raise ConfigError(
                    f"{name}:{line}", "begins or ends a transaction", "Take it out: a file is one by itself"
                )
        found[match[1]] = Migration(match[1], match[2], text, checksum(text))
    return [found[version] for version in sorted(found)]


def checksum(text: str) -> str:
    """SHA-256 of a text, the same whatever its line ends."""
    return hashlib.sha256(text.replace("\r\n", "\n").replace("\r", "\n").encode()).hexdigest()


def plan(files: Sequence[Migration], applied: Mapping[str, str | None]) -> Status:
    """What is applied and what is to be done. Pure.

    Args:
        files: in their order.
        applied: checksum by version; None where only the version is known.

    Raises:
        SafetyError: an applied file was edited, one is unknown, or a new one is older than an applied one.
    """
    known = {each.version: each for each in files}
    for version, sha256 in sorted(applied.items()):
        if version not in known:
            raise SafetyError(
                "migrations", f"the database has {version}, which is no file here", "Check out that version"
            )
        if sha256 is not None and sha256 != known[version].sha256:
            raise SafetyError(
                "migrations",
                f"{known[version].file} was edited after it was applied",
                "Put it back; add a new file instead",
            )
    pending = tuple(each for each in files if each.version not in applied)
    newest = max(applied, default="")
    if pending and pending[0].version < newest:
        raise SafetyError(
            "migrations", f"{pending[0].file} is older than {newest}, which is applied", "Give it a later version"
        )
    return Status(tuple(sorted(applied)), pending)


def split_statements(text: str) -> list[tuple[int, str]]:
    """The statements of a file, each with the line that it begins at. Pure.

    Quotes, comments and $-quoted bodies are kept whole. A body in the form BEGIN ATOMIC … END would be cut at its
    semicolons (which the server then refuses): write RETURN or a $-quoted one.
    """
    found: list[tuple[int, str]] = []
    start: int | None = None
    for token in _TOKEN.finditer(text):
        if token["end"]:
            if start is not None:
                found.append((text.count("\n", 0, start) + 1, text[start : token.start()]))
            start = None
        elif start is None and not token["blank"]:
            start = token.start()
    if start is not None:
        found.append((text.count("\n", 0, start) + 1, text[start:].rstrip()))
    return found


def names_in(files: Sequence[Migration]) -> Names:
    """The names of the public things that files make, functions in the order of their making."""
    tables = _found(files, "table if not exists")
    return Names(tuple(sorted(tables)), tuple(_found(files, "or replace function")))


def _found(files: Sequence[Migration], what: str) -> list[str]:
    pattern = re.compile(rf"^create {what} public\.(\w+)", re.MULTILINE)
    return list(dict.fromkeys(name for each in files for name in pattern.findall(each.sql)))
