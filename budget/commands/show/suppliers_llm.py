"""What `labelmix suppliers llm` prints for a person, and as JSON."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from analysis.numbers import count
from annotation.machines.language_model.answer_file import TokenBill
from annotation.machines.language_model.asking import NO_MONEY, AskingForecast, ModelAnswers
from annotation.machines.language_model.tariff import Tariff
from annotation.terms.cost import exact_decimal
from budget.commands.printing import say

_NO_PRICE = "no price was given"


def _exact(amount: Fraction) -> str:
    """Every digit of an amount, and no more."""
    text = f"{exact_decimal(amount):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def forecast_json(found: AskingForecast, tariff: Tariff, most: Decimal | None) -> dict[str, Any]:
    """The forecast as plain values; money as exact texts, null where no price is known."""
    known = tariff.is_known
    return {
        "items": found.items,
        "to_ask": found.to_ask,
        "tokens_in": found.tokens_in,
        "tokens_out": found.tokens_out,
        "cost": _exact(found.cost) if known else None,
        "cost_at_most": _exact(found.most) if known else None,
        "spent_before": _exact(found.spent),
        "most": None if most is None else _exact(Fraction(most)),
    }


def show_forecast(found: AskingForecast, tariff: Tariff, most: Decimal | None) -> None:
    """Print what asking would take."""
    say(f"{count(found.items)} items, {count(found.to_ask)} requests to send")
    say(f"about {count(found.tokens_in)} tokens to send, {count(found.tokens_out)} to come back")
    if not tariff.is_known:
        say(f"money: {_NO_PRICE}")
    else:
        say(
            f"money: about {_exact(found.cost)}; at most {_exact(found.most)}, were every answer "
            "as long as it may be"
        )
    if found.spent:
        say(f"spent by earlier runs: {_exact(found.spent)}")
    if most is not None and found.spent + found.most > most:
        say(f"--most {_exact(Fraction(most))} may stop it before all items are answered")
    say("nothing was sent")


def _bill(bill: TokenBill, tariff: Tariff) -> dict[str, Any]:
    return {
        "requests": bill.requests,
        "counted_at_most": bill.unknown,
        "tokens_in": bill.tokens_in,
        "tokens_out": bill.tokens_out,
        "cost": _exact(bill.cost) if tariff.is_known or bill.cost else None,
    }


def asked_json(
    found: ModelAnswers, tariff: Tariff, own: TokenBill, all_runs: TokenBill
) -> dict[str, Any]:
    """What was answered and the bills as plain values; money as exact texts."""
    answered = sum(label is not None for label in found.labels)
    return {
        "items": len(found.labels),
        "answered": answered,
        "with_confidence": sum(own is not None for own in found.confidences),
        "answered_before": found.kept,
        "without_answer": dict(found.reasons),
        "bill": _bill(own, tariff),
        "bill_of_all_runs": _bill(all_runs, tariff),
    }


def show_asked(found: ModelAnswers, tariff: Tariff, own: TokenBill, all_runs: TokenBill) -> None:
    """Print what was answered, what was not and why, and the bill."""
    said = asked_json(found, tariff, own, all_runs)
    say(
        f"{count(said['answered'])} of {count(said['items'])} items answered, "
        f"{count(said['with_confidence'])} with how sure the model was"
    )
    if found.kept:
        say(f"{count(found.kept)} had been asked before")
    for reason, number in sorted(found.reasons.items()):
        say(f"without answer: {count(number)} ({reason})")
    say(_line("bill", own, tariff))
    if all_runs != own:
        say(_line("bill of all runs", all_runs, tariff))
    if NO_MONEY in found.reasons:
        say("the same command with a higher --most goes on from there")


def _line(name: str, bill: TokenBill, tariff: Tariff) -> str:
    said = _bill(bill, tariff)
    line = (
        f"{name}: {said['cost'] or _NO_PRICE}; {count(bill.requests)} requests, "
        f"{count(bill.tokens_in)} tokens sent, {count(bill.tokens_out)} tokens of answers"
    )
    if bill.unknown:
        line += f"; counted at the most they may cost, as nobody told: {count(bill.unknown)}"
    return line
