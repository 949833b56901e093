from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from annotation.labelling.simulated_team import Workplace, simulate_judgments
from annotation.truth.coding import NO_GOLD, Coded, code_judgments
from annotation.truth.hardness_fit import fit_hardness_model
from annotation.truth.hardness_model import (
    LOG_WEIGHTS,
    NODES,
    HardnessModel,
    Parameters,
)
from annotation.truth.hardness_rates import HardnessRates

SMALL = Workplace(items={"easy": 6, "hard": 8}, annotators=4, choices=3, gold=0.3)


def coded_example(seed: int = 0) -> Coded:
    return code_judgments(simulate_judgments(SMALL, seed).judgments, choice_count=3)


def some_parameters(coded: Coded) -> Parameters:
    vector = np.random.default_rng(1).normal(size=len(coded.annotators) + 2 * len(coded.strata))
    return Parameters.from_vector(vector, len(coded.annotators))


def slow_joint(coded: Coded, p: Parameters) -> NDArray[np.float64]:
    """Probability of an item's judgments and each right answer, hardness summed out, by loops."""
    joint = np.zeros((len(coded.item_ids), int(coded.choice_counts.max())))
    for item, m in enumerate(coded.choice_counts):
        s = coded.stratum[item]
        for answer, node in product(range(m), range(NODES.size)):
            if coded.gold[item] not in (NO_GOLD, answer):
                continue
            probability = np.exp(LOG_WEIGHTS[node]) / m
            for j in np.flatnonzero(coded.item == item):
                spread = np.exp(p.log_spread[s])
                usual = p.level[s] + p.ability[coded.annotator[j]]
                knows = expit(usual - spread * NODES[node])
                probability *= (1 - knows) / m + knows * (coded.label[j] == answer)
            joint[item, answer] += probability
    return joint


def test_the_likelihood_equals_its_slow_twin() -> None:
    coded = coded_example()
    assert (coded.gold != NO_GOLD).any()
    parameters = some_parameters(coded)
    fast = HardnessModel(coded).scores(parameters).log_likelihood
    np.testing.assert_allclose(fast, np.log(slow_joint(coded, parameters).sum(axis=1)), rtol=1e-10)


def test_posteriors_equal_their_slow_twin() -> None:
    coded = coded_example(1)
    parameters = some_parameters(coded)
    joint = slow_joint(coded, parameters)
    expected = joint / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(HardnessModel(coded).posteriors(parameters), expected, atol=1e-12)


def test_the_gradient_is_that_of_the_likelihood() -> None:
    coded = coded_example(2)
    model = HardnessModel(coded)
    parameters = some_parameters(coded)
    uncertain = np.full(len(coded.annotators), 0.3)
    vector = parameters.vector()

    def value(moved: NDArray[np.float64]) -> float:
        at = Parameters.from_vector(moved, len(coded.annotators))
        return float(model.scores(at, uncertain).log_likelihood.sum())

    steps = 1e-5 * np.eye(vector.size)
    expected = [(value(vector + step) - value(vector - step)) / 2e-5 for step in steps]
    found = model.gradient(model.scores(parameters, uncertain))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    coded = coded_example(3)
    parameters = some_parameters(coded)
    whole = HardnessModel(coded).scores(parameters)
    monkeypatch.setattr("annotation.truth.hardness_model._CHUNK", 5)
    parts = HardnessModel(coded).scores(parameters)
    np.testing.assert_allclose(parts.log_likelihood, whole.log_likelihood, rtol=1e-12)
    np.testing.assert_allclose(parts.by_spread, whole.by_spread, rtol=1e-9, atol=1e-12)


def test_very_many_annotators_get_nearly_the_same_intervals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workplace = Workplace(items={"easy": 300, "hard": 300}, annotators=60)
    coded = code_judgments(simulate_judgments(workplace, 0).judgments)
    exact = HardnessRates(fit_hardness_model(coded), coded)
    monkeypatch.setattr("annotation.truth.hardness_fit._MOST_EXACT", 0)
    monkeypatch.setattr("annotation.truth.hardness_fit._MOST_DENSE", 0)
    arrow = HardnessRates(fit_hardness_model(coded), coded)
    for stratum in (0, 1):
        one, other = exact.stratum(stratum, "these"), arrow.stratum(stratum, "these")
        for end in ("estimate", "low", "high"):
            assert getattr(other, end) == pytest.approx(getattr(one, end), abs=0.01)


def test_a_first_fit_to_some_items_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    workplace = Workplace(items={"easy": 200, "hard": 200})
    coded = code_judgments(simulate_judgments(workplace, 1).judgments)
    alone = HardnessRates(fit_hardness_model(coded), coded).stratum(1, "these")
    monkeypatch.setattr("annotation.truth.hardness_fit._FIRST", 300)
    staged = HardnessRates(fit_hardness_model(coded), coded).stratum(1, "these")
    assert staged.estimate == pytest.approx(alone.estimate, abs=0.003)
    assert staged.high == pytest.approx(alone.high, abs=0.006)


def test_one_annotator_says_nothing_about_others() -> None:
    workplace = Workplace(annotators=1, judgments_per_item=1, gold=1.0)
    coded = code_judgments(simulate_judgments(workplace, 0).judgments)
    found = HardnessRates(fit_hardness_model(coded), coded).stratum(0, "like_these")
    assert (found.low, found.high) == (0.0, 1.0)
