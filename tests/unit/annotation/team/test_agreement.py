from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from annotation.labelling.simulated_team import Workplace, simulate_judgments
from annotation.team.agreement import (
    agreement,
    agreement_with_others,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    label_counts,
)
from annotation.truth.coding import code_judgments

Make = Callable[..., pd.DataFrame]

# Three items, judged by two: both yes, both no, one of each.
EXAMPLE = np.array([[2, 0], [0, 2], [1, 1]])


def slow_alpha(counts: NDArray[np.int64]) -> float:
    """Krippendorff's alpha pair by pair."""
    rows = [np.repeat(np.arange(len(row)), row) for row in counts if row.sum() >= 2]
    everything = np.concatenate(rows)
    apart = sum(
        2 * (a != b) / (len(row) - 1) for row in rows for a, b in combinations(row, 2)
    ) / len(everything)
    by_chance = np.mean([a != b for a, b in combinations(everything, 2)])
    return float(1 - apart / by_chance)


def test_alpha_of_a_small_example() -> None:
    # Of six labels three are yes: observed disagreement 1/3, expected 3 * 3 / 15 = 3/5.
    assert krippendorff_alpha(EXAMPLE) == pytest.approx(1 - (1 / 3) / (3 / 5))


def test_fleiss_kappa_of_a_small_example() -> None:
    # Pairs agree on two of three items; chance agreement is 1/2.
    assert fleiss_kappa(EXAMPLE) == pytest.approx((2 / 3 - 1 / 2) / (1 / 2))


def test_alpha_allows_missing_judgments_and_equals_its_slow_twin() -> None:
    counts = np.random.default_rng(0).multinomial(4, [0.5, 0.3, 0.2], size=40)
    counts[::3, 0] = 0
    counts[5] = [1, 0, 0]  # one judgment only: left out
    assert krippendorff_alpha(counts) == pytest.approx(slow_alpha(counts), abs=1e-12)


def test_statistics_are_not_defined_where_all_labels_are_the_same() -> None:
    assert np.isnan(krippendorff_alpha(np.array([[2, 0], [3, 0]])))
    assert np.isnan(fleiss_kappa(np.array([[2, 0], [3, 0]])))


def test_alpha_equals_crowd_kit() -> None:
    from crowdkit.metrics.data import alpha_krippendorff

    table = simulate_judgments(Workplace(items={"easy": 20, "hard": 20}), 3).judgments
    table = table[~table["cancelled"]]
    theirs = alpha_krippendorff(
        table.rename(columns={"item_id": "task", "annotator": "worker"})[
            ["task", "worker", "label"]
        ]
    )
    ours = krippendorff_alpha(label_counts(code_judgments(table.reset_index(drop=True))))
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_cohen_kappa_equals_scikit_learn() -> None:
    from sklearn.metrics import cohen_kappa_score

    table = simulate_judgments(Workplace(annotators=3, cancelled=0.0), 4).judgments
    coded = code_judgments(table)
    shared, kappa = cohen_kappa(coded, 0, 2)
    wide = table.pivot_table(index="item_id", columns="annotator", values="label", aggfunc="first")
    first, second = (wide[coded.annotators[place]] for place in (0, 2))
    assert shared == 200
    assert kappa.estimate == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert kappa.bounds[0] < cohen_kappa_score(first, second) < kappa.bounds[1]


def test_bootstrap_of_pairs_is_a_bootstrap_of_items(make: Make) -> None:
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(0)
    first = rng.integers(0, 3, 50)
    second = np.where(rng.random(50) < 0.7, first, rng.integers(0, 3, 50))
    rows = [(f"i{n}", who, f"c{said[n]}") for n in range(50) for who, said in
            (("x", first), ("y", second))]  # fmt: skip
    _, fast = cohen_kappa(code_judgments(make(rows)), 0, 1, draws=4000)
    drawn = rng.integers(0, 50, (2000, 50))
    slow = [cohen_kappa_score(first[items], second[items]) for items in drawn]
    assert fast.bounds == pytest.approx(np.quantile(slow, [0.05, 0.95]), abs=0.02)


def test_two_who_share_no_item_have_no_kappa(make: Make) -> None:
    shared, kappa = cohen_kappa(code_judgments(make([("a", "x", "p"), ("b", "y", "q")])), 0, 1)
    assert shared == 0
    assert kappa.estimate is None


def test_bootstrap_of_patterns_is_a_bootstrap_of_items() -> None:
    coded = code_judgments(simulate_judgments(Workplace(items={"hard": 60}), 5).judgments)
    fast = agreement(coded, draws=4000)["hard"].krippendorff_alpha
    counts = label_counts(coded)
    rng = np.random.default_rng(1)
    slow = [krippendorff_alpha(counts[rng.integers(0, 60, 60)]) for _ in range(4000)]
    assert fast.bounds == pytest.approx(np.quantile(slow, [0.05, 0.95]), abs=0.01)


def test_all_items_together_are_the_strata_together(make: Make) -> None:
    rows = [(i, a, "yes" if (i + a) not in ("ay", "cx") else "no") for i in "abcd" for a in "xy"]
    coded = code_judgments(make(rows, stratum=["easy"] * 4 + ["hard"] * 4))
    found = agreement(coded)
    assert found["easy"].items == found["hard"].items == 2
    assert found["easy"].raw.estimate == 0.5
    assert found[None].krippendorff_alpha.estimate == pytest.approx(
        krippendorff_alpha(label_counts(coded))
    )


def test_agreement_with_others_leaves_oneself_out(make: Make) -> None:
    rows = [("a", "x", "yes"), ("a", "y", "yes"), ("a", "z", "no"), ("b", "x", "yes")]
    found = agreement_with_others(code_judgments(make(rows)))
    np.testing.assert_array_equal(found, [0.5, 0.5, 0.0, np.nan])
