"""What becomes known of a run: its closing line, `agent_activity`, alerts. None of it holds a job up."""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from utils.errors import AnglesError
from utils.schedule.carrier import Report
from utils.schedule.jobs import TRIES
from utils.stores.base import Activity, Transport, Vault

if TYPE_CHECKING:
    from utils.sections import AlertSettings

PENDING = 500
"""Rows of `agent_activity` that are kept for a database that is down."""

_ACTIVITIES = uuid.UUID("0c2c2f2e-6b57-4a0e-9b0a-8a2f1b6f7a53")
"""What makes a run's id the uuid of its row."""


def closing_line(report: Report) -> str:
    """One line of a run: outcome, duration, lateness, attempt, what it said last."""
    each = report.attempt
    slot = f"slot {each.slot:%Y-%m-%d %H:%M:%S} UTC" if each.slot else "by hand"
    late = f", {max(each.lateness, 0.0):.1f} s late" if each.lateness is not None else ""
    said = f": {each.detail}" if each.detail else ""
    tries = "" if each.slot is None else f", attempt {each.attempt} of {max(TRIES, each.attempt)}"
    more = "" if report.final else ", not its last word"
    took = f", {each.seconds:.1f} s" if each.seconds is not None else ""
    return f"{each.job} {slot}: {report.outcome.word}{took}{late}{tries}{more} (run {each.run_id}){said}"


def activity(report: Report) -> Activity:
    """A run as a row of `agent_activity`."""
    each = report.attempt
    details = {
        "run": each.run_id,
        "slot": each.slot and each.slot.isoformat(),
        "attempt": each.attempt,
        "seconds": each.seconds,
        "late": each.lateness,
        "code": each.code,
        "said": each.detail,
    }
    return Activity(
        str(uuid.uuid5(_ACTIVITIES, each.run_id)), "scheduler", f"job {each.job}", details, report.outcome.word
    )


@dataclass
class Teller:
    """Tells what runs became.

    Args:
        home: the home folder.
        log: the scheduler's.
        alerts: where alerts go.
        redact: takes secrets out of a text.
        transport: the way to the database; None writes no rows.
    """

    home: Path
    log: logging.Logger
    alerts: AlertSettings
    redact: Callable[[str], str]
    transport: Transport | None = None
    _rows: queue.SimpleQueue[Activity | None] = field(default_factory=queue.SimpleQueue)
    _writer: threading.Thread | None = None

    def tell(self, report: Report) -> None:
        """Tells one run."""
        well = report.outcome.well is not False
        self.log.log(logging.INFO if well else logging.WARNING, "%s", closing_line(report))
        if self.transport is not None:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, daemon=True)
                self._writer.start()
            self._rows.put(activity(report))
        if report.final and report.outcome.well is not None:
            self._observe(report)

    def close(self, seconds: float = 5.0) -> None:
        """Writes what waits, for so many seconds at most."""
        if self._writer is not None:
            self._rows.put(None)
            self._writer.join(seconds)

    def _observe(self, report: Report) -> None:
        from utils.health import alerts, firing

        each = report.attempt
        event = firing.Event(
            f"job {each.job}",
            ok=report.outcome.well is True,
            at=each.ended or each.started,
            error=f"{report.outcome.word}: {each.detail}".removesuffix(": "),
            hint=f"See logs/active/jobs/{each.job}/{each.run_id}.log",
            at_once=report.outcome.at_once,
        )
        try:
            if alerts.observe(self.home, self.alerts, [event], self.redact):
                alerts.send(self.home)
        except (AnglesError, OSError) as error:
            self.log.warning("no alert can be sent: %s", error)

    def _write(self) -> None:
        """Writes rows, in a thread; what a database that is down did not take waits for the next ones."""
        assert self.transport is not None  # noqa: S101 - the thread is begun for it
        vault, waiting, told = Vault(self.transport), list[Activity](), False
        while (row := self._rows.get()) is not None:
            waiting = [*waiting, row][-PENDING:]
            try:
                vault.record(waiting)
            except AnglesError as error:
                if not told:
                    self.log.warning("agent_activity is not written for now; the jobs go on: %s", error)
                told = True
            else:
                waiting, told = [], False
