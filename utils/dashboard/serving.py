"""Serves the page by waitress: alone until Ctrl-C, or in a thread beside the scheduler."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from waitress import wasyncore
from waitress.server import create_server

from utils import config, redact, sections
from utils.config import ConfigProblemsError
from utils.dashboard.app import create_app
from utils.dashboard.guard import Guard, is_loopback
from utils.errors import OK, AnglesError, ConfigError
from utils.files import write_atomic
from utils.script import Run
from utils.sections import DashboardSettings, ScheduleSettings
from utils.sync.lease import process_started
from utils.variables import Variables

FILE = Path("logs", "active", "dashboard.json")
"""Where whoever serves the page says so: {host, port, pid}, or {port, error, pid} where it could not."""

THREADS = 8
_END_SECONDS = 5.0
_REASONS = {
    errno.EADDRNOTAVAIL: ("is no address of this machine", "Set DASHBOARD_HOST to 127.0.0.1"),
    errno.EACCES: ("needs more rights than this user has", "Set DASHBOARD_PORT to one from 1024 on"),
}


def serve(run: Run, host: str | None = None, port: int | None = None) -> int:
    """Serves the page until Ctrl-C or SIGTERM.

    Args:
        run: the script's run.
        host: instead of DASHBOARD_HOST.
        port: instead of DASHBOARD_PORT.

    Raises:
        ConfigError: a variable is wrong, or it would be open to others without a token. AnglesError: the port is taken.
    """
    served = Served.opened(host, port)
    try:
        run.say(f"{run.component}: the page is at {served.address}; Ctrl-C stops it")
        served.loop()
    except KeyboardInterrupt:
        run.say(f"{run.component}: stopped")
    finally:
        served.stop()
    return OK


def start() -> Served:
    """Serves the page in a thread of this process.

    Raises:
        AnglesError: as `serve`.
    """
    served = Served.opened()
    served.thread = threading.Thread(target=served.loop, name="dashboard", daemon=True)
    served.thread.start()
    return served


@dataclass
class Served:
    """A server that listens; `thread` is who serves, None where that is who opened it."""

    server: Any
    channels: dict[int, Any]
    address: str
    file: Path
    thread: threading.Thread | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def opened(cls, host: str | None = None, port: int | None = None) -> Self:
        """Listens, and says so in `FILE`."""
        home = config.home()
        settings, plan = _settings(home)
        settings = replace(settings, host=host or settings.host, port=settings.port if port is None else port)
        if not is_loopback(settings.host) and not settings.token:
            what = "would open the page beyond this machine without a token"
            raise ConfigError(f"host {settings.host}", what, "Set DASHBOARD_TOKEN: openssl rand -hex 24")
        try:
            listening = _listening(settings)
        except AnglesError as error:
            _tell(home / FILE, {"port": settings.port, "error": str(error), "pid": os.getpid()})
            raise
        guard, channels = Guard(settings), {}  # type: tuple[Guard, dict[int, Any]]
        app = guard.wrapped(create_app(home, guard, plan, redact.configured().redact).wsgi_app)
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        server = create_server(
            app, channels, sockets=[listening], threads=THREADS, ident=None, max_request_body_size=65_536
        )
        found = listening.getsockname()[1]
        _tell(home / FILE, {"host": settings.host, "port": found, "pid": os.getpid()})
        shown = f"[{settings.host}]" if ":" in settings.host else settings.host
        return cls(server, channels, f"http://{shown}:{found}", home / FILE)

    @property
    def alive(self) -> bool:
        """Whether it serves."""
        return self.thread is not None and self.thread.is_alive()

    def loop(self) -> None:
        """Serves until it is stopped."""
        while not self._stopping.is_set():
            wasyncore.loop(timeout=1.0, use_poll=True, map=self.channels, count=1)

    def stop(self) -> None:
        """Ends it, and takes back what `FILE` says; a connection that is open is cut."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self.server.pull_trigger()
        if self.thread is not None:
            self.thread.join(_END_SECONDS)
        self.server.task_dispatcher.shutdown(timeout=_END_SECONDS)
        wasyncore.close_all(self.channels, ignore_all=True)
        if _told(self.file).get("pid") == os.getpid():
            self.file.unlink(missing_ok=True)


def _settings(home: Path) -> tuple[DashboardSettings, ScheduleSettings]:
    """The page's own, which have to be right, and the cadence, whose mistakes the monitor tells."""
    env = config.environment()
    own = Variables(env)
    settings = sections.dashboard(own, home)
    if own.problems:
        raise ConfigProblemsError(own.problems)
    return settings, sections.schedule(Variables(env), home)


def _listening(settings: DashboardSettings) -> socket.socket:
    """A socket that listens.

    Raises:
        AnglesError: there can be none: the port is taken, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what = f"is taken{_by(settings.port)}"
            raise AnglesError(f"port {settings.port}", what, "Stop that, or set DASHBOARD_PORT") from None
        what, remedy = _REASONS.get(error.errno or 0, (f"cannot be served at ({error.strerror})", ""))
        raise AnglesError(f"{settings.host} port {settings.port}", what, remedy) from None


def _by(port: int) -> str:
    """Who listens on a port, where this user may know."""
    import psutil

    with suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port and each.pid:
                return f" by pid {each.pid} ({psutil.Process(each.pid).name()})"
    return ""


def _tell(file: Path, what: Mapping[str, Any]) -> None:
    """Says where the page is served, or why not, unless another process of this home folder serves it."""
    told = _told(file)
    if "host" not in told or told.get("pid") == os.getpid() or not process_started(int(told.get("pid", 0))):
        write_atomic(file, json.dumps(what) + "\n")


def _told(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
