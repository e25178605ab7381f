"""One host for a slot: claims in the database, by its clock, with a fence.

Every host asks for every slot of a shared job until that is settled: so whoever is alive takes over what a dead holder
left. A run may so be begun twice, and jobs bear that; a slot is settled once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from utils.errors import ServiceError
from utils.schedule.jobs import Job
from utils.stores.base import Transport

_log = logging.getLogger(__name__)

TTL_SECONDS = 90.0
"""How long a claim lasts after the last sign of life of its holder."""


@dataclass(frozen=True)
class Claim:
    """A slot that is ours: `attempt` is the number of this run, over all hosts."""

    job: str
    slot: datetime
    fence: int
    attempt: int

    def json(self) -> dict[str, Any]:
        """As the functions take it."""
        return {**vars(self), "slot": self.slot.isoformat()}


@dataclass(frozen=True)
class Taken:
    """A slot that is not ours: `state` is how it stands, `holder` who has or had it."""

    state: str
    holder: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be done."""
        return self.state in {"done", "failed"}


@dataclass(frozen=True)
class Claims:
    """The claims of one host. Every call may raise ServiceError where the database is not to be reached."""

    transport: Transport
    holder: str
    ttl: float = TTL_SECONDS

    def claim(self, job: Job, slot: datetime) -> Claim | Taken:
        """Asks for a slot; the answer may be an earlier one, whose holder is dead."""
        asked = {"job": job.name, "slot": slot.isoformat(), "holder": self.holder, "ttl": self.ttl}
        answer: Mapping[str, Any] = self.transport.call("job_claim", {**asked, "grace": job.grace.total_seconds()})
        if answer["granted"]:
            return Claim(job.name, datetime.fromisoformat(answer["slot"]), answer["fence"], answer["attempt"])
        return Taken(answer["state"] or "running", answer.get("holder") or "")

    def keep(self, claim: Claim) -> bool:
        """Says that we are alive; false when the slot was taken over."""
        answer: Mapping[str, Any] = self.transport.call("job_keep", {**claim.json(), "ttl": self.ttl})
        return bool(answer["held"])

    def settle(self, claim: Claim, state: str, outcome: str) -> bool:
        """Settles a slot as `done` or `failed`, or gives it back as `running`; false when it is no longer ours."""
        payload = {**claim.json(), "state": state, "outcome": outcome}
        answer: Mapping[str, Any] = self.transport.call("job_settle", payload)
        return bool(answer["held"])


@dataclass
class Keeper:
    """Keeps a claim while its slot is being run."""

    claims: Claims | None
    claim: Claim | None
    lost: bool = False
    kept: float = field(default_factory=time.monotonic)

    @property
    def every(self) -> float:
        """Seconds between two signs of life."""
        return self.claims.ttl / 3 if self.claims and self.claim else float("inf")

    def look(self) -> str:
        """Keeps the claim, if it is time; why its run should end, or ''."""
        if self.claims and self.claim and not self.lost and time.monotonic() - self.kept >= self.every:
            self.kept = time.monotonic()
            try:
                self.lost = not self.claims.keep(self.claim)
            except ServiceError as error:
                _log.info("%s: its claim is not kept: %s", self.claim.job, error)
        return "taken over by another host" if self.lost else ""
