import gzip
import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.errors import InputError
from annotation.items.choice_order import in_own_order
from annotation.items.read import load_partly_answered, load_tabular, read_user_table
from annotation.items.table import NO_NUMBERS, REMARKS, gold_texts, measures
from annotation.items.validate import validate_items
from annotation.items.write import write_table


def jsonl(folder: Path, *records: dict[str, Any]) -> str:
    path = folder / "items.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


def csv(folder: Path, text: str) -> str:
    path = folder / "items.csv"
    path.write_text(text)
    return str(path)


def test_names_as_they_stand(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path,
        {
            "item_id": 7,
            "question": "?",
            "choices": ["x", "y"],
            "answer": 1,
            "steps": 2,
            "note": "n",
        },
        {"item_id": 8, "question": "!", "choices": ["x", "y"], "answer": 0, "group": 3},
    )
    items = load_tabular(path)
    assert items["item_id"].tolist() == ["7", "8"]
    assert items["answer"].tolist() == [1, 0]
    assert items["group"].tolist() == ["7", "3"]
    assert measures(items) == ["steps"]
    assert items["steps"][0] == 2 and math.isnan(items["steps"][1])


def test_mapping_of_all_columns(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path,
        {"id": "a", "q": "?", "opts": "x|y", "gold": "y", "exam": "e", "why": "so", "lvl": "3",
         "answer": "unused", "steps": 9, "extra": 4},
    )  # fmt: skip
    columns = {
        "item_id": "id", "question": "q", "choices": "opts", "answer": "gold",
        "group": "exam", "reasoning": "why", "steps": "lvl",
    }  # fmt: skip
    items = load_tabular(path, columns=columns)
    row = items.iloc[0].to_dict()
    assert row == {
        "item_id": "a", "question": "?", "choices": ["x", "y"], "answer": 1, "answer_text": None,
        "group": "e", "reasoning": "so", "steps": 3.0, "extra": 4.0,
    }  # fmt: skip


def test_csv_of_several_choice_columns(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "question,a,b,c,d,answer,grade,year,tag,,mixed\n"
        '"What, now?",x,y,z,w,d,3,2001,t,0,1\n'
        "And then?,x,y,,,B,NA,2002,,1,one\n",
    )
    items = load_tabular(path, columns={"choices": "a, b,c,d"})
    assert items["item_id"].tolist() == ["row-000001", "row-000002"]
    assert items["choices"].map(sorted).tolist() == [["w", "x", "y", "z"], ["x", "y"]]
    assert gold_texts(items) == ["w", "y"]
    assert measures(items) == ["grade", "year"]
    assert items["grade"][0] == 3 and math.isnan(items["grade"][1])


def test_a_column_of_zeros_is_a_measure(tmp_path: Path) -> None:
    path = csv(tmp_path, "question,choices,answer,steps,empty\n?,x|y,x,0,\n!,x|y,y,0,\n")
    items = load_tabular(path)
    assert measures(items) == ["steps"]
    assert items["steps"].tolist() == [0.0, 0.0]


def test_texts_and_truth_values_are_no_measures_in_typed_files(tmp_path: Path) -> None:
    record = {"question": "?", "choices": ["x", "y"], "answer": "x", "code": "12", "seen": True}
    assert measures(load_tabular(jsonl(tmp_path, record))) == []
    items = load_tabular(jsonl(tmp_path, record), columns={"hard": "code"})
    assert items["hard"].tolist() == [12.0]


def test_choices_of_the_hub_in_parquet(tmp_path: Path) -> None:
    choices = [
        {"text": ["3", "1", "2"], "label": ["1", "2", "3"]},
        {"text": ["x", "y", "z"], "label": ["A", "B", "C"]},
    ]
    table = pa.table({"question": ["?", "!"], "choices": choices, "key": ["3", "B"]})
    pq.write_table(table, tmp_path / "t.parquet")
    items = load_tabular(str(tmp_path / "t.parquet"), columns={"answer": "key"})
    # Labels fit the whole column, so that "3" is the third choice, not the choice "3".
    assert gold_texts(items) == ["2", "y"]
    assert items["choices"].map(sorted).tolist() == [["1", "2", "3"], ["x", "y", "z"]]


