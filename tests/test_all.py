"""Runs all tests, from any working directory; arguments go to pytest (`-k name`, `--long`, `-n 0` for one process)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # not tests/, whose folder schedule/ would hide the library of that name
PROCESSES_AT_MOST = 4


def main() -> int:
    """Answers pytest's exit code."""
    processes = min(PROCESSES_AT_MOST, (os.cpu_count() or 1) + 1)  # some wait, for a slot's time or a child's end
    given = ["-n", str(processes), "--dist", "worksteal", *sys.argv[1:]]
    return int(pytest.main(["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), str(ROOT / "tests"), *given]))


if __name__ == "__main__":
    sys.exit(main())
