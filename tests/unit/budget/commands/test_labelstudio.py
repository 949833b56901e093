import json
import os
import signal
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from annotation.errors import InputError
from annotation.label_studio.pull import PullSummary
from annotation.label_studio.push import PushSummary
from annotation.label_studio.state import PilotState
from budget.commands.app import app
from budget.commands.labelstudio_session import (
    _host_and_port,
    _secret,
    anonymity,
    ended_by_signals,
    pull_lines,
    push_lines,
)


@pytest.fixture
def items_file(tmp_path: Path) -> Path:
    path = tmp_path / "items.jsonl"
    rows = [
        {"item_id": f"i{n}", "question": "?", "choices": ["a", "b"], "steps": n} for n in range(6)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


@pytest.mark.parametrize(
    ("environment", "arguments", "message"),
    [
        ({}, [], "no address of Label Studio"),
        ({"LABEL_STUDIO_URL": "http://127.0.0.1:9"}, [], "no token for Label Studio"),
        ({"LABEL_STUDIO_URL": "nowhere", "LABEL_STUDIO_TOKEN": "t"}, [], "should look like http"),
        ({}, ["--token-file", "absent"], "no address of Label Studio"),
    ],
)
def test_what_is_missing_is_told_in_one_line(
    environment: dict[str, str],
    arguments: list[str],
    message: str,
    items_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_TOKEN", "LABEL_STUDIO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    command = ["labelstudio", "push", str(items_file), "--title", "Pilot", "--tasks", "all=2"]
    found = CliRunner().invoke(
        app, [*command, "--out", str(tmp_path / "out"), *arguments], env=environment
    )
    assert found.exit_code == 2
    assert message in found.stderr
    assert found.stderr.count("\n") == 1


def test_pull_of_a_folder_that_is_none(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["labelstudio", "pull", str(tmp_path / "none")])
    assert found.exit_code == 2
    assert "no such file; 'labelmix labelstudio push' makes it" in found.stderr
    assert not (tmp_path / "none").exists()


def test_where_to_listen() -> None:
    assert _host_and_port("127.0.0.1:8090") == ("127.0.0.1", 8090)
    assert _host_and_port("[::1]:0") == ("::1", 0)
    for wrong in ("8090", ":8090", "host:", "host:x", "host:70000", "host:" + "9" * 5000):
        with pytest.raises(InputError, match="should be HOST:PORT"):
            _host_and_port(wrong)


def test_secret_is_new_each_time_or_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABELMIX_WEBHOOK_SECRET", raising=False)
    assert len(_secret()) > 30
    assert _secret() != _secret()
    monkeypatch.setenv("LABELMIX_WEBHOOK_SECRET", "sixteen letters!")
    assert _secret() == "sixteen letters!"
    monkeypatch.setenv("LABELMIX_WEBHOOK_SECRET", "short")
    with pytest.raises(InputError, match="at least 16") as refusal:
        _secret()
    assert "short" not in str(refusal.value)


def test_termination_is_an_interruption() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_table_of_another_kind_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    with PilotState(tmp_path / "label_studio.sqlite"):
        pass
    for command in ("pull", "watch"):
        found = CliRunner().invoke(
            app, ["labelstudio", command, str(tmp_path), "--judgments", "j.txt"]
        )
        assert found.exit_code == 2
        assert "j.txt: judgments are written as .csv or .parquet" in found.stderr


def test_anonymity_is_remembered_until_it_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "label_studio.sqlite"
    answers = []
    for chosen in (None, True, None, False, None):
        with PilotState(path) as state:
            answers.append(anonymity(state, chosen))
    assert answers == [False, True, True, False, False]


def test_a_pull_without_a_choice_keeps_annotators_unnamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bool] = []
    session = "budget.commands.labelstudio_session"
    monkeypatch.setattr(
        f"{session}.opened_server",
        lambda *_: nullcontext(SimpleNamespace(connection=SimpleNamespace(requests=0))),
    )
    monkeypatch.setattr(
        f"{session}.write_table", lambda state, path, anonymous: written.append(anonymous)
    )
    monkeypatch.setattr(
        "annotation.label_studio.pull.pull",
        lambda *_: PullSummary(1, "Pilot", 1, 1, 0, 1, 1, ()),
    )
    with PilotState(tmp_path / "label_studio.sqlite"):
        pass
    for more in ([], ["--anonymous"], [], ["--by-address"], []):
        found = CliRunner().invoke(app, ["labelstudio", "pull", str(tmp_path), *more])
        assert found.exit_code == 0, found.stderr
    assert written == [False, True, True, False, False]


def test_a_push_says_what_the_project_holds() -> None:
    summary = PushSummary(
        project_id=1, title="Pilot 1", url="", project_is_new=False, tasks=40, sent=19,
        already_there=21, changed=0, doubles_deleted=0, others=21, predictions_sent=2,
        gold_questions=4, overlap=5, overlap_before=3,
        sent_elsewhere=7, namesakes=(4, 6),
    )  # fmt: skip
    assert push_lines(summary) == [
        "project 'Pilot 1' holds 61 tasks: 40 asked for now (19 sent, 21 were there), 21 of "
        "earlier pushes; 4 of these 40 are gold questions",
        "annotators asked for each task: 5 instead of 3, of all tasks",
        "7 of the tasks were sent from another folder: if there are gold questions among them, "
        "their answers are known there alone",
        "other projects of this title hold tasks too (number 4, 6); if nobody needs them, delete "
        "them before they are answered and paid as well",
        "2 predictions sent",
    ]


def test_annotations_left_out_are_named_up_to_five() -> None:
    summary = PullSummary(1, "Pilot", 3, 1200, 1, 2, 400, tuple(f"one {n}" for n in range(7)))
    assert pull_lines(summary) == [
        "1,200 labels and 1 cancelled by 2 annotators, on 400 tasks; 3 changed since the last pull",
        "7 annotations are left out:",
        *[f"  one {n}" for n in range(5)],
        "  and 2 more; --json names them all",
    ]
    assert pull_lines(summary, is_new=True)[0].endswith("on 400 tasks; the table is new")
