"""What an experiment is: the trials that it wants, and what it finds in their answers.

A further experiment is one file in `analysis/reproduce/experiments/` with a class that has what
`Experiment` asks for, and one line in `analysis/reproduce/registry.py`. All else comes with it: it
is listed, planned, run, resumed, drawn, written as tables and told on the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from analysis.reproduce.claims import ClaimResult, PaperClaim
from analysis.reproduce.drawings import Drawing
from analysis.reproduce.study import Study
from analysis.reproduce.tables import Table
from annotation.arrays import Correct
from training.lab import Lab
from training.trial import Trial, TrialResult


@dataclass(frozen=True)
class WantedTrials:
    """Trials of one lab; `what` says in a few words what they are for."""

    lab: Lab
    trials: tuple[Trial, ...]
    what: str


@dataclass(frozen=True)
class Answers:
    """What came of all trials that were wanted."""

    results: Mapping[str, TrialResult]  # by key

    def correct(self, trials: Sequence[Trial]) -> Correct:
        """Which test items came out right, (trials, test items); trials are seeds."""
        return np.stack([self.results[trial.key].correct for trial in trials])


@dataclass(frozen=True)
class Finding:
    """What an experiment found: a verdict for each of its claims, tables, figures, notes."""

    claims: Sequence[ClaimResult]
    tables: Sequence[Table] = ()
    drawings: Sequence[Drawing] = ()
    notes: Sequence[str] = field(default_factory=list)


class Experiment(Protocol):
    """One experiment of a paper.

    Attributes
    ----------
    name : as the command line has it
    title : for people
    measures : what is measured, in a sentence
    claims : what the paper says of it
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def measures(self) -> str: ...
    @property
    def claims(self) -> tuple[PaperClaim, ...]: ...

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        """Every trial whose answers `find` asks for; none where it works on the items alone.

        Raises `study.NotApplicableError` where the data set or the models cannot give it.
        """

    def find(self, study: Study, answers: Answers) -> Finding:
        """Tables, figures and a verdict for every claim, in the order of `claims`.

        Raises NotApplicableError as `wanted` does.
        """
