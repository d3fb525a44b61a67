"""The same heart rates twice: of one person hours apart, or of two persons; status says so, and which line mends it."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.demo.fit_encoder import ERA, workout
from tests.support.households import HOUR, at, hartslag

MORNING = at("2026-11-16T09:00+01:00")
RATES = [110 + i * i % 37 for i in range(600)]
SETTINGS = """
[[person]]
name = "Anna"
zone = "Europe/Amsterdam"
moderate_bpm = 110
vigorous_bpm = 140

[[person]]
name = "Ben B"
zone = "Europe/Amsterdam"
moderate_bpm = 110
vigorous_bpm = 140
"""


def add(data: Path, name: str, ahead_ms: int, rates: list[int] = RATES, person: str = "Anna") -> None:
    (data / "hartslag.toml").write_text(SETTINGS)
    file = data / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(workout((MORNING + ahead_ms) // 1000 - ERA, rates, serial=ahead_ms // 1000 + 1))
    assert hartslag("--data", data, "add", "--person", person, file).code == 0


def told(data: Path) -> list[list[tuple[str, str]]]:
    found: list[list[dict[str, Any]]] = json.loads(hartslag("--data", data, "status", "--json").out)[
        "told_twice"
    ]
    return [[(f["file"].rsplit("/", 1)[-1], f["begins"]) for f in files] for files in found]


def test_a_workout_that_came_again_with_another_zone_is_told(tmp_path: Path) -> None:
    """Protects a week from counting twice what was exported anew with the right time zone; the line that is shown ends it."""
    add(tmp_path, "wrong.fit", 0)
    add(tmp_path, "right.fit", HOUR)
    assert told(tmp_path) == [[("wrong.fit", "2026-11-16 09:00"), ("right.fit", "2026-11-16 10:00")]]
    said = " ".join(hartslag("--data", tmp_path, "status").out.split())
    assert "hold the same heart rates some hours apart" in said
    assert "forget wrong.fit Anna`" in said
    assert hartslag("--data", tmp_path, "forget", "wrong.fit", "Anna", "--yes").code == 0
    assert told(tmp_path) == []


@pytest.mark.parametrize(
    ("ahead_ms", "rates"),
    [(HOUR, [*RATES[:-1], 99]), (15 * HOUR, RATES), (HOUR // 2 + 60_000, RATES), (HOUR, RATES[:299])],
    ids=["another heart", "farther than zones are", "between zones", "short"],
)
def test_what_is_no_copy_is_not_told(tmp_path: Path, ahead_ms: int, rates: list[int]) -> None:
    """Protects from a remark about workouts of one length that are two."""
    add(tmp_path, "one.fit", 0, rates if len(rates) < 300 else RATES)
    add(tmp_path, "other.fit", ahead_ms, rates)
    assert told(tmp_path) == []


def test_a_copy_is_found_among_workouts_of_one_length(tmp_path: Path) -> None:
    """Protects who rides the same half hour twice a day: the copy of one of them is told, and the other is not."""
    for i, rates in enumerate((RATES, RATES[::-1], RATES[::-1], RATES)):
        add(tmp_path, f"{i}.fit", i * HOUR, rates)
    assert [[name for name, _ in files] for files in told(tmp_path)] == [
        ["0.fit", "3.fit"],
        ["1.fit", "2.fit"],
    ]


def test_a_frozen_sensor_is_no_copy(tmp_path: Path) -> None:
    """Protects from a remark about what two hours on a strap on the table have in common."""
    for i in range(2):
        add(tmp_path, f"{i}.fit", i * HOUR, [120] * 600)
    assert told(tmp_path) == []


def test_one_recording_of_two_persons_is_told(tmp_path: Path) -> None:
    """Protects two weeks from one heart: whose it is nobody can tell but they, and time that is forgotten is no more told of."""
    add(tmp_path, "run.fit", 0)
    add(tmp_path, "run.fit", 0, person="Ben B")
    assert len(told(tmp_path)[0]) == 2
    said = " ".join(hartslag("--data", tmp_path, "status").out.split())
    assert "count for two persons" in said
    assert "forget run.fit 'Ben B'`" in said
    assert hartslag("--data", tmp_path, "forget", "2026-11-16", "Ben", "B", "--yes").code == 0
    assert told(tmp_path) == []
