"""Reading what straps notified: unpacked, decoded and dated."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from ingest.errors import Stop
from ingest.formats.characteristics import CHARACTERISTICS
from ingest.formats.measurements import Measurements
from ingest.formats.recording import Columns
from ingest.journal.columns import PACKING
from ingest.journal.entry import STANDS_MS
from ingest.journal.notifications import Notifications
from zones.series import TIMES, Series
from zones.spans import Spans

STRAP_COLUMNS = "n.boot, n.began_ms, n.characteristic, c.packing, c.notifications, c.steady_ms, c.notified"
"""What `unpack_rows` needs of a chunk `c` of the connection `n`."""


def unpack_rows(rows: Sequence[Sequence[Any]]) -> Notifications:
    """The notifications of rows (`STRAP_COLUMNS`) of one connection.

    Raises Stop for a packing that this version does not know, ValueError or zlib.error for damaged ones.
    """
    for packing in {row[3] for row in rows}:
        check_packing(packing)
    boot, began_ms, characteristic = rows[0][:3]
    return unpack_parts(boot, began_ms, characteristic, [(blob, at, n) for *_, blob, at, n in rows])


def unpack_parts(
    boot: str, began_ms: int, characteristic: str, parts: Sequence[tuple[bytes, int, int]]
) -> Notifications:
    """The notifications of one connection, of (blob, steady clock of the first, how many there are) of each part."""
    # By the steady clock; stable: within a millisecond the earlier position goes first.
    in_order = sorted(parts, key=itemgetter(1))
    return Notifications.unpack(boot, began_ms, in_order, characteristic)


def check_packing(packing: int) -> None:
    """Raise Stop where a newer version of the program packed a chunk in another way."""
    if packing != PACKING:
        raise _unknown(f"chunks packed in a way ({packing})")


def decode_notifications(notifications: Notifications) -> Measurements:
    """What notifications say, by the decoder of their characteristic. Raises Stop where there is none."""
    characteristic = CHARACTERISTICS.get(notifications.characteristic)
    if characteristic is None:
        raise _unknown(f"notifications of a characteristic ({notifications.characteristic})")
    return characteristic.decode(notifications.lengths, notifications.octets)


def _unknown(what: str) -> Stop:
    return Stop(
        f"The journal holds {what} that this version of hartslag does not know. Install the version that wrote it again."
    )


def decode_columns(notifications: Notifications, ahead_ms: int) -> Columns:
    """What notifications say, dated: the wall clock is that much ahead of the steady one. Raises Stop.

    What cannot be decoded says nothing. Of several samples within one millisecond, as they come after a stall, the last
    one stands; all intervals are there.
    """
    measured = decode_notifications(notifications)
    at = notifications.steady_ms + ahead_ms
    felt = measured.bpm > 0
    tells, off = measured.contact >= 0, measured.contact == 0
    return Columns(
        Series.of(at[felt].view(TIMES), measured.bpm[felt]),
        int(at[-1]) + STANDS_MS,
        at[measured.payload].view(TIMES),
        measured.rr_ms,
        contact=Spans.of(at[off], at[off] + 1) if tells.any() else None,
    )
