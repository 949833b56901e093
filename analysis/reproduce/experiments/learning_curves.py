"""What easy and hard labels are worth for their money, with errors and without.

Learning curves of easy and hard labels at several error rates, as `labelmix curves` trains them;
the three experiments share their trials.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.accuracy import CONFIDENCE, ItemClusters, difference_table
from analysis.curves.comparisons import AccuracyCurve, accuracy_curve
from analysis.curves.crossover import equal_cost_crossover
from analysis.curves.design import CurvesDesign
from analysis.curves.run import CurveTrials
from analysis.curves.summarise import CurveKind
from analysis.estimates import Estimate
from analysis.reproduce.claims import Case, PaperClaim, judged, positive
from analysis.reproduce.drawings import Point, lines
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.study import NotApplicableError, Study, is_of_people, on_level
from analysis.reproduce.tables import CellValue, table
from annotation.arrays import Array
from training.lab import Lab

_PAPERS_RATIO = 2.0
CHEAPER = PaperClaim(
    "easy-better-for-money",
    "Where a hard label costs twice as much, easy labels are the better buy for hard items.",
    "Hase et al. 2024 (arXiv:2401.06751): cost",
    "In a case it holds where easy less hard for the same money, averaged over the sums at which "
    "both were measured, is above zero on hard test items. A case for each measure by people.",
)
CLEANER = PaperClaim(
    "easy-better-when-hard-is-noisy",
    "Where hard labels err twice as often, easy labels are better on hard items.",
    "Hase et al. 2024 (arXiv:2401.06751): noise",
    "In a case it holds where easy labels at error rate p less as many hard ones at 2p is above "
    "zero on hard test items. A case for each p above 0.",
)
BOTH = PaperClaim(
    "easy-better-when-hard-is-dear-and-noisy",
    "Where hard labels cost twice as much and err twice as often, easy labels are the better buy.",
    "Hase et al. 2024 (arXiv:2401.06751): its conclusion; they do not measure both together",
    "As for cost, easy labels at error rate p, hard ones at 2p. A case for each p above 0.",
)


@dataclass(frozen=True)
class MeasuredCurves:
    """Curves of one measure: trials, and what came of them."""

    measure: str
    trials: CurveTrials

    @property
    def lab(self) -> Lab:
        return self.trials.lab

    @property
    def design(self) -> CurvesDesign:
        return self.trials.design

    def wanted(self) -> WantedTrials:
        return WantedTrials(self.lab, tuple(self.trials.all), f"{self.measure}, curves")

    @cached_property
    def clusters(self) -> ItemClusters:
        return on_level(self.lab, self.lab.target)[1]

    def curve(self, kind: CurveKind, price: float, answers: Answers) -> AccuracyCurve:
        """Accuracy at growing sums of money; a label costs `price`."""
        correct = self.trials.measured(answers.results).correct[kind]
        return accuracy_curve(correct, [price * n for n in self.design.sizes], self.clusters)

    def pair(
        self, rates: tuple[float, float], ratio: float, answers: Answers
    ) -> tuple[AccuracyCurve, AccuracyCurve]:
        """Easy labels at price 1, hard ones at `ratio`; both at their error rates."""
        easy, hard = self.lab.easiest, self.lab.target
        return (
            self.curve(CurveKind(easy, rates[0]), 1.0, answers),
            self.curve(CurveKind(hard, rates[1]), ratio, answers),
        )

    @property
    def rate_pairs(self) -> list[tuple[float, float]]:
        return list(zip(self.design.error_rates, self.design.hard_error_rates, strict=True))


def mean_lead(easy: AccuracyCurve, hard: AccuracyCurve) -> Array | None:
    """Easy less hard for the same money, averaged over the sums that both know, (seeds, items).

    None where no sum was spent on both.
    """
    costs = np.union1d(easy.costs, hard.costs)
    low, high = max(easy.costs[0], hard.costs[0]), min(easy.costs[-1], hard.costs[-1])
    costs = costs[(costs >= low) & (costs <= high)]
    if not costs.size:
        return None
    return np.asarray((easy.between(costs) - hard.between(costs)).mean(0))


class Cost:
    """Learning curves, and the same money."""

    name = "cost"
    title = "Learning curves and cost"
    measures = (
        "Accuracy on hard test items at growing numbers of easy and of hard labels; the lead of "
        "easy labels for the same money where a hard one costs up to five times as much."
    )
    claims = (CHEAPER,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [own.wanted() for own in _of_people(study)]

    def find(self, study: Study, answers: Answers) -> Finding:
        found = _of_people(study)
        clean = (0.0, 0.0)
        cases = [
            _lead_case(own.measure, own, own.pair(clean, _PAPERS_RATIO, answers)) for own in found
        ]
        return Finding(
            claims=[judged(CHEAPER, cases)],
            tables=[
                table(
                    "learning_curves",
                    "Accuracy on hard test items by the number of labels",
                    [
                        ("measure", "text"),
                        ("labels of", "text"),
                        ("labels", "count"),
                        ("accuracy", "percent"),
                    ],
                    [row for own in found for row in _curve_rows(own, answers)],
                ),
                table(
                    "cost_ratios",
                    "Easy less hard labels for the same money, on hard test items",
                    [
                        ("measure", "text"),
                        ("a hard label costs", "ratio"),
                        ("lead of easy labels", "points"),
                        ("better for less money", "text"),
                        ("crossover budget", "ratio"),
                        ("better for more", "text"),
                    ],
                    [row for own in found for row in _ratio_rows(own, study, answers)],
                ),
            ],
            drawings=[
                lines(
                    f"learning_curves_{own.lab.task.strata.measure}",
                    f"Accuracy on hard test items, {own.measure}",
                    {
                        name: _points(own, CurveKind(name, 0.0), answers)
                        for name in (own.lab.easiest, own.lab.target)
                    },
                    "labels",
                    "right on hard test items, %",
                    logarithmic=True,
                )
                for own in found
            ],
        )


class Noise:
    """Errors in labels."""

    name = "noise"
    title = "Errors in labels"
    measures = (
        "Accuracy on hard test items after training on easy labels of which a share p is redrawn "
        "at random, and on as many hard ones of which a share 2p is."
    )
    claims = (CLEANER,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [_noisy(study).wanted()]

    def find(self, study: Study, answers: Answers) -> Finding:
        own = _noisy(study)
        place = _place(own.design.sizes, study.design.labels)
        labels = own.design.sizes[place]
        cases: list[Case] = []
        rows: list[list[CellValue]] = []
        drawn: dict[str, list[Point]] = {"easy": [], "hard": []}
        for rates in own.rate_pairs:
            pair = own.pair(rates, 1.0, answers)
            easy, hard = (curve.point(place) for curve in pair)
            apart = difference_table(*(curve.correct[place] for curve in pair))
            rows.append([*rates, easy, hard, own.clusters.mean(apart)])
            drawn["easy"].append((rates[0], easy))
            drawn["hard"].append((rates[0], hard))
            if rates[0]:
                cases.append(positive(_rates(rates), own.clusters, apart))
        return Finding(
            claims=[judged(CLEANER, cases)],
            tables=[
                table(
                    "noise",
                    f"Accuracy on hard test items with errors in {labels} labels",
                    [
                        ("error rate of easy", "percent"),
                        ("error rate of hard", "percent"),
                        ("easy", "percent"),
                        ("hard", "percent"),
                        ("easy less hard", "points"),
                    ],
                    rows,
                )
            ],
            drawings=[
                lines(
                    "noise",
                    f"Accuracy on hard test items with errors in {labels} labels",
                    drawn,
                    "error rate p of easy labels; hard ones err at 2p",
                    "right on hard test items, %",
                )
            ],
        )


class NoiseAndCost:
    """Errors and prices together."""

    name = "noise-and-cost"
    title = "Errors and cost together"
    measures = (
        "The lead of easy labels for the same money, easy labels at error rate p, hard at 2p."
    )
    claims = (BOTH,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        return [_noisy(study).wanted()]

    def find(self, study: Study, answers: Answers) -> Finding:
        own = _noisy(study)
        cases = [
            _lead_case(_rates(rates), own, own.pair(rates, _PAPERS_RATIO, answers))
            for rates in own.rate_pairs
            if rates[0]
        ]
        rows: list[list[CellValue]] = []
        for ratio in study.design.cost_ratios:
            for rates in own.rate_pairs:
                lead = mean_lead(*own.pair(rates, ratio, answers))
                told = "no sum in common" if lead is None else own.clusters.mean(lead)
                rows.append([ratio, *rates, told])
        return Finding(
            claims=[judged(BOTH, cases)],
            tables=[
                table(
                    "noise_and_cost",
                    "Easy less hard labels for the same money, with errors, on hard test items",
                    [
                        ("a hard label costs", "ratio"),
                        ("error rate of easy", "percent"),
                        ("error rate of hard", "percent"),
                        ("lead of easy labels", "points"),
                    ],
                    rows,
                )
            ],
        )


def _noisy(study: Study) -> MeasuredCurves:
    return _measured(study, study.main, study.design.error_rates)


def _of_people(study: Study) -> list[MeasuredCurves]:
    """Clean curves of every measure by people; of the main one those with errors, too."""
    found, why = [], "no measure of these items is by people."
    for measure in study.measures:
        if not is_of_people(measure):
            continue
        rates = study.design.error_rates if measure == study.main else (0.0,)
        try:
            found.append(_measured(study, measure, rates))
        except NotApplicableError as error:
            why = str(error)
    if not found:
        raise NotApplicableError(why)
    return found


def _measured(study: Study, measure: str, rates: tuple[float, ...]) -> MeasuredCurves:
    lab, design = study.lab(measure), study.design
    most = min(lab.capacity[lab.easiest], lab.capacity[lab.target])
    sizes = tuple(size for size in design.sizes if size <= most)
    if len(sizes) < 2:
        raise NotApplicableError(f"{most} labels of a stratum are too few for a learning curve.")
    drawn = CurvesDesign(sizes, rates, design.hard_factor, design.curve_seeds)
    return MeasuredCurves(measure.replace("_", " "), CurveTrials(lab, drawn, "probe"))


def _lead_case(name: str, own: MeasuredCurves, pair: tuple[AccuracyCurve, AccuracyCurve]) -> Case:
    lead = mean_lead(*pair)
    if lead is None:
        raise NotApplicableError("no sum of money was spent on both kinds of label.")
    return positive(name, own.clusters, lead)


def _rates(rates: tuple[float, float]) -> str:
    return f"easy labels err at {rates[0]:g}, hard ones at {rates[1]:g}"


def _place(sizes: Sequence[int], wanted: int) -> int:
    """Index of the size nearest to the one wanted."""
    return int(np.argmin([abs(size - wanted) for size in sizes]))


def _points(own: MeasuredCurves, kind: CurveKind, answers: Answers) -> list[Point]:
    curve = own.curve(kind, 1.0, answers)
    return [(float(n), curve.point(place)) for place, n in enumerate(own.design.sizes)]


def _curve_rows(own: MeasuredCurves, answers: Answers) -> Iterator[list[CellValue]]:
    for name in (own.lab.easiest, own.lab.target):
        for labels, accuracy in _points(own, CurveKind(name, 0.0), answers):
            yield [own.measure, name, labels, accuracy]


def _ratio_rows(own: MeasuredCurves, study: Study, answers: Answers) -> Iterator[list[CellValue]]:
    for ratio in study.design.cost_ratios:
        easy, hard = own.pair((0.0, 0.0), ratio, answers)
        lead = mean_lead(easy, hard)
        told = "no sum in common" if lead is None else own.clusters.mean(lead)
        yield [own.measure, ratio, told, *_crossover_cells(own, easy, hard)]


def _crossover_cells(
    own: MeasuredCurves, easy: AccuracyCurve, hard: AccuracyCurve
) -> tuple[CellValue, CellValue, CellValue]:
    """Which labels are the better buy for less money, up to which money, and what is for more."""
    names = (own.lab.easiest, own.lab.target)
    found = equal_cost_crossover(easy, hard, names)
    if found is None:
        return "", "", ""
    if found.verdict == "changes":
        above = names[1] if found.better_below == names[0] else names[0]
        place = Estimate(estimate=found.estimate, low=found.low, high=found.high)
        return found.better_below, place, above
    better = max(names, key=lambda name: found.better_throughout[name])
    if found.better_throughout[better] >= CONFIDENCE:
        return better, "no crossover", better
    return "not resolved", None, "not resolved"
