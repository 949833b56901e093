"""The crossover budget: the money at which the better of two kinds of labels changes.

For less money one kind is the better buy, for more the other. Two lines that are measured or fitted
may change sides several times by chance. So each pair of lines, and each draw of it, is read as one
of four: one kind is better throughout, the other is, or the lead changes once, one way or the
other. Of these, and of all places, the reading is taken that leaves the least area between the
lines on the wrong side.
"""

from typing import Literal

import numpy as np

from analysis.accuracy import CONFIDENCE
from analysis.estimates import Estimate
from analysis.numbers import money, percent
from annotation.arrays import Array

_NOTHING = 1e-12  # accuracy that is no lead
_MOST_COUNTED = 0.995  # a probability above it is not told as certain


class CrossoverBudget(Estimate):
    """The money at which `stratum` and `target` are equally good buys, each bought alone.

    The numbers are None unless the better buy is shown to change, and its interval lies between
    `least` and `most`, the money that was looked at. A draw in which it does not change there
    counts as one that changes beyond.
    """

    stratum: str
    target: str
    least: float
    most: float
    measured_up_to: float | None = None  # above it is what was fitted; None: all was measured
    # "never changes": one kind is better throughout; `better_throughout` says how sure which is.
    verdict: Literal["changes", "never changes", "not resolved"]
    better_below: str | None  # in money, on the whole; None: it does not change on the whole
    probability: float  # that the better buy changes between `least` and `most`
    better_throughout: dict[str, float]  # stratum -> probability that it is better at every amount


def crossover_budget(
    costs: Array,
    leads: Array,
    draws: Array,
    names: tuple[str, str],
    confidence: float,
    measured_up_to: float | None = None,
) -> CrossoverBudget:
    """Where the lead of labels of one stratum over those of the target changes its sign.

    Parameters
    ----------
    costs : (costs,) money that was looked at, rising, two amounts at least
    leads, draws : accuracy of the stratum minus that of the target, (costs,) and (draws, costs);
        straight lines in between
    names : the stratum and the target
    confidence : of the interval, and the least probability of a claim
    measured_up_to : the most money that something was measured at

    Raises ValueError for fewer than two costs, or costs that do not rise.
    """
    if costs.size < 2 or np.any(np.diff(costs) <= 0):
        raise ValueError(f"'costs' should be two at least and rise; got {costs}.")
    below, place = (float(own[0]) for own in _readings(costs, leads[None]))
    signs, _ = _readings(costs, draws)
    changes = np.abs(signs) == 1
    throughout = {
        name: float((signs == sign * 2).mean()) for name, sign in zip(names, (1, -1), strict=True)
    }
    found = Estimate(estimate=None, low=None, high=None)
    if abs(below) == 1 and (signs == below).mean() >= confidence:
        found = _interval(place, _loss_of_lead(costs, below * draws)[1], confidence)
    never = sum(throughout.values()) >= confidence
    return CrossoverBudget(
        **found.model_dump(),
        stratum=names[0],
        target=names[1],
        least=float(costs[0]),
        most=float(costs[-1]),
        measured_up_to=measured_up_to,
        verdict="changes"
        if found.estimate is not None
        else "never changes"
        if never
        else "not resolved",
        better_below=None if abs(below) != 1 else names[0] if below > 0 else names[1],
        probability=float(changes.mean()),
        better_throughout=throughout,
    )


def _interval(place: float, places: Array, confidence: float) -> Estimate:
    """Numbers only where the interval of the draws lies within what was looked at."""
    tail = (1 - confidence) / 2
    # Order statistics: between a place and one beyond there is no mean.
    low = float(np.quantile(places, tail, method="lower"))
    high = float(np.quantile(places, 1 - tail, method="higher"))
    if np.isfinite(low) and np.isfinite(high):
        return Estimate(estimate=place, low=low, high=high)
    return Estimate(estimate=None, low=None, high=None)


def _readings(costs: Array, leads: Array) -> tuple[Array, Array]:
    """How each broken line (lines, costs) reads, and where its sign changes, both (lines,).

    1: above zero for less money and below it for more, -1: the other way round, 2: above
    throughout, -2: below, 0: the line is zero. The place is infinite where nothing changes.
    """
    whole = (np.diff(costs) * (leads[:, :-1] + leads[:, 1:]) / 2).sum(1)
    falling, lost = _loss_of_lead(costs, leads)
    rising, won = _loss_of_lead(costs, -leads)
    # Area on the right side less that on the wrong one, of a change at the best place either way.
    falls = 2 * falling - whole >= 2 * rising + whole
    place = np.where(falls, lost, won)
    sign = np.where(falls, 1.0, -1.0)
    # Beyond the right end the lead of the left is kept, beyond the left it is that of the right.
    kind = np.where(np.isfinite(place), sign, np.where(place > 0, 2 * sign, -2 * sign))
    return np.where(np.abs(leads).max(1) <= _NOTHING, 0.0, kind), place


