"""A TCP forwarder that misbehaves on demand between a client and a real server."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Forward = Callable[[socket.socket, socket.socket, bytes], bool]


@dataclass
class FaultProxy:
    """Forwards 127.0.0.1:`port` to a server on this host, and does what is armed, once each.

    Args:
        target: the server's port.
        cut_query: cut the connection instead of forwarding the next data that hold this text: nothing is done.
        cut_answer: forward data that hold this text, then cut in place of the answer: it is done, and nobody is told.
        stalled: forward nothing from the server any more, and keep the connections open.
    """

    target: int
    cut_query: bytes = b""
    cut_answer: bytes = b""
    stalled: bool = False
    accepted: int = 0
    _open: list[socket.socket] = field(default_factory=list)
    _deaf: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def drop(self) -> None:
        """Cuts every connection there is now."""
        with self._lock:
            dropped, self._open = self._open, []
        for each in dropped:
            _hang_up(each)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.accepted += 1
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    _hang_up(client)
                    continue
                with self._lock:
                    self._open += [client, server]
                for one, other, forward in ((client, server, self._query), (server, client, self._answer)):
                    threading.Thread(target=self._pump, args=(one, other, forward), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, forward: Forward) -> None:
        with contextlib.suppress(OSError):
            while (data := one.recv(65536)) and forward(one, other, data):
                pass
        if not self.stalled:
            _hang_up(one)
            _hang_up(other)

    def _query(self, _client: socket.socket, server: socket.socket, data: bytes) -> bool:
        if self.cut_query and self.cut_query in data:
            self.cut_query = b""
            return False
        if self.cut_answer and self.cut_answer in data:
            self.cut_answer = b""
            self._deaf.add(server)
        server.sendall(data)
        return True

    def _answer(self, server: socket.socket, client: socket.socket, data: bytes) -> bool:
        if server in self._deaf:
            return False
        if not self.stalled:
            client.sendall(data)
        return True


def _hang_up(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
