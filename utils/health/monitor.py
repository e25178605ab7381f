"""A round of the monitor: what it looks at, what it mends, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from utils import state
from utils.errors import AnglesError, ConfigError
from utils.health import alerts, checks, heal, remote, run, store, wounds
from utils.health.checks import Check
from utils.health.firing import Event
from utils.health.ground import Ground
from utils.health.heal import Action, Healed
from utils.health.model import Result, State
from utils.stores.base import Activity

Redact = Callable[[str], str]


def chosen(names: Sequence[str], *, deep: bool) -> list[Check]:
    """The checks of these names or components, all without one; those of the siblings with `deep`, or by name.

    Raises:
        ConfigError: there is none of a name.
    """
    every = [*checks.CHECKS, *checks.DEEP_CHECKS]
    known = dict.fromkeys([each.name for each in every] + [each.component for each in every])
    if strange := [name for name in names if name not in known]:
        raise ConfigError(f"--check {strange[0]}", "there is no such check", f"There are: {', '.join(sorted(known))}")
    if names:
        return [each for each in every if each.name in names or each.component in names]
    return every if deep else list(checks.CHECKS)


def look(ground: Ground, wanted: Sequence[Check], *, spent: float = 0.0) -> list[Result]:
    """The results of checks; what hangs from an earlier round is not asked again.

    Args:
        ground: what the probes see.
        wanted: the checks.
        spent: seconds of the whole that are gone already.
    """
    probes = {**checks.PROBES, **checks.DEEP_PROBES}
    return run.run_checks(wanted, probes, ground, busy=run.hanging(), whole=run.WHOLE_SECONDS - spent)


def mend(ground: Ground, results: Sequence[Result], *, dry_run: bool) -> list[Healed]:
    """Mends what is certainly broken.

    Raises:
        BusyError: another one is at it. AnglesError: neither lock nor state can be used.
    """
    return heal.heal(ground.home, _actions(ground, results), ground.now, _record(ground, results), dry_run=dry_run)


def again(ground: Ground, results: Sequence[Result], healed: Sequence[Healed]) -> list[Result]:
    """The results, those that mending may have changed looked at once more."""
    mended = {each.action for each in healed if each.outcome == "mended"}
    names = {name for action in _actions(ground, results) if action.name in mended for name in action.checks}
    stale = [check for check in checks.CHECKS if check.name in names]
    if not stale:
        return list(results)
    new = {result.name: result for result in look(ground, stale)}
    return [new.get(result.name, result) for result in results]


def keep(ground: Ground, results: Sequence[Result], document: dict[str, Any]) -> None:
    """Leaves the document and the history, and a copy of the state.

    Raises:
        AnglesError: they cannot be written.
    """
    store.save(ground.home, document)
    with state.open_state(ground.home / state.STATE_FILE) as db:
        store.keep(db, results, ground.now)
        store.copy(ground.home, db, ground.now)


def tell(ground: Ground, results: Sequence[Result], healed: Sequence[Healed] | None, redact: Redact) -> None:
    """Observes what was found, and has it told.

    Args:
        ground: where it was found.
        results: of all checks; what is unknown is neither well nor failing.
        healed: None where nothing was to be mended.
        redact: takes the secrets out of a text.

    Raises:
        AnglesError: the state cannot be written.
    """
    seen = [_event(result, ground.now) for result in results if result.state is not State.UNKNOWN]
    if healed is not None:
        seen += heal.events([action.name for action in _actions(ground, results)], healed, ground.now)
    alerts.observe(ground.home, ground.health.alerts, seen, redact)
    alerts.send(ground.home)


def _event(result: Result, now: datetime) -> Event:
    """A result as alerts see it. What is no longer looked at fails no longer, and that is said."""
    at_once = any(check.at_once for check in checks.CHECKS if check.name == result.name)
    told = {State.DOWN: result.finding.fact, State.SKIPPED: f"it is skipped now: {result.finding.fact}"}
    failing = result.state is State.DOWN
    return Event(result.name, not failing, now, told.get(result.state, ""), result.finding.hint, at_once=at_once)


def _actions(ground: Ground, results: Sequence[Result]) -> Iterator[Action]:
    """Everything that can be mended; what needs the vault only where that answers."""
    yield wounds.missing_folders(ground.home)
    yield wounds.damaged_documents(ground.home, ground.now)
    yield wounds.lost_state(ground.home)
    yield wounds.orphaned_runs(ground.home, ground.now)
    yield wounds.index_locks(wounds.repositories(ground.home), ground.now)
    yield wounds.rotated_logs(ground.home, lambda: wounds.low(ground.home, ground.seen.limits))
    if _answers(results):
        yield wounds.stale_leases(lambda: remote.opened_vault(ground))


def _record(ground: Ground, results: Sequence[Result]) -> heal.Record:
    """Writes activities to the vault where it answers."""

    def record(activities: Sequence[Activity]) -> None:
        if not _answers(results):
            raise AnglesError("vault", "it does not answer")
        with remote.opened_vault(ground) as opened:
            opened.record(activities)

    return record


def _answers(results: Sequence[Result]) -> bool:
    """Whether the vault was seen well, and has this version's functions."""
    states = {result.name: result.state for result in results}
    return states.get("database") in {State.UP, State.WARN} and states.get("write-probe") is State.UP
