"""Error rates of strata that judgments told: honest where others measure them, else found out."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.arrays import Array
from annotation.hardness.disagreement import answer_entropy, pairwise_disagreement
from annotation.hardness.same_judgments import of_same_judgments
from annotation.hardness.selection import first_judgments
from annotation.judgments.table import validate_judgments
from annotation.team.error_rates import ErrorMethod, ErrorRates
from annotation.truth.coding import Coded, code_judgments

CLASSES = 4


class Crowd(NamedTuple):
    """`chance` (items,) is how often a judgment of each item is wrong, whoever makes it."""

    judgments: pd.DataFrame
    item_ids: pd.Series
    chance: Array


def crowd(seed: int, items: int = 300, judgments: int = 6, gold: bool = False) -> Crowd:
    """Wrong in a fifth of all cases, some items never and some mostly; wrong answers are even."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(1.2, 4.5, items)
    right = rng.integers(0, CLASSES, items)
    wrong = rng.random((items, judgments)) < chance[:, None]
    shift = rng.integers(1, CLASSES, (items, judgments))
    label = np.where(wrong, (right[:, None] + shift) % CLASSES, right[:, None])
    item = np.repeat(np.arange(items), judgments)
    who = (item + np.tile(np.arange(judgments), items)) % 15
    frame = pd.DataFrame(
        {
            "item_id": [f"i{n}" for n in item],
            "annotator": [f"a{n}" for n in who],
            "label": [f"c{n}" for n in label.ravel()],
            "gold": [f"c{n}" for n in right[item]] if gold else None,
        }
    )
    ids = pd.Series([f"i{n}" for n in range(items)], dtype=object)
    return Crowd(validate_judgments(frame, "made"), ids, chance)


def coded(judgments: pd.DataFrame, item_ids: pd.Series, measure: Array, edge: float) -> Coded:
    """The judgments with strata cut at an edge of a measure of their items, (items,)."""
    names = np.where(measure > edge, "hard", "easy")
    by_id = dict(zip(item_ids, names, strict=True))
    stratum = pd.Series([by_id[each] for each in judgments["item_id"]], dtype=object)
    return code_judgments(judgments.assign(stratum=stratum), strata_order=("easy", "hard"))


@pytest.mark.parametrize(("gold", "method"), [(True, "gold"), (False, "hardness")])
def test_intervals_hold_the_truth_where_other_judgments_told_the_strata(
    gold: bool, method: ErrorMethod
) -> None:
    """Nominal 90 %, two strata in each of these crowds; the same strata from all judgments fail."""
    runs = 20 if gold else 6  # fitting a model takes longer
    held: list[bool] = []
    naive: list[bool] = []
    for seed in range(runs):
        made = crowd(seed, gold=gold)
        first = first_judgments(made.item_ids, made.judgments, 2)
        told = first.of_items["pairwise_disagreement"].to_numpy()
        honest = coded(first.evidence.judgments, made.item_ids, told, 0.0)
        all_told = pairwise_disagreement(made.item_ids, made.judgments)
        circular = coded(made.judgments, made.item_ids, all_told, 0.0)
        for strata, measure, found in ((honest, told, held), (circular, all_told, naive)):
            rates = ErrorRates(strata, method)
            for code, name in enumerate(strata.strata):
                truth = made.chance[(measure > 0) == (name == "hard")].mean()
                rate = rates.stratum(code).rate
                assert rate.low is not None and rate.high is not None
                found.append(rate.low <= truth <= rate.high)
        assert of_same_judgments(honest) is None
        assert of_same_judgments(circular) is not None
    assert np.mean(held) >= 0.8
    assert np.mean(naive) <= 0.6


@given(
    seed=st.integers(0, 2**32 - 1),
    items=st.integers(120, 400),
    judgments=st.integers(3, 7),
    measure=st.sampled_from(["pairwise_disagreement", "answer_entropy", "minority"]),
    scale=st.sampled_from([1.0, 10.0]),
)
@settings(max_examples=30, deadline=None)
def test_strata_of_these_very_judgments_are_found_out(
    seed: int, items: int, judgments: int, measure: str, scale: float
) -> None:
    """Whatever measure of disagreement was cut, under whatever name and in whatever unit."""
    made = crowd(seed, items, judgments)
    if measure == "minority":
        counts = made.judgments.groupby(["item_id", "label"]).size()
        shares = counts.groupby("item_id").max() / counts.groupby("item_id").sum()
        values = 1 - shares.reindex(made.item_ids.to_numpy()).to_numpy()
    else:
        of = pairwise_disagreement if measure == "pairwise_disagreement" else answer_entropy
        values = of(made.item_ids, made.judgments)
    values = scale * values
    own = coded(made.judgments, made.item_ids, values, float(np.median(values)) - 1e-9)
    if len(own.strata) < 2:  # most items are calm: then the edge lies above them
        own = coded(made.judgments, made.item_ids, values, 0.0)
    assert of_same_judgments(own) is not None
    if scale == 1:
        table = pd.DataFrame({"item_id": made.item_ids, "mine": values.round(3)})
        sign = of_same_judgments(own, table, "mine")
        assert sign is not None and sign.startswith("'mine' equals ")


@given(
    seed=st.integers(0, 2**32 - 1),
    items=st.integers(20, 400),
    judgments=st.integers(2, 7),
    noise=st.floats(0, 0.3),
    cut=st.floats(0.05, 0.4),
)
@settings(max_examples=60, deadline=None)
def test_strata_of_anything_else_are_let_through(
    seed: int, items: int, judgments: int, noise: float, cut: float
) -> None:
    """Be it the very chance of a mistake, which no measure knows as well."""
    made = crowd(seed, items, judgments)
    measure = made.chance + noise * np.random.default_rng(seed).normal(size=items)
    table = pd.DataFrame({"item_id": made.item_ids, "mine": measure})
    own = coded(made.judgments, made.item_ids, measure, cut)
    assert of_same_judgments(own, table, "mine") is None