def test_fixed_choices(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"text": "?", "label": 1}, {"text": "!", "label": 0})
    columns = {"question": "text", "answer": "label"}
    items = load_tabular(path, columns=columns, choices=["no", "yes"])
    assert items["choices"].tolist() == [["no", "yes"]] * 2
    assert items["answer"].tolist() == [1, 0]
    assert measures(items) == []


def test_free_form_items(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"question": "?", "answer": 42}, {"question": "!", "answer": "two"})
    items = load_tabular(path, columns={"answer_text": "answer"})
    assert items["answer_text"].tolist() == ["42", "two"]
    assert items["choices"].tolist() == [[], []]
    assert items["answer"].isna().all()


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".csv"])
def test_written_item_tables_are_read_unchanged(tmp_path: Path, suffix: str) -> None:
    # Choices that are themselves numbers must not be mistaken for indices.
    frame = pd.DataFrame(
        {
            "item_id": ["a", "b"],
            "question": "?",
            "choices": [["2", "0", "1"], ["1", "2", "0"]],
            "answer": [2, 1],
            "steps": [1.0, 2.0],
        }
    )
    items = in_own_order(validate_items(frame, "here")).items
    write_table(items, tmp_path / f"t{suffix}")
    pd.testing.assert_frame_equal(load_tabular(str(tmp_path / f"t{suffix}")), items)


GOOD = {"question": "?", "choices": ["x", "y"], "answer": "y"}


