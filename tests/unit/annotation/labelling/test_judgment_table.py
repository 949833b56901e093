import numpy as np
import pandas as pd

from annotation.items.validate import validate_items
from annotation.judgments.table import validate_judgments
from annotation.labelling.judgment_table import judgments_of_items

ITEMS = validate_items(
    pd.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "question": ["one?", "two?", "three?"],
            "choices": [["no", "yes"], ["yes", "no", "maybe"], ["no", "yes"]],
        }
    ),
    "made",
    require_answers=False,
)
ROWS = [
    ("a", "x", "yes", 1),
    ("b", "x", "maybe", 1),
    ("b", "y", "yes", 2),
    ("a", "y", "no", 3),
    ("a", "y", "yes", 4),  # of two answers of one person the last counts
    ("b", "z", "yes", 5),
]


def table(rows: list[tuple[str, str, str, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["item_id", "annotator", "label", "minute"])
    frame["created_at"] = [f"2024-01-01T00:{minute:02d}:00Z" for minute in frame.pop("minute")]
    return validate_judgments(frame, "made")


def test_every_judgment_is_a_choice_of_its_own_item() -> None:
    found = judgments_of_items(table(ROWS), ITEMS)
    assert found.shape == (3, 3)
    assert sorted(found[0].tolist()) == [-1, 1, 1]
    assert found[0].tolist() == [1, 1, -1]  # what is absent stands last
    assert sorted(found[1].tolist()) == [0, 0, 2]
    assert found[2].tolist() == [-1, -1, -1]


def test_a_seed_draws_the_order_and_nothing_else() -> None:
    orders = {tuple(judgments_of_items(table(ROWS), ITEMS, seed)[1].tolist()) for seed in range(30)}
    assert orders == {(0, 0, 2), (0, 2, 0), (2, 0, 0)}
    one, again = (judgments_of_items(table(ROWS), ITEMS, 7) for _ in range(2))
    np.testing.assert_array_equal(one, again)
