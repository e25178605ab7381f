"""Who holds a lease, and when its holder is known to be gone: never by a guess."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from utils.sync import lease

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until it is ended."""
    started = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield started
    if started.returncode is None:
        started.kill()
    started.communicate()


def held_by(pid: int, **other: Any) -> dict[str, Any]:
    """The lease of a process in this namespace."""
    return {**lease.holder("run 1"), "pid": pid, "started": lease.process_started(pid), **other}


def test_a_holder_is_named_by_run_host_boot_process_and_its_start() -> None:
    mine = lease.holder("run 1")
    assert (mine["name"], mine["holder"], mine["pid"], mine["replace"]) == ("memory_sync", "run 1", os.getpid(), None)
    assert mine["host"]
    assert mine["boot_id"]
    assert mine["started"] == lease.process_started(os.getpid()) != ""
    assert lease.holder("run 2") == {**mine, "holder": "run 2"}


def test_a_live_holder_is_not_gone_and_a_dead_one_is(child: subprocess.Popen[bytes]) -> None:
    held = held_by(child.pid)
    assert not lease.is_gone(held)
    assert not lease.is_gone(held_by(os.getpid()))
    child.kill()
    child.communicate()
    assert lease.is_gone(held)


def test_a_zombie_is_gone(child: subprocess.Popen[bytes]) -> None:
    held = held_by(child.pid)
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    assert lease.process_started(child.pid) == ""
    assert lease.is_gone(held)


def test_another_process_that_got_the_pid_is_not_the_holder(child: subprocess.Popen[bytes]) -> None:
    assert lease.is_gone(held_by(child.pid, started="1"))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"host": "elsewhere"}, id="another host"),
        pytest.param({"boot_id": "another boot or namespace"}, id="another boot"),
        pytest.param({"boot_id": None}, id="no boot named"),
        pytest.param({"boot_id": ""}, id="an empty boot"),
    ],
)
def test_whether_a_holder_elsewhere_lives_is_not_known(other: dict[str, Any]) -> None:
    assert lease.is_gone(held_by(os.getpid(), started="1"))
    assert not lease.is_gone(held_by(os.getpid(), started="1", **other))


@pytest.mark.parametrize("pid", [None, 0, -1, 2**31, 2**70])
def test_an_impossible_pid_is_nobodys(pid: int | None) -> None:
    assert lease.is_gone({**held_by(os.getpid()), "pid": pid})


@LINUX
def test_a_process_that_is_hidden_from_us_is_not_taken_for_gone(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = held_by(child.pid)

    def refused(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(lease, "_PROC", "/nowhere")
    monkeypatch.setattr(os, "kill", refused)
    assert lease.process_started(child.pid) is None
    assert not lease.is_gone(held)


@LINUX
def test_the_start_does_not_move_with_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    started = lease.process_started(os.getpid())
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setattr(psutil, "boot_time", lambda: 0.0)
    assert lease.process_started(os.getpid()) == started
    assert started is not None
    assert started.isdecimal(), "ticks since the boot"


def test_where_there_is_no_proc_a_process_has_a_start_too(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_PROC", "/nowhere")
    held = held_by(child.pid)
    assert held["started"]
    assert not lease.is_gone(held)
    child.kill()
    child.communicate()
    assert lease.is_gone(held)


def test_a_name_with_brackets_and_spaces_does_not_mislead(tmp_path: Any) -> None:
    name = tmp_path / "a) Z (b"
    name.symlink_to(sys.executable)
    started = subprocess.Popen([name, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert not lease.is_gone(held_by(started.pid))
        assert lease.process_started(started.pid)
    finally:
        started.kill()
        started.communicate()


def test_the_boot_clock_goes_on() -> None:
    first = lease.boot_clock()
    assert lease.boot_clock() >= first
