from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.errors import InputError, MachineError
from budget.worlds import choose
from budget.worlds.choose import choose_worlds
from budget.worlds.real import Sources
from budget.worlds.world import World


@pytest.fixture
def nowhere(tmp_path: Path) -> Sources:
    return Sources(tmp_path / "data", None, tmp_path / "features")


def test_halves_share_no_world(nowhere: Sources) -> None:
    design, _ = choose_worlds(["generated"], 10, "design", nowhere)
    held_out, _ = choose_worlds(["generated"], 10, "held_out", nowhere)
    assert len(design) == len(held_out) == 10
    assert {own.half for own in design} == {"design"}
    assert not {own.name for own in design} & {own.name for own in held_out}


def test_more_worlds_begin_with_the_fewer(nowhere: Sources) -> None:
    few, _ = choose_worlds(["generated"], 3, "design", nowhere)
    more, _ = choose_worlds(["generated"], 6, "design", nowhere)
    assert [own.name for own in more[:3]] == [own.name for own in few]


def test_the_workshop_has_as_many_as_its_grid(nowhere: Sources) -> None:
    halves = [choose_worlds(["workshop"], 100, half, nowhere)[0] for half in ("design", "held_out")]
    assert sum(map(len, halves)) == 120


def test_absent_data_are_told(nowhere: Sources) -> None:
    worlds, skipped = choose_worlds(["sst5", "generated"], 2, "design", nowhere)
    assert [own.family for own in worlds] == ["generated", "generated"]
    assert len(skipped) == 1
    assert "worlds 'sst5': no folder" in skipped[0]
    assert "--data-dir" in skipped[0]


def test_nothing_is_left(nowhere: Sources) -> None:
    with pytest.raises(InputError, match=r"no world to play in. worlds 'trec': no folder"):
        choose_worlds(["trec"], 2, "design", nowhere)


def test_an_unknown_family(nowhere: Sources) -> None:
    with pytest.raises(InputError, match="worlds 'mars' are unknown; choose from generated, sst5"):
        choose_worlds(["mars"], 2, "design", nowhere)


def test_worlds_that_were_looked_at_can_be_left_out(nowhere: Sources) -> None:
    all_of_them, _ = choose_worlds(["generated"], 6, "held_out", nowhere)
    fresh, _ = choose_worlds(["generated"], 4, "held_out", nowhere, skip=2)
    assert [world.name for world in fresh] == [world.name for world in all_of_them[2:]]
    with pytest.raises(InputError, match="no world to play in"):
        choose_worlds(["workshop"], 5, "held_out", nowhere, skip=1000)


def test_a_disk_that_fails_skips_no_world(
    nowhere: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A family less would be another result, and nobody would know that the disk was full."""

    def full(_: Sources) -> Iterator[World]:
        raise MachineError("the disk is full.")

    monkeypatch.setitem(choose.FAMILIES, "sst5", full)
    with pytest.raises(MachineError, match="the disk is full"):
        choose_worlds(["generated", "sst5"], 2, "design", nowhere)
