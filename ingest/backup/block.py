"""A block: bytes that are known by what they hold, so that whatever is the same is kept once."""

import zlib
from hashlib import blake2b

ID_BYTES = 20

_LEVEL = 1
"""Of zlib: what is worth packing gets most of it, and a Pi Zero packs 10 MB a second."""

_LEAST_GAIN = 0.95


class Damaged(Exception):  # noqa: N818 - the bytes are, and nobody did wrong
    """What is read is not what was written."""


def block_id(data: bytes) -> bytes:
    """What a block is known by. BLAKE2, as the processors of small Pis have no instructions for SHA-256."""
    return blake2b(data, digest_size=ID_BYTES).digest()


def packed(data: bytes) -> bytes:
    """The bytes to be written; shorter where that is worth it."""
    short = zlib.compress(data, _LEVEL)
    return short if len(short) < len(data) * _LEAST_GAIN else data


def unpacked(written: bytes, size: int, known_by: bytes) -> bytes:
    """The block again. Raises Damaged unless it is what it was."""
    data = written
    if len(written) != size:
        unpacking = zlib.decompressobj()
        try:
            data = unpacking.decompress(written, size)
        except zlib.error as e:
            raise Damaged from e
    if len(data) != size or block_id(data) != known_by:
        raise Damaged
    return data
