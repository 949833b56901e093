"""Words that tell a purchase as made, or money as gone: not said of what was only simulated."""

import re
from collections.abc import Mapping, Sequence

_DONE = re.compile(
    r"\b(bought|paid|already|still to buy|purchased|ordered|spent|has cost|have cost)\b", re.I
)


def told_as_done(told: object) -> list[str]:
    """Every such word with what stands around it; none where nothing is told as done.

    `told` is a text, or what JSON holds: then all texts in it, but no keys.
    """
    if isinstance(told, str):
        plain = " ".join(told.split())
        return [plain[max(0, m.start() - 40) : m.end() + 40] for m in _DONE.finditer(plain)]
    if isinstance(told, Mapping):
        return told_as_done(list(told.values()))
    if isinstance(told, Sequence):
        return [found for own in told for found in told_as_done(own)]
    return []
