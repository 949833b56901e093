"""What a reader must know before trusting a result: warnings, assumptions, the quality of the fit.

Plain text, for the page and for the terminal alike.
"""

from analysis.estimates import Estimate
from analysis.numbers import (
    count,
    joined,
    percent,
    span,
)
from analysis.run.result import (
    MethodResult,
    RunResult,
    StratumSummary,
    SurfaceSummary,
)
from analysis.run.verdicts import (
    best_baseline,
    is_harmful,
    labels_do_not_help,
    measured,
    plain_name,
)

# A surface that misses its points by more than this many times the noise does not fit.
MISFIT_RATIO = 1.5


def error_rate(stratum: StratumSummary) -> str:
    """The configured error rate, its kind in words, and how often a label is then wrong."""
    if stratum.cost is None:
        return "\u2013"
    if not stratum.error_rate:
        return "none: every bought label is right"
    rate = percent(stratum.error_rate).replace(".0 %", " %")
    if stratum.error_kind == "redraw":
        text = f"{rate} are replaced by a choice drawn at random, which may be the right one"
    elif stratum.error_kind == "flip":
        text = f"{rate} are replaced by a wrong choice"
    else:
        text = f"{rate} of labels are in error"
    if stratum.judgments > 1:
        text += f"; a label is the majority of {stratum.judgments} such judgments"
    if stratum.true_flip_rate is not None:
        wrong = percent(stratum.true_flip_rate).replace(".0 %", " %")
        text += f"; so {wrong} of bought labels are wrong"
    return text


def surface_fits(surface: SurfaceSummary) -> bool:
    """Whether the fitted curve misses the pilot by no more than noise explains."""
    noise = surface.root_mean_square_noise
    return surface.root_mean_square_residual <= MISFIT_RATIO * noise


def surface_fit(surface: SurfaceSummary) -> str:
    """How well the fitted curve follows the pilot's measured points."""
    missed = percent(surface.root_mean_square_residual).removesuffix(" %")
    noise = percent(surface.root_mean_square_noise).removesuffix(" %")
    numbers = (
        f"The fitted curve misses the measured points by {missed} points (root mean "
        f"square); chance in test items, seeds and the labels bought would give {noise}."
    )
    if surface_fits(surface):
        return f"{numbers} It fits."
    return (
        f"{numbers} It fits badly: take the expected accuracies and the exchange rate as rough, "
        "and trust the measured accuracies more."
    )


def notices(result: RunResult) -> list[str]:
    """What the reader must know before trusting the page: the run's warnings and its own checks."""
    return list(dict.fromkeys([*result.warnings, *evidence_notices(result)]))


def evidence_notices(result: RunResult) -> list[str]:
    """What speaks against trusting the evidence of a run, at whatever prices and budget."""
    found: list[str] = []
    planning = result.methods[result.planning_method]
    if not surface_fits(planning.surface):
        found.append(surface_fit(planning.surface))
    if not result.exchange_rate.resolved and not labels_do_not_help(result):
        rate = result.exchange_rate
        found.append(
            f"The exchange rate of {rate.stratum} labels is not resolved: the recommended split "
            "is a guess within what the pilot allows. Buy a larger pilot before the rest."
        )
    if not planning.sgr.resolved and is_harmful(planning.sgr):
        found.append(
            f"Training on {count(planning.sgr.labels)} {result.target} labels made the model worse "
            f"on {result.target} items than no training: its settings do not suit the task."
        )
    elif not planning.sgr.resolved:
        found.append(
            f"With {count(planning.sgr.labels)} {result.target} labels the model was not "
            f"distinguishably better on {result.target} items than without any training. Find out "
            "whether labels help this model at all before you buy more of them."
        )
    best = best_baseline(planning)
    if best and (best[1].plan_minus_baseline.high or 0.0) < 0:
        found.append(
            f"The simple rule \u201c{plain_name(best[0])}\u201d did better than the plan when "
            "both were trained: prefer it, or repeat with a larger pilot."
        )
    if (against := _sides_against_the_rate(result, planning)) is not None:
        found.append(against)
    trained = measured(planning, "plan")
    if trained is not None and _apart(result.plan.expected_accuracy, trained):
        found.append(
            f"Measured accuracy of the plan ({percent(trained.estimate)}, {span(trained)}) lies "
            f"outside what was expected ({percent(result.plan.expected_accuracy.estimate)}, "
            f"{span(result.plan.expected_accuracy)}): the fitted curve is off."
        )
    return found


def _sides_against_the_rate(result: RunResult, planning: MethodResult) -> str | None:
    """That all easy and all hard, once tested, come out the other way than the rate says."""
    rate = result.exchange_rate
    easy, hard = (measured(planning, f"all_{name}") for name in (rate.stratum, rate.target))
    if easy is None or hard is None or not _apart(easy, hard) or rate.estimate is None:
        return None
    if easy.estimate is None or hard.estimate is None:
        return None
    if (rate.estimate > rate.cost_ratio) == (easy.estimate > hard.estimate):
        return None
    return (
        f"The test says otherwise than the exchange rate: with the whole budget {rate.stratum} "
        f"labels alone gave {percent(easy.estimate)}, {rate.target} labels alone "
        f"{percent(hard.estimate)}. The rate is the mean over the pilot's labels; later ones can "
        "be worth more or less."
    )


def _apart(one: Estimate, other: Estimate) -> bool:
    """Whether two intervals have no point in common."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low


def assumptions(result: RunResult) -> list[str]:
    """What the result rests on without having been measured, one sentence each."""
    found = [
        f"What counts is accuracy on {result.target} items; what a label does for other items "
        "has no weight in the plan.",
        "The answers of the test items are taken as right. They are not charged to the budget "
        "and nothing that is reported was trained on them."
        + (
            f" The plan alone learns from parts of the {result.target} ones, scored on the rest."
            if result.methods[result.planning_method].lent_curve
            else ""
        ),
        "A label is paid once; test items, computing and your own time are not in the costs.",
        f"What holds for {result.model.name} on these items is taken to hold for the model you "
        "will train.",
    ]
    origins = {stratum.origin for stratum in result.strata.values() if stratum.cost is not None}
    if "assumed" in origins:
        found.insert(
            0,
            "Costs and error rates marked \u201cassumed\u201d come from the configuration. Errors "
            "were put into the training labels at those rates; real annotators may err in other "
            "ways.",
        )
    return found


def seeds_text(seeds: list[int]) -> str:
    """'3 (0, 1 and 2)'."""
    return f"{count(len(seeds))} ({joined([str(seed) for seed in seeds])})" if seeds else "none"
