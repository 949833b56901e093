"""`labelmix reproduce` on fewer items and the embedded model: run, stopped, gone on with."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from analysis.reproduce.registry import EXPERIMENTS, find_experiments
from analysis.reproduce.result import Reproduction
from analysis.reproduce.run import run_reproduction
from analysis.reproduce.study import StudyDesign
from budget.reproduction import presets
from budget.reproduction.presets import DATA, WORKSHOP, DataPreset
from budget.reproduction.study import make_study
from tests.unit.budget.commands.command_line import labelmix
from training.engines.base import SilentWatcher
from training.engines.choice import EngineChoice
from training.store import TrialStore

pytestmark = pytest.mark.timeout(900)

SMALL = DataPreset(
    source=WORKSHOP,
    about="generated word problems",
    measures=("steps", "question_words"),
    methods_of={"steps": ("probe", "in_context")},
    options={"size": 720},
    cuts={"steps": "edges:2,>=5"},
    design=StudyDesign(
        labels=24,
        seeds=2,
        test_items=80,
        other_test_items=60,
        examples=1,
        example_seeds=1,
        sizes=(8, 16, 32),
        curve_seeds=2,
        error_rates=(0.0, 0.2),
    ),
    needs_folder=False,
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATA, WORKSHOP, SMALL)
    monkeypatch.setitem(presets.MODELS, "pico", presets.ModelPreset(slow=False))


def files(folder: Path) -> dict[str, bytes]:
    """What stands in a folder but for features and the store, and but for the time it took."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not path.is_file() or name.startswith(("features", "trials.sqlite", ".")):
            continue
        found[name] = path.read_bytes()
        if name == "reproduction.json":
            found[name] = json.dumps(without_timing(json.loads(found[name]))).encode()
    return found


def without_timing(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "timing"}


