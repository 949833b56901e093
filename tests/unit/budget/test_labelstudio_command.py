import json
import os
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from annotation.errors import InputError
from annotation.label_studio.pull import PullSummary
from budget.cli import app
from budget.labelstudio_session import (
    _host_and_port,
    _secret,
    ended_by_signals,
    items_and_strata,
    pull_lines,
    read_numbers,
)


@pytest.fixture
def items_file(tmp_path: Path) -> Path:
    path = tmp_path / "items.jsonl"
    rows = [
        {"item_id": f"i{n}", "question": "?", "choices": ["a", "b"], "steps": n} for n in range(6)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_numbers_of_tasks() -> None:
    assert read_numbers(["easy=10", "x=y=3"]) == {"easy": 10, "x=y": 3}
    for wrong in ("easy", "=3", "easy=", "easy=-1", "easy=1.5", "easy=" + "9" * 5000):
        with pytest.raises(InputError, match="should be STRATUM=NUMBER"):
            read_numbers([wrong])
    with pytest.raises(InputError, match="'easy' twice"):
        read_numbers(["easy=1", "easy=2"])


def test_items_without_answers_are_cut(items_file: Path) -> None:
    items, strata = items_and_strata(items_file, "steps", "edges:1,>=4", None)
    assert strata.tolist() == ["easy", "easy", "medium", "medium", "hard", "hard"]
    assert items["answer"].isna().all()
    assert set(items_and_strata(items_file, None, None, None)[1]) == {"all"}


def test_configuration_brings_its_own_cut(items_file: Path, tmp_path: Path) -> None:
    config = tmp_path / "task.toml"
    config.write_text(
        '[items]\nsource = "workshop"\nsize = 50\n'
        '[strata]\nmeasure = "steps"\neasy_at_most = 2\nhard_at_least = 5\n'
        "[budget]\ntotal = 100\n"
    )
    items, strata = items_and_strata(config, None, None, None)
    assert len(items) == len(strata) == 50
    assert set(strata) == {"easy", "medium", "hard"}
    with pytest.raises(InputError, match=r"CONFIG.toml has a cut"):
        items_and_strata(config, "steps", None, None)
    with pytest.raises(InputError, match=r"--data-dir goes with CONFIG.toml"):
        items_and_strata(items_file, None, None, tmp_path)
    with pytest.raises(InputError, match="--cut needs --measure"):
        items_and_strata(items_file, None, "quantiles:2", None)


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


def test_annotations_left_out_are_named_up_to_five() -> None:
    summary = PullSummary(1, "Pilot", 3, 1200, 1, 2, 400, tuple(f"one {n}" for n in range(7)))
    assert pull_lines(summary) == [
        "1,200 labels and 1 cancelled by 2 annotators, on 400 tasks; 3 changed since the last pull",
        "7 annotations are left out:",
        *[f"  one {n}" for n in range(5)],
        "  and 2 more; --json names them all",
    ]
