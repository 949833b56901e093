"""Bring single columns of a judgment table into their one form; what cannot be is rejected.

Columns may have a million rows, so values are looked at one by one only where a column holds
something unusual.
"""

import math
import numbers
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeGuard, cast

import numpy as np
import pandas as pd

from annotation.errors import short
from annotation.items.identifiers import LOST_DIGITS, ROUNDED
from annotation.items.table import is_missing
from annotation.judgments.look_alikes import look
from annotation.judgments.schema import IDENTIFIERS

Reject = Callable[[int, str, object, str], None]
"""Told about a value that cannot be used: row from 0, column, value, what is wrong with it."""

_EXACT = 2**53  # floats beyond are not all whole numbers

_UNKNOWN = ("", "na", "n/a", "nan", "null", "none")
# Spreadsheets write truth values in their user's language.
_TRUE = ("true", "1", "yes", "wahr", "ja", "vrai", "oui", "verdadero", "vero")
_FALSE = ("false", "0", "no", "falsch", "nein", "faux", "non", "falso")


def texts(column: pd.Series, name: str, reject: Reject) -> pd.Series:
    """Texts; whole numbers become texts; what is missing or blank becomes None."""
    try:
        codes, distinct = pd.factorize(column.astype(object))
    except TypeError:  # a list among the values
        return _texts_one_by_one(column, name, reject)
    read = np.empty(len(distinct) + 1, dtype=object)
    read[:-1] = distinct
    read[-1] = None  # where the code is -1: missing
    wrong: dict[int, str] = {}
    for code in _unusual(distinct, name in IDENTIFIERS):
        read[code], problem = _text(distinct[code], name in IDENTIFIERS)
        if problem:
            wrong[code] = problem
    if wrong:
        for row in np.flatnonzero(np.isin(codes, list(wrong))):
            reject(int(row), name, distinct[codes[row]], wrong[int(codes[row])])
    return pd.Series(read[codes], dtype=object)


def _texts_one_by_one(column: pd.Series, name: str, reject: Reject) -> pd.Series:
    read: list[str | None] = []
    for row, value in enumerate(column.tolist()):
        text, problem = _text(value, name in IDENTIFIERS)
        read.append(text)
        if problem:
            reject(row, name, value, problem)
    return pd.Series(read, dtype=object)


def _unusual(values: Sequence[object], is_identifier: bool) -> list[int]:
    """Where values stand that are not plainly the text they should be; most have none.

    All others are what `_text` would make of them.
    """
    if _all_usual(values, is_identifier):
        return []
    if is_identifier:
        return [
            place
            for place, value in enumerate(values)
            if type(value) is not str
            or not value.isascii()
            or value.isspace()
            or not value
            or "+" in value
            or ".0" in value
        ]
    return [
        place
        for place, value in enumerate(values)
        if type(value) is not str or not value.isascii() or value.isspace() or not value
    ]


def _all_usual(values: Sequence[object], is_identifier: bool) -> bool:
    """Whether no value is unusual, asked of all of them at once; False where that is open."""
    if set(map(type, values)) != {str}:
        return False
    told = cast(Sequence[str], values)
    joined = "\n".join(told)
    if not joined.isascii() or not all(map(str.strip, told)):
        return False
    return not is_identifier or ("+" not in joined and ".0" not in joined)


def _text(value: object, is_identifier: bool) -> tuple[str | None, str]:
    """A value as text, and what is wrong with it ("" for nothing)."""
    may_be_rounded = is_identifier and (type(value) is not str or "+" in value or ".0" in value)
    if may_be_rounded and _lost_digits(value):
        return None, f"{short(value)} {LOST_DIGITS}"
    if type(value) is str and value.isascii() and value.strip():  # nearly all of them
        return value, ""
    if is_missing(value):
        return None, ""
    if isinstance(value, bool | np.bool_):
        return None, f"should be a text; got {short(value)}."
    if isinstance(value, numbers.Integral):
        return str(int(value)), ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value)), ""  # a column of whole numbers with gaps arrives as floats
    if not isinstance(value, str):
        return None, f"should be a text; got {short(value)}."
    try:
        value.encode()
    except UnicodeEncodeError as error:  # half a surrogate pair: no file could hold it
        return None, f"has a broken character at position {error.start}."
    return (str(value), "") if look(value) else (None, "")


def _lost_digits(value: object) -> bool:
    if isinstance(value, str):
        return value[-1:].isdecimal() and bool(ROUNDED.fullmatch(value.strip()))
    return isinstance(value, float | np.floating) and _EXACT < abs(float(value)) < math.inf


