"""The probe of this host, by psutil; nothing in it waits."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil

from utils import state
from utils.config import ROOT
from utils.errors import AnglesError
from utils.health import store
from utils.health.ground import Ground
from utils.health.rules import Machine, hours_to_full


def machine(ground: Ground) -> Machine:
    """Load, memory, disk and inodes with the pace of the last days, our processes and their open files."""
    disk, inodes = used(ground.home)
    ours = list(_ours())
    return Machine(
        load=100 * psutil.getloadavg()[1] / (psutil.cpu_count() or 1),
        memory=psutil.virtual_memory().percent,
        disk=disk,
        free=shutil.disk_usage(ground.home).free,
        inodes=inodes,
        disk_hours=_hours(ground, "disk", disk),
        inode_hours=None if inodes is None else _hours(ground, "inodes", inodes),
        files=[each for process, name in ours if (each := _files(process, name))],
        processes=[told for process, name in ours if (told := _told(process, name))],
    )


def used(folder: Path) -> tuple[float, float | None]:
    """Percent used of a folder's disk, and of its inodes where their number is fixed."""
    space, nodes = shutil.disk_usage(folder), os.statvfs(folder)
    inodes = 100 * (1 - nodes.f_favail / nodes.f_files) if nodes.f_files else None
    return 100 * space.used / (space.used + space.free), inodes


def script_of(process: psutil.Process) -> str:
    """The name of the script of this project that a process executes; '' where it is another program."""
    with contextlib.suppress(psutil.Error, OSError, IndexError):
        command = process.cmdline()
        named = next((part for part in command[1:4] if part.endswith(".py")), "")
        path = Path(named) if Path(named).is_absolute() else Path(process.cwd()) / named
        if named and path.parent.resolve() == ROOT:
            return path.stem
    return ""


def _ours() -> Iterator[tuple[psutil.Process, str]]:
    """The processes of this project, and the zombies that they have not looked after."""
    dead: list[psutil.Process] = []
    known: dict[int, str] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE:
                dead.append(process)
            elif name := script_of(process):
                known[process.pid] = name
                yield process, name
    for process in dead:
        with contextlib.suppress(psutil.Error):
            if process.ppid() in known:
                yield process, f"child of {known[process.ppid()]}"


def _told(process: psutil.Process, name: str) -> tuple[int, str, timedelta, int, str] | None:
    with contextlib.suppress(psutil.Error):
        age = timedelta(seconds=max(time.time() - process.create_time(), 0))
        return process.pid, name, age, process.memory_info().rss, process.status()
    return None


def _files(process: psutil.Process, name: str) -> tuple[str, int, int] | None:
    """How many files a process has open, and may have; None where the system does not tell."""
    with contextlib.suppress(psutil.Error, AttributeError, OSError):
        most = process.rlimit(psutil.RLIMIT_NOFILE)[0]
        return (name, process.num_fds(), most) if most > 0 else None
    return None


def _hours(ground: Ground, name: str, percent: float) -> float | None:
    """In how many hours it is full, by the samples that are kept."""
    with contextlib.suppress(AnglesError), state.open_state(ground.home / state.STATE_FILE) as db:
        kept = store.samples(db, name, ground.now - store.KEEP_SAMPLES)
        points = [(float(at), value) for at, _, value, _ in kept if value is not None]
        return hours_to_full([*points, (ground.now.timestamp(), percent)])
    return None
