import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.read import load_tabular
from budget.commands.item_source import ItemSource, LoadedItems, config_or_items, load_source
from training.engines.base import SilentWatcher

CONFIG = """
[items]
source = "workshop"
size = 50
[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5
"""


def load(**given: Any) -> LoadedItems:
    return load_source(ItemSource(either="--config or --items", **given))


@pytest.fixture
def items_file(tmp_path: Path) -> Path:
    path = tmp_path / "items.jsonl"
    rows = [
        {"item_id": f"i{n}", "question": "?", "choices": ["a", "b"], "steps": n} for n in range(6)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "task.toml"
    path.write_text(CONFIG)
    return path


def test_items_without_answers_are_cut(items_file: Path) -> None:
    found = load(items=items_file, measure="steps", cut="edges:1,>=4")
    expected = ["easy", "easy", "medium", "medium", "hard", "hard"]
    assert found.stratum_of_items.tolist() == expected
    assert found.stratum_by_id == dict(zip([f"i{n}" for n in range(6)], expected, strict=True))
    assert found.items["answer"].isna().all()
    assert (found.name, found.source) == (str(items_file), "")
    thirds = load(items=items_file, measure="steps")
    assert thirds.stratum_of_items.tolist() == expected


def test_items_that_nothing_cuts_are_one_stratum(items_file: Path) -> None:
    found = load(items=items_file)
    assert set(found.stratum_of_items) == {"all"}
    assert (found.strata, found.stratum_by_id) == (None, None)


def test_a_measure_that_is_not_there(items_file: Path) -> None:
    with pytest.raises(InputError, match="'grade' is not in the items; they have: steps"):
        _ = load(items=items_file, measure="grade").strata


def test_items_with_names_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("id,text,label\na,?,bad\nb,!,good\n")
    columns = {"item_id": "id", "question": "text", "answer": "label"}
    items = load(items=path, columns=columns, choices=["bad", "good"]).items
    assert items["item_id"].tolist() == ["a", "b"]
    assert items["answer"].tolist() == [0, 1]
    with pytest.raises(InputError, match=r"--column question=COLUMN"):
        load(items=path, columns={})
    with pytest.raises(InputError, match=r"Rename the one that holds it to 'question'"):
        load(items=path)  # of a command without --column


def test_items_by_their_place_are_told(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("question,uid\n?,a\n!,b\n")
    [remark] = load(items=path).remarks
    assert remark.endswith("there is no item_id; --column item_id=uid takes column 'uid'.")
    path.write_text("question\n?\n")
    [remark] = load(items=path).remarks
    assert remark.endswith("there is no item_id; --column item_id=COLUMN names one.")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_column_of_answers_is_not_advised_as_names_of_items(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"items{suffix}"
    rows = {"question": ["?", "!"], "choices": ["x|y", "x|y"], "key": ["x", "y"]}
    frame = pd.DataFrame(rows)
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    remark = load(items=path, columns={"answer": "key"}).remarks[-1]
    assert remark.endswith("there is no item_id; --column item_id=COLUMN names one.")


def test_a_configuration_brings_items_and_cut(config: Path) -> None:
    found = load(config=config)
    assert (len(found.items), found.name, found.source) == (50, "workshop", "workshop")
    assert set(found.stratum_of_items) == {"easy", "medium", "hard"}
    assert found.table is None
    config.write_text(
        CONFIG.partition("easy_at_most")[0]
        + 'cut = "edges:2,3,>=5"\nnames = ["a", "b", "c", "d"]\n'
    )
    assert set(load(config=config).stratum_of_items) == {"a", "b", "c", "d"}


def test_a_file_that_a_configuration_names(config: Path, items_file: Path) -> None:
    """Its items need answers in a run alone."""
    config.write_text(CONFIG.replace('"workshop"\nsize = 50', '"tabular"\npath = "items.jsonl"'))
    found = load(config=config)
    assert found.table is not None and found.items["answer"].isna().all()
    assert found.stratum_of_items.tolist() == ["easy"] * 3 + ["medium"] * 2 + ["hard"]
    asked = ItemSource(either="CONFIG.toml", config=config)
    with pytest.raises(InputError, match=r"column 'answer' is missing.+Map others by 'columns'"):
        load_source(asked, answered=True)
    lines = items_file.read_text().splitlines()
    rows = [json.loads(line) | {"answer": n % 2} for n, line in enumerate(lines)]
    items_file.write_text("\n".join(json.dumps(row) for row in rows))
    expected = load_tabular(str(items_file))
    assert load(config=config).items.equals(expected)
    assert load_source(asked, answered=True).items.equals(expected)


def test_items_whose_judgments_tell_how_hard_they_are(config: Path, items_file: Path) -> None:
    config.write_text(
        '[items]\nsource = "tabular"\npath = "items.jsonl"\n'
        '[annotators]\nsource = "judgments"\njudgments = "judged.csv"\njudgments_for_strata = 2\n'
        "[annotators.easy]\ncost = 1\n[annotators.hard]\ncost = 2\n"
        '[strata]\nmeasure = "answer_entropy"\ncut = "quantiles:2"\n'
    )
    judged = [
        f"i{n},{who},{'b' if n > 2 and who == 'y' else 'a'}" for n in range(6) for who in "xyz"
    ]
    config.with_name("judged.csv").write_text("\n".join(["item_id,annotator,label", *judged]))
    asked = ItemSource(either="CONFIG.toml", config=config)
    found = load_source(asked, answered=True)
    assert found.stratum_of_items.tolist() == ["easy"] * 3 + ["hard"] * 3
    assert found.items["answer"].isna().all()


def test_a_source_by_name(tmp_path: Path, items_file: Path) -> None:
    assert len(load(source="workshop").items) > 1000
    with pytest.raises(InputError, match="source 'workshop' has no option 'data_dir'"):
        load(source="workshop", data_dir=tmp_path)
    items_file.write_text('{"item_id": "a", "question": "?", "answer_text": "b", "choices": []}')
    assert load(source="tabular", path=items_file).name == "tabular"


def test_what_is_fetched_is_told(monkeypatch: pytest.MonkeyPatch, items_file: Path) -> None:
    told: list[str] = []

    class Watcher(SilentWatcher):
        def stage(self, description: str, total: int) -> None:
            told.append(description)

    expected = load(items=items_file).items
    monkeypatch.setattr("budget.commands.item_source.load_items", lambda *_, **__: expected)
    for given in ({"source": "arc"}, {"source": "arc", "data_dir": Path()}, {"source": "workshop"}):
        load_source(ItemSource(either="--source", **given), Watcher())
    assert told == ["fetching arc from the hub"]


def test_a_toml_file_is_a_configuration() -> None:
    assert config_or_items(Path("a.TOML")) == (Path("a.TOML"), None)
    assert config_or_items(Path("a.csv")) == (None, Path("a.csv"))
    assert config_or_items(None) == (None, None)


FILE, TOML, FOLDER = Path("a.csv"), Path("a.toml"), Path("data")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"config": TOML, "items": FILE}, "give either --config or --items."),
        ({"items": FILE, "source": "arc"}, "give either --config or --items."),
        ({"path": FILE}, "--path goes with --source tabular; CONFIG.toml names its own file."),
        ({"items": FILE, "data_dir": FOLDER}, "--data-dir goes with CONFIG.toml or a source; a fi"),
        ({"data_dir": FOLDER}, "--data-dir goes with CONFIG.toml or a source"),
        (
            {"config": TOML, "columns": {"a": "b"}},
            "--column goes with a file of items; CONFIG",
        ),
        (
            {"config": TOML, "choices": ["a", "b"]},
            "--choices goes with a file of items; CON",
        ),
        ({"config": TOML, "measure": "steps"}, "--measure goes with a file of items; CONFIG.toml"),
        ({"config": TOML, "cut": "paper"}, "--cut goes with a file of items; CONFIG.toml has its"),
        ({"source": "arc", "columns": {"a": "b"}}, "--column goes with a file of items."),
        ({"measure": "steps"}, "--measure goes with a file of items."),
        ({"cut": "paper"}, "--cut needs the measure that is cut; give --measure."),
        ({"items": FILE, "cut": "paper"}, "--cut needs the measure that is cut; give --measure."),
    ],
)
def test_what_does_not_go_together(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ItemSource(either="--config or --items", **given)
    assert str(caught.value).startswith(message)


def test_nothing_that_names_items() -> None:
    asked = ItemSource(either="--config or --items")
    assert not asked.names_items
    with pytest.raises(InputError, match="give either --config or --items"):
        load_source(asked)


def test_measured_and_predicted_hardness_of_a_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    rows = [
        {"item_id": f"i{n}", "question": "?", "choices": ["a", "b"], "steps": n,
         "steps_is_predicted": n % 2} for n in range(6)
    ]  # fmt: skip
    path.write_text("\n".join(json.dumps(row) for row in rows))
    (told,) = load(items=path, measure="steps").strata_remarks
    assert told.startswith("strata mix measured and predicted hardness: 'steps' is measured for 3")
    assert load(items=path).strata_remarks == ()  # nothing is cut
