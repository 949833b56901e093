from pathlib import Path

import pytest

from annotation.errors import InputError
from annotation.items.hub import check_hub_id, hub_splits

pytest.importorskip("datasets")


@pytest.mark.parametrize("hub_id", ["squad", "allenai/ai2_arc", "SetFit/sst5", "a.b/c-d_e.f"])
def test_ids_of_the_hub(hub_id: str) -> None:
    check_hub_id(hub_id, "a file")


@pytest.mark.parametrize(
    "hub_id",
    ["", " ", ".", "..", "/etc", "../data", "a/b/c", "owner/", "/name", "a b", "a--b", "~/data",
     "owner/..", "a\x00b", "x" * 200, "C:\\data", "https://example.org/data"],
)  # fmt: skip
def test_what_is_no_id(hub_id: str) -> None:
    with pytest.raises(InputError, match="is no id of the hub; give an id such as 'owner/name'"):
        hub_splits(hub_id)


@pytest.mark.parametrize("hub_id", ["csv", "text", "json", "webdataset", "parquet", "CSV"])
def test_names_of_formats_read_no_local_files(
    hub_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "private.csv").write_text("a\n1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="is the name of a format, which would read local files"):
        hub_splits(hub_id)


def test_a_local_folder_is_not_taken_for_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "owner" / "name").mkdir(parents=True)
    (tmp_path / "owner" / "name" / "train.csv").write_text("a\n1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="a folder or file of that name stands here"):
        hub_splits("owner/name")
