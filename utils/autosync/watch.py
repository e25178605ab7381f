"""Watches the roots until it is told to stop: hints say where to look, and a whole scan each minute misses nothing."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from utils.autosync import rows
from utils.autosync.hints import Folders, Hints, network_system
from utils.autosync.scan import RootError, identity
from utils.autosync.session import Options, Report, ignoring, scanning, sound, sweep
from utils.autosync.store import Store
from utils.errors import BUSY, OK, PROBLEMS, AnglesError

RECONCILE_SECONDS = 60.0
FLUSH_SECONDS = 1.8
_TICK_SECONDS = 1.0
_POLL_SECONDS = 5.0
_POLL_SHARE = 20
"""Polling takes at most one part in so many of the time."""

_LOCK_SECONDS = 60.0


@dataclass
class Watch:
    """One watch.

    Args:
        options: what is scanned, and how.
        tell: what a scan found.
        note: says a line to the person who watches.
        deliver: brings what waits in the outbox to the vault; None keeps it.
        record: writes a whole scan down: when it began, its exit code, what it found in a line.
    """

    options: Options
    tell: Callable[[Report], None]
    note: Callable[[str], None]
    deliver: Callable[[], int] | None
    record: Callable[[datetime, int, str], None]
    _identities: dict[str, tuple[int, int] | None] = field(default_factory=dict)
    _taken: Folders = field(default_factory=dict)
    _said: dict[str, set[str]] = field(default_factory=dict)
    _due: float = 0.0

    def run(self) -> None:
        """Watches; what is known to have changed when it is interrupted is still taken in."""
        quiet = {root: ignoring(self.options, root) for root in self.options.roots}
        self._hints = Hints(lambda root, path, folder: quiet[root].leaves_out(path, folder=folder))
        try:
            while True:
                self._step()
        except KeyboardInterrupt:
            self._flush()
            raise
        finally:
            self._hints.close()

    def _step(self) -> None:
        """One turn: everything where it is due, else what hints there are."""
        moved = [root for root in self.options.roots if self._is_moved(root)]
        for root in moved:
            self._hints.uncover(root)
        if moved or self._hints.overflowed or time.monotonic() >= self._due:
            self._reconcile()
        self._hints.wait(max(0.0, min(_TICK_SECONDS, self._due - time.monotonic())))
        self._taken = _joined(self._taken, self._hints.take())
        if self._taken and not self._hints.overflowed:
            self._look(self._taken)

    def _is_moved(self, root: str) -> bool:
        """Whether another folder, or none, is where the root was."""
        try:
            now = identity(root)
        except RootError:
            now = None
        is_moved = root in self._identities and self._identities[root] != now
        self._identities[root] = now
        return is_moved

    def _reconcile(self) -> None:
        """A whole scan, with the watches standing before it."""
        self._hints.overflowed = False
        self._due = time.monotonic() + RECONCILE_SECONDS
        started = datetime.now(UTC)
        self._write_down(started, self._look(None))
        self._say_how_it_watches()

    def _look(self, folders: Folders | None) -> AnglesError | None:
        """Scans, and scans what is new once more when its watches stand; then delivers. Answers what failed."""
        started = time.monotonic()
        new: Folders | None = folders
        try:
            while new is None or any(new.values()):
                new = self._cover(self._sweep(new))
        except AnglesError as failure:
            self._say("scan", str(failure))
            return failure
        self._say("scan")
        self._taken = {}
        if self._is_polling():
            self._due = time.monotonic() + max(_POLL_SECONDS, _POLL_SHARE * (time.monotonic() - started))
        return self._bring(again=folders is None)

    def _sweep(self, folders: Folders | None) -> Report:
        with scanning(self.options.state, wait=_LOCK_SECONDS), Store(self.options.state) as store:
            if folders is None:
                self._cover_known(store)
            report = sweep(self.options, store, folders)
        if report.changes or report.baselines:
            self.tell(report)
        self._say("files", *report.problems, *(self._said.get("files", ()) if folders is not None else ()))
        return report

    def _cover_known(self, store: Store) -> None:
        """Lets the watches stand; hints of what was before tell nothing that the whole scan does not find."""
        for root in self.options.roots:
            self._hints.cover(root, {"", *_paths(store, root)})
        self._taken = {}
        self._hints.take()

    def _cover(self, report: Report) -> Folders:
        for root, folders in report.gone.items():
            self._hints.uncover(root, folders)
        return {root: self._hints.cover(root, folders) for root, folders in report.touched.items()}

    def _bring(self, *, again: bool) -> AnglesError | None:
        """Delivers; a vault that failed is tried again with the next whole scan. Answers what failed."""
        if self.deliver is None or (self._said.get("delivery") and not again):
            return None
        try:
            self.deliver()
        except AnglesError as failure:
            self._say("delivery", f"{failure} What changed waits in {self.options.state}")
            return failure
        self._say("delivery")
        return None

    def _flush(self) -> None:
        """Takes in what is known to have changed, and delivers it, within two seconds."""
        with _alarm(FLUSH_SECONDS):
            left = _joined(self._taken, self._hints.take())
            if left:
                self._sweep(left)
            self._bring(again=False)

    def _write_down(self, started: datetime, failure: AnglesError | None) -> None:
        """Lets the state know of a whole scan, unless another run is at one: it does so itself."""
        problems = [str(failure)] if failure else sorted(self._said.get("files", ()))
        code = failure.exit_code if failure else PROBLEMS if problems else OK
        try:
            if code != BUSY:
                self.record(started, code, " ".join(problems) or f"watching {', '.join(self.options.roots)}")
            self._say("record")
        except AnglesError as unwritable:
            self._say("record", f"this scan is not written down: {unwritable}")

    def _is_polling(self) -> bool:
        return bool(self._hints.lacking or any(map(network_system, self.options.roots)))

    def _say_how_it_watches(self) -> None:
        lacking = [f"not every folder can be watched: {self._hints.lacking}"] if self._hints.lacking else []
        systems = [(root, network_system(root)) for root in self.options.roots]
        unheard = [
            f"{rows.shown(root)} is on {kind}, where others change files unheard" for root, kind in systems if kind
        ]
        self._say("way", *(f"{why}. It is scanned again and again instead" for why in (*lacking, *unheard)))

    def _say(self, topic: str, *lines: str) -> None:
        """Says the lines that hold of a topic now and did not the last time."""
        said, self._said[topic] = self._said.get(topic, set()), set(lines)
        for line in dict.fromkeys(lines):
            if line not in said:
                self.note(line)


class _LateError(KeyboardInterrupt):
    """The time is over; like an interruption, nobody on the way takes it for a failure of its own."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Ends the block after so many seconds; whatever it did until then stands."""

    def late(_number: int, _frame: object) -> None:
        raise _LateError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _LateError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _joined(one: Folders, other: Folders) -> Folders:
    return {root: one.get(root, set()) | other.get(root, set()) for root in {*one, *other}}


def _paths(store: Store, root: str) -> list[str]:
    """The folders of a root that are known."""

    def paths() -> list[str]:
        known = store.root(root)
        return store.paths(known) if known else []

    return sound(store, paths)
