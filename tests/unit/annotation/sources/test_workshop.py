import numpy as np
import pytest

from annotation.errors import InputError
from annotation.sources.workshop import LARGEST_SIZE, _distractors, load_workshop
from annotation.sources.workshop_world import Event, Story


def test_an_item_by_hand() -> None:
    story = Story("Ada", "tiles", 5, (Event("buys", 3, 1), Event("uses", 1, -1)))
    rng = np.random.default_rng(0)
    # Slips that stay within 0-20: overlook +3 -> 4, turn it -> 1; overlook -1 -> 8, turn it -> 9;
    # read the opening only -> 5.
    drawn = {tuple(sorted(_distractors(story, rng))) for _ in range(200)}
    assert {value for values in drawn for value in values} == {1, 4, 5, 8, 9}
    assert all(len(set(values)) == 3 for values in drawn)


def test_too_few_slips_are_filled_up() -> None:
    # From 20, minus 9 is 11: overlooked or start -> 20, turned -> 29 is out of range.
    story = Story("Ada", "tiles", 20, (Event("uses", 9, -1),))
    drawn = [_distractors(story, np.random.default_rng(seed)) for seed in range(50)]
    assert all(values[0] == 20 for values in drawn)
    assert {value for values in drawn for value in values[1:]} == {9, 10, 12, 13}


def test_as_many_of_each_number_of_steps() -> None:
    items = load_workshop(60)
    assert items["steps"].value_counts().to_dict() == dict.fromkeys((1, 2, 3, 4, 5, 6), 10)
    assert items["group"].tolist() == items["item_id"].tolist()


def test_seeds_give_other_items() -> None:
    one, other = load_workshop(60, seed=1), load_workshop(60, seed=2)
    assert set(one["question"]).isdisjoint(other["question"])
    assert one["item_id"][0] == "workshop-1-000000"


@pytest.mark.parametrize("size", [0, -5, LARGEST_SIZE + 1])
def test_impossible_sizes(size: int) -> None:
    with pytest.raises(InputError, match=rf"'size' should be within 1\.\.200000; got {size}"):
        load_workshop(size)


def test_a_negative_seed() -> None:
    with pytest.raises(InputError, match="'seed' should be at least 0; got -1"):
        load_workshop(6, seed=-1)
