"""What a reader must know before trusting a result: warnings, assumptions, the quality of the fit.

Plain text, for the page and for the terminal alike.
"""

from analysis.numbers import count, joined, percent, span
from analysis.run.result import MethodResult, RunResult, SurfaceSummary
from analysis.run.verdicts import (
    are_apart,
    beaten_by_a_rule,
    best_baseline,
    is_harmful,
    is_simulated,
    labels_do_not_help,
    measured,
    plain_name,
    rate_contradicted_by_test,
    surface_fits,
)


def surface_fit(surface: SurfaceSummary) -> str:
    """How well the fitted curve follows the pilot's measured points."""
    missed = percent(surface.root_mean_square_residual).removesuffix(" %")
    noise = percent(surface.root_mean_square_noise).removesuffix(" %")
    numbers = (
        f"The fitted curve misses the measured points by {missed} points (root mean "
        f"square); chance in test items, seeds and the labels drawn would give {noise}."
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
    if best is not None and beaten_by_a_rule(planning):
        found.append(
            f"The simple rule \u201c{plain_name(best[0])}\u201d did better than the plan when "
            "both were trained: prefer it, or repeat with a larger pilot."
        )
    if rate_contradicted_by_test(result, planning):
        found.append(_test_against_the_rate(result, planning))
    trained = measured(planning, "plan")
    if trained is not None and are_apart(result.plan.expected_accuracy, trained):
        found.append(
            f"Measured accuracy of the plan ({percent(trained.estimate)}, {span(trained)}) lies "
            f"outside what was expected ({percent(result.plan.expected_accuracy.estimate)}, "
            f"{span(result.plan.expected_accuracy)}): the fitted curve is off."
        )
    return found


def _test_against_the_rate(result: RunResult, planning: MethodResult) -> str:
    rate = result.exchange_rate
    easy, hard = (measured(planning, f"all_{name}") for name in (rate.stratum, rate.target))
    assert easy is not None and hard is not None
    return (
        f"The test says otherwise than the exchange rate: with the whole budget {rate.stratum} "
        f"labels alone gave {percent(easy.estimate)}, {rate.target} labels alone "
        f"{percent(hard.estimate)}. The rate is the mean over the pilot's labels; later ones can "
        "be worth more or less."
    )


def assumptions(result: RunResult) -> list[str]:
    """What the result rests on without having been measured, one sentence each."""
    found = [
        *_about_labels(result),
        f"What counts is accuracy on {result.target} items; what a label does for other items "
        "has no weight in the plan.",
        "The answers of the test items are taken as right. They are not charged to the budget "
        "and nothing that is reported was trained on them.",
        "A label's cost counts once; test items, computing and your own time are not in the costs.",
        f"What holds for {result.model.name} on these items is taken to hold for the model you "
        "will train.",
    ]
    if result.methods[result.planning_method].lent_curve:
        found[-3] += (
            f" The plan alone uses cross-validation inside the {result.target} test set: trained "
            "on parts of it, scored on the rest."
        )
    return found


def _about_labels(result: RunResult) -> list[str]:
    """What is not known of the labels that were trained on, and of their terms."""
    if not is_simulated(result):
        return [
            "Costs, and error rates where they are given, come from the configuration.",
            "Labels were drawn from the judgments that were collected: two purchases may hold the "
            "same judgment, and other people may judge otherwise.",
        ]
    origins = {stratum.origin for stratum in result.strata.values() if stratum.cost is not None}
    if "assumed" not in origins:
        return []
    return [
        "Costs and error rates marked \u201cassumed\u201d come from the configuration. Errors "
        "were put into the training labels at those rates; real annotators may err in other ways."
    ]


def seeds_text(seeds: list[int]) -> str:
    """'3 (0, 1 and 2)'."""
    return f"{count(len(seeds))} ({joined([str(seed) for seed in seeds])})" if seeds else "none"
