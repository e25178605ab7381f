"""Takes secrets out of text and JSON: the configured ones in every form, and others by their shape or name.

A secret becomes `[REDACTED:kind]`; the text around it stays. `redact` and `redact_json` know the secrets of the
environment and of `.env`; a `Redactor` knows those it is given. As a filter: `python -m utils.redact` (see its help).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from utils.redact.finding import Finding
from utils.redact.redactor import CONFIGURED, SHORTEST_SECRET, Redactor

__all__ = ["CONFIGURED", "SHORTEST_SECRET", "Finding", "Redactor", "redact", "redact_json"]


def redact(text: str) -> str:
    """The text with `[REDACTED:kind]` for each secret."""
    return configured().redact(text)


def redact_json(value: Any) -> Any:
    """A copy of a JSON value, with `[REDACTED:kind]` for each secret."""
    return configured().redact_json(value)


@cache
def configured() -> Redactor:
    """The redactor that knows the secrets of the environment and of `.env`, as they were at its first use."""
    from utils import config
    from utils.errors import ConfigError

    try:
        env = config.environment()
    except ConfigError:
        env = config.environment_without_file()
    return Redactor(config.secrets_of(env))
