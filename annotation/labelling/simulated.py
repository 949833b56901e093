"""Simulated annotators: they know every answer, and err as the terms of sale have it."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from annotation.arrays import IntArray, Positions, generator
from annotation.errors import InputError
from annotation.labelling.labels import Labels
from annotation.terms.clean_share import redraw_rates
from annotation.terms.cost import LabelTerms
from annotation.terms.noise import draw_judgments


class SimulatedAnnotators:
    """Labels any item of a stratum's pool at that stratum's error rate.

    Everything is drawn per seed and stratum from streams of their own: a smaller purchase is the
    beginning of a larger one, whatever else is bought, and a lower error rate errs on a subset of a
    higher one's items. So any two purchases of one seed compare in pairs.

    Parameters
    ----------
    answers : (items,), the right choice of each; 0 of free-form items
    choice_counts : (items,), 0 of free-form items
    pools : stratum -> positions of its items for sale
    terms : stratum -> error rate and kind; strata that are not bought may be missing
    judgments : per label
    stream : begins the name of every stream of random numbers; two streams share no luck
    """

    def __init__(
        self,
        answers: IntArray,
        choice_counts: IntArray,
        pools: Mapping[str, Positions],
        terms: Mapping[str, LabelTerms],
        judgments: int = 1,
        stream: str = "",
    ) -> None:
        self._answers, self._choice_counts = answers, choice_counts
        self._pools, self._terms = pools, terms
        self._judgments, self._stream = judgments, stream
        self._drawn: dict[tuple[str, int], Labels] = {}

    def available(self, stratum: str) -> int:
        """How many items of a stratum are in its pool."""
        return int(self._pools[stratum].size)

    def labels(self, stratum: str, count: int, seed: int) -> Labels:
        """So many labels of a stratum, in the order of a seed.

        Raises InputError if there are not so many items, or free-form answers have an error rate.
        """
        there = self.available(stratum)
        if count > there:
            raise InputError(
                f"stratum '{stratum}': {count} labels wanted, {there} items there to label; "
                "buy fewer, or bring more items."
            )
        if (stratum, seed) not in self._drawn:
            rng = generator(f"{self._stream}order", seed, stratum)
            order = rng.permutation(self._pools[stratum])
            self._drawn[stratum, seed] = self.judged(order, stratum, "errors", seed, stratum)
        return self._drawn[stratum, seed].chosen(np.arange(count))

    def judged(
        self, positions: Positions, stratum: str, purpose: str, seed: int, name: str
    ) -> Labels:
        """These items, in order, judged at a stratum's terms; errors come of the stream so named.

        Raises InputError if free-form answers have an error rate.
        """
        terms, answers = self._terms[stratum], self._answers[positions]
        if self._free_form:
            return self._right_answers(positions, stratum)
        counts = self._choice_counts[positions]
        drawn = draw_judgments(
            answers,
            counts,
            terms.error_rate,
            terms.error_kind,
            self._judgments,
            generator(f"{self._stream}{purpose}", seed, name),
        )
        return Labels(positions, drawn, redraw_rates(terms.error_rate, terms.error_kind, counts))

    @cached_property
    def _free_form(self) -> bool:
        return not self._choice_counts.any()

    def _right_answers(self, positions: Positions, stratum: str) -> Labels:
        """Labels of free-form items, among which there is no other answer to err with."""
        rate = self._terms[stratum].error_rate
        if rate > 0:
            raise InputError(
                f"stratum '{stratum}': error rate {rate:g}, but its answers are free-form, and "
                f"errors are drawn from choices; set annotators.{stratum}.error_rate to 0."
            )
        drawn = np.repeat(self._answers[positions][:, None], self._judgments, axis=1)
        return Labels(positions, drawn, np.zeros(positions.size))
