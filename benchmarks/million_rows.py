"""Reading a million items and a million judgments: this version against another one.

The other version is a commit (`--against COMMIT`, taken from the repository) or a folder that holds
one. Both read the same files, each reading in a process of its own, in turns; the processor's
seconds of the reading alone are compared, imports apart. Both must read the same: the digest is of
the whole table, the order of an item's choices apart, which versions are free to choose.

    .venv/bin/python benchmarks/million_rows.py --against 22c6b17 --rows 100000
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from _machine import write_result

ROOT = Path(__file__).parent.parent
BEFORE = "22c6b17"  # before spellings, identities and readings of answers were checked
ALLOWED = 1.1  # times as long as before
PER_ITEM = 5
CHOICES = 4

# Runs in either version: entry points that have moved since are tried under both names.
READ_ITEMS = """
import hashlib, json, sys, time
import numpy as np, pandas as pd
try:
    from annotation.items.read import load_tabular
except ImportError:
    from annotation.sources.tabular import load_tabular
columns = {"choices": "a,b,c,d"} if sys.argv[1].endswith(".csv") else None
started = time.process_time()
items = load_tabular(sys.argv[1], columns=columns)
seconds = time.process_time() - started
answers = zip(items["choices"], items["answer"], strict=True)
told = {
    "item_id": items["item_id"],
    "question": items["question"],
    "choices": pd.Series(["|".join(sorted(own)) for own in items["choices"]]),
    "right": pd.Series([own[int(place)] for own, place in answers]),
    "steps": items["steps"].astype(float),
}
"""
READ_JUDGMENTS = """
import hashlib, json, sys, time
import numpy as np, pandas as pd
try:
    from annotation.judgments.table_files import check_judgment_file
except ImportError:
    from annotation.judgments.table import check_judgment_file
started = time.process_time()
found = check_judgment_file(sys.argv[1])
seconds = time.process_time() - started
assert not found.rejected
told = {name: found.judgments[name] for name in found.judgments.columns}
for name in ("created_at", "updated_at"):
    told[name] = told[name].dt.tz_localize(None).astype("datetime64[us]").astype("int64")
"""
DIGEST = """
digest = hashlib.sha256()
for name in sorted(told):
    column = told[name]
    if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
        column = column.astype(object).where(column.notna(), "")
    values = column.to_numpy()
    digest.update(name.encode() + pd.util.hash_array(values, categorize=True).tobytes())
print(json.dumps({"seconds": seconds, "rows": len(values), "digest": digest.hexdigest()}))
"""


def write_items(folder: Path, rows: int) -> list[Path]:
    """The same items as CSV, JSONL and Parquet."""
    draw = np.random.default_rng(0)
    words = np.array([f"word{n}" for n in range(5_000)])
    questions = [" ".join(own) for own in words[draw.integers(0, words.size, (rows, 12))]]
    # A choice is a word of its own place's quarter, so that no item has one twice.
    places = draw.integers(0, words.size // CHOICES, (rows, CHOICES))
    choices = words[places * CHOICES + np.arange(CHOICES)]
    answers = choices[np.arange(rows), draw.integers(0, CHOICES, rows)]
    steps = draw.integers(1, 8, rows)
    table = pd.DataFrame(
        {"item_id": [f"item-{n}" for n in range(rows)], "question": questions, "steps": steps}
    )
    listed = table.assign(choices=choices.tolist(), answer=answers)
    apart = table.assign(**{name: choices[:, n] for n, name in enumerate("abcd")}, answer=answers)
    paths = [folder / f"items.{suffix}" for suffix in ("csv", "jsonl", "parquet")]
    apart.to_csv(paths[0], index=False)
    listed.to_json(paths[1], orient="records", lines=True)
    listed.to_parquet(paths[2], index=False)
    return paths


def write_judgments(folder: Path, rows: int) -> list[Path]:
    """The same judgments as CSV and Parquet."""
    draw = np.random.default_rng(1)
    moments = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(rows), unit="s")
    item = np.arange(rows) // PER_ITEM
    table = pd.DataFrame(
        {
            "item_id": [f"item-{n}" for n in item],
            "annotator": [f"person{n}@example.org" for n in draw.integers(0, 1_000, rows)],
            "label": np.array(["positive", "negative", "neutral", "mixed"])[
                draw.integers(0, CHOICES, rows)
            ],
            "seconds": np.round(draw.lognormal(3, 0.5, rows), 2),
            "created_at": moments.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "source_id": [f"label-studio:7:{n}" for n in range(rows)],
            "stratum": np.where(item % 2, "hard", "easy"),
        }
    )
    paths = [folder / f"judgments.{suffix}" for suffix in ("csv", "parquet")]
    table.to_csv(paths[0], index=False)
    table.assign(created_at=moments).to_parquet(paths[1], index=False)
    return paths


def checked_out(version: str, folder: Path) -> Path:
    """The folder of a version: as it is named, or a commit's files in `folder`."""
    if Path(version).is_dir():
        return Path(version).resolve()
    packed = subprocess.run(
        ["git", "archive", version, "annotation"], cwd=ROOT, capture_output=True, check=False
    )
    if packed.returncode:
        raise SystemExit(f"{version}: neither a folder nor a commit that is here; nothing compared")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def read(version: Path, path: Path) -> dict[str, Any]:
    """Processor's seconds, rows and digest of one reading, in a process of its own."""
    code = (READ_ITEMS if path.stem == "items" else READ_JUDGMENTS) + DIGEST
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=version,
        env={**os.environ, "PYTHONPATH": str(version)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{version}, {path.name}: {done.stderr[-2000:]}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(versions: dict[str, Path], path: Path, repetitions: int) -> dict[str, Any]:
    """Median seconds of both versions, which take turns; asserts that they read the same."""
    seconds: dict[str, list[float]] = {name: [] for name in versions}
    read_as: set[tuple[int, str]] = set()
    names = list(versions)
    for repetition in range(repetitions):
        for name in names[:: 1 if repetition % 2 else -1]:
            found = read(versions[name], path)
            seconds[name].append(found["seconds"])
            read_as.add((found["rows"], found["digest"]))
    assert len(read_as) == 1, f"{path.name}: the versions read different tables: {read_as}"
    medians = {name: statistics.median(own) for name, own in seconds.items()}
    return {"medians": medians, "seconds": seconds, "ratio": medians["now"] / medians["before"]}


def main() -> None:
    """Read every file with both versions and print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--against", default=BEFORE, metavar="COMMIT", help="or a folder")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repetitions", type=int, default=5)
    asked = parser.parse_args()
    files: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        before = checked_out(asked.against, folder / "before")
        versions = {"now": ROOT.resolve(), "before": before}
        paths = [*write_items(folder, asked.rows), *write_judgments(folder, asked.rows)]
        for path in paths:
            files[path.name] = found = compare(versions, path, asked.repetitions)
            now, then = found["medians"]["now"], found["medians"]["before"]
            print(
                f"{path.name:18s} {now:6.2f} s, before {then:6.2f} s: ratio: {found['ratio']:.2f}",
                flush=True,
            )
    kept = all(found["ratio"] <= ALLOWED for found in files.values())
    print(f"every ratio at most {ALLOWED}: {'yes' if kept else 'no'}")
    result = {"rows": asked.rows, "against": asked.against, "allowed": ALLOWED, "files": files}
    write_result("million_rows", result)


if __name__ == "__main__":
    main()
