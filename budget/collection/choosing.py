"""How many labels of which stratum to buy next, of whom; before anything is known, and after."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from analysis.accuracy import interval
from analysis.numbers import points
from annotation.errors import InputError
from annotation.terms.cost import exact_decimal
from budget.collection.least_labels import most_of, offers_too_big, raised_to_least
from budget.config.collection_config import BuyingSection
from budget.decision.alternatives import against, best_plan, described
from budget.decision.result import PlannedPurchase
from budget.market.market import Market
from budget.market.offers import Offer
from budget.search.batches import Batch, choose_batch, rank_batches
from budget.search.plan import Plan, PlanSearch
from budget.surface.luck import fresh_luck
from budget.surface.response import ResponseSurface

USUAL_FIRST = 30  # labels of every stratum from every supplier in the first batch
_FIRST_SHARE = Fraction(1, 4)  # of the money, for the first batch at most
_FORECAST_SEED = 0x7E11
_AS_GOOD = 1e-3  # accuracy by which a batch is worth no less than another
_FEWEST_FIRST = 8  # labels of a stratum, below which nothing can be learnt


@dataclass(frozen=True)
class WantedLabels:
    """So many labels of one offer."""

    offer: Offer
    labels: int


@dataclass(frozen=True)
class BatchChoice:
    """What to buy next, and why.

    `wanted` is empty where nothing more is worth buying; `why` says it in a sentence; `evidence` is
    kept with the batch, so that the decision can be looked at later; `notes` are sentences on what
    was measured.
    """

    wanted: tuple[WantedLabels, ...]
    why: str
    evidence: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def first_choice(market: Market, buying: BuyingSection, currency: str) -> BatchChoice:
    """The first batch: the same number of labels of every stratum from every supplier.

    Where several numbers of judgments can be had, the smallest above one: two answers to an item
    show how often people err. `currency` is for messages.

    Raises InputError if the money or the items do not even pay for a small one.
    """
    offers = [_first_offer(market, name, supplier) for name, supplier in _pairs(market)]
    gold = f"and {buying.gold} gold questions" if buying.gold else "and no gold questions"

    def cost(labels: int) -> Fraction:
        # Gold questions cost like any others, and every offer has its own.
        own = ((max(labels, o.least) + buying.gold) * Fraction(_cost_of_label(o)) for o in offers)
        return sum(own, Fraction(0))

    def most(share: Fraction) -> int:
        """Labels of each that this share of the money and the items allow; 0 for none."""
        counts = range(1, _most_of_each(market, offers) + 1)
        return bisect_right(counts, Fraction(market.money) * share, key=cost)

    def told(labels: int) -> str:
        more = [
            f"{o.least} {o.stratum} labels from {o.supplier}" for o in offers if o.least > labels
        ]
        no_fewer = f", but no fewer than {', '.join(more)}," if more else ""
        return (
            f"{labels} labels {gold} of every stratum from every supplier{no_fewer} cost "
            f"{float(cost(labels)):,.2f} {currency}"
        )

    count = min(USUAL_FIRST, most(_FIRST_SHARE)) if buying.first is None else buying.first
    few = "or there are fewer items, or capacity"
    if buying.first is None and count < _FEWEST_FIRST:
        raise InputError(
            f"too little for a first batch: {told(_FEWEST_FIRST)}, more than a quarter of the "
            f"{market.money:,.2f} {currency} for labels, {few}; raise the budget, name fewer "
            "suppliers or strata, or set buying.first."
        )
    if count > most(Fraction(1)):
        raise InputError(
            f"buying.first: {told(count)}, of {market.money:,.2f} {currency} for labels, {few}; "
            "lower it."
        )
    wanted = tuple(WantedLabels(offer, max(count, offer.least)) for offer in offers)
    more = ", or the least that a supplier takes" if any(o.least > count for o in offers) else ""
    why = (
        f"The first batch buys {count} labels of every stratum from every supplier{more}: it "
        "measures their errors and times, and what labels of each stratum teach."
    )
    return BatchChoice(wanted, why, {"kind": "first", "labels_of_each": count})


def next_choice(
    surface: ResponseSurface,
    market: Market,
    rounds_left: int,
    buying: BuyingSection,
    accuracy: float | None = None,
    commonest: float | None = None,
) -> BatchChoice:
    """The next batch: what teaches most for the decisions to come, or the rest of the money.

    Where one round is left, the best purchase for all the money. Where all that can be bought is
    expected to gain less than `buying.least_gain`, nothing: over the labels that are there, or over
    `commonest`, the accuracy of always answering the commonest class, which costs nothing. That
    one is held against what was measured: `accuracy`, of all labels that were bought; None where
    they are too few.
    """
    search = PlanSearch(surface, market)
    plan, others = best_plan(search, market.money)
    evidence: dict[str, Any] = {
        "kind": "last" if rounds_left <= 1 else "learn",
        "plan": told_purchase(plan, surface, market.bought, accuracy).model_dump(),
        "others": [own.model_dump() for own in against(plan, others, surface)],
        "surface": _summary(surface),
    }
    chosen = _offers_of(plan, market)
    plain = _plain(market, chosen)
    ranked = []
    if rounds_left > 1:
        ranked = rank_batches(surface, plain, np.random.default_rng([buying.seed, rounds_left]))
    best = max([plan.expected, *(own.value for own in ranked[:1])])
    gain = 100 * (best - others.get("nothing more", plan).expected)
    evidence["gain"] = gain
    if plan.lines and gain < buying.least_gain:
        why = (
            "All that the money left buys is expected to gain too little accuracy (below "
            f"buying.least_gain = {buying.least_gain:g} in points): nothing more is worth its "
            "money."
        )
        return BatchChoice((), why, evidence)
    if plan.lines and accuracy is not None and commonest is not None:
        learnt = max([0.0, *(own.gain for own in ranked[:1])])
        told = evidence["plan"]["expected_accuracy"]["estimate"] + learnt
        evidence["gain_over_commonest"] = over = 100 * (told - commonest)
        if over < buying.least_gain:
            why = (
                "Nothing that the money left buys is expected to beat always answering the "
                f"commonest class by more (buying.least_gain = {buying.least_gain:g} in points): "
                "nothing more is worth its money. Look at the model or the question."
            )
            return BatchChoice((), why, evidence)
    if rounds_left <= 1:
        return _all_of(plan, market, buying, evidence)
    ranked = _large_enough(ranked, plain, Fraction(market.money) / rounds_left)
    batch = choose_batch(ranked, surface, plain, rounds_left)
    evidence["batches"] = [
        {"labels": own.labels, "value": own.value, "gain": own.gain} for own in ranked[:5]
    ]
    labels = {name: count for name, count in batch.labels.items() if count}
    if not labels:
        return BatchChoice((), _why_nothing(market), evidence)
    if sum(labels.values()) < buying.least:
        labels = _scaled_up(labels, plain, buying.least)
    labels = {name: count for name, count in labels.items() if count}
    labels, refused = raised_to_least(labels, chosen, market)
    evidence["below_least"] = [own.facts() for own in refused]
    wanted = tuple(WantedLabels(chosen[name], count) for name, count in labels.items())
    if not wanted:
        return _all_of(plan, market, buying, evidence)
    why = (
        "This batch teaches most for the decisions to come: about "
        f"{points(batch.gain)} points of accuracy."
        if batch.gain > 0
        else "This batch is a part of the purchase that is best as far as is known."
    )
    return BatchChoice(wanted, why, evidence)


def told_purchase(
    plan: Plan,
    surface: ResponseSurface,
    bought: Mapping[str, int],
    accuracy: float | None,
) -> PlannedPurchase:
    """A plan with the accuracy to expect of it, held against what was measured.

    What all labels that were bought scored above or below the surface, a purchase that goes on from
    them scores by the share that they are of it: the luck is theirs, and so is the surface's error.
    """
    counts, had, clean = (
        surface.counts([plan.used]),
        surface.counts([bought]),
        surface.clean_shares(),
    )
    if accuracy is None or not had.any() or not counts.any():
        return described(plan, surface)
    share = float(np.minimum(counts, had).sum() / counts.sum())
    here = surface.accuracy(had, clean[None])[:, 0]
    expected = plan.accuracy(surface) + share * (accuracy - here)
    spread = np.sqrt(fresh_luck(counts, had, clean, surface.luck)[0])
    rng = np.random.default_rng(_FORECAST_SEED)
    noise = rng.standard_normal(expected.size) * spread + surface.draws[:, -1]
    told = interval(float(np.clip(expected.mean(), 0, 1)), np.clip(expected + noise, 0, 1))
    return described(plan, surface).model_copy(update={"expected_accuracy": told})


def _large_enough(ranked: Sequence[Batch], market: Market, share: Fraction) -> list[Batch]:
    """The ranked batches, first the largest that costs at most `share` and is worth the most.

    `share` is one round's share of the money. Values so near to each other are told apart by chance
    alone; a smaller batch is as much work for a manager, a larger one leaves less to decide. Where
    all that are worth the most cost more, the best of all.
    """
    if not ranked:
        return []
    near = [own for own in ranked if own.value >= ranked[0].value - _AS_GOOD]
    within = [own for own in near if _cost(own, market) <= share]
    first = max(within, key=lambda own: _cost(own, market), default=ranked[0])
    return [first, *(own for own in ranked if own is not first)]


def _cost(batch: Batch, market: Market) -> Fraction:
    """Of a market with one price for each stratum."""
    return sum(
        (Fraction(market.terms[name].cost) * count for name, count in batch.labels.items()),
        Fraction(0),
    )


def _all_of(
    plan: Plan, market: Market, buying: BuyingSection, evidence: Mapping[str, Any]
) -> BatchChoice:
    labels = sum(line.labels for line in plan.lines)
    if not labels:
        return BatchChoice((), _why_nothing(market), evidence)
    if labels < buying.least:
        told = "one label" if labels == 1 else f"{labels} labels"
        why = f"The money left buys {told}, fewer than a batch has at least ({buying.least})."
        return BatchChoice((), why, evidence)
    wanted = tuple(WantedLabels(line.offer, line.labels) for line in plan.lines)
    return BatchChoice(wanted, "This is the best purchase for the money that is left.", evidence)


def _why_nothing(market: Market) -> str:
    """Why no labels are bought, in a sentence."""
    too_big = [own for own in offers_too_big(market) if own.most]
    if too_big and all(own.least > most_of(own, market) for own in market.offers):
        return " ".join(map(str, too_big))
    return "Nothing more is worth its money."


def _pairs(market: Market) -> list[tuple[str, str]]:
    """(stratum, supplier) of all that is offered."""
    return list(dict.fromkeys((offer.stratum, offer.supplier) for offer in market.offers))


def _first_offer(market: Market, stratum: str, supplier: str) -> Offer:
    own = sorted(
        (o for o in market.of_stratum(stratum) if o.supplier == supplier),
        key=lambda offer: offer.judgments,
    )
    return next((offer for offer in own if offer.judgments > 1), own[-1])


def _cost_of_label(offer: Offer) -> Decimal:
    return exact_decimal(Fraction(offer.cost) * offer.judgments)


def _most_of_each(market: Market, offers: list[Offer]) -> int:
    """How many items of its stratum every supplier can be asked about, all alike; 0 for none.

    Each at least about the fewest that it takes, so that others may have to take fewer.
    """
    most = min(
        (
            market.items[offer.stratum] if offer.capacity is None else offer.capacity
            for offer in offers
        ),
        default=0,
    )
    for name in market.strata:
        if own := [offer.least for offer in offers if offer.stratum == name]:
            most = _alike(own, market.items[name], most)
    return most


def _alike(least: list[int], items: int, most: int) -> int:
    """The largest number up to `most` for which the items are enough for all, each its least."""

    def needed(count: int) -> int:
        return sum(max(count, own) for own in least)

    return bisect_right(range(1, most + 1), items, key=needed)


def _offers_of(plan: Plan, market: Market) -> dict[str, Offer]:
    """Stratum -> the offer that a batch of it is bought of: the plan's, or the best value."""
    found = {}
    for name in market.strata:
        lines = [line for line in plan.lines if line.offer.stratum == name]
        if lines:
            found[name] = max(lines, key=lambda line: line.labels).offer
        else:
            every = market.of_stratum(name)
            own = [offer for offer in every if most_of(offer, market) >= offer.least] or every
            found[name] = min(own, key=lambda o: float(_cost_of_label(o)) / max(o.clean, 0.01) ** 2)
    return found


