"""A real Label Studio server, started once for all tests that need it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

from _label_studio import CannotRunError, LabelStudioProcess


@pytest.fixture(scope="session")
def label_studio(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[[bool, str], None]
) -> Iterator[LabelStudioProcess]:
    """A server on loopback with SQLite; the manager's token is `label_studio.token`."""
    try:
        server = LabelStudioProcess(tmp_path_factory.mktemp("label-studio"))
    except CannotRunError as error:
        require(False, str(error))
        raise  # never reached: `require` skips or fails
    with server:
        yield server
