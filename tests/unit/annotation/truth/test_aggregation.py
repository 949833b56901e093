from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.validate import validate_items
from annotation.labelling.simulated_team import Workplace, simulate_judgments
from annotation.truth.aggregation import MOST_FOR_GLAD, Aggregator, aggregate
from annotation.truth.coding import Coded, code_judgments
from annotation.truth.fitted_models import FittedModels
from annotation.truth.label_file import (
    labels_table,
    read_labels,
    training_posteriors,
    write_labels,
)

Make = Callable[..., pd.DataFrame]

METHODS: tuple[Aggregator, ...] = (
    "majority",
    "dawid_skene",
    "one_coin",
    "glad",
    "mace",
    "hardness",
)


@pytest.fixture(scope="module")
def simulated() -> Coded:
    return code_judgments(
        simulate_judgments(Workplace(items={"easy": 25, "hard": 25}), 0).judgments
    )


@pytest.mark.parametrize("method", METHODS)
def test_posteriors_are_probabilities_and_labels_mostly_right(
    simulated: Coded, method: Aggregator
) -> None:
    truth = simulate_judgments(Workplace(items={"easy": 25, "hard": 25}), 0)
    answers = dict(zip(truth.item_ids, truth.answers, strict=True))
    found = aggregate(simulated, method)
    assert found.method == method
    assert found.posteriors.shape == (50, 4)
    np.testing.assert_allclose(found.posteriors.sum(axis=1), 1.0)
    right = [
        simulated.text(item, label) == answers[simulated.item_ids[item]]
        for item, label in enumerate(found.labels(simulated))
    ]
    assert np.mean(right) > 0.7  # guessing: .25


def test_majority_is_the_share_of_judgments(make: Make) -> None:
    rows = [("a", "x", "yes"), ("a", "y", "yes"), ("a", "z", "no"), ("b", "x", "no")]
    found = aggregate(code_judgments(make(rows)), "majority")
    np.testing.assert_allclose(found.posteriors, np.array([[1 / 3, 2 / 3], [1, 0]]))
    coded = code_judgments(make(rows))
    np.testing.assert_allclose(found.wrong(coded), [1 / 3, 1 / 3, 2 / 3, 0])


def test_as_many_votes_are_a_draw_that_no_order_of_rows_changes(make: Make) -> None:
    rows = [(f"i{n}", who, "no" if who == "x" else "yes") for n in range(400) for who in "xy"]
    coded, turned = code_judgments(make(rows)), code_judgments(make(rows[::-1]))
    labels = aggregate(coded, "majority").labels(coded)
    # 4 standard deviations of 400 draws of 1 in 2.
    assert abs(labels.sum() - 200) < 4 * np.sqrt(400 / 4)
    said = dict(zip(coded.item_ids, labels, strict=True))
    again = aggregate(turned, "majority").labels(turned)
    assert said == dict(zip(turned.item_ids, again, strict=True))
    assert aggregate(coded, "majority").likeliest.all()


def test_dawid_skene_is_crowd_kits(simulated: Coded) -> None:
    from crowdkit.aggregation import DawidSkene

    data = pd.DataFrame(
        {"task": simulated.item, "worker": simulated.annotator, "label": simulated.label}
    )
    theirs = DawidSkene().fit_predict_proba(data).sort_index().sort_index(axis=1)
    found = aggregate(simulated, "dawid_skene")
    np.testing.assert_allclose(found.posteriors, theirs.to_numpy(), atol=1e-12)
    assert found.log_likelihood is not None
    assert found.parameters == 3 * (10 * 4 + 1)


def test_the_likelihood_of_dawid_and_skene_by_hand(make: Make) -> None:
    # Two annotators who always agree: in the end they never err, and each class has its share.
    rows = [(item, who, label) for item, label in zip("abcd", "ppqp", strict=True) for who in "xy"]
    found = aggregate(code_judgments(make(rows)), "dawid_skene")
    expected = 3 * np.log(3 / 4) + np.log(1 / 4)
    assert found.log_likelihood == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_gold_question_has_its_right_answer(make: Make, method: Aggregator) -> None:
    rows = [(item, who, "pq"[item > "b"]) for item in "abcd" for who in "xyz"]
    coded = code_judgments(make(rows, gold=["q"] * 3 + [None] * 9))
    found = aggregate(coded, method)
    assert found.posteriors[0].tolist() == [0.0, 1.0]
    assert found.labels(coded).tolist()[2:] == [1, 1]


