import csv
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.judgments.table import validate_judgments
from annotation.team.pay import PayTerms, over_asked, pay_csv, pay_sheet

FEE = PayTerms(usual_per_judgment=Decimal(".05"))
HOURLY = PayTerms(usual_per_hour=Decimal(18))


def table(*rows: tuple[str, str, str | None, float | None, str | None]) -> pd.DataFrame:
    """Rows of item, annotator, label (None: cancelled), seconds, created_at."""
    frame = pd.DataFrame(rows, columns=["item_id", "annotator", "label", "seconds", "created_at"])
    frame["cancelled"] = frame["label"].isna()
    return validate_judgments(frame, "test")


def test_a_fee_is_paid_for_labels_and_time_for_all() -> None:
    judged = table(
        ("i1", "ann", "yes", 60, "2026-01-05T09:00"),
        ("i2", "ann", None, 30, "2026-01-05T09:02"),
        ("i3", "ann", "no", 30, "2026-01-05T09:03"),
    )
    (row,) = pay_sheet(judged, FEE).rows
    assert (row.judgments, row.cancelled, row.seconds) == (2, 1, Decimal("120.000"))
    assert row.due == Decimal("0.10")
    assert row.hourly_pay == Decimal("3.00")  # .10 in two minutes
    (row,) = pay_sheet(judged, HOURLY).rows
    assert (row.due, row.hourly_pay) == (Decimal("0.60"), Decimal("18.00"))
    both = PayTerms(usual_per_hour=Decimal(18), usual_per_judgment=Decimal(".05"))
    assert pay_sheet(judged, both).due == Decimal("0.70")


def test_an_annotators_own_pay_counts_before_his_roles_and_the_usual() -> None:
    judged = table(*(("i1", who, "yes", 3600, "2026-01-05") for who in ("ann", "bob", "cleo")))
    terms = PayTerms(
        per_hour={"expert": Decimal(40), "bob": Decimal(50)},
        per_judgment={"expert": Decimal(0)},
        usual_per_judgment=Decimal(".05"),
    )
    sheet = pay_sheet(
        judged, terms, roles={"ann": "expert", "bob": "expert"}, idle_cap=7200, period="all"
    )
    due = {row.annotator: row.due for row in sheet.rows}
    assert due == {"ann": Decimal(40), "bob": Decimal(50), "cleo": Decimal(".05")}
    assert {row.role for row in sheet.rows} == {"expert", None}


def test_amounts_are_rounded_up_to_the_smallest_unit_and_the_sum_is_theirs() -> None:
    judged = table(("i1", "ann", "yes", 1, "2026-01-05"), ("i1", "bob", "yes", 1, "2026-01-05"))
    for decimals, due in ((2, "0.02"), (0, "2"), (4, "0.0100")):
        sheet = pay_sheet(judged, HOURLY, decimals=decimals)
        assert sheet.due == Decimal(due)
        assert -sheet.due.as_tuple().exponent == decimals  # type: ignore[operator]


@pytest.mark.parametrize(
    ("period", "name", "first", "last"),
    [
        ("day", "2024-12-31", date(2024, 12, 31), date(2024, 12, 31)),
        ("week", "2025-W01", date(2024, 12, 30), date(2025, 1, 5)),
        ("month", "2024-12", date(2024, 12, 1), date(2024, 12, 31)),
        ("all", "all", None, None),
    ],
)
def test_periods(period: Any, name: str, first: date | None, last: date | None) -> None:
    judged = table(("i1", "ann", "yes", 60, "2024-12-31T23:30:00Z"))
    (row,) = pay_sheet(judged, FEE, period=period).rows
    assert (row.period, row.first_day, row.last_day) == (name, first, last)


def test_a_day_begins_at_midnight_of_the_zone() -> None:
    judged = table(
        ("i1", "ann", "yes", 60, "2026-01-31T22:59:59Z"),
        ("i2", "ann", "yes", 60, "2026-01-31T23:00:00Z"),  # midnight in Berlin
    )
    rows = pay_sheet(judged, FEE, zone="Europe/Berlin").rows
    assert [(row.period, row.judgments) for row in rows] == [("2026-01", 1), ("2026-02", 1)]
    assert len(pay_sheet(judged, FEE).rows) == 1


def test_judgments_without_a_time_stamp_are_paid_in_no_period() -> None:
    judged = table(("i1", "ann", "yes", 60, None), ("i2", "ann", "yes", 60, "2026-01-05"))
    undated, dated = pay_sheet(judged, FEE).rows
    assert (undated.period, undated.due) == (None, Decimal("0.05"))
    assert dated.period == "2026-01"


