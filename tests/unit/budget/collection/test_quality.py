"""How the work of a collection goes on: alarms with their cost, and the finish date."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from budget.collection.beginning import change_suppliers, kept_suppliers, store_url
from budget.collection.quality import against_deadline
from budget.collection.store.store import CollectionStore
from budget.market.supplier_file import AlarmsSection
from tests.unit.budget.collection.small_collection import answered, begun, ordered, plainly, right
from tests.unit.budget.commands.command_line import labelmix, one_line

BEGUN = pd.Timestamp("2031-03-03T09:00:00Z")
FIRST = 60


class Team:
    """The crowd answers a task every hour, the expert too; ann begins to err, cleo slows down.

    The change comes after so many judgments of each.
    """

    def __init__(self, change: int) -> None:
        self._change = change
        self._count: dict[str, int] = {}

    def __call__(self, supplier: str, item: str, before: int) -> Mapping[str, object]:
        own = dict(plainly(supplier, item, before))
        name = str(own["annotator"])
        number = self._count.get(name, 0)
        self._count[name] = number + 1
        own["created_at"] = (BEGUN + pd.Timedelta(hours=number)).isoformat()
        own["seconds"] = (8, 9, 10, 11)[number % 4] * (2 if name == "cleo" else 1)
        if number >= self._change and name == "ann":
            own["label"] = {"odd": "even", "even": "odd"}[right(item)]
        if number >= self._change and name == "cleo":
            own["seconds"] = 55 + number % 4
        return own


def status(folder: Path, *options: str) -> dict[str, Any]:
    told = labelmix("collect", "status", folder, "--json", *options)
    assert told.exit_code == 0, told.output
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_the_rate_of_false_alarms_is_that_of_the_file_of_suppliers(watched: Path) -> None:
    usual = status(watched, "--quality")["quality"]
    with CollectionStore.open(store_url(watched)) as store:
        before = kept_suppliers(store)
        rare = before.model_copy(update={"alarms": AlarmsSection(false_alarms=1)})
        change_suppliers(store, rare, "ann", "")
        try:
            found = status(watched, "--quality")["quality"]
        finally:
            change_suppliers(store, before, "ann", "")
    assert found["watched"] == usual["watched"]
    assert found["false_alarms"] == pytest.approx(usual["false_alarms"] / 3)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quality")
    options = ("--deadline", "2031-12-31")
    made = ordered(begun(folder, *options, budget="200", items=300, first=FIRST, judgments=3))
    answered(made, 1, Team(60), share=0.8)
    return made


@pytest.fixture(scope="module")
def seen(watched: Path) -> dict[str, Any]:
    return status(watched, "--quality", "--zone", "Europe/Berlin")


def test_alarms_say_who_since_when_and_what_it_cost(seen: dict[str, Any]) -> None:
    found = seen["quality"]
    kinds = {(own["supplier"], own["annotator"], own["sign"]) for own in found["alarms"]}
    assert kinds == {("crowd", "ann", "errors"), ("experts", "cleo", "slower")}
    for own in found["alarms"]:
        assert own["since"] <= own["raised_at"]
        assert pd.Timestamp(own["since"]) >= BEGUN + pd.Timedelta(hours=45)
        if own["sign"] == "errors":
            # Nothing but ann's wrong judgments is what it cost: five cents each.
            lost = round((own["after"] - own["before"]) * own["judgments"], 6)
            assert Decimal(own["cost"]) == round(Decimal("0.05") * Decimal(str(lost)), 4)
            assert own["after"] > 0.6
        else:
            longer = max(0.0, own["after"] - own["before"]) * own["judgments"]
            assert float(own["cost"]) == pytest.approx(36 * longer / 3600, abs=1e-4)
    slower = [own for own in found["alarms"] if own["sign"] == "slower"]
    assert max(float(own["after"]) - own["before"] for own in slower) > 30
    assert found["watched"] > 100 and found["unwatched"] is None


def test_when_the_open_batch_is_done(seen: dict[str, Any]) -> None:
    found = seen["quality"]
    assert found["batch"] == 1 and found["zone"] == "Europe/Berlin"
    left = {own["supplier"]: own["left"] for own in found["finish"]}
    everything = seen["batches"][0]
    assert sum(left.values()) == everything["wanted"] - everything["received"] > 0
    for own in found["finish"]:
        ends = [pd.Timestamp(own[name]) for name in ("earliest", "expected", "latest")]
        assert ends == sorted(ends)
        assert pd.Timestamp(own["seen_until"]) < ends[0]
        assert own["confidence"] == 0.8
        # A fifth of a week's work is left.
        assert ends[1] - pd.Timestamp(own["seen_until"]) < pd.Timedelta(days=10)
        assert own["verdict"] == "in time"
        assert own["expected"].endswith(("+01:00", "+02:00"))


def test_a_person_reads_both(watched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    told = " ".join(labelmix("collect", "status", watched, "--quality").stdout.split())
    assert "crowd / ann" in told and "errs more" in told and "slower" in told
    assert "would be raised if nothing had changed" in told
    assert "batch 1, crowd: " in told and "80 % interval: 2031-03-" in told
    assert "against the deadline: in time" in told
    assert "Alarms" not in labelmix("collect", "status", watched).stdout


@pytest.mark.parametrize(
    ("earliest", "latest", "verdict"),
    [
        ("2031-03-01T10:00Z", "2031-03-04T21:59Z", "in time"),
        ("2031-03-04T21:59Z", "2031-03-04T23:30Z", "may be late"),
        ("2031-03-04T23:00Z", "2031-03-09T10:00Z", "late"),
    ],
)
def test_the_deadline_counts_to_the_end_of_its_day(
    earliest: str, latest: str, verdict: str
) -> None:
    moments = (pd.Timestamp(earliest), pd.Timestamp(latest))
    assert against_deadline(*moments, date(2031, 3, 4), "Europe/Berlin") == verdict


def test_what_cannot_be_told_is_said(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    found = status(folder, "--quality")["quality"]
    assert (found["alarms"], found["batch"], found["finish"]) == ([], None, [])
    assert found["unwatched"] == "nobody has judged anything yet"
    assert status(folder)["quality"] is None
    ordered(folder)
    answered(folder, 1, plainly, share=0.5)
    found = status(folder, "--quality")["quality"]
    assert "no judgment has a time stamp" in found["unwatched"]
    assert all("a finish date needs at least 20" in own["why"] for own in found["finish"])
    told = labelmix("collect", "status", folder, "--quality").stdout
    assert "alarms: none could be raised" in " ".join(told.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--quality", "--zone", "Berlin"], "the time zone 'Berlin' is unknown"),
        (["--zone", "UTC"], "--zone goes with --quality"),
    ],
)
def test_wrong_options(watched: Path, options: list[str], said: str) -> None:
    assert said in one_line(labelmix("collect", "status", watched, *options))
