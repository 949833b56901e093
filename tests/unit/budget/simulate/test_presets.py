import re

import pytest

from annotation.errors import InputError
from budget.simulate.axes import read_axis
from budget.simulate.presets import PRESETS, Preset, find_preset, with_defaults
from budget.simulate.statements import TASK, TERMS
from budget.simulate.task import assumed_task
from budget.simulate.terms import check_axes

every_preset = pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))


@every_preset
def test_every_number_has_a_source(preset: Preset) -> None:
    assert preset.note and preset.stated
    for name, statement in preset.stated.items():
        assert statement.name == name and name in (*TERMS, *TASK)
        assert re.search(r"arXiv:\d{4}\.\d{5}|unit of money|source gives", statement.source), name


@every_preset
def test_its_axes_are_two_that_can_be_read(preset: Preset) -> None:
    check_axes(read_axis(preset.x, "--x"), read_axis(preset.y, "--y"))


@every_preset
def test_no_preset_claims_to_know_the_surface(preset: Preset) -> None:
    """No source gives its parameters in our terms: they stay with the prior."""
    assert not set(TASK) & set(preset.stated)


def test_gpqa_experts_keep_53_percent_of_the_signal() -> None:
    """35 % wrong of four choices is what a redraw rate of .35 * 4 / 3 gives."""
    task, _ = assumed_task(with_defaults(find_preset("gpqa-experts").stated), 2, 0)
    assert task.annotators["hard"].clean(0.35) == pytest.approx(1 - 0.35 * 4 / 3)
    assert task.annotators["hard"].kind == "flip"


def test_an_unknown_preset_is_told_with_those_there_are() -> None:
    with pytest.raises(InputError, match="--preset gqpa: no such preset; choose one of paper, "):
        find_preset("gqpa")
