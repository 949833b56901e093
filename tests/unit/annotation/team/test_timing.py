from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.team.label_cost import (
    Rates,
    label_cost,
    rounded_up,
)
from annotation.team.staffing import staffing, throughput
from annotation.team.timing import Timing

Make = Callable[..., pd.DataFrame]


def test_a_break_counts_as_a_long_time_not_as_its_own(make: Make) -> None:
    rows = [(f"i{n}", "x", "yes") for n in range(22)]
    table = make(rows, seconds=[*range(10, 31), 5000])
    timing = Timing(table, idle_cap=600)
    assert timing.work().idle == 1
    assert timing.seconds[-1] == 29.0  # 95 % quantile of 10 to 30
    assert timing.work().mean.estimate == pytest.approx((420 + 29) / 22)
    assert timing.work().median.estimate == 20.5


def test_cancelled_judgments_are_time_without_a_label(make: Make) -> None:
    rows = [("a", "x", "yes"), ("b", "x", None), ("c", "x", "no"), ("d", "x", "no")]
    table = make(rows, seconds=[10, 30, 20, None], cancelled=[False, True, False, False])
    found = Timing(table).work()
    assert (found.timed, found.untimed, found.cancelled) == (3, 1, 1)
    assert found.mean.estimate == 15
    assert found.with_cancelled.estimate == 30


def test_impossible_times_are_named(make: Make) -> None:
    rows = [("a", "x", "p"), ("b", "x", "q"), ("c", "x", "p"), ("a", "y", "p")]
    stamps = [f"2026-01-01T10:00:{second:02d}Z" for second in (0, 20, 30, 25)]
    table = make(rows, seconds=[15, 15, 25, 0.2], created_at=stamps)
    by_annotator = {each.annotator: each for each in Timing(table).warnings}
    assert by_annotator["x"].judgments == 1
    assert by_annotator["x"].example == "test#3"  # 25 seconds within 10
    assert "longer than the time since the one before" in by_annotator["x"].problem
    assert "less than 1 s" in str(by_annotator["y"])


def test_time_spent_on_an_edit_later_is_not_impossible(make: Make) -> None:
    rows = [("a", "x", "p"), ("b", "x", "q"), ("c", "x", "p")]
    stamps = [f"2026-01-01T10:00:{second:02d}.000Z" for second in (0, 20, 40)]
    edited = ["2026-01-01T10:00:00.010Z", "2026-01-01T11:00:00Z", "2026-01-01T10:00:40.010Z"]
    # Label Studio adds up the time: 15 s at first, 30 s for the edit an hour later.
    table = make(rows, seconds=[15, 45, 30], created_at=stamps, updated_at=edited)
    [warning] = Timing(table).warnings
    assert (warning.judgments, warning.example) == (1, "test#3")


def test_stamps_of_an_import_are_no_work(make: Make) -> None:
    rows = [(f"i{n}", "x", "p") for n in range(5)]
    table = make(rows, seconds=[15] * 5, created_at=["2026-01-01T10:00:00Z"] * 5)
    assert Timing(table).warnings == []


def test_the_idle_cap_lies_above_the_floor(make: Make) -> None:
    with pytest.raises(InputError, match="idle cap should be above the floor"):
        Timing(make([("a", "x", "p")]), idle_cap=1, floor=2)


def test_a_label_costs_its_time_its_share_of_cancelled_ones_and_the_fee(make: Make) -> None:
    rows = [("a", "x", "p"), ("b", "x", None), ("c", "y", "p")]
    table = make(rows, seconds=[36, 36, 72], cancelled=[False, True, False])
    timing = Timing(table)
    rates = Rates({"crowd": Decimal(10)}, usual=Decimal(30), fee=Decimal("0.05"))
    found = label_cost(timing, rates, ["crowd", None], "easy", np.ones(3, dtype=bool))
    assert found is not None
    # x: 72 s at 10 an hour is .20; y: 72 s at 30 is .60; over two labels, and the fee.
    assert found.per_judgment == Decimal("0.4500")
    assert found.interval.estimate == pytest.approx(0.45)


