import json
from pathlib import Path

import pytest

from annotation.errors import InputError
from budget.commands.item_source import ItemSource, load_source
from budget.commands.show.items import ItemsDescription, describe_items, show_description
from budget.config.read import read_config
from tests import golden_pages
from tests.grouped_items import write_grouped
from tests.unit.budget.commands.command_line import labelmix, one_line

CONFIG = """
[items]
source = "tabular"
path = "items.csv"
columns = { level = "difficulty" }

[strata]
measure = "level"
easy_at_most = 2
hard_at_least = 3

[budget]
total = 1000
"""
# Levels 1, 2, 3, 4, unknown; the last item has three choices.
ITEMS = """item_id,question,choices,answer,difficulty,group
a,One?,yes|no,yes,1,page
b,Two?,yes|no,no,2,page
c,Three?,yes|no,yes,3,leaf
d,Four?,yes|no,no,4,leaf
e,Five?,yes|no|maybe,maybe,NA,leaf
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "items.csv").write_text(ITEMS, encoding="utf-8")
    (tmp_path / "task.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "task.toml"


def described_by(
    config: Path | None = None, source: str | None = None, path: Path | None = None
) -> ItemsDescription:
    asked = ItemSource(either="CONFIG.toml or --source", config=config, source=source, path=path)
    return describe_items(load_source(asked, answered=True))


def test_numbers_by_hand(config: Path) -> None:
    described = described_by(config)
    assert (described.source, described.items, described.groups) == ("tabular", 5, 2)
    assert described.choices == {"2": 4, "3": 1}
    assert described.shared_choices is None
    assert described.chance_accuracy == pytest.approx((4 / 2 + 1 / 3) / 5)
    assert described.strata == {
        "easy (level <= 2)": 2,
        "medium (2 < level < 3)": 0,
        "hard (level >= 3)": 2,  # the item of unknown level is of no stratum
    }
    level = described.measures["level"]
    assert (level.known, level.minimum, level.median, level.maximum) == (4, 1, 2.5, 4)
    assert (level.quartile_1, level.quartile_3) == (1.75, 3.25)
    assert described.example == "One?"
    assert len(described.fingerprint) == 64


def test_strata_of_a_cut_under_names_of_one_s_own(config: Path) -> None:
    bounds = "easy_at_most = 2\nhard_at_least = 3"
    named = 'cut = "quantiles:4"\nnames = ["a", "b", "c", "d"]'
    config.write_text(CONFIG.replace(bounds, named), encoding="utf-8")
    described = described_by(config)
    assert described.strata is not None
    assert {rule[0]: count for rule, count in described.strata.items()} == {
        "a": 1, "b": 1, "c": 1, "d": 1,
    }  # fmt: skip


def test_choices_that_all_items_share(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    rows = [
        {"item_id": str(n), "question": "?", "choices": ["a", "b"], "answer": 0} for n in (1, 2)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    described = described_by(source="tabular", path=path)
    assert described.shared_choices == ["a", "b"]
    assert described.strata is None
    assert described.measures == {}


def test_free_form_items_have_no_chance_accuracy(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    row = {"item_id": "1", "question": "?", "choices": [], "answer_text": "forty"}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    described = described_by(source="tabular", path=path)
    assert described.chance_accuracy is None
    assert described.choices == {"0": 1}


def test_a_measure_that_no_item_has_gets_no_numbers(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = "".join(
        line if number == 0 else ",".join([*line.split(",")[:4], "NA", "page\n"])
        for number, line in enumerate(ITEMS.splitlines(keepends=True))
    )
    (config.parent / "items.csv").write_text(unknown, encoding="utf-8")
    described = described_by(config)
    level = described.measures["level"]
    assert level.known == 0
    assert (level.minimum, level.median, level.maximum) == (None, None, None)
    assert json.loads(described.model_dump_json())["measures"]["level"]["median"] is None
    show_description(described)
    assert "nan" not in capsys.readouterr().out


def test_what_a_person_sees(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    show_description(described_by(config))
    golden_pages.check("items", capsys.readouterr().out.replace(str(config.parent), "FOLDER"))


def test_a_question_is_shown_as_it_stands(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Square brackets are no colours."""
    (config.parent / "items.csv").write_text(ITEMS.replace("One?", "[red]x[/red]?"), "utf-8")
    show_description(described_by(config))
    assert "[red]x[/red]?" in capsys.readouterr().out


