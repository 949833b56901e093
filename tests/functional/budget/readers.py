"""Every way in: small valid inputs, which of them is mutated, and the command that reads it."""

import gzip
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.functional.budget.mutated_files import (
    mutated_packed,
    mutated_result,
    mutated_state,
    mutated_store,
)
from tests.mutations import (
    mutated_bytes,
    mutated_json,
    mutated_json_lines,
    mutated_parquet,
    mutated_toml,
)
from tests.unit.budget.collection.small_collection import suppliers
from tests.unit.budget.commands.command_line import CONFIG, item

Mutate = Callable[[random.Random, bytes], bytes]


@dataclass
class Reader:
    """One way in: a folder with small valid inputs, what is mutated, and the command that reads.

    `labels` and `texts` stand for readers that no option of a command leads to at once.
    """

    command: list[str]
    mutated: str
    ways: tuple[Mutate, ...]
    files: dict[str, bytes] = field(default_factory=dict)


ROUTE = ["--machine", "bot", "--confidence", "sure", "--people", "nobody", "--error-at-most", ".1"]


ASKED = ["suppliers", "llm", "items.jsonl", "--model", "m", "--url", "http://127.0.0.1:9"]
ASKED += ["--price-per-item", ".1", "--instructions", "instructions.txt", "--dry-run"]


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
MACHINE = [own | {"bot": LABELS[k % 2], "sure": 0.5 + k / 40} for k, own in enumerate(ITEMS)]
CHECKED = [
    {"item_id": own["item_id"], "label": own["choices"][k % 2]} for k, own in enumerate(ITEMS)
]
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

SOURCES: dict[str, dict[str, list[dict[str, Any]]]] = {
    "arc": {
        "ARC-Easy/train.jsonl": [
            {
                "id": f"Mercury_{number}",
                "question": f"What is {number}?",
                "choices": {"text": ["odd", "even", "both"], "label": ["A", "B", "C"]},
                "answerKey": "AB"[number % 2],
            }
            for number in range(8)
        ]
    },
    "mmlu_stem": {
        "college_physics/test.jsonl": [
            {"question": f"What is {number}?", "choices": ["odd", "even", "both"], "answer": 1}
            for number in range(8)
        ]
    },
    "sst5": {
        "train.jsonl": [
            {"text": f"A film of {number}.", "label": number % 5} for number in range(9)
        ]
    },
    "gsm8k": {
        "test.jsonl": [
            {"question": f"How many of {number}?", "answer": f"One.\nTwo.\n#### {number},000"}
            for number in range(8)
        ]
    },
    "strategyqa": {
        "dev.jsonl": [
            {
                "qid": f"q{number}",
                "question": f"Is {number} odd?",
                "answer": number % 2 == 1,
                "facts": ["One is odd.", "Two is even."],
                "decomposition": ["What is odd?", "What is #1?"],
            }
            for number in range(8)
        ]
    },
}
ANNOTATIONS = {
    f"ARCEZ_Mercury_{number}": {
        "grade": f"Grade 0{3 + number % 5}",
        "difficulty": "Low",
        "bloom": "Applying",
        "depth_of_knowledge": "II",
    }
    for number in range(8)
}
OF_ARC: dict[str, bytes] = {
    "data/annotations.json": json.dumps(ANNOTATIONS).encode(),
    **{f"data/{name}": json_lines(rows) for name, rows in SOURCES["arc"].items()},
}
LABELS_OF_ITEMS = [
    {
        "item_id": f"item-{number}",
        "choices": ["odd", "even"],
        "posterior": [0.75, 0.25],
        "label": "odd",
        "confidence": 0.75,
        "stratum": "easy",
        "judgments": 3,
    }
    for number in range(6)
]
PREDICTIONS = [
    {"item_id": f"item-{number}", "choice": LABELS[number % 2], "score": 0.5}
    for number in range(12)
]
PUSH = ["labelstudio", "push", "items.jsonl", "--title", "Pilot", "--tasks", "all=6"]
PUSH += ["--gold", "2", "--out", "pilot", "--predictions", "predictions.jsonl"]
PUSH += ["--instructions", "instructions.html", "--token-file", "token"]
REPLAY = ["replay", "judgments.csv", "--items", "items.jsonl", "--test", "test.jsonl"]
REPLAY += ["--suppliers", "prices.toml", "--measure", "steps", "--cut", "edges:2,>=5"]
REPLAY += ["--config", "settings.toml", "--budget", "6", "--out", "out/replay"]
OF_REPLAY = {
    "items.jsonl": json_lines([item(number) for number in range(60)]),
    "judgments.csv": csv(
        [
            {"item_id": f"item-{number}", "annotator": who, "label": LABELS[number % 2]}
            for number in range(60)
            for who in ("ann", "bob", "cem")
        ]
    ),
    "test.jsonl": json_lines([item(number) for number in range(100, 160)]),
    "prices.toml": b"[suppliers.crowd]\ncost = 0.05\njudgments = [1, 3]\n",
    "settings.toml": b'[buying]\nfirst = 4\ngold = 2\n[model]\npath = "pico"\n',
}
PULLED = ["--judgments", "out/judgments.csv", "--token-file", "token"]
OF_PUSH = {
    "items.jsonl": json_lines(ITEMS),
    "predictions.jsonl": json_lines(PREDICTIONS),
    "instructions.html": b"<p>Read the question.</p>\n<p>Then choose.</p>",
    "token": b"feedfacefeedfacefeedface\n",
}


