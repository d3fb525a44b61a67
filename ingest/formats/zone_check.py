"""The seconds per zone that a watch wrote into its file, beside ours: apart from all that reads files, for who only looks."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ZoneCheck:
    """The watch's seconds per zone beside ours, with the watch's own edges: the judge in the file."""

    start: np.datetime64
    end: np.datetime64
    edges: tuple[int, ...]
    watch_s: tuple[float, ...]
    """`len(edges) + 1` of them, lowest zone first; as are `ours_s`."""
    ours_s: tuple[float, ...]
    edges_from: str = "time_in_zone"
    """The message that gave the edges: `time_in_zone`, `hr_zone`, or `zones_target`, whose usual zones agree with the seconds."""
    rule: str = "upper"
    """Whether its writer counts a bpm equal to an edge to the zone above, or (`lower`) to that below: then the edges here are one
    higher than what it wrote."""

    @property
    def deviation(self) -> float:
        """Sum over the zones of |ours - watch|, as a fraction of the watch's total."""
        total = sum(self.watch_s)
        off = sum(abs(a - b) for a, b in zip(self.ours_s, self.watch_s, strict=True))
        return off / total if total else 0.0
