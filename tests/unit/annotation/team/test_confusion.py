"""Which class people overlook: by gold questions, by agreement, with intervals."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotation.judgments.schema import COLUMNS
from annotation.team.confusion import ClassConfusion, confusions, most_overlooked
from annotation.truth.coding import Coded, code_judgments
from annotation.truth.fitted_models import FittedModels

OVERLOOKS = 0.5  # "yes", by everybody alike and independently


def judged(
    items: int, people: int, overlooks: float = OVERLOOKS, gold: int = 0, seed: int = 0
) -> pd.DataFrame:
    """Half of the items are "yes"; of the first some the right answers are known."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for number in range(items):
        right = ("no", "yes")[number % 2]
        for who in range(people):
            wrong = rng.random() < (overlooks if right == "yes" else 0.05)
            label = {"no": "yes", "yes": "no"}[right] if wrong else right
            rows.append(
                {
                    "item_id": f"{number:04}",
                    "annotator": f"ann {(number + who) % 12}",
                    "label": label,
                    "gold": right if number < gold else None,
                    "stratum": "hard",
                    "cancelled": False,
                }
            )
    table = pd.DataFrame(rows)
    return table.assign(**{name: None for name in COLUMNS if name not in table})


def found(table: pd.DataFrame) -> tuple[ClassConfusion, ...]:
    coded = code_judgments(table)
    posteriors = FittedModels(coded).calibrated("dawid_skene").unchecked
    return confusions(coded, posteriors, {None: np.ones(len(coded.annotators), dtype=bool)})


def by_label(table: pd.DataFrame) -> dict[str, ClassConfusion]:
    return {own.label: own for own in found(table)}


def test_gold_questions_tell_which_class_is_overlooked() -> None:
    own = by_label(judged(80, 3, gold=80))
    assert (own["yes"].known_by, own["no"].known_by) == ("gold", "gold")
    assert own["yes"].judgments == 120
    assert own["yes"].overlooked.estimate == pytest.approx(0.5, abs=0.1)
    assert own["no"].overlooked.estimate == pytest.approx(0.05, abs=0.05)
    assert own["yes"].taken_for == "no"
    assert own["yes"].overlooked.bounds[0] > own["no"].overlooked.bounds[1]


def test_agreement_tells_where_answers_are_not_known() -> None:
    own = by_label(judged(300, 7, overlooks=0.3))
    assert own["yes"].known_by == "agreement"
    # Mistakes that people share are allowed for, and here there are none.
    assert 0.25 < (own["yes"].overlooked.estimate or 0) < 0.4
    assert own["yes"].overlooked.bounds[0] > own["no"].overlooked.bounds[1]
    # Every judgment counts once, for all classes together.
    assert own["yes"].judgments + own["no"].judgments == pytest.approx(2100)


def test_single_judgments_and_few_of_them_tell_nothing() -> None:
    assert found(judged(200, 1)) == ()
    assert found(judged(4, 2)) == ()


def test_nothing_is_told_of_items_with_choices_of_their_own() -> None:
    table = judged(60, 3)
    coded = code_judgments(table)
    own = Coded(**{**vars(coded), "kind": "own choices"})
    posteriors = np.zeros((len(coded.item_ids), 2))
    assert confusions(own, posteriors, {None: np.ones(12, dtype=bool)}) == ()


def test_one_class_stands_out_or_none_does() -> None:
    told = most_overlooked(found(judged(200, 3, gold=200)), None, "hard")
    assert told is not None
    assert told.label == "yes"
    assert most_overlooked(found(judged(200, 3, overlooks=0.05, gold=200)), None, "hard") is None


def test_intervals_hold_about_as_often_as_they_say() -> None:
    """Of people and items like these, by gold: 90 % intervals."""
    held = [
        own.bounds[0] <= OVERLOOKS <= own.bounds[1]
        for seed in range(60)
        for own in [by_label(judged(60, 3, gold=60, seed=seed))["yes"].overlooked]
    ]
    assert 0.8 <= np.mean(held) <= 1.0
