"""Label Studio's page in a headless browser: what a manager and an annotator do there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Response, sync_playwright

from _label_studio import PASSWORD, USER

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_SUBMIT = "bottombar-submit-button"
_SKIP = "bottombar-skip-button"
_CHOICE = "label:has(input[type=checkbox]), label:has(input[type=radio])"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def signed_in(url: str, width: int = 1200, height: int = 720) -> Iterator[Page]:
    """A page on which the manager has signed in; needs Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, headless=True
        )
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(60_000)
            page.goto(f"{url}/user/login/")
            page.fill("input[name=email]", USER)
            page.fill("input[name=password]", PASSWORD)
            page.click("button[type=submit]")
            page.wait_for_url(lambda now: "login" not in now)
            yield page
        finally:
            browser.close()


def start_labelling(page: Page, url: str, project: int) -> None:
    """Open the labelling stream, as the button "Label All Tasks" does."""
    page.goto(f"{url}/projects/{project}/data?labeling=1")
    page.get_by_test_id(_SUBMIT).wait_for()


def shown_choices(page: Page) -> list[str]:
    """The texts of the choices of the task that is shown, without their keys."""
    labels = page.locator(_CHOICE).all_inner_texts()
    return [label.rsplit("[", 1)[0].rstrip() for label in labels]


def pick(page: Page, place: int) -> None:
    """Pick a choice of the task that is shown, by its place from 0."""
    page.locator(_CHOICE).nth(place).click()


def submit(page: Page) -> None:
    """Submit the task that is shown, and wait until that is stored."""
    with page.expect_response(_stores_annotation):
        page.get_by_test_id(_SUBMIT).click()


def skip(page: Page) -> None:
    """Skip the task that is shown, and wait until that is stored."""
    with page.expect_response(_stores_annotation):
        page.get_by_test_id(_SKIP).click()


def _stores_annotation(response: Response) -> bool:
    return response.request.method == "POST" and "/annotations" in response.url
