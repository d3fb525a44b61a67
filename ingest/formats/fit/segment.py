"""The container: one or several FIT files in a row, each a header, messages and a checksum.

Sources: the FIT SDK's "FIT Protocol" (headers of 12 or 14 bytes, chained files, checksums) and files found in the
wild: headers that promise 0 bytes because the watch died, header checksums of 0, files cut off half-way.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from ingest.errors import Unusable
from ingest.formats.fit.crc import crc16
from ingest.language import N_

MARK = b".FIT"
EMPTY = b"\0\xff"
"""What memory holds that was never written."""
EMPTY_RUN = re.compile(rb"[\0\xff]+")
APPLE_DOUBLE = b"\x00\x05\x16\x07"
LONGEST_CHAIN = 1000
"""Files in a row that we read on for; the longest known chain has 7."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Where the messages of one of the chained files are: data[body:end]; `start` is its header."""

    start: int
    body: int
    end: int


def segments(data: bytes) -> tuple[list[Segment], list[str], list[str]]:
    """The chained files of `data`, what is wrong with their frame, and what is odd and harmless there, in words.

    What a program or a firmware left behind a whole file with a right checksum takes nothing from it.

    Raises `Unusable` when `data` is no FIT file at all.
    """
    _refuse(data)
    found, faults, complete, rest = _walk(data)
    if not complete or crc16(data[:rest] if rest < len(data) else data) != 0:
        faults.extend(_wrong_sums(data, found))
    notes = [_of_bytes(_SKIPPED, between)] if (between := _between(found)) else []
    if rest == len(data):
        return found, faults, notes
    behind, count = data[rest:], len(data) - rest
    if faults or MARK in behind or _may_be_header(behind):
        return found, [*faults, _of_bytes(_LEFT_OUT, count)], notes
    words = _PASSED_OVER if behind.strip(EMPTY) else _EMPTY
    return found, [], [*notes, _of_bytes(words, count)]


def _of_bytes(words: tuple[str, str], count: int) -> str:
    return words[count != 1].format(count=count)


_LEFT_OUT = (
    N_("{count} byte after its end is no FIT and was left out"),
    N_("{count} bytes after its end are no FIT and were left out"),
)
_PASSED_OVER = (
    N_("it is whole; {count} byte after its end is no FIT and was passed over"),
    N_("it is whole; {count} bytes after its end are no FIT and were passed over"),
)
_EMPTY = (
    N_("it is whole; {count} byte after its end is empty and was passed over"),
    N_("it is whole; {count} bytes after its end are empty and were passed over"),
)
_SKIPPED = (
    N_("{count} byte between the files chained in it is empty and was passed over"),
    N_("{count} bytes between the files chained in it are empty and were passed over"),
)


def _walk(data: bytes) -> tuple[list[Segment], list[str], bool, int]:
    """The chained files, their faults, whether each has its checksum, and where what is no FIT begins."""
    found: list[Segment] = []
    faults: list[str] = []
    at, size = 0, len(data)
    while at < size:
        start = _next_header(data, at) if found else at
        if start is None:
            return found, faults, True, at
        at, length = start, data[start]
        if len(found) == LONGEST_CHAIN:
            faults.append(
                N_("more than {most} files chained in one; the rest was left unread").format(
                    most=LONGEST_CHAIN
                )
            )
            return found, faults, False, size
        body = at + length
        promised = int.from_bytes(data[at + 4 : at + 8], "little")
        end = body + promised
        if _header_damaged(data, at, length):
            faults.append(N_("the checksum of its header is wrong"))
        if promised == 0 and size > body + 2:
            faults.append(
                N_("never finished: its header says 0 bytes, as when a watch dies; read to the end")
            )
            end = size
        elif end > size:
            words = N_("cut off: its header promises {promised} bytes, {there} are there")
            faults.append(words.format(promised=promised, there=max(size - body, 0)))
            end = size
        elif end + 2 > size:
            faults.append(
                N_("cut off: its checksum is missing")
                if end == size
                else N_("cut off: half of its checksum is missing")
            )
        found.append(Segment(at, min(body, size), end))
        at = end + 2
    return found, faults, at == size, size


def _next_header(data: bytes, at: int) -> int | None:
    """Where the next file begins: here, or behind bytes that are empty; None where something else lies there."""
    run = EMPTY_RUN.match(data, at)
    at = run.end() if run else at
    return at if data[at : at + 1] >= b"\x0c" and data[at + 8 : at + 12] == MARK else None


def _between(found: list[Segment]) -> int:
    """How many bytes lie between the chained files."""
    return sum(later.start - (file.end + 2) for file, later in pairwise(found))


def _may_be_header(rest: bytes) -> bool:
    """Whether another file may begin here: cut off within its header, or with some of it damaged."""
    if rest[0] not in (12, 14):
        return False
    if len(rest) < 12:
        return MARK.startswith(rest[8:])
    alike = sum(a == b for a, b in zip(rest[8:12], MARK, strict=True))
    return alike >= 3 or rest[0] + int.from_bytes(rest[4:8], "little") + 2 == len(rest)


def looks_whole(data: bytes) -> bool:
    """Whether nothing of a FIT file is missing: every chained file complete, every checksum right."""
    try:
        return not segments(data)[1]
    except Unusable:
        return False


def _refuse(data: bytes) -> None:
    if not data:
        raise Unusable(N_("The file is empty. Copy it from the watch again."))
    if data[:4] == APPLE_DOUBLE:
        raise Unusable(
            N_(
                "This is a side file that macOS writes beside a copy (AppleDouble), not the FIT file itself. "
                "It can be deleted; the file of the same name without the leading ._ is the one to bring."
            )
        )
    if len(data) < 12 or data[0] < 12 or data[8:12] != MARK:
        raise Unusable(
            N_("This is not a FIT file: it does not begin as one. Bring the .fit file of the watch itself.")
        )


def _header_damaged(data: bytes, at: int, length: int) -> bool:
    """Headers of 14 bytes carry their own checksum; 0 means that it was not set."""
    if length < 14 or len(data) < at + 14:
        return False
    return data[at + 12 : at + 14] != b"\0\0" and crc16(data[at : at + 14]) != 0


def _wrong_sums(data: bytes, found: list[Segment]) -> list[str]:
    """One sentence per chained file whose own checksum is there and wrong."""
    wrong = []
    for i, segment in enumerate(found):
        if segment.end + 2 <= len(data) and crc16(data[segment.start : segment.end + 2]) != 0:
            words = (
                N_(
                    "the checksum of chained file {number} of {files} is wrong: some bytes are not what the watch wrote"
                )
                if len(found) > 1
                else N_("the checksum is wrong: some bytes are not what the watch wrote")
            )
            wrong.append(words.format(number=i + 1, files=len(found)))
    return wrong
