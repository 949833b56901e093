"""The test set is fixed and never for sale; purchases are nested and paired by their seed."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.validate import validate_items
from annotation.labelling.labels import Labels
from annotation.strata.bands import Strata
from annotation.terms.cost import LabelTerms
from annotation.terms.noise import ErrorKind
from training.running.labels_of_trial import simulated_labels
from training.task import Pilot, Task, TestSizes

STRATA = ("easy", "medium", "hard")


def terms(error_rate: float = 0.0, kind: ErrorKind = "redraw") -> dict[str, LabelTerms]:
    return {name: LabelTerms(Decimal(1), error_rate, kind) for name in STRATA}


@pytest.fixture
def task(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    """120 items, 40 a stratum; 10 hard and 6 of each other stratum are test items."""
    return make_task(make_items(120))


def wrong(task: Task, purchase: Labels) -> set[int]:
    """Positions of the items whose label is not the gold answer."""
    missed = purchase.labels != task.answers[purchase.positions]
    return set(purchase.positions[missed].tolist())


def test_test_set_is_stratified_and_not_for_sale(task: Task) -> None:
    assert pd.Series(task.test_strata).value_counts().to_dict() == {
        "hard": 10,
        "easy": 6,
        "medium": 6,
    }
    assert task.test_strata.tolist() == ["easy"] * 6 + ["medium"] * 6 + ["hard"] * 10
    parts = [task.test_positions, *task.pools.values()]
    assert sorted(np.concatenate(parts).tolist()) == list(range(120))
    for name, pool in task.pools.items():
        assert (task.stratum_of[pool] == name).all()
        assert len(pool) == (30 if name == "hard" else 34)


def test_test_set_does_not_follow_the_order_of_the_items(task: Task) -> None:
    """Not the first items of a stratum, nor the last."""
    hard = np.flatnonzero(task.stratum_of == "hard")
    drawn = np.isin(hard, task.test_positions)
    assert 0 < drawn[:20].sum() < 10
    assert task.test_positions[-10:].tolist() == sorted(task.test_positions[-10:].tolist())


def test_test_set_is_the_same_whatever_is_bought(
    task: Task, make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    again = make_task(make_items(120))
    simulated_labels(task, {"easy": 20, "hard": 30}, terms(0.5), seed=3)
    np.testing.assert_array_equal(again.test_positions, task.test_positions)


def test_another_seed_draws_another_test_set(task: Task) -> None:
    other = Task(task.items, task.strata, "hard", task.test_sizes, seed=1)
    assert set(other.test_positions) != set(task.test_positions)


def test_items_of_unknown_hardness_are_neither_tested_nor_sold(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    items = make_items(120)
    items.loc[[5, 11], "steps"] = np.nan
    task = make_task(items)
    used = np.concatenate([task.test_positions, *task.pools.values()])
    assert set(range(120)) - set(used.tolist()) == {5, 11}


def test_an_empty_stratum_that_is_not_the_target_is_left_out(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    items = make_items(120)
    task = make_task(items[~items["steps"].isin([3, 4])].reset_index(drop=True))
    assert task.pools["medium"].size == 0
    assert set(task.test_strata) == {"easy", "hard"}


def test_what_the_items_have_in_common(task: Task, make_items: Callable[..., pd.DataFrame]) -> None:
    assert task.shared_choices is None
    assert task.choice_counts[:4].tolist() == [4, 3, 2, 4]
    shared = Task(make_items(120, shared=("no", "yes")), task.strata, "hard", task.test_sizes)
    assert shared.shared_choices == ("no", "yes")
    assert set(shared.choice_counts) == {2}


def test_groups_of_the_test_items(task: Task) -> None:
    expected = [f"item-{position}" for position in task.test_positions]
    assert task.test_groups.tolist() == expected


def test_a_purchase_holds_what_was_asked_for(task: Task) -> None:
    bought = simulated_labels(task, {"easy": 4, "hard": 7}, terms(), seed=0)
    assert task.stratum_of[bought.positions].tolist() == ["easy"] * 4 + ["hard"] * 7
    assert len(set(bought.positions.tolist())) == 11
    assert not np.isin(bought.positions, task.test_positions).any()
    np.testing.assert_array_equal(bought.labels, task.answers[bought.positions])


def test_order_and_zeros_of_the_mix_do_not_matter(task: Task) -> None:
    one = simulated_labels(task, {"easy": 4, "hard": 7}, terms(0.5), seed=0)
    two = simulated_labels(task, {"hard": 7, "medium": 0, "easy": 4}, terms(0.5), seed=0)
    np.testing.assert_array_equal(one.positions, two.positions)
    np.testing.assert_array_equal(one.labels, two.labels)


def test_an_empty_purchase(task: Task) -> None:
    bought = simulated_labels(task, {"easy": 0}, terms(), seed=0)
    assert bought.positions.size == bought.labels.size == 0
    assert bought.positions.dtype == bought.labels.dtype == np.int64


def test_the_whole_pool_can_be_bought_and_no_more(task: Task) -> None:
    bought = simulated_labels(task, {"hard": 30}, terms(), seed=0)
    assert sorted(bought.positions.tolist()) == task.pools["hard"].tolist()
    with pytest.raises(InputError) as error:
        simulated_labels(task, {"hard": 31}, terms(), seed=0)
    assert str(error.value) == (
        "stratum 'hard': 31 labels wanted, 30 items there to label; buy fewer, or bring more items."
    )


def test_a_smaller_purchase_is_the_beginning_of_a_larger_one(task: Task) -> None:
    larger = simulated_labels(task, {"hard": 20}, terms(0.6), seed=2)
    smaller = simulated_labels(task, {"hard": 8}, terms(0.6), seed=2)
    np.testing.assert_array_equal(smaller.positions, larger.positions[:8])
    np.testing.assert_array_equal(smaller.labels, larger.labels[:8])


def test_seeds_are_matched_across_mixes(task: Task) -> None:
    """What else is bought changes nothing in a stratum."""
    alone = simulated_labels(task, {"hard": 9}, terms(0.6), seed=2)
    beside = simulated_labels(task, {"easy": 12, "medium": 5, "hard": 9}, terms(0.6), seed=2)
    np.testing.assert_array_equal(beside.positions[-9:], alone.positions)
    np.testing.assert_array_equal(beside.labels[-9:], alone.labels)


def test_another_seed_buys_other_items_and_errors(task: Task) -> None:
    one = simulated_labels(task, {"hard": 30}, terms(0.6), seed=1)
    two = simulated_labels(task, {"hard": 30}, terms(0.6), seed=2)
    assert one.positions.tolist() != two.positions.tolist()
    assert wrong(task, one) != wrong(task, two)


@pytest.mark.parametrize("kind", ["redraw", "flip"])
@pytest.mark.parametrize("pilot", [None, Pilot((("easy", 30), ("hard", 25)), seed=4)])
def test_a_lower_error_rate_errs_on_a_subset(
    task: Task, kind: ErrorKind, pilot: Pilot | None
) -> None:
    mix = {"easy": 28, "hard": 24}
    bought = [
        simulated_labels(task, mix, terms(rate, kind), 5, pilot) for rate in (0.0, 0.3, 0.7, 1.0)
    ]
    missed = [wrong(task, purchase) for purchase in bought]
    assert missed[0] == set()
    assert missed[0] < missed[1] < missed[2] < missed[3]
    if kind == "flip":
        assert missed[3] == set(bought[3].positions.tolist())
    for purchase in bought:
        np.testing.assert_array_equal(purchase.positions, bought[0].positions)


def test_subsamples_lie_within_the_pilot(task: Task) -> None:
    pilot = Pilot((("easy", 12), ("hard", 10)), seed=7)
    whole = simulated_labels(task, {"easy": 12, "hard": 10}, terms(0.5), 0, pilot)
    paid = dict(zip(whole.positions.tolist(), whole.labels.tolist(), strict=True))
    seen: set[int] = set()
    for seed in range(20):
        part = simulated_labels(task, {"easy": 3, "hard": 5}, terms(0.5), seed, pilot)
        found = dict(zip(part.positions.tolist(), part.labels.tolist(), strict=True))
        assert found.items() <= paid.items()  # the items of the pilot, with the labels paid for
        seen |= found.keys()
    assert seen == paid.keys()  # no corner of the pilot is left out


def test_no_later_purchase_is_the_pilot(task: Task) -> None:
    pilot = Pilot((("easy", 12), ("hard", 10)), seed=7)
    first = simulated_labels(task, {"easy": 12, "hard": 10}, terms(0.5), 7, pilot)
    later = simulated_labels(task, {"easy": 12, "hard": 10}, terms(0.5), 7)
    assert set(first.positions.tolist()) != set(later.positions.tolist())


def test_what_is_tested_is_not_for_sale_under_another_id(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    items = make_items(60)
    twice = pd.concat([items, items.assign(item_id=items["item_id"] + "-again")], ignore_index=True)
    twice["group"] = twice["item_id"]
    task = make_task(twice)
    tested = set(twice["question"].iloc[task.test_positions])
    for pool in task.pools.values():
        assert tested.isdisjoint(twice["question"].iloc[pool])


def test_what_is_lent_are_test_items_of_the_target_with_errors_as_its_terms_have_them(
    task: Task,
) -> None:
    hard = set(task.test_positions[task.test_strata == "hard"].tolist())
    clean = simulated_labels(task, {"easy": 3}, terms(), 4, borrowed=6)
    assert clean.positions[3:].tolist() == task.lent(6, 4).tolist()
    assert set(clean.positions[3:].tolist()) <= hard
    assert set(clean.positions[:3].tolist()) <= set(task.pools["easy"].tolist())
    assert not wrong(task, clean)
    noisy = simulated_labels(
        task, {"easy": 3}, {**terms(), "hard": terms(1.0, "flip")["hard"]}, 4, None, 1, 6
    )
    assert wrong(task, noisy) == set(task.lent(6, 4).tolist())
    assert task.lent(3, 4).tolist() == task.lent(6, 4)[:3].tolist()
    assert task.lent(6, 5).tolist() != task.lent(6, 4).tolist()


@pytest.mark.parametrize("borrowed", [0, 1, 9])
def test_no_item_counts_that_was_trained_on(task: Task, borrowed: int) -> None:
    scored = task.scored(borrowed, 4)
    assert task.test_positions.size - scored.sum() == borrowed
    assert set(task.test_positions[~scored].tolist()) == set(task.lent(borrowed, 4).tolist())


@pytest.mark.parametrize("borrowed", [-1, 10, 11])
def test_some_test_items_must_be_left_to_score(task: Task, borrowed: int) -> None:
    with pytest.raises(ValueError, match="cannot be lent"):
        task.lent(borrowed, 0)


def test_nothing_counts_that_asks_what_a_borrowed_item_asks(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    items = make_items(120)
    twice = pd.concat([items, items.assign(item_id=items["item_id"] + "-again")], ignore_index=True)
    twice["group"] = twice["item_id"]
    task = make_task(twice)
    borrowed = task.lent(3, 0)
    scored = task.test_positions[task.scored(3, 0)]
    asked = twice["question"]
    assert set(asked.iloc[borrowed]).isdisjoint(asked.iloc[scored])
    # 10 hard test items are five pairs: three lent ones are of two of them.
    assert (task.stratum_of[scored] == "hard").sum() == 6


def test_items_to_look_at_are_for_sale_and_always_the_same(task: Task) -> None:
    some = task.unlabelled("easy", 5)
    assert some.size == 5
    assert set(some.tolist()) <= set(task.pools["easy"].tolist())
    assert task.unlabelled("easy", 5).tolist() == some.tolist()
    assert task.unlabelled("easy", 10_000).tolist() == sorted(task.pools["easy"].tolist())


def test_subsamples_are_nested_and_paired_by_seed(task: Task) -> None:
    pilot = Pilot((("easy", 12), ("hard", 10)), seed=7)
    small = simulated_labels(task, {"hard": 4}, terms(0.5), 3, pilot)
    large = simulated_labels(task, {"easy": 6, "hard": 9}, terms(0.5), 3, pilot)
    np.testing.assert_array_equal(large.positions[6:10], small.positions)
    np.testing.assert_array_equal(large.labels[6:10], small.labels)
    other = simulated_labels(task, {"hard": 4}, terms(0.5), 4, pilot)
    assert set(other.positions.tolist()) != set(small.positions.tolist())


def test_a_larger_pilot_begins_with_the_smaller(task: Task) -> None:
    small = simulated_labels(task, {"hard": 10}, terms(0.5), 0, Pilot((("hard", 10),), seed=7))
    large = simulated_labels(task, {"hard": 20}, terms(0.5), 0, Pilot((("hard", 20),), seed=7))
    assert set(small.positions.tolist()) < set(large.positions.tolist())


def test_more_than_the_pilot_holds(task: Task) -> None:
    with pytest.raises(InputError, match="stratum 'hard': 11 labels wanted, 10 items there"):
        simulated_labels(task, {"hard": 11}, terms(), 0, Pilot((("hard", 10),), seed=7))


def test_a_pilot_larger_than_the_pool(task: Task) -> None:
    with pytest.raises(InputError, match="stratum 'hard': 31 labels wanted, 30 items there"):
        simulated_labels(task, {"hard": 12}, terms(), 0, Pilot((("hard", 31),), seed=7))


def test_a_stratum_too_small_for_its_test_set(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    items = make_items(60)  # 20 a stratum
    make_task(items, target=19)
    with pytest.raises(InputError) as error:
        make_task(items, target=20)
    assert str(error.value) == (
        "stratum 'hard' (steps >= 5) has 20 items, too few for its test set of 20 and at least "
        "one to buy; lower [test] items or move the cut."
    )
    with pytest.raises(InputError, match=r"'easy' \(steps <= 2\) .* lower \[test\] other_items"):
        make_task(items, others=25)


def test_a_target_without_items(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    items = make_items(60)
    easy = items[items["steps"] < 5].reset_index(drop=True)
    with pytest.raises(InputError, match=r"'hard' \(steps >= 5\) has 0 items"):
        make_task(easy)


def test_an_unknown_target(make_items: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(InputError) as error:
        Task(make_items(60), Strata.easy_medium_hard("steps", 2, 5), "harder", TestSizes(5, 5))
    assert str(error.value) == (
        "target stratum 'harder' does not exist; choose one of easy, medium, hard."
    )


def free_form(items: pd.DataFrame, rows: Sequence[int]) -> pd.DataFrame:
    """The same items, those of `rows` answered by a text instead of a choice."""
    records = items.to_dict("records")
    for row in rows:
        records[row] |= {"choices": [], "answer": None, "answer_text": f"text {row}"}
    return validate_items(pd.DataFrame(records), "made")


def test_free_form_items(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    items = make_items(60)
    task = make_task(free_form(items, range(60)))
    assert task.free_form
    assert not make_task(items).free_form
    # The same test set and the same purchases as with choices.
    np.testing.assert_array_equal(task.test_positions, make_task(items).test_positions)
    bought = simulated_labels(task, {"easy": 4, "hard": 3}, terms(0.0), seed=1, judgments=2)
    with_choices = simulated_labels(make_task(items), {"easy": 4, "hard": 3}, terms(0.0), seed=1)
    np.testing.assert_array_equal(bought.positions, with_choices.positions)
    assert bought.judgments.tolist() == [[0, 0]] * 7
    assert bought.redraw_rates.tolist() == [0.0] * 7
    assert task.label_texts(bought.positions, bought.labels) == [
        f"text {position}" for position in bought.positions
    ]


def test_errors_in_free_form_answers_cannot_be_simulated(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    task = make_task(free_form(make_items(60), range(60)))
    with pytest.raises(InputError) as error:
        simulated_labels(task, {"easy": 1}, terms(0.1), seed=0)
    assert str(error.value) == (
        "stratum 'easy': error rate 0.1, but its answers are free-form, and errors are drawn from "
        "choices; set annotators.easy.error_rate to 0."
    )


def test_methods_that_need_choices(
    task: Task, make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    task.require_choices("probe")
    with pytest.raises(InputError, match="no choices, which the method 'probe' needs"):
        make_task(free_form(make_items(60), range(60))).require_choices("probe")


def test_some_items_with_choices_and_some_without(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    with pytest.raises(InputError, match=r"^item 'item-7' \(row 8\) has no choices, others have"):
        make_task(free_form(make_items(60), [7]))


def test_what_labels_say(task: Task) -> None:
    assert task.items["choices"].iloc[2] == ["goat", "pear"]
    assert task.items["choices"].iloc[4] == ["red", "green", "blue", "plum"]
    assert task.label_texts(np.array([4, 2]), np.array([3, 0])) == ["plum", "goat"]


def test_any_stratum_may_be_the_target(make_items: Callable[..., pd.DataFrame]) -> None:
    task = Task(make_items(60), Strata.easy_medium_hard("steps", 2, 5), "easy", TestSizes(9, 4))
    assert pd.Series(task.test_strata).value_counts().to_dict() == {
        "easy": 9,
        "medium": 4,
        "hard": 4,
    }


def test_passages_whose_text_gives_the_answer_away_are_not_parted() -> None:
    """150 passages of four questions, each with a coin flip for an answer."""
    flips = np.random.default_rng(0).integers(0, 2, 150)
    rows = [
        {
            "item_id": f"{passage}-{number}",
            "question": f"passage {passage}, question {number}",
            "choices": ["no", "yes"],
            "answer": int(flips[passage]),
            "group": f"passage {passage}",
            "steps": float(5 + number % 2),
        }
        for passage in range(150)
        for number in range(4)
    ]
    frame = pd.DataFrame(rows)
    strata = Strata.easy_medium_hard("steps", 2, 5)

    def looked_up(table: pd.DataFrame) -> float:
        """How often the answers of a passage's items for sale tell that of a tested one."""
        task = Task(validate_items(table, "made"), strata, "hard", TestSizes(200, 1))
        known = {rows[place]["group"]: rows[place]["answer"] for place in task.pools["hard"]}
        tested = [rows[place] for place in task.test_positions]
        return float(np.mean([known.get(row["group"], 0) == row["answer"] for row in tested]))

    assert looked_up(frame.drop(columns="group")) > 0.9  # some have no other item for sale
    assert abs(looked_up(frame) - 0.5) < 0.15


