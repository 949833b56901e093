"""Losses worked out by hand; targets that do not fit are refused."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from training.tuning.objectives import choice_losses, own_choices, target_probabilities

INF = math.inf
# Softmax of the first item: 1/2, 1/4, 1/4; of the second, with two choices: 1/4, 3/4.
SCORES = torch.tensor([[math.log(2), 0.0, 0.0], [0.0, math.log(3), -INF]])
OWN = torch.from_numpy(own_choices([3, 2]))


def losses(targets: list[list[float]], rates: list[float] | None = None) -> Tensor:
    given = None if rates is None else torch.tensor(rates, dtype=torch.float64)
    return choice_losses(SCORES, torch.tensor(targets, dtype=torch.float64), OWN, given)


def close(found: Tensor, expected: list[float]) -> None:
    torch.testing.assert_close(found, torch.tensor(expected), rtol=1e-5, atol=1e-6)


def test_hard_labels() -> None:
    close(losses([[1, 0, 0], [0, 1, 0]]), [math.log(2), math.log(4 / 3)])


def test_soft_targets() -> None:
    expected = 0.5 * math.log(2) + 0.5 * math.log(4), 0.8 * math.log(4) + 0.2 * math.log(4 / 3)
    close(losses([[0.5, 0.25, 0.25], [0.8, 0.2, 0]]), list(expected))


def test_forward_correction() -> None:
    # (1 - .4) / 2 + .4 / 3 = 13 / 30; (1 - .2) * 3 / 4 + .2 / 2 = .7
    close(losses([[1, 0, 0], [0, 1, 0]], [0.4, 0.2]), [math.log(30 / 13), -math.log(0.7)])


def test_forward_correction_by_nothing_is_cross_entropy() -> None:
    targets = [[0.5, 0.25, 0.25], [0.8, 0.2, 0]]
    torch.testing.assert_close(losses(targets, [0, 0]), losses(targets))


def test_labels_that_are_all_redrawn_say_nothing() -> None:
    close(losses([[1, 0, 0], [0, 1, 0]], [1, 1]), [math.log(3), math.log(2)])


@pytest.mark.parametrize("rates", [None, [0.0, 0.0], [0.3, 0.3], [1.0, 1.0]])
def test_gradients_are_finite_where_an_item_has_fewer_choices(rates: list[float] | None) -> None:
    logits = torch.tensor([[0.3, 0.1, -0.4], [0.2, 0.5, 0.0]], requires_grad=True)
    scores = logits.masked_fill(torch.isneginf(SCORES), -INF)
    given = None if rates is None else torch.tensor(rates)
    targets = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    choice_losses(scores, targets, OWN, given).sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert logits.grad[1, 2] == 0
    assert (logits.grad[0, 0] < 0) == (rates != [1.0, 1.0])


@pytest.mark.parametrize("rates", [None, [0.0]])
@pytest.mark.parametrize("target", [[1.0, 0, 0], [0.1, 0.9, 0]])
def test_a_choice_of_no_chance_at_all_is_no_absent_one(
    target: list[float], rates: list[float] | None
) -> None:
    scores = torch.tensor([[-INF, -1.0, -2.0]])
    given = None if rates is None else torch.tensor(rates)
    own = torch.ones(1, 3, dtype=torch.bool)
    assert choice_losses(scores, torch.tensor([target]), own, given).tolist() == [INF]


@pytest.mark.parametrize(("rates", "expected"), [(None, 1.0), ([0.0], 1.0), ([0.3], None)])
def test_a_choice_of_no_chance_that_no_target_is_on(
    rates: list[float] | None, expected: float | None
) -> None:
    scores = torch.tensor([[-INF, 0.0, math.log(math.e - 1)]], requires_grad=True)
    given = None if rates is None else torch.tensor(rates)
    own = torch.ones(1, 3, dtype=torch.bool)
    loss = choice_losses(scores, torch.tensor([[0, 1.0, 0]]), own, given)
    # p = (0, 1 / e, 1 - 1 / e); three choices share what was redrawn.
    close(loss, [expected or -math.log(0.7 / math.e + 0.1)])
    loss.sum().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


def test_own_choices() -> None:
    np.testing.assert_array_equal(own_choices([1, 3]), [[True, False, False], [True] * 3])


def test_labels_become_one_hot() -> None:
    np.testing.assert_array_equal(target_probabilities([2, 0], [3, 2]), [[0, 0, 1], [1, 0, 0]])


def test_probabilities_may_be_wider_than_the_items() -> None:
    wide = np.array([[0.5, 0.5, 0, 0], [0.25, 0.75, 0, 0]])
    np.testing.assert_array_equal(target_probabilities(wide, [2, 2]), wide[:, :2])


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([3, 0], "index of one of its choices"),
        ([0, 2], "index of one of its choices"),
        ([0], "index of one of its choices"),
        (np.array([[1.0, 0, 0]]), "should be"),
        (np.array([[1.0, 0], [1.0, 0]]), "should be"),
        (np.array([[1.0, 0, 0, 0], [0.5, 0, 0, 0.5]]), "should be"),
        (np.array([[1.0, 0, 0], [0.5, 0, 0.5]]), "row 1 is no distribution"),
        (np.array([[0.5, 0, 0], [0.5, 0.5, 0]]), "row 0 is no distribution"),
        (np.array([[1.5, -0.5, 0], [0.5, 0.5, 0]]), "row 0 is no distribution"),
        (np.array([[np.nan, 0, 0], [0.5, 0.5, 0]]), "row 0 is no distribution"),
    ],
)
def test_targets_that_do_not_fit(targets: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        target_probabilities(targets, [3, 2])  # type: ignore[arg-type]
