"""A configuration whose labels are people's own judgments."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.items.told_by import mark
from budget.config.prepare import Setting, prepare
from budget.config.read import parse_config
from training.commonest import commonest_class

# Items 0 to 119; every third is disputed: annotator "x" says the contrary there. The first forty
# have a known answer, which is that of annotator "a".
ITEMS = 120
MEASURED = 20
NAMES = ("a", "b", "c", "x")


def says(name: str, item: int) -> str:
    contrary = name == "x" and item % 3 == 0
    return ("no", "yes")[(item + contrary) % 2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    items = [
        {
            "item_id": f"i{n}",
            "question": f"question {n}?",
            "choices": ["no", "yes"],
            "answer": ("no", "yes")[n % 2] if n < 40 else None,
            "size": float(n % 2),
        }
        for n in range(ITEMS)
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, items)), encoding="utf-8")
    rows = ["item_id,annotator,label,created_at"]
    rows += [
        f"i{n},{name},{says(name, n)},2024-01-01T00:{k:02d}:00Z"
        for k, name in enumerate(("a", "x", "b", "c"))
        for n in range(ITEMS)
    ]
    (tmp_path / "judgments.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def sections(**changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "items": {"source": "tabular", "path": "items.jsonl"},
        "strata": {"measure": "pairwise_disagreement", "cut": "edges:.5", "names": ["calm", "hot"]},
        "annotators": {
            "source": "judgments",
            "judgments": "judgments.csv",
            "judgments_for_strata": 2,
            "calm": {"cost": 0.05},
            "hot": {"cost": 0.1},
        },
        "budget": {"total": 20},
        "pilot": {"labels": 8},
        "test": {"items": "all", "other_items": "all"},
    }
    for name, change in changes.items():
        raw[name] = raw[name] | change if name in raw else change
    return raw


@pytest.fixture
def setting(folder: Path) -> Callable[..., Setting]:
    return lambda **changes: prepare(parse_config(sections(**changes), "c.toml", folder))


def test_right_answers_are_needed_for_the_test_set_alone(
    setting: Callable[..., Setting],
) -> None:
    task = setting().lab.task
    assert sorted(task.test_positions.tolist()) == list(range(40))
    assert sum(own.size for own in task.pools.values()) == ITEMS - 40
    assert not task.answered[40:].any()


def test_what_tells_hardness_is_not_trained_on(setting: Callable[..., Setting]) -> None:
    """The first two judgments, of a and x, say who is disputed; b and c are left to train on."""
    found = setting()
    hot = found.lab.task.stratum_of == "hot"
    assert np.flatnonzero(hot).tolist() == list(range(0, ITEMS, 3))
    assert found.collected is not None
    assert (found.collected.judgments, found.collected.annotators) == (2 * ITEMS, 2)
    assert found.collected.judgments_for_strata == 2
    trial = found.lab.trial(found.lab.recipes["probe"], {"hot": 10, "calm": 6}, 0)
    assert trial.given is not None and trial.terms == ()
    given = trial.given
    assert given.labels.tolist() == (given.positions % 2).tolist()
    assert not set(given.positions.tolist()) & set(range(40))


def test_error_rates_are_measured_by_known_answers(setting: Callable[..., Setting]) -> None:
    """Of twenty items with known answers x misses seven; a quarter of the judgments is his."""
    found = setting(
        strata={"measure": "size", "cut": "edges:0"}, annotators={"judgments_for_strata": 0}
    )
    assert found.collected is not None
    for name in ("calm", "hot"):
        own = found.collected.error_rates[name]
        assert own.method == "gold" and own.judgments == MEASURED * 4
        assert own.estimate == pytest.approx(7 / 80, abs=0.02)
        assert found.lab.terms[name].error_kind == "flip"
        assert found.lab.terms[name].error_rate == own.estimate
    stated = setting(annotators={"hot": {"cost": 0.1, "error_rate": 0.4}})
    assert stated.lab.terms["hot"].error_rate == 0.4


def test_none_wrong_does_not_mean_that_none_errs(setting: Callable[..., Setting]) -> None:
    """Of b and c, who are left to train on, nobody errs where answers are known."""
    found = setting(annotators={"calm": {"cost": 0.05, "error_kind": "redraw"}})
    assert found.collected is not None
    for name in ("calm", "hot"):
        assert found.collected.error_rates[name].estimate == pytest.approx(0, abs=1e-6)
        own, judgments = found.lab.terms[name], found.collected.error_rates[name].judgments
        assert own.error_kind == "flip"
        assert own.error_rate == 0.5 / (judgments + 1)


def test_where_draws_cannot_differ_it_is_known(setting: Callable[..., Setting]) -> None:
    several, all_there_is = setting(), setting(targets={"judgments": 2})
    assert several.lab.collected is not None and all_there_is.lab.collected is not None
    assert set(several.lab.collected.alike.values()) == {0.0}
    assert set(all_there_is.lab.collected.alike.values()) == {1.0}


def test_items_without_choices_are_refused(folder: Path, setting: Callable[..., Setting]) -> None:
    path = folder / "items.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row.update(choices=[], answer=None, answer_text="four")
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(InputError, match="item 'i0' has no choices; labels of people"):
        setting()


def test_several_judgments_make_a_label_and_are_all_paid(setting: Callable[..., Setting]) -> None:
    found = setting(targets={"judgments": 2})
    assert str(found.lab.terms["hot"].cost) == "0.2"
    trial = found.lab.trial(found.lab.recipes["probe"], {"hot": 10}, 0)
    assert trial.given is not None and trial.given.judgments.shape == (10, 2)
    modelled = setting(targets={"judgments": 2}, annotators={"aggregate": "one_coin"})
    given = modelled.lab.trial(modelled.lab.recipes["probe"], {"hot": 10}, 0).given
    assert given is not None and given.posteriors is not None


def test_planning_trials_learn_from_judgments_of_test_items(
    setting: Callable[..., Setting],
) -> None:
    lab = setting().lab
    assert lab.lends
    trial = lab.trial(lab.recipes["probe"], {}, 3, borrowed=5)
    assert trial.given is not None
    assert trial.given.positions.tolist() == lab.task.lent(5, 3).tolist()


def test_a_test_set_that_nobody_judged_lends_nothing(
    folder: Path, setting: Callable[..., Setting]
) -> None:
    path = folder / "judgments.csv"
    kept = [r for r in path.read_text(encoding="utf-8").splitlines() if not r.startswith("i0,")]
    path.write_text("\n".join(kept), encoding="utf-8")
    found = setting(
        strata={"measure": "size", "cut": "edges:0", "target": "calm"},
        annotators={"judgments_for_strata": 0},
    )
    assert found.collected is not None
    assert not found.lab.lends and not found.collected.lent


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotators": {"calm": {}}}, r"annotators\.calm: give cost, what one judgment"),
        (
            {"annotators": {"judgments_for_strata": 0}},
            r"'pairwise_disagreement' is told by judgments; set annotators\.judgments_for_strata",
        ),
        ({"targets": {"judgments": 3}}, r"no item has 3 judgments.*lower targets\.judgments"),
        ({"annotators": {"judgments_for_strata": 4}}, r"keeps 4 judgments.*no item has more"),
        ({"annotators": {"judgments_for_strata": 1}}, r"disagreement takes two; set it to 2"),
        (
            {"strata": {"measure": "size", "cut": "edges:0"}},
            r"judgments_for_strata keeps 2.*but strata\.measure is 'size'; set it to 0",
        ),
        ({"annotators": {"aggregate": "mace"}}, r"'mace' compares annotators.*raise targets\.judg"),
        (
            {"annotators": {"agregate": "mace"}},
            r"annotators\.agregate: no such key; is aggregate meant",
        ),
        ({"collected": {"source": "judgments"}}, r"collected: no such section"),
        ({"pilot": {"labels": 30}}, r"with 1 judgments or more, too few for a pilot of 30"),
        ({"pilot": {"labels": 8, "rehearse": True}}, r"pilot\.rehearse: guessed labels err like"),
        ({"annotators": {"judgments": "none.csv"}}, r"none\.csv: no such file"),
        ({"annotators": {"aggregate": "vote"}}, r"annotators\.aggregate: should be 'majority'"),
        ({"annotators": {"source": "oracle"}}, r"annotators\.source should be 'simulated' or"),
        (
            {"annotators": {"source": "simulated"}},
            r'annotators\.judgments goes with source = "judgments"',
        ),
        ({"test": {"items": 30}}, r"30.*"),
        ({"test": {"items": 2}}, r"test\.items: should be greater than or equal to 10; got 2"),
    ],
)
def test_what_does_not_fit_is_one_line(
    setting: Callable[..., Setting], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        setting(**changes)
    assert "\n" not in str(caught.value)


def test_judgments_of_other_items_are_told(folder: Path, setting: Callable[..., Setting]) -> None:
    rows = "item_id,annotator,label\nelsewhere,a,no\n"
    (folder / "judgments.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(
        InputError, match=r"no judgment is of an item.*is 'elsewhere', none of the items"
    ):
        setting()


def with_measure(folder: Path, first: int, marked: bool) -> None:
    """Items that bring the disagreement of their first judgments as a column of their own."""
    path = folder / "items.jsonl"
    items = [json.loads(line) for line in path.read_text().splitlines()]
    people = ("a", "x", "b", "c")[:first]  # in the order of time
    for n, item in enumerate(items):
        said = [says(name, n) for name in people]
        pairs = [one != other for k, one in enumerate(said) for other in said[:k]]
        item["pairwise_disagreement"] = float(np.mean(pairs))
        if marked:
            item["pairwise_disagreement_judgments"] = " ".join(
                mark(item["item_id"], name) for name in people
            )
    path.write_text("\n".join(map(json.dumps, items)), encoding="utf-8")


def test_judgments_that_told_a_column_are_not_trained_on(
    folder: Path, setting: Callable[..., Setting]
) -> None:
    usual = setting().collected
    with_measure(folder, 2, marked=True)
    found = setting(annotators={"judgments_for_strata": 0}).collected
    assert usual is not None and found is not None
    assert (found.judgments, found.error_rates) == (usual.judgments, usual.error_rates)
    with_measure(folder, 4, marked=True)
    with pytest.raises(InputError, match="told by these very judgments, and none is left"):
        setting(annotators={"judgments_for_strata": 0}, strata={"cut": "edges:.1"})


def test_a_column_that_these_judgments_seem_to_have_told_is_refused(
    folder: Path, setting: Callable[..., Setting]
) -> None:
    with_measure(folder, 4, marked=False)
    changes: dict[str, Any] = {"strata": {"cut": "edges:.1"}}
    with pytest.raises(InputError, match=r"'pairwise_disagreement' equals .*set strata_of_other"):
        setting(annotators={"judgments_for_strata": 0}, **changes)
    others = {"judgments_for_strata": 0, "strata_of_other_judgments": True}
    assert setting(annotators=others, **changes).collected is not None


def test_people_s_labels_say_which_class_is_commonest(
    setting: Callable[..., Setting], folder: Path
) -> None:
    """b and c, who are trained on, say "yes" to all; three in four known answers are "no"."""
    path = folder / "items.jsonl"
    items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for place, item in enumerate(items[:40]):
        item["answer"] = "yes" if place % 4 == 0 else "no"
    path.write_text("\n".join(map(json.dumps, items)), encoding="utf-8")
    rows = (folder / "judgments.csv").read_text(encoding="utf-8").splitlines()
    turned = [
        f"{item},{name},yes,{at}" if name in ("b", "c") else f"{item},{name},{label},{at}"
        for item, name, label, at in (row.split(",") for row in rows[1:])
    ]
    (folder / "judgments.csv").write_text("\n".join([rows[0], *turned]), encoding="utf-8")
    lab = setting().lab
    right = lab.task.answers[lab.task.test_positions] == 1
    assert right.mean() == 0.25
    for name in ("calm", "hot"):
        found = lab.commonest_class(name)
        assert found is not None and found.answer == "yes"
        assert found.correct.tolist() == right.tolist()
    of_gold = commonest_class(lab.task, "hot")
    assert of_gold is None  # nothing for sale has a known answer


def test_files_of_different_servers_are_of_different_people(
    folder: Path, setting: Callable[..., Setting]
) -> None:
    """Both Label Studios number their users and annotations from 1, and tell no address."""
    for name, half in (("one", range(0, 60)), ("two", range(60, ITEMS))):
        tasks = [
            {
                "project": 1,
                "data": {"item_id": f"i{n}"},
                "annotations": [
                    {
                        "id": 4 * place + k,
                        "completed_by": k,
                        "created_at": f"2024-01-01T00:{k:02d}:00Z",
                        "result": [{"type": "choices", "value": {"choices": [says(annotator, n)]}}],
                    }
                    for k, annotator in enumerate(("a", "x", "b", "c"))
                ],
            }
            for place, n in enumerate(half)
        ]
        (folder / f"{name}.json").write_text(json.dumps(tasks), encoding="utf-8")
    files = {"judgments": ["one.json", "two.json"]}
    with pytest.raises(InputError, match=r"different_servers = true under \[annotators\]"):
        setting(annotators=files)
    found = setting(annotators=files | {"different_servers": True}).collected
    assert found is not None
    assert found.annotators == 2 * 2  # b and c of each; a and x tell hardness
