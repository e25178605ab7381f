"""Runs checks: every probe in a thread of its own with its own time limit, the whole within `WHOLE_SECONDS`.

A probe that hangs is left behind: its thread is a daemon, and nobody waits for it, neither here nor at the exit.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.errors import AnglesError
from utils.health.checks import Check, Probe
from utils.health.ground import Ground, SkipError
from utils.health.model import Finding, Result, State, down, skipped

WHOLE_SECONDS = 14.0


@dataclass(frozen=True)
class Looked:
    """What a probe brought: a fact, or what it raised; `seconds` is how long it took."""

    fact: Any = None
    error: Exception | None = None
    seconds: float = 0.0


def run_checks(
    checks: Sequence[Check],
    probes: Mapping[str, Probe],
    ground: Ground,
    *,
    busy: frozenset[str] = frozenset(),
    whole: float = WHOLE_SECONDS,
) -> list[Result]:
    """The results of checks, in their order: one each, whatever happens.

    Args:
        checks: the checks.
        probes: by name, all that these need.
        ground: what the probes see.
        busy: the probes that still hang from an earlier round (`hanging`): they are not started again.
        whole: seconds after which nothing is waited for any more.
    """
    looked = _look({each.probe: probes[each.probe] for each in checks if each.probe not in busy}, ground, whole)
    return [_result(check, looked.get(check.probe), probes[check.probe], ground) for check in checks]


def hanging() -> frozenset[str]:
    """The probes of earlier rounds that have not come back."""
    names = (thread.name for thread in threading.enumerate() if thread.name.startswith(_PREFIX))
    return frozenset(name.removeprefix(_PREFIX) for name in names)


_PREFIX = "probe "


def _look(probes: Mapping[str, Probe], ground: Ground, whole: float) -> dict[str, Looked]:
    """What the probes brought that came back in time."""
    come: queue.SimpleQueue[tuple[str, Looked]] = queue.SimpleQueue()
    started = time.monotonic()
    ends = {name: started + min(probe.seconds, whole) for name, probe in probes.items()}
    for name, probe in probes.items():
        work = (name, probe.look, ground, come)
        threading.Thread(target=_in_thread, args=work, name=_PREFIX + name, daemon=True).start()
    found: dict[str, Looked] = {}
    while waiting := [end for name, end in ends.items() if name not in found]:
        try:
            name, looked = come.get(timeout=max(max(waiting) - time.monotonic(), 0.0))
        except queue.Empty:
            break
        if looked.seconds <= probes[name].seconds:
            found[name] = looked
        else:
            del ends[name]
    return found


def _in_thread(
    name: str, look: Callable[[Ground], Any], ground: Ground, come: queue.SimpleQueue[tuple[str, Looked]]
) -> None:
    started = time.monotonic()
    try:
        looked = Looked(look(ground), None, time.monotonic() - started)
    except Exception as error:  # noqa: BLE001 - whatever a probe raises is what it found
        looked = Looked(None, error, time.monotonic() - started)
    come.put((name, looked))


def _result(check: Check, looked: Looked | None, probe: Probe, ground: Ground) -> Result:
    seconds = looked.seconds if looked and check.leads else None
    return Result(check.name, check.component, _finding(check, looked, probe, ground), seconds)


def _finding(check: Check, looked: Looked | None, probe: Probe, ground: Ground) -> Finding:
    """What the rule says of the fact; without one, why there is none."""
    if looked is not None and isinstance(looked.error, SkipError):
        return skipped(looked.error.fact, looked.error.hint if check.leads else "")
    if looked is not None and looked.error is None:
        return _judged(check, looked.fact, ground)
    if not check.leads:
        return Finding(State.UNKNOWN, f"not known, since {check.probe} failed")
    if looked is None:
        return down(f"no answer within {probe.seconds:.0f} s", "Look whether it hangs, and at the network")
    if isinstance(looked.error, AnglesError):
        return down(f"{looked.error.where}: {looked.error.what}", looked.error.remedy)
    return _bug(looked.error)


def _judged(check: Check, fact: Any, ground: Ground) -> Finding:
    try:
        return check.rule(fact, ground.seen)
    except Exception as error:  # noqa: BLE001 - never a missing row
        return _bug(error)


def _bug(error: Exception | None) -> Finding:
    return down(f"{type(error).__name__}: {error}", "This is a bug of the check: report it")
