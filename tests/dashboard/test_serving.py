"""The page as a process, and as a thread beside the scheduler: addresses, ports that are taken, its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.dashboard import homes
from utils import dashboard
from utils.dashboard.serving import FILE, THREADS, Served
from utils.errors import AnglesError, ConfigError
from utils.schedule.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-the-tests"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, which is this process's too."""
    made = homes.kept(tmp_path / "home", homes.hour())
    monkeypatch.setenv("ANGLES_HOME", str(made))
    return made


def free_port() -> int:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port that is free, and the configured one."""
    number = free_port()
    monkeypatch.setenv("DASHBOARD_PORT", str(number))
    return number


@contextmanager
def started() -> Iterator[Served]:
    served = dashboard.start()
    try:
        yield served
    finally:
        served.stop()


def alive(served: Served) -> bool:
    return served.alive


def told(home: Path) -> dict[str, object]:
    return dict(json.loads((home / FILE).read_text()))


def script(home: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    """The monitor with --serve, begun."""
    command = [sys.executable, str(ROOT / "backend_monitor.py"), "--serve", *arguments]
    pipe = subprocess.PIPE
    environment = {**os.environ, "ANGLES_HOME": str(home), **env}
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(home: Path, port: int, number: signal.Signals) -> None:
    with script(home, "--port", str(port)) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == (
            f"backend_monitor: the page is at http://127.0.0.1:{port}; Ctrl-C stops it\n"
        )
        assert told(home) == {"host": "127.0.0.1", "port": port, "pid": child.pid}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            assert client.get("/ping").text == "pong\n"
            assert "All is well" in client.get("/").text
            assert "server" not in client.get("/ping").headers
            child.send_signal(number)
            out, error = child.communicate(timeout=30)
    assert (child.returncode, out, error) == (0, "backend_monitor: stopped\n", "")
    assert not (home / FILE).exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "angles.example"])
def test_beyond_this_machine_it_refuses_without_a_token(home: Path, host: str) -> None:
    with script(home, "--host", host) as child:
        _, error = child.communicate(timeout=30)
    assert child.returncode == 2
    assert f"host {host}: would open the page beyond this machine without a token. Set DASHBOARD_TOKEN" in error
    assert not (home / FILE).exists()


def test_with_a_token_it_is_served_beyond_this_machine(home: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_HOST", "0.0.0.0")
    monkeypatch.setenv("DASHBOARD_TOKEN", TOKEN)
    with started():
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 401
        assert json.loads(httpx.get(f"http://127.0.0.1:{port}/health").text) == {"status": "pass"}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.get(f"http://127.0.0.1:{port}/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("DASHBOARD_PORT", "70000", "DASHBOARD_PORT is '70000'; set a number from 1 to 65535"),
        ("DASHBOARD_TOKEN", "short", "DASHBOARD_TOKEN is shorter than 16 signs"),
    ],
)
def test_a_variable_that_is_wrong_is_refused(home: Path, name: str, value: str, line: str) -> None:
    with script(home, **{name: value}) as child:
        _, error = child.communicate(timeout=30)
    assert child.returncode == 2
    assert line in error


@pytest.mark.parametrize(
    ("host", "what"),
    [("127.0.0.1", "is taken by pid {pid} ("), ("192.0.2.1", "is no address of this machine")],
    ids=["taken", "not ours"],
)
def test_where_it_cannot_be_served_that_is_told_and_tried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, host: str, what: str
) -> None:
    monkeypatch.setenv("DASHBOARD_HOST", host)
    monkeypatch.setenv("DASHBOARD_TOKEN", TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("DASHBOARD_PORT", str(taken.getsockname()[1]))
        supervisor = Supervisor(dashboard.start)
        threads = threading.active_count()
        supervisor.look(0.0)
        supervisor.look(1.0)
        assert threading.active_count() == threads, "nothing is left of a start that failed"
        assert caplog.text.count(what.format(pid=os.getpid())) == 1
        assert what.format(pid=os.getpid()) in str(told(home)["error"])
    monkeypatch.setenv("DASHBOARD_HOST", "127.0.0.1")
    supervisor.look(2.0)
    assert told(home)["pid"] == os.getpid()
    supervisor.stop()
    assert not (home / FILE).exists()


def test_a_second_page_of_the_same_home_is_refused_and_the_first_stays_told(home: Path, port: int) -> None:
    with started():
        before = told(home)
        with script(home) as child:
            _, error = child.communicate(timeout=30)
        assert child.returncode == 1
        assert f"port {port}: is taken by pid {os.getpid()} (" in error
        assert told(home) == before


def test_a_second_page_on_another_port_does_not_hide_the_first(home: Path, port: int) -> None:
    with started():
        before = told(home)
        with script(home, "--port", str(free_port())) as child:
            assert child.stdout is not None
            assert "the page is at http://127.0.0.1:" in child.stdout.readline()
            assert told(home) == before
            child.send_signal(signal.SIGTERM)
        assert told(home) == before


def test_in_a_thread_it_lives_until_it_is_stopped_with_connections_open(home: Path, port: int) -> None:
    threads = threading.active_count()
    with started() as served, httpx.Client(base_url=served.address) as client:
        assert alive(served)
        assert threading.active_count() == threads + THREADS + 1
        assert client.get("/health").status_code == 200
        served.stop()
        assert not alive(served)
        assert threading.active_count() == threads
        with pytest.raises(httpx.TransportError):
            client.get("/health")
    with started() as again:
        assert again.address.endswith(f":{port}"), "the port is free again"


def test_ipv6_is_served(home: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_HOST", "::1")
    try:
        served = dashboard.start()
    except AnglesError as error:
        pytest.skip(f"no IPv6 here: {error}")
    assert httpx.get(f"http://[::1]:{port}/ping").text == "pong\n"
    served.stop()


def test_the_scheduler_hears_why_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_HOST", "0.0.0.0")
    with pytest.raises(ConfigError, match="without a token"):
        dashboard.start()


def test_asked_by_eight_at_once_everything_is_answered(home: Path, port: int) -> None:
    failed: list[object] = []

    def ask(path: str) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            failed.extend(code for code in (client.get(path).status_code for _ in range(50)) if code != 200)

    with started():
        paths = ("/", "/health", "/ping", "/metrics") * 2
        threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []
