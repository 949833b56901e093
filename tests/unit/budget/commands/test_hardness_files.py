"""What `labelmix hardness` reads, says of it, and writes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from analysis.hardness.result import HardnessResult
from annotation.files import read_records
from budget.commands.app import app


def labelmix(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["hardness", *map(str, arguments)], prog_name="labelmix")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(*arguments: str | Path) -> HardnessResult:
    result = labelmix(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return HardnessResult.model_validate_json(result.stdout)


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """Classification as people keep it: a text, a label, names of their own."""
    path = tmp_path / "reviews.csv"
    rows = [f"r{n},{'word ' * (n % 5 + 1)},{'good' if n % 2 else 'bad'},{n % 4}" for n in range(40)]
    path.write_text("\n".join(["id,text,label,rating", *rows]) + "\n")
    return path


OWN = ("--column", "question=text", "--column", "answer=label", "--choices", "bad,good")


def test_the_pool_is_written_with_measures_and_stratum(reviews: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = told(
        reviews, *OWN, "--measure", "question_words", "--cut", "edges:1,>=5", "--out", out
    )
    before, after = read_records(reviews), read_records(out)
    assert [{name: row[name] for name in before[0]} for row in after] == before
    assert list(after[0]) == [*before[0], "question_words", "stratum"]
    expected = ["easy", "medium", "medium", "medium", "hard"] * 8
    assert [row["stratum"] for row in after] == expected
    assert result.measures[0].stratum_column == "stratum"


def test_several_cuts_have_a_column_each(reviews: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    columns = [m.stratum_column for m in told(reviews, *OWN, "--out", out).measures]
    assert columns == [
        "rating_stratum", "question_words_stratum", None, "answer_characters_stratum",
    ]  # fmt: skip
    row = read_records(out)[0]
    assert row["id"] == "r0" and row["rating"] == 0
    assert (row["rating_stratum"], row["answer_characters_stratum"]) == ("easy", "easy")


def test_columns_of_the_pool_are_not_written_over(reviews: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    text = reviews.read_text().replace("rating", "stratum", 1).replace("label", "question_words", 1)
    reviews.write_text(text)
    found = labelmix(reviews, "--column", "question=text", "--measure", "question_words",
                     "--out", out)  # fmt: skip
    assert found.exit_code == 2 and "its own column 'question_words'" in found.stderr
    kept = told(reviews, "--column", "question=text", "--measure", "stratum", "--out", out)
    assert kept.measures[0].stratum_column == "stratum_stratum"
    assert [r["stratum"] for r in read_records(out)] == [
        r["stratum"] for r in read_records(reviews)
    ]


def test_an_input_is_not_written_over(reviews: Path) -> None:
    before = reviews.read_bytes()
    found = labelmix(reviews, *OWN, "--out", reviews.parent / "." / "reviews.csv")
    assert found.exit_code == 2 and "is an input and would be overwritten" in found.stderr
    assert reviews.read_bytes() == before


def test_items_without_identifiers_are_told(reviews: Path) -> None:
    how = "answers are read as texts of choices (column 'label')."
    assert told(reviews, *OWN).remarks == [
        how,
        "items are called row-000001 and so on: there is no item_id; --column item_id=id takes "
        "column 'id'.",
    ]
    assert told(reviews, *OWN, "--column", "item_id=id").remarks == [how]


def test_answers_without_choices_name_the_option(reviews: Path) -> None:
    found = labelmix(reviews, *OWN[:4])
    assert found.exit_code == 2
    assert "give the classes by --choices a,b,c" in found.stderr


def test_a_rating_that_is_no_number_is_told(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text("item_id,question,rating,note\na,?,3,x\nb,!,high,5\nc,.,1,y\n")
    why = "row 2, column 'rating': 'high' is no number"
    assert told(path).remarks == [
        "column 'rating' is no measure: row 2 holds 'high', which is no number."
    ]
    found = labelmix(path, "--measure", "rating")
    assert found.exit_code == 2 and why in found.stderr
    path.write_text(path.read_text().replace("rating", "difficulty"))  # a name of the registry
    assert (
        "column 'difficulty': 'high' is no number"
        in labelmix(path, "--measure", "difficulty").stderr
    )


def test_judgments_are_read_whenever_they_are_given(tmp_path: Path) -> None:
    pool, judged = tmp_path / "pool.csv", tmp_path / "judgments.csv"
    pool.write_text("item_id,question\na,?\nb,!\n")
    judged.write_text("item_id,annotator,label\na,1,x\na,2,y\nb,1,x\nb,2,x\n")
    result = told(pool, "--judgments", judged)
    assert [(m.name, m.maximum) for m in result.measures[:2]] == [
        ("answer_entropy", 1), ("pairwise_disagreement", 1),
    ]  # fmt: skip
    assert result.measures[0].cut == "quantiles:2"
    judged.write_text("item_id,annotator,label\nz,1,x\n")
    found = labelmix(pool, "--judgments", judged)
    assert found.exit_code == 2 and "no judgment is on any of the items" in found.stderr
    judged.write_text("item_id,annotator\na,1\n")
    assert labelmix(pool, "--judgments", judged).exit_code == 2


def test_no_strata_are_cut_from_noise(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    path, out = tmp_path / "pool.csv", tmp_path / "out.csv"
    ratings = [str(rng.integers(1, 6)) if n < 40 else "" for n in range(120)]
    rows = [f"i{n},{rng.integers(10**9)},{rating}" for n, rating in enumerate(ratings)]
    path.write_text("\n".join(["item_id,question,rating", *rows]) + "\n")
    result = told(path, "--measure", "rating", "--predict", "--features", tmp_path, "--out", out)
    [rating] = result.measures
    assert rating.prediction is not None and not rating.prediction.tells
    assert (rating.known, sum(s.items for s in rating.strata)) == (40, 40)
    assert "the features tell nothing about it" in rating.remarks[0]
    written = pd.read_csv(out)
    for column in ("rating", "stratum"):
        assert written[column].notna().tolist() == [n < 40 for n in range(120)]


def test_a_pico_that_knows_nothing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    rows = [
        {"item_id": f"i{n}", "question": f"Text {n * 7919 % 101}?", "choices": ["no", "yes"],
         "answer": n * 31 % 7 % 2}
        for n in range(60)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    [code] = told(path, "--measure", "code_length", "--features", tmp_path).measures
    assert any("the embedded model pico" in remark for remark in code.remarks)


def test_a_configuration_brings_items_and_cut(reviews: Path, tmp_path: Path) -> None:
    config, out = tmp_path / "my.toml", tmp_path / "out.csv"
    config.write_text(
        '[items]\nsource = "tabular"\npath = "reviews.csv"\nchoices = ["bad", "good"]\n'
        'columns = { question = "text", answer = "label" }\n'
        '[strata]\nmeasure = "rating"\neasy_at_most = 0\nhard_at_least = 3\n'
    )
    [rating] = told(config, "--measure", "rating", "--out", out).measures
    assert [(s.rule, s.items) for s in rating.strata] == [
        ("rating <= 0", 10), ("0 < rating < 3", 20), ("rating >= 3", 10),
    ]  # fmt: skip
    assert [row["id"] for row in read_records(out)] == [f"r{n}" for n in range(40)]
    assert labelmix(config, "--choices", "a,b").exit_code == 2


def test_features_that_cannot_be_kept_are_one_line(reviews: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    found = labelmix(reviews, *OWN, "--measure", "code_length", "--features", blocked / "folder")
    assert found.exit_code == 2 and found.stderr.count("\n") == 1
    assert "cannot be made" in found.stderr


def test_names_in_the_registry_are_whole_on_a_narrow_terminal() -> None:
    listed = CliRunner().invoke(app, ["hardness", "--list"], env={"COLUMNS": "80"}).stdout
    for name in ("pairwise_disagreement", "zero_shot_error_confidence"):
        assert name in listed
