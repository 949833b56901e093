"""What commands meet: a Label Studio in memory, and finished runs."""

import copy
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.run.result import write_result
from annotation.label_studio.token import find_token
from budget.commands.app import app
from tests.functional.budget.readers import COLLECT, FILE_SUPPLIERS, OF_COLLECT, READERS, STATE
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
def little(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A collection whose first batch is ordered, and almost all of it answered."""
    folder = tmp_path_factory.mktemp("little")
    for name, content in OF_COLLECT.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "suppliers.toml").write_bytes(FILE_SUPPLIERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in (
            [word.replace("out/little", "little") for word in COLLECT],
            ["collect", "step", "little"],
            ["collect", "approve", "little", "1", "--by", "ann"],
            ["collect", "step", "little"],
        ):
            result = CliRunner().invoke(app, words)
            assert result.exit_code == 0, result.output
    for name in ("crowd", "expert"):
        out = folder / "little" / "suppliers" / name / "out" / "batch-1.csv"
        tasks = pd.read_csv(out)
        rows = [
            (task.item_id, f"{name} {who}", ("odd", "even")[number % 2], 10)
            for number, task in enumerate(tasks.itertuples())
            for who in range(int(str(task.judgments_wanted)))
        ]
        table = pd.DataFrame(rows, columns=["item_id", "annotator", "label", "seconds"])
        # One judgment is still waited for.
        table[1:].to_csv(out.parents[1] / "back" / "batch-1.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert CliRunner().invoke(app, ["collect", "step", "little"]).exit_code == 0
    paths = [path for path in (folder / "little").rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in paths
        if not path.name.endswith((".lock", "-wal", "-shm"))
    }


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
