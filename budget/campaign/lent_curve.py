"""Borrowed labels: what the test set's own answers tell about the target's labels.

A test set has known answers, or nothing could be measured. Before any target label is paid for, a
planning trial may borrow some of them: it trains on a part of the test items, with errors drawn as
often as the target's terms state, and is scored on the others. Many such parts give the whole
learning curve of target labels for no money; what is spent on learning then goes to what only a
purchase can tell, how far other strata teach the target. No model that is reported or delivered
borrows: its test set stays unseen.
"""

_SMALLEST = 8
_MOST = 0.8  # of the test items; the rest scores
CURVE_SEEDS = 16


def curve_sizes(test_items: int) -> list[int]:
    """How many labels are borrowed: doublings, and the most that leaves items to score."""
    most = int(_MOST * test_items)
    sizes = []
    size = _SMALLEST
    while size < most:
        sizes.append(size)
        size *= 2
    return [*sizes, most] if most >= _SMALLEST else []
