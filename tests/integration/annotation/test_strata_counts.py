"""The paper's strata on the published data, where a copy is at hand.

Counts are those of Hase et al. 2024 (arXiv:2401.06751) on the whole data. A copy that lacks a split
holds fewer items; what it should then hold is worked out from its own files, row by row.
"""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from annotation.items.table import measures
from annotation.sources import load_items
from annotation.strata.cut import (
    PAPER_CUTS,
    THIRD_GRADE_TO_COLLEGE,
    cut_items,
    strata_sizes,
)

Folder = Callable[[str], Path]

# easy, medium, hard of all items.
ARC = {
    "grade": (1434, 1055, 2032),
    "difficulty": (1056, 2878, 587),
    "bloom": (2357, 1314, 850),
    "depth_of_knowledge": (2353, 1974, 194),
}
LEVELS = {
    "difficulty": ("Low", "Medium", "High"),
    "bloom": ("Remembering", "Understanding", "Applying", "Analyzing", "Evaluating"),
    "depth_of_knowledge": ("I", "II", "III"),
}


def counts(items: pd.DataFrame, source: str, measure: str, cut: str = "paper") -> tuple[int, ...]:
    return tuple(stratum.items for stratum in cut_items(cut, measure, items, source)[1].strata)


@pytest.fixture(scope="module")
def arc_folder(data_folder: Folder) -> Path:
    return data_folder("ai2_arc")


@pytest.fixture(scope="module")
def arc(arc_folder: Path) -> pd.DataFrame:
    return load_items("arc", data_dir=str(arc_folder))


def annotated(folder: Path) -> list[dict[str, float]]:
    """The four measures of every annotation with a grade, and whether its question is here."""
    there = {
        str(json.loads(line)["id"])
        for file in folder.glob("ARC-*/*.jsonl")
        for line in file.read_text().splitlines()
    }
    found = []
    for key, entry in json.loads((folder / "annotations.json").read_text()).items():
        last: Any = str(entry["grade"]).split()[-1]
        if last.isdigit():
            row = {name: float(scale.index(entry[name]) + 1) for name, scale in LEVELS.items()}
            found.append(row | {"grade": float(last), "here": float(key[6:] in there)})
    return found


@pytest.mark.parametrize("measure", ARC)
def test_arc(arc: pd.DataFrame, arc_folder: Path, measure: str) -> None:
    rows = annotated(arc_folder)
    cut = PAPER_CUTS["arc", measure]

    def cut_by_hand(chosen: list[dict[str, float]]) -> tuple[int, int, int]:
        values = [row[measure] for row in chosen]
        easy = sum(value <= cut.edges[0].value for value in values)
        hard = sum(value >= cut.edges[1].value for value in values)
        return easy, len(values) - easy - hard, hard

    # On all 4,521 annotated questions as published; of these, on those that the folder holds.
    assert cut_by_hand(rows) == ARC[measure]
    here = [row for row in rows if row["here"]]
    assert counts(arc, "arc", measure) == cut_by_hand(here)
    assert len(arc) == len(here)


def test_arc_third_grade(arc: pd.DataFrame, arc_folder: Path) -> None:
    grades = Counter(row["grade"] for row in annotated(arc_folder) if row["here"])
    sizes = strata_sizes(THIRD_GRADE_TO_COLLEGE, arc["grade"].to_numpy()).strata
    medium = sum(grades[grade] for grade in (4, 5, 6, 7))
    assert [size.items for size in sizes] == [grades[3], medium, grades[8]]


def test_arc_measures_correlate_as_published(arc: pd.DataFrame) -> None:
    spearman = arc[measures(arc)].corr(method="spearman")
    # Published on all 4,521: -0.003, 0.261, 0.909, -0.032, -0.028, 0.223.
    for one, other, value in (
        ("grade", "difficulty", -0.003),
        ("difficulty", "bloom", 0.261),
        ("bloom", "depth_of_knowledge", 0.909),
        ("grade", "bloom", -0.032),
        ("grade", "depth_of_knowledge", -0.028),
        ("difficulty", "depth_of_knowledge", 0.223),
    ):
        assert spearman.loc[one, other] == pytest.approx(value, abs=0.012)
    # On 4,306 of them.
    assert spearman.loc["question_words", "grade"] == pytest.approx(0.137, abs=0.01)
    assert spearman.loc["answer_characters", "bloom"] == pytest.approx(0.247, abs=0.01)


def test_mmlu_stem(data_folder: Folder) -> None:
    folder = data_folder("mmlu")
    items = load_items("mmlu_stem", data_dir=str(folder))
    rows = {
        level: sum(
            len(file.read_text().splitlines())
            for file in folder.glob(f"{level}_*/*.jsonl")
            if file.stem in ("test", "validation", "val")
        )
        for level in ("high_school", "college")
    }
    has_validation = any(folder.glob("*/val*.jsonl"))
    # The test split alone, and with validation as in the paper.
    expected = (1143, 603) if has_validation else (1034, 546)
    assert (rows["high_school"], rows["college"]) == expected
    assert counts(items, "mmlu_stem", "level") == (expected[0], 0, expected[1])
    _, sizes = cut_items("paper", "level", items, "mmlu_stem")
    assert sizes.remarks == (
        "stratum 'medium' (0 < level < 1) is empty: no item has such a value.",
    )
    if not has_validation:
        assert counts(items, "mmlu_stem", "question_words") == (506, 584, 490)
        assert counts(items, "mmlu_stem", "answer_characters") == (474, 628, 478)


def test_strategyqa(data_folder: Folder) -> None:
    items = load_items("strategyqa", data_dir=str(data_folder("strategyqa")))
    assert counts(items, "strategyqa", "num_steps") == (644, 1219, 427)
    # 37.9 / 27.7 / 34.4 % and 32.3 / 36.0 / 31.7 % of 2,290.
    assert counts(items, "strategyqa", "question_words") == (869, 634, 787)
    assert counts(items, "strategyqa", "reasoning_words") == (740, 824, 726)


def test_gsm8k(data_folder: Folder) -> None:
    items = load_items("gsm8k", data_dir=str(data_folder("gsm8k")))
    assert counts(items, "gsm8k", "num_steps") == (6763, 1635, 394)
    # The paper's quantiles of the answers' length leave medium empty: 66.6 / 0 / 33.4 %.
    assert counts(items, "gsm8k", "answer_characters") == (5856, 0, 2936)
    assert min(counts(items, "gsm8k", "answer_characters", "quantiles:3")) > 1500


@pytest.mark.parametrize(("name", "source"), [("ai2_arc", "arc"), ("gsm8k", "gsm8k")])
def test_ties_stay_together_at_every_quantile(data_folder: Folder, name: str, source: str) -> None:
    items = load_items(source, data_dir=str(data_folder(name)))
    for measure in measures(items):
        strata, sizes = cut_items("quantiles:.3,.7", measure, items, source)
        assert min(size.items for size in sizes.strata) > 0
        names = pd.Series(strata.assign(items))
        assert names.groupby(items[measure].to_numpy()).nunique().max() == 1
