"""Over many draws: a batch's parts hold every item once, and losses are those of the formulas."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.tuning.finetune import Objective
from training.tuning.objectives import choice_losses, own_choices, target_probabilities
from training.tuning.settings import PRESETS, QloraSettings

pytestmark = pytest.mark.functional


@given(
    tokens=st.lists(st.integers(1, 300), min_size=1, max_size=40),
    budget=st.integers(1, 2000),
)
def test_parts_hold_every_item_once_and_keep_to_the_budget(tokens: list[int], budget: int) -> None:
    objective = Objective(lambda _model, _indices: torch.zeros(0), tokens)
    parts = list(objective.parts(range(len(tokens)), budget))
    assert sorted(index for part in parts for index in part) == list(range(len(tokens)))
    for part in parts:
        padded = len(part) * max(tokens[index] for index in part)
        assert padded <= budget or len(part) == 1


@given(items=st.integers(1, 2000), batch=st.integers(1, 64), epochs=st.integers(1, 5))
def test_updates_are_whole_epochs_and_enough(items: int, batch: int, epochs: int) -> None:
    chosen = QloraSettings(batch=batch, epochs=epochs, least_updates=12)
    updates = chosen.updates(items)
    per_epoch = -(-items // batch)
    assert updates % per_epoch == 0
    assert updates >= 12
    assert updates // per_epoch >= epochs
    assert updates // per_epoch == epochs or updates - per_epoch < 12


@given(total=st.integers(1, 500), preset=st.sampled_from(sorted(PRESETS)))
def test_rates_are_shares(total: int, preset: str) -> None:
    rate = PRESETS[preset].rate(total)
    assert all(0 < rate(update) <= 1 for update in range(total))


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), corrected=st.booleans())
def test_losses_are_those_of_a_plain_loop(seed: int, corrected: bool) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, size=7)
    scores = np.full((7, counts.max()), -np.inf)
    targets = np.zeros_like(scores)
    rates = rng.random(7) if corrected else np.zeros(7)
    expected = []
    for row, count in enumerate(counts):
        scores[row, :count] = rng.normal(0, 3, count)
        targets[row, :count] = rng.dirichlet(np.ones(count))
        chances = np.exp(scores[row, :count]) / np.exp(scores[row, :count]).sum()
        kept = (1 - rates[row]) * chances + rates[row] / count
        expected.append(
            -sum(t * math.log(p) for t, p in zip(targets[row, :count], kept, strict=True))
        )
    found = choice_losses(
        torch.from_numpy(scores),
        torch.from_numpy(target_probabilities(targets, counts.tolist())),
        torch.from_numpy(own_choices(counts.tolist())),
        torch.from_numpy(rates) if corrected else None,
    )
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)
