"""An accuracy beside what can be had without a label: how far it is above, and where it is not."""

from collections.abc import Iterable, Mapping

from analysis.accuracy import ItemClusters
from analysis.estimates import Estimate
from annotation.arrays import Correct

BESIDE = {
    "zero_shot": "zero-shot",
    "commonest_class": "always answering the commonest class",
    "guessing": "guessing",
}
MARK = "\u2020"  # a dagger, beside an accuracy that is not resolved to be above all of these


def over_untrained(
    correct: Correct, untrained: Mapping[str, Correct], chance: float | None, clusters: ItemClusters
) -> dict[str, Estimate]:
    """Accuracy less that of everything that needs no label, paired over items and seeds.

    Parameters
    ----------
    correct : (seeds, items)
    untrained : by the names of `BESIDE`, (seeds or 1, items)
    chance : accuracy of guessing; None: none can guess. Left out beside the commonest class, which
        is as high at least
    """
    found = {name: clusters.difference(correct, own) for name, own in untrained.items()}
    if chance is not None and "commonest_class" not in untrained:
        found["guessing"] = _less(clusters.accuracy(correct), chance)
    return found


def _less(accuracy: Estimate, chance: float) -> Estimate:
    """An accuracy less that of guessing, which is known."""
    low, high = accuracy.low, accuracy.high
    return Estimate(
        estimate=None if accuracy.estimate is None else accuracy.estimate - chance,
        low=None if low is None else low - chance,
        high=None if high is None else high - chance,
    )


def not_above(over: Mapping[str, Estimate]) -> list[str]:
    """What an accuracy is not resolved to be above, of what `over_untrained` compares it with."""
    return [name for name, less in over.items() if less.low is None or less.low <= 0]


def told_of_marks(marked: Iterable[tuple[str, Iterable[str]]]) -> list[str]:
    """What the mark stands for, from names of accuracies and what each is not above; else none."""
    said = [
        f"{name}: {' and '.join(BESIDE[own] for own in names)}"
        for name, below in marked
        if (names := list(below))
    ]
    return [f"{MARK} not resolved to be above ({'; '.join(said)})"] if said else []
