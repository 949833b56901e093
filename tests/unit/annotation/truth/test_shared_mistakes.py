import numpy as np
import pytest
from scipy import stats

from annotation.intervals import NOTHING, ClusteredMean, Interval
from annotation.truth.shared_mistakes import (
    PUBLISHED,
    GoldEvidence,
    expected_variance,
    gold_evidence,
    gold_items_for,
    label_error_with_gold,
    label_error_without_gold,
    one_more_answer,
    rate_with_gold,
    rate_without_gold,
    share_of_shared,
)

MODEL = Interval(0.2, 0.15, 0.27)


def test_one_more_answer_is_drawn_from_those_given_and_some_spread_evenly() -> None:
    votes = np.array([[3.0, 1.0, 0.0], [2.0, 0.0, 0.0]])
    counts = np.array([3, 2])
    even, by_chance = PUBLISHED.even_answers, PUBLISHED.any_answer
    found = one_more_answer(votes, counts)
    for item, choices in enumerate(counts):
        total = votes[item].sum() + even
        for choice in range(3):
            expected = 0.0
            if choice < choices:
                said = (votes[item, choice] + even / choices) / total
                expected = (1 - by_chance) * said + by_chance / choices
            assert found[item, choice] == pytest.approx(expected)
    assert found.sum(axis=1) == pytest.approx([1, 1])


def test_without_gold_the_interval_is_that_of_drawn_shares() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(400_000) / stats.norm.ppf(0.95)
    middle, low, high = (np.log(p / (1 - p)) for p in (0.2, 0.15, 0.27))
    logits = middle + np.where(noise > 0, noise * (high - middle), noise * (middle - low))
    drawn = 1 / (1 + np.exp(-logits)) + 0.3 * rng.beta(*PUBLISHED.prior, noise.size)
    found = rate_without_gold(MODEL, 0.3)
    assert found.estimate == pytest.approx(0.2 + 0.3 * PUBLISHED.mean_share)
    assert found.high == pytest.approx(np.quantile(drawn, 0.95), abs=0.003)
    assert found.low == MODEL.low  # mistakes may be independent


def test_where_one_more_answer_says_the_same_nothing_is_added() -> None:
    found = rate_without_gold(MODEL, 0.0)
    assert found.estimate == pytest.approx(0.2)
    assert found.bounds == pytest.approx((0.15, 0.27), abs=0.003)
    assert rate_without_gold(NOTHING, 0.1) == NOTHING


def test_gold_moves_a_rate_as_far_as_there_is_of_it() -> None:
    without = rate_without_gold(MODEL, 0.2)
    few = rate_with_gold(MODEL, 0.2, GoldEvidence(0.5, 4.0, 4))
    many = rate_with_gold(MODEL, 0.2, GoldEvidence(0.5, 2000.0, 400))
    assert without.estimate is not None
    assert few.estimate is not None
    assert without.estimate < few.estimate < 0.5
    assert many.estimate == pytest.approx(0.5, abs=0.01)  # far outside of what the prior allows
    assert many.bounds == pytest.approx((0.482, 0.518), abs=0.004)
    agreeing = rate_with_gold(MODEL, 0.2, GoldEvidence(0.25, 100.0, 10))
    alone = np.sqrt(0.25 * 0.75 / 100) * stats.norm.ppf(0.95)
    low, high = agreeing.bounds
    assert high - low < 2 * alone


def test_gold_adds_what_the_model_gets_wrong() -> None:
    difference = ClusteredMean(0.1, 0.0009, 19.0, 100)
    everywhere = ClusteredMean(0.2, 0.0001, 199.0, 1000)
    found = gold_evidence(difference, 0.0009, 0.0, everywhere, 20)
    assert found.rate == pytest.approx(0.3)
    smaller = (stats.norm.ppf(0.95) / stats.t.ppf(0.95, 19)) ** 2
    assert found.count == pytest.approx(min(100, 0.3 * 0.7 / 0.001) * smaller)


