"""The monitor's figures: a run in local mode, beside a bare interpreter; and one in which everything hangs.

python tests/bench/bench_health.py           both
python tests/bench/bench_health.py --runs 9  how many of each quick one
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHOLE_SECONDS = 20.0
HUNG = {
    "SUPABASE_URL": "http://{address}",
    "SUPABASE_KEY": "sb_secret_0123456789abcdef",
    "NOTION_TOKEN": "ntn_00000000000000000000000000000000",
    "NOTION_DATABASE_ID": "0123456789abcdef0123456789abcdef",
    "NOTION_BASE_URL": "http://{address}",
    "REPO_URL": "http://{address}/one.git",
    "GITHUB_TOKEN": "a-token-of-the-bench",
    "HEALTHCHECK_PING_URL": "http://{address}/ping",
}


def main() -> int:
    """Answers 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        home = Path(folder)
        bare = statistics.median(timed(home, ["-c", "pass"])[0] for _ in range(runs))
        well = statistics.median(timed(home, [str(ROOT / "backend_monitor.py")])[0] for _ in range(runs))
        print(f"bare interpreter {bare:.2f} s; a run in local mode {well:.2f} s, {well / bare:.1f} times that")
        seconds, told = hung(home, f"127.0.0.1:{server.getsockname()[1]}")
    down = [each["name"] for each in told["results"] if each["state"] == "down"]
    print(f"everything hanging {seconds:.1f} s of {WHOLE_SECONDS:.0f} s; down: {', '.join(down)}")
    return int(seconds >= WHOLE_SECONDS or not {"database", "rest-api", "notion", "github", "dashboard"} <= set(down))


def hung(home: Path, address: str) -> tuple[float, dict[str, list[dict[str, str]]]]:
    """A run against a server that takes connections and never says a word: vault, REST, Notion, git, page, pings."""
    host, port = address.split(":")
    kept = home / "logs" / "active" / "dashboard.json"
    kept.write_text(json.dumps({"host": host, "port": int(port), "pid": 1}), encoding="utf-8")
    env = {name: value.format(address=address) for name, value in HUNG.items()}
    seconds, said = timed(home, [str(ROOT / "backend_monitor.py"), "--heal", "--deep", "--json"], **env)
    return seconds, json.loads(said)


def timed(home: Path, arguments: Sequence[str], **env: str) -> tuple[float, str]:
    """How long an interpreter takes with these arguments, and what it says."""
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, *arguments],
        env={"PATH": os.environ["PATH"], "ANGLES_HOME": str(home), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return time.monotonic() - started, ended.stdout


if __name__ == "__main__":
    sys.exit(main())
