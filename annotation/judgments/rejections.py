"""Rows and values that cannot be used: each is named, with its place and what is wrong."""

from dataclasses import dataclass

import pandas as pd

from annotation.errors import InputError

NO_LABEL = "is empty; a judgment without one should be cancelled."
"""What is wrong with a row that has no label."""


@dataclass(frozen=True)
class Rejection:
    """A row that was left out, or a single value of it where the row stays.

    `row` counts from 1, in the order of the file, headers apart.
    """

    where: str
    row: int
    column: str
    value: str  # the value as Python prints it, shortened
    problem: str
    row_stays: bool = False

    def __str__(self) -> str:
        return f"{self.where}: row {self.row}, column '{self.column}': {self.problem}"


@dataclass(frozen=True)
class CheckedJudgments:
    """What a reader made of a file: a valid judgment table, and what it had to leave out.

    `notes` are about rows that are doubtful, but not wrong. `controls`: of an export of Label
    Studio, the control whose answers are the labels, where the file tells it.
    """

    judgments: pd.DataFrame
    rejected: tuple[Rejection, ...] = ()
    notes: tuple[Rejection, ...] = ()
    controls: tuple[str, ...] = ()

    def required(self) -> pd.DataFrame:
        """The judgments, where nothing was rejected.

        Raises InputError that names the first that was and says how many more there are.
        """
        if self.rejected:
            more = len(self.rejected) - 1
            also = f" ({more} more {'row is' if more == 1 else 'rows are'} wrong)" if more else ""
            raise InputError(f"{self.rejected[0]}{also}")
        return self.judgments

    def usable(self, strict: bool = False) -> "CheckedJudgments":
        """The same, where there are judgments to go on with.

        Raises InputError if there are none, or `strict` and a row or value was rejected.
        """
        if strict:
            self.required()
        if self.judgments.empty:
            first = f"; the first: {self.rejected[0]}" if self.rejected else ": there is none."
            raise InputError(f"no judgment can be used{first}")
        return self