def test_a_break_counts_as_the_cap_and_unknown_seconds_as_nothing() -> None:
    judged = table(
        ("i1", "ann", "yes", 5000, "2026-01-05"),
        ("i2", "ann", "yes", None, "2026-01-05"),
    )
    sheet = pay_sheet(judged, HOURLY, idle_cap=600)
    (row,) = sheet.rows
    assert (row.breaks, row.untimed, row.seconds) == (1, 1, Decimal("600.000"))
    assert (row.due, sheet.unpaid_hours) == (Decimal("3.00"), 1)
    assert pay_sheet(judged, FEE).unpaid_hours == 0
    # What a judgment without a time earns is in no hourly pay.
    (row,) = pay_sheet(judged, FEE, idle_cap=600).rows
    assert (row.due, row.hourly_pay) == (Decimal("0.10"), Decimal("0.30"))


def test_later_work_does_not_change_a_days_pay() -> None:
    first = ("i1", "ann", "yes", 900, "2026-01-05"), ("i2", "ann", "yes", 31, "2026-01-05")
    later = ("i3", "ann", "yes", 599, "2026-01-06"), ("i4", "bob", "yes", 2, "2026-01-06")
    (before,) = pay_sheet(table(*first), HOURLY, period="day").rows
    after = pay_sheet(table(*first, *later), HOURLY, period="day").rows
    assert after[0] == before


def test_what_was_asked_is_filled_in_order_of_time_by_different_people() -> None:
    judged = table(
        ("i1", "cleo", "yes", 9, "2026-01-05T11:00"),
        ("i1", "ann", "yes", 9, "2026-01-05T09:00"),
        ("i1", "ann", "no", 9, "2026-01-05T09:30"),  # again
        ("i1", "bob", None, 9, "2026-01-05T09:45"),  # skipped: nothing was got
        ("i1", "bob", "yes", 9, "2026-01-05T10:00"),
        ("i2", "dora", "yes", 9, None),
    )
    assert over_asked(judged, 2).tolist() == [True, False, True, False, False, False]
    assert over_asked(judged, 3).tolist() == [False, False, True, False, False, False]
    paid = pay_sheet(judged, FEE, asked=2, period="all")
    assert {row.annotator: row.over_asked for row in paid.rows} == {
        "ann": 1, "bob": 0, "cleo": 1, "dora": 0,
    }  # fmt: skip
    assert (paid.due, paid.over_asked_due) == (Decimal("0.25"), Decimal("0.10"))
    unpaid = pay_sheet(judged, FEE, asked=2, pay_over_asked=False, period="all")
    assert (unpaid.due, unpaid.over_asked_due) == (Decimal("0.15"), Decimal(0))
    assert {row.hourly_pay for row in unpaid.rows if row.annotator == "cleo"} == {Decimal(0)}


def test_a_csv_runs_nothing_in_a_spreadsheet() -> None:
    judged = table(("i1", "=1+1", "yes", 60, "2026-01-05"))
    text = pay_csv(pay_sheet(judged, FEE), "EUR")
    (row,) = csv.DictReader(text.splitlines())
    assert row["annotator"] == "'=1+1"
    assert (row["due"], row["hourly_pay"], row["role"], row["currency"]) == (
        "0.05", "3.00", "", "EUR",
    )  # fmt: skip
    assert (row["first_day"], row["last_day"]) == ("2026-01-01", "2026-01-31")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"terms": PayTerms(per_hour={"ann": Decimal(1)})}, "what annotator 'bob' (role: none)"),
        ({"terms": PayTerms(per_hour={"eve": Decimal(1)})}, "'eve' is paid but is no annotator"),
        ({"zone": "Mars/Base"}, "time zone 'Mars/Base' is unknown"),
        ({"zone": "../etc"}, "time zone '../etc' is unknown"),
        ({"zone": ""}, "time zone '' is unknown"),
        ({"period": "year"}, "got 'year'"),
        ({"asked": 0}, "at least 1; got 0"),
        ({"decimals": 7}, "got 7"),
        ({"roles": {"eve": "expert"}}, "'eve' has a role but made no judgment"),
    ],
)
def test_what_cannot_be_paid_is_said(change: dict[str, Any], said: str) -> None:
    judged = table(("i1", "ann", "yes", 60, "2026-01-05"), ("i1", "bob", "yes", 60, "2026-01-05"))
    with pytest.raises(InputError, match=re.escape(said)):
        pay_sheet(judged, **{"terms": FEE, **change})


def test_impossible_time_stamps_are_refused() -> None:
    judged = table(("i1", "ann", "yes", 60, "9999-12-31"))
    with pytest.raises(InputError, match="time stamp 9999-12-31, for which nobody is paid"):
        pay_sheet(judged, FEE)


def test_negative_pay_is_refused() -> None:
    with pytest.raises(InputError, match="negative"):
        PayTerms(usual_per_hour=Decimal(-1))
