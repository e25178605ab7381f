"""The dashboard is kept up: restarted, but not for ever; a port that is taken is told; jobs do not notice."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from utils.errors import AnglesError
from utils.schedule.service import _dashboard
from utils.schedule.supervisor import Supervisor


class Fake:
    """A dashboard that lives until it is told otherwise."""

    alive = True

    def stop(self) -> None:
        self.alive = False


class Starter:
    """Starts dashboards; `error` instead where there is one."""

    def __init__(self) -> None:
        self.started: list[Fake] = []
        self.error: Exception | None = None

    def __call__(self) -> Fake:
        if self.error:
            raise self.error
        self.started.append(Fake())
        return self.started[-1]


def test_it_is_started_once_and_stopped(caplog: pytest.LogCaptureFixture) -> None:
    starter = Starter()
    supervisor = Supervisor(starter)
    for second in range(5):
        supervisor.look(float(second))
    assert len(starter.started) == 1
    supervisor.stop()
    assert not starter.started[0].alive
    assert not caplog.records


def test_it_is_restarted_three_times_in_ten_minutes_and_rests_then(caplog: pytest.LogCaptureFixture) -> None:
    starter = Starter()
    supervisor = Supervisor(starter)
    for second in range(0, 590, 10):
        supervisor.look(float(second))
        if starter.started:
            starter.started[-1].alive = False
    assert len(starter.started) == 4
    assert caplog.text.count("ended 3 times again within 10 minutes; it rests") == 1
    supervisor.look(601.0)
    assert len(starter.started) == 5


def test_a_port_that_is_taken_is_told_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    starter = Starter()
    starter.error = AnglesError("port 5000", "is taken", "Set DASHBOARD_PORT")
    supervisor = Supervisor(starter)
    supervisor.look(0.0)
    supervisor.look(1.0)
    assert caplog.text.count("dashboard: not started: port 5000: is taken. Set DASHBOARD_PORT.") == 1
    starter.error = None
    supervisor.look(2.0)
    assert len(starter.started) == 1
    supervisor.stop()


def test_a_version_without_a_dashboard_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    class Log:
        def info(self, *_: object) -> None:
            pass

    class Run:
        log = Log()

    monkeypatch.setitem(sys.modules, "utils.dashboard", None)
    assert _dashboard(Run()) is None  # type: ignore[arg-type]
    starter, module = Starter(), ModuleType("utils.dashboard")
    module.start = starter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "utils.dashboard", module)
    supervisor = _dashboard(Run())  # type: ignore[arg-type]
    assert supervisor is not None
    supervisor.look(0.0)
    assert len(starter.started) == 1