@pytest.mark.parametrize("method", METHODS)
def test_one_label_for_all_is_no_difficulty(make: Make, method: Aggregator) -> None:
    coded = code_judgments(make([("a", "x", "yes"), ("b", "x", "yes")]))
    found = aggregate(coded, method)
    assert found.labels(coded).tolist() == [0, 0]


def test_items_have_no_probability_beyond_their_own_choices(make: Make) -> None:
    items = validate_items(
        pd.DataFrame(
            {
                "item_id": ["a", "b"],
                "question": ["?", "?"],
                "choices": [["red", "blue"], ["one", "two", "three"]],
                "answer": [0, 2],
            }
        ),
        "items",
    )
    rows = [("a", "x", "red"), ("a", "y", "blue"), ("b", "x", "three"), ("b", "y", "three")]
    coded = code_judgments(make(rows), items)
    for method in METHODS:
        assert (aggregate(coded, method).posteriors[0, 2:] == 0).all()
    table = labels_table(coded, aggregate(coded, "majority"))
    positions, posteriors = training_posteriors(table[::-1], items)
    assert positions.tolist() == [1, 0]
    np.testing.assert_allclose(posteriors, np.array([[0, 0, 1], [0.5, 0.5, 0]]))
    with pytest.raises(InputError, match="is none of the items"):
        training_posteriors(table.assign(item_id="c"), items)
    respelled = items.assign(choices=[["red", "blue\u200b"], ["one", "two", "\uff54hree"]])
    np.testing.assert_array_equal(training_posteriors(table[::-1], respelled)[1], posteriors)
    others = items.assign(choices=[["green", "blue"], ["one", "two", "three"]])
    with pytest.raises(InputError, match="'red' is none of its choices"):
        training_posteriors(table, others)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_labels_come_back_as_written(simulated: Coded, tmp_path: Path, suffix: str) -> None:
    table = labels_table(simulated, aggregate(simulated, "majority"))
    path = tmp_path / f"labels{suffix}"
    write_labels(table, path)
    back = read_labels(path)
    assert back["label"].tolist() == table["label"].tolist()
    assert back["posterior"].tolist() == table["posterior"].tolist()
    with pytest.raises(InputError, match=r"kept as .jsonl or .parquet"):
        write_labels(table, tmp_path / "labels.csv")


def test_glad_is_refused_what_it_cannot_finish() -> None:
    workplace = Workplace(items={"hard": MOST_FOR_GLAD // 2 + 100}, judgments_per_item=3)
    coded = code_judgments(simulate_judgments(workplace, 0).judgments)
    with pytest.raises(InputError, match="GLAD takes too long"):
        aggregate(coded, "glad")
    with pytest.raises(InputError, match="method 'best' is unknown"):
        aggregate(coded, "best")  # type: ignore[arg-type]


def test_hard_items_and_habits_are_told_apart(make: Make) -> None:
    by_hardness = FittedModels(
        code_judgments(simulate_judgments(Workplace(items={"hard": 200}), 1).judgments)
    )
    assert by_hardness.better == "hardness"
    # Everybody confuses q with p in a habit of his own, and nothing else.
    rng = np.random.default_rng(0)
    habits = {"v": 0.9, "w": 0.1, "x": 0.7, "y": 0.3, "z": 0.5}
    truth = rng.choice(["p", "q"], 300)
    rows = [
        (f"i{n}", who, "p" if right == "p" or rng.random() < habit else "q")
        for n, right in enumerate(truth)
        for who, habit in habits.items()
    ]
    assert FittedModels(code_judgments(make(rows))).better == "dawid_skene"
