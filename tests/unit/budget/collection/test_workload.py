"""How much work the next plan takes, told before it is done."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from budget.collection.workload import SAMPLE, Workload, work_line
from tests.unit.budget.collection.small_collection import answered, begun, ordered, plainly
from tests.unit.budget.commands.command_line import labelmix
from training.engines.base import StoringEngine


def dry_run(folder: Path) -> dict[str, Any]:
    done = labelmix("collect", "step", folder, "--dry-run", "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_is_exactly_what_the_plan_then_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether so few labels beat the commonest class is no matter of this test.
    monkeypatch.setattr("budget.collection.proposing.commonest_class", lambda *_: None)
    folder = begun(tmp_path)
    assert dry_run(folder)["work"] is None  # a first batch needs no model
    ordered(folder)
    assert dry_run(folder)["work"] is None  # waits for people
    answered(folder, 1, plainly)
    trained: list[str] = []
    read: list[int] = []
    run = StoringEngine.run

    def counted(self: StoringEngine, trials: Any, *more: Any) -> Any:
        missing = self._store.missing(trials)
        trained.extend(own.key for own in missing)
        probes = [own for own in missing if own.method == "probe"]
        read.append(self.runner.absent_features(probes) if probes else 0)
        return run(self, trials, *more)

    monkeypatch.setattr(StoringEngine, "run", counted)
    told = dry_run(folder)
    work = told["work"]
    assert len(set(trained)) == work["trials"] > 20
    assert sum(read) == work["items"] - work["sample"] > 0  # the sample is not read again
    assert (work["sample"], work["kept"]) == (SAMPLE, 0)
    assert work["reading_seconds"] > 0 and work["training_seconds"] is None
    assert work["tokens"] > 5 * work["items"]
    assert work["flops"] % (2 * work["tokens"]) == 0  # two operations a weight and token
    assert told["would"][0] == "would plan:"
    trained.clear()
    again = dry_run(folder)
    assert not trained and again["would"] == told["would"]
    assert (again["work"]["trials"], again["work"]["items"]) == (0, 0)
    assert again["work"]["kept"] == work["trials"]
    text = labelmix("collect", "step", folder, "--dry-run").stdout
    assert re.match(r"work: nothing to train; \d+ trials are kept\nwould plan:\n", text)


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (
            Workload(120, 0, 2_000, 8, 7_200.0, None, 150_000, 1.234e15),
            "work: 120 trials to train; 2,000 items to read first (150,000 tokens, 1.2 "
            "quadrillion FLOPs), about 2.0 hours as 8 of them took; "
            "how long training takes is not known yet",
        ),
        (
            Workload(20, 100, 0, 0, None, 600.0),
            "work: 20 trials to train (100 more are kept); training about 10 minutes as trials of "
            "before took",
        ),
        (Workload(0, 3, 0, 0, None, None), "work: nothing to train; 3 trials are kept"),
        (
            Workload(1, 0, 9, 8, 0.44, 12.3, 90, 1.8e8),
            "work: 1 trials to train; 9 items to read first (90 tokens, 180 million "
            "FLOPs), about 0.4 seconds as 8 of them took; training "
            "about 12 seconds as trials of before took",
        ),
    ],
)
def test_one_line_for_people(work: Workload, said: str) -> None:
    assert work_line(work) == said
