"""Which device wrote a FIT file, from its first bytes alone: for who wants to know whose it is, and no more.

Source: FIT SDK, "FIT Protocol"; a file begins with the message `file_id` (0), whose field 3 is the serial number.
"""

HEAD_BYTES = 1024
"""More than the header, a definition and its first message take."""

_DEFINITION, _WITH_DEVELOPER_FIELDS, _COMPRESSED = 0x40, 0x20, 0x80
_SERIAL = 3


def read_serial(head: bytes) -> str:
    """The serial number in the first message of a file, as digits; "" where there is none, whatever the bytes are."""
    try:
        at = head[0]
        if head[8:12] != b".FIT" or not head[at] & _DEFINITION or head[at] & _COMPRESSED:
            return ""
        order = "big" if head[at + 2] else "little"
        number = int.from_bytes(head[at + 3 : at + 5], order)  # type: ignore[arg-type]  # mypy sees a str
        fields = head[at + 6 : at + 6 + 3 * head[at + 5]]
        begin = at + 6 + len(fields)
        if head[at] & _WITH_DEVELOPER_FIELDS:
            begin += 1 + 3 * head[begin]
        begin += 1  # the header of the message itself
        for kind, size in zip(fields[::3], fields[1::3], strict=True):
            if kind == _SERIAL and size == 4 and number == 0:
                found = head[begin : begin + 4]
                serial = int.from_bytes(found, order)  # type: ignore[arg-type]
                return str(serial) if len(found) == 4 and 0 < serial < 0xFFFFFFFF else ""
            begin += size
    except (IndexError, ValueError):
        return ""
    return ""
