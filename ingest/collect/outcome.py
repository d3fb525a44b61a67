"""What became of a file that arrived, and who is told of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.language import N_, Text
from ingest.log import quoted


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one FIT file; times in ms since 1970, UTC."""

    file: str
    outcome: str
    person: str
    samples: int
    beats: int
    first_ms: int | None
    last_ms: int | None
    reason: str
    member: str = ""

    def shown(self, path: Path) -> str:
        """Its name as its owner gave it: the path, and within a zip the member's."""
        return f"{path}/{self.member}" if self.member else str(path)

    @property
    def sentence(self) -> str:
        """What became of the file, in a line."""
        what = f"{self.outcome} {quoted(self.file)} of {self.person}"
        if self.samples or self.beats:
            what += f": {self.samples} samples" + (f", {self.beats} beats" if self.beats else "")
        return f"{what}. {self.reason}" if self.reason else f"{what}."


def _nothing(_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Is told while an arrival is taken: of each FIT file in it, and in the end of the files that were passed over."""

    came: Callable[[Outcome], None] = _nothing
    passed_over: Callable[[dict[str, int]], None] = _nothing


NOBODY_LOOKS = Onlooker()

_KINDS_TOLD = 4


NOT_READ_HERE = {".gpx", ".tcx"}
"""Ends of names of workouts that are not read here, and may be had as FIT."""


def kinds_text(beside: Mapping[str, int]) -> str:
    """Of which kinds most files are, by the ends of their names: `40 .json, 1 .csv`."""
    known = sorted(((count, ending) for ending, count in beside.items() if ending), reverse=True)
    kinds = [f"{count} {ending}" for count, ending in known[:_KINDS_TOLD]]
    kinds += ["..."] if beside.get("") or len(known) > _KINDS_TOLD else []
    return ", ".join(kinds)


def passed_over_text(beside: dict[str, int]) -> Text:
    """What is said of files in a zip that were passed over: how many, and of which kinds most."""
    kinds = kinds_text(beside)
    if beside.keys() & NOT_READ_HERE:
        words = N_(
            "Other files in it, which were passed over: {count} ({kinds}). GPX and TCX are not read here: have those workouts"
            " exported as FIT."
        )
    else:
        words = N_("Other files in it, which were passed over: {count} ({kinds}).")
    return Text(words, count=sum(beside.values()), kinds=kinds)
