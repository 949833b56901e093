"""What judgments say depends on no name of an item or annotator and on no order of rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from annotation.intervals import Interval
from annotation.judgments.table import validate_judgments
from annotation.team.report import JudgmentReport, report_judgments

NAME = st.text("abcxyz019 -_.äé", min_size=1, max_size=6).map(str.strip).filter(bool)
ITEMS, PEOPLE = 24, 4


@st.composite
def judged(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One table twice: the second under other names and in another order."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    classes = draw(st.sampled_from([2, 5, 9]))
    own = draw(st.booleans())  # answers of every item's own
    rows = []
    for item in range(ITEMS):
        right = rng.integers(classes)
        for who in range(PEOPLE):
            if rng.random() < 0.8:
                code = right if rng.random() < 0.7 else rng.integers(classes)
                label = f"{item}: {code}" if own else f"class {code}"
                rows.append((item, who, label, "easy" if item % 2 else "hard", rng.uniform(3, 60)))
    columns = ["item_id", "annotator", "label", "stratum", "seconds"]
    table = pd.DataFrame(rows, columns=columns)
    items = draw(st.lists(NAME, min_size=ITEMS, max_size=ITEMS, unique_by=str.casefold))
    people = draw(st.lists(NAME, min_size=PEOPLE, max_size=PEOPLE, unique_by=str.casefold))
    other = table.iloc[rng.permutation(len(table))].reset_index(drop=True)
    renamed = other.assign(
        item_id=[items[place] for place in other["item_id"]],
        annotator=[people[place] for place in other["annotator"]],
    )
    named = table.assign(
        item_id=[f"item-{place}" for place in table["item_id"]],
        annotator=[f"annotator-{place}" for place in table["annotator"]],
    )
    return named, renamed


def estimates(report: JudgmentReport) -> list[float]:
    """What the report says of items and strata, and of annotators without their names."""
    found: list[Interval | int | float | None] = [
        *(report.items, report.judgments, report.superseded, *report.choices)
    ]
    for each in (report.agreement, *(stratum.agreement for stratum in report.strata)):
        found += [each.items, each.raw, each.fleiss_kappa, each.krippendorff_alpha]
    for stratum in report.strata:
        found += [stratum.items, stratum.judgments, stratum.error.rate, stratum.label_error]
    values = [value.estimate if isinstance(value, Interval) else value for value in found]
    # Each sorted by itself: rates that nearly tie would pair people otherwise.
    people: list[list[float]] = [
        sorted(each.judgments for each in report.annotators),
        sorted(each.error.rate.estimate or 0.0 for each in report.annotators),
        sorted(each.agrees.estimate or 0.0 for each in report.annotators),
    ]
    numbers = [np.nan if value is None else float(value) for value in values]
    return [*numbers, *np.ravel(people).tolist()]


@settings(max_examples=10, phases=[Phase.generate])  # smaller tables fail no clearer
@given(judged())
def test_names_and_order_change_no_number(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    one, other = (report_judgments(validate_judgments(table, "test")) for table in tables)
    assert one.label_kind == other.label_kind
    assert one.better == other.better
    # Draws from a fit fall otherwise where annotators come in another order.
    assert estimates(one) == pytest.approx(estimates(other), abs=0.01, nan_ok=True)
    # Drawn anew from the same items: patterns of answers, not names, are what is drawn.
    alpha, same = one.agreement.krippendorff_alpha, other.agreement.krippendorff_alpha
    assert alpha.estimate == pytest.approx(same.estimate, abs=1e-9, nan_ok=True)
    assert alpha.bounds == pytest.approx(same.bounds, abs=1e-9, nan_ok=True)
