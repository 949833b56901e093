"""What is said where trainings of adapters failed: never silent, whatever they then scored."""

from collections.abc import Iterable

from training.trial import FAILED, RESTARTS, TrialResult


def failed_trainings(results: Iterable[TrialResult]) -> list[str]:
    """A sentence where adapters were trained anew, one where they failed to the end; else none."""
    found = list(results)
    anew = sum(bool(own.details.get(RESTARTS)) for own in found)
    lost = sum(bool(own.details.get(FAILED)) for own in found)
    told = []
    if anew:
        told.append(
            f"{anew} of {len(found)} trials began their training anew, from another adapter: the "
            "loss had ended no lower than that of guessing. Their accuracies are of the last try."
        )
    if lost:
        told.append(
            f"{lost} of {len(found)} trials never trained: the loss ended no lower than that of "
            "guessing. Their accuracies count all the same; raise [qlora] least_updates, try "
            "another learning_rate, or look whether the labels can be learnt at all."
        )
    return told
