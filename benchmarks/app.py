"""How soon a slider of `labelmix app` is answered, and whether many pages at once do it harm.

    .venv/bin/python benchmarks/app.py --run runs/demo [--collection FOLDER --minutes 5]

No peer. In headless Chromium: the time from moving a slider to the frame in which the new answer
stands, median of 20 for each of three sliders. With a collection: 20 readers, each with a stream of
changes that it reads and a board that it loads again and again; errors and memory. Without --run it
measures nothing.
"""

import argparse
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
from playwright.sync_api import Page, sync_playwright

from _label_studio_browser import ARGUMENTS, CHROMIUM
from _machine import write_result
from budget.web.server import PageServer
from budget.web.settings import WebSettings

MOVES = 20
READERS = 20
_PAUSE = 2_000  # milliseconds between two moves: what comes after an answer is done by then
_MOVE = """(slider) => new Promise((done) => {
  const began = performance.now();
  const seen = (event) => {
    if (event.target.id !== "answer") return;
    document.removeEventListener("htmx:afterSettle", seen);
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
  };
  document.addEventListener("htmx:afterSettle", seen);
  slider.value = Number(slider.value) + Number(slider.step);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
})"""


@contextmanager
def served(*folders: Path) -> Iterator[str]:
    """The address of their page."""
    server = PageServer(WebSettings(folders=folders, port=0, who="bench"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join()


def moves(page: Page, slider: str) -> list[float]:
    """Seconds from moving a slider to its answer."""
    place = page.locator(f'input[type=range][aria-label="{slider}"]')
    found = []
    for _ in range(MOVES):
        found.append(float(place.evaluate(_MOVE)) / 1000)
        page.wait_for_timeout(_PAUSE)
    return found


def slider_times(address: str, run: str) -> dict[str, list[float]]:
    """Of a budget, a cost and an error rate."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, headless=True
        )
        page = browser.new_page()
        page.goto(f"{address}folder/{run}/explore")
        page.wait_for_timeout(5_000)
        every = page.locator("input[type=range]")
        names = [str(every.nth(k).get_attribute("aria-label")) for k in range(every.count())]
        wanted = [
            next(name for name in names if name.startswith(begin))
            for begin in ("Budget", "Cost of", "Error rate")
        ]
        found = {name: moves(page, name) for name in wanted}
        browser.close()
    return found


class Readers:
    """Pages that are open, without a browser around them."""

    def __init__(self, board: str) -> None:
        self._board = board
        self._end = threading.Event()
        self.answers, self.events = 0, 0
        self.errors: list[str] = []
        self._lock = threading.Lock()

    def run(self, minutes: float) -> list[float]:
        """Megabytes of this process, every tenth of the time."""
        threads = [threading.Thread(target=own) for own in (self._load, self._listen) * READERS]
        for thread in threads:
            thread.start()
        memory = []
        for _ in range(10):
            time.sleep(6 * minutes)
            memory.append(psutil.Process().memory_info().rss / 1e6)
        self._end.set()
        for thread in threads:
            thread.join()
        return memory

    def _load(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self._end.wait(1):
                try:
                    status = client.get(self._board).status_code
                except httpx.HTTPError as error:
                    self._failed(repr(error))
                    continue
                with self._lock:
                    self.answers += 1
                if status != 200:
                    self._failed(f"status {status}")

    def _listen(self) -> None:
        try:
            with (
                httpx.Client(timeout=60) as client,
                client.stream(
                    "GET", f"{self._board}/changes", params={"seen": "nothing"}
                ) as stream,
            ):
                for line in stream.iter_lines():
                    with self._lock:
                        self.events += line.startswith("event:")
                    if self._end.is_set():
                        return
        except httpx.HTTPError as error:
            self._failed(repr(error))

    def _failed(self, what: str) -> None:
        with self._lock:
            self.errors.append(what)


def main() -> None:
    """Measure what there is something to measure with."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--collection", type=Path)
    parser.add_argument("--minutes", type=float, default=5)
    given = parser.parse_args()
    if given.run is None:
        print("nothing is measured: name the folder of a run, --run FOLDER")
        return
    with served(given.run) as address:
        name = httpx.get(f"{address}index.json").json()["folders"][0]["name"]
        times = slider_times(address, name)
    document: dict[str, object] = {"seconds": times}
    for slider, own in times.items():
        print(f"{slider:40s} median {statistics.median(own):.3f} s, longest {max(own):.3f} s")
    if given.collection is not None:
        with served(given.collection) as address:
            name = httpx.get(f"{address}index.json").json()["folders"][0]["name"]
            board = f"{address}folder/{name}/board"
            httpx.get(board, timeout=120)
            readers = Readers(board)
            memory = readers.run(given.minutes)
        print(
            f"{READERS} readers, {given.minutes:g} minutes: {readers.answers:,} boards, "
            f"{readers.events:,} events, {len(readers.errors)} errors {readers.errors[:3]}; "
            f"memory {memory[0]:.0f} to {memory[-1]:.0f} MB"
        )
        document |= {
            "readers": READERS,
            "minutes": given.minutes,
            "boards": readers.answers,
            "errors": readers.errors,
            "memory_mb": memory,
        }
    write_result("app", document)


if __name__ == "__main__":
    main()