def test_gold_items_that_look_alike_do_not_make_sure() -> None:
    difference = ClusteredMean(0.0, 0.0, 4.0, 50)
    everywhere = ClusteredMean(0.1, 0.0, 199.0, 1000)
    sure = gold_evidence(difference, 0.0, 0.0, everywhere, 5)
    doubted = gold_evidence(difference, 0.0, 0.04, everywhere, 5)
    assert doubted.count < sure.count
    pooled = 20 * 0.04 / 5 / 24  # the expected counts as 20 items, four degrees were seen
    smaller = (stats.norm.ppf(0.95) / stats.t.ppf(0.95, 4)) ** 2
    assert doubted.count == pytest.approx(0.1 * 0.9 / pooled * smaller)


def test_no_expected_variance_makes_gold_worth_less_than_its_items() -> None:
    """Of 20 items that are all right, the rate is below that at which 20 would be in one of 20."""
    difference = ClusteredMean(0.0, 0.0, 19.0, 100)
    everywhere = ClusteredMean(0.0, 0.0, 199.0, 1000)
    gold = gold_evidence(difference, 0.0, 0.2, everywhere, 20, trials=20.0)
    assert gold.rate == 0
    assert gold.count == pytest.approx(20, rel=0.05)
    assert gold_evidence(difference, 0.0, 0.2, everywhere, 20).count < 10
    found = rate_with_gold(Interval(0.001, 0.0, 0.01), 0.3, gold)
    assert found.low is not None and found.low < 0.005
    assert found.high == pytest.approx(1 - 0.05 ** (1 / 20), abs=0.015)


def test_labels_may_share_more_mistakes_than_judgments() -> None:
    """Drawn: s of labels is that of judgments and a difference as on published crowds."""
    rng = np.random.default_rng(2)
    mean, spread = PUBLISHED.label_shift
    share = rng.beta(*PUBLISHED.prior, 400_000) + mean + spread * rng.standard_normal(400_000)
    sure = Interval(0.02, 0.02, 0.02)
    found = label_error_without_gold(sure, 0.4)
    drawn = 0.02 + 0.4 * np.clip(share, 0, 1)
    assert found.high == pytest.approx(np.quantile(drawn, 0.95), abs=0.006)
    assert found.low == 0.02
    assert found.estimate == rate_without_gold(sure, 0.4).estimate
    assert label_error_without_gold(NOTHING, 0.4) == NOTHING
    gold = GoldEvidence(0.3, 400.0, 100)
    assert label_error_with_gold(sure, 0.4, gold).bounds == pytest.approx((0.262, 0.338), abs=0.006)


def test_the_expected_variance_is_that_of_drawn_truths() -> None:
    rng = np.random.default_rng(1)
    votes = np.array([[3.0, 1.0], [2.0, 2.0], [0.0, 4.0], [0.0, 0.0]])
    model = np.array([[0.9, 0.1], [0.5, 0.5], [0.02, 0.98], [0.5, 0.5]])
    calibrated = 0.7 * model + 0.3 * one_more_answer(votes, np.array([2, 2, 2, 2]))
    drawn = []
    for item in range(3):
        truth = rng.random(100_000) < calibrated[item, 1]
        wrong = np.where(truth, votes[item, 0], votes[item, 1]) / 4
        drawn.append(wrong.var())
    assert expected_variance(votes, model, calibrated) == pytest.approx(np.mean(drawn), rel=0.02)


def test_the_share_of_shared_mistakes_follows_gold() -> None:
    assert share_of_shared(np.empty(0), np.empty(0)) == PUBLISHED.mean_share
    sure, doubting = np.full(40, 0.98), np.full(40, 0.6)
    assert share_of_shared(sure, doubting) < 0.1
    half = np.arange(40) < 20
    contradicted = np.where(half, 0.02, 0.98), np.where(half, 0.4, 0.6)
    assert share_of_shared(*contradicted) > 0.8


def test_more_gold_items_for_a_narrower_interval() -> None:
    assert gold_items_for(0.04, 0.05) == np.ceil(0.04 * (stats.norm.ppf(0.95) / 0.05) ** 2)
