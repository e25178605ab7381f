"""Probes run side by side, each with its own limit; whatever happens, every check has its row."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from utils.config import ROOT
from utils.errors import ServiceError
from utils.health import checks, run
from utils.health.checks import Check, Probe
from utils.health.ground import Ground, SkipError
from utils.health.here import SAFE_MODES
from utils.health.model import Finding, State, up


def judge(fact: Any, _seen: object) -> Finding:
    return up(f"saw {fact}")


def raising(error: BaseException) -> Callable[[Ground], NoReturn]:
    def look(_ground: Ground) -> NoReturn:
        raise error

    return look


def results(here: Ground, look: Callable[[Ground], Any], *, seconds: float = 5.0, **more: Any) -> dict[str, Finding]:
    wanted = [Check("first", "part", "probe", judge), Check("second", "part", "probe", judge, leads=False)]
    found = run.run_checks(wanted, {"probe": Probe(look, seconds)}, here, **more)
    return {each.name: each.finding for each in found}


@pytest.mark.parametrize(
    ("look", "state", "fact", "hint", "second"),
    [
        pytest.param(lambda _: "it", State.UP, "saw it", "", State.UP, id="a fact is judged"),
        pytest.param(
            raising(ServiceError("database", "refuses", "Check it")),
            State.DOWN,
            "database: refuses",
            "Check it",
            State.UNKNOWN,
            id="an error of ours is down with its remedy",
        ),
        pytest.param(
            raising(KeyError("x")), State.DOWN, "KeyError: 'x'", "report it", State.UNKNOWN, id="a bug is down too"
        ),
        pytest.param(
            raising(SkipError("not configured", "Set X")),
            State.SKIPPED,
            "not configured",
            "Set X",
            State.SKIPPED,
            id="what is not configured is skipped",
        ),
    ],
)
def test_whatever_a_probe_does_there_is_a_row(
    here: Ground, look: Callable[[Ground], Any], state: State, fact: str, hint: str, second: State
) -> None:
    found = results(here, look)
    assert (found["first"].state, found["first"].fact) == (state, fact)
    assert hint in found["first"].hint
    assert found["second"].state is second


def test_a_rule_that_raises_is_down_with_its_error(here: Ground) -> None:
    def judge_badly(_fact: Any, _seen: object) -> Finding:
        raise ValueError("no such thing")

    (found,) = run.run_checks([Check("a", "b", "p", judge_badly)], {"p": Probe(lambda _: 1)}, here)
    assert (found.state, found.finding.fact) == (State.DOWN, "ValueError: no such thing")


def test_a_probe_that_hangs_is_down_and_holds_up_nobody(here: Ground) -> None:
    release = threading.Event()
    wanted = [Check("hangs", "part", "slow", judge), Check("well", "part", "fast", judge)]
    probes = {"slow": Probe(lambda _: release.wait(60), 0.1), "fast": Probe(lambda _: "it")}
    hanging, well = run.run_checks(wanted, probes, here)
    assert (hanging.state, hanging.finding.fact) == (State.DOWN, "no answer within 0 s")
    assert well.state is State.UP
    assert run.hanging() == {"slow"}
    again, _ = run.run_checks(wanted, probes, here, busy=run.hanging())
    assert again.state is State.DOWN
    assert sum(thread.name == "probe slow" for thread in threading.enumerate()) == 1, "it is not started twice"
    release.set()


def test_the_whole_ends_although_each_may_take_longer(here: Ground) -> None:
    release = threading.Event()
    found = results(here, lambda _: release.wait(60), seconds=60, whole=0.1)
    release.set()
    assert found["first"].state is State.DOWN


def test_every_check_has_its_probe_and_a_name_of_its_own() -> None:
    every = [*checks.CHECKS, *checks.DEEP_CHECKS]
    assert {each.probe for each in every} == {*checks.PROBES, *checks.DEEP_PROBES}
    assert len({each.name for each in every}) == len(every)
    for name in checks.PROBES:
        assert sum(each.leads for each in checks.CHECKS if each.probe == name) == 1, f"one tells what {name} failed of"


def test_the_scripts_that_are_tried_are_there() -> None:
    assert [name for name in SAFE_MODES if not (ROOT / name).is_file()] == []


def test_the_limits_of_all_probes_lie_within_that_of_the_whole() -> None:
    for name, probe in {**checks.PROBES, **checks.DEEP_PROBES}.items():
        assert probe.seconds <= run.WHOLE_SECONDS, name
