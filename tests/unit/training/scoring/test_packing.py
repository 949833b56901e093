"""Rows, positions and masks, worked out by hand."""

import pytest
import torch
from torch import Tensor

from training.scoring.encoding import EncodedItem
from training.scoring.packing import PackedBatch, attention_mask, pack, share_rows, unit_tokens
from training.scoring.prefix import shared_length

CPU = torch.device("cpu")


@pytest.fixture
def items() -> list[EncodedItem]:
    return [
        EncodedItem([1, 2, 3], [[10, 11, 12], [13], [14, 15]]),
        EncodedItem([1, 4], [[16, 17]]),
    ]


@pytest.fixture
def batch(items: list[EncodedItem]) -> PackedBatch:
    """Both items in one row, the first token of their prompts shared, last tokens left out."""
    return pack(items, [[0, 1]], 1, False, 0, CPU)


def test_unit_tokens(items: list[EncodedItem]) -> None:
    assert unit_tokens(items[0], 0, with_last=True) == 3 + 3 + 1 + 2
    assert unit_tokens(items[0], 0, with_last=False) == 3 + 2 + 0 + 1
    assert unit_tokens(items[0], 2, with_last=False) == 1 + 2 + 0 + 1


def test_pack(batch: PackedBatch) -> None:
    assert batch.ids.tolist() == [[2, 3, 10, 11, 14, 4, 16]]
    assert batch.positions.tolist() == [[1, 2, 3, 4, 3, 1, 2]]
    assert batch.last_position == 4
    question, first, _second, third, other, of_other = 0, 1, 2, 3, 4, 5
    assert batch.segments.tolist() == [[question] * 2 + [first] * 2 + [third, other, of_other]]
    assert batch.questions.tolist() == [[question] * 5 + [other] * 2]
    # The question's end, two tokens of choice 0, one of choice 2; the other's end and its choice.
    assert batch.sources.tolist() == [1, 2, 3, 4, 5, 6]
    assert batch.target_ids.tolist() == [10, 11, 12, 13, 14, 15, 16, 17]
    assert batch.target_sources.tolist() == [0, 1, 2, 0, 0, 3, 4, 5]
    assert batch.target_choices.tolist() == [0, 0, 0, 1, 2, 2, 3, 3]
    assert batch.ends.tolist() == []


def test_pack_with_last_tokens_in_rows_of_their_own(items: list[EncodedItem]) -> None:
    batch = pack(items, [[0], [1]], 0, True, 99, CPU)
    assert batch.ids.tolist() == [
        [1, 2, 3, 10, 11, 12, 13, 14, 15],
        [1, 4, 16, 17, 99, 99, 99, 99, 99],
    ]
    assert batch.positions[0].tolist() == [0, 1, 2, 3, 4, 5, 3, 3, 4]
    assert batch.ends.tolist() == [5, 6, 8, 9 + 3]
    assert batch.sources.tolist() == [2, 3, 4, 7, 9 + 1, 9 + 2]
    assert batch.target_sources.tolist() == [0, 1, 2, 0, 0, 3, 4, 5]


def test_the_order_of_rows_leaves_choices_in_the_order_of_items(items: list[EncodedItem]) -> None:
    batch = pack(items, [[1, 0]], 1, True, 0, CPU)
    assert batch.ids.tolist() == [[4, 16, 17, 2, 3, 10, 11, 12, 13, 14, 15]]
    assert batch.target_choices.tolist() == [3, 3, 0, 0, 0, 1, 2, 2]
    assert batch.ends.tolist() == [7, 8, 10, 2]


def visible(mask: Tensor) -> list[str]:
    return ["".join("x" if value == 0 else "." for value in row) for row in mask[0, 0].tolist()]


def test_attention_mask(batch: PackedBatch) -> None:
    mask = attention_mask(batch, 1, torch.float32)
    assert mask.shape == (1, 1, 7, 8)
    assert set(mask.unique().tolist()) == {torch.finfo(torch.float32).min, 0.0}
    assert visible(mask) == [
        "xx......",  # the shared token and itself
        "xxx.....",
        "xxxx....",  # a choice sees its question
        "xxxxx...",
        "xxx..x..",  # but no other choice
        "x.....x.",  # another question sees the shared token alone
        "x.....xx",
    ]


def test_a_window_counts_positions_in_the_text(batch: PackedBatch) -> None:
    """Positions 0 | 1 2 3 4 3 1 2: the third choice stands at 3, wherever it lies in the row."""
    assert visible(attention_mask(batch, 1, torch.float32, window=3)) == [
        "xx......",
        "xxx.....",
        ".xxx....",
        "..xxx...",
        ".xx..x..",
        "x.....x.",
        "x.....xx",
    ]


def test_padding_is_not_seen(items: list[EncodedItem]) -> None:
    mask = attention_mask(pack(items, [[0], [1]], 0, False, 0, CPU), 0, torch.bfloat16)
    assert mask.dtype == torch.bfloat16
    assert visible(mask[1:])[2] == "xxx..."
    # Padding sees something, if only itself: a row of nothing would be "not a number".
    assert all("x" in row for row in visible(mask[1:]))


def test_share_rows_without_a_prefix() -> None:
    assert share_rows([9, 7, 4, 3, 2, 1], 0) == [[0], [1, 4], [2, 3, 5]]
    assert share_rows([5, 5, 5], 0) == [[0], [1], [2]]


def test_share_rows_half_as_long_as_the_prefix() -> None:
    """Rows of at most 20: each unit to the emptiest row that has room."""
    assert share_rows([9, 8, 8, 7, 3], 40) == [[0, 1], [2, 3, 4]]


def test_share_rows_within_a_budget() -> None:
    assert share_rows([9, 7, 4, 3], 0, budget=18) == [[0], [1]]
    assert share_rows([9, 7, 4, 3], 0, budget=17) == [[0]]
    assert share_rows([9, 7, 4, 3], 0, budget=1) == [[0]]  # one at least
    assert share_rows([9, 8, 7, 6], 40, budget=57) == [[0, 1]]
    assert share_rows([9, 8, 7, 6], 40, budget=56) == [[0]]


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        ([[1, 2, 3, 4], [1, 2, 5], [1, 2, 3, 9]], 2),
        ([[1, 2, 3], [1, 2, 3, 4]], 2),  # a token is left of each
        ([[1, 2], [3, 4]], 0),
        ([[1], [1]], 0),
    ],
)
def test_shared_length(prompts: list[list[int]], expected: int) -> None:
    assert shared_length([EncodedItem(prompt, [[0]]) for prompt in prompts]) == expected
