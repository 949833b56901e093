"""Which judgments a report measures by, where judgments told the strata."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from annotation.files import read_records
from budget.commands.app import app

ITEMS, JUDGMENTS = 150, 5
VOTES = ("--errors", "majority", "--aggregate", "majority")
QUICK = ("--answers-are-gold", "--errors", "gold", "--aggregate", "majority")  # no model is fitted
CUT = ("--measure", "pairwise_disagreement", "--cut", "edges:0")


def labelmix(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [*map(str, arguments)], prog_name="labelmix")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def report(*arguments: object) -> dict[str, Any]:
    result = labelmix("judgments", "report", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(*arguments: object) -> str:
    result = labelmix("judgments", "report", *arguments)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1, result.output
    return result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Items with their right answer, and judgments that err in a fifth of all cases."""
    folder = tmp_path_factory.mktemp("judged")
    rng = np.random.default_rng(5)
    chance, right = rng.beta(1.2, 4.5, ITEMS), rng.integers(0, 3, ITEMS)
    items = [
        {"item_id": f"i{n}", "question": f"{n}?", "choices": ["a", "b", "c"], "answer": int(gold)}
        for n, gold in enumerate(right)
    ]
    (folder / "items.jsonl").write_text("\n".join(map(json.dumps, items)))
    rows = ["item_id,annotator,label"]
    for n in range(ITEMS):
        for k in range(JUDGMENTS):
            wrong = rng.integers(1, 3) if rng.random() < chance[n] else 0
            rows.append(f"i{n},p{(n + k) % 9},{'abc'[(right[n] + wrong) % 3]}")
    (folder / "judgments.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def measured(folder: Path) -> Callable[..., Path]:
    """Items with the disagreement of their first judgments, or of all."""

    def items(first: int | None, suffix: str = ".jsonl") -> Path:
        out = folder / f"measured-{first}{suffix}"
        some = () if first is None else ("--judgments-for-strata", first)
        result = labelmix(
            "hardness", folder / "items.jsonl", *CUT, "--judgments", folder / "judgments.csv",
            *some, "--out", out,
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
        return out

    return items


def without_marks(path: Path) -> Path:
    """The same table from somebody who does not tell where the measure is from."""
    rows = [{k: v for k, v in row.items() if "judgments" not in k} for row in read_records(path)]
    bare = path.with_name(f"bare-{path.name}")
    bare.write_text("\n".join(map(json.dumps, rows)))
    return bare


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_judgments_that_told_a_measure_are_left_out(
    folder: Path, measured: Callable[..., Path], suffix: str
) -> None:
    found = report(folder / "judgments.csv", "--items", measured(2, suffix), *CUT, *QUICK)
    assert found["judgments"] == ITEMS * (JUDGMENTS - 2)
    assert found["notes"][0].startswith("300 judgments told 'pairwise_disagreement', by which")
    assert [stratum["name"] for stratum in found["strata"]] == ["easy", "hard"]
    easy, hard = (stratum["error"]["rate"]["estimate"] for stratum in found["strata"])
    assert 0.08 < easy < hard < 0.4


def test_the_same_by_the_option_of_the_report(
    folder: Path, measured: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    judgments, items = folder / "judgments.csv", folder / "items.jsonl"
    by_file = report(judgments, "--items", measured(2), *CUT, *QUICK)
    first = ("--judgments-for-strata", 2)
    by_option = report(judgments, "--items", items, *CUT, *first, *QUICK)
    assert by_option["strata"] == by_file["strata"]
    own = without_marks(measured(None))  # measured anew, whatever is there
    assert report(judgments, "--items", own, *CUT, *first, *QUICK)["strata"] == by_file["strata"]
    assert by_option["notes"][0].startswith("the first 2 judgments of every item (300 in all) told")
    alone = report(
        judgments, *first, "--aggregate", "majority"
    )  # no item table, no measure, no cut
    assert [stratum["items"] for stratum in alone["strata"]] == [
        stratum["items"] for stratum in by_file["strata"]
    ]


def test_strata_of_these_very_judgments_are_refused_before_anything_is_written(
    folder: Path, measured: Callable[..., Path], tmp_path: Path
) -> None:
    judgments, all_told = folder / "judgments.csv", measured(None)
    outputs = {
        "--out": tmp_path / "terms.toml",
        "--suppliers-out": tmp_path / "suppliers.toml",
        "--labels-out": tmp_path / "labels.jsonl",
    }
    write = ("--fee", 1, *(word for pair in outputs.items() for word in pair))
    told = refused(judgments, "--items", all_told, *CUT, *write)
    assert "750 judgments told how hard the items are" in told and "0 others are left" in told
    assert "Give --judgments-for-strata 2" in told
    bare = without_marks(all_told)
    told = refused(judgments, "--items", bare, *CUT, *write)
    assert "'pairwise_disagreement' equals the chance that two of them differ" in told
    assert "--judgments-for-strata 2" in told and "--strata-of-other-judgments" in told
    assert not any(path.exists() for path in outputs.values())
    report(judgments, "--items", bare, *CUT, *write, *QUICK, "--judgments-for-strata", 2)
    assert all(path.exists() for path in outputs.values())
    said = report(judgments, "--items", bare, *CUT, *QUICK, "--strata-of-other-judgments")
    assert said["judgments"] == ITEMS * JUDGMENTS


def test_a_stratum_in_the_file_of_judgments_itself(
    folder: Path, measured: Callable[..., Path], tmp_path: Path
) -> None:
    for first, is_refused in ((None, True), (2, False)):
        strata = {row["item_id"]: row["stratum"] for row in read_records(measured(first))}
        path = tmp_path / "judgments.csv"
        rows = [
            f"{row['item_id']},{row['annotator']},{row['label']},{strata[row['item_id']]}"
            for place, row in enumerate(read_records(folder / "judgments.csv"))
            if first is None or place % JUDGMENTS >= first
        ]
        path.write_text("\n".join(["item_id,annotator,label,stratum", *rows]) + "\n")
        if is_refused:
            assert "nearly every item of 'hard' is more disputed" in refused(path)
        else:
            report(path, *VOTES)


def test_names_that_the_marks_do_not_know_are_found_out_all_the_same(
    folder: Path, measured: Callable[..., Path], tmp_path: Path
) -> None:
    """As where the judgments come a second time, now without people's names."""
    path = tmp_path / "anonymous.csv"
    path.write_text((folder / "judgments.csv").read_text().replace(",p", ",annotator-"))
    assert "look as if they were cut by these very" in refused(
        path, "--items", measured(None), *CUT
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--judgments-for-strata", 5), "750 judgments told how hard the items are"),
        (("--judgments-for-strata", 4), "150 others are left, two of one item on 0 items"),
        (("--judgments-for-strata", 2, "--measure", "size"), "got --measure size"),
        (("--judgments-for-strata", 2, "--config", "c.toml"), "and so does --config"),
        (("--judgments-for-strata", 2, "--cut", "edges:x"), "should be a number"),
    ],
)
def test_wrong_input_is_one_line(folder: Path, words: tuple[object, ...], message: str) -> None:
    assert message in refused(folder / "judgments.csv", *words)


def test_looking_at_some_judgments_goes_with_judgments(folder: Path) -> None:
    result = labelmix("hardness", folder / "items.jsonl", "--judgments-for-strata", 2)
    assert result.exit_code == 2 and "goes with --judgments" in result.stderr
