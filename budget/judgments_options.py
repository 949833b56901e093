"""What `labelmix judgments report` is asked, read from the command line's texts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from annotation.cutting import read_cut
from annotation.errors import InputError
from annotation.judgments.label_cost import Rates, read_amounts
from annotation.judgments.rejections import Reading, concatenated
from annotation.strata import Bands, Strata

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ItemSource:
    """Where items and strata come from: a run's configuration, or an item table and a cut."""

    config: Path | None = None
    data_dir: Path | None = None
    items: Path | None = None
    measure: str | None = None
    cut: str | None = None
    answers_are_gold: bool = False


def read_judgment_files(files: Sequence[Path], ground_truth_is_gold: bool) -> Reading:
    """The judgments of several files; the suffix says the format.

    Raises InputError if there is none, or one cannot be read.
    """
    from annotation.judgments.label_studio_export import read_label_studio_export
    from annotation.judgments.table import check_judgment_file

    readings: list[Reading] = []
    for path in files:
        if path.suffix.lower() == ".json":
            readings.append(read_label_studio_export(path, ground_truth_is_gold))
        elif path.suffix.lower() in (".csv", ".parquet"):
            readings.append(check_judgment_file(path))
        else:
            raise InputError(
                f"{path}: unknown kind of file '{path.suffix}'; give .json (Label Studio's "
                "export), .csv or .parquet."
            )
    return readings[0] if len(readings) == 1 else concatenated(readings)


def with_items(reading: Reading, source: ItemSource) -> tuple[Reading, "pd.DataFrame | None"]:
    """Judgments held against the items, and the items; None where there are none.

    Raises InputError if the items cannot be read or cut.
    """
    from annotation.judgments.item_checks import check_against_items
    from annotation.sources.tabular import load_unanswered

    if source.config is not None and source.items is not None:
        raise InputError("give either --config or --items; the former has its own items.")
    if source.measure is not None and source.items is None:
        raise InputError("--measure goes with --items; --config has its own strata.")
    if source.cut is not None and source.measure is None:
        raise InputError("--cut needs the measure that is cut; give --measure.")
    strata: Bands | None = None
    if source.config is not None:
        from annotation.sources import load_items
        from budget.config import read_config, with_overrides

        config = with_overrides(read_config(source.config, plans=False), data_dir=source.data_dir)
        items = load_items(config.items.source, **config.items.options())
        cut = config.strata
        strata = Strata(cut.measure, cut.easy_at_most, cut.hard_at_least)
    elif source.items is not None:
        items = load_unanswered(str(source.items))  # answers may be what is asked for
        if source.measure is not None:
            strata = read_cut(source.cut or "quantiles:3", source.measure, items)
    else:
        if source.answers_are_gold:
            raise InputError("--answers-are-gold needs items; give --items or --config.")
        return reading, None
    names = None
    if strata is not None:
        names = dict(zip(items["item_id"], strata.assign(items), strict=True))
    return check_against_items(reading, items, names, source.answers_are_gold), items


def read_counts(texts: Sequence[str], option: str) -> dict[str, int]:
    """Numbers given as NAME=NUMBER.

    Raises InputError that names what cannot be read.
    """
    counts: dict[str, int] = {}
    for name, value in read_pairs(texts, option).items():
        if not value.isdecimal() or len(value) > 12:
            raise InputError(f"{option} {name}={value}: should be a whole number, at least 0.")
        counts[name] = int(value)
    return counts


def read_numbers(texts: Sequence[str], option: str) -> dict[str, float]:
    """Numbers, below 0 too, given as NAME=NUMBER.

    Raises InputError that names what cannot be read.
    """
    numbers: dict[str, float] = {}
    for name, value in read_pairs(texts, option).items():
        try:
            numbers[name] = float(value)
        except ValueError:
            numbers[name] = math.nan
        if not math.isfinite(numbers[name]):
            raise InputError(f"{option} {name}={value}: should be a number.")
    return numbers


def read_pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Texts given as NAME=TEXT.

    Raises InputError that names what cannot be read.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.rpartition("="))
        if not equals or not name or not value:
            raise InputError(f"{option} '{text}': should be NAME=VALUE.")
        if name in pairs:
            raise InputError(f"{option} '{text}': '{name}' is given twice.")
        pairs[name] = value
    return pairs


def read_rates(hourly: Sequence[str], fee: str | None, recruiting: Sequence[str]) -> Rates:
    """What work is paid, from the texts of the options.

    Raises InputError that names what cannot be read, and if there are costs but no hourly rate.
    """
    per_hour, usual = read_amounts(hourly, "--rate")
    once, others = read_amounts(recruiting, "--recruiting")
    if others is not None:
        raise InputError("--recruiting is per stratum; give STRATUM=AMOUNT.")
    rates = Rates(per_hour, usual, recruiting=once)
    if fee is not None:
        named, amount = read_amounts([fee], "--fee")
        if named or amount is None:
            raise InputError(f"--fee '{fee}': should be one amount for every label.")
        rates = replace(rates, fee=amount)
    for option, given in (("--fee", fee), ("--recruiting", recruiting)):
        if given and not rates.are_known:
            raise InputError(
                f"{option} goes with --rate; where no hours are paid, give --rate 0 too."
            )
    return rates


def minutes_to_seconds(minutes: float, option: str) -> float:
    """Raises InputError if it is not a positive number of minutes."""
    if not 0 < minutes < math.inf:
        raise InputError(f"{option} should be a number of minutes above 0; got {minutes:g}.")
    return 60 * minutes
