"""What a run learnt before any label: from inside its test set and from unlabelled items.

Sentences for the page and for the terminal alike; the methods are those of docs/glossary.md.
"""

from collections.abc import Iterable

from analysis.numbers import count, labels_text, percent, ratio
from analysis.run.result import MethodResult, Pull, Rehearsals, RunResult
from analysis.run.verdicts import guessing, is_vague, words_of


def cross_validation(result: RunResult, method: MethodResult) -> str:
    """For the figure: what its dots are; '' where the test set was not cross-validated."""
    if not method.lent_curve:
        return ""
    return (
        f" Dots: cross-validation inside the {result.target} test set, trained on a part of its "
        f"items ({words_of(result).known_answers}) and scored on the others; drawn at what as many "
        "labels would cost, though these cost none."
    )


def scoring(method: MethodResult, target: str) -> list[str]:
    """What scoring unlabelled items told, a sentence per stratum."""
    return [_scored(name, own, target) for name, own in method.pulls.items()]


def _scored(name: str, own: Pull, target: str) -> str:
    did = (
        f"{count(own.items)} unlabelled {name} items were scored by a linear probe that was "
        f"trained on half of the answers to {target} test items"
    )
    if is_vague(own):
        return (
            f"{did}: too uncertain to tell how much {name} labels teach about {target} items, so "
            "the plan rests on the pilot."
        )
    return (
        f"{did}: about what {target} items need, a right {name} label is expected to teach "
        f"{ratio(own.estimate)} times as much as a right {target} label does (give or take one "
        f"standard deviation: {ratio(own.low)} to {ratio(own.high)}). The plan uses this beside "
        f"the pilot, which alone shows whether {name} labels also do harm."
    )


def guessed_labels(method: MethodResult, strata: Iterable[str], target: str) -> list[str]:
    """What training on guessed labels told, or why it was not done; nothing where not tried."""
    own = method.rehearsals
    if own is None:
        return []
    verdict = guessing(own)
    if verdict == "not checked":
        return [
            f"Guessed labels (pseudo-labels) were not used: {target} labels teach so little in the "
            "cross-validation that good guesses cannot be told from bad ones."
        ]
    checked = _checked(own, target)
    if verdict == "wrong":
        return [f"{checked}. That is too far off: guessed labels were not used for the plan."]
    if verdict == "without a basis":
        return [
            f"{checked}. That is close enough, but there were too few other labels to guess from, "
            "or they contradict the guesses: guessed labels were not used for the plan."
        ]
    said = "; ".join(
        f"{labels_text(one.labels, strata)}: {percent(one.accuracy)} \u00b1 "
        f"{100 * one.deviation:.1f} points"
        for one in own.purchases
    )
    return [
        f"{checked}. That is close enough: the plan also uses what these purchases scored with "
        f"guessed labels, \u00b1 one standard deviation: {said}."
    ]


def _checked(own: Rehearsals, target: str) -> str:
    """How guessing came out where the answers are known."""
    off = f"{100 * abs(own.missed):.1f} points {'lower' if own.missed < 0 else 'higher'}"
    text = (
        f"Guessed labels (pseudo-labels) were checked on {target} items whose answers are known: "
        f"a linear probe trained on guesses scores {off} than one trained on labels"
    )
    sure = 100 * own.overconfidence
    if guessing(own) == "wrong" and sure >= 1:
        text += f", and the guesses claim to be right {sure:.0f} points more often than they are"
    return text
