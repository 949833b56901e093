"""The decision in sentences for somebody who buys labels.

Plain text. What is not resolved gets no number; a difference whose interval contains zero is said
to be open.
"""

from collections.abc import Mapping

from analysis.estimates import Estimate
from analysis.label_words import LabelWords
from analysis.numbers import (
    NOT_KNOWN,
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
from analysis.run.conclusion import TestedSides
from analysis.run.result import ExchangeRate, MixSummary
from analysis.run.wording import sides_tested
from budget.decision.leftovers import LeftBecause
from budget.decision.result import (
    Decision,
    ErrorDoubt,
    Flip,
    NextRound,
    OtherPurchase,
    PurchaseLine,
    SideComparison,
    Target,
    Worth,
)
from budget.market.market import RUN_SUPPLIER

_SURE = 0.995  # probabilities beyond are told as "over 99 %"


def what_to_buy(decision: Decision, currency: str, pilot: Mapping[str, int]) -> str:
    """The purchase and its price; what stays out of training."""
    plan = decision.plan
    if not plan.lines:
        has = f"the pilot's {labels_text(dict(pilot))}"
        if decision.target is not None:
            return f"Buy nothing beyond the pilot: {has} will do."
        return (
            "Buy nothing beyond the pilot: no purchase that can be made is expected to do better "
            f"than {has}."
        )
    lines = joined([_line(line, currency) for line in plan.lines])
    sentence = f"Buy {lines}"
    if len(plan.lines) > 1 or plan.training_cost:
        sentence += f"; {money(plan.cost, currency)} in all"
        if plan.training_cost:
            sentence += f", {money(plan.training_cost, currency)} of it for training"
    out = plan.left_out(pilot)
    if out:
        sentence += f". Leave the pilot's {joined(out)} labels out of training: they are expected"
        sentence += " to do harm"
    return f"{sentence}."


def _line(line: PurchaseLine, currency: str) -> str:
    text = f"{labels_text({line.stratum: line.labels})}"
    if line.supplier != RUN_SUPPLIER:
        text += f" from {line.supplier}"
    if line.judgments > 1:
        text += f" ({line.judgments} judgments each)"
    return f"{text} for {money(line.cost, currency)}"


def what_it_gives(decision: Decision, target: str, confidence: float) -> str:
    """Expected accuracy with its interval, and without buying more."""
    expected = decision.plan.expected_accuracy
    sentence = (
        f"Expected: {percent(expected.estimate)} right on {target} items "
        f"({interval_name(confidence)} {span(expected)} for one purchase)"
    )
    if not decision.plan.lines:
        return f"{sentence}."
    return f"{sentence}; with the pilot alone, {percent(decision.now.estimate)}."


def pilot_of(pilot: MixSummary, words: LabelWords, currency: str) -> str:
    """What the plan goes on from, as a sentence without its end."""
    own = words.pilot(labels_text(pilot.labels), money(pilot.cost, currency))
    return f"This goes on from the run's {own}{' and is to buy as well' * words.simulated}"


def what_was_measured(found: Estimate, target: str, confidence: float, words: LabelWords) -> str:
    """What the run's own training on the planned purchase scored."""
    return (
        f"The run has trained on this very purchase ({words.trained_on}): "
        f"{percent(found.estimate)} right on {target} items "
        f"({interval_name(confidence)} {span(found)})."
    )


def why_money_is_left(because: LeftBecause) -> str:
    """What keeps the plan from spending the rest."""
    return {
        "for_sale": "nothing more is for sale",
        "hours": "the hours until the deadline are used up",
        "accuracy": "more labels are not expected to do better",
    }[because]


def what_reaches(target: Target) -> str:
    """The target accuracy and how likely the plan reaches it."""
    return (
        f"This is the cheapest plan found that reaches {percent(target.accuracy)} with a "
        f"probability of at least {percent(target.probability_asked, 0)} "
        f"(it does with {percent(target.probability, 0)})."
    )


def error_doubt(doubt: ErrorDoubt) -> str:
    """What an error rate that is known to an interval only means for the plan."""
    whose = f"{doubt.stratum} labels"
    if doubt.supplier != RUN_SUPPLIER:
        whose += f" from {doubt.supplier}"
    text = f"The error rate of {whose} may be {percent(doubt.low)} to {percent(doubt.high)}"
    if doubt.shared_mistakes:
        text += ": several people may make the same mistake, which their agreement cannot show"
    turns = [
        f"at {percent(end)} it is {_labels_or_none(labels)}"
        for end, labels in ((doubt.low, doubt.at_low), (doubt.high, doubt.at_high))
        if labels is not None
    ]
    if not turns:
        return f"{text}. The plan is about the same at both ends."
    text += f". The plan depends on it: {', '.join(turns)}."
    if doubt.gold_items:
        items = "item" if doubt.gold_items == 1 else "items"
        return (
            f"{text} Ask for gold first: about {doubt.gold_items:,} more {doubt.stratum} {items} "
            "with a known answer would tell it to within 5 points, for these annotators."
        )
    return f"{text} Ask for gold first: put items with a known answer among those to label."


def _labels_or_none(labels: dict[str, int]) -> str:
    return labels_text(labels) if any(labels.values()) else "to buy nothing"


def runner_up(decision: Decision, currency: str) -> str:
    """The best purchase of another kind, and whether the plan beats it."""
    best = decision.runner_up
    if best is None:
        return "There is no other kind of purchase that is worth comparing with the plan."
    return (
        f"Runner-up, {best.kind}: {_what_and_from_whom(best)} for {money(best.cost, currency)}, "
        f"expected {percent(best.expected_accuracy.estimate)}. {_beats(best)}"
    )


def _what_and_from_whom(other: OtherPurchase) -> str:
    """Labels, and from whom where that is not plain."""
    if not other.lines or (other.suppliers == {RUN_SUPPLIER} and not other.repeats):
        return labels_text(other.labels)
    return joined([_from_whom(line) for line in other.lines])


def _from_whom(line: PurchaseLine) -> str:
    each = f", {line.judgments} judgments each" if line.judgments > 1 else ""
    supplier = "" if line.supplier == RUN_SUPPLIER else f" from {line.supplier}"
    return f"{labels_text({line.stratum: line.labels})}{supplier}{each}"


def supplier_name(supplier: str) -> str:
    """For a column: a supplier's name, or that the labels come at the terms of the run."""
    return "run's terms" if supplier == RUN_SUPPLIER else supplier


def _beats(other: OtherPurchase) -> str:
    difference = other.plan_minus_this
    numbers = f"{points(difference.estimate)} points, {span(difference, 'points')}"
    chance = probability(other.probability_plan_better)
    match other.against_plan:
        case "as good":
            return (
                f"It is as good as the plan ({span(difference, 'points')} points more or less): "
                "take whichever is simpler."
            )
        case "worse":
            return f"The plan is better ({numbers}; probability {chance})."
        case "toss-up":
            return (
                f"A toss-up: the plan gives more on average ({numbers}), but in only {chance} of "
                "what is thought possible."
            )
        case "open":
            return (
                f"The plan is better with a probability of {chance} ({numbers}): the evidence does "
                "not settle which."
            )


def probability(value: float) -> str:
    """'87 %'; 'over 99 %' where draws cannot tell it from certainty."""
    if value >= _SURE:
        return "over 99 %"
    if value <= 1 - _SURE:
        return "under 1 %"
    return percent(value, 0)


def sides(side: SideComparison, currency: str) -> list[str]:
    """Which of two strata is the better buy, and what would change that."""
    better, worse, chance = side.better, side.worse, side.probability_of_better
    found = [
        f"{_starting(better)} labels are the better buy than {worse} ones if all money goes to one "
        f"of them (probability {probability(chance)}; {points(abs(side.lead))} points)."
        if chance >= 0.5
        else f"A toss-up: if all money goes to one of them, {better} labels give more on average "
        f"({points(abs(side.lead))} points) than {worse} ones, with a probability of "
        f"{probability(chance)} only."
    ]
    price = side.cost_ratio
    found.append(
        f"Price, judgments and fixed costs included: one {side.stratum} label costs "
        f"{money(round(side.cost, 4), currency)}, {ratio(price.now)} times a {side.target} one; "
        + _turn(
            price,
            worse,
            f"{_about(side.cost * (price.at or 0.0) / (price.now or 1.0), currency)} "
            f"({ratio(price.at)} times)",
            f"at every price from {ratio(price.low)} to {ratio(price.high)} times",
        )
    )
    noise = (
        f" ({ratio(side.noise_ratio)} times that of {side.target} labels)"
        if side.noise_ratio is not None
        else ""
    )
    for name, rate, beside in (
        (side.stratum, side.redraw_rate, noise),
        (side.target, side.target_redraw_rate, ""),
    ):
        found.append(
            f"Errors: {percent(rate.now, 0)} of {name} labels are as good as random; "
            + _turn(
                rate,
                worse,
                f"{percent(rate.at, 0)}{beside}",
                f"at every rate of {name} labels from {percent(rate.low, 0)} to "
                f"{percent(rate.high, 0)}",
            )
        )
    transfer = side.transfer
    found.append(
        f"Transfer: {side.stratum} labels point {percent(transfer.now, 0)} of the way that "
        f"{side.target} labels do (mean cosine); "
        + _turn(transfer, worse, f"{percent(transfer.at, 0)}", "whatever the transfer")
    )
    return found


def tested_in_the_run(side: SideComparison, tested: TestedSides) -> str:
    """What the run measured with all of its money on either, beside what is forecast here."""
    sentence = f"The run's test, with its own budget: {lowered(sides_tested(tested))}"
    if tested.better is None or tested.better == side.better:
        return sentence
    return f"{sentence} This speaks against the forecast: trust the test more."


def lowered(sentence: str) -> str:
    """A sentence as it goes on behind a colon."""
    return sentence[:1].lower() + sentence[1:]


def rate_of_the_pilot(rate: ExchangeRate, confidence: float) -> str:
    """What the run measured of a stratum's labels; which side to buy is told by `sides`."""
    what = f"one {rate.stratum} label was worth"
    if not rate.rate_resolved or not is_number(rate.estimate):
        return (
            f"The pilot's own labels do not tell how many {rate.target} labels {what}: the "
            "comparison rests on what the pilot measured of all labels together, and on what is "
            "usual."
        )
    return (
        f"Over the pilot's own labels {what} {ratio(rate.estimate)} {rate.target} ones "
        f"({interval_name(confidence)} {span(rate, 'ratio')}); what the next ones are worth "
        "may differ."
    )


def what_was_guessed(purchases: int) -> str:
    """That the forecast rests on guessed labels too."""
    number = "one purchase" if purchases == 1 else f"{count(purchases)} purchases"
    scored = "it" if purchases == 1 else "they"
    return (
        f"The forecast also uses {number} that the run trained on with guessed labels "
        f"(pseudo-labels); its report has what {scored} scored."
    )


def _turn(flip: Flip, worse: str, at: str, never: str) -> str:
    if flip.turns == "nowhere":
        return f"this decides nothing: the better buy stays the same {never}."
    return f"{worse} labels become the better buy {flip.turns} {at}."


def next_step(found: NextRound, currency: str) -> str:
    """Whether to buy a part first and decide again."""
    verdict = found.verdict
    if verdict == "last round":
        return "Buy the plan in one go: this is the last round."
    if verdict == "teaches too little":
        return "Buy the plan in one go: no smaller purchase would teach enough to change it."
    sentence = (
        f"With {count(found.rounds_left)} rounds left, buy {labels_text(found.labels)} "
        f"({money(found.cost, currency)}) first, train, and plan again: deciding the rest then is "
        f"worth {points(found.gain)} points on average"
    )
    if found.gain_value is None:
        return f"{sentence}."
    if verdict == "first":
        return f"{sentence}, or {_about(found.gain_value, currency)} after what a training costs."
    return (
        f"{sentence}, which is not worth the {_about(-found.gain_value, currency)} more that "
        "another training costs: buy the plan in one go."
    )


def worth(found: Worth, currency: str) -> str:
    """Whether the purchase is worth its money."""
    each = money(found.value_per_point, currency)
    if found.verdict == "nothing":
        return (
            f"Stop: at {each} a point, no purchase is worth its money; the plan would add "
            f"{_about(found.plan_value, currency)} for {money(found.plan_cost, currency)}."
        )
    sentence = (
        f"At {each} a point the plan adds {_about(found.plan_value, currency)} for "
        f"{money(found.plan_cost, currency)}"
    )
    if found.verdict == "all":
        return f"{sentence}: it is worth its money, to the last of it."
    return (
        f"{sentence}; best buy {labels_text(found.best.labels)} for "
        f"{money(found.best_cost, currency)} only, which adds "
        f"{_about(found.best_value, currency)} ({percent(found.best_accuracy)} expected)."
    )


def _about(amount: float, currency: str) -> str:
    """Money that was estimated: to the cent."""
    return money(round(amount, 2), currency)


def rate_text(estimate: float | None) -> str:
    """An exchange rate, or that it is not known."""
    return ratio(estimate) if is_number(estimate) else NOT_KNOWN


def _starting(name: str) -> str:
    return name[:1].upper() + name[1:]
