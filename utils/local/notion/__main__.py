"""Serves the Notion sandbox until Ctrl-C or SIGTERM, and prints what a client needs to reach it.

The store, with its token, ids and port, is the same at every start; the scripts' local mode uses the same file.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from utils.config import home
from utils.errors import INTERRUPTED, USAGE, AnglesError
from utils.local.notion.server import Sandbox, serve
from utils.local.notion.store import Store


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; answers its exit code."""
    options = _options(argv)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with ExitStack() as stack:
            _print(_started(stack, options))
            stop.wait()
    except AnglesError as error:
        print(f"notion sandbox: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"notion sandbox: cannot serve ({error}). Choose another --port or --store.", file=sys.stderr)
        return USAGE
    return INTERRUPTED


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m utils.local.notion",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    store = home() / ".local" / "notion.db"
    parser.add_argument("--port", type=_port, help="default: the port of the last start, at first any free one")
    parser.add_argument("--store", type=Path, default=store, help=f"the SQLite file (default: {store})")
    parser.add_argument("--rate", type=_rate, help="requests a second that are granted (default: no limit)")
    return parser.parse_args(argv)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (0 to 65535)")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of requests a second")
    return rate


def _started(stack: ExitStack, options: argparse.Namespace) -> Sandbox:
    """The running sandbox, on the port asked for, else the kept one, else any."""
    if options.port is not None:
        return stack.enter_context(serve(options.store, port=options.port, rate=options.rate))
    with Store(options.store).reading() as session:
        kept = session.identity.port
    try:
        sandbox = stack.enter_context(serve(options.store, port=kept, rate=options.rate))
    except OSError:
        if not kept:
            raise
        print(f"notion sandbox: port {kept} is taken; another one is used this time", file=sys.stderr, flush=True)
        return stack.enter_context(serve(options.store, rate=options.rate))
    sandbox.control.store.remember_port(int(sandbox.base_url.rpartition(":")[2]))
    return sandbox


def _print(sandbox: Sandbox) -> None:
    print(f"NOTION_TOKEN={sandbox.token}")
    print(f"NOTION_DATABASE_ID={sandbox.database_id}")
    print(f"EVERYTHING_DATABASE_ID={sandbox.everything_id}")
    print(f"NOTION_BASE_URL={sandbox.base_url}")
    print(f"NOTION_CONTROL_KEY={sandbox.control_key}")
    print(f"# the pages: {sandbox.base_url}/ (Ctrl-C ends)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
