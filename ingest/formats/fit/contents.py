"""A whole file taken apart once: its chained files, their messages and clocks, and what is damaged."""

from dataclasses import dataclass, field

from ingest.errors import Unusable
from ingest.formats.fit.clock import Clock
from ingest.formats.fit.messages import Messages
from ingest.formats.fit.segment import segments


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One chained file: nothing of one explains a message of another."""

    messages: Messages
    clock: Clock


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """The chained files that hold messages."""

    data: bytes
    parts: tuple[Part, ...]
    faults: list[str] = field(default_factory=list)


def take_apart(data: bytes) -> Contents:
    """The contents of the bytes of a file; raises `Unusable` where there is nothing to read."""
    found, faults = segments(data)
    frame_cut = any(fault.startswith(("cut off", "never finished")) for fault in faults)
    parts = []
    for segment in found:
        messages = Messages(data, segment.body, segment.end)
        if messages.by_number:
            parts.append(Part(messages, Clock(messages)))
        if messages.fault:
            faults.append(messages.fault)
        elif messages.cut and not frame_cut:
            faults.append("its last message or definition is cut off")
    if not parts:
        raise Unusable(_nothing(faults))
    return Contents(data, tuple(parts), faults)


def _nothing(faults: list[str]) -> str:
    because = f" ({'; '.join(faults)})" if faults else ""
    return f"There is nothing to read in this FIT file{because}. Copy it from the watch again."
