"""What a snapshot is: files whose bytes depend on the vault's contents alone, and a manifest that vouches. Pure.

A table's rows are JSON Lines, sorted by key, with sorted keys, in up to 256 files by the first two signs of a row's id,
so that a day's changes touch few files. `manifest.json` has no time and no run in it: the commit's message has those.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from utils.decision import FIELDS

MANIFEST = "manifest.json"
FORMAT = 1
DEEPEST = 200
"""Levels of lists and objects in a row: more could not be walked by all who have to."""

UNREADABLE = "its JSON is too deep, or holds a number of too many digits"

WARN_BYTES, MOST_BYTES = 50_000_000, 100_000_000
"""What GitHub warns of, and what it refuses, a file."""

NEVER_FOLDERS = {".git", ".local", ".venv", ".ssh", ".aws", ".gnupg", "logs", "node_modules", "__pycache__"}
NEVER = (
    *(".env", ".env.*", "*.env", ".netrc", ".pgpass", ".npmrc", ".pypirc", ".git-credentials", "credentials*"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "id_rsa*", "id_dsa*", "id_ecdsa*"),
    *("id_ed25519*", ".angles-*", "*.lock", "*.sock"),
)
"""Names that go into no backup, wherever they are, and come out of none; `.env.example` alone does."""

_MARK = re.compile(r"\[REDACTED:(?!kind\])([a-z0-9-]+)\]")
"""A redaction marker; `[REDACTED:kind]` is how prose about them names one."""

_LATE = re.compile(r"\d{5,}-")

Row = dict[str, Any]

encoded = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
"""A row as a line of a snapshot, without its end."""


@dataclass(frozen=True)
class Table:
    """A table of a snapshot.

    Args:
        name: in the schema `public`.
        key: the column of its primary key, by which it is sorted.
        shard: the column, a uuid, by whose first two signs it is divided.
        judged: whether a change in it makes a new snapshot.
        documents: whether it holds JSON of others, with fields of any name and depth.
        texts: the longest text, in characters, of columns that have a limit.
    """

    name: str
    key: str = "id"
    shard: str = "id"
    judged: bool = True
    documents: bool = False
    texts: Mapping[str, int] = field(default_factory=dict)


TABLES = (
    Table("decision_vault", texts={"type": 50}),
    Table("sync_links", key="decision_id", shard="decision_id"),
    Table("sync_log"),
    Table("decision_history", shard="decision_id"),
    Table("agent_activity", judged=False, documents=True, texts={"agent_name": 100, "action": 100, "status": 50}),
)
BY_NAME = {table.name: table for table in TABLES}
STAMPS = ("created_at", "updated_at", "changed_at", "at")
"""Columns of moments, in whichever table has them."""


class DamagedError(Exception):
    """A snapshot that is not what its manifest says: each problem a line, with the file."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True)
class Snapshot:
    """The files of one snapshot by their paths, the manifest among them."""

    files: Mapping[str, bytes]

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest, parsed."""
        found: dict[str, Any] = json.loads(self.files[MANIFEST])
        return found

    def rows(self, table: str) -> list[Row]:
        """A table's rows, sorted by key."""
        return sorted(map(json.loads, _lines(self.files, table)), key=lambda row: row[BY_NAME[table].key])

    def documents(self) -> dict[str, bytes]:
        """The files of BACKUP_PATHS, by their paths in the home folder."""
        return {path.removeprefix("files/"): data for path, data in self.files.items() if path.startswith("files/")}


def shards(table: Table, rows: Iterable[Row]) -> dict[str, bytes]:
    """The files of a table.

    Args:
        table: whose.
        rows: redacted, in any order.
    """
    divided: dict[str, list[Row]] = {}
    for row in rows:
        divided.setdefault(str(row[table.shard])[:2], []).append(row)
    return {
        f"tables/{table.name}/{name}.jsonl": "".join(
            f"{encoded(row)}\n" for row in sorted(some, key=lambda row: row[table.key])
        ).encode()
        for name, some in sorted(divided.items())
    }


def complete(
    files: Mapping[str, bytes], *, tool: str, schema: str, source: str, window: Sequence[str] | None = None
) -> Snapshot:
    """The snapshot of files: they and their manifest.

    Args:
        files: by path, without a manifest.
        tool: this program's version.
        schema: the version of the newest migration.
        source: which vault this is of.
        window: when reading began and ended, where it took more than one transaction.
    """
    totals: Counter[str] = Counter()
    listed: dict[str, Any] = {}
    for path, data in sorted(files.items()):
        listed[path] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        if path.startswith("tables/"):
            listed[path]["rows"] = data.count(b"\n")
            totals[path.split("/")[1]] += data.count(b"\n")
    manifest = {
        "format": FORMAT,
        "tool": tool,
        "schema": schema,
        "source": source,
        "read": {"began": window[0], "ended": window[1]} if window else "one transaction",
        "rows": {table.name: totals[table.name] for table in TABLES},
        "redactions": redactions(files.values()),
        "files": listed,
    }
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=False, indent=1) + "\n"
    return Snapshot({**files, MANIFEST: text.encode()})


