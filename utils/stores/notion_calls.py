"""How the product calls Notion: one policy for rate, waiting, repeating and naming what went wrong.

What may be repeated: everything but creating a page. After an unclear answer to a create (a cut connection, a timeout,
a 5xx) `UnclearError` tells the caller to look the page up before asking again; 400 and 429 are definite refusals.
"""

from __future__ import annotations

import contextlib
import email.utils
import random
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from utils.errors import INTERRUPTED, AnglesError, ServiceError

if TYPE_CHECKING:
    import httpx

    from utils.config import NotionSettings

VERSION = "2026-03-11"
TIMEOUT_SECONDS = 60
TRIES = 6
BURST_SECONDS = 0.7
"""How much unused time the bucket keeps, so that a pause for the vault does not waste the rate."""


class NotionRefusalError(ServiceError):
    """Notion refused one request for good (400): the rest can go on. `what` is its message."""


class NotFoundError(ServiceError):
    """Notion has no such object, or it is not shared with the integration."""


class CursorExpiredError(ServiceError):
    """A listing has to be started again."""


class UnclearError(ServiceError):
    """Nobody knows whether a page was made."""


class StoppedError(AnglesError):
    """The run is being stopped; nothing was sent."""

    exit_code = INTERRUPTED


class Pace:
    """A token bucket shared by all threads, and the pause that the service asked for."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._lock = threading.Lock()
        self._next = time.monotonic()
        self.stopped = threading.Event()

    def wait(self) -> None:
        """Waits for this request's turn.

        Raises:
            StoppedError: the run is being stopped.
        """
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now - BURST_SECONDS) if self._gap else max(self._next, now)
            self._next = turn + self._gap
        self.sleep(turn - now)

    def pause(self, seconds: float) -> None:
        """Lets nobody go on for some seconds."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Sleeps, unless the run is being stopped."""
        if self.stopped.wait(max(seconds, 0)):
            raise StoppedError("notion", "stopped")


class Calls:
    """Requests to Notion, each repeated as far as it may be. Thread-safe.

    Attributes:
        requests: how many were sent.
        date: Notion's clock at the first answer, from its Date header; None before, or without one.
    """

    def __init__(self, settings: NotionSettings, workers: int) -> None:
        import httpx
        import notion_client

        limits = httpx.Limits(max_connections=workers + 1, max_keepalive_connections=workers + 1)
        http = httpx.Client(limits=limits, http2=False, event_hooks={"response": [self._answered]})
        self._client = notion_client.Client(
            auth=settings.token,
            client=http,
            base_url=settings.base_url,
            notion_version=VERSION,
            timeout_ms=TIMEOUT_SECONDS * 1000,
            retry=False,
            log_level=60,
        )
        self._where = "notion"
        self.pace = Pace(settings.requests_per_second)
        self.requests = 0
        self.date: datetime | None = None
        self._counting = threading.Lock()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """A GET."""
        return self.call("GET", path, query=query)

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        *,
        repeatable: bool = True,
    ) -> Any:
        """One request and its answer's JSON.

        Raises:
            NotionRefusalError, NotFoundError, CursorExpiredError: Notion's definite word.
            UnclearError: not repeatable, and nobody knows whether it took effect.
            ServiceError: unreachable, refused credentials, or failing for good.
        """
        failures = 0
        while True:
            self.pace.wait()
            with self._counting:
                self.requests += 1
            try:
                return self._client.request(path, method, query=dict(query or {}), body=dict(body) if body else None)
            except Exception as error:  # noqa: BLE001 sorted out by the verdict, which raises what it does not know
                verdict = _Verdict(error, path)
            if verdict.final is not None:
                raise verdict.final from verdict.error
            if verdict.wait is not None:
                self.pace.pause(verdict.wait)
                if verdict.definite or repeatable:
                    continue
            if not repeatable and not verdict.never_sent:
                raise UnclearError(self._where, verdict.text) from verdict.error
            failures += 1
            if failures >= TRIES:
                raise ServiceError(self._where, verdict.text, "Try again later") from verdict.error
            self.pace.sleep(min(2.0**failures, 30) / 2 * random.uniform(0.5, 1.5))  # noqa: S311 jitter is no secret

    def _answered(self, response: httpx.Response) -> None:
        if self.date is None:
            with contextlib.suppress(ValueError, TypeError):
                self.date = email.utils.parsedate_to_datetime(response.headers.get("date", "")).astimezone(UTC)


class _Verdict:
    """What a failed request means: final, to be repeated after a wait that was asked for, or unclear."""

    def __init__(self, error: Exception, path: str) -> None:
        import httpx
        import notion_client.errors as notion

        self.error = error
        self.final: Exception | None = None
        self.wait: float | None = None
        self.definite = False
        self.never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        self.text = f"no usable answer ({type(error).__name__})"
        if isinstance(error, notion.APIResponseError | notion.UnknownHTTPResponseError):
            self._answered(error, path)
        elif isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            self.final = ServiceError(
                "notion", f"NOTION_BASE_URL is no address ({error})", "Check it, or leave it empty"
            )
        elif isinstance(error, httpx.TransportError | notion.RequestTimeoutError):
            self.text = f"cannot be reached ({str(error) or type(error).__name__})"
        elif not isinstance(error, ValueError):
            raise error

    def _answered(self, error: Any, path: str) -> None:
        status, message = int(error.status), str(error).strip().rstrip(".")
        self.text = f"answers {status} ({message[:200]})"
        self.definite = status == 429
        if status in {429, 529}:
            self.wait = _retry_after(error.headers)
        elif status != 409 and status < 500:
            self.final = _final(status, message, path)


def _final(status: int, message: str, path: str) -> ServiceError:
    if status == 401:
        return ServiceError("notion", "refuses the token (401)", "Copy the integration's secret to NOTION_TOKEN again")
    if status == 403:
        return ServiceError("notion", f"the integration may not do this ({message})", "Give it read, update and insert")
    if status == 404:
        return NotFoundError("notion", f"{path}: not found", "Share it with the integration")
    if status == 400 and "start_cursor" in message:
        return CursorExpiredError("notion", message)
    return NotionRefusalError("notion", f"refuses {path} ({message})")


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait; 1 where the header is missing or unreadable."""
    try:
        return max(float(headers.get("retry-after", "1")), 0.1)
    except ValueError:
        return 1.0


def paged(calls: Calls, path: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The answers of a listing, one a request, until it says that there is no more."""
    cursor = None
    while True:
        answer = calls.call("POST", path, {**body, **({"start_cursor": cursor} if cursor else {})})
        yield answer
        cursor = answer.get("next_cursor")
        if not answer.get("has_more") or not cursor:
            return
