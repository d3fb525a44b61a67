"""The FIT reader beside the others that a Python user can install, and beside those of Go and Rust.

    python -m tests.bench.fit [--rounds N] [--only SET ...]

One process per decoder and set of files, the decoders in turn within each round. Each reads all files into memory and decodes them
once; what its process took until then, with its start and its imports, is "whole process". Then it decodes them again for half a
second, and the least of these passes counts; of the rounds the least, too. All in seconds of the processor, so that a busy machine
does not favour anyone. Peak memory is what the first pass added to the files and the imports. All verify the checksum, and make
usable values of all fields. Prints a Markdown table.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ingest.demo.fit_encoder import Fit
from tests.bench.cost import memory_mib
from tests.bench.native import build_decoders

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


DECODERS: dict[str, tuple[str, str, Decoder]] = {
    "copy": ("copying the bytes", "sys", copy),
    "series": ("hartslag, heart rate", "ingest", series),
    "whole": ("**hartslag, everything**", "ingest", whole),
    "garmin": ("garmin-fit-sdk", "garmin_fit_sdk", garmin),
    "fitdecode": ("fitdecode", "fitdecode", fitdecode),
    "fitparse": ("fitparse", "fitparse", fitparse),
}
"""What each is called, the module that it needs, and how it decodes."""

Found = dict[str, float]


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
    """Be one decoder: a pass that ends what a whole process takes, then as many as fit into half a second."""
    _, _, decode = DECODERS[decoder]
    files = [path.read_bytes() for path in sorted(folder.iterdir())]
    decode(Fit().file_id(created=START).record(START, 100).session(START, 1).done())
    before = memory_mib("VmHWM")
    first = pass_over(decode, files)
    process_s = time.process_time()
    peak_mib = memory_mib("VmHWM") - before
    seconds = [first] if first > 1 else []  # to who takes so long a cold start is nothing
    while sum(seconds) < 0.5:
        seconds.append(pass_over(decode, files))
    print(json.dumps({"seconds": min(seconds), "process_s": process_s, "peak_mib": peak_mib}))


def commands() -> dict[str, tuple[str, list[str]]]:
    """What each decoder that is here is called, and its command but for the folder."""
    found = {}
    for name, (words, module, _) in DECODERS.items():
        if importlib.util.find_spec(module) is None:
            print(f"{module} is not installed: {words} is left out.", file=sys.stderr)
            continue
        found[name] = words, [sys.executable, "-W", "ignore", "-m", "tests.bench.fit", "--child", name]
    native = {name: (words, [str(program)]) for name, (words, program) in build_decoders().items()}
    at = list(found).index("whole") + 1
    return dict([*list(found.items())[:at], *native.items(), *list(found.items())[at:]])


def measure(
    rounds: int, folder: Path, decoders: dict[str, tuple[str, list[str]]]
) -> dict[tuple[str, str], Found]:
    """(set, decoder) -> the least seconds of a pass and of a process, and the least peak in MiB."""
    found: dict[tuple[str, str], list[Found]] = {}
    for which, decoder in [(w, d) for _ in range(rounds) for w in SETS for d in decoders]:
        if (folder / which).is_dir():
            command = [*decoders[decoder][1], str(folder / which)]
            ran = subprocess.run(command, check=True, capture_output=True, text=True)
            found.setdefault((which, decoder), []).append(json.loads(ran.stdout))
    return {key: {name: min(run[name] for run in runs) for name in runs[0]} for key, runs in found.items()}


def report(rounds: int, sets: list[str]) -> None:
    """Measure these sets, and print the table."""
    decoders = commands()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for which in sets:
            if which == "recordings" and not RECORDINGS.is_dir():
                print(f"No recordings in {RECORDINGS}; left out.", file=sys.stderr)
                continue
            (folder / which).mkdir()
            for i, data in enumerate(SETS[which][1]()):
                (folder / which / f"{i:03}.fit").write_bytes(data)
        found = measure(rounds, folder, decoders)
        sizes = {d.name: sum(f.stat().st_size for f in d.iterdir()) for d in folder.iterdir()}
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, the least of {rounds} rounds.\n"
    )
    print("| files | decoder | CPU ms | ms/MB | x fitparse | whole process, ms | peak, MiB |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for which in [w for w in SETS if w in sizes]:
        slowest = found[which, "fitparse"]["seconds"]
        for decoder, (words, _) in decoders.items():
            took = found[which, decoder]
            seconds = took["seconds"]
            print(
                f"| {SETS[which][0]} | {words} | {seconds * 1000:.3g} | {seconds * 1e9 / sizes[which]:.3g} "
                f"| {slowest / seconds:.3g} | {took['process_s'] * 1000:.0f} | {took['peak_mib']:.1f} |"
            )


def main() -> None:
    """One decoder, or all of them in turn."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument(
        "--only", nargs="+", choices=SETS, default=list(SETS), metavar="SET", help=" ".join(SETS)
    )
    options.add_argument("--child", nargs=2, metavar=("DECODER", "FOLDER"))
    chosen = options.parse_args()
    if chosen.child:
        child(chosen.child[0], Path(chosen.child[1]))
    else:
        report(chosen.rounds, chosen.only)


if __name__ == "__main__":
    main()
