"""The ownership marker: a row on the server that says of which journal a site's rows are."""

import numpy as np

from ingest.rows.table import REAL
from ingest.stores.influx.lines import encode_lines

MARKER = "replica"
"""The measurement it is in."""

MARKER_US = 631_152_000_000_000
"""1990-01-01: as old as a sample in a file of a watch can be. A server that drops old data drops the marker."""


def marker_line(journal: str, site: str) -> bytes:
    """The line (precision s) that says that a site's rows ('' for no site) are of the journal with that id."""
    tags = {"journal": journal, "site": site}
    (line,) = encode_lines(
        MARKER, tags, np.array([MARKER_US], dtype=np.int64), {"version": [1.0]}, {"version": REAL}
    )
    return line


CANARY_US = MARKER_US + 60_000_000
"""When the row is of that is written to see what becomes of it, and whether it can be taken away."""


def canary_line(site: str) -> bytes:
    """The line (precision s) of a row of a site that may be there or not."""
    (line,) = encode_lines(
        MARKER, {"site": site}, np.array([CANARY_US], dtype=np.int64), {"canary": [1.0]}, {"canary": REAL}
    )
    return line
