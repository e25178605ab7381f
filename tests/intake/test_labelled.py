"""How well the rules do, on outputs written with them and on outputs written apart from them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.intake import held_out, held_out_later
from tests.intake.outputs import OUTPUTS, Output
from tests.intake.scoring import Score, score

Figure = Callable[[str], None]
LABELLED = [output for outputs in OUTPUTS.values() for output in outputs]
OTHERS: dict[str, list[Output]] = {
    name.lower(): outputs
    for where in (held_out, held_out_later)
    for name, outputs in vars(where).items()
    if name.isupper()
}


def told(result: Score) -> str:
    """What failed, for whoever has to mend it."""
    return "\n".join(["found wrongly:", *result.wrong, "missed:", *result.missed])


def test_the_labelled_outputs_are_many_and_half_of_them_hold_no_decision() -> None:
    assert len(LABELLED) >= 150
    assert sum(not decisions for _, decisions in LABELLED) > len(LABELLED) / 3


def test_what_is_found_is_right_and_what_is_there_is_found(figure: Figure) -> None:
    result = score(LABELLED)
    figure(
        f"intake rules, {len(LABELLED)} labelled outputs: precision {result.precision:.3f}, recall {result.recall:.3f}"
    )
    assert result.precision >= 0.95, told(result)
    assert result.recall >= 0.9, told(result)


@pytest.mark.parametrize("family", OUTPUTS)
def test_no_family_of_formats_falls_behind(family: str) -> None:
    result = score(OUTPUTS[family])
    assert min(result.precision, result.recall) >= 0.85, told(result)


@pytest.mark.parametrize("name", OTHERS)
def test_the_rules_hold_in_other_wording(name: str, figure: Figure) -> None:
    outputs = OTHERS[name]
    result = score(outputs)
    figure(
        f"intake rules, {name} set in other wording, {len(outputs)} outputs: precision {result.precision:.3f}, recall"
        f" {result.recall:.3f}"
    )
    assert result.precision >= 0.95, told(result)
    assert result.recall >= 0.9, told(result)
