"""Takes the screenshots of docs/guide/label-studio.md again, from a real server with a real pilot.

    .venv/bin/python benchmarks/_label_studio_screenshots.py

Needs Chromium. What is on them is made here: items of the generated world, three annotators.
"""

import json
import os
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Page

from _label_studio import LabelStudioProcess
from _label_studio_browser import signed_in, start_labelling
from annotation.items.write import write_table
from annotation.sources import load_items

ROOT = Path(__file__).parent.parent
TITLE = "Pilot 1"
INSTRUCTIONS = (
    "Read the story to its end and pick the number that it asks for. If you cannot say, press Skip."
)


def labelmix(server: LabelStudioProcess, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from budget.commands.app import main; main()",
            "labelstudio",
            *arguments,
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "LABEL_STUDIO_URL": server.url,
            "LABEL_STUDIO_TOKEN": server.token,
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def push(server: LabelStudioProcess, folder: Path) -> int:
    """Send a pilot; gives the number of its project."""
    write_table(load_items("workshop", size=400), folder / "items.jsonl")
    (folder / "instructions.txt").write_text(INSTRUCTIONS, encoding="utf-8")
    sent = labelmix(
        server,
        *("push", str(folder / "items.jsonl"), "--title", TITLE, "--measure", "steps"),
        *("--cut", "edges:2,>=5", "--tasks", "easy=20", "--tasks", "hard=20", "--gold", "4"),
        *("--instructions", str(folder / "instructions.txt"), "--out", str(folder), "--json"),
    )
    return int(sent["project_id"])


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


def save(page: Page, name: str) -> None:
    """Save what is shown in docs/guide/images/, in few colours: a page is no photograph."""
    page.wait_for_timeout(2_500)  # animations
    picture = Image.open(BytesIO(page.screenshot()))
    path = ROOT / "docs" / "guide" / "images" / f"label_studio_{name}.png"
    picture.convert("RGB").quantize(128).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


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
            save(page, "tasks")
            start_labelling(page, server.url, project)
            save(page, "instructions")
            page.keyboard.press("Escape")
            save(page, "question")
            annotate(server, project)
            page.goto(f"{server.url}/projects/{project}/data")
            page.get_by_text("Label All Tasks").wait_for()
            save(page, "judged")


if __name__ == "__main__":
    main()
