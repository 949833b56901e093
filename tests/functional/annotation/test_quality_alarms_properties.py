"""False alarms as often as stated, changes found soon, what they cost, on simulated people."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from annotation.judgments.table import validate_judgments
from annotation.monitoring.alarms import AlarmSettings, QualityReport, quality_alarms
from annotation.team.pay import PayTerms

START = pd.Timestamp("2026-01-05T09:00", tz="UTC")
ERRORS_SHARE = 0.75  # of the stated rate, see annotation/monitoring/alarms.py


def gold_judgments(
    wrong: NDArray[np.bool_], seconds: NDArray[np.float64] | None = None
) -> pd.DataFrame:
    """Every judgment of a gold question of its own; `wrong` and `seconds` (people, judgments)."""
    who, number = np.divmod(np.arange(wrong.size), wrong.shape[1])
    frame = pd.DataFrame(
        {
            "item_id": np.char.add("i", np.arange(wrong.size).astype(str)),
            "annotator": np.char.add("p", who.astype(str)),
            "label": np.where(wrong.ravel(), "no", "yes"),
            "seconds": np.nan if seconds is None else seconds.ravel(),
            "created_at": START + pd.to_timedelta(number * 60, unit="s"),
            "gold": "yes",
        }
    )
    return validate_judgments(frame, "simulated")


def raised(report: QualityReport, *signs: str) -> dict[str, list[int]]:
    """Places of the judgments that raised an alarm, by annotator."""
    places: dict[str, list[int]] = {}
    for alarm in report.alarms:
        if alarm.sign in signs:
            place = round((alarm.raised_at - START).total_seconds() / 60)
            places.setdefault(alarm.annotator, []).append(place)
    return places


def test_false_alarms_are_as_frequent_as_stated() -> None:
    """1,000 annotator-days of 40 judgments, in which nothing changes but by practice."""
    rng = np.random.default_rng(1)
    people, each = 50, 800
    rates = rng.beta(3.5, 31.5, people)
    wrong = rng.random((people, each)) < rates[:, None]
    speed = rng.normal(3.3, 0.3, people)[:, None] - 0.1 * np.log1p(np.arange(each))
    seconds = np.exp(speed + rng.normal(0, 0.5, (people, each)))
    report = quality_alarms(gold_judgments(wrong, seconds), AlarmSettings(per_thousand=4))
    assert report.errors.false_alarms == pytest.approx(4 * ERRORS_SHARE * people * each / 1000)
    assert report.times.false_alarms == pytest.approx(people * each / 1000)
    errors = sum(map(len, raised(report, "errors").values()))
    times = sum(map(len, raised(report, "faster", "slower").values()))
    assert errors == pytest.approx(report.errors.false_alarms, rel=0.3)
    assert times == pytest.approx(report.times.false_alarms, rel=0.4)  # 40 of them: by chance 6


def test_a_rise_of_the_error_rate_is_found_and_priced() -> None:
    rng = np.random.default_rng(2)
    people, each, change = 100, 260, 200
    changed = np.arange(people) < people // 2
    rates = np.repeat(rng.beta(3.5, 31.5, people)[:, None], each, axis=1)
    rates[changed] = np.where(np.arange(each) < change, 0.1, 0.3)
    wrong = rng.random((people, each)) < rates
    pay = PayTerms(usual_per_judgment=Decimal("1"))
    report = quality_alarms(gold_judgments(wrong), AlarmSettings(pay=pay))
    places = raised(report, "errors")
    found = [any(p >= change for p in places.get(f"p{person}", ())) for person in range(50)]
    assert np.mean(found) >= 0.9
    after = [
        alarm
        for alarm in report.alarms
        if int(alarm.annotator[1:]) < 50
        and (alarm.raised_at - START).total_seconds() >= 60 * change
    ]
    since = [(alarm.since - START).total_seconds() / 60 for alarm in after]
    assert np.median(since) == pytest.approx(change, abs=15)
    assert np.median([alarm.before for alarm in after]) == pytest.approx(0.1, abs=0.03)
    assert np.median([alarm.after for alarm in after]) == pytest.approx(0.3, abs=0.06)
    # 60 judgments at 1 each, of which one in five more is wrong.
    costs = [float(alarm.cost) for alarm in after if alarm.cost is not None]
    assert np.median(costs) == pytest.approx(12, rel=0.35)


def test_a_change_of_speed_is_found_in_its_direction() -> None:
    rng = np.random.default_rng(3)
    people, each, change = 40, 200, 140
    factor = np.ones((people, each))
    factor[:5, change:] = 0.5
    factor[5:10, change:] = 2.0
    seconds = 30 * factor * np.exp(rng.normal(0, 0.5, (people, each)))
    wrong = np.zeros((people, each), dtype=bool)
    report = quality_alarms(gold_judgments(wrong, seconds))
    for sign, first in (("faster", 0), ("slower", 5)):
        places = raised(report, sign)
        late = [any(p >= change for p in places.get(f"p{n}", ())) for n in range(first, first + 5)]
        assert all(late)


def test_people_who_agree_less_are_found_without_gold() -> None:
    rng = np.random.default_rng(4)
    people, each, change = 30, 300, 150
    who = np.concatenate([rng.permutation(people) for _ in range(each)])
    number = np.repeat(np.arange(each), people)
    item = np.arange(who.size) // 5
    truth = rng.random(item.max() + 1) < 0.5
    rates = np.where((who < 5) & (number >= change), 0.4, 0.1)
    label = np.where(truth[item] ^ (rng.random(who.size) < rates), "yes", "no")
    frame = pd.DataFrame(
        {
            "item_id": np.char.add("i", item.astype(str)),
            "annotator": np.char.add("p", who.astype(str)),
            "label": label,
            "created_at": START + pd.to_timedelta(number * 60, unit="s"),
        }
    )
    report = quality_alarms(validate_judgments(frame, "simulated"))
    assert report.on_gold == 0
    places = raised(report, "errors")
    assert all(any(p >= change for p in places.get(f"p{n}", ())) for n in range(5))
    others = sum(len(places.get(f"p{n}", ())) for n in range(5, people))
    assert others <= 2 * report.errors.false_alarms
