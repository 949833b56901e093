"""The parameters of a response surface, and what is believed of them before anything is bought.

Each parameter is a function of a standard normal variable, so that the prior of all is a standard
normal vector. Centres and spreads were set on learning curves of linear probes: 60 generated
tasks and SST-5, 3 to 800 labels, six pairs of error rates (docs/method/response-surface.md).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from annotation.arrays import Array

SHARED = ("ceiling", "steepness", "half_labels", "exponent", "shape", "noise_power")


@dataclass(frozen=True)
class Normal:
    """Centre and spread of a normal variable."""

    centre: float
    spread: float

    def __call__(self, unit: Array) -> Array:
        """From standard normal to this one."""
        return self.centre + self.spread * unit


@dataclass(frozen=True)
class Prior:
    """Priors on the scale on which each is normal.

    Attributes
    ----------
    ceiling : logit of the share of the way from the floor to 1 that endless target labels go
    steepness : log of how sharply accuracy answers to the learnt direction
    half_labels : log of the clean target labels that learn half of the direction
    exponent, shape : logs; how fast what is missing of the direction shrinks with labels
    noise_power : log of the power of a stratum's clean share that is left as signal
    signal : log of a label's signal against a target label's, for the stratum farthest away
    alignment : area tangent of the cosine between what that stratum teaches and the target
    between_signal, between_alignment : spreads of strata between about what lies evenly between
    """

    ceiling: Normal = Normal(0.4, 0.7)
    steepness: Normal = Normal(0.1, 0.5)
    half_labels: Normal = Normal(4.0, 0.9)
    exponent: Normal = Normal(-0.2, 0.3)
    shape: Normal = Normal(0.0, 0.5)
    noise_power: Normal = Normal(0.05, 0.15)
    signal: Normal = Normal(0.25, 0.4)
    alignment: Normal = Normal(1.2, 0.95)
    between_signal: float = 0.25
    between_alignment: float = 0.3


@dataclass(frozen=True)
class ParameterSpace:
    """Parameters of a surface over `strata` in order of hardness, seen from `target`.

    Natural draws are (draws, parameters) with columns as `names` has them.
    """

    strata: tuple[str, ...]
    target: str
    prior: Prior = Prior()

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(name for name in self.strata if name != self.target)

    @property
    def size(self) -> int:
        """Dimensions of the standard normal vector."""
        return len(SHARED) + 2 * len(self.others)

    @property
    def names(self) -> list[str]:
        signals = [f"signal_{name}" for name in self.others]
        alignments = [f"alignment_{name}" for name in self.others]
        return ["floor", *SHARED, *signals, *alignments]

    def natural(self, unit: Array, floor: float) -> Array:
        """Natural parameters (points, 1 + size) of standard normal points (points, size)."""
        prior, shared = self.prior, len(SHARED)
        out = np.empty((len(unit), 1 + self.size))
        out[:, 0] = floor
        out[:, 1] = floor + (1 - floor) * expit(prior.ceiling(unit[:, 0]))
        for column, name in enumerate(SHARED[1:], start=1):
            out[:, 1 + column] = np.exp(getattr(prior, name)(unit[:, column]))
        count = len(self.others)
        if count == 0:
            return out
        signals, alignments = unit[:, shared : shared + count], unit[:, shared + count :]
        out[:, 1 + shared : 1 + shared + count] = np.exp(self._signals(signals))
        out[:, 1 + shared + count :] = np.cos(self._angles(alignments))
        return out

    def _distances(self) -> Array:
        """How far each other stratum is from the target, the farthest 1: (others,)."""
        places = np.array([self.strata.index(name) for name in self.others], dtype=np.float64)
        away = np.abs(places - self.strata.index(self.target))
        return np.asarray(away / away.max())

    def _farthest(self) -> int:
        """Which of the others all the rest lie between: the first of the farthest."""
        return int(self._distances().argmax())

    def _signals(self, unit: Array) -> Array:
        """Log signal: the farthest stratum's, scaled by distance, and a spread of its own."""
        distances, far = self._distances(), self._farthest()
        base = self.prior.signal(unit[:, far])
        out = base[:, None] * distances + self.prior.between_signal * unit
        out[:, far] = base
        return np.asarray(out)

    def _angles(self, unit: Array) -> Array:
        """Angle to the target's direction: the farthest stratum's, scaled by distance."""
        distances, far = self._distances(), self._farthest()
        base = np.arccos(np.tanh(self.prior.alignment(unit[:, far])))
        out = base[:, None] * distances * np.exp(self.prior.between_alignment * unit)
        out[:, far] = base
        return np.asarray(np.minimum(out, np.pi))


def shared_columns(draws: Array) -> dict[str, Array]:
    """The floor and the parameters that all strata share, each (draws,), of natural draws."""
    return {name: draws[:, column] for column, name in enumerate(("floor", *SHARED))}


def log_chance_pull(draws: Array) -> Array:
    """Log of the surface's D, (draws,): from the clean target labels that learn half."""
    v = shared_columns(draws)
    doublings = np.log(2) / v["shape"]
    log_power = doublings + np.log(-np.expm1(-doublings))  # of 2 ** (1 / shape) - 1
    return np.asarray(np.log(v["half_labels"]) + log_power / v["exponent"])
