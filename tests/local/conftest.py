"""What the tests of the Notion sandbox share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from utils.local.notion import Sandbox, serve

RECORDED = Path(__file__).resolve().parents[2].parent / "shared" / "notion"
VERSION = "2026-03-11"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A new sandbox of the test's own; a bug of its own fails the test."""
    with serve(tmp_path / "notion.db") as running:
        yield running
        assert running.control.bugs() == []


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    """A client that speaks plain HTTP, so that the sandbox's answers are seen as they are."""
    with Api(sandbox) as client:
        yield client


class Api:
    """Requests with the right token and version; `source` and `everything` are the ids of both data sources."""

    def __init__(self, sandbox: Sandbox, version: str = VERSION) -> None:
        self.sandbox = sandbox
        headers = {"Authorization": f"Bearer {sandbox.token}", "Notion-Version": version}
        self.http = httpx.Client(base_url=sandbox.base_url + "/v1", headers=headers, timeout=30)

    def __enter__(self) -> Api:
        self.source = self._source(self.sandbox.database_id)
        self.everything = self._source(self.sandbox.everything_id)
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def _source(self, database_id: str) -> str:
        return str(self.get(f"/databases/{database_id}")["data_sources"][0]["id"])

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """An answer as it came."""
        return self.http.request(method, path, json=body, headers=headers)

    def get(self, path: str) -> Any:
        """The JSON of a GET that must succeed."""
        return self._good(self.raw("GET", path))

    def post(self, path: str, body: Any) -> Any:
        """The JSON of a POST that must succeed."""
        return self._good(self.raw("POST", path, body))

    def patch(self, path: str, body: Any) -> Any:
        """The JSON of a PATCH that must succeed."""
        return self._good(self.raw("PATCH", path, body))

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        """Status, code and message of a refusal."""
        answer = self.raw(method, path, body)
        found = answer.json()
        assert found["object"] == "error", found
        return answer.status_code, found["code"], found["message"]

    def make(self, source: str | None = None, **properties: Any) -> Any:
        """A new page; values as the API takes them, without the type key for a text: a plain string is a title."""
        return self.post("/pages", {"parent": {"data_source_id": source or self.source}, "properties": properties})

    def query(self, source: str | None = None, **body: Any) -> Any:
        """A query's answer."""
        return self.post(f"/data_sources/{source or self.source}/query", body)

    def ids(self, source: str | None = None, **body: Any) -> list[str]:
        """The ids that a query gives."""
        return [one["id"] for one in self.query(source, **body)["results"]]

    @staticmethod
    def _good(answer: httpx.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()


def title(text: str) -> dict[str, Any]:
    """A title's value."""
    return {"title": [{"text": {"content": text}}]}


def text(content: str) -> dict[str, Any]:
    """A rich text's value."""
    return {"rich_text": [{"text": {"content": content}}]}
