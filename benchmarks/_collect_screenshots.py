"""Takes the pictures of docs/guide/collect.md again, from a collection on a real Label Studio.

    .venv/bin/python benchmarks/_collect_screenshots.py

Needs Chromium. What is on them is made here: items of the generated world, whose right answers
nobody has but this script, and annotators who now and then err. It prints what the commands say, as
the guide shows it. With the folder of `labelmix demo` it takes the picture of its report instead.
"""

import sys
import tempfile
from pathlib import Path

import httpx
import numpy as np
import pandas as pd

from _label_studio import LabelStudioProcess
from _label_studio_browser import signed_in, start_labelling
from _label_studio_screenshots import annotation
from _screenshots import labelmix, opened_page, save
from annotation.items.table import gold_texts
from annotation.sources import load_items

POOL, TESTED = 1500, 120
WRONG = {"crowd": 0.15, "experts": 0.04}
SECONDS = {"crowd": 30.0, "experts": 22.0}
SUPPLIERS = """\
[suppliers.crowd]
cost = 0.05            # of one judgment
judgments = [3]        # of every item

[suppliers.experts]
per_hour = 36          # or by the hour
seconds = 25           # that a judgment usually takes
most_seconds = 60      # that are paid of one judgment at most
judgments = [1]
"""
INSTRUCTIONS = (
    "Read the story to its end and pick the number that it asks for. If you cannot say, press Skip."
)


def write_tables(folder: Path, pool: int = POOL, tested: int = TESTED) -> dict[str, str]:
    """A pool without answers and test items with them; the right answer of every item."""
    items = load_items("workshop", size=pool + tested)
    right = dict(zip(items["item_id"], gold_texts(items), strict=True))
    table = pd.DataFrame(
        {
            "id": items["item_id"],
            "text": items["question"],
            "choices": [" | ".join(own) for own in items["choices"]],
            "steps": items["steps"],
            "answer": gold_texts(items),
        }
    ).sample(frac=1, random_state=0)
    table.to_csv(folder / "all.csv", index=False)
    table[tested:].drop(columns="answer").to_csv(folder / "pool.csv", index=False)
    table[:tested].to_csv(folder / "test.csv", index=False)
    return right


def say(*arguments: str, server: LabelStudioProcess, folder: Path) -> None:
    shown = " ".join(arguments).replace(f"{folder}/", "")
    print(f"$ labelmix {shown}\n{labelmix(*arguments, server=server)}", flush=True)


def projects(api: httpx.Client) -> dict[str, int]:
    """Supplier -> its project."""
    listed = api.get("/api/projects/").raise_for_status().json()["results"]
    return {own["title"].split(" - ")[1].split(" (")[0]: own["id"] for own in listed}


def annotate(api: httpx.Client, right: dict[str, str]) -> None:
    """Everybody answers all tasks; some answers are wrong."""
    rng = np.random.default_rng(0)
    for supplier, project in projects(api).items():
        people = []
        for name in ("Ada", "Ben", "Cleo") if supplier == "crowd" else ("Eve",):
            new = {"email": f"{name.lower()}@example.com", "username": name.lower(),
                   "first_name": name, "last_name": "Lang"}  # fmt: skip
            people.append(api.post("/api/users/", json=new).raise_for_status().json()["id"])
        query = {"project": project, "page_size": 1000}
        tasks = api.get("/api/tasks/", params=query).raise_for_status().json()["tasks"]
        for task in tasks:
            options = {own["value"]: own["alias"] for own in task["data"]["options"]}
            known = options[right[task["data"]["item_id"]]]
            for person in people:
                others = [alias for alias in options.values() if alias != known]
                errs = rng.random() < WRONG[supplier]
                alias = others[int(rng.integers(len(others)))] if errs else known
                seconds = float(rng.gamma(4, SECONDS[supplier] / 4))
                body = annotation(alias, round(seconds, 1), person)
                api.post(f"/api/tasks/{task['id']}/annotations/", json=body).raise_for_status()


def at_their_pace(path: Path) -> None:
    """Let every annotator's judgments come one after another: here they came all at once."""
    table = pd.read_csv(path, dtype={"label": str})
    past = table.groupby("annotator")["seconds"].cumsum() + 5
    table["created_at"] = pd.Timestamp("2031-03-03T09:00:00Z") + pd.to_timedelta(past, unit="s")
    table.drop(columns="updated_at", errors="ignore").to_csv(path, index=False)


def main() -> None:
    """Begin a collection, look at it as annotators do, let them answer, plan the second batch."""
    with (
        tempfile.TemporaryDirectory() as place,
        LabelStudioProcess(Path(place) / "label-studio") as server,
        httpx.Client(
            base_url=server.url, headers={"Authorization": f"Token {server.token}"}, timeout=60
        ) as api,
    ):
        folder = Path(place)
        right = write_tables(folder)
        (folder / "suppliers.toml").write_text(SUPPLIERS, encoding="utf-8")
        (folder / "instructions.txt").write_text(INSTRUCTIONS, encoding="utf-8")
        where = str(folder / "stories")

        def collect(command: str, *more: str) -> None:
            say("collect", command, where, *more, server=server, folder=folder)

        collect(
            "new",
            *("--items", f"{folder}/pool.csv", "--test", f"{folder}/test.csv"),
            *("--suppliers", f"{folder}/suppliers.toml", "--budget", "250", "--currency", "EUR"),
            *("--column", "item_id=id", "--column", "question=text", "--measure", "steps"),
            *("--cut", "edges:2,>=5", "--instructions", f"{folder}/instructions.txt"),
            *("--deadline", "2031-03-31"),
        )
        collect("run")
        collect("approve", "1", "--by", "Ada Lang")
        collect("run")
        project = projects(api)["crowd"]
        with signed_in(server.url, 1200, 620) as page:
            start_labelling(page, server.url, project)
            page.keyboard.press("Escape")
            save(page, "collect_question")
        annotate(api, right)
        with signed_in(server.url, 1200, 520) as page:
            page.goto(f"{server.url}/projects/{project}/data")
            page.get_by_text("Label All Tasks").wait_for()
            save(page, "collect_judged")
        collect("run")
        collect("status")
        collect("order-sheet", "1", "--supplier", "crowd", "--out", f"{folder}/order.html")
        collect("export", "--out", f"{folder}/out")
        at_their_pace(folder / "out" / "judgments.csv")
        labelmix(
            *("judgments", "report", f"{folder}/out/judgments.csv"),
            *(
                "--items",
                f"{folder}/all.csv",
                "--column",
                "item_id=id",
                "--column",
                "question=text",
            ),
            *("--measure", "steps", "--cut", "edges:2,>=5", "--fee", ".05", "--currency", "EUR"),
            *("--html", f"{folder}/judgments.html"),
        )
        with opened_page(folder / "order.html", 1000, 1040) as page:
            save(page, "collect_order_sheet", colours=32, wait=0.2)
        with opened_page(folder / "judgments.html", 1000, 1100) as page:
            save(page, "collect_judgments", colours=32, wait=0.2)


def picture_of_report(run: Path) -> None:
    """The beginning of a run's report, as it stands at the top of the README."""
    with opened_page(run / "report.html", 1000, 1300) as page:
        save(page, "report", colours=32, wait=0.2)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        picture_of_report(Path(sys.argv[1]))
    else:
        main()
