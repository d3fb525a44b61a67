"""Half an hour of straps in simulated time; `tests/bench/fortnight.py` lives through fourteen days of them."""

import json
import subprocess
import sys
from pathlib import Path

MOST_MB_A_DAY = 100
"""What a card with a strap worn all day is to take at most ."""

LIFE = """
import json, sys
from pathlib import Path
from tests.bench.fortnight import Household, growth
folder, (hours, every_h) = Path(sys.argv[1]), map(float, sys.argv[2:4])
readings, kept = [], []
for reading in Household(folder, 1).live(hours, every_h):
    readings.append(reading)
    if sys.argv[4:]:
        kept += (folder / "journal.db").open("rb"), bytearray(b"x" * (8 << 20))
print(json.dumps([growth(readings), sum(r.written_mb for r in readings[1:])]))
"""


def live(folder: Path, hours: float, every_h: float, *more: str) -> tuple[list[str], float]:
    """What grew, and the MB written after the first reading, in a process of its own: what other tests leave is no growth."""
    words = [sys.executable, "-c", LIFE, str(folder), str(hours), str(every_h), *more]
    done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)
    assert done.returncode == 0, done.stderr
    grown, written_mb = json.loads(done.stdout)
    return grown, written_mb


def test_half_an_hour_of_a_strap_takes_no_more_than_its_first_minutes(tmp_path: Path) -> None:
    """Protects a Pi that nobody starts anew for months, and its card: nothing is left open, and little is written."""
    grown, written_mb = live(tmp_path, 0.5, 1 / 6)
    assert grown == []
    assert written_mb * 72 < MOST_MB_A_DAY


def test_growth_is_noticed(tmp_path: Path) -> None:
    """Protects against a harness that finds nothing: what is kept open, or in memory, is told."""
    grown, _ = live(tmp_path, 0.02, 0.01, "keep")
    assert [words.split()[0] for words in grown] == ["memory", "descriptors"]
