"""Pushes at the same moment: nothing is sent, asked and paid twice."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from _label_studio import LabelStudioProcess

ROOT = Path(__file__).resolve().parents[3]
LABELMIX = [sys.executable, "-c", "from budget.commands.app import main; main()"]
ITEMS = 40
ROUNDS = 1


def push_at_once(
    server: LabelStudioProcess, items: Path, title: str, folders: list[Path]
) -> list[tuple[int, str]]:
    """Exit code and errors of pushes that start at the same moment."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "LABEL_STUDIO_URL": server.url,
        "LABEL_STUDIO_TOKEN": server.token,
    }
    processes = [
        subprocess.Popen(
            [
                *(*LABELMIX, "labelstudio", "push", str(items), "--title", title),
                *("--tasks", f"all={ITEMS}", "--gold", "5", "--out", str(folder)),
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    ends = [process.communicate(timeout=300)[1] for process in processes]
    return [(process.returncode, end) for process, end in zip(processes, ends, strict=True)]


def write_items(path: Path) -> Path:
    rows = [
        {"item_id": f"i{n}", "question": f"{n}?", "choices": ["a", "b"], "answer": 0}
        for n in range(ITEMS)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def projects(server: LabelStudioProcess, title: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Token {server.token}"}
    answer = httpx.get(
        f"{server.url}/api/projects", headers=headers, params={"page_size": 1000}, timeout=60
    )
    found: list[dict[str, Any]] = answer.raise_for_status().json()["results"]
    return [project for project in found if project["title"] == title]


def last_line(errors: str) -> str:
    return errors.strip().splitlines()[-1]


def test_one_folder_pushed_twice_at_once_fills_one_project(
    label_studio: LabelStudioProcess, tmp_path: Path
) -> None:
    items = write_items(tmp_path / "items.jsonl")
    for number in range(ROUNDS):
        title, folder = f"Same folder {number}", tmp_path / f"pilot {number}"
        ends = push_at_once(label_studio, items, title, [folder, folder])
        (project,) = projects(label_studio, title)
        assert project["task_number"] == ITEMS
        codes = sorted(code for code, _ in ends)
        assert codes in ([0, 2], [0, 0]), ends  # a quick one may end before the other begins
        if codes == [0, 2]:
            (line,) = [last_line(errors) for code, errors in ends if code]
            assert "is in use by 'labelmix labelstudio push' (process " in line


def test_two_folders_pushed_at_once_under_one_title_fill_one_project(
    label_studio: LabelStudioProcess, tmp_path: Path
) -> None:
    items = write_items(tmp_path / "items.jsonl")
    for number in range(ROUNDS):
        title = f"Two folders {number}"
        folders = [tmp_path / f"{name} {number}" for name in "ab"]
        ends = push_at_once(label_studio, items, title, folders)
        (project,) = projects(label_studio, title)
        assert project["task_number"] == ITEMS
        assert sorted(code for code, _ in ends) == [0, 2]
        (line,) = [last_line(errors) for code, errors in ends if code]
        assert "at the same moment" in line or "is the pilot of another folder" in line