def test_a_test_set_that_was_chosen_is_tested_and_nothing_else(
    make_items: Callable[..., pd.DataFrame],
) -> None:
    items = make_items(120)
    hard = np.flatnonzero((items["steps"] >= 5).to_numpy())
    strata = Strata.easy_medium_hard("steps", 2, 5)
    chosen = np.sort(np.concatenate([hard[:12], [0, 1]]))
    task = Task(items, strata, "hard", TestSizes(None, None), tested=chosen)
    assert sorted(task.test_positions.tolist()) == chosen.tolist()
    sold = np.concatenate(list(task.pools.values()))
    assert not np.isin(sold, chosen).any()
    assert sold.size == len(items) - chosen.size
    other = Task(items, strata, "hard", TestSizes(None, None), tested=np.delete(chosen, 0))
    assert task.split_fingerprint != other.split_fingerprint
    drawn = Task(items, strata, "hard", TestSizes(12, 1))
    assert task.split_fingerprint != drawn.split_fingerprint == task.fingerprint


def test_a_chosen_test_set_needs_answers_and_enough_of_the_target(
    make_items: Callable[..., pd.DataFrame],
) -> None:
    items = make_items(120)
    hard = np.flatnonzero((items["steps"] >= 5).to_numpy())
    strata = Strata.easy_medium_hard("steps", 2, 5)
    sizes = TestSizes(None, None)
    with pytest.raises(InputError, match="9 test items are of the target stratum 'hard'"):
        Task(items, strata, "hard", sizes, tested=hard[:9])
    items.loc[hard[3], "answer"] = pd.NA
    with pytest.raises(InputError, match=f"test item '{items['item_id'][hard[3]]}' has no right"):
        Task(items, strata, "hard", sizes, tested=hard[:12])
