"""`labelmix judgments report`: seconds and peak memory on 10,000 to 1,000,000 judgments.

Each run is a process of its own, from reading the Parquet file to the printed JSON: aggregation by
crowd-kit's Dawid-Skene and by the hardness model, all intervals, times and costs of 1,000
annotators. Crowd-kit's Dawid-Skene by itself is timed beside it, data already in memory. Judgments
are simulated, so every estimate is held against its truth.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from _machine import write_result
from _measure import fitted_exponent
from annotation.judgments.table_files import write_judgments
from annotation.labelling.simulated_team import Simulation, Workplace, simulate_judgments
from annotation.truth.coding import code_judgments

SIZES = (10_000, 100_000, 1_000_000)
PER_ITEM = 5
MOST_SECONDS, MOST_BYTES = 60.0, 2e9
ROOT = Path(__file__).parent.parent
COMMAND = "from budget.commands.app import main; main()"


def simulated(judgments: int) -> Simulation:
    items = judgments // PER_ITEM // 2
    workplace = Workplace(
        items={"easy": items, "hard": items},
        annotators=min(1000, judgments // 100),
        judgments_per_item=PER_ITEM,
    )
    return simulate_judgments(workplace, 0)


def report(path: Path) -> tuple[float, int, dict[str, Any]]:
    """Seconds, peak bytes and the result of the command, in a process of its own."""
    arguments = [sys.executable, "-c", COMMAND, "judgments", "report", str(path)]
    printed = path.with_suffix(".json")
    started = time.perf_counter()
    with printed.open("w", encoding="utf-8") as out:
        process = subprocess.Popen([*arguments, "--rate", "18", "--json"], cwd=ROOT, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(printed.read_text(encoding="utf-8"))
    return seconds, usage.ru_maxrss * 1024, found


def check(found: dict[str, Any], simulation: Simulation, judgments: int) -> dict[str, float]:
    """Hold the estimates against the truth; return how far error rates are from it."""
    assert found["judgments"] + found["cancelled"] == judgments
    off = {}
    for stratum in found["strata"]:
        name, rate = stratum["name"], stratum["error"]["rate"]
        assert stratum["error"]["method"] == "hardness"
        off[name] = rate["estimate"] - simulation.error_rate(name, "like_these")
        assert rate["low"] < rate["high"]
        assert abs(off[name]) < 0.02, f"{name}: error rate off by {off[name]:.4f}"
        seconds = stratum["work"]["mean"]["estimate"]
        assert abs(seconds / simulation.workplace.mean_seconds(name) - 1) < 0.1
    return off


def dawid_skene_alone(simulation: Simulation) -> float:
    from crowdkit.aggregation import DawidSkene

    coded = code_judgments(simulation.judgments)
    data = pd.DataFrame({"task": coded.item, "worker": coded.annotator, "label": coded.label})
    started = time.perf_counter()
    DawidSkene().fit(data)
    return time.perf_counter() - started


def main() -> None:
    """Run every size, smallest first."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for judgments in SIZES:
            simulation = simulated(judgments)
            path = Path(folder) / f"judgments-{judgments}.parquet"
            write_judgments(simulation.judgments, path)
            alone = dawid_skene_alone(simulation)
            seconds, peak, found = report(path)
            off = check(found, simulation, judgments)
            rows.append(
                {
                    "judgments": judgments,
                    "annotators": simulation.workplace.annotators,
                    "seconds": seconds,
                    "peak_bytes": peak,
                    "dawid_skene_alone_seconds": alone,
                    "error_rate_off": off,
                }
            )
            print(
                f"{judgments:9,d} judgments: {seconds:5.1f} s, {peak / 1e9:.2f} GB peak; "
                f"crowd-kit's Dawid-Skene alone {alone:.2f} s; error rates off by "
                + ", ".join(f"{100 * value:+.2f} points ({name})" for name, value in off.items())
            )
            del simulation, found
    last = rows[-1]
    assert last["seconds"] < MOST_SECONDS
    assert last["peak_bytes"] < MOST_BYTES
    growth = fitted_exponent([row["judgments"] for row in rows], [row["seconds"] for row in rows])
    print(f"time grows with judgments to the power {growth:.2f}")
    print(
        f"time allowed over time taken, 1,000,000 judgments: ratio: "
        f"{MOST_SECONDS / last['seconds']:.2f}"
    )
    print(f"memory allowed over memory taken: ratio: {MOST_BYTES / last['peak_bytes']:.2f}")
    write_result("judgments_report", {"rows": rows, "growth_exponent": growth})


if __name__ == "__main__":
    main()
