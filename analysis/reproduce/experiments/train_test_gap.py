"""How near in hardness labels have to be to the test: easy, medium and hard ones on hard items."""

from collections.abc import Sequence

from analysis.accuracy import difference_table
from analysis.reproduce.claims import Case, PaperClaim, judged, positive
from analysis.reproduce.drawings import bars
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.experiments.conditions import LevelComparison, conditions
from analysis.reproduce.experiments.easy_to_hard import on_hard
from analysis.reproduce.study import NotApplicableError, Study
from analysis.reproduce.tables import CellValue, table

_MEDIUM = "medium"
NEARER = PaperClaim(
    "nearer-is-better",
    "Labels nearer to the test in hardness teach more: medium ones more than easy ones.",
    "Hase et al. 2024 (arXiv:2401.06751): the gap between train and test hardness",
    "In a case it holds where medium less easy is above zero on hard test items.",
)


class TrainTestGap:
    """Easy, medium and hard labels on hard items."""

    name = "train-test-gap"
    title = "The gap between training and test"
    measures = "Accuracy on hard test items after training on easy, medium or hard labels."
    claims = (NEARER,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [own.wanted() for own in _of_three(study)]

    def find(self, study: Study, answers: Answers) -> Finding:
        found = _of_three(study)
        arms = ("easy", _MEDIUM, "hard")
        rows: list[list[CellValue]] = [
            [
                own.measure,
                own.method_words,
                *(own.clusters.accuracy(on_hard(own, arm, answers)) for arm in arms),
            ]
            for own in found
        ]
        return Finding(
            claims=[judged(NEARER, [_case(own, answers) for own in found])],
            tables=[
                table(
                    "train_test_gap",
                    "Accuracy on hard test items by the level of the labels",
                    [
                        ("measure", "text"),
                        ("method", "text"),
                        ("easy", "percent"),
                        (_MEDIUM, "percent"),
                        ("hard", "percent"),
                    ],
                    rows,
                )
            ],
            drawings=[
                bars(
                    "train_test_gap",
                    "Accuracy on hard test items by the level of the labels",
                    [own.words for own in found],
                    {
                        arm: [own.clusters.accuracy(on_hard(own, arm, answers)) for own in found]
                        for arm in arms
                    },
                    "right on hard test items, %",
                )
            ],
        )


def _of_three(study: Study) -> list[LevelComparison]:
    found = [own for own in conditions(study) if _MEDIUM in own.arms]
    if not found:
        raise NotApplicableError("no measure of these items has a level between easy and hard.")
    return found


def _case(own: LevelComparison, answers: Answers) -> Case:
    medium, easy = (on_hard(own, arm, answers) for arm in (_MEDIUM, "easy"))
    return positive(own.words, own.clusters, difference_table(medium, easy))
