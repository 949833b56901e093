"""Inputs that are broken in any way: one line, exit code 2, nothing half-written, no hang.

LABELMIX_MUTATIONS says how many mutations of every input are tried (default 12; 500 is thorough).
"""

import io
import json
import os
import random
import re
import shutil
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from analysis.run.result import write_result
from budget.commands.app import app
from budget.config.prepare import prepare
from tests.mutations import (
    mutated_bytes,
    mutated_json,
    mutated_json_lines,
    mutated_parquet,
    mutated_toml,
)
from tests.unit.analysis.runs_by_hand import run_result
from tests.unit.budget.commands.command_line import CONFIG, item
from tests.unit.budget.conftest import finished_run, known_surface

MUTATIONS = int(os.environ.get("LABELMIX_MUTATIONS", "12"))
SECONDS = 10
LONGEST_LINE = 2_000
# What a terminal would obey: controls but tab and line end, and marks that turn text around.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

Mutate = Callable[[random.Random, bytes], bytes]


@dataclass
class Reader:
    """One way in: a folder with small valid inputs, what is mutated, and the command that reads."""

    command: list[str]
    mutated: str
    ways: tuple[Mutate, ...]
    files: dict[str, bytes] = field(default_factory=dict)


def json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), target)
    return target.getvalue()


def csv(rows: list[dict[str, Any]]) -> bytes:
    lines = [",".join(rows[0])]
    for row in rows:
        cells = ("|".join(v) if isinstance(v, list) else str(v) for v in row.values())
        lines.append(",".join(cells))
    return ("\n".join(lines) + "\n").encode()


LABELS = ("odd", "even")
ITEMS = [item(number) | {"group": f"exam {number % 5}"} for number in range(12)]
JUDGMENTS = [
    {
        "item_id": f"item-{number}",
        "annotator": f"ann{who}@example.org",
        "label": LABELS[(number + (number * who % 7 == 3)) % 2],
        "seconds": 4.5 + who,
        "created_at": f"2024-03-0{who}T10:{number:02d}:00+00:00",
        "stratum": "hard" if number > 5 else "easy",
        "source_id": f"{number}-{who}",
    }
    for number in range(12)
    for who in (1, 2, 3)
]
EXPORT = [
    {
        "id": number,
        "project": 3,
        "data": {
            "item_id": f"item-{number}",
            "question": "?",
            "options": ["odd", "even"],
            "stratum": "hard" if number > 5 else "easy",
        },
        "annotations": [
            {
                "id": 10 * number + who,
                "completed_by": {"id": who, "email": f"ann{who}@example.org"},
                "created_at": f"2024-03-0{who}T10:{number:02d}:00Z",
                "updated_at": f"2024-03-0{who}T10:{number:02d}:00Z",
                "lead_time": 3.5,
                "was_cancelled": False,
                "ground_truth": False,
                "result": [
                    {
                        "from_name": "answer",
                        "to_name": "q",
                        "type": "choices",
                        "value": {"choices": [LABELS[(number + (number * who % 7 == 3)) % 2]]},
                    }
                ],
            }
            for who in (1, 2, 3)
        ],
    }
    for number in range(12)
]
SUPPLIERS = b"""
[training]
gpu_price = 2.5
gpu_hours_per_1000_labels = 0.5

[roles.crowd]
people = 3
hours_per_day = 6.5

[suppliers.crowd]
cost = 1.2
error_rate = 0.2
error_kind = "flip"
judgments = [1, 3]
discounts = [{ after = 50, cost = 1.0 }]
fixed_cost = 10
least = 5
capacity = 500
seconds = 20
role = "crowd"

[suppliers.expert.strata.hard]
cost = 3
error_rate = 0.05
"""


def mutated_result(rng: random.Random, content: bytes) -> bytes:
    """A result of values of other kinds, and without the checksum that would tell."""
    document = json.loads(content)
    del document["checksum"]
    return mutated_json(rng, json.dumps(document).encode())


STATEMENTS = b"""
cost-ratio = 3
error-easy = 0.1
error-hard = { value = 0.2, source = "a pilot" }
transfer = [0.6, 0.9]
x = "budget=50:500:4"
y = "cost-ratio=1:5:4"
"""
RUN = (
    CONFIG.encode()
    + b"""
[annotators.easy]
cost = 1.0
error_rate = 0.1
error_kind = "flip"

[annotators.hard]
cost = 2.0
error_rate = 0.2

[probe]
penalty = 0.5

[qlora]
rank = 4
learning_rate = 2e-4

[evaluation]
seeds = 3

[prompt]
choices = "0040-mended"
"""
)
JUDGED = (
    CONFIG.replace("total = 400", "total = 40").encode()
    + b"""
[annotators]
source = "judgments"
judgments = ["judgments.csv"]
judgments_for_strata = 0
aggregate = "majority"

[annotators.easy]
cost = 0.5

[annotators.hard]
cost = 0.75
"""
)
MODEL = Path(__file__).parents[3] / "training" / "pico" / "checkpoint"
MODEL_FILES = {f"model/{p.name}": p.read_bytes() for p in MODEL.iterdir() if p.suffix != ".md"}
TASK = {"items.jsonl": json_lines([item(number) for number in range(180)])}
CONFIGURATION = json.dumps({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}).encode()

