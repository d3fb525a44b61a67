"""Five hundred power cuts at any moment of a household's life, and what was lost by them. Needs strace.

python -m tests.bench.power_cuts [--cuts 500] [--seconds 60] [--seed 1] [--workers 4]
"""

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path

from tests.support.killed_household import Tally
from tests.support.power_cuts import Recorded, cuts, record


def some(
    recorded: Recorded,
    number: int,
    seed: int,
    share: int,
    of: int,
    answers: "multiprocessing.Queue[list[Tally]]",
) -> None:
    """Every `of`-th of the cuts."""
    from ingest import cli, daemon  # noqa: F401 - what it forks shall have it already

    found: list[Tally] = []
    try:
        found.extend(cuts(recorded, number, seed, share, of))
    except BaseException as e:
        found.append(Tally(wrong=[f"the harness itself: {e!r}"]))
        raise
    finally:
        answers.put(found)


def main() -> int:
    """Record one life, then cut it short over and over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cuts", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        began = time.monotonic()
        recorded = record(Path(temporary), chosen.seed, chosen.seconds)
        print(
            f"one life of {chosen.seconds:g} s: {len(recorded.outside) - 1} files, {len(recorded.changes)} changes of the disk",
            flush=True,
        )
        context = multiprocessing.get_context("fork")
        answers: multiprocessing.Queue[list[Tally]] = context.Queue()
        running = [
            context.Process(
                target=some, args=(recorded, chosen.cuts, chosen.seed, i, chosen.workers, answers)
            )
            for i in range(chosen.workers)
        ]
        for process in running:
            process.start()
        tallies = [tally for _ in running for tally in answers.get()]
        for process in running:
            process.join()
    wrong = [w for t in tallies for w in t.wrong]
    print(f"{len(tallies)} power cuts, {time.monotonic() - began:.0f} s: {len(wrong)} wrong")
    for w in wrong:
        print(f"  {w}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
