"""Prints how fast text is redacted, beside the same rules without their prefilter and beside a naive alternation.

    python tests/bench/bench_redact.py [--megabytes 4] [--rounds 3]

"Ordinary" text is this project's own files; "dense" text is the tests' clean lines, every one of which is there because
it looks like a secret, with a secret in every fiftieth. All ways take it in turn, round by round; figures are medians,
the slow ways take a fiftieth of the text.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import secret_corpus  # noqa: E402
from utils.redact import Redactor, redactor, tokens  # noqa: E402


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    maker = secret_corpus.Maker(1)
    known = [maker.made("{A32}") for _ in range(20)]
    size = int(options.megabytes * 1e6)
    text, ordinary = made(maker, size), project(size)
    lines, small = ordinary.splitlines(), ordinary[: size // 50]
    many, none = Redactor(known), Redactor()
    naive = re.compile("|".join(f"(?:{row.pattern})" for row in tokens.rows()), re.ASCII)
    ways: dict[str, tuple[str, Callable[[], object]]] = {
        "ordinary text": (ordinary, lambda: none.redact(ordinary)),
        "with 20 configured values": (ordinary, lambda: many.redact(ordinary)),
        "line by line": (ordinary, lambda: [none.redact(line) for line in lines]),
        "dense text": (text, lambda: none.redact(text)),
        "without Aho-Corasick": (small, lambda: plainly(small)),
        "naive alternation, tokens only": (small, lambda: naive.sub("", small)),
    }
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds + 1):
        for name, (what, way) in ways.items():
            started = time.process_time()
            way()
            speeds[name].append(len(what) / 1e6 / (time.process_time() - started))
    fastest = statistics.median(speeds["ordinary text"][1:])
    for name, found in speeds.items():
        median = statistics.median(found[1:])
        print(f"{name:32} {median:8.2f} MB/s  {median / fastest:6.3f} of the first")
    started = time.process_time()
    redactor._rules.cache_clear()
    Redactor(known).redact("a line")
    print(f"the first line of a process      {(time.process_time() - started) * 1000:8.2f} ms")


def made(maker: secret_corpus.Maker, size: int) -> str:
    """Text of about so many signs."""
    secrets = [case.text for case in secret_corpus.corpus(1)]
    lines: list[str] = []
    length = 0
    while length < size:
        for number, line in enumerate(secret_corpus.clean(maker.random.randrange(10**6))):
            lines.append(line if number % 50 else maker.random.choice(secrets))
            length += len(lines[-1]) + 1
    return "\n".join(lines)


def project(size: int) -> str:
    """The project's own text, as often as it takes."""
    files = [*ROOT.glob("*.md"), *ROOT.glob("*.py"), *ROOT.glob("utils/**/*.py"), *ROOT.glob("supabase/**/*.sql")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(files))
    return (text * (size // len(text) + 1))[:size]


def plainly(text: str) -> str:
    """Redacts where the compiled package is missing."""
    sys.modules["ahocorasick"] = None  # type: ignore[assignment]
    redactor._rules.cache_clear()
    try:
        return Redactor().redact(text)
    finally:
        del sys.modules["ahocorasick"]
        redactor._rules.cache_clear()


if __name__ == "__main__":
    main()
