"""Whether intervals of error rates and of wrong labels hold the truth on published crowds.

No claim of speed, but the evidence behind docs/method/error-rates.md. Of every crowd: the interval
without gold, and how many intervals hold over draws of which items are gold. With
`--leave-one-out`, crowd by crowd: the constants of `annotation.truth.shared_mistakes` are chosen
anew on all the others (`_choice_of_constants.py` has the rule) and tried on the one left out.

The six crowds are those of the data folder; `--crowds` names folders with others, such as a copy of
github.com/yuan-li/truth-inference-at-scale.
"""

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from _choice_of_constants import Evidence, choose, evidence_of, first_constants
from _crowds import Crowd, crowds_of, six_crowds
from _machine import write_result
from annotation.arrays import IntArray
from annotation.intervals import Interval
from annotation.team.error_rates import ErrorRates
from annotation.truth.coding import NO_GOLD
from annotation.truth.fitted_models import FittedModels
from annotation.truth.shared_mistakes import PUBLISHED, Assumptions

GOLD_ITEMS = 20


@dataclass(frozen=True)
class Row:
    """One crowd: shares of judgments, and of draws whose interval holds the truth."""

    crowd: str
    wrong: float
    by_agreement: float | None
    estimate: float | None
    low: float
    high: float
    holds: bool
    gold_holds: float
    gold_width: float
    gold_bias: float
    labels: "Labels"


@dataclass(frozen=True)
class Labels:
    """The same of the labels: share that is wrong, and what is said of it."""

    wrong: float
    estimate: float | None
    low: float
    high: float
    holds: bool
    gold_holds: float
    gold_width: float
    gold_bias: float


def wrong_labels(
    rates: ErrorRates, models: FittedModels, truth: IntArray
) -> tuple[float, Interval]:
    """Share of labels of items that are not gold that are wrong, and what is said of it."""
    labelled = models.calibrated().likeliest_unchecked
    right = (labelled / labelled.sum(axis=1, keepdims=True))[np.arange(truth.size), truth]
    right[truth == NO_GOLD] = 0.0  # an answer that nobody gave
    return float(1 - right[models.coded.gold == NO_GOLD].mean()), rates.label_error(0, labelled)


def measured(crowd: Crowd, draws: int) -> Row:
    """The product as it is, with and without gold."""
    models = FittedModels(crowd.coded)
    rates = ErrorRates(crowd.coded, models=models)
    found = rates.stratum(0)
    assert found.by_agreement is not None
    low, high = found.rate.bounds
    wrong, label_error = wrong_labels(rates, models, crowd.truth)
    holds, widths, off = [], [], []
    of_labels = []
    rng = np.random.default_rng(0)
    for _ in range(draws):
        models = FittedModels(crowd.with_gold(GOLD_ITEMS, rng))
        rates = ErrorRates(models.coded, models=models)
        rate = rates.stratum(0).rate
        assert rate.estimate is not None
        there, said = wrong_labels(rates, models, crowd.truth)
        assert said.estimate is not None
        ends = said.bounds
        of_labels.append((ends[0] <= there <= ends[1], ends[1] - ends[0], said.estimate - there))
        holds.append(rate.bounds[0] <= crowd.wrong <= rate.bounds[1])
        widths.append(rate.bounds[1] - rate.bounds[0])
        off.append(rate.estimate - crowd.wrong)
    return Row(
        crowd.name,
        crowd.wrong,
        found.by_agreement.estimate,
        found.rate.estimate,
        low,
        high,
        low <= crowd.wrong <= high,
        float(np.mean(holds)),
        float(np.mean(widths)),
        float(np.mean(off)),
        Labels(
            wrong,
            label_error.estimate,
            *label_error.bounds,
            label_error.bounds[0] <= wrong <= label_error.bounds[1],
            *np.mean(of_labels, axis=0).tolist(),
        ),
    )


