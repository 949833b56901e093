"""Assumptions from the literature. Every number here names where it comes from.

What no source gives is left to the prior, or is an axis: then all of it is shown.
"""

from dataclasses import dataclass
from decimal import Decimal

from annotation.errors import InputError
from budget.simulate.statements import DEFAULTS, HASE, Statement, Statements, override

REIN = "Rein et al. 2023 (GPQA), arXiv:2311.12022"
KORDI = "Kordi et al. 2025, arXiv:2511.21692"


@dataclass(frozen=True)
class Preset:
    """Stated numbers with their sources, and the two axes that they leave open.

    `note` says what the source does not tell.
    """

    name: str
    title: str
    x: str
    y: str
    stated: Statements
    note: str


def _stated(*rows: tuple[str, str, str]) -> Statements:
    found: Statements = {}
    for name, value, source in rows:
        plain = value if name == "error-kind" else Decimal(value)
        found[name] = Statement(name, plain, source)
    return found


_SHARE_WRONG = "'flip': the source gives the share that is wrong"
_GPQA_CHOICES = ("choices", "4", f"every question has four choices: {REIN}")
_OPEN = (
    "No source says what easy labels of such a task cost or how often they err: both are axes. "
    "Transfer and learning curve are the prior's."
)

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "paper",
            "Hard labels at twice the cost and twice the errors",
            x="budget=20:320:60",
            y="error-easy=0:0.3:60",
            stated={
                name: DEFAULTS[name]
                for name in ("cost-easy", "cost-ratio", "error-factor", "error-kind", "choices")
            },
            note=(
                f"Ranges of both axes: {HASE}, who compare 20 to 320 easy labels with half as many "
                "hard ones, and, apart from that, error rates p of 0 to .3 in easy labels with 2p "
                "in hard ones. Here both hold at once. Their accuracies are not used: transfer "
                "and learning curve are the prior's."
            ),
        ),
        Preset(
            "gpqa-experts",
            "Hard labels by experts who are right 65 % of the time",
            x="cost-ratio=1:10:60",
            y="error-easy=0:0.35:60",
            stated=_stated(
                ("error-hard", "0.35", f"experts are right on 65 %: {REIN}"),
                ("error-kind", "flip", _SHARE_WRONG),
                _GPQA_CHOICES,
            ),
            note=_OPEN,
        ),
        Preset(
            "gpqa-non-experts",
            "Hard labels by skilled non-experts who are right 34 % of the time",
            x="cost-ratio=1:10:60",
            y="error-easy=0:0.66:60",
            stated=_stated(
                (
                    "error-hard",
                    "0.66",
                    f"skilled non-experts are right on 34 %, with the web and after more than "
                    f"30 minutes: {REIN}",
                ),
                ("error-kind", "flip", _SHARE_WRONG),
                _GPQA_CHOICES,
            ),
            note=_OPEN,
        ),
        Preset(
            "physics",
            "Hard physics questions on which 40 % of expert labels are wrong",
            x="cost-ratio=1:10:60",
            y="error-easy=0:0.4:60",
            stated=_stated(
                (
                    "error-hard",
                    "0.4",
                    f"annotators with a PhD err on up to 40 % of some physics questions: {HASE}",
                ),
                ("error-kind", "flip", _SHARE_WRONG),
                ("choices", "4", f"choices of an MMLU physics question, as {HASE} use them"),
            ),
            note=_OPEN + " 40 % is the most that the source reports, not an average.",
        ),
        Preset(
            "transfer-decay",
            "Transfer that decays with the distance between easy and hard items",
            x="cost-ratio=1:10:60",
            y="transfer=0:1:60",
            stated=dict(DEFAULTS),
            note=(
                f"{KORDI}: transfer decays as training and test items lie farther apart in "
                "difficulty. They give no number that could stand for the transfer of this model, "
                "so all of 0 to 1 is shown: read a column from top (neighbouring items) to bottom "
                "(distant ones)."
            ),
        ),
    )
}


def find_preset(name: str) -> Preset:
    """Raises InputError if there is none of this name."""
    if name not in PRESETS:
        raise InputError(f"--preset {name}: no such preset; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]


def with_defaults(stated: Statements) -> Statements:
    """The statements, and the defaults of what they leave open."""
    return override(DEFAULTS, stated)
