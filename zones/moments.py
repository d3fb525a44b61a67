"""Moments and lengths of time as whole milliseconds: the only form in which `zones` counts."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

MILLISECONDS = np.dtype("datetime64[ms]")

Moment = int | datetime | np.datetime64
"""One moment: milliseconds since 1970, an aware datetime, or a datetime64 (UTC)."""

Length = timedelta | np.timedelta64 | float
"""How long: a timedelta of either kind, or a number of seconds."""

Integer = TypeVar("Integer", bound=np.integer[Any])

FOREVER = np.iinfo(np.int64).max
ALWAYS = np.iinfo(np.int64).min


def milliseconds(moments: ArrayLike) -> NDArray[np.int64]:
    """A column of moments as int64 milliseconds since 1970; a view, not a copy, of datetime64[ms].

    Raises TypeError for what is neither datetime64 nor whole numbers.
    """
    column: NDArray[Any] = np.asarray(moments)
    if column.dtype.kind == "M":
        return column.astype(MILLISECONDS, copy=False).view(np.int64)
    if column.size and column.dtype.kind not in "iu":
        raise TypeError(f"moments are datetime64 or whole milliseconds, not {column.dtype}")
    return column.astype(np.int64, copy=False)


def distinct(column: NDArray[Integer]) -> NDArray[Integer]:
    """The whole numbers of a column in order, each once.

    As `np.unique`, which imports numpy.ma for it: 10 ms, a tenth of what importing numpy takes.
    """
    column = np.sort(column)
    return column[np.append(True, column[1:] != column[:-1])] if len(column) else column


def are_among(column: NDArray[Integer], others: NDArray[Integer]) -> NDArray[np.bool_]:
    """Which whole numbers of a column are others, too: as `np.isin`, which may import numpy.ma for it."""
    found = distinct(others)
    if not len(found):
        return np.zeros(len(column), np.bool_)
    is_found: NDArray[np.bool_] = found[np.minimum(np.searchsorted(found, column), len(found) - 1)] == column
    return is_found


def moment_ms(moment: Moment) -> int:
    """One moment in milliseconds since 1970, fractions cut off downwards; ValueError for a datetime without a zone."""
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone")
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    if isinstance(moment, np.datetime64):
        return int(moment.astype(MILLISECONDS).astype(np.int64))
    return int(moment)


def length_ms(length: Length, least: int = 1) -> int:
    """A length of time in whole milliseconds; ValueError for less than `least` of them."""
    if isinstance(length, timedelta):
        ms = length // timedelta(milliseconds=1)
    elif isinstance(length, np.timedelta64):
        ms = int(length.astype("timedelta64[ms]").astype(np.int64))
    else:
        ms = round(length * 1000)
    if ms < least:
        raise ValueError(f"a length of time of {length}: at least {least} ms is needed")
    return ms
