"""The plan against purchases of other kinds: one stratum only, without a supplier, relabelled."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from analysis.accuracy import interval
from analysis.estimates import Estimate
from annotation.arrays import Array
from annotation.errors import InputError
from budget.decision.result import OtherPurchase, PlannedPurchase, PurchaseLine
from budget.market.offers import Offer
from budget.search.evaluation import TIE
from budget.search.plan import Plan, PlanSearch
from budget.surface.response import ResponseSurface


def described(plan: Plan, surface: ResponseSurface) -> PlannedPurchase:
    """A plan with the interval of what one purchase of it scores."""
    return PlannedPurchase(
        lines=[
            PurchaseLine(
                stratum=line.offer.stratum,
                supplier=line.offer.supplier,
                labels=line.labels,
                judgments=line.offer.judgments,
                cost=float(line.cost),
                hours=float(line.hours),
                role=line.offer.role,
                clean_share=line.offer.clean,
            )
            for line in plan.lines
        ],
        labels=dict(plan.labels),
        trained_on=dict(plan.used),
        cost=float(plan.cost),
        training_cost=float(plan.training_cost),
        money_left=float(plan.money_left),
        hours={role: float(hours) for role, hours in plan.hours.items()},
        expected_accuracy=interval(plan.expected, plan.forecast(surface)),
    )


def best_plan(search: PlanSearch, money: Decimal) -> tuple[Plan, dict[str, Plan]]:
    """The plan for so much money, and the best plan of every other kind.

    A search among fewer offers has a finer ladder of labels; rarely it finds a better plan, which
    is then the plan.

    Raises InputError if the money does not pay for training.
    """
    plan = search.plan(money)
    others = other_plans(search, plan, money)
    best = max([plan, *others.values()], key=lambda own: own.expected)
    if best.expected <= plan.expected + TIE:
        return plan, others
    return best, other_plans(search, best, money)


def other_plans(search: PlanSearch, plan: Plan, money: Decimal) -> dict[str, Plan]:
    """Kind of purchase -> the best plan of that kind, where that is not the plan itself."""
    found = {}
    for kind, allowed in _kinds(search, plan):
        own = [offer for offer in search.market.offers if allowed(offer)]
        try:
            other = PlanSearch(search.surface, search.market.only(own)).plan(money)
        except InputError:
            continue  # it does not even pay for training
        if other.lines != plan.lines or other.used != plan.used:
            found[kind] = other
    return found


def against(
    plan: Plan, others: Mapping[str, Plan], surface: ResponseSurface
) -> list[OtherPurchase]:
    """The others beside the plan, best first; of equal purchases the first kind."""
    found, seen = [], set()
    of_plan = plan.accuracy(surface)
    for kind, other in others.items():
        if (other.lines, tuple(other.used.values())) in seen:
            continue
        seen.add((other.lines, tuple(other.used.values())))
        difference, probability = compared(of_plan, other.accuracy(surface))
        found.append(
            OtherPurchase(
                **described(other, surface).model_dump(),
                kind=kind,
                plan_minus_this=difference,
                probability_plan_better=probability,
            )
        )
    return sorted(found, key=lambda own: own.plan_minus_this.estimate or 0.0)


def compared(one: Array, other: Array) -> tuple[Estimate, float]:
    """The difference of two accuracies over draws, and the probability that the first is larger.

    Draws (draws,) that are equal count half.
    """
    difference = one - other
    probability = float((difference > 0).mean() + 0.5 * (difference == 0).mean())
    return interval(float(difference.mean()), difference), probability


def _kinds(search: PlanSearch, plan: Plan) -> Iterator[tuple[str, Callable[[Offer], bool]]]:
    market = search.market
    for name in market.strata:
        if market.of_stratum(name):
            yield f"only {name} labels", lambda offer, name=name: offer.stratum == name  # type: ignore[misc]
    if len(market.suppliers) > 1:
        for supplier in dict.fromkeys(line.offer.supplier for line in plan.lines):
            yield (
                f"without {supplier}",
                lambda offer, supplier=supplier: offer.supplier != supplier,  # type: ignore[misc]
            )
    numbers = sorted({offer.judgments for offer in market.offers})
    if len(numbers) > 1:
        for number in numbers:
            noun = "judgment" if number == 1 else "judgments"
            yield (
                f"{number} {noun} per label",
                lambda offer, number=number: offer.judgments == number,  # type: ignore[misc]
            )
    yield "nothing more", lambda offer: False
