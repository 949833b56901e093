"""A trial as the configuration has it."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.curves.design import read_design
from analysis.curves.summarise import _warnings
from annotation.errors import InputError
from annotation.items.table import REMARKS
from annotation.items.write import write_table
from annotation.sources.workshop import load_workshop
from budget.config.prepare import prepare
from budget.config.read import read_config
from budget.config.run import RunConfig
from tests.grouped_items import write_grouped
from training.lab import Lab
from training.trial import Method, Trial

BASE: dict[str, Any] = {
    "items": {"source": "workshop", "size": 700},
    "strata": {"measure": "steps", "easy_at_most": 2, "hard_at_least": 5},
    "budget": {"total": 1000},
    "pilot": {"labels": 20},
    "test": {"items": 30, "other_items": 15},
}


def lab_of(**sections: Any) -> Lab:
    return prepare(RunConfig.model_validate(BASE | sections)).lab


def trial_of(lab: Lab, method: Method, mix: dict[str, int]) -> Trial:
    return lab.trial(lab.recipes[method], mix, 0)


def test_targets_and_judgments_reach_what_is_trained() -> None:
    noisy = lab_of(targets={"kind": "uncertainty", "judgments": 3}, uncertainty={"slope": 0.5})
    for method in ("probe", "qlora"):
        trial = trial_of(noisy, method, {"easy": 4})
        assert trial.recipe.target_kind == "uncertainty"
        assert dict(trial.recipe.target_settings)["slope"] == 0.5
        assert trial.recipe.judgments == 3
    shown = trial_of(noisy, "in_context", {"easy": 4})
    assert (
        shown.recipe.target_kind,
        shown.recipe.target_settings,
        shown.recipe.judgments,
    ) == ("hard_labels", (), 3)
    assert trial_of(noisy, "zero_shot", {}).recipe.judgments == 1


def test_every_judgment_is_paid() -> None:
    once, thrice = lab_of(), lab_of(targets={"judgments": 3})
    assert {n: t.cost * 3 for n, t in once.terms.items()} == {
        n: t.cost for n, t in thrice.terms.items()
    }


def test_methods_get_their_prompt_and_number_type() -> None:
    own = lab_of(prompt={"choices": "0306-paper", "reasoning": "5305-mended"})
    assert trial_of(own, "probe", {"easy": 4}).recipe.prompt == "0306-paper"
    assert trial_of(own, "chain_of_thought", {}).recipe.prompt == "5305-mended"
    assert trial_of(own, "probe", {"easy": 4}).recipe.quantisation == "none"
    assert trial_of(own, "qlora", {"easy": 4}).recipe.quantisation == "nf4"
    assert own.zero_shot_of("qlora").quantisation == "nf4"
    assert own.zero_shot_of("probe").quantisation == "none"


def test_adapters_are_tested_by_scores_as_the_untrained_model_is() -> None:
    """Else a supervision gap recovered would be on two scales."""

    def asked(method: Method, mix: dict[str, int], **sections: Any) -> object:
        return dict(trial_of(lab_of(**sections), method, mix).recipe.settings).get("normalisation")

    by_character = {"prompt": {"normalisation": "character"}}
    assert asked("zero_shot", {}, **by_character) == "character"
    assert asked("qlora", {"easy": 4}, **by_character) == "character"
    assert asked("qlora", {"easy": 4}) is None  # kept results of the usual sum stay as they are
    reasons = {"qlora": {"objective": "reasoning"}, **by_character}
    assert asked("qlora", {"easy": 4}, **reasons) is None  # it writes, and scores no choice


def test_strata_but_the_target_need_not_be_tested() -> None:
    own = lab_of(test={"items": 20, "other_items": 0})
    assert dict(Counter(own.task.test_strata.tolist())) == {"hard": 20}
    easy = np.flatnonzero(own.task.stratum_of == "easy")
    assert own.capacity["easy"] == easy.size  # all of them are for sale


def test_reasoning_is_trained_as_labelled() -> None:
    own = lab_of(qlora={"objective": "reasoning"})
    trial = trial_of(own, "qlora", {"easy": 4})
    assert trial.recipe.prompt == "0305-mended"
    assert trial.recipe.target_kind == "hard_labels"
    with pytest.raises(ValueError, match=r"targets\.kind 'smoothed' is for choices"):
        lab_of(qlora={"objective": "reasoning"}, targets={"kind": "smoothed"})


def test_without_a_plan_neither_pilot_nor_budget_is_asked_for(tmp_path: Path) -> None:
    small = BASE | {"budget": {"total": 10}}
    with pytest.raises(ValueError, match="too small for the pilot"):
        RunConfig.model_validate(small)
    config = RunConfig.model_validate(small, context={"plans": False})
    crowded = config.model_copy(update={"pilot": config.pilot.model_copy(update={"labels": 900})})
    assert prepare(crowded, plans=False).lab.capacity["easy"] < 900
    with pytest.raises(InputError, match="too few for a pilot of 900"):
        prepare(crowded)


def test_what_reads_unlabelled_items_is_a_probe_of_right_answers() -> None:
    own = lab_of(annotators={"hard": {"error_rate": 0.4}}, targets={"judgments": 3})
    trial = own.reading_trial(1)
    assert trial is not None
    assert (trial.method, trial.seed, trial.borrowed, trial.mix) == ("probe", 1, 15, ())
    assert trial.terms == (("hard", 0.0, "redraw"),)
    assert trial.recipe.judgments == 1
    assert trial.reads == (("easy", own.capacity["easy"]),)
    assert own.items_read("easy") == own.capacity["easy"] < 1000


def test_a_test_set_too_small_or_that_asks_always_the_same_reads_nothing() -> None:
    assert lab_of(test={"items": 19, "other_items": 15}).reading_trial(0) is None
    alike = lab_of()
    alike.task.scored = lambda borrowed, seed: alike.on_target & False  # type: ignore[method-assign]
    assert alike.reading_trial(0) is None


@pytest.mark.parametrize(
    ("pilot", "probe"),
    [({}, True), ({"borrow": False}, False), ({"borrow": False, "read": True}, True)],
)
def test_who_reads(pilot: dict[str, bool], probe: bool) -> None:
    config = RunConfig.model_validate(BASE | {"pilot": {"labels": 20} | pilot})
    assert (config.reads("probe"), config.reads("qlora")) == (probe, False)


def test_measured_and_predicted_hardness_are_not_cut_as_one_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    items = load_workshop(700)
    write_table(items.assign(steps_is_predicted=(items.index % 3 > 0).astype(float)), path)
    lab = lab_of(items={"source": "tabular", "path": str(path)})
    told = [note for note in lab.task.items.attrs[REMARKS] if note.startswith("strata mix")]
    assert len(told) == 1 and "measured for 234 items and predicted for 466" in told[0]
    assert told[0] in _warnings(lab, read_design("10", "0", 2, 2))  # of learning curves
    assert lab_of().task.items.attrs.get(REMARKS, ()) == ()


@pytest.mark.parametrize(("pilot", "named"), [(100, True), (200, False)])
def test_a_pilot_that_groups_leave_no_room_for(tmp_path: Path, pilot: int, named: bool) -> None:
    """Four of 20 passages are tested, with 24 of 120 easy items: 10 tested, 14 left out."""
    with pytest.raises(InputError) as caught:
        prepare(read_config(write_grouped(tmp_path, pilot)))
    told = str(caught.value)
    assert told.startswith("stratum 'easy' (level <= 1) has 96 items left to label after the test ")
    assert f"too few for a pilot of {pilot}" in told
    groups = (
        " 14 more items of it are not for sale: others of the same group are tested. Bring items "
        "of more groups, or map the column 'group' to smaller ones."
    )
    assert told.endswith(groups) is named
    assert ("group" in told) is named  # 110 would not do either
