import json
from pathlib import Path

import pytest

from analysis.run.result import RunResult, read_result, write_result
from annotation.errors import InputError, MachineError


def problem(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_result(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


def test_what_is_written_is_read(tmp_path: Path, resolved_result: RunResult) -> None:
    path = tmp_path / "new" / "folder" / "result.json"
    write_result(resolved_result, path)
    assert read_result(path) == resolved_result
    assert [p.name for p in path.parent.iterdir()] == ["result.json"]


def test_unresolved_numbers_are_null(tmp_path: Path, unresolved_gap_result: RunResult) -> None:
    path = tmp_path / "result.json"
    write_result(unresolved_gap_result, path)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["sgr"]["estimate"] is None and written["sgr_per_cost"] is None
    assert read_result(path) == unresolved_gap_result


def test_result_json_has_the_promised_fields(tmp_path: Path, resolved_result: RunResult) -> None:
    path = tmp_path / "result.json"
    write_result(resolved_result, path)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert {
        "plan", "budget", "exchange_rate", "accuracy", "sgr", "sgr_per_cost", "baselines",
        "seeds", "trials",
    } <= written.keys()  # fmt: skip
    assert {"labels", "cost"} <= written["plan"].keys()
    assert {"estimate", "low", "high"} <= written["exchange_rate"].keys()
    assert {"estimate", "low", "high", "resolved", "easy", "hard", "unsupervised"} <= written[
        "sgr"
    ].keys()
    for condition in written["accuracy"].values():
        assert {"estimate", "low", "high"} <= condition.keys()


def test_an_sgr_per_cost_of_an_earlier_version_has_no_interval(
    tmp_path: Path, resolved_result: RunResult
) -> None:
    path = tmp_path / "result.json"
    write_result(resolved_result, path)
    written = json.loads(path.read_text(encoding="utf-8"))
    for own in (written, *written["methods"].values()):
        own["sgr_per_cost"] = {name: ends["estimate"] for name, ends in own["sgr_per_cost"].items()}
    del written["checksum"]
    path.write_text(json.dumps(written), encoding="utf-8")
    read, own = read_result(path).sgr_per_cost, resolved_result.sgr_per_cost
    assert read is not None and own is not None
    assert read["plan"].estimate == own["plan"].estimate
    assert read["plan"].low is None and read["plan"].high is None


def test_an_exchange_rate_of_an_earlier_version_has_its_two_questions(
    tmp_path: Path, resolved_result: RunResult
) -> None:
    path = tmp_path / "result.json"
    write_result(resolved_result, path)
    written = json.loads(path.read_text(encoding="utf-8"))
    rates = [written["exchange_rate"]]
    rates += [
        rate for own in written["methods"].values() for rate in own["exchange_rates"].values()
    ]
    for rate in rates:
        rate["resolved"] = rate.pop("rate_resolved")
        for name in ("better_buy_resolved", "at_plan", "next_label"):
            del rate[name]
    del written["checksum"]
    path.write_text(json.dumps(written), encoding="utf-8")
    read = read_result(path).exchange_rate
    assert read == resolved_result.exchange_rate
    assert read.rate_resolved and read.better_buy_resolved  # .9 to 2.2, at a price of a half


def test_a_failed_write_leaves_the_old_result(
    tmp_path: Path, resolved_result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "result.json"
    write_result(resolved_result, path)

    def no_space(self: Path, text: str, **_: object) -> int:
        with self.open("w", encoding="utf-8") as file:
            file.write(text[:100])
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", no_space)
    with pytest.raises(InputError, match="no space"):
        write_result(resolved_result.model_copy(update={"name": "another"}), path)
    assert read_result(path) == resolved_result


def test_no_run_there(tmp_path: Path) -> None:
    message = problem(tmp_path / "result.json")
    assert "no such file; give the folder that 'labelmix run' wrote" in message


def test_a_file_where_the_runs_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(InputError, match=r"result\.json: is a file; give the folder"):
        read_result(tmp_path / "result.json" / "result.json")


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "result.json").mkdir()
    assert "cannot be read" in problem(tmp_path / "result.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "not json", '"text"'])
def test_what_is_no_result_is_said_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(text, encoding="utf-8")
    assert "not a labelmix result" in problem(path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in problem(path)


def test_a_wrong_field_is_named(tmp_path: Path, resolved_result: RunResult) -> None:
    path = tmp_path / "result.json"
    content = resolved_result.model_dump()
    content["plan"]["cost"] = "dear"
    path.write_text(json.dumps(content), encoding="utf-8")
    assert "plan.cost" in problem(path)


def test_an_unknown_field_is_an_error(tmp_path: Path, resolved_result: RunResult) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(resolved_result.model_dump() | {"surprise": 1}), encoding="utf-8")
    message = problem(path)
    assert "surprise" in message and "run 'labelmix run' again" in message


def test_a_changed_number_is_noticed(tmp_path: Path, resolved_result: RunResult) -> None:
    path = tmp_path / "result.json"
    write_result(resolved_result, path)
    text = path.read_text(encoding="utf-8")
    draws = text.index('"draws"')
    digits = [place for place in range(draws, draws + 200) if text[place] in "12345678"]
    assert digits
    for place in digits:
        changed = chr(ord(text[place]) + 1)
        path.write_text(text[:place] + changed + text[place + 1 :], encoding="utf-8")
        with pytest.raises(MachineError) as error:
            read_result(path)
        assert str(error.value) == (
            f"{path}: is damaged: its values do not fit its checksum; delete it and run "
            "'labelmix run' again: trials are kept."
        )


def test_how_it_is_set_out_does_not_matter(tmp_path: Path, resolved_result: RunResult) -> None:
    path = tmp_path / "result.json"
    write_result(resolved_result, path)
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document), encoding="utf-8")
    assert read_result(path) == resolved_result


def test_a_result_of_an_earlier_version_has_no_checksum(
    tmp_path: Path, resolved_result: RunResult
) -> None:
    path = tmp_path / "result.json"
    content = resolved_result.model_dump()
    assert "checksum" not in content
    del content["schema_version"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert read_result(path) == resolved_result


def test_a_newer_result_is_refused(tmp_path: Path, resolved_result: RunResult) -> None:
    path = tmp_path / "result.json"
    content = {**resolved_result.model_dump(), "schema_version": 2, "of_tomorrow": 1}
    path.write_text(json.dumps(content), encoding="utf-8")
    assert "was written by a newer labelmix (version 2 of the file" in problem(path)
