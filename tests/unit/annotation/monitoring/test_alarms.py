from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.judgments.table import validate_judgments
from annotation.monitoring import alarms
from annotation.monitoring.alarms import AlarmSettings, quality_alarms
from annotation.monitoring.error_signal import ErrorModel, error_signal
from annotation.monitoring.time_signal import TimeModel
from annotation.team.pay import PayTerms
from annotation.truth.coding import code_judgments


@pytest.fixture(autouse=True)
def few_shuffled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "_SHUFFLED", 5_000)


def table(**columns: Any) -> pd.DataFrame:
    return validate_judgments(pd.DataFrame(columns), "test")


def work(people: int = 4, each: int = 60, **changed: Any) -> pd.DataFrame:
    """Gold questions, one of ten answered wrongly; p0 errs always from its 40th judgment on."""
    who, number = np.divmod(np.arange(people * each), each)
    wrong = (number % 10 == 5) | ((who == 0) & (number >= 40))
    return table(
        **{
            "item_id": [f"i{n}" for n in range(who.size)],
            "annotator": [f"p{n}" for n in who],
            "label": np.where(wrong, "no", "yes"),
            "gold": "yes",
            "seconds": 36.0,
            "created_at": pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(number, unit="m"),
            "source_id": [f"s{a}-{n}" for a, n in zip(who, number, strict=True)],
            **changed,
        }
    )


def test_an_alarm_says_who_where_since_when_and_what_it_cost() -> None:
    pay = PayTerms(usual_per_judgment=Decimal("1"), usual_per_hour=Decimal("100"))
    report = quality_alarms(work(), AlarmSettings(pay=pay))
    (alarm,) = report.alarms
    assert (alarm.annotator, alarm.stratum, alarm.sign) == ("p0", "all items", "errors")
    assert alarm.since_judgment in ("s0-40", "s0-41")
    assert alarm.since == pd.Timestamp("2026-01-05T00:40", tz="UTC") + pd.Timedelta(
        minutes=int(alarm.since_judgment[-2:]) - 40
    )
    assert alarm.raised_at > alarm.since
    assert alarm.judgments == 60 - int(alarm.since_judgment[-2:])
    assert alarm.found_after <= 10
    assert alarm.before == pytest.approx(0.1, abs=0.03)
    assert alarm.after == 1.0
    # 1 for the judgment and 36 seconds at 100 an hour.
    cost = Decimal(2) * Decimal((alarm.after - alarm.before) * alarm.judgments)
    assert alarm.cost == round(cost, 2)
    assert report.errors.judgments == report.on_gold == 240
    assert report.errors.false_alarms == pytest.approx(240 * 3 * 0.75 / 1000)


def test_order_of_rows_and_the_seed_of_shuffling_change_nothing_but_the_threshold() -> None:
    judged = work()
    shuffled = judged.sample(frac=1, random_state=0).reset_index(drop=True)
    one, other = quality_alarms(judged), quality_alarms(shuffled)
    assert [(a.annotator, a.since_judgment) for a in one.alarms] == [
        (a.annotator, a.since_judgment) for a in other.alarms
    ]
    assert quality_alarms(judged) == one


def test_judgments_without_a_time_or_without_anything_to_go_by_are_counted() -> None:
    judged = work(people=2, each=30, gold=None)
    judged.loc[:4, "created_at"] = pd.NaT
    report = quality_alarms(judged)
    assert (report.undated, report.untold, report.errors.judgments) == (5, 55, 0)
    assert report.errors.threshold is None
    assert report.times.judgments == 55
    assert not report.alarms


def test_nothing_can_be_told_without_time_stamps() -> None:
    with pytest.raises(InputError, match="no judgment has a time stamp"):
        quality_alarms(work(created_at=None))


@pytest.mark.parametrize("rate", [0, -1, 101, float("nan")])
def test_impossible_rates_are_refused(rate: float) -> None:
    with pytest.raises(InputError, match="false alarms per 1,000 judgments should be above 0"):
        AlarmSettings(per_thousand=rate)


def test_with_gold_an_error_is_seen_and_without_it_guessed() -> None:
    judged = table(
        item_id=["i1"] * 3 + ["i2"] * 3 + ["i3"],
        annotator=["a", "b", "c"] * 2 + ["a"],
        label=["yes", "no", "no", "yes", "yes", "no", "no"],
        gold=["yes"] * 3 + [None] * 4,
    )
    coded = code_judgments(judged)
    signal = error_signal(coded)
    gold = signal.is_gold
    assert signal.disagrees[gold].tolist() == [False, True, True]
    assert (signal.base[gold] == 0).all()
    assert (signal.slope[gold] == 1).all()
    alone = coded.item == 2
    assert signal.tells.tolist() == (~alone & (gold | signal.tells)).tolist()
    assert not signal.tells[alone].any()
    of_c = np.flatnonzero((coded.item == 1) & (coded.annotator == 2))[0]
    assert signal.disagrees[of_c]  # both others say yes
    assert 0 < signal.base[of_c] < 0.5
    # Who errs always disagrees where the others are right: base + slope is their certainty.
    assert signal.base[of_c] + signal.slope[of_c] == pytest.approx(1 - signal.base[of_c])


def test_an_error_rate_is_read_off_gold_answers() -> None:
    judged = work(people=1, each=50)
    model = ErrorModel(error_signal(code_judgments(judged)))
    rows = np.arange(40)
    assert model.rate(rows) == pytest.approx(0.1)
    flat = np.full(model.levels.size, 1 / model.levels.size)
    assert 0.08 < model.usual_rate(rows, flat) < 0.14
    assert model.usual_rate(rows[:0], flat) == pytest.approx(model.levels.mean())


def test_practice_is_taken_off_times() -> None:
    rng = np.random.default_rng(0)
    chart, practice = np.divmod(np.arange(2000), 200)
    seconds = np.exp(3 + 0.2 * chart - 0.3 * np.log1p(practice) + rng.normal(0, 0.3, 2000))
    model = TimeModel(seconds, chart, practice, np.arange(2000))
    assert model.slope == pytest.approx(-0.3, abs=0.03)
    before = model.before(np.arange(2000))
    assert before.shape == (2000, model.levels.size)
    assert model.after(np.arange(3)).shape == (3, model.levels.size, 2, 3)
