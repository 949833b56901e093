"""A batch that was worked out: as many lines as the money pays for, and how people are told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from budget.collection.batching import fitting_least
from budget.collection.choosing import BatchChoice
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine, most_cost
from budget.config.collection_config import BuyingSection

_TOO_FEW = "Fewer items than a batch has at least are left to be asked about."


@dataclass(frozen=True)
class Proposal:
    """A batch that was worked out, and not kept yet; no `lines` where nothing is worth buying."""

    number: int
    lines: tuple[OrderLine, ...]
    most: int
    choice: BatchChoice


def priced(
    number: int,
    lines: Sequence[OrderLine],
    evidence: Callable[[Sequence[OrderLine]], Mapping[str, Any]],
    choice: BatchChoice,
    buying: BuyingSection,
    left: Decimal,
    unit: MoneyUnit,
) -> Proposal:
    """As many lines of a choice as the money surely pays for; `evidence` says why these."""
    share = Decimal(str(buying.extra))

    def cost(own: Sequence[OrderLine]) -> int:
        return sum(most_cost(own, share, unit).values())

    least = {(own.offer.supplier, own.offer.stratum): own.offer.least for own in choice.wanted}
    takes = {pair: count for pair, count in least.items() if count > 1}
    kept, refused = fitting_least(lines, cost, unit.units(left, "the money left"), takes)
    if refused:
        told = " ".join([choice.why, *map(str, refused)])
        below = [*choice.evidence.get("below_least", ()), *(own.facts() for own in refused)]
        choice = replace(choice, why=told, evidence={**choice.evidence, "below_least": below})
    if sum(line.gold is None for line in kept) < _least(choice, buying):
        few = sum(line.gold is None for line in lines) < _least(choice, buying)
        why = _TOO_FEW if few else "The money left pays for no batch that is worth placing."
        nothing = " ".join([why, *map(str, refused)])
        return Proposal(number, (), 0, replace(choice, wanted=(), why=nothing))
    choice = replace(choice, evidence={**choice.evidence, **evidence(kept)})
    return Proposal(number, tuple(kept), cost(kept) if kept else 0, choice)


def _least(choice: BatchChoice, buying: BuyingSection) -> int:
    """Labels that a batch has at least; none where nothing is wanted."""
    wanted = sum(own.labels for own in choice.wanted)
    return min(1 if choice.evidence.get("kind") == "first" else buying.least, wanted)


def batch_lines(proposal: Proposal, unit: MoneyUnit) -> list[str]:
    """A batch in lines, for people."""
    groups: dict[tuple[str, str, int], list[OrderLine]] = {}
    for line in proposal.lines:
        groups.setdefault((line.supplier, line.stratum, line.judgments), []).append(line)
    told, most = [proposal.choice.why, *proposal.choice.notes], 0
    for (supplier, stratum, judgments), own in groups.items():
        each = "one judgment" if judgments == 1 else f"{judgments} judgments"
        gold = sum(line.gold is not None for line in own)
        mixed = f", {gold} gold questions among them" if gold else ""
        cost = sum(line.judgments * line.price.most_cost(unit) for line in own)
        most += cost
        told.append(
            f"  {supplier}: {len(own)} {stratum} items, {each} of each{mixed}; "
            f"{unit.shown(cost)} at most"
        )
    if proposal.most > most:
        above = unit.shown(proposal.most - most)
        told.append(f"  judgments above those ordered, if some come: {above} at most")
    again = proposal.choice.evidence.get("selection", {}).get("again", ())
    if again:
        told.append(
            f"  {len(again):,} of these items are asked again: their answer is in doubt after the "
            "judgments so far"
        )
    told.append(f"batch {proposal.number} costs {unit.shown(proposal.most)} at most")
    return told


def against_commonest(
    accuracy: float | None, commonest: float | None, choice: BatchChoice
) -> list[str]:
    """A sentence where no model beats answering the commonest class of the test items."""
    if accuracy is None or commonest is None or accuracy > commonest:
        return []
    told = (
        f"Always answering the commonest class of the test items is right in {100 * commonest:.1f} "
        f"%; all labels so far reach {100 * accuracy:.1f} %"
    )
    plan = choice.evidence["plan"]["expected_accuracy"]["estimate"]
    if plan is None or plan > commonest:
        return [f"{told}."]
    return [f"{told}, and no purchase is expected to beat it: look at the model or the question."]


def about_bought_answers(wrong: float | None, target: str) -> list[str]:
    """A sentence on what accuracy means where a share of the test answers is wrong; None: known."""
    if wrong is None:
        return []
    return [
        f"The test items' answers were bought: about {100 * wrong:.1f} % of the {target} ones are "
        "wrong, and a measured accuracy may be off by as many points, or by more where people "
        "share mistakes."
    ]
