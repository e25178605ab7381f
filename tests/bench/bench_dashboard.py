"""The page's figures: requests a second and p99 at 8 connections over 90 days of 12 components, memory.

Beside it a bare Flask application under the same waitress, in the same run, round by round.

python tests/bench/bench_dashboard.py               all
python tests/bench/bench_dashboard.py --seconds 5   how long each of the rounds takes
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 8
ROUNDS = 5
PROMISED = {"/health": 15.0, "/": 30.0}
"""Milliseconds that the p99 stays under."""

BARE = """
import logging
from flask import Flask, Response
from waitress.server import create_server
logging.getLogger("waitress.queue").setLevel(logging.ERROR)
app = Flask("bare")
app.add_url_rule("/ping", view_func=lambda: Response("pong\\n", content_type="text/plain; charset=utf-8"))
server = create_server(app, host="127.0.0.1", port=0, threads=8, ident=None)
print(f"http://127.0.0.1:{server.effective_port}", flush=True)
server.run()
"""
PAGE = """
from utils.dashboard.serving import Served
served = Served.opened(port=0)
print(served.address, flush=True)
served.loop()
"""


@dataclass(frozen=True)
class Measured:
    """Requests a second, the p99 in milliseconds, and the server's processor microseconds a request."""

    rate: float
    p99: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.rate:7.0f} requests/s, p99 {self.p99:5.1f} ms, {self.cpu:4.0f} us of processor each"


@dataclass(frozen=True)
class Server:
    """A server in a process of its own."""

    address: str
    process: psutil.Process

    @property
    def used(self) -> float:
        """Processor seconds until now."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


def main() -> int:
    """Answers 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, str(ROOT))
        from tests.dashboard import homes

        home = homes.kept(Path(folder) / "home", homes.hour(), homes.THREE, more=("extra-1", "extra-2"))
        with server(BARE, home) as bare, server(PAGE, home) as page:
            kept = ratio(bare, page, seconds) >= 0.9
            for path, limit in PROMISED.items():
                found = median([measured(page, path, seconds) for _ in range(ROUNDS)])
                print(f"{path:<8} {found}; {limit:.0f} ms promised")
                kept &= found.p99 < limit
            memory = [each.process.memory_info().rss / 1e6 for each in (page, bare)]
            print(f"resident memory {memory[0]:.0f} MB, bare Flask {memory[1]:.0f} MB")
    print(f"load of this machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return int(not kept)


def ratio(bare: Server, page: Server, seconds: float) -> float:
    """How many requests of `/ping` the page answers for each of the bare application's."""
    pairs = [(measured(bare, "/ping", seconds), measured(page, "/ping", seconds)) for _ in range(ROUNDS)]
    found = statistics.median(ours.rate / theirs.rate for theirs, ours in pairs)
    theirs, ours = median([pair[0] for pair in pairs]), median([pair[1] for pair in pairs])
    print(f"bare     {theirs}")
    print(f"/ping    {ours}")
    print(f"/ping is {found:.2f} of the bare one by requests, {theirs.cpu / ours.cpu:.2f} by processor; 0.9 promised")
    return found


def median(found: Sequence[Measured]) -> Measured:
    """The median of each figure."""
    return Measured(*(statistics.median(each) for each in zip(*map(astuple, found), strict=True)))


@contextmanager
def server(code: str, home: Path) -> Iterator[Server]:
    """Starts a server."""
    env = {**os.environ, "ANGLES_HOME": str(home)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield Server(child.stdout.readline().strip(), psutil.Process(child.pid))
        child.terminate()


def measured(server: Server, path: str, seconds: float) -> Measured:
    """Asks over and over on all connections, each again as soon as it has its answer."""
    host, port = server.address.removeprefix("http://").split(":")
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    with selectors.DefaultSelector() as waiting:
        begun: dict[int, float] = {}
        for _ in range(CONNECTIONS):
            connection = socket.create_connection((host, int(port)))
            waiting.register(connection, selectors.EVENT_READ, Answer())
            begun[connection.fileno()] = time.perf_counter()
            connection.sendall(request)
        took: list[float] = []
        used = server.used
        start = time.perf_counter()
        while (now := time.perf_counter()) < start + seconds:
            for key, _ in waiting.select(timeout=1):
                connection = key.fileobj  # type: ignore[assignment]
                if key.data.whole(connection.recv(1 << 20)):
                    now = time.perf_counter()
                    took.append(now - begun[connection.fileno()])
                    begun[connection.fileno()] = now
                    connection.sendall(request)
        elapsed = now - start
        for key in list(waiting.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
    return Measured(len(took) / elapsed, percentile(took, 0.99) * 1000, (server.used - used) / len(took) * 1e6)


@dataclass
class Answer:
    """What of an answer is still to come."""

    left: int | None = None

    def whole(self, data: bytes) -> bool:
        """Takes data; answers whether the answer is there as a whole. Its head comes in one piece."""
        if self.left is None:
            head, _, data = data.partition(b"\r\n\r\n")
            assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")), head
            length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            self.left = int(length.partition(b":")[2])
        self.left -= len(data)
        if self.left:
            return False
        self.left = None
        return True


def percentile(values: Sequence[float], part: float) -> float:
    """The value that this part of them does not exceed."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


if __name__ == "__main__":
    sys.exit(main())
