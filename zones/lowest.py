"""The lowest value in each of many stretches of a column, however they overlap."""

import numpy as np
from numpy.typing import NDArray


class Lowest:
    """The lowest of any stretch of at most `widest` values, from those of all stretches of 1, 2, 4 ... values."""

    def __init__(self, values: NDArray[np.int64], widest: int) -> None:
        found = [values]
        width = 1
        while 2 * width <= widest:
            last = found[-1]
            found.append(np.append(np.minimum(last[:-width], last[width:]), last[len(last) - width :]))
            width *= 2
        self._table = np.stack(found)

    def between(self, first: NDArray[np.intp], behind: NDArray[np.intp]) -> NDArray[np.int64]:
        """The lowest (int64) in each [first, behind), indices of values; none of them empty or longer than `widest`."""
        level = np.frexp(behind - first)[1] - 1
        found: NDArray[np.int64] = np.minimum(
            self._table[level, first], self._table[level, behind - (1 << level)]
        )
        return found
