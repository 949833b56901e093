"""A pay sheet against sums that are taken judgment by judgment."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.judgments.table import validate_judgments
from annotation.team.pay import PayTerms, pay_sheet

ROW = st.tuples(
    st.sampled_from(["ann", "bob", "cleo"]),
    st.integers(0, 4),  # item
    st.booleans(),  # cancelled
    st.one_of(st.none(), st.integers(0, 2_000_000)),  # milliseconds
    st.integers(0, 200 * 24),  # hours since the beginning
)
AMOUNT = st.decimals(0, 100, places=3)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(ROW, min_size=1, max_size=25),
    hourly=AMOUNT,
    piece=AMOUNT,
    period=st.sampled_from(["day", "week", "month", "all"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
)
def test_every_judgment_is_paid_once_and_exactly(
    rows: list[tuple[str, int, bool, int | None, int]],
    hourly: Decimal,
    piece: Decimal,
    period: str,
    zone: str,
) -> None:
    begun = pd.Timestamp("2025-11-01", tz="UTC")
    frame = pd.DataFrame(
        {
            "item_id": [f"i{item}" for _, item, *_ in rows],
            "annotator": [who for who, *_ in rows],
            "label": [None if cancelled else "yes" for _, _, cancelled, *_ in rows],
            "seconds": [None if ms is None else ms / 1000 for *_, ms, _ in rows],
            "created_at": [begun + pd.Timedelta(hours=hours) for *_, hours in rows],
            "cancelled": [cancelled for _, _, cancelled, *_ in rows],
            "source_id": [f"s{row}" for row in range(len(rows))],
        }
    )
    terms = PayTerms(usual_per_hour=hourly, usual_per_judgment=piece)
    sheet = pay_sheet(validate_judgments(frame, "test"), terms, period=period, zone=zone)  # type: ignore[arg-type]

    exact: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for who, _, cancelled, milliseconds, hours in rows:
        day = (begun + pd.Timedelta(hours=hours)).tz_convert(zone)
        named = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "all": "all"}[period]
        seconds = Fraction(min(milliseconds or 0, 600_000), 1000)
        earned = Fraction(hourly) * seconds / 3600 + (0 if cancelled else Fraction(piece))
        exact[who, day.strftime(named)] += earned
    due = {(row.annotator, row.period): row.due for row in sheet.rows}
    assert due == {key: Decimal(ceil(amount * 100)).scaleb(-2) for key, amount in exact.items()}
    assert sheet.due == sum(due.values())
    assert sum(row.judgments + row.cancelled for row in sheet.rows) == len(rows)
