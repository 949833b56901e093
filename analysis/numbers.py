"""Numbers as a reader wants them: money, percentages, points, ratios, counts.

Every function takes what `analysis.run.result` holds and returns plain text, so that no raw float
reaches a page or a terminal. A number that is absent or not finite becomes `NOT_KNOWN`.
"""

import math
from collections.abc import Iterable, Sequence

from analysis.estimates import Estimate, SupervisionGap

NOT_KNOWN = "not known"
MINUS = "\u2212"
SYMBOLS_BEFORE_THE_AMOUNT = ("$", "\u20ac", "\u00a3", "\u00a5", "US$")


def is_number(value: float | None) -> bool:
    """Whether there is a finite number to show."""
    return value is not None and math.isfinite(value)


def _signed(text: str) -> str:
    """Text of a number with a real minus sign, and none on a zero."""
    if not text.startswith("-"):
        return text
    return text[1:] if float(text.replace(",", "")) == 0 else MINUS + text[1:]


def count(value: int) -> str:
    """1240 -> '1,240'."""
    return _signed(f"{value:,}")


def percent(value: float | None, decimals: int = 1) -> str:
    """A fraction as a percentage: 0.604 -> '60.4 %'."""
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    return _signed(f"{100 * value:.{decimals}f}") + " %"


def points(difference: float | None) -> str:
    """A difference of two fractions in percentage points, signed: 0.012 -> '+1.2'."""
    if difference is None or not math.isfinite(difference):
        return NOT_KNOWN
    text = _signed(f"{100 * difference:.1f}")
    return f"+{text}" if difference > 0 and text != "0.0" else text


def ratio(value: float | None, decimals: int | None = None) -> str:
    """A ratio with two significant digits, or with the decimals given: 1.43 -> '1.4'."""
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    if decimals is None:
        size = abs(value)
        decimals = 0 if size >= 9.95 else 1 if size >= 0.995 or size < 1e-4 else 2
        if 1e-4 <= size < 0.0995:
            decimals = 1 - math.floor(math.log10(size))
        text = _signed(f"{value:,.{decimals}f}")
        return text[:-1] if decimals > 1 and text.endswith("0") else text  # 0.50 -> 0.5
    return _signed(f"{value:,.{decimals}f}")


def span(estimate: Estimate | SupervisionGap, kind: str = "percent", decimals: int = 1) -> str:
    """The interval of an estimate without its unit: '57.0 to 63.8'.

    `kind` is 'percent' (a fraction times 100), 'points' (the same; for differences) or 'ratio'.
    """
    if not (is_number(estimate.low) and is_number(estimate.high)):
        return f"interval {NOT_KNOWN}"
    ends = (estimate.low, estimate.high)
    if kind == "ratio":
        low, high = (ratio(end) for end in ends)
    else:
        low, high = (percent(end, decimals).removesuffix(" %") for end in ends)
    return f"{low} to {high}"


def interval_name(confidence: float) -> str:
    """0.95 -> '95 % interval'."""
    return f"{100 * confidence:g} % interval"


_RESIDUE = 1e-9  # of money, below which an amount is what floating point left over


def _is_whole(amount: float, digits: int) -> bool:
    """Whether so many decimals tell an amount; a tiny one is not told as none."""
    return abs(amount - round(amount, digits)) < _RESIDUE and not _RESIDUE <= abs(amount) < 0.005


def money(amount: float | None, currency: str) -> str:
    """'$720', '$0.50', '720 EUR'; cents only where there are any, fractions of a cent if needed."""
    if amount is None or not math.isfinite(amount):
        return NOT_KNOWN
    decimals = next(
        (digits for digits in (0, 2) if _is_whole(amount, digits)),
        2 if abs(amount) >= 1 else 4,
    )
    if _RESIDUE <= abs(amount) < 1e-4:  # not told as none
        decimals = 1 - math.floor(math.log10(abs(amount)))
    text = f"{abs(amount):,.{decimals}f}"
    sign = MINUS if amount < 0 and float(text.replace(",", "")) else ""
    if currency in SYMBOLS_BEFORE_THE_AMOUNT:
        return f"{sign}{currency}{text}"
    return f"{sign}{text} {currency}".rstrip()


def joined(parts: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def labels_text(labels: dict[str, int], order: Iterable[str] = ()) -> str:
    """A mix in words, strata without labels left out: '520 easy and 100 hard labels'."""
    names = [name for name in order if name in labels]
    names += [name for name in labels if name not in names]
    bought = [(labels[name], name) for name in names if labels[name]]
    if not bought:
        return "no labels"
    noun = "label" if len(bought) == 1 and bought[0][0] == 1 else "labels"
    return f"{joined([f'{count(number)} {name}' for number, name in bought])} {noun}"


def sgr_cost_unit(values: Iterable[float]) -> int:
    """The power of ten of currency for which SGR per cost, in percent, reads best: 1 to 10,000.

    The smallest one that shows the largest value as at least 1 %.
    """
    largest = max((value for value in values if math.isfinite(value)), default=0.0)
    return next((unit for unit in (1, 10, 100, 1000) if largest * unit >= 0.01), 10_000)
