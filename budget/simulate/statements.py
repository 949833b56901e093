"""What a user states about terms of sale and about the task: one name, a value, and its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from annotation.errors import InputError
from annotation.terms.cost import money
from annotation.terms.noise import check_error_kind
from budget.simulate.axes import QUANTITIES, decimal

HASE = "Hase et al. 2024, arXiv:2401.06751"
POSITIVE = ("half-labels", "steepness", "exponent", "shape", "signal", "noise-power")
# Of the task: the response surface's parameters. All else are terms of sale.
TASK = ("ceiling", "transfer", *POSITIVE)
TERMS = (
    "budget",
    "cost-easy",
    "cost-hard",
    "cost-ratio",
    "error-easy",
    "error-hard",
    "error-factor",
    "error-kind",
    "choices",
    "chance",
)
# Two ways to say one thing.
EXCLUSIVE = (("error-hard", "error-factor"), ("cost-hard", "cost-ratio"))
_MOST_CHOICES = 1000


@dataclass(frozen=True)
class Statement:
    """A number, an interval that holds 90 % of what is believed, or a word; and who says so."""

    name: str
    value: Decimal | tuple[Decimal, Decimal] | str
    source: str

    @property
    def number(self) -> Decimal:
        """The value of a statement that is a single number.

        Raises ValueError if it is none.
        """
        if isinstance(self.value, Decimal):
            return self.value
        raise ValueError(f"{self.name} is no single number; got {self.value!r}.")

    @property
    def text(self) -> str:
        if isinstance(self.value, tuple):
            low, high = self.value
            return f"{_plain_digits(low)} to {_plain_digits(high)}"
        return self.value if isinstance(self.value, str) else _plain_digits(self.value)


def _plain_digits(value: Decimal) -> str:
    """1500 for 1.5E+3 and for 1500.0."""
    return f"{value.normalize():f}"


Statements = dict[str, Statement]

DEFAULTS: Statements = {
    name: Statement(name, value if isinstance(value, str) else Decimal(value[0]), source)
    for name, value, source in (
        ("budget", ("320",), f"the largest purchase of the cost comparison in {HASE}"),
        ("cost-easy", ("1",), "the unit of money"),
        ("cost-ratio", ("2",), f"hard labels cost twice as much: {HASE}"),
        ("error-easy", ("0.1",), f"one of the error rates of {HASE}"),
        ("error-factor", ("2",), f"hard labels are twice as noisy: {HASE}"),
        ("error-kind", "redraw", f"errors are redraws over all choices: {HASE}"),
        ("choices", ("4",), f"choices of an item of ARC and MMLU, the data of {HASE}"),
    )
}


def override(base: Mapping[str, Statement], later: Mapping[str, Statement]) -> Statements:
    """Both, the later ones over the earlier; a cost that is stated drops a ratio, and so on."""
    found = dict(base)
    for pair in EXCLUSIVE:
        if any(name in later for name in pair):
            for name in pair:
                found.pop(name, None)
    return found | dict(later)


def statement(name: str, text: str, source: str, place: str = "--assume ") -> Statement:
    """What a text states of a term or of the task.

    Raises InputError that begins with the place it stands at.
    """
    try:
        return Statement(name, _value(name, text), source)
    except InputError as error:
        raise InputError(f"{place}{name}={text}: {error}") from None


def _value(name: str, text: str) -> Decimal | tuple[Decimal, Decimal] | str:
    if name not in (*TERMS, *TASK):
        raise InputError(f"nothing is called so; choose one of {', '.join((*TERMS, *TASK))}.")
    if name == "error-kind":
        check_error_kind(text)
        return text
    ends = [decimal(part.strip()) for part in text.split(":")]
    for end in ends:
        _check(name, end)
    if len(ends) == 1:
        return ends[0]
    if len(ends) > 2:
        raise InputError("should be one number, or two for an interval, as in 0.5:0.9.")
    if name not in TASK:
        raise InputError(f"should be one number: intervals are for {', '.join(TASK)}.")
    low, high = ends
    if low >= high:
        raise InputError("the first value should be below the second.")
    if name == "transfer" and (low <= -1 or high >= 1):
        raise InputError("the ends of an interval should lie between -1 and 1; write 0.99 for 1.")
    return low, high


def _check(name: str, value: Decimal) -> None:
    """Raise InputError if a single number is out of bounds."""
    if name in QUANTITIES:
        QUANTITIES[name].check(value)
    if name in ("budget", "cost-easy", "cost-hard"):
        money(value)
    if name in ("cost-easy", "cost-hard", *POSITIVE) and value <= 0:
        raise InputError("should be above 0.")
    if name in ("chance", "ceiling") and not 0 < value < 1:
        raise InputError("should be between 0 and 1.")
    if name == "choices" and (value != int(value) or not 2 <= value <= _MOST_CHOICES):
        raise InputError(f"should be a whole number within 2 and {_MOST_CHOICES}.")
