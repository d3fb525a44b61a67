"""Half an hour of straps in simulated time; `tests/bench/fortnight.py` lives through fourteen days of them."""

from contextlib import ExitStack
from pathlib import Path

from tests.bench.fortnight import Household, growth

MOST_MB_A_DAY = 200
"""What a card with a strap worn all day is to take at most (the design's budget)."""


def test_half_an_hour_of_a_strap_takes_no_more_than_its_first_minutes(tmp_path: Path) -> None:
    """Protects a Pi that nobody starts anew for months, and its card: nothing is left open, and little is written."""
    readings = list(Household(tmp_path, 1).live(0.5, 1 / 6))
    assert growth(readings) == []
    assert sum(r.written_mb for r in readings[1:]) * 72 < MOST_MB_A_DAY


def test_growth_is_noticed(tmp_path: Path) -> None:
    """Protects against a harness that finds nothing: what is kept open, or in memory, is told."""
    kept, readings = [], []
    with ExitStack() as open_files:
        for reading in Household(tmp_path, 1).live(0.02, 0.01):
            readings.append(reading)
            open_files.enter_context((tmp_path / "journal.db").open("rb"))
            kept.append(bytearray(b"x" * (8 << 20)))
    assert [words.split()[0] for words in growth(readings)] == ["memory", "descriptors"]