HARDNESS = ["--out", "out/measured.jsonl", "--figure", "out/figure.svg", "--features", "features"]
REPORT = ["--out", "out/terms.toml", "--labels-out", "out/labels.jsonl"]
REPORT += ["--suppliers-out", "out/suppliers.toml", "--rate", "18"]

READERS: dict[str, Reader] = {
    "items.jsonl": Reader(
        ["hardness", "items.jsonl", *HARDNESS],
        "items.jsonl",
        (mutated_bytes, mutated_json_lines),
        {"items.jsonl": json_lines(ITEMS)},
    ),
    "items.csv": Reader(
        ["hardness", "items.csv", *HARDNESS],
        "items.csv",
        (mutated_bytes,),
        {"items.csv": csv(ITEMS)},
    ),
    "items.parquet": Reader(
        ["hardness", "items.parquet", *HARDNESS],
        "items.parquet",
        (mutated_bytes, mutated_parquet, mutated_parquet),
        {"items.parquet": parquet(ITEMS)},
    ),
    "items described": Reader(
        ["items", "describe", "--source", "tabular", "--path", "items.jsonl"],
        "items.jsonl",
        (mutated_bytes, mutated_json_lines),
        {"items.jsonl": json_lines(ITEMS)},
    ),
    "judgments.csv": Reader(
        ["judgments", "report", "judgments.csv", *REPORT],
        "judgments.csv",
        (mutated_bytes,),
        {"judgments.csv": csv(JUDGMENTS)},
    ),
    "judgments.parquet": Reader(
        ["judgments", "report", "judgments.parquet", *REPORT],
        "judgments.parquet",
        (mutated_bytes, mutated_parquet, mutated_parquet),
        {"judgments.parquet": parquet(JUDGMENTS)},
    ),
    "label studio export": Reader(
        ["judgments", "report", "export.json", *REPORT],
        "export.json",
        (mutated_bytes, mutated_json),
        {"export.json": json.dumps(EXPORT).encode()},
    ),
    "responses": Reader(
        ["hardness", "items.jsonl", "--judgments", "judgments.csv", *HARDNESS],
        "judgments.csv",
        (mutated_bytes,),
        {"items.jsonl": json_lines(ITEMS), "judgments.csv": csv(JUDGMENTS)},
    ),
    "suppliers": Reader(
        ["plan", "finished", "--suppliers", "suppliers.toml", "--deadline-days", "5"],
        "suppliers.toml",
        (mutated_bytes, mutated_toml),
        {"suppliers.toml": SUPPLIERS},
    ),
    "statements": Reader(
        ["simulate", "--assume", "statements.toml", "--draws", "20", "--out", "out/simulate"],
        "statements.toml",
        (mutated_bytes, mutated_toml),
        {"statements.toml": STATEMENTS},
    ),
    "run": Reader(
        ["run", "task.toml", "--out", "out/run"],
        "task.toml",
        (mutated_bytes, mutated_toml),
        {**TASK, "task.toml": RUN, "model/config.json": CONFIGURATION},
    ),
    "trial": Reader(
        ["trial", "task.toml", "--method", "probe", "--labels", "easy=10", "--out", "out/trial"],
        "task.toml",
        (mutated_bytes, mutated_toml),
        {**TASK, "task.toml": RUN, "model/config.json": CONFIGURATION},
    ),
    "curves": Reader(
        ["curves", "task.toml", "--out", "out/curves"],
        "task.toml",
        (mutated_bytes, mutated_toml),
        {**TASK, "task.toml": RUN, "model/config.json": CONFIGURATION},
    ),
    "items of a run": Reader(
        ["items", "describe", "task.toml"],
        "task.toml",
        (mutated_bytes, mutated_toml),
        {"items.jsonl": json_lines(ITEMS), "task.toml": CONFIG.encode()},
    ),
    "judged run": Reader(
        ["items", "describe", "task.toml"],
        "task.toml",
        (mutated_bytes, mutated_toml),
        {
            "items.jsonl": json_lines(ITEMS),
            "judgments.csv": csv(JUDGMENTS),
            "task.toml": JUDGED,
        },
    ),
    "result planned": Reader(
        ["plan", "finished"], "finished/result.json", (mutated_bytes, mutated_result)
    ),
    "result reported": Reader(
        ["report", "page"], "page/result.json", (mutated_bytes, mutated_result)
    ),
    "result simulated": Reader(
        [
            "simulate",
            "--run",
            "finished",
            "--out",
            "out/simulate",
            "--draws",
            "20",
            "--x",
            "budget=50:500:4",
            "--y",
            "cost-ratio=1:5:4",
        ],
        "finished/result.json",
        (mutated_bytes, mutated_result),
    ),
    **{
        f"model {name}": Reader(
            [
                "hardness",
                "items.jsonl",
                "--model",
                "model",
                "--measure",
                "zero_shot_error_confidence",
                *HARDNESS,
            ],
            f"model/{name}",
            (mutated_bytes, mutated_json) if name.endswith(".json") else (mutated_bytes,),
            {**MODEL_FILES, "items.jsonl": json_lines(ITEMS)},
        )
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")
    },
}


