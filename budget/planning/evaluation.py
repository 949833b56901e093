"""Mean accuracy of very many mixes: `ResponseSurface.accuracy` in small blocks, and a race.

Blocks of mixes stay in the processor's cache, and every step is one that numpy has vector
instructions for.

Where there are many mixes, few draws tell which cannot be the best: a mix goes on to four times as
many draws only while its difference to the best so far is within five standard errors. This is
racing as in Maron and Moore 1994, "Hoeffding races", with normal bounds.
"""

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray
from scipy.special import erf, erfc

from budget.surface.parameters import SHARED
from budget.surface.response import ResponseSurface, log_chance_pull

Array = NDArray[np.float64]
TIE = 1e-6  # differences in accuracy below this are rounding, not evidence
_BLOCK = 40_000  # cells (mixes x draws) worked on at once
_ALL_AT_ONCE = 500_000  # cells up to which there is no race
_FIRST_DRAWS, _MORE_DRAWS = 32, 4
_STANDARD_ERRORS = 5.0
_SAMPLE = 2000  # mixes among which the first reference is found
_TINY = 1e-12
_LARGEST = 4.0  # beyond, erf is 1 to eight digits


class MeanAccuracy:
    """The mean over a surface's draws of the accuracy of mixes."""

    def __init__(self, surface: ResponseSurface) -> None:
        columns = {name: surface.draws[:, k] for k, name in enumerate(("floor", *SHARED))}
        self.draws = len(surface.draws)
        self._place = surface.strata.index(surface.target)
        self._floor = float(columns["floor"].mean())
        self._steepness = columns["steepness"] / np.sqrt(2)
        reach = columns["ceiling"] - columns["floor"]
        self._reach = reach / erf(self._steepness)
        self._exponent, self._shape = columns["exponent"], columns["shape"]
        self._noise_power = columns["noise_power"]
        self._log_pull = log_chance_pull(surface.draws)
        names = surface.parameter_names
        self._along: list[Array] = []
        self._beside: list[Array] = []
        for name in surface.strata:
            if name == surface.target:
                signal: Array = np.ones(self.draws)
                cosine = signal
            else:
                signal = surface.draws[:, names.index(f"signal_{name}")]
                cosine = surface.draws[:, names.index(f"alignment_{name}")]
            self._along.append(signal * cosine)
            self._beside.append(signal * np.sqrt(np.maximum(1 - cosine**2, 0)))

    def mean(self, counts: Array, clean: Array) -> Array:
        """Mean accuracy (mixes,) of counts and clean shares, both (mixes, strata)."""
        rows = max(1, _BLOCK // self.draws)
        found = np.empty(len(counts))
        everything = slice(None)
        for start in range(0, len(counts), rows):
            block = slice(start, start + rows)
            found[block] = self._gain(counts[block], clean[block], everything).mean(1)
        return self._floor + found

    def race(self, counts: Array, clean: Array) -> Array:
        """Mean accuracy (mixes,); minus infinity for mixes that were found not to be the best."""
        found = np.full(len(counts), -np.inf)
        alive = np.arange(len(counts))
        draws = _FIRST_DRAWS
        best = 0
        while draws < self.draws and alive.size * self.draws > _ALL_AT_ONCE:
            chosen = np.arange(draws) * self.draws // draws
            if draws == _FIRST_DRAWS:
                sample = alive[:: max(1, alive.size // _SAMPLE)]
                means, _ = self._differences(counts[sample], clean[sample], chosen, None)
                best = int(sample[means.argmax()])
            reference = self._gain(counts[[best]], clean[[best]], chosen)[0]
            difference, error = self._differences(counts[alive], clean[alive], chosen, reference)
            within = _STANDARD_ERRORS * error
            kept = difference + within >= (difference - within).max() - TIE
            best = int(alive[difference.argmax()])
            alive = alive[kept]
            draws *= _MORE_DRAWS
        found[alive] = self.mean(counts[alive], clean[alive])
        return found

    def _differences(
        self, counts: Array, clean: Array, chosen: NDArray[np.int64], reference: Array | None
    ) -> tuple[Array, Array]:
        """Mean over chosen draws of the accuracy above a reference, and its standard error."""
        rows = max(1, _BLOCK // chosen.size)
        mean, error = np.empty(len(counts)), np.empty(len(counts))
        for start in range(0, len(counts), rows):
            block = slice(start, start + rows)
            gain = self._gain(counts[block], clean[block], chosen)
            if reference is not None:
                gain -= reference
            mean[block] = gain.mean(1)
            error[block] = gain.std(1) / np.sqrt(chosen.size)
        return mean, error

    def _gain(self, counts: Array, clean: Array, chosen: slice | NDArray[np.int64]) -> Array:
        """Accuracy above the floor, (mixes, chosen draws)."""
        power = self._noise_power[chosen]
        log_clean = np.log(np.maximum(clean, 1e-3))
        shape = (len(counts), len(power))
        along, beside, part = np.zeros(shape), np.zeros(shape), np.empty(shape)
        for stratum in range(counts.shape[1]):
            own = counts[:, stratum, None]
            if not own.any():
                continue
            pull = np.multiply(power, log_clean[:, stratum, None])
            np.exp(pull, out=pull)
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
