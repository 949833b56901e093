"""Pushing 5,000 tasks to a real Label Studio and pulling 15,000 judgments in one go.

No peer does the same work. What is claimed is how it grows: from 500 to 5,000 tasks, time and
requests grow no faster than the tasks, and memory hardly at all. Every step runs in a process of
its own, so that its peak memory is its own; annotations are imported in between, past labelmix.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]

from _label_studio import LabelStudioProcess
from _machine import write_result

SIZES = (500, 5_000)
OVERLAP = 3
ROOT = Path(__file__).parent.parent
TITLE = "Benchmark of {} tasks"
LONGEST_ANSWER = 600.0  # seconds

# Runs in the measured process; the last line tells the peak of its memory, in bytes.
STEP = """
import json, resource, sys, time
from budget.commands.app import main
sys.argv = ["labelmix", *json.loads(sys.argv[1])]
started = time.perf_counter()
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": time.perf_counter() - started, "peak": peak}))
"""


def labelmix(server: LabelStudioProcess, *arguments: str) -> dict[str, Any]:
    """Run a command of `labelmix labelstudio`: its JSON, its seconds and its peak memory."""
    cpu = server_seconds(server)
    done = subprocess.run(
        [sys.executable, "-c", STEP, json.dumps(["labelstudio", *arguments, "--json"])],
        cwd=ROOT,
        env={"LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_TOKEN": server.token},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told, _, measured = done.stdout.rstrip().rpartition("\n")
    spent = {"server_seconds": server_seconds(server) - cpu}
    return {**json.loads(told), **json.loads(measured), **spent}


def server_seconds(server: LabelStudioProcess) -> float:
    """Processor time that the server has used so far."""
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


def write_items(path: Path, count: int) -> None:
    """Items with four choices of their own, half of them hard."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            item = {
                "item_id": f"item-{number:05d}",
                "question": f"Which of these numbers is {number}? " + "Look closely. " * 15,
                "choices": [f"{number}", f"{number + 1}", f"{number + 2}", f"{number + 3}"],
                "answer": 0,
                "hardness": number % 2,
            }
            file.write(json.dumps(item) + "\n")


def annotate(server: LabelStudioProcess, project: int, seconds: float) -> None:
    """Give every task of a project its annotations, in bulk: tasks anew, with annotations."""
    headers = {"Authorization": f"Token {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=LONGEST_ANSWER) as api:
        for page in pages(api, project):
            for task in page:
                answers = [annotation(task, number, seconds) for number in range(OVERLAP)]
                task["annotations"] = answers
            body = [{"data": task["data"], "annotations": task["annotations"]} for task in page]
            ids = [task["id"] for task in page]
            api.post(f"/api/projects/{project}/import", json=body).raise_for_status()
            action = {"selectedItems": {"all": False, "included": ids}}
            path = f"/api/dm/actions?id=delete_tasks&project={project}"
            api.post(path, json=action).raise_for_status()


def pages(api: httpx.Client, project: int) -> Iterator[list[dict[str, Any]]]:
    """All tasks that are there now, a thousand at a time."""
    found: list[dict[str, Any]] = []
    for number in range(1, 100):
        query: dict[str, Any] = {"project": project, "page_size": 1000, "page": number}
        answer = api.get("/api/tasks/", params=query)
        if answer.status_code == 404:
            break
        found += answer.raise_for_status().json()["tasks"]
    for start in range(0, len(found), 250):
        yield found[start : start + 250]


def annotation(task: dict[str, Any], number: int, seconds: float) -> dict[str, Any]:
    options = task["data"]["options"]
    value = {"choices": [options[(task["id"] + number) % 7 == 0]["alias"]]}
    part = {"from_name": "answer", "to_name": "question", "type": "choices", "value": value}
    return {"result": [part], "lead_time": seconds + number, "ground_truth": False}


def measure(server: LabelStudioProcess, folder: Path, tasks: int) -> dict[str, dict[str, Any]]:
    """Push, push again, pull, pull again: what each took."""
    items, pilot = folder / f"items-{tasks}.jsonl", str(folder / f"pilot-{tasks}")
    write_items(items, tasks)
    push = [
        *("push", str(items), "--title", TITLE.format(tasks), "--measure", "hardness"),
        *("--cut", "edges:0", "--tasks", f"easy={tasks // 2}", "--tasks", f"hard={tasks // 2}"),
        *("--gold", str(tasks // 20), "--overlap", str(OVERLAP), "--out", pilot),
    ]
    found = {"push": labelmix(server, *push), "push again": labelmix(server, *push)}
    assert found["push"]["sent"] == tasks
    assert found["push again"]["sent"] == 0
    annotate(server, found["push"]["project_id"], seconds=20.0)
    found["pull"] = labelmix(server, "pull", pilot)
    found["pull again"] = labelmix(server, "pull", pilot, "--whole")
    assert found["pull"]["labels"] == found["pull again"]["labels"] == OVERLAP * tasks
    assert found["pull again"]["changed"] == 0
    kept = ("seconds", "peak", "requests", "server_seconds")
    return {step: {name: told[name] for name in kept} for step, told in found.items()}


def main() -> None:
    """Measure both sizes and print how each step grows."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LabelStudioProcess(Path(folder) / "label-studio") as server,
    ):
        measured = {tasks: measure(server, Path(folder), tasks) for tasks in SIZES}
    small, large = (measured[tasks] for tasks in SIZES)
    growth = {}
    print(
        f"{'step':12s} {'tasks':>6s} {'seconds':>8s} {'of server':>9s} {'MB':>5s} {'requests':>8s}"
    )
    for step in small:
        for tasks, told in zip(SIZES, (small[step], large[step]), strict=True):
            print(
                f"{step:12s} {tasks:6,} {told['seconds']:8.1f} {told['server_seconds']:9.1f} "
                f"{told['peak'] / 1e6:5.0f} {told['requests']:8}"
            )
        growth[step] = {
            name: large[step][name] / small[step][name]
            for name in ("seconds", "peak", "requests", "server_seconds")
        }
    for step, grown in growth.items():
        print(
            f"ratio: {grown['seconds']:.1f} in seconds, {grown['requests']:.1f} in requests, "
            f"{grown['peak']:.1f} in memory: {step}, {SIZES[1]:,} tasks against {SIZES[0]:,}"
        )
    write_result(
        "label_studio",
        {
            "judgments_per_task": OVERLAP,
            "measured": {str(tasks): told for tasks, told in measured.items()},
            "growth": growth,
        },
    )


if __name__ == "__main__":
    main()
