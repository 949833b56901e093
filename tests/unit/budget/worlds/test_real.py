import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.sources import load_items
from annotation.strata.bands import Strata
from budget.worlds import task_items
from budget.worlds.real import Sources, sst5_worlds, text_items, text_worlds, workshop_worlds
from budget.worlds.task_items import FeatureMaker
from training.task import Task, TestSizes


@pytest.fixture
def subj_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "subj"
    folder.mkdir(parents=True)
    rows = [{"text": f"{['plot', 'feeling'][k % 2]} number {k}", "label": k % 2} for k in range(30)]
    rows += [rows[0], {"text": " ", "label": 1}]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "train.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_texts_become_items_once_each(subj_folder: Path, tmp_path: Path) -> None:
    items = text_items("subj", subj_folder, tmp_path / "kept")
    assert len(items) == 30
    assert items["item_id"][29] == "subj-train-000030"
    assert items["answer"].tolist() == [0, 1] * 15
    assert items["error_confidence"].between(0, 0.5).all()  # one word tells
    assert len(list((tmp_path / "kept").glob("*.npy"))) == 1
    again = text_items("subj", subj_folder, tmp_path / "kept")
    np.testing.assert_array_equal(again["error_confidence"], items["error_confidence"])


def test_a_label_that_is_none(subj_folder: Path, tmp_path: Path) -> None:
    (subj_folder / "test.jsonl").write_text(
        '{"text": "a", "label": 0}\n{"text": "b", "label": 2}\n'
    )
    with pytest.raises(InputError, match="test row 2: should have a text and a label from 0 to 1"):
        text_items("subj", subj_folder, tmp_path)


def test_too_few_texts_are_told(tmp_path: Path) -> None:
    rows = [{"text": f"plot {k}", "label": k % 2} for k in range(3)]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(InputError, match="3 texts that differ, too few to tell which are hard"):
        text_items("subj", tmp_path, tmp_path / "kept")


def test_absent_data_and_absent_encoder_are_told(
    subj_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = Sources(subj_folder.parent, None, tmp_path)
    with pytest.raises(InputError, match="worlds 'sst5': no folder"):
        next(sst5_worlds(sources))
    monkeypatch.setattr("budget.worlds.real._ENCODER_PACKAGE", "no_such_package")
    with pytest.raises(InputError, match="no sentence encoder; give --model"):
        next(text_worlds("subj", sources))


def test_items_of_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = load_items("workshop", size=60)
    task = Task(items, Strata.easy_medium_hard("steps", 2, 5), "hard", TestSizes(8, 1))
    seen: list[tuple[str, int, int]] = []
    maker = FeatureMaker("pico", tmp_path, progress=lambda *news: seen.append(news))
    own = maker.labelled("workshop", task, ("easy", "hard"))
    assert own.strata == ("easy", "hard")
    assert own.test.size == 8
    assert {name: pool.size for name, pool in own.pools.items()} == {
        name: task.pools[name].size for name in ("easy", "hard")
    }
    wanted = np.sort(np.concatenate([task.test_positions[task.test_strata == "hard"],
                                     task.pools["easy"], task.pools["hard"]]))  # fmt: skip
    np.testing.assert_array_equal(own.answers, items["answer"].to_numpy(int)[wanted])
    assert own.mask.sum() == sum(len(items["choices"][row]) for row in wanted)
    assert {(name, all_of_them) for name, _, all_of_them in seen} == {("workshop", wanted.size)}
    assert sum(read for _, read, _ in seen) == wanted.size

    def never(*_: object) -> None:
        raise AssertionError("features are there already")

    monkeypatch.setattr(task_items, "load_model", never)
    again = FeatureMaker("pico", tmp_path).labelled("workshop", task, ("easy", "hard"))
    assert again.fingerprint == own.fingerprint


def test_worlds_of_one_task_differ_in_terms_alone(tmp_path: Path) -> None:
    worlds = list(workshop_worlds(Sources(tmp_path, None, tmp_path)))
    assert len(worlds) == len({own.name for own in worlds}) == 120
    assert len({own.load for own in worlds}) == 1
    one = next(own for own in worlds if own.name == "workshop-cost4-errors0.1_0.2-budget600")
    assert (one.terms["hard"].cost, one.budget) == (Decimal(4), Decimal(600))
    assert one.terms["hard"].error_rate == 0.2
