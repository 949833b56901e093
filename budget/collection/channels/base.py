"""How tasks reach a supplier, and how judgments come back."""

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from annotation.errors import InputError


@dataclass(frozen=True)
class Fetched:
    """What a supplier's people have said so far.

    Attributes
    ----------
    judgments : a judgment table; `source_id` tells one judgment from another for good
    whole : whether it is all that there is: what is not in it is gone
    notes : what could not be read, a line each
    remarks : what else people should know, a line each
    missing : items that were sent, and that nobody can answer any more
    """

    judgments: pd.DataFrame
    whole: bool
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()


class PlaceGoneError(InputError):
    """Where a supplier's people worked is gone for good: nothing comes from there any more."""


class Channel(Protocol):
    """One supplier's way out and back."""

    def send(self, lines: pd.DataFrame) -> str:
        """Bring all these lines to the supplier; what was sent before is not sent again.

        `lines` are those of all batches ordered so far, with columns batch, item_id, stratum,
        judgments and gold. Returns where they are, for people.

        Raises InputError if they cannot be sent; sending again goes on from there.
        """

    def fetch(self) -> Fetched:
        """What was answered so far.

        Raises InputError if it cannot be fetched: PlaceGoneError if it never can.
        """
