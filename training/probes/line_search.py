"""A line search for many fits at once, in the scores: no matrix product, only chances."""

import torch
from torch import Tensor

from training.probes.loss import ProbeTargets

TRIES = 40
DECREASE, CURVATURE = 1e-4, 0.9  # of the Wolfe conditions
ROUNDING = 1e-14  # relative error of an objective


def search(
    labels: ProbeTargets,
    item_weights: Tensor,
    scores: Tensor,
    change: Tensor,
    objective: Tensor,
    penalty: tuple[Tensor, Tensor, Tensor],
    slope: Tensor,
    active: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Find steps that satisfy the weak Wolfe conditions, by bisection with secant guesses.

    Where the decrease drowns in rounding, the slope alone must have fallen (Hager & Zhang 2005,
    the approximate Wolfe conditions).

    Parameters
    ----------
    labels, item_weights : as in `Problem`
    scores, change : (sets, items, classes, fits), the scores are  scores + step * change
    objective : (sets, fits), at step 0 and without the penalty
    penalty : a, b, c, each (sets, fits): the penalty is  a + b step + c / 2 step^2
    slope : (sets, fits), of the penalised objective at step 0; negative where active
    active : (sets, fits), other columns stay at step 0

    Returns the steps, 0 where none was found; and the objective without the penalty, the scores,
    the loss's gradient in the scores and the chances there.
    """
    constant, linear, quadratic = penalty

    def evaluate(step: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        at = scores + step[:, None, None] * change
        losses, slopes, chances = labels.losses(at)
        return (item_weights * losses).sum(1), at, slopes, chances

    start = objective + constant
    tolerance = ROUNDING * start.abs()
    low, low_slope = torch.zeros_like(slope), slope
    high = torch.full_like(slope, torch.inf)
    unsettled = active & (slope < 0)
    step = unsettled.to(slope.dtype)
    for _ in range(TRIES):
        data, at, slopes, chances = evaluate(step)
        value = data + constant + step * (linear + quadratic / 2 * step)
        here = (item_weights * (slopes * change).sum(2)).sum(1) + linear + quadratic * step
        descends = value <= start + DECREASE * step * slope
        descends |= (value <= start + tolerance) & (here <= (2 * DECREASE - 1) * slope)
        too_far = unsettled & ~descends
        too_near = unsettled & descends & (here < CURVATURE * slope)
        unsettled = too_far | too_near
        if not bool(unsettled.any()):
            return step, data, at, slopes, chances
        guess = low + (step - low) * low_slope / (low_slope - here)  # where the slope is zero
        high = torch.where(too_far, step, high)
        low, low_slope = (
            torch.where(too_near, step, low),
            torch.where(too_near, here, low_slope),
        )
        bounded = high.isfinite()
        least = torch.where(bounded, low + 0.1 * (high - low), 1.5 * step)
        most = torch.where(bounded, high - 0.1 * (high - low), 8 * step)
        middle = torch.where(bounded, (low + high) / 2, 2 * step)
        guess = torch.where(guess.isnan(), middle, guess.clamp(least, most))
        step = torch.where(unsettled, guess, step)
    step = torch.where(unsettled, low, step)  # the largest step that is known to descend
    return step, *evaluate(step)
