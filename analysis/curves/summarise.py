"""Turn what the trials of `labelmix curves` gave into its result."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from analysis.accuracy import CONFIDENCE, ItemClusters
from analysis.curves.comparisons import (
    AccuracyCurve,
    accuracy_curve,
    equal_cost_differences,
    equal_count_difference,
)
from analysis.curves.crossover import equal_cost_crossover
from analysis.curves.design import CurvesDesign
from analysis.curves.result import (
    CostDifference,
    CountDifference,
    CurvesResult,
    MeasuredPoint,
    RatedCrossover,
)
from analysis.estimates import Estimate, SupervisionGap
from analysis.item_groups import group_notes
from analysis.over_untrained import over_untrained
from analysis.run.result import ModelSummary, StratumSummary
from analysis.run.verdicts import distinguishable
from analysis.sgr import supervision_gap_recovered
from analysis.version import labelmix_version
from annotation.arrays import Correct, IntArray
from annotation.strata.mixed_scale import mixed_scale_remark
from annotation.terms.clean_share import wrong_share
from annotation.terms.cost import mix_cost
from annotation.terms.noise import ErrorKind
from training.lab import Lab
from training.models.source import count_parameters

CurveMethod = Literal["probe", "qlora"]


@dataclass(frozen=True)
class Heading:
    """What a result is called: `name`, where its items come from, and the currency of its money."""

    name: str
    source: str
    currency: str


class CurveKind(NamedTuple):
    """Labels of one stratum at one error rate: what one curve is measured with."""

    stratum: str
    error_rate: float


@dataclass(frozen=True)
class CurveMeasurements:
    """What the trials gave; `correct` holds per kind of label one array per size."""

    zero_shot: Correct
    correct: Mapping[CurveKind, Sequence[Correct]]
    trials: int


def summarise_curves(
    lab: Lab,
    heading: Heading,
    design: CurvesDesign,
    method: str,
    measured: CurveMeasurements,
    timing: dict[str, float],
) -> CurvesResult:
    """All points, comparisons and gaps with intervals, paired over test items and seeds."""
    task = lab.task
    clusters = ItemClusters(task.test_groups[lab.on_target])
    curves = {
        kind: accuracy_curve(correct, [_cost(lab, kind, n) for n in design.sizes], clusters)
        for kind, correct in measured.correct.items()
    }
    pairs, commonest = _Pairs(lab, design, curves), lab.commonest_class(lab.target)
    return CurvesResult(
        name=heading.name,
        labelmix_version=labelmix_version(),
        source=heading.source,
        items=len(task.items),
        item_fingerprint=task.fingerprint,
        choices_per_item=float(task.choice_counts.mean()),
        chance_accuracy=lab.chance,
        measure=task.strata.measure,
        easy=lab.easiest,
        target=task.target,
        strata=_strata(lab),
        model=ModelSummary(
            name=lab.source.label,
            revision=lab.source.revision,
            kind=lab.source.kind,
            parameters=count_parameters(lab.source),
        ),
        method=method,
        currency=heading.currency,
        confidence=CONFIDENCE,
        sizes=list(design.sizes),
        error_rates=list(design.error_rates),
        hard_factor=design.hard_factor,
        hard_error_rates=list(design.hard_error_rates),
        seeds=list(range(design.seeds)),
        zero_shot=clusters.accuracy(measured.zero_shot),
        commonest_class=None if commonest is None else commonest.answer,
        commonest_accuracy=None
        if commonest is None
        else clusters.accuracy(commonest.correct[lab.on_target][None]),
        points=list(_points(lab, design, curves, measured, clusters)),
        equal_count=list(pairs.equal_count(design.hard_error_rates)),
        equal_noise=list(pairs.equal_count(design.error_rates)),
        equal_cost=list(pairs.equal_cost()),
        crossovers=list(pairs.crossovers()),
        sgr=_supervision_gaps(lab, design, measured, clusters),
        trials=measured.trials,
        as_judged=lab.collected is not None,
        warnings=_warnings(lab, design),
        timing=timing,
    )


@dataclass(frozen=True)
class _Pairs:
    """Curves of easy and hard labels, compared for every error rate."""

    lab: Lab
    design: CurvesDesign
    curves: Mapping[CurveKind, AccuracyCurve]

    def _pairs(
        self, hard_rates: Sequence[float]
    ) -> Iterator[tuple[dict[str, Any], AccuracyCurve, AccuracyCurve]]:
        """Error rates of both, the curve of easy labels and that of hard ones."""
        easy, hard = self.lab.easiest, self.lab.task.target
        for easy_rate, hard_rate in zip(self.design.error_rates, hard_rates, strict=True):
            rates = {"easy_error_rate": easy_rate, "hard_error_rate": hard_rate}
            yield (
                rates,
                self.curves[CurveKind(easy, easy_rate)],
                self.curves[CurveKind(hard, hard_rate)],
            )

    def equal_count(self, hard_rates: Sequence[float]) -> Iterator[CountDifference]:
        for rates, easy, hard in self._pairs(hard_rates):
            for index, labels in enumerate(self.design.sizes):
                difference = equal_count_difference(easy, hard, index)
                yield CountDifference(**rates, **_told(difference), labels=labels)

    def equal_cost(self) -> Iterator[CostDifference]:
        terms = self.lab.terms
        easy_price = float(terms[self.lab.easiest].cost)
        hard_price = float(terms[self.lab.task.target].cost)
        for rates, easy, hard in self._pairs(self.design.hard_error_rates):
            for cost, difference in equal_cost_differences(easy, hard):
                yield CostDifference(
                    **rates,
                    **_told(difference),
                    cost=cost,
                    easy_labels=cost / easy_price,
                    hard_labels=cost / hard_price,
                )

    def crossovers(self) -> Iterator[RatedCrossover]:
        names = (self.lab.easiest, self.lab.task.target)
        for rates, easy, hard in self._pairs(self.design.hard_error_rates):
            found = equal_cost_crossover(easy, hard, names)
            if found is not None:
                yield RatedCrossover(**rates, **found.model_dump())


def _told(difference: Estimate) -> dict[str, Any]:
    """Fields of a `Difference`."""
    return {**difference.model_dump(), "resolved": distinguishable(difference)}


def _cost(lab: Lab, kind: CurveKind, labels: int) -> float:
    return float(mix_cost({kind.stratum: labels}, lab.terms))


def _points(
    lab: Lab,
    design: CurvesDesign,
    curves: Mapping[CurveKind, AccuracyCurve],
    measured: CurveMeasurements,
    clusters: ItemClusters,
) -> Iterator[MeasuredPoint]:
    untrained = {"zero_shot": measured.zero_shot}
    if (always := lab.commonest_class(lab.target)) is not None:
        untrained["commonest_class"] = always.correct[lab.on_target][None]
    for kind, curve in curves.items():
        error_kind = lab.terms[kind.stratum].error_kind
        counts = lab.task.choice_counts[lab.task.pools[kind.stratum]]
        for index, labels in enumerate(design.sizes):
            yield MeasuredPoint(
                **curve.point(index).model_dump(),
                stratum=kind.stratum,
                error_rate=kind.error_rate,
                true_flip_rate=_wrong_share(lab, kind, error_kind, counts),
                labels=labels,
                cost=_cost(lab, kind, labels),
                seeds=design.seeds,
                over=over_untrained(measured.correct[kind][index], untrained, lab.chance, clusters),
            )


def _wrong_share(lab: Lab, kind: CurveKind, error_kind: ErrorKind, counts: IntArray) -> float:
    """Share of wrong labels: by the rate that was added, or of people's own as measured."""
    own = lab.terms[kind.stratum]
    rate = kind.error_rate if lab.collected is None else own.error_rate
    return wrong_share(rate, error_kind, counts)


