"""Label smoothing by how uncertain each item is, on items whose judges really disagree.

Wang et al. 2024 (arXiv:2406.04854) smooth each item's label by the uncertainty that a stronger
language model reports of it. Here people's disagreement is at hand too, and a placebo: the same
smoothings on other items.
"""

from collections.abc import Callable, Iterator, Sequence

from analysis.numbers import percent
from analysis.reproduce.claims import Case, ClaimResult, PaperClaim, Unit, judged, untested
from analysis.reproduce.drawings import Drawing
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.judged import JudgedLab
from analysis.reproduce.significance import above
from analysis.reproduce.study import NotApplicableError, Study
from analysis.reproduce.tables import CellValue, ColumnKind, table
from analysis.reproduce.uncertainty.arms import HARD, SOFT, Arm
from analysis.reproduce.uncertainty.drawing import rows_by_measure
from analysis.reproduce.uncertainty.measures import BINS, MEASURES, ProbabilityMeasure
from analysis.reproduce.uncertainty.scored import (
    FEWEST_LABELS,
    Part,
    Scored,
    gained,
    parts_of,
    value_of,
    without_training,
)
from analysis.reproduce.uncertainty.train import OF_JUDGMENTS, ArmTrainer
from annotation.arrays import Array, Mask

MARGIN = 0.01  # of accuracy, log loss and calibration error: less is as good as nothing
_SOURCE = "Wang et al. 2024 (arXiv:2406.04854)"
_RULE = (
    f"In a case it holds where the gain is above zero, and fails where it is below {MARGIN} for "
    "sure."
)
_KINDS: dict[ProbabilityMeasure, ColumnKind] = {
    "accuracy": "percent",
    "log loss": "ratio",
    "calibration error": "percent",
}


def _claim(key: str, statement: str, source: str = _SOURCE) -> PaperClaim:
    return PaperClaim(f"uncertainty-{key}", statement, source, _RULE)


ACCURACY = _claim(
    "accuracy", "Smoothing by each item's uncertainty is more accurate than hard labels."
)
LOG_LOSS = _claim("log-loss", "Smoothing by each item's uncertainty has a lower log loss.")
CALIBRATION = _claim(
    "calibration", "Smoothing by each item's uncertainty is better calibrated than hard labels."
)
UNCERTAIN_ITEMS = _claim(
    "high-entropy", "It gains more accuracy on items of high entropy than on those of low entropy."
)
CONSTANT = _claim(
    "over-constant",
    "Each item's own smoothing has a lower log loss than the same smoothing of all items.",
    "implied by " + _SOURCE,
)
PLACEBO = _claim(
    "over-shuffled",
    "Each item's own smoothing has a lower log loss than smoothings of other items, drawn.",
    "implied by " + _SOURCE,
)
SOFT_LABELS = _claim(
    "soft-labels",
    "People's soft labels have a lower log loss than smoothing by people's disagreement.",
    "asked here; soft labels by Peterson et al. 2019 (arXiv:1908.07086)",
)


