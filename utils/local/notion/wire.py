"""HTTP/1.1 with keep-alive on loopback, with a hand on the sockets: for cuts, and to end at once."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

BODY_LIMIT = 5_000_000


@dataclass(frozen=True)
class Request:
    """One request. `path` is as sent, without the query; header names are in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


Respond = Callable[[Request], Answer | None]
"""Answers a request; None closes the connection without an answer."""


class Server(socketserver.ThreadingTCPServer):
    """A listening socket and a thread for each connection; all of them end with `close`."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, respond: Respond) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.respond = respond
        self.port = int(self.server_address[1])
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, name="notion-sandbox", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening and cuts every connection."""
        ending = threading.Thread(target=self.shutdown, daemon=True)
        ending.start()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the thread that listens
        ending.join(5)
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Gives a connection its thread."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Ends a connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks off is none of the sandbox's errors."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            return self.send_error(411)
        if int(length) > BODY_LIMIT:
            return self.send_error(413)
        body = self.rfile.read(int(length))
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True) if url.query else {}
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = None
        if len(body) == int(length):
            answer = self.server.respond(Request(self.command, url.path, query, headers, body))
        if answer is None:
            self.close_connection = True
            return None
        self.send_response_only(answer.status)
        for name, value in (*answer.headers.items(), ("Content-Length", str(len(answer.body)))):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)
        return None

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _answer  # noqa: N815 - the base's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: the sandbox keeps a log of its own."""
