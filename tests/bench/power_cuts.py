"""Five hundred power cuts at any moment of a household's life, and what was lost by them. Needs strace.

python -m tests.bench.power_cuts [--cuts 500] [--seconds 60] [--seed 1] [--workers 4]
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.killed_household import Tally
from tests.support.power_cuts import Recorded, cuts, record


def some(
    recorded: Recorded,
    number: int,
    seed: int,
    share: int,
    of: int,
    answers: "multiprocessing.Queue[Tally | None]",
) -> None:
    """Every `of`-th of the cuts; None once they are done."""
    from ingest import cli, daemon  # noqa: F401 - what it forks shall have it already

    try:
        for tally in cuts(recorded, number, seed, share, of):
            answers.put(tally)
    except BaseException as e:
        answers.put(Tally(wrong=[f"the harness itself: {e!r}"]))
        raise
    finally:
        answers.put(None)


def gathered(answers: "multiprocessing.Queue[Tally | None]", workers: int) -> Iterator[Tally]:
    """What the workers find, as they find it; what is wrong is said at once, and how far it is now and then."""
    began, done = time.monotonic(), 0
    while workers:
        if (tally := answers.get()) is None:
            workers -= 1
            continue
        done += 1
        for wrong in tally.wrong:
            print(f"  {wrong}", flush=True)
        if done % 10 == 0:
            print(f"{done} power cuts, {time.monotonic() - began:.0f} s", flush=True)
        yield tally


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
        answers: multiprocessing.Queue[Tally | None] = context.Queue()
        running = [
            context.Process(
                target=some, args=(recorded, chosen.cuts, chosen.seed, i, chosen.workers, answers)
            )
            for i in range(chosen.workers)
        ]
        for process in running:
            process.start()
        tallies = list(gathered(answers, chosen.workers))
        for process in running:
            process.join()
    wrong = [w for t in tallies for w in t.wrong]
    print(f"{len(tallies)} power cuts, {time.monotonic() - began:.0f} s: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
