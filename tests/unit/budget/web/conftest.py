"""An application of a small collection, and a browser without a screen that asks it."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from budget.web.application import make_application
from budget.web.settings import WebSettings
from tests.unit.budget.collection.by_hand import learns_nothing, new_collection, opened
from training.engines import SilentWatcher

Client = Callable[..., TestClient]


@pytest.fixture(autouse=True)
def _known_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    learns_nothing(monkeypatch)
    monkeypatch.delenv("LABELMIX_COLLECTION_STORE", raising=False)


@pytest.fixture
def client() -> Iterator[Client]:
    """Makes a client of folders; `settings` are those of the application."""
    begun: list[TestClient] = []

    def make(*folders: Path, **settings: object) -> TestClient:
        given = WebSettings(folders=folders, **{"who": "ann", **settings})  # type: ignore[arg-type]
        own = TestClient(
            make_application(given),
            base_url=f"http://127.0.0.1:{given.port}",
            raise_server_exceptions=False,
        )
        begun.append(own)
        return own.__enter__()

    yield make
    for own in begun:
        own.__exit__(None, None, None)


@pytest.fixture(scope="session")
def _planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        learns_nothing(patch)
        folder = new_collection(tmp_path_factory.mktemp("planned"))
        with opened(folder) as collection:
            collection.step(SilentWatcher())
    return folder


@pytest.fixture
def planned(_planned: Path, tmp_path: Path) -> Path:
    """A collection whose first batch waits for an approval."""
    return Path(shutil.copytree(_planned, tmp_path / "c"))


def form_token(page: str) -> str:
    """What the forms of a page carry."""
    found = re.search(r'name="form_token" value="(\w+)"', page)
    assert found, "the page has no form"
    return found[1]


def posted(client: TestClient, action: str, place: str = "c", **fields: str) -> tuple[int, str]:
    """Send a form of the board as its page does; status and page of the answer."""
    page = client.get(f"/folder/{place}/board").text
    answer = client.post(
        f"/folder/{place}/board/{action}",
        data={"form_token": form_token(page), "who": "ann", **fields},
        headers={"Origin": str(client.base_url).rstrip("/")},
        follow_redirects=True,
    )
    return answer.status_code, answer.text