class HangError(BaseException):
    """A command is still at work; no exception that any code would catch."""


@dataclass
class Outcome:
    """What a command did with one mutated input."""

    code: int
    trouble: str = ""


def outcome(reader: Reader, folder: Path, content: bytes) -> Outcome:
    """Run the command on `content` in the mutated file's place."""
    (folder / reader.mutated).write_bytes(content)
    for kept in ("out", "features"):
        shutil.rmtree(folder / kept, ignore_errors=True)
    before = {p for p in folder.rglob("*") if p.is_file()}
    started = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * SECONDS)  # of this process's own work
    try:
        result = CliRunner().invoke(app, reader.command, prog_name="labelmix")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    seconds = time.process_time() - started
    new = [p for p in folder.rglob("*") if p.is_file() and p not in before]
    return Outcome(result.exit_code, _trouble(result, seconds, new))


def _trouble(result: Any, seconds: float, new: list[Path]) -> str:
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        last = traceback.extract_tb(error.__traceback__)
        own = [f for f in last if "/site-packages/" not in f.filename]
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
        return f"{type(error).__name__} at {place}: {str(error)[:200]}"
    if result.exit_code not in (0, 2, 3):
        return f"exit code {result.exit_code}"
    if seconds > SECONDS:
        return f"took {seconds:.0f} s"
    for stream in (result.stdout, result.stderr):
        if found := OBEYED.search(stream):
            around = stream[max(0, found.start() - 40) : found.end() + 20]
            return f"the terminal would obey {found[0]!r} in {around!r}"
        if "Traceback" in stream:
            return "a traceback is printed"
    if result.exit_code:
        lines = result.stderr.rstrip("\n").split("\n")
        said = [line for line in lines if line.startswith("labelmix: ")]
        if len(said) != 1 or not lines[-1].startswith("labelmix: "):
            return f"not one line: {result.stderr[-300:]!r}"
        if len(said[0]) > LONGEST_LINE:
            return f"a line of {len(said[0])} characters: {said[0][:100]}"
        if new:
            return f"left {', '.join(sorted(p.name for p in new))}"
    elif any(p.name.endswith(".part") for p in new):
        return "left an unfinished file"
    return ""


def mutations(reader: Reader, name: str, count: int) -> list[bytes]:
    content = reader.files[reader.mutated]
    found = []
    for number in range(count):
        rng = random.Random(f"{name} {number}")
        found.append(reader.ways[number % len(reader.ways)](rng, content))
    return found


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Results of finished runs: one to plan from, one with all that a report shows."""
    planned = finished_run({"probe": known_surface({"easy": 0.6})})
    shown = run_result(["easy", "hard"], {"easy": 60, "hard": 20}, {"easy": 20, "hard": 20})
    results = {"finished/result.json": planned, "page/result.json": shown}
    path = tmp_path_factory.mktemp("results") / "result.json"
    contents = {}
    for name, found in results.items():
        write_result(found, path)
        contents[name] = path.read_bytes()
    return contents


@pytest.fixture(autouse=True)
def _checked_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that train stop behind all checks of their input."""

    def checked(config: Any, *_: Any, **__: Any) -> None:
        prepare(config)
        raise SystemExit(0)

    def stop(*_: Any, **__: Any) -> None:
        raise SystemExit(0)

    def hang(*_: Any) -> None:
        raise HangError

    signal.signal(signal.SIGVTALRM, hang)
    monkeypatch.setattr("budget.campaign.run.run_campaign", checked)
    monkeypatch.setattr("analysis.single_trial.run_single_trial", stop)
    monkeypatch.setattr("analysis.curves.run.run_curves", stop)


@pytest.mark.parametrize("name", READERS)
def test_a_mutated_input_is_read_or_refused_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, results: dict[str, bytes]
) -> None:
    reader = READERS[name]
    reader.files.update(results)
    for file, content in reader.files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    assert outcome(reader, tmp_path, reader.files[reader.mutated]) == Outcome(0)
    wrong: dict[int, str] = {}
    refused = 0
    for number, content in enumerate(mutations(reader, name, MUTATIONS)):
        found = outcome(reader, tmp_path, content)
        refused += found.code != 0
        if found.trouble:
            wrong[number] = found.trouble
    told = "\n".join(f"{number}: {trouble}" for number, trouble in wrong.items())
    assert not wrong, f"{name}: {len(wrong)} of {MUTATIONS} ({refused} refused)\n{told}"
    assert refused  # otherwise the mutations are too mild to show anything
