"""Notion's own OpenAPI document makes the requests, some of them spoilt, and judges the answers: none is a bug."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any, ClassVar

import pytest

from tests.local.conftest import RECORDED, Api, title
from utils.local.notion import Fault

DOCUMENT = RECORDED / "openapi-official-2026-03-11.json"
REQUESTS = 1200
JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e308,
    10**400,
    "",
    "\ud800",
    "\0",
    "x" * 2001,
    "🙂" * 1500,
    [],
    {},
    [[[]]],
    {"": None},
    "2026-02-30",
    "2026-01-01T25:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "s:00000000-0000-0000-0000-000000000000:00000000-0000-0000-0000-000000000000",
    "a,b",
    "title",
    "%",
    "'; DROP TABLE pages; --",
)

pytestmark = pytest.mark.skipif(not DOCUMENT.is_file(), reason=f"the OpenAPI document is not at {DOCUMENT}")


class Maker:
    """Makes values for schemas of the document out of one seed."""

    def __init__(self, document: Any, seed: int, words: dict[str, list[str]]) -> None:
        self.schemas = document["components"]["schemas"]
        self.random = random.Random(seed)
        self.words = words

    def value(self, schema: Any, name: str = "", depth: int = 0) -> Any:
        """A value that fits, or now and then one that does not."""
        if self.random.random() < 0.04:
            return self.random.choice(JUNK)
        if "$ref" in schema:
            return self.value(self.schemas[schema["$ref"].rpartition("/")[2]], name, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        for several in ("anyOf", "oneOf"):
            if several in schema and "properties" not in schema:
                return self.value(self.random.choice(schema[several]), name, depth)
        if "allOf" in schema:
            parts = [self.value(part, name, depth) for part in schema["allOf"]]
            return {key: one for part in parts if isinstance(part, dict) for key, one in part.items()}
        kind = schema.get("type", "object" if "properties" in schema else "string")
        return self._plain(self.random.choice(kind) if isinstance(kind, list) else kind, schema, name, depth)

    def _plain(self, kind: str, schema: Any, name: str, depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            room = 0 if depth > 6 else self.random.choice((0, 1, 1, 2, 3))
            return [self.value(schema.get("items", {}), name, depth + 1) for _ in range(room)]
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind in {"number", "integer"}:
            return self.random.choice((0, 1, 5, 100, 101, -3, 2.5))
        return None if kind == "null" else self._word(name)

    def _object(self, schema: Any, depth: int) -> Any:
        made = {}
        for key, inner in schema.get("properties", {}).items():
            if key in schema.get("required", ()) or (self.random.random() < 0.4 and depth < 8):
                made[key] = self.value(inner, key, depth + 1)
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            for _ in range(self.random.choice((0, 1, 2))):
                made[self._word("property")] = self.value(extra, "", depth + 1)
        return made

    def _word(self, name: str) -> str:
        known = self.words.get(name) or self.words["any"]
        return self.random.choice(known)


class Judge:
    """Says where a value is not what a schema of the document allows.

    As the recordings want it: `additionalProperties` is not read, and `oneOf` is `anyOf`.
    """

    TYPES: ClassVar[dict[str, Any]] = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "null": type(None),
        "number": (int, float),
        "integer": int,
    }

    PARTIAL: ClassVar[set[str]] = {
        f"#/components/schemas/partial{kind}ObjectResponse" for kind in ("Page", "DataSource", "Database")
    }
    """Forms of two keys that any object has: whole ones are what the sandbox answers."""

    def __init__(self, document: Any) -> None:
        self.schemas = document["components"]["schemas"]

    def unlike(self, schema: Any, value: Any, path: str = "$") -> str:
        """The first part that is wrong; empty where all is right."""
        if "$ref" in schema:
            return self.unlike(self.schemas[schema["$ref"].rpartition("/")[2]], value, path)
        if "const" in schema and value != schema["const"]:
            return f"{path}: {value!r} is not {schema['const']!r}"
        if "enum" in schema and value not in schema["enum"]:
            return f"{path}: {value!r} is none of {schema['enum']}"
        kinds = schema.get("type", [])
        allowed = [self.TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]
        if allowed and not any(isinstance(value, kind) for kind in allowed):
            return f"{path}: {value!r} is no {kinds}"
        several = [
            one for one in schema.get("anyOf") or schema.get("oneOf") or () if one.get("$ref") not in self.PARTIAL
        ]
        if several and all(self.unlike(one, value, path) for one in several):
            return f"{path}: {str(value)[:300]} is none of {len(several)} forms"
        parts = [self.unlike(one, value, path) for one in schema.get("allOf", ())]
        return next(filter(None, parts), "") or self._inside(schema, value, path)

    def _inside(self, schema: Any, value: Any, path: str) -> str:
        if isinstance(value, list):
            items = (self.unlike(schema.get("items", {}), one, f"{path}[{n}]") for n, one in enumerate(value))
            return next(filter(None, items), "")
        if not isinstance(value, dict):
            return ""
        lacking = [key for key in schema.get("required", ()) if key not in value]
        if lacking:
            return f"{path}: {lacking[0]} is missing"
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for key, one in value.items():
            inner = known.get(key, others if isinstance(others, dict) and not known else {})
            told = self.unlike(inner, one, f"{path}.{key}")
            if told:
                return told
        return ""


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, 503, 504])
def test_refusals_have_the_codes_and_the_form_of_the_openapi_document(status: int, api: Api) -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    api.sandbox.control.arm(Fault(status))
    found = api.raw("GET", "/users/me").json()
    assert Judge(document).unlike({"$ref": f"#/components/schemas/error_api_{status}"}, found) == ""


def test_no_request_of_the_openapi_document_meets_a_bug(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    page = api.make(api.everything, Name=title("One"))["id"]
    columns = [*api.get(f"/data_sources/{api.everything}")["properties"], "title", "Nope"]
    sandbox = api.sandbox
    words = {
        "any": ["One", "Two", "2026-01-02", "2026-01-02T03:04:05Z", "https://example.com", "x@example.com", page, ""],
        "property": columns,
        "page_id": [page],
        "database_id": [sandbox.everything_id, sandbox.database_id],
        "data_source_id": [api.everything, api.source],
        "start": ["2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05+02:00"],
        "end": ["2026-01-03", "2026-01-02T03:04:06"],
        "time_zone": ["Europe/London", "Nowhere/At_all"],
        "content": ["Hello", "", "1, 2"],
    }
    maker, judge = Maker(document, 20260311, words), Judge(document)
    operations = [
        (method, path, one)
        for path, methods in document["paths"].items()
        for method, one in methods.items()
        if path.split("/")[2] in {"users", "databases", "data_sources", "pages", "search"}
        and method in {"get", "post", "patch"}
    ]
    statuses: Counter[int] = Counter()
    for number in range(REQUESTS):
        method, path, one = operations[number % len(operations)]
        for name in ("page_id", "database_id", "data_source_id", "user_id", "property_id"):
            path = path.replace("{" + name + "}", maker.random.choice([*words.get(name, words["any"]), "%20", "x"]))
        schema = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        body = json.dumps(maker.value(schema)).encode() if schema else None
        version = maker.random.choice(("2025-09-03", "2026-03-11"))
        headers = {"Notion-Version": version, "Content-Type": "application/json"}
        url = (
            api.sandbox.base_url
            + path
            + maker.random.choice(("", "?page_size=2&start_cursor=x", "?filter_properties=title"))
        )
        answer = api.http.request(method, url, content=body, headers=headers)
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, (method, path, body, sandbox.control.bugs())
        assert answer.json()["request_id"] == answer.headers["x-notion-request-id"]
        if answer.status_code == 200 and version == "2026-03-11":
            form = one["responses"]["200"]["content"]["application/json"]["schema"]
            assert judge.unlike(form, answer.json()) == "", (method, path, body)
        if number % 50 == 0:
            sandbox.control.person_restore(page)
    with capsys.disabled():
        print(f"\nNotion sandbox: {REQUESTS} fuzzed requests: {dict(sorted(statuses.items()))}", end="")
    assert statuses[200] > REQUESTS / 20