def redactions(contents: Iterable[bytes]) -> dict[str, int]:
    """How many markers of each kind there are."""
    found: Counter[str] = Counter()
    for data in contents:
        if b"[REDACTED:" in data:
            found.update(_MARK.findall(data.decode("utf-8", "replace")))
    return dict(sorted(found.items()))


def has_mark(value: Any) -> bool:
    """Whether a redaction marker is anywhere in a JSON value."""
    return "[REDACTED:" in json.dumps(value, ensure_ascii=False) and bool(_MARK.search(json.dumps(value)))


def marker_alone(value: str, longest: int) -> str:
    """A redacted text that its column can hold: where the marker made it too long, the marker is all that stays."""
    found = _MARK.search(value)
    return found[0] if len(value) > longest and found else value


def verified(files: Mapping[str, bytes]) -> Snapshot:
    """The snapshot in a commit's files, those of others left out.

    Raises:
        DamagedError: it has no manifest that can be read, a file is missing or differs, one is there too many, or lines
            are no rows.
    """
    owned = {path: data for path, data in files.items() if is_ours(path)}
    manifest = read_manifest(owned)
    if problems := [*_differing(owned, manifest), *_no_rows(owned)]:
        raise DamagedError(problems)
    return Snapshot(owned)


def read_manifest(owned: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest, with all that it must have in it.

    Raises:
        DamagedError: it is missing, or cannot be read.
    """
    if MANIFEST not in owned:
        raise DamagedError([f"{MANIFEST}: is missing"])
    try:
        found: dict[str, Any] = json.loads(owned[MANIFEST])
        if found["format"] != FORMAT:
            raise DamagedError([f"{MANIFEST}: format {found['format']} is of another version of this program"])
        wrong = [name for name, is_good in _MANIFEST.items() if not is_good(found[name])]
    except KeyError as missing:
        raise DamagedError([f"{MANIFEST}: lacks {missing}"]) from None
    except (ValueError, TypeError, RecursionError):
        raise DamagedError([f"{MANIFEST}: cannot be read"]) from None
    if wrong:
        raise DamagedError([f"{MANIFEST}: its {name} cannot be read" for name in wrong])
    return found


def _differing(owned: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Iterator[str]:
    totals: Counter[str] = Counter()
    for path, told in sorted(manifest["files"].items()):
        data = owned.get(path)
        if data is None:
            yield f"{path}: is missing"
        elif len(data) != told["bytes"] or hashlib.sha256(data).hexdigest() != told["sha256"]:
            yield f"{path}: is not what the manifest says ({len(data)} bytes for {told['bytes']})"
        elif path.startswith("tables/"):
            totals[path.split("/")[1]] += data.count(b"\n")
    yield from (f"{path}: is not in the manifest" for path in sorted(set(owned) - set(manifest["files"]) - {MANIFEST}))
    for name, count in manifest["rows"].items():
        if totals[name] != count:
            yield f"{name}: {totals[name]} rows are whole, the manifest says {count}"


def _no_rows(owned: Mapping[str, bytes]) -> Iterator[str]:
    """The lines of tables that are no rows of them, and the rows that are there twice."""
    for table in TABLES:
        keys: set[Any] = set()
        for path, data in sorted(owned.items()):
            if not path.startswith(f"tables/{table.name}/"):
                continue
            try:
                lines = data.decode().split("\n")
            except UnicodeDecodeError:
                yield f"{path}: is no text"
                continue
            for number, line in enumerate(lines, 1):
                if line and (why := _no_row(line, table, keys)):
                    yield f"{path} line {number}: {why}"


def _no_row(line: str, table: Table, keys: set[Any]) -> str:
    """Why a line is no row of a table, or ''; its key is added to the others."""
    try:
        row = json.loads(line)
        key, owner = row[table.key], row[table.shard]
        image = {"decision_vault": row, "decision_history": row.get("was")}.get(table.name)
        whole = isinstance(owner, str) and type(key) is (int if table.name == "decision_history" else str)
        whole &= image is None or all(name in image for name in FIELDS)
        whole &= all(_is_moment(row.get(name)) for name in STAMPS)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole or is_deep(row):
        return "is no row of this table"
    if key in keys:
        return f"{key} is there twice"
    keys.add(key)
    return ""


def is_deep(value: Any) -> bool:
    """Whether a JSON value has more than `DEEPEST` levels."""
    level = [value]
    for _ in range(DEEPEST + 1):
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [each for some in inner for each in some]
        if not level:
            return False
    return True


def moment(text: str | None) -> datetime:
    """A moment as PostgreSQL writes it; for none, and for those out of Python's years, the first or last of those."""
    if not text or text == "-infinity" or text.endswith(" BC"):
        return datetime.min.replace(tzinfo=UTC)
    if text == "infinity" or _LATE.match(text):
        return datetime.max.replace(tzinfo=UTC)
    return datetime.fromisoformat(text)


def _is_moment(value: Any) -> bool:
    return moment(value).tzinfo is not None


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _are_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_count, value.values()))


