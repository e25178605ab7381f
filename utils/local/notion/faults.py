"""What goes wrong on purpose: armed faults, listings that lie, the rate limit, and the log of requests. In memory."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from utils.local.notion.checks import Json
from utils.local.notion.refusals import RefusalError

RATE_REASON = "integration_rate_limit"
LOG_LENGTH = 10_000
ANSWERS_KEPT = 50
BURST_SECONDS = 3.0
"""How much unused rate is kept."""


@dataclass
class Fault:
    """What happens to the next requests that match.

    Attributes:
        status: answer this refusal instead; None answers as usual.
        method, path, contains: which requests: the method (empty: any), a regular expression searched for in the path
            (with `/v1`), a text in the body.
        count: how many requests it meets; 0 is all until disarmed.
        skip: how many matching requests go by before.
        after: the request takes effect first.
        delay: seconds to wait before the answer (with `after`) or before the request takes effect.
        non_json: the body is HTML (status 200 where none is given).
        cut: the connection is closed without an answer.
        retry_after: whole seconds for the Retry-After header.
        call: called at that very moment, with no lock held: a person's edit between two requests.
    """

    status: int | None = None
    method: str = ""
    path: str = ""
    contains: str = ""
    count: int = 1
    skip: int = 0
    after: bool = False
    delay: float = 0.0
    non_json: bool = False
    cut: bool = False
    retry_after: int | None = None
    call: Callable[[], object] | None = None
    met: int = 0

    @property
    def spent(self) -> bool:
        """Whether it has met all requests that it was armed for."""
        return bool(self.count) and self.met >= self.count

    def matches(self, method: str, path: str, body: bytes) -> bool:
        """Whether it concerns a request."""
        return (
            (not self.method or self.method.upper() == method)
            and re.search(self.path, path) is not None
            and (not self.contains or self.contains.encode() in body)
        )

    def refusal(self) -> RefusalError | None:
        """The refusal to answer with, if any."""
        if self.status is None or self.non_json:
            return None
        extra: Json | None = None
        wait = self.retry_after
        if wait is None and self.status in {429, 529}:
            wait = 1
        if self.status == 429:
            extra = {"rate_limit_reason": RATE_REASON}
        if self.status == 503:
            extra = {"endpoint_name": "unknown", "notion_error_name": "ServiceUnavailable", "retry_guidance": []}
        return RefusalError(self.status, extra=extra, retry_after=wait)


@dataclass
class Lie:
    """A listing that omits or repeats pages, for some answers (0: all until disarmed)."""

    kind: str
    pages: frozenset[str]
    count: int
    met: int = 0


@dataclass(frozen=True)
class Logged:
    """One request as the log keeps it."""

    method: str
    path: str
    status: int
    """0 where the connection was cut."""
    seconds: float
    raw: bytes = field(repr=False)

    @property
    def body(self) -> Any:
        """The JSON that was sent, or None."""
        try:
            return json.loads(self.raw)
        except ValueError:
            return None


class Faults:
    """All that is armed, and the log. Thread-safe."""

    def __init__(self, rate: float | None) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []
        self._lies: list[Lie] = []
        self._log: deque[Logged] = deque(maxlen=LOG_LENGTH)
        self._answers: deque[tuple[Logged, bytes]] = deque(maxlen=ANSWERS_KEPT)
        self.total = 0
        self.bugs: list[BaseException] = []
        self.limit(rate)

    def limit(self, rate: float | None) -> None:
        """Sets the requests a second that are granted; None or 0 is no limit."""
        with self._lock:
            self._rate = rate or 0.0
            self._tokens = max(1.0, self._rate * BURST_SECONDS)
            self._filled = time.monotonic()

    def take_turn(self) -> None:
        """Counts a request against the rate.

        Raises:
            RefusalError: 429, with the whole seconds to wait.
        """
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            most = max(1.0, self._rate * BURST_SECONDS)
            self._tokens = min(most, self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            if self._tokens >= 1:
                self._tokens -= 1
                return
            wait = max(1, math.ceil((1 - self._tokens) / self._rate))
        raise RefusalError(429, extra={"rate_limit_reason": RATE_REASON}, retry_after=wait)

    def arm(self, fault: Fault) -> None:
        """Adds a fault behind those that are armed."""
        with self._lock:
            self._armed.append(fault)

    def lie(self, lie: Lie) -> None:
        """Adds a lie."""
        with self._lock:
            self._lies.append(lie)

    def disarm(self) -> None:
        """Forgets all faults and lies."""
        with self._lock:
            self._armed.clear()
            self._lies.clear()

    def armed(self) -> list[Fault]:
        """The faults that still wait."""
        with self._lock:
            return list(self._armed)

    def meet(self, method: str, path: str, body: bytes) -> Fault | None:
        """The first fault that concerns a request; counted as met."""
        if not self._armed:
            return None
        with self._lock:
            for fault in self._armed:
                if not fault.matches(method, path, body):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.met += 1
                if fault.spent:
                    self._armed.remove(fault)
                return fault
        return None

    def bend(self, results: list[Json]) -> list[Json]:
        """A listing's results as the lies have them."""
        with self._lock:
            for lie in list(self._lies):
                found = [one for one in results if one["id"] in lie.pages]
                if not found:
                    continue
                lie.met += 1
                if lie.count and lie.met >= lie.count:
                    self._lies.remove(lie)
                results = [one for one in results if one not in found] if lie.kind == "omit" else [*results, *found]
        return results

    def note(self, logged: Logged, answer: bytes) -> None:
        """Adds to the log."""
        with self._lock:
            self.total += 1
            self._log.append(logged)
            self._answers.append((logged, answer[:20_000]))

    def bug(self, error: BaseException) -> None:
        """Keeps what should not have happened, for the tests to find, and logs it."""
        import logging

        self.bugs.append(error)
        logging.getLogger(__name__).error("a request failed", exc_info=error)

    def log(self) -> list[Logged]:
        """The log, oldest first."""
        with self._lock:
            return list(self._log)

    def last(self) -> list[tuple[Logged, bytes]]:
        """The last requests with what was answered (cut at 20,000 bytes), newest first."""
        with self._lock:
            return list(reversed(self._answers))

    def forget(self) -> None:
        """Empties the log."""
        with self._lock:
            self._log.clear()
            self._answers.clear()
            self.total = 0
