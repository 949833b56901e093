"""How measures of hardness are distributed, and how far they agree.

Hase et al. 2024, where human and model-based measures are compared. Nothing is trained but the
probes of the model-based measure. For the paper's own data sets, the correlations of its published
annotations are held against ours.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import combinations

from scipy import stats

from analysis.estimates import Estimate
from analysis.hardness.describe import describe_measure, spearman_matrix
from analysis.hardness.figure import draw_hardness, hardness_inches
from analysis.hardness.result import HardnessResult
from analysis.reproduce.claims import Case, ClaimResult, PaperClaim, judged, without_cases
from analysis.reproduce.drawings import Drawing
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.significance import LEVEL
from analysis.reproduce.study import NotApplicableError, Study
from analysis.reproduce.tables import CellValue, table
from annotation.items.table import measures

MODEL_BASED = "error_confidence"
_ALIKE = 0.5
_TOLERANCE = 0.005
# Spearman's rho in the annotations that Hase et al. 2024 published, counted on the 4,521 questions
# with a grade, and of question words on the 4,306 whose text is at hand.
PUBLISHED: dict[str, dict[tuple[str, str], float]] = {
    "arc": {
        ("grade", "difficulty"): -0.003,
        ("grade", "bloom"): -0.032,
        ("difficulty", "bloom"): 0.261,
        ("grade", "depth_of_knowledge"): -0.028,
        ("difficulty", "depth_of_knowledge"): 0.223,
        ("bloom", "depth_of_knowledge"): 0.909,
        ("grade", "question_words"): 0.137,
        ("difficulty", "question_words"): 0.135,
        ("bloom", "question_words"): 0.315,
        ("question_words", "answer_characters"): 0.113,
        ("grade", "answer_characters"): 0.052,
        ("difficulty", "answer_characters"): 0.149,
        ("bloom", "answer_characters"): 0.247,
    }
}
DIVERSE = PaperClaim(
    "measures-diverse",
    "Measures of hardness are diverse: no two of them rank the items alike.",
    "Hase et al. 2024 (arXiv:2401.06751): empirically diverse measures",
    f"In a pair it holds where Spearman's rho is within -{_ALIKE:g} and {_ALIKE:g} for sure.",
)
AS_PUBLISHED = PaperClaim(
    "correlations-as-published",
    "Correlations of the measures are those of the published annotations.",
    "Hase et al. 2024, their annotation file",
    f"In a pair it holds where rho is within {_TOLERANCE:g} of the published one; nothing is "
    "estimated, so there is no test.",
)


class Hardness:
    """Histograms and rank correlations."""

    name = "hardness"
    title = "Measures of hardness"
    measures = "Histograms of every measure of hardness, and rank correlations between them."
    claims = (DIVERSE, AS_PUBLISHED)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        with suppress(NotApplicableError):
            study.with_measure(MODEL_BASED)  # kept by the study; a plan learns of it here
        return []

    def find(self, study: Study, answers: Answers) -> Finding:
        items, notes = study.items, []
        names = [name for name in measures(items) if items[name].notna().any()]
        try:
            items = study.with_measure(MODEL_BASED)
            names.append(MODEL_BASED)
        except NotApplicableError as error:
            notes.append(f"The model-based measure is left out: {error}")
        described = [
            describe_measure(name, items, study.source, study.cuts.get(name), None, []).result
            for name in names
        ]
        found = HardnessResult(
            source=study.data,
            items=len(items),
            remarks=[],
            measures=described,
            spearman=spearman_matrix(items[names]),
            out=None,
        )
        pairs = list(_pairs(found))
        words = ", ".join(name.replace("_", " ") for name in names)
        title = f"Histograms and rank correlations: {words}"
        return Finding(
            claims=[
                judged(DIVERSE, [_diverse(*pair) for pair in pairs]),
                self._as_published(study.source, found),
            ],
            tables=[
                table(
                    "hardness_strata",
                    "Strata of every measure",
                    [
                        ("measure", "text"),
                        ("stratum", "text"),
                        ("rule", "text"),
                        ("items", "count"),
                        ("share", "percent"),
                    ],
                    [
                        [own.name.replace("_", " "), s.name, s.rule, s.items, s.share]
                        for own in described
                        for s in own.strata
                    ],
                ),
                table(
                    "hardness_correlations",
                    "Spearman's rho between measures",
                    [("measure", "text"), ("and", "text"), ("items", "count"), ("rho", "ratio")],
                    [_row(*pair) for pair in pairs],
                ),
            ],
            drawings=[
                Drawing(
                    "hardness",
                    title,
                    title,
                    hardness_inches(found),
                    lambda figure: draw_hardness(figure, found),
                )
            ],
            notes=notes,
        )

    def _as_published(self, source: str, found: HardnessResult) -> ClaimResult:
        if source not in PUBLISHED:
            return without_cases(
                AS_PUBLISHED, "no correlations of these items were published to compare with."
            )
        cases = []
        for (one, other), published in PUBLISHED[source].items():
            rho = found.spearman.get(one, {}).get(other)
            if rho is None:
                continue
            cases.append(
                Case(
                    f"{one} and {other}".replace("_", " "),
                    Estimate(estimate=rho, low=None, high=None),
                    known=abs(rho - published) <= _TOLERANCE,
                    unit="ratio",
                    note=f"published {published:.3f}, here {rho:.3f}",
                )
            )
        return judged(AS_PUBLISHED, cases)


def _pairs(found: HardnessResult) -> Iterator[tuple[str, str, int, float]]:
    """Every pair of measures with a correlation, and how many items have both at most."""
    known = {own.name: own.known for own in found.measures}
    for one, other in combinations(known, 2):
        rho = found.spearman[one][other]
        if rho is not None:
            yield one, other, min(known[one], known[other]), rho


def _diverse(one: str, other: str, items: int, rho: float) -> Case:
    distance = (math.atanh(_ALIKE) - math.atanh(min(abs(rho), 1 - 1e-12))) / _error(rho, items)
    less = float(stats.norm.sf(distance))
    return Case(
        f"{one} and {other}".replace("_", " "),
        correlation(rho, items),
        min(1.0, 2 * less),
        min(1.0, 2 * (1 - less)),
        unit="ratio",
    )


def correlation(rho: float, items: int) -> Estimate:
    """Spearman's rho with its interval (Bonett and Wright 2000, Psychometrika 65)."""
    if items <= 3 or abs(rho) >= 1:
        return Estimate(estimate=rho, low=None, high=None)
    half = float(stats.norm.ppf(1 - LEVEL / 2)) * _error(rho, items)
    middle = math.atanh(rho)
    return Estimate(estimate=rho, low=math.tanh(middle - half), high=math.tanh(middle + half))


def _error(rho: float, items: int) -> float:
    """Standard error of Fisher's z of a rank correlation."""
    return math.sqrt((1 + rho**2 / 2) / max(1, items - 3))


def _row(one: str, other: str, items: int, rho: float) -> list[CellValue]:
    return [one.replace("_", " "), other.replace("_", " "), items, correlation(rho, items)]
