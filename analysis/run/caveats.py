"""What a reader must know before trusting a result: warnings, assumptions, the quality of the fit.

Plain text, for the page and for the terminal alike.
"""

from analysis.numbers import count, joined, percent, span
from analysis.run.conclusion import Conclusion, Doubt
from analysis.run.result import RunResult, SurfaceSummary
from analysis.run.verdicts import measured, surface_fits, words_of


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


def notices(result: RunResult, found: Conclusion) -> list[str]:
    """What the reader must know before trusting the page: the run's warnings and its own checks."""
    told = [
        *result.warnings,
        *evidence_notices(result, found),
        *_error_rates_without_gold(result),
    ]
    return list(dict.fromkeys(told))


def evidence_notices(result: RunResult, found: Conclusion) -> list[str]:
    """What speaks against trusting the evidence of a run, at whatever prices and budget.

    A sentence for every doubt; none says otherwise than the advice of `found`.
    """
    told = [_doubt(doubt, result, found) for doubt in found.doubts]
    return [sentence for sentence in told if sentence]


def _doubt(doubt: Doubt, result: RunResult, found: Conclusion) -> str:
    planning, target = result.methods[result.planning_method], result.target
    number, not_yet = count(planning.sgr.labels), found.advice == "not_yet"
    match doubt:
        case "bad_fit":
            return surface_fit(planning.surface)
        case "rate_not_resolved":
            text = f"The exchange rate of {result.exchange_rate.stratum} labels is not resolved"
            if found.advice == "plan":
                return (
                    f"{text}: the recommended split is a guess within what the pilot allows. A "
                    "larger pilot would tell more."
                )
            return "" if not_yet else f"{text}: that the rule is better rests on the test alone."
        case "target_labels_harm":
            text = (
                f"Training on {number} {target} labels made the model worse on {target} items than "
                "no training"
            )
            if not_yet:
                return f"{text}: its settings do not suit the task."
            return f"{text}: {_RESTS_ON}."
        case "target_labels_unclear":
            text = (
                f"With {number} {target} labels the model was not distinguishably better on "
                f"{target} items than {_ALTERNATIVES[found.untrained]}"
            )
            if not_yet:
                return (
                    f"{text}. Find out whether labels help this model at all before you buy more "
                    "of them."
                )
            return f"{text}: {_RESTS_ON}."
        case "test_against_rate":
            return _test_against_the_rate(result, found)
        case "test_against_forecast":
            return _test_against_the_forecast(result)


_RESTS_ON = "that labels help rests on the tested purchases alone"
_ALTERNATIVES = {
    "zero_shot": "without any training",
    "commonest_class": "by always answering the commonest class",
    "guessing": "by guessing",
}


def _test_against_the_rate(result: RunResult, found: Conclusion) -> str:
    tested = found.contradicts(result.exchange_rate)
    assert tested is not None
    return (
        f"The test says otherwise than the exchange rate: with the whole budget {tested.stratum} "
        f"labels alone gave {percent(tested.accuracy.estimate)}, {tested.target} labels alone "
        f"{percent(tested.target_accuracy.estimate)}. The rate is the mean over the pilot's "
        "labels; later ones can be worth more or less."
    )


def _test_against_the_forecast(result: RunResult) -> str:
    planning = result.methods[result.planning_method]
    trained, expected = measured(planning, "plan"), planning.plan.expected_accuracy
    assert trained is not None
    return (
        f"Measured accuracy of the plan ({percent(trained.estimate)}, {span(trained)}) lies "
        f"outside what was expected ({percent(expected.estimate)}, {span(expected)}): the fitted "
        "curve is off."
    )


def _error_rates_without_gold(result: RunResult) -> list[str]:
    """For every stratum whose error rate may hide mistakes that people share: where it may be."""
    found = []
    for name, own in result.strata.items():
        low, high = own.error_rate_low, own.error_rate_high
        if own.shared_mistakes != "not excluded" or low is None or high is None:
            continue
        text = (
            f"The error rate of judgments of {name} items may be {percent(low)} to "
            f"{percent(high)}: several people may make the same mistake, which their agreement "
            f"cannot show. This run takes it to be {percent(own.error_rate)}; labelmix plan tells "
            "whether the plan depends on it."
        )
        if own.gold_items_wanted:
            items = "item" if own.gold_items_wanted == 1 else "items"
            text += (
                f" About {count(own.gold_items_wanted)} more {name} {items} with a known answer "
                "would tell it to within 5 points, for these annotators."
            )
        found.append(text)
    return found


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
    if not words_of(result).simulated:
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
