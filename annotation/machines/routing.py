"""Which items a machine may label, and which people have to: with a bound on the wrong labels.

Asked for is that with probability `sure` at most a share `error_at_most` of all labels differ from
what people would say. It holds for any machine, whatever it says of its own confidence:

1. People answer a sample of items drawn at random. From it the chance of an error of every other
   item is learnt (`annotation.machines.trust`), and items are put in order, most trusted first.
2. Every item of that order is audited with the same probability, by a draw of its own: people
   answer it, without seeing what the machine said. Going down the order, the machine's answers are
   kept until `allowed + 1` audited ones were wrong. From there on people label everything.

Why that holds: each wrong answer on the way is audited, and so mended, with the audit rate r; else
it stays. How many are audited before B + 1 stay follows the negative binomial distribution,
whatever the order, the machine and the number of its errors. `allowed` is the largest number k of
which that distribution gives k or fewer a probability of at most 1 - `sure`. So when the audited
errors stop the walk at k + 1, more than B wrong labels are left with probability at most
1 - `sure`; B is the share asked for times all items. The audit rate is chosen beforehand, from the
sample alone, so that people are expected to label least.

The aim is that of probably approximately correct labels (Candès, Ilyas, Zrnic 2025, arXiv
2506.10908). There the bound comes from an interval of a weighted mean; here it is exact for any
number of items.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from annotation.arrays import Array, IntArray
from annotation.errors import InputError
from annotation.machines.labels import MachineLabels
from annotation.machines.trust import chance_of_error

SAMPLE_SHARE, LEAST_SAMPLE, MOST_SAMPLE = 20, 30, 200  # one item in so many; at least; at most
_RATES = np.r_[0.02:0.5:0.01, 0.5:0.96:0.05]
_LEAST_ASKED = 20  # audits that are asked for at once, so that people are not called for one item
_SAMPLED, _AUDITED, _ORDER = 1, 2, 3  # purposes of draws

Why = Literal["sample", "audit", "doubtful", "no answer"]


@dataclass(frozen=True)
class Promise:
    """At most this share of all labels is wrong, with this probability.

    Raises InputError if a number is out of range.
    """

    error_at_most: float
    sure: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.error_at_most < 1:
            raise InputError(
                f"the share of wrong labels should be above 0 and below 1; got "
                f"{self.error_at_most}."
            )
        if not 0.5 <= self.sure < 1:
            raise InputError(f"the probability should be at least .5 and below 1; got {self.sure}.")


@dataclass(frozen=True)
class Route:
    """Who labels what, as far as is known by the answers that are there.

    Attributes
    ----------
    ask : places of the items to ask people next; empty when all is decided
    why : why, as long as `ask`
    by_machine : (items,), whose label is the machine's; all False until all is decided
    by_people : (items,), which items the procedure has asked people, or does now
    sample : items drawn at random
    audit_rate : None before the sample is answered, and where no audit would pay
    allowed : audited errors up to which the machine's answers are kept
    found : audited errors so far
    expected : items that people are expected to label in all; None before the sample is answered
    """

    ask: IntArray
    why: tuple[Why, ...]
    by_machine: NDArray[np.bool_]
    by_people: NDArray[np.bool_]
    sample: int
    audit_rate: float | None = None
    allowed: int | None = None
    found: int = 0
    expected: int | None = None

    @property
    def is_decided(self) -> bool:
        """Whether nothing is left to ask."""
        return not self.ask.size


def sample_size(items: int) -> int:
    """How many items people answer first."""
    return min(items, max(LEAST_SAMPLE, min(MOST_SAMPLE, items // SAMPLE_SHARE)))


def drawing_order(labels: MachineLabels, seed: int) -> IntArray:
    """Places of the items that the machine answered, in the order in which they are drawn.

    A larger sample begins with the smaller one, so nobody is asked twice.
    """
    can = np.flatnonzero(labels.answered)
    return can[np.argsort(labels.draws(_SAMPLED, seed)[can], kind="stable")]


@lru_cache(maxsize=4096)
def allowed_errors(stay: int, rate: float, sure: float) -> int:
    """The most audited errors at which no more than `stay` stay, with probability `sure`; or -1.

    -1: even none would not be enough.
    """
    # scipy counts the failures before a number of successes: audited before stay + 1 that stay.
    audited = stats.nbinom(stay + 1, 1 - rate)
    most = int(audited.ppf(1 - sure))
    while most >= 0 and audited.cdf(most) > 1 - sure:
        most -= 1
    return most


def route(
    labels: MachineLabels, promise: Promise, seed: int = 0, sample: int | None = None
) -> Route:
    """What to ask people next, or who labels what.

    Nothing is kept between calls: the draws depend on `seed` and the items' own names, so the same
    call with more answers of people goes on where the last one stopped. Answers that were not
    asked for change nothing here.

    `sample` is the number of items of the first step; by default a twentieth of the items, at
    least 30 and at most 200.

    Raises InputError if the sample is no whole number of items above 0.
    """
    count = len(labels)
    size = sample_size(count) if sample is None else sample
    if size < 1:
        raise InputError(f"the sample should have at least 1 item; got {size}.")
    first = drawing_order(labels, seed)
    drawn = np.zeros(count, dtype=bool)
    drawn[first[:size]] = True
    begun = Route(
        ask=np.zeros(0, dtype=np.int64),
        why=(),
        by_machine=np.zeros(count, dtype=bool),
        by_people=drawn | ~labels.answered,  # whom people label at any rate
        sample=int(drawn.sum()),
    )
    missing = np.flatnonzero(drawn & (labels.people < 0))
    if first.size <= size:
        return _decided(labels, begun, begun.by_people, drawn)
    if missing.size:
        return _asking(begun, missing, "sample")
    chance = chance_of_error(labels, np.flatnonzero(drawn))
    rest = first[size:]
    order = rest[np.lexsort((labels.draws(_ORDER, seed)[rest], chance[rest]))]
    rate, allowed, expected = _cheapest(chance[order], promise, count)
    planned = replace(
        begun,
        audit_rate=rate,
        allowed=allowed,
        expected=int(begun.by_people.sum()) + expected,
    )
    if rate is None or allowed is None:
        return _decided(labels, planned, np.ones(count, dtype=bool), drawn)
    audited = order[labels.draws(_AUDITED, seed)[order] < rate]
    return _walk(labels, planned, order, audited, allowed, chance, drawn)


def _cheapest(chance: Array, promise: Promise, count: int) -> tuple[float | None, int | None, int]:
    """Audit rate, audited errors allowed, and labels that people are expected to give; of `order`.

    `chance` (items to decide,) of an error, most trusted first.
    """
    errors = np.cumsum(chance)
    stay = int(np.floor(promise.error_at_most * count + 1e-9))
    best: tuple[float | None, int | None, int] = (None, None, chance.size)
    for rate in _RATES.tolist():
        allowed = allowed_errors(stay, rate, promise.sure)
        if allowed < 0:
            continue
        kept = int(np.searchsorted(errors, (allowed + 1) / rate))
        people = round(rate * kept) + chance.size - kept
        if people < best[2]:
            best = (rate, allowed, people)
    return best


def _walk(
    labels: MachineLabels,
    planned: Route,
    order: IntArray,
    audited: IntArray,
    allowed: int,
    chance: Array,
    drawn: NDArray[np.bool_],
) -> Route:
    """Down the order, until too many audited answers were wrong or one is not there yet.

    `order` and `audited` are places of items, most trusted first; `chance` (items,) of an error.
    """
    known = labels.people[audited] >= 0
    answered = audited[: int(np.argmin(known)) if not known.all() else audited.size]
    found = np.cumsum(labels.said[answered] != labels.people[answered])
    stops = np.flatnonzero(found > allowed)
    people = planned.by_people.copy()
    if stops.size:
        last = int(stops[0])
        people[answered[: last + 1]] = True
        people[order[int(np.flatnonzero(order == answered[last])[0]) :]] = True
        return _decided(labels, replace(planned, found=int(found[last])), people, drawn)
    people[answered] = True
    so_far = replace(planned, found=int(found[-1]) if found.size else 0, by_people=people)
    ahead = audited[answered.size :]
    if not ahead.size:  # the walk is over: every answer that was not audited may stay
        return _decided(labels, so_far, people, drawn)
    errors = np.cumsum(chance[ahead])
    until = int(np.searchsorted(errors, allowed + 1 - so_far.found)) + 1
    ask = ahead[: max(_LEAST_ASKED, until)]
    return _asking(so_far, ask[labels.people[ask] < 0], "audit")


def _asking(so_far: Route, ask: IntArray, why: Why) -> Route:
    people = so_far.by_people.copy()
    people[ask] = True
    return replace(so_far, ask=ask, why=(why,) * ask.size, by_people=people)


def _decided(
    labels: MachineLabels, so_far: Route, people: NDArray[np.bool_], drawn: NDArray[np.bool_]
) -> Route:
    """All is decided, but for what people have not answered yet."""
    ask = np.flatnonzero(people & (labels.people < 0))
    why: list[Why] = [
        "no answer" if labels.said[own] < 0 else "sample" if drawn[own] else "doubtful"
        for own in ask.tolist()
    ]
    by_machine = ~people if not ask.size else so_far.by_machine
    return replace(so_far, ask=ask, why=tuple(why), by_people=people, by_machine=by_machine)
