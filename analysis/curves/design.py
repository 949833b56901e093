"""Which purchases `labelmix curves` trains on: sizes, error rates, seeds; read from its options."""

import math
from dataclasses import dataclass
from itertools import pairwise

from annotation.errors import InputError
from annotation.terms.noise import check_error_rate

SIZES = "10,20,40,80,160,320"  # the paper's learning curves
ERROR_RATES = "0,.1,.2,.3"
FEWEST_LABELS = 2


@dataclass(frozen=True)
class CurvesDesign:
    """Sizes of the purchases, error rates, and how many seeds each is bought and trained with.

    `error_rates` are those of easy labels, rising from 0: clean labels are always among them. Hard
    ones are bought at the same rates and at `hard_factor` times each, at most 1.
    """

    sizes: tuple[int, ...]
    error_rates: tuple[float, ...]
    hard_factor: float
    seeds: int

    @property
    def hard_error_rates(self) -> tuple[float, ...]:
        """The rate of hard labels that goes with each of `error_rates`."""
        # Without rounding 3 x .1 would be another rate, and another trial, than .3.
        return tuple(min(1.0, round(self.hard_factor * rate, 12)) for rate in self.error_rates)

    @property
    def all_hard_error_rates(self) -> tuple[float, ...]:
        """Every rate that hard labels are bought at, rising."""
        return tuple(sorted({*self.error_rates, *self.hard_error_rates}))


def read_design(sizes: str, error_rates: str, hard_factor: float, seeds: int) -> CurvesDesign:
    """A design from the text of the options.

    Raises InputError, naming the option: sizes that are no rising whole numbers, an error rate
    outside [0, 1], a factor that is not above 0, fewer than 2 seeds.
    """
    if not (math.isfinite(hard_factor) and hard_factor > 0):
        raise InputError(f"--hard-factor {hard_factor:g}: should be a number above 0.")
    if seeds < 2:
        raise InputError(
            f"--seeds {seeds}: should be at least 2; one seed says nothing of how purchases differ."
        )
    return CurvesDesign(_sizes(sizes), _error_rates(error_rates), float(hard_factor), seeds)


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    rising = all(small < large for small, large in pairwise(sizes))
    if not sizes or not rising or sizes[0] < FEWEST_LABELS:
        raise InputError(
            f"--sizes {text}: should be increasing whole numbers of labels, each at least "
            f"{FEWEST_LABELS}, such as {SIZES}."
        )
    return sizes


def _error_rates(text: str) -> tuple[float, ...]:
    try:
        rates = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"--error-rates {text}: should be numbers within 0 and 1, such as {ERROR_RATES}."
        ) from None
    for rate in rates:
        try:
            check_error_rate(rate)
        except InputError as error:
            raise InputError(f"--error-rates {text}: {error}") from None
    return tuple(sorted({0.0, *rates}))  # 0.0 first: of -0.0 and 0.0 a set keeps the first
