"""The main comparison under several models, and whether it changes as models grow."""

from collections.abc import Sequence

from analysis.accuracy import difference_table
from analysis.estimates import Estimate
from analysis.reproduce.claims import Case, PaperClaim, judged
from analysis.reproduce.drawings import Drawing, bars
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.experiments.conditions import UNTRAINED, LevelComparison, condition
from analysis.reproduce.experiments.easy_to_hard import gap_case, on_hard
from analysis.reproduce.significance import above
from analysis.reproduce.study import NotApplicableError, Study
from analysis.reproduce.tables import Table, table

_ARMS = ("easy", "hard")
ROBUST = PaperClaim(
    "robust-over-models",
    "Easy labels recover at least 70 % of the gap whichever model is trained.",
    "Hase et al. 2024 (arXiv:2401.06751): robustness over models",
    "As in the main table, a case for each model; a probe, the main measure.",
)
SCALE = PaperClaim(
    "same-at-any-size",
    "Easy labels do not fall behind hard ones as models grow.",
    "Hase et al. 2024 (arXiv:2401.06751): scaling model size",
    "It holds where hard less easy on hard test items is, for sure, at most a point larger with "
    "the largest model than with the smallest; it fails where it is larger by more for sure.",
)


class Models:
    """Robustness over models."""

    name = "models"
    title = "Several models"
    measures = "Accuracy on hard test items of zero-shot, easy and hard labels under every model."
    claims = (ROBUST,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [own.wanted() for own in _compared(study)]

    def find(self, study: Study, answers: Answers) -> Finding:
        found = _compared(study)
        cases = [gap_case(own, answers, own.model)[0] for own in found]
        return Finding(
            claims=[judged(ROBUST, cases)],
            tables=[_table("models", "Accuracy on hard test items by model", found, answers)],
            drawings=[_drawing("models", "Accuracy on hard test items by model", found, answers)],
        )


class Scaling:
    """Scaling over sizes."""

    name = "scaling"
    title = "Growing models"
    measures = "The same over models by their number of parameters, smallest first."
    claims = (SCALE,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [own.wanted() for own, _ in _by_size(study)]

    def find(self, study: Study, answers: Answers) -> Finding:
        found = _by_size(study)
        smallest, largest = found[0][0], found[-1][0]
        apart = [
            difference_table(on_hard(own, "hard", answers), on_hard(own, "easy", answers))
            for own in (smallest, largest)
        ]
        growth, margin, clusters = apart[1] - apart[0], study.design.margin, largest.clusters
        case = Case(
            f"{largest.model} against {smallest.model}",
            clusters.mean(growth),
            above(clusters, margin - growth),
            above(clusters, growth - margin),
        )
        ordered = [own for own, _ in found]
        title = "Accuracy on hard test items by model, smallest first"
        return Finding(
            claims=[judged(SCALE, [case])],
            tables=[_table("scaling", title, ordered, answers)],
            drawings=[_drawing("scaling", title, ordered, answers)],
            notes=[f"{own.model}: {parameters:,} parameters" for own, parameters in found],
        )


def _compared(study: Study) -> list[LevelComparison]:
    if len(study.models) < 2:
        raise NotApplicableError(
            "one model was given; give --model several times to compare models."
        )
    labs = [study.lab(study.main, index) for index in range(len(study.models))]
    return [condition(study, lab, study.main, "probe", _ARMS) for lab in labs]


def _by_size(study: Study) -> list[tuple[LevelComparison, int]]:
    found = _compared(study)
    sizes = [model.parameters for model in study.models]
    if 0 in sizes:
        raise NotApplicableError("the number of parameters of a model is not known.")
    if len(set(sizes)) < 2:
        raise NotApplicableError("all models are of one size.")
    return sorted(zip(found, sizes, strict=True), key=lambda pair: pair[1])


def _accuracies(own: LevelComparison, answers: Answers) -> list[Estimate]:
    return [own.clusters.accuracy(on_hard(own, arm, answers)) for arm in (UNTRAINED, *_ARMS)]


def _table(name: str, title: str, found: Sequence[LevelComparison], answers: Answers) -> Table:
    return table(
        name,
        title,
        [
            ("model", "text"),
            (UNTRAINED, "percent"),
            ("easy", "percent"),
            ("hard", "percent"),
            ("SGR", "ratio"),
        ],
        [
            [own.model, *_accuracies(own, answers), gap_case(own, answers, own.model)[0].value]
            for own in found
        ],
    )


def _drawing(name: str, title: str, found: Sequence[LevelComparison], answers: Answers) -> Drawing:
    values = [_accuracies(own, answers) for own in found]
    return bars(
        name,
        title,
        [own.model for own in found],
        {arm: [own[place] for own in values] for place, arm in enumerate((UNTRAINED, *_ARMS))},
        "right on hard test items, %",
    )
