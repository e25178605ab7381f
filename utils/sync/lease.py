"""One sync at a time: a lease in the database, which names its holder so that a dead one can be told."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.errors import AnglesError, BusyError, ServiceError
from utils.stores.base import Beginning, Vault

NAME = "memory_sync"
_PROC = "/proc"


@dataclass(frozen=True)
class Held:
    """Where the sync stands; with the lease, its fence and since when we have it (`boot_clock`)."""

    begin: Beginning
    fence: int | None = None
    since: float = 0.0


@contextmanager
def leased(vault: Vault, run: str, *, dry_run: bool) -> Iterator[Held]:
    """Where the sync stands, under the lease, which is given back; a dry run takes none.

    Raises:
        BusyError: another run has it.
    """
    if dry_run:
        yield Held(vault.begin())
        return
    held = _taken(vault, run)
    try:
        yield held
    except BaseException as failure:
        if not _is_of_vault(failure):
            with contextlib.suppress(AnglesError):
                vault.release(NAME, held.fence or 0)
        raise
    vault.release(NAME, held.fence or 0)


def _taken(vault: Vault, run: str) -> Held:
    """Takes the lease, also from a holder of this machine whose process is gone."""
    me, since = holder(run), boot_clock()
    begin = vault.begin(me)
    if begin.fence is None and begin.busy is not None and is_gone(begin.busy):
        begin = vault.begin({**me, "replace": begin.busy["fence"]})
    if begin.fence is None:
        busy = begin.busy or {}
        raise BusyError(
            "sync",
            f"run {busy.get('holder')} on {busy.get('host')} (process {busy.get('pid')}) is at it",
            f"Wait for it; its lease ends at {busy.get('expires_at')}",
        )
    return Held(begin, begin.fence, since)


def _is_of_vault(failure: BaseException) -> bool:
    """Whether it is the vault that failed, or the lease that was lost: nothing can be given back then."""
    return isinstance(failure, BusyError) or (isinstance(failure, ServiceError) and failure.where != "notion")


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
    """Whether a lease's holder ran in this very namespace and its process is no more; false where that is unsure."""
    mine = _boot_id()
    if not mine or other.get("boot_id") != mine or other.get("host") != socket.gethostname():
        return False
    started = process_started(int(other.get("pid") or 0))
    return started is not None and started != other.get("started")


def process_started(pid: int) -> str | None:
    """When a process started, in a form that only equality is asked of; '' when it is no more, None when unknown.

    A zombie is no more. Linux counts from the boot, which a clock that is set does not change.
    """
    if pid <= 0:
        return ""
    try:
        fields = Path(f"{_PROC}/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return _started_elsewhere(pid)
    return "" if fields[0] in "ZX" else fields[19]


def _started_elsewhere(pid: int) -> str | None:
    """The same where /proc does not show the process: it is no more, another user's and hidden, or this is no Linux."""
    import psutil

    try:
        os.kill(pid, 0)
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except (ProcessLookupError, OverflowError, psutil.NoSuchProcess):
        return ""
    except (PermissionError, psutil.Error):
        return None


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
