"""HTTP/1.1 with keep-alive on loopback: small, quick, and with a hand on the socket, for cuts and slow answers."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit

HEAD_LIMIT = 65_536
BODY_LIMIT = 5_000_000
_REASONS = {200: "OK", 303: "See Other", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


@dataclass(frozen=True)
class Request:
    """One request. `path` is as sent, without the query; header names are in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def segments(self) -> list[str]:
        """The parts of the path, decoded."""
        return [unquote(part) for part in self.path.strip("/").split("/")]


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


Respond = Callable[[Request], Answer | None]
"""Answers a request; None closes the connection without an answer."""


class Server:
    """A listening socket and a thread for each connection; all of them end with `close`."""

    def __init__(self, port: int, respond: Respond) -> None:
        self._respond = respond
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self._listener.setblocking(False)
        self._wake, self._woken = socket.socketpair()
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, name="notion-sandbox", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening and cuts every connection."""
        self._wake.send(b"x")
        self._thread.join(5)
        with self._lock:
            self._closing = True
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for one in (self._listener, self._wake, self._woken):
            one.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._woken in ready:
                    return
                with contextlib.suppress(OSError):
                    connection, _ = self._listener.accept()
                    threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            if self._closing:
                connection.close()
                return
            self._open.add(connection)
        try:
            connection.setblocking(True)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection.makefile("rb") as stream:
                while self._one(stream, connection):
                    pass
        except (OSError, ValueError):
            return
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _one(self, stream: IO[bytes], connection: socket.socket) -> bool:
        """Reads and answers one request; False ends the connection."""
        request = _read(stream)
        if request is None:
            return False
        if isinstance(request, Answer):
            connection.sendall(_encoded(request, keep=False))
            return False
        answer = self._respond(request)
        if answer is None:
            return False
        keep = request.headers.get("connection", "").lower() != "close"
        connection.sendall(_encoded(answer, keep=keep))
        return keep


def _read(stream: IO[bytes]) -> Request | Answer | None:
    """The next request; an Answer refuses it, None is the end of the connection."""
    head = bytearray()
    while True:
        line = stream.readline(HEAD_LIMIT)
        if not line:
            return None
        if line in {b"\r\n", b"\n"}:
            if head:
                break
            continue
        head += line
        if len(head) > HEAD_LIMIT:
            return Answer(431, b"")
    first, *lines = head.decode("latin-1").replace("\r\n", "\n").rstrip("\n").split("\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        return Answer(400, b"")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if parts[2] == "HTTP/1.0":
        headers["connection"] = "close"
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
        return Answer(411, b"")
    if int(length) > BODY_LIMIT:
        return Answer(413, b"")
    body = stream.read(int(length)) if int(length) else b""
    if len(body) < int(length):
        return None
    url = urlsplit(parts[1])
    query = parse_qs(url.query, keep_blank_values=True) if url.query else {}
    return Request(parts[0], url.path, query, headers, body)


def _encoded(answer: Answer, *, keep: bool) -> bytes:
    headers = {"Content-Length": str(len(answer.body)), **answer.headers}
    if not keep:
        headers["Connection"] = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    first = f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Status')}\r\n"
    return f"{first}{lines}\r\n".encode("latin-1") + answer.body
