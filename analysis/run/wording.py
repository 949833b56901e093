"""The sentences of the report: what a result says, in words for somebody who buys labels.

Plain text, for the page and for the terminal alike. What is not resolved is said to be so and
gets no number; a difference whose interval contains zero is never called a difference.
"""

from collections.abc import Iterable

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
from analysis.run.result import (
    ExchangeRate,
    MethodResult,
    Pull,
    RunResult,
)
from analysis.run.verdicts import (
    best_baseline,
    distinguishable,
    is_harmful,
    labels_do_not_help,
    measured,
    mostly,
    names_left_out,
    plain_name,
    same_purchase,
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
    bought = labels_text(plan.labels, result.strata)
    sentence = f"Buy {bought} for {money(plan.cost, result.currency)}"
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


def lent_points(method: MethodResult, target: str) -> str:
    """For the figure: what its dots are; '' where the test set lent nothing."""
    if not method.lent_curve:
        return ""
    return (
        f" Dots: {target} labels of the test set, lent to the plan for nothing and scored on the "
        "test items that were not lent, at what they would have cost."
    )


def pulls(method: MethodResult, target: str) -> list[str]:
    """The first hint, from items that nobody has labelled: a sentence per stratum."""
    return [_pull(name, own, target) for name, own in method.pulls.items()]


def _pull(name: str, own: Pull, target: str) -> str:
    hint = f"A first hint, from {count(own.items)} {name} items that nobody has labelled"
    if own.low == 0 and own.high > 1:
        return f"{hint}, is too vague to tell anything; the plan rests on the pilot."
    return (
        f"{hint}: of what {target} items need, a right {name} label teaches about "
        f"{ratio(own.estimate)} times as much as a right {target} label does (two times in three "
        f"{ratio(own.low)} to {ratio(own.high)}). What it teaches beside that, and may do harm, "
        "only bought labels show; the plan counts both, and errors."
    )


def rehearsals(method: MethodResult, strata: Iterable[str], target: str) -> list[str]:
    """What guessed labels said, or why none were guessed; nothing where it was not tried."""
    own = method.rehearsals
    if own is None:
        return []
    without = "so no purchase was rehearsed with guessed labels, and the plan does without"
    if not own.telling:
        return [
            f"Lent labels of {target} items teach so little that it cannot be told whether labels "
            f"can be guessed, {without}."
        ]
    off = f"{100 * abs(own.missed):.1f} points {'lower' if own.missed < 0 else 'higher'}"
    tried = f"Trained on guessed instead of known labels of {target} items a probe scores {off}"
    if not own.sound:
        sure = 100 * own.overconfidence
        surer = f", and guesses are {sure:.0f} points surer than right" if sure >= 1 else ""
        return [f"{tried}{surer}: too far off, {without}."]
    if not own.purchases:
        return [
            f"{tried}: close enough to rehearse purchases, but too few other labels were bought to "
            "guess from, or they contradict the guesses; the plan does without."
        ]
    said = "; ".join(
        f"{labels_text(one.labels, strata)}: {percent(one.accuracy)} \u00b1 "
        f"{100 * one.deviation:.1f} points"
        for one in own.purchases
    )
    return [
        f"{tried}: close enough to rehearse purchases with guessed labels, which nobody bought. "
        f"What these score, give or take a standard deviation, is a hint to the plan: {said}."
    ]


def after_the_pilot(result: RunResult) -> str:
    """What of the plan the pilot holds already, and what is still to buy."""
    plan, pilot = result.plan, result.pilot
    if labels_do_not_help(result):
        return (
            "Try another model or method, or a larger pilot, before more than the pilot's "
            f"{money(pilot.cost, result.currency)} is spent."
        )
    has = (
        f"The pilot has already bought {labels_text(pilot.labels, result.strata)} "
        f"for {money(pilot.cost, result.currency)}{_in_rounds(result)}"
    )
    if not any(plan.labels_after_pilot.values()):
        return f"{has}; that is all the plan asks for.{_left_out(result)}"
    return (
        f"{has}. Still to buy: {labels_text(plan.labels_after_pilot, result.strata)} "
        f"for {money(plan.cost - pilot.cost, result.currency)}.{_left_out(result)}"
    )


def _in_rounds(result: RunResult) -> str:
    """How the pilot was bought, where it was not all at once."""
    if len(result.rounds) < 2:
        return ""
    each = "; ".join(labels_text(own.labels, result.strata) for own in result.rounds)
    return f", in {len(result.rounds)} rounds ({each})"


def _left_out(result: RunResult) -> str:
    """Labels that are paid for and not trained on."""
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
    if not rate.resolved or not is_number(rate.estimate):
        return (
            f"The pilot cannot tell how many {rate.target} labels one {rate.stratum} label is "
            "worth, so no split is clearly better than another; of those that go on from the "
            "pilot this one has the highest expected accuracy on the fitted curve."
        )
    if rate.estimate is not None and rate.estimate <= 0:
        return (
            f"{_starting(rate.stratum)} labels do not help on {rate.target} items here (one is "
            f"worth {ratio(rate.estimate)} {rate.target} labels, "
            f"{interval_name(result.confidence)} {span(rate, 'ratio')}): {_better_buy(rate)}."
            f"{_bought_by_pilot(result)}"
        )
    return (
        f"One {rate.stratum} label does as much for accuracy on {rate.target} items as "
        f"{_rate_numbers(rate)[0]} {rate.target} labels "
        f"({interval_name(result.confidence)} {span(rate, 'ratio')}) and costs "
        f"{_rate_numbers(rate)[1]} times as much: {_better_buy(rate)}."
        f"{_bought_by_pilot(result)}{_hedge(result)}"
    )


def _hedge(result: RunResult) -> str:
    """Why a plan does not go on buying the better buy alone; '' if it does."""
    rate = result.exchange_rate
    better, other = rate.stratum, rate.target
    if rate.estimate is not None and rate.estimate <= rate.cost_ratio:
        better, other = other, better
    bought = [name for name, number in result.plan.labels_after_pilot.items() if number]
    if len(bought) > 1 and not mostly(result, other):
        return (
            f" The plan buys more than one kind all the same: beyond what the pilot could show, "
            f"{rate.stratum} labels alone may level off lower than a mix."
        )
    if not mostly(result, other):
        return ""
    how_much = "mostly " if len(bought) > 1 else ""
    return (
        f" The plan buys {how_much}{other} labels all the same: after the pilot's, more {better} "
        "labels are expected to add less for the money."
    )


def _bought_by_pilot(result: RunResult) -> str:
    """That some strata stand in the plan only because the pilot bought them; '' if none do."""
    after = result.plan.labels_after_pilot
    kept = {
        name: number
        for name, number in result.plan.labels.items()
        if number and not after.get(name)
    }
    if not kept or not any(after.values()):
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
    name, baseline = best[0], best[1]
    against = f"The best simple rule, \u201c{plain_name(name)}\u201d,"
    if not out and same_purchase(plan.labels, baseline.labels):
        return f"{sentence}. {against} makes the same purchase, so the two are equal."
    difference = baseline.plan_minus_baseline
    numbers = f"{points(difference.estimate)} points, {span(difference, 'points')}"
    sentence = f"{sentence}. {against} got {percent(baseline.accuracy.estimate)}. "
    if not distinguishable(difference):
        return (
            f"{sentence}The difference ({numbers}) is not distinguishable from zero: this test "
            "cannot say which of the two is better."
        )
    verdict = "better" if (difference.low or 0.0) > 0 else "worse"
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
    estimate, low, high, price = rate.estimate, rate.low, rate.high, rate.cost_ratio
    if estimate is None:
        return "the pilot cannot tell which label is the better buy"
    better = rate.stratum if estimate > price else rate.target
    if low is not None and low > price:
        return f"{rate.stratum} labels are clearly the better buy"
    if high is not None and high < price:
        return f"{rate.target} labels are clearly the better buy"
    text = f"{better} labels are probably the better buy"
    probability = rate.probability_better_buy
    if probability is not None and is_number(probability):
        chance = probability if better == rate.stratum else 1 - probability
        text += f" (probability {percent(chance, 0)})"
    return f"{text}, but the pilot does not settle it"


def break_even(rate: ExchangeRate, confidence: float) -> str:
    """Up to which price the other stratum's labels are the better buy; two or three sentences."""
    worth, price = _rate_numbers(rate)
    if not rate.resolved or not is_number(rate.estimate):
        return (
            f"The pilot cannot tell how many {rate.target} labels one {rate.stratum} label is "
            f"worth. You pay {price} times as much for {_article(rate.stratum)} {rate.stratum} "
            f"label as for {_article(rate.target)} {rate.target} one; whether that is a good "
            "price is open. A larger pilot would tell: more labels of each kind, or more "
            "training seeds."
        )
    worth_sentence = (
        f"One {rate.stratum} label is worth {worth} {rate.target} labels here "
        f"({interval_name(confidence)} {span(rate, 'ratio')})."
    )
    if rate.estimate is not None and rate.estimate <= 0:
        return (
            f"{worth_sentence} {_starting(rate.stratum)} labels do not help on {rate.target} "
            "items, so they are no good buy at any price."
        )
    return (
        f"{worth_sentence} {_starting(rate.stratum)} labels are the better buy as long as one "
        f"costs less than {worth} times a {rate.target} one; you pay {price}. "
        f"At this price {_better_buy(rate)}."
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
    if not gap.resolved or not is_number(gap.estimate):
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
    if gap.low is not None and gap.low > 1:
        return f"{sentence} Label for label, {easy} labels do more."
    if gap.high is not None and gap.high < 1:
        return f"{sentence} Label for label, {hard} labels do more."
    return f"{sentence} Label for label, the two kinds cannot be told apart."
