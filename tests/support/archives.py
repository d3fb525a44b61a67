"""Archives as tests need them."""

import io
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast


def zipped(*files: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of (name, bytes), the same name as often as given."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as z, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "Duplicate name", which is what is wanted
        for name, data in files:
            z.writestr(name, data)
    return out.getvalue()


@contextmanager
def spooled(pieces: Iterable[bytes]) -> Iterator[BinaryIO]:
    """What comes piece by piece, as a file that can be read here and there."""
    with tempfile.TemporaryFile() as kept:
        for piece in pieces:
            kept.write(piece)
        kept.seek(0)
        yield cast("BinaryIO", kept)
