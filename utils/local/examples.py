"""A few decisions for a newcomer's empty vault. Their ids are fixed, so that adding them twice adds nothing."""

from __future__ import annotations

import uuid
from typing import Any

_NAMESPACE = uuid.UUID("0c4a1f7e-8d52-5b7a-9a55-3a4f6f1d2b90")

_EXAMPLES: tuple[tuple[str, str, str, bool, str | None], ...] = (
    ("Keep every decision in one vault", "2026-01-12", "strategy", True, "One place to look; Notion is its window."),
    (
        "PostgreSQL on Supabase holds the vault",
        "2026-01-15",
        "architecture",
        True,
        "Transactions, triggers, row locks.",
    ),
    ("People read and edit decisions in Notion", "2026-01-19", "process", True, None),
    ("A page in the bin retires its decision, it never deletes it", "2026-02-02", "process", True, None),
    (
        "Back up to GitHub every night, without a secret in it",
        "2026-02-09",
        "security",
        True,
        "Restore is tested weekly.",
    ),
    ("Assistants say who they are in every output", "2026-02-23", "ethical", True, "Answers must be traceable."),
    ("Ship a weekly digest of new decisions", "2026-03-02", "product", True, "Überblick für alle · 毎週 · 🗓️"),
    ("Use a shared spreadsheet for decisions", "2025-11-03", "process", False, "Replaced by the vault."),
)


def examples() -> list[dict[str, Any]]:
    """The decisions, as `Vault.add` takes them."""
    return [
        {
            "id": str(uuid.uuid5(_NAMESPACE, decision)),
            "decision": decision,
            "date": date,
            "type": kind,
            "active": active,
            "comment": comment,
        }
        for decision, date, kind, active, comment in _EXAMPLES
    ]
