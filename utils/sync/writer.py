"""The run's way into the vault: one write at a time and in order, links queued for the next one, the lease kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from utils.errors import AnglesError
from utils.stores.base import LEASE_SECONDS, Vault, Write, Written
from utils.sync import lease

FLUSH_ITEMS = 50
FLUSH_SECONDS = 2.0

T = TypeVar("T")


@dataclass
class Writer:
    """Writes under the lease. Thread-safe.

    Writes of one decision reach the vault in the order in which they were asked for: a queued one goes with the next
    call, whoever makes it, and calls wait for each other.

    Args:
        fence: of the lease.
        kept: when the lease was taken, by `lease.boot_clock`.
        refused: told of a queued link that the vault refused.
        failure: what made the vault unusable for the rest of the run; it is raised to everybody who comes after.
    """

    vault: Vault
    run: str
    fence: int
    kept: float
    refused: Callable[[Written], None]
    failure: AnglesError | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _queue: list[Write] = field(default_factory=list)
    _flushed: float = field(default_factory=time.monotonic)

    def write(self, writes: Sequence[Write]) -> list[Written]:
        """Carries out what is queued, then these writes.

        Raises:
            BusyError: the lease was lost. ServiceError: the vault failed for good.
        """
        with self._turn:
            queued = self._take()
            if not queued and not writes:
                return []
            results = self._call(lambda: self.vault.write(self.run, self.fence, [*queued, *writes]))
        for result in results[: len(queued)]:
            if result.error:
                self.refused(result)
        return results[len(queued) :]

    def queue(self, write: Write) -> None:
        """Leaves a write for the next call, which comes soon."""
        with self._lock:
            self._queue.append(write)
            due = len(self._queue) >= FLUSH_ITEMS or time.monotonic() - self._flushed > FLUSH_SECONDS
        if due:
            self.flush()

    def flush(self) -> None:
        """Carries out what is queued."""
        self.write([])

    def keep_lease(self) -> None:
        """Makes sure, before a write to Notion, that nobody else can hold the lease."""
        if self._is_fresh():
            return
        with self._turn:
            if not self._is_fresh():
                self._call(lambda: self.vault.keep_lease(lease.NAME, self.fence))

    def _is_fresh(self) -> bool:
        return lease.boot_clock() - self.kept <= LEASE_SECONDS / 3

    def _take(self) -> list[Write]:
        with self._lock:
            queued, self._queue = self._queue, []
            self._flushed = time.monotonic()
            return queued

    def _call(self, call: Callable[[], T]) -> T:
        """One call of the vault, which keeps the lease."""
        if self.failure is not None:
            raise self.failure
        started = lease.boot_clock()
        try:
            answer = call()
        except AnglesError as failure:
            self.failure = failure
            raise
        self.kept = started
        return answer
