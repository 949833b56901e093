"""Five by five: trained on each fifth of difficulty, tested on each (Kordi et al. 2025).

Difficulty is that of item response theory. The respondents are probes on another model, the last of
those given, not thousands of models. Probes on the model under study would call hard what
they themselves get wrong: then training on the hardest fifth turns their mistakes round, whatever
the items.
"""

from collections.abc import Sequence

import numpy as np

from analysis.accuracy import difference_table
from analysis.reproduce.claims import Case, PaperClaim, judged, positive
from analysis.reproduce.drawings import matrix
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.study import (
    NotApplicableError,
    Study,
    levels,
    on_level,
    purchases,
    untrained,
)
from analysis.reproduce.tables import CellValue, table
from annotation.arrays import Correct
from annotation.strata.cut import read_cut
from training.lab import Lab
from training.trial import Trial

MEASURE, BINS = "probe_difficulty", 5
LIMITED = PaperClaim(
    "no-level-serves-all",
    "Labels of one end of difficulty do not reach the other end.",
    "Kordi et al. 2025 (arXiv:2511.21692): generalisation across difficulty is limited",
    "In a case it holds where, on the fifth at one end, labels of that fifth are better than those "
    "of the fifth at the other end.",
)


class DifficultyBins:
    """Five fifths of item response difficulty."""

    name = "difficulty-bins"
    title = "Five fifths of difficulty"
    measures = (
        "Accuracy on each fifth of item response difficulty after training a probe on each fifth."
    )
    claims = (LIMITED,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        lab = _lab(study)
        trials = [trial for arm in _arms(study, lab).values() for trial in arm]
        return [WantedTrials(lab, (*trials, *untrained(lab, "probe")), "five fifths")]

    def find(self, study: Study, answers: Answers) -> Finding:
        lab = _lab(study)
        arms = {name: answers.correct(trials) for name, trials in _arms(study, lab).items()}
        untaught = answers.correct(untrained(lab, "probe"))
        names = levels(lab)
        rows: list[list[CellValue]] = []
        means: list[list[float | None]] = []
        for trained, correct in {"zero-shot": untaught, **arms}.items():
            cells = []
            for tested in names:
                mask, clusters = on_level(lab, tested)
                cells.append(clusters.accuracy(correct[:, mask]))
            rows.append([trained, *cells])
            means.append([cell.estimate for cell in cells])
        ends = ((names[-1], names[0]), (names[0], names[-1]))
        return Finding(
            claims=[judged(LIMITED, [_case(lab, arms, *pair) for pair in ends])],
            tables=[
                table(
                    "difficulty_bins",
                    "Trained on a row's fifth, tested on a column's",
                    [("trained on", "text"), *((name, "percent") for name in names)],
                    rows,
                )
            ],
            drawings=[
                matrix(
                    "difficulty_bins",
                    "Accuracy by the fifth trained on and the fifth tested on",
                    [str(row[0]) for row in rows],
                    names,
                    means,
                    ("trained on", "tested on"),
                )
            ],
            notes=[
                f"The respondents are probes on {study.models[-1].source.label}. "
                "Where all of them err, the hardest fifth gathers items whose right answer looks "
                "wrong to that model: a model that reads alike turns its answers round there."
            ],
        )


def _lab(study: Study) -> Lab:
    if len(study.models) < 2:
        raise NotApplicableError(
            "probes on the model under study would tell the difficulty of what they are tested "
            "on; give a second --model to tell it."
        )
    items = study.with_measure(MEASURE, len(study.models) - 1)
    return study.lab_of(items, read_cut(f"quantiles:{BINS}", MEASURE, items, study.source))


def _arms(study: Study, lab: Lab) -> dict[str, tuple[Trial, ...]]:
    labels, seeds = study.design.labels, study.design.seeds
    return {name: purchases(lab, "probe", {name: labels}, seeds) for name in lab.strata}


def _case(lab: Lab, arms: dict[str, Correct], own: str, other: str) -> Case:
    mask, clusters = on_level(lab, own)
    apart = difference_table(arms[own][:, mask], arms[other][:, mask])
    return positive(f"{own} fifth: labels of it less those of {other}", clusters, np.asarray(apart))
