"""What the daemon and its reading process say to each other: a length, and a tuple of plain data that is believed no further than its types."""

import io
import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest.formats.recording import Recording

LENGTH = struct.Struct("<Q")
"""What each message begins with: how many bytes follow."""

READ, PASS, GIVE = "read", "pass", "give"
"""What shall be done with a member that was unpacked: read it, pass it over, or hand over its bytes."""

MOST_MEMBERS = 100_000
"""Of recordings in a zip: a watch that is worn day and night writes a dozen files a day, and an account has ten years of them."""


def most_spooled_bytes(size: int) -> int:
    """How much of what an arrival of so many bytes unfolds to may be kept outside of memory at once: packed zips within it."""
    return 20 * size + (64 << 20)


@dataclass(frozen=True, slots=True)
class ReadMember:
    """A member of what arrived ('' for the arrival itself): its recording, or the fault for which it has none.

    Of a member that was unpacked and then not read for its fault, `data` are its bytes.
    """

    name: str
    sha256: bytes
    recording: Recording | None = None
    fault: str = ""
    data: bytes = b""


Choice = Callable[[str, bytes, int], str]
"""What shall be done with a member of that name, sha256 and size: READ, PASS or GIVE."""


def packed(message: tuple[Any, ...]) -> bytes:
    """A message as it goes through a pipe."""
    content = pickle.dumps(message, protocol=5)
    return LENGTH.pack(len(content)) + content


class _Records(pickle.Unpickler):
    """Makes our own records and numpy arrays, and nothing else whatever the message asks for."""

    def find_class(self, module: str, name: str) -> Any:
        ours = module in {"ingest.formats.recording", "zones.series", "zones.spans"}
        numpys = module.split(".", maxsplit=1)[0] == "numpy" and name in {
            "ndarray",
            "dtype",
            "datetime64",
            "_reconstruct",
            "scalar",
            "_frombuffer",
        }
        if (ours and name.isidentifier()) or numpys:  # a dotted name would lead on into what a module imports
            found = super().find_class(module, name)
            if numpys or (isinstance(found, type) and found.__module__ == module):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is none of ours")


def unpacked(content: bytes) -> Any:
    """What a message of the reading process holds. Raises ValueError for what is no such message."""
    try:
        return _Records(io.BytesIO(content)).load()
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        ImportError,
        LookupError,
    ) as e:
        raise ValueError(str(e)) from e


def checked(message: Any, kind: str, *types: type) -> list[Any]:
    """What stands in a message of that kind, of exactly these types; texts are made fit to be kept. Raises ValueError."""
    if not (isinstance(message, tuple) and len(message) == len(types) + 1 and message[0] == kind):
        raise ValueError(f"no {kind}")
    for value, wanted in zip(message[1:], types, strict=True):
        if type(value) is not wanted:
            raise ValueError(f"{type(value).__name__} in a {kind}")
    return [_plain(value) if isinstance(value, str) else value for value in message[1:]]


def _plain(text: str) -> str:
    """A text that can be written down anywhere: halves of characters are written out."""
    return text.encode("utf-8", "backslashreplace").decode()
