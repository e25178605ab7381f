"""Supabase's Management API for tests: executes SQL on a real PostgreSQL, answers in its form, fails when told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
from psycopg.rows import dict_row

TOKEN = "sbp_0123456789abcdef0123456789abcdef01234567"
PROJECT = "abcdefghijklmnopqrst"


@dataclass(frozen=True)
class Fault:
    """One answer that is not the usual one.

    Args:
        status: 0 cuts the connection without an answer.
        done: whether the query is executed nevertheless.
    """

    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    done: bool = False


@dataclass
class Api:
    """A running API: `faults` are used up one a request; `queries` are those that came."""

    dsn: str
    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)


@contextmanager
def serve(dsn: str) -> Iterator[Api]:
    """Serves a database on 127.0.0.1 until the block is left."""
    api = Api(dsn)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["query"]
            api.queries.append(query)
            fault = api.faults.pop(0) if api.faults else None
            if fault is None or fault.done:
                status, body = self._usual(query)
            if fault is not None:
                status, body = fault.status, fault.body
            if status == 0:
                self.close_connection = True
                return
            sent = body if isinstance(body, bytes) else json.dumps(body, default=str).encode()
            self.send_response(status)
            for name, value in {**api.headers, **(fault.headers if fault else {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def _usual(self, query: str) -> tuple[int, Any]:
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                return 401, {"message": "Unauthorized"}
            if self.path != f"/v1/projects/{PROJECT}/database/query":
                return 404, {"message": f"Cannot POST {self.path}"}
            return execute(api.dsn, query)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def execute(dsn: str, query: str) -> tuple[int, Any]:
    """What the API answers to a query: status and body."""
    found: list[dict[str, Any]] = []
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row, application_name="mgmt-api") as connection:
        try:
            cursor = connection.execute(query.encode())
            for result in cursor.results():
                found = (result.fetchall() if result.description else []) or found
        except psycopg.Error as error:
            return 400, {"message": f"Failed to run sql query: {_formatted(error, query)}"}
    return 201, found


def _formatted(error: psycopg.Error, query: str) -> str:
    diag = error.diag
    text = f"ERROR:  {diag.sqlstate}: {diag.message_primary}"
    for position, of in ((diag.statement_position, query), (diag.internal_position, diag.internal_query)):
        if position and of:
            number = of.count("\n", 0, int(position) - 1)
            text += f"\nLINE {number + 1}: {of.splitlines()[number]}\n        ^"
    return text + (f"\nCONTEXT:  {diag.context}" if diag.context else "")
