"""A whole file taken apart once: its chained files, their messages and clocks, and what is damaged."""

from dataclasses import dataclass, field

from ingest.errors import Unusable
from ingest.formats.fit.messages import Messages
from ingest.formats.fit.power_on import PowerOn
from ingest.formats.fit.segment import segments
from ingest.formats.fit.timestamps import Timestamps
from ingest.language import N_


@dataclass(frozen=True, slots=True, eq=False)
class ChainedFile:
    """One chained file: nothing of one explains a message of another."""

    messages: Messages
    timestamps: Timestamps


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """The chained files that hold messages."""

    data: bytes
    chained_files: tuple[ChainedFile, ...]
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Odd and harmless."""

    @property
    def power_on(self) -> PowerOn:
        """What any of the chained files tells of the date that a count from power-on meant."""
        return self.chained_files[0].timestamps.power_on


def parse_contents(data: bytes) -> Contents:
    """The contents of the bytes of a file; raises `Unusable` where there is nothing to read."""
    found, faults, notes = segments(data)
    all_messages: list[Messages] = []
    frame_cut = any(fault.startswith(("cut off", "never finished")) for fault in faults)
    chained_files = []
    for segment in found:
        messages = Messages(data, segment.body, segment.end)
        if messages.by_number:
            all_messages.append(messages)
            chained_files.append(ChainedFile(messages, Timestamps(messages, all_messages)))
        if messages.fault:
            faults.append(messages.fault)
        elif messages.cut and not frame_cut:
            faults.append(N_("its last message or definition is cut off"))
    if not chained_files:
        raise Unusable(_nothing(faults))
    return Contents(data, tuple(chained_files), faults, notes)


def _nothing(faults: list[str]) -> str:
    if not faults:
        return N_("There is nothing to read in this FIT file. Copy it from the watch again.")
    words = N_("There is nothing to read in this FIT file ({faults}). Copy it from the watch again.")
    return words.format(faults="; ".join(faults))
