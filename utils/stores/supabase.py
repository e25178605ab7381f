"""The vault over Supabase's REST API: supabase-py's rpc, HTTP/1.1, timeouts, a total deadline, and words for refusals.

Every function may be repeated after an unclear answer (`utils.stores.base`), so whatever may pass by itself is asked
again: a cut connection, a timeout, a full pool, a gateway that is not ready. What will not pass is told at once.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from utils.errors import AnglesError, ConfigError, ServiceError

if TYPE_CHECKING:
    import httpx
    import supabase

T = TypeVar("T")

CONNECT_SECONDS = 10
ANSWER_SECONDS = 30
"""Longer than the 8 s after which Supabase cuts a statement of service_role (FACTS)."""

DEADLINE_SECONDS = 90.0
WAIT_SECONDS = 3600.0
"""How long waits that the service asks for may take together."""

_STAMPS = ("created_at", "updated_at")
"""Columns of moments, which come in either of two forms."""

_PASSING = {"40001", "40P01", "53300", "55P03", "57P01", "57P02", "57P03"} | {f"PGRST00{n}" for n in range(4)}
"""Codes that pass by themselves: PostgreSQL's serialization, deadlock, full house, lock timeout, restart; PostgREST's
lost connection, schema cache in the making, and full pool (https://docs.postgrest.org, Errors)."""

_PASSING_STATUSES = {408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 544}

_TOLD: tuple[tuple[set[int | str], type[AnglesError], str, str], ...] = (
    ({401}, ServiceError, "refuses the key ({})", "Copy the secret key to SUPABASE_KEY again"),
    ({540}, ServiceError, "the project is paused", "Resume it in Supabase's dashboard, then run again"),
    ({544}, ServiceError, "its gateway timed out (544)", "Try again later; look at the project's health"),
    (
        {"PGRST202", "PGRST204", "PGRST205", "42883", "42P01", "42703", "3F000"},
        ConfigError,
        "its schema is not the one of this version ({})",
        "Run: python run_migration.py",
    ),
    (
        {"42501", 403},
        ServiceError,
        "the key's role lacks a privilege ({})",
        "Set the secret key, and run: python run_migration.py",
    ),
    ({"22P05", "22021"}, ServiceError, "refuses a text ({})", "Take the control character out of it"),
    ({"57014"}, ServiceError, "a statement took too long and was cut", "Look for a long transaction there"),
    ({404}, ServiceError, "has no REST API at this address", "Check SUPABASE_URL"),
    ({414}, ServiceError, "refuses the request's length (414)", "Look for a proxy in between"),
    ({429}, ServiceError, "limits the rate of requests for over an hour", "Try again later"),
)
"""Statuses and codes, and how they are told; the first that matches."""


@dataclass(frozen=True)
class _Answer:
    """What the service said last on this thread: its status, 0 for none, and the seconds it asks to wait."""

    status: int = 0
    wait: float | None = None


class _Question(Protocol):
    """A request of supabase-py, ready to be sent."""

    def execute(self) -> Any:
        """Sends it."""


class RestTransport:
    """Calls functions as rpc. Thread-safe.

    Args:
        url: the project's, such as ``https://abc.supabase.co``.
        key: the secret key.
        deadline: seconds after which a call that keeps failing is given up; None is the usual one.
    """

    def __init__(self, url: str, key: str, *, deadline: float | None = None) -> None:
        self._url, self._key, self._deadline = url, key, deadline
        self._host = urlsplit(url).netloc
        self._opening = threading.Lock()
        self._http: httpx.Client | None = None
        self._client: supabase.Client | None = None
        self._last = threading.local()

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        """Calls a function; repeats it after failures that pass, within the deadline. See `Transport.call`."""
        body = {"p": json.dumps(payload, ensure_ascii=False, default=str)}
        return self._ask(lambda client: client.rpc(function, body), dict)

    def read(self, table: str, after: str | None, limit: int) -> list[dict[str, Any]]:
        """Reads rows of a table. See `Transport.read`."""

        def question(client: supabase.Client) -> _Question:
            rows = client.table(table).select("*").order("id").limit(limit)
            return rows if after is None else rows.gt("id", after)

        rows: list[dict[str, Any]] = self._ask(question, list)
        for row in rows:
            for name in _STAMPS:
                if row.get(name):
                    row[name] = iso_stamp(row[name])
        return rows

    def _ask(self, question: Callable[[supabase.Client], _Question], kind: type[T]) -> T:
        """Asks; asks again after failures that pass, within the deadline.

        Args:
            question: builds the request.
            kind: of the answer: a gateway's page with status 200 comes as text.
        """
        import httpx
        import postgrest

        end = time.monotonic() + (self._deadline or DEADLINE_SECONDS)
        waited, pause = 0.0, 0.2
        client = self._open()
        while True:
            self._last.answer = _Answer()
            try:
                return _checked(question(client).execute().data, kind)
            except (postgrest.APIError, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                answer: _Answer = self._last.answer
                if answer.status == 429 and waited < WAIT_SECONDS:
                    seconds = answer.wait if answer.wait is not None else pause
                    waited, end = waited + seconds, end + seconds
                elif passes(error, answer.status) and time.monotonic() + pause < end:
                    seconds = pause * random.uniform(0.5, 1.5)  # noqa: S311 jitter is no secret
                else:
                    raise explained(error, answer.status, self._host) from error
            time.sleep(seconds)
            pause = min(pause * 2, 5.0)

    def close(self) -> None:
        """Closes the connections."""
        if self._http is not None:
            self._http.close()
            self._http = self._client = None

    def _open(self) -> supabase.Client:
        with self._opening:
            if self._client is None:
                import httpx
                import supabase

                self._http = httpx.Client(
                    http2=False,
                    timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
                    event_hooks={"response": [self._answered]},
                )
                options = supabase.ClientOptions(httpx_client=self._http, auto_refresh_token=False)
                try:
                    self._client = supabase.create_client(self._url, self._key, options)
                except supabase.SupabaseException as error:
                    what = f"refused by supabase-py ({error})"
                    raise ConfigError("SUPABASE_URL or SUPABASE_KEY", what, "Copy both again") from error
            return self._client

    def _answered(self, response: httpx.Response) -> None:
        """Keeps the status: supabase-py's APIError has none."""
        wait = None
        with contextlib.suppress(ValueError):
            wait = max(float(response.headers.get("retry-after", "")), 0.1)
        self._last.answer = _Answer(response.status_code, wait)


def _checked(data: Any, kind: type[T]) -> T:
    if not isinstance(data, kind):
        raise ValueError(f"an answer that is no JSON {kind.__name__}")  # noqa: TRY004 - as a damaged JSON text is
    return data


def iso_stamp(text: str) -> str:
    """A service's text of a moment in UTC as JSON has it: `… …+00` becomes `…T…+00:00`; what is no moment stays."""
    if text[10:11] == " " and text.endswith("+00"):
        return f"{text[:10]}T{text[11:]}:00"
    head, plus, tail = text.partition("+00")
    return f"{head.replace(' ', 'T', 1)}+00:00{tail.removeprefix(':00')}" if plus else text


def passes(error: Exception, status: int) -> bool:
    """Whether a failure may pass by itself.

    Args:
        error: what supabase-py or httpx raised.
        status: of the answer, 0 where there was none.
    """
    import httpx
    import postgrest

    if isinstance(error, postgrest.APIError):
        code = error.code or ""
        return code in _PASSING or (status in _PASSING_STATUSES and not _is_sqlstate(code))
    if isinstance(error, httpx.ConnectError):
        return "refused" not in str(error) and "Name or service" not in str(error) and "nodename" not in str(error)
    return isinstance(error, httpx.TransportError | ValueError)


def explained(error: Exception, status: int, host: str) -> AnglesError:
    """The error that says what to do about a failure; never holds the key."""
    import postgrest

    where = f"Supabase {host}"
    if not isinstance(error, postgrest.APIError):
        text = str(error) or type(error).__name__
        return ServiceError(where, f"cannot be reached ({text})", "Check SUPABASE_URL and the network")
    code, message = error.code or "", _one_line(error.message or "no word")
    for known, kind, what, remedy in _TOLD:
        if status in known or code in known:
            return kind(where, what.format(message), remedy)
    return ServiceError(where, f"failed ({status} {code}: {message})", "Try again later; the log has the details")


def _is_sqlstate(code: str) -> bool:
    return len(code) == 5 and code.isalnum() and code == code.upper()


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")[:300]
