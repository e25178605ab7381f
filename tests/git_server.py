"""A git server for tests: `git http-backend` behind the standard library's HTTP server, with basic auth."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PLAIN = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
WHO = {f"GIT_{role}_{what}": "person" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass
class GitServer:
    """A bare repository and the server in front of it.

    Args:
        folder: of the repository.
        token: that it takes.
        url: of the repository.
        asked: method, path and Authorization header of every request.
        meddle: called with the path of every request before it is answered.
        cut: how many bytes of an answer to a push or fetch are sent before the connection is cut; None sends all.
    """

    folder: Path
    token: str
    url: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    meddle: Callable[[str], None] = lambda _path: None
    cut: int | None = None

    def git(self, *arguments: str, data: str = "") -> str:
        """What a person does in the repository itself."""
        ended = subprocess.run(
            ["git", "--git-dir", str(self.folder), *arguments],
            env=PLAIN | WHO,
            input=data,
            capture_output=True,
            text=True,
            check=True,
        )
        return ended.stdout.strip()

    def tip(self, branch: str = "angles-backup") -> str:
        """The newest commit of a branch; empty where there is none."""
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def commits(self, branch: str = "angles-backup") -> list[str]:
        """The titles of a branch's commits, the newest first."""
        return self.git("log", "--format=%s", branch, "--").splitlines() if self.tip(branch) else []

    def files(self, branch: str = "angles-backup") -> dict[str, str]:
        """The texts of a branch's newest commit, without the line end at their end."""
        return {path: data.decode(errors="replace").strip() for path, data in self.contents(branch).items()}

    def contents(self, branch: str = "angles-backup") -> dict[str, bytes]:
        """The files of a branch's newest commit."""
        paths = self.git("ls-tree", "-r", "--name-only", branch).splitlines()
        command = ["git", "--git-dir", str(self.folder), "cat-file", "--batch"]
        asked = "".join(f"{branch}:{path}\n" for path in paths).encode()
        said = io.BytesIO(subprocess.run(command, env=PLAIN, input=asked, capture_output=True, check=True).stdout)
        found = {}
        for path in paths:
            found[path] = said.read(int(said.readline().split()[2]))
            said.read(1)
        return found

    def put(
        self, files: dict[str, str | bytes | None], branch: str = "angles-backup", *, onto: str | None = None
    ) -> str:
        """A person commits files (None removes one) on a branch, or elsewhere with `onto`; answers the commit."""
        parent = self.tip(branch) if onto is None else onto
        lines: list[bytes] = [f"commit refs/heads/{branch}\ncommitter p <p@x> 1700000000 +0000\ndata 1\nx\n".encode()]
        lines += [f"from {parent}\n".encode()] if parent else []
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            lines.append(
                f"D {path}\n".encode()
                if data is None
                else b"M 100644 inline %b\ndata %d\n%b\n" % (path.encode(), len(data), data)
            )
        command = ["git", "--git-dir", str(self.folder), "fast-import", "--quiet", "--force"]
        subprocess.run(command, env=PLAIN, input=b"".join(lines), capture_output=True, check=True)
        return self.tip(branch)

    def hook(self, name: str, script: str) -> Path:
        """Puts a hook in place."""
        path = self.folder / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def everything(self) -> bytes:
        """Every object of the repository, reachable or not, as text."""
        command = ["git", "--git-dir", str(self.folder), "cat-file", "--batch", "--batch-all-objects"]
        return subprocess.run(command, env=PLAIN, capture_output=True, check=True).stdout


@contextmanager
def serve(folder: Path, token: str) -> Iterator[GitServer]:
    """Serves a new bare repository until the block is left."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], env=PLAIN, check=True, capture_output=True)
    server = GitServer(folder, token)
    server.git("config", "http.receivepack", "true")
    with listening(_handler(server)) as port:
        server.url = f"http://127.0.0.1:{port}/{folder.name}"
        yield server


@contextmanager
def redirecting(to: str) -> Iterator[GitServer]:
    """A port that sends every request elsewhere, on the same host by another name; it notes what it was asked."""
    told = GitServer(Path(), "")

    class Handler(_Quiet):
        def answer(self) -> None:
            told.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
            self.send_response(301)
            self.send_header("Location", to + self.path.removeprefix("/moved"))
            self.send_header("Content-Length", "0")
            self.end_headers()

    with listening(Handler) as port:
        told.url = f"http://127.0.0.1:{port}/moved"
        yield told


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server of its own thread; yields its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(BaseHTTPRequestHandler):
    """A handler that logs nothing and treats all methods alike."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Answers a request."""

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def log_message(self, *_: object) -> None:
        pass


def _handler(server: GitServer) -> type[BaseHTTPRequestHandler]:
    class Handler(_Quiet):
        def answer(self) -> None:
            path, _, query = self.path.partition("?")
            server.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
            server.meddle(self.path)
            body = self._body()
            wanted = base64.b64encode(f"x-access-token:{server.token}".encode()).decode()
            if self.headers.get("Authorization") != f"Basic {wanted}":
                self._say(401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
                return
            head, content = self._backend(path, query, body)
            status = int(head.pop("Status", "200").split()[0])
            self._say(status, list(head.items()), content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _backend(self, path: str, query: str, body: bytes) -> tuple[dict[str, str], bytes]:
            env = PLAIN | {
                "GIT_PROJECT_ROOT": str(server.folder.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "person",
                "REMOTE_ADDR": "127.0.0.1",
            }
            said = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=False).stdout
            head, _, content = said.partition(b"\r\n\r\n")
            return dict(line.split(": ", 1) for line in head.decode().splitlines()), content

        def _say(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if server.cut is not None and self.command == "POST":
                self.wfile.write(content[: server.cut])
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()
                return
            self.wfile.write(content)

    return Handler
