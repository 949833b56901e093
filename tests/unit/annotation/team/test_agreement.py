from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from annotation.judgments.table import validate_judgments
from annotation.labelling.simulated_team import Workplace, simulate_judgments
from annotation.team.agreement import (
    agreement,
    agreement_with_others,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    label_counts,
    text_categories,
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


# Six classes of ten items by three annotators.
CLASSES = ["abbr", "enty", "desc", "hum", "loc", "num"]
SAID = ["0253450313", "0214450215", "0233353211"]


@pytest.mark.parametrize("name", ["item", "question", "x"])
def test_items_of_any_name_agree_alike(make: Make, name: str) -> None:
    rows = [
        (f"{name}-{place}", f"ann{who}", CLASSES[int(code)])
        for who, own in enumerate(SAID)
        for place, code in enumerate(own)
    ]
    coded = code_judgments(make(rows))
    found = agreement(coded)[None]
    assert coded.kind == "shared"
    # By krippendorff 0.9.0 and statsmodels 0.15.0.
    assert found.krippendorff_alpha.estimate == pytest.approx(0.4528301886792453, abs=1e-9)
    assert found.fleiss_kappa.estimate == pytest.approx(0.4339622641509435, abs=1e-9)


def answers(seed: int, items: int, people: int, classes: int, own: bool) -> pd.DataFrame:
    """Answers of which some are missing: the same classes for all items, or texts of their own."""
    rng = np.random.default_rng(seed)
    rows = []
    for item in range(items):
        right = rng.integers(classes)
        for who in range(people):
            if rng.random() < 0.25:
                continue
            code = right if rng.random() < 0.6 else rng.integers(classes)
            rows.append((f"i{item}", f"a{who}", f"{item}-{code}" if own else f"c{code}"))
    return pd.DataFrame(rows, columns=["item_id", "annotator", "label"])


@pytest.mark.parametrize(("case", "alpha", "kappa", "cohen"), [
    ((2, 300, 4, 120, False), 0.35833992219574307, 0.32806735999666536, 0.37502465969619253),
    ((4, 200, 3, 90, True), 0.38496684297781647, 0.37693117977528096, 0.4126541981695185),
])  # fmt: skip
def test_texts_that_nobody_listed_agree_as_texts(
    case: tuple[int, int, int, int, bool], alpha: float, kappa: float, cohen: float
) -> None:
    table = answers(*case)
    whole = table.groupby("item_id").filter(lambda own: len(own) == case[2])
    coded = code_judgments(validate_judgments(table, "test"))
    of_all = agreement(coded)[None].krippendorff_alpha
    of_whole = agreement(code_judgments(validate_judgments(whole, "test")))[None].fleiss_kappa
    people = coded.annotators.tolist()
    _, of_two = cohen_kappa(coded, people.index("a0"), people.index("a1"))
    assert coded.kind == "open"
    # By krippendorff 0.9.0 and statsmodels 0.15.0; its kappas need whole tables.
    found = (of_all.estimate, of_whole.estimate, of_two.estimate)
    assert found == pytest.approx((alpha, kappa, cohen), abs=1e-9)
    assert of_all.bounds[0] < alpha < of_all.bounds[1]


def test_rare_texts_hardly_change_a_bootstrap() -> None:
    table = answers(5, 80, 3, 4, own=True)
    coded = code_judgments(validate_judgments(table, "test"))
    fast = agreement(coded, draws=4000)[None].krippendorff_alpha
    category, many = text_categories(coded)
    counts = np.zeros((len(coded.item_ids), many), dtype=np.int64)
    np.add.at(counts, (coded.item, category), 1)
    rng = np.random.default_rng(1)
    places = rng.integers(0, len(counts), (1000, len(counts)))
    slow = [krippendorff_alpha(counts[drawn]) for drawn in places]
    assert fast.bounds == pytest.approx(np.quantile(slow, [0.05, 0.95]), abs=0.02)
