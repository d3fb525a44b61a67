"""Damages of a journal by the thousand: never a wrong number, never a traceback, never a silent daemon, and all that is whole is served.

python -m tests.bench.damages [200] [--seed 1] [--processes 0.1] [--only KIND] [--keep FOLDER]
"""

import argparse
import logging
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.damaged_household import STRAPS_OF_TODAY, DamagedHousehold, live_on, look
from tests.support.damaged_journals import DAMAGES
from tests.support.household_of_all_kinds import household_of_all_kinds


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged by this very process."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def main() -> int:
    """Damage copies of a household, each in another way, and say what was not as it should be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("times", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--processes", type=float, default=0.1, help="The share with a real daemon and real verbs."
    )
    parser.add_argument("--only")
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    from ingest import cli, daemon  # noqa: F401 - what is forked shall have it already

    kinds, bad = Counter[str](), Counter[str]()
    began = time.monotonic()
    with quiet(), tempfile.TemporaryDirectory() as temporary:
        pristine = Path(temporary) / "pristine" / "data"
        household_of_all_kinds(pristine, days=4, settings=STRAPS_OF_TODAY)
        before = look(live_on(shutil.copytree(pristine, Path(temporary) / "undisturbed" / "data")))
        for i in range(chosen.times):
            rng = random.Random(f"{chosen.seed} {i}")
            name = chosen.only or list(DAMAGES)[i % len(DAMAGES)]
            folder = Path(temporary) / f"try{i}"
            shutil.copytree(pristine, folder / "data")
            household = DamagedHousehold(folder / "data", before, name, rng)
            household.suffer(processes=rng.random() < chosen.processes)
            kinds[name] += 1
            if household.problems:
                bad[name] += 1
                print(f"{i} {name} {household.done}:", *household.problems, sep="\n    ", flush=True)
                if chosen.keep:
                    kept = chosen.keep / f"{chosen.seed}-{i}"
                    shutil.copytree(folder, kept, dirs_exist_ok=True)
            shutil.rmtree(folder)
            if kinds.total() % 25 == 0:
                took = time.monotonic() - began
                print(f"{kinds.total()} damages, {took:.0f} s: {bad.total()} wrong", flush=True)
    for name, n in kinds.items():
        print(f"{name}: {n} tried, {bad[name]} not as it should be")
    print(f"{kinds.total()} damages, {time.monotonic() - began:.0f} s: {bad.total()} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
