"""Killed or interrupted anywhere and started again, a run gives what an uninterrupted one gives."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from analysis.run.result import RunResult
from training.models.source import PICO_FOLDER

pytestmark = pytest.mark.timeout(1800)

Rows = dict[str, tuple[Any, ...]]

CONFIG = """
name = "resume"

[items]
source = "workshop"
size = 1500

[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5

[model]
path = "model"

[methods]
plan_with = "qlora"
also = ["probe"]

[annotators.hard]
cost = 2

[budget]
total = 90

[pilot]
labels = 16
fractions = [0.5, 1.0]
seeds = 2

[test]
items = 240
other_items = 60

[evaluation]
seeds = 2

[qlora]
epochs = 1
least_updates = 5
"""
PILOT_TRIALS = 12  # 2 fractions x (easy, hard, both) x 2 seeds
TESTED, PILOT_READ = 360, 800  # items read of which no label is bought; with those of the pilot


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of about 50 short trials with a small random decoder."""
    folder = tmp_path_factory.mktemp("task")
    tokenizer = AutoTokenizer.from_pretrained(PICO_FOLDER)
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(shape).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    (folder / "task.toml").write_text(CONFIG)
    return folder / "task.toml"


def _heed_interrupts() -> None:
    """A shell makes what it starts in the background deaf to Ctrl-C, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Runs:
    """Starts `labelmix run` on one configuration, and looks at its folder from outside."""

    start_words: list[str]
    environment: dict[str, str]
    rows: Callable[[Path], Rows]
    started: list[tuple[Path, subprocess.Popen[str]]] = field(default_factory=list)

    def start(self, out: Path, workers: int) -> subprocess.Popen[str]:
        """A process group of its own, as a shell gives it; `out` marks all of its processes."""
        process = subprocess.Popen(
            [*self.start_words, "--out", str(out), "--workers", str(workers)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[3],
            env={**self.environment, "LABELMIX_TEST_RUN": str(out)},
            start_new_session=True,
            preexec_fn=_heed_interrupts,
        )
        self.started.append((out, process))
        return process

    def finish(self, out: Path, workers: int = 1) -> RunResult:
        """Run to the end."""
        process = self.start(out, workers)
        _, errors = process.communicate(timeout=1200)
        assert process.returncode == 0, errors[-2000:]
        return RunResult.model_validate_json((out / "result.json").read_text())

    def wait_for(self, out: Path, process: subprocess.Popen[str], count: int) -> None:
        """Return once so many trials are in the store."""
        while len(self.rows(out)) < count:
            assert process.poll() is None, f"ended early: {process.communicate()}"
            time.sleep(0.005)


@pytest.fixture(scope="module")
def runs(
    command: list[str],
    environment: dict[str, str],
    config: Path,
    stored_rows: Callable[[Path], Rows],
    require: Callable[[bool, str], None],
) -> Any:
    require(Path("/proc/self/environ").exists(), "processes are looked for in /proc")
    runs = Runs([*command, "run", str(config)], environment, stored_rows)
    yield runs
    for out, process in runs.started:
        for left in left_processes(out):  # none, unless a test failed
            os.kill(left, signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="module")
def uninterrupted(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "uninterrupted"
    runs.finish(out)
    return out


def result_but_for_times(out: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((out / "result.json").read_text())
    assert result.pop("timing").keys() == {"run_seconds", "training_seconds"}
    return result


def left_processes(out: Path) -> list[int]:
    """Processes of the run in `out`, its workers included: they inherit what marks it."""
    marker = f"LABELMIX_TEST_RUN={out}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


def assert_all_processes_end(out: Path) -> None:
    deadline = time.monotonic() + 20
    while left_processes(out):
        assert time.monotonic() < deadline, f"processes of {out} go on: {left_processes(out)}"
        time.sleep(0.1)


def trained(rows: Rows, method: str) -> int:
    """How many trials of a method are there; the trial's description is the third column."""
    return sum(json.loads(row[2])["recipe"]["method"] == method for row in rows.values())


def items_read(out: Path) -> int:
    """Items that are kept of one prompt, the most of any."""
    kept = [0]
    for record in out.glob("features/*/record"):
        head, _, body = record.read_bytes().partition(b"\n")
        kept.append(int(np.frombuffer(body, dtype=bool, count=json.loads(head)["rows"]).sum()))
    return max(kept)


# When to kill, and whether that moment was met: (run's folder, rows of its store) -> bool.
Moment = Callable[[Path, Rows], bool]


def before_the_first_trial(out: Path, rows: Rows) -> bool:
    return (out / "trials.sqlite").exists() and not rows


def during_the_adapters_pilot(out: Path, rows: Rows) -> bool:
    return 2 <= trained(rows, "qlora") < PILOT_TRIALS


def during_the_adapters_last_trials(out: Path, rows: Rows) -> bool:
    return trained(rows, "qlora") >= PILOT_TRIALS + 3 and trained(rows, "zero_shot") == 1


def between_the_methods(out: Path, rows: Rows) -> bool:
    return trained(rows, "zero_shot") == 2 and not trained(rows, "probe")


def during_the_probes_pilot(out: Path, rows: Rows) -> bool:
    return 2 <= trained(rows, "probe") < PILOT_TRIALS


def while_items_are_read(out: Path, rows: Rows) -> bool:
    """Test items are kept, and a part of the others: a few at a time, then more."""
    return TESTED < items_read(out) < PILOT_READ


def during_the_probes_last_trials(out: Path, rows: Rows) -> bool:
    return items_read(out) > PILOT_READ and not (out / "result.json").exists()


def kill_at(moment: Moment, runs: Runs, out: Path, workers: int) -> None:
    """Start the run of `out` again and kill it, and it alone, at the moment.

    Where this process was not woken in time the folder is put back and all is tried again.
    """
    before = out.with_name("before")
    for _ in range(5):
        shutil.rmtree(before, ignore_errors=True)
        if out.exists():
            shutil.copytree(out, before)
        process = runs.start(out, workers)
        while not moment(out, runs.rows(out)) and process.poll() is None:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert_all_processes_end(out)
        process.communicate()
        if process.returncode == -signal.SIGKILL and moment(out, runs.rows(out)):
            return
        shutil.rmtree(out)
        if before.exists():
            shutil.copytree(before, out)
    pytest.fail(f"the run could not be killed {moment.__name__} in five attempts")


# Workers train adapters; all else is done in the first process, of however many. A start takes
# seconds, most of them imports: so each moment is met once.
@pytest.mark.parametrize(
    ("workers", "moments"),
    [
        (
            1,
            (
                before_the_first_trial,
                during_the_adapters_pilot,
                between_the_methods,
                during_the_probes_pilot,
                while_items_are_read,
                during_the_probes_last_trials,
            ),
        ),
        (2, (during_the_adapters_last_trials,)),
    ],
    ids=["one process", "two workers"],
)
def test_a_run_killed_again_and_again_gives_the_same_result(
    runs: Runs, uninterrupted: Path, tmp_path: Path, workers: int, moments: tuple[Moment, ...]
) -> None:
    out = tmp_path / "killed"
    kept: Rows = {}
    for moment in moments:
        kill_at(moment, runs, out, workers)
        rows = runs.rows(out)
        assert kept.items() <= rows.items(), f"a trial was lost or run again {moment.__name__}"
        kept = rows
    assert not (out / "result.json").exists()
    runs.finish(out, workers)
    assert kept.items() <= runs.rows(out).items()
    assert runs.rows(out).keys() == runs.rows(uninterrupted).keys()
    assert result_but_for_times(out) == result_but_for_times(uninterrupted)
    assert (out / "report.html").read_bytes() == (uninterrupted / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("whole_group", "finished", "goes_on"),
    [(True, 1, False), (True, 3, True), (False, 3, False)],
    ids=["Ctrl-C while workers start", "Ctrl-C while they train", "signal to it alone"],
)
def test_an_interrupted_run_says_so_in_one_line_and_goes_on(
    runs: Runs,
    uninterrupted: Path,
    tmp_path: Path,
    whole_group: bool,
    finished: int,
    goes_on: bool,
) -> None:
    """Ctrl-C at a terminal reaches the workers as well; they have nothing to say."""
    out = tmp_path / "interrupted"
    process = runs.start(out, workers=2)
    runs.wait_for(out, process, finished)
    time.sleep(0.5)  # after zero-shot: workers load libraries for seconds before they train
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert printed == ""
    assert_all_processes_end(out)
    messages = [line for line in errors.splitlines() if line.startswith("labelmix: ")]
    assert messages == [
        "labelmix: interrupted; what is done is kept, the same command goes on from there."
    ]
    assert "Traceback" not in errors
    kept, all_trials = runs.rows(out), runs.rows(uninterrupted)
    assert finished <= len(kept) < len(all_trials)
    assert kept.keys() < all_trials.keys()
    assert not (out / "result.json").exists()
    if not goes_on:  # that a run goes on from anywhere is shown by the test above
        return
    runs.finish(out)
    assert kept.items() <= runs.rows(out).items()
    assert result_but_for_times(out) == result_but_for_times(uninterrupted)


def test_other_prices_reuse_the_trials_of_the_pilot(
    runs: Runs, config: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    """A price cannot change what a trial gives; it changes which purchases are compared."""
    out = tmp_path / "dearer"
    shutil.copytree(uninterrupted, out)
    dearer = config.with_name("dearer.toml")
    dearer.write_text(CONFIG.replace("cost = 2", "cost = 3.50"))
    words = [str(dearer) if word == str(config) else word for word in runs.start_words]
    result = Runs(words, runs.environment, runs.rows).finish(out)
    before, after = runs.rows(uninterrupted), runs.rows(out)
    assert before.items() <= after.items()
    new = [json.loads(row[2]) for key, row in after.items() if key not in before]
    assert new and all(trial["pilot"] is None for trial in new)
    assert all(trial["recipe"]["method"] in ("probe", "qlora") for trial in new)
    assert result.pilot.cost == 16 * 1 + 16 * 3.5
    assert result.exchange_rate.cost_ratio == pytest.approx(1 / 3.5)
    was = RunResult.model_validate_json((uninterrupted / "result.json").read_text())
    for method, evidence in result.methods.items():
        assert [p.accuracy for p in evidence.pilot_curve] == [
            p.accuracy for p in was.methods[method].pilot_curve
        ]
        assert evidence.surface == was.methods[method].surface
