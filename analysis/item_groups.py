"""What the groups of the items did to the test set and to what is for sale, in sentences."""

from annotation.items.near_copies import ItemGroups
from training.split import Split

_FEW_GROUPS = 20  # below which intervals over groups are rough


def group_notes(groups: ItemGroups, split: Split, target: str) -> list[str]:
    """One sentence each; none where every item is a group of its own."""
    if not groups.any:
        return []
    tested = split.test[target]
    of = len(set(groups.codes[tested].tolist()))
    left_out = sum(split.left_out.values())
    notes = [
        *group_counts(groups),
        f"No group is tested and sold both: the {_number(tested.size, f'{target} test item')} "
        f"{'is' if tested.size == 1 else 'are'} of {_number(of, 'group')}, and "
        f"{_number(left_out, 'more item')} of tested groups {'is' if left_out == 1 else 'are'} "
        f"left out. Drawn item by item, {_number(split.parted, 'test item')} would have had "
        "another of their group for sale.",
    ]
    if of < _FEW_GROUPS:
        notes.append(
            f"The {target} test items are of {_number(of, 'group')} only: intervals over so few "
            "are rough and rather too narrow. Bring items of more groups."
        )
    return notes


def group_counts(groups: ItemGroups) -> list[str]:
    """How many groups and near copies there are, before anything is split; none for no groups."""
    notes = []
    if groups.given.any():
        notes.append(
            f"The items are of {_number(groups.sizes.size, 'group')}, the largest of "
            f"{_number(int(groups.sizes.max()), 'item')}."
        )
    if groups.copies.any():
        notes.append(
            f"{int(groups.copies.sum()):,} items ask what another item asks, but for case, "
            "punctuation or some choices: these count as one group."
        )
    return notes


def kept_from_sale(split: Split, stratum: str, available: int, wanted: int) -> str:
    """Where a stratum has too few items because groups stay whole: that, and what helps.

    It follows the sentence that says so; "" where the groups are not the reason: then the items
    that they keep from sale would not be enough either.
    """
    left_out = split.left_out.get(stratum, 0)
    if not left_out or available + left_out < wanted:
        return ""
    return (
        f" {_number(left_out, 'more item')} of it {'is' if left_out == 1 else 'are'} not for sale: "
        "others of the same group are tested. Bring items of more groups, or map the column "
        "'group' to smaller ones."
    )


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
