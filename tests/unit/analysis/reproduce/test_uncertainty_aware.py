"""Verdicts on uncertainty-aware learning, with a trainer whose models are made up."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from analysis.reproduce.claims import ClaimResult
from analysis.reproduce.experiment import Answers, Finding
from analysis.reproduce.experiments import uncertainty_aware
from analysis.reproduce.experiments.uncertainty_aware import UncertaintyAware
from analysis.reproduce.judged import HALF_OF_ENTROPY, JudgedLab
from analysis.reproduce.study import NotApplicableError
from analysis.reproduce.uncertainty.arms import Arm, arms
from analysis.reproduce.uncertainty.scored import parts_of, without_training
from analysis.reproduce.uncertainty.train import TrainedArms
from annotation.arrays import Array, IntArray

ITEMS, TESTED, SEEDS = 500, 300, 6
SOURCES = ("judgments",)


def judged_lab(disputed: float = 0.5, judges: int = 5) -> JudgedLab:
    """The first 300 items are tested; of a share of all items two of five judges disagree."""
    rng = np.random.default_rng(0)
    answers = (rng.random(ITEMS) < 0.7).astype(np.int64)
    judgments = np.repeat(answers[:, None], judges, axis=1)
    judgments[: round(disputed * ITEMS) : 1, :2] = 1 - answers[: round(disputed * ITEMS), None]
    order = rng.permutation(ITEMS)
    judgments, answers = judgments[order], answers[order]
    task = SimpleNamespace(
        answers=answers,
        test_positions=np.arange(TESTED),
        test_groups=np.arange(TESTED).astype(object),
        pools={"all": np.arange(TESTED, ITEMS)},
        choice_counts=np.full(ITEMS, 2),
        shared_choices=("no", "yes"),
    )
    return JudgedLab(SimpleNamespace(task=task, strata=("all",)), judgments)  # type: ignore[arg-type]


def study(judged: JudgedLab | None, **more: Any) -> Any:
    design = SimpleNamespace(labels=100, curve_seeds=SEEDS, adapter_seeds=SEEDS)
    return SimpleNamespace(
        judged=judged, design=design, main="m", methods=lambda _: ("probe",), models=(1,), **more
    )


def probabilities(answers: IntArray, right: float, sure: float, rng: np.random.Generator) -> Array:
    """So sure of an answer that is right as often, (seeds, items, 2); seeds agree on most."""
    hit = rng.random(answers.size) < right
    own = np.where(rng.random((SEEDS, answers.size)) < 0.05, ~hit, hit)
    picked = np.where(own, answers, 1 - answers)
    return np.where(np.arange(2) == picked[..., None], sure, 1 - sure)


Made = Mapping[Arm, tuple[float, float]]  # arm -> how often right, how sure


def made(**changes: tuple[float, float]) -> Made:
    """Hard labels are right on 85 % and too sure; all others as given, or like these."""
    names = {arm.kind.replace(" ", "_"): arm for arm in arms(SOURCES)}
    return {arm: changes.get(name, (0.85, 0.97)) for name, arm in names.items()}


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Callable[[Made, JudgedLab], Finding]:
    def run(models: Made, judged: JudgedLab) -> Finding:
        class Trainer:
            sources = SOURCES

            def __init__(self, *_: object) -> None:
                self.gold = judged.lab.task.answers[:TESTED]

            def train(self, method: Any, labels: int, seeds: int) -> TrainedArms:
                assert (method, seeds) == ("probe", SEEDS)
                found = {
                    arm: probabilities(self.gold, *own, np.random.default_rng(7))
                    for arm, own in models.items()
                }
                return TrainedArms(method, labels, found, {"judgments": 0.2})

        monkeypatch.setattr(uncertainty_aware, "ArmTrainer", Trainer)
        return UncertaintyAware().find(study(judged), Answers({}))

    return run


Find = Callable[[Made, JudgedLab], Finding]


def verdicts(claims: Any) -> dict[str, str]:
    return {claim.key.removeprefix("uncertainty-"): claim.verdict for claim in claims}


def test_a_better_calibrated_model_gains_what_it_gains(find: Find) -> None:
    found = find(made(own_uncertainty=(0.85, 0.85)), judged_lab())
    assert verdicts(found.claims) == {
        "accuracy": "does not hold",  # not a point more: it is right on the same items
        "log-loss": "holds",
        "calibration": "holds",
        "high-entropy": "does not hold",
        "over-constant": "holds",
        "over-shuffled": "holds",
        "soft-labels": "does not hold",
    }


def test_a_placebo_that_does_as_well_tells(find: Find) -> None:
    alike = (0.85, 0.85)
    models = made(own_uncertainty=alike, shuffled=alike, constant=alike, soft_labels=(0.9, 0.9))
    found = verdicts(find(models, judged_lab()).claims)
    assert found["log-loss"] == "holds"
    assert found["over-shuffled"] == found["over-constant"] == "does not hold"
    assert found["soft-labels"] == "holds"


def test_nothing_is_told_of_a_model_that_learns_nothing(find: Find) -> None:
    models = {arm: (0.55, 0.9 if arm.kind == "hard labels" else 0.6) for arm in made()}
    claims: list[ClaimResult] = list(find(models, judged_lab()).claims)
    assert set(verdicts(claims).values()) == {"not resolved"}
    for claim in claims:
        for case in claim.cases:
            assert case.p is None and case.note is not None
            assert "which needs no training" in case.note


def test_every_purchase_that_there_are_items_for_is_tried(find: Find) -> None:
    found = find(made(), judged_lab())
    assert [case.name for case in found.claims[0].cases] == [
        "probe, 100 labels, uncertainty of judgments",
        "probe, 200 labels, uncertainty of judgments",
    ]
    [measures, gains] = found.tables
    assert len(measures.rows) == 2 * 5 * 3 and len(gains.rows) == 2 * 4 * 3
    assert any("200" in note for note in found.notes)


def test_halves_are_those_of_much_and_little_entropy() -> None:
    judged = judged_lab()
    [everything, high, low] = parts_of(judged)
    assert everything[1].all() and not (high[1] & low[1]).any()
    entropy = judged.disagreement(np.arange(TESTED))
    assert entropy[high[1]].min() > entropy[low[1]].max()
    # Where nobody disagrees there are no halves, and no claim about them.
    assert len(parts_of(judged_lab(disputed=0.0))) == 1


def test_what_needs_no_training_is_the_class_that_judges_name_most() -> None:
    judged = judged_lab()
    bar = without_training(judged)
    assert bar.mean() == pytest.approx((judged.lab.task.answers[:TESTED] == 1).mean())


def test_items_judged_once_cannot_be_trained_on() -> None:
    once = judged_lab(judges=5)
    once.judgments[: ITEMS - 10, 1:] = -1
    assert once.pool.size == 10
    with pytest.raises(NotApplicableError, match="10 items beside the test set"):
        UncertaintyAware().wanted(study(once))
    with pytest.raises(NotApplicableError, match="--judged"):
        UncertaintyAware().wanted(study(None))
    assert HALF_OF_ENTROPY.smoothing(np.array([1.0])).tolist() == [0.5]
