"""Trained on easy, medium, hard or no labels: accuracy on every level, and the gap recovered.

Hase et al. 2024, the main table. For every measure of hardness and every method as many labels of
each level are bought, and tested on the same items of every level.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from analysis.accuracy import ItemClusters, difference_table
from analysis.estimates import Estimate
from analysis.reproduce.claims import Case, PaperClaim, judged, untested
from analysis.reproduce.drawings import bars
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.experiments.conditions import UNTRAINED, LevelComparison, conditions
from analysis.reproduce.significance import above
from analysis.reproduce.study import Study, levels, method_words, on_level
from analysis.reproduce.tables import CellValue, table
from analysis.sgr import supervision_gap_recovered
from annotation.arrays import Correct

_SHARE = 0.7
RECOVERED = PaperClaim(
    "gap-recovered",
    "Easy labels recover at least 70 % of what hard labels add on hard items.",
    "Hase et al. 2024 (arXiv:2401.06751): 70 to 100 % of the supervision gap",
    "In a case it holds where (easy - zero-shot) - 0.7 (hard - zero-shot) is above zero and hard "
    "labels themselves add something.",
)


class EasyToHard:
    """The main table."""

    name = "easy-to-hard"
    title = "From easy to hard"
    measures = (
        "Accuracy on easy, medium and hard test items after training on as many easy, medium or "
        "hard labels, on a mix of all, or on none; and the share of the supervision gap recovered."
    )
    claims = (RECOVERED,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [own.wanted() for own in conditions(study)]

    def find(self, study: Study, answers: Answers) -> Finding:
        found = conditions(study)
        rows = [row for own in found for row in _accuracies(own, answers)]
        gaps = [gap_case(own, answers, own.words) for own in found]
        bar_groups = [own.words for own in found]
        return Finding(
            claims=[judged(RECOVERED, [case for case, _ in gaps])],
            tables=[
                table(
                    "easy_to_hard_accuracy",
                    "Accuracy on test items of every level, by what was trained on",
                    [
                        ("measure", "text"),
                        ("method", "text"),
                        ("trained on", "text"),
                        ("labels", "count"),
                        ("tested on", "text"),
                        ("accuracy", "percent"),
                    ],
                    rows,
                ),
                table(
                    "supervision_gap_recovered",
                    "Supervision gap recovered on hard items",
                    [
                        ("measure", "text"),
                        ("method", "text"),
                        ("zero-shot", "percent"),
                        ("easy", "percent"),
                        ("hard", "percent"),
                        ("SGR", "ratio"),
                    ],
                    [row for _, row in gaps],
                ),
            ],
            drawings=[
                bars(
                    "easy_to_hard",
                    "Accuracy on hard test items, by what was trained on",
                    bar_groups,
                    {
                        arm: [_on_hard(own, arm, answers) for own in found]
                        for arm in (UNTRAINED, "easy", "medium", "hard", "all")
                    },
                    "right on hard test items, %",
                )
            ],
            notes=notes_of(study),
        )


def notes_of(study: Study) -> list[str]:
    """Measures that were left out, and why."""
    return [f"{measure} is left out: {why}" for measure, why in left_out(study)]


def left_out(study: Study) -> Iterator[tuple[str, str]]:
    """Measures without a condition, and why."""
    from analysis.reproduce.study import NotApplicableError

    for measure in study.measures:
        try:
            study.lab(measure)
        except NotApplicableError as error:
            yield measure.replace("_", " "), str(error)


def _accuracies(own: LevelComparison, answers: Answers) -> Iterator[list[CellValue]]:
    for arm, trials in own.arms.items():
        correct = answers.correct(trials)
        for level in levels(own.lab):
            mask, clusters = on_level(own.lab, level)
            accuracy = clusters.accuracy(correct[:, mask])
            yield [own.measure, own.method_words, arm, trials[0].size, level, accuracy]


def on_hard(own: LevelComparison, arm: str, answers: Answers) -> Correct:
    """What an arm gets right of the hardest test items, (seeds, items)."""
    mask, _ = on_level(own.lab, own.lab.target)
    return np.asarray(answers.correct(own.arms[arm])[:, mask])


def _on_hard(own: LevelComparison, arm: str, answers: Answers) -> Estimate | None:
    if arm not in own.arms:
        return None
    return own.clusters.accuracy(on_hard(own, arm, answers))


def gap_case(own: LevelComparison, answers: Answers, name: str) -> tuple[Case, list[CellValue]]:
    """The gap recovered: as a case of the claim, called `name`, and as a row of the table."""
    untrained, easy, hard = (
        on_hard(own, arm, answers) for arm in (UNTRAINED, own.lab.easiest, own.lab.target)
    )
    gap = supervision_gap_recovered(easy, hard, untrained, own.clusters, own.labels)
    sgr = Estimate(estimate=gap.estimate, low=gap.low, high=gap.high)
    row: list[CellValue] = [
        own.measure,
        method_words(own.method),
        gap.unsupervised,
        gap.easy,
        gap.hard,
        sgr,
    ]
    if not gap.resolved:
        why = "hard labels are not shown to add anything: there is no gap to recover."
        return untested(name, sgr, why, "ratio"), row
    return _recovered(name, sgr, own.clusters, easy, hard, untrained), row


def _recovered(
    name: str,
    sgr: Estimate,
    clusters: ItemClusters,
    easy: Correct,
    hard: Correct,
    untrained: Correct,
) -> Case:
    gap = difference_table(hard, untrained)
    more = above(clusters, difference_table(easy, untrained) - _SHARE * gap)
    return Case(name, sgr, min(1.0, 2 * more), min(1.0, 2 * (1 - more)), unit="ratio")
