"""Which trials `labelmix curves` runs, and what it makes of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.curves.design import CurvesDesign
from analysis.curves.result import CurvesResult
from analysis.curves.run import CurveTrials, _check_capacity
from analysis.curves.summarise import CurveKind, CurveMeasurements, Heading, summarise_curves
from analysis.curves.wording import findings
from analysis.item_groups import group_notes
from analysis.over_untrained import MARK, not_above
from annotation.errors import InputError
from annotation.terms.cost import LabelTerms
from budget.commands.show.curves import show_curves
from budget.config.prepare import prepare
from budget.config.read import read_config
from tests.grouped_items import write_grouped
from training.lab import Lab
from training.running.labels_of_trial import simulated_labels

CONFIG = """
[items]
source = "tabular"
path = "items.jsonl"

[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5

[model]
path = "./model"

[annotators.easy]
cost = 1
error_rate = 0.1

[annotators.hard]
cost = 2
error_rate = 0.3

[budget]
total = 400

[pilot]
labels = 20

[test]
items = 20
other_items = 10
"""
HEADING = Heading("Made by hand", "tabular", "$")
DESIGN = CurvesDesign(sizes=(4, 8), error_rates=(0.0, 0.2), hard_factor=2.0, seeds=3)
KINDS = [
    CurveKind("easy", 0.0), CurveKind("easy", 0.2),
    CurveKind("hard", 0.0), CurveKind("hard", 0.2), CurveKind("hard", 0.4),
]  # fmt: skip


@pytest.fixture
def task_folder(tmp_path: Path) -> Path:
    """A configuration, 180 items, and a model of which there is only the configuration."""
    folder = tmp_path / "task"
    (folder / "model").mkdir(parents=True)
    architecture = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
    (folder / "model" / "config.json").write_text(json.dumps(architecture), encoding="utf-8")
    (folder / "task.toml").write_text(CONFIG, encoding="utf-8")
    rows = [
        {
            "item_id": f"item-{number}",
            "question": f"What is {number}?",
            "choices": ["odd", "even"],
            "answer": number % 2,
            "steps": number % 6 + 1,
        }
        for number in range(180)
    ]
    lines = [json.dumps(row) + "\n" for row in rows]
    (folder / "items.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def lab(task_folder: Path) -> Lab:
    return prepare(read_config(task_folder / "task.toml")).lab


# -- the trials -----------------------------------------------------------------------------------


def test_every_kind_of_label_is_bought_in_every_size_by_every_seed(lab: Lab) -> None:
    trials = CurveTrials(lab, DESIGN, "probe")
    assert list(trials.trained) == KINDS
    assert len(trials.all) == len({trial.key for trial in trials.all}) == 1 + 5 * 2 * 3
    for kind, curve in trials.trained.items():
        for size, group in zip(DESIGN.sizes, curve, strict=True):
            for seed, trial in enumerate(group):
                assert trial.method == "probe" and trial.recipe.quantisation == "none"
                assert trial.mix == ((kind.stratum, size),)
                assert trial.terms == ((kind.stratum, kind.error_rate, "redraw"),)
                assert (trial.seed, trial.pilot) == (seed, None)


def test_the_untrained_model_is_tested_once(lab: Lab) -> None:
    trial = CurveTrials(lab, DESIGN, "probe").zero_shot
    assert (trial.method, trial.mix, trial.recipe.quantisation) == ("zero_shot", (), "none")
    assert CurveTrials(lab, DESIGN, "qlora").zero_shot.recipe.quantisation == "nf4"


def test_trials_are_those_that_a_run_keeps(lab: Lab) -> None:
    """At the configured error rate: whoever has run it has that trial already."""
    configured = lab.trial(lab.recipes["probe"], {"easy": 8}, 1)
    design = replace(DESIGN, error_rates=(0.0, 0.1))
    assert configured.key in {trial.key for trial in CurveTrials(lab, design, "probe").all}


def test_error_rate_and_kind_are_those_of_the_stratum_alone(lab: Lab) -> None:
    flips = {name: LabelTerms(t.cost, t.error_rate, "flip") for name, t in lab.terms.items()}
    trials = CurveTrials(replace(lab, terms=flips), DESIGN, "probe")
    [[trial, *_], *_] = trials.trained[CurveKind("hard", 0.4)]
    assert trial.terms == (("hard", 0.4, "flip"),)


def test_purchases_are_matched_across_sizes_and_error_rates(lab: Lab) -> None:
    task = lab.task

    def bought(
        kind: CurveKind, size: int, seed: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        terms = {kind.stratum: replace(lab.terms[kind.stratum], error_rate=kind.error_rate)}
        purchase = simulated_labels(task, {kind.stratum: size}, terms, seed)
        return purchase.positions, purchase.labels

    for seed in range(3):
        few, many = bought(CurveKind("hard", 0.4), 4, seed), bought(CurveKind("hard", 0.4), 8, seed)
        for small, large in zip(few, many, strict=True):
            np.testing.assert_array_equal(small, large[:4])
        positions, labels = bought(CurveKind("hard", 0.2), 8, seed)
        np.testing.assert_array_equal(positions, many[0])
        wrong = labels != task.answers[positions]
        assert (many[1][wrong] == labels[wrong]).all()
    assert set(bought(CurveKind("hard", 0.0), 8, 0)[0]) != set(
        bought(CurveKind("hard", 0.0), 8, 1)[0]
    )


# -- the result -----------------------------------------------------------------------------------

RIGHT = {
    CurveKind("easy", 0.0): (12, 16),  # of 20 test items, by 4 and by 8 labels
    CurveKind("easy", 0.2): (11, 14),
    CurveKind("hard", 0.0): (8, 14),
    CurveKind("hard", 0.2): (8, 13),
    CurveKind("hard", 0.4): (7, 9),
}


def first(number: int, seeds: int = 3) -> NDArray[np.bool_]:
    """The first items are right, the same for every seed: differences vary with items alone."""
    return np.tile(np.arange(20) < number, (seeds, 1))


@pytest.fixture
def result(lab: Lab) -> CurvesResult:
    correct = {kind: [first(few), first(many)] for kind, (few, many) in RIGHT.items()}
    measured = CurveMeasurements(first(6, seeds=1), correct, trials=31)
    return summarise_curves(lab, HEADING, DESIGN, "probe", measured, {"run_seconds": 1.0})


def test_every_point_is_told_with_its_cost_and_share_of_wrong_labels(result: CurvesResult) -> None:
    found = {(p.stratum, p.error_rate, p.labels): p for p in result.points}
    assert len(found) == len(result.points) == 10
    for (stratum, rate), numbers in RIGHT.items():
        for labels, number in zip((4, 8), numbers, strict=True):
            point = found[stratum, rate, labels]
            assert point.estimate == pytest.approx(number / 20)
            assert point.low is not None and point.low < number / 20
            assert point.cost == labels * {"easy": 1, "hard": 2}[stratum]
            assert point.true_flip_rate == pytest.approx(rate / 2)  # a redraw among two choices
            assert point.seeds == 3


def test_equal_count_and_equal_noise_differ_in_the_rate_of_hard_labels(
    result: CurvesResult,
) -> None:
    def table(differences: Any) -> list[tuple[float, float, int, float]]:
        return [
            (d.easy_error_rate, d.hard_error_rate, d.labels, round(20 * d.estimate, 6))
            for d in differences
        ]

    clean = [(0.0, 0.0, 4, 4), (0.0, 0.0, 8, 2)]
    assert table(result.equal_count) == [*clean, (0.2, 0.4, 4, 4), (0.2, 0.4, 8, 5)]
    assert table(result.equal_noise) == [*clean, (0.2, 0.2, 4, 3), (0.2, 0.2, 8, 1)]


def test_equal_cost_compares_eight_easy_labels_with_four_hard_ones(result: CurvesResult) -> None:
    assert [
        (d.easy_error_rate, d.hard_error_rate, d.cost, d.easy_labels, d.hard_labels,
         round(20 * (d.estimate or 0), 6))
        for d in result.equal_cost
    ] == [(0.0, 0.0, 8, 8, 4, 8), (0.2, 0.4, 8, 8, 4, 7)]  # fmt: skip
    assert result.crossovers == []  # one amount in common


def test_resolved_is_what_leaves_out_zero(result: CurvesResult) -> None:
    differences = [*result.equal_count, *result.equal_noise, *result.equal_cost]
    for d in differences:
        assert d.low is not None and d.high is not None
        assert d.resolved == (d.low > 0 or d.high < 0)
    assert {d.resolved for d in differences} == {True, False}


def test_there_is_a_gap_for_every_size(result: CurvesResult) -> None:
    assert [gap.labels for gap in result.sgr] == [4, 8]
    assert result.zero_shot.estimate == pytest.approx(0.3)
    small, large = result.sgr
    assert small.gap.estimate == pytest.approx(0.1) and not small.resolved
    assert large.resolved and large.estimate == pytest.approx((0.8 - 0.3) / (0.7 - 0.3))


def test_the_rest_says_what_it_was_measured_on(result: CurvesResult) -> None:
    assert (result.easy, result.target, result.method) == ("easy", "hard", "probe")
    assert result.chance_accuracy == 0.5
    assert result.seeds == [0, 1, 2] and result.trials == 31
    assert result.strata["hard"].cost == 2 and result.strata["hard"].error_rate is None
    assert result.hard_error_rates == [0.0, 0.4]
    assert result.warnings == []


def test_a_person_is_told_all_of_it(
    result: CurvesResult, capsys: pytest.CaptureFixture[str]
) -> None:
    show_curves(result)
    text = " ".join(capsys.readouterr().out.split())
    for sentences in findings(result).values():
        for sentence in sentences:
            assert " ".join(sentence.split()) in text
    small, large = (p for p in result.points if p.stratum == "hard" and not p.error_rate)
    assert not_above(small.over) == ["zero_shot", "commonest_class"]
    assert not_above(large.over) == ["commonest_class"]  # which is right in half of the items
    assert f"{MARK} not resolved to be above (" in text
    for own, below in ((small, "zero-shot and always"), (large, "always")):
        assert f"{own.labels} hard, clean: {below} answering the commonest class" in text
    for part in ("Same money", "20 % / 40 %", "+40.0*", "no training: 30.0 %", "linear probe"):
        assert part in text


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"sizes": (4, 30)}, "Stratum 'hard' has 40 items left to label: purchases of 30 by"),
        ({"hard_factor": 6.0}, "6 times an error rate of 0.2 is above 1; hard labels err"),
    ],
)
def test_what_a_reader_must_know_is_a_warning(lab: Lab, changes: dict[str, Any], part: str) -> None:
    design = replace(DESIGN, **changes)
    kinds = [CurveKind("easy", r) for r in design.error_rates]
    kinds += [CurveKind("hard", r) for r in design.all_hard_error_rates]
    measured = CurveMeasurements(first(6, 1), {k: [first(8), first(9)] for k in kinds}, 1)
    found = summarise_curves(lab, HEADING, design, "probe", measured, {}).warnings
    assert any(warning.startswith(part) for warning in found)


def test_error_kinds_that_differ_are_a_warning(lab: Lab) -> None:
    terms = {**lab.terms, "hard": replace(lab.terms["hard"], error_kind="flip")}
    correct = {kind: [first(few), first(many)] for kind, (few, many) in RIGHT.items()}
    result = summarise_curves(
        replace(lab, terms=terms),
        HEADING,
        DESIGN,
        "probe",
        CurveMeasurements(first(6, 1), correct, 1),
        {},
    )
    assert result.warnings == [
        "The kinds of error differ (easy: redraw, hard: flip): the same error rate is not the same "
        "share of wrong labels."
    ]


def test_groups_are_told_and_named_where_they_leave_too_few(tmp_path: Path) -> None:
    own = prepare(read_config(write_grouped(tmp_path))).lab
    kinds = [CurveKind("easy", r) for r in DESIGN.error_rates]
    kinds += [CurveKind("hard", r) for r in DESIGN.all_hard_error_rates]
    measured = CurveMeasurements(first(6, 1), {k: [first(8), first(9)] for k in kinds}, 1)
    warnings = summarise_curves(own, HEADING, DESIGN, "probe", measured, {}).warnings
    assert warnings[: len(told := group_notes(own.task.groups, own.task.split, "hard"))] == told
    assert len(told) == 4
    with pytest.raises(InputError, match="14 more items of it are not for sale"):
        _check_capacity(replace(DESIGN, sizes=(4, 100)), own)
