"""Batches cover every item once and stay within their budget, whatever the lengths."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from training.scoring import EncodedItem, batches_by_length

LENGTHS = st.tuples(st.integers(1, 80), st.lists(st.integers(1, 12), min_size=1, max_size=4))


def encoded(lengths: tuple[int, list[int]]) -> EncodedItem:
    prompt, choices = lengths
    return EncodedItem([0] * prompt, [[0] * choice for choice in choices])


@given(st.lists(LENGTHS, max_size=40), st.integers(1, 500))
def test_batches(lengths: list[tuple[int, list[int]]], budget: int) -> None:
    items = [encoded(each) for each in lengths]
    batches = list(batches_by_length(items, budget))
    assert sorted(index for batch in batches for index in batch) == list(range(len(items)))
    sizes = [[items[index].tokens for index in batch] for batch in batches]
    for size in sizes:
        assert len(size) == 1 or max(size) * len(size) <= budget
    # Items of like length stand together, and no two batches could have been one.
    flat = [tokens for size in sizes for tokens in size]
    assert flat == sorted(flat, reverse=True)
    for size, following in pairwise(sizes):
        assert size[0] * (len(size) + 1) > budget
        assert min(size) >= max(following)
