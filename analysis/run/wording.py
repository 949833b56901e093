"""The sentences of the report: what a result says, in words for somebody who buys labels.

Plain text, for the page and for the terminal alike. What is not resolved is said to be so and
gets no number; a difference whose interval contains zero is never called a difference.
"""

from analysis.crossover import crossover_sentence
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
from analysis.run.conclusion import Conclusion, TestedSides, WithoutLabels
from analysis.run.label_source import pilot_of
from analysis.run.result import ConditionAccuracy, ExchangeRate, MethodResult, RunResult
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
    measured,
    names_left_out,
    only_in_the_pilot,
    pilot_is_all,
    plain_name,
)
from annotation.errors import short

_LONGEST_CLASS = 40  # characters of a class that are told

METHOD_NAMES = {
    "probe": "linear probe",
    "qlora": "4-bit QLoRA",
    "in_context": "in-context learning",
    "zero_shot": "zero-shot",
}


WITHOUT_LABELS: dict[WithoutLabels, str] = {
    "zero_shot": "zero-shot",
    "commonest_class": "commonest class",
    "guessing": "guessing",
}


def method_name(key: str) -> str:
    """A training method's key as words: 'probe' -> 'linear probe'."""
    return METHOD_NAMES.get(key.lower().replace("-", "_"), plain_name(key))


# ---------------------------------------------------------------- the recommendation


def recommendation(result: RunResult, found: Conclusion) -> str:
    """What to buy, what it costs and what it gives: expected, and measured where that differs."""
    plan, target = result.plan, result.target
    expected, tested_plan = plan.expected_accuracy, measured(_planning(result), "plan")
    if found.advice == "not_yet":
        return f"{why_not_yet(result, found)}{_measured_instead(result, tested_plan)}"
    if found.advice == "rule":
        assert found.rule is not None
        name, rule = found.rule
        return (
            f"Buy {labels_text(rule.labels, result.strata)} for "
            f"{money(rule.cost, result.currency)}, as the simple rule \u201c{plain_name(name)}"
            f"\u201d does: trained and tested, it was right on "
            f"{percent(rule.accuracy.estimate, 0)} of {target} items, the plan that the pilot "
            f"suggested on {percent(None if tested_plan is None else tested_plan.estimate, 0)}."
        )
    labels = labels_text(plan.labels, result.strata)
    sentence = f"Buy {labels} for {money(plan.cost, result.currency)}"
    if not is_number(expected.estimate):
        return f"{sentence}; what this gives on {target} items could not be estimated."
    sentence = (
        f"{sentence}: expected {percent(expected.estimate, 0)} right on {target} items "
        f"({interval_name(result.confidence)} {span(expected, decimals=0)})"
    )
    if "test_against_forecast" in found.doubts and tested_plan is not None:
        sentence += (
            f", but measured {percent(tested_plan.estimate, 0)} ({span(tested_plan, decimals=0)}) "
            "when it was trained and tested"
        )
    if "rate_not_resolved" in found.doubts:
        sentence += "; how best to split the money is open"
    contradicted = found.contradicts(result.exchange_rate)
    if contradicted is not None:
        return f"{sentence}. {_starting(_test_of_sides(contradicted))}, other than the pilot says."
    return f"{sentence}."


def _planning(result: RunResult) -> MethodResult:
    return result.methods[result.planning_method]


def why_not_yet(result: RunResult, found: Conclusion) -> str:
    """That nothing should be bought yet, and what needs no label; without its end."""
    shown = "no benefit of training was shown"
    if found.also_helped:
        shown = (
            "the plan is not shown to do better than what takes no label, though "
            f"{joined([_condition(name) for name in found.also_helped])} "
            f"{'is' if len(found.also_helped) == 1 else 'are'}"
        )
    return f"Do not buy yet: {shown}. {_starting(_untrained(result, found))}"


def _condition(key: str) -> str:
    """A tested condition in a sentence."""
    return f"\u201c{plain_name(key)}\u201d"


def _measured_instead(result: RunResult, tested_plan: ConditionAccuracy | None) -> str:
    """What the best purchase gave, or, where it was not trained, what is expected of it."""
    plan = result.plan
    given, how = (tested_plan, "measured") if tested_plan else (plan.expected_accuracy, "expected")
    return (
        f"; after the best purchase for {money(plan.cost, result.currency)} "
        f"{percent(given.estimate, 0)} was {how} ({interval_name(result.confidence)} "
        f"{span(given, decimals=0)})."
    )


