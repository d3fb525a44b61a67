"""What people would do instead, beside what we do: counting with polars, duckdb and pandas, and a whole job with fitdecode and pandas, and GarminDB.

    python -m tests.bench.peers [--days N] [--files N]

Each in a process of its own, with one thread, in seconds of the processor and the memory that it took on top of its input. Below
each group stands a floor: what nobody who does it can do without. Prints two Markdown tables.
"""

import argparse
import importlib
import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from ingest.demo.fit_encoder import workout
from tests.bench.add import DAY, START, hour
from tests.bench.cost import Cost, cost_of
from tests.bench.zones import EDGES, LONGEST, a_year, gaps, in_minutes

LOW, HIGH = EDGES
CAP_MS = LONGEST * 1000


def with_polars(times: np.ndarray, bpm: np.ndarray) -> Any:
    """Milliseconds in zones of each minute: a weight for each sample, grouped by the minute in which it begins."""
    import polars as pl

    held = pl.DataFrame({"t": times, "bpm": bpm}).with_columns(
        ms=(pl.col("t").shift(-1) - pl.col("t")).clip(upper_bound=CAP_MS)
    )
    zone = [pl.col("bpm") < LOW, pl.col("bpm").is_between(LOW, HIGH - 1), pl.col("bpm") >= HIGH]
    minutes = held.group_by(pl.col("t") // 60_000).agg(
        [pl.col("ms").filter(z).sum().alias(str(i)) for i, z in enumerate(zone)]
    )
    return np.array([minutes[str(i)].sum() for i in range(3)]) / 1000


def with_duckdb(times: np.ndarray, bpm: np.ndarray) -> Any:
    """The same in SQL."""
    import duckdb
    import pandas as pd

    samples = pd.DataFrame({"t": times, "bpm": bpm})
    with duckdb.connect() as db:
        db.execute("SET threads = 1")
        db.register("samples", samples)
        rows = db.execute(
            "WITH held AS (SELECT t, bpm, least(lead(t) OVER (ORDER BY t) - t, ?) AS ms FROM samples),"
            " minutes AS (SELECT t // 60000, sum(ms) FILTER (bpm < ?) AS light,"
            " sum(ms) FILTER (bpm >= ? AND bpm < ?) AS moderate, sum(ms) FILTER (bpm >= ?) AS vigorous FROM held GROUP BY 1)"
            " SELECT sum(light), sum(moderate), sum(vigorous) FROM minutes",
            [CAP_MS, LOW, LOW, HIGH, HIGH],
        ).fetchone()
    return np.array(rows, np.float64) / 1000


