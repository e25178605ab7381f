"""Prints the figures of intake: messages a second, peak memory, decisions written. No test: nothing here fails.

    python tests/bench/bench_intake.py                    100,000 messages, a ChatGPT export of 200 MB
    python tests/bench/bench_intake.py --messages 10000   a smaller one
    python tests/bench/bench_intake.py --supabase         through Supabase's REST API instead of PostgreSQL

Each line is a child process over the same file: reading it, reading it and looking for decisions, and memory_sync.py
--process, which also writes the vault (an embedded PostgreSQL), once when all is new and again when all is known.
Seconds are from its start to its exit, of the clock and of the processor; memory is the peak of its resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import supabase_lite  # noqa: E402
from tests.bench.bench_sync import Ran, filled, run  # noqa: E402
from utils.local.postgres import scratch  # noqa: E402

CONVERSATION = 100
"""Messages of a conversation."""

SIGNS = 1_500
"""About how long a message is."""

STATED = 5
"""One of so many answers states a decision."""

WORDS = (
    "the a of and to in for with that this service team customer report data plan index cache review budget week value "
    "because option latency module result sample contract question answer draft figure source region model window "
    "should could might perhaps option compare measure describe explain remember consider small large early simple"
)
THINGS = "queue ledger gateway mirror parser catalog billing search export archive login profile calendar"
READ = "import sys; from pathlib import Path; from utils.intake.formats import read; from utils.intake import rules; "
ALONE = READ + "print(sum(1 for _ in read(Path(sys.argv[1]), 'x')))"
FOUND = READ + "print(sum(len(rules.find(each)) for each in read(Path(sys.argv[1]), 'x') if hasattr(each, 'role')))"


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--supabase", action="store_true", help="reach the vault by Supabase's REST API")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        export = folder / "conversations.json"
        write(export, options.messages)
        print(f"{options.messages:,} messages, {export.stat().st_size / 1e6:.0f} MB")
        env = {"PATH": os.environ["PATH"], "ANGLES_HOME": name, "PYTHONPATH": str(ROOT)}
        bare = told("read", [sys.executable, "-c", ALONE, str(export)], env, options.messages).seconds
        told("read and look for decisions", [sys.executable, "-c", FOUND, str(export)], env, options.messages, bare)
        env["DATABASE_URL"] = filled(stack.enter_context(scratch(folder)), 0)
        if options.supabase:
            project = stack.enter_context(supabase_lite.serve(env["DATABASE_URL"], folder))
            env |= {"SUPABASE_URL": project.url, "SUPABASE_KEY": project.secret}
        for when in ("all new", "all known"):
            command = [sys.executable, str(ROOT / "memory_sync.py"), "--process", str(export), "--json"]
            ran = told(f"--process, {when}", command, env, options.messages, bare)
            print("    " + ", ".join(f"{ran.said[name]:,} {name}" for name in ("taken", "review", "known")))


def told(what: str, command: list[str], env: Mapping[str, str], messages: int, bare: float = 0) -> Ran:
    """Runs a child process and prints a line about it."""
    before = os.times()
    ran = run(command, env)
    after = os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    ratio = f", {ran.seconds / bare:.2f} times reading alone" if bare else ""
    print(
        f"{what}: {ran.seconds:.1f} s, {messages / ran.seconds:,.0f} messages/s, {busy:.1f} s of a processor "
        f"({messages / busy:,.0f} messages/s), {ran.megabytes:.0f} MB{ratio}"
    )
    return ran


def write(path: Path, messages: int) -> None:
    """A ChatGPT export with so many messages, a fifth of its answers stating a decision of their own."""
    chance = random.Random(6)
    with path.open("w", encoding="utf-8") as out:
        out.write("[")
        for number in range(0, messages, CONVERSATION):
            out.write(",\n" if number else "")
            json.dump(conversation(chance, number, min(CONVERSATION, messages - number)), out)
        out.write("]")


def conversation(chance: random.Random, first: int, count: int) -> dict[str, Any]:
    """A conversation as the export has it: a tree of messages that is one branch."""
    said = [(str(uuid.UUID(int=chance.getrandbits(128))), text) for text in texts(chance, first, count)]
    parents = [None, *(each for each, _ in said)]
    mapping: dict[str, Any] = {
        each: {"id": each, "parent": parent, "children": [], "message": message(each, text, place)}
        for place, ((each, text), parent) in enumerate(zip(said, parents, strict=False))
    }
    title = f"Talk {first}"
    return {"title": title, "create_time": 1.75e9 + first, "mapping": mapping, "current_node": said[-1][0]}


def message(each: str, text: str, place: int) -> Mapping[str, Any]:
    """One message, of a person and of the assistant in turn."""
    role = "assistant" if place % 2 else "user"
    return {
        "id": each,
        "author": {"role": role},
        "create_time": 1.75e9 + place,
        "content": {"content_type": "text", "parts": [text]},
        "metadata": {"model_slug": "gpt-4o"} if place % 2 else {},
    }


def texts(chance: random.Random, first: int, count: int) -> Iterator[str]:
    """What the messages say."""
    usual = WORDS.split()
    for number in range(first, first + count):
        words: list[str] = []
        while len(words) * 6 < SIGNS:
            sentence = chance.choices(usual, k=chance.randint(6, 16))
            words += [sentence[0].capitalize(), *sentence[1:-1], f"{sentence[-1]}."]
        if number % 2 and number % (2 * STATED) == 1:
            thing, other = chance.choices(THINGS.split(), k=2)
            stated = f"We decided to move the {thing} to the {other} cluster number {number}, because it is simpler."
            yield f"{' '.join(words[:80])}\n\n{stated}\n\n{' '.join(words[80:])}"
        else:
            yield " ".join(words)


if __name__ == "__main__":
    main()
