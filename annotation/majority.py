"""How often a majority label errs, counted out exactly.

All outcomes are counted: how many judgments are right, and how the others fall on the wrong
choices. Of equally frequent choices one is drawn; to take the one that was judged first is the
same, as long as all judgments err alike.
"""

import math
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache


@lru_cache(maxsize=4096)
def majority_redraw_rate(redraw_rate: float, judgments: int, choices: int) -> float:
    """The redraw rate of the majority of `judgments`, each redrawn at `redraw_rate`.

    A majority label that is right with probability q errs as a redraw of rate (1 - q) m / (m - 1)
    over m choices, because the rule treats all wrong choices alike. 0 where there is one choice.

    Raises ValueError if there is no judgment or no choice.
    """
    if judgments < 1 or choices < 1:
        raise ValueError(
            f"there should be at least 1 judgment and 1 choice; got {judgments} and {choices}."
        )
    if choices == 1:
        return 0.0
    wrong = redraw_rate * (choices - 1) / choices
    right = 0.0
    for votes in range(1, judgments + 1):
        probability = (
            math.comb(judgments, votes) * (1 - wrong) ** votes * wrong ** (judgments - votes)
        )
        right += probability * _wins(votes, judgments - votes, choices - 1)
    return min(max((1 - right) * choices / (choices - 1), 0.0), 1.0)


def _wins(votes: int, others: int, wrong_choices: int) -> float:
    """Probability that `votes` beat `others` that fall on the wrong choices evenly."""
    total = Fraction(0)
    for parts in _partitions(others, others):
        if len(parts) > wrong_choices:
            continue
        ways = math.factorial(others) * math.perm(wrong_choices, len(parts))
        for part in parts:
            ways //= math.factorial(part)
        for repeated in Counter(parts).values():
            ways //= math.factorial(repeated)
        rivals = parts.count(votes)
        if not parts or parts[0] <= votes:
            total += Fraction(ways, rivals + 1)
    return float(total / wrong_choices**others)


def _partitions(total: int, largest: int) -> Iterator[tuple[int, ...]]:
    """Ways to write a number as a sum, the largest part first."""
    if total == 0:
        yield ()
        return
    for part in range(min(total, largest), 0, -1):
        for rest in _partitions(total - part, part):
            yield (part, *rest)
