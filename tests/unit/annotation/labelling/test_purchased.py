import numpy as np
import pytest

from annotation.errors import InputError
from annotation.labelling.labels import Labels
from annotation.labelling.purchased import PurchasedLabels


def some_labels(positions: list[int]) -> Labels:
    judgments = np.array(positions)[:, None] % 2
    return Labels(np.array(positions), judgments, np.full(len(positions), 0.1))


def test_fewer_are_the_beginning_of_more() -> None:
    bought = PurchasedLabels({"easy": some_labels([7, 3, 5, 1])})
    every = bought.labels("easy", 4, seed=2)
    assert sorted(every.positions.tolist()) == [1, 3, 5, 7]
    assert bought.labels("easy", 2, seed=2).positions.tolist() == every.positions[:2].tolist()
    assert (every.judgments[:, 0] == every.positions % 2).all()


def test_the_order_of_batches_makes_no_difference() -> None:
    one = PurchasedLabels({"easy": some_labels([7, 3, 5, 1])}).labels("easy", 4, seed=0)
    other = PurchasedLabels({"easy": some_labels([1, 5, 7, 3])}).labels("easy", 4, seed=0)
    assert one.key == other.key


def test_what_was_not_bought_is_not_there() -> None:
    bought = PurchasedLabels({"easy": some_labels([1])})
    assert (bought.available("easy"), bought.available("hard")) == (1, 0)
    assert len(bought.labels("hard", 0, seed=0)) == 0
    with pytest.raises(InputError, match="'easy': 2 labels wanted, 1 were bought"):
        bought.labels("easy", 2, seed=0)