def test_either_a_configuration_or_a_source(config: Path) -> None:
    for given, source in ((config, "workshop"), (None, None)):
        with pytest.raises(InputError, match=r"give either CONFIG\.toml or --source"):
            described_by(given, source)


def test_a_configuration_names_its_own_file(config: Path) -> None:
    with pytest.raises(InputError, match="--path goes with --source tabular"):
        described_by(config, path=Path("other.csv"))


def test_a_measure_that_is_not_there(config: Path) -> None:
    config.write_text(CONFIG.replace('measure = "level"', 'measure = "steps"'), encoding="utf-8")
    with pytest.raises(InputError, match="'steps' is not in the items; they have: level"):
        described_by(config)


def test_no_budget_is_needed_where_nothing_is_planned(config: Path) -> None:
    config.write_text(CONFIG.partition("[budget]")[0], encoding="utf-8")
    assert described_by(config).items == 5
    with pytest.raises(InputError, match="budget is missing"):
        read_config(config)


# -- from the command line ----------------------------------------------------------------------


def test_describe_as_json(task_folder: Path) -> None:
    result = labelmix("items", "describe", task_folder / "task.toml", "--json")
    assert result.exit_code == 0
    description = json.loads(result.stdout)
    assert description["items"] == 180
    assert description["choices"] == {"2": 180}
    assert description["strata"] == {
        "easy (steps <= 2)": 60,
        "medium (2 < steps < 5)": 60,
        "hard (steps >= 5)": 60,
    }


def test_describe_for_a_person(task_folder: Path) -> None:
    result = labelmix("items", "describe", task_folder / "task.toml")
    assert result.exit_code == 0
    assert "180 items from 'tabular'" in result.stdout
    assert "steps >= 5" in result.stdout


def test_describe_a_source_without_a_configuration(task_folder: Path) -> None:
    result = labelmix(
        "items", "describe", "--source", "tabular", "--path", task_folder / "items.jsonl", "--json"
    )
    assert json.loads(result.stdout)["strata"] is None


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "give either CONFIG.toml or --source"),
        (["task.toml", "--source", "workshop"], "give either CONFIG.toml or --source"),
        (["task.toml", "--path", "x.csv"], "--path goes with --source tabular"),
        (["task.toml", "--data-dir", "x"], "takes no --data-dir"),
        (["absent.toml"], "no such file; 'labelmix init' writes one"),
        (["--source", "wrkshop"], "source 'wrkshop' is unknown; choose one of workshop"),
        (["--source", "workshop", "--path", "x.csv"], "has no option 'path'"),
        (["--source", "tabular"], "give either 'path' (a file) or 'hub_id'"),
        (["--source", "tabular", "--path", "absent.csv"], "absent.csv: no such file"),
    ],
)
def test_describe_refuses(
    task_folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], part: str
) -> None:
    monkeypatch.chdir(task_folder)
    assert part in one_line(labelmix("items", "describe", *arguments))


def test_groups_and_near_copies_are_told_as_a_run_tells_them(tmp_path: Path) -> None:
    config = write_grouped(tmp_path)
    counted = [
        "The items are of 20 groups, the largest of 12 items.",
        "2 items ask what another item asks, but for case, punctuation or some choices: these "
        "count as one group.",
    ]
    remarks = described_by(config).remarks
    assert [own for own in remarks if own in counted] == counted
    assert remarks[-2].startswith("No group is tested and sold both: the 20 hard test items are of")
    assert remarks[-1].startswith("The hard test items are of 4 groups only")
    alone = described_by(source="tabular", path=tmp_path / "items.jsonl").remarks
    assert alone[-2:] == counted


def test_what_keeps_a_run_from_starting_is_told_beside_the_rest(config: Path) -> None:
    described = described_by(config)
    assert described.remarks[-1].startswith("a run cannot start: stratum 'easy' (level <= 2) has 2")
    assert described.items == 5
