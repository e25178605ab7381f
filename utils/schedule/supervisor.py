"""Keeps the dashboard up, in this process: restarted when it dies, but not for ever; the jobs go on regardless."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

RESTARTS = 3
WITHIN_SECONDS = 600.0

_log = logging.getLogger(__name__)


class Served(Protocol):
    """A dashboard that was started."""

    @property
    def alive(self) -> bool:
        """Whether it serves."""

    def stop(self) -> None:
        """Ends it."""


@dataclass
class Supervisor:
    """Starts a dashboard and looks after it.

    Args:
        start: starts one; what it raises, such as for a port that is taken, is told and tried again.
    """

    start: Callable[[], Served]
    _served: Served | None = None
    _starts: list[float] = field(default_factory=list)
    _told: str = ""

    def look(self, seconds: float) -> None:
        """Starts it where it does not run: once, and `RESTARTS` times within `WITHIN_SECONDS`.

        Args:
            seconds: now, on a clock that nobody sets.
        """
        if self._served is not None and self._served.alive:
            return
        self._starts = [each for each in self._starts if seconds - each < WITHIN_SECONDS]
        if len(self._starts) > RESTARTS:
            self._tell(f"dashboard: ended {RESTARTS} times again within {WITHIN_SECONDS / 60:.0f} minutes; it rests")
            return
        if self._served is not None:
            _log.warning("dashboard: ended; it is started again")
        self._starts.append(seconds)
        self._served = None
        try:
            self._served = self.start()
        except Exception as error:  # noqa: BLE001 - the jobs go on, whatever it is
            self._tell(f"dashboard: not started: {error}")

    def stop(self) -> None:
        """Ends it, where it serves."""
        if self._served is not None and self._served.alive:
            self._served.stop()

    def renew(self) -> None:
        """Ends it; the next look starts one that reads its configuration anew."""
        self.stop()
        self._served = None
        self._starts.clear()

    def _tell(self, line: str) -> None:
        if line != self._told:
            self._told = line
            _log.warning("%s", line)
