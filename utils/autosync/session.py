"""Scans the roots under the one lock, and leaves what changed in the state and its outbox."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from utils.autosync import rows
from utils.autosync.drafts import Found
from utils.autosync.index import Change, Event, join
from utils.autosync.rules import Ignoring, Rules
from utils.autosync.scan import RootError, Wanted, identity, scan
from utils.autosync.store import DamagedError, Root, Store
from utils.errors import ConfigError
from utils.files import hold_lock

T = TypeVar("T")

LIMIT = 50
"""How many changes of a scan are told singly."""

_SHOWN = 5


@dataclass(frozen=True)
class Options:
    """How to scan.

    Args:
        roots: absolute paths, without symbolic links, none twice.
        state: the file of the state.
        home: our home folder, whose logs are left out.
        rules: what is left out, and which files are key files.
        redact: takes secrets out of a text.
        limit: how many changes are told singly.
        verify: take the content of every file.
        dry_run: leave nothing behind.
    """

    roots: Sequence[str]
    state: Path
    home: Path
    rules: Rules
    redact: Callable[[str], str]
    limit: int = LIMIT
    verify: bool = False
    dry_run: bool = False


@dataclass
class Report:
    """What one scan of all roots found.

    `changes` go with the root, `baselines` with how many files a new one has;
    `touched` and `gone` are the folders of a root that were taken in and forgotten.
    """

    dry_run: bool = False
    changes: list[tuple[str, Change]] = field(default_factory=list)
    baselines: dict[str, int] = field(default_factory=dict)
    files: int = 0
    hashed: int = 0
    unreadable: list[str] = field(default_factory=list)
    unstable: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    queued: int = 0
    waiting: int = 0
    delivered: int = 0
    seconds: float = 0.0
    touched: dict[str, set[str]] = field(default_factory=dict)
    gone: dict[str, list[str]] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many changes there are of each event."""
        events = [change.event for _, change in self.changes]
        return {str(event): events.count(event) for event in Event}

    def lines(self, limit: int) -> list[str]:
        """The first changes, a line each, and how many more there are."""
        lines = [f"{rows.line(change)} in {rows.shown(root)}" for root, change in self.changes[:limit]]
        rest = len(self.changes) - len(lines)
        return [*lines, f"and {rest} more"] if rest else lines

    def json(self, limit: int) -> dict[str, Any]:
        """As `--json` says it; `listed` has the first changes."""
        listed = [
            {"root": rows.shown(root), "event": change.event, "path": rows.shown(change.path)}
            | ({"from": rows.shown(change.source)} if change.source else {})
            for root, change in self.changes[:limit]
        ]
        numbers = {name: getattr(self, name) for name in ("files", "hashed", "queued", "delivered", "waiting")}
        return {
            "dry_run": self.dry_run,
            "changes": len(self.changes),
            **self.counts,
            "unreadable": len(self.unreadable),
            "unstable": len(self.unstable),
            **numbers,
            "baselines": {rows.shown(root): files for root, files in self.baselines.items()},
            "listed": listed,
            "problems": self.problems,
            "seconds": round(self.seconds, 3),
        }

    def closing_line(self) -> str:
        """The one line at the end."""
        counts = ", ".join(f"{number} {event}" for event, number in self.counts.items() if number) or "no change"
        kept = ", ".join(f"{rows.shown(root)} taken as it is" for root in self.baselines)
        told = f"{self.delivered} rows delivered" if self.delivered else ""
        held = f"{self.waiting} rows waiting for delivery" if self.waiting else ""
        parts = [f"{self.files:,} files: {counts}", kept, told, held, f"{self.seconds:.1f} s"]
        return f"{'dry run, nothing written; ' if self.dry_run else ''}{'; '.join(filter(None, parts))}"


@contextmanager
def scanning(state: Path, *, wait: float = 1.0) -> Iterator[None]:
    """Only one scan at a time.

    Raises:
        BusyError: another one goes on.
    """
    with hold_lock(state.with_name(f"{state.name}.scan"), wait=wait):
        yield


def sweep(options: Options, store: Store, folders: Mapping[str, set[str]] | None = None) -> Report:
    """Scans all roots, or only some folders of each, and takes what changed into the state.

    What goes wrong with one root is told, and the others are scanned.
    """
    started = time.monotonic()
    with _no_collections():
        report = sound(store, lambda: _swept(options, store, folders))
    if store.damaged:
        what = f"{store.path}: the state was damaged ({store.damaged})"
        kept = f" and {store.kept} rows of its outbox are kept" if store.kept else ""
        done = "would be set aside" if options.dry_run else "was set aside"
        report.problems.append(f"{what}: it {done}, all files are taken as they are{kept}.")
    report.waiting = store.count()
    report.seconds = time.monotonic() - started
    return report


