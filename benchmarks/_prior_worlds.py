"""Worlds drawn from the response surface's own prior: a pilot of each, and its exact rates."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from budget.surface.fit import fit_surface
from budget.surface.luck import LUCK
from budget.surface.observation import Observation
from budget.surface.parameters import ParameterSpace
from budget.surface.response import ResponseSurface, surface_accuracy

Real = NDArray[np.float64]
STRATA, TARGET, CHANCE = ("easy", "hard"), "hard", 0.25
PILOT, SEEDS, ITEMS = 120, 5, 400
_FRACTIONS = (4, 2, 1)
_FIXED_ITEMS = 32  # labels by which the luck of a purchase is damped
_GROUPS = np.arange(ITEMS).astype(object)


@dataclass(frozen=True)
class PriorWorld:
    """A surface fitted to a pilot, and the surface that is true, with a single draw."""

    fitted: ResponseSurface
    true: ResponseSurface


def prior_worlds(count: int) -> Iterator[PriorWorld]:
    """So many worlds, always the same."""
    space = ParameterSpace(STRATA, TARGET)
    for number in range(count):
        rng = np.random.default_rng([0x9A7E, number])
        natural = space.natural(rng.standard_normal((1, space.size)), CHANCE)
        clean = dict(zip(STRATA, rng.uniform(0.4, 1, len(STRATA)).tolist(), strict=True))
        fitted = fit_surface(
            _pilot(natural, np.array(list(clean.values())), rng),
            STRATA,
            TARGET,
            None,
            CHANCE,
            _GROUPS,
            seed=number,
            clean=clean,
        )
        yield PriorWorld(fitted, replace(fitted, draws=np.hstack([natural, [[0.0]]])))


def _pilot(natural: Real, clean: Real, rng: np.random.Generator) -> list[Observation]:
    """Trainings on nested parts of one purchase: every stratum alone, and all together.

    Every label has luck of its own, which all parts that hold it share; test items have
    difficulties that all trainings share.
    """
    difficulty = rng.standard_normal(ITEMS)
    luck = {name: rng.standard_normal(PILOT) for name in STRATA}
    orders = [{name: rng.permutation(PILOT) for name in STRATA} for _ in range(SEEDS)]
    observations = []
    for part in _FRACTIONS:
        size = PILOT // part
        for mix in (*({name: size} for name in STRATA), dict.fromkeys(STRATA, size)):
            counts = np.array([[mix.get(name, 0) for name in STRATA]], dtype=float)
            place = STRATA.index(TARGET)
            accuracy = float(surface_accuracy(natural, place, counts, clean[None])[0, 0])
            push = LUCK / np.sqrt((counts[0] @ clean) ** 2 + _FIXED_ITEMS * counts.sum())
            right = []
            for order in orders:
                own = sum(luck[name][order[name][:n]].sum() for name, n in mix.items())
                bound = ndtri(np.clip(accuracy + push * own, 0.001, 0.999))
                answers = np.sqrt(0.7) * difficulty + np.sqrt(0.3) * rng.standard_normal(ITEMS)
                right.append(answers < bound)
            observations.append(Observation(mix, np.array(right), size / PILOT))
    return observations