def _are_files(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(each, dict) and _is_count(each.get("bytes")) and isinstance(each.get("sha256"), str)
        for each in value.values()
    )


def _is_reading(value: Any) -> bool:
    return isinstance(value, str) or (value is not None and all(_is_moment(value[end]) for end in ("began", "ended")))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_MANIFEST: Mapping[str, Callable[[Any], bool]] = {
    "tool": _is_text,
    "schema": _is_text,
    "source": _is_text,
    "read": _is_reading,
    "rows": _are_counts,
    "redactions": _are_counts,
    "files": _are_files,
}
"""What a manifest must have, and what each is."""


def is_ours(path: str) -> bool:
    """Whether a path in the repository is one that a snapshot may have."""
    return path == MANIFEST or path.startswith(("tables/", "files/"))


def is_kept_out(path: str) -> bool:
    """Whether a path goes into no backup and out of none, whatever BACKUP_PATHS says."""
    *folders, name = path.lower().split("/")
    if NEVER_FOLDERS.intersection((*folders, name)):
        return True
    return name != ".env.example" and any(fnmatch.fnmatchcase(name, pattern) for pattern in NEVER)


def is_judged(path: str) -> bool:
    """Whether a change of this file makes a new snapshot."""
    parts = path.split("/")
    return path != MANIFEST and not (parts[0] == "tables" and parts[1] in BY_NAME and not BY_NAME[parts[1]].judged)


@dataclass(frozen=True)
class Changes:
    """What differs between two snapshots: paths, and rows by table as (added, changed, removed)."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rows: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def judged(self) -> bool:
        """Whether any of it makes a new snapshot."""
        return any(is_judged(path) for path in (*self.added, *self.changed, *self.removed))

    def json(self) -> dict[str, Any]:
        """As the report has it."""
        return {
            "files": {"added": len(self.added), "changed": len(self.changed), "removed": len(self.removed)},
            "rows": {
                name: dict(zip(("added", "changed", "removed"), counts, strict=True))
                for name, counts in self.rows.items()
            },
        }


def changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Changes:
    """What differs between the files of two snapshots; of those that are the same, either may leave out both.

    Args:
        before: by path.
        after: likewise.
    """
    added = sorted(set(after) - set(before))
    removed = sorted(set(before) - set(after))
    changed = sorted(path for path in set(after) & set(before) if after[path] != before[path])
    rows: dict[str, tuple[int, int, int]] = {}
    for table in TABLES:
        old, new = set(_lines(before, table.name)), set(_lines(after, table.name))
        was, is_now = ({_key(line, table) for line in some} for some in (old - new, new - old if old else ()))
        rows[table.name] = (
            len(is_now - was) if old else len(new),
            len(is_now & was),
            len(was - is_now),
        )
    return Changes(tuple(added), tuple(changed), tuple(removed), rows)


def _lines(files: Mapping[str, bytes], table: str) -> Iterator[str]:
    """The rows of a table as they stand in files."""
    for path, data in files.items():
        if path.startswith(f"tables/{table}/"):
            yield from filter(None, data.decode("utf-8", "replace").split("\n"))


def _key(line: str, table: Table) -> str:
    """The key of a row; of what somebody made of it in the repository, that itself."""
    try:
        return str(json.loads(line)[table.key])
    except (ValueError, KeyError, TypeError, RecursionError):
        return line


def shrunk(before: Mapping[str, int], after: Mapping[str, int], percent: float) -> list[str]:
    """The judged tables that lost more than so many percent of their rows, each told in words."""
    return [
        f"{name}: {after.get(name, 0)} rows, {before[name]} in the last snapshot"
        for name in before
        if name in BY_NAME
        and BY_NAME[name].judged
        and before[name]
        and 100 * (before[name] - after.get(name, 0)) > percent * before[name]
    ]


def too_large(files: Mapping[str, int], limit: int) -> list[str]:
    """The files of more bytes than a limit, each told in words."""
    return [f"{path} has {size / 1e6:.0f} MB" for path, size in sorted(files.items()) if size > limit]
