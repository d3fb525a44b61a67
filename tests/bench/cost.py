"""What work costs: seconds of the processor, and memory on top of what was there before."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """Seconds of the least of a few runs, so that who else uses the machine makes no difference, and the memory of the first."""

    cpu_s: float
    peak_mib: float


def memory_mib(name: str) -> float:
    """A line of /proc/self/status: VmRSS, or VmHWM for the most that there was. `getrusage` tells the most of who started us, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


def cost_of(work: Callable[[], object], runs: int) -> Cost:
    """What work costs that is done in this process, whose imports are there; what allocators keep of the first run is new in none after it."""
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM begins anew (proc(5))
    before = memory_mib("VmRSS")
    work()
    peak = memory_mib("VmHWM") - before
    seconds = []
    for _ in range(runs):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return Cost(min(seconds), peak)