@pytest.mark.parametrize(
    ("record", "options", "message"),
    [
        (
            GOOD,
            {"columns": {"question": "q"}},
            "column 'q' (mapped as question) is missing; the columns are: question, choices",
        ),
        (GOOD, {"columns": {"steps": "n"}}, "column 'n' (mapped as steps) is missing"),
        (GOOD, {"columns": {"choices": "a,b"}}, "column 'a' (mapped as choices) is missing"),
        ({"choices": ["x", "y"]}, {}, "column 'question' is missing; the columns are: choices."),
        ({"question": "?"}, {}, "column 'choices' is missing"),
        ({"question": "?", "choices": ["x", "y"]}, {}, "column 'answer' is missing"),
        (
            GOOD | {"answer": "z"},
            {},
            "row 1, column 'answer': 'z' is no text, label, letter or index",
        ),
        (
            GOOD | {"answer": None},
            {},
            "row 1 has no answer in column 'answer'; fill in the right choice, or leave such rows",
        ),
        (
            {"question": "?", "choices": ["x", "y"], "gold": -1},
            {"columns": {"answer": "gold"}},
            "row 1 has no answer (-1) in column 'gold'; fill in",
        ),
        (
            GOOD | {"answer_text": "z", "choices": [], "answer": "z"},
            {},
            "(the item has no choices); map a free-form answer as answer_text",
        ),
        (GOOD | {"choices": 5}, {}, "row 1, column 'choices': should be a list of texts; got 5"),
        (
            GOOD | {"choices": ["x", "x"], "answer": "x"},
            {},
            "row 1, column 'choices': 'x' occurs twice",
        ),
        (
            GOOD | {"level": "top"},
            {"columns": {"steps": "level"}},
            "row 1, column 'level': the hardness measure steps should be a number; got 'top'",
        ),
        (
            GOOD | {"level": 10**400},
            {},
            "row 1, column 'level': a hardness measure should be a finite",
        ),
        (GOOD, {"choices": ["x", "y"], "columns": {"choices": "choices"}}, "give the choices once"),
        (GOOD, {"split": "train"}, "'split' and 'config' go with 'hub_id'"),
    ],
)
def test_problems_are_named(
    tmp_path: Path, record: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_tabular(jsonl(tmp_path, record), **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("unknown", [-1, "-1", -1.0])
def test_rows_without_the_answer_that_is_needed_are_counted(
    tmp_path: Path, unknown: object
) -> None:
    rows = [GOOD | {"answer": own} for own in (1, unknown, 0, None, unknown)]
    path = jsonl(tmp_path, *rows)
    with pytest.raises(InputError) as caught:
        load_tabular(path)
    assert str(caught.value) == (
        f"{path}: row 2 has no answer (-1) in column 'answer'; 2 more rows have none; fill in the "
        "right choice, or leave such rows out."
    )
    assert load_partly_answered(path)["answer"].isna().tolist() == [False, True, False, True, True]


@pytest.mark.parametrize("options", [{}, {"path": "a.csv", "hub_id": "b"}])
def test_neither_or_both_of_path_and_hub_id(options: dict[str, str]) -> None:
    with pytest.raises(InputError, match="give either 'path'"):
        load_tabular(**options)  # type: ignore[arg-type]


def test_a_table_without_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"items\.csv: the table has no rows"):
        load_tabular(csv(tmp_path, "question,choices,answer\n"))


def test_reading_names_the_file_and_row(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text('{"item_id": "a", "question": "?", "choices": ["x", "y"], "answer": 4}\n')
    with pytest.raises(
        InputError, match=r"items\.jsonl: row 1, column 'answer': 4 is no text, label"
    ):
        load_tabular(str(path))


@pytest.mark.parametrize("columns", [{}, {"question": "question"}, {"question": " question"}])
def test_blanks_around_the_names_of_columns(tmp_path: Path, columns: dict[str, str]) -> None:
    path = csv(tmp_path, " question,choices , answer,\u200bgrade\t\n what?,x|y,y,1\n")
    items = load_tabular(path, columns=columns)
    assert items["question"].tolist() == [" what?"]
    assert gold_texts(items) == ["y"]
    assert measures(items) == ["grade"]


def test_names_of_choices_without_their_blanks(tmp_path: Path) -> None:
    path = csv(tmp_path, "question, a,b ,answer\n?,x,y,y\n")
    assert gold_texts(load_tabular(path, columns={"choices": " a,b "})) == ["y"]


def test_a_column_is_named_without_its_blanks_in_any_kind_of_file(tmp_path: Path) -> None:
    row = {" question": "?", "a ": "x", " b": "y", "answer": "y"}
    columns = {"question": "question", "choices": "a,b"}
    assert gold_texts(load_tabular(jsonl(tmp_path, row), columns=columns)) == ["y"]
    pd.DataFrame([row]).to_parquet(tmp_path / "t.parquet")
    assert gold_texts(load_tabular(str(tmp_path / "t.parquet"), columns=columns)) == ["y"]
    both = jsonl(tmp_path, row | {"question": "!"})
    assert load_tabular(both, columns=columns)["question"].tolist() == ["!"]


def test_names_that_differ_by_blanks_occur_twice(tmp_path: Path) -> None:
    path = csv(tmp_path, "question, question,choices,answer\n?,!,x|y,y\n")
    with pytest.raises(InputError, match="column 'question' occurs twice in the header"):
        load_tabular(path)


def test_how_answers_were_read_is_told(tmp_path: Path) -> None:
    rows = [{"question": "?", "choices": ["x", "y"], "answer": answer} for answer in (1, 2)]
    items = load_tabular(jsonl(tmp_path, *rows))
    assert items.attrs[REMARKS] == (
        "answers are read as numbers counted from 1 (column 'answer').",
    )


def test_a_question_names_the_way_to_answer_it(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"question": "?", "choices": ["x", "y", "z"], "answer": 1})
    with pytest.raises(
        InputError,
        match=r"items\.jsonl: row 1, column 'answer': 1 can be 'y' or 'x': .* say which: "
        r'answers = "index0" or answers = "index1" in \[items\]\.$',
    ):
        load_tabular(path)
    assert gold_texts(load_tabular(path, answers="index1")) == ["x"]
    with pytest.raises(InputError, match="choose one of text, letter, index0, index1"):
        load_tabular(path, answers="1")


def test_half_a_character_in_a_column_name_is_one_line(tmp_path: Path) -> None:
    good = {"item_id": "a", "question": "?", "choices": ["x", "y"], "answer": "x"}
    path = jsonl(tmp_path, good, {**good, "item_id": "b", "steps\ud800": 1})
    told = r"row 2: the name of column 'steps\\ud800' has a broken character at position 5\."
    with pytest.raises(InputError, match=told):
        load_tabular(path)


def test_a_column_with_decimal_commas_is_told(tmp_path: Path) -> None:
    path = csv(tmp_path, 'question,choices,answer,hard,topic\n?,x|y,x,"0,5",a\n!,x|y,y,"1,5",b\n')
    items = load_tabular(path)
    assert measures(items) == []
    assert items.attrs[NO_NUMBERS]["hard"] == (
        "row 1 holds '0,5', which is no number; write it with a decimal point"
    )


POINT, BARE = "with a decimal point", "without separators of thousands"


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        (["3,25", "4"], f"; write it {POINT}"),
        (["0,125", "2,250"], f"; write it {POINT} and {BARE}"),
        (["1,200", "3,250", "9"], f"; write it {BARE}"),
        (["1,200.5", "1,003,250"], f"; write it {BARE}"),
        (["1.200,5", "3,25", "4"], f"; write it {POINT} and {BARE}"),
        (["1,200", "3,25"], f"; write it {POINT} and {BARE}"),
        (["soon", "3,25", "4,5"], f"; write '3,25' in row 2 {POINT}"),
        (["soon", "1,200", "9"], f"; write '1,200' in row 2 {BARE}"),
    ],
)
def test_commas_in_numbers_are_told_with_their_remedy(
    tmp_path: Path, values: list[str], remedy: str
) -> None:
    rows = "".join(f'?{row},x|y,x,"{value}"\n' for row, value in enumerate(values))
    table = read_user_table(Path(csv(tmp_path, f"question,choices,answer,hard\n{rows}")))
    why = table.no_numbers["hard"]
    assert str(why) == f"row 1 holds '{values[0]}', which is no number{remedy}"
    assert why.is_meant_as_measure


