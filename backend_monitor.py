"""Says how everything is: environment, database, Notion, GitHub, the age of the last good runs, the machine.

  python backend_monitor.py                  all checks, each with a hint where something is wrong
  python backend_monitor.py --deep           also each sibling script in its safe mode
  python backend_monitor.py --check NAME     one check, or all of a component
  python backend_monitor.py --watch          again and again until Ctrl-C
  python backend_monitor.py --heal           mend what is certainly broken; with --dry-run say what that would be
  python backend_monitor.py --nagios         one line with performance data, for a monitoring system
  python backend_monitor.py --test-alert     send a test message to ALERT_URLS; with --dry-run only look at them
  python backend_monitor.py --serve          the page, on http://127.0.0.1:5000

Every full run leaves its results in logs/active/system_health.json and their history in logs/active/state.db, alerts
where ALERT_URLS is set, and pings HEALTHCHECK_PING_URL. All of it is over within 20 seconds, whatever hangs.

Exit codes, as monitoring plugins have them: 0 all well; 1 a warning; 2 something is down; 3 unknown, usage,
configuration, or a failure of the monitor itself; 130 interrupted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from utils import errors, script
from utils.errors import AnglesError

if TYPE_CHECKING:
    from utils.health.ground import Ground
    from utils.health.heal import Healed
    from utils.health.model import Result

PLUGIN = script.Codes({0: "done", 1: "done with problems", 2: "done with problems", 3: "unknown"}, failure=3)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; answers its exit code."""
    options = _options(argv)
    looks = options.check or options.watch is not None or options.dry_run or options.test_alert or options.serve
    return script.run(
        "backend_monitor",
        lambda run: _run(run, options),
        as_json=options.json,
        job="" if looks else "monitor",
        codes=script.OUR_CODES if options.serve else PLUGIN,
    )


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = script.parser("backend_monitor", __doc__, PLUGIN)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", metavar="NAME", action="append", help="only this check, or this component")
    what.add_argument("--heal", action="store_true", help="mend what is certainly broken (SELF_HEAL=0 switches it off)")
    what.add_argument("--test-alert", action="store_true", help="send a test message to ALERT_URLS")
    what.add_argument("--serve", action="store_true", help="serve the page")
    parser.add_argument("--deep", action="store_true", help="also try each sibling script")
    parser.add_argument("--dry-run", action="store_true", help="leave nothing behind; with --heal, mend nothing")
    parser.add_argument(
        "--watch", metavar="SECONDS", nargs="?", type=_seconds, const=10.0, help="again and again (default: every 10 s)"
    )
    parser.add_argument("--host", help="with --serve (default: DASHBOARD_HOST, else 127.0.0.1)")
    parser.add_argument("--port", type=_port, help="with --serve (default: DASHBOARD_PORT, else 5000)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document on stdout")
    form.add_argument("--nagios", action="store_true", help="one line with performance data")
    options = parser.parse_args(argv)
    if options.watch is not None and (options.heal or options.json or options.nagios):
        parser.error("--watch only shows; it goes with --check and --deep")
    return options