def numbers_at_least_zero(column: pd.Series, name: str, reject: Reject) -> pd.Series:
    """Finite numbers of at least 0 as float64; what is missing or blank becomes NaN."""
    if column.dtype.kind in "iuf" and isinstance(column.dtype, np.dtype):
        values = column.to_numpy(dtype=np.float64, copy=True)
        for row in np.flatnonzero(np.isinf(values) | (values < 0)):
            reject(int(row), name, float(values[row]), _number_problem(float(values[row])))
            values[row] = math.nan
        return pd.Series(values)
    read = np.full(len(column), np.nan)
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        read = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, copy=True)
    rest = np.flatnonzero(~((read >= 0) & (read < math.inf)))
    for row, value in zip(rest.tolist(), column.iloc[rest].tolist(), strict=True):
        read[row] = np.nan
        if is_missing(value) or (isinstance(value, str) and value.strip().lower() in _UNKNOWN):
            continue
        number = _number(value)
        if number is None or not 0 <= number < math.inf:
            reject(row, name, value, _number_problem(value))
        else:
            read[row] = number
    return pd.Series(read)


def _number(value: object) -> float | None:
    if isinstance(value, bool | np.bool_) or not isinstance(value, str | numbers.Real | Decimal):
        return None
    if isinstance(value, str) and "_" in value:  # Python would read 1_000
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _number_problem(value: object) -> str:
    return f"should be a finite number of at least 0; got {short(value)}."


def flags(column: pd.Series, name: str, reject: Reject) -> pd.Series:
    """Truth values; true, yes and 1 or false, no and 0; what is missing or blank is False."""
    if column.dtype == np.bool_:
        return pd.Series(column.to_numpy(copy=True))
    try:
        codes, distinct = pd.factorize(column.astype(object), use_na_sentinel=False)
    except TypeError:  # a list among the values
        codes, distinct = np.arange(len(column)), column.tolist()
    answers = [_flag(value) for value in distinct]
    read = np.array([bool(answer) for answer in answers], dtype=bool)[codes]
    wrong = [code for code, answer in enumerate(answers) if answer is None]
    for row in np.flatnonzero(np.isin(codes, wrong)).tolist():
        value = distinct[codes[row]]
        reject(row, name, value, f"should be true or false; got {short(value)}.")
    return pd.Series(read)


def _flag(value: object) -> bool | None:
    """A value as truth value, None if it is none."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if is_missing(value) or (isinstance(value, str) and not value.strip()):
        return False
    word = value.strip().lower() if isinstance(value, str) else ""
    if isinstance(value, numbers.Real) and value in (0, 1):
        word = "1" if value == 1 else "0"
    return word in _TRUE if word in (*_TRUE, *_FALSE) else None


def times(column: pd.Series, name: str, reject: Reject) -> pd.Series:
    """Times as datetime64[us, UTC]; without a zone they are UTC; missing or blank is NaT."""
    if column.dtype.kind == "M":
        return _utc(pd.Series(column.to_numpy() if column.dt.tz is None else column.array))
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        parsed = _parsed(column)
        rest = np.flatnonzero(parsed.isna().to_numpy())
    else:
        values = column.astype(object).tolist()
        parsed = _parsed([value if isinstance(value, str | date) else None for value in values])
        rest = np.flatnonzero(parsed.isna().to_numpy())
    named = [_with_named_zone(value) for value in column.iloc[rest].tolist()]
    if any(value is not None for value in named):
        parsed.iloc[rest] = _parsed(named)
        rest = rest[parsed.iloc[rest].isna().to_numpy()]
    for row, value in zip(rest.tolist(), column.iloc[rest].tolist(), strict=True):
        if not (is_missing(value) or (isinstance(value, str) and not value.strip())):
            problem = f"should be a time such as 2026-05-31T14:05:00Z; got {short(value)}."
            reject(row, name, value, problem)
    return parsed


def _with_named_zone(value: object) -> str | None:
    """A time such as "2026-05-31 14:05:00 UTC" in ISO 8601, which has no names of zones."""
    if not isinstance(value, str) or not value.strip().endswith(("UTC", "GMT")):
        return None
    return value.strip()[:-3].strip() + "Z"


def _parsed(values: Sequence[object] | pd.Series) -> pd.Series:
    """Times as datetime64[us, UTC], NaT where there is none or it cannot be read."""
    series = pd.Series(values, dtype=object)
    try:
        return _utc(pd.to_datetime(series, utc=True, format="ISO8601", errors="coerce"))
    except (ValueError, OverflowError, TypeError, AttributeError):
        return pd.concat([_one_parsed(value) for value in values], ignore_index=True)


def _one_parsed(value: object) -> pd.Series:
    try:
        return _utc(pd.Series(pd.to_datetime([value], utc=True, format="ISO8601", errors="coerce")))
    except (ValueError, OverflowError, TypeError, AttributeError):
        return _utc(pd.Series(pd.to_datetime([None], utc=True)))


def _utc(series: pd.Series) -> pd.Series:
    aware = series.dt.tz_localize("UTC") if series.dt.tz is None else series.dt.tz_convert("UTC")
    # Finer than a microsecond is cut off; a time too far away for the finer unit is none.
    return aware.dt.as_unit("us")


def is_text(value: object) -> TypeGuard[str]:
    """Whether this is a text, not blank, that files can hold: JSON can say half a character."""
    if not isinstance(value, str) or not value.strip():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
