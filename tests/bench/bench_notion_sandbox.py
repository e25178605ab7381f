"""How quick the Notion sandbox is with 10,000 pages in it: requests a second on one core, and each kind of request.

    python tests/bench/bench_notion_sandbox.py [--pages 10000]

The server runs in a process of its own, on one core where the system lets it be chosen, and this client on the rest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = {"Date": "date", "Type": "select", "Active": "checkbox", "Comment": "rich_text", "Decision ID": "rich_text"}


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=10_000)
    pages = parser.parse_args().pages
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "utils.local.notion", "--store", str(Path(folder) / "notion.db")]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(server.pid, {min(os.sched_getaffinity(0))})
            measure(printed(server), pages, psutil.Process(server.pid))
        finally:
            server.terminate()
            server.wait(10)
    return 0


def printed(server: subprocess.Popen[str]) -> dict[str, str]:
    """The variables that the command prints."""
    found = {}
    for line in server.stdout or ():
        if line.startswith("#"):
            break
        name, _, value = line.strip().partition("=")
        found[name] = value
    return found


def properties(number: int) -> dict[str, Any]:
    """One decision."""
    return {
        "Decision": {"title": [{"text": {"content": f"Decision {number} about something that matters"}}]},
        "Date": {"date": {"start": "2026-01-02"}},
        "Type": {"select": {"name": f"Type {number % 7}"}},
        "Active": {"checkbox": True},
        "Comment": {"rich_text": [{"text": {"content": "because " * 25}}]},
        "Decision ID": {"rich_text": [{"text": {"content": f"{number:032x}"}}]},
    }


def measure(variables: dict[str, str], pages: int, server: psutil.Process) -> None:
    """Fills the sandbox and times requests of each kind."""
    headers = {"Authorization": f"Bearer {variables['NOTION_TOKEN']}", "Notion-Version": "2026-03-11"}
    with httpx.Client(base_url=variables["NOTION_BASE_URL"] + "/v1", headers=headers, timeout=60) as client:

        def ask(method: str, path: str, body: Any = None) -> Any:
            answer = client.request(method, path, json=body)
            answer.raise_for_status()
            return answer.json()

        source = ask("GET", f"/databases/{variables['NOTION_DATABASE_ID']}")["data_sources"][0]["id"]
        ask("PATCH", f"/data_sources/{source}", {"properties": {name: {kind: {}} for name, kind in COLUMNS.items()}})
        began = time.perf_counter()
        for number in range(pages):
            ask("POST", "/pages", {"parent": {"data_source_id": source}, "properties": properties(number)})
        print(f"{pages} pages made: {(time.perf_counter() - began) / pages * 1000:.2f} ms each", flush=True)
        page = ask("POST", f"/data_sources/{source}/query", {"page_size": 1})["results"][0]["id"]
        kinds = requests_of(ask, source, page)
        for name, request in kinds.items():
            print(f"{name:<28} {timed(request):7.2f} ms", flush=True)
        mix = [kinds[name] for name in MIX]
        before = server.cpu_times()
        rate = 1000 / timed(lambda: [one() for one in mix]) * len(mix)
        after = server.cpu_times()
        busy = (after.user + after.system - before.user - before.system) / (TIMES + 1) / len(mix)
        print(f"a mix of {len(mix)} kinds: {rate:.0f} requests/s; {1 / busy:.0f} a second of the server's core")


TIMES = 50
"""How often a request is timed."""
MIX = ("schema", "nothing edited since", "the bin", "one page", "a page edited", "a page made", "one id looked up")
"""What a sync asks for, listings apart."""


def requests_of(ask: Callable[..., Any], source: str, page: str) -> dict[str, Callable[[], Any]]:
    """The kinds of requests by name."""
    query = f"/data_sources/{source}/query"
    since = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2199-01-01T00:00:00Z"}}
    hundred = [{"property": "Decision ID", "rich_text": {"equals": f"{number:032x}"}} for number in range(0, 1000, 10)]
    by_title = [{"property": "Decision", "direction": "ascending"}]
    return {
        "schema": lambda: ask("GET", f"/data_sources/{source}"),
        "nothing edited since": lambda: ask("POST", query, {"filter": since}),
        "the bin": lambda: ask("POST", query, {"in_trash": True}),
        "one page": lambda: ask("GET", f"/pages/{page}"),
        "a page edited": lambda: ask("PATCH", f"/pages/{page}", {"properties": {"Active": {"checkbox": False}}}),
        "a page made": lambda: ask(
            "POST", "/pages", {"parent": {"data_source_id": source}, "properties": properties(1)}
        ),
        "one id looked up": lambda: ask("POST", query, {"filter": hundred[0]}),
        "100 ids looked up": lambda: ask("POST", query, {"filter": {"or": hundred}}),
        "100 pages listed": lambda: ask("POST", query, {"page_size": 100}),
        "100 pages sorted by title": lambda: ask("POST", query, {"page_size": 100, "sorts": by_title}),
    }


def timed(request: Callable[[], Any]) -> float:
    """The mean of many calls, in milliseconds."""
    request()
    began = time.perf_counter()
    for _ in range(TIMES):
        request()
    return (time.perf_counter() - began) / TIMES * 1000


if __name__ == "__main__":
    sys.exit(main())
