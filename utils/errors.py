"""The errors that a person may meet: each knows where, what, what to do, and the exit code it ends a script with."""

from __future__ import annotations

from typing import ClassVar

OK = 0
PROBLEMS = 1
USAGE = 2
UNAVAILABLE = 3
REFUSED = 4
BUG = 70
BUSY = 75
INTERRUPTED = 130

MEANINGS = {
    OK: "done",
    PROBLEMS: "done with problems",
    USAGE: "configuration",
    UNAVAILABLE: "service unavailable",
    REFUSED: "refused",
    BUG: "bug",
    BUSY: "busy",
    INTERRUPTED: "interrupted",
}
"""The exit codes in words."""


class AnglesError(Exception):
    """A failure that is no bug. `str()` is the one line shown to the user.

    Args:
        where: the service, file or option concerned, such as ``notion`` or ``DATABASE_URL``.
        what: what is wrong there, without a full stop.
        remedy: what to do next, a sentence without a full stop; may be empty.
    """

    exit_code: ClassVar[int] = PROBLEMS

    def __init__(self, where: str, what: str, remedy: str = "") -> None:
        self.where, self.what, self.remedy = where, what, remedy
        super().__init__(f"{where}: {what}." + (f" {remedy}." if remedy else ""))

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines to show; one, unless several things are wrong at once."""
        return (str(self),)


class ConfigError(AnglesError):
    """Usage or configuration is wrong: nothing was attempted."""

    exit_code = USAGE


class ServiceError(AnglesError):
    """A service cannot be reached, refuses the credentials, or failed for good."""

    exit_code = UNAVAILABLE


class SafetyError(AnglesError):
    """A safety brake refused to go on; nothing was written."""

    exit_code = REFUSED


class BusyError(AnglesError):
    """Another run holds the lock."""

    exit_code = BUSY
