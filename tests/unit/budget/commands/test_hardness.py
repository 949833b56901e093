import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from analysis.hardness.describe import default_cut, histogram
from analysis.hardness.result import Bin, HardnessResult
from annotation.hardness.registry import MEASURES
from annotation.items.read import load_unanswered
from annotation.items.table import measures
from annotation.sources.workshop import load_workshop
from budget.commands.app import app
from budget.commands.show.hardness import bars
from tests import golden_pages


def labelmix(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["hardness", *map(str, arguments)], prog_name="labelmix")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(*arguments: str | Path) -> HardnessResult:
    result = labelmix(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return HardnessResult.model_validate_json(result.stdout)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 word problems, two of five with an answer and its steps, and a column of their own."""
    path = tmp_path_factory.mktemp("pool") / "pool.jsonl"
    rows: list[dict[str, Any]] = load_workshop(120).to_dict("records")
    for number, row in enumerate(rows):
        known = number % 5 < 2
        row |= {"answer": int(row["answer"]) if known else None, "answer_text": None}
        row |= {"steps": row["steps"] if known else None, "mine": number % 7}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def judgments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("judgments") / "judgments.csv"
    items = load_workshop(120)
    rng = np.random.default_rng(0)
    rows = []
    for _, item in items.iterrows():
        for annotator in "abcd":
            wrong = rng.random() < item["steps"] / 8
            choices = item["choices"]
            choice = int(rng.integers(4)) if wrong else int(item["answer"])
            rows.append((item["item_id"], annotator, choices[choice]))
    pd.DataFrame(rows, columns=["item_id", "annotator", "label"]).to_csv(path, index=False)
    return path


def test_what_items_bring_and_texts_tell(pool: Path) -> None:
    result = told(pool)
    assert (result.source, result.items, result.out) == (str(pool), 120, None)
    assert [m.name for m in result.measures] == [
        "steps", "mine", "question_words", "answer_words", "answer_characters", "reasoning_words",
    ]  # fmt: skip
    steps, mine = result.measures[:2]
    assert (steps.known, steps.family, mine.family) == (48, "human", None)
    assert (mine.minimum, mine.median, mine.maximum) == (0, 3, 6)
    assert [(b.low, b.high, b.items) for b in mine.histogram] == [
        (k, k, 18 if k == 0 else 17) for k in range(7)
    ]
    assert steps.remarks == ["72 items have no 'steps' and are in no stratum."]
    assert [(s.name, s.rule, s.items) for s in mine.strata] == [
        ("easy", "mine <= 1", 35), ("medium", "1 < mine < 5", 51), ("hard", "mine >= 5", 34),
    ]  # fmt: skip
    frame = load_unanswered(str(pool))
    assert result.spearman["steps"]["mine"] == pytest.approx(
        frame["steps"].corr(frame["mine"], method="spearman")
    )
    assert result.spearman["mine"]["mine"] == 1


def test_the_papers_cut_of_its_data(tmp_path: Path) -> None:
    solution = "One.\nTwo.\nThree.\nFour.\nFive.\n#### 5"
    rows = [{"question": "?", "answer": "One.\n#### 1"}] * 2 + [
        {"question": "? ?", "answer": solution}
    ]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = told("--source", "gsm8k", "--data-dir", tmp_path, "--measure", "num_steps")
    [steps] = result.measures
    assert steps.cut == "paper"
    assert [(s.rule, s.items) for s in steps.strata] == [
        ("num_steps <= 4", 2), ("4 < num_steps < 7", 1), ("num_steps >= 7", 0),
    ]  # fmt: skip
    assert steps.remarks == ["stratum 'hard' (num_steps >= 7) is empty: no item has such a value."]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_measures_of_judgments_become_columns(
    pool: Path, judgments: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"out{suffix}"
    names = ("pairwise_disagreement", "answer_entropy", "rasch_difficulty", "question_words")
    asked = [part for name in names for part in ("--measure", name)]
    result = told(pool, *asked, "--judgments", judgments, "--out", out, "--cut", "quantiles:2")
    assert [m.name for m in result.measures] == list(names)
    assert [m.known for m in result.measures] == [120, 120, 48, 120]
    assert [s.name for s in result.measures[0].strata] == ["easy", "hard"]
    written = load_unanswered(str(out))
    assert measures(written)[-5:] == [
        *names[:3], "rasch_difficulty_standard_error", "question_words",
    ]  # fmt: skip
    assert written["pairwise_disagreement"].between(0, 1).all()
    assert written["steps"].isna().sum() == 72
    # A second look takes the standard error for no measure.
    again = told(out)
    assert "rasch_difficulty_standard_error" not in [m.name for m in again.measures]
    assert "rasch_difficulty" in again.spearman


def test_models_measure_and_predict(pool: Path, tmp_path: Path) -> None:
    out, figure = tmp_path / "out.jsonl", tmp_path / "figure.png"
    arguments = (
        pool, "--measure", "steps", "--measure", "code_length", "--predict", "--features",
        tmp_path, "--out", out, "--figure", figure,
    )  # fmt: skip
    steps, code = told(*arguments).measures
    # What a probe finds hard to learn here cannot be told from the question: it stays unknown.
    assert (steps.known, code.known) == (120, 48)
    assert code.remarks[0].startswith("all labels together take ")
    assert steps.prediction is not None and code.prediction is not None
    assert (steps.prediction.rated, steps.prediction.predicted) == (48, 72)
    assert (steps.prediction.tells, code.prediction.tells) == (True, False)
    assert steps.prediction.coverage == 0.9 and steps.prediction.median_width > 0
    # The embedded model was made of such stories: how long one is can be read off its states.
    assert steps.prediction.explained_variance > 0.5
    written, before = load_unanswered(str(out)), load_unanswered(str(pool))
    known = before["steps"].notna()
    for column in ("steps", "steps_low", "steps_high"):
        assert written[column][known].tolist() == before["steps"][known].tolist()
    # Predictions have no more digits than their intervals bear out.
    assert written["steps"].map(lambda value: len(f"{value:.9f}".rstrip("0"))).max() <= 6
    assert (written["steps_low"] <= written["steps"]).all()
    assert (written["steps_low"] < written["steps_high"])[~known].all()
    truth = load_workshop(120)["steps"]
    inside = truth.between(written["steps_low"], written["steps_high"])[~known]
    assert inside.mean() > 0.7
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert written["steps_is_predicted"].tolist() == (~known).astype(float).tolist()
    # On one scale a rated item has a prediction too, of regressions that never saw it.
    one_scale = written["steps_predicted"]
    assert (one_scale[~known] == written["steps"][~known]).all()
    assert 0.5 < one_scale[known].corr(written["steps"][known]) < 0.99999
    assert one_scale[known].std() < written["steps"][known].std()
    assert any(remark.startswith("strata mix measured and predicted") for remark in steps.remarks)
    again = told(out, "--measure", "steps", "--measure", "steps_predicted")
    mixed = [[r for r in measure.remarks if "mix" in r] for measure in again.measures]
    assert len(mixed[0]) == 1 and "measured for 48 items and predicted for 72" in mixed[0][0]
    assert mixed[1] == []


def test_predictions_are_not_learnt_from(pool: Path, tmp_path: Path) -> None:
    first, grown, second = (tmp_path / f"{name}.jsonl" for name in ("first", "grown", "second"))
    options = ("--measure", "steps", "--predict", "--features", tmp_path)
    told(pool, *options, "--out", first)
    rows = [json.loads(line) for line in first.read_text().splitlines()]
    predicted = [row for row in rows if row["steps_is_predicted"]]
    for row in predicted[:10]:  # as if these had come later
        row["steps"] = row["steps_low"] = row["steps_high"] = row["steps_is_predicted"] = None
    grown.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (steps,) = told(grown, *options, "--out", second).measures
    assert steps.prediction is not None
    assert (steps.prediction.rated, steps.prediction.predicted) == (48, 72)
    was, now = load_unanswered(str(first)), load_unanswered(str(second))
    assert now["steps"].tolist() == was["steps"].tolist()
    assert now["steps_is_predicted"].tolist() == was["steps_is_predicted"].tolist()


def test_printed_for_a_person(pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    figure = tmp_path / "figure.svg"
    printed = labelmix(pool, "--cut", "edges:2,>=5", "--figure", figure)
    assert printed.exit_code == 0 and "<svg" in figure.read_text()
    told = printed.stdout.replace(str(tmp_path), "FOLDER").replace(str(pool.parent), "POOL")
    golden_pages.check("hardness", told)
    golden_pages.check("hardness_measures", labelmix("--list").stdout)
    assert [m["name"] for m in json.loads(labelmix("--list", "--json").stdout)] == list(MEASURES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either ITEMS (a file) or --source"),
        (["POOL", "--source", "workshop"], "give either ITEMS (a file) or --source"),
        (["POOL", "--data-dir", "x"], "--data-dir goes with CONFIG.toml or a source"),
        (["--source", "workshop", "--column", "a=b"], "--column goes with a file of items"),
        (["POOL", "--column", "a"], "--column 'a': should be NAME=COLUMN"),
        (["POOL", "--column", "question=nowhere"], "column 'nowhere' (mapped as question)"),
        (["POOL", "--column", "question=no"], "Name the one that holds it: --column question=COL"),
        (["--source", "workshop", "--choices", "a,b"], "--choices goes with a file of items"),
        (["POOL", "--choices", "a"], "--choices 'a' should be two or more different classes"),
        (["POOL", "--out", "POOL"], "is an input and would be overwritten"),
        (["POOL", "--measure", "mine", "--judgments", "x.csv"], "--judgments goes with a measure"),
        (
            ["POOL", "--measure", "colour"],
            "'colour' is unknown; the items bring: steps, mine; the registry has: grade",
        ),
        (["POOL", "--measure", "mines"], "'mines' is unknown (did you mean 'mine'?)"),
        (["POOL", "--measure", "code_lenght"], "(did you mean 'code_length'?)"),
        (["POOL", "--measure", "grade"], "'grade' is rated by people, not computed; the items"),
        (["POOL", "--measure", "irt_difficulty"], "is computed from judgments; give their table"),
        (["POOL", "--measure", "mine", "--predict"], "there is nothing to predict"),
        (["POOL", "--measure", "mine", "--cut", "thirds"], "cut 'thirds' is unknown"),
        (["POOL", "--measure", "mine", "--cut", "quantiles:8"], "the items have 7"),
        (["POOL", "--coverage", "1"], "--coverage should be within 0 and 1"),
        (["POOL", "--out", "items.xlsx"], "items are written as .jsonl, .csv, .parquet"),
        (["POOL", "--measure", "mine", "--figure", "x.gif"], "written as .png, .svg or .pdf"),
        (["nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["POOL", "--measure", "code_length", "--model", "./no"], "model './no': no config.json"),
    ],
)
def test_wrong_input_is_one_line(
    pool: Path, arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = labelmix(*(str(pool) if part == "POOL" else part for part in arguments))
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1 and message in result.stderr


def test_two_values_are_cut_in_two() -> None:
    items = pd.DataFrame({"mildness": [0.0, 1.0, 1.0, np.nan], "grade": [3.0, 4.0, 5.0, 5.0]})
    assert default_cut("mildness", items, "sst5") == "quantiles:2"
    assert default_cut("grade", items, "") == "quantiles:3"
    assert default_cut("grade", items, "arc") == "paper"


def test_histograms() -> None:
    many = histogram(np.arange(24, dtype=np.float64))
    assert [b.items for b in many] == [2] * 12
    assert (many[0].low, many[-1].high) == (0, 23)
    assert [(b.low, b.high) for b in many] == [(n, n + 1) for n in range(0, 24, 2)]
    # Whole numbers that the bars do not divide: all bars hold as many, the last is short of some.
    uneven = histogram(np.arange(1, 41, dtype=np.float64))
    assert [(b.low, b.high, b.items) for b in uneven] == [
        (n, n + 3, 4) for n in range(1, 41, 4)
    ]  # fmt: skip
    odd = histogram(np.concatenate([np.arange(13), [24.5]]))
    assert (odd[0].low, odd[-1].high, len(odd)) == (0, 24.5, 12)
    assert sum(b.items for b in odd) == 14
    assert histogram(np.array([])) == []
    assert bars([Bin(low=1, high=1, items=80), Bin(low=10, high=10, items=20)]) == [
        f"   1 {'#' * 40} 80",
        f"  10 {'#' * 10} 20",
    ]
    assert bars([]) == []
