"""How long each panel's question takes of an SQLite store that holds twelve years of two persons.

python -m tests.bench.grafana [--years 12] [--store FILE]

As the plugin does it: the file is opened anew for each question. `--store` keeps the store, or uses one that was kept.
"""

import argparse
import re
import statistics
import tempfile
import time
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from ingest.grafana.boards import dashboards
from ingest.grafana.dashboard import DashboardDefaults, dashboard_json
from ingest.grafana.provisioning import sqlite
from ingest.household import record_profile
from ingest.journal import Journal
from ingest.rows.table import TABLES, Block
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.bench.rows import DAY, HOUR, LAST, MINUTE, one_day
from tests.support.grafana_queries import Json, Looking, ask_sqlite, drawn

LIMIT_MS = 50
PERSONS = ("Jan", "Zoë O'Hara")
NOW = LAST - DAY + 18 * HOUR
"""The end of the strap's hour on the last day."""


def fill(path: Path, days: int) -> None:
    """Two persons with an hour of a strap and an all-day watch each day, and what a strap says of itself each minute."""
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal.db") as journal:
        for name in PERSONS:
            record_profile(journal, name, {"zone": "Europe/Amsterdam", "maximum_bpm": 180}, overwrite=True)
        for i, name in product(range(days, 0, -1), PERSONS):
            one_day(journal, LAST - i * DAY, rng, name)
        with SqliteStore(path) as store:
            follow(journal, store)
            for name in PERSONS:
                store.write([[_told_by_strap(name, days)]], journal.last_position())


def _told_by_strap(name: str, days: int) -> Block:
    starts = LAST - np.arange(days, 0, -1) * DAY + 17 * HOUR
    times = (starts[:, None] + np.arange(60) * MINUTE).ravel() * 1000
    fields: dict[str, list[object]] = {f: [None] * len(times) for f in TABLES["collector"].fields}
    told = {
        "state": "connected",
        "state_no": 3,
        "battery_pct": 80,
        "signal_dbm": -60,
        "samples": 60,
        "gaps": 0,
    }
    fields |= {f: [value] * len(times) for f, value in told.items()}
    tags = {"person": name, "source": "strap"}
    return Block("collector", tags, int(times[0]), int(times[-1]) + 1, times, fields)


def begins_ms(text: str) -> int:
    """The moment that Grafana means by "now-7d", "now/w" and the like; the week of the last day begins with Monday."""
    now = datetime.fromtimestamp(NOW / 1000, ZoneInfo("Europe/Amsterdam"))
    found = re.fullmatch(r"now(?:-(\d+)([hdy]))?(?:/(w))?", text)
    assert found is not None, text
    if found[1]:
        now -= timedelta(hours=int(found[1]) * {"h": 1, "d": 24, "y": 24 * 365}[found[2]])
    if found[3]:
        now = now.replace(hour=0, minute=0, second=0) - timedelta(days=now.weekday())
    return int(now.timestamp() * 1000)


def taken_ms(path: Path, panel: Json, looking: Looking) -> tuple[float, int]:
    """The median of several times for all questions of a panel, and the number of values in the answers."""
    taken = []
    # What Grafana makes of them is done by the browser.
    panel = {**panel, "transformations": []}
    for _ in range(5):
        began = time.perf_counter()
        frames = drawn(path, panel, looking)
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken), sum(len(c.values) for f in frames for c in f.columns)


def main() -> None:
    """Print a line for each panel, at the time its dashboard shows at first and over all years."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--years", type=float, default=12)
    given.add_argument("--store", type=Path)
    asked = given.parse_args()
    days = int(365.25 * asked.years)
    with tempfile.TemporaryDirectory() as folder:
        path = asked.store or Path(folder) / "store" / "hartslag.db"
        if not path.exists():
            began = time.perf_counter()
            fill(path, days)
            print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
        print(f"{asked.years:g} years of {len(PERSONS)} persons, {path.stat().st_size / 1e6:.0f} MB\n")
        source, worst = sqlite(str(path)), 0.0
        print(f"{'':52}  at first          all years")
        for one in dashboards(source.language):
            board = dashboard_json(one, source.language, source.uid, DashboardDefaults())
            spans = {"at first": begins_ms(one.time_from)}
            if one.name != "workout":  # which is opened on one workout, and shows every sample of it
                spans["all years"] = LAST - days * DAY
            for panel in board["panels"]:
                if "targets" not in panel:
                    continue
                shown = []
                for begins in spans.values():
                    looking = Looking(begins, NOW, {"person": PERSONS[1], "now": str(NOW)})
                    ms, values = taken_ms(path, panel, looking)
                    shown.append(f"{ms:6.1f} ms {values:7}")
                    worst = max(worst, ms if begins == spans["at first"] else 0)
                print(f"{one.title + ': ' + panel['title']:52}  {'   '.join(shown)}", flush=True)
            (person,) = board["templating"]["list"]
            target = {"refId": "A", "rawQueryText": person["query"], "queryType": "table", "timeColumns": []}
            began = time.perf_counter()
            ask_sqlite(path, target, Looking(0, NOW))
            print(f"{one.title + ': who can be picked':52}  {(time.perf_counter() - began) * 1e3:6.1f} ms")
        print(f"\nthe slowest panel at first: {worst:.1f} ms (to reach: {LIMIT_MS})")


if __name__ == "__main__":
    main()
