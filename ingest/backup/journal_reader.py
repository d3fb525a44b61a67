"""Reads the journal in a process of its own, and sends what it holds as records.

Whoever writes to a stick or a share may hang there for good, and could not even be killed. Who reads the journal keeps its
write-ahead log from being begun anew: so that is somebody else, who ends with the pipe.
"""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ingest.errors import HartslagError, TryLater
from ingest.language import N_, Text
from ingest.system.sqlite_dump import dump

_LENGTH = struct.Struct("<i")
_END, _WRONG = 0, -1

IDENTITY = "SELECT journal FROM identity"


def journal_records(journal: Path) -> Iterator[bytes]:
    """The records of the journal, all of one moment. Raises TryLater when it cannot be read to its end."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-m", "ingest.backup.journal_reader", str(journal)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as reader:
        assert reader.stdout is not None
        try:
            yield from _received(reader.stdout, journal)
        finally:
            reader.kill()


def _received(stream: IO[bytes], journal: Path) -> Iterator[bytes]:
    while len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        if length == _END:
            return
        if length == _WRONG:
            raise TryLater(_text(json.loads(stream.read())))
        record = stream.read(length)
        if len(record) < length:
            break
        yield record
    words = N_(
        "No copy is made, as the process that reads the journal {journal} was ended. It is tried again."
    )
    raise TryLater(Text(words, journal=journal))


def _send(journal: Path, out: IO[bytes]) -> None:
    try:
        for record in dump(journal, first=IDENTITY):
            out.write(_LENGTH.pack(len(record)))
            out.write(record)
        out.write(_LENGTH.pack(_END))
    except (HartslagError, OSError) as e:
        out.write(_LENGTH.pack(_WRONG))
        text = e.text if isinstance(e, HartslagError) else str(e)
        out.write(json.dumps(sayable(text)).encode())
    out.flush()


def sayable(text: str) -> dict[str, object]:
    """A text as plain data, so that it can be said in any language elsewhere."""
    if isinstance(text, Text):
        return {"text": text.template, "values": {k: str(v) for k, v in text.values.items()}}
    return {"text": "{said}", "values": {"said": str(text)}}


def _text(data: dict[str, object]) -> Text:
    values = data["values"]
    assert isinstance(values, dict)
    return Text(str(data["text"]), **values)


if __name__ == "__main__":
    try:
        _send(Path(sys.argv[1]), sys.stdout.buffer)
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(1)  # whoever asked has gone
