"""Runs that are shown: read once, as long as their file stays as it is; curves kept as well."""

from collections import OrderedDict
from decimal import Decimal
from pathlib import Path
from threading import Lock

from analysis.run.result import RunResult, read_result
from budget.decision.by_budget import BudgetCurve, budget_curve, kinds_of
from budget.decision.prepared import Prepared
from budget.decision.question import PlanOptions
from budget.market.market import Market
from budget.web.places import RESULT

_MOST_RUNS = 20
_MOST_CURVES = 300
_Written = tuple[int, int, int]


class KnownRuns:
    """Results of runs by folder; for readers of any number of threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._runs: OrderedDict[Path, tuple[_Written, RunResult]] = OrderedDict()
        self._curves: OrderedDict[object, BudgetCurve] = OrderedDict()

    def result(self, folder: Path) -> RunResult:
        """The result of a run as its file has it now.

        Raises InputError if there is none that can be read.
        """
        path = folder / RESULT
        try:
            found = path.stat()
            written = (found.st_ino, found.st_size, found.st_mtime_ns)
        except OSError:
            return read_result(path)  # tells what is wrong
        with self._lock:
            known = self._runs.get(folder)
            if known is None or known[0] != written:
                known = (written, read_result(path))
            self._runs[folder] = known
            self._runs.move_to_end(folder)
            if len(self._runs) > _MOST_RUNS:
                self._runs.popitem(last=False)
            return known[1]

    def curves(self, folder: Path, own: Prepared, options: PlanOptions) -> list[BudgetCurve]:
        """Accuracy by budget; the budget itself and what else is asked for do not change it."""
        # As few ranges as can be: a budget that is moved then moves on a scale that stays.
        usual = own.total is None or float(own.total) <= 2 * own.result.budget
        most = None if usual else own.total
        with self._lock:
            known = self._runs.get(folder)
        of_run = (folder, None if known is None else known[0], options.method, most)
        found = [
            self._curve((of_run, kind, str((market.offers, market.hours))), own, market, most)
            for kind, market in kinds_of(own).items()
        ]
        return [curve for curve in found if curve.budgets]

    def _curve(
        self, key: tuple[object, str, str], own: Prepared, market: Market, most: Decimal | None
    ) -> BudgetCurve:
        """One curve: that of a stratum stays while another's price is moved."""
        with self._lock:
            if key in self._curves:
                self._curves.move_to_end(key)
                return self._curves[key]
        found = budget_curve(own, key[1], market, most)
        with self._lock:
            self._curves[key] = found
            if len(self._curves) > _MOST_CURVES:
                self._curves.popitem(last=False)
        return found
