"""Runs all tests, from any working directory; arguments go to pytest (`-k name`, `--long`)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Answers pytest's exit code."""
    return int(
        pytest.main(["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), str(ROOT / "tests"), *sys.argv[1:]])
    )


if __name__ == "__main__":
    sys.exit(main())
