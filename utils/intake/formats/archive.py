"""A zip of outputs, entry by entry, as streams: nothing of it is written anywhere, so its paths are only names."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from utils.errors import AnglesError
from utils.intake.model import Message, Problem

MARKS = (b"PK\x03\x04", b"PK\x05\x06")
ENTRIES = 10_000
TOTAL = 4_000_000_000
"""Bytes that a zip may unpack to."""
RATIO, RATIO_FROM = 300, 100_000_000
"""How many times its size an entry may unpack to, once it unpacks to more than so many bytes."""

_BAD = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)
_UNSAFE = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)|^[/\\]|^[A-Za-z]:|[\x00-\x1f]")
_EXPORT = re.compile(r"(?:^|/)conversations[\w-]*\.json$")
Reader = Callable[[BinaryIO, str], Iterator[Message | Problem]]


def messages(stream: BinaryIO, name: str, read: Reader) -> Iterator[Message | Problem]:
    """The messages of all entries; of an export the conversations only.

    Args:
        stream: the zip; it can seek.
        name: what to call it.
        read: reads an entry, which is no zip.

    Raises:
        AnglesError: it is no zip after all, or a bomb.
    """
    try:
        archive = zipfile.ZipFile(stream)
    except _BAD as error:
        raise AnglesError(name, f"is a broken zip ({error})", "Download it again") from None
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > ENTRIES or sum(entry.file_size for entry in entries) > TOTAL:
            raise AnglesError(name, f"unpacks to more than {TOTAL // 10**9} GB or {ENTRIES} files", "Split it")
        exported = [entry for entry in entries if _EXPORT.search(entry.filename)]
        for entry in exported or entries:
            yield from _entry(archive, entry, f"{name}: {entry.filename!r}", read)


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str, read: Reader) -> Iterator[Message | Problem]:
    refused = _refused(entry)
    if refused:
        yield Problem(where, refused)
        return
    try:
        with archive.open(entry) as stream:
            yield from read(stream, where)  # type: ignore[arg-type]
    except _BAD as error:
        yield Problem(where, f"cannot be unpacked ({error}); download it again")


def _refused(entry: zipfile.ZipInfo) -> str:
    if _UNSAFE.search(entry.filename):
        return "has a path that leads out of the zip; passed over"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link; passed over"
    if entry.flag_bits & 1:
        return "is encrypted; unpack it first"
    if entry.file_size > max(RATIO_FROM, RATIO * entry.compress_size):
        return f"unpacks to {RATIO} times its size, as a zip bomb does; passed over"
    return ""