class UncertaintyAware:
    """Uncertainty-aware learning (UAL), with its placebo."""

    name = "uncertainty-aware"
    title = "Smoothing by uncertainty"
    measures = (
        "Accuracy, log loss and calibration error after training towards hard labels, labels "
        "smoothed alike, by each item's uncertainty or by another item's, and towards people's "
        "soft labels."
    )
    claims = (ACCURACY, LOG_LOSS, CALIBRATION, UNCERTAIN_ITEMS, CONSTANT, PLACEBO, SOFT_LABELS)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        """None: its trainings are no trials, whose answers say not how sure a model is."""
        _sizes(study, _judged(study))
        return ()

    def find(self, study: Study, answers: Answers) -> Finding:
        del answers
        own = _judged(study)
        trainer, task = ArmTrainer(study, own), own.lab.task
        gold, bar = task.answers[task.test_positions], without_training(own)
        scored: list[Scored] = []
        for method in study.methods(study.main):
            if method in ("probe", "qlora"):
                seeds = (
                    study.design.adapter_seeds if method == "qlora" else study.design.curve_seeds
                )
                sizes = _sizes(study, own)
                for labels in sizes if method == "probe" else sizes[:1]:
                    trained = trainer.train(method, labels, seeds)
                    scored.append(Scored(trained, gold, task.test_groups, bar))
        parts = parts_of(own)
        return Finding(
            claims=_claims(scored, parts, trainer.sources),
            tables=[
                table(
                    "uncertainty_aware",
                    "Measures on test items, by what was trained towards",
                    [
                        ("training", "text"),
                        ("towards", "text"),
                        ("tested on", "text"),
                        *((measure, _KINDS[measure]) for measure in MEASURES),
                    ],
                    [row for each in scored for row in _measures(each, parts)],
                ),
                table(
                    "uncertainty_aware_gains",
                    "Gains of each item's own uncertainty; above zero is better",
                    [
                        ("training", "text"),
                        ("own uncertainty of", "text"),
                        ("against", "text"),
                        ("tested on", "text"),
                        ("accuracy", "points"),
                        ("log loss", "ratio"),
                        ("calibration error", "points"),
                    ],
                    [row for each in scored for row in _gains(each, parts, trainer.sources)],
                ),
            ],
            drawings=[_drawing(scored, parts[0][1])],
            notes=_notes(study, own, scored, parts),
        )


def _judged(study: Study) -> JudgedLab:
    if study.judged is None:
        raise NotApplicableError(
            "it needs several judgments of every item; name a configuration with judgments that "
            "were collected by --judged."
        )
    return study.judged


def _sizes(study: Study, own: JudgedLab) -> tuple[int, ...]:
    """Labels of a purchase: the study's, twice and four times as many, as far as there are."""
    there, least = int(own.pool.size), study.design.labels
    sizes = tuple(size for size in (least, 2 * least, 4 * least) if size <= there)
    if not sizes and there < FEWEST_LABELS:
        raise NotApplicableError(
            f"{there} items beside the test set were judged twice or more; it takes "
            f"{FEWEST_LABELS}."
        )
    return sizes or (there,)


# ---------------------------------------------------------------- what is compared


def _case(name: str, each: Scored, part: Mask, gain: Array, unit: Unit) -> Case:
    clusters = each.clusters(part)
    if not each.learns:
        why = (
            f"trained on hard labels the model is not shown to do better than "
            f"{percent(float(each.bar.mean()))}, which needs no training: what it makes of an item "
            "says nothing of the claim."
        )
        return untested(name, clusters.mean(gain), why, unit)
    up, below = above(clusters, gain), above(clusters, MARGIN - gain)
    return Case(name, clusters.mean(gain), min(1, 2 * up), min(1, 2 * below), unit=unit)


def _unit(measure: ProbabilityMeasure) -> Unit:
    return "ratio" if measure == "log loss" else "points"


def _claims(
    scored: Sequence[Scored], parts: Sequence[Part], sources: tuple[str, ...]
) -> list[ClaimResult]:
    everything = parts[0][1]

    def cases(measure: ProbabilityMeasure, base: Callable[[str], Arm]) -> list[Case]:
        return [
            _case(
                f"{each.words}, uncertainty of {source}",
                each,
                everything,
                gained(each, measure, Arm("own uncertainty", source), base(source), everything),
                _unit(measure),
            )
            for each in scored
            for source in sources
        ]

    soft = [
        _case(
            each.words,
            each,
            everything,
            gained(each, "log loss", SOFT, Arm("own uncertainty", OF_JUDGMENTS), everything),
            "ratio",
        )
        for each in scored
    ]
    return [
        judged(ACCURACY, cases("accuracy", lambda _: HARD)),
        judged(LOG_LOSS, cases("log loss", lambda _: HARD)),
        judged(CALIBRATION, cases("calibration error", lambda _: HARD)),
        judged(UNCERTAIN_ITEMS, _halves(scored, parts, sources)),
        judged(CONSTANT, cases("log loss", lambda source: Arm("constant", source))),
        judged(PLACEBO, cases("log loss", lambda source: Arm("shuffled", source))),
        judged(SOFT_LABELS, soft),
    ]


