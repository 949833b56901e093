"""`labelmix app` in a real browser: two people look at one collection."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analysis.run.result import write_result
from budget.collection.beginning import STORE, store_url
from budget.collection.store.store import CollectionStore
from budget.web.server import PageServer
from budget.web.settings import WebSettings
from tests.unit.budget.collection.by_hand import learns_nothing, new_collection, opened
from tests.unit.budget.conftest import finished_run, known_surface
from training.engines import SilentWatcher

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def served(*folders: Path, port: int = 0) -> Iterator[str]:
    """The address of the page of these folders, while it is served by a thread of this process."""
    server = PageServer(WebSettings(folders=folders, port=port, who="ann"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join()


@pytest.fixture(scope="module")
def browser(require: Callable[[bool, str], None]) -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    from _label_studio_browser import ARGUMENTS, CHROMIUM

    require(CHROMIUM is not None, "chromium is not installed")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, headless=True)
        yield found
        found.close()


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection whose first batch waits for an approval."""
    with pytest.MonkeyPatch.context() as patch:
        learns_nothing(patch)
        folder = new_collection(tmp_path_factory.mktemp("app"), deadline="2031-03-31")
        with opened(folder) as own:
            own.step(SilentWatcher())
    return folder


def opened_page(browser: "Browser", address: str, wrong: list[str], **context: object) -> "Page":
    """A page of a browser of its own; errors of its console go to `wrong`."""
    page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(15_000)
    page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    return page


def test_a_second_browser_sees_what_the_first_decides(
    browser: "Browser", collection: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(collection, tmp_path / "c")
    wrong: list[str] = []
    with served(folder) as address:
        board = f"{address}folder/c/board"
        first, second = (opened_page(browser, board, wrong) for _ in range(2))
        second.get_by_text("Shows every change at once.").wait_for()
        second.locator("#why-sets").fill("what I am typing")
        first.get_by_role("button", name="Approve 8.50 EUR").click()
        first.get_by_text("Batch 1 is approved and can be ordered.").wait_for()
        began = time.monotonic()
        second.get_by_text("Batch 1 is approved and can be ordered.").wait_for()
        assert time.monotonic() - began < 2
        assert second.locator("#why-sets").input_value() == "what I am typing"
        # The other way round, by keyboard alone.
        second.locator("#why-sets").press("Enter")
        second.get_by_text("The collection is paused").wait_for()
        first.get_by_text("The collection is paused").wait_for(timeout=2_000)
        with CollectionStore.open(store_url(folder)) as store:
            last = store.events().iloc[-1]
        assert (last["value"], last["who"], last["why"]) == ("paused", "ann", "what I am typing")
    assert wrong == []


def test_a_restart_loses_nothing(browser: "Browser", collection: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(collection, tmp_path / "c")
    wrong: list[str] = []
    with served(folder) as address:
        page = opened_page(browser, f"{address}folder/c/board", wrong)
        page.get_by_text("Shows every change at once.").wait_for()
        assert wrong == []
    page.get_by_text("Not connected: figures may be old.").wait_for()
    with CollectionStore.open(store_url(folder)) as store:
        store.approve(1, "bob")
    port = int(address.rpartition(":")[2].rstrip("/"))
    with served(folder, port=port):
        page.get_by_text("Batch 1 is approved and can be ordered.").wait_for()
        page.get_by_role("button", name="Pause").click()
        page.get_by_text("The collection is paused").wait_for()
        page.reload()
        page.get_by_text("The collection is paused").wait_for()


def test_a_store_that_goes_is_told_and_shown_again_once_it_is_back(
    browser: "Browser", collection: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(collection, tmp_path / "c")
    wrong: list[str] = []
    with served(folder) as address:
        page = opened_page(browser, f"{address}folder/c/board", wrong)
        page.get_by_text("Shows every change at once.").wait_for()
        content = (folder / STORE).read_bytes()
        (folder / "half").write_bytes(content[: len(content) // 2])
        (folder / "half").replace(folder / STORE)
        page.get_by_text("is damaged").wait_for()
        assert page.get_by_role("button", name="Approve 8.50 EUR").count() == 0
        (folder / "whole").write_bytes(content)
        (folder / "whole").replace(folder / STORE)
        page.get_by_role("button", name="Approve 8.50 EUR").wait_for()


def test_it_works_without_scripts(browser: "Browser", collection: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(collection, tmp_path / "c")
    wrong: list[str] = []
    with served(folder) as address:
        page = opened_page(browser, address, wrong, java_script_enabled=False)
        page.get_by_role("link", name="c", exact=True).click()
        page.get_by_role("button", name="Approve 8.50 EUR").click()
        page.get_by_text("Batch 1 is approved and can be ordered.").wait_for()
    assert wrong == []


def test_a_slider_redraws_the_answer(browser: "Browser", tmp_path: Path) -> None:
    surface = known_surface({"easy": 0.6}, half_labels=[70.0, 90.0, 110.0, 140.0])
    write_result(finished_run({"probe": surface}), tmp_path / "run" / "result.json")
    wrong: list[str] = []
    with served(tmp_path / "run") as address:
        page = opened_page(browser, f"{address}folder/run/explore", wrong)
        page.get_by_role("heading", name="easy or hard?").wait_for()
        said = page.locator("[data-say]")
        assert said.inner_text().startswith("Buy 140 easy labels for $140")
        page.get_by_role("slider", name="Cost of a label, easy").press("End")
        page.get_by_text("Buy 70 hard labels for $140").first.wait_for()
        assert page.get_by_label("Cost of a label, easy ($)", exact=True).input_value() == "4"
        page.wait_for_url("**/explore?cost%3Aeasy=4")
        assert page.locator("#said").inner_text().startswith("Buy 70 hard labels")
        page.get_by_role("heading", name="easy or hard?").wait_for()
        # What cannot be is said, and the field can be mended.
        page.get_by_label("Budget, pilot included ($)", exact=True).fill("1")
        page.get_by_text("The budget of 1 is too small for the pilot").first.wait_for()
        page.get_by_label("Budget, pilot included ($)", exact=True).fill("400")
        page.get_by_text("Buy 170 hard labels for $340").first.wait_for()
        # The address can be sent on.
        other = opened_page(browser, page.url, wrong)
        other.get_by_text("Buy 170 hard labels for $340").first.wait_for()
    assert wrong == []


def test_the_command_serves_until_it_is_interrupted(collection: Path) -> None:
    command = [sys.executable, "-c", "from budget.commands.app import main; main()", "app"]
    process = subprocess.Popen(
        [*command, str(collection), "--port", "0"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        found = re.fullmatch(r"labelmix app: open (http://127\.0\.0\.1:\d+/) .*\n", told)
        assert found, told
        with urllib.request.urlopen(f"{found[1]}index.json") as answer:
            assert json.load(answer)["folders"][0]["kind"] == "collection"
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert rest == ("", "")
    assert process.returncode == 0
