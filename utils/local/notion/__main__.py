"""Serves the Notion sandbox until Ctrl-C or SIGTERM, and prints what a client needs to reach it.

The store, with its token, ids and port, is the same at every start; the scripts' local mode uses the same file.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from utils.config import home
from utils.errors import INTERRUPTED, USAGE, AnglesError
from utils.local.notion.server import serve
from utils.local.notion.store import Store


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; answers its exit code."""
    options = _options(argv)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        _serve(options, stop)
    except AnglesError as error:
        print(f"notion sandbox: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"notion sandbox: cannot serve ({error}). Choose another --port or --store.", file=sys.stderr)
        return USAGE
    return INTERRUPTED if stop.is_set() else 0


def _serve(options: argparse.Namespace, stop: Event) -> None:
    port = options.port
    if port is None:
        port = _kept_port(options.store)
    try:
        running = serve(options.store, port=port, rate=options.rate).__enter__()
    except OSError:
        if options.port is not None or not port:
            raise
        print(f"notion sandbox: port {port} is taken, so another one is used", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
