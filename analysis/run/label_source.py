"""Where the labels of a run came from: annotators that were simulated, or people's own judgments.

Nothing that was simulated is told as done, nothing that people gave is called simulated. A purchase
of a run is never an order: it is a draw, of simulated errors or from what was collected.
"""

from analysis.numbers import count, interval_name, joined, labels_text, money, percent, span
from analysis.run.result import CollectedSummary, MeasuredErrorRate, RunResult, StratumSummary
from analysis.run.verdicts import measured_error_rate, words_of
from annotation.intervals import CONFIDENCE  # of measured error rates

_MODELS = {
    "dawid_skene": "Dawid and Skene's model",
    "one_coin": "Dawid and Skene's model with one accuracy per annotator",
    "glad": "the model GLAD",
    "mace": "the model MACE",
    "hardness": "a model of annotators and of how hard each item is",
}
_TARGETS = {
    "smoothed": "smoothed labels, by how often they err",
    "uncertainty": "labels smoothed by the uncertainty of their judgments",
    "posterior": "the probability of every choice, given all judgments of an item (posteriors)",
    "forward": "labels, corrected for how often they err (forward correction)",
    "soft_labels": "each choice's share of the judgments of an item (soft labels)",
}
_METHODS = {"gold": "known answers", "majority": "majority votes"}


def where_labels_came_from(result: RunResult) -> list[str]:
    """What every number of the run rests on: a sentence each."""
    own = result.collected
    if own is None:
        return [
            "Annotators were simulated: a label is the item's own right answer, with errors put in "
            "at the stated rate. No person was asked, and none of it cost money."
        ]
    found = [
        f"Trained on people's own judgments: {count(own.judgments)} judgments by "
        f"{count(own.annotators)} annotators of {count(own.items)} items "
        f"({joined(own.files)}); {_how_labels_are_made(result, own)}. No annotator was simulated.",
    ]
    if own.targets != "hard_labels":
        found.append(f"Models were trained towards {_TARGETS[own.targets]}.")
    first = own.judgments_for_strata
    if first:
        which = "first judgment" if first == 1 else f"first {count(first)} judgments"
        verb = "was" if first == 1 else "were"
        found.append(f"The {which} of every item told how hard it is and {verb} not trained on.")
    rates = [f"{name} {_measured_rate(rate)}" for name, rate in own.error_rates.items()]
    found.append(f"Error rate of a judgment, as measured: {'; '.join(rates)}.")
    stated = [
        f"{name} {percent(result.strata[name].error_rate)}"
        for name in own.error_rates
        if measured_error_rate(result, name) is None
    ]
    if stated:
        found.append(f"Used as the configuration states it: {joined(stated)}.")
    found.append(
        "Every purchase is drawn from what was collected; nobody was asked anew, and costs are "
        "what such labels would cost."
    )
    if own.left_out:
        rows = "1 row" if own.left_out == 1 else f"{count(own.left_out)} rows"
        found.append(f"{rows} of the files could not be used.")
    return found


def _how_labels_are_made(result: RunResult, own: CollectedSummary) -> str:
    per_label = max(stratum.judgments for stratum in result.strata.values())
    if own.aggregate == "majority":
        return (
            "a label is one judgment"
            if per_label == 1
            else f"a label is the majority of {per_label}"
        )
    of = "one judgment" if per_label == 1 else f"{per_label} judgments"
    model = _MODELS.get(own.aggregate, own.aggregate)
    return f"a label is what {model} makes of {of}, with a probability for every choice (posterior)"


def _measured_rate(rate: MeasuredErrorRate) -> str:
    method = _METHODS.get(rate.method, _MODELS.get(rate.method, rate.method))
    return (
        f"{percent(rate.estimate)} ({interval_name(CONFIDENCE)} {span(rate)}; by {method}, "
        f"{count(rate.judgments)} judgments)"
    )


def error_rate(result: RunResult, name: str) -> str:
    """How often judgments of a stratum are wrong, by whom that is said, and then labels."""
    stratum, own = result.strata[name], result.collected
    if own is None or stratum.cost is None:
        return stated_error_rate(stratum)
    measured = measured_error_rate(result, name)
    text = (
        _measured_rate(measured)
        if measured is not None
        else f"as stated: {_short(stratum.error_rate)} of judgments are wrong"
    )
    if own.aggregate != "majority":
        return f"{text}; {_how_labels_are_made(result, own)}"
    if stratum.judgments > 1:
        text += f"; a label is the majority of {stratum.judgments}"
    if stratum.judgments > 1 and stratum.true_flip_rate is not None:
        text += (
            f", wrong in {_short(stratum.true_flip_rate)} if judgments err independently of each "
            "other"
        )
    return text


def stated_error_rate(stratum: StratumSummary) -> str:
    """The configured error rate, its kind in words, and how often a label is then wrong."""
    if stratum.cost is None:
        return "\u2013"
    if not stratum.error_rate:
        return "none: every label is right"
    rate = _short(stratum.error_rate)
    if stratum.error_kind == "redraw":
        text = f"{rate} are replaced by a choice drawn at random, which may be the right one"
    elif stratum.error_kind == "flip":
        text = f"{rate} are replaced by a wrong choice"
    else:
        text = f"{rate} of labels are in error"
    if stratum.judgments > 1:
        text += f"; a label is the majority of {stratum.judgments} such judgments"
    if stratum.true_flip_rate is not None:
        text += f"; so {_short(stratum.true_flip_rate)} of labels are wrong"
    return text


def _short(share: float | None) -> str:
    return percent(share).replace(".0 %", " %")


def basis(result: RunResult, name: str) -> str:
    """Where cost and error rate of a stratum come from."""
    stratum = result.strata[name]
    if stratum.cost is None:
        return "\u2013"
    if measured_error_rate(result, name) is not None:
        return f"cost {stratum.origin}, error rate measured"
    return stratum.origin


def pilot_of(result: RunResult) -> str:
    """What the pilot was, as a sentence without its end: whence its labels came, what they cost."""
    pilot = result.pilot
    labels = labels_text(pilot.labels, result.strata)
    cost = money(pilot.cost, result.currency)
    rounds = ""
    if len(result.rounds) > 1:
        each = "; ".join(labels_text(own.labels, result.strata) for own in result.rounds)
        rounds = f", in {len(result.rounds)} rounds ({each})"
    return f"The plan includes the {words_of(result).pilot(labels, cost)}{rounds}"
