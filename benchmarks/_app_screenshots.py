"""Takes the pictures of docs/guide/app.md again, of a collection that it makes and of a run.

    .venv/bin/python benchmarks/_app_screenshots.py RUN PLACE [LOOK]

RUN is the folder of `labelmix demo`; in PLACE a collection is made, where there is none. Needs
Chromium, and some minutes for the second plan: models are trained for it. With LOOK every page is
saved in this folder as well, on desktop and phone, light, dark and printed, to be looked at.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, Page, sync_playwright

from _collect_screenshots import SUPPLIERS, WRONG, write_tables
from _label_studio_browser import ARGUMENTS, CHROMIUM
from _screenshots import labelmix, save
from budget.web.server import PageServer
from budget.web.settings import WebSettings

PEOPLE = {"crowd": ("Ada", "Ben", "Cleo"), "experts": ("Eve",)}
SECONDS = {"crowd": 30.0, "experts": 22.0}
TIRED = "Ben"  # who errs more from the middle of a batch on
PAGES = {
    "home": "",
    "board": "folder/stories/board",
    "quality": "folder/stories/quality",
    "data": "folder/stories/data?which=disputed",
    "explore": "folder/{run}/explore",
    "changed": "folder/{run}/explore?cost%3Aeasy=1.6&rate%3Ahard=20",
    "wrong": "folder/{run}/explore?budget=1",
    "turns": "folder/{run}/explore/turns",
    "trials": "folder/{run}/trials",
    "absent": "folder/nowhere/board",
}


def answer(folder: Path, batch: int, right: dict[str, str], begin: str, share: float = 1) -> None:
    """People answer this share of a batch in files, one judgment after another."""
    rng = np.random.default_rng(batch)
    for supplier, people in PEOPLE.items():
        there = folder / "suppliers" / supplier
        out = there / "out" / f"batch-{batch}.csv"
        if not out.exists():
            continue
        tasks = pd.read_csv(out, dtype=str)
        tasks = tasks[: round(share * len(tasks))]
        found = []
        for person in people:
            at = pd.Timestamp(begin)
            for turn, task in enumerate(tasks.to_dict("records")):
                known = right[task["item_id"]]
                others = [own for own in task["choices"].split(" | ") if own != known]
                rate = 0.55 if person == TIRED and turn > len(tasks) / 2 else WRONG[supplier]
                label = str(rng.choice(others)) if others and rng.random() < rate else known
                seconds = round(float(rng.gamma(4, SECONDS[supplier] / 4)), 1)
                at += pd.Timedelta(seconds + 5, "s")
                row = {"item_id": task["item_id"], "annotator": person, "label": label}
                found.append({**row, "seconds": seconds, "created_at": at.isoformat()})
        pd.DataFrame(found).to_csv(there / "back" / f"batch-{batch}.csv", index=False)


def make_collection(place: Path) -> None:
    """A collection of generated stories whose second batch waits for an approval."""
    right = write_tables(place, 300, 60)
    files = SUPPLIERS.replace("[suppliers.experts]", 'channel = "file"\n\n[suppliers.experts]')
    (place / "suppliers.toml").write_text(f'{files}channel = "file"\n', encoding="utf-8")
    (place / "more.toml").write_text("[buying]\nfirst = 40\n", encoding="utf-8")
    folder = place / "stories"
    labelmix(
        *("collect", "new", str(folder), "--config", str(place / "more.toml")),
        *("--items", f"{place}/pool.csv", "--test", f"{place}/test.csv"),
        *("--suppliers", f"{place}/suppliers.toml", "--budget", "500", "--currency", "EUR"),
        *("--column", "item_id=id", "--column", "question=text", "--measure", "steps"),
        *("--cut", "edges:2,>=5", "--deadline", "2031-03-31", "--by", "Ada Lang"),
    )
    labelmix("collect", "run", str(folder))
    labelmix("collect", "approve", str(folder), "1", "--by", "Ada Lang")
    labelmix("collect", "run", str(folder))
    answer(folder, 1, right, "2031-03-03T09:00:00Z")
    print(labelmix("collect", "run", str(folder)), flush=True)


@contextmanager
def served(*folders: Path) -> Iterator[str]:
    """The address of their page."""
    server = PageServer(WebSettings(folders=folders, port=0, who="Ada Lang"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join()


def opened(browser: Browser, address: str, width: int, height: int, colours: str) -> Page:
    page = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=colours,  # type: ignore[arg-type]
    ).new_page()
    page.goto(address, timeout=120_000)
    page.wait_for_timeout(2500)
    return page


def everything(browser: Browser, address: str, run: str, folder: Path) -> None:
    """Every page as it may be seen, to be looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in PAGES.items():
        for device, width, height in (("desk", 1200, 900), ("phone", 390, 800)):
            for colours in ("light", "dark"):
                page = opened(browser, address + path.format(run=run), width, height, colours)
                seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
                if seen[0] > seen[1]:
                    print(f"{name}, {device}: {seen[0]} px of {seen[1]}")
                page.screenshot(path=folder / f"{name}-{device}-{colours}.png", full_page=True)
                if device == "desk" and colours == "dark":  # which paper is not
                    page.set_viewport_size({"width": 760, "height": 1000})
                    page.emulate_media(media="print")
                    page.screenshot(path=folder / f"{name}-print.png", full_page=True)
                page.context.close()


def main(run: Path, place: Path, look: Path | None) -> None:
    """Make the collection, and take the pictures."""
    place.mkdir(parents=True, exist_ok=True)
    folder = place / "stories"
    if not folder.exists():
        make_collection(place)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, headless=True
        )
        with served(folder, run) as address:
            name = run.absolute().name.lower()
            board = opened(browser, f"{address}folder/stories/board", 1200, 900, "light")
            save(board, "app_board", 64)
            explore = opened(browser, f"{address}{PAGES['changed'].format(run=name)}", 1200, 1040,
                             "light")  # fmt: skip
            save(explore, "app_explore", 64)
            quality = opened(browser, f"{address}folder/stories/quality", 1200, 760, "light")
            save(quality, "app_quality", 64)
            phone = opened(browser, f"{address}folder/stories/board", 390, 800, "dark")
            save(phone, "app_phone", 64)
            if look is not None:
                everything(browser, address, name, look)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
