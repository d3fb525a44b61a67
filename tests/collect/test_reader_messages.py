"""What the daemon believes of what its reading process says: plain data of the kinds it knows, and nothing else."""

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.collect.reader_messages import checked, unpacked
from ingest.formats.recording import Columns, Fact, Part, Recording
from tests.support.recordings import same
from zones.series import Series


def call(module: str, name: str, argument: str) -> bytes:
    """A pickle that asks for module.name(argument)."""

    def text(value: str) -> bytes:
        return pickle.SHORT_BINUNICODE + struct.pack("<B", len(value)) + value.encode()

    return (
        b"\x80\x04"
        + text(module)
        + text(name)
        + pickle.STACK_GLOBAL
        + text(argument)
        + pickle.TUPLE1
        + pickle.REDUCE
        + pickle.STOP
    )


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("subprocess", "getoutput"),
        ("numpy", "load"),
        ("numpy.testing", "rundocs"),
        ("ingest.collect.reader_process", "os.system"),
        ("ingest.formats.recording", "np.testing._private.utils.os.system"),
        ("ingest.formats.recording", "np.fromfile"),
        ("ingest.formats.recording", "dataclass"),
        ("zones.spans", "np.save"),
        ("zones.series", "milliseconds"),
        ("ingest.journal.reader", "Path"),
    ],
)
def test_an_answer_can_make_nothing_but_our_records(module: str, name: str, tmp_path: Path) -> None:
    """A file that took over the reading process can still run nothing in the daemon."""
    trace = tmp_path / "ran"
    with pytest.raises(ValueError, match="none of ours"):
        unpacked(call(module, name, f"touch {trace}"))
    assert not trace.exists()


def test_our_own_records_pass() -> None:
    """The gate lets through everything that a reader may answer."""
    times = np.array([1, 2], "datetime64[ms]")
    columns = Columns(Series(times, np.array([60, 61], np.uint8)), 3, times, np.array([1, 1], np.float32))
    parts = [Part("watch", "activity", 2, [columns])]
    file = Recording("one", b"digest", True, parts, [Fact("check", 1, 2, {"edges": (1, 2)})], 2, 2, (1, 2))
    assert same(unpacked(pickle.dumps(file, protocol=5)), file)


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        (),
        ("member",),
        ("member", "a"),
        ("member", b"a", b"b"),
        ("other", "a", b"b"),
        ("member", "a", None),
    ],
)
def test_a_message_is_of_its_kind_or_none(message: Any) -> None:
    """What has fields of other types than its kind would end the daemon further on."""
    with pytest.raises(ValueError, match="member"):
        checked(message, "member", str, bytes)


def test_texts_can_be_written_down() -> None:
    """Halves of characters, which no honest zip has, cannot be written into the journal as they are."""
    assert checked(("member", "a\ud800b", b""), "member", str, bytes) == ["a\\ud800b", b""]
