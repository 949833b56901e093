"""Simulated annotators err at the rate they were set to, and conditions are nested."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.arrays import IntArray
from annotation.terms.clean_share import redraw_rates, wrong_share
from annotation.terms.noise import (
    ErrorKind,
    draw_judgments,
    draw_labels,
)

KINDS = st.sampled_from(get_args(ErrorKind))
RATES = st.floats(0, 1)


def items(seed: int, size: int) -> tuple[IntArray, IntArray]:
    rng = np.random.default_rng(seed)
    counts = rng.integers(2, 6, size)
    return rng.integers(0, counts), counts


@pytest.mark.parametrize("kind", get_args(ErrorKind))
@pytest.mark.parametrize("rate", [0.1, 0.6])
def test_the_share_of_wrong_labels_is_the_wrong_share(kind: ErrorKind, rate: float) -> None:
    answers, counts = items(seed=0, size=200_000)
    labels = draw_labels(answers, counts, rate, kind, np.random.default_rng(1))
    # A binomial share of 200,000 has a standard deviation of at most 0.0011.
    assert np.mean(labels != answers) == pytest.approx(wrong_share(rate, kind, counts), abs=0.005)


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_replacements_are_uniform(kind: ErrorKind) -> None:
    size = 40_000
    answers = np.full(size, 1)
    labels = draw_labels(answers, np.full(size, 4), 1.0, kind, np.random.default_rng(0))
    shares = np.bincount(labels, minlength=4) / size
    expected = [0.25] * 4 if kind == "redraw" else [1 / 3, 0, 1 / 3, 1 / 3]
    np.testing.assert_allclose(shares, expected, atol=0.012)  # five standard deviations


@given(
    seed=st.integers(0, 2**32), size=st.integers(0, 60), rates=st.tuples(RATES, RATES), kind=KINDS
)
def test_a_higher_rate_errs_on_a_superset_in_the_same_way(
    seed: int, size: int, rates: tuple[float, float], kind: ErrorKind
) -> None:
    answers, counts = items(seed, size)
    low, high = (
        draw_labels(answers, counts, rate, kind, np.random.default_rng(seed))
        for rate in sorted(rates)
    )
    wrong = low != answers
    assert (high[wrong] == low[wrong]).all()


@given(seed=st.integers(0, 2**32), size=st.integers(0, 60), rate=RATES, kind=KINDS, data=st.data())
def test_a_longer_draw_begins_with_the_shorter(
    seed: int, size: int, rate: float, kind: ErrorKind, data: st.DataObject
) -> None:
    answers, counts = items(seed, size)
    first = data.draw(st.integers(0, size))
    long = draw_labels(answers, counts, rate, kind, np.random.default_rng(seed))
    short = draw_labels(answers[:first], counts[:first], rate, kind, np.random.default_rng(seed))
    assert (long[:first] == short).all()


@given(seed=st.integers(0, 2**32), size=st.integers(0, 60), rate=RATES, kind=KINDS)
def test_equal_to_the_plain_loop(seed: int, size: int, rate: float, kind: ErrorKind) -> None:
    answers, counts = items(seed, size)
    numbers = np.random.default_rng(seed)
    expected = []
    for answer, count in zip(answers.tolist(), counts.tolist(), strict=True):
        hit, place = numbers.random(), numbers.random()
        possible = [k for k in range(count) if kind == "redraw" or k != answer]
        expected.append(possible[int(place * len(possible))] if hit < rate else answer)
    labels = draw_labels(answers, counts, rate, kind, np.random.default_rng(seed))
    assert labels.tolist() == expected


@given(seed=st.integers(0, 2**32), rates=st.tuples(RATES, RATES), kinds=st.tuples(KINDS, KINDS))
def test_the_generator_is_used_alike_in_all_conditions(
    seed: int, rates: tuple[float, float], kinds: tuple[ErrorKind, ErrorKind]
) -> None:
    answers, counts = items(seed, 9)
    after = []
    for rate, kind in zip(rates, kinds, strict=True):
        rng = np.random.default_rng(seed)
        draw_labels(answers, counts, rate, kind, rng)
        after.append(rng.random())
    assert after[0] == after[1]


JUDGES = st.integers(1, 4)


@given(
    seed=st.integers(0, 2**32),
    size=st.integers(0, 40),
    rate=RATES,
    kind=KINDS,
    judges=st.tuples(JUDGES, JUDGES),
    data=st.data(),
)
def test_fewer_items_or_judgments_are_the_beginning_of_more(
    seed: int,
    size: int,
    rate: float,
    kind: ErrorKind,
    judges: tuple[int, int],
    data: st.DataObject,
) -> None:
    answers, counts = items(seed, size)
    first, few = data.draw(st.integers(0, size)), min(judges)
    one = draw_labels(answers, counts, rate, kind, np.random.default_rng(seed))
    rngs = [np.random.default_rng(seed) for _ in range(2)]
    all_ = draw_judgments(answers, counts, rate, kind, max(judges), rngs[0])
    some = draw_judgments(answers[:first], counts[:first], rate, kind, few, rngs[1])
    assert (all_[:, 0] == one).all()
    assert (all_[:first, :few] == some).all()


@given(seed=st.integers(0, 2**32), judges=st.tuples(JUDGES, JUDGES), rates=st.tuples(RATES, RATES))
def test_what_is_drawn_afterwards_does_not_depend_on_the_judgments(
    seed: int, judges: tuple[int, int], rates: tuple[float, float]
) -> None:
    answers, counts = items(seed, 9)
    after = []
    for count, rate in zip(judges, rates, strict=True):
        rng = np.random.default_rng(seed)
        draw_judgments(answers, counts, rate, "redraw", count, rng)
        after.append(draw_judgments(answers, counts, 0.5, "redraw", 3, rng))
    assert (after[0] == after[1]).all()


@given(seed=st.integers(0, 2**32), rates=st.tuples(RATES, RATES), kind=KINDS)
def test_every_judgment_errs_on_a_superset_at_a_higher_rate(
    seed: int, rates: tuple[float, float], kind: ErrorKind
) -> None:
    answers, counts = items(seed, 30)
    low, high = (
        draw_judgments(answers, counts, rate, kind, 3, np.random.default_rng(seed))
        for rate in sorted(rates)
    )
    wrong = low != answers[:, None]
    assert (high[wrong] == low[wrong]).all()


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_judgments_err_at_the_rate_and_independently(kind: ErrorKind) -> None:
    answers, counts = items(seed=0, size=100_000)
    rng = np.random.default_rng(1)
    wrong = draw_judgments(answers, counts, 0.4, kind, 3, rng) != answers[:, None]
    rate = redraw_rates(0.4, kind, counts)
    expected = rate * (counts - 1) / counts
    np.testing.assert_allclose(wrong.mean(0), expected.mean(), atol=0.008)  # five deviations
    for one, other in ((0, 1), (0, 2), (1, 2)):
        both = np.mean(wrong[:, one] & wrong[:, other])
        assert both == pytest.approx(np.mean(expected**2), abs=0.007)
