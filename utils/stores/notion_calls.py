"""How the product calls Notion: one policy for rate, waiting, repeating and naming what went wrong.

What may be repeated: everything but creating a page. After an unclear answer to a create (a cut connection, a timeout,
a 5xx) `UnclearError` tells the caller to look the page up before asking again; 400 and 429 are definite refusals.
"""

from __future__ import annotations

import contextlib
import email.utils
import logging
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from utils.errors import INTERRUPTED, AnglesError, ConfigError, ServiceError

if TYPE_CHECKING:
    import httpx

    from utils.config import NotionSettings

VERSION = "2026-03-11"
TIMEOUT_SECONDS = 60

TRIES = 6
"""How often a call may fail."""

TRIES_UNREACHED = 3
"""How often before anything ever answered: then the address is more likely wrong than the service down."""

REFUSALS = 100
"""How often a call may be told to wait (429, 529)."""

DEADLINE_SECONDS = 180
"""How long a call may go on failing; waits that Notion asked for are not counted."""

BACKOFF_SECONDS = 2.0
"""The wait after a first failure, before jitter; it doubles each time, up to 30 s."""

BURST_SECONDS = 0.7
"""How much unused time the bucket keeps, so that a pause for the vault does not waste the rate."""

LONG_WAIT_SECONDS = 10
"""From when on a wait that Notion asks for is logged."""

_log = logging.getLogger(__name__)


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
    """A token bucket shared by all threads, and the pause that the service asked for.

    Attributes:
        stopped: set when the run is being stopped.
        guard: called when a request's turn has come; what it raises keeps the request from being sent.
    """

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._lock = threading.Lock()
        self._next = time.monotonic()
        self._resume = self._next
        self._pauses = 0
        self.stopped = threading.Event()
        self.guard: Callable[[], None] = lambda: None

    def wait(self) -> None:
        """Waits for this request's turn; whoever waits when a pause begins waits for a new one after it.

        Raises:
            StoppedError: the run is being stopped.
        """
        while True:
            with self._lock:
                now, pauses = time.monotonic(), self._pauses
                turn = max(self._next, now - BURST_SECONDS if self._gap else now)
                self._next = turn + self._gap
            self.sleep(turn - now)
            if pauses == self._pauses:
                return self.guard()

    def pause(self, seconds: float) -> None:
        """Lets nobody go on for some seconds."""
        with self._lock:
            self._resume = max(self._resume, time.monotonic() + seconds)
            self._next = self._resume
            self._pauses += 1

    def sleep(self, seconds: float) -> None:
        """Sleeps, unless the run is being stopped."""
        if self.stopped.wait(min(max(seconds, 0), threading.TIMEOUT_MAX)):
            raise StoppedError("notion", "stopped")


