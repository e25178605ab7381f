"""The sandbox as a whole: the order in which a request is judged, and `serve`."""

from __future__ import annotations

import hmac
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from utils.local.notion import routes
from utils.local.notion.checks import Json, an_object, as_uuid
from utils.local.notion.control import Control, run_action
from utils.local.notion.dates import moment
from utils.local.notion.faults import Fault, Faults, Logged
from utils.local.notion.refusals import RefusalError, invalid, malformed
from utils.local.notion.store import Session, Store
from utils.local.notion.wire import Answer, Request, Server

BODY_MOST = 500_000
_JSON = "application/json; charset=utf-8"
_VERSIONS = (routes.OLD, routes.NEW)
_NO_DATE = "-"


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox. `base_url` is what notion-client's `base_url` takes; ids are dashed uuids."""

    base_url: str
    token: str
    database_id: str
    everything_id: str
    control_key: str
    control: Control


@contextmanager
def serve(store: Path, *, port: int = 0, rate: float | None = None) -> Iterator[Sandbox]:
    """Serves a store on 127.0.0.1 from threads of this process, until the block is left.

    Args:
        store: the SQLite file; made with its folder (mode 0700) where it is missing.
        port: 0 takes any free one.
        rate: requests a second that are granted; None grants all.

    Raises:
        ServiceError: the file cannot be opened, or is no sandbox's.
        OSError: the port is taken.
    """
    kept = Store(store)
    app = _App(kept, Faults(rate))
    with kept.reading() as session:
        identity = session.identity
    try:
        server = Server(port, app.respond)
    except OSError:
        kept.close()
        raise
    app.port = server.port
    try:
        yield Sandbox(
            f"http://127.0.0.1:{server.port}",
            identity.token,
            identity.database_id,
            identity.everything_id,
            identity.control_key,
            app.control,
        )
    finally:
        app.stopping.set()
        server.close()
        kept.close()


class _CutError(Exception):
    """Close the connection without an answer."""