def _plain(market: Market, chosen: Mapping[str, Offer]) -> Market:
    """The market with one offer of each stratum, of whole labels at one price."""
    offers, items = [], {}
    for name, offer in chosen.items():
        plain = Offer(name, offer.supplier, 1, _cost_of_label(offer), offer.redraw_rate)
        offers.append(plain)
        most = market.items[name]
        items[name] = most if offer.capacity is None else min(most, offer.capacity)
    return replace(market, offers=tuple(offers), items=items)


def _scaled_up(labels: Mapping[str, int], market: Market, least: int) -> dict[str, int]:
    """The same batch with at least so many labels, as far as money and items go."""
    factor = Fraction(least, sum(labels.values()))
    wanted = {
        name: -(-count * factor.numerator // factor.denominator) for name, count in labels.items()
    }
    found, money = {}, Fraction(market.money)
    for name, count in wanted.items():
        cost = Fraction(market.terms[name].cost)
        can = count if not cost else min(count, int(money // cost))
        found[name] = min(can, market.items[name])
        money -= found[name] * cost
    return found


def _summary(surface: ResponseSurface) -> dict[str, Any]:
    """Draws of the surface, few enough to keep with every decision."""
    return {
        "strata": list(surface.strata),
        "target": surface.target,
        "clean": {name: float(surface.clean.get(name, 1.0)) for name in surface.strata},
        "draws": np.round(surface.draws[:100], 6).tolist(),
        "residual": surface.root_mean_square_residual,
    }
