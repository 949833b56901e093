"""The response surface's formula, fast: for very many mixes and draws.

Every step is one that numpy has vector instructions for, in place, on blocks of mixes that stay in
the processor's cache. `budget.surface.response` states the formula; a test holds the two equal.
"""

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray
from scipy.special import erf, erfc

from annotation.arrays import Array
from budget.surface.parameters import log_chance_pull, shared_columns

_CELLS = 40_000  # mixes x draws worked on at once
_TINY = 1e-12
_LARGEST = 4.0  # beyond, erf is 1 to eight digits
_ALL = slice(None)


class AccuracyKernel:
    """Accuracies of mixes under draws of a surface's natural parameters.

    Parameters
    ----------
    draws : (draws, parameters), columns as `ParameterSpace.names` has them; more are not looked at
    strata : how many there are
    place : the target's among them
    """

    def __init__(self, draws: Array, strata: int, place: int) -> None:
        columns = shared_columns(draws)
        self.draws = len(draws)
        self.floor = columns["floor"]
        self._place = place
        self._steepness = columns["steepness"] / np.sqrt(2)
        self._reach = (columns["ceiling"] - columns["floor"]) / erf(self._steepness)
        self._exponent, self._shape = columns["exponent"], columns["shape"]
        self._noise_power = columns["noise_power"]
        self._log_pull = log_chance_pull(draws)
        self._along: list[Array] = []
        self._beside: list[Array] = []
        first = len(columns)
        column = first
        for stratum in range(strata):
            if stratum == place:
                signal: Array = np.ones(self.draws)
                cosine = signal
            else:
                signal, cosine = draws[:, column], draws[:, column + strata - 1]
                column += 1
            self._along.append(signal * cosine)
            self._beside.append(signal * np.sqrt(np.maximum(1 - cosine**2, 0)))

    def accuracy(self, counts: Array, clean: Array) -> Array:
        """Accuracy (draws, mixes) of counts and clean shares, both (mixes, strata)."""
        found = np.empty((self.draws, len(counts)))
        rows = self.rows(self.draws)
        for start in range(0, len(counts), rows):
            block = slice(start, start + rows)
            found[:, block] = self.gain(counts[block], clean[block]).T
        found += self.floor[:, None]
        return found

    @staticmethod
    def rows(draws: int) -> int:
        """Mixes that are best worked on at once."""
        return max(1, _CELLS // max(1, draws))

    def gain(self, counts: Array, clean: Array, chosen: slice | NDArray[np.int64] = _ALL) -> Array:
        """Accuracy above the floor, (mixes, chosen draws)."""
        power = self._noise_power[chosen]
        log_clean = np.log(np.maximum(clean, 1e-3))
        shape = (len(counts), len(power))
        along, beside, part = np.zeros(shape), np.zeros(shape), np.empty(shape)
        for stratum in range(counts.shape[1]):
            own = counts[:, stratum, None]
            if not own.any():
                continue
            logs = log_clean[:, stratum, None]
            if (logs == logs[0]).all():  # one exponential for all mixes
                pull = own * np.exp(power * logs[0])
            else:
                pull = np.exp(np.multiply(power, logs))
                pull *= own
            along += np.multiply(pull, self._along[stratum][chosen], out=part)
            if stratum != self._place:
                beside += np.multiply(pull, self._beside[stratum][chosen], out=part)
        # agreement = along / |V| * (1 + (|V|^2 / (D N)) ** -exponent) ** -shape, in logs
        np.multiply(beside, beside, out=beside)
        beside += np.multiply(along, along, out=part)
        beside += _TINY
        log_square = np.log(beside, out=beside)
        total = np.maximum(counts.sum(1), _TINY)
        np.subtract(np.log(total)[:, None], log_square, out=part)
        part += self._log_pull[chosen]
        part *= self._exponent[chosen]
        with np.errstate(over="ignore"):
            np.exp(part, out=part)
        np.log1p(part, out=part)
        part *= -self._shape[chosen]
        log_square *= 0.5
        part -= log_square
        np.exp(part, out=part)
        along *= part
        along *= self._steepness[chosen]
        grown = fast_erf(along)
        grown *= self._reach[chosen]
        return grown


def _fitted_series() -> Array:
    """Coefficients of atanh(erf(x)) / x in powers of x^2, weighted by what they do to erf(x)."""
    x = _LARGEST * np.sin(np.linspace(0, np.pi / 2, 402)[1:])
    ratio = np.log((1 + erf(x)) / erfc(x)) / (2 * x)
    weight = (1 - erf(x) ** 2) * x / erf(x)
    fitted = Chebyshev.fit(x**2, ratio, 8, domain=[0, _LARGEST**2], w=weight)
    return np.asarray(fitted.convert(kind=Polynomial).coef)


_SERIES = _fitted_series()


def fast_erf(x: Array) -> Array:
    """The error function, to 1e-7 of itself, in steps that numpy has vector instructions for.

    erf(x) = tanh(x P(x^2)) with a polynomial P.
    """
    bounded = np.clip(x, -_LARGEST, _LARGEST)
    square = bounded * bounded
    series = square * _SERIES[-1]
    for coefficient in _SERIES[-2:0:-1]:
        series += coefficient
        series *= square
    series += _SERIES[0]
    series *= bounded
    return np.asarray(np.tanh(series, out=series))
