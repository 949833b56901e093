"""Trained and tested on items of all levels: what each method makes of labels."""

from collections.abc import Sequence

import numpy as np

from analysis.accuracy import difference_table
from analysis.estimates import Estimate
from analysis.reproduce.claims import Case, PaperClaim, judged, positive
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.experiments.conditions import ALL, UNTRAINED, LevelComparison, conditions
from analysis.reproduce.level_tables import all_items, as_common
from analysis.reproduce.study import Study
from analysis.reproduce.tables import CellValue, table

LABELS_HELP = PaperClaim(
    "labels-help",
    "Labels of all levels make a model better than untrained.",
    "Hase et al. 2024 (arXiv:2401.06751): the all-to-all table",
    "In a case it holds where accuracy on items of all levels is above the untrained model's.",
)


class AllToAll:
    """The all-to-all table."""

    name = "all-to-all"
    title = "From all to all"
    measures = (
        "Accuracy on test items of all levels, each as common as among all items, after training "
        "on a random mix; beside it the untrained model, the commonest class and guessing."
    )
    claims = (LABELS_HELP,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [own.wanted() for own in _main(study)]

    def find(self, study: Study, answers: Answers) -> Finding:
        found = _main(study)
        return Finding(
            claims=[judged(LABELS_HELP, [_case(own, answers) for own in found])],
            tables=[
                table(
                    "all_to_all",
                    "Trained on a mix of all levels, tested on all",
                    [
                        ("method", "text"),
                        ("labels", "count"),
                        ("seeds", "count"),
                        ("accuracy", "percent"),
                        ("zero-shot", "percent"),
                        ("gain", "points"),
                        ("commonest class", "percent"),
                        ("guessing", "percent"),
                    ],
                    [_row(own, answers) for own in found],
                )
            ],
        )


def _main(study: Study) -> list[LevelComparison]:
    """The main measure's, which all methods are tried on; a mix knows no measure."""
    found = conditions(study)
    return [own for own in found if own.measure == found[0].measure]


def _case(own: LevelComparison, answers: Answers) -> Case:
    one, other = (answers.correct(own.arms[arm]) for arm in (ALL, UNTRAINED))
    gain = as_common(own.lab, difference_table(one, other))
    return positive(own.method_words, all_items(own.lab), gain)


def _row(own: LevelComparison, answers: Answers) -> list[CellValue]:
    lab, clusters = own.lab, all_items(own.lab)
    trained, zero = (answers.correct(own.arms[arm]) for arm in (ALL, UNTRAINED))
    counts = lab.task.choice_counts[lab.task.test_positions]
    guessing = float(as_common(lab, np.asarray(1 / counts)[None]).mean())
    always = lab.commonest_class(lab.easiest)
    commonest: Estimate | str = "no classes"
    if always is not None:
        commonest = clusters.mean(as_common(lab, always.correct[None].astype(np.float64)))
    return [
        own.method_words,
        own.labels,
        len(trained),
        clusters.mean(as_common(lab, trained.astype(np.float64))),
        clusters.mean(as_common(lab, zero.astype(np.float64))),
        clusters.mean(as_common(lab, difference_table(trained, zero))),
        commonest,
        guessing,
    ]
