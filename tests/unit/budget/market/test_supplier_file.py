from decimal import Decimal
from pathlib import Path

import pytest

from annotation.errors import InputError
from budget.decision.question import PlanOptions, hours_of_roles
from budget.market.offers import Discount
from budget.market.supplier_file import (
    DiscountSection,
    RoleSection,
    Suppliers,
    SupplierSection,
    TrainingSection,
    read_suppliers,
)

STRATA = ("easy", "hard")
FILE = """
[suppliers.crowd]
role = "crowd"
cost = 0.1
error_rate = 0.4
judgments = [1, 3]
seconds = 20
discounts = [{after = 1000, cost = 0.08}]

[suppliers.expert]
role = "expert"
fixed_cost = 50
[suppliers.expert.strata.hard]
cost = "4.25"
error_rate = 0.03
error_kind = "flip"
least = 20
capacity = 300
seconds = 90

[roles.crowd]
people = 5

[roles.expert]
hours_per_day = 1.5

[training]
gpu_price = 2.5
gpu_hours = 4
gpu_hours_per_1000_labels = 0.2
"""


def read(folder: Path, text: str, choices: int = 2) -> Suppliers:
    path = folder / "suppliers.toml"
    path.write_text(text, encoding="utf-8")
    return read_suppliers(path, STRATA, choices)


def test_a_file_of_suppliers(tmp_path: Path) -> None:
    found = read(tmp_path, FILE)
    assert [(own.stratum, own.supplier, own.judgments) for own in found.offers] == [
        ("easy", "crowd", 1),
        ("easy", "crowd", 3),
        ("hard", "crowd", 1),
        ("hard", "crowd", 3),
        ("hard", "expert", 1),
    ]
    single, triple = found.offers[:2]
    assert single.cost == Decimal("0.1") and single.seconds == 20 and single.role == "crowd"
    assert single.redraw_rate == pytest.approx(0.4)
    assert triple.redraw_rate == pytest.approx(0.208)  # .104 wrong of two choices
    assert single.discounts == (Discount(1000, Decimal("0.08")),)
    expert = found.offers[-1]
    assert (expert.cost, expert.fixed_cost) == (Decimal("4.25"), Decimal(50))
    assert (expert.least, expert.capacity) == (20, 300)
    assert expert.redraw_rate == pytest.approx(0.06)  # a flip of .03 between two choices
    assert found.training.fixed == 10
    assert found.training.per_label == Decimal("0.0005")
    assert found.hours_per_day == {"crowd": 30, "expert": Decimal("1.5")}
    assert found.roles == ("crowd", "expert")


