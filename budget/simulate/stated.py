"""What `--assume` says: statements on the command line, in a file of beliefs, in measured terms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from annotation.errors import InputError, short
from annotation.name_value import name_and_value
from budget.config.toml import read_toml
from budget.simulate.statements import EXCLUSIVE, Statements, statement

_AXES = ("x", "y")


@dataclass(frozen=True)
class Stated:
    """What `--assume` says: statements, the axes that files name, and what is not used of them."""

    statements: Statements
    axes: dict[str, str]
    remarks: tuple[str, ...] = ()


def read_statements(given: Iterable[str], strata: tuple[str, str] = ("easy", "hard")) -> Stated:
    """Statements of `--assume`, later ones over earlier ones.

    Each is NAME=VALUE, NAME=LOW:HIGH, or a TOML file of such. A file may also have measured terms,
    as `labelmix judgments report --out` writes them: of them, those of `strata` are the easy and
    the hard ones.

    Raises InputError that names the option, or the file and the key.
    """
    found: Statements = {}
    axes: dict[str, str] = {}
    remarks: list[str] = []
    for text in given:
        pair = name_and_value(text)
        if pair is not None:
            name, value = pair
            _add(found, {name: statement(name, value, "--assume")})
        else:
            of_file = _read_file(Path(text), strata)
            _add(found, of_file.statements)
            axes |= of_file.axes
            remarks += of_file.remarks
    return Stated(found, axes, tuple(remarks))


def _add(found: Statements, later: Statements) -> None:
    both = {**found, **later}
    for one, other in EXCLUSIVE:
        if one in both and other in both:
            raise InputError(f"--assume: {one} and {other} say the same thing; give one of them.")
    found |= later


def _read_file(path: Path, strata: tuple[str, str]) -> Stated:
    document = read_toml(path, number=Decimal)
    found: Statements = {}
    axes: dict[str, str] = {}
    remarks: list[str] = []
    for key, entry in document.items():
        place = f"{path}: "
        if key == "annotators":
            _add(found, _measured_terms(path, entry, strata))
            remarks += _left_out(path, entry, strata)
            continue
        if key in _AXES:
            if not isinstance(entry, str):
                raise InputError(f'{place}{key} should be a text such as "budget=50:5000:60".')
            axes[key] = entry
            continue
        source = f"stated in {path.name}"
        if isinstance(entry, dict):
            unknown = sorted(set(entry) - {"value", "source"})
            if unknown or "value" not in entry or not isinstance(entry.get("source", ""), str):
                raise InputError(
                    f'{place}{key} should be a value, or {{value = ..., source = "..."}}.'
                )
            source = entry.get("source") or source
            entry = entry["value"]
        _add(found, {key: statement(key, _as_option(place + key, entry), source, place)})
    return Stated(found, axes, tuple(remarks))


def _measured_terms(path: Path, sections: object, strata: tuple[str, str]) -> Statements:
    """Costs and error rates of two strata from sections [annotators.STRATUM] of a file.

    Raises InputError if it has neither stratum, or a value that is no such term.
    """
    if not isinstance(sections, dict) or not any(name in sections for name in strata):
        there = ", ".join(map(str, sections)) if isinstance(sections, dict) else short(sections)
        raise InputError(
            f"{path}: annotators: a diagram is of two strata, {strata[0]} and {strata[1]}, and "
            f"neither has a section here; got {there}; rename the sections of the easy and the "
            "hard one."
        )
    found: Statements = {}
    kinds = {}
    for of, stratum in zip(("easy", "hard"), strata, strict=True):
        section = sections.get(stratum, {})
        if not isinstance(section, dict):
            raise InputError(f"{path}: annotators.{stratum} should be a section of terms.")
        for key, name in (("cost", f"cost-{of}"), ("error_rate", f"error-{of}")):
            if key in section:
                place = f"{path}: annotators.{stratum}.{key}"
                text = _as_option(place, section[key])
                source = f"measured, annotators.{stratum} of {path.name}"
                found[name] = statement(name, text, source, f"{place}, ")
        if "error_kind" in section:
            kinds[stratum] = str(section["error_kind"])
    if len(set(kinds.values())) > 1:
        raise InputError(
            f"{path}: annotators: a diagram has one error_kind; got "
            f"{' and '.join(f'{kind} of {name}' for name, kind in kinds.items())}."
        )
    for stratum, kind in kinds.items():
        place = f"{path}: annotators.{stratum}.error_kind, "
        found["error-kind"] = statement("error-kind", kind, f"stated in {path.name}", place)
    return found


def _left_out(path: Path, sections: Mapping[str, object], strata: tuple[str, str]) -> list[str]:
    """What there is to say about the sections of other strata."""
    others = [name for name in sections if name not in strata]
    if not others:
        return []
    return [
        f"Terms of {', '.join(others)} in {path.name} are not used: a diagram is of "
        f"{strata[0]} and {strata[1]} labels."
    ]


def _as_option(place: str, entry: object) -> str:
    """The value of a TOML key as an option would have it."""
    ends = entry if isinstance(entry, list) else [entry]
    numbers = [
        isinstance(end, (str, int, Decimal)) and not isinstance(end, bool) and end != ""
        for end in ends
    ]
    if not all(numbers) or len(ends) not in (1, 2) or (len(ends) == 1 and ends is entry):
        raise InputError(f"{place} should be a number, or two for an interval; got {entry}.")
    return ":".join(str(end) for end in ends)
