"""Items packed into rows: each question once, its choices side by side after it.

A row holds one or more units. A unit is an item's question followed by all its choices, one after
the other. Every choice's positions go on where the question ends, and a mask lets it see the
question and itself, but no other choice and no other unit. So one pass over the row gives what one
sequence per (question, choice) pair would give.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.scoring.encoding import EncodedItem


@dataclass(frozen=True)
class PackedBatch:
    """Rows of tokens and the places where something is read.

    `ids`, `positions`, `segments` and `questions` are (rows, width).
    A segment is one question or one choice; `questions` holds the segment of the token's own
    question. `sources` (places,) are the flat places (row * width + column) whose hidden states
    predict a token of a choice. Of every such token, (targets,): its id, the index of its place in
    `sources`, and its choice, counted through all items. `ends` (choices,) are the flat places of
    every choice's last token, empty unless last tokens are in the rows. `last_position` is the
    largest position of all.
    """

    ids: Tensor
    positions: Tensor
    segments: Tensor
    questions: Tensor
    sources: Tensor
    target_ids: Tensor
    target_sources: Tensor
    target_choices: Tensor
    ends: Tensor
    last_position: int


def unit_tokens(item: EncodedItem, past: int, with_last: bool) -> int:
    """Tokens that an item takes in a row, `past` tokens of its prompt being shared.

    The last token of a choice predicts nothing that is asked for, so it is left out unless its
    hidden states are wanted.
    """
    less = 0 if with_last else 1
    return len(item.prompt) - past + sum(len(choice) - less for choice in item.choices)


def share_rows(lengths: Sequence[int], past: int, budget: int | None = None) -> list[list[int]]:
    """Put units into rows of nearly equal length: rows of indices into `lengths`.

    Rows are as long as the longest unit, or half as long as the shared prefix where that is more:
    every row needs a copy of the prefix's keys and values. Each unit goes to the emptiest row.

    Parameters
    ----------
    lengths
        Tokens of every unit, longest first.
    past
        Tokens of the shared prefix, which every row attends to.
    budget
        Stop before rows times (longest row + prefix) exceeds it; at least one unit is taken.
    """
    rows: list[list[int]] = []
    emptiest: list[tuple[int, int]] = []  # heap of (tokens, row)
    capacity = max(lengths[0], past // 2)
    longest = 0
    for index, length in enumerate(lengths):
        joins = bool(emptiest) and emptiest[0][0] + length <= capacity
        tokens = emptiest[0][0] + length if joins else length
        now_longest = max(longest, tokens)
        if budget is not None and index:
            count = len(rows) + (not joins)
            if count * (now_longest + past) > budget:
                break
        if joins:
            _, row = heapq.heapreplace(emptiest, (tokens, emptiest[0][1]))
            rows[row].append(index)
        else:
            heapq.heappush(emptiest, (tokens, len(rows)))
            rows.append([index])
        longest = now_longest
    return rows


def pack(
    items: Sequence[EncodedItem],
    rows: Sequence[Sequence[int]],
    past: int,
    with_last: bool,
    padding_id: int,
    device: torch.device,
) -> PackedBatch:
    """Lay out `rows` of indices into `items`; the first `past` tokens of prompts are left out."""
    width = max(sum(unit_tokens(items[i], past, with_last) for i in row) for row in rows)
    first_choice = [0]
    for item in items:
        first_choice.append(first_choice[-1] + len(item.choices))
    ids: list[list[int]] = []
    positions: list[list[int]] = []
    segments: list[list[int]] = []
    questions: list[list[int]] = []
    sources: list[int] = []
    target_ids: list[int] = []
    target_sources: list[int] = []
    target_choices: list[int] = []
    ends = [0] * first_choice[-1]
    segment = 0
    for number, row in enumerate(rows):
        row_ids: list[int] = []
        row_positions: list[int] = []
        row_segments: list[int] = []
        row_questions: list[int] = []
        for index in row:
            item = items[index]
            own = len(item.prompt) - past
            question = segment
            row_ids += item.prompt[past:]
            row_positions += range(past, len(item.prompt))
            row_segments += [question] * own
            asked = len(sources)
            sources.append(number * width + len(row_ids) - 1)
            for slot, choice in enumerate(item.choices):
                segment += 1
                run = len(choice) if with_last else len(choice) - 1
                start = number * width + len(row_ids)
                target_ids += choice
                target_sources.append(asked)
                target_sources += range(len(sources), len(sources) + len(choice) - 1)
                target_choices += [first_choice[index] + slot] * len(choice)
                sources += range(start, start + len(choice) - 1)
                ends[first_choice[index] + slot] = start + len(choice) - 1
                row_ids += choice[:run]
                row_positions += range(len(item.prompt), len(item.prompt) + run)
                row_segments += [segment] * run
            row_questions += [question] * (len(row_ids) - len(row_questions))
            segment += 1
        spare = width - len(row_ids)
        ids.append(row_ids + [padding_id] * spare)
        positions.append(row_positions + [past] * spare)
        segments.append(row_segments + [-1] * spare)
        questions.append(row_questions + [-1] * spare)

    def tensor(values: list[int] | list[list[int]]) -> Tensor:
        return torch.tensor(values, device=device)

    return PackedBatch(
        tensor(ids),
        tensor(positions),
        tensor(segments),
        tensor(questions),
        tensor(sources),
        tensor(target_ids),
        tensor(target_sources),
        tensor(target_choices),
        tensor(ends if with_last else []),
        max(max(row) for row in positions),
    )


def attention_mask(
    batch: PackedBatch, past: int, dtype: torch.dtype, window: int | None = None
) -> Tensor:
    """What every token may see, as numbers added to attention: (rows, 1, width, past + width).

    Zero where a token may look, the least number of `dtype` elsewhere. With a sliding `window` a
    token sees those fewer than `window` positions back, by their true positions in the text.
    """
    rows, width = batch.ids.shape
    seen = batch.segments[:, None, :]
    allowed = seen == batch.segments[:, :, None]
    allowed |= seen == batch.questions[:, :, None]
    allowed &= torch.ones(width, width, dtype=torch.bool, device=allowed.device).tril()
    if past:
        allowed = torch.cat([allowed.new_ones(rows, width, past), allowed], dim=2)
    if window is not None:
        positions = batch.positions
        if past:
            earlier = torch.arange(past, device=positions.device).expand(rows, past)
            positions = torch.cat([earlier, positions], dim=1)
        allowed &= positions[:, None, :] > batch.positions[:, :, None] - window
    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None]