def _supervision_gaps(
    lab: Lab, design: CurvesDesign, measured: CurveMeasurements, clusters: ItemClusters
) -> list[SupervisionGap]:
    easy = measured.correct[CurveKind(lab.easiest, 0.0)]
    hard = measured.correct[CurveKind(lab.task.target, 0.0)]
    return [
        supervision_gap_recovered(own_easy, own_hard, measured.zero_shot, clusters, labels)
        for own_easy, own_hard, labels in zip(easy, hard, design.sizes, strict=True)
    ]


def _strata(lab: Lab) -> dict[str, StratumSummary]:
    task, summaries = lab.task, {}
    for name in task.strata.names:
        summaries[name] = StratumSummary(
            rule=task.strata.rule(name),
            items=int((task.stratum_of == name).sum()),
            test_items=int((task.test_strata == name).sum()),
            pool_items=int(task.pools[name].size),
        )
        if (terms := lab.terms.get(name)) is not None:
            summaries[name].cost = float(terms.cost)
            summaries[name].error_kind = terms.error_kind
            if lab.collected is not None:
                summaries[name].judged_items = lab.capacity[name]
    return summaries


def _warnings(lab: Lab, design: CurvesDesign) -> list[str]:
    found = group_notes(lab.task.groups, lab.task.split, lab.task.target)
    mixed = mixed_scale_remark(lab.task.items, lab.task.strata)
    if mixed is not None:
        found.append(mixed)
    if lab.collected is not None:
        found.append(
            "Labels are people's own judgments, with the errors that these have: error rates "
            "cannot be chosen, and --error-rates and --hard-factor do nothing."
        )
    arms = (lab.easiest, lab.task.target)
    kinds = {name: lab.terms[name].error_kind for name in arms}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
        found.append(
            f"The kinds of error differ ({told}): the same error rate is not the same share of "
            "wrong labels."
        )
    if design.hard_factor * design.error_rates[-1] > 1:
        found.append(
            f"{design.hard_factor:g} times an error rate of {design.error_rates[-1]:g} is above "
            f"1; {lab.task.target} labels err at 1 instead."
        )
    for name in arms:
        if 2 * design.sizes[-1] > lab.capacity[name]:
            found.append(
                f"Stratum '{name}' has {lab.capacity[name]:,} items left to label: "
                f"purchases of {design.sizes[-1]:,} by different seeds share most of their items, "
                "so that the intervals do not cover the luck of which items there are."
            )
    return found