def sound(store: Store, work: Callable[[], T]) -> T:
    """Works with the state; where that turns out to be damaged, begins it anew and does it once more."""
    try:
        return work()
    except DamagedError as damage:
        store.begin_anew(damage)
        return work()


@contextmanager
def _no_collections() -> Iterator[None]:
    """A scan makes many objects and no cycles: looking for some would take as long as the scan."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def forget(store: Store, root: str) -> None:
    """Makes the next scan of a root a first one."""
    sound(store, lambda: store.forget(root))


def check(options: Options, store: Store) -> None:
    """Refuses a folder that is not there and was never scanned.

    Raises:
        ConfigError: there is one.
    """
    for root in options.roots:
        if not Path(root).is_dir() and root not in sound(store, store.roots):
            raise ConfigError(root, "is no folder", "Name one that is there (--root, or AUTOSYNC_PATHS)")


def _swept(options: Options, store: Store, folders: Mapping[str, set[str]] | None) -> Report:
    report, scanned = Report(options.dry_run), {}
    store.count()  # what is damaged is known before anything is taken in
    for root in options.roots:
        if folders is not None and not folders.get(root):
            continue
        try:
            known, found = _scanned(options, store, root, None if folders is None else folders[root])
        except RootError as gone:
            report.problems.append(str(gone))
            continue
        _add(report, root, found, is_first=known is None)
        if known is None or found.folders or found.gone or found.identity != known.identity:
            scanned[root] = found
    if report.unreadable:
        report.problems.append(f"{_some(report.unreadable)} cannot be read.")
    if scanned and not options.dry_run:
        note = "the state was damaged" if store.damaged else ""
        host, now = os.uname().nodename, datetime.now(UTC)
        telling = rows.Telling(host, now, options.limit, options.rules.key, options.redact, note)
        report.queued = store.commit(scanned, partial(telling.rows, report.baselines, report.changes))
    return report


def _scanned(options: Options, store: Store, root: str, folders: set[str] | None) -> tuple[Root | None, Found]:
    """What is known of a root, and what was found there."""
    known = store.root(root)
    if known is None or (folders is not None and known.identity != identity(root)):
        folders = None  # what was never scanned, or is another folder now, is looked at as a whole
    return known, scan(_wanted(options, store, root, known, folders))


def _wanted(options: Options, store: Store, root: str, known: Root | None, folders: set[str] | None) -> Wanted:
    if known is None:
        folders_known = {}
    elif folders is None:
        folders_known = store.folders(known)
    else:
        rows_found = ((path, store.folder(known, path)) for path in folders)
        folders_known = {path: folder for path, folder in rows_found if folder}
    return Wanted(
        root=root,
        start=time.time_ns(),
        ignoring=ignoring(options, root),
        gitignore=options.rules.gitignore,
        known=folders_known,
        below=lambda path: store.below(known, path) if known else {},
        identity=known.identity if known else None,
        folders=None if folders is None else list(folders_known),
        verify=options.verify,
    )


def ignoring(options: Options, root: str) -> Ignoring:
    """What is left out of a root: besides what the rules say our logs, our state, and roots of their own."""
    others = [os.path.realpath(options.home / "logs"), *(other for other in options.roots if other != root)]
    own = frozenset(path for path in (_below(root, other) for other in others) if path)
    return Ignoring(options.rules.ignore, own, _below(root, os.path.realpath(options.state)))


def _below(root: str, path: str) -> str:
    """A path relative to the root; '' where it is not below it."""
    above = root if root.endswith("/") else f"{root}/"
    return path[len(above) :] if path.startswith(above) else ""


def _add(report: Report, root: str, found: Found, *, is_first: bool) -> None:
    report.files += found.files
    report.hashed += found.hashed
    report.touched[root], report.gone[root] = set(found.folders), found.gone
    report.changes += [(root, change) for change in found.changes]
    report.unreadable += [join(root, path) for path in found.unreadable]
    report.unstable += [join(root, path) for path in found.unstable]
    if is_first:
        report.baselines[root] = found.files
    report.problems += [
        f"{join(root, change.path)}: other content behind the same stat; restore it from a backup."
        for change in found.changes
        if change.event is Event.CORRUPTED
    ]


def _some(paths: Sequence[str]) -> str:
    names = ", ".join(map(rows.shown, paths[:_SHOWN]))
    return names + (f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else "")
