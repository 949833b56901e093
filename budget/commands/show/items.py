"""What `labelmix items describe` says of items."""

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from analysis.estimates import Record
from analysis.item_groups import group_counts, group_notes
from annotation.errors import InputError, cut_in_the_middle
from annotation.items.near_copies import group_items
from annotation.items.table import fingerprint, measures, shared_choices
from budget.commands.item_source import LoadedItems
from budget.commands.screen import Screen


class MeasureDescription(Record):
    """Distribution of one hardness measure over the items that have it; None if none has."""

    known: int
    minimum: float | None
    quartile_1: float | None
    median: float | None
    quartile_3: float | None
    maximum: float | None


_LONGEST_EXAMPLE = 1_000  # characters


class ItemsDescription(Record):
    """A table of items in numbers."""

    source: str
    items: int
    fingerprint: str
    groups: int
    choices: dict[str, int]  # number of choices -> items
    shared_choices: list[str] | None
    chance_accuracy: float | None  # None: free-form answers
    measures: dict[str, MeasureDescription]
    strata: dict[str, int] | None  # rule -> items, where a configuration says the cut
    example: str
    remarks: list[str]  # how they were read, what was left out, and what is said of their groups


def describe_items(loaded: LoadedItems) -> ItemsDescription:
    """Count choices, groups, the values of measures and, where they are cut, strata."""
    items, strata = loaded.items, loaded.strata
    counts = items["choices"].map(len).to_numpy()
    sizes, frequency = np.unique(counts, return_counts=True)
    common = shared_choices(items)
    assigned = loaded.stratum_of_items
    return ItemsDescription(
        source=loaded.source,
        items=len(items),
        fingerprint=fingerprint(items),
        groups=int(items["group"].nunique()),
        choices={str(size): int(n) for size, n in zip(sizes, frequency, strict=True)},
        shared_choices=list(common) if common else None,
        chance_accuracy=float((1 / counts).mean()) if counts.all() else None,
        measures={m: _describe_measure(items[m].to_numpy(dtype=float)) for m in measures(items)},
        strata={
            f"{name} ({strata.rule(name)})": int((assigned == name).sum()) for name in strata.names
        }
        if strata is not None
        else None,
        example=str(items["question"].iloc[0]),
        remarks=[*loaded.remarks, *loaded.strata_remarks, *_group_notes(loaded)],
    )


def _group_notes(loaded: LoadedItems) -> list[str]:
    """What is said of groups: as a run would, where a configuration says what is tested."""
    config = loaded.config
    if config is None:
        return group_counts(group_items(loaded.items))
    from budget.config.task import configured_task

    try:
        task = configured_task(config, loaded.items)
    except InputError as error:  # describing goes on: it may be what tells how to mend that
        return [*group_counts(group_items(loaded.items)), f"a run cannot start: {error}"]
    return group_notes(task.groups, task.split, task.target)


def _describe_measure(values: NDArray[np.float64]) -> MeasureDescription:
    known = values[~np.isnan(values)]
    quartiles: list[float | None] = [None] * 5
    if known.size:
        quartiles = np.quantile(known, [0, 0.25, 0.5, 0.75, 1]).tolist()
    minimum, quartile_1, median, quartile_3, maximum = quartiles
    return MeasureDescription(
        known=known.size,
        minimum=minimum,
        quartile_1=quartile_1,
        median=median,
        quartile_3=quartile_3,
        maximum=maximum,
    )


def show_description(description: ItemsDescription) -> None:
    """Print a description for a person."""
    console = Screen()
    console.print(f"{description.items:,} items from '{description.source}'", highlight=False)
    example = cut_in_the_middle(description.example, _LONGEST_EXAMPLE)
    console.print(f"for example: {example}", markup=False, highlight=False)
    choices = ", ".join(f"{n:,} with {size}" for size, n in description.choices.items())
    console.print(f"choices: {choices}; groups: {description.groups:,}", highlight=False)
    if description.chance_accuracy is not None:
        console.print(f"guessing is right on {description.chance_accuracy:.1%}", highlight=False)
    table = Table("measure", "known", "min", "25 %", "median", "75 %", "max", title="Hardness")
    for name, m in description.measures.items():
        numbers = (m.minimum, m.quartile_1, m.median, m.quartile_3, m.maximum)
        table.add_row(name, f"{m.known:,}", *("-" if n is None else f"{n:g}" for n in numbers))
    console.print(table)
    if description.strata is not None:
        strata = Table("stratum", "items", title="Strata")
        for rule, count in description.strata.items():
            strata.add_row(rule, f"{count:,}")
        console.print(strata)
    for remark in description.remarks:
        console.print(f"note: {remark}", highlight=False, soft_wrap=True)
