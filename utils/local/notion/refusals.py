"""How the sandbox says no: Notion's status, code and wording."""

from __future__ import annotations

import json
from typing import Any

CODES = {
    400: "validation_error",
    401: "unauthorized",
    403: "restricted_resource",
    404: "object_not_found",
    409: "conflict_error",
    429: "rate_limited",
    500: "internal_server_error",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "gateway_timeout",
    529: "service_overload",
}
MESSAGES = {
    409: "Conflict occurred while saving. Please try again.",
    429: "You have been rate limited. Please try again in a few minutes.",
    500: "Unexpected error occurred.",
    502: "Bad gateway.",
    503: "Notion is unavailable. Please try again later.",
    504: "Notion took too long to respond. Please try again later.",
    529: "Notion is overloaded. Please try again later.",
}


class RefusalError(Exception):
    """An answer that is no 200. `extra` becomes `additional_data`, `retry_after` (whole seconds) a header."""

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        code: str = "",
        extra: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.status = status
        self.code = code or CODES.get(status, "internal_server_error")
        self.message = message or MESSAGES.get(status, self.code)
        self.extra = extra
        self.retry_after = retry_after
        super().__init__(self.message)

    def body(self, request_id: str) -> dict[str, Any]:
        """Notion's error object."""
        found: dict[str, Any] = {
            "object": "error",
            "status": self.status,
            "code": self.code,
            "message": self.message,
        }
        if self.extra is not None:
            found["additional_data"] = self.extra
        return {**found, "request_id": request_id}


def invalid(message: str) -> RefusalError:
    """A 400 `validation_error` in Notion's own words."""
    return RefusalError(400, message)


def malformed(path: str, wanted: str, value: object) -> RefusalError:
    """A 400 that says what a part of the body should have been; `path` begins with `body`, `path` or `query`."""
    return invalid(
        f"{path.split('.', 1)[0]} failed validation: {path} should be {wanted}, instead was `{shown(value)}`."
    )


def shown(value: object) -> str:
    """A value as Notion's messages quote it, shortened."""
    text = "undefined" if value is ... else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:200] + "..."


def not_found(kind: str, object_id: str, bot: str, bot_id: str) -> RefusalError:
    """404: `kind` is page, database, data_source, user or property."""
    if kind == "user":
        told = (
            "Make sure your integration has capabilities to read user information. With those capabilities, only "
            "members and guests in the integration's workspace are visible."
        )
    else:
        told = f'Make sure the relevant pages and databases are shared with your integration "{bot}".'
    return RefusalError(404, f"Could not find {kind} with ID: {object_id}. {told}", extra={"integration_id": bot_id})
