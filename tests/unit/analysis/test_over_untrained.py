"""Accuracies beside what needs no label."""

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.accuracy import ItemClusters
from analysis.estimates import Estimate
from analysis.over_untrained import MARK, not_above, over_untrained, told_of_marks

GROUPS = np.array([f"g{i}" for i in range(400)], dtype=object)


def right(share: float, seeds: int = 3, items: int = 400) -> NDArray[np.bool_]:
    return np.random.default_rng([items, seeds]).random((seeds, items)) < share


def test_differences_are_paired_and_a_guess_is_known() -> None:
    trained, zero_shot = right(0.6), right(0.3, 1)
    found = over_untrained(trained, {"zero_shot": zero_shot}, 0.25, ItemClusters(GROUPS))
    assert list(found) == ["zero_shot", "guessing"]
    assert found["zero_shot"].estimate == pytest.approx(trained.mean() - zero_shot.mean())
    assert found["guessing"].estimate == pytest.approx(trained.mean() - 0.25)
    assert not_above(found) == []


def test_what_guesses_is_not_above_guessing() -> None:
    found = over_untrained(right(0.25), {"zero_shot": right(0.1, 1)}, 0.25, ItemClusters(GROUPS))
    assert not_above(found) == ["guessing"]


def test_beside_the_commonest_class_guessing_is_left_out() -> None:
    always = np.arange(400)[None] < 200
    clusters = ItemClusters(GROUPS)
    assert list(over_untrained(right(0.5), {"commonest_class": always}, 0.2, clusters)) == [
        "commonest_class"
    ]
    assert over_untrained(right(0.5), {}, None, clusters) == {}


def test_what_the_mark_stands_for() -> None:
    within = Estimate(estimate=0.0, low=-0.1, high=0.1)
    said = told_of_marks(
        [("all easy", not_above({"zero_shot": within, "guessing": within})), ("plan", [])]
    )
    assert said == [f"{MARK} not resolved to be above (all easy: zero-shot and guessing)"]
    assert told_of_marks([("plan", [])]) == []
