from decimal import Decimal

import numpy as np
import pytest

from annotation.terms.clean_share import LEAST, clean_share, label_redraw_rates
from annotation.terms.cost import LabelTerms
from annotation.terms.noise import ErrorKind


def terms(error_rate: float, kind: ErrorKind = "redraw") -> LabelTerms:
    return LabelTerms(Decimal(1), error_rate, kind)


def test_what_is_not_redrawn_is_clean() -> None:
    assert clean_share(terms(0.3), np.array([2, 4, 5])) == pytest.approx(0.7)
    assert clean_share(terms(0.3), 0.25) == pytest.approx(0.7)


def test_a_flip_is_a_redraw_at_a_higher_rate() -> None:
    # Of 2 choices .3 * 2 / 1 = .6, of 4 choices .3 * 4 / 3 = .4: clean are .4 and .6.
    assert clean_share(terms(0.3, "flip"), np.array([2, 4])) == pytest.approx(0.5)
    assert clean_share(terms(0.3, "flip"), 0.25) == pytest.approx(0.6)
    assert clean_share(terms(0.3, "flip"), 0.27) == pytest.approx(0.6)  # 3.7 choices are about 4


def test_the_majority_of_three_judgments() -> None:
    # Of 2 choices each judgment is right with .8, the majority with .8^3 + 3 * .8^2 * .2 = .896:
    # wrong as often as a redraw at .104 * 2.
    assert clean_share(terms(0.4), np.array([2]), judgments=3) == pytest.approx(0.792)
    assert clean_share(terms(0.4), 0.5, judgments=3) == pytest.approx(0.792)
    np.testing.assert_allclose(label_redraw_rates(terms(0.4), np.array([2, 2]), 3), 0.208)


@pytest.mark.parametrize(("rate", "kind"), [(1.0, "redraw"), (0.99, "redraw"), (0.9, "flip")])
def test_some_of_the_labels_are_clean_at_all_events(rate: float, kind: ErrorKind) -> None:
    assert clean_share(terms(rate, kind), np.array([4])) == LEAST == 0.02


def test_more_judgments_are_cleaner() -> None:
    shares = [clean_share(terms(0.5), np.array([3, 4]), judgments) for judgments in (1, 3, 5)]
    assert shares == sorted(shares)
    assert shares[0] == 0.5 and shares[2] > 0.6


@pytest.mark.parametrize("chance", [0.0, -0.1, 1.5, float("nan")])
def test_a_chance_that_is_none(chance: float) -> None:
    with pytest.raises(ValueError, match=f"should be in \\(0, 1\\]; got {chance}"):
        clean_share(terms(0.1), chance)


def test_what_cannot_be_counted() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        clean_share(terms(0.1), np.array([], dtype=np.int64))
    with pytest.raises(ValueError, match="'judgments' should be at least 1; got 0"):
        clean_share(terms(0.1), np.array([4]), judgments=0)


def test_many_judgments_of_many_choices_are_counted_out() -> None:
    # Nine of ten choices, 10 % redrawn: a majority of nine is hardly ever wrong.
    assert clean_share(terms(0.1), np.array([10]), judgments=9) > 0.9999
