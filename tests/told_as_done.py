"""Words that tell a purchase as made, or money as gone: not said of what was only simulated."""

import re

_DONE = re.compile(
    r"\b(bought|paid|already|still to buy|purchased|ordered|spent|has cost|have cost)\b", re.I
)


def told_as_done(text: str) -> list[str]:
    """Every such word with what stands around it; none where nothing is told as done."""
    plain = " ".join(text.split())
    return [plain[max(0, m.start() - 40) : m.end() + 40] for m in _DONE.finditer(plain)]
