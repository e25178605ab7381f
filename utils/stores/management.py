"""Supabase's Management API, as far as it executes SQL: timeouts, a total deadline, its rate limit obeyed.

Whatever is sent must be safe to repeat after an unclear answer: reads, and statements that look first.
"""

from __future__ import annotations

import contextlib
import random
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from utils.errors import AnglesError, ServiceError

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 10
ANSWER_SECONDS = 120
DEADLINE_SECONDS = 300.0
"""How long one query may take with its repetitions, waits that the service asks for apart."""

WAIT_SECONDS = 600.0
"""How long waits that the service asks for may take together."""

WHERE = "Management API"
_PASSING = {408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 544}
_SQL_ERROR = re.compile(r"ERROR:\s+(?:(?P<state>[0-9A-Z]{5}):\s*)?(?P<text>[^\n]*)")
_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)
_ELSE = "set DATABASE_URL instead (Connect, session pooler, port 5432)"

_TOLD: Mapping[int, tuple[str, str]] = {
    401: ("refuses the access token", "Make one at https://supabase.com/dashboard/account/tokens"),
    402: ("asks for a payment (402)", f"Look at the organization's billing, or {_ELSE}"),
    403: ("the access token may not execute SQL in project {ref}", f"Give it write access to the database, or {_ELSE}"),
    404: (
        "has no project {ref}, or does not execute SQL on its plan (404)",
        f"Check SUPABASE_URL or SUPABASE_PROJECT_REF, or {_ELSE}",
    ),
    413: ("refuses the request's size (413)", f"{_ELSE[0].upper()}{_ELSE[1:]}"),
    429: ("limits the rate of requests for too long", "Try again later"),
    540: ("project {ref} is paused", "Resume it in Supabase's dashboard, then run again"),
    544: ("its gateway timed out (544)", "Try again later; look at the project's health"),
}


class QueryError(AnglesError):
    """The database refused a statement.

    Args:
        message: its first line.
        sqlstate: empty where the API told none.
        line: of the text that was sent, or of the string that it executed; None where it told none.
    """

    exit_code = ServiceError.exit_code

    def __init__(self, message: str, sqlstate: str, line: int | None) -> None:
        self.message, self.sqlstate, self.line = message, sqlstate, line
        super().__init__("database", f"refuses a statement ({sqlstate or 'no code'}: {message})", "The log has details")


class Management:
    """Executes SQL in a project's database.

    Args:
        token: a personal access token.
        project: its reference, the 20 letters in its addresses.
        base_url: of the API.
    """

    def __init__(self, token: str, project: str, base_url: str, *, deadline: float = DEADLINE_SECONDS) -> None:
        self._token, self._project, self._deadline = token, project, deadline
        self._url = f"{base_url}/v1/projects/{project}/database/query"
        self._session: requests.Session | None = None
        self._not_before = 0.0

    def rows(self, text: str) -> list[dict[str, Any]]:
        """Executes a text of SQL; answers the rows of the last statement that has any.

        Raises:
            QueryError: the database refuses it. ServiceError: the API does, or cannot be reached.
        """
        import requests

        end = time.monotonic() + self._deadline
        waited, pause = 0.0, 0.5
        while True:
            limited = max(0.0, self._not_before - time.monotonic())
            waited, end = waited + limited, end + limited
            if waited > WAIT_SECONDS:
                raise self._told(429, "")
            time.sleep(limited)
            try:
                answer = self._open().post(
                    self._url,
                    json={"query": text},
                    timeout=(CONNECT_SECONDS, max(1.0, min(ANSWER_SECONDS, end - time.monotonic()))),
                    allow_redirects=False,
                )
                self._obey(answer)
                if answer.status_code != 429:
                    return self._read(answer)
                continue
            except _PassingError as error:
                failure: AnglesError = error.told
            except requests.RequestException as error:
                if _is_hopeless(error):
                    raise self._unreachable(error) from error
                failure = self._unreachable(error)
            if time.monotonic() + pause > end:
                raise failure
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 jitter is no secret
            pause = min(pause * 2, 15.0)

    def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _open(self) -> requests.Session:
        if self._session is None:
            import requests

            self._session = requests.Session()
            self._session.auth = self._signed  # as a header it would give way to a ~/.netrc
        return self._session

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _obey(self, answer: requests.Response) -> None:
        """Keeps from when on the next request may be sent."""
        used_up = answer.headers.get("X-RateLimit-Remaining", "").strip() == "0"
        if answer.status_code == 429 or used_up:
            seconds = _seconds(answer.headers.get("Retry-After")) or _seconds(answer.headers.get("X-RateLimit-Reset"))
            self._not_before = time.monotonic() + max(seconds or (5.0 if answer.status_code == 429 else 0.0), 0.0)

    def _read(self, answer: requests.Response) -> list[dict[str, Any]]:
        status = answer.status_code
        data: Any = None
        with contextlib.suppress(ValueError):
            data = answer.json()
        if status in {200, 201} and isinstance(data, list):
            return data
        message = str(data.get("message", "")) if isinstance(data, dict) else ""
        if found := _SQL_ERROR.search(message):
            line = _LINE.search(message)
            raise QueryError(found["text"].strip().rstrip("."), found["state"] or "", int(line[1]) if line else None)
        told = self._told(status, message)
        if status in _PASSING or status in {200, 201} or "Connection terminated" in message:
            raise _PassingError(told)
        raise told

    def _told(self, status: int, message: str) -> ServiceError:
        said = " ".join(message.split()).rstrip(".")[:300]
        if status in {200, 201}:
            return ServiceError(WHERE, "answers with what is no list of rows", "Check SUPABASE_API_URL")
        what, remedy = _TOLD.get(status, (f"failed ({status}: {said or 'no word'})", f"Try again later, or {_ELSE}"))
        return ServiceError(WHERE, what.format(ref=self._project) if status in _TOLD else what, remedy)

    def _unreachable(self, error: Exception) -> ServiceError:
        reason = type(error).__name__
        return ServiceError(
            WHERE, f"cannot be reached ({reason})", "Check the network, and SUPABASE_API_URL if it is set"
        )


class _PassingError(Exception):
    """A failure that may pass by itself, and how it is told when it does not."""

    def __init__(self, told: ServiceError) -> None:
        self.told = told
        super().__init__(str(told))


def _is_hopeless(error: Exception) -> bool:
    """Whether asking again is in vain: an address that is none, a server that is not there, a bad certificate."""
    import requests

    text = str(error)
    if isinstance(error, requests.exceptions.SSLError | requests.exceptions.InvalidURL):
        return True
    return any(sign in text for sign in ("refused", "Name or service", "nodename", "Failed to resolve"))


def _seconds(text: str | None) -> float | None:
    with contextlib.suppress(ValueError):
        return max(0.0, float(text or ""))
    return None
