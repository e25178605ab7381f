"""What the page's tests share: an application over a home folder, a server of it, a browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from waitress.server import create_server
from werkzeug.test import Client

from tests.dashboard import homes
from utils.dashboard import create_app
from utils.dashboard.guard import Guard
from utils.sections import DashboardSettings

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

Ask = Callable[..., Client]
Served = Callable[..., str]


@pytest.fixture(autouse=True)
def _vault_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a job finds that is started here: it ends soon."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")


@pytest.fixture
def ask() -> Ask:
    """Makes a client of the page over a home folder, without a server between."""

    def made(home: Path, settings: DashboardSettings | None = None, **more: Any) -> Client:
        guard = more.pop("guard", None) or Guard(settings or DashboardSettings())
        app = create_app(home, guard, homes.PLAN, more.pop("redact", str), **more)
        return Client(guard.wrapped(app.wsgi_app))

    return made


@contextmanager
def serving(home: Path, settings: DashboardSettings | None = None) -> Iterator[str]:
    """The page over a home folder, by a server; its address."""
    guard = Guard(settings or DashboardSettings())
    server = create_server(guard.wrapped(create_app(home, guard, homes.PLAN, str).wsgi_app), host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{server.effective_port}"


@pytest.fixture
def served() -> Iterator[Served]:
    """Makes servers."""
    with ExitStack() as stack:
        yield lambda home, settings=None: stack.enter_context(serving(home, settings))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium of this machine."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()
