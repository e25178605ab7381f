"""An HTTP forwarder before a REST API that answers as Supabase does on a bad day: refusals, gateways, cuts."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass
class Trouble:
    """What happens to the next requests instead of being forwarded.

    Args:
        status: the answer's; 0 cuts the connection.
        body: its JSON, or text as it is.
        headers: besides the usual ones.
        times: to how many requests it happens.
        after: the request is forwarded and takes effect first; its own answer is lost.
        skip: so many requests are forwarded before.
    """

    status: int = 0
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    after: bool = False
    skip: int = 0


class RestFaults:
    """Forwards to an API; `arm` what shall go wrong, `seen` counts the requests."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url).netloc
        self._armed: list[Trouble] = []
        self._lock = threading.Lock()
        self.seen = 0
        faults = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                faults._respond(self, target)

            do_POST = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None:
                """Stays quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def arm(self, status: int = 0, body: Any = "", **more: Any) -> None:
        """Arms a trouble behind those that are armed."""
        with self._lock:
            self._armed.append(Trouble(status, body, **more))

    def _next(self) -> Trouble | None:
        with self._lock:
            self.seen += 1
            if not self._armed:
                return None
            trouble = self._armed[0]
            if trouble.skip:
                trouble.skip -= 1
                return None
            trouble.times -= 1
            if not trouble.times:
                self._armed.pop(0)
            return trouble

    def _respond(self, request: BaseHTTPRequestHandler, target: str) -> None:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        trouble = self._next()
        if trouble is None or trouble.after:
            status, headers, answer = _forwarded(request, target, body)
        if trouble is not None:
            if not trouble.status:
                request.close_connection = True
                with contextlib.suppress(OSError):
                    request.connection.shutdown(socket.SHUT_RDWR)
                return
            text = trouble.body if isinstance(trouble.body, str) else json.dumps(trouble.body)
            status, headers, answer = trouble.status, dict(trouble.headers), text.encode()
        # status lines of numbers that http.server does not know (520, 540) are sent without a reason
        request.send_response_only(status, http.client.responses.get(status, ""))
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)


def _forwarded(request: BaseHTTPRequestHandler, target: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(target, timeout=60)
    try:
        sent = {name: value for name, value in request.headers.items() if name.lower() not in {"host", "connection"}}
        connection.request(request.command, request.path, body or None, sent)
        answer = connection.getresponse()
        left_out = {"connection", "content-length", "transfer-encoding", "keep-alive"}
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in left_out}
        return answer.status, headers, answer.read()
    finally:
        connection.close()
