"""Outputs in all their formats, recognised by content: bytes in, messages out."""

from __future__ import annotations

import itertools
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from utils.errors import AnglesError
from utils.intake.formats import archive, chatgpt, decode, jsontext, prose, shapes
from utils.intake.model import Message, Problem

BLOCK = 1_000_000
"""Bytes that are read at once."""

TOLD = 50
"""Problems of one output that are told one by one; the rest is a number."""

_UNFIT = re.compile("[\x00\ud800-\udfff]")


def read(source: Path | BinaryIO, name: str) -> Iterator[Message | Problem]:
    """The messages of an output, one after the other; a part that cannot be read is a problem between them.

    Args:
        source: a file, or a stream that need not be able to seek.
        name: what to call it in errors.

    Raises:
        AnglesError: nothing of it can be read: it is empty, binary, broken from the start, or no known format.
    """
    if isinstance(source, Path):
        try:
            with source.open("rb") as stream:
                yield from read(stream, name)
        except OSError as error:
            raise AnglesError(name, f"cannot be read ({error.strerror})", "Look at its permissions") from None
        return
    problems: list[Problem] = []
    messages = told = 0
    for each in _read(source, name):
        if isinstance(each, Message):
            messages += 1
            yield from problems
            problems.clear()
            yield from shapes.within(_fit(each))
        else:
            told += 1
            if told <= TOLD:
                problems.append(each)
    if not messages:
        raise _nothing(problems, name)
    yield from problems
    if told > TOLD:
        yield Problem(name, f"{told - TOLD} more parts cannot be read")


def _read(source: BinaryIO, name: str) -> Iterator[Message | Problem]:
    head = _block(source)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n"):
        raise AnglesError(name, "is empty", "Write the output into it again")
    if not head.startswith(archive.MARKS):
        yield from _text(head, source, name)
        return
    with tempfile.TemporaryFile() as whole:
        if source.seekable():
            source.seek(0)
        else:
            whole.write(head)
            shutil.copyfileobj(source, whole)
            whole.seek(0)
        yield from archive.messages(source if source.seekable() else whole, name, _entry)


def _entry(stream: BinaryIO, name: str) -> Iterator[Message | Problem]:
    """The messages of a file in a zip; what is not meant to be read, such as a picture, is passed over."""
    head = _block(stream)
    if head.startswith(archive.MARKS):
        yield Problem(name, "is a zip in a zip; unpack it first")
    elif head.strip() and decode.encoding(head):
        yield from _text(head, stream, name)


def _text(head: bytes, source: BinaryIO, name: str) -> Iterator[Message | Problem]:
    chunks = decode.text(_blocks(head, source), name)
    first = next((chunk.lstrip("\ufeff") for chunk in chunks if chunk.strip()), "")
    both = itertools.chain([first], chunks)
    if not jsontext.SHAPE.match(first):
        yield from prose.messages(both, name)
        return
    for value in jsontext.values(both, name, chatgpt.node):
        try:
            yield from shapes.messages(value)
        except RecursionError:
            yield Problem(name, "is nested too deeply in one place; the rest is read")


def _blocks(head: bytes, source: BinaryIO) -> Iterator[bytes]:
    while head:
        yield head
        head = _block(source)


def _block(source: BinaryIO) -> bytes:
    """The next bytes: a whole block, unless the stream ends."""
    parts, wanted = [], BLOCK
    while wanted > 0 and (part := source.read(wanted)):
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


def _fit(message: Message) -> Message:
    """The message without what no database takes: zeros and halves of characters."""
    if message.text.isascii() and "\x00" not in message.text and not message.fields:
        return message
    fields = {key: _UNFIT.sub("\ufffd", value) for key, value in message.fields.items()}
    said = (message.text, message.role, message.at, message.id, message.conversation, message.agent)
    text, role, at, name, conversation, agent = (_UNFIT.sub("\ufffd", each) for each in said)
    return Message(text, role, at, name, conversation, agent, fields)


def _nothing(problems: list[Problem], name: str) -> AnglesError:
    if problems:
        return AnglesError(problems[0].where, problems[0].what.partition("; ")[0], "Export it again")
    return AnglesError(name, "has no format that is known", "Give a chat export, JSON with decisions, Markdown or text")
