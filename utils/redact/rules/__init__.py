"""The rules: each looks at one place of a text, where its mark stands, and tells what is secret there.

A file a kind of place: `assigned` (name and value), `under` (the lines below a name), `web`, `keys`, `commands`,
`files`, `prose`; the tokens that tell themselves by their shape are a table in `utils/redact/tokens.py`.
"""

from __future__ import annotations

from utils.redact import names, tokens
from utils.redact.finding import NOTHING, Finding, Rule
from utils.redact.rules import assigned, commands, files, keys, prose, web

__all__ = ["NOTHING", "VAGUE", "Finding", "Rule", "by_mark"]

VAGUE = {"secret": 0, "key": 0, "cookie": 0, "signature": 0, "password": 1, "authorization": 2}
"""The kinds that say where a secret stood, not whose it is: the more, the higher."""


def by_mark() -> dict[str, tuple[tuple[int, Rule], ...]]:
    """The rules by the mark that calls them, each with a number of its own; marks are in lower case."""
    rules: list[tuple[tuple[str, ...], Rule]] = [((row.mark,), tokens.rule(row)) for row in tokens.rows()]
    rules += [(names.NAME_MARKS, assigned.assignment), *web.RULES, *keys.RULES, *commands.RULES, *files.RULES]
    rules += prose.RULES
    called: dict[str, list[tuple[int, Rule]]] = {}
    for number, (marks, rule) in enumerate(rules):
        for mark in marks:
            called.setdefault(mark, []).append((number, rule))
    return {mark: tuple(each) for mark, each in called.items()}
