"""The sentences of the report: what a result says, in words for somebody who buys labels.

Plain text, for the page and for the terminal alike. What is not resolved is said to be so and
gets no number; a difference whose interval contains zero is never called a difference.
"""

from analysis.estimates import SupervisionGap
from analysis.numbers import (
    count,
    interval_name,
    is_number,
    joined,
    labels_text,
    money,
    percent,
    points,
    ratio,
    span,
)
from analysis.run.label_source import pilot_of
from analysis.run.result import ExchangeRate, MethodResult, RunResult
from analysis.run.verdicts import (
    against_rule,
    are_useless,
    arm_that_does_more,
    beside_the_better_buy,
    best_baseline,
    better_buy,
    has_rate,
    has_sgr,
    is_harmful,
    labels_do_not_help,
    measured,
    names_left_out,
    only_in_the_pilot,
    pilot_is_all,
    plain_name,
)

METHOD_NAMES = {
    "probe": "linear probe",
    "qlora": "4-bit QLoRA",
    "in_context": "in-context learning",
    "zero_shot": "zero-shot",
}


def method_name(key: str) -> str:
    """A training method's key as words: 'probe' -> 'linear probe'."""
    return METHOD_NAMES.get(key.lower().replace("-", "_"), plain_name(key))


# ---------------------------------------------------------------- the recommendation


def recommendation(result: RunResult) -> str:
    """What to buy, what it costs and what it is expected to give, in one sentence."""
    plan = result.plan
    labels = labels_text(plan.labels, result.strata)
    sentence = f"Buy {labels} for {money(plan.cost, result.currency)}"
    expected = plan.expected_accuracy
    if not is_number(expected.estimate):
        return f"{sentence}; what this gives on {result.target} items could not be estimated."
    if labels_do_not_help(result):
        untrained = percent(result.sgr.unsupervised.estimate, 0)
        return (
            f"Do not buy yet: no benefit of training was shown. Without any labels the model is "
            f"right on {untrained} of {result.target} items; after the best purchase for "
            f"{money(plan.cost, result.currency)} {percent(expected.estimate, 0)} is expected "
            f"({interval_name(result.confidence)} {span(expected, decimals=0)})."
        )
    return (
        f"{sentence}: expected {percent(expected.estimate, 0)} right on {result.target} items "
        f"({interval_name(result.confidence)} {span(expected, decimals=0)})."
    )


def after_the_pilot(result: RunResult) -> str:
    """What of the plan the pilot is, and what is to buy beyond it."""
    plan, pilot = result.plan, result.pilot
    if labels_do_not_help(result):
        return (
            "Before money is spent, try another model or method, or a larger pilot than this one, "
            f"which would cost {money(pilot.cost, result.currency)}."
        )
    includes = pilot_of(result)
    if pilot_is_all(plan):
        return f"{includes}; it asks for nothing beyond that.{_left_out(result)}"
    return (
        f"{includes}. To buy beyond it: {labels_text(plan.labels_after_pilot, result.strata)} "
        f"for {money(plan.cost - pilot.cost, result.currency)}.{_left_out(result)}"
    )


def _left_out(result: RunResult) -> str:
    """Labels that the plan does not train on."""
    out = names_left_out(result.plan)
    if not out:
        return ""
    return f" Leave the pilot's {joined(out)} labels out of training: they are expected to do harm."


def reason(result: RunResult) -> str:
    """Why this split: the exchange rate against the price."""
    rate = result.exchange_rate
    if labels_do_not_help(result):
        return (
            "No purchase that was trained is shown to beat no training on "
            f"{result.target} items; how to split one is an idle question until it does."
        )
    if not has_rate(rate):
        return (
            f"The pilot cannot tell how many {rate.target} labels one {rate.stratum} label is "
            "worth, so no split is clearly better than another; of those that go on from the "
            "pilot this one has the highest expected accuracy on the fitted curve."
        )
    if are_useless(rate):
        return (
            f"{_starting(rate.stratum)} labels do not help on {rate.target} items here (one is "
            f"worth {ratio(rate.estimate)} {rate.target} labels, "
            f"{interval_name(result.confidence)} {span(rate, 'ratio')}): {_better_buy(rate)}."
            f"{_of_the_pilot(result)}"
        )
    return (
        f"One {rate.stratum} label does as much for accuracy on {rate.target} items as "
        f"{_rate_numbers(rate)[0]} {rate.target} labels "
        f"({interval_name(result.confidence)} {span(rate, 'ratio')}) and costs "
        f"{_rate_numbers(rate)[1]} times as much: {_better_buy(rate)}."
        f"{_of_the_pilot(result)}{_hedge(result)}"
    )


def _hedge(result: RunResult) -> str:
    """Why a plan does not go on buying the better buy alone; '' if it does."""
    better, beside = better_buy(result.exchange_rate), beside_the_better_buy(result)
    if better is None or beside == "nothing":
        return ""
    if beside == "a mix":
        return (
            f" The plan buys more than one kind all the same: beyond what the pilot could show, "
            f"{result.exchange_rate.stratum} labels alone may level off lower than a mix."
        )
    how_much = "mostly " if beside == "most" else ""
    return (
        f" The plan buys {how_much}{better.other} labels all the same: after the pilot's, more "
        f"{better.stratum} labels are expected to add less for the money."
    )


