"""What a batch is for, as its decision says."""

from budget.collection.orders import BatchRecord

EXISTING = "existing"
"""Who gave the labels that a collection began with, and the kind of their batch; no supplier may
have this name."""
TEST_SET = "test set"
"""The batch that asks for the right answers of test items; on the ledger and in orders the stratum
of all of it."""
TEST_SET_AGAIN = "test set again"
"""The batch that asks once more where these answers are in doubt."""
TEST_SET_KNOWN = "test set known"
"""The batch that holds answers which were known, with what they had cost."""
_OF_TEST_SET = (TEST_SET, TEST_SET_AGAIN, TEST_SET_KNOWN)


def kind_of(batch: BatchRecord) -> str:
    """The kind of a batch; "" where its decision names none."""
    kind = batch.decision.get("kind")
    return kind if isinstance(kind, str) else ""


def is_existing(batch: BatchRecord) -> bool:
    """Whether a batch holds labels that were there before the collection."""
    return kind_of(batch) == EXISTING


def is_of_test_set(batch: BatchRecord) -> bool:
    """Whether a batch is about the right answers of test items."""
    return kind_of(batch) in _OF_TEST_SET


def buys_labels(batch: BatchRecord) -> bool:
    """Whether a batch asks for labels that models are trained on."""
    return not (is_existing(batch) or is_of_test_set(batch))


def purpose_of(batch: BatchRecord) -> str:
    """What a batch is for, in a word or two."""
    if is_of_test_set(batch):
        return TEST_SET
    return "labels there were" if is_existing(batch) else "labels"
