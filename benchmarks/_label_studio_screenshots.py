"""Takes the screenshots of docs/guide/label-studio.md again, from a real server with a real pilot.

    .venv/bin/python benchmarks/_label_studio_screenshots.py

Needs Chromium. What is on them is made here: items of the generated world, three annotators.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import httpx

from _label_studio import LabelStudioProcess
from _label_studio_browser import signed_in, start_labelling
from _screenshots import labelmix, save
from annotation.items.write import write_table
from annotation.sources import load_items

TITLE = "Pilot 1"
INSTRUCTIONS = (
    "Read the story to its end and pick the number that it asks for. If you cannot say, press Skip."
)


def push(server: LabelStudioProcess, folder: Path) -> int:
    """Send a pilot; gives the number of its project."""
    write_table(load_items("workshop", size=400), folder / "items.jsonl")
    (folder / "instructions.txt").write_text(INSTRUCTIONS, encoding="utf-8")
    sent = labelmix(
        *(
            "labelstudio",
            "push",
            str(folder / "items.jsonl"),
            "--title",
            TITLE,
            "--measure",
            "steps",
        ),
        *("--cut", "edges:2,>=5", "--tasks", "easy=20", "--tasks", "hard=20", "--gold", "4"),
        *("--instructions", str(folder / "instructions.txt"), "--out", str(folder), "--json"),
        server=server,
    )
    return int(json.loads(sent)["project_id"])


def annotate(server: LabelStudioProcess, project: int) -> None:
    """Three people answer the first tasks; one of them skips now and then."""
    headers = {"Authorization": f"Token {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as api:
        people = []
        for name in ("Ada", "Ben", "Cleo"):
            new = {
                "email": f"{name.lower()}@example.com",
                "username": name.lower(),
                "first_name": name,
                "last_name": "Lang",
            }
            people.append(api.post("/api/users/", json=new).raise_for_status().json()["id"])
        query = {"project": project, "page_size": 100}
        tasks = api.get("/api/tasks/", params=query).raise_for_status().json()["tasks"]
        for number, task in enumerate(tasks[:9]):
            for turn, person in enumerate(people[: 3 if number < 7 else 1]):
                skips = (number + turn) % 8 == 5
                choice = task["data"]["options"][(number * 7 + turn // 2) % 4]["alias"]
                body = annotation(None if skips else choice, 20.0 + 3 * number + turn, person)
                path = f"/api/tasks/{task['id']}/annotations/"
                api.post(path, json=body).raise_for_status()


def annotation(choice: str | None, seconds: float, person: int) -> dict[str, Any]:
    part = {
        "from_name": "answer",
        "to_name": "question",
        "type": "choices",
        "value": {"choices": [choice]},
    }
    return {
        "result": [] if choice is None else [part],
        "was_cancelled": choice is None,
        "lead_time": seconds,
        "completed_by": person,
        "ground_truth": False,
    }


def main() -> None:
    """Push a pilot, look at it, annotate, look again."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LabelStudioProcess(Path(folder) / "label-studio") as server,
    ):
        project = push(server, Path(folder))
        with signed_in(server.url, 1200, 620) as page:
            page.goto(f"{server.url}/projects/{project}/data")
            page.get_by_text("Label All Tasks").wait_for()
            save(page, "label_studio_tasks")
            start_labelling(page, server.url, project)
            save(page, "label_studio_instructions")
            page.keyboard.press("Escape")
            save(page, "label_studio_question")
            annotate(server, project)
            page.goto(f"{server.url}/projects/{project}/data")
            page.get_by_text("Label All Tasks").wait_for()
            save(page, "label_studio_judged")


if __name__ == "__main__":
    main()
