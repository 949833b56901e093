"""Labels that were bought one batch after the other: what there is of each stratum, and no more."""

from collections.abc import Mapping

import numpy as np

from annotation.arrays import generator
from annotation.errors import InputError
from annotation.labelling.labels import Labels


class PurchasedLabels:
    """Labels of a collection as they stand; every item has one label, whoever is asked.

    A seed says only which of them come first: there is no second draw of what people answered.

    Parameters
    ----------
    bought : stratum -> its labels, in any order of items
    stream : begins the name of every stream of random numbers; two streams share no luck
    """

    def __init__(self, bought: Mapping[str, Labels], stream: str = "") -> None:
        # By position, so that the order in which batches came in makes no difference.
        self._bought = {
            name: own.chosen(np.argsort(own.positions, kind="stable"))
            for name, own in bought.items()
        }
        self._stream = stream

    def available(self, stratum: str) -> int:
        """How many labels of a stratum were bought."""
        return len(self._bought[stratum]) if stratum in self._bought else 0

    def labels(self, stratum: str, count: int, seed: int) -> Labels:
        """So many labels of a stratum, in the order of a seed.

        Raises InputError if there are not so many.
        """
        there = self.available(stratum)
        if count > there:
            raise InputError(
                f"stratum '{stratum}': {count} labels wanted, {there} were bought; buy more first."
            )
        if not there:
            return Labels(
                np.empty(0, dtype=np.int64), np.empty((0, 1), dtype=np.int64), np.empty(0)
            )
        order = generator(f"{self._stream}order", seed, stratum).permutation(there)
        return self._bought[stratum].chosen(order[:count])
