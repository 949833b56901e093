"""What `labelmix curves` refuses."""

from pathlib import Path

import pytest

from tests.unit.budget.commands.command_line import labelmix, one_line, write_rows


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--sizes", "20,10"], "--sizes 20,10: should be increasing whole numbers"),
        (
            ["--sizes", "10,41"],
            "--sizes: 41 labels wanted, but stratum 'hard' (steps >= 5) has 40 items left",
        ),
        (["--error-rates", "0,2"], "--error-rates 0,2: error rate should be within 0 and 1"),
        (["--hard-factor", "0"], "--hard-factor 0: should be a number above 0"),
        (["--seeds", "1"], "--seeds 1: should be at least 2"),
        (["--method", "magic"], "--method magic: no such method; choose probe or qlora"),
        (["--model", "./no-model"], "model './no-model': no config.json there"),
        (["--data-dir", "x"], "takes no --data-dir"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    task_folder: Path, options: list[str], part: str
) -> None:
    before = sorted(task_folder.rglob("*"))
    result = labelmix("curves", task_folder / "task.toml", "--out", task_folder / "out", *options)
    assert part in one_line(result)
    assert sorted(task_folder.rglob("*")) == before


def test_free_form_items_have_no_curves(task_folder: Path) -> None:
    rows = [
        {"item_id": f"{n}", "question": f"{n}?", "answer_text": f"{n}", "steps": n % 6 + 1}
        for n in range(180)
    ]
    write_rows(task_folder, [{**row, "choices": []} for row in rows])
    result = labelmix("curves", task_folder / "task.toml", "--out", task_folder / "out")
    assert result.exit_code == 2
    assert "have no choices" in result.stderr and result.stderr.count("\n") == 1
    assert not (task_folder / "out").exists()


def test_a_whole_pool_can_be_bought(task_folder: Path) -> None:
    """Only then the model's weights are looked for, and there are none."""
    options = ("--sizes", "10,40", "--error-rates", "0", "--seeds", "2")
    result = labelmix("curves", task_folder / "task.toml", "--out", task_folder / "out", *options)
    assert result.exit_code == 2
    assert "cannot be loaded" in result.stderr and "--sizes" not in result.stderr


def test_no_such_configuration(tmp_path: Path) -> None:
    result = labelmix("curves", tmp_path / "absent.toml", "--out", tmp_path / "out")
    assert result.exit_code == 2 and "no such file" in result.stderr
    assert not (tmp_path / "out").exists()