class _App:
    """Answers requests."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self.store = store
        self.faults = faults
        self.control = Control(store, faults)
        self.stopping = threading.Event()
        self.port = 0

    def respond(self, request: Request) -> Answer | None:
        """The one place where an exception becomes an answer."""
        if not request.path.startswith("/v1"):
            try:
                return self._other(request)
            except Exception as bug:  # noqa: BLE001 - as below
                self.faults.bug(bug)
                return _plain(500, {"error": "a bug of the sandbox; its log has it"})
        began, request_id = time.monotonic(), str(uuid.uuid4())
        try:
            body, date = self._api(request)
            answer = self._json(200, {**body, "request_id": request_id}, request_id, date)
        except RefusalError as refusal:
            answer = self._json(refusal.status, refusal.body(request_id), request_id, "")
            if refusal.retry_after is not None:
                answer.headers["Retry-After"] = str(refusal.retry_after)
        except _HtmlError as told:
            answer = Answer(told.status, b"<html><body>Bad gateway</body></html>", {"Content-Type": "text/html"})
        except _CutError:
            self._note(request, 0, began, b"")
            return None
        except Exception as bug:  # noqa: BLE001 - one request's bug must not end the others; it is kept and logged
            self.faults.bug(bug)
            answer = self._json(500, RefusalError(500).body(request_id), request_id, "")
        self._note(request, answer.status, began, answer.body)
        return answer

    def _note(self, request: Request, status: int, began: float, answer: bytes) -> None:
        seconds = time.monotonic() - began
        self.faults.note(Logged(request.method, request.path, status, seconds, request.body), answer)

    def _api(self, request: Request) -> tuple[Json, str]:
        """Judges a request in Notion's order: path, JSON, credentials, version, rate, then the rest.

        Answers the object and the Date header.
        """
        route, ids = routes.find(request.method, request.path)
        body = _parsed(request) if request.method in {"POST", "PATCH"} else {}
        self._check_token(request.headers.get("authorization", ""))
        version = _version(request)
        self.faults.take_turn()
        fault = self.faults.meet(request.method, request.path, request.body)
        if fault and not fault.after:
            self._strike(fault)
        checked = tuple(
            as_uuid(unquote(one), f"path.{name}") if name != "property_id" else unquote(one)
            for name, one in zip(route.names, ids, strict=True)
        )
        wanted = an_object(body, "body")
        if len(request.body) > BODY_MOST:
            raise malformed("body.length", f"≤ `{BODY_MOST}`", len(request.body))
        transaction: AbstractContextManager[Session] = self.store.writing() if route.writes else self.store.reading()
        with transaction as session:
            found = route.run(routes.Call(session, checked, request.query, wanted, version, self.faults))
            date = _date(session)
        if fault and fault.after:
            self._strike(fault)
        return found, date

    def _strike(self, fault: Fault) -> None:
        """Lets an armed fault happen."""
        if fault.delay and self.stopping.wait(fault.delay):
            raise _CutError
        if fault.call:
            _call(fault.call)
        if fault.cut:
            raise _CutError
        if fault.non_json:
            raise _HtmlError(fault.status or 200)
        refusal = fault.refusal()
        if refusal:
            raise refusal

    def _check_token(self, header: str) -> None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or " " in token.strip():
            raise RefusalError(401, 'Authorization header must use the format "Bearer <token>".')
        with self.store.reading() as session:
            right = session.identity.token
        if not hmac.compare_digest(token.strip().encode("utf-8", "replace"), right.encode()):
            raise RefusalError(401, "API token is invalid.")

    def _json(self, status: int, body: Json, request_id: str, date: str) -> Answer:
        if not date:
            with self.store.reading() as session:
                date = _date(session)
        headers = {"Content-Type": _JSON, "Date": date, "x-notion-request-id": request_id}
        if date == _NO_DATE:
            del headers["Date"]
        return Answer(status, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), headers)

    def _other(self, request: Request) -> Answer:
        """The control route and the page."""
        if not request.path.startswith("/control/"):
            from utils.local.notion.page import respond

            return respond(request, self.control, self.port)
        key = request.headers.get("x-control-key", "")
        with self.store.reading() as session:
            right = session.identity.control_key
        if not hmac.compare_digest(key.encode("utf-8", "replace"), right.encode()):
            return _plain(403, {"error": "X-Control-Key is missing or wrong"})
        try:
            if request.method != "POST":
                raise invalid("POST is wanted.")
            result = run_action(self.control, request.path.rpartition("/")[2], an_object(_parsed(request), "body"))
        except RefusalError as refusal:
            return _plain(refusal.status, {"error": refusal.message})
        return _plain(200, {"result": result})


def _call(action: Callable[[], object]) -> None:
    """Runs what was armed; its refusal is a bug of who armed it, not an answer to this request."""
    try:
        action()
    except RefusalError as error:
        raise RuntimeError(f"what was armed was refused: {error}") from error


class _HtmlError(Exception):
    """Answer with something that is no JSON."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(str(status))


def _date(session: Session) -> str:
    """The Date header by the sandbox's clock."""
    return format_datetime(moment(session.now), usegmt=True) if session.settings.date_header else _NO_DATE


def _plain(status: int, body: Json) -> Answer:
    return Answer(status, json.dumps(body, default=str).encode(), {"Content-Type": _JSON})


def _parsed(request: Request) -> Any:
    """The body as JSON; an empty one is an empty object."""
    if not request.body.strip():
        return {}
    try:
        found = json.loads(request.body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RefusalError(400, "Error parsing JSON body.", code="invalid_json") from None
    return _mended(found) if b"\\ud" in request.body.lower() else found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _mended(value: Any) -> Any:
    """The value with halves of surrogate pairs replaced, which UTF-8 cannot hold."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value


def _version(request: Request) -> str:
    version = request.headers.get("notion-version")
    head = "Notion-Version header failed validation: Notion-Version header should be"
    if version in _VERSIONS:
        return version
    if version is None:
        raise RefusalError(400, f"{head} defined, instead was `undefined`.", code="missing_version")
    if version < routes.OLD and request.path.startswith("/v1/data_sources"):
        raise RefusalError(400, "Invalid request URL.", code="invalid_request_url")
    allowed = ", ".join(f'`"{one}"`' for one in _VERSIONS)
    raise RefusalError(400, f'{head} one of {allowed}, instead was `"{version}"`.', code="missing_version")
