"""What a policy asked to train on."""

from budget.campaign.play import (
    Borrowing,
    Parts,
    Rehearsing,
    Subset,
    Unlabelled,
    Wanted,
)


def subsets_of(wanted: Wanted) -> list[Subset]:
    """The subsets of what was bought; nothing borrowed, unlabelled or rehearsed."""
    assert not isinstance(wanted, (Parts, Unlabelled, Rehearsing))
    return [own for own in wanted if not isinstance(own, Borrowing)]
