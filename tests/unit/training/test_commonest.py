"""The commonest class is decided by what is for sale and scored on test items."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from annotation.labelling.labels import Labels
from training.commonest import commonest_class
from training.task import Task

CLASSES = ("Buy!", "Hold.", "Sell.")


@pytest.fixture
def classes(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    """120 items of three classes; two thirds of hard ones for sale are "Sell.", no tested one is.

    Which items are tested hangs on their number alone, so that answers can be set afterwards.
    """
    items = make_items(120).assign(choices=[list(CLASSES)] * 120, answer=0)
    tested = make_task(items).test_positions
    answer = np.where(np.arange(120) % 3 == 0, 1, 2)
    answer[tested] = 1
    answer[tested[::4]] = 0
    return make_task(items.assign(answer=answer))


def test_test_answers_do_not_decide_which_class_it_is(classes: Task) -> None:
    found = commonest_class(classes, "hard")
    assert found is not None and found.answer == "Sell."
    assert found.correct.shape == classes.test_positions.shape and not found.correct.any()


def test_its_accuracy_is_the_share_of_the_class_among_test_items(classes: Task) -> None:
    items = classes.items.assign(answer=np.where(np.arange(120) % 4 == 0, 0, 2))
    task = Task(items, classes.strata, "hard", classes.test_sizes)
    found = commonest_class(task, "hard")
    assert found is not None and found.answer == "Sell."
    assert found.correct.tolist() == (task.answers[task.test_positions] == 2).tolist()


def test_of_classes_as_common_neither_order_of_choices_nor_of_items_decides(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    found = set()
    for order in ([0, 1], [1, 0]):
        own = [[("Buy!", "Sell.")[place] for place in order]] * 120
        task = make_task(make_items(120).assign(choices=own, answer=0))
        said = [Labels(task.pools["hard"][:2], np.array([[0], [1]]), np.zeros(2))]
        commonest = commonest_class(task, "hard", said)
        assert commonest is not None
        found.add(commonest.answer)
    assert len(found) == 1


def test_people_s_labels_decide_where_there_are_some(classes: Task) -> None:
    positions = classes.pools["hard"][:5]
    said = Labels(positions, np.array([[0], [0], [0], [1], [2]]), np.zeros(5))
    found = commonest_class(classes, "hard", [said])
    assert found is not None and found.answer == "Buy!"
    assert found.correct.tolist() == (classes.answers[classes.test_positions] == 0).tolist()


def test_another_order_of_the_choices_is_the_same_class(classes: Task) -> None:
    """Items that list their classes in orders of their own still share them."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(3) for _ in range(120)]
    items = classes.items.assign(
        choices=[[CLASSES[place] for place in order] for order in orders],
        answer=[
            int(np.flatnonzero(order == answer)[0])
            for order, answer in zip(orders, classes.answers, strict=True)
        ],
    )
    shuffled = Task(items, classes.strata, "hard", classes.test_sizes)
    one, other = commonest_class(classes, "easy"), commonest_class(shuffled, "easy")
    assert one is not None and other is not None and one.answer == other.answer
    assert one.correct.tolist() == other.correct.tolist()


def test_unanswered_items_for_sale_are_not_counted(classes: Task) -> None:
    """Nothing is known of hard items for sale: all that are for sale decide; or nothing does."""

    def without_answers(*strata: str) -> Task:
        answer = classes.items["answer"].astype("Int64")
        for name in strata:
            answer[classes.pools[name]] = pd.NA
        return Task(classes.items.assign(answer=answer), classes.strata, "hard", classes.test_sizes)

    found = commonest_class(without_answers("hard"), "hard")
    assert found is not None and found.answer == "Sell."
    assert commonest_class(without_answers("easy", "medium", "hard"), "hard") is None


def test_items_with_choices_of_their_own_have_no_classes(
    make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]
) -> None:
    assert commonest_class(make_task(make_items(120)), "hard") is None
