"""Whether models find hard what is called hard: accuracy on every level, trained on all of them."""

from collections.abc import Iterator, Sequence

from analysis.estimates import Estimate
from analysis.reproduce.claims import Case, PaperClaim, judged
from analysis.reproduce.drawings import bars
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.experiments.conditions import ALL, UNTRAINED, LevelComparison, conditions
from analysis.reproduce.level_tables import level_contrast
from analysis.reproduce.significance import above
from analysis.reproduce.study import Study, levels, on_level
from analysis.reproduce.tables import CellValue, table

HARDER = PaperClaim(
    "hard-is-hard",
    "Items that are called hard are answered less often than those called easy.",
    "Hase et al. 2024 (arXiv:2401.06751): accuracy against hardness",
    "In a case it holds where accuracy on easy less that on hard test items is above zero, "
    "trained on a mix of all levels.",
)


class AccuracyByHardness:
    """Accuracy against hardness."""

    name = "accuracy-by-hardness"
    title = "Accuracy against hardness"
    measures = (
        "Accuracy on easy, medium and hard test items of the untrained model, and after training "
        "on a mix of all levels."
    )
    claims = (HARDER,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [own.wanted() for own in conditions(study)]

    def find(self, study: Study, answers: Answers) -> Finding:
        found = conditions(study)
        return Finding(
            claims=[judged(HARDER, [_case(own, answers) for own in found])],
            tables=[
                table(
                    "accuracy_by_hardness",
                    "Accuracy on every level of hardness",
                    [
                        ("measure", "text"),
                        ("method", "text"),
                        ("trained on", "text"),
                        ("tested on", "text"),
                        ("test items", "count"),
                        ("accuracy", "percent"),
                    ],
                    [row for own in found for row in _rows(own, answers)],
                )
            ],
            drawings=[
                bars(
                    "accuracy_by_hardness",
                    "Accuracy on test items of every level, trained on a mix of all",
                    [own.words for own in found],
                    {
                        level: [_accuracy(own, ALL, level, answers) for own in found]
                        for level in ("easy", "medium", "hard")
                    },
                    "right, %",
                )
            ],
        )


def _case(own: LevelComparison, answers: Answers) -> Case:
    contrast, clusters = level_contrast(own.lab, answers.correct(own.arms[ALL]))
    more = above(clusters, contrast)
    return Case(own.words, clusters.mean(contrast), min(1.0, 2 * more), min(1.0, 2 * (1 - more)))


def _accuracy(own: LevelComparison, arm: str, level: str, answers: Answers) -> Estimate | None:
    if level not in levels(own.lab):
        return None
    mask, clusters = on_level(own.lab, level)
    return clusters.accuracy(answers.correct(own.arms[arm])[:, mask])


def _rows(own: LevelComparison, answers: Answers) -> Iterator[list[CellValue]]:
    for arm in (UNTRAINED, ALL):
        for level in levels(own.lab):
            items = int(on_level(own.lab, level)[0].sum())
            accuracy = _accuracy(own, arm, level, answers)
            yield [own.measure, own.method_words, arm, level, items, accuracy]
