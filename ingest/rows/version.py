"""The version of the rows: a store that was filled under another one is filled anew."""

from collections.abc import Mapping
from zlib import crc32

from ingest.rows.table import TABLES, Table

COMPUTATION = 16
"""Raised whenever rows come out of the same journal otherwise than before, or a store keeps them otherwise.

`tests/rows/test_version.py` fails where this was forgotten.
"""


def rows_version(tables: Mapping[str, Table] = TABLES) -> int:
    """The number that a store keeps beside its position; the names, tags and types of all columns are part of it."""
    columns = {name: (table.tags, dict(table.fields)) for name, table in tables.items()}
    return COMPUTATION << 32 | crc32(repr(columns).encode())