def test_recruiting_is_shared_out_and_rounded_up(make: Make) -> None:
    timing = Timing(make([("a", "x", "p")], seconds=[360]))
    rates = Rates(usual=Decimal(10), recruiting={"hard": Decimal(100)})
    found = label_cost(timing, rates, [None], "hard", np.ones(1, dtype=bool))
    assert found is not None
    assert found.per_judgment == 1
    assert found.over(3) == Decimal("34.3334")
    with pytest.raises(InputError, match="at least 1"):
        found.over(0)


def test_somebody_without_a_rate_is_named(make: Make) -> None:
    timing = Timing(make([("a", "x", "p")], seconds=[1]))
    with pytest.raises(InputError, match=r"no hourly rate for annotator 'x' \(role: none\)"):
        label_cost(timing, Rates({"y": Decimal(1)}), [None], "easy", np.ones(1, dtype=bool))


def test_amounts_are_rounded_up_exactly() -> None:
    assert rounded_up(Fraction(1, 3)) == Decimal("0.3334")
    assert rounded_up(Fraction(10**14) + Fraction(1, 10**9)) == Decimal("100000000000000.0001")
    assert rounded_up(Fraction(1, 4)) == Decimal("0.2500")


def test_a_day_of_an_annotator_has_its_labels_and_hours(make: Make) -> None:
    rows = [("a", "x", "p"), ("b", "x", "p"), ("c", "x", "p"), ("a", "y", "p")]
    days = ["2026-01-01T10:00Z", "2026-01-01T11:00Z", "2026-01-02T10:00Z", "2026-01-01T10:00Z"]
    found = throughput(Timing(make(rows, seconds=[36, 36, 36, 36], created_at=days)))
    assert found.annotator_days == 3
    assert found.labels_per_day.estimate == pytest.approx(4 / 3)
    assert found.hours_per_day == pytest.approx(4 * 0.01 / 3)


def test_people_are_counted_for_the_deadline(make: Make) -> None:
    rows = [(f"i{n}", "xy"[n % 2], "p") for n in range(40)]
    work = {"easy": Timing(make(rows, seconds=[30, 42] * 20)).work()}
    found = staffing({"easy": 1000}, work, days=2, hours_per_day=3)
    assert found.hours == pytest.approx(10)
    assert found.annotators == 2  # of 6 hours each
    assert found.annotators_to_be_safe > 2  # two people say little about a third
    with pytest.raises(InputError, match="stratum 'hard' has no measured times"):
        staffing({"hard": 1}, work, 1, 1)
    with pytest.raises(InputError, match="days should be a number above 0"):
        staffing({"easy": 1}, work, 0, 1)


def test_every_label_takes_so_many_different_people(make: Make) -> None:
    rows = [(f"i{n}", "xy"[n % 2], "p") for n in range(40)]
    work = {"easy": Timing(make(rows, seconds=[30, 42] * 20)).work()}
    found = staffing({"easy": 10}, work, days=10, hours_per_day=6, judgments_per_label=5)
    assert (found.annotators, found.annotators_to_be_safe, found.least) == (5, 5, 5)
    assert staffing({"easy": 10_000}, work, 1, 6, 5).annotators == 17  # 100 hours
    assert staffing({"easy": 0}, work, 1, 6, 5).annotators == 0


@pytest.mark.parametrize("hours", [0, 24.5, 30, float("inf"), float("nan")])
def test_a_day_has_24_hours(make: Make, hours: float) -> None:
    work = {"easy": Timing(make([("a", "x", "p")], seconds=[30])).work()}
    with pytest.raises(InputError, match="hours per day should be above 0 and at most 24; got"):
        staffing({"easy": 1}, work, 1, hours)


def test_who_is_mostly_above_the_idle_cap_is_named(make: Make) -> None:
    rows = [(f"i{n}", who, "yes") for n in range(10) for who in ("milli", "once", "untimed")]
    times = {"milli": 30_000.0, "once": 30.0, "untimed": None}
    seconds = [times[who] for _, who, _ in rows]
    seconds[1] = 3600.0  # one break of one who takes none otherwise
    (told,) = Timing(make(rows, seconds=seconds)).warnings
    assert (told.annotator, told.judgments, told.of) == ("milli", 10, 10)
    assert told.problem == (
        "took longer than the idle cap of 10 minutes (are these seconds, or milliseconds?)"
    )
