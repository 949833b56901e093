"""What the groups of the items did to the test set, in sentences."""

from annotation.items.near_copies import ItemGroups
from training.split import Split

_FEW_GROUPS = 20  # below which intervals over groups are rough


def group_notes(groups: ItemGroups, split: Split, target: str) -> list[str]:
    """One sentence each; none where every item is a group of its own."""
    if not groups.any:
        return []
    tested = split.test[target]
    of = len(set(groups.codes[tested].tolist()))
    notes = []
    if groups.given.any():
        notes.append(
            f"The items are of {groups.sizes.size:,} groups, the largest of {groups.sizes.max():,} "
            "items."
        )
    if groups.copies.any():
        notes.append(
            f"{int(groups.copies.sum()):,} items ask what another item asks, but for case, "
            "punctuation or some choices: these count as one group."
        )
    left_out = sum(split.left_out.values())
    notes.append(
        f"No group is tested and sold both: the {tested.size:,} {target} test items are of {of:,} "
        f"groups, and {left_out:,} more items of tested groups are left out. Drawn item by item, "
        f"{split.parted:,} test items would have had another of their group for sale."
    )
    if of < _FEW_GROUPS:
        notes.append(
            f"The {target} test items are of {of} groups only: intervals over so few are rough and "
            "rather too narrow. Bring items of more groups."
        )
    return notes