def _untrained(result: RunResult, found: Conclusion) -> str:
    """How often the best that needs no label is right, as a sentence without its end."""
    right = f"{percent(found.untrained_accuracy, 0)} of {result.target} items"
    match found.untrained:
        case "zero_shot":
            return f"without any labels the model is right on {right}"
        case "commonest_class":
            own = short_class(result.commonest_class)
            return f"always answering \u201c{own}\u201d, the commonest class, is right on {right}"
        case _:
            return f"guessing is right on {right}"


def what_needs_no_label(result: RunResult, name: WithoutLabels) -> str:
    """What a row of the table is that needs no label."""
    return {
        "zero_shot": "no labels, no training",
        "commonest_class": f"no model: always \u201c{short_class(result.commonest_class)}\u201d",
        "guessing": "no model: any choice",
    }[name]


def short_class(commonest: str | None) -> str:
    """The commonest class as the items spell it, cut where it is long."""
    text = commonest or ""
    return (
        text if text.isprintable() and len(text) <= _LONGEST_CLASS else short(text, _LONGEST_CLASS)
    )


def after_the_pilot(result: RunResult, found: Conclusion) -> str:
    """What of the plan the pilot is, and what is to buy beyond it."""
    plan, pilot = result.plan, result.pilot
    if found.advice == "not_yet":
        return (
            "Before you pay for labels, try another model or method, or a larger pilot than this "
            f"one, which would cost {money(pilot.cost, result.currency)}."
        )
    if found.advice == "rule":
        return (
            "The rule needs no pilot: all of its labels are to buy. The plan that fell behind was "
            f"{labels_text(plan.labels, result.strata)} for {money(plan.cost, result.currency)}."
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


def reason(result: RunResult, found: Conclusion) -> str:
    """Why this split: the exchange rate against the price, and what the test made of it."""
    rate = result.exchange_rate
    if found.advice == "not_yet":
        return (
            "The plan, trained and tested, is not shown to beat what needs no label on "
            f"{result.target} items; how to split a purchase is an idle question until it does."
        )
    if found.advice == "rule":
        return (
            "The test outweighs the forecast: trained on whole purchases, the plan was behind."
            f"{_of_the_rate(result, found)}"
        )
    if not has_rate(rate) and better_buy(rate) is not None:
        return (
            f"The pilot cannot tell how many {rate.target} labels one {rate.stratum} label is "
            f"worth, but it tells on which side of the price that lies: {_better_buy(rate, found)}."
        )
    if not has_rate(rate):
        return (
            f"The pilot cannot tell how many {rate.target} labels one {rate.stratum} label is "
            "worth, so no split is clearly better than another; of those that go on from the "
            "pilot this one has the highest expected accuracy on the fitted curve."
        )
    return f"{_of_the_rate(result, found).strip()}{_of_the_pilot(result)}{_hedge(result)}"


def _of_the_rate(result: RunResult, found: Conclusion) -> str:
    """What one label is worth and which one to prefer; '' where the pilot cannot tell."""
    rate = result.exchange_rate
    if not has_rate(rate):
        return ""
    if are_useless(rate):
        return (
            f" {_starting(rate.stratum)} labels do not help on {rate.target} items here (one is "
            f"worth {ratio(rate.estimate)} {rate.target} labels, "
            f"{interval_name(result.confidence)} {span(rate, 'ratio')}): "
            f"{_better_buy(rate, found)}."
        )
    return (
        f" One {rate.stratum} label does as much for accuracy on {rate.target} items as "
        f"{_rate_numbers(rate)[0]} {rate.target} labels "
        f"({interval_name(result.confidence)} {span(rate, 'ratio')}) and costs "
        f"{_rate_numbers(rate)[1]} times as much: {_better_buy(rate, found)}."
    )


def _hedge(result: RunResult) -> str:
    """Why a plan does not go on buying the better buy alone; '' if it does."""
    better, beside = better_buy(result.exchange_rate), beside_the_better_buy(result)
    if better is None or beside == "nothing" or are_useless(result.exchange_rate):
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
    result: MethodResult,
    target: str,
    confidence: float,
    found: Conclusion,
    purchase: str = "this purchase",
) -> str:
    """Measured accuracy after training on the plan, against the simple rule that did best.

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
    best = found.rule or best_baseline(result)
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


def _better_buy(rate: ExchangeRate, found: Conclusion) -> str:
    """Which label to prefer at this price, how sure that is, and whether the test agrees."""
    better, contradicted = better_buy(rate), found.contradicts(rate)
    if better is None:
        return "the pilot cannot tell which label is the better buy"
    sure = "clearly" if better.settled else "probably"
    told = "" if better.probability is None else percent(better.probability, 0)
    if contradicted is not None:
        chance = f" (probability {told})" if told and not better.settled else ""
        return (
            f"by the pilot {better.stratum} labels are {sure} the better buy{chance}, but "
            f"{_test_of_sides(contradicted)}; the test outweighs the forecast"
        )
    text = f"{better.stratum} labels are {sure} the better buy"
    if not better.settled:
        text = f"{text}{f' (probability {told})' if told else ''}, but the pilot does not settle it"
    leaning = found.leans_against(rate)
    if leaning is None:
        return text
    return (
        f"{text}; the test points the other way and does not settle it either: "
        f"{_test_of_sides(leaning)}"
    )


def _test_of_sides(own: TestedSides) -> str:
    """What all money on either side gave, the better first; without an end."""
    ways = [(own.stratum, own.accuracy), (own.target, own.target_accuracy)]
    (best, most), (other, less) = ways if own.ahead == own.stratum else ways[::-1]
    return (
        f"trained on the whole budget of either, {best} labels alone gave "
        f"{percent(most.estimate)}, {other} labels alone {percent(less.estimate)}"
    )


def sides_tested(own: TestedSides) -> str:
    """What all money on either side gave, when both were trained and tested."""
    if own.better is not None:
        return f"{_starting(_test_of_sides(own))}."
    return f"{_starting(_test_of_sides(own))}: the test does not settle which is the better buy."


def crossovers(method: MethodResult, currency: str, found: Conclusion) -> list[str]:
    """Below which budget which labels are the better buy; nothing where none helps."""
    if found.advice == "not_yet":
        return []
    return [crossover_sentence(own, currency) for own in method.crossovers.values()]


def break_even(rate: ExchangeRate, confidence: float, found: Conclusion) -> str:
    """Up to which price the other stratum's labels are the better buy; a few sentences."""
    worth, price = _rate_numbers(rate)
    if not has_rate(rate) and better_buy(rate) is not None:
        return (
            f"The pilot cannot tell how many {rate.target} labels one {rate.stratum} label is "
            f"worth: the interval is too wide. But all of it lies on one side of the price, "
            f"{price} times that of {_article(rate.target)} {rate.target} label: "
            f"{_better_buy(rate, found)}."
        )
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
        sentence = (
            f"{worth_sentence} {_starting(rate.stratum)} labels do not help on {rate.target} "
        )
        if found.contradicts(rate) is not None:
            return f"{sentence}items by the pilot: {_better_buy(rate, found)}."
        return f"{sentence}items, so they are no good buy at any price."
    return (
        f"{worth_sentence} {_starting(rate.stratum)} labels are the better buy as long as one "
        f"costs less than {worth} times as much as {_article(rate.target)} {rate.target} one. Here "
        f"it costs {price} times as much: {_better_buy(rate, found)}."
        f"{_of_later_labels(rate, confidence)}"
    )


def _of_later_labels(rate: ExchangeRate, confidence: float) -> str:
    """What later labels are worth, where that is less than those of the pilot; else ''."""
    later = rate.next_label
    if later is None or later.estimate is None or later.estimate >= (rate.estimate or 0.0):
        return ""
    interval, text = interval_name(confidence), " That is the mean over the pilot's labels."
    if rate.at_plan is not None:
        text += (
            f" Over all of the plan's {rate.stratum} labels it is {ratio(rate.at_plan.estimate)} "
            f"({interval} {span(rate.at_plan, 'ratio')})."
        )
    text += (
        f" The next {rate.stratum} labels after the plan are worth {ratio(later.estimate)} each "
        f"({interval} {span(later, 'ratio')})"
    )
    if later.estimate < rate.cost_ratio < (rate.estimate or 0.0):
        sure = "clearly" if (later.high or 0.0) < rate.cost_ratio else "probably"
        return f"{text}: by then {rate.target} labels are {sure} the better buy."
    return f"{text}."


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