def test_a_mapped_measure_with_commas_is_refused_with_its_remedy(tmp_path: Path) -> None:
    path = csv(tmp_path, 'question,choices,answer,hard\n?,x|y,x,9\n!,x|y,y,"1,200"\n')
    with pytest.raises(InputError, match=rf"row 2, .*got '1,200'; write it {BARE}\."):
        load_tabular(path, columns={"hard": "hard"})


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_told(tmp_path: Path, separator: str) -> None:
    path = csv(tmp_path, "question,a,b\n?,x,y\n".replace(",", separator))
    with pytest.raises(InputError, match=r"line 1: values are separated by .*save it with commas"):
        load_tabular(path, columns={"choices": "a,b"})


@pytest.mark.parametrize("name", ["__index_level_0__", "Unnamed: 0", " "])
def test_row_numbers_of_pandas_are_no_measure(tmp_path: Path, name: str) -> None:
    path = csv(tmp_path, f"{name},question,choices,answer,grade\n5,?,x|y,x,1\n3,!,x|y,y,2\n")
    assert measures(load_tabular(path)) == ["grade"]


@pytest.mark.parametrize("name", ["index", "level_0", "level_1"])
def test_row_numbers_under_usual_names_are_no_measure(tmp_path: Path, name: str) -> None:
    rows = [{"question": f"{row}?", "choices": ["x", "y"], "answer": "y"} for row in range(3)]

    def read(values: tuple[object, ...], columns: dict[str, str] | None = None) -> list[str]:
        told = [row | {name: value} for row, value in zip(rows, values, strict=True)]
        frame = pd.DataFrame(told)
        frame.assign(choices="x|y", answer="y").to_csv(tmp_path / "t.csv", index=False)
        frame.to_parquet(tmp_path / "t.parquet")
        paths = [jsonl(tmp_path, *told), *(str(tmp_path / end) for end in ("t.csv", "t.parquet"))]
        (found,) = {tuple(measures(load_tabular(path, columns=columns))) for path in paths}
        return list(found)

    assert read((2, 0, 1)) == read((0.0, 1.0, 2.0)) == []
    for others in ((1, 2, 3), (0, 0, 1), (0, 1, None), (0, 1, 1.5), (0, 1, 5)):
        assert read(others) == [name]
    assert read((2, 0, 1), {name: name}) == [name]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_packed_tables(tmp_path: Path, suffix: str) -> None:
    frame = {"item_id": ["a"], "question": "?", "choices": [["x", "y"]], "answer": [1]}
    items = in_own_order(validate_items(pd.DataFrame(frame), "here")).items
    write_table(items, tmp_path / f"t{suffix}")
    packed = tmp_path / f"t{suffix}.gz"
    packed.write_bytes(gzip.compress((tmp_path / f"t{suffix}").read_bytes()))
    pd.testing.assert_frame_equal(load_tabular(str(packed)), items)
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"gz: cannot be read"):
        load_tabular(str(packed))
    packed.write_bytes(b"question")
    with pytest.raises(InputError, match=r"gz: cannot be read"):
        load_tabular(str(packed))
