import numpy as np
import pytest

from annotation.groups import group_folds


def test_groups_stay_whole_and_folds_are_even() -> None:
    groups = ["a"] * 4 + ["b"] * 3 + ["c"] * 3 + list("defghijklm")
    fold_of = group_folds(groups, 4, seed=0)
    assert np.bincount(fold_of).tolist() == [5, 5, 5, 5]
    for group in set(groups):
        assert len({fold for fold, own in zip(fold_of, groups, strict=True) if own == group}) == 1


def test_the_seed_decides() -> None:
    one, again, other = (group_folds(range(40), 5, seed) for seed in (1, 1, 2))
    assert one.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize("folds", [1, 4])
def test_impossible_folds(folds: int) -> None:
    with pytest.raises(ValueError, match="from 2 to the number of groups, 3"):
        group_folds(["a", "b", "c", "c"], folds, seed=0)
