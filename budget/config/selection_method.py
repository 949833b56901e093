"""How the items that people are asked about are chosen."""

from typing import Literal

SelectionMethod = Literal["doubt", "random"]
"""How the next items of a stratum are chosen.

- "doubt": the judgments that are expected to take away most doubt, spread over different items.
- "random": new items at random, each with the same number of judgments.
"""
