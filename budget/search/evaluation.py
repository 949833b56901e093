"""Mean accuracy of very many mixes, and a race among them.

Where there are many mixes, few draws tell which cannot be the best: a mix goes on to four times as
many draws only while its difference to the best so far is within five standard errors. This is
racing as in Maron and Moore 1994, "Hoeffding races", with normal bounds.
"""

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from budget.surface.kernel import AccuracyKernel
from budget.surface.response import ResponseSurface

TIE = 1e-6  # differences in accuracy below this are rounding, not evidence
_ALL_AT_ONCE = 500_000  # cells up to which there is no race
_FIRST_DRAWS, _MORE_DRAWS = 32, 4
_STANDARD_ERRORS = 5.0
_SAMPLE = 2000  # mixes among which the first reference is found


class MeanAccuracy:
    """The mean over a surface's draws of the accuracy of mixes."""

    def __init__(self, surface: ResponseSurface) -> None:
        place = surface.strata.index(surface.target)
        self._kernel = AccuracyKernel(surface.draws, len(surface.strata), place)
        self.draws = self._kernel.draws
        self._floor = float(self._kernel.floor.mean())

    def mean(self, counts: Array, clean: Array) -> Array:
        """Mean accuracy (mixes,) of counts and clean shares, both (mixes, strata)."""
        rows = self._kernel.rows(self.draws)
        found = np.empty(len(counts))
        for start in range(0, len(counts), rows):
            block = slice(start, start + rows)
            found[block] = self._kernel.gain(counts[block], clean[block]).mean(1)
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
            reference = self._kernel.gain(counts[[best]], clean[[best]], chosen)[0]
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
        rows = self._kernel.rows(chosen.size)
        mean, error = np.empty(len(counts)), np.empty(len(counts))
        for start in range(0, len(counts), rows):
            block = slice(start, start + rows)
            gain = self._kernel.gain(counts[block], clean[block], chosen)
            if reference is not None:
                gain -= reference
            mean[block] = gain.mean(1)
            error[block] = gain.std(1) / np.sqrt(chosen.size)
        return mean, error