def _of_the_pilot(result: RunResult) -> str:
    """That some strata stand in the plan only because the pilot has them; '' if none do."""
    kept = only_in_the_pilot(result.plan)
    if not kept:
        return ""
    verb = "is the pilot's" if sum(kept.values()) == 1 else "are the pilot's"
    return f" The {labels_text(kept, result.strata)} in the plan {verb}."


def tested(
    result: MethodResult, target: str, confidence: float, purchase: str = "this purchase"
) -> str:
    """Measured accuracy after training on the plan, against the best simple rule.

    `purchase` is what the sentence calls the plan.
    """
    plan = measured(result, "plan")
    if plan is None or plan.estimate is None:
        return "The plan was not trained and tested, so its expected accuracy is a forecast only."
    out = names_left_out(result.plan)
    if out:
        purchase = f"{purchase}, without its {joined(out)} labels"
    sentence = (
        f"Trained on {purchase}, the model got {percent(plan.estimate)} of the {target} test "
        f"items right ({interval_name(confidence)} {span(plan)})"
    )
    best = best_baseline(result)
    if best is None:
        return f"{sentence}. No simple rule was trained beside it."
    name, baseline = best
    verdict = against_rule(result, baseline)
    against = f"The best simple rule, \u201c{plain_name(name)}\u201d,"
    if verdict == "same":
        return f"{sentence}. {against} makes the same purchase, so the two are equal."
    difference = baseline.plan_minus_baseline
    numbers = f"{points(difference.estimate)} points, {span(difference, 'points')}"
    sentence = f"{sentence}. {against} got {percent(baseline.accuracy.estimate)}. "
    if verdict == "open":
        return (
            f"{sentence}The difference ({numbers}) is not distinguishable from zero: this test "
            "cannot say which of the two is better."
        )
    return f"{sentence}The plan is {verdict} ({numbers})."


# ---------------------------------------------------------------- the break-even


def _rate_numbers(rate: ExchangeRate) -> tuple[str, str]:
    """Rate and price ratio, with one more decimal where rounding would make them look equal."""
    worth, price = ratio(rate.estimate), ratio(rate.cost_ratio)
    if worth == price and rate.estimate != rate.cost_ratio:
        return ratio(rate.estimate, 2), ratio(rate.cost_ratio, 2)
    return worth, price


def _better_buy(rate: ExchangeRate) -> str:
    """Which label to prefer at this price, and how sure that is."""
    found = better_buy(rate)
    if found is None:
        return "the pilot cannot tell which label is the better buy"
    if found.settled:
        return f"{found.stratum} labels are clearly the better buy"
    text = f"{found.stratum} labels are probably the better buy"
    if found.probability is not None:
        text += f" (probability {percent(found.probability, 0)})"
    return f"{text}, but the pilot does not settle it"


def break_even(rate: ExchangeRate, confidence: float) -> str:
    """Up to which price the other stratum's labels are the better buy; two or three sentences."""
    worth, price = _rate_numbers(rate)
    if not has_rate(rate):
        return (
            f"The pilot cannot tell how many {rate.target} labels one {rate.stratum} label is "
            f"worth. {_starting(_article(rate.stratum))} {rate.stratum} label costs {price} times "
            f"as much as {_article(rate.target)} {rate.target} one; whether that is a good "
            "price is open. A larger pilot would tell: more labels of each kind, or more "
            "training seeds."
        )
    worth_sentence = (
        f"One {rate.stratum} label is worth {worth} {rate.target} labels here "
        f"({interval_name(confidence)} {span(rate, 'ratio')})."
    )
    if are_useless(rate):
        return (
            f"{worth_sentence} {_starting(rate.stratum)} labels do not help on {rate.target} "
            "items, so they are no good buy at any price."
        )
    return (
        f"{worth_sentence} {_starting(rate.stratum)} labels are the better buy as long as one "
        f"costs less than {worth} times as much as {_article(rate.target)} {rate.target} one. Here "
        f"it costs {price} times as much: {_better_buy(rate)}."
    )


def _starting(name: str) -> str:
    """A name at the start of a sentence."""
    return name[:1].upper() + name[1:]


def _article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" else "a"


# ---------------------------------------------------------------- the supervision gap


def supervision_gap(gap: SupervisionGap, easy: str, hard: str, confidence: float) -> str:
    """SGR in words where the gap is resolved; else the one sentence that says it is not."""
    if is_harmful(gap):
        return (
            f"The supervision gap is not resolved: training on {hard} labels did worse than no "
            f"training (difference {points(gap.gap.estimate)} points, {span(gap.gap, 'points')}), "
            "so no SGR is given."
        )
    if not has_sgr(gap):
        return (
            f"The supervision gap is not resolved: training on {hard} labels was not "
            f"distinguishably better than no training (difference {points(gap.gap.estimate)} "
            f"points, {span(gap.gap, 'points')}), so no SGR is given."
        )
    number = count(gap.labels)
    sentence = (
        f"Training on {number} {easy} labels gives {percent(gap.estimate, 0)} of what {number} "
        f"{hard} labels give over no training ({interval_name(confidence)} "
        f"{span(gap, decimals=0)})."
    )
    more = arm_that_does_more(gap)
    if more is None:
        return f"{sentence} Label for label, the two kinds cannot be told apart."
    return f"{sentence} Label for label, {easy if more == 'easy' else hard} labels do more."