def _halves(
    scored: Sequence[Scored], parts: Sequence[Part], sources: tuple[str, ...]
) -> list[Case]:
    """Gain in accuracy on one half less that on the other; nothing without halves."""
    if len(parts) < 3:
        return []
    high, low = parts[1][1], parts[2][1]
    either = high | low
    # The mean of the gain times its weight is the mean of one half less that of the other.
    weight = (high / high.sum() - low / low.sum())[either] * either.sum()
    return [
        _case(
            f"{each.words}, uncertainty of {source}",
            each,
            either,
            gained(each, "accuracy", Arm("own uncertainty", source), HARD, either) * weight,
            "points",
        )
        for each in scored
        for source in sources
    ]


# ---------------------------------------------------------------- tables and notes


def _drawing(scored: Sequence[Scored], everything: Mask) -> Drawing:
    towards = list(scored[0].trained.probabilities)
    return rows_by_measure(
        "uncertainty_aware",
        "Measures on test items, by what was trained towards",
        [arm.words for arm in towards],
        {
            measure: {
                each.words: [value_of(each, measure, arm, everything) for arm in towards]
                for each in scored
            }
            for measure in MEASURES
        },
        [measure for measure, kind in _KINDS.items() if kind == "percent"],
    )


def _measures(each: Scored, parts: Sequence[Part]) -> Iterator[list[CellValue]]:
    for arm in each.trained.probabilities:
        for name, part in parts:
            values = [value_of(each, measure, arm, part) for measure in MEASURES]
            yield [each.words, arm.words, name, *values]


def _gains(
    each: Scored, parts: Sequence[Part], sources: tuple[str, ...]
) -> Iterator[list[CellValue]]:
    for source in sources:
        bases = (HARD, Arm("constant", source), Arm("shuffled", source), SOFT)
        for base in bases:
            for name, part in parts:
                clusters = each.clusters(part)
                own = Arm("own uncertainty", source)
                found = [clusters.mean(gained(each, m, own, base, part)) for m in MEASURES]
                yield [each.words, source, base.kind, name, *found]


def _notes(
    study: Study, own: JudgedLab, scored: Sequence[Scored], parts: Sequence[Part]
) -> list[str]:
    smooth, pool = own.uncertainty_map, own.pool
    judgments = (own.judgments[pool] >= 0).sum(1)
    notes = [
        f"Items are drawn from {pool.size:,} that were judged {judgments.min()} to "
        f"{judgments.max()} times; a hard label is their majority. Test items count by their known "
        "answers.",
        f"Smoothing is {smooth.intercept:g} + {smooth.slope:g} x uncertainty, at most "
        f"{smooth.largest:g}; uncertainty is entropy over its maximum, of an item's judgments or "
        "of a model's untrained probabilities.",
        f"Calibration error is the expected calibration error over {BINS} equally wide bins of the "
        "largest probability, from 0 to 1. Log loss is in nats.",
        "A purchase of a seed serves all ways of training, so that all gains are paired over test "
        "items and seeds.",
        *(
            f"{each.words}: mean smoothing "
            + ", ".join(
                f"{mean:.3f} ({source})" for source, mean in each.trained.mean_smoothing.items()
            )
            + "."
            for each in scored
        ),
    ]
    if len(parts) == 3:
        notes.append(
            f"High entropy: {int(parts[1][1].sum())} test items above the median of their own "
            f"judgments' entropy, low entropy: {int(parts[2][1].sum())}."
        )
    if 2 * max(each.trained.labels for each in scored) > pool.size:
        notes.append(
            "The largest purchases of different seeds share most of their items, so that intervals "
            "do not cover the luck of which items there are."
        )
    if len(study.models) < 2:
        notes.append(
            "No stronger model was asked for its uncertainty: name one by a second --model."
        )
    return notes
