"""A small table whose items stand in groups, with a configuration that cuts and tests them."""

import json
from pathlib import Path

GROUPS = 20
PER_GROUP = 12  # half of them easy, half hard

CONFIG = """
[items]
source = "tabular"
path = "items.jsonl"

[strata]
measure = "level"
easy_at_most = 1
hard_at_least = 3

[budget]
total = 1000

[pilot]
labels = {pilot}

[test]
items = 20
other_items = 10

[probe]
penalty = 0.1
"""


def write_grouped(folder: Path, pilot: int = 8) -> Path:
    """Write items of 20 passages, two of them near copies, and a configuration; its path.

    The 20 hard test items are of four passages: three whole ones, and what is missing.
    """
    rows = [
        {
            "item_id": f"i{n}",
            "question": f"Passage {n // PER_GROUP}, question {n}?",
            "choices": ["no", "yes"],
            "answer": n % 3 % 2,
            "level": 1 + 2 * (n % 2),
            "group": f"passage {n // PER_GROUP}",
        }
        for n in range(GROUPS * PER_GROUP)
    ]
    rows[-1]["question"] = "PASSAGE 19: question 238"
    (folder / "items.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    path = folder / "grouped.toml"
    path.write_text(CONFIG.format(pilot=pilot), encoding="utf-8")
    return path
