from dataclasses import replace

import numpy as np
import pytest

from annotation.errors import InputError
from budget.selection.choose import ChosenItem, choose_items, chosen_items
from budget.selection.settings import SelectionSettings
from budget.selection.state import AskableItems

DOUBT_ALONE = SelectionSettings(random_share=0.0)


def askable(
    posteriors: list[list[float]],
    given: list[int],
    *,
    predictions: list[list[float]] | None = None,
    room: int = 5,
    error_rate: float = 0.25,
) -> AskableItems:
    """Items a, b, c, ... on a line, of two choices."""
    count = len(given)
    return AskableItems(
        item_ids=tuple("abcdefghijklmnopqrstuvwxyz"[:count]),
        features=np.arange(count, dtype=np.float32)[:, None],
        posteriors=np.array(posteriors),
        choice_counts=np.full(count, 2),
        given=np.array(given),
        room=np.full(count, room),
        error_rate=error_rate,
        predictions=None if predictions is None else np.array(predictions),
    )


def new_items(count: int, predictions: list[list[float]] | None = None) -> AskableItems:
    return askable([[0.5, 0.5]] * count, [0] * count, predictions=predictions)


def test_most_doubtful_items_are_asked_again() -> None:
    state = askable([[0.9, 0.1], [0.5, 0.5], [0.75, 0.25], [0.1, 0.9]], [2, 2, 1, 2])
    assert chosen_items(state, 2, 0, DOUBT_ALONE) == [("b", 1), ("c", 1)]


def test_a_clear_item_is_not_asked_again_and_fewer_come_back() -> None:
    state = askable([[0.96, 0.04], [0.6, 0.4], [0.0, 1.0]], [3, 3, 1])
    assert chosen_items(state, 10, 0, DOUBT_ALONE) == [("b", 1)]
    assert chosen_items(state, 10, 0, replace(DOUBT_ALONE, clear=0.6)) == []


def test_an_item_is_not_asked_again_where_that_is_not_worth_its_price() -> None:
    # At even chances a judgment that errs in a quarter takes away 1/8 of doubt: .5 - 2 * 3/16.
    state = askable([[0.5, 0.5]], [2])
    assert chosen_items(state, 1, 0, replace(DOUBT_ALONE, worth=8.1)) == [("a", 1)]
    assert chosen_items(state, 1, 0, replace(DOUBT_ALONE, worth=7.9)) == []


def test_a_supplier_who_guesses_is_asked_nothing_again() -> None:
    assert chosen_items(askable([[0.5, 0.5]], [2], error_rate=0.5), 1, 0, DOUBT_ALONE) == []


def test_a_judgment_that_the_model_contradicts_is_asked_again_first() -> None:
    state = askable([[0.75, 0.25], [0.75, 0.25]], [1, 1], predictions=[[0.8, 0.2], [0.3, 0.7]])
    assert chosen_items(state, 1, 0, DOUBT_ALONE) == [("b", 1)]


def test_new_items_come_before_judged_ones_of_equal_doubt() -> None:
    state = askable([[0.5, 0.5]] * 4, [2, 0, 2, 0])
    (first, second, third) = choose_items(state, 3, 0, DOUBT_ALONE)
    assert first.why == "doubtful still" and first.item_id in "ac"
    assert {second.item_id, third.item_id} == {"b", "d"}
    assert second.why == third.why == "doubtful and new"


def test_uncertain_new_items_are_chosen_from() -> None:
    predictions = [[0.9, 0.1]] * 9 + [[0.5, 0.5]]
    assert chosen_items(new_items(10, predictions), 1, 0, DOUBT_ALONE) == [("j", 1)]


def test_among_equally_uncertain_new_items_copies_of_judged_ones_are_left_out() -> None:
    state = askable([[0.5, 0.5]] * 6, [0] * 6, predictions=[[0.5, 0.5]] * 6)
    alike = np.array([[0.0], [0.0], [0.0], [0.0], [0.0], [9.0]], dtype=np.float32)
    state = replace(state, features=alike, given=np.array([1, 0, 0, 0, 0, 0]), room=np.full(6, 1))
    settings = replace(DOUBT_ALONE, uncertain_share=1.0, clear=0.5)
    for seed in range(5):
        assert chosen_items(state, 1, seed, settings) == [("f", 1)]


