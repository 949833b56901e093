"""Quality alarms: how many are false, and how soon a rise of the error rate is found.

False alarms: 1,000 annotator-days (50 people, 20 days, 100 judgments a day) in which nothing
changes, several times, with error rates that differ between people. Once everything is a gold
question; once nothing is, and five people judge every item. Found: teams of 100 people with 300
judgments each, 20 of whom err in .1 and, from a random time on, in .3 of their judgments (and
other rises); the others' error rates differ. An alarm of errors within the first 60 judgments after
the change finds it; the people who change are among those of whom the threshold is made.

Beside it stand the drift detectors of river (where it is installed: it is no dependency) on the
same answers, right or wrong: as they come, and with the parameter that makes as many false alarms
on these very answers, which labelmix is not given.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from _machine import write_result
from annotation.judgments.table import validate_judgments
from annotation.monitoring.alarms import AlarmSettings, QualityReport, quality_alarms

Values = NDArray[Any]
PEOPLE, DAYS, A_DAY = 50, 20, 100
WITHIN = 60  # judgments
TEAM, EACH, CHANGING = 100, 300, 20  # people, judgments of each, people who change
CHANGES = (100, 240)  # judgments before the change, from and to
RISES = ((0.1, 0.3), (0.05, 0.2), (0.25, 0.5))  # of the error rate
_START = pd.Timestamp("2026-01-05T09:00", tz="UTC")


def stable_rates(people: int, rng: np.random.Generator) -> Values:
    """Error rates of people: .1 on average, standard deviation .05."""
    return rng.beta(3.5, 31.5, people)


def answers(rates: Values, rng: np.random.Generator) -> Values:
    """Whether judgments are wrong, (people, judgments), with chances of the same shape."""
    return rng.random(rates.shape) < rates


def on_gold(wrong: Values) -> pd.DataFrame:
    """Judgments of as many gold questions."""
    who, number = np.divmod(np.arange(wrong.size), wrong.shape[1])
    return _table(
        item=np.char.add("i", np.arange(wrong.size).astype(str)),
        who=who,
        label=np.where(wrong.ravel(), "no", "yes"),
        number=number,
        gold="yes",
    )


def judged_by_five(rates: Values, each: int, rng: np.random.Generator) -> pd.DataFrame:
    """Judgments without gold: every item has five people's."""
    people = rates.size
    who = np.concatenate([rng.permutation(people) for _ in range(each)])
    item = np.arange(who.size) // 5
    truth = rng.random(item.max() + 1) < 0.5
    wrong = rng.random(who.size) < rates[who]
    number = np.repeat(np.arange(each), people)
    label = np.where(truth[item] ^ wrong, "yes", "no")
    return _table(np.char.add("i", item.astype(str)), who, label, number, None)


def _table(
    item: Values, who: Values, label: Values, number: Values, gold: str | None
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "item_id": item,
            "annotator": np.char.add("p", who.astype(str)),
            "label": label,
            "created_at": _START + pd.to_timedelta(number * 60, unit="s"),
            "source_id": np.char.add("s", np.arange(who.size).astype(str)),
            "gold": gold,
        }
    )
    return validate_judgments(frame, "simulated")


def false_alarms(report: QualityReport) -> float:
    """Alarms of errors as a share of those that are stated."""
    raised = sum(alarm.sign == "errors" for alarm in report.alarms)
    return raised / report.errors.false_alarms


def changing(rise: tuple[float, float], rng: np.random.Generator) -> tuple[Values, Values]:
    """Wrong answers of a team, (people, judgments), and when each changes, the length if never."""
    rates = np.repeat(stable_rates(TEAM, rng)[:, None], EACH, axis=1)
    changes = np.full(TEAM, EACH)
    changes[:CHANGING] = rng.integers(CHANGES[0], CHANGES[1], CHANGING)
    for person in range(CHANGING):
        rates[person] = np.where(np.arange(EACH) < changes[person], *rise)
    return answers(rates, rng), changes


