"""The questions that sliders ask: an address on one side, what `labelmix plan` takes on the other.

A field that is left as the run has it does not stand in the address.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from urllib.parse import urlencode

from analysis.run.result import RunResult
from analysis.run.wording import method_name
from annotation.errors import InputError, short
from annotation.terms.cost import money
from budget.decision.question import PlanOptions

COST, RATE = "cost:", "rate:"
_MOST_ROUNDS = 20
_LONGEST = 40  # characters of a number


@dataclass(frozen=True)
class Field:
    """A number that may be changed; all of it as texts.

    `low`, `high` and `step` are those of its slider; `usual` is what counts where it is empty;
    `is_rare` are those that stand apart.
    """

    name: str
    label: str
    unit: str
    value: str
    usual: str
    low: str
    high: str
    step: str
    note: str = ""
    is_rare: bool = False

    @property
    def is_usual(self) -> bool:
        """Whether it is as the run has it."""
        return self.value == self.usual


@dataclass(frozen=True)
class MethodChoice:
    """A method whose evidence can be planned on."""

    name: str
    title: str
    is_chosen: bool


@dataclass(frozen=True)
class RunQuestion:
    """What an address asks.

    Attributes
    ----------
    options : for the decision
    query : the address's own part, with nothing that is as usual; may be empty
    """

    options: PlanOptions
    query: str


def read_question(result: RunResult, given: Mapping[str, str]) -> RunQuestion:
    """What the fields of an address ask; those it does not know are left out.

    Raises InputError if one cannot be read; what is out of range the decision tells.
    """
    fields = {name: text.strip() for name, text in given.items() if text.strip()}
    usual = {own.name: own.usual for own in fields_of(result, {})}
    kept = {
        name: text
        for name, text in fields.items()
        if name in usual and not _same(text, usual[name])
    }
    if fields.get("method", result.planning_method) != result.planning_method:
        kept["method"] = fields["method"]
    costs = {name.removeprefix(COST): _number(name, text) for name, text in kept.items()
             if name.startswith(COST)}  # fmt: skip
    rates = {name.removeprefix(RATE): _share(name, text) for name, text in kept.items()
             if name.startswith(RATE)}  # fmt: skip
    target = kept.get("target")
    if target is None:
        kept.pop("probability", None)
    asked = PlanOptions(
        budget=None if "budget" not in kept else str(_number("budget", kept["budget"])),
        costs=costs,
        error_rates=rates,
        method=kept.get("method"),
        target_accuracy=None if target is None else _share("target", target),
        probability=_share("probability", kept["probability"]) if "probability" in kept else 0.9,
        rounds_left=None if "rounds" not in kept else _rounds(kept["rounds"]),
        value_per_point=None if "value" not in kept else str(_number("value", kept["value"])),
    )
    return RunQuestion(asked, urlencode(kept))


def fields_of(result: RunResult, given: Mapping[str, str]) -> list[Field]:
    """All fields as they are filled in."""
    prices = {n: money(s.cost) for n, s in result.strata.items() if s.cost is not None}
    pilot = sum(
        (Fraction(prices[n]) * count for n, count in result.pilot.labels.items()), Fraction(0)
    )
    found = [
        _field("budget", "Budget, pilot included", result.currency, money(result.budget), given,
               low=Decimal(math.ceil(pilot)), high=3 * money(result.budget)),
    ]  # fmt: skip
    for name, price in prices.items():
        found.append(
            _field(f"{COST}{name}", f"Cost of a label, {name}", result.currency, price, given,
                   low=price / 20, high=4 * price)
        )  # fmt: skip
    for name in prices:
        rate = Decimal(str(round(100 * (result.strata[name].error_rate or 0.0), 2)))
        kind = result.strata[name].error_kind or "redraw"
        most = 100 if kind == "redraw" else math.floor(100 * (1 - 1 / result.choices_per_item))
        judgments = result.strata[name].judgments
        of = f"of each of its {judgments} judgments" if judgments > 1 else "of new labels"
        found.append(
            _field(f"{RATE}{name}", f"Error rate, {name}", "%", rate, given, low=Decimal(0),
                   high=Decimal(most), note=f"{kind}; {of}")
        )  # fmt: skip
    worth = money(result.budget)
    rare = [
        _open_field("target", "Accuracy to reach", "%", given, "30", "99", "1",
                    "empty: the most accuracy that the budget buys"),
        _field("probability", "Probability to reach it", "%", Decimal(90), given,
               low=Decimal(50), high=Decimal(99), note="counts where an accuracy is to be reached"),
        _open_field("rounds", "Purchases still to make", "", given, "1", "10", "1",
                    "tells what to buy first"),
        _open_field("value", "A point of accuracy is worth", result.currency, given, "0",
                    _plain(worth), _plain(_step(worth)), "tells when to stop"),
    ]  # fmt: skip
    return [*found, *(replace(own, is_rare=True) for own in rare)]


def methods_of(result: RunResult, given: Mapping[str, str]) -> list[MethodChoice]:
    """The methods of a run; none where there is no choice."""
    chosen = given.get("method") or result.planning_method
    names = list(result.methods)
    found = [MethodChoice(name, method_name(name), name == chosen) for name in names]
    return found if len(names) > 1 else []


def _field(
    name: str,
    label: str,
    unit: str,
    usual: Decimal,
    given: Mapping[str, str],
    low: Decimal,
    high: Decimal,
    note: str = "",
) -> Field:
    step = _step(high - low)
    low = (low / step).to_integral_value(rounding="ROUND_CEILING") * step if low else low
    value = given.get(name, "").strip() or _plain(usual)
    return Field(
        *(name, label, unit, value, _plain(usual), _plain(low), _plain(high), _plain(step), note)
    )


def _open_field(
    name: str,
    label: str,
    unit: str,
    given: Mapping[str, str],
    low: str,
    high: str,
    step: str,
    note: str,
) -> Field:
    """A field that is usually empty."""
    return Field(name, label, unit, given.get(name, "").strip(), "", low, high, step, note)


def _step(width: Decimal) -> Decimal:
    """A hundredth of a range or a little more: 1, 2 or 5 times a power of ten."""
    if width <= 0:
        return Decimal(1)
    rough = width / 100
    power = Decimal(1).scaleb(rough.adjusted())
    return next(own for own in (power, 2 * power, 5 * power, 10 * power) if own >= rough)


def _plain(value: Decimal) -> str:
    """2.50 -> 2.5, 1E+3 -> 1000."""
    text = f"{value.normalize():f}"
    return "0" if text == "-0" else text


def _same(text: str, usual: str) -> bool:
    try:
        return bool(usual) and Decimal(text) == Decimal(usual)
    except InvalidOperation:
        return False


_WHAT = {
    "budget": "the budget",
    "target": "the accuracy to reach",
    "probability": "the probability",
    "value": "what a point is worth",
    "rounds": "the purchases still to make",
}


def _number(name: str, text: str) -> Decimal:
    try:
        found = Decimal(text) if len(text) <= _LONGEST else None
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite():
        raise InputError(f"{_what(name)} should be a number; got {short(text)}.")
    return found


def _share(name: str, text: str) -> float:
    return float(_number(name, text) / 100)


def _rounds(text: str) -> int:
    found = _number("rounds", text)
    if found != found.to_integral_value() or not 1 <= found <= _MOST_ROUNDS:
        raise InputError(
            f"the purchases still to make should be a whole number from 1 to {_MOST_ROUNDS}; got "
            f"{short(text)}."
        )
    return int(found)


def _what(name: str) -> str:
    if name.startswith(COST):
        return f"the cost of a {name.removeprefix(COST)} label"
    if name.startswith(RATE):
        return f"the error rate of {name.removeprefix(RATE)} labels"
    return _WHAT[name]