def _loss_of_lead(costs: Array, leads: Array) -> tuple[Array, Array]:
    """Where each broken line turns from above zero to below: (lines,), and its integral up to it.

    That is where its integral from the left is largest. The place is -inf where this is the left
    end (there was no lead to lose), inf where it is the right end (the lead was kept).

    `leads` (lines, costs) are the heights of the lines at `costs`, which rise.
    """
    left, right = leads[:, :-1], leads[:, 1:]
    widths = np.diff(costs)
    areas = np.cumsum((left + right) / 2 * widths, axis=1)
    before = np.concatenate([np.zeros((len(leads), 1)), areas[:, :-1]], axis=1)
    falls = (left > 0) & (right < 0)
    share = np.where(falls, left / np.where(falls, left - right, 1.0), 0.0)
    # A falling piece reaches zero inside; its integral is largest there, by a triangle.
    inside = np.where(falls, before + left * share * widths / 2, -np.inf)
    peaks = np.concatenate([np.zeros((len(leads), 1)), areas, inside], axis=1)
    zeros = costs[:-1] + share * widths
    ends = np.broadcast_to(np.concatenate([[-np.inf], costs[1:-1], [np.inf]]), leads.shape)
    places = np.concatenate([ends, zeros], axis=1)
    largest = peaks.argmax(axis=1)[:, None]
    return (
        np.asarray(np.take_along_axis(peaks, largest, axis=1)[:, 0]),
        np.asarray(np.take_along_axis(places, largest, axis=1)[:, 0]),
    )


# ---------------------------------------------------------------- in words


def crossover_sentence(found: CrossoverBudget, currency: str) -> str:
    """Below which budget which labels are the better buy, or that this is open; with the range."""
    least, most = money(found.least, currency), money(found.most, currency)
    names = (found.stratum, found.target)
    if found.verdict == "changes":
        below, above = names if found.better_below == found.stratum else names[::-1]
        place, low, high = (
            _rounded(amount, currency) for amount in (found.estimate, found.low, found.high)
        )
        said = (
            f"Below {place} ({low} to {high}) {below} labels alone are the better buy, above it "
            f"{above} ones alone; looked at from {least} to {most}."
        )
    elif found.verdict == "never changes":
        said = f"No crossover from {least} to {most}: {_who_leads(found)}."
    elif not found.probability and not any(found.better_throughout.values()):
        said = f"From {least} to {most}, {names[0]} and {names[1]} labels are equally good buys."
    else:
        first, second = (_probability(found.better_throughout[name]) for name in names)
        said = (
            f"Whether the better buy changes between {least} and {most} is not resolved: it does "
            f"with probability {_probability(found.probability)}; {found.stratum} labels are "
            f"better throughout with {first}, {found.target} labels with {second}."
        )
    return f"{said}{_how_far_measured(found, currency)}"


def _who_leads(found: CrossoverBudget) -> str:
    """Which kind is the better buy at every amount, or that this is open."""
    better = max(found.better_throughout, key=lambda name: found.better_throughout[name])
    sure = found.better_throughout[better]
    if sure >= CONFIDENCE:
        return (
            f"{better} labels alone are the better buy at every amount (probability "
            f"{_probability(sure)})"
        )
    told = (f"{name} labels with {_probability(p)}" for name, p in found.better_throughout.items())
    return (
        "one kind alone is the better buy at every amount, but which one is not resolved "
        f"(probability: {', '.join(told)})"
    )


def _how_far_measured(found: CrossoverBudget, currency: str) -> str:
    """That curves go on beyond what was measured."""
    measured = found.measured_up_to
    if measured is None or measured >= found.most:
        return ""
    if measured < found.least:
        return " No amount was measured with both kinds: the curves are fitted."
    return f" Measured up to {money(measured, currency)}; beyond that the curves are fitted."


def _rounded(amount: float | None, currency: str) -> str:
    """An amount that was estimated, to three digits: cents would say too much."""
    return money(None if amount is None else float(f"{amount:.3g}"), currency)


def _probability(value: float) -> str:
    if value > _MOST_COUNTED:
        return "over 99 %"
    return percent(value, 0) if value >= 1 - _MOST_COUNTED or value == 0 else "below 1 %"
