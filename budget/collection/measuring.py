"""What judgments say so far: how suppliers err, how long they take, and what the labels are."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import IntArray
from annotation.intervals import NOTHING, Interval
from annotation.judgments.schema import COLUMNS
from annotation.labelling.labels import Labels
from annotation.team.confusion import ClassConfusion, confusions
from annotation.team.error_rates import ErrorRate, ErrorRates
from annotation.truth.aggregation import Aggregate, Aggregator
from annotation.truth.coding import Coded, code_judgments
from annotation.truth.fitted_models import FittedModels
from annotation.truth.label_file import labels_table, training_posteriors
from budget.collection.class_shares import ClassShares, differing_shares
from budget.collection.random_share import Drawn, judgments_for_rates
from budget.collection.suppliers import UNMEASURED, Supplier
from budget.market.supplier_file import SuppliersFile, label_redraw_rate, terms_of
from training.task import Task

FEWEST = 10  # judgments of a supplier in a stratum, below which what was stated counts


@dataclass(frozen=True)
class SupplierMeasured:
    """One supplier in one stratum.

    Attributes
    ----------
    judgments, gold_answers : with a label, and those of them to gold questions
    error : as measured; None where nothing tells
    error_rate : what is planned with, as a share of wrong judgments: measured, else as stated
    is_measured : whether it was measured
    seconds : mean of a judgment's paid time; None where no time is known
    """

    supplier: str
    stratum: str
    judgments: int
    gold_answers: int
    error: ErrorRate | None
    error_rate: float
    is_measured: bool
    seconds: float | None

    def facts(self) -> dict[str, Any]:
        """All of it as JSON holds it; `low` and `high` are the ends of the rate's interval."""
        rate = None if self.error is None else self.error.rate
        own = {name: value for name, value in vars(self).items() if name != "error"}
        ends = {"low": None, "high": None} if rate is None else {"low": rate.low, "high": rate.high}
        return {**own, **ends}


@dataclass(frozen=True)
class MeasuredLabels:
    """What was bought, as labels.

    Attributes
    ----------
    labels : stratum -> labels of its items, none of them tested
    table : one row an item: item_id, label, confidence, judgments, posterior ...
    clean : stratum -> share of its labels that is clean, if judgments of an item err independently;
        plans take this one number
    wrong : stratum -> share of its labels that is wrong, mistakes that people share allowed for;
        only where judgments tell
    shares : how common classes are, of strata where labels of items that were drawn at random
        differ from test items
    """

    labels: Mapping[str, Labels]
    table: pd.DataFrame
    clean: Mapping[str, float]
    wrong: Mapping[str, Interval]
    shares: tuple[ClassShares, ...] = ()