def _seconds(text: str) -> float:
    if not text.isdecimal() or not 1 <= int(text) <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 86400")
    return float(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _run(run: script.Run, options: argparse.Namespace) -> int:
    if options.test_alert:
        return _test_alert(run, dry_run=options.dry_run)
    if options.serve:
        from utils import dashboard

        return dashboard.serve(run, options.host, options.port)
    if options.watch is not None:
        return _watch(run, options)
    return _round(run, options)


def _round(run: script.Run, options: argparse.Namespace) -> int:
    """Looks, mends, looks again at what was mended, shows it, and leaves it for the page, the alerts and the pings."""
    from utils.health import ground, model, monitor, store

    seen = ground.survey(run.now, deep=options.deep)
    run.told(ground.telling(seen))
    wanted = monitor.chosen(options.check or (), deep=options.deep)
    begun = _pinged(run, seen, "start")
    results = monitor.look(seen, wanted, spent=run.seconds)
    healed = _mended(run, seen, results, options) if options.heal else None
    results = monitor.again(seen, results, healed or [])
    mended = [{**asdict(each), "line": each.line()} for each in healed or []]
    document = store.document(results, run.now, run.id, run.seconds, healed=mended)
    if run.job:
        monitor.keep(seen, results, run.redactor.redact_json(document))
        monitor.tell(seen, results, healed, run.redactor.redact)
    _show(run, options, results, [each.line() for each in healed or []], document)
    code = model.exit_code(results)
    begun.join()
    _pinged(run, seen, str(model.OK if code == model.WARNING else code)).join()
    return code


def _mended(
    run: script.Run, seen: Ground, results: Sequence[Result], options: argparse.Namespace
) -> list[Healed] | None:
    """What was mended, or in a dry run would be; None where it is switched off or somebody else is at it."""
    from utils.health import monitor

    if not seen.health.self_heal:
        run.note("SELF_HEAL=0: nothing is mended")
        return None
    try:
        return monitor.mend(seen, results, dry_run=options.dry_run)
    except AnglesError as error:
        run.note(f"nothing is mended: {error}")
        return None


def _watch(run: script.Run, options: argparse.Namespace) -> int:
    """Shows the checks again and again; ends by Ctrl-C."""
    from utils.health import ground, monitor

    wanted = monitor.chosen(options.check or (), deep=options.deep)
    while True:
        seen = ground.survey(datetime.now(UTC), deep=options.deep)
        results = monitor.look(seen, wanted)
        if sys.stdout.isatty():
            run.say(f"{seen.now:%Y-%m-%d %H:%M:%S} UTC")
        _show(run, options, results, [], {})
        time.sleep(options.watch)


def _show(
    run: script.Run, options: argparse.Namespace, results: Sequence[Result], healed: Sequence[str], document: object
) -> None:
    """A table on a terminal, elsewhere a line each; or the document, or the plugin's line."""
    from utils.health import model

    for line in (*_lines(results, well=False), *healed):
        run.log.info("%s", line)
    if options.nagios:
        run.say(model.plugin_line(results))
        return
    if options.json:
        run.document(document)
    elif sys.stdout.isatty():
        _table(run, results)
    else:
        for line in _lines(results, well=True):
            run.say(line)
    for line in healed:
        run.say(line)
    run.say(f"{run.component}: {model.summary(results)}; {run.seconds:.1f} s")


def _lines(results: Sequence[Result], *, well: bool) -> Iterator[str]:
    """A line a check, its hint below it; with `well` also those that are."""
    from utils.health.model import State

    for each in results:
        if well or each.state in {State.DOWN, State.WARN, State.UNKNOWN}:
            yield f"{each.state.value:<8} {each.name:<22} {each.finding.fact}"
            if each.finding.hint:
                yield f"{'':<31} {each.finding.hint}"


def _table(run: script.Run, results: Sequence[Result]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from utils import logs

    colours = {"up": "green", "warn": "yellow", "down": "red", "unknown": "magenta", "skipped": "dim"}
    table = Table("check", "state", "what is seen, and what to do", box=None, pad_edge=False)
    for each in results:
        state = each.state.value
        told = Text(logs.escaped(run.redactor.redact(each.finding.fact)), style="dim" if state == "skipped" else "")
        if each.finding.hint:
            told.append(f"\n{logs.escaped(run.redactor.redact(each.finding.hint))}", style="italic dim")
        table.add_row(each.name, Text(state, style=colours[state]), told)
    Console().print(table)


def _test_alert(run: script.Run, *, dry_run: bool) -> int:
    """Has the child send a test message, or only look at the addresses; says what it said."""
    from utils.config import ROOT
    from utils.health import alerts, model

    child = subprocess.run(
        alerts.sender("--test", *["--dry-run"][:dry_run]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=120,
    )
    for line in (child.stdout + child.stderr).splitlines():
        run.say(line)
    return model.OK if child.returncode == errors.OK else model.UNKNOWN


def _pinged(run: script.Run, seen: Ground, end: str) -> threading.Thread:
    """Pings the dead man's switch of a full run, beside the rest; a warning counts as well there."""
    from utils.health import alerts

    def ping() -> None:
        if told := alerts.ping(seen.health.alerts.ping_url, end, run.id, run.last_line):
            run.note(told)

    thread = threading.Thread(target=ping, daemon=True)
    if not (run.job and seen.health.alerts.ping_url):
        thread = threading.Thread(target=lambda: None)
    thread.start()
    return thread


if __name__ == "__main__":
    sys.exit(main())
