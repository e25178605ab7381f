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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from utils.errors import AnglesError, ConfigError, ServiceError

if TYPE_CHECKING:
    import httpx
    import supabase

CONNECT_SECONDS = 10
ANSWER_SECONDS = 30
"""Longer than the 8 s after which Supabase cuts a statement of service_role (FACTS)."""

DEADLINE_SECONDS = 90.0
WAIT_SECONDS = 3600.0
"""How long waits that the service asks for may take together."""

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


class RestTransport:
    """Calls functions as rpc. Thread-safe.

    Args:
        url: the project's, such as ``https://abc.supabase.co``.
        key: the secret key.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key
        self._host = urlsplit(url).netloc
        self._opening = threading.Lock()
        self._http: httpx.Client | None = None
        self._client: supabase.Client | None = None
        self._last = threading.local()

    def call(self, function: str, payload: Mapping[str, Any]) -> Any:
        """Calls a function; repeats it after failures that pass, within the deadline. See `Transport.call`."""
        import httpx
        import postgrest

        body = {"p": json.dumps(payload, ensure_ascii=False, default=str)}
        end = time.monotonic() + DEADLINE_SECONDS
        waited, pause = 0.0, 0.2
        client = self._open()
        while True:
            self._last.answer = _Answer()
            try:
                return _document(client.rpc(function, body).execute().data)
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


def _document(data: Any) -> Any:
    """What a function answered; a gateway's page with status 200 comes as text."""
    if not isinstance(data, dict):
        raise ValueError("an answer that is no JSON object")  # noqa: TRY004 - as a damaged JSON text is
    return data


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
