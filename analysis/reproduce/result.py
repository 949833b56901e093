"""The schema of reproduction.json."""

from typing import Literal

from analysis.estimates import Record
from analysis.reproduce.claims import ClaimResult
from analysis.reproduce.tables import Table
from analysis.run.result import ModelSummary

Status = Literal["done", "not applicable", "not finished"]


class ExperimentResult(Record):
    """One experiment: what was measured, and what came of the claims about it."""

    name: str
    title: str
    measures: str
    status: Status
    why: str | None  # not done: what is missing
    claims: list[ClaimResult]
    tables: list[Table]
    figures: list[str]  # names of the figures' files, without .png and .svg
    notes: list[str]
    trials: int


class Reproduction(Record):
    """Every experiment that was asked for."""

    labelmix_version: str
    data: str
    source: str
    items: int
    item_fingerprint: str
    models: list[ModelSummary]
    design: dict[str, float | int | list[float] | list[int]]
    confidence: float
    remarks: list[str]  # how the items were read
    experiments: list[ExperimentResult]
    trials: int
    timing: dict[str, float]
