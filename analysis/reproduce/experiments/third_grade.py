"""The widest gap: questions of the third grade or below teach a model what college asks.

Hase et al. 2024, figure 1. ARC questions are trained on, MMLU's college questions are tested; so
are, for comparison, ARC's hardest and MMLU's high-school questions as labels.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.accuracy import difference_table
from analysis.reproduce.claims import Case, PaperClaim, judged, positive
from analysis.reproduce.drawings import bars
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.experiments.conditions import UNTRAINED, LevelComparison, condition
from analysis.reproduce.experiments.easy_to_hard import gap_case, on_hard
from analysis.reproduce.study import NotApplicableError, Study
from analysis.reproduce.tables import CellValue, table
from annotation.strata.bands import Edge, Strata
from annotation.strata.cut import THIRD_GRADE_TO_COLLEGE
from training.lab import Lab

_LEVEL = "school_level"
_NAMES = ("third grade", "grades between", "eighth grade", "high school", "college")
_TRAINED = ("third grade", "eighth grade", "high school", "college")
TEACHES = PaperClaim(
    "third-grade-teaches-college",
    "Third-grade questions make a model better at college questions than untrained.",
    "Hase et al. 2024 (arXiv:2401.06751), figure 1",
    "In a case it holds where third grade less zero-shot is above zero on college questions.",
)
AS_COLLEGE = PaperClaim(
    "third-grade-recovers-college",
    "Third-grade questions recover at least 70 % of what college questions add.",
    "Hase et al. 2024 (arXiv:2401.06751), figure 1",
    "As in the main table, on college questions.",
)


class ThirdGradeToCollege:
    """From the third grade to college."""

    name = "third-grade-to-college"
    title = "From the third grade to college"
    measures = (
        "Accuracy on college questions (MMLU) after training on questions of the third grade or "
        "below, of the eighth (ARC), of high school and of college (MMLU)."
    )
    claims = (TEACHES, AS_COLLEGE)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [own.wanted() for own in _compared(study)]

    def find(self, study: Study, answers: Answers) -> Finding:
        found = _compared(study)
        gaps = [gap_case(own, answers, own.method_words)[0] for own in found]
        rows: list[list[CellValue]] = [
            [own.method_words, arm, own.clusters.accuracy(on_hard(own, arm, answers))]
            for own in found
            for arm in own.arms
        ]
        return Finding(
            claims=[
                judged(TEACHES, [_teaches(own, answers) for own in found]),
                judged(AS_COLLEGE, gaps),
            ],
            tables=[
                table(
                    "third_grade_to_college",
                    "Accuracy on college questions by what was trained on",
                    [("method", "text"), ("trained on", "text"), ("accuracy", "percent")],
                    rows,
                )
            ],
            drawings=[
                bars(
                    "third_grade_to_college",
                    "Accuracy on college questions by what was trained on",
                    [own.method_words for own in found],
                    {
                        arm: [own.clusters.accuracy(on_hard(own, arm, answers)) for own in found]
                        for arm in (UNTRAINED, *_TRAINED)
                    },
                    "right on college questions, %",
                )
            ],
        )


def _teaches(own: LevelComparison, answers: Answers) -> Case:
    third, none = (on_hard(own, arm, answers) for arm in (_TRAINED[0], UNTRAINED))
    return positive(own.method_words, own.clusters, difference_table(third, none))


def _compared(study: Study) -> list[LevelComparison]:
    lab = _lab(study)
    methods = [method for method in study.methods(study.main) if method != "qlora"]
    return [condition(study, lab, "school level", method, _TRAINED) for method in methods]


def _lab(study: Study) -> Lab:
    if study.source != "arc" or study.college is None:
        raise NotApplicableError(
            "it trains on ARC and tests on MMLU; give --data arc and "
            "--source-folder mmlu_stem=FOLDER."
        )
    # Two items that ask alike in both data sets would be one group: neither side has the other's.
    both = pd.concat([_graded(study.items), _of_school(study.college)], ignore_index=True)
    strata = Strata(_LEVEL, _NAMES, tuple(Edge(place + 0.5) for place in range(len(_NAMES) - 1)))
    return study.lab_of(both, strata, labels=_labels(study, both), target_alone=True)


def _labels(study: Study, items: pd.DataFrame) -> int:
    """Labels of every level, as many as the smallest one surely has beside its near copies."""
    smallest = int(items[_LEVEL].value_counts().min())
    return min(study.design.labels, int(0.9 * smallest))


def _graded(items: pd.DataFrame) -> pd.DataFrame:
    edges = THIRD_GRADE_TO_COLLEGE
    names = edges.assign(items)
    level = pd.Series(names).map(dict(zip(edges.names, range(3), strict=True)))
    return items.assign(**{_LEVEL: level.to_numpy(dtype=np.float64)})


def _of_school(items: pd.DataFrame) -> pd.DataFrame:
    return items.assign(**{_LEVEL: items["level"].to_numpy(dtype=np.float64) + 3})
