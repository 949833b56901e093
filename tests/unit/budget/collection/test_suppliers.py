"""Who labels in a collection: prices, limits, and what is refused."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from budget.collection.suppliers import Supplier, collection_suppliers, unit_of
from budget.config.collection_config import parse_collection
from tests.unit.budget.collection.by_hand import settings, suppliers

ONE = {"cost": "0.05"}


def read(**own: Any) -> dict[str, Supplier]:
    config = parse_collection(settings(Path("/nowhere")), "settings")
    return collection_suppliers(suppliers(**own), config)


def test_terms_of_a_stratum_win_and_the_channel_is_label_studio() -> None:
    own = {**ONE, "judgments": [3, 1, 3], "strata": {"easy": {}, "hard": {"cost": "0.1"}}}
    crowd = read(crowd=own)["crowd"]
    assert crowd.channel == "label_studio"
    assert crowd.judgments == {"easy": (1, 3), "hard": (1, 3)}
    assert crowd.prices["easy"].per_judgment == Decimal("0.05")
    assert crowd.prices["hard"].per_judgment == Decimal("0.1")


def test_idle_time_is_not_paid_beyond_four_usual_judgments() -> None:
    price = read(crowd={"per_hour": 36, "seconds": 25})["crowd"].prices["easy"]
    assert price.per_hour == 36
    assert price.most_seconds == 100
    price = read(crowd={"per_hour": 36, "seconds": 25, "most_seconds": 40})["crowd"].prices["easy"]
    assert price.most_seconds == 40


def test_the_unit_is_fine_enough_for_every_price() -> None:
    own = read(crowd={"cost": "0.0525"}, expert={"cost": 1})
    assert unit_of(own, "EUR", Decimal(30)).places == 4
    assert unit_of(read(crowd=ONE), "EUR", Decimal(30)).places == 2
    assert unit_of(read(crowd={"per_hour": 9, "seconds": 5}), "EUR", Decimal(30)).places == 4


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"crowd": {"error_rate": 0.1}}, r"suppliers\.crowd\.cost is missing.*per_hour"),
        ({"crowd": {"strata": {"easy": ONE, "hard": {}}}}, r"crowd\.strata\.hard\.cost is missing"),
        ({"crowd": {"strata": {"eazy": ONE}}}, r"crowd\.strata\.eazy: no such.* easy, hard"),
        ({"crowd": {"strata": {"easy": ONE}}}, "stratum 'hard': no supplier labels it"),
        ({"crowd": {"per_hour": 36}}, r"suppliers\.crowd: pay by the hour needs most_seconds"),
        ({"crowd": {"cost": 0}}, r"suppliers\.crowd\.cost is 0"),
        ({"crowd": {**ONE, "fixed_cost": 3}}, r"suppliers\.crowd: .*leave discounts and fixed_c"),
        ({"crowd": {**ONE, "discounts": [{"after": 5, "cost": ".01"}]}}, "leave discounts"),
        ({"../crowd": ONE}, r"suppliers\.\.\./crowd: a supplier's name should be"),
        ({" crowd": ONE}, "a supplier's name should be"),
        ({"c" * 61: ONE}, "at most 60 letters"),
    ],
)
def test_what_cannot_be_used_is_refused(own: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        read(**own)