class Calls:
    """Requests to Notion, each repeated as far as it may be. Thread-safe.

    Attributes:
        requests: how many were sent.
        waited: seconds that Notion asked to wait, together.
        date: Notion's clock at the first answer, from its Date header; None before, or without one.
        pace: when the next request may go.
    """

    def __init__(self, settings: NotionSettings, workers: int) -> None:
        import httpx
        import notion_client

        limits = httpx.Limits(max_connections=workers + 1, max_keepalive_connections=workers + 1)
        http = httpx.Client(limits=limits, http2=False, event_hooks={"response": [self._answered]})
        try:
            self._client = notion_client.Client(
                auth=settings.token,
                client=http,
                base_url=settings.base_url,
                notion_version=VERSION,
                timeout_ms=TIMEOUT_SECONDS * 1000,
                retry=False,
                log_level=logging.CRITICAL + 1,
            )
        except httpx.InvalidURL as error:
            raise _no_address(error) from error
        self._token = settings.token
        self.pace = Pace(settings.requests_per_second)
        self.requests = 0
        self.waited = 0.0
        self.date: datetime | None = None
        self._reached = False
        self._counting = threading.Lock()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
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
    ) -> dict[str, Any]:
        """One request and its answer's JSON.

        Raises:
            NotionRefusalError, NotFoundError, CursorExpiredError: Notion's definite word.
            UnclearError: not repeatable, and nobody knows whether it took effect.
            ServiceError: unreachable, refused credentials, or failing for good. ConfigError: no address.
        """
        failing = _Failing()
        while True:
            self.pace.wait()
            with self._counting:
                self.requests += 1
            started = time.monotonic()
            try:
                return self._send(method, path, body, query)
            except Exception as error:  # noqa: BLE001 sorted out by the verdict, which raises what it does not know
                verdict = _judge(error, f"{method} {path}", self._shown)
            if verdict.final is not None:
                raise verdict.final from verdict.error
            if verdict.wait is not None:
                self._pause(verdict.wait)
            if not repeatable and not verdict.nothing_done:
                raise UnclearError("notion", verdict.text) from verdict.error
            failing.add(verdict, time.monotonic() - started)
            if failing.too_long(TRIES if self._reached else min(TRIES, TRIES_UNREACHED)):
                raise ServiceError("notion", f"{verdict.text}, {failing}", "Try again later") from verdict.error
            self.pace.sleep(failing.nap)

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        sent = None if body is None else dict(body)
        answer = self._client.request(path, method, query=dict(query or {}), body=sent)
        if not isinstance(answer, dict) or "object" not in answer:
            raise ValueError("no object of Notion's")
        if answer["object"] == "list" and not isinstance(answer.get("results"), list):
            raise ValueError("a list without its results")
        return answer

    def _pause(self, seconds: float) -> None:
        self.waited += seconds
        if seconds >= LONG_WAIT_SECONDS:
            _log.warning("notion asks to wait %.0f s", seconds)
        self.pace.pause(seconds)

    def _shown(self, told: object) -> str:
        """A message as one line, not too long, without the token."""
        return " ".join(str(told).replace(self._token, "[token]").split())[:300].rstrip(". ")

    def _answered(self, response: httpx.Response) -> None:
        self._reached = True
        if self.date is None:
            with contextlib.suppress(ValueError, TypeError):
                self.date = email.utils.parsedate_to_datetime(response.headers.get("date", "")).astimezone(UTC)


class _Failing:
    """What a call has been through so far; `nap` is how long to wait before the next try."""

    def __init__(self) -> None:
        self.tries = self.refusals = 0
        self.seconds = self.nap = 0.0

    def __str__(self) -> str:
        return f"{self.tries + self.refusals} times in {self.seconds:.0f} s"

    def add(self, verdict: _Verdict, seconds: float) -> None:
        """Counts a failure that took some seconds."""
        self.seconds += seconds
        self.nap = 0.0
        if verdict.busy:
            self.refusals += 1
            return
        self.tries += 1
        if verdict.wait is None:
            self.nap = min(BACKOFF_SECONDS * 2 ** (self.tries - 1), 30) / 2 * random.uniform(0.5, 1.5)  # noqa: S311 jitter is no secret

    def too_long(self, tries: int) -> bool:
        """Whether it is to be given up; the nap to come is counted when it is not."""
        if self.tries >= tries or self.refusals >= REFUSALS or self.seconds + self.nap > DEADLINE_SECONDS:
            return True
        self.seconds += self.nap
        return False


@dataclass(frozen=True)
class _Verdict:
    """What a failed request means.

    Attributes:
        text: what failed, and how.
        final: what to raise at once.
        wait: seconds that Notion asks to wait.
        busy: Notion says that it is asked too much (429, 529).
        nothing_done: it certainly took no effect.
    """

    error: Exception
    text: str
    final: AnglesError | None = None
    wait: float | None = None
    busy: bool = False
    nothing_done: bool = False


