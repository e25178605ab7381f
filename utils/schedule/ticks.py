"""When to look at the clock: by the library `schedule`, or without it by a beat of our own; not what is due."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any, Protocol


class Ticks(Protocol):
    """A beat."""

    def seconds(self) -> float:
        """How long to sleep until the next tick."""

    def due(self) -> bool:
        """Whether a tick has come; the next one is counted from now then."""


class OwnTicks:
    """A beat by a clock that nobody sets."""

    def __init__(self, every: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._clock = every, clock
        self._next = clock() + every

    def seconds(self) -> float:
        """See `Ticks`."""
        return min(max(self._next - self._clock(), 0.0), self._every)

    def due(self) -> bool:
        """See `Ticks`."""
        come = self._clock() >= self._next
        if come:
            self._next = self._clock() + self._every
        return come


class LibraryTicks:
    """A beat by `schedule`. It counts in the host's own zone: after a clock or a zone set back it is told again."""

    def __init__(self, every: int, library: Any) -> None:
        self._every, self._scheduler, self._come = every, library.Scheduler(), False
        self._begin()

    def seconds(self) -> float:
        """See `Ticks`."""
        idle = self._scheduler.idle_seconds
        return float(min(max(idle, 0.0), self._every))

    def due(self) -> bool:
        """See `Ticks`."""
        if self._scheduler.idle_seconds > self._every:
            self._begin()
            return True
        self._come = False
        self._scheduler.run_pending()
        return self._come

    def _begin(self) -> None:
        self._scheduler.clear()
        self._scheduler.every(self._every).seconds.do(self._tick)

    def _tick(self) -> None:
        self._come = True


def ticks(every: int = 1) -> Ticks:
    """A beat of so many seconds."""
    try:
        return LibraryTicks(every, importlib.import_module("schedule"))
    except ImportError:
        return OwnTicks(every)