def test_two_experiments_end_to_end(small: None, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = labelmix("reproduce", "noise", "easy-to-hard", "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    told = Reproduction.model_validate_json(result.stdout)
    assert [own.name for own in told.experiments] == ["easy-to-hard", "noise"]
    assert {own.status for own in told.experiments} == {"done"}
    on_disk = Reproduction.model_validate_json((out / "reproduction.json").read_text("utf-8"))
    assert without_timing(on_disk.model_dump()) == without_timing(told.model_dump())
    for own in told.experiments:
        for table in own.tables:
            with (out / "tables" / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))
            assert len(rows) == 1 + len(table.rows)
            assert (out / "tables" / f"{table.name}.tex").read_text("utf-8").count("\\\\\n") >= 2
        for figure in own.figures:
            assert (out / "figures" / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
            assert b"<svg" in (out / "figures" / f"{figure}.svg").read_bytes()
    page = (out / "reproduction.html").read_text("utf-8")
    claims = [claim for own in told.experiments for claim in own.claims]
    assert {claim.key for claim in claims} == {
        "gap-recovered",
        "easy-better-when-hard-is-noisy",
    }
    for claim in claims:
        assert claim.verdict in ("holds", "does not hold", "not resolved")
        assert claim.statement.replace("0 %", "0\u00a0%") in page
    assert "<script" not in page and "http" not in page.replace("http://www.w3.org", "")


def test_the_numbers_are_those_of_the_trials(small: None, tmp_path: Path) -> None:
    """One accuracy and one difference, computed again from what the store has."""
    study = make_study(WORKSHOP, ["pico"], {}, tmp_path / "features", SilentWatcher())
    [experiment] = find_experiments(["train-test-gap"])
    found = run_reproduction(study, [experiment], tmp_path, SilentWatcher(), engine(tmp_path))
    result = found.result.experiments[0]
    with TrialStore(tmp_path / "trials.sqlite") as store:
        lab = study.lab("question_words")
        hard = lab.task.test_strata == "hard"
        accuracy = {}
        for level in ("easy", "medium"):
            trials = [lab.trial(lab.recipes["probe"], {level: 24}, seed) for seed in range(2)]
            results = [store.get(trial) for trial in trials]
            accuracy[level] = sum(r.correct[hard].mean() for r in results if r is not None) / 2
    [row] = [own for own in result.tables[0].rows if own[0] == "question words"]
    assert row[2].estimate == pytest.approx(accuracy["easy"])  # type: ignore[union-attr]
    assert row[3].estimate == pytest.approx(accuracy["medium"])  # type: ignore[union-attr]
    [case] = [own for own in result.claims[0].cases if own.name.startswith("question words")]
    assert case.value.estimate == pytest.approx(accuracy["medium"] - accuracy["easy"])


def engine(folder: Path) -> EngineChoice:
    return EngineChoice(features=folder / "features")


def test_what_is_no_longer_found_is_taken_away(small: None, tmp_path: Path) -> None:
    """Tables of an experiment that finds nothing now; those of others stay."""

    def run(names: list[str], seconds: float | None = None) -> None:
        study = make_study(WORKSHOP, ["pico"], {}, tmp_path / "features", SilentWatcher())
        experiments = find_experiments(names)
        run_reproduction(study, experiments, tmp_path, SilentWatcher(), engine(tmp_path), seconds)

    run(["train-test-gap"])
    assert (tmp_path / "tables" / "train_test_gap.csv").exists()
    run(["noise"], seconds=1e-9)
    assert (tmp_path / "tables" / "train_test_gap.csv").exists()
    document = Reproduction.model_validate_json((tmp_path / "reproduction.json").read_text("utf-8"))
    assert document.experiments[0].status == "not finished"
    (tmp_path / "trials.sqlite").unlink()
    run(["train-test-gap"])
    run(["train-test-gap"])  # the same again leaves all as it is
    assert (tmp_path / "figures" / "train_test_gap.png").exists()
    (tmp_path / "trials.sqlite").unlink()
    run(["train-test-gap"], seconds=1e-9)
    assert not (tmp_path / "tables" / "train_test_gap.csv").exists()
    assert not (tmp_path / "figures" / "train_test_gap.png").exists()


class Killing(SilentWatcher):
    """Ends the work, as Ctrl-C does, after so many trials."""

    def __init__(self, trials: int) -> None:
        self._left, self._counts = trials, False

    def stage(self, description: str, total: int) -> None:
        self._counts = description.startswith("easy-or-hard")

    def advance(self, steps: int = 1) -> None:
        self._left -= steps if self._counts else 0
        if self._left < 0:
            raise KeyboardInterrupt


def test_killed_and_gone_on_with_gives_the_same(small: None, tmp_path: Path) -> None:
    experiments = find_experiments(["easy-or-hard"])

    def run(folder: Path, watcher: SilentWatcher) -> None:
        study = make_study(WORKSHOP, ["pico"], {}, folder / "features", watcher)
        run_reproduction(study, experiments, folder, watcher, engine(folder))

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(whole, SilentWatcher())
    kept = []
    for trials in (2, 5, 1):
        with pytest.raises(KeyboardInterrupt):
            run(parts, Killing(trials))
        assert not (parts / "reproduction.json").exists()
        with TrialStore(parts / "trials.sqlite") as store:
            kept.append(len(store))
    run(parts, SilentWatcher())
    assert kept == sorted(kept) and kept[0] > 0
    with TrialStore(whole / "trials.sqlite") as one, TrialStore(parts / "trials.sqlite") as other:
        assert kept[-1] < len(one) == len(other)
    assert files(parts) == files(whole)


def test_when_the_time_is_over_no_trial_is_begun(small: None, tmp_path: Path) -> None:
    clock: Iterator[float] = iter([0.0, *[1.0] * 4, *[100.0] * 1000])
    study = make_study(WORKSHOP, ["pico"], {}, tmp_path / "features", SilentWatcher())
    found = run_reproduction(
        study,
        find_experiments(["easy-or-hard", "noise"]),
        tmp_path,
        SilentWatcher(),
        engine(tmp_path),
        most_seconds=50.0,
        clock=lambda: next(clock),
    )
    assert [own.status for own in found.result.experiments] == ["not finished", "not finished"]
    assert "goes on from there" in str(found.result.experiments[0].why)
    with TrialStore(tmp_path / "trials.sqlite") as store:
        begun = len(store)
    assert begun > 0
    again = run_reproduction(
        study,
        find_experiments(["easy-or-hard"]),
        tmp_path,
        SilentWatcher(),
        engine(tmp_path),
    )
    assert again.result.experiments[0].status == "done"
    assert again.result.trials > begun


def test_a_plan_writes_nothing_and_counts_every_trial_once(small: None, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = labelmix("reproduce", "--dry-run", "--out", out, "--price", "2", "--json")
    assert result.exit_code == 0, result.stderr
    assert not out.exists() and not list(tmp_path.iterdir())
    plan = json.loads(result.stdout)
    assert [own["name"] for own in plan["experiments"]] == [own.name for own in EXPERIMENTS]
    assert plan["rate"] == "measured" and plan["tokens_counted_by"] == "tokenizer"
    by_name = {own["name"]: own for own in plan["experiments"]}
    assert by_name["easy-or-hard"]["shared"] == by_name["easy-or-hard"]["trials"] > 0
    assert by_name["noise"]["shared"] == by_name["noise"]["trials"] > 0
    assert "several times" in by_name["models"]["why"]
    for own in plan["experiments"]:
        assert own["money"] == pytest.approx(2 * own["hours"])
    # What is kept is not planned again.
    labelmix("reproduce", "train-test-gap", "--out", out, "--json")
    later = labelmix("reproduce", "train-test-gap", "--dry-run", "--out", out, "--json")
    [own] = json.loads(later.stdout)["experiments"]
    assert own["kept"] == own["trials"] and own["tokens"] == 0 and own["hours"] == 0


def test_a_plan_for_a_model_that_is_not_at_hand(small: None, tmp_path: Path) -> None:
    result = labelmix(
        *("reproduce", "all", "--model", "meta-llama/Llama-2-7b-hf", "--dry-run", "--json"),
        *("--out", tmp_path / "out", "--tflops", "50"),
    )
    assert result.exit_code == 0, result.stderr
    plan = json.loads(result.stdout)
    assert plan["parameters"] == 7_000_000_000
    assert plan["rate"] == "assumed" and plan["operations_per_second"] == 50e12
    assert plan["tokens_counted_by"] == "characters"
    hardness = plan["experiments"][0]
    assert hardness["operations"] == pytest.approx(2 * 7e9 * hardness["tokens"], rel=1e-3)
    assert any("assumed, not measured" in note for note in plan["notes"])
    assert not list(tmp_path.iterdir())
