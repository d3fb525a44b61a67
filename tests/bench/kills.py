"""Ten thousand kills of daemon, reading processes and verbs over running households, and what was lost by them.

python -m tests.bench.kills [--kills 10000] [--households 6] [--seed 1] [--keep FOLDER]
"""

import argparse
import multiprocessing
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.support.killed_household import KilledHousehold, Tally


def one(
    folder: Path, seed: int, kills: int, keep: Path | None, answers: "multiprocessing.Queue[Tally]"
) -> None:
    """One household, killed so often; kept where something is wrong with it."""
    from ingest import cli, daemon  # noqa: F401 - what it forks shall have it already

    folder.mkdir(parents=True)
    household = KilledHousehold(folder, seed)
    try:
        household.suffer(kills)
        household.recover()
        if keep is not None:  # as it is before anybody looks
            shutil.copytree(folder, keep / folder.name)
        answers.put(household.judge())
    except BaseException as e:
        household.tally.wrong.append(f"the harness itself: {e!r}")
        answers.put(household.tally)
        raise
    finally:
        if keep is not None and not household.tally.wrong:
            shutil.rmtree(keep / folder.name, ignore_errors=True)


def main() -> int:
    """Run all of them side by side, as they sleep most of the time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--households", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--keep", type=Path, help="for households with which something is wrong")
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        context = multiprocessing.get_context("fork")
        answers: multiprocessing.Queue[Tally] = context.Queue()
        each = -(-chosen.kills // chosen.households)
        running = [
            context.Process(
                target=one, args=(folder / f"{chosen.seed + i}", chosen.seed + i, each, chosen.keep, answers)
            )
            for i in range(chosen.households)
        ]
        for process in running:
            process.start()
        tallies = [answers.get() for _ in running]
        for process in running:
            process.join()
    kills: Counter[str] = sum((t.kills for t in tallies), Counter())
    wrong = [w for t in tallies for w in t.wrong]
    print(
        f"{kills.total()} kills ({', '.join(f'{n} of a {what}' for what, n in sorted(kills.items()))}) in"
        f" {chosen.households} households, {sum(t.files for t in tallies)} files, {sum(t.heard for t in tallies)}"
        f" notifications, {time.monotonic() - began:.0f} s: {len(wrong)} wrong"
    )
    for w in wrong:
        print(f"  {w}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
