"""What scripts share that take pictures for docs/guide: the command, and small pictures."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from _label_studio import LabelStudioProcess
from _label_studio_browser import ARGUMENTS, CHROMIUM

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "guide" / "images"


def labelmix(*arguments: str, server: LabelStudioProcess | None = None) -> str:
    """Run the command, and give what it says; `server` is the Label Studio that it asks."""
    known = {} if server is None else {
        "LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_TOKEN": server.token,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "from budget.commands.app import main; main()", *arguments],
        cwd=ROOT,
        env={**os.environ, **known, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


@contextmanager
def opened_page(path: Path, width: int, height: int) -> Iterator[Page]:
    """A page of a file, as a browser shows it; needs Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, headless=True
        )
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(path.absolute().as_uri())
            yield page
        finally:
            browser.close()


def save(page: Page, name: str, colours: int = 128, wait: float = 2.5) -> None:
    """Save what is shown in docs/guide/images, in few colours: a page is no photograph.

    `wait` are the seconds that animations take.
    """
    page.wait_for_timeout(1000 * wait)
    picture = Image.open(BytesIO(page.screenshot()))
    path = IMAGES / f"{name}.png"
    picture.convert("RGB").quantize(colours).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
