"""What to ask of suppliers, in sentences for somebody who negotiates with them.

Plain text. What was not found within the range that was looked at is said to be so.
"""

from analysis.numbers import count, money, percent, points
from budget.decision.result import FewerErrors, SupplierPair
from budget.decision.wording import probability, supplier_name


def who_is_ahead(pair: SupplierPair) -> str:
    """Which of two suppliers gives more for all the money, and how sure that is."""
    ahead, behind = supplier_name(pair.ahead), supplier_name(pair.behind)
    if pair.is_tie:
        return f"{ahead} and {behind} give the same for all the money."
    return (
        f"With all the money {ahead} gives {points(pair.difference.estimate)} points more than "
        f"{behind} (probability {probability(pair.probability_ahead)})."
    )


def what_to_ask(pair: SupplierPair, currency: str) -> str:
    """The price at which they tie, and so the discount; how far the other one's may rise."""
    if pair.is_tie:
        return "There is nothing to ask for: each can be had for what the other gives."
    ahead, behind = supplier_name(pair.ahead), supplier_name(pair.behind)
    now = money(pair.price_behind, currency)
    if pair.tie_price is None or pair.discount is None:
        asked = f"No discount makes {behind} as good; a label is at {now}."
    else:
        tie = money(_to_digits(pair.tie_price), currency)
        asked = (
            f"{behind} ties at {tie} a label in place of {now}: ask for a discount of "
            f"{percent(pair.discount, 0)}."
        )
    if pair.ahead_up_to is None:
        return asked
    up_to = money(_to_digits(pair.ahead_up_to), currency)
    return f"{asked} {ahead} stays the better one up to {up_to} a label."


def from_which_volume(pair: SupplierPair, currency: str) -> str:
    """From how much money, or labels, the other of the two is the better buy."""
    least, most = (money(_to_digits(own), currency) for own in (pair.least_money, pair.most_money))
    if pair.turns_at is None or pair.turns_labels is None:
        return f"That holds for any money from {least} to {most}."
    behind, ahead = supplier_name(pair.behind), supplier_name(pair.ahead)
    of_behind, of_ahead = pair.turns_labels
    return (
        f"{behind} is the better buy {pair.turns} {money(_to_digits(pair.turns_at), currency)}, "
        f"which is {count(of_behind)} labels of {behind} or {count(of_ahead)} of {ahead} "
        f"(looked at: {least} to {most})."
    )


def fewer_errors(own: FewerErrors, currency: str) -> str:
    """What a point fewer wrong labels is worth."""
    name = supplier_name(own.supplier)
    if own.worth is None:
        return f"{name}: no fewer errors to pay for."
    return (
        f"{name}: one point fewer wrong labels is worth {money(_to_digits(own.worth), currency)} "
        f"a label, on top of {money(own.price, currency)}."
    )


def _to_digits(amount: float) -> float:
    """Money that was searched for, to three digits: more would not be true."""
    return float(f"{amount:.3g}")