def show(row: Row) -> None:
    points = [100 * each for each in (row.wrong, row.by_agreement or 0, row.estimate or 0)]
    print(
        f"{row.crowd:18s} wrong {points[0]:5.1f}, by agreement {points[1]:5.1f}, without gold "
        f"{points[2]:5.1f} ({100 * row.low:.1f} to {100 * row.high:.1f}) "
        f"{'holds' if row.holds else 'FAILS'}; {GOLD_ITEMS} gold items: "
        f"{100 * row.gold_holds:3.0f} %, {100 * row.gold_width:.0f} points, "
        f"{100 * row.gold_bias:+.1f}",
    )
    of = row.labels
    print(
        f"{'':18s} wrong labels {100 * of.wrong:.1f}, without gold {100 * (of.estimate or 0):.1f} "
        f"({100 * of.low:.1f} to {100 * of.high:.1f}) {'holds' if of.holds else 'FAILS'}; "
        f"{GOLD_ITEMS} gold items: {100 * of.gold_holds:3.0f} %, {100 * of.gold_width:.0f} points, "
        f"{100 * of.gold_bias:+.1f}",
        flush=True,
    )


def leave_one_out(crowds: list[Crowd], draws: int) -> list[dict[str, object]]:
    """Constants chosen on all but one, tried on that one."""
    evidence = {crowd.name: evidence_of(crowd, GOLD_ITEMS, draws) for crowd in crowds}
    rows: list[dict[str, object]] = []
    for left_out in crowds:
        others: list[Evidence] = [each for name, each in evidence.items() if name != left_out.name]
        chosen = choose(others)
        own = evidence[left_out.name]
        low, high = own.bare.rate(chosen).bounds
        holds, width = own.held_and_width(chosen)
        rows.append(
            {
                "left_out": left_out.name,
                "chosen": asdict(chosen),
                "low": low,
                "high": high,
                "holds": low <= left_out.wrong <= high,
                "gold_holds": holds,
                "gold_width": width,
            }
        )
        print(
            f"left out {left_out.name:18s} {_told(chosen)}: without gold "
            f"{100 * low:.1f} to {100 * high:.1f} {'holds' if rows[-1]['holds'] else 'FAILS'}; "
            f"with {100 * holds:.0f} %, {100 * width:.0f} points",
            flush=True,
        )
    print("on all:", _told(choose(list(evidence.values()))), "; in use:", _told(PUBLISHED))
    return rows


def _told(chosen: Assumptions) -> str:
    return (
        f"any {chosen.any_answer:g}, even {chosen.even_answers:g}, Beta({chosen.prior[0]:g}, "
        f"{chosen.prior[1]:g}), doubt {chosen.most_doubt:g}, items {chosen.prior_items:g}, "
        f"share {chosen.doubted_share:g}"
    )


def main() -> None:
    """Measure all crowds that there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100, help="draws of gold items")
    parser.add_argument("--crowds", type=Path, nargs="*", default=[], help="folders with others")
    parser.add_argument("--only-others", action="store_true", help="leave the six out")
    parser.add_argument("--leave-one-out", action="store_true", help="choose constants anew")
    parser.add_argument("--constants-of", type=Path, help="on these crowds, and print them")
    options = parser.parse_args()
    crowds = [] if options.only_others else list(six_crowds())
    for folder in options.crowds:
        crowds += crowds_of(folder)
    if options.constants_of:
        known = [evidence_of(each, GOLD_ITEMS, 0) for each in crowds_of(options.constants_of)]
        print("first constants there:", _told(first_constants(known)))
    if options.leave_one_out:
        write_result("error_rates_left_out", {"crowds": leave_one_out(crowds, options.draws)})
        return
    rows = []
    for crowd in crowds:
        rows.append(measured(crowd, options.draws))
        show(rows[-1])
    write_result("error_rates_on_crowds", {"crowds": [asdict(row) for row in rows]})


if __name__ == "__main__":
    main()