def _judge(error: Exception, request: str, shown: Callable[[object], str]) -> _Verdict:
    """What a failed request means; raises an error that is a bug of ours."""
    import httpx
    import notion_client.errors as notion

    if isinstance(error, notion.HTTPResponseError):
        return _judge_answer(error, request, shown(error))
    cause = error.__context__ if isinstance(error, notion.RequestTimeoutError) else error
    if isinstance(cause, UnicodeEncodeError) and cause.encoding == "utf-8":
        return _Verdict(error, "", NotionRefusalError("notion", f"refuses {request} (half a surrogate pair in it)"))
    bad_host = isinstance(cause, UnicodeError) and not isinstance(cause, UnicodeDecodeError)
    if bad_host or isinstance(cause, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return _Verdict(error, "", _no_address(cause or error))
    if isinstance(cause, httpx.RequestError):
        never_sent = isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        why = type(cause).__name__ if isinstance(cause, httpx.LocalProtocolError) else shown(cause)
        what = "cannot be reached" if never_sent else "got no whole answer"
        return _Verdict(error, f"{request} {what} ({why or type(cause).__name__})", nothing_done=never_sent)
    if isinstance(cause, ValueError):
        return _Verdict(error, f"{request} got an answer that is no JSON of Notion's")
    raise error


def _judge_answer(error: Any, request: str, message: str) -> _Verdict:
    """What an answer other than 200 means: what is not in Notion's own words says nothing about pages."""
    status, asked = int(error.status), error.headers.get("retry-after")
    text = f"{request} answers {status} ({message})"
    busy = status in {429, 529}
    if status == 409 or status >= 500 or busy:
        wait = _seconds(asked, error.headers.get("date")) if asked or busy else None
        return _Verdict(error, text, wait=wait, busy=busy, nothing_done=status == 429)
    return _Verdict(error, text, _final(status, str(getattr(error.code, "value", error.code)), request, message))


def _final(status: int, code: str, request: str, message: str) -> AnglesError:
    if status == 401:
        return ServiceError("notion", "refuses the token (401)", "Copy the integration's secret to NOTION_TOKEN again")
    if code == "restricted_resource":
        return ServiceError(
            "notion", f"the integration may not {request} ({message})", "Give it read, update and insert capabilities"
        )
    if code == "object_not_found":
        return NotFoundError("notion", f"{request}: not found", "Share it with the integration")
    if code == "notionhq_client_response_error" and status != 413:
        what = f"{request} answers {status}, and not as Notion does"
        return ServiceError("notion", what, "Check NOTION_BASE_URL and what stands between, such as a proxy")
    if "start_cursor" in message:
        return CursorExpiredError("notion", message)
    return NotionRefusalError("notion", f"refuses {request} ({message})")


def _no_address(error: BaseException) -> ConfigError:
    return ConfigError("NOTION_BASE_URL", f"is no address ({error})", "Check it, or leave it empty")


def _seconds(asked: str | None, date: str | None) -> float:
    """A Retry-After header's seconds, or those up to its moment by the answer's own clock; 1 where it says neither."""
    seconds = math.nan
    with contextlib.suppress(ValueError, TypeError):
        seconds = float(asked or "")
    with contextlib.suppress(ValueError, TypeError):
        moment = email.utils.parsedate_to_datetime(asked or "")
        seconds = (moment - email.utils.parsedate_to_datetime(date or "")).total_seconds()
    return max(seconds, 0.1) if math.isfinite(seconds) else 1.0


def paged(ask: Callable[[str | None], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The answers of a listing, one a request, until it says that there is no more or cannot say how to go on.

    Args:
        ask: makes the request that goes on at a cursor; None is the beginning.
    """
    cursor: str | None = None
    asked: set[str] = set()
    while True:
        answer = ask(cursor)
        yield answer
        cursor = answer.get("next_cursor")
        if not answer.get("has_more") or not cursor or cursor in asked:
            return
        asked.add(cursor)


def is_capped(answer: Mapping[str, Any]) -> bool:
    """Whether an answer says that rows are left out that no cursor leads to."""
    return (answer.get("request_status") or {}).get("type") == "incomplete"
