"""What to ask of suppliers: at which price two of them tie, and what fewer errors are worth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import combinations, pairwise

import numpy as np

from annotation.errors import InputError
from annotation.terms.cost import exact_decimal
from budget.decision.alternatives import compared
from budget.decision.result import FewerErrors, Negotiation, SupplierPair
from budget.decision.varied import bisected, crossing, repriced, with_redraw_rate
from budget.market.market import Market
from budget.market.offers import Offer
from budget.search.plan import Plan, PlanSearch
from budget.surface.response import ResponseSurface

_LOWEST, _HIGHEST = 1 / 50, 50.0  # factors on prices that are looked at
_POINT = 0.01
_SAME = 1e-9  # accuracy
# Shares of the money at which the suppliers are compared, to find where the lead changes.
_SHARES = tuple(Fraction(1, own) for own in (16, 8, 4, 2)) + tuple(map(Fraction, (1, 2, 4)))


def negotiate(search: PlanSearch, money: Decimal, choices: int) -> Negotiation | None:
    """Every pair of suppliers, each with all the money alone; and what each one's errors cost.

    Each quantity is varied alone and bisected until the two expect the same accuracy. `money` is
    for labels and training; `choices` per item says how often a label that was drawn at random is
    wrong. Where labels do harm, a supplier is bought less of, or nothing.

    None where money buys nothing of anybody.
    """
    alone = [_Alone(search.surface, search.market, name, money) for name in search.market.suppliers]
    alone = [own for own in alone if own.can_train]
    if not any(own.plan.lines for own in alone):
        return None
    wrong = 1 - 1 / choices  # of labels that are drawn anew
    return Negotiation(
        pairs=list(_pairs(alone)),
        fewer_errors=[_fewer_errors(own, wrong) for own in alone],
    )


@dataclass(frozen=True)
class _Alone:
    """All the money on one supplier."""

    surface: ResponseSurface
    market: Market
    name: str
    money: Decimal

    def is_own(self, offer: Offer) -> bool:
        return offer.supplier == self.name

    @cached_property
    def _search(self) -> PlanSearch:
        return self._searching(self.market)

    def _searching(self, market: Market) -> PlanSearch:
        return PlanSearch(self.surface, market.only(filter(self.is_own, market.offers)))

    @cached_property
    def can_train(self) -> bool:
        try:
            return bool(self.plan.expected >= 0)
        except InputError:
            return False  # the money does not even pay for training

    @cached_property
    def plan(self) -> Plan:
        return self._search.plan(self.money)

    @cached_property
    def by_money(self) -> dict[Decimal, Plan]:
        """Plans for parts and multiples of the money, as far as they pay for training."""
        found = {}
        for share in _SHARES:
            money = exact_decimal(Fraction(self.money) * share)
            try:
                found[money] = self.with_money(money)
            except InputError:
                continue
        return found

    def with_money(self, money: Decimal) -> Plan:
        return self._search.plan(money)

    def at_price(self, factor: float) -> float:
        """Accuracy to expect with all its prices multiplied."""
        varied = repriced(self.market, self.is_own, factor)
        return self._searching(varied).plan(self.money).expected

    def cleaner(self, redraw_rate: float, factor: float = 1.0) -> float:
        """The same, with so much taken off the redraw rate of its labels."""
        varied = with_redraw_rate(self.market, self.is_own, lambda rate: rate - redraw_rate)
        return self._searching(repriced(varied, self.is_own, factor)).plan(self.money).expected

    @property
    def price(self) -> float:
        """Per label: what the plan pays, or else what the first one would cost."""
        lines = self.plan.lines
        if lines:
            return float(sum(Fraction(own.cost) for own in lines) / self.labels(self.plan))
        offers = filter(self.is_own, self.market.offers)
        return float(min(own.price(own.least) / own.least for own in offers))

    @staticmethod
    def labels(plan: Plan) -> int:
        return sum(own.labels for own in plan.lines)


def _pairs(alone: Sequence[_Alone]) -> Iterator[SupplierPair]:
    for one, other in combinations(alone, 2):
        if not (one.plan.lines or other.plan.lines):
            continue
        behind, ahead = sorted((one, other), key=lambda own: own.plan.expected)
        yield _pair(ahead, behind)


def _pair(ahead: _Alone, behind: _Alone) -> SupplierPair:
    surface = ahead.surface
    difference, probability = compared(ahead.plan.accuracy(surface), behind.plan.accuracy(surface))
    lead = ahead.plan.expected - behind.plan.expected

    def cheaper(factor: float) -> float:
        return ahead.plan.expected - behind.at_price(factor)

    def dearer(factor: float) -> float:
        return ahead.at_price(factor) - behind.plan.expected

    tie = crossing(cheaper, lead, 1.0, (_LOWEST,), logarithmic=True)
    up_to = crossing(dearer, lead, 1.0, (_HIGHEST,), logarithmic=True)
    turns = _turns(ahead, behind)
    bought = None
    if turns is not None:
        bought = (
            behind.labels(behind.with_money(turns)),
            ahead.labels(ahead.with_money(turns)),
        )
    return SupplierPair(
        ahead=ahead.name,
        behind=behind.name,
        difference=difference,
        probability_ahead=probability,
        price_ahead=ahead.price,
        price_behind=behind.price,
        tie_price=None if tie is None else behind.price * tie,
        discount=None if tie is None else 1 - tie,
        ahead_up_to=None if up_to is None else ahead.price * up_to,
        turns_at=None if turns is None else float(turns),
        turns_labels=bought,
        money=float(ahead.money),
        least_money=float(ahead.money) * float(_SHARES[0]),
        most_money=float(ahead.money) * float(_SHARES[-1]),
    )


def _turns(ahead: _Alone, behind: _Alone) -> Decimal | None:
    """Money at which the lead changes, the nearest by ratio to what there is; None if nowhere."""
    both = [own for own in ahead.by_money if own in behind.by_money]
    leads = {own: ahead.by_money[own].expected - behind.by_money[own].expected for own in both}
    # Where neither has bought anything yet there is no lead to lose.
    some = [own for own in both if abs(leads[own]) > _SAME]
    found = []
    for low, high in pairwise(some):
        if leads[low] * leads[high] >= 0:
            continue

        def lead(money: float) -> float:
            amount = Decimal(f"{money:.9g}")
            return ahead.with_money(amount).expected - behind.with_money(amount).expected

        turn = bisected(lead, leads[low], float(low), float(high), logarithmic=True)
        found.append(Decimal(f"{turn:.9g}"))
    here = float(ahead.money)
    return min(found, key=lambda own: abs(np.log(float(own) / here)), default=None)


def _fewer_errors(own: _Alone, wrong: float) -> FewerErrors:
    """The price rise that a point fewer wrong labels would pay for."""
    worth = None
    errs = any(offer.redraw_rate > 0 for offer in filter(own.is_own, own.market.offers))
    if errs and own.plan.lines:
        better = _POINT / wrong

        def lead(factor: float) -> float:
            return own.cleaner(better, factor) - own.plan.expected

        def unchanged(factor: float) -> float:
            return own.at_price(factor) - own.plan.expected + _SAME

        # Where items or hours run out before the money does, labels could be dearer anyway.
        slack = crossing(unchanged, _SAME, 1.0, (_HIGHEST,), logarithmic=True)
        factor = crossing(lead, lead(1.0), 1.0, (_HIGHEST,), logarithmic=True)
        if slack is not None and factor is not None:
            worth = own.price * max(0.0, factor - slack)
    return FewerErrors(supplier=own.name, price=own.price, worth=worth)
