from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from annotation.terms.cost import LabelTerms
from budget.worlds.world import LabelledItems, World, half_of

FREE = LabelTerms(Decimal(1), 0.0, "redraw")


@pytest.fixture
def items() -> LabelledItems:
    return LabelledItems(
        name="four",
        features=np.zeros((4, 1, 2), dtype=np.float32),
        mask=np.array([[1, 1, 0]] * 3 + [[1, 1, 1]], dtype=bool),
        answers=np.array([0, 1, 0, 2]),
        pools={"easy": np.array([0]), "hard": np.array([1])},
        target="hard",
        test=np.array([2, 3]),
        groups=np.array(list("abcd"), dtype=object),
    )


def test_chance_is_that_of_the_test_set(items: LabelledItems) -> None:
    assert items.strata == ("easy", "hard")
    assert items.chance == pytest.approx((1 / 2 + 1 / 3) / 2)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"answers": np.array([2, 1, 0, 2])}, "among the choices"),
        ({"answers": np.array([0, 1])}, "one per item"),
        ({"mask": np.ones((3, 3), dtype=bool)}, "'mask' should fit"),
        ({"target": "medium"}, "got 'medium'"),
        ({"test": np.array([1, 3])}, "pool 'hard' holds items of groups that are tested"),
        ({"groups": np.array(list("abbc"), dtype=object)}, "pool 'hard' holds items of groups"),
        ({"groups": np.array(["c", "d"], dtype=object)}, "'groups' should be one per item"),
    ],
)
def test_items_that_do_not_fit(items: LabelledItems, change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(items, **change)


def test_a_key_tells_everything_that_matters(items: LabelledItems) -> None:
    def world(own: LabelledItems, hard: LabelTerms = FREE, budget: str = "10") -> World:
        return World("w", "f", {"easy": FREE, "hard": hard}, Decimal(budget), lambda: own)

    same = world(items)
    dearer = LabelTerms(Decimal(2), 0.0, "redraw")
    other_answer = replace(items, answers=np.array([1, 1, 0, 2]))
    others = [world(items, dearer), world(items, budget="11"), world(other_answer)]
    assert world(replace(items)).key == same.key
    assert len({same.key, *(own.key for own in others)}) == 4


def test_terms_are_for_what_is_sold(items: LabelledItems) -> None:
    world = World("w", "f", {"hard": FREE}, Decimal(10), lambda: items)
    with pytest.raises(ValueError, match="world 'w'"):
        world.items  # noqa: B018


def test_halves_are_fixed_by_the_name() -> None:
    names = [f"world-{number}" for number in range(400)]
    halves = [half_of(name) for name in names]
    assert halves == [half_of(name) for name in names]
    assert 160 < halves.count("held_out") < 240
    # Their SHA-256 begin with 0x76, even, and 0x4b, odd.
    assert (half_of("world-0"), half_of("world-1")) == ("design", "held_out")
