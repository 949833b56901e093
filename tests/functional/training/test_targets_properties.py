"""Targets are what Bayes' rule says they are: on simulated annotators they are calibrated."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotation.terms.clean_share import redraw_rates
from annotation.terms.majority import NO_JUDGMENT, majority_label, majority_redraw_rates
from annotation.terms.noise import (
    ErrorKind,
    draw_judgments,
    draw_labels,
)
from training.targets.make import TargetKind, make_targets, posterior_uncertainty
from training.targets.posteriors import posterior_from_judgments

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
SEEDS = st.integers(0, 2**32)
KINDS = st.sampled_from(get_args(TargetKind))


def some_judgments(seed: int, items: int, judges: int) -> tuple[Whole, Whole, Real]:
    """Judgments of 1 to 5 choices, some missing but never all, with rates of their own."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, items)
    judgments = rng.integers(0, counts[:, None], (items, judges))
    missing = rng.random((items, judges)) < 0.3
    missing[np.arange(items), rng.integers(0, judges, items)] = False
    judgments[missing] = NO_JUDGMENT
    return judgments, counts, rng.uniform(0.05, 1, (items, judges))


def plain_posterior(judgments: list[int], choices: int, rates: list[float]) -> list[float]:
    """Bayes' rule, one item and one choice at a time."""
    products = []
    for answer in range(choices):
        product = 1.0
        for judgment, rate in zip(judgments, rates, strict=True):
            if judgment != NO_JUDGMENT:
                product *= (1 - rate if judgment == answer else 0) + rate / choices
        products.append(product)
    return [product / sum(products) for product in products]


def plain_majority(judgments: list[int]) -> int:
    given_ = [judgment for judgment in judgments if judgment != NO_JUDGMENT]
    most = max(given_.count(judgment) for judgment in given_)
    return next(judgment for judgment in given_ if given_.count(judgment) == most)


@given(seed=SEEDS, items=st.integers(1, 12), judges=st.integers(1, 5))
def test_posterior_and_majority_equal_the_plain_loops(seed: int, items: int, judges: int) -> None:
    judgments, counts, rates = some_judgments(seed, items, judges)
    posterior = posterior_from_judgments(judgments, counts, rates, most_choices=5)
    for row in range(items):
        own = judgments[row].tolist()
        expected = plain_posterior(own, int(counts[row]), rates[row].tolist())
        np.testing.assert_allclose(posterior[row, : counts[row]], expected, rtol=1e-9)
        assert not posterior[row, counts[row] :].any()
    assert majority_label(judgments).tolist() == [plain_majority(row) for row in judgments.tolist()]


@given(seed=SEEDS, judges=st.integers(1, 5))
def test_the_order_of_judges_and_a_guesser_do_not_move_the_posterior(
    seed: int, judges: int
) -> None:
    judgments, counts, rates = some_judgments(seed, 8, judges)
    posterior = posterior_from_judgments(judgments, counts, rates)
    order = np.random.default_rng(seed).permutation(judges)
    again = posterior_from_judgments(judgments[:, order], counts, rates[:, order])
    np.testing.assert_allclose(again, posterior, rtol=1e-9)
    guesses = np.column_stack([judgments, np.zeros(8, dtype=np.int64)])
    joined = posterior_from_judgments(guesses, counts, np.column_stack([rates, np.ones(8)]))
    np.testing.assert_allclose(joined, posterior, rtol=1e-9)


@given(seed=SEEDS, judges=st.integers(1, 4), kind=KINDS)
def test_every_row_is_a_distribution_over_the_items_own_choices(
    seed: int, judges: int, kind: TargetKind
) -> None:
    judgments, counts, rates = some_judgments(seed, 8, judges)
    targets = make_targets(kind, judgments, counts, rates, most_choices=6)
    np.testing.assert_allclose(targets.probabilities.sum(1), 1)
    assert (targets.probabilities >= 0).all()
    assert not targets.probabilities[np.arange(6) >= counts[:, None]].any()
    assert (targets.redraw_rates is not None) == (kind == "forward")


@given(seed=SEEDS)
def test_of_one_judgment_all_three_soft_kinds_are_the_same(seed: int) -> None:
    judgments, counts, rates = some_judgments(seed, 8, 1)
    smoothed, posterior, uncertain = (
        make_targets(kind, judgments[:, 0], counts, rates[:, 0]).probabilities
        for kind in ("smoothed", "posterior", "uncertainty")
    )
    np.testing.assert_allclose(posterior, smoothed, atol=1e-12)
    np.testing.assert_allclose(uncertain, smoothed, atol=1e-12)


@pytest.mark.parametrize("kind", get_args(ErrorKind))
@pytest.mark.parametrize("judges", [1, 2, 3])
def test_posterior_probabilities_are_the_shares_that_are_right(
    kind: ErrorKind, judges: int
) -> None:
    """Of all choices that got a probability, that share are the answer: to three decimals."""
    rng = np.random.default_rng(judges)
    items, choices = 60_000, 3
    counts = np.full(items, choices)
    answers = rng.integers(0, counts)
    judgments = draw_judgments(answers, counts, 0.4, kind, judges, rng)
    rates = redraw_rates(0.4, kind, counts)[:, None]
    probabilities = posterior_from_judgments(judgments, counts, rates)
    is_answer = np.arange(choices) == answers[:, None]
    values, which = np.unique(probabilities.round(9), return_inverse=True)
    which = which.ravel()
    seen = np.bincount(which)
    assert values.size > 1 and seen.min() > 1000
    shares = np.bincount(which, is_answer.ravel()) / seen
    deviations = (shares - values) / np.sqrt(values * (1 - values) / seen)
    assert np.abs(deviations).max() < 4.5


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_the_majority_errs_at_the_rate_that_was_counted_out(kind: ErrorKind) -> None:
    rng = np.random.default_rng(5)
    counts = np.repeat([2, 3, 5], 40_000)
    answers = rng.integers(0, counts)
    judgments = draw_judgments(answers, counts, 0.35, kind, 3, rng)
    rates = redraw_rates(0.35, kind, counts)
    counted = majority_redraw_rates(judgments, counts, rates[:, None])
    wrong = majority_label(judgments) != answers
    for choices in (2, 3, 5):
        own = counts == choices
        expected = counted[own][0] * (choices - 1) / choices
        assert wrong[own].mean() == pytest.approx(expected, abs=0.011)  # 4.5 deviations at most


def test_smoothing_is_the_likeliest_constant() -> None:
    """No other smoothing gives the answers of noisy labels a higher log-probability."""
    rng = np.random.default_rng(6)
    counts = np.full(200_000, 4)
    answers = rng.integers(0, counts)
    labels = draw_labels(answers, counts, 0.4, "redraw", rng)

    def mean_log_probability(rate: float) -> float:
        targets = make_targets("smoothed", labels, counts, rate).probabilities
        return float(np.log(targets[np.arange(answers.size), answers]).mean())

    of = {rate: mean_log_probability(rate) for rate in (0.3, 0.35, 0.4, 0.45, 0.5)}
    assert max(of, key=lambda rate: of[rate]) == 0.4


def test_disagreement_is_uncertainty() -> None:
    rng = np.random.default_rng(7)
    counts = np.full(5000, 4)
    judgments = draw_judgments(rng.integers(0, counts), counts, 0.5, "redraw", 3, rng)
    posterior = posterior_from_judgments(judgments, counts, 0.5)
    uncertainty = posterior_uncertainty(posterior, counts)
    agreeing = (judgments == judgments[:, :1]).all(1)
    assert uncertainty[agreeing].max() < uncertainty[~agreeing].min()
