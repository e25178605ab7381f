"""What the probes stand on: the settings as far as they can be read, the limits, the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from utils import config, sections
from utils.config import ConfigProblemsError, Mode, Settings
from utils.errors import AnglesError, ConfigError
from utils.health.model import Limits
from utils.health.rules import Seen
from utils.sections import HealthSettings
from utils.variables import Variables


class SkipError(AnglesError):
    """There is nothing to look at: the fact, and what would have it looked at."""

    def __init__(self, fact: str, hint: str) -> None:
        self.fact, self.hint = fact, hint
        super().__init__("skipped", fact, hint)


@dataclass(frozen=True)
class Ground:
    """What probes see.

    Args:
        home: the home folder.
        env: the variables that are set.
        vault, notion: the settings for each service, or why they cannot be read.
        health: the monitor's own settings.
        now: the time of the run.
        problems: what is wrong with the variables, a line each.
        deep: whether more may be started to be looked at.
    """

    home: Path
    env: Mapping[str, str]
    vault: Settings | ConfigError
    notion: Settings | ConfigError
    health: HealthSettings
    now: datetime
    problems: tuple[str, ...] = ()
    deep: bool = False

    @property
    def seen(self) -> Seen:
        """What rules judge by."""
        limits = {name: Limits(warn, down or float("inf")) for name, (warn, down) in self.health.limits.items()}
        return Seen(self.now, limits)

    @property
    def local(self) -> bool:
        """Whether local mode stands in for the services."""
        return isinstance(self.vault, Settings) and self.vault.mode is Mode.LOCAL


def readable(settings: Settings | ConfigError) -> Settings:
    """The settings of a service.

    Raises:
        ConfigError: they cannot be read.
    """
    if isinstance(settings, ConfigError):
        raise settings
    return settings


def telling(ground: Ground) -> Settings:
    """The settings whose mode and warnings are to be told: none where they cannot be read."""
    settings = ground.vault if isinstance(ground.vault, Settings) else ground.notion
    return settings if isinstance(settings, Settings) else Settings(ground.home, Mode.INCOMPLETE)


def survey(now: datetime, *, deep: bool = False) -> Ground:
    """Reads all settings, each section by itself, so that one that is wrong hides no other.

    Raises:
        ConfigError: there can be no home folder.
    """
    home = config.home()
    unreadable: tuple[str, ...] = ()
    try:
        env: Mapping[str, str] = config.environment()
    except ConfigError as error:
        env, unreadable = config.environment_without_file(), error.lines
    own = Variables(env)
    health = sections.health(own, home)
    told: list[str] = [*unreadable, *own.problems]
    for reader in _readers():
        variables = Variables(env)
        reader(variables, home)
        told += variables.problems
    vault, notion = _settings(env, vault=True, notion=False), _settings(env, vault=False, notion=True)
    for each in (vault, notion):
        told += each.problems if isinstance(each, ConfigProblemsError) else ()
    return Ground(home, env, vault, notion, health, now, tuple(dict.fromkeys(told)), deep)


def _settings(env: Mapping[str, str], *, vault: bool, notion: bool) -> Settings | ConfigError:
    try:
        return config.load(env, vault=vault, notion=notion, schema=vault)
    except ConfigError as error:
        return error


def _readers() -> list[Callable[[Variables, Path], object]]:
    """The readers of all sections: whatever in `utils.sections` answers settings."""
    return [
        each
        for each in vars(sections).values()
        if callable(each) and str(getattr(each, "__annotations__", {}).get("return", "")).endswith("Settings")
    ]
