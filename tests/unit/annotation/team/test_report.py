from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.judgments.table import validate_judgments
from annotation.labelling.simulated_team import Workplace, simulate_judgments
from annotation.team.label_cost import Rates
from annotation.team.report import ReportSettings, report_judgments


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
    rate, seconds = hard.error.rate.estimate, hard.work.with_cancelled.estimate
    assert rate is not None
    assert seconds is not None
    assert hard.redraw_rate == pytest.approx(rate / 0.75)
    assert hard.cost is not None
    assert float(hard.cost.per_judgment) == pytest.approx(18 * seconds / 3600, abs=2e-4)
    assert found.staffing is not None
    assert found.staffing.hours == pytest.approx(50 * seconds / 3600)


def test_every_annotator_has_a_cost_and_a_throughput() -> None:
    # Two minutes, cancelled, two minutes: six minutes at 20 an hour are 2, for two labels.
    rows = {
        "item_id": ["a", "b", "c", "a"],
        "annotator": ["dear", "dear", "dear", "other"],
        "label": ["p", None, "q", "p"],
        "cancelled": [False, True, False, False],
        "seconds": [120.0, 120.0, 120.0, None],
        "created_at": ["2026-01-05", "2026-01-05", "2026-01-06", None],
    }
    table = validate_judgments(pd.DataFrame(rows), "test")
    rates = Rates({"dear": Decimal(20)}, usual=Decimal(6), fee=Decimal("0.5"))
    dear, other = report_judgments(table, settings=ReportSettings(rates=rates)).annotators
    assert dear.cost is not None
    assert (dear.cost.per_judgment, dear.cost.interval.estimate) == (Decimal("1.5"), 1.5)
    assert dear.throughput.labels_per_day.estimate == 1
    assert dear.throughput.hours_per_day == pytest.approx(0.05)
    assert (other.cost, other.throughput.annotator_days) == (None, 0)


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
    cheap = report_judgments(table, settings=ReportSettings(rates=Rates(usual=Decimal(6))))
    rates = Rates({"expert": Decimal(60)}, usual=Decimal(6))
    roles = {"annotator-1": "expert"}
    dear = report_judgments(table, settings=ReportSettings(rates=rates, roles=roles))
    assert cheap.strata[0].cost is not None
    assert dear.strata[0].cost is not None
    assert dear.strata[0].cost.per_judgment > 2 * cheap.strata[0].cost.per_judgment
    with pytest.raises(InputError, match="annotator 'nobody' has a role but made no judgment"):
        report_judgments(table, settings=ReportSettings(roles={"nobody": "expert"}))


def test_every_role_has_its_own_rates() -> None:
    workplace = Workplace(items={"easy": 60, "hard": 60}, annotators=6, judgments_per_item=4)
    table = simulate_judgments(workplace, 0).judgments
    rates = Rates({"expert": Decimal(60)}, usual=Decimal(6))
    roles = {"annotator-1": "expert", "annotator-2": "expert"}
    found = report_judgments(table, settings=ReportSettings(rates=rates, roles=roles))
    assert [(each.role, each.stratum, each.annotators) for each in found.roles] == [
        ("expert", "easy", 2),
        ("expert", "hard", 2),
        (None, "easy", 4),
        (None, "hard", 4),
    ]
    assert sum(each.judgments for each in found.roles) == found.judgments
    for expert, other, stratum in zip(found.roles[:2], found.roles[2:], found.strata, strict=True):
        assert expert.cost is not None and other.cost is not None and stratum.cost is not None
        assert other.cost.per_judgment < stratum.cost.per_judgment < expert.cost.per_judgment
        rates_told = expert.error.rate.estimate, other.error.rate.estimate
        assert None not in rates_told
        parts = [each.judgments * (each.error.rate.estimate or 0) for each in (expert, other)]
        assert sum(parts) / stratum.judgments == pytest.approx(stratum.error.rate.estimate)


def test_where_all_is_gold_a_role_errs_as_its_answers_do() -> None:
    workplace = Workplace(items={"easy": 50, "hard": 50}, annotators=4, gold=1.0)
    table = simulate_judgments(workplace, 0).judgments
    roles = {"annotator-1": "expert"}
    found = report_judgments(table, settings=ReportSettings(roles=roles))
    there = table[~table["cancelled"]]
    is_expert, wrong = there["annotator"] == "annotator-1", there["label"] != there["gold"]
    for each in found.roles:
        own = (is_expert == (each.role == "expert")) & (there["stratum"] == each.stratum)
        assert (each.error.method, each.error.judgments) == ("gold", own.sum())
        assert each.error.rate.estimate == pytest.approx(wrong[own].mean())


def test_one_role_has_the_rates_of_the_strata() -> None:
    table = simulate_judgments(Workplace(items={"hard": 30}), 0).judgments
    found = report_judgments(table)
    (only,), (stratum,) = found.roles, found.strata
    assert (only.role, only.annotators, only.error) == (None, 10, stratum.error)


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        (Rates({"bob": Decimal(1)}, Decimal(1)), "'bob' has an hourly rate but is no annotator"),
        (
            Rates(usual=Decimal(1), recruiting={"hrad": Decimal(1)}),
            "stratum 'hrad' has a cost of recruiting but no judgments; the strata are: easy, hard",
        ),
    ],
)
def test_a_misspelt_name_is_told(rates: Rates, words: str) -> None:
    table = simulate_judgments(Workplace(), 0).judgments
    with pytest.raises(InputError, match=words):
        report_judgments(table, settings=ReportSettings(rates=rates))


def test_one_wrong_gold_answer_changes_no_rate() -> None:
    table = simulate_judgments(Workplace(gold=0.1), 0).judgments
    gold_rows = table.index[table["gold"].notna()]
    item = table["item_id"][gold_rows[0]]
    spoiled = table.copy()
    spoiled.loc[spoiled["item_id"] == item, "gold"] = "class 9"
    without = table.copy()
    without.loc[without["item_id"] == item, "gold"] = None
    found, expected = report_judgments(spoiled), report_judgments(without)
    assert found.choices == (4, 4)
    assert found.strata == expected.strata
    assert expected.notes == ()
    assert found.notes == (
        "gold answer 'class 9' (of 1 item) is a label that nobody gave, so it is left out; if it "
        "is right, say with --choices how many classes there are.",
    )
    told = report_judgments(spoiled, settings=ReportSettings(choice_count=5))
    assert (told.choices, told.notes) == ((5, 5), ())


def test_a_class_that_nobody_chose_does_not_decide_between_the_models() -> None:
    table = simulate_judgments(Workplace(), 0).judgments
    four = report_judgments(table)
    five = report_judgments(table, settings=ReportSettings(choice_count=5))
    assert five.choices == (5, 5)
    assert five.better == four.better == "hardness"
    for with_five, with_four in zip(five.strata, four.strata, strict=True):
        assert with_four.label_error.estimate is not None
        assert with_five.label_error.estimate == pytest.approx(
            with_four.label_error.estimate, abs=0.06
        )


def test_a_deadline_needs_days() -> None:
    table = simulate_judgments(Workplace(), 0).judgments
    with pytest.raises(InputError, match="days until the deadline are missing"):
        report_judgments(table, settings=ReportSettings(wanted={"easy": 1}))
