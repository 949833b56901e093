"""Correlations of ARC's annotations are those that were published, where the data are at hand."""

from collections.abc import Callable
from pathlib import Path

from analysis.reproduce.experiment import Answers
from analysis.reproduce.experiments.hardness import Hardness
from budget.reproduction.study import make_study
from training.engines.base import SilentWatcher


def test_correlations_are_the_published_ones(
    data_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    folders = {"arc": data_folder("ai2_arc")}
    # As for a plan: no model reads the items, and what it would measure is stood in for.
    study = make_study("arc", ["pico"], folders, tmp_path, SilentWatcher(), planning=True)
    found = Hardness().find(study, Answers({})).claims[1]
    assert found.key == "correlations-as-published"
    assert len(found.cases) == 13
    assert found.verdict == "holds", [c.note for c in found.cases if c.verdict != "holds"]
