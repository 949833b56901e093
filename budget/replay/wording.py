"""A replay in sentences and rows, for people."""

from decimal import Decimal

from analysis.estimates import Estimate
from analysis.numbers import MINUS, count, joined, money, percent, points, span
from budget.market.simple_rules import describe
from budget.replay.past import Past
from budget.replay.result import ClaimRecord, PurchaseRecord, ReplayResult

_UNTOLD = "cannot be told from"
HEADS = ("what is bought", "judgments", "cost", "items", "accuracy", "plan minus this, points")


def before_sentences(past: Past, budget: Decimal, seeds: int) -> list[str]:
    """What will be replayed, before it begins."""
    currency, task = past.config.budget.currency, past.task
    own = past.for_sale
    tested = task.test_strata == task.target
    sold = [
        f"{count(task.pools[name].size)} {name} ({task.strata.rule(name)})"
        for name in past.config.strata.buy
    ]
    order = "in the order of time" if past.is_timed else "item by item: no times are told"
    test = f"{count(int(tested.sum()))} {task.target} items"
    suppliers = [
        f"{name}, {joined([str(n) for n in sorted(set().union(*who.judgments.values()))])} "
        "judgments of an item"
        for name, who in past.suppliers.items()
    ]
    paid = float(past.amount(int(own["cost"].sum())))
    return [
        f"Items for sale: {joined(sold)}; {count(len(own))} judgments cost "
        f"{money(paid, currency)}.",
        f"Suppliers: {'; '.join(suppliers)}.",
        f"Tested on {test}. What was done is taken {order}.",
        f"{seeds} replays, each with {money(float(budget), currency)} in up to "
        f"{past.config.buying.rounds} batches; then the outcome of every purchase.",
        *(f"note: {note}" for note in past.notes),
    ]


def claim_sentences(claim: ClaimRecord, target: str, currency: str) -> list[str]:
    """What the plan promises, before anything that it bought was tested."""
    bought = [
        f"{own.items:.0f} {own.stratum} items from {own.supplier}, {_each(own.judgments)}"
        for own in claim.bought
        if own.items >= 0.5
    ]
    found = [
        f"The plan would have bought (mean of {claim.seeds} replays): {joined(bought)}; "
        f"{money(claim.gold_cost, currency)} of its money went into gold questions."
    ]
    expected = claim.expected_accuracy
    if expected is None:
        found.append("It promises nothing: all of the money went into the first batch.")
    else:
        found.append(
            f"The claim, before the outcome: the plan should reach {percent(expected.estimate)} "
            f"on {target} items (95 %: {span(expected)}) for {money(claim.cost, currency)}."
        )
    return found


def outcome_sentences(result: ReplayResult) -> list[str]:
    """What came of it, losses as plainly as gains."""
    plan, done, best = result.plan, result.done, result.arms[result.best_rule]
    found = [
        f"The outcome: the plan reached {percent(plan.accuracy.estimate)} "
        f"(95 %: {span(plan.accuracy)}) for {money(plan.cost, result.currency)}.",
        _guessing(result),
        _kept(result),
        f"Against what was done with the same money: {_against(done)}",
        f"Against the best simple purchase, {arm_name(best)}, which only the outcome names: "
        f"{_against(best)}",
        _saved(result),
    ]
    return [sentence for sentence in found if sentence]


def arm_name(arm: PurchaseRecord) -> str:
    """What was bought, in words."""
    assert arm.judgments is not None
    return f"{describe(arm.name)} ({arm.supplier}, {_each(arm.judgments)})"


def table_rows(result: ReplayResult) -> list[tuple[str, ...]]:
    """One row a way to spend the money, the plan first."""
    suppliers = {arm.supplier for arm in result.arms if arm.supplier is not None}
    return [
        (
            _short_name(arm, len(suppliers) > 1),
            "" if arm.judgments is None else str(arm.judgments),
            money(arm.cost, result.currency),
            joined([f"{items:.0f} {name}" for name, items in arm.items.items() if items >= 0.5]),
            f"{percent(arm.accuracy.estimate)} ({span(arm.accuracy)})",
            _difference(arm),
        )
        for arm in result.arms
    ]


def rule_name(name: str) -> str:
    """A way to spend the money, in two or three words."""
    names = {"plan": "the plan", "done": "what was done"}
    return names.get(name, name.replace("_", " "))


