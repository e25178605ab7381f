"""Redacts JSON Lines: objects {"id": ..., "text": ...} from stdin, without their secrets to stdout, line by line.

It knows the secrets of the environment and of .env in every form, and others by their shape and name. Ends with 2 at
the first line that is no such object; nothing of that line is written.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from utils.errors import INTERRUPTED, USAGE, AnglesError
from utils.redact import Redactor, configured


class LineError(AnglesError):
    """A line that is no object with a text."""

    exit_code = USAGE


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the filter; answers its exit code."""
    _parser().parse_args(argv)
    try:
        _pass_on(_Lines(sys.stdin.fileno()))
    except AnglesError as error:
        print(f"redact: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


class _Lines:
    """The lines of a file as they come; `all_read` where none is left of what came, so that answers can go out."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.all_read = False

    def __iter__(self) -> Iterator[bytes]:
        begun: list[bytes] = []
        while block := os.read(self._descriptor, 1 << 16):
            *lines, rest = block.split(b"\n")
            for number, line in enumerate(lines, start=1):
                self.all_read = number == len(lines)
                yield b"".join((*begun, line))
                begun = []
            begun.append(rest)
        yield b"".join(begun)


def _pass_on(lines: _Lines) -> None:
    try:
        for item in redacted(lines, configured()):
            sys.stdout.write(json.dumps(item) + "\n")
            if lines.all_read:
                sys.stdout.flush()
    finally:
        sys.stdout.flush()


def redacted(lines: Iterable[bytes], redactor: Redactor) -> Iterator[dict[str, Any]]:
    """The objects of the lines, redacted; empty lines are passed over.

    Raises:
        LineError: a line is no JSON object whose "text" is a string.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError as error:
            raise LineError(f"line {number}", "is no JSON", 'Write one object {"id": …, "text": …} a line') from error
        if not isinstance(item, dict) or not isinstance(item.get("text"), str):
            raise LineError(f"line {number}", "has no text", 'Write one object {"id": …, "text": …} a line')
        text = item["text"]
        yield {**redactor.redact_json(item | {"text": ""}), "text": redactor.redact(text)}


def _parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog="python -m utils.redact",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


if __name__ == "__main__":
    sys.exit(main())
