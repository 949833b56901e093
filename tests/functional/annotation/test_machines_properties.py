"""The bound on a machine's wrong labels is kept to, whatever the machine is like."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotation.items.validate import validate_items
from annotation.machines.labels import MachineLabels
from annotation.machines.measured import measured_errors, to_check
from annotation.machines.routing import Promise, route

COUNT = 1000
ITEMS = validate_items(
    pd.DataFrame(
        {
            "item_id": [f"q{k}" for k in range(COUNT)],
            "question": [f"Is it {k}?" for k in range(COUNT)],
            "choices": [["yes", "no"]] * COUNT,
        }
    ),
    "here",
    require_answers=False,
)


def machine(wrong: NDArray[np.bool_], confidence: NDArray[np.float64]) -> MachineLabels:
    count = len(wrong)
    people = np.arange(count) % 2
    strata = np.full(count, "all", dtype=object)
    return MachineLabels(
        ITEMS.head(count), np.where(wrong, 1 - people, people), confidence, people, strata
    )


WORLDS: dict[str, Callable[[np.random.Generator, NDArray[np.float64]], NDArray[np.bool_]]] = {
    "unsure where it errs": lambda rng, sure: rng.random(COUNT) < 0.5 * (1 - sure) ** 2,
    "sure where it errs": lambda rng, sure: rng.random(COUNT) < 0.3 * sure**2,
    "errs anywhere": lambda rng, sure: rng.random(COUNT) < 0.12,
    # Surest of all on a tenth of the items, of which half are wrong.
    "a trap": lambda rng, sure: (sure > 0.9) & (rng.random(COUNT) < 0.5),
    "right to the allowed share": lambda rng, sure: np.arange(COUNT) % 20 == 0,
}


def world(name: str, seed: int) -> MachineLabels:
    rng = np.random.default_rng(seed)
    sure = rng.random(COUNT)
    return machine(WORLDS[name](rng, sure), sure)


@pytest.mark.parametrize("name", WORLDS)
def test_the_bound_is_kept_to_as_often_as_promised(name: str) -> None:
    runs, broken, promise = 100, 0, Promise(0.05, 0.8)
    for seed in range(runs):
        labels = world(name, seed)
        found = route(labels, promise, seed=seed)
        wrong = found.by_machine & (labels.said != labels.people)
        broken += wrong.mean() > promise.error_at_most
    expected = (1 - promise.sure) * runs
    # Three standard deviations of a count that is as large as it may be.
    assert broken <= expected + 3 * np.sqrt(expected * promise.sure)


def test_fewer_people_are_asked_where_the_machine_knows_what_it_knows() -> None:
    asked = {
        name: np.mean([route(world(name, k), Promise(0.05), k).by_people.mean() for k in range(10)])
        for name in ("unsure where it errs", "errs anywhere")
    }
    assert asked["unsure where it errs"] < asked["errs anywhere"] - 0.05


def test_intervals_of_a_sample_hold_what_is_true() -> None:
    held = []
    for seed in range(100):
        truth = world("unsure where it errs", seed)
        nobody = replace(truth, people=np.full(COUNT, -1))
        drawn = to_check(nobody, 150, seed)
        known = nobody.people.copy()
        known[drawn] = truth.people[drawn]
        found, whole = (
            measured_errors(replace(truth, people=own), seed) for own in (known, truth.people)
        )
        for part, of_all in zip(
            (found.overall, *found.bands), (whole.overall, *whole.bands), strict=True
        ):
            low, high = part.wrong.bounds
            held.append(low <= (of_all.wrong.estimate or 0.0) <= high)
    assert 0.85 <= np.mean(held) <= 0.95


@settings(max_examples=30)
@given(st.integers(2, 300), st.integers(0, 10**6), st.data())
def test_any_answers_lead_to_an_end(count: int, seed: int, data: st.DataObject) -> None:
    """Whatever is known, every item is somebody's, and nobody is asked what is known."""
    rng = np.random.default_rng(seed)
    truth = machine(rng.random(count) < 0.2, rng.random(count))
    said = np.where(rng.random(count) < 0.1, -1, truth.said)
    known = np.where(
        rng.random(count) < data.draw(st.sampled_from([0.0, 0.5, 1.0])), truth.people, -1
    )
    found = route(replace(truth, said=said, people=known), Promise(0.1), seed)
    assert (known[found.ask] < 0).all()
    assert np.isin(found.ask, np.flatnonzero(found.by_people)).all()
    if found.is_decided:
        assert (found.by_machine ^ found.by_people).all()
        assert (said[found.by_machine] >= 0).all()
    else:
        assert not found.by_machine.any()
