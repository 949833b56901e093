"""What commands meet: a Label Studio in memory, and finished runs."""

import copy
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from analysis.run.result import write_result
from annotation.label_studio.token import find_token
from budget.commands.app import app
from tests.functional.budget.readers import READERS, STATE
from tests.unit.analysis.runs_by_hand import run_result
from tests.unit.annotation.label_studio.conftest import FakeServer
from tests.unit.budget.conftest import finished_run, known_surface

SERVER = "budget.commands.labelstudio_session.opened_server"


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Results of finished runs: one to plan from, one with all that a report shows."""
    planned = finished_run({"probe": known_surface({"easy": 0.6})})
    shown = run_result(["easy", "hard"], {"easy": 60, "hard": 20}, {"easy": 20, "hard": 20})
    results = {"finished/result.json": planned, "page/result.json": shown}
    path = tmp_path_factory.mktemp("results") / "result.json"
    contents = {}
    for name, found in results.items():
        write_result(found, path)
        contents[name] = path.read_bytes()
    return contents


@pytest.fixture(scope="session")
def answered_pilot(tmp_path_factory: pytest.TempPathFactory) -> tuple[FakeServer, bytes]:
    """A Label Studio with a pilot that was answered, and the pilot's state."""
    server, folder = FakeServer(), tmp_path_factory.mktemp("studio")
    for name, content in READERS["predictions"].files.items():
        (folder / name).write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(SERVER, lambda *_: nullcontext(server))
        result = CliRunner().invoke(app, READERS["predictions"].command)
        assert result.exit_code == 0, result.output
        for task in server.tasks_of(max(server.projects_)):
            for user in (1, 2):
                server.annotate(task, "odd", user)
        words = ["labelstudio", "pull", "pilot", "--token-file", "token"]
        assert CliRunner().invoke(app, words).exit_code == 0
    return server, (folder / STATE).read_bytes()


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch, answered_pilot: tuple[FakeServer, bytes]) -> bytes:
    """Every command meets the same Label Studio, and a watch ends after its first look.

    Gives the state of the pilot that is there; without that state it is an empty Label Studio.
    """
    answered, state = answered_pilot

    def opened(url: str | None, token_file: Path | None, patience: float) -> Any:
        find_token(token_file)
        return nullcontext(copy.deepcopy(answered) if Path(STATE).exists() else FakeServer())

    def watched(pull: Callable[[], Any], *_: Any) -> None:
        pull()
        raise KeyboardInterrupt

    monkeypatch.setattr(SERVER, opened)
    monkeypatch.setattr("annotation.label_studio.watch.watch", watched)
    return state
