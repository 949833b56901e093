"""Easy labels against hard ones and against none, on hard items: paired tests, corrected."""

from collections.abc import Sequence

from analysis.accuracy import difference_table
from analysis.estimates import Estimate
from analysis.reproduce.claims import (
    Case,
    ClaimResult,
    PaperClaim,
    equivalent,
    judged,
    positive,
)
from analysis.reproduce.drawings import bars
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.experiments.conditions import UNTRAINED, LevelComparison, conditions
from analysis.reproduce.experiments.easy_to_hard import on_hard
from analysis.reproduce.significance import equivalence, two_sided
from analysis.reproduce.study import Study
from analysis.reproduce.tables import CellValue, table

EASY_HELPS = PaperClaim(
    "easy-helps",
    "Easy labels make a model better on hard items than untrained.",
    "Hase et al. 2024 (arXiv:2401.06751): easy against unsupervised",
    "In a case it holds where easy less zero-shot is above zero on hard test items.",
)
AS_GOOD = PaperClaim(
    "easy-as-good-as-hard",
    "On hard items, easy labels do as well as the same number of hard ones.",
    "Hase et al. 2024 (arXiv:2401.06751): easy against hard",
    "In a case it holds where easy less hard lies within a point either way for sure (two "
    "one-sided tests); it fails where they differ by more than a point for sure.",
)


class EasyOrHard:
    """The paper's tests, with equivalence and correction."""

    name = "easy-or-hard"
    title = "Easy labels, hard labels, none: tests"
    measures = (
        "Differences in accuracy on hard test items, paired over items and seeds, with p-values "
        "and tests of equivalence, corrected for their number."
    )
    claims = (EASY_HELPS, AS_GOOD)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [own.wanted() for own in conditions(study)]

    def find(self, study: Study, answers: Answers) -> Finding:
        found = conditions(study)
        margin = study.design.margin
        helps = judged(EASY_HELPS, [_helps(own, answers) for own in found])
        as_good = judged(AS_GOOD, [_as_good(own, answers, margin) for own in found])
        rows = [row for own in found for row in _rows(own, answers, margin)]
        return Finding(
            claims=[helps, as_good],
            tables=[
                table(
                    "easy_or_hard",
                    "Differences on hard test items; p-values before correction",
                    [
                        ("measure", "text"),
                        ("method", "text"),
                        ("comparison", "text"),
                        ("difference", "points"),
                        ("different", "p"),
                        (f"within {100 * margin:g}", "p"),
                    ],
                    rows,
                )
            ],
            drawings=[
                bars(
                    "easy_or_hard",
                    "Easy labels less others, on hard test items",
                    [own.words for own in found],
                    {
                        "easy less zero-shot": _values(helps),
                        "easy less hard": _values(as_good),
                    },
                    "difference, %",
                    reference=0.0,
                )
            ],
        )


def _values(claim: ClaimResult) -> list[Estimate | None]:
    return [case.value for case in claim.cases]


def _helps(own: LevelComparison, answers: Answers) -> Case:
    easy, none = on_hard(own, own.lab.easiest, answers), on_hard(own, UNTRAINED, answers)
    return positive(own.words, own.clusters, difference_table(easy, none))


def _as_good(own: LevelComparison, answers: Answers, margin: float) -> Case:
    easy, hard = (on_hard(own, arm, answers) for arm in (own.lab.easiest, own.lab.target))
    return equivalent(own.words, own.clusters, difference_table(easy, hard), margin)


def _rows(own: LevelComparison, answers: Answers, margin: float) -> list[list[CellValue]]:
    rows: list[list[CellValue]] = []
    easy, hard = own.lab.easiest, own.lab.target
    for one, other in ((easy, UNTRAINED), (hard, UNTRAINED), (easy, hard)):
        apart = difference_table(on_hard(own, one, answers), on_hard(own, other, answers))
        rows.append(
            [
                own.measure,
                own.method_words,
                f"{one} less {other}",
                own.clusters.mean(apart),
                two_sided(own.clusters, apart),
                equivalence(own.clusters, apart, margin),
            ]
        )
    return rows
