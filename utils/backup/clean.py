"""Takes the secrets out of a snapshot's files, and finds what is left in them.

What was done to a content is remembered by its checksum, in the folder of the clone: what did not change since the last
backup is taken from there as long as neither the rules nor the configured secrets changed. What is new is redacted, and
scanned again once it is staged.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from utils import redact
from utils.backup import snapshot
from utils.backup.snapshot import BY_NAME, Row, Table, marker_alone
from utils.files import write_atomic
from utils.redact import CONFIGURED, SHORTEST_SECRET, Redactor

PLAIN = {"id", "decision_id", "page_id", "date", "created_at", "updated_at", "changed_at", "at", "state", "operation"}
"""Columns that hold ids, times and our own words."""

_READABLE = bytes(each if each in b"\t\n\r" or 32 <= each < 127 else 32 for each in range(256))


class Memory:
    """What is known of the branch. Valid for one set of rules and secrets.

    Args:
        path: the file.
        secrets: the configured ones.

    `blobs` are those that contents became, by the contents' checksums; `verified` is the commit that was read from a
    fresh clone and found whole and without a secret.
    """

    def __init__(self, path: Path, secrets: Iterable[str]) -> None:
        self._path, self._rules = path, _rules(secrets)
        self.blobs: dict[str, str] = {}
        self.verified = ""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(path.read_bytes())
            if kept["rules"] == self._rules:
                self.blobs, self.verified = dict(kept["blobs"]), str(kept["verified"])
        self._kept = (self.blobs, self.verified)

    def keep(self) -> None:
        """Writes down what has changed."""
        if (self.blobs, self.verified) != self._kept:
            told = {"rules": self._rules, "blobs": self.blobs, "verified": self.verified}
            write_atomic(self._path, json.dumps(told), mode=0o600)


def checksum(path: str, data: bytes) -> str:
    """What a content is remembered by: its own and its place's, since a table has rules of its own."""
    return hashlib.sha256(f"{path}\0".encode() + data).hexdigest()


def cleaned(path: str, data: bytes, redactor: Redactor) -> bytes | None:
    """A file of a snapshot without secrets; None where they cannot be taken out, since it is no text."""
    if path.startswith("tables/"):
        return _table_file(data, BY_NAME[path.split("/")[1]], redactor)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if "\0" in text or not text:
        return None if seen(data, redactor) else data
    return redactor.redact(text).encode()


def seen(data: bytes, redactor: Redactor) -> list[tuple[int, str]]:
    """The secrets in a file: the line of each, and its kind.

    Of a file that is no text every value that is configured, and of the others those that can be read in it, be it as
    UTF-16: `pw:` and any bytes are in every large picture.
    """
    found = redactor.scan(data)
    if b"\0" not in data:
        return found
    readable = data.translate(_READABLE, b"\0").decode("ascii")
    kept = {each for each in found if each[1] == CONFIGURED}
    for each in redactor.find(readable):
        if each.kind == CONFIGURED or each.end - each.start >= SHORTEST_SECRET:
            kept.add((readable.count("\n", 0, each.start) + 1, each.kind))
    return sorted(kept)


def redacted(row: Row, table: Table, redactor: Redactor) -> Row:
    """A row without secrets, which its table can still hold."""
    made = {name: value if name in PLAIN else _value(name, value, redactor) for name, value in row.items()}
    for name, longest in table.texts.items():
        if isinstance(made.get(name), str):
            made[name] = marker_alone(made[name], longest)
    return made


def as_backed_up(row: Row, table: Table, redactor: Redactor) -> Row:
    """A row as a snapshot has it."""
    made: Row = json.loads(_line(snapshot.encoded(row), row, table, redactor))
    return made


def _value(name: str, value: Any, redactor: Redactor) -> Any:
    """A column's value as the redactor's walk leaves it, which looks at its name too."""
    return next(iter(redactor.redact_json({name: value}).values()))


def _table_file(data: bytes, table: Table, redactor: Redactor) -> bytes:
    """The lines as they are, but those that hold a secret."""
    lines = data.split(b"\n")
    # of a document's fields, the name may promise what the value alone does not show
    wrong = range(1, len(lines)) if table.documents else {line for line, _ in redactor.scan(data)}
    for number in wrong:
        line = lines[number - 1].decode()
        lines[number - 1] = _line(line, json.loads(line), table, redactor).encode()
    return b"\n".join(lines)


def _line(line: str, row: Row, table: Table, redactor: Redactor) -> str:
    """A row as its fields are redacted, then as a whole; fields that share one secret, which that took apart, go."""
    made = redactor.redact(snapshot.encoded(redacted(row, table, redactor)))
    if made == line or _is_whole(made, row, touched := _touched(line, row, redactor)):
        return made
    for gone in (touched, row.keys() - PLAIN):
        kept = redacted({name: _gone(value) if name in gone else value for name, value in row.items()}, table, redactor)
        if _is_whole(made := redactor.redact(snapshot.encoded(kept)), row, touched):
            return made
    return snapshot.encoded(kept)  # what is still seen in it stops the commit


def _touched(line: str, row: Row, redactor: Redactor) -> set[str]:
    """The columns in whose values secrets are seen when the row is looked at as one text."""
    found, touched, start = redactor.find(line), set(), 1
    for name in sorted(row):
        start += len(snapshot.encoded(name)) + 1
        end = start + len(snapshot.encoded(row[name]))
        if name not in PLAIN and any(each.start < end and each.end > start for each in found):
            touched.add(name)
        start = end + 1
    return touched


def _is_whole(made: str, row: Row, touched: Iterable[str]) -> bool:
    """Whether it is still a row with the same columns, ids and times, and nothing is left of what was seen in it."""
    try:
        left = json.loads(made)
    except ValueError:
        return False
    same = left.keys() == row.keys() and all(left[name] == row[name] for name in PLAIN & row.keys())
    return same and all(left[name] != row[name] for name in touched)


def _gone(value: Any) -> Any:
    """A value of the same shape in which no text and no number is left."""
    if isinstance(value, dict):
        return {name: _gone(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_gone(each) for each in value]
    return value if value is None or isinstance(value, bool) else "[REDACTED:secret]"


def _rules(secrets: Iterable[str]) -> str:
    """What the outcome depends on beside the content."""
    digest = hashlib.sha256("\0".join(sorted(secrets)).encode("utf-8", "surrogatepass"))
    for source in [*sorted(Path(redact.__file__).parent.rglob("*.py")), Path(__file__)]:
        digest.update(source.read_bytes())
    return digest.hexdigest()
