"""Rows about what files say of a span of time: stamped with its beginning, labelled with its source."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ingest.journal import Entry
from ingest.rows.table import Block


def facts_block(
    table: str, tags: dict[str, str], start_ms: int, end_ms: int, rows: Sequence[tuple[Entry, dict[str, Any]]]
) -> Block:
    """Rows stamped with the moments of their facts, labelled with their sources; of two with one key the later."""
    kept = {(e.content["source"], e.at_ms): row for e, row in rows}
    return rows_block(
        table, tags, start_ms, end_ms, [(source, at, row) for (source, at), row in kept.items()]
    )


def rows_block(
    table: str,
    tags: dict[str, str],
    start_ms: int,
    end_ms: int,
    rows: Sequence[tuple[str, int, dict[str, Any]]],
) -> Block:
    """A block of (source, moment in ms, fields), of which no two have one key."""
    return Block(
        table,
        tags,
        start_ms * 1000,
        end_ms * 1000,
        np.array([at for _, at, _ in rows], np.int64) * 1000,
        {name: [row[name] for *_, row in rows] for name in (rows[0][2] if rows else ())},
        {} if "source" in tags else {"source": [source for source, *_ in rows]},
    )