def test_nothing_is_asked_of_an_item_that_has_no_room() -> None:
    state = replace(new_items(3), room=np.array([0, 2, 0]))
    for settings in (DOUBT_ALONE, SelectionSettings(), SelectionSettings(method="random")):
        assert {name for name, _ in chosen_items(state, 3, 0, settings)} == {"b"}
    assert chosen_items(state, 3, 0, SelectionSettings(method="random")) == [("b", 2)]


def test_random_finishes_what_was_begun_and_then_begins_new_items() -> None:
    state = askable([[0.5, 0.5]] * 4, [1, 0, 3, 0])
    chosen = chosen_items(state, 6, 0, SelectionSettings(method="random", judgments=3))
    assert chosen[0] == ("a", 2)
    assert [count for _, count in chosen[1:]] == [3, 1]
    assert {name for name, _ in chosen[1:]} == {"b", "d"}


def test_random_goes_through_all_items_again_when_none_is_new() -> None:
    state = askable([[0.5, 0.5]] * 3, [1, 1, 2])
    assert set(chosen_items(state, 2, 0, SelectionSettings(method="random"))) == {
        ("a", 1),
        ("b", 1),
    }


def test_items_drawn_at_random_get_their_judgments() -> None:
    settings = SelectionSettings(random_share=0.5, judgments=3)
    chosen = choose_items(new_items(20, [[0.6, 0.4]] * 20), 12, 0, settings)
    at_random = [each for each in chosen if each.why == "at random"]
    assert [each.judgments for each in at_random] == [3, 3]
    assert sum(each.judgments for each in chosen) == 12
    assert len({each.item_id for each in chosen}) == len(chosen)


def test_without_items_or_judgments_nothing_is_chosen() -> None:
    assert chosen_items(new_items(3), 0, 0) == []
    nothing = np.empty(0, dtype=np.int64)
    none = AskableItems((), np.empty((0, 3)), np.empty((0, 2)), nothing, nothing, nothing, 0.1)
    assert chosen_items(none, 5, 0) == []
    assert chosen_items(none, 5, 0, SelectionSettings(method="random")) == []


def test_more_than_all_is_all() -> None:
    chosen = choose_items(new_items(4, [[0.6, 0.4]] * 4), 100, 0, DOUBT_ALONE)
    assert sorted(each.item_id for each in chosen) == ["a", "b", "c", "d"]
    assert ChosenItem("a", 1, "doubtful and new") in chosen


def test_a_number_below_zero_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 0; got -1"):
        chosen_items(new_items(1), -1, 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": "best"}, "method 'best' .* doubt, random"),
        ({"random_share": 1.1}, "random_share .* 1.1"),
        ({"random_share": float("nan")}, "random_share .* nan"),
        ({"judgments": 0}, "judgments per item .* 0"),
        ({"uncertain_share": 0.0}, "uncertain_share .* 0.0"),
        ({"clear": 1.5}, "clear .* 1.5"),
        ({"worth": 0.0}, "worth .* 0.0"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SelectionSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"item_ids": ("a", "a")}, "once"),
        ({"given": np.array([1])}, "'given'"),
        ({"room": np.array([1, -1])}, "'room'"),
        ({"features": np.zeros((2, 1, 1))}, "'features'"),
        ({"features": np.array([[np.nan], [1.0]])}, "finite"),
        ({"posteriors": np.array([[0.5, 0.6], [0.5, 0.5]])}, "'posteriors'"),
        ({"posteriors": np.full((2, 2), np.nan)}, "'posteriors'"),
        ({"choice_counts": np.array([2, 1])}, "'posteriors'"),
        ({"predictions": np.array([[1.0, 0, 0], [1.0, 0, 0]])}, "one shape"),
        ({"error_rate": 1.2}, "error rate .* 1.2"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(new_items(2), **wrong)  # type: ignore[arg-type]
