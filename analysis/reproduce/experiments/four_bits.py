"""Weights in 4 bits against the whole model: zero-shot answers on items of all levels."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.accuracy import difference_table
from analysis.reproduce.claims import PaperClaim, equivalent, judged
from analysis.reproduce.experiment import Answers, Finding, WantedTrials
from analysis.reproduce.level_tables import all_items
from analysis.reproduce.study import NotApplicableError, Study
from analysis.reproduce.tables import table
from training.lab import Lab
from training.trial import Trial

SAME = PaperClaim(
    "four-bits-do-no-harm",
    "A model in 4 bits answers as well as the whole model.",
    "Hase et al. 2024 (arXiv:2401.06751), who quantise to 8 bits; Dettmers et al. 2023 "
    "(arXiv:2305.14314) for 4",
    "It holds where the difference lies within a point either way for sure; it fails where it is "
    "larger for sure.",
)


class FourBits:
    """4 bits against the whole model."""

    name = "four-bits"
    title = "4 bits against full precision"
    measures = (
        "Zero-shot accuracy of the model in 4 bits and of the whole model, on the same items."
    )
    claims = (SAME,)

    def wanted(self, study: Study) -> Sequence[WantedTrials]:
        lab = _lab(study)
        return [WantedTrials(lab, _trials(lab), "whole and in 4 bits")]

    def find(self, study: Study, answers: Answers) -> Finding:
        lab = _lab(study)
        clusters = all_items(lab)
        whole, packed = (answers.correct([trial]) for trial in _trials(lab))
        apart = difference_table(packed, whole)
        case = equivalent(lab.source.label, clusters, apart, study.design.margin)
        same = float((packed == whole).mean())
        return Finding(
            claims=[judged(SAME, [case])],
            tables=[
                table(
                    "four_bits",
                    "Zero-shot accuracy on all test items",
                    [
                        ("model", "text"),
                        ("whole", "percent"),
                        ("4 bits", "percent"),
                        ("4 bits less whole", "points"),
                        ("alike right or wrong", "percent"),
                    ],
                    [
                        [
                            lab.source.label,
                            clusters.accuracy(whole),
                            clusters.accuracy(packed),
                            clusters.mean(apart),
                            same,
                        ]
                    ],
                )
            ],
        )


def _lab(study: Study) -> Lab:
    lab = study.lab(study.main)
    if lab.source.kind == "encoder":
        raise NotApplicableError("an encoder's weights are not put into 4 bits without training.")
    return lab


def _trials(lab: Lab) -> tuple[Trial, Trial]:
    whole = lab.recipes["zero_shot"]
    return (
        lab.trial(whole, {}, 0),
        lab.trial(replace(whole, quantisation="nf4"), {}, 0),
    )
