"""One sync at a time: a lease in the database, which names its holder so that a dead one can be told."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "memory_sync"


def holder(run: str) -> dict[str, Any]:
    """This process, as a lease names it. `boot_id` covers the boot and the namespace of process ids."""
    return {
        "name": NAME,
        "holder": run,
        "host": socket.gethostname(),
        "boot_id": _boot_id(),
        "pid": os.getpid(),
        "started": process_started(os.getpid()),
        "replace": None,
    }


def is_gone(other: Mapping[str, Any]) -> bool:
    """Whether a lease's holder ran in this very namespace and its process is no more."""
    mine = _boot_id()
    if not mine or other.get("boot_id") != mine or other.get("host") != socket.gethostname():
        return False
    return process_started(int(other.get("pid") or 0)) != other.get("started")


def process_started(pid: int) -> str:
    """When a process started, in a form that only equality is asked of; '' when it is no more, or a zombie."""
    import psutil

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except (psutil.Error, ValueError):
        return ""


def boot_clock() -> float:
    """Seconds that go on while the machine sleeps, where it has such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _boot_id() -> str:
    """The boot and the namespace of process ids; '' where neither can be told (macOS has one namespace)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return _boot_time()


def _boot_time() -> str:
    import psutil

    return f"{psutil.boot_time():.0f}"