class JudgmentsSoFar:
    """The judgments of a collection, looked at once.

    Parameters
    ----------
    judgments : a judgment table with `supplier` and `batch`; gold answers stand in `gold`
    task : items, strata and test set
    drawn : what was drawn at random, where other items were chosen: error rates are those of the
        judgments of it, see `budget.collection.random_share`

    Attributes
    ----------
    table : those that say one of the choices of an item that is here; `annotator` is told by
        supplier and person, who has a column of its own
    is_empty : whether there are none
    """

    def __init__(self, judgments: pd.DataFrame, task: Task, drawn: Drawn | None = None) -> None:
        self._task = task
        # One person may work for two suppliers, at two qualities.
        person = judgments["annotator"].astype(str)
        whose = judgments["supplier"].astype(str) + " / " + person
        stratum_of = dict(zip(task.items["item_id"], task.stratum_of.tolist(), strict=True))
        strata = judgments["item_id"].map(stratum_of)
        table = judgments.assign(annotator=whose, stratum=strata, person=person)
        # The order in which they came in says nothing, and should change nothing.
        in_order = table.sort_values(["item_id", "annotator", "source_id"], kind="stable")
        self._codes = codes_of_choices(task, set(judgments["item_id"]))
        self.table = in_order[_usable(in_order, self._codes)].reset_index(drop=True)
        self._supplier_of = dict(zip(whose, judgments["supplier"], strict=True))
        self.is_empty = self.table.empty
        if not self.is_empty:
            self.coded: Coded = code_judgments(
                self.table, task.items, strata_order=list(task.strata.names)
            )
            self._models = FittedModels(self.coded)
            counts = self.table["counts"].to_numpy(dtype=bool) if "counts" in self.table else None
            counted = None if counts is None else counts[self.coded.row]
            self._rates = ErrorRates(self.coded, models=self._models, counted=counted)
            self._counted = np.ones(self.coded.item.size, bool) if counted is None else counted
        self._at_random = self._only(drawn, judgments) if drawn is not None else None

    @property
    def not_chosen(self) -> pd.DataFrame:
        """The judgments of `table` that nobody asked for because an item was in doubt."""
        one = self._at_random
        if one is None:
            return self.table
        return one.table[one.table["counts"].to_numpy(dtype=bool)].reset_index(drop=True)

    @cached_property
    def _drawn(self) -> "JudgmentsSoFar":
        """The same of `not_chosen` alone."""
        return self if self._at_random is None else JudgmentsSoFar(self.not_chosen, self._task)

    def confusions(self) -> tuple[ClassConfusion, ...]:
        """Which class every supplier overlooks in every stratum, on items drawn at random."""
        own = self._drawn
        if own.is_empty:
            return ()
        coded = own.coded
        several = np.bincount(coded.item, minlength=len(coded.item_ids)).max() > 1
        found = own._models.calibrated(None if several else "majority")
        names = dict.fromkeys(own._supplier_of.values())
        return confusions(coded, found.unchecked, {name: own._people(name) for name in names})

    def _only(self, drawn: Drawn, judgments: pd.DataFrame) -> "JudgmentsSoFar":
        """The judgments that error rates are estimated on, as if there were no others."""
        return JudgmentsSoFar(judgments_for_rates(judgments, drawn), self._task)

    def of_supplier(
        self, supplier: Supplier, stratum: str, file: SuppliersFile
    ) -> SupplierMeasured:
        """One supplier in one stratum that it labels."""
        terms = terms_of(file.suppliers[supplier.name], stratum)
        stated, kind = terms.get("error_rate"), terms.get("error_kind", "redraw")
        rate = UNMEASURED if stated is None else float(stated)
        if stated is not None and kind == "redraw":
            choices = self._choices(stratum)
            rate *= (choices - 1) / choices  # a redraw hits the right answer now and then
        nothing = SupplierMeasured(supplier.name, stratum, 0, 0, None, rate, False, None)
        chosen = self._judged(supplier.name, stratum)
        count = int(chosen.sum())
        if not count:
            return nothing
        error, found = self._error(supplier.name, stratum, count)
        is_measured = found is not None
        rate = rate if found is None else found
        rows = self.table.iloc[self.coded.row[chosen]]
        longest = float(supplier.prices[stratum].most_seconds) or np.inf
        seconds = rows["seconds"].dropna().clip(upper=longest)
        return SupplierMeasured(
            supplier.name,
            stratum,
            count,
            int(rows["gold"].notna().sum()),
            error,
            rate,
            is_measured,
            float(seconds.mean()) if len(seconds) else None,
        )

    def _judged(self, supplier: str, stratum: str) -> NDArray[np.bool_]:
        """Which judgments are a supplier's in a stratum, (judgments,)."""
        if self.is_empty:
            return np.zeros(0, dtype=bool)
        if stratum not in self.coded.strata:
            return np.zeros(self.coded.item.size, dtype=bool)
        code = self.coded.strata.index(stratum)
        own = self._people(supplier)[self.coded.annotator]
        return np.asarray(own & (self.coded.judged_stratum == code))

    def _people(self, supplier: str) -> NDArray[np.bool_]:
        """Which annotators are a supplier's, (annotators,)."""
        return np.array(
            [self._supplier_of[str(name)] == supplier for name in self.coded.annotators]
        )

    def _error(self, supplier: str, stratum: str, count: int) -> tuple[ErrorRate, float | None]:
        """How a supplier errs in a stratum that it judged, and the rate; None if not measured."""
        if self._at_random is not None:
            one = self._at_random
            there = one._judged(supplier, stratum)
            own = int((there & one._counted).sum()) if there.size else 0
            return one._error(supplier, stratum, own)
        if not count:
            return ErrorRate(NOTHING, "hardness", 0), None
        error = self._rates.of_group(self._people(supplier), self.coded.strata.index(stratum))
        if count < FEWEST or error.rate.estimate is None:
            return error, None
        # None wrong of n does not mean that none errs.
        return error, max(error.rate.estimate, 0.5 / (count + 1))

    def _rate_of_before(self, supplier: str, stratum: str) -> float:
        """The error rate of a supplier that is asked no more, as measured."""
        rate = self._error(supplier, stratum, int(self._judged(supplier, stratum).sum()))[1]
        return UNMEASURED if rate is None else rate

    def labels(
        self, measured: Mapping[tuple[str, str], SupplierMeasured], aggregator: Aggregator | None
    ) -> MeasuredLabels:
        """The labels that can be trained on: of items that are not tested.

        With one judgment an item no model can doubt it, and labels are what was said.

        Parameters
        ----------
        measured : (supplier, stratum) -> how it errs
        aggregator : how a label is made of judgments; None for what the judgments call for
        """
        task, coded = self._task, self.coded
        counts = np.bincount(coded.item, minlength=len(coded.item_ids))
        how: Aggregator | None = aggregator if counts.max() > 1 else "majority"
        found = self._models.calibrated(how)
        for_training = self._for_sale()
        table = labels_table(coded, found)[for_training].reset_index(drop=True)
        wrong = self._wrong_shares(measured)
        redraws = np.array([wrong[item] for item in table["item_id"]])
        positions, posteriors = training_posteriors(table, task.items)
        judgments = self._matrix(table["item_id"].tolist())
        every = Labels(positions, judgments, redraws, posteriors)
        strata = task.stratum_of[positions]
        own = {name: np.flatnonzero(strata == name) for name in task.strata.names}
        return MeasuredLabels(
            {name: every.chosen(places) for name, places in own.items()},
            table,
            {n: 1 - float(redraws[places].mean()) for n, places in own.items() if places.size},
            self._wrong_labels([n for n, places in own.items() if places.size], found),
            self._shares(aggregator, self._most_wrong(measured)),
        )

    def _for_sale(self) -> NDArray[np.bool_]:
        """Which judged items are for sale, (judged items,)."""
        task = self._task
        sold = np.concatenate(list(task.pools.values()))
        names = set(task.items["item_id"].iloc[sold])
        tested = set(task.items["item_id"].iloc[task.test_positions])
        return np.isin(self.coded.item_ids, list(names - tested))

    def _shares(
        self, aggregator: Aggregator | None, most_wrong: Mapping[str, float]
    ) -> tuple[ClassShares, ...]:
        """Classes of strata where labels and test items differ.

        Of items that were drawn at random, where others were chosen: those in doubt are of other
        classes than all.
        """
        own = self._drawn
        if own.is_empty:
            return ()
        coded = own.coded
        several = np.bincount(coded.item, minlength=len(coded.item_ids)).max() > 1
        found = own._models.calibrated(aggregator if several else "majority")
        return differing_shares(found, coded, self._task, own._for_sale(), most_wrong)

    def _wrong_labels(self, strata: Sequence[str], aggregate: Aggregate) -> dict[str, Interval]:
        found = {
            name: self._rates.label_error(
                self.coded.strata.index(name), aggregate.likeliest_unchecked
            )
            for name in strata
        }
        return {name: wrong for name, wrong in found.items() if wrong.estimate is not None}

    def _most_wrong(self, measured: Mapping[tuple[str, str], SupplierMeasured]) -> dict[str, float]:
        """Stratum -> share of its judgments that are wrong at most, of strata where gold tells.

        Without gold no model sees mistakes that people share, and those are what is asked after.
        """
        judged: dict[str, list[tuple[int, float]]] = {}
        for (_, stratum), own in measured.items():
            told = own.error is not None and own.error.shared_mistakes == "measured"
            high = own.error.rate.high if told and own.error is not None else None
            judged.setdefault(stratum, []).append((own.judgments, 1.0 if high is None else high))
        counts = {stratum: sum(count for count, _ in own) for stratum, own in judged.items()}
        return {
            stratum: sum(count * most for count, most in own) / counts[stratum]
            for stratum, own in judged.items()
            if counts[stratum]
        }

    def _wrong_shares(
        self, measured: Mapping[tuple[str, str], SupplierMeasured]
    ) -> dict[str, float]:
        """Item -> redraw rate of its label: of a majority of judgments that err as measured."""
        coded = self.coded
        suppliers = [self._supplier_of[str(name)] for name in coded.annotators]
        rates = {pair: own.error_rate for pair, own in measured.items()}
        found = {}
        starts = np.flatnonzero(np.r_[True, coded.item[1:] != coded.item[:-1]])
        ends = np.r_[starts[1:], coded.item.size]
        for start, end in zip(starts, ends, strict=True):
            item = int(coded.item[start])
            stratum = coded.strata[coded.stratum[item]]
            pairs = [(suppliers[who], stratum) for who in coded.annotator[start:end]]
            for pair in pairs:
                if pair not in rates:
                    rates[pair] = self._rate_of_before(*pair)
            rate = float(np.mean([rates[pair] for pair in pairs]))
            found[str(coded.item_ids[item])] = label_redraw_rate(
                rate, "flip", min(end - start, _MOST_COUNTED), int(coded.choice_counts[item])
            )
        return found

    def _matrix(self, items: list[str]) -> IntArray:
        """What annotators said of each item, (items, most judgments), -1 where there are fewer."""
        coded, place = self.coded, {item: row for row, item in enumerate(items)}
        said: list[list[int]] = [[] for _ in items]
        for item, label in zip(coded.item, coded.label, strict=True):
            name = str(coded.item_ids[item])
            if name in place:
                said[place[name]].append(self._codes[name][coded.text(int(item), int(label))])
        most = max((len(own) for own in said), default=1)
        rows = [own + [-1] * (most - len(own)) for own in said]
        return np.array(rows, dtype=np.int64).reshape(len(items), most)

    def _choices(self, stratum: str) -> float:
        counts = self._task.choice_counts[self._task.stratum_of == stratum]
        return float(counts.mean())


_MOST_COUNTED = 7  # judgments of one item; more make a majority hardly any surer


def codes_of_choices(task: Task, judged: Container[str]) -> dict[str, dict[str, int]]:
    """Item -> its choices, without outer blanks, and their places; of items that were judged."""
    return {
        item: {str(text).strip(): code for code, text in enumerate(choices)}
        for item, choices in zip(task.items["item_id"], task.items["choices"], strict=True)
        if item in judged
    }


def _usable(judgments: pd.DataFrame, codes: Mapping[str, Mapping[str, int]]) -> NDArray[np.bool_]:
    """Whether each was not skipped and says a choice of an item that is here, (judgments,)."""
    said = zip(judgments["item_id"], judgments["label"], judgments["cancelled"], strict=True)
    return np.array(
        [
            isinstance(label, str) and not skipped and label.strip() in codes.get(item, ())
            for item, label, skipped in said
        ],
        dtype=bool,
    )


def no_judgments() -> pd.DataFrame:
    """What nobody has judged yet, as `JudgmentsSoFar` takes it."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in (*COLUMNS, "supplier")})
