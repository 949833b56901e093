"""Items with judgments that people gave: strata, error rates and labels come of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.run.result import CollectedSummary, MeasuredErrorRate
from annotation.arrays import Array
from annotation.errors import InputError
from annotation.hardness.same_judgments import of_same_judgments
from annotation.hardness.selection import OF_DISAGREEMENT, first_judgments, other_judgments
from annotation.items.told_by import remember, who_told
from annotation.judgments.item_checks import check_against_items
from annotation.judgments.read_files import read_judgment_files
from annotation.judgments.rejections import CheckedJudgments
from annotation.labelling.collected import CollectedJudgments
from annotation.team.error_rates import ErrorRates
from annotation.terms.clean_share import redraw_rates
from annotation.terms.cost import LabelTerms
from annotation.truth.coding import code_judgments, usable
from budget.config.collected_section import CollectedSection
from budget.config.run import RunConfig
from training.lab import CollectedLabels
from training.task import Task


@dataclass(frozen=True)
class JudgedItems:
    """Items with what their judgments say.

    `items` have the measures of the judgments that are looked at for strata; `reading` has all
    others, those that can be bought, and what was left out.
    """

    items: pd.DataFrame
    reading: CheckedJudgments
    section: CollectedSection


def judged_items(items: pd.DataFrame, section: CollectedSection, measure: str) -> JudgedItems:
    """Read the judgments of items, and measure by the first of each how hard it is.

    Raises InputError if a file cannot be read, none of its judgments fits, or the measure needs
    judgments that none are kept for.
    """
    free_form = np.flatnonzero(items["choices"].map(len).to_numpy() == 0)
    if free_form.size:
        raise InputError(
            f"item '{items['item_id'].iloc[int(free_form[0])]}' has no choices; labels of "
            "people's judgments are choices, so give every item some."
        )
    files = [Path(path) for path in section.judgments]
    reading = read_judgment_files(files, False, section.different_servers, section.control)
    fitting = check_against_items(reading, items)
    if fitting.judgments.empty:
        told = "give the items that were judged."
        if fitting.rejected:
            told = str(fitting.rejected[0])
        raise InputError(
            f"{', '.join(section.judgments)}: no judgment is of an item and one of its choices; "
            f"{told}"
        )
    kept = section.judgments_for_strata
    if kept and measure not in OF_DISAGREEMENT:
        raise InputError(
            f"annotators.judgments_for_strata keeps {kept} judgments of every item for the "
            f"measures {' and '.join(OF_DISAGREEMENT)}, but strata.measure is '{measure}'; "
            "set it to 0, or cut by one of these."
        )
    if kept == 1 or (kept and measure in items):
        why = "disagreement takes two" if kept == 1 else f"the items have a column '{measure}'"
        raise InputError(
            f"annotators.judgments_for_strata is {kept}, but {why}; set it to "
            f"{'2 or more' if kept == 1 else '0, or leave the column out'}."
        )
    for_sale = fitting.judgments
    if kept:
        split = first_judgments(items["item_id"], for_sale, kept)
        for_sale = split.evidence.judgments
        new = split.of_items.drop(columns="item_id").set_index(items.index)
        items = remember(items.assign(**new), list(new.columns), split.told)
        if usable(for_sale).empty:
            raise InputError(
                f"annotators.judgments_for_strata keeps {kept} judgments of every item, and no "
                "item has more; lower it, or collect more judgments."
            )
    elif (selectors := who_told(items, measure)) is not None:
        others = other_judgments(for_sale, selectors)
        for_sale = others.judgments
        if others.set_apart and usable(for_sale).empty:
            raise InputError(
                f"strata.measure '{measure}' was told by these very judgments, and none is left to "
                "be trained on and measure errors by; leave the column out and set "
                "annotators.judgments_for_strata, or collect more judgments."
            )
    elif measure in OF_DISAGREEMENT and measure not in items:
        raise InputError(
            f"strata.measure '{measure}' is told by judgments; set "
            "annotators.judgments_for_strata to how many of each item's may tell it (they are not "
            "bought), or bring it as a column of the items."
        )
    return JudgedItems(items, CheckedJudgments(for_sale, fitting.rejected, fitting.notes), section)


def measured_terms(
    judged: JudgedItems, task: Task, config: RunConfig
) -> tuple[dict[str, LabelTerms], CollectedSummary]:
    """Terms of the strata for sale, error rates measured where they are not given.

    By answers to items whose right answer is known, where there are enough, else by what fits the
    disagreement (`annotation.team.error_rates`).

    Raises InputError if an error rate can neither be measured nor was given.
    """
    stated = config.terms()
    strata = dict(zip(task.items["item_id"], task.stratum_of.tolist(), strict=True))
    against = check_against_items(judged.reading, task.items, strata, answers_are_gold=True)
    table = against.judgments
    order = list(task.strata.names)
    coded = code_judgments(table[table["stratum"].notna()], task.items, strata_order=order)
    if not (judged.section.judgments_for_strata or judged.section.strata_of_other_judgments):
        sign = of_same_judgments(coded, task.items, config.strata.measure)
        if sign is not None:
            raise InputError(
                f"strata look as if they were cut by these very judgments: {sign}. Then errors are "
                "measured by what decided who is hard. Leave the column out and set "
                "annotators.judgments_for_strata, or, if other judgments told it, set "
                "strata_of_other_judgments = true in [annotators]."
            )
    rates, measured = ErrorRates(coded), {}
    terms = {}
    for name, own in stated.items():
        given = config.annotators[name].error_rate
        if name not in coded.strata:
            raise InputError(f"stratum '{name}': none of its items was judged; collect judgments.")
        found = rates.stratum(coded.strata.index(name))
        measured[name] = MeasuredErrorRate(
            estimate=found.rate.estimate,
            low=found.rate.low,
            high=found.rate.high,
            method=found.method,
            judgments=found.judgments,
            shared_mistakes=found.shared_mistakes,
            gold_items_wanted=found.more_gold,
        )
        rate, kind = found.rate.estimate, own.error_kind
        if given is not None:
            rate = given
        elif rate is not None:
            # Measured is a share of wrong judgments. None wrong of n does not mean that none errs.
            rate, kind = max(rate, 0.5 / (found.judgments + 1)), "flip"
        if rate is None:
            raise InputError(
                f"stratum '{name}': its judgments do not tell how often they err; give "
                f"annotators.{name}.error_rate, or answers to some of its items."
            )
        terms[name] = LabelTerms(own.cost, rate, kind)
    summary = CollectedSummary(
        files=[Path(path).name for path in judged.section.judgments],
        judgments=len(coded.item),
        annotators=len(coded.annotators),
        items=len(coded.item_ids),
        left_out=sum(not own.row_stays for own in against.rejected),
        judgments_for_strata=judged.section.judgments_for_strata,
        aggregate=judged.section.aggregate,
        error_rates=measured,
        targets=config.targets.kind,
    )
    return terms, summary


def collected_labels(
    judged: JudgedItems, task: Task, terms: dict[str, LabelTerms], judgments: int
) -> CollectedLabels:
    """The labels that people gave, as a lab buys them.

    Raises InputError if no item has as many judgments as a label takes.
    """
    rates = _redraw_rates(task, terms)

    def labels(stream: str) -> CollectedJudgments:
        return CollectedJudgments(
            judged.reading.judgments,
            task.items,
            task.pools,
            rates,
            judgments,
            judged.section.aggregate,
            stream,
        )

    fresh, lent = labels(""), labels("lent ")
    target = task.test_positions[task.test_strata == task.target]
    return CollectedLabels(
        fresh,
        labels("pilot "),
        lent if lent.can_label(target) else None,
        {name: fresh.always_alike(name) for name in terms},
    )


def _redraw_rates(task: Task, terms: dict[str, LabelTerms]) -> Array:
    """How often a judgment of each item is a redraw, (items,), by its stratum's error rate."""
    rates = np.zeros(len(task.items))
    for name, own in terms.items():
        there = task.stratum_of == name
        rates[there] = redraw_rates(own.error_rate, own.error_kind, task.choice_counts[there])
    return rates
