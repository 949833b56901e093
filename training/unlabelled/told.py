"""What a rehearsal came to; apart from what rehearses, so that planning needs no torch."""

from dataclasses import dataclass

LEAST_LABELS = 16  # of a stratum, below which its labels do not tell where classes lie
# Halves of fewer are off by over 2.5 points, half of what a sound control may miss.
LEAST_TEST_ITEMS = 200  # of the target


@dataclass(frozen=True)
class Rehearsed:
    """What one rehearsal came to (`training.unlabelled.rehearsal`).

    Attributes
    ----------
    accuracy : on test items that were not taught
    surprise : the largest of all strata (`training.unlabelled.rehearsal.Guessed`); 0 of one that
        no labels were known of
    overconfidence : of guesses of the target's test items that were not taught; 0 where the target
        was not guessed
    """

    accuracy: float
    surprise: float
    overconfidence: float


LEAST_READ = 10  # test items of the target that are of no group that was taught
READING_SEEDS = 2  # parts of the test set that probes are trained on; the rest is read


def reading_size(test_items: int) -> int:
    """How many test items' answers a reading probe is trained on: half; 0 if they are too few."""
    return test_items // 2 if test_items >= 20 else 0
