"""What can be read of a journal of which a copy lost some, for the daemon or `hartslag repair` to make a new one of.

Only the first row of a table says which one it is. Behind a gap that is told by the seals, which know one table's rows from
another's; a row of which nobody can tell is left out.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ingest.journal.damage import leave_note
from ingest.journal.schema import create_tables
from ingest.journal.seal import SEALED, is_sealed
from ingest.system.sqlite_dump import heads, load, unpack

_ROW = 0


def load_remains(portions: Iterable[bytes], journal: Path) -> bool:
    """Make a journal of portions of records, of which those that are damaged are empty; False where there is none to be made.

    A note beside it says that it is to be mended. Raises OSError for a full disk.
    """
    rows = 0

    def counted() -> Iterator[list[Any]]:
        nonlocal rows
        for values in _known(portions):
            rows += values[0] == _ROW
            yield values

    try:
        load(counted(), journal)
    except ValueError:
        return False
    leave_note(journal)
    return rows > 0


def _known(portions: Iterable[bytes]) -> Iterator[list[Any]]:
    """The records of which it is known where they belong, each table with its first one before its rows."""
    to_come = {head[1]: head for head in heads(create_tables)}
    table: list[Any] | None = None
    is_known = False
    for portion in portions:
        is_known = is_known and portion != b""
        for values in unpack(portion):
            if values[0] == "table":
                to_come.pop(values[1], None)
                table, is_known = values, True
                yield values
            elif values[0] == _ROW:
                if not is_known:
                    candidates = [head for head in (table, *to_come.values()) if head is not None]
                    found = next((head for head in candidates if _is_of(head, values)), None)
                    if found is None:
                        continue
                    if found is not table:
                        yield to_come.pop(found[1])
                    table, is_known = found, True
                yield values


def _is_of(head: list[Any], values: list[Any]) -> bool:
    """Whether the seal of a row says that it is of a table."""
    _, name, _, columns, numbered = head
    row = values[2:] if numbered else values[1:]
    told = dict(zip(json.loads(columns), row, strict=False))
    wanted = (*SEALED.get(name, ()), "seal")
    return len(told) == len(row) and set(wanted) == told.keys() and is_sealed(name, [told[c] for c in wanted])
