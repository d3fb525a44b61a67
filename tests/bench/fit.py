"""The FIT reader beside the others that a Python user can install.

    python -m tests.bench.fit [--rounds N]

One process per decoder and set of files, the decoders in turn within each round; medians of the rounds, in seconds of
the processor, so that a busy machine does not favour anyone. Peak memory is that of the process over the largest file,
the file itself included, less what it was after imports and a file of a few records. All verify the checksum.
Prints a Markdown table.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ingest.demo.fit_encoder import Fit

START = 1_000_000_000
RECORDINGS = Path(os.environ.get("HARTSLAG_FIT_FILES") or Path(__file__).parents[3] / "shared" / "fit-files")

Decoder = Callable[[bytes], object]


def activity(records: int = 100_000) -> bytes:
    """A ride as a watch records it: place, height, distance, speed, cadence, power and heart rate every second."""
    file = Fit().file_id(created=START).timer(START, start=True)
    for i in range(records):
        file.message(
            20,
            (253, "uint32", START + i),
            (0, "sint32", 500_000_000 + 3 * i),
            (1, "sint32", 60_000_000 + 2 * i),
            (5, "uint32", 800 * i),
            (2, "uint16", 2500 + i % 90),
            (6, "uint16", 8000),
            (7, "uint16", 150 + i % 70),
            (3, "uint8", 90 + i // 60 % 80),
            (4, "uint8", 85),
            (13, "sint8", 18),
            local=1,
        )
    file.timer(START + records, start=False).session(START, records, mean=130, highest=169)
    return file.activity(START + records).done()


def with_beats(records: int = 20_000) -> bytes:
    """A run whose records and heartbeats take turns, the way straps are recorded."""
    file = Fit().file_id(created=START).timer(START, start=True)
    for i in range(records):
        file.record(START + i, 100 + i // 60 % 60).hrv(500, 510)
    return file.timer(START + records, start=False).session(START, records).done()


def all_day() -> bytes:
    """A day of a watch: a heart rate a minute, unknown messages between, movement now and then."""
    file = Fit().file_id(32, created=START).monitoring_info(START)
    for minute in range(1440):
        time_ = START + 60 * minute
        file.monitoring_bpm(time_, 55 + minute % 50)
        file.message(233, (2, "byte", [20, 0, 0, minute % 256]), local=12)
        if minute % 9 == 0:
            file.monitoring(time_, (24, "byte", 6 | (minute % 7) << 5))
    return file.monitoring_hr_data(START + 86_400, week=52, today=55).done()


def recordings() -> list[bytes]:
    return [path.read_bytes() for path in sorted(RECORDINGS.iterdir()) if path.suffix.lower() == ".fit"]


SETS: dict[str, tuple[str, Callable[[], list[bytes]]]] = {
    "recordings": ("all real recordings", recordings),
    "activity": ("100,000 records", lambda: [activity()]),
    "beats": ("20,000 records, beats between", lambda: [with_beats()]),
    "day": ("a monitoring day", lambda: [all_day()]),
}


def copy(data: bytes) -> object:
    return bytearray(data)


def series(data: bytes) -> object:
    from ingest.formats import fit

    return fit.heart_rate(data)


def whole(data: bytes) -> object:
    from ingest.formats import fit

    return fit.read(data)


def fitparse(data: bytes) -> object:
    from fitparse import FitFile
    from fitparse.records import DEV_TYPES

    DEV_TYPES.clear()
    return [m.get_values() for m in FitFile(data).get_messages()]


def fitdecode(data: bytes) -> object:
    import io

    import fitdecode as library

    with library.FitReader(io.BytesIO(data)) as reader:
        return [None for frame in reader if frame.frame_type == library.FIT_FRAME_DATA]


def garmin(data: bytes) -> object:
    from garmin_fit_sdk import Decoder, Stream

    return Decoder(Stream.from_byte_array(bytearray(data))).read()


DECODERS: dict[str, tuple[str, Decoder]] = {
    "copy": ("copying the bytes", copy),
    "series": ("hartslag, heart rate", series),
    "whole": ("hartslag, everything", whole),
    "garmin": ("garmin-fit-sdk", garmin),
    "fitdecode": ("fitdecode", fitdecode),
    "fitparse": ("fitparse", fitparse),
}


def pass_over(decoder: Decoder, files: list[bytes]) -> float:
    """Seconds of one pass; a file that the decoder gives up on costs what it took until then."""
    begun = time.process_time()
    for data in files:
        try:
            decoder(data)
        except Exception:  # noqa: BLE001 - that others fail is measured elsewhere
            continue
    return time.process_time() - begun


def child(decoder: str, folder: Path) -> None:
    """Be one decoder: a first pass unseen, then the median of as many as fit into half a second."""
    _, decode = DECODERS[decoder]
    paths = sorted(folder.iterdir(), key=lambda path: path.stat().st_size)
    pass_over(decode, [Fit().file_id(created=START).record(START, 100).session(START, 1).done()])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pass_over(decode, [paths[-1].read_bytes()])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    files = [path.read_bytes() for path in paths]
    seconds = [pass_over(decode, files)]
    while sum(seconds) < 0.5:
        seconds.append(pass_over(decode, files))
    print(json.dumps({"seconds": statistics.median(seconds), "peak_kib": peak}))


def measure(rounds: int, folder: Path) -> dict[tuple[str, str], tuple[float, float]]:
    """(set, decoder) -> seconds, peak KiB."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for which, decoder in [(w, d) for _ in range(rounds) for w in SETS for d in DECODERS]:
        if (folder / which).is_dir():
            ran = subprocess.run(
                [sys.executable, "-W", "ignore", "-m", "tests.bench.fit", "--child", decoder, str(folder / which)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            found.setdefault((which, decoder), []).append(json.loads(ran.stdout))
    return {
        key: (statistics.median(r["seconds"] for r in runs), statistics.median(r["peak_kib"] for r in runs))
        for key, runs in found.items()
    }


def report(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for which, (_, make) in SETS.items():
            if which == "recordings" and not RECORDINGS.is_dir():
                print(f"No recordings in {RECORDINGS}; left out.", file=sys.stderr)
                continue
            (folder / which).mkdir()
            for i, data in enumerate(make()):
                (folder / which / f"{i:03}.fit").write_bytes(data)
        found = measure(rounds, folder)
        sizes = {d.name: [f.stat().st_size for f in d.iterdir()] for d in folder.iterdir()}
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, median of {rounds} rounds.\n"
    )
    print(
        "| files | decoder | ms | MB/s | times fitparse | times garmin-fit-sdk | copies | peak, times the file |"
    )
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for which, size in sorted(sizes.items(), key=lambda pair: list(SETS).index(pair[0])):
        slow, other, floor = (found[which, name][0] for name in ("fitparse", "garmin", "copy"))
        for decoder, (words, _) in DECODERS.items():
            seconds, peak = found[which, decoder]
            print(
                f"| {SETS[which][0]} | {words} | {seconds * 1000:.3g} | {sum(size) / seconds / 1e6:.3g} "
                f"| {slow / seconds:.3g} | {other / seconds:.3g} | {seconds / floor:.3g} | {peak * 1024 / max(size):.2g} |"
            )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--child", nargs=2, metavar=("DECODER", "FOLDER"))
    chosen = options.parse_args()
    if chosen.child:
        child(chosen.child[0], Path(chosen.child[1]))
    else:
        report(chosen.rounds)


if __name__ == "__main__":
    main()
