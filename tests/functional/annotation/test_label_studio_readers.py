"""Whatever stands in files and in a server's answers is read, or refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.errors import InputError
from annotation.label_studio.labelling_config import read_answer_control
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.predictions import read_predictions
from annotation.label_studio.project import ProjectSettings
from annotation.truth.label_file import COLUMNS, read_labels

Found = TypeVar("Found")

TEXTS = st.text(st.characters(), max_size=4) | st.sampled_from(["a", "b", "1", "\ud800"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
TASKS = [PilotTask("a", "easy", "?", ("1", "b"), None), PilotTask("b", "easy", "?", (), None)]


def read_or_refused(read: Callable[[], Found]) -> Found | None:
    """What was read; None where it was refused in one line."""
    try:
        return read()
    except InputError as error:
        lines = str(error).splitlines()
    assert len(lines) == 1
    return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readers")


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return path


@given(
    st.lists(
        st.fixed_dictionaries(
            {"item_id": st.sampled_from(["a", "b"]) | VALUES, "choice": VALUES},
            optional={"score": VALUES},
        ),
        max_size=3,
    )
)
def test_predictions(folder: Path, records: list[dict[str, Any]]) -> None:
    file = written(folder / "predictions.jsonl", records)
    options = {"a": {"1", "b"}}
    for each in read_or_refused(lambda: read_predictions(file, TASKS)) or []:
        assert each.choice.encode().strip()
        assert each.choice in options.get(each.item_id, {each.choice})
        assert each.score is None or 0 <= each.score <= 1


@given(
    st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(COLUMNS, VALUES)
            | {
                "choices": st.just(["a", "b"]) | VALUES,
                "posterior": st.just([0.25, 0.75]) | VALUES,
            }
        ),
        max_size=2,
    )
)
def test_labels(folder: Path, records: list[dict[str, Any]]) -> None:
    file = written(folder / "labels.jsonl", records)
    found = read_or_refused(lambda: read_labels(file))
    if found is None:
        return
    for item_id, choices, posterior in found[["item_id", "choices", "posterior"]].to_numpy():
        assert item_id.encode()
        assert len(choices) == len(posterior) > 0
        assert sum(posterior) == pytest.approx(1)


PIECES = ("<View>", "</View>", "<Choices name='q'", " value='$o'", "/>", "<TextArea/>", "&x;")


@given(st.lists(st.sampled_from(PIECES) | TEXTS, max_size=6).map("".join) | st.none())
def test_labelling_pages(page: str | None) -> None:
    control = read_or_refused(lambda: read_answer_control(page))
    assert control is None or control.tag in ("Choices", "TextArea")


@given(TEXTS)
def test_titles(title: str) -> None:
    found = read_or_refused(lambda: ProjectSettings(f"Pilot {title}", "<View/>"))
    assert found is None or found.title.encode()
