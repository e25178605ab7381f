"""The dashboard is kept up: restarted, but not for ever; a port that is taken is told; jobs do not notice."""

from __future__ import annotations

from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.schedule.host import free_port
from utils import dashboard
from utils.errors import AnglesError
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


def test_a_new_configuration_is_taken_by_a_new_one_which_is_no_restart(caplog: pytest.LogCaptureFixture) -> None:
    starter = Starter()
    supervisor = Supervisor(starter)
    for second in range(9):
        supervisor.look(float(second))
        supervisor.renew()
    assert [each.alive for each in starter.started] == [False] * 9
    assert not caplog.records


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


def test_a_bug_of_the_dashboard_is_told_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    starter = Starter()
    starter.error = RuntimeError("broken")
    supervisor = Supervisor(starter)
    supervisor.look(0.0)
    supervisor.stop()
    assert "dashboard: not started: broken" in caplog.text


def test_the_dashboard_is_served_again_on_its_port_when_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANGLES_HOME", str(tmp_path))
    monkeypatch.setenv("DASHBOARD_PORT", str(free_port()))
    served = []
    supervisor = Supervisor(lambda: served.append(dashboard.start()) or served[-1])  # type: ignore[func-returns-value]
    for number in range(2):
        supervisor.look(float(number))
        with urlopen(f"{served[-1].address}/ping", timeout=10) as answer:
            assert answer.status == 200
        served[-1].stop()
    assert served[0].address == served[1].address
    supervisor.stop()
