"""The hub's path through the real `datasets` library, with local folders in place of hub ids."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.items.hub import hub_splits
from annotation.items.read import load_tabular
from annotation.sources import arc, gsm8k, mmlu_stem, sst5, strategyqa

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def folders_for_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let local folders stand in place of hub ids, which no user may do."""
    monkeypatch.setattr("annotation.items.hub.check_hub_id", lambda hub_id, instead: None)


def write(path: Path, *records: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.mark.usefixtures("folders_for_ids")
def test_tabular_from_the_hub(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    write(hub / "train.jsonl", {"q": "?", "choices": ["x", "y"], "answer": 1, "n": 2})
    write(hub / "test.jsonl", {"q": "!", "choices": ["x", "y"], "answer": 0, "n": 3})
    columns = {"question": "q"}
    items = load_tabular(hub_id=str(hub), split="test", columns=columns)
    assert items["question"].tolist() == ["!"]
    assert items["n"].tolist() == [3.0]
    both = load_tabular(hub_id=str(hub), split="train+test", columns=columns)
    assert both["answer"].tolist() == [1, 0]
    with pytest.raises(InputError, match=r"has the splits train, test; name one as 'split'"):
        load_tabular(hub_id=str(hub), columns=columns)
    with pytest.raises(InputError, match=r"hub data set .* cannot be loaded: Unknown split"):
        load_tabular(hub_id=str(hub), split="dev", columns=columns)


@pytest.mark.usefixtures("folders_for_ids")
def test_sst5_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "hub" / "train.jsonl", {"text": "fine", "label": 3, "label_text": "positive"})
    write(tmp_path / "hub" / "test.jsonl", {"text": "awful", "label": 0, "label_text": "negative"})
    monkeypatch.setattr(sst5, "HUB_ID", str(tmp_path / "hub"))
    assert sst5.load_sst5()["item_id"].tolist() == ["sst5-train-000001", "sst5-test-000001"]


@pytest.mark.usefixtures("folders_for_ids")
def test_arc_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = tmp_path / "hub"
    configs = ""
    for config in arc.CONFIGS:
        choices = {"text": ["x", "y"], "label": ["A", "B"]}
        record = {"id": f"{config}_1", "question": "?", "choices": choices, "answerKey": "B"}
        write(hub / config / "train.jsonl", record)
        configs += f"- config_name: {config}\n  data_files:\n  - split: train\n"
        configs += f"    path: {config}/train.jsonl\n"
    (hub / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    levels = {"bloom": "Applying", "depth_of_knowledge": "II", "difficulty": "High"}
    entries = {f"ARCEZ_{config}_1": {"grade": "Grade 04", **levels} for config in arc.CONFIGS}
    (tmp_path / "annotations.json").write_text(json.dumps(entries))
    monkeypatch.setattr(arc, "HUB_ID", str(hub))
    items = arc.load_arc(annotations=str(tmp_path / "annotations.json"))
    assert items["item_id"].tolist() == ["ARC-Easy_1", "ARC-Challenge_1"]
    assert items["answer"].tolist() == [1, 1]
    with pytest.raises(InputError, match=r"\(ARC-Hard\) cannot be loaded: BuilderConfig"):
        hub_splits(str(hub), "ARC-Hard")


@pytest.mark.usefixtures("folders_for_ids")
def test_gsm8k_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = tmp_path / "hub"
    configs = "- config_name: main\n  data_files:\n"
    for split in ("train", "test"):
        write(hub / "main" / f"{split}.jsonl", {"question": "?", "answer": "One.\n#### 1"})
        configs += f"  - split: {split}\n    path: main/{split}.jsonl\n"
    (hub / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    monkeypatch.setattr(gsm8k, "HUB_ID", str(hub))
    items = gsm8k.load_gsm8k()
    assert items["item_id"].tolist() == ["gsm8k-train-000001", "gsm8k-test-000001"]
    assert items["answer_text"].tolist() == ["1", "1"]


@pytest.mark.usefixtures("folders_for_ids")
def test_strategyqa_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = {"qid": "q1", "question": "?", "answer": True, "facts": ["f"], "decomposition": ["d"]}
    write(tmp_path / "hub" / "train.jsonl", record)
    monkeypatch.setattr(strategyqa, "HUB_ID", str(tmp_path / "hub"))
    assert strategyqa.load_strategyqa()["item_id"].tolist() == ["q1"]


@pytest.mark.usefixtures("folders_for_ids")
def test_mmlu_stem_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = tmp_path / "hub"
    configs = ""
    record = {"question": "?", "subject": "s", "choices": ["x", "y", "z", "w"], "answer": 2}
    for level in mmlu_stem.LEVELS:
        for subject in mmlu_stem.SUBJECTS:
            config = f"{level}_{subject}"
            configs += f"- config_name: {config}\n  data_files:\n"
            for split in ("dev", "validation", "test"):
                write(hub / config / f"{split}.jsonl", record)
                configs += f"  - split: {split}\n    path: {config}/{split}.jsonl\n"
    (hub / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    monkeypatch.setattr(mmlu_stem, "HUB_ID", str(hub))
    items = mmlu_stem.load_mmlu_stem()
    assert items["level"].tolist() == [0] * 10 + [1] * 10
    assert not items["item_id"].str.contains("dev").any()
    assert items["item_id"].iloc[-1] == "mmlu-college_physics-test-000001"


def test_an_unreachable_hub_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    # As when there is no network, without the minute of retries.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        InputError, match=r"hub data set 'nobody/nothing' cannot be loaded"
    ) as caught:
        load_tabular(hub_id="nobody/nothing", split="train")
    assert "\n" not in str(caught.value)
    assert "check its name and the network" in str(caught.value)
