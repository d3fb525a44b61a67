"""What work costs: seconds of the processor, and memory on top of what was there before."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """The least of a few runs, so that who else uses the machine makes no difference."""

    cpu_s: float
    peak_mib: float


def memory_mib(name: str) -> float:
    """A line of /proc/self/status: VmRSS, or VmHWM for the most that there was. `getrusage` tells the most of who started us, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


def cost_of(work: Callable[[], object], runs: int) -> Cost:
    """What work costs that is done in this process, once its imports and caches are there."""
    work()
    found = []
    for _ in range(runs):
        Path("/proc/self/clear_refs").write_text("5")  # VmHWM begins anew (proc(5))
        before, begun = memory_mib("VmRSS"), time.process_time()
        work()
        found.append((time.process_time() - begun, memory_mib("VmHWM") - before))
    return Cost(min(seconds for seconds, _ in found), min(peak for _, peak in found))
