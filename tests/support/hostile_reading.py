"""A reading process in which files of one more format do whatever they say: what a file could do that has taken it over.

Such a file begins with `HOSTILE`; Python follows, and what that leaves in `told` is the reason for which the file is refused.
"""

import socket  # noqa: F401
import sys

from ingest.collect import reading
from ingest.errors import Unusable
from ingest.formats import file_formats, fit
from ingest.formats.recording import Recording

MARK = b"HOSTILE\n"

_HOST = "localhost".encode("idna")  # loads how Python writes the name of a host


def hostile(code: str) -> bytes:
    """A file that does that when it is read."""
    return MARK + code.encode()


def _do(data: bytes) -> Recording:
    told: dict[str, object] = {"told": ""}
    exec(data.removeprefix(MARK), told)
    raise Unusable(str(told["told"]))


def run() -> None:
    """Be the reading process."""
    known = file_formats.FileFormat(
        "hostile", (".hostile",), lambda d: d.startswith(MARK), lambda _: True, _do, fit.trial_file
    )
    file_formats.FORMATS += (known,)
    reading.main(*map(int, sys.argv[1:]))


if __name__ == "__main__":
    run()
