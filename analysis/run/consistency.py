"""Do the values of a `result.json` fit one another? Asked where no checksum speaks for them.

The schema has told before that every field is there and of its type.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LARGEST = 1e15  # of any number in a result: more is no count, no money and no accuracy
_LABELS = ("labels", "trained_on", "labels_after_pilot")  # fields of labels by stratum
_NEVER_NEGATIVE = ("cost", "budget", "money_left", "costs")
_SHARES = ("chance_accuracy", "error_rate", "error_rate_low", "error_rate_high", "true_flip_rate")


def inconsistency(result: Mapping[str, Any]) -> str | None:
    """What does not fit, as "place: why", of a result as plain values; None if nothing is found.

    Not every change can be found so: another accuracy is as possible as the one that was measured.
    """
    return next(_all_faults(result), None)


def _all_faults(result: Mapping[str, Any]) -> Iterator[str]:
    strata = result["strata"]
    yield from _of_values(result, "", strata)
    if not strata:
        yield "strata: there is none"
    for name, own in strata.items():
        if own["cost"] == 0:
            yield f"strata.{name}.cost: should be above 0"
        if (own.get("judged_items") or 0) > own["pool_items"]:
            yield f"strata.{name}.judged_items: should be at most the {own['pool_items']} for sale"
        if own["judgments"] == 0:
            yield f"strata.{name}.judgments: should be at least 1"
    if result["target"] not in strata:
        yield f"target: no stratum '{result['target']}'"
    if result["planning_method"] not in result["methods"]:
        yield f"planning_method: no method '{result['planning_method']}'"
    if result["choices_per_item"] < 1:
        yield "choices_per_item: should be at least 1"
    yield from _of_rate("exchange_rate", result["exchange_rate"], strata)
    for name, method in result["methods"].items():
        place = f"methods.{name}"
        if method["method"] != name:
            yield f"{place}.method: should be '{name}'"
        for own, rate in method["exchange_rates"].items():
            yield from _of_rate(f"{place}.exchange_rates.{own}", rate, strata)
            if rate["stratum"] != own:
                yield f"{place}.exchange_rates.{own}.stratum: should be '{own}'"
        yield from _of_surface(f"{place}.surface", method["surface"], result)
        for number, curve in enumerate(method["fitted_curves"]):
            lengths = {len(curve[part]) for part in ("costs", "estimate", "low", "high")}
            if len(lengths) > 1:
                yield f"{place}.fitted_curves.{number}: its lists should be of one length"


def _of_values(value: object, place: str, strata: Mapping[str, Any]) -> Iterator[str]:
    """Numbers that nothing could be, and labels of strata that are not there."""
    if isinstance(value, Mapping):
        name = place.rpartition(".")[2]
        if name in _LABELS:
            for unknown in (own for own in value if own not in strata):
                yield f"{place}: no stratum '{unknown}'"
        low, high = value.get("low"), value.get("high")
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            yield f"{place}: its low end lies above its high end"
        for key, own in value.items():
            yield from _of_values(own, f"{place}.{key}".lstrip("."), strata)
            yield from _of_named(str(key), own, f"{place}.{key}".lstrip("."))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, own in enumerate(value):
            yield from _of_values(own, f"{place}.{number}", strata)
    elif isinstance(value, int | float):
        if not abs(value) <= _LARGEST:  # true for "not a number", too
            yield f"{place}: should be a number of at most {_LARGEST:g}"
        elif isinstance(value, int) and value < 0:
            yield f"{place}: should be at least 0"


def _of_named(name: str, value: object, place: str) -> Iterator[str]:
    if name in _NEVER_NEGATIVE:
        values = value if isinstance(value, Sequence) else [value]
        if any(isinstance(own, int | float) and own < 0 for own in values):
            yield f"{place}: should be at least 0"
    if name in _SHARES and isinstance(value, int | float) and not 0 <= value <= 1:
        yield f"{place}: should be from 0 to 1"


def _of_rate(place: str, rate: Mapping[str, Any], strata: Mapping[str, Any]) -> Iterator[str]:
    for end in ("stratum", "target"):
        if rate[end] not in strata:
            yield f"{place}.{end}: no stratum '{rate[end]}'"


def _of_surface(place: str, surface: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    sold = [name for name, own in result["strata"].items() if own["cost"] is not None]
    names = surface["parameter_names"]
    for unknown in (own for own in (*surface["strata"], *surface["clean"]) if own not in sold):
        yield f"{place}: no stratum '{unknown}' is for sale"
    if len(set(surface["strata"])) < len(surface["strata"]):
        yield f"{place}.strata: names one twice"
    if surface["target"] != result["target"] or surface["target"] not in surface["strata"]:
        yield f"{place}.target: should be '{result['target']}', and one of its strata"
    if not surface["draws"]:
        yield f"{place}.draws: there is none"
    for number, draw in enumerate(surface["draws"]):
        if len(draw) != len(names):
            yield f"{place}.draws.{number}: should have {len(names)} numbers, one of each parameter"
    if not all(0 < own <= 1 for own in surface["clean"].values()):
        yield f"{place}.clean: shares should be above 0 and at most 1"
    deviations = [name for name in surface if name.startswith("root_mean") or "deviation" in name]
    for name in (*deviations, "luck"):
        if surface[name] < 0:
            yield f"{place}.{name}: should be at least 0"
