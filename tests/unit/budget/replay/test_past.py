"""A collection that is over, as it is read: what is for sale, what was paid, what is kept away."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.team.pay import PayTerms
from annotation.terms.cost import money
from budget.replay.past import Past, replay_config
from budget.replay.run import check_budget, usual_budget
from budget.replay.tables import PastTables

Make = Callable[..., Past]


def test_test_items_are_not_for_sale_and_the_answers_of_others_are_gone(past: Past) -> None:
    tested = set(past.task.items["item_id"].iloc[past.task.test_positions])
    assert len(tested) == 30
    assert not tested & set(past.for_sale["item_id"])
    known = past.task.items["answer"].notna()
    assert set(past.task.items["item_id"][known]) == tested
    # Gold questions ask about test items: their judgments can still be given.
    assert tested & set(past.judgments["item_id"])


def test_half_of_what_was_paid_is_the_usual_budget(past: Past) -> None:
    assert len(past.for_sale) == 90  # 30 items, three judgments of each
    assert usual_budget(past) == money("4.50")
    assert past.is_timed
    check_budget(past, money("9.00"))
    with pytest.raises(InputError, match=r"at most 9.*nothing else can be bought again"):
        check_budget(past, money("9.01"))


def test_an_hour_is_paid_by_real_seconds(make: Make) -> None:
    past = make(PayTerms(usual_per_hour=money("36")))  # a cent a second
    by_person = past.for_sale.groupby("annotator")["cost"].sum().to_dict()
    assert {who: past.amount(units) for who, units in by_person.items()} == {
        "ann": money("1.5"),
        "bob": money("1.8"),
        "cem": money("2.1"),
    }


def test_judgments_that_tell_strata_are_not_bought_again(make: Make) -> None:
    past = make(measure=None, cut="edges:0.1", first=2)
    # ann and bob were first, cem is left.
    assert set(past.judgments["annotator"]) == {"cem"}
    assert past.suppliers["annotators"].judgments["hard"] == (1,)
    assert any("neither bought again nor counted as paid" in note for note in past.notes)


def test_prices_that_are_nobodys_or_missing_are_refused(make: Make) -> None:
    with pytest.raises(InputError, match="'bob' has a price but is none of the suppliers"):
        make(PayTerms(per_judgment={"bob": money(1)}, usual_per_judgment=money(1)))
    with pytest.raises(InputError, match="nothing says what 'annotators' is paid"):
        make(PayTerms())


def test_a_measure_that_these_judgments_told_is_refused(folder: Path, make: Make) -> None:
    import json

    from tests.unit.budget.replay.conftest import ITEMS, item, judgment

    rows = []
    for number in range(ITEMS):
        said = [judgment(number, who)[2] for who in range(3)]
        steps = 0.0 if len(set(said)) == 1 else 2 / 3  # the pairwise disagreement
        rows.append(json.dumps(item(number) | {"steps": steps}))
    (folder / "items.jsonl").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(InputError, match=r"cut by these very judgments.*--judgments-for-strata"):
        make(cut="edges:0.1")
    assert len(make(cut="edges:0.1", others_told=True).for_sale)


def test_half_a_column_of_roles_is_a_question(folder: Path, make: Make) -> None:
    lines = (folder / "judgments.csv").read_text().splitlines()
    rows = [f"{line},{'crowd' if ',ann,' in line else ''}" for line in lines[1:]]
    (folder / "judgments.csv").write_text("\n".join([lines[0] + ",role", *rows]))
    with pytest.raises(InputError, match="120 judgments have no role and 60 have one"):
        make()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"strata": 3}, "strata should be a section"),
        ({"buying": [1]}, "buying should be a section"),
        ({"strata": {"names": 3}}, "names"),
        ({"strata": {"buy": ["steep"]}}, "no such stratum"),
        ({"bying": {}}, "bying"),
    ],
)
def test_settings_that_are_none_are_refused(past: Past, raw: dict[str, Any], told: str) -> None:
    strata = past.config.strata
    assert strata.cut is not None
    tables = PastTables(past.task.items, None, past.judgments, strata.measure, strata.cut, ())
    with pytest.raises(InputError, match=told):
        replay_config(raw, tables, "EUR", "settings.toml")
    later = replay_config({"deadline": "2020-01-01"}, tables, "EUR", "settings.toml")
    assert later.deadline is None
