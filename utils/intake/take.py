"""Takes outputs in: reads them, has their decisions found and kept, and puts away the files that were dropped."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from utils.errors import AnglesError
from utils.intake import inbox
from utils.intake.formats import read
from utils.intake.inbox import Changed, Entry, Listing, proper
from utils.intake.items import Origin
from utils.intake.keep import Keeper, Terms
from utils.intake.model import Found, Message
from utils.intake.report import Report
from utils.stores.base import Vault

_log = logging.getLogger(__name__)

Find = Callable[[Message], list[Found]]


class Taker:
    """Takes outputs in, one after the other; `report` says what became of them.

    Args:
        vault: where decisions go.
        run: this run's id.
        terms: on what terms.
        find: finds the decisions of a message.
    """

    def __init__(self, vault: Vault, run: str, terms: Terms, find: Find) -> None:
        self._run, self._find = run, find
        self._read: list[tuple[Entry, list[str]]] = []
        self.report = Report(dry_run=terms.dry_run)
        self._keeper = Keeper(vault, run, terms, self.report)

    def empty(self, folder: Path) -> None:
        """Takes in what lies in the drop folder; each file moves once its decisions are in the vault."""
        for entry in self._told(inbox.dropped(folder)):
            unread = self._output(entry.name, entry.open, _day(entry.stat.st_mtime))
            if unread is None:
                self.report.waiting.append(entry.name)
                continue
            self._read.append((entry, unread))
            if not self._keeper.waiting:
                self._move(folder)
        self._keeper.finish()
        self._move(folder)

    def process(self, paths: Sequence[str], stdin: BinaryIO, now: datetime) -> None:
        """Takes in files where they lie, the files of folders, and stdin where a path is `-`."""
        for path in paths:
            if path == "-":
                self._output("stdin", lambda: nullcontext(stdin), now.date().isoformat())
            else:
                self._path(Path(path), proper(path), now)
        self._keeper.finish()

    def _path(self, path: Path, name: str, now: datetime) -> None:
        """Takes in a file, or the files of a folder."""
        if os.path.isdir(path):  # noqa: PTH112 - Path's own raises for a name that is too long
            for entry in self._told(inbox.files(path)):
                inside = replace(entry, name=f"{name}/{entry.name}")
                self._output(inside.name, inside.open, _day(entry.stat.st_mtime))
            return
        try:
            day = _day(path.stat().st_mtime)
        except OSError:
            day = now.date().isoformat()
        if self._output(name, partial(_opened, path), day) is None:
            self.report.problem(f"{name}: is not there. Give the path of an output, or - for stdin.")

    def _told(self, found: Listing) -> Sequence[Entry]:
        """What is ready, after telling what is not."""
        self.report.waiting += found.waiting
        for line in found.problems:
            self.report.problem(line)
        return found.ready

    def _output(self, name: str, opened: Callable[[], AbstractContextManager[BinaryIO]], day: str) -> list[str] | None:
        """Takes one output in; answers why nothing of it could be read, [] where something was, None where it is gone.

        Args:
            name: how it is told and kept.
            opened: opens its bytes.
            day: of decisions that say no other, as their messages.
        """
        messages = self.report.messages
        problems: list[str] = []
        origin = Origin(name, self._run, day)
        for each in _parts(name, opened):
            if each is None:
                return None
            if isinstance(each, Message):
                self._message(each, origin, problems)
            else:
                problems.append(each)
        self.report.files += 1
        for line in problems:
            self.report.problem(line)
        return problems if self.report.messages == messages else []

    def _message(self, message: Message, origin: Origin, problems: list[str]) -> None:
        self.report.messages += 1
        try:
            found = self._find(message)
        except Exception as bug:  # noqa: BLE001 - one message must not keep out all that was ever dropped
            problems.append(_bug(f"{origin.name}, message {message.id or self.report.messages}", bug))
            return
        for each in found:
            if each.decision.strip():
                self._keeper.add(each, origin)

    def _move(self, folder: Path) -> None:
        """Puts the files away whose decisions are in the vault."""
        done, self._read = self._read, []
        for entry, unread in [] if self.report.dry_run else done:
            if not entry.rests():
                self.report.waiting.append(entry.name)
                continue
            try:
                if unread:
                    inbox.put_aside(folder, entry, "".join(f"{line}\n" for line in unread))
                else:
                    inbox.put_away(folder, entry)
            except AnglesError as stuck:
                self.report.problem(str(stuck))


def _parts(name: str, opened: Callable[[], AbstractContextManager[BinaryIO]]) -> Iterator[Message | str | None]:
    """The messages of an output, and what of it cannot be read, a line each; None where it is gone, or another one."""
    try:
        with opened() as stream:
            for each in read(stream, name):
                yield each if isinstance(each, Message) else f"{each.where}: {each.what}."
    except (Changed, FileNotFoundError):
        yield None
    except AnglesError as problem:
        yield str(problem)
    except OSError as error:
        yield f"{name}: cannot be read ({error.strerror}). Make it a file that this user may read."
    except Exception as bug:  # noqa: BLE001 - one output must not keep out all that was ever dropped
        yield _bug(name, bug)


def _bug(where: str, bug: Exception) -> str:
    _log.info("%s cannot be read", where, exc_info=bug)
    return f"{where}: cannot be read, by a bug of ours ({type(bug).__name__}). The traceback is in the log."


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _day(stamp: float) -> str:
    """The day in UTC of a file's time, as ISO text."""
    return datetime.fromtimestamp(stamp, UTC).date().isoformat()
