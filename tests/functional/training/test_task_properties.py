"""For any sizes, seeds and rates: the test set is never sold, purchases nest and pair."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.items.validate import validate_items
from annotation.labelling.labels import Labels
from annotation.strata.bands import Strata
from annotation.terms.clean_share import wrong_share
from annotation.terms.cost import LabelTerms
from annotation.terms.noise import ErrorKind
from training.running.labels_of_trial import simulated_labels
from training.task import Pilot, Task, TestSizes

NAMES = ("easy", "medium", "hard")


def items_of(count: int) -> pd.DataFrame:
    rows = [
        {
            "item_id": f"item-{index}",
            "question": f"question {index}?",
            "choices": ["a", "b", "c", "d"][: 2 + index % 3],
            "answer": index % 2,
            "steps": float(index % 6 + 1),
        }
        for index in range(count)
    ]
    return validate_items(pd.DataFrame(rows), "made")


ITEMS = items_of(120)  # 40 a stratum


def task_of(seed: int = 0) -> Task:
    return Task(ITEMS, Strata.easy_medium_hard("steps", 2, 5), "hard", TestSizes(12, 8), seed)


def terms(rate: float, kind: ErrorKind) -> dict[str, LabelTerms]:
    return {name: LabelTerms(Decimal(1), rate, kind) for name in NAMES}


MIXES = st.fixed_dictionaries({name: st.integers(0, 28) for name in NAMES})
SEEDS = st.integers(0, 2**31)
RATES = st.floats(0, 1)
KINDS: st.SearchStrategy[ErrorKind] = st.sampled_from(["redraw", "flip"])


def as_dict(purchase: Labels) -> dict[int, int]:
    return dict(zip(purchase.positions.tolist(), purchase.labels.tolist(), strict=True))


@given(MIXES, SEEDS, SEEDS, RATES, KINDS)
def test_purchases(
    mix: dict[str, int], seed: int, task_seed: int, rate: float, kind: ErrorKind
) -> None:
    task = task_of(task_seed)
    bought = as_dict(simulated_labels(task, mix, terms(rate, kind), seed))
    assert len(bought) == sum(mix.values())
    assert not bought.keys() & set(task.test_positions.tolist())
    strata = task.stratum_of[list(bought)].tolist()
    assert {name: strata.count(name) for name in NAMES} == mix
    assert all(0 <= label < task.choice_counts[item] for item, label in bought.items())
    smaller = {name: count // 2 for name, count in mix.items()}
    assert (
        as_dict(simulated_labels(task, smaller, terms(rate, kind), seed)).items() <= bought.items()
    )


@given(MIXES, SEEDS, st.tuples(RATES, RATES), KINDS)
def test_error_rates_pair(
    mix: dict[str, int], seed: int, rates: tuple[float, float], kind: ErrorKind
) -> None:
    task = task_of()
    low, high = (as_dict(simulated_labels(task, mix, terms(r, kind), seed)) for r in sorted(rates))
    assert low.keys() == high.keys()
    for item, label in low.items():
        if label != task.answers[item]:
            assert high[item] == label


@given(MIXES, SEEDS, SEEDS, RATES)
def test_subsamples_are_of_the_pilot(
    mix: dict[str, int], seed: int, pilot_seed: int, rate: float
) -> None:
    task = task_of()
    pilot_mix = {name: min(28, count + 5) for name, count in mix.items()}
    pilot = Pilot(tuple(pilot_mix.items()), pilot_seed)
    paid = as_dict(simulated_labels(task, pilot_mix, terms(rate, "redraw"), 0, pilot))
    part = as_dict(simulated_labels(task, mix, terms(rate, "redraw"), seed, pilot))
    assert len(part) == sum(mix.values())
    assert part.items() <= paid.items()


@pytest.mark.parametrize("kind", ["redraw", "flip"])
def test_as_many_labels_are_wrong_as_the_rate_says(kind: ErrorKind) -> None:
    task = task_of()
    mix, shares = {"easy": 32, "hard": 28}, []
    for seed in range(200):
        bought = simulated_labels(task, mix, terms(0.3, kind), seed)
        shares.append((bought.labels != task.answers[bought.positions]).mean())
    pools = np.concatenate([task.pools["easy"], task.pools["hard"]])
    expected = wrong_share(0.3, kind, task.choice_counts[pools])
    standard_error = np.std(shares) / np.sqrt(len(shares))
    assert abs(np.mean(shares) - expected) < 4 * standard_error
    assert standard_error < 0.01
