from decimal import Decimal

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.judgments.label_cost import Rates
from annotation.judgments.report import ReportSettings, report_judgments
from annotation.judgments.simulate import Workplace, simulate_judgments


def test_the_report_holds_every_stratum_and_annotator() -> None:
    table = simulate_judgments(Workplace(), 0).judgments
    settings = ReportSettings(rates=Rates(usual=Decimal(18)), wanted={"hard": 50}, days=1)
    found = report_judgments(table, settings=settings)
    assert found.items == 200
    assert found.judgments + found.cancelled + found.superseded == len(table) == 600
    assert [each.name for each in found.strata] == ["easy", "hard"]
    assert sum(each.judgments for each in found.annotators) == found.judgments
    assert len(found.pairs) == 45
    hard = found.strata[1]
    rate, seconds = hard.error.rate.estimate, hard.work.per_label.estimate
    assert rate is not None
    assert seconds is not None
    assert hard.redraw_rate == pytest.approx(rate / 0.75)
    assert hard.cost is not None
    assert float(hard.cost.per_label) == pytest.approx(18 * seconds / 3600, abs=2e-4)
    assert found.staffing is not None
    assert found.staffing.hours == pytest.approx(50 * seconds / 3600)


def test_the_order_of_rows_makes_no_difference() -> None:
    table = simulate_judgments(Workplace(items={"easy": 20, "hard": 20}), 1).judgments
    one = report_judgments(table)
    order = np.random.default_rng(0).permutation(len(table))
    other = report_judgments(table.iloc[order].reset_index(drop=True))
    for stratum, same in zip(one.strata, other.strata, strict=True):
        assert stratum.error.rate.bounds == pytest.approx(same.error.rate.bounds, abs=0.01)
        assert stratum.agreement.raw.estimate == pytest.approx(same.agreement.raw.estimate)
        assert stratum.work.mean.bounds == pytest.approx(same.work.mean.bounds)


def test_roles_have_their_rates() -> None:
    table = simulate_judgments(Workplace(annotators=3), 0).judgments
    rates = Rates({"expert": Decimal(60)}, usual=Decimal(6))
    cheap = report_judgments(table, settings=ReportSettings(rates=rates))
    roles = {"annotator-1": "expert"}
    dear = report_judgments(table, settings=ReportSettings(rates=rates, roles=roles))
    assert cheap.strata[0].cost is not None
    assert dear.strata[0].cost is not None
    assert dear.strata[0].cost.per_label > 2 * cheap.strata[0].cost.per_label
    with pytest.raises(InputError, match="annotator 'nobody' has a role but made no judgment"):
        report_judgments(table, settings=ReportSettings(roles={"nobody": "expert"}))


def test_a_deadline_needs_days() -> None:
    table = simulate_judgments(Workplace(), 0).judgments
    with pytest.raises(InputError, match="days until the deadline are missing"):
        report_judgments(table, settings=ReportSettings(wanted={"easy": 1}))