EXISTING = [
    {"item_id": f"item-{number}", "label": LABELS[number % 2], "annotator": who, "cost": 0.15}
    for number in range(6)
    for who in ("ann", "bob")
]
NEW = ["collect", "new", "out/c", "--items", "pool.jsonl", "--test", "test.jsonl"]
NEW += ["--suppliers", "suppliers.toml", "--labels", "labels.csv", "--budget", "60"]
NEW += ["--currency", "EUR", "--measure", "steps", "--cut", "quantiles:2"]
OF_NEW = {
    "pool.jsonl": json_lines([item(number) for number in range(120)]),
    "test.jsonl": json_lines([item(number) for number in range(120, 160)]),
    "suppliers.toml": suppliers().encode(),
    "labels.csv": csv(EXISTING),
}


STATE = "pilot/label_studio.sqlite"


POOL = [
    {name: value for name, value in item(number).items() if name != "answer"}
    for number in range(120)
]
TESTED = [item(number) for number in range(900, 942)]
SETTINGS = b"""
name = "little"
deadline = 2030-01-31

[model]
path = "pico"

[strata]
measure = "steps"
cut = "edges:2,>=5"

[buying]
rounds = 3
first = 8
gold = 2
extra = 0.1
aggregate = "majority"
approve_below = 2.5

[probe]
penalty = 0.5
"""
OWN_SUPPLIERS = b"""
[suppliers.crowd]
cost = 0.05
judgments = [2, 3]
channel = "file"
error_rate = 0.2
error_kind = "flip"
seconds = 20

[suppliers.expert]
per_hour = 36
most_seconds = 60
capacity = 500

[suppliers.expert.strata.hard]
per_hour = 40
"""
ALARMS = b"[alarms]\nfalse_alarms = 2\n"
FILE_SUPPLIERS = OWN_SUPPLIERS.replace(b"capacity", b'channel = "file"\ncapacity')
STORE = "little/collection.sqlite"
COLLECT = ["collect", "new", "out/little", "--items", "pool.csv", "--test", "test.jsonl"]
COLLECT += ["--suppliers", "suppliers.toml", "--config", "settings.toml", "--budget", "250"]
COLLECT += ["--currency", "EUR", "--by", "ann"]
OF_COLLECT = {
    "pool.csv": csv(POOL),
    "test.jsonl": json_lines(TESTED),
    "suppliers.toml": OWN_SUPPLIERS,
    "settings.toml": SETTINGS,
}


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
    "items for Label Studio": Reader(
        PUSH, "items.jsonl", (mutated_bytes, mutated_json_lines), OF_PUSH
    ),
    "predictions": Reader(PUSH, "predictions.jsonl", (mutated_bytes, mutated_json_lines), OF_PUSH),
    "instructions": Reader(PUSH, "instructions.html", (mutated_bytes,), OF_PUSH),
    "token": Reader(PUSH, "token", (mutated_bytes,), OF_PUSH),
    "pilot pushed again": Reader(PUSH, STATE, (mutated_bytes, mutated_state), OF_PUSH),
    **{
        f"pilot {name}": Reader(
            ["labelstudio", command, "pilot", *PULLED],
            STATE,
            (mutated_bytes, mutated_state),
            OF_PUSH,
        )
        for name, command in (("pulled", "pull"), ("watched", "watch"))
    },
    **{
        f"source {name}": Reader(
            ["items", "describe", "--source", name, "--data-dir", "data"],
            f"data/{file}",
            (mutated_bytes, mutated_json_lines),
            {f"data/{own}": json_lines(rows) for own, rows in files.items()}
            | (OF_ARC if name == "arc" else {}),
        )
        for name, files in SOURCES.items()
        for file in files
    },
    "grades": Reader(
        ["items", "describe", "--source", "arc", "--data-dir", "data"],
        "data/annotations.json",
        (mutated_bytes, mutated_json),
        OF_ARC,
    ),
    "texts of a backtest": Reader(
        ["texts", "data"],
        "data/train.jsonl",
        (mutated_bytes, mutated_json_lines),
        {
            "data/train.jsonl": json_lines(
                [
                    {"text": f"What is {number} of {number % 7}?", "label": number % 6}
                    for number in range(60)
                ]
            )
        },
    ),
    "existing labels": Reader(NEW, "labels.csv", (mutated_bytes,), OF_NEW),
    "labels.jsonl": Reader(
        ["labels", "labels.jsonl"],
        "labels.jsonl",
        (mutated_bytes, mutated_json_lines),
        {"labels.jsonl": json_lines(LABELS_OF_ITEMS), "items.jsonl": json_lines(ITEMS)},
    ),
    "labels.parquet": Reader(
        ["labels", "labels.parquet"],
        "labels.parquet",
        (mutated_bytes, mutated_parquet),
        {"labels.parquet": parquet(LABELS_OF_ITEMS), "items.jsonl": json_lines(ITEMS)},
    ),
    **{
        f"{name} replayed": Reader(REPLAY, file, (mutated_bytes, ways), OF_REPLAY)
        for name, file, ways in (
            ("judgments", "judgments.csv", mutated_bytes),
            ("items", "items.jsonl", mutated_json_lines),
            ("test items", "test.jsonl", mutated_json_lines),
            ("suppliers", "prices.toml", mutated_toml),
            ("settings", "settings.toml", mutated_toml),
        )
    },
    "items packed": Reader(
        ["hardness", "items.csv.gz", *HARDNESS],
        "items.csv.gz",
        (mutated_bytes, mutated_packed, mutated_packed),
        {"items.csv.gz": gzip.compress(csv(ITEMS), mtime=0)},
    ),
    "configuration measured": Reader(
        ["hardness", "task.toml", *HARDNESS],
        "task.toml",
        (mutated_bytes, mutated_toml),
        {"items.jsonl": json_lines(ITEMS), "task.toml": CONFIG.encode()},
    ),
    "configuration of judgments": Reader(
        ["judgments", "report", "judgments.csv", "--config", "task.toml", *REPORT[2:4]],
        "task.toml",
        (mutated_bytes, mutated_toml),
        {
            "items.jsonl": json_lines(ITEMS),
            "judgments.csv": csv(JUDGMENTS),
            "task.toml": CONFIG.encode(),
        },
    ),
    "items of judgments": Reader(
        ["judgments", "report", "judgments.csv", "--items", "items.jsonl", *REPORT],
        "items.jsonl",
        (mutated_bytes, mutated_json_lines),
        {"items.jsonl": json_lines(ITEMS), "judgments.csv": csv(JUDGMENTS)},
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
    "past judgments": Reader(
        ["judgments", "finish", "judgments.csv", "--left", "10", "--past", "past.csv"],
        "past.csv",
        (mutated_bytes,),
        {"judgments.csv": csv(JUDGMENTS), "past.csv": csv(JUDGMENTS)},
    ),
    "suppliers of alarms": Reader(
        ["judgments", "alarms", "judgments.csv", "--suppliers", "suppliers.toml"],
        "suppliers.toml",
        (mutated_bytes, mutated_toml),
        {"judgments.csv": csv(JUDGMENTS), "suppliers.toml": ALARMS + OWN_SUPPLIERS},
    ),
    "collection's instructions": Reader(
        [*COLLECT, "--instructions", "instructions.txt"],
        "instructions.txt",
        (mutated_bytes,),
        {**OF_COLLECT, "instructions.txt": b"Read the question.\nThen choose.\n"},
    ),
    **{
        f"collection's {name}": Reader(COLLECT, file, ways, OF_COLLECT)
        for name, file, ways in (
            ("items", "pool.csv", (mutated_bytes,)),
            ("test items", "test.jsonl", (mutated_bytes, mutated_json_lines)),
            ("suppliers", "suppliers.toml", (mutated_bytes, mutated_toml)),
            ("settings", "settings.toml", (mutated_bytes, mutated_toml)),
        )
    },
    **{
        f"machine's {name}": Reader(
            ["suppliers", "route", "machine.csv", *ROUTE, "--checked", "checked.csv"],
            file,
            ways,
            {"machine.csv": csv(MACHINE), "checked.csv": csv(CHECKED)},
        )
        for name, file, ways in (
            ("labels", "machine.csv", (mutated_bytes,)),
            ("checks", "checked.csv", (mutated_bytes,)),
        )
    },
    **{
        f"language model's {name}": Reader(
            ASKED,
            file,
            ways,
            {
                "items.jsonl": json_lines(ITEMS),
                "instructions.txt": b"Read the question.\nThen choose.\n",
            },
        )
        for name, file, ways in (
            ("items", "items.jsonl", (mutated_bytes, mutated_json_lines)),
            ("instructions", "instructions.txt", (mutated_bytes,)),
        )
    },
    "changed suppliers": Reader(
        ["collect", "change", "little", "--suppliers", "suppliers.toml", "--by", "ann"],
        "suppliers.toml",
        (mutated_bytes, mutated_toml),
        {"suppliers.toml": FILE_SUPPLIERS},
    ),
    "collection": Reader(
        ["collect", "status", "little"], STORE, (mutated_bytes, mutated_store, mutated_store)
    ),
    "collection's judgments": Reader(
        ["collect", "step", "little"],
        "little/suppliers/crowd/back/batch-1.csv",
        (mutated_bytes,),
    ),
}
