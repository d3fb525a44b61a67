"""A heart rate that an app on the watch wrote as its own field, used where the watch wrote none.

A `field_description` message (206) says which developer field stands in for which native one: 0 developer_data_index,
1 field_definition_number, 2 fit_base_type_id, 14 native_mesg_num, 15 native_field_num (FIT SDK, "Developer Data").
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.definition import Definition
from ingest.formats.fit.messages import Messages

FIELD_DESCRIPTION, RECORD, HEART_RATE = 206, 20, 3
KINDS = {
    0x01: "i1",
    0x02: "u1",
    0x0A: "u1",
    0x83: "i2",
    0x84: "u2",
    0x8B: "u2",
    0x85: "i4",
    0x86: "u4",
    0x88: "f4",
}
"""numpy's words for the base types a heart rate can come in; 0x0D and strings are not numbers."""


def developer_heart_rate(
    messages: Messages, definition: Definition, native: NDArray[Any] | None
) -> NDArray[Any] | None:
    """The native column with its gaps (255) filled from a developer field that stands in for it, if any does."""
    if native is not None and not (native == 255).any():
        return native
    meant = _stand_ins(messages)
    for number, offset, size, developer in definition.developer_fields():
        kind = meant.get((developer, number))
        if kind is None or np.dtype(kind).itemsize != size:
            continue
        own = in_bytes(definition.column(messages.data, offset, kind))
        return own if native is None else np.where(native == 255, own, native)
    return native


def in_bytes(value: NDArray[Any]) -> NDArray[np.uint8]:
    """Heart rates of any kind as bytes: 255 where none was written."""
    with np.errstate(invalid="ignore"):
        written = (value >= 0) & (value != 255)
        if value.dtype.kind in "iu" and value.dtype.itemsize > 1:
            written &= value != np.iinfo(value.dtype).max
        # What no byte holds is no heart rate, and yet not the byte that says that none was written.
        return np.where(written, np.minimum(value, 254), 255).astype(np.uint8)


def number_kind(base: int) -> str | None:
    """Numpy's word for a base type that a heart rate can come in."""
    return _ANY_KIND.get(base | 0x80)


def _stand_ins(messages: Messages) -> dict[tuple[int, int], str]:
    """(index of the developer, number of the field) -> kind, of the fields that stand in for record's heart rate."""
    data = messages.data
    found: dict[tuple[int, int], str] = {}
    for definition in messages.definitions_of(FIELD_DESCRIPTION):
        columns = [definition.value(data, number, size) for number, size in ((0, 1), (1, 1), (2, 1), (15, 1))]
        if any(column is None for column in columns):
            continue
        about = definition.value(data, 14, 2)
        message = np.full(len(definition), RECORD, dtype=np.int64) if about is None else about
        developer, number, base, native = (column.tolist() for column in columns if column is not None)
        for i in range(len(definition)):
            kind = number_kind(base[i])
            if native[i] == HEART_RATE and int(message[i]) in (RECORD, 0xFFFF) and kind is not None:
                found[developer[i], number[i]] = kind
    return found


_ANY_KIND = {base | 0x80: kind for base, kind in KINDS.items()}
"""Some writers leave out the bit that says "more than one byte"."""
