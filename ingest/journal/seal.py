"""The checksum of a row: a card that is wearing out changes bytes in silence, and SQLite's pages carry none of their own."""

from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32, decompress
from zlib import error as zlib_error

SEALED: dict[str, tuple[str, ...]] = {
    "person": ("id", "name"),
    "source": ("id", "person", "name", "kind", "rank"),
    "arrival": (
        "id", "person", "path", "sha256", "received_ms", "kept", "ended", "destination", "reason", "filed",
    ),
    "file": (
        "id", "arrival", "member", "person", "sha256", "identity", "digest", "outcome", "reason", "samples", "beats",
        "first_ms", "last_ms", "replaced_by",
    ),
    "entry": (
        "position", "person", "what", "at_ms", "first_ms", "last_ms", "recorded_ms", "file", "content",
    ),
    "chunk": (
        "position", "person", "source", "file", "first_ms", "last_ms", "end_ms", "samples", "beats", "times_first_ms",
        "times", "bpm", "beats_first_ms", "beat_times", "rr", "pauses", "movement", "connection", "steady_ms", "notified",
        "notifications", "packing",
    ),
    "connection": ("id", "source", "boot", "began_ms", "characteristic"),
    "clock": ("id", "boot", "steady_ms", "wall_ms", "synchronized", "offset_ms", "believed", "position"),
    "run": ("first_position", "generation"),
}  # fmt: skip
"""The columns of each table that carries seals, the number of the row in front. Never reordered: seals go by it."""


def seal_of(table: str, row: Iterable[Any]) -> int:
    """The checksum of a row's values, in the order of `SEALED`. It tells the rows of one table from those of another, too."""
    told = list(row)
    crc = crc32(table.encode())
    for at, value in enumerate(told):
        if type(value) is bytes:
            crc = crc32(value, crc)
            told[at] = len(value)
    return crc32(repr(told).encode(), crc)


_KINDS = {
    "person": "it", "source": "iitti", "arrival": "iitbiiiTTi", "file": "iitibTBttiiIII", "entry": "iitiIIiIT",
    "chunk": "iiiIiiiiiIBBIBBBBIIIBi", "connection": "iitit", "clock": "itiiiiti", "run": "it",
}  # fmt: skip
"""What may stand in each column: i an integer, t a text, b bytes; a capital where it may be empty."""
_TYPES = {"i": int, "t": str, "b": bytes}


def is_whole(table: str, row: Sequence[Any]) -> bool:
    """Whether a row is as it was written. An earlier version that still runs writes none of the seals: its rows look as such."""
    if row[-1] is not None:
        return bool(row[-1] == seal_of(table, row[:-1]))
    return all(
        type(value) is _TYPES[kind.lower()] or (value is None and kind.isupper())
        for value, kind in zip(row[:-1], _KINDS[table], strict=True)
    )


def is_sealed(table: str, row: Sequence[Any]) -> bool:
    """Whether a row, its seal as the last value, is as it was written."""
    return bool(row[-1] == seal_of(table, row[:-1]))


def is_readable(table: str, row: Sequence[Any]) -> bool:
    """Whether the columns of a chunk can be unpacked; nothing else can be told of a row without a seal."""
    if table != "chunk":
        return True
    try:
        for value in row:
            if isinstance(value, bytes):
                decompress(value)
    except zlib_error:
        return False
    return True


def columns_of(table: str, alias: str = "") -> str:
    """All sealed columns and the seal, for a SELECT."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(f"{prefix}{name}" for name in (*SEALED[table], "seal"))


def insertion(table: str) -> str:
    """The statement that inserts a row with its seal."""
    names = (*SEALED[table], "seal")
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
