"""Between a run and both services: counts its requests, and ends the run, or loses an answer, at any one of them.

A run that is ended so sends nothing more, on any thread, and learns nothing more: what the services and their data
see is what they see of a process that is killed with SIGKILL at that moment.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.world import World
from utils.stores.base import Transport, Vault
from utils.stores.notion import Notion

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


ANY = "any"


class KilledError(BaseException):
    """The process is no more; nothing catches it."""


@dataclass(frozen=True)
class Point:
    """One request of a run: the nth of those to this function or path, or of all where `what` is ANY."""

    what: str
    nth: int

    def __str__(self) -> str:
        return f"{self.what} #{self.nth}"

    @property
    def notion(self) -> bool:
        """Whether it is a request to Notion."""
        return " " in self.what


@dataclass
class Wire:
    """What a run's requests pass. Hand `Wire.tap` to a world.

    Args:
        point: where something happens; nowhere: the wire only counts.
        after: once the request took effect, its answer lost; else in its stead.
        failure: what the caller meets; None loses the answer of a vault's function and calls it again, as a transport
            does that saw its connection cut.
        deadly: everything ends there.
        meanwhile: done at that moment, and nothing else happens.
    """

    point: Point | None = None
    after: bool = False
    failure: Callable[[], BaseException] | None = KilledError
    deadly: bool = True
    meanwhile: Callable[[], object] | None = None
    points: list[Point] = field(default_factory=list)
    met: bool = False
    dead: bool = False
    _counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tap(self, vault: Vault, notion: Notion) -> None:
        """Puts the wire between a run's adapters and their services."""
        vault.transport = _Tapped(vault.transport, self)
        client: httpx.Client = notion.calls._client.client
        hooks = client.event_hooks
        client.event_hooks = {
            "request": [*hooks["request"], self._asked],
            "response": [self._answered, *hooks["response"]],
        }

    def begin(self, what: str) -> Point:
        """A request is about to be sent."""
        with self._lock:
            self._check()
            self._counts[what] += 1
            point = Point(what, self._counts[what])
            self.points.append(point)
            if self.point == Point(ANY, len(self.points)):
                self.point = point
            if not self.after:
                self._strike(point)
        if not self.after:
            self._interrupt(point)
        return point

    def end(self, point: Point) -> None:
        """A request took effect, and its answer is about to be known."""
        with self._lock:
            self._check()
            if self.after:
                self._strike(point)
        if self.after:
            self._interrupt(point)

    def repeats(self, point: Point) -> bool:
        """Whether a function is to be called a second time."""
        twice = self.after and self.failure is None and self.meanwhile is None and point == self.point
        self.met = self.met or twice
        return twice

    def _strike(self, point: Point) -> None:
        if point == self.point and self.failure is not None and self.meanwhile is None:
            self.met = True
            self.dead = self.deadly
            raise self.failure()

    def _interrupt(self, point: Point) -> None:
        if point == self.point and self.meanwhile is not None:
            self.met = True
            self.meanwhile()

    def _check(self) -> None:
        if self.dead:
            raise KilledError

    def _asked(self, request: httpx.Request) -> None:
        path = _UUID.sub("*", request.url.path.removeprefix("/v1/"))
        request.extensions["point"] = self.begin(f"{request.method} {path}")

    def _answered(self, response: httpx.Response) -> None:
        self.end(response.request.extensions["point"])


@dataclass
class _Tapped:
    """A transport behind a wire."""

    inner: Transport
    wire: Wire

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        point = self.wire.begin(function)
        answer = self.inner.call(function, payload)
        if self.wire.repeats(point):
            answer = self.inner.call(function, payload)
        self.wire.end(point)
        return answer

    def read(self, table: str, after: str | None, limit: int) -> list[dict[str, Any]]:
        return self.inner.read(table, after, limit)

    def close(self) -> None:
        self.inner.close()


def bury(world: World) -> None:
    """The process that held the lease is no more: its start is not this process's, so that the next run knows."""
    world.db.execute("update leases set started = 'of a process that is no more' where holder <> ''")