def test_hours_until_a_deadline(tmp_path: Path) -> None:
    found = read(tmp_path, FILE)
    path = tmp_path / "suppliers.toml"
    options = PlanOptions(suppliers=path, deadline_days=2.5, hours={"expert": Decimal(2)})
    assert hours_of_roles(options, found) == {"crowd": 75, "expert": 2}
    assert hours_of_roles(PlanOptions(suppliers=path), found) == {}
    with pytest.raises(InputError, match="--hours boss=2: no such role; roles are: crowd,"):
        hours_of_roles(PlanOptions(suppliers=path, hours={"boss": Decimal(2)}), found)
    with pytest.raises(InputError, match="--deadline-days should be from 0 to a million; got nan"):
        hours_of_roles(PlanOptions(suppliers=path, deadline_days=float("nan")), found)
    bare = read(tmp_path, "[suppliers.a]\ncost = 1\nerror_rate = 0")
    with pytest.raises(InputError, match=r"--deadline-days needs sections \[roles\.NAME\]"):
        hours_of_roles(PlanOptions(suppliers=path, deadline_days=2), bare)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("seconds = 90\n", "", r"suppliers\.expert, hard: seconds of work .* are missing"),
        ("seconds = 90\n", "seconds = 0\n", r"suppliers\.expert, hard: seconds of work"),
        ('role = "expert"\n', "", r"suppliers\.expert: seconds are given but no role"),
        ('role = "expert"\n', 'role = "boss"\n', r"suppliers\.expert\.role: .* no \[roles\.boss\]"),
    ],
)
def test_a_deadline_has_to_limit_everybody_who_works(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    path = tmp_path / "suppliers.toml"
    assert before in FILE
    found = read(tmp_path, FILE.replace(before, after))
    assert hours_of_roles(PlanOptions(suppliers=path), found) == {}
    with pytest.raises(InputError, match=message):
        hours_of_roles(PlanOptions(suppliers=path, deadline_days=2), found)


def test_who_takes_no_time_needs_no_role(tmp_path: Path) -> None:
    machine = "\n[suppliers.llm]\ncost = 0.01\nerror_rate = 0.5\n"
    found = read(tmp_path, FILE + machine)
    path = tmp_path / "suppliers.toml"
    limited = hours_of_roles(PlanOptions(suppliers=path, deadline_days=2), found)
    assert limited == {"crowd": 60, "expert": 3}
    only = PlanOptions(suppliers=path, hours={"expert": Decimal(4)})
    assert hours_of_roles(only, found) == {"expert": 4}  # the crowd is not limited


def test_options_that_need_suppliers_or_exclude_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--cost goes without --suppliers"):
        PlanOptions(suppliers=tmp_path, costs={"easy": Decimal(1)})
    with pytest.raises(InputError, match="--hours goes with --suppliers"):
        PlanOptions(hours={"crowd": Decimal(1)})
    with pytest.raises(InputError, match="--deadline-days goes with --suppliers"):
        PlanOptions(deadline_days=1.0)


ONE = "[suppliers.a]\ncost = 1\nerror_rate = 0.1\n"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", r"suppliers is missing; write \[suppliers.crowd\]"),
        ("suppliers = 3", "suppliers: should be a valid dictionary; got 3."),
        ("[suppliers]\n", "suppliers: "),
        ("[suppliers.a]\ncost = 1", "suppliers.a.error_rate is missing; give a number."),
        ("[suppliers.a]\nerror_rate = 0", "suppliers.a.cost is missing"),
        (
            "[suppliers.a.strata.hard]\ncost = 1",
            "suppliers.a.strata.hard.error_rate is missing",
        ),
        (
            ONE + "colour = 3",
            "suppliers.a.colour: no such key; the keys here are: cost, error_rate, error_kind, "
            "error_rate_low, error_rate_high, shared_mistakes, gold_items_wanted, judgments, "
            "discounts, fixed_cost, least, capacity, seconds, per_hour, most_seconds, role, "
            "channel, strata.",
        ),
        (ONE + "second = 3", r"suppliers.a.second: no such key; did you mean 'seconds'\? the keys"),
        (ONE + "people = 3", r"no such key; 'people' belongs into \[roles.NAME\], NAME being"),
        (ONE + "[roles.a]\nhours = 3", "roles.a.hours: no such key; the keys here are: people, "),
        (
            ONE + "discounts = [{after = 5, price = 1, cost = 0}]",
            "suppliers.a.discounts.0.price: no such key; the keys here are: after, cost.",
        ),
        (
            ONE + "strata.hard = {costs = 1}",
            r"suppliers.a.strata.hard.costs: no such key; did you mean 'cost'\?",
        ),
        (ONE + "[training]\ngpu = 1", "training.gpu: no such key; the keys here are: gpu_price, "),
        (
            ONE + "[annotators.easy]\ncost = 1",
            "annotators: no such key; the keys here are: currency, suppliers, roles, training, "
            "alarms.",
        ),
        (
            "[suppliers.a]\nerror_rate = 0\ncost = {easy = 1}",
            r"suppliers.a.cost: should be one value; terms of a stratum go into "
            r"\[suppliers.a.strata.easy\].",
        ),
        (
            ONE + "capacity = -1",
            "suppliers.a.capacity: should be greater than or equal to 0; got -1.",
        ),
        (ONE + "judgments = [9]", "suppliers.a.judgments.0: should be less than or equal to 7; "),
        (ONE + "error_kind = 'slip'", "suppliers.a.error_kind: should be 'redraw' or 'flip'"),
        (ONE + "discounts = [{after = 5, cost = 2}]", "discounts should start later and cost less"),
        (ONE + "fixed_cost = -1", "should not be negative; got -1.$"),
        (
            ONE + "[suppliers.a.strata.medium]",
            "suppliers.a.strata.medium: not for sale in this run",
        ),
        (ONE + "[roles.a]\npeople = 0", "roles.a.people: should be greater than or equal to 1"),
        (
            ONE + "role = 'exprts'\n[roles.experts]\npeople = 2",
            r"suppliers.a.role: there is no \[roles.exprts\]; did you mean 'experts'\?",
        ),
        (
            ONE + "least = 50\ncapacity = 30",
            "suppliers.a: least is 50 easy labels and capacity 30, so that none can be bought; ",
        ),
        ("[suppliers", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(InputError, match=part) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'suppliers.toml'}: ")
    assert "\n" not in message


def test_the_documented_file_can_be_read(tmp_path: Path) -> None:
    guide = Path(__file__).parents[4] / "docs" / "guide"
    text = (guide / "suppliers.md").read_text(encoding="utf-8")
    found = read(tmp_path, text.partition("```toml\n")[2].partition("```")[0])
    assert [(own.stratum, own.supplier, own.judgments) for own in found.offers] == [
        ("easy", "crowd", 1),
        ("easy", "crowd", 3),
        ("hard", "crowd", 1),
        ("hard", "crowd", 3),
        ("hard", "experts", 1),
    ]
    assert found.hours_per_day == {"crowd": 30, "expert": Decimal("1.5")}
    for section in (SupplierSection, RoleSection, TrainingSection, DiscountSection):
        for key in section.model_fields:
            assert f"`{key}`" in text or f"{key} =" in text


def test_no_file_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; write one with"):
        read_suppliers(tmp_path / "none.toml", STRATA, 4)


MEASURED = ONE.replace("0.1", "0.3") + 'error_kind = "flip"\njudgments = [1, 3]\n'


def test_a_measured_error_rate_has_an_interval(tmp_path: Path) -> None:
    ends = "error_rate_low = 0.2\nerror_rate_high = 0.45\n"
    more = 'shared_mistakes = "not excluded"\ngold_items_wanted = 60\n'
    found = read(tmp_path, MEASURED + ends + more).offers
    plain = {
        rate: read(tmp_path, MEASURED.replace("0.3", str(rate))).offers for rate in (0.2, 0.45)
    }
    for place, offer in enumerate(found):
        error = offer.error_range
        assert error is not None
        assert (error.low, error.high) == (0.2, 0.45)
        assert (error.shared_mistakes, error.gold_items) == (True, 60)
        # Of a label, as an offer at that error rate has it.
        assert error.redraw_low == plain[0.2][place].redraw_rate
        assert error.redraw_high == plain[0.45][place].redraw_rate
        assert error.redraw_low < offer.redraw_rate < error.redraw_high
    assert all(own.error_range is None for own in plain[0.2])


@pytest.mark.parametrize(
    ("ends", "part"),
    [
        ("error_rate_low = 0.2", "error_rate_low and error_rate_high go together"),
        ("error_rate_low = 0.4\nerror_rate_high = 0.5", "error_rate 0.3 should be from"),
    ],
)
def test_an_interval_that_cannot_be_is_refused(tmp_path: Path, ends: str, part: str) -> None:
    with pytest.raises(InputError, match=part):
        read(tmp_path, MEASURED + ends)


THREE_STRATA = """
[suppliers.annotators]
role = "annotators"
judgments = [1]
[suppliers.annotators.strata.easy]
cost = 0.05
error_rate = 0.1
[suppliers.annotators.strata.medium]
cost = 0.1
error_rate = 0.2
[suppliers.annotators.strata.hard]
cost = 0.2
error_rate = 0.3
"""


def test_strata_of_the_items_that_are_not_for_sale_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "suppliers.toml"
    path.write_text(THREE_STRATA, encoding="utf-8")
    found = read_suppliers(path, STRATA, 4, not_for_sale=["medium"])
    assert [(own.stratum, own.cost) for own in found.offers] == [
        ("easy", Decimal("0.05")),
        ("hard", Decimal("0.2")),
    ]
    assert found.left_out == ("medium",)
    with pytest.raises(InputError, match=r"strata\.medium: not for sale in this run"):
        read_suppliers(path, STRATA, 4, not_for_sale=["odd"])
    alone = THREE_STRATA.partition("[suppliers.annotators.strata.easy]")[0]
    alone += "[suppliers.annotators.strata.medium]\ncost = 1\nerror_rate = 0\n"
    path.write_text(alone, encoding="utf-8")
    with pytest.raises(InputError, match="label medium alone, which is not for sale in this run"):
        read_suppliers(path, STRATA, 4, not_for_sale=["medium"])


def test_work_by_the_hour_costs_its_seconds(tmp_path: Path) -> None:
    by_hour = "[suppliers.a]\nper_hour = 36\nseconds = 20\nerror_rate = 0.1\n"
    assert read(tmp_path, by_hour).offers[0].cost == Decimal("0.2")
    mixed = read(tmp_path, by_hour + "cost = 0.05")
    assert mixed.offers[0].cost == Decimal("0.25")
    with pytest.raises(InputError, match=r"suppliers\.a\.seconds is missing; with per_hour, give"):
        read(tmp_path, "[suppliers.a]\nper_hour = 36\nerror_rate = 0.1\n")
