"""Recordings compared by what they hold."""

from typing import Any

import numpy as np


def same(a: Any, b: Any) -> bool:
    """Whether two answers hold the same values; arrays by value, records field by field."""
    if isinstance(a, np.ndarray):
        return bool(a.dtype == b.dtype and np.array_equal(a, b))
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, f), getattr(b, f)) for f in a.__dataclass_fields__)
    return bool(a == b)
