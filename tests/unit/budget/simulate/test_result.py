import csv
from pathlib import Path

import pytest

from annotation.errors import InputError
from budget.simulate.result import CSV_COLUMNS, SimulationResult, write_simulation


def test_json_and_back(simulation: SimulationResult, tmp_path: Path) -> None:
    write_simulation(simulation, tmp_path)
    text = (tmp_path / "simulate.json").read_text(encoding="utf-8")
    assert SimulationResult.model_validate_json(text) == simulation


def test_the_table_has_a_row_for_every_cell(simulation: SimulationResult, tmp_path: Path) -> None:
    write_simulation(simulation, tmp_path)
    with (tmp_path / "simulate.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["budget", "cost-ratio", *CSV_COLUMNS]
    assert len(rows) == 20
    last = rows[-1]
    assert (float(last["budget"]), float(last["cost-ratio"])) == (1600, 8)
    assert last["region"] == simulation.region[-1][-1]
    for name in ("best", "all_easy", "difference_low", "probability_easy"):
        assert float(last[name]) == getattr(simulation, name)[-1][-1]
    assert last["unresolved"] == str(simulation.unresolved[-1][-1])


def test_no_purchase_costs_more_than_its_budget(simulation: SimulationResult) -> None:
    for row, ratio in enumerate(simulation.y.values):
        for column, budget in enumerate(simulation.x.values):
            easy = simulation.best_easy_labels[row][column]
            hard = simulation.best_hard_labels[row][column]
            assert easy + hard * ratio <= budget * (1 + 1e-12)


def test_a_folder_that_cannot_be_written(simulation: SimulationResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        write_simulation(simulation, tmp_path / "file")
