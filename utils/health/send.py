"""Tells people what is queued, by apprise, and ends: the only process that ever imports it.

  python -m utils.health.send           the queued alerts, as one message, once the group is complete
  python -m utils.health.send --test    a test message, at once; with --dry-run only look at the addresses

Exit codes: 0 told, or nothing to tell; 2 ALERT_URLS is not set or wrong; 3 nobody took it: it is kept, and tried again
"""

from __future__ import annotations

import argparse
import logging
import socket
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from utils import script
from utils.errors import OK, ConfigError, ServiceError

if TYPE_CHECKING:
    from pathlib import Path

    import apprise

    from utils.sections import AlertSettings

LOCK_SECONDS = 120.0
PAUSES = (2.0, 8.0)
"""Seconds between the tries of one child."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; answers its exit code."""
    parser = script.parser("alerts", __doc__)
    parser.add_argument("--test", action="store_true", help="send a test message")
    parser.add_argument("--dry-run", action="store_true", help="with --test: only look at the addresses")
    options = parser.parse_args(argv)
    return script.run("alerts", lambda run: _run(run, options))


def _run(run: script.Run, options: argparse.Namespace) -> int:
    from utils import config, sections
    from utils.files import hold_lock

    home = config.home()
    _, settings = config.load_with(sections.alerts, vault=False, notion=False)
    if not settings.urls:
        raise ConfigError(
            "ALERT_URLS", "not set", "Set an address, such as ntfy://ntfy.sh/your-topic (see .env.example)"
        )
    if options.test and options.dry_run:
        run.say(f"apprise knows {len(_known(run, settings))} of {len(settings.urls)} addresses; no message was sent")
        return OK
    if options.test:
        told = _tell(run, settings, f"Angles on {socket.gethostname()}: a test", "This is what an alert looks like.")
        run.say(f"a test message went to {told} of {len(settings.urls)} addresses")
        return OK
    with hold_lock(home / "logs" / "active" / "alerts.lock", wait=LOCK_SECONDS + settings.group_seconds):
        return _empty_queue(run, home, settings)


def _empty_queue(run: script.Run, home: Path, settings: AlertSettings) -> int:
    """Waits until the group is complete, then tells all of it at once."""
    from utils import state
    from utils.health import alerts, firing

    with state.open_state(home / state.STATE_FILE) as db:
        if not (waiting := alerts.queued(db)):
            return OK
        age = (datetime.now(UTC) - waiting[0][1]).total_seconds()
        time.sleep(min(max(settings.group_seconds - age, 0.0), settings.group_seconds))
        waiting = alerts.queued(db)
        numbers = [number for number, _, _ in waiting]
        alerts.settle(db, numbers, "sending", run.now)
        oldest = min((when for _, when, _ in waiting), default=run.now)
        outcome = "undelivered" if datetime.now(UTC) - oldest > alerts.GIVE_UP else "queued"
        try:
            if waiting:
                _tell(run, settings, *firing.message([alert for _, _, alert in waiting], socket.gethostname()))
            outcome = "sent"
        finally:
            alerts.settle(db, numbers, outcome, datetime.now(UTC))
    run.log.info("told: %s", "; ".join(firing.line(alert) for _, _, alert in waiting))
    return OK


def _tell(run: script.Run, settings: AlertSettings, title: str, text: str) -> int:
    """Sends a message; answers how many addresses took it.

    Raises:
        ConfigError: apprise knows none of the addresses. ServiceError: none of those that it knows took it.
    """
    title, text = run.redactor.redact(title), run.redactor.redact(text)
    known = waiting = _known(run, settings)
    for pause in (*PAUSES, None):
        waiting = [(name, target) for name, target in waiting if not target.notify(body=text, title=title)]
        if not waiting or pause is None:
            break
        time.sleep(pause)
    for name, _ in waiting:
        run.note(f"ALERT_URLS: {name} does not take messages; check it")
    if len(waiting) == len(known):
        raise ServiceError(
            "ALERT_URLS", "no address takes messages", "Check them: python backend_monitor.py --test-alert"
        )
    return len(known) - len(waiting)


def _known(run: script.Run, settings: AlertSettings) -> list[tuple[str, apprise.NotifyBase]]:
    """The addresses that apprise knows, each with its name; the others are told.

    Raises:
        ConfigError: it knows none.
    """
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it names addresses
    known = []
    for number, url in enumerate(settings.urls, 1):
        target = apprise.Apprise.instantiate(url)
        if isinstance(target, apprise.NotifyBase):
            known.append((f"address {number} ({url.partition(':')[0]})", target))
        else:
            run.note(
                f"ALERT_URLS: address {number} ({url.partition(':')[0]}) is none that apprise knows; copy it again"
            )
    if not known:
        raise ConfigError("ALERT_URLS", "holds no address that apprise knows", "See https://appriseit.com/services/")
    return known


if __name__ == "__main__":
    sys.exit(main())
