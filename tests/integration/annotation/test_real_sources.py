"""The published data sets, where a copy is at hand: sizes and shares as published.

Their strata, and how measures correlate, are in test_strata_counts.py.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from annotation.items.choice_order import in_own_order
from annotation.items.read import load_tabular
from annotation.items.table import fingerprint, gold_texts, measures, shared_choices
from annotation.items.write import write_table
from annotation.sources.arc import load_arc
from annotation.sources.gsm8k import load_gsm8k
from annotation.sources.sst5 import load_sst5
from annotation.sources.strategyqa import load_strategyqa

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("LABELMIX_DATA", ROOT.parent / "shared" / "data"))


def folder(name: str) -> str:
    if not (DATA / name).is_dir():
        pytest.skip(f"no folder {DATA / name}; set LABELMIX_DATA to the folder with {name}/")
    return str(DATA / name)


@pytest.fixture(scope="module")
def arc() -> pd.DataFrame:
    return load_arc(folder("ai2_arc"))


@pytest.fixture(scope="module")
def sst5() -> pd.DataFrame:
    return load_sst5(folder("sst5"))


def test_arc_sizes(arc: pd.DataFrame) -> None:
    # The whole is 4,521 items; a copy may lack the validation split of ARC-Challenge.
    assert 4_306 <= len(arc) <= 4_521
    assert len(measures(arc)) == 6
    assert arc[measures(arc)].notna().all(axis=None)
    assert sorted(arc["grade"].unique()) == [3, 4, 5, 6, 7, 8]
    assert arc["group"].nunique() == len(arc)


def test_arc_written_and_read(arc: pd.DataFrame, tmp_path: Path) -> None:
    for suffix in (".jsonl", ".parquet"):
        write_table(arc, tmp_path / f"arc{suffix}")
        again = load_tabular(str(tmp_path / f"arc{suffix}"))
        assert fingerprint(again) == fingerprint(in_own_order(arc).items)
        # The right answer stands in no place more often than by chance.
        four = again["choices"].map(len) == 4
        shares = again["answer"][four].value_counts(normalize=True)
        assert shares.between(0.23, 0.27).all()


def test_sst5_sizes(sst5: pd.DataFrame) -> None:
    # 11,855 sentences, 2,242 of them neutral; a few occur twice.
    assert 9_550 <= len(sst5) <= 9_613
    assert sst5["question"].is_unique
    assert shared_choices(sst5) == ("negative", "positive")
    # Strong sentences are about a third: 3,359 easy, 6,243 hard.
    assert 0.34 < (sst5["mildness"] == 0.0).mean() < 0.36
    assert set(sst5["mildness"]) == {0.0, 1.0}


def test_arc_as_a_table_of_ones_own(arc: pd.DataFrame) -> None:
    path = Path(folder("ai2_arc")) / "ARC-Easy" / "test.jsonl"
    items = load_tabular(str(path), columns={"item_id": "id", "answer": "answerKey"})
    both = items.merge(arc, on="item_id", suffixes=("", "_arc"))
    assert len(both) > 1_300
    assert gold_texts(items.set_index("item_id").loc[both["item_id"]]) == gold_texts(
        arc.set_index("item_id").loc[both["item_id"]]
    )
    assert (both["choices"].map(sorted) == both["choices_arc"].map(sorted)).all()


def test_gsm8k_sizes(data_folder: Callable[[str], Path]) -> None:
    items = load_gsm8k(str(data_folder("gsm8k")))
    assert len(items) == 8_792
    steps = {2: 2286, 3: 2519, 4: 1958, 5: 1128, 6: 507, 7: 268, 8: 110, 9: 15, 10: 1}
    assert items["num_steps"].value_counts().to_dict() == steps
    # 30.3 % of the questions have at most 34 words, 30.9 % at least 51; solutions 33 and 59.
    for measure, low, high in (("question_words", 34, 51), ("reasoning_words", 33, 59)):
        assert (items[measure] <= low).mean() == pytest.approx(0.305, abs=0.003)
        assert (items[measure] >= high).mean() == pytest.approx(0.3085, abs=0.003)
    assert items["answer_text"].str.contains(",").sum() == 93
    assert items["answer_text"].str.startswith("-").sum() == 5


def test_strategyqa_sizes(data_folder: Callable[[str], Path]) -> None:
    items = load_strategyqa(str(data_folder("strategyqa")))
    assert len(items) == 2_290
    assert (items["answer"] == 0).mean() == pytest.approx(0.468, abs=0.0005)
    assert (items["question_words"] <= 8).mean() == pytest.approx(0.379, abs=0.0005)
    assert (items["reasoning_words"] >= 34).mean() == pytest.approx(0.317, abs=0.0005)
    assert items["reasoning"].notna().all()
