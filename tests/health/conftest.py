"""What the tests of health share: a ground in a home of their own, and somebody who takes messages."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from utils.health import ground
from utils.health.ground import Ground


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder that nothing is configured in."""
    for name in set(os.environ) - {"PATH", "HOME", "LANG", "TMPDIR"}:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANGLES_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def here(home: Path) -> Ground:
    """The ground of that home, now."""
    return ground.survey(datetime.now(UTC))


class Receiver:
    """An HTTP server that takes whatever is posted; `status` is what it answers with."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[tuple[str, str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                receiver.requests.append((self.path, self.rfile.read(length).decode()))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stays quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    @property
    def alerts_url(self) -> str:
        """Its address as apprise writes it; the path is the secret."""
        return f"json://127.0.0.1:{self.port}/a-secret-hook"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages that came."""
        return [json.loads(body) for path, body in self.requests if path == "/a-secret-hook"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who takes messages and pings."""
    made = Receiver()
    threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()