def with_pandas(times: np.ndarray, bpm: np.ndarray) -> Any:
    """The same as people do it in a notebook."""
    import pandas as pd

    held = pd.DataFrame({"minute": times // 60_000, "zone": np.searchsorted(EDGES, bpm, side="right")})
    held["ms"] = pd.Series(times).diff().shift(-1).clip(upper=CAP_MS)
    return held.groupby(["minute", "zone"]).ms.sum().groupby("zone").sum().to_numpy() / 1000


def ours(times: np.ndarray, bpm: np.ndarray) -> Any:
    """As weeks are counted."""
    year = argparse.Namespace(times=times.view("datetime64[ms]"), bpm=bpm)
    return in_minutes(year)


COUNTING: dict[str, tuple[str, str, Callable[[np.ndarray, np.ndarray], Any]]] = {
    "ours": ("**hartslag**, each piece cut where a minute ends", "ingest", ours),
    "polars": ("polars", "polars", with_polars),
    "duckdb": ("duckdb", "duckdb", with_duckdb),
    "pandas": ("pandas", "pandas", with_pandas),
    "sum": ("floor: adding up both columns", "numpy", lambda t, b: (t.sum(), b.sum())),
    "copy": ("floor: copying both columns", "numpy", lambda t, b: (t.copy(), b.copy())),
}
"""What it is called, the module that it needs, and how it counts."""


def count(name: str, days: int) -> None:
    """Be one of those who count."""
    samples = a_year(gaps(days * 86_400, 0.01))
    times, bpm = samples.times.view(np.int64), samples.bpm
    _, module, how = COUNTING[name]
    importlib.import_module(module)
    found = cost_of(lambda: how(times, bpm), 3)
    if name not in {"sum", "copy"} and np.abs(how(times, bpm) - ours(times, bpm)).max() > 60:
        raise SystemExit(f"{name} does not count the same")  # ours ends the last sample, at a day's end
    print(json.dumps(found._asdict()))


# --- the whole job: files in, minutes in a database ---

FITDECODE = """
import sqlite3, sys
from pathlib import Path
import fitdecode, pandas as pd
db = sqlite3.connect(sys.argv[2])
for path in sorted(Path(sys.argv[1]).iterdir()):
    with fitdecode.FitReader(path) as reader:
        rows = [(f.get_value("timestamp"), f.get_value("heart_rate", fallback=None)) for f in reader
                if f.frame_type == fitdecode.FIT_FRAME_DATA and f.name == "record"]
    held = pd.DataFrame(rows, columns=["time", "bpm"]).dropna().set_index("time")
    held["s"] = held.index.to_series().diff().shift(-1).dt.total_seconds().clip(upper=30)
    held["zone"] = pd.cut(held.bpm, [0, 109, 131, 256], right=False, labels=["light", "moderate", "vigorous"])
    minutes = held.groupby([pd.Grouper(freq="1min"), "zone"], observed=False).s.sum().unstack()
    minutes.to_sql("minute", db, if_exists="append")
    db.commit()
"""

GARMINDB = """
import logging, sys
import fitfile
from garmindb import ActivityFitFileProcessor, GarminActivitiesFitData, PluginManager
from idbutils import DbParams
logging.disable()
place = DbParams(db_type="sqlite", db_path=sys.argv[2], db_username="", db_password="", db_host="")
files = GarminActivitiesFitData(sys.argv[1], False, fitfile.field_enums.DisplayMeasure.metric, 0)
files.process_files(ActivityFitFileProcessor(place, PluginManager(sys.argv[2], place), 0))
"""
"""Its way from files to its database; it counts no minutes of zones."""

GARMINDB_PYTHON = Path(sys.prefix, "garmindb", "bin", "python")
"""`make .venv/bench` gives it a place of its own, as it pins all that it needs."""

FSYNC = """
import os, sys
from pathlib import Path
for path in sorted(Path(sys.argv[1]).iterdir()):
    with open(sys.argv[2], "ab") as out:
        out.write(path.read_bytes())
        out.flush()
        os.fsync(out.fileno())
"""


def whole_process(command: list[str]) -> Cost:
    """What a process costs from its start to its end, with those that it starts itself."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:4]} ended with {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def whole_jobs(files: int) -> dict[str, tuple[Cost, int]]:
    """What each costs that brings workouts of an hour into a database, and of how many: of slow ones a few tell enough."""
    import random

    with tempfile.TemporaryDirectory() as name:
        few, fewest = max(files // 10, 1), max(files // 50, 1)
        chance = random.Random(1)
        for i in range(files):
            content = workout(START + i * DAY, hour(chance))
            for most in {files, few, fewest}:
                if i < most:
                    Path(name, f"{most} files").mkdir(exist_ok=True)
                    Path(name, f"{most} files", f"{i:03}.fit").write_bytes(content)
        data, garmin = Path(name, "data"), Path(name, "garmin")
        data.mkdir()
        garmin.mkdir()
        (data / "hartslag.toml").write_text('[[person]]\nname = "Robin"\nmaximum_bpm = 175\nzone = "UTC"\n')
        python = [sys.executable, "-W", "ignore"]
        jobs = {
            "**hartslag add**": ([*python, "-m", "ingest", "--data", str(data), "add"], [], files),
            "fitdecode, pandas and SQLite": ([*python, "-c", FITDECODE], [f"{name}/a.db"], few),
            "GarminDB": ([str(GARMINDB_PYTHON), "-W", "ignore", "-c", GARMINDB], [str(garmin)], fewest),
            "floor: each file written and brought to the disk": (
                [*python, "-c", FSYNC],
                [f"{name}/copy"],
                files,
            ),
        }
        if not GARMINDB_PYTHON.exists():
            print("GarminDB is not installed and left out.", file=sys.stderr)
            del jobs["GarminDB"]
        found = {
            words: (whole_process([*begin, f"{name}/{count} files", *end]), count)
            for words, (begin, end, count) in jobs.items()
        }
        found["floor: `import numpy`"] = whole_process([*python, "-c", "import numpy"]), 1
        with closing(sqlite3.connect(f"{name}/a.db")) as theirs:
            (minutes,) = theirs.execute("SELECT count(*) FROM minute").fetchone()
        assert minutes >= few * 60
    return found


def report(days: int, files: int) -> None:
    """Measure all, and print the tables."""
    rows: dict[str, Cost] = {}
    for name, (words, module, _) in COUNTING.items():
        if importlib.util.find_spec(module) is None:
            print(f"{module} is not installed and left out.", file=sys.stderr)
            continue
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "tests.bench.peers",
            "--count",
            name,
            "--days",
            str(days),
        ]
        one_thread = {**os.environ, "POLARS_MAX_THREADS": "1"}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=one_thread)
        rows[words] = Cost(**json.loads(done.stdout))
    samples = days * 86_400
    print(f"Seconds in zones of each minute, {samples / 1e6:.1f} million samples\n")
    print("| who | CPU s | million samples/s | peak, MiB |\n| --- | ---: | ---: | ---: |")
    for words, cost in rows.items():
        print(f"| {words} | {cost.cpu_s:.3f} | {samples / cost.cpu_s / 1e6:.0f} | {cost.peak_mib:.0f} |")
    print("\nWorkouts of an hour into a database: whole processes\n")
    print("| who | files | CPU s | ms a file | peak, MiB |\n| --- | ---: | ---: | ---: | ---: |")
    for words, (cost, count) in whole_jobs(files).items():
        each = cost.cpu_s / count * 1000
        print(f"| {words} | {count} | {cost.cpu_s:.2f} | {each:.1f} | {cost.peak_mib:.0f} |")


def main() -> None:
    """One of those who count, or all in turn."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--days", type=int, default=60)
    options.add_argument("--files", type=int, default=200)
    options.add_argument("--count", choices=COUNTING)
    chosen = options.parse_args()
    if chosen.count:
        count(chosen.count, chosen.days)
    else:
        report(chosen.days, chosen.files)


if __name__ == "__main__":
    main()
