"""What every measured number is stored as: an estimate with its interval."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Record(BaseModel):
    """Base of all records: unknown fields are an error, not a silent loss."""

    model_config = ConfigDict(extra="forbid")


class Estimate(Record):
    """A number with its interval; all three are None where it cannot be told."""

    estimate: float | None
    low: float | None
    high: float | None


def _alone(value: object) -> object:
    """A number that an earlier version wrote without its interval."""
    if isinstance(value, int | float):
        return {"estimate": value, "low": None, "high": None}
    return value


OnceANumber = Annotated[Estimate, BeforeValidator(_alone)]
"""An estimate that earlier versions wrote as a number alone."""


class SupervisionGap(Record):
    """SGR = (easy - unsupervised) / (hard - unsupervised), all on the target test set.

    `easy` and `hard` were trained on the same number of labels. Where the gap
    (hard - unsupervised) is not resolved, estimate, low and high are None.
    """

    estimate: float | None
    low: float | None
    high: float | None
    resolved: bool
    easy: Estimate
    hard: Estimate
    unsupervised: Estimate
    gap: Estimate  # hard - unsupervised, paired
    labels: int  # per arm