def headline(result: ReplayResult) -> str:
    """The whole replay in a sentence: whether the plan would have gained or lost."""
    done, best = result.done.plan_minus_this, result.arms[result.best_rule].plan_minus_this
    assert done is not None and best is not None
    both = _verb(done) == _verb(best) == _UNTOLD
    link = "nor from" if both else f"and {_verb(best)}"
    told = (
        f"The plan {_verb(done)} what was done with the same money, {link} the best simple rule, "
        f"{rule_name(result.arms[result.best_rule].name)}."
    )
    if not _guessing(result):
        return told
    return f"{told} It {_against_nothing(result)} what needs no labels."


def reading_sentences(result: ReplayResult) -> list[str]:
    """What to keep in mind with the numbers."""
    shares = f"{count(result.seeds)} replays"
    found = [
        "The best simple rule is named by the outcome. Nobody could have known it, so it looks "
        "better than it is.",
        "The plan pays for gold questions, which measure how often people err; the others do not.",
        f"Intervals are 95 % intervals over test items and {shares} together; differences are "
        "taken in pairs. Where one holds 0, the order is open.",
        "Only judgments that exist can be bought: where they run out, a rule spends less.",
    ]
    if not result.in_time_order:
        found.append("No times are told, so what was done is taken item by item in a drawn order.")
    return found


def sold_sentence(result: ReplayResult) -> str:
    """What the collection was that is played again."""
    items = [f"{count(own)} {name} ({result.rules[name]})" for name, own in result.items.items()]
    return (
        f"Items for sale: {joined(items)}; {count(result.judgments)} judgments cost "
        f"{money(result.paid, result.currency)}. Tested on {count(result.tested)} {result.target} "
        "items."
    )


def _verb(own: Estimate) -> str:
    """How the plan compares, as far as the interval of the difference tells."""
    if own.low is not None and own.low > 0:
        return "beats"
    if own.high is not None and own.high < 0:
        return "loses to"
    return _UNTOLD


def _short_name(arm: PurchaseRecord, with_supplier: bool) -> str:
    name = rule_name(arm.name)
    return f"{name}, {arm.supplier}" if with_supplier and arm.supplier else name


def _each(judgments: int) -> str:
    return "one judgment of each" if judgments == 1 else f"{judgments} judgments of each"


def _difference(arm: PurchaseRecord) -> str:
    own = arm.plan_minus_this
    if own is None:
        return ""
    return f"{points(own.estimate)} ({span(own).replace('-', MINUS)})"


def _against(arm: PurchaseRecord) -> str:
    own = arm.plan_minus_this
    assert own is not None and own.estimate is not None
    assert own.low is not None and own.high is not None
    told = f"{points(own.estimate)} points (95 %: {span(own)})"
    if own.low > 0:
        return f"the plan is better, {told}."
    if own.high < 0:
        return f"the plan is WORSE, {told}."
    return f"no difference can be told, {told}."


def _kept(result: ReplayResult) -> str:
    if result.claim.expected_accuracy is None:
        return ""
    made = len(result.claim.by_seed)
    return (
        f"The accuracy lay within the interval claimed in {count(result.kept_claims)} of "
        f"{count(made)} replays."
    )


def _saved(result: ReplayResult) -> str:
    own, currency = result.saving, result.currency
    paid = money(result.paid, currency)
    if own.needed is None:
        return f"What was done never got as far as the plan, not with all of its {paid}."
    needed, amount = money(round(own.needed, 2), currency), own.saved.estimate or 0.0
    ends = [
        f"more than {money(round(result.paid - result.plan.cost, 2), currency)}"
        if end is None
        else money(round(end, 2), currency)
        for end in (own.saved.low, own.saved.high)
    ]
    most = "at most " if own.at_most_known else ""
    size = money(round(abs(amount), 2), currency)
    verb = f"saved {most}{size}" if amount >= 0 else f"COST {size} more than that"
    return (
        f"What was done took {most}{needed} to get as far as the plan did with "
        f"{money(result.plan.cost, currency)}: the plan {verb} (saved, 95 %: {ends[0]} to "
        f"{ends[1]})."
    )


def _guessing(result: ReplayResult) -> str:
    """Where the plan's model is not told from one that learnt nothing."""
    own, low = result.nothing_learnt, result.plan.accuracy.low
    assert low is not None
    if low > own:
        return ""
    return (
        f"That {_against_nothing(result)} what needs no labels, {percent(own)} (guessing, or "
        "always the commonest answer): with this model the labels teach nothing that shows, "
        "whoever is asked; see what follows in that light."
    )


def _against_nothing(result: ReplayResult) -> str:
    """How the plan compares with a model that learnt nothing, where it is not shown better."""
    high = result.plan.accuracy.high
    assert high is not None
    return "is worse than" if high < result.nothing_learnt else _UNTOLD
