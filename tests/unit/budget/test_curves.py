"""Which trials `labelmix curves` runs, what it makes of them, and what it refuses."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from analysis.curves.design import CurvesDesign
from analysis.curves.result import CurvesResult
from analysis.curves.wording import findings
from annotation.terms.cost import LabelTerms
from budget.commands.app import app
from budget.commands.show.curves import show_curves
from budget.config.prepare import Setting, prepare
from budget.config.read import read_config
from budget.curves import CurveTrials
from budget.curves_result import Kind, Measurements, summarise_curves
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
DESIGN = CurvesDesign(sizes=(4, 8), error_rates=(0.0, 0.2), hard_factor=2.0, seeds=3)
KINDS = [
    Kind("easy", 0.0), Kind("easy", 0.2),
    Kind("hard", 0.0), Kind("hard", 0.2), Kind("hard", 0.4),
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
def setting(task_folder: Path) -> Setting:
    return prepare(read_config(task_folder / "task.toml"))


# -- the trials -----------------------------------------------------------------------------------


def test_every_kind_of_label_is_bought_in_every_size_by_every_seed(setting: Setting) -> None:
    trials = CurveTrials(setting.lab, DESIGN, "probe")
    assert list(trials.trained) == KINDS
    assert len(trials.all) == len({trial.key for trial in trials.all}) == 1 + 5 * 2 * 3
    for kind, curve in trials.trained.items():
        for size, group in zip(DESIGN.sizes, curve, strict=True):
            for seed, trial in enumerate(group):
                assert trial.method == "probe" and trial.recipe.quantisation == "none"
                assert trial.mix == ((kind.stratum, size),)
                assert trial.terms == ((kind.stratum, kind.error_rate, "redraw"),)
                assert (trial.seed, trial.pilot) == (seed, None)


def test_the_untrained_model_is_tested_once(setting: Setting) -> None:
    trial = CurveTrials(setting.lab, DESIGN, "probe").zero_shot
    assert (trial.method, trial.mix, trial.recipe.quantisation) == ("zero_shot", (), "none")
    assert CurveTrials(setting.lab, DESIGN, "qlora").zero_shot.recipe.quantisation == "nf4"


def test_trials_are_those_that_a_run_keeps(setting: Setting) -> None:
    """At the configured error rate: whoever has run it has that trial already."""
    configured = setting.lab.trial(setting.lab.recipes["probe"], {"easy": 8}, 1)
    design = replace(DESIGN, error_rates=(0.0, 0.1))
    assert configured.key in {trial.key for trial in CurveTrials(setting.lab, design, "probe").all}


def test_error_rate_and_kind_are_those_of_the_stratum_alone(setting: Setting) -> None:
    flips = {
        name: LabelTerms(t.cost, t.error_rate, "flip") for name, t in setting.lab.terms.items()
    }
    trials = CurveTrials(replace(setting.lab, terms=flips), DESIGN, "probe")
    [[trial, *_], *_] = trials.trained[Kind("hard", 0.4)]
    assert trial.terms == (("hard", 0.4, "flip"),)


def test_purchases_are_matched_across_sizes_and_error_rates(setting: Setting) -> None:
    task = setting.lab.task

    def bought(kind: Kind, size: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        terms = {kind.stratum: replace(setting.lab.terms[kind.stratum], error_rate=kind.error_rate)}
        purchase = simulated_labels(task, {kind.stratum: size}, terms, seed)
        return purchase.positions, purchase.labels

    for seed in range(3):
        few, many = bought(Kind("hard", 0.4), 4, seed), bought(Kind("hard", 0.4), 8, seed)
        for small, large in zip(few, many, strict=True):
            np.testing.assert_array_equal(small, large[:4])
        positions, labels = bought(Kind("hard", 0.2), 8, seed)
        np.testing.assert_array_equal(positions, many[0])
        wrong = labels != task.answers[positions]
        assert (many[1][wrong] == labels[wrong]).all()
    assert set(bought(Kind("hard", 0.0), 8, 0)[0]) != set(bought(Kind("hard", 0.0), 8, 1)[0])


# -- the result -----------------------------------------------------------------------------------

RIGHT = {
    Kind("easy", 0.0): (12, 16),  # of 20 test items, by 4 and by 8 labels
    Kind("easy", 0.2): (11, 14),
    Kind("hard", 0.0): (8, 14),
    Kind("hard", 0.2): (8, 13),
    Kind("hard", 0.4): (7, 9),
}


def first(number: int, seeds: int = 3) -> NDArray[np.bool_]:
    """The first items are right, the same for every seed: differences vary with items alone."""
    return np.tile(np.arange(20) < number, (seeds, 1))


@pytest.fixture
def result(setting: Setting) -> CurvesResult:
    correct = {kind: [first(few), first(many)] for kind, (few, many) in RIGHT.items()}
    measured = Measurements(first(6, seeds=1), correct, trials=31)
    return summarise_curves(setting, DESIGN, "probe", measured, {"run_seconds": 1.0})


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
    assert result.crossings == []


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
    for part in ("Same money", "20 % / 40 %", "+40.0*", "no training: 30.0 %", "linear probe"):
        assert part in text


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"sizes": (4, 30)}, "Stratum 'hard' has 40 items left to label: purchases of 30 by"),
        ({"hard_factor": 6.0}, "6 times an error rate of 0.2 is above 1; hard labels are bought"),
    ],
)
def test_what_a_reader_must_know_is_a_warning(
    setting: Setting, changes: dict[str, Any], part: str
) -> None:
    design = replace(DESIGN, **changes)
    kinds = [Kind("easy", r) for r in design.error_rates]
    kinds += [Kind("hard", r) for r in design.all_hard_error_rates]
    measured = Measurements(first(6, 1), {k: [first(8), first(9)] for k in kinds}, 1)
    found = summarise_curves(setting, design, "probe", measured, {}).warnings
    assert any(warning.startswith(part) for warning in found)


def test_error_kinds_that_differ_are_a_warning(setting: Setting) -> None:
    terms = {**setting.lab.terms, "hard": replace(setting.lab.terms["hard"], error_kind="flip")}
    correct = {kind: [first(few), first(many)] for kind, (few, many) in RIGHT.items()}
    result = summarise_curves(
        replace(setting, lab=replace(setting.lab, terms=terms)),
        DESIGN,
        "probe",
        Measurements(first(6, 1), correct, 1),
        {},
    )
    assert result.warnings == [
        "The kinds of error differ (easy: redraw, hard: flip): the same error rate is not the same "
        "share of wrong labels."
    ]


# -- the command refuses --------------------------------------------------------------------------


def labelmix(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["curves", *map(str, arguments)], prog_name="labelmix")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception  # a user would see its traceback
    return result


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--sizes", "20,10"], "--sizes 20,10: should be increasing whole numbers"),
        (
            ["--sizes", "10,41"],
            "--sizes: 41 labels wanted, but stratum 'hard' (steps >= 5) has 40 items left",
        ),
        (["--error-rates", "0,2"], "--error-rates 0,2: error rate should be within 0 and 1"),
        (["--hard-factor", "0"], "--hard-factor 0: should be a number above 0"),
        (["--seeds", "1"], "--seeds 1: should be at least 2"),
        (["--method", "magic"], "--method magic: no such method; choose probe or qlora"),
        (["--model", "./no-model"], "model './no-model': no config.json there"),
        (["--data-dir", "x"], "takes no --data-dir"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    task_folder: Path, options: list[str], part: str
) -> None:
    before = sorted(task_folder.rglob("*"))
    result = labelmix(task_folder / "task.toml", "--out", task_folder / "out", *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    found = re.fullmatch(r"labelmix: (.+)\n", result.stderr)
    assert found, result.stderr
    assert part in found[1]
    assert sorted(task_folder.rglob("*")) == before


def test_free_form_items_have_no_curves(task_folder: Path) -> None:
    rows = [
        {"item_id": f"{n}", "question": f"{n}?", "answer_text": f"{n}", "steps": n % 6 + 1}
        for n in range(180)
    ]
    lines = [json.dumps({**row, "choices": []}) + "\n" for row in rows]
    (task_folder / "items.jsonl").write_text("".join(lines), encoding="utf-8")
    result = labelmix(task_folder / "task.toml", "--out", task_folder / "out")
    assert result.exit_code == 2
    assert "have no choices" in result.stderr and result.stderr.count("\n") == 1
    assert not (task_folder / "out").exists()


def test_a_whole_pool_can_be_bought(task_folder: Path) -> None:
    """Only then the model's weights are looked for, and there are none."""
    options = ("--sizes", "10,40", "--error-rates", "0", "--seeds", "2")
    result = labelmix(task_folder / "task.toml", "--out", task_folder / "out", *options)
    assert result.exit_code == 2
    assert "cannot be loaded" in result.stderr and "--sizes" not in result.stderr


def test_no_such_configuration(tmp_path: Path) -> None:
    result = labelmix(tmp_path / "absent.toml", "--out", tmp_path / "out")
    assert result.exit_code == 2 and "no such file" in result.stderr
    assert not (tmp_path / "out").exists()