def found_by_labelmix(wrong: Values, changes: Values) -> list[bool]:
    report = quality_alarms(on_gold(wrong))
    raised: dict[int, list[int]] = {}
    for alarm in report.alarms:
        place = int((alarm.raised_at - _START).total_seconds() // 60)
        raised.setdefault(int(alarm.annotator[1:]), []).append(place)
    return _found(raised, changes)


def _found(raised: dict[int, list[int]], changes: Values) -> list[bool]:
    return [
        any(change <= place < change + WITHIN for place in raised.get(person, ()))
        for person, change in enumerate(changes)
        if change < EACH
    ]


def run_detector(make: Callable[[], Any], wrong: Values) -> dict[int, list[int]]:
    """Where a detector of river tells drift; only rises count, and it starts anew after each."""
    raised: dict[int, list[int]] = {}
    for person, sequence in enumerate(wrong):
        detector = make()
        for place, value in enumerate(sequence):
            before = getattr(detector, "estimation", None)
            detector.update(int(value))
            if detector.drift_detected:
                after = getattr(detector, "estimation", None)
                if before is None or after is None or after > before:
                    raised.setdefault(person, []).append(place)
                detector = make()
    return raised


def river_detectors() -> Iterator[tuple[str, Callable[[float | None], Any], Values]]:
    """Name, maker with a parameter (None: as it comes), and the parameters to choose from."""
    drift, binary = import_module("river.drift"), import_module("river.drift.binary")
    yield (
        "ADWIN",
        lambda value: drift.ADWIN() if value is None else drift.ADWIN(delta=value, clock=1),
        np.geomspace(1e-4, 1.0, 25),
    )
    yield (
        "Page-Hinkley",
        lambda value: (
            drift.PageHinkley(mode="up")
            if value is None
            else drift.PageHinkley(mode="up", threshold=value, delta=0.1, alpha=1.0)
        ),
        np.geomspace(1, 50, 25),
    )
    yield (
        "DDM",
        lambda value: binary.DDM() if value is None else binary.DDM(drift_threshold=value),
        np.linspace(1.5, 6, 25),
    )


def compare_river(
    stable: Values,
    changed: Mapping[tuple[float, float], Sequence[tuple[Values, Values]]],
) -> list[dict[str, Any]]:
    """Alarms per 1,000 stable answers, and the share of changes found, of every detector."""
    rows: list[dict[str, Any]] = []
    wanted = AlarmSettings().per_thousand * 0.75
    for name, make, values in river_detectors():
        rates = [_rate(partial(make, value), stable) for value in values]
        fair = float(values[int(np.argmin(np.abs(np.log(np.maximum(rates, 1e-3) / wanted))))])
        for how, value in (("as it comes", None), ("fitted to the rate", fair)):
            maker = partial(make, value)
            found = {
                _name(rise): float(
                    np.mean(
                        [
                            each
                            for wrong, changes in teams
                            for each in _found(run_detector(maker, wrong), changes)
                        ]
                    )
                )
                for rise, teams in changed.items()
            }
            rows.append(
                {
                    "detector": f"river {name}, {how}",
                    "parameter": value,
                    "per_thousand": _rate(maker, stable),
                    "found": found,
                }
            )
            _print(rows[-1])
    return rows


def _name(rise: tuple[float, float]) -> str:
    return f"{rise[0]:g} to {rise[1]:g}"


def _print(row: Mapping[str, Any]) -> None:
    shares = "".join(f"{share:14.1%}" for share in row["found"].values())
    print(f"{row['detector']:40} {row['per_thousand']:9.2f}{shares}")


def _rate(make: Callable[[], Any], stable: Values) -> float:
    raised = run_detector(make, stable)
    return sum(map(len, raised.values())) / stable.size * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=5)
    teams = parser.parse_args().teams
    stated = AlarmSettings().per_thousand * 0.75
    gold, agreement = [], []
    for seed in range(teams):
        rng = np.random.default_rng(seed)
        rates = stable_rates(PEOPLE, rng)
        wrong = answers(np.repeat(rates[:, None], DAYS * A_DAY, axis=1), rng)
        gold.append(false_alarms(quality_alarms(on_gold(wrong))))
        five = judged_by_five(rates, DAYS * A_DAY, rng)
        agreement.append(false_alarms(quality_alarms(five)))
        print(f"team {seed}: false alarms / stated {gold[-1]:.2f} on gold, {agreement[-1]:.2f} not")
    changed = {
        rise: [changing(rise, np.random.default_rng(1000 + seed)) for seed in range(2 * teams)]
        for rise in RISES
    }
    found = {
        _name(rise): float(
            np.mean([each for team in of_teams for each in found_by_labelmix(*team)])
        )
        for rise, of_teams in changed.items()
    }
    print(f"{'':40} {'per 1,000':>9}{''.join(f'{name:>14}' for name in found)}")
    own = {
        "detector": "labelmix",
        "per_thousand": stated * float(np.mean(gold)),
        "found": found,
    }
    _print(own)
    result: dict[str, Any] = {
        "stated_per_thousand": stated,
        "annotator_days": PEOPLE * DAYS,
        "teams": teams,
        "false_alarms_over_stated": {"gold": gold, "agreement": agreement},
        "changes_of_each_kind": 2 * teams * CHANGING,
        "labelmix": own,
    }
    if find_spec("river") is None:
        print("river is not installed; no comparison.")
    else:
        rng = np.random.default_rng(77)
        rates = np.repeat(stable_rates(PEOPLE, rng)[:, None], 400, axis=1)
        result["river"] = compare_river(answers(rates, rng), changed)
        result["river_version"] = version("river")
    write_result("quality_alarms", result)


if __name__ == "__main__":
    main()
