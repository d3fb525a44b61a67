"""Feeds the FIT reader with bytes that no watch wrote.

    python -m tests.fuzz.fit --runs 1000000     mutations of the seeds; needs nothing installed
    python -m tests.fuzz.fit --guided [...]     guided by coverage with atheris, whose options follow
    python -m tests.fuzz.fit --write-seeds      writes the seed files anew, from the encoder

Each input must be refused with `Unusable` or give samples that ascend and are plausible, within a second. The first
one that does not is kept as build/fuzz/crash-* and ends the run.
"""

import argparse
import hashlib
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ingest.errors import Unusable
from ingest.formats import fit
from tests.fuzz.seeds import SEEDS

FOLDER = Path(__file__).parent / "seeds"
FOUND = Path(__file__).parents[2] / "build" / "fuzz"
"""Git-ignored: inputs that reached something new, and those that failed."""
LONGEST_S = 1.0
"""Of the processor: a busy machine may well take a second off between two instructions."""
SHORTEST_STEP = np.timedelta64(1, "ms")
USED_UP = 12_000
"""Bytes beyond which a mutated input is put back: longer ones only make the run slower."""

EDGES = bytes((0x00, 0x01, 0x0D, 0x14, 0x37, 0x40, 0x4F, 0x60, 0x7F, 0x80, 0x84, 0x86, 0xFD, 0xFE, 0xFF))
"""Bytes that mean something to the format."""


def check(data: bytes) -> int:
    """Read `data` and complain of anything a reader must not do; gives the number of samples."""
    begun = time.process_time()
    samples = 0
    fit.looks_whole(data)
    try:
        file = fit.read(data)
    except Unusable as refusal:
        complain(bool(str(refusal)), "a refusal without a word")
    else:
        for series in file.series:
            complain(bool((np.diff(series.times) >= SHORTEST_STEP).all()), "samples out of order")
            complain(series.bpm.min() >= 30 and series.bpm.max() <= 230, "a heart rate that cannot be")
            samples += len(series)
        complain(bool((np.diff(file.beats.times) >= np.timedelta64(0, "ms")).all()), "beats out of order")
    complain(time.process_time() - begun < LONGEST_S, "a hang")
    return samples


def complain(fine: bool, what: str) -> None:  # noqa: FBT001
    if not fine:
        raise AssertionError(what)


def mutated(seed: int) -> Iterator[bytes]:
    """Inputs without end, the same ones for the same seed."""
    chance = random.Random(seed)
    while True:
        data = bytearray(chance.choice(SEEDS))
        for _ in range(chance.choice((1, 1, 2, 3, 8))):
            _change(data, chance)
            if 12 < len(data) < USED_UP:
                yield bytes(data)


def _change(data: bytearray, chance: random.Random) -> None:
    """One flip, cut, insertion, repetition, end or concatenation."""
    i = chance.randrange(len(data) + 1)
    j = min(i + chance.randrange(1, 40), len(data))
    match chance.randrange(8):
        case 0 | 1 if i < len(data):
            data[i] = chance.randrange(256)
        case 2 if i < len(data):
            data[i] = chance.choice(EDGES)
        case 3:
            del data[i:j]
        case 4:
            data[i:i] = bytes(chance.choice(EDGES) for _ in range(chance.randrange(1, 9)))
        case 5:
            data[j:j] = data[i:j]
        case 6:
            data += chance.choice(SEEDS)
        case _:
            del data[i + 12 :]


def plain(runs: int, seed: int) -> None:
    """A bounded run of mutations; prints what it did."""
    begun = time.perf_counter()
    slowest = samples = 0.0
    for count, data in zip(range(1, runs + 1), mutated(seed), strict=False):
        started = time.process_time()
        try:
            samples += check(data)
        except BaseException:
            FOUND.mkdir(parents=True, exist_ok=True)
            crash = FOUND / f"crash-{hashlib.sha256(data).hexdigest()[:12]}.fit"
            crash.write_bytes(data)
            print(f"Input {count} fails; it is kept as {crash}.", file=sys.stderr)
            raise
        slowest = max(slowest, time.process_time() - started)
    took = time.perf_counter() - begun
    print(
        f"{runs} inputs in {took:.0f} s ({runs / took:.0f} a second), {samples:.0f} samples; "
        f"no crash, no hang (slowest {slowest * 1000:.0f} ms), no sample out of order or implausible."
    )


def guided(options: list[str]) -> None:
    """Never comes back: atheris ends the process."""
    import atheris

    with atheris.instrument_imports():
        import ingest.formats.fit.decoder  # noqa: F401 - imported again, with counters in it

    atheris.instrument_all()
    FOUND.mkdir(parents=True, exist_ok=True)
    where = [f"-artifact_prefix={FOUND}/", str(FOUND), str(FOLDER)]
    atheris.Setup([sys.argv[0], *options, *where], lambda data: check(bytes(data)) and None)
    atheris.Fuzz()


def write_seeds() -> None:
    FOLDER.mkdir(exist_ok=True)
    for i, data in enumerate(SEEDS):
        (FOLDER / f"{i:02}.fit").write_bytes(data)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--runs", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--guided", action="store_true")
    options.add_argument("--write-seeds", action="store_true")
    chosen, rest = options.parse_known_args()
    if chosen.write_seeds:
        write_seeds()
    elif chosen.guided:
        guided(rest)
    else:
        plain(chosen.runs, chosen.seed)


if __name__ == "__main__":
    main()
